//! Making a realm: the offline keys of root and escrow, the county's node with the issuer's key, a directory of all seats,
//! and further nodes for trials on one machine. Nothing is left half made.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use heliu_record::id::SeatId;
use heliu_record::seats::Seat;
use heliu_trust::directory::{Directory, DirectoryError, Item};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{NodeId, RealmId, realm_id};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer as _;

use super::draft::{Draft, is_free, not_empty};
use super::key_file::{self, Scheme};
use super::node_dir::{Keys, NodeDir, dialled};
use super::{directory_file, write_new};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::layout::{CONFIG, COUNTY, DIRECTORY, ESCROW_KEY, NODES, ROOT, ROOT_KEY};
use crate::random::random;
use crate::text::{say, time, tr};

/// A node to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub seat: Seat,
    pub listen: SocketAddr,
    /// Where others reach the node.
    pub addresses: Vec<String>,
}

/// A node that was made.
#[derive(Clone)]
pub struct Made {
    pub node: NodeId,
    pub seat: Seat,
    pub listen: SocketAddr,
    pub addresses: Vec<String>,
    /// The node's directory, relative to the realm's.
    pub folder: PathBuf,
    keys: Keys,
}

/// A realm as it was made.
pub struct Realm {
    pub name: String,
    pub directory: Directory,
    pub nodes: Vec<Made>,
    secrets: Secrets,
}

#[derive(Clone)]
struct Secrets {
    root: [u8; 32],
    escrow: [u8; 32],
    issuer: [u8; 32],
}

/// A realm with these seats (of [`heliu_node::region::parse`], for the realm that it is given) and nodes; the first of
/// them is the county's.
pub fn make(
    folder: &Path,
    name: &str,
    time_zone: &str,
    seats: impl FnOnce(&RealmId) -> Result<Vec<Seat>, Failure>,
    wanted: impl FnOnce(&[Seat]) -> Result<Vec<Wanted>, Failure>,
) -> Result<Realm, Failure> {
    check_free(folder)?;
    let secrets = Secrets { root: random()?, escrow: random()?, issuer: random()? };
    let (root, issuer) = (Ed25519Key::from_seed(secrets.root), Ed25519Key::from_seed(secrets.issuer));
    let id = realm_id(&root.public_key(), name);
    let seats = seats(&id)?;
    let nodes = draw_nodes(wanted(&seats)?)?;
    let mut directory = Directory::new(id, root.public_key());
    let escrow = SealingSecret::from_seed(secrets.escrow).public();
    let time_zone = Item::TimeZone { name: time_zone.to_owned() };
    let powers = [Item::Issuer { key: issuer.public_key() }, Item::Escrow { key: escrow }, time_zone];
    let first = seats.into_iter().map(Item::Seat).chain(powers).collect();
    let enrolled = nodes.iter().map(|node| {
        let (key, sealing) = (node.keys.signing(), node.keys.sealing().public());
        Item::enrol(&key, node.seat.id, sealing, node.addresses.clone())
    });
    let enrolled = enrolled.collect();
    enter(&mut directory, first, &root).map_err(|error| refused(&error))?;
    enter(&mut directory, enrolled, &issuer).map_err(|error| refused(&error))?;
    let realm = Realm { name: name.to_owned(), directory, nodes, secrets };
    let draft = Draft::open(folder, &format!("heliu-init-{}", id.short()))?;
    match write(draft.path(), &realm) {
        // The county's node last: with it there is a realm here.
        Ok(()) => draft.finish(COUNTY)?,
        Err(failure) => {
            draft.give_up();
            return Err(failure);
        }
    }
    Ok(realm)
}

fn enter(directory: &mut Directory, items: Vec<Item>, signer: &Ed25519Key) -> Result<(), DirectoryError> {
    let entry = directory.draft(items, time::now_ms(), &[signer])?;
    directory.append(&entry, &Ed25519).map(|_| ())
}

pub fn refused(error: &DirectoryError) -> Failure {
    Failure::new(Exit::Failed, "directory", say!("名录不接受这些内容", "the directory does not take this"))
        .why(error.words().into())
}

