//! Access files: which node, how to know it, and the token that opens it. Whoever has one can do what its token lets them,
//! so it is read only if nobody but its owner can read it, as ssh does with keys.

use std::fmt;
use std::fs::File;
use std::io::{self};
use std::path::Path;

use heliu_disk::small_file::{self, BadFile};
use heliu_identity::id::{NodeId, RealmId};
use serde::{Deserialize, Serialize};

use crate::error::{Error, say};

const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What a program needs to use a node.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    /// `host:port`, tried in turn.
    pub addresses: Vec<String>,
    /// None: development mode, without encryption.
    pub pinned: Option<Pinned>,
    /// None: for what needs no token.
    pub token: Option<String>,
}

/// The one node that is taken at these addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinned {
    pub realm: RealmId,
    pub node: NodeId,
}

impl fmt::Debug for Access {
    /// Without the token: logs must not hold any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "...");
        let mut shown = f.debug_struct("Access");
        shown.field("addresses", &self.addresses).field("pinned", &self.pinned).field("token", &token).finish()
    }
}

/// As it is in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    addresses: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    realm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl Access {
    /// A node in development mode, on this machine.
    #[must_use]
    pub fn plain(address: impl Into<String>) -> Self {
        Access { addresses: vec![address.into()], pinned: None, token: None }
    }

    pub fn read(path: &Path) -> Result<Self, Error> {
        let bad = |zh: &str, en: &str| Error::Access { path: path.display().to_string(), why: say(zh, en) };
        let unread = |why: BadFile| Error::AccessFile { path: path.display().to_string(), why };
        let file = File::open(path).map_err(|error| unread(BadFile::of(&error)))?;
        check_mode(path, &file)?;
        let text = small_file::read_from(&file, FILE_BYTES_MAX).and_then(small_file::text).map_err(unread)?;
        // Not told by the parser, which would quote the token.
        let form: Form = toml::from_str(&text).map_err(|_| bad("它不是访问文件", "it is no access file"))?;
        if form.addresses.is_empty() {
            return Err(bad("其中没有地址", "it has no addresses"));
        }
        let pinned = match (form.realm, form.node) {
            (None, None) => None,
            (Some(realm), Some(node)) => Some(Pinned {
                realm: realm
                    .parse()
                    .map_err(|_| bad("其中的域编号不是 32 位十六进制数字", "realm is not 32 hexadecimal digits"))?,
                node: node
                    .parse()
                    .map_err(|_| bad("其中的节点编号不是 32 位十六进制数字", "node is not 32 hexadecimal digits"))?,
            }),
            _ => return Err(bad("域编号和节点编号须同时写明", "realm and node go together")),
        };
        if pinned.is_none() && form.token.is_some() {
            return Err(bad(
                "令牌不会在未加密时发送:其中没有域编号和节点编号",
                "a token is not sent without encryption: realm and node are missing",
            ));
        }
        Ok(Access { addresses: form.addresses, pinned, token: form.token })
    }

    /// Writes the file, or replaces it as a whole; for its owner alone.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        self.put(path, heliu_disk::replace)
    }

    /// Writes a file that is not there yet; for its owner alone.
    pub fn write_new(&self, path: &Path) -> Result<(), Error> {
        self.put(path, heliu_disk::write_new)
    }

    fn put(&self, path: &Path, write: fn(&Path, &[u8]) -> io::Result<()>) -> Result<(), Error> {
        let form = Form {
            addresses: self.addresses.clone(),
            realm: self.pinned.map(|pinned| pinned.realm.to_string()),
            node: self.pinned.map(|pinned| pinned.node.to_string()),
            token: self.token.clone(),
        };
        let head = "# Access to a node of Heliu. Whoever has this file can do what its token allows: keep it secret.\n";
        let failed = |why: BadFile| Error::AccessFile { path: path.display().to_string(), why };
        let text = toml::to_string(&form).map_err(|error| failed(BadFile::System(error.to_string())))?;
        write(path, format!("{head}{text}").as_bytes()).map_err(|error| failed(BadFile::of(&error)))
    }
}

#[cfg(unix)]
fn check_mode(path: &Path, file: &File) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = path.display().to_string();
    let metadata =
        file.metadata().map_err(|error| Error::AccessFile { path: path.clone(), why: BadFile::of(&error) })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(Error::AccessMode { path, mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Path, _: &File) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        let pinned = Pinned { realm: RealmId([1; 16]), node: NodeId([2; 16]) };
        let token = Some("heliu_12345678_secret".to_owned());
        Access { addresses: vec!["here:7340".to_owned()], pinned: Some(pinned), token }
    }

    #[test]
    fn a_file_that_is_not_there_or_empty_is_told_as_that() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("clerk.access");
        let error = Access::read(&path).expect_err("it is not there");
        assert!(error.to_string().contains("there is no such file"), "{error}");
        access().write(&path).expect("it is ours");
        let text = std::fs::read_to_string(&path).expect("it is ours");
        std::fs::write(&path, format!("\u{feff}{}", text.replace('\n', " \r\n"))).expect("it is ours");
        assert_eq!(Access::read(&path).expect("an editor of another system saved it"), access());
        std::fs::write(&path, "").expect("it is ours");
        assert!(Access::read(&path).expect_err("it is empty").to_string().contains("it is empty"));
    }

    #[test]
    fn what_is_written_is_read_and_does_not_show_its_token() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("clerk.access");
        access().write(&path).expect("it is ours");
        assert_eq!(Access::read(&path).expect("it reads"), access());
        assert!(!format!("{:?}", access()).contains("secret"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("clerk.access");
        access().write(&path).expect("it is ours");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("it is ours");
        let error = Access::read(&path).expect_err("a group can read it");
        assert_eq!(error.reason(), "access_mode");
        assert!(error.next().en.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_file_that_is_wrong_is_refused_without_quoting_a_token() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("clerk.access");
        let write = |text: &str| {
            std::fs::write(&path, text).expect("it is ours");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
            }
        };
        for text in [
            "",
            "addresses = []",
            "addresses = [\"a:1\"]\nrealm = \"12\"\nnode = \"34\"",
            "addresses = [\"a:1\"]\ntoken = \"secret\"",
            "addresses = [\"a:1\"]\ntoken = secret",
            "addresses = [\"a:1\"]\ntokens = \"secret\"",
        ] {
            write(text);
            let error = Access::read(&path).expect_err("it is wrong");
            assert_eq!(error.reason(), "bad_access", "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
