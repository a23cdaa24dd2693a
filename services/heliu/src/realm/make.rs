//! Making a realm: the keys of root and issuer, a directory of all seats and the first nodes, and for each node a directory of its
//! own to copy to its machine. Everything is written in a temporary place and put where it belongs when it is whole.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use heliu_record::id::SeatId;
use heliu_record::seats::Seat;
use heliu_trust::directory::{Directory, DirectoryError, Item};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{NodeId, RealmId, realm_id};
use heliu_trust::signature::{SealingKey, Signer as _};

use super::description::{DIRECTORY, FILE, ISSUER_KEY, ROOT_KEY, Realm};
use super::{CONFIG, NODES, directory_file, key_file, write_new};
use crate::config::template;
use crate::failure::{Exit, Failure};
use crate::text::{say, time, tr};

/// A node to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub seat: Seat,
    pub listen: SocketAddr,
}

/// A node that was made.
#[derive(Clone, Debug)]
pub struct Made {
    pub node: NodeId,
    pub seat: Seat,
    pub listen: SocketAddr,
    /// Its directory, relative to the realm's.
    pub folder: PathBuf,
    seed: [u8; 32],
}

struct Secrets {
    root: [u8; 32],
    issuer: [u8; 32],
}

/// A realm with these seats (of [`heliu_trust::region::parse`], for the realm that it is given) and nodes.
pub fn make(
    folder: &Path,
    name: &str,
    seats: impl FnOnce(&RealmId) -> Result<Vec<Seat>, Failure>,
    wanted: impl FnOnce(&[Seat]) -> Result<Vec<Wanted>, Failure>,
) -> Result<(Realm, Vec<Made>), Failure> {
    check_free(folder)?;
    let secrets = Secrets { root: key_file::random()?, issuer: key_file::random()? };
    let (root_key, issuer) = (Ed25519Key::from_seed(secrets.root), Ed25519Key::from_seed(secrets.issuer));
    let root = root_key.public_key();
    let id = realm_id(&root, name);
    let seats = seats(&id)?;
    let wanted = wanted(&seats)?;
    let named = Item::Issuer { key: issuer.public_key() };
    let mut realm = Realm { name: name.to_owned(), root, directory: Directory::new(id, root), issuer };
    let first = seats.into_iter().map(Item::Seat).chain([named]).collect();
    enter_as(&mut realm, first, &root_key).map_err(|error| refused(&error))?;
    let nodes = draw_nodes(&wanted)?;
    let items = nodes.iter().map(|node| {
        let key = Ed25519Key::from_seed(node.seed);
        // Nothing can be sealed to it yet.
        Item::enrol(&key, node.seat.id, SealingKey([0; 32]), vec![node.listen.to_string()])
    });
    enter(&mut realm, items.collect()).map_err(|error| refused(&error))?;
    write(folder, &realm, &secrets, &nodes)?;
    Ok((realm, nodes))
}

/// Signs the next entry of a realm's directory and takes it.
pub fn enter(realm: &mut Realm, items: Vec<Item>) -> Result<(), DirectoryError> {
    let issuer = realm.issuer.clone();
    enter_as(realm, items, &issuer)
}

fn enter_as(realm: &mut Realm, items: Vec<Item>, signer: &Ed25519Key) -> Result<(), DirectoryError> {
    let entry = realm.directory.draft(items, time::now_ms(), &[signer])?;
    realm.directory.append(&entry, &Ed25519).map(|_| ())
}

pub fn refused(error: &DirectoryError) -> Failure {
    Failure::new(Exit::Failed, "directory", say!("目录不接受这些内容", "the directory does not take this"))
        .because(error)
}

/// A realm is never overwritten: its keys could not be made again.
fn check_free(folder: &Path) -> Result<(), Failure> {
    let mut entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::file(folder, &error)),
    };
    if entries.next().is_none() {
        return Ok(());
    }
    let shown = folder.display();
    let failure = if folder.join(FILE).exists() {
        Failure::new(Exit::Refused, "realm_exists", say!("{shown} 里已有一个域", "there is a realm in {shown} already"))
            .why(say!(
                "覆盖会毁掉它的密钥,已登记的节点将无法使用",
                "overwriting it would destroy its keys, and with them its nodes"
            ))
    } else {
        return Err(not_empty(folder));
    };
    Err(failure.next(say!("请用 --dir 给出一个新目录", "give a new directory with --dir")))
}