/// A realm is never overwritten: its keys could not be made again.
fn check_free(folder: &Path) -> Result<(), Failure> {
    if is_free(folder)? {
        return Ok(());
    }
    let is_realm =
        [folder.join(COUNTY).join(CONFIG), folder.join(ROOT).join(ROOT_KEY)].iter().any(|file| file.exists());
    if !is_realm {
        return Err(not_empty(folder));
    }
    let shown = folder.display();
    Err(Failure::new(
        Exit::Refused,
        "realm_exists",
        say!("{shown} 里已有一个域", "there is a realm in {shown} already"),
    )
    .why(say!(
        "覆盖会毁掉它的密钥,已登记的节点将无法使用",
        "overwriting it would destroy its keys, and with them its nodes"
    ))
    .next(say!("请用 --dir 给出一个新目录", "give a new directory with --dir")))
}

fn draw_nodes(wanted: Vec<Wanted>) -> Result<Vec<Made>, Failure> {
    let mut at_seat: BTreeMap<SeatId, usize> = BTreeMap::new();
    let draw = |(index, wanted): (usize, Wanted)| {
        let Wanted { seat, listen, addresses } = wanted;
        let count = at_seat.entry(seat.id).or_default();
        *count += 1;
        let name = if *count == 1 { seat.code.clone() } else { format!("{}-{count}", seat.code) };
        let folder = if index == 0 { PathBuf::from(COUNTY) } else { Path::new(NODES).join(name) };
        let keys = Keys::draw()?;
        Ok(Made { node: keys.node(), seat, listen, addresses, folder, keys })
    };
    wanted.into_iter().enumerate().map(draw).collect()
}

fn write(folder: &Path, realm: &Realm) -> Result<(), Failure> {
    let inside = |name: &Path| {
        let path = folder.join(name);
        let made = heliu_disk::folder(&path);
        made.map(|()| path.clone()).map_err(|error| Failure::file(&path, &error))
    };
    write_root(&inside(Path::new(ROOT))?, realm)?;
    for (index, node) in realm.nodes.iter().enumerate() {
        let own = inside(&node.folder)?;
        node.keys.write(&own, &format!("{} ({})", node.seat.name, node.seat.code))?;
        let (parents, peers) = dialled(&realm.directory, node.node, node.seat.id);
        let dir = NodeDir {
            realm_name: &realm.name,
            directory: &realm.directory,
            node: node.node,
            seat: &node.seat,
            listen: node.listen,
            addresses: &node.addresses,
            parents,
            peers,
            issuer: (index == 0).then_some(realm.secrets.issuer),
        };
        dir.write(&own)?;
    }
    Ok(())
}

