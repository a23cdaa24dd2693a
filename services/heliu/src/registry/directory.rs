//! `heliu directory`: the signed log of seats and nodes, read, saved, signed by a second person, and extended.

use std::path::Path;

use heliu_client::Client;
use heliu_client::administration::{AppendRequest, DirectoryEntry, ListDirectoryRequest};
use heliu_disk::small_file::{self, BadFile};
use heliu_trust::directory::{Directory as Log, SignedEntry, limits};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{RealmId, realm_id};
use heliu_trust::signature::{PublicKey, Signer as _};
use serde_json::{Value, json};

use super::propose;
use crate::answer::{Done, print, print_json};
use crate::cli::{
    Directory, DirectoryAppendArgs, DirectoryKeyArgs, DirectoryListArgs, DirectorySaveArgs, DirectorySignArgs, Read,
};
use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::layout::CONFIG;
use crate::random::random;
use crate::realm::key_file::{self, Scheme};
use crate::realm::make::refused;
use crate::realm::{directory_file, exists, replace, write_new};
use crate::target;
use crate::text::{Language, Say, clean, codes, language, say, time, tr};

const PAGE: u32 = 1_000;

pub async fn run(args: &Directory) -> Result<Done, Failure> {
    match args {
        Directory::List(args) => list(args).await,
        Directory::Save(args) => save(args).await,
        Directory::Append(args) => append(args).await,
        Directory::Sign(args) => sign(args),
        Directory::Key(args) => key(args),
        Directory::RevokeToken(args) => propose::revoke_token(args).await,
        Directory::Addresses(args) => propose::addresses(args).await,
        Directory::TimeZone(args) => propose::time_zone(args).await,
    }
}

async fn list(args: &DirectoryListArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let limit = if args.limit == 0 { u64::MAX } else { u64::from(args.limit) };
    let entries = fetch(&client, args.from, limit).await?;
    if args.read.json {
        return print_json(&json!({"entries": entries.iter().map(shape).collect::<Vec<_>>()}));
    }
    print(&entries.iter().map(told).collect::<String>())
}

/// At most so many entries from an index on.
async fn fetch(client: &Client, from: u64, most: u64) -> Result<Vec<DirectoryEntry>, Failure> {
    let mut entries = Vec::new();
    loop {
        let have = entries.len() as u64;
        let limit = u32::try_from(most - have).unwrap_or(PAGE).min(PAGE);
        let page = client.directory(ListDirectoryRequest { from: from + have, limit }).await?;
        let got = page.entries.len() as u64;
        entries.extend(page.entries);
        if got == 0 || have + got >= most || from + have + got >= page.length {
            return Ok(entries);
        }
    }
}

pub fn told(entry: &DirectoryEntry) -> String {
    let (index, when, by) = (
        entry.index,
        time::local(entry.time_ms),
        entry.signers.iter().map(|signer| codes::signer(signer)).collect::<Vec<_>>().join(" + "),
    );
    let version: String = clean(&entry.version).chars().take(16).collect();
    let mut text = format!("{index:>4}  {when}  {}  {version}\n", clean(&by));
    for item in &entry.items {
        let said = match language() {
            Language::Zh => &item.zh,
            Language::En => &item.en,
        };
        text.push_str(&format!("      {}\n", clean(said)));
    }
    text
}

fn shape(entry: &DirectoryEntry) -> Value {
    let items: Vec<Value> = entry.items.iter().map(|item| json!({"zh": item.zh, "en": item.en})).collect();
    json!({
        "index": entry.index, "version": entry.version, "time": time::utc(entry.time_ms), "signers": entry.signers,
        "items": items,
    })
}

/// The whole log as a file, verified on the way. The anchor is that of the node's configuration if that is at hand, else
/// what the node says: to be compared with the root's key by whoever signs.
async fn save(args: &DirectorySaveArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let entries = fetch(&client, 0, u64::MAX).await?;
    let signed: Vec<SignedEntry> = entries.iter().map(decode).collect::<Result<_, _>>()?;
    let (realm, root) = match anchor(&args.read)? {
        Some(anchor) => anchor,
        None => said_anchor(&signed)?,
    };
    let mut log = Log::new(realm, root);
    let appended = log.append_all(&signed, &Ed25519);
    if let Some(error) = appended.error {
        return Err(refused(&error));
    }
    keep(&args.file, &log)?;
    let (entries, head, file) = (log.len(), log.head(), args.file.display());
    if args.read.json {
        return print_json(
            &json!({"file": args.file, "entries": entries, "head": head.to_string(), "root": root.to_string()}),
        );
    }
    print(&tr!(
        "名录的 {entries} 条已存到 {file}。根公钥 {root}\n",
        "The {entries} entries of the directory are in {file}. Public root key: {root}\n"
    ))
}

