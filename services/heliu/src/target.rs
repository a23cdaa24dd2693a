//! Which node a verb talks to: a node's directory, an access file, or the address of a node in development mode.

use std::path::{Path, PathBuf};

use heliu_client::{Access, Client};
use heliu_disk::small_file::BadFile;

use crate::cli::Target;
use crate::config::Config;
use crate::failure::Failure;
use crate::layout::{CONFIG, LOCAL_ACCESS, instead_of_realm};
use crate::realm::node_dir::reachable;
use crate::text::say;

const SYSTEM: &str = "/etc/heliu";

/// The configuration in this directory, else the machine's, if there is one that may be read.
pub fn usual_config() -> Option<PathBuf> {
    let candidates = [PathBuf::from(CONFIG), Path::new(SYSTEM).join(CONFIG)];
    // A file that is there and may not be read is taken: whoever reads it says so.
    candidates.into_iter().find(|file| look(file) != Err(BadFile::Missing))
}

pub async fn connect(target: &Target) -> Result<Client, Failure> {
    Ok(Client::open_for_people(&access(target)?).await?)
}

/// Whether a file can be read, without reading it.
fn look(file: &Path) -> Result<(), BadFile> {
    std::fs::File::open(file).map(drop).map_err(|error| BadFile::of(&error))
}

/// What was typed counts first, then the environment, then what is at hand.
pub fn access(target: &Target) -> Result<Access, Failure> {
    let named =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let variable = |name: &str| named(&std::env::var(name).ok());
    if let Some(file) = &target.access {
        return Ok(Access::read(file)?);
    }
    if let Some(folder) = &target.dir {
        return in_dir(folder)?.ok_or_else(|| nothing_in(folder));
    }
    if let Some(address) = named(&target.node) {
        return Ok(Access::plain(address));
    }
    if let Some(file) = variable("HELIU_ACCESS") {
        return Ok(Access::read(Path::new(&file))?);
    }
    if let Some(address) = variable("HELIU_NODE") {
        return Ok(Access::plain(address));
    }
    for folder in [Path::new("."), Path::new(SYSTEM)] {
        if let Some(access) = in_dir(folder)? {
            return Ok(access);
        }
    }
    Err(Failure::usage(say!("没有说明是哪个节点", "no node is named")).next(say!(
        "在节点的目录里运行,或用 --dir 指明它;别的机器上用访问文件 --access(见 heliu access --help)",
        "run it in a node's directory, or name that with --dir; from elsewhere use an access file, --access (see heliu access --help)"
    )))
}

/// How to reach the node of a directory, if it is one's.
fn in_dir(folder: &Path) -> Result<Option<Access>, Failure> {
    let (local, config) = (folder.join(LOCAL_ACCESS), folder.join(CONFIG));
    let (may_config, may_local) = (look(&config), look(&local));
    if may_config.is_ok() {
        let config = Config::load(&config)?;
        if config.plain {
            return Ok(Some(Access::plain(reachable(config.listen).to_string())));
        }
    }
    match (may_local, may_config) {
        (Ok(()), _) => Ok(Some(Access::read(&local)?)),
        // Whose directory it is decides, and not that nothing is seen in it.
        (Err(BadFile::NotPermitted), _) => Err(Failure::bad_file(&local, &BadFile::NotPermitted)),
        (_, Err(BadFile::NotPermitted)) => Err(Failure::bad_file(&config, &BadFile::NotPermitted)),
        _ => Ok(None),
    }
}

fn nothing_in(folder: &Path) -> Failure {
    let shown = folder.display();
    let failure = Failure::usage(say!("{shown} 里没有 {LOCAL_ACCESS}", "there is no {LOCAL_ACCESS} in {shown}"));
    if let Some(instead) = instead_of_realm(folder) {
        return failure.next(instead);
    }
    if !folder.join(CONFIG).exists() {
        return failure.next(say!(
            "--dir 要的是节点的目录(里面有 {CONFIG});请核对路径",
            "--dir takes a node's directory (with {CONFIG} in it): check the path"
        ));
    }
    failure.next(say!(
        "令牌丢了可新建:heliu access add --name local --role all --dir {shown} --out {shown}/{LOCAL_ACCESS}",
        "for a new token: heliu access add --name local --role all --dir {shown} --out {shown}/{LOCAL_ACCESS}"
    ))
}

#[cfg(test)]
mod tests {
    use heliu_client::Pinned;
    use heliu_trust::id::{NodeId, RealmId};

    use super::*;

    fn write_config(folder: &Path, mode: &str) {
        let root = "ab".repeat(32);
        let text = format!(
            "listen = \"0.0.0.0:9999\"\n[realm]\nname = \"x\"\nroot = \"{root}\"\n[security]\nmode = \"{mode}\"\n"
        );
        std::fs::write(folder.join(CONFIG), text).expect("it is ours");
    }

    #[test]
    fn a_nodes_directory_says_how_to_reach_it() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let target = Target { dir: Some(folder.path().to_owned()), ..Target::default() };
        let next = |failure: Failure| failure.next.map(|next| next.en.clone()).unwrap_or_default();
        assert!(next(access(&target).expect_err("it is no node's")).contains("check the path"));
        let realm = tempfile::tempdir().expect("a temporary directory");
        let county = realm.path().join("county");
        std::fs::create_dir(&county).expect("it is ours");
        write_config(&county, "tls");
        let whole = Target { dir: Some(realm.path().to_owned()), ..Target::default() };
        assert!(next(access(&whole).expect_err("it is a whole realm's")).ends_with("/county"));
        let lost = Target { dir: Some(county), ..Target::default() };
        assert!(next(access(&lost).expect_err("its token is lost")).contains("heliu access add"));
        let pinned = Some(Pinned { realm: RealmId([1; 16]), node: NodeId([2; 16]) });
        let local = Access { addresses: vec!["127.0.0.1:1".to_owned()], pinned, token: Some("x".to_owned()) };
        local.write(&folder.path().join(LOCAL_ACCESS)).expect("it is ours");
        write_config(folder.path(), "tls");
        assert_eq!(access(&target).expect("it is there"), local);
        write_config(folder.path(), "loopback-plain");
        assert_eq!(access(&target).expect("configured"), Access::plain("127.0.0.1:9999"));
    }

    #[test]
    fn an_access_file_that_is_typed_comes_first() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("clerk.access");
        Access::plain("there:1").write(&file).expect("it is ours");
        let target = Target { access: Some(file), dir: Some("nowhere".into()), node: Some("here:1".to_owned()) };
        assert_eq!(access(&target).expect("it is there"), Access::plain("there:1"));
        let target = Target { access: None, dir: None, ..target };
        assert_eq!(access(&target).expect("it is typed"), Access::plain("here:1"));
    }
}