/// What goes offline, with a word on what it is for.
fn write_root(folder: &Path, realm: &Realm) -> Result<(), Failure> {
    let secrets = &realm.secrets;
    key_file::write(&folder.join(ROOT_KEY), Scheme::Signing, &secrets.root, &tr!("域的根", "the realm's root"))?;
    let escrow = tr!("密封数据的备用钥匙", "the realm's escrow");
    key_file::write(&folder.join(ESCROW_KEY), Scheme::Sealing, &secrets.escrow, &escrow)?;
    write_new(&folder.join(DIRECTORY), &directory_file::encode(&realm.directory))?;
    let (name, id, root) = (&realm.name, realm.directory.realm(), realm.directory.root());
    let text = tr!(
        "合流域 {name}({id})的离线密钥。根公钥:{root}\n\n\
         {ROOT_KEY}    根:签发密钥被盗、丢失,或名录分叉时,由它更换签发者、作出裁定(heliu root --help)。谁有它,谁就掌握整个域。\n\
         {ESCROW_KEY}  备用钥匙:读者的密钥全部丢失时,能打开密封的字段。\n\
         {DIRECTORY}   域的名录,离线签字时用;可用 heliu directory save 更新。\n\n\
         请把本目录拷到两份离线介质(U 盘、光盘、纸),分别存放,然后从这台机器上删除。日常运行用不到它们。\n",
        "Offline keys of the Heliu realm {name} ({id}). Public root key: {root}\n\n\
         {ROOT_KEY}    the root: replaces the issuer if that key is stolen or lost, and decides a forked directory (heliu root --help). Whoever has it has the realm.\n\
         {ESCROW_KEY}  the escrow: opens sealed fields if all keys of their readers are lost.\n\
         {DIRECTORY}   the realm's directory, needed to sign offline; heliu directory save gets a newer one.\n\n\
         Copy this directory to two offline media, keep them apart, and remove it from this machine. Nothing that runs needs it.\n"
    );
    write_new(&folder.join("README.txt"), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use heliu_node::region;

    use super::*;
    use crate::config::Config;

    const REGIONS: &[u8] = "code,name,parent_code\n371726000000,鄄城县,\n371726101000,什集镇,371726000000\n371726101201,甲村,371726101000\n".as_bytes();

    fn make_at(folder: &Path, wanted: &[(usize, u16)]) -> Result<Realm, Failure> {
        let seats = |realm: &RealmId| Ok(region::parse(realm, REGIONS).expect("it reads"));
        make(folder, "test", "Asia/Urumqi", seats, |seats| {
            let at = |(seat, port): &(usize, u16)| {
                let listen = SocketAddr::from(([127, 0, 0, 1], *port));
                Wanted { seat: seats[*seat].clone(), listen, addresses: vec![listen.to_string()] }
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
        let realm = make_at(&folder, &[(0, 1), (0, 2), (2, 3)]).expect("it is new");
        let [county, mirror, village] = &realm.nodes[..] else { panic!("three nodes") };
        assert_eq!(county.folder, Path::new(COUNTY));
        assert_eq!(config_of(&folder, county).parents.len() + config_of(&folder, county).peers.len(), 0);
        assert_eq!(config_of(&folder, mirror).peers, [["127.0.0.1:1"]]);
        assert_eq!(config_of(&folder, village).parents, [["127.0.0.1:1"], ["127.0.0.1:2"]]);
        for node in &realm.nodes {
            let config = config_of(&folder, node);
            assert_eq!(config.realm(), realm.directory.realm());
            assert_eq!(key_file::read(&config.key_file).expect("its key").node(), node.node);
            let directory = directory_file::read(&config.directory_file, config.realm(), config.root);
            let directory = directory.expect("its directory");
            let info = directory.node(node.node).expect("it is enrolled");
            let sealing = key_file::read_sealing(&config.sealing_key_file).expect("its other key");
            assert_eq!((info.seat, info.sealing), (node.seat.id, sealing.public()));
            let has_issuer = config.issuer_key_file.exists();
            assert_eq!(has_issuer, node.folder == Path::new(COUNTY), "the issuer's key is at the county alone");
        }
        let offline = folder.join(ROOT);
        let root = key_file::read(&offline.join(ROOT_KEY)).expect("the root's key");
        assert_eq!(root.public_key(), realm.directory.root());
        let escrow = key_file::read_sealing(&offline.join(ESCROW_KEY)).expect("the escrow's key");
        assert_eq!(Some(escrow.public()), realm.directory.escrow());
        assert_eq!(realm.directory.time_zone(), "Asia/Urumqi");
    }

    #[test]
    fn whoever_sits_at_a_node_has_access_to_it_and_nobody_else_can_read_that() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let realm = make_at(&folder.path().join("realm"), &[(0, 7340)]).expect("it is new");
        let own = folder.path().join("realm").join(COUNTY);
        let access = heliu_client::Access::read(&own.join(crate::layout::LOCAL_ACCESS)).expect("it is for its owner");
        assert_eq!(access.addresses, ["127.0.0.1:7340"]);
        assert_eq!(access.pinned.map(|pinned| pinned.node), Some(realm.nodes[0].node));
        let list = heliu_node::access::list(&own.join(crate::layout::ACCESS)).expect("it reads");
        assert_eq!(list.len(), 1);
    }

    #[test]
    fn a_realm_is_never_overwritten_and_a_failed_one_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let place = folder.path().join("realm");
        make_at(&place, &[(0, 1)]).expect("it is new");
        let key = std::fs::read(place.join(ROOT).join(ROOT_KEY)).expect("it is there");
        let failure = make_at(&place, &[(0, 1)]).err().expect("it is there already");
        assert_eq!((failure.exit, failure.code.as_str()), (Exit::Refused, "realm_exists"));
        assert_eq!(std::fs::read(place.join(ROOT).join(ROOT_KEY)).expect("it is there"), key);
        // The second node has a name that no file can have; the first one's files and the keys have been written by then.
        let seats = |realm: &RealmId| Ok(region::parse(realm, REGIONS).expect("it reads"));
        let made = make(&folder.path().join("other"), "x", "Asia/Urumqi", seats, |seats| {
            let at = |(port, seat)| {
                let listen = SocketAddr::from(([127, 0, 0, 1], port));
                Wanted { seat, listen, addresses: vec![listen.to_string()] }
            };
            let bad = Seat { code: "\0".to_owned(), ..seats[1].clone() };
            Ok([(1, seats[0].clone()), (2, bad)].map(at).into())
        });
        assert!(made.is_err());
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is ours").count(), 1);
    }
}
