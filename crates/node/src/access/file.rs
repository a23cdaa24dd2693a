//! The access list on disk, and the text form of tokens. A token is shown once, when it is made: the list holds its hash.

use std::fmt;
use std::fs::File;
use std::io::{self};
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heliu_disk::small_file::{self, BadFile};
use heliu_record::catalogue::Catalogue;
use heliu_record::id::{from_hex, to_hex};
use heliu_record::kind::{Label, label};
use heliu_record::plain_text::{self, Hidden};
use heliu_record::reason::{Fact, Reason};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::clock::wall_ms;

/// Thousands of tokens.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
const ENTRIES_MAX: usize = 4_096;
const PREFIX: &str = "heliu_";
const ID_BYTES: usize = 4;
const SECRET_BYTES: usize = 32;

/// What a token lets its bearer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Read records.
    Read,
    /// Give commands.
    Write,
    /// See how the node is and what it refused.
    Operate,
    /// Read the audit log.
    Audit,
    /// Change the directory, and erase records.
    Registry,
    /// Open sealed fields. Each time is written to the audit log.
    Reveal,
}

impl Role {
    pub const ALL: [Role; 6] = [Role::Read, Role::Write, Role::Operate, Role::Audit, Role::Registry, Role::Reveal];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Write => "write",
            Role::Operate => "operate",
            Role::Audit => "audit",
            Role::Registry => "registry",
            Role::Reveal => "reveal",
        }
    }

    #[must_use]
    pub fn label(self) -> Label {
        match self {
            Role::Read => label("读记录", "read"),
            Role::Write => label("发命令", "write"),
            Role::Operate => label("运维", "operate"),
            Role::Audit => label("审计", "audit"),
            Role::Registry => label("名录与抹除", "registry"),
            Role::Reveal => label("打开密封字段", "reveal"),
        }
    }
}

/// What a new token is to open.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// Who bears the token, for people.
    pub name: String,
    pub roles: Vec<Role>,
    /// Codes or ids of seats: only their records and those below them. Empty: all.
    pub seats: Vec<String>,
    /// Names of kinds. Empty: all.
    pub kinds: Vec<String>,
    pub expires_ms: Option<i64>,
}

/// One token, as the list holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub id: String,
    pub name: String,
    /// The hash of the secret, in hexadecimal digits.
    pub sha256: String,
    pub roles: Vec<Role>,
    #[serde(default)]
    pub seats: Vec<String>,
    #[serde(default)]
    pub kinds: Vec<String>,
    pub created_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<i64>,
}

/// Why the access list is not taken or not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("{path} cannot be used: {why}")]
    File { path: String, why: io::Error },
    #[error("{path} cannot be read: {why}")]
    Unread { path: String, why: BadFile },
    #[error("{path} is not an access list: {why}")]
    Form { path: String, why: String },
    #[error("{path} can be changed by others than its owner (mode {mode:03o}): run chmod 600 {path}")]
    Mode { path: String, mode: u32 },
    #[error("no token has the id {0}")]
    NoSuchToken(String),
    #[error("no kind of record is called {0}")]
    NoSuchKind(String),
    #[error("character {place} of the bearer's name is {sort} ({0}): take it out", place = .0.place, sort = .0.sort().en)]
    Name(Hidden),
    #[error("a token without any role opens nothing")]
    NoRole,
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl AccessError {
    /// As people are told of it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            AccessError::File { path, why } => {
                Reason::new("file.not-written").and(Fact::File, path).and(Fact::System, why)
            }
            AccessError::Unread { path, why } => why.reason(path),
            AccessError::Form { path, .. } => Reason::new("access.form").and(Fact::File, path),
            AccessError::Mode { path, mode } => {
                Reason::new("access.mode").and(Fact::File, path).and(Fact::Mode, format!("{mode:03o}"))
            }
            AccessError::NoSuchToken(id) => Reason::new("access.no-token").and(Fact::Id, id),
            AccessError::NoSuchKind(kind) => Reason::new("access.no-kind").and(Fact::Found, kind),
            AccessError::Name(hidden) => Reason::new("access.hidden").and(Fact::Found, hidden),
            AccessError::NoRole => Reason::new("access.no-role"),
            AccessError::Random(_) => Reason::new("access.random"),
        }
    }
}

/// A token as its bearer has it.
#[derive(Clone)]
pub struct Token {
    pub id: String,
    secret: [u8; SECRET_BYTES],
}

impl Token {
    pub(super) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret).into()
    }
}

impl fmt::Display for Token {
    /// The secret itself: for its bearer, not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_{}", self.id, URL_SAFE_NO_PAD.encode(self.secret))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.id)
    }
}

/// A text that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is heliu_<id>_<secret>, as it was shown when it was made")]
pub struct NoToken;

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        // The secret may have underscores of its own.
        let (id, secret) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or(NoToken)?;
        from_hex::<ID_BYTES>(id).ok_or(NoToken)?;
        let mut bytes = [0; SECRET_BYTES + 2];
        match URL_SAFE_NO_PAD.decode_slice(secret, &mut bytes) {
            Ok(SECRET_BYTES) => {
                let secret = std::array::from_fn(|i| bytes[i]);
                Ok(Token { id: id.to_owned(), secret })
            }
            _ => Err(NoToken),
        }
    }
}