/// An older copy of the same directory is brought up to date; whatever else is there stays.
fn keep(file: &Path, log: &Log) -> Result<(), Failure> {
    if !file.exists() {
        return write_new(file, &directory_file::encode(log));
    }
    let older = directory_file::open(file).is_ok_and(|old| {
        let same_realm = (old.realm(), old.root()) == (log.realm(), log.root());
        same_realm
            && old.len() <= log.len()
            && old.entries_from(0).iter().zip(log.entries_from(0)).all(|(a, b)| a.version == b.version)
    });
    if older { replace(file, &directory_file::encode(log)) } else { Err(exists(file)) }
}

fn decode(entry: &DirectoryEntry) -> Result<SignedEntry, Failure> {
    SignedEntry::decode(&entry.encoded).map_err(|_| {
        let index = entry.index;
        Failure::new(
            Exit::Failed,
            "directory",
            say!("名录第 {index} 条读不懂", "entry {index} of the directory cannot be read"),
        )
    })
}

/// Realm and root of the node's own configuration.
fn anchor(read: &Read) -> Result<Option<(RealmId, PublicKey)>, Failure> {
    let folder = read.target.dir.as_deref().unwrap_or(Path::new("."));
    let file = folder.join(CONFIG);
    if read.target.access.is_some() || !file.exists() {
        return Ok(None);
    }
    let config = Config::load(&file)?;
    Ok(Some((realm_id(&config.root, &config.realm_name), config.root)))
}

/// The root is who signed the first entry.
pub fn said_anchor(entries: &[SignedEntry]) -> Result<(RealmId, PublicKey), Failure> {
    let first = entries.first();
    let root = first.and_then(|first| Some((first.entry.realm, first.signers().next()?)));
    root.ok_or_else(|| {
        Failure::new(Exit::Failed, "directory", say!("该节点的名录是空的", "the node's directory is empty"))
    })
}

async fn append(args: &DirectoryAppendArgs) -> Result<Done, Failure> {
    let entries = args.entries.iter().map(|file| read_entry(file).map(|entry| entry.encode()));
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    let client = target::connect(&args.read.target).await?;
    let taken = client.append(AppendRequest { entries, reason: args.reason.clone() }).await?;
    if args.read.json {
        return print_json(&json!({"directory": {"len": taken.length, "head": taken.version}}));
    }
    let (length, version) = (taken.length, clean(&taken.version).chars().take(16).collect::<String>());
    print(&tr!(
        "已提交并存盘:名录现有 {length} 条,版本 {version};经链路传给其他节点。\n",
        "Entered and durable: the directory has {length} entries now, version {version}; it travels over the links.\n"
    ))
}

pub fn read_entry(file: &Path) -> Result<SignedEntry, Failure> {
    let wrong = |zh: &str, en: &str| {
        let shown = file.display();
        Failure::usage(say!("{shown} 不是签名条目", "{shown} is no signed entry")).why(say!("{zh}", "{en}"))
    };
    let bytes = small_file::read(file, limits::SIGNED_ENTRY_BYTES as u64).map_err(|why| match why {
        BadFile::TooLong(_) => wrong("它比任何条目都长", "it is longer than any entry"),
        why => Failure::bad_file(file, &why),
    })?;
    SignedEntry::decode(&bytes).map_err(|_| wrong("读不懂,或不完整", "it cannot be read, or is not whole"))
}

/// Offline: whoever signs sees what is signed.
fn sign(args: &DirectorySignArgs) -> Result<Done, Failure> {
    let log = directory_file::open(&args.directory)?;
    let key = key_file::read(&args.key)?;
    let entry = read_entry(&args.entry)?;
    if !log.cosigners().any(|cosigner| cosigner == key.public_key()) && key.public_key() != log.root() {
        let public = key.public_key();
        return Err(Failure::new(
            Exit::Refused,
            "not_a_cosigner",
            say!("这把密钥不是副签人的", "this is not a second signer's key"),
        )
        .why(say!("公钥 {public}", "its public half is {public}"))
        .next(say!(
            "先由根任命:heliu root cosigner {public} --root-key root.key",
            "the root has to name it first: heliu root cosigner {public} --root-key root.key"
        )));
    }
    let signed = log.cosign(&entry, &key).map_err(|error| refused(&error))?;
    // Without a name of its own, the same entry with one signature more takes the place of what was signed.
    match &args.out {
        Some(out) => write_new(out, &signed.encode())?,
        None => replace(&args.entry, &signed.encode())?,
    }
    let out = args.out.as_ref().unwrap_or(&args.entry);
    let (index, version) = (signed.entry.index, signed.version);
    if args.json {
        return print_json(&json!({"file": out, "index": index, "version": version.to_string()}));
    }
    let (out, items) = (out.display(), items_told(&signed, &log));
    print(&tr!(
        "已签第 {index} 条,内容是:\n{items}写到 {out}。提交:heliu directory append {out} --reason 事由\n",
        "Signed entry {index}, which says:\n{items}It is in {out}. Enter it: heliu directory append {out} --reason WHY\n"
    ))
}

