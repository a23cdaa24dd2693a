//! `heliu root`: what only the realm's offline root may decide. Nothing here speaks with a node: a signed entry comes out, to
//! be entered with `heliu directory append`.

use std::path::Path;

use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::signature::{PublicKey, SealingKey, Signer as _};
use serde_json::json;

use super::escrow;
use super::propose::entry_file;
use super::resolve::decide;
use crate::answer::{Done, print, print_json};
use crate::cli::{Root, RootDirectory, RootResolveArgs, RootSigning, Switch};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::layout::{DIRECTORY, ISSUER_KEY};
use crate::random::random;
use crate::realm::key_file::{self, Scheme};
use crate::realm::make::refused;
use crate::realm::{directory_file, write_new};
use crate::text::{Say, say, time, tr};

pub async fn run(args: &Root) -> Result<Done, Failure> {
    match args {
        Root::Issuer(issuer) => {
            let (root, log) = next(&issuer.signing, &issuer.on)?;
            let key = issuer_key(&issuer.new_issuer_key)?;
            let entry = draft(&log, key, &root)?;
            put_out(&issuer.signing, &entry, &install(&issuer.new_issuer_key))
        }
        Root::Cosigner(cosigner) => {
            let (root, log) = next(&cosigner.signing, &cosigner.on)?;
            let key = public_key(&cosigner.key)?;
            let entry = draft(&log, Item::Cosigner { key, active: !cosigner.off }, &root)?;
            put_out(&cosigner.signing, &entry, &Say::default())
        }
        Root::Escrow(escrow) => {
            let (root, log) = next(&escrow.signing, &escrow.on)?;
            let entry = draft(&log, Item::Escrow { key: sealing_key(&escrow.new_escrow_key)? }, &root)?;
            put_out(&escrow.signing, &entry, &Say::default())
        }
        Root::TwoSignatures(policy) => {
            let (root, log) = next(&policy.signing, &policy.on)?;
            let entry = draft(&log, Item::Policy { two_signatures: policy.switch == Switch::On }, &root)?;
            put_out(&policy.signing, &entry, &Say::default())
        }
        Root::Resolve(args) => resolve(args),
        Root::Reveal(args) => escrow::run(args).await,
    }
}

fn resolve(args: &RootResolveArgs) -> Result<Done, Failure> {
    let (root, keep) = open(&args.signing, &args.keep)?;
    let (decision, gone) = decide(args, &keep)?;
    let issuer = args.new_issuer_key.as_deref();
    let named = issuer.map(issuer_key).transpose()?;
    let entry = decision.draft(&keep, named.into_iter().collect(), &root)?;
    if !args.signing.json {
        print(gone.now())?;
    }
    put_out(&args.signing, &entry, &issuer.map(install).unwrap_or_default())
}

/// The root's key, and the directory that its next entry is for.
fn next(signing: &RootSigning, on: &RootDirectory) -> Result<(Ed25519Key, Directory), Failure> {
    let beside = signing.root_key.with_file_name(DIRECTORY);
    open(signing, on.directory.as_ref().unwrap_or(&beside))
}

/// The root's key, and a directory that it is the root of.
fn open(signing: &RootSigning, file: &Path) -> Result<(Ed25519Key, Directory), Failure> {
    let root = key_file::read(&signing.root_key)?;
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

fn draft(log: &Directory, item: Item, root: &Ed25519Key) -> Result<SignedEntry, Failure> {
    log.draft(vec![item], time::now_ms(), &[root]).map_err(|error| refused(&error))
}

fn put_out(signing: &RootSigning, entry: &SignedEntry, then: &Say) -> Result<Done, Failure> {
    let index = entry.entry.index;
    let out = signing.out.clone().unwrap_or_else(|| entry_file(index));
    write_new(&out, &entry.encode())?;
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

/// A new issuer, by its key file, which is made if it is not there.
fn issuer_key(file: &Path) -> Result<Item, Failure> {
    if !file.exists() {
        let of = tr!("域的签发者", "the issuer of the realm");
        key_file::write(file, Scheme::Signing, &random()?, &of)?;
    }
    key_file::read(file).map(|key| Item::Issuer { key: key.public_key() })
}

fn sealing_key(file: &Path) -> Result<SealingKey, Failure> {
    if !file.exists() {
        let of = tr!("密封数据的备用钥匙", "the realm's escrow");
        key_file::write(file, Scheme::Sealing, &random()?, &of)?;
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
