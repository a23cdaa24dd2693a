//! The county is founded as a real one is: `init` makes the realm and the county's node, every other node joins with a
//! token of its superior, over TLS, and runs with what it got.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use heliu_catalogue::catalogue;
use heliu_client::administration::propose_request::Change;
use heliu_client::administration::{Delegate, MintTokenRequest, ProposeRequest};
use heliu_client::{Access, Client};
use heliu_node::{Anchor, Node, Options, Retry, Security, Tls, Upstream};
use heliu_record::id::SeatId;
use heliu_record::seats::{Seat, Tier};
use heliu_trust::directory::{Directory, Pool, SignedEntry};
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::RealmId;
use heliu_trust::signature::Signer;
use heliu_trust::token::JoinToken;

use super::ask::Fault;
use super::gate::Gate;
use super::place::Place;
use super::words::Teller;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::layout::{COUNTY, ISSUER_KEY, LOCAL_ACCESS, NODES};
use crate::realm::key_file;
use crate::realm::make::{Realm, Wanted, make};
use crate::realm::node_dir::Keys;
use crate::registry::join;
use crate::store::{Kind, StoreAt};
use crate::text::{say, tr};

const REALM: &str = "demo";
/// Nodes that join and start at the same time.
const STARTING: usize = 16;
/// Engines count time in ticks of about a second; hundreds of nodes on one machine need not hurry.
const TICK: Duration = Duration::from_millis(500);
const RETRY: Retry = Retry { first: Duration::from_millis(100), max: Duration::from_secs(2) };
/// Nobody replaces files here.
const RELOAD: Duration = Duration::from_secs(600);
/// Connections, files and sockets of one node, generously.
const FILES_PER_NODE: u64 = 20;
/// A delegation reaches a township at once, unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// A free port of this machine.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A county that lives as long as this process.
pub struct Founding {
    home: PathBuf,
    realm: Realm,
    /// All its nodes are in this process.
    pool: Arc<Pool>,
}

/// What is needed to start a node, wherever it came from.
struct Ready {
    folder: PathBuf,
    keys: Keys,
    issuer: Option<Arc<dyn Signer>>,
    directory: Directory,
}

impl Founding {
    /// As `heliu init` does it, in a directory that is free.
    pub fn new(
        home: &Path,
        time_zone: &str,
        seats: impl Fn(&RealmId) -> Result<Vec<Seat>, Failure>,
    ) -> Result<Self, Fault> {
        let county = |seats: &[Seat]| {
            let first = seats.first().map(|seat| Wanted { seat: seat.clone(), listen: LISTEN, addresses: Vec::new() });
            Ok(first.into_iter().collect())
        };
        let realm = make(home, REALM, time_zone, seats, county)?;
        Ok(Founding { home: home.to_owned(), realm, pool: Arc::default() })
    }

    pub fn realm(&self) -> RealmId {
        self.realm.directory.realm()
    }

    /// The county's node runs; then tier by tier every seat's node asks the one above it to be let in, with a one-time
    /// token, and starts. Those in `cut` reach their superior through a gate.
    pub async fn start(&self, seats: &[Seat], cut: &BTreeSet<SeatId>, teller: &Teller) -> Result<Vec<Place>, Fault> {
        let mut places: Vec<Place> = Vec::with_capacity(seats.len());
        let mut desks: BTreeMap<SeatId, Desk> = BTreeMap::new();
        for tier in Tier::ALL {
            let starting = seats.iter().filter(|seat| seat.tier == tier).map(|seat| {
                let superior = seat.parent.and_then(|parent| desks.get(&parent));
                self.start_one(seat, superior, cut.contains(&seat.id))
            });
            let mut started = stream::iter(starting.collect::<Vec<_>>()).buffered(STARTING);
            let begin = places.len();
            while let Some(place) = started.try_next().await? {
                places.push(place);
                let joined = tr!("已入域并启动的节点", "nodes that joined and run");
                teller.progress(&joined, places.len() as u64, seats.len() as u64);
            }
            drop(started);
            for place in places.iter().skip(begin) {
                let has_below = seats.iter().any(|seat| seat.parent == Some(place.seat.id));
                if has_below {
                    desks.insert(place.seat.id, Desk::at(place).await?);
                }
            }
            delegate(&desks, &places, begin).await?;
        }
        Ok(places)
    }