pub fn not_empty(folder: &Path) -> Failure {
    let shown = folder.display();
    Failure::new(Exit::Usage, "not_empty", say!("目录 {shown} 不是空的", "the directory {shown} is not empty"))
        .next(say!("请用 --dir 给出一个新的或空的目录", "name a new or an empty directory with --dir"))
}

fn draw_nodes(wanted: &[Wanted]) -> Result<Vec<Made>, Failure> {
    let mut at_seat: BTreeMap<SeatId, usize> = BTreeMap::new();
    let draw = |wanted: &Wanted| {
        let count = at_seat.entry(wanted.seat.id).or_default();
        *count += 1;
        let code = &wanted.seat.code;
        let name = if *count == 1 { code.clone() } else { format!("{code}-{count}") };
        let seed = key_file::random()?;
        let node = Ed25519Key::from_seed(seed).node();
        Ok(Made { node, seat: wanted.seat.clone(), listen: wanted.listen, folder: Path::new(NODES).join(name), seed })
    };
    wanted.iter().map(draw).collect()
}

fn write(folder: &Path, realm: &Realm, secrets: &Secrets, nodes: &[Made]) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: std::io::Error| Failure::file(&path, &error)
    };
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed(parent))?;
    // An empty directory that is there stays: somebody may stand in it, and it may be a file system of its own.
    let stays = folder.exists();
    let around = if stays { folder } else { parent };
    let draft = tempfile::Builder::new().prefix(".heliu-init-").tempdir_in(around).map_err(failed(around))?;
    let directory = directory_file::encode(&realm.directory);
    write_new(&draft.path().join(FILE), realm.describe().as_bytes(), false)?;
    key_file::write(&draft.path().join(ROOT_KEY), &secrets.root, &tr!("域的根", "the realm's root"))?;
    key_file::write(&draft.path().join(ISSUER_KEY), &secrets.issuer, &tr!("域签发者", "the realm's issuer"))?;
    write_new(&draft.path().join(DIRECTORY), &directory, false)?;
    for node in nodes {
        let own = draft.path().join(&node.folder);
        std::fs::create_dir_all(&own).map_err(failed(&own))?;
        key_file::write(&own.join("node.key"), &node.seed, &format!("{} ({})", node.seat.name, node.seat.code))?;
        write_new(&own.join(DIRECTORY), &directory, false)?;
        write_new(&own.join(CONFIG), config(realm, node, nodes).as_bytes(), false)?;
    }
    if stays {
        // The description last: with it there is a realm here.
        for name in [NODES, ROOT_KEY, ISSUER_KEY, DIRECTORY, FILE] {
            let from = draft.path().join(name);
            if from.exists() {
                std::fs::rename(&from, folder.join(name)).map_err(failed(folder))?;
            }
        }
        draft.close().map_err(failed(folder))?;
    } else {
        std::fs::rename(draft.path(), folder).map_err(failed(folder))?;
        // It has a new name now; there is nothing to clean up.
        let _ = draft.keep();
    }
    std::fs::File::open(around).and_then(|around| around.sync_all()).map_err(failed(around))
}

fn config(realm: &Realm, node: &Made, nodes: &[Made]) -> String {
    let (seat, code, id) = (&node.seat.name, &node.seat.code, node.node.short());
    let head = tr!(
        "合流节点 {id}:{seat}({code})。\n运行:heliu node --config 本文件。带 # 的是默认值;每项也可用所列环境变量覆盖。",
        "Heliu node {id} of {seat} ({code}).\nRun it: heliu node --config THIS-FILE. Lines with # are the defaults; the variable named above a setting overrides it."
    );
    let addresses = |nodes: Vec<&Made>| nodes.iter().map(|node| node.listen.to_string()).collect();
    let given = [
        ("listen", vec![node.listen.to_string()]),
        ("realm.name", vec![realm.name.clone()]),
        ("realm.root", vec![realm.root.to_string()]),
        ("links.parents", addresses(superiors(&realm.directory, node, nodes))),
        ("links.peers", addresses(mirrors(node, nodes))),
    ];
    template::write(&head, &given)
}

/// The nodes of the nearest seat above that has any.
fn superiors<'n>(directory: &Directory, node: &Made, nodes: &'n [Made]) -> Vec<&'n Made> {
    let of = |seat: SeatId| nodes.iter().filter(|other| other.seat.id == seat).collect::<Vec<_>>();
    directory.seats().upward(node.seat.id).skip(1).map(of).find(|nodes| !nodes.is_empty()).unwrap_or_default()
}