/// Every token of the list; a file that is not there is an empty one.
pub fn list(file: &Path) -> Result<Vec<Entry>, AccessError> {
    let path = || file.display().to_string();
    let unread = |why: BadFile| AccessError::Unread { path: path(), why };
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unread(BadFile::of(&error))),
    };
    check_mode(file, &opened)?;
    let text = small_file::read_from(&opened, FILE_BYTES_MAX).and_then(small_file::text).map_err(unread)?;
    let form = |why: String| AccessError::Form { path: path(), why };
    let entries: Vec<Entry> = serde_json::from_str(&text).map_err(|error| form(error.to_string()))?;
    if entries.len() > ENTRIES_MAX {
        return Err(form(format!("it has more than {ENTRIES_MAX} tokens")));
    }
    for entry in &entries {
        if from_hex::<ID_BYTES>(&entry.id).is_none() || from_hex::<32>(&entry.sha256).is_none() {
            return Err(form(format!("the entry {:?} has no good id or sha256", entry.name)));
        }
    }
    Ok(entries)
}

/// Adds a token and gives it back: it is not kept, and cannot be shown again.
pub fn create(file: &Path, grant: Grant, catalogue: &Catalogue) -> Result<Token, AccessError> {
    let mut entries = list(file)?;
    check_kinds(&grant.kinds, catalogue)?;
    // The audit log shows this name as who did something.
    let name = plain_text::normal(&grant.name).map_err(AccessError::Name)?.into_owned();
    if grant.roles.is_empty() {
        return Err(AccessError::NoRole);
    }
    let mut id = [0; ID_BYTES];
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(AccessError::Random)?;
    loop {
        getrandom::fill(&mut id).map_err(AccessError::Random)?;
        if entries.iter().all(|entry| entry.id != to_hex(&id)) {
            break;
        }
    }
    let token = Token { id: to_hex(&id), secret };
    let Grant { name: _, roles, seats, kinds, expires_ms } = grant;
    let (id, sha256) = (token.id.clone(), to_hex(&token.hash()));
    entries.push(Entry { id, name, sha256, roles, seats, kinds, created_ms: wall_ms(), expires_ms });
    write(file, &entries)?;
    Ok(token)
}

/// Takes a token off the list; the node sees it at its next look.
pub fn revoke(file: &Path, id: &str) -> Result<Entry, AccessError> {
    let mut entries = list(file)?;
    let at = entries.iter().position(|entry| entry.id == id);
    let revoked = entries.remove(at.ok_or_else(|| AccessError::NoSuchToken(id.to_owned()))?);
    write(file, &entries)?;
    Ok(revoked)
}

/// The file is replaced as a whole, so that nobody reads half of it.
fn write(file: &Path, entries: &[Entry]) -> Result<(), AccessError> {
    let failed = |why: io::Error| AccessError::File { path: file.display().to_string(), why };
    let text = serde_json::to_string_pretty(entries).map_err(|error| failed(error.into()))?;
    heliu_disk::replace(file, text.as_bytes()).map_err(failed)
}

fn check_kinds(kinds: &[String], catalogue: &Catalogue) -> Result<(), AccessError> {
    match kinds.iter().find(|name| catalogue.kind(name).is_none()) {
        Some(unknown) => Err(AccessError::NoSuchKind(unknown.clone())),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), AccessError> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = path.display().to_string();
    let metadata = file.metadata().map_err(|why| AccessError::File { path: path.clone(), why })?;
    let mode = metadata.permissions().mode() & 0o777;
    // Others may read the list, which has hashes only; who can write it can let anybody in.
    if mode & 0o022 == 0 { Ok(()) } else { Err(AccessError::Mode { path, mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), AccessError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use heliu_catalogue::catalogue;

    use super::*;

    #[test]
    fn a_token_is_its_text_and_the_list_does_not_have_it() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("access.json");
        let grant = Grant { name: "clerk".to_owned(), roles: vec![Role::Read], ..Grant::default() };
        let token = create(&file, grant, catalogue()).expect("it is made");
        let text = token.to_string();
        let read: Token = text.parse().expect("it is one");
        assert_eq!((&read.id, read.hash()), (&token.id, token.hash()));
        let kept = std::fs::read_to_string(&file).expect("it is there");
        let secret = text.rsplit_once(&format!("{}_", token.id)).expect("it has both").1;
        assert!(!kept.contains(secret) && !format!("{token:?}").contains(secret));
        assert_eq!(list(&file).expect("it reads").len(), 1);
        revoke(&file, &token.id).expect("it is there");
        assert!(list(&file).expect("it reads").is_empty());
        assert!(matches!(revoke(&file, &token.id), Err(AccessError::NoSuchToken(_))));
    }

    #[cfg(unix)]
    #[test]
    fn a_list_that_others_could_change_is_not_taken() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("access.json");
        create(&file, Grant { roles: vec![Role::Read], ..Grant::default() }, catalogue()).expect("it is made");
        let mode = std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).expect("it is ours");
        assert!(matches!(list(&file), Err(AccessError::Mode { .. })));
    }

    #[test]
    fn an_empty_list_is_told_as_one_and_marks_of_editors_are_not_in_the_way() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("access.json");
        std::fs::write(&file, "").expect("it is ours");
        let error = list(&file).expect_err("it is empty").to_string();
        assert!(error.ends_with("it is empty"), "{error}");
        std::fs::write(&file, "\u{feff}[]\r\n").expect("it is ours");
        assert!(list(&file).expect("it reads").is_empty());
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in [
            "",
            "heliu_",
            "heliu_12345678",
            "heliu_12345678_",
            "heliu_x_y",
            &format!("heliu_12345678_{}", "a".repeat(9999)),
        ] {
            assert!(text.parse::<Token>().is_err(), "{text}");
        }
    }
}