    async fn start_one(&self, seat: &Seat, superior: Option<&Desk>, gated: bool) -> Result<Place, Fault> {
        let failed = |error: String| Fault::Node { place: seat.name.clone(), error };
        let ready = match superior {
            None => self.county()?,
            Some(superior) => self.join(seat, superior).await?,
        };
        let (cache_kib, readers, open_max) = match seat.tier {
            Tier::Village => (256, 1, 96),
            Tier::Township => (1024, 2, 512),
            Tier::County | Tier::City => (4096, 2, 2048),
        };
        let store = StoreAt::new(Kind::default(), ready.folder.join("data"));
        let store = StoreAt { cache_kib: Some(cache_kib), readers: Some(readers), ..store }.open().await?;
        let gate = match superior.filter(|_| gated) {
            Some(desk) => Some(Gate::before(desk.address).await.map_err(|error| failed(error.to_string()))?),
            None => None,
        };
        let dialled = gate.as_ref().map(Gate::address).or(superior.map(|desk| desk.address));
        let anchor = Anchor { realm: self.realm(), root: ready.directory.root() };
        let entries = ready.directory.entries_from(0).iter().map(|entry| SignedEntry::clone(entry)).collect();
        let options = Options {
            realm_name: REALM.to_owned(),
            sealing: Some(Arc::new(ready.keys.sealing())),
            issuer: ready.issuer,
            directory: entries,
            security: Security::Tls(Tls { reload: RELOAD, ..Tls::in_dir(&ready.folder) }),
            upstreams: dialled.map(|address| Upstream::at([address.to_string()])).into_iter().collect(),
            tick: TICK,
            open_max,
            pool: Some(Arc::clone(&self.pool)),
            retry: RETRY,
            ..Options::new(catalogue(), Arc::new(ready.keys.signing()), Arc::new(Ed25519), anchor, LISTEN)
        };
        let handle = Node::start(options, store.clone()).await.map_err(|error| failed(error.to_string()))?;
        let place = Place { seat: seat.clone(), folder: ready.folder, store, handle, gate };
        place.keep_access()?;
        Ok(place)
    }

    /// What `init` made.
    fn county(&self) -> Result<Ready, Fault> {
        let folder = self.home.join(COUNTY);
        let issuer: Arc<dyn Signer> = Arc::new(key_file::read(&folder.join(ISSUER_KEY))?);
        let (keys, directory) = (Keys::read(&folder)?, self.realm.directory.clone());
        Ok(Ready { folder, keys, issuer: Some(issuer), directory })
    }

    /// As `heliu enroll` and `heliu join` do it, over the wire.
    async fn join(&self, seat: &Seat, superior: &Desk) -> Result<Ready, Fault> {
        let failed = |error: String| Fault::Node { place: seat.name.clone(), error };
        let addresses = vec![superior.address.to_string()];
        let request = MintTokenRequest { seat: seat.code.clone(), seconds: 0, addresses };
        let minted = superior.client.mint_token(request).await.map_err(Failure::from)?;
        let token = JoinToken::from_text(&minted.token).map_err(|error| failed(error.to_string()))?;
        let keys = Keys::draw()?;
        let joined = join::ask(&token, &keys, LISTEN, Vec::new(), false).await?;
        let folder = self.home.join(NODES).join(&seat.code);
        heliu_disk::folder(&folder).map_err(|error| Failure::file(&folder, &error))?;
        keys.write(&folder, &seat.name)?;
        joined.write(&folder)?;
        Ok(Ready { folder, keys, issuer: None, directory: joined.directory })
    }
}