/// Earlier nodes of the same seat: of two mirrors one dials the other.
fn mirrors<'n>(node: &Made, nodes: &'n [Made]) -> Vec<&'n Made> {
    nodes.iter().take_while(|other| other.node != node.node).filter(|other| other.seat.id == node.seat.id).collect()
}

#[cfg(test)]
mod tests {
    use heliu_trust::region;

    use super::*;
    use crate::config::Config;

    const REGIONS: &[u8] = "code,name,parent_code\n371726000000,鄄城县,\n371726101000,什集镇,371726000000\n371726101201,甲村,371726101000\n".as_bytes();

    fn make_at(folder: &Path, wanted: &[(usize, u16)]) -> Result<(Realm, Vec<Made>), Failure> {
        let seats = |realm: &RealmId| Ok(region::parse(realm, REGIONS).expect("it reads"));
        make(folder, "test", seats, |seats| {
            let at = |(seat, port): &(usize, u16)| Wanted {
                seat: seats[*seat].clone(),
                listen: ([127, 0, 0, 1], *port).into(),
            };
            Ok(wanted.iter().map(at).collect())
        })
    }

    fn config_of(folder: &Path, node: &Made) -> Config {
        Config::load(&folder.join(&node.folder).join(CONFIG)).expect("it reads")
    }

    #[test]
    fn each_node_dials_the_nearest_superior_that_there_is_and_its_mirror() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let folder = folder.path().join("realm");
        let (realm, nodes) = make_at(&folder, &[(0, 1), (0, 2), (2, 3)]).expect("it is new");
        let opened = Realm::open(&folder).expect("it belongs together");
        assert_eq!((opened.id(), opened.directory.head()), (realm.id(), realm.directory.head()));
        assert_eq!(opened.directory.nodes().count(), 3);
        let [county, mirror, village] = &nodes[..] else { panic!("three nodes") };
        assert_eq!(config_of(&folder, county).parents.len() + config_of(&folder, county).peers.len(), 0);
        assert_eq!(config_of(&folder, mirror).peers, [["127.0.0.1:1"]]);
        assert_eq!(config_of(&folder, village).parents, [["127.0.0.1:1"], ["127.0.0.1:2"]]);
        for node in &nodes {
            let config = config_of(&folder, node);
            assert_eq!(config.realm(), realm.id());
            assert_eq!(key_file::read(&config.key_file).expect("its key").node(), node.node);
            let directory = directory_file::read(&config.directory_file, config.realm(), config.root);
            assert_eq!(directory.expect("its directory").node(node.node).map(|info| info.seat), Some(node.seat.id));
        }
    }

    #[test]
    fn an_empty_directory_that_is_there_becomes_the_realm_and_stays_the_same_directory() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let number = |path: &Path| path.metadata().expect("it is there").ino();
        let before = number(folder.path());
        let (realm, _) = make_at(folder.path(), &[(0, 1)]).expect("it is empty");
        assert_eq!(Realm::open(folder.path()).expect("it is whole").id(), realm.id());
        assert_eq!((number(folder.path()), std::fs::read_dir(folder.path()).expect("it is ours").count()), (before, 5));
    }

    #[test]
    fn a_realm_is_never_overwritten_and_a_failed_one_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let place = folder.path().join("realm");
        make_at(&place, &[(0, 1)]).expect("it is new");
        let key = std::fs::read(place.join(ISSUER_KEY)).expect("it is there");
        let failure = make_at(&place, &[(0, 1)]).expect_err("it is there already");
        assert_eq!((failure.exit, failure.code.as_str()), (Exit::Refused, "realm_exists"));
        assert_eq!(std::fs::read(place.join(ISSUER_KEY)).expect("it is there"), key);
        // The second node has a name that no file can have; the first one's files and the keys have been written by then.
        let seats = |realm: &RealmId| Ok(region::parse(realm, REGIONS).expect("it reads"));
        let made = make(&folder.path().join("other"), "x", seats, |seats| {
            let at = |(port, seat)| Wanted { seat, listen: ([127, 0, 0, 1], port).into() };
            let bad = Seat { code: "\0".to_owned(), ..seats[1].clone() };
            Ok([(1, seats[0].clone()), (2, bad)].map(at).into())
        });
        assert!(made.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is ours").count(), 1);
    }
}
