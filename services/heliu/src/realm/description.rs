//! `realm.toml`: what a realm is, as `init` wrote it down beside the issuer's key. Public; nothing in it is secret.

use std::path::Path;

use heliu_trust::directory::Directory;
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::id::{RealmId, realm_id};
use heliu_trust::signature::{PublicKey, Signer as _};
use serde::Deserialize;

use super::{directory_file, key_file};
use crate::config::template::quote;
use crate::failure::{Exit, Failure};
use crate::text::{say, tr};

pub const FILE: &str = "realm.toml";
/// The offline key that names the issuer.
pub const ROOT_KEY: &str = "root.key";
pub const ISSUER_KEY: &str = "issuer.key";
pub const DIRECTORY: &str = "directory.bin";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    root: PublicKey,
}

/// A realm whose issuer's key is at hand: it can grow.
#[derive(Debug)]
pub struct Realm {
    pub name: String,
    pub root: PublicKey,
    pub issuer: Ed25519Key,
    pub directory: Directory,
}

impl Realm {
    pub fn id(&self) -> RealmId {
        realm_id(&self.root, &self.name)
    }

    /// Opens the realm in a directory, and checks that what is in it belongs together.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join(FILE);
        let text = std::fs::read_to_string(&file).map_err(|error| {
            let next =
                say!("用 --dir 指明 heliu init 建立的目录", "name the directory that heliu init made with --dir");
            Failure::file(&file, &error).next(next)
        })?;
        let broken = |why: String| {
            let file = file.display();
            Failure::new(Exit::Failed, "realm", say!("{file} 不能用", "cannot use {file}")).because(why)
        };
        let written: Written = toml::from_str(&text).map_err(|error| broken(error.message().to_owned()))?;
        let issuer = key_file::read(&folder.join(ISSUER_KEY))?;
        let id = realm_id(&written.root, &written.name);
        let directory = directory_file::read(&folder.join(DIRECTORY), id, written.root)?;
        if Some(issuer.public_key()) != directory.issuer() {
            return Err(broken(tr!("{ISSUER_KEY} 不是它的签发密钥", "{ISSUER_KEY} is not the key of its issuer")));
        }
        Ok(Realm { name: written.name, root: written.root, issuer, directory })
    }

    /// The text of `realm.toml`.
    pub fn describe(&self) -> String {
        let head = tr!(
            "# 一个合流域。编号由名称和根公钥决定,两者都不要改。\n# 根私钥在 {ROOT_KEY}:谁有它,谁就能更换签发者。请移到离线介质保管。\n# 签发私钥在 {ISSUER_KEY}:谁有它,谁就能登记节点。请离线备份,不要拷到节点上。",
            "# A Heliu realm. Its id follows from name and root: change neither.\n# The root's private key is in {ROOT_KEY}: whoever has it can replace the issuer. Move it to a medium that is kept offline.\n# The issuer's private key is in {ISSUER_KEY}: whoever has it can enrol nodes. Keep a copy offline, and none on nodes."
        );
        let (name, root) = (quote(&self.name), quote(&self.root.to_string()));
        format!("{head}\nname = {name}\nroot = {root}\n")
    }
}