/// Where a superior's administrator sits.
struct Desk {
    client: Client,
    address: SocketAddr,
}

impl Desk {
    async fn at(place: &Place) -> Result<Self, Fault> {
        let access = Access::read(&place.folder.join(LOCAL_ACCESS)).map_err(Failure::from)?;
        let client = Client::open(&access).await.map_err(Failure::from)?;
        Ok(Desk { client, address: place.address() })
    }
}

/// Lets the nodes from `begin` on enrol those below them, and waits until they know that they may. The county's own may.
async fn delegate(desks: &BTreeMap<SeatId, Desk>, places: &[Place], begin: usize) -> Result<(), Fault> {
    let Some(county) = places.first().and_then(|county| desks.get(&county.seat.id)) else { return Ok(()) };
    let new = places.iter().skip(begin.max(1)).filter(|place| desks.contains_key(&place.seat.id));
    for place in new.clone() {
        let change = Change::Delegate(Delegate { seat: place.seat.code.clone(), active: true });
        let request = ProposeRequest { change: Some(change), reason: REALM.to_owned() };
        county.client.propose(request).await.map_err(Failure::from)?;
    }
    let began = Instant::now();
    for place in new {
        while !place.handle.directory().delegates().any(|seat| seat == place.seat.id) {
            if began.elapsed() > PATIENCE {
                let what = format!("the delegation has not reached {}", place.seat.name);
                return Err(Fault::Stuck { what, seconds: PATIENCE.as_secs() });
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}

/// Raises the limit of open files to what the system lets a process have; before anything is made.
#[cfg(unix)]
pub fn allow_files(seats: usize) -> Result<(), Failure> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let raise = |raised| setrlimit(Resource::Nofile, raised).is_ok();
    allow(seats as u64 * FILES_PER_NODE, &getrlimit(Resource::Nofile), raise)
}

#[cfg(unix)]
fn allow(
    needed: u64,
    limit: &rustix::process::Rlimit,
    raise: impl Fn(rustix::process::Rlimit) -> bool,
) -> Result<(), Failure> {
    use rustix::process::Rlimit;
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let allowed = if raise(raised) { limit.maximum } else { limit.current };
    let Some(allowed) = allowed.filter(|allowed| *allowed < needed) else { return Ok(()) };
    let what = say!("本会话可打开的文件太少", "this session may not open enough files");
    let why = say!(
        "全县的节点约需 {needed} 个,现在允许 {allowed} 个",
        "a county's nodes need about {needed}, and {allowed} are allowed"
    );
    let next = say!(
        "先执行 ulimit -n {needed} 再试;若不许,请管理员提高硬限制(/etc/security/limits.conf 的 nofile),或用更小的县(--regions)",
        "run `ulimit -n {needed}` first, then try again; if that is not allowed, have the hard limit raised (nofile in \
         /etc/security/limits.conf), or take a smaller county (--regions)"
    );
    Err(Failure::new(Exit::Failed, "open_files", what).why(why).next(next))
}

#[cfg(not(unix))]
pub fn allow_files(_seats: usize) -> Result<(), Failure> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::Rlimit;

    use super::*;

    #[test]
    fn too_few_open_files_are_raised_as_far_as_may_be_and_else_told_with_the_command() {
        let limit = |current, maximum| Rlimit { current: Some(current), maximum };
        allow(8_180, &limit(1_024, Some(8_180)), |raised| raised.current == Some(8_180)).expect("it may be raised");
        allow(8_180, &limit(1_024, None), |_| true).expect("there is no hard limit");
        for (limit, may) in [(limit(1_024, Some(4_096)), true), (limit(1_024, Some(1_048_576)), false)] {
            let failure = allow(8_180, &limit, |_| may).expect_err("it is too little");
            assert_eq!(failure.code, "open_files");
            assert!(failure.next.is_some_and(|next| next.en.contains("ulimit -n 8180")));
        }
    }
}
