//! The county is founded: keys, one signed directory with every seat and node, a store and a running node for each seat.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use heliu_node::{Anchor, Node, Options, Retry, Upstream};
use heliu_record::hash::hash;
use heliu_record::id::SeatId;
use heliu_record::seats::{Seat, Tier};
use heliu_storage::StoreId;
use heliu_storage_sqlite::SqliteStore;
use heliu_trust::directory::{Directory, Item, SignedEntry, limits};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{Incarnation, RealmId, realm_id};
use heliu_trust::signature::{SealingKey, Signer as _};

use super::ask::Fault;
use super::gate::Gate;
use super::place::Place;
use super::words::Teller;
use crate::failure::{Exit, Failure};
use crate::text::{say, tr};

const REALM: &str = "demo";
/// Nodes that start at the same time.
const STARTING: usize = 16;
/// Engines count time in ticks of about a second; hundreds of nodes on one machine need not hurry.
const TICK: Duration = Duration::from_millis(500);
const RETRY: Retry = Retry { first: Duration::from_millis(100), max: Duration::from_secs(2) };
/// Connections, files and sockets of one node, generously.
const FILES_PER_NODE: u64 = 20;

/// The keys of a county that lives as long as this process.
pub struct Founding {
    secret: [u8; 32],
    /// Root and issuer: nobody outlives this process to whom the difference could matter.
    issuer: Ed25519Key,
    pub realm: RealmId,
}

impl Founding {
    pub fn new() -> Result<Self, Fault> {
        let secret = random()?;
        let issuer = Ed25519Key::from_seed(hash("heliu demo issuer", &[&secret]));
        let realm = realm_id(&issuer.public_key(), REALM);
        Ok(Founding { secret, issuer, realm })
    }

    fn key(&self, seat: &Seat) -> Ed25519Key {
        Ed25519Key::from_seed(hash("heliu demo node", &[&self.secret, &seat.id.0]))
    }

    /// Every seat, then a node for each; in as few entries as they fit.
    fn directory(&self, seats: &[Seat]) -> Result<Directory, Fault> {
        let node = |seat: &Seat| {
            let key = self.key(seat);
            Item::enrol(&key, seat.id, SealingKey(key.public_key().0), Vec::new())
        };
        let seats_first = seats.iter().cloned().map(Item::Seat);
        let mut items: Vec<Item> = seats_first.chain(seats.iter().map(node)).collect();
        items.insert(1.min(items.len()), Item::Issuer { key: self.issuer.public_key() });
        let mut directory = Directory::new(self.realm, self.issuer.public_key());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        for items in items.chunks(limits::ITEMS) {
            let entry = directory.draft(items.to_vec(), i64::try_from(now).unwrap_or(0), &[&self.issuer])?;
            directory.append(&entry, &Ed25519)?;
        }
        Ok(directory)
    }

    /// Starts a node for every seat, superiors first. Those in `cut` reach their superior through a gate.
    pub async fn start(
        &self,
        seats: &[Seat],
        cut: &BTreeSet<SeatId>,
        root: &Path,
        teller: &Teller,
    ) -> Result<Vec<Place>, Fault> {
        allow_files(seats.len() as u64 * FILES_PER_NODE)?;
        let directory = self.directory(seats)?;
        let entries: Vec<SignedEntry> =
            directory.entries_from(0).iter().map(|entry| SignedEntry::clone(entry)).collect();
        let mut places: Vec<Place> = Vec::with_capacity(seats.len());
        let mut addresses = BTreeMap::new();
        for tier in Tier::ALL {
            let starting = seats.iter().filter(|seat| seat.tier == tier).map(|seat| {
                let superior = seat.parent.and_then(|parent| addresses.get(&parent));
                self.start_one(seat, superior.copied(), cut.contains(&seat.id), &entries, root)
            });
            let mut started = stream::iter(starting.collect::<Vec<_>>()).buffered(STARTING);
            while let Some(place) = started.try_next().await? {
                places.push(place);
                teller.progress(&tr!("已启动节点", "nodes started"), places.len() as u64, seats.len() as u64);
            }
            drop(started);
            addresses.extend(places.iter().map(|place| (place.seat.id, place.address())));
        }
        Ok(places)
    }

    async fn start_one(
        &self,
        seat: &Seat,
        superior: Option<std::net::SocketAddr>,
        gated: bool,
        entries: &[SignedEntry],
        root: &Path,
    ) -> Result<Place, Fault> {
        let failed = |error: String| Fault::Node { place: seat.name.clone(), error };
        let (cache_kib, readers, open_max) = match seat.tier {
            Tier::Village => (256, 1, 96),
            Tier::Township => (1024, 2, 512),
            Tier::County | Tier::City => (4096, 2, 2048),
        };
        let mut store = heliu_storage_sqlite::Options::new(StoreId(random()?), Incarnation(random()?));
        (store.cache_kib, store.readers) = (cache_kib, readers);
        let store = Arc::new(SqliteStore::open(root.join(&seat.code), store).await?);
        let gate = match superior.filter(|_| gated) {
            Some(address) => Some(Gate::before(address).await.map_err(|error| failed(error.to_string()))?),
            None => None,
        };
        let dialled = gate.as_ref().map(Gate::address).or(superior);
        let anchor = Anchor { realm: self.realm, root: self.issuer.public_key() };
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let options = Options {
            directory: entries.to_vec(),
            upstreams: dialled.map(|address| Upstream::at([address.to_string()])).into_iter().collect(),
            tick: TICK,
            open_max,
            retry: RETRY,
            ..Options::new(Arc::new(self.key(seat)), Arc::new(Ed25519), anchor, listen)
        };
        let handle = Node::start(options, store.clone()).await.map_err(|error| failed(error.to_string()))?;
        Ok(Place { seat: seat.clone(), store, handle, gate })
    }
}

fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Fault::Node { place: REALM.to_owned(), error: error.to_string() })?;
    Ok(bytes)
}

/// Raises the limit of open files to what the system lets a process have.
#[cfg(unix)]
fn allow_files(needed: u64) -> Result<(), Failure> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let allowed = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let Some(allowed) = allowed.filter(|allowed| *allowed < needed) else { return Ok(()) };
    let what = say!("本会话可打开的文件太少", "this session may not open enough files");
    let why = say!(
        "全县的节点约需 {needed} 个,现在允许 {allowed} 个",
        "a county's nodes need about {needed}, and {allowed} are allowed"
    );
    let next = say!("请先执行 ulimit -n {needed},再试一次", "run `ulimit -n {needed}` first, then try again");
    Err(Failure::new(Exit::Failed, "open_files", what).why(why).next(next))
}

#[cfg(not(unix))]
fn allow_files(_needed: u64) -> Result<(), Failure> {
    Ok(())
}