/// What is signed, an item a line.
fn items_told(signed: &SignedEntry, log: &Log) -> String {
    let words = signed.entry.items.iter().map(|item| Say::from(item.words(log)));
    words.map(|said| format!("  {}\n", clean(said.now()))).collect()
}

fn key(args: &DirectoryKeyArgs) -> Result<Done, Failure> {
    let seed = random()?;
    key_file::write(&args.file, Scheme::Signing, &seed, &tr!("副签人", "a second signer"))?;
    let public = Ed25519Key::from_seed(seed).public_key();
    if args.json {
        return print_json(&json!({"file": args.file, "public": public.to_string()}));
    }
    let file = args.file.display();
    print(&tr!(
        "密钥在 {file},请妥善保管。公钥:\n{public}\n请交给保管根密钥的人:heliu root cosigner {public} --root-key root.key\n",
        "The key is in {file}: keep it safe. Its public half:\n{public}\nGive that to who keeps the root: heliu root cosigner {public} --root-key root.key\n"
    ))
}

#[cfg(test)]
mod tests {
    use heliu_record::seats::{Seat, Tier};
    use heliu_trust::directory::{Fence, Item};
    use heliu_trust::id::{NodeId, TokenId, seat_id};
    use heliu_trust::signature::SealingKey;

    use super::*;
    use crate::text::{codes_in, speaking};

    /// Whoever signs offline reads this and nothing else.
    #[test]
    fn in_chinese_whoever_signs_an_entry_reads_what_it_says_and_no_code() {
        let root = Ed25519Key::from_seed([1; 32]);
        let (key, realm) = (root.public_key(), realm_id(&root.public_key(), "test"));
        let id = seat_id(&realm, "371726000000");
        let (code, name) = ("371726000000".to_owned(), "鄄城县".to_owned());
        let seat = Seat { id, code, name, parent: None, tier: Tier::County };
        let node = NodeId([7; 16]);
        let mut log = Log::new(realm, key);
        let first = vec![Item::Seat(seat.clone()), Item::Issuer { key }];
        let first = log.draft(first, 0, &[&root]).expect("it fits");
        log.append(&first, &Ed25519).expect("it is signed");
        let items = vec![
            Item::Seat(seat),
            Item::enrol(&Ed25519Key::from_seed([2; 32]), id, SealingKey([3; 32]), vec!["10.0.0.1:7340".to_owned()]),
            Item::Addresses { node, addresses: vec!["10.0.0.1:7340".to_owned()] },
            Item::Issuer { key },
            Item::Cosigner { key, active: true },
            Item::Policy { two_signatures: true },
            Item::Escrow { key: SealingKey([3; 32]) },
            Item::Delegate { seat: id, active: false },
            Item::Token { id: TokenId([4; 16]) },
            Item::Fence(Fence::new(node, Vec::new(), Vec::new())),
            Item::TimeZone { name: "Asia/Shanghai".to_owned() },
        ];
        let count = items.len();
        let mut entry = first;
        entry.entry.items = items;
        let said = speaking(Language::Zh, || items_told(&entry, &log));
        assert_eq!((codes_in(&said), said.lines().count()), (Vec::new(), count), "{said}");
        assert!(said.contains("“鄄城县”的节点") && said.contains("10.0.0.1:7340"), "{said}");
        let said = speaking(Language::En, || items_told(&entry, &log));
        assert!(said.contains("some changes need two signatures") && !said.contains("Policy"), "{said}");
    }

    #[test]
    fn in_chinese_why_an_entry_is_not_taken_has_no_code_in_it() {
        let error = heliu_trust::directory::DirectoryError::Gap { expected: 3, found: 5 };
        assert_eq!(refused(&error).why[0].zh, "来的是第 5 条,而应为第 3 条");
        let error = heliu_trust::directory::DirectoryError::NodeTwice(NodeId([7; 16]));
        assert_eq!(codes_in(&refused(&error).why[0].zh), [""; 0]);
    }
}
