//! `heliu root`: what only the realm's offline root may decide. Nothing here speaks with a node: a signed entry comes out, to
//! be entered with `heliu directory append`.

use std::collections::BTreeSet;
use std::path::Path;

use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::id::DirectoryVersion;
use heliu_trust::signature::{PublicKey, SealingKey, Signer as _};
use serde_json::json;

use super::propose::entry_file;
use crate::cli::{Root, RootSigning, Switch};
use crate::failure::{Exit, Failure};
use crate::out::{Done, print, print_json};
use crate::realm::key_file::{self, Scheme};
use crate::realm::make::refused;
use crate::realm::{DIRECTORY, ISSUER_KEY, directory_file, write_new};
use crate::text::{Say, say, time, tr};

pub fn run(args: &Root) -> Result<Done, Failure> {
    let (root, log) = open(args.signing())?;
    let mut then = Say::default();
    let drafted = match args {
        Root::Issuer(issuer) => {
            then = install(&issuer.new_issuer_key);
            let key = signing_key(&issuer.new_issuer_key, &tr!("域的签发者", "the issuer of the realm"))?;
            draft(&log, vec![Item::Issuer { key }], &root)
        }
        Root::Cosigner(cosigner) => {
            draft(&log, vec![Item::Cosigner { key: public_key(&cosigner.key)?, active: !cosigner.off }], &root)
        }
        Root::Escrow(escrow) => draft(&log, vec![Item::Escrow { key: sealing_key(&escrow.new_escrow_key)? }], &root),
        Root::TwoSignatures(policy) => {
            draft(&log, vec![Item::Policy { two_signatures: policy.switch == Switch::On }], &root)
        }
        Root::Resolve(resolve) => {
            let versions = resolve.abandoned.iter().map(|text| version(text)).collect::<Result<BTreeSet<_>, _>>()?;
            let mut items = Vec::new();
            if let Some(file) = &resolve.new_issuer_key {
                then = install(file);
                items
                    .push(Item::Issuer { key: signing_key(file, &tr!("域的签发者", "the issuer of the realm"))? });
            }
            log.draft_resolve(resolve.from, versions, items, time::now_ms(), &root).map_err(|error| refused(&error))
        }
    };
    put_out(args.signing(), &drafted?, &then)
}

/// The root's key, and the directory that it is the root of.
fn open(signing: &RootSigning) -> Result<(Ed25519Key, Directory), Failure> {
    let root = key_file::read(&signing.root_key)?;
    let beside = signing.root_key.with_file_name(DIRECTORY);
    let file = signing.directory.as_ref().unwrap_or(&beside);
    let log = directory_file::open(file)?;
    if root.public_key() == log.root() {
        return Ok((root, log));
    }
    let (key, file, public) = (signing.root_key.display(), file.display(), log.root());
    Err(Failure::new(
        Exit::Refused,
        "not_the_root",
        say!("{key} 不是这个域的根", "{key} is not the root of this realm"),
    )
    .why(say!("{file} 的根公钥是 {public}", "the root of {file} is {public}")))
}

fn draft(log: &Directory, items: Vec<Item>, root: &Ed25519Key) -> Result<SignedEntry, Failure> {
    log.draft(items, time::now_ms(), &[root]).map_err(|error| refused(&error))
}

fn put_out(signing: &RootSigning, entry: &SignedEntry, then: &Say) -> Result<Done, Failure> {
    let index = entry.entry.index;
    let out = signing.out.clone().unwrap_or_else(|| entry_file(index));
    write_new(&out, &entry.encode(), false)?;
    if signing.json {
        return print_json(&json!({"file": out, "index": index, "version": entry.version.to_string()}));
    }
    let (out, then) = (out.display(), then.now());
    let said = tr!(
        "根已签第 {index} 条,写到 {out}。在任一节点上提交:\n  heliu directory append {out} --reason 事由\n",
        "The root has signed entry {index}; it is in {out}. Enter it at a node:\n  heliu directory append {out} --reason WHY\n"
    );
    print(&(said + then))
}

fn install(file: &Path) -> Say {
    let file = file.display();
    say!(
        "然后在县级节点上:停下节点,用 {file} 替换其目录里的 {ISSUER_KEY}(权限 0600),再启动。\n",
        "Then, at the county's node: stop it, put {file} in the place of {ISSUER_KEY} in its directory (mode 0600), and start it.\n"
    )
}

/// The public half of a key file, which is made if it is not there.
fn signing_key(file: &Path, of: &str) -> Result<PublicKey, Failure> {
    if !file.exists() {
        key_file::write(file, Scheme::Signing, &key_file::random()?, of)?;
    }
    key_file::read(file).map(|key| key.public_key())
}

fn sealing_key(file: &Path) -> Result<SealingKey, Failure> {
    if !file.exists() {
        let of = tr!("密封数据的备用钥匙", "the realm's escrow");
        key_file::write(file, Scheme::Sealing, &key_file::random()?, &of)?;
    }
    key_file::read_sealing(file).map(|key| key.public())
}

fn public_key(text: &str) -> Result<PublicKey, Failure> {
    text.parse().map_err(|_| {
        Failure::usage(say!("“{text}”不是公钥", "{text:?} is no public key")).next(say!(
            "应为 heliu directory key 显示的 64 位十六进制",
            "it takes the 64 hexadecimal digits that heliu directory key shows"
        ))
    })
}

fn version(text: &str) -> Result<DirectoryVersion, Failure> {
    text.parse().map_err(|_| {
        Failure::usage(say!("“{text}”不是目录版本", "{text:?} is no version of a directory"))
            .next(say!("应为 64 位十六进制;见 heliu alarms", "it takes 64 hexadecimal digits; see heliu alarms"))
    })
}
