//! `heliu root reveal`: what is sealed, opened with the escrow's key where no reader is left. Nothing here speaks with a node:
//! the key stays offline, and what a node has stored is brought to it.

use std::sync::Arc;

use heliu_catalogue::catalogue;
use heliu_record::change::Change;
use heliu_record::history::History;
use heliu_record::id::RecordId;
use heliu_record::reason::Reason;
use heliu_record::view::Record;
use heliu_replication::{Revealed, reveal};
use heliu_storage::{LeafStatus, Loaded, ReadDirectory, ReadRecords, ReadStatements, Store};
use heliu_trust::admission::LeafError;
use heliu_trust::audience::AudienceKeys;
use heliu_trust::directory::{Directory, SignedEntry};
use heliu_trust::ed25519::Ed25519;
use heliu_trust::grant::{Keyring, Recipient, SignedGrant};
use heliu_trust::statement::{Body, SignedStatement, check};
use serde_json::{Value, json};

use super::directory::said_anchor;
use crate::answer::{Done, print, print_json};
use crate::cli::RootRevealArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::realm::key_file;
use crate::realm::make::refused;
use crate::store::{Kind, StoreAt};
use crate::text::table::pairs;
use crate::text::{Say, clean, reasons, say, tr};

pub async fn run(args: &RootRevealArgs) -> Result<Done, Failure> {
    let secret = key_file::read_sealing(&args.escrow_key)?;
    let store = open(args).await?;
    let directory = directory(&*store).await?;
    let loaded = find(&*store, &args.id).await?;
    let record = fold(&loaded, &directory)?;
    let grants = loaded.grants.iter().filter_map(|row| SignedGrant::decode(&row.grant).ok());
    let grants: Vec<_> = grants.map(|signed| signed.grant).collect();
    let keys = audience_keys(&*store, &directory).await?;
    let me = Recipient::Escrow(secret.public());
    let fields = reveal(&directory.realm(), &record, &Keyring::of(&grants), keys, me, &secret);
    // Where it only was looked at, nothing is to be tidied up for.
    let _ = store.close().await;
    told(args, &fields)
}

async fn open(args: &RootRevealArgs) -> Result<Arc<dyn Store>, Failure> {
    let store = StoreAt::new(Kind::Sqlite, &args.data);
    let file = store.file();
    if !file.exists() {
        let (folder, name) = (args.data.display(), file.file_name().unwrap_or_default().display());
        return Err(Failure::usage(say!("{folder} 里没有 {name}", "there is no {name} in {folder}")).next(say!(
            "--data 要的是节点的数据目录(节点目录下的 data)的副本,在节点停止时复制",
            "--data takes a copy of a node's data directory (data in the node's own), made while the node was stopped"
        )));
    }
    store.open().await
}

/// As the node had it: which realm it is of follows from who signed its first entry.
async fn directory(store: &dyn ReadDirectory) -> Result<Directory, Failure> {
    let entries = store.directory().await?;
    let decoded = entries.iter().map(|entry| SignedEntry::decode(entry)).collect::<Result<Vec<_>, _>>();
    let entries = decoded.map_err(|error| refused(&error.into()))?;
    let (realm, root) = said_anchor(&entries)?;
    let mut directory = Directory::new(realm, root);
    match directory.append_all(&entries, &Ed25519).error {
        Some(error) => Err(refused(&error)),
        None => Ok(directory),
    }
}

/// The keys of audiences, as the node had heard of them.
async fn audience_keys(store: &dyn ReadStatements, directory: &Directory) -> Result<AudienceKeys, Failure> {
    let mut keys = AudienceKeys::default();
    for row in store.statements().await? {
        let signed = SignedStatement::decode(&row.bytes);
        let Some(signed) = signed.ok().filter(|signed| check(signed, directory, &|_| false, &Ed25519).is_ok()) else {
            continue;
        };
        if let Body::Keys(said) = &signed.statement.body {
            keys.add(signed.statement.author, said);
        }
    }
    Ok(keys)
}

async fn find(store: &dyn ReadRecords, id: &str) -> Result<Loaded, Failure> {
    let text = id.trim().to_ascii_lowercase();
    let found = store.by_prefix(&text).await?;
    match found[..] {
        [one] => store.load(&[one]).await?.into_iter().next().ok_or_else(|| not_here(id)),
        [] => Err(not_here(id)),
        _ => Err(Failure::usage(say!("有多条记录以 {id} 开头", "more than one record begins with {id}"))
            .next(say!("请多写几位", "give more digits of it"))),
    }
}

fn not_here(id: &str) -> Failure {
    Failure::new(Exit::Failed, "not_here", say!("其中没有记录 {id}", "there is no record {id} in it")).next(say!(
        "请核对编号;换一个持有它的节点的数据(上级持有下级的全部记录)",
        "check the id; or take the data of another node that has it (superiors have all that is below them)"
    ))
}

fn damaged(why: &LeafError) -> Say {
    reasons::words(&Reason { code: why.code().to_owned(), facts: why.facts() })
}

/// What the node had admitted of it.
fn fold(loaded: &Loaded, directory: &Directory) -> Result<Record, Failure> {
    let admitted = loaded.leaves.iter().filter(|leaf| leaf.status == LeafStatus::Admitted);
    let mut changes =
        admitted.map(|leaf| Change::parse(&leaf.change)).collect::<Result<Vec<_>, _>>().map_err(|why| {
            let id: RecordId = loaded.row.id;
            Failure::new(Exit::Store, "record_damaged", say!("记录 {id} 已损坏", "record {id} is damaged"))
                .why(damaged(&why.into()))
        })?;
    // Each comes after those that it builds on.
    changes.sort_by_key(|change| change.start_op);
    let mut history = History::new();
    changes.into_iter().for_each(|change| history.place(Arc::new(change)));
    Ok(Record::fold(
        catalogue().kind(&loaded.row.preimage.kind),
        loaded.row.preimage.clone(),
        history,
        directory.seats(),
    ))
}

fn told(args: &RootRevealArgs, fields: &[Revealed]) -> Result<Done, Failure> {
    let locked: u32 = fields.iter().map(|field| field.locked).sum();
    if args.json {
        let shape = |field: &Revealed| -> Value {
            json!({"field": field.field, "values": field.values, "locked": field.locked})
        };
        return print_json(&json!({"fields": fields.iter().map(shape).collect::<Vec<_>>()}));
    }
    if fields.is_empty() {
        return print(&tr!("这条记录没有密封的内容。\n", "Nothing is sealed in this record.\n"));
    }
    let rows: Vec<(String, String)> =
        fields.iter().map(|field| (field.field.clone(), clean(&field.values.join(" | ")))).collect();
    let mut text = pairs(&rows);
    if locked > 0 {
        text.push_str(&tr!(
            "\n{locked} 个值打不开:密封时的备用钥匙是另一把,或那时还没有。\n",
            "\n{locked} value(s) stay locked: they were sealed to another escrow key, or there was none then.\n"
        ));
    }
    text.push_str(&tr!(
        "\n离线打开不会记入任何审计日志:请自行记下何人、何时、为何打开。\n",
        "\nThis is in no audit log: write down who opened it, when, and why.\n"
    ));
    print(&text)
}
