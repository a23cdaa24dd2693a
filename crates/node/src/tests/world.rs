//! A small county: its seats and keys, its nodes on loopback, and the words in which the stories are told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use heliu_catalogue::catalogue;
use heliu_client::{Access, Client, Pinned};
use heliu_record::command::{CommandId, Request};
use heliu_record::hash::{hash, hash16};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::{Seat, Tier};
use heliu_replication::frame::{Frame, Hello, WIRE_VERSIONS, Welcome};
use heliu_storage::memory::MemoryStore;
use heliu_storage::{RecordState, Store, StoreId};
use heliu_tls::{ConnectError, Expected, Identity};
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{Incarnation, realm_id, seat_id};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer;
use heliu_wire::replication::replication_service_client::ReplicationServiceClient;
use heliu_wire::replication::{LinkRequest, LinkResponse};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use crate::access::{self, Grant, Role, Token};
use crate::begin::random;
use crate::status::{Executed, LinkReport, LinkState};
use crate::{Anchor, ExecuteError, Node, NodeHandle, Options, Retry, Security, Tls, Upstream};

pub(super) const COUNTY: &str = "371726000000";
pub(super) const TOWNSHIP: &str = "371726101000";
pub(super) const VILLAGE: &str = "371726101201";
pub(super) const OTHER_VILLAGE: &str = "371726101202";

pub(super) struct County {
    /// Of its realm.
    pub name: String,
    pub anchor: Anchor,
    pub entry: SignedEntry,
    /// Each node's certificate and access list.
    directory: TempDir,
}

pub(super) fn key(name: &str) -> Arc<Ed25519Key> {
    Arc::new(Ed25519Key::from_seed(hash("test node", &[name.as_bytes()])))
}

/// What a node opens what is sealed with.
pub(super) fn sealing(name: &str) -> SealingSecret {
    SealingSecret::from_seed(hash("test sealing", &[name.as_bytes()]))
}

impl County {
    /// County, township and two villages; each has one node, the county two (`371726000000` and `mirror`).
    pub fn new() -> Self {
        let issuer = key("issuer");
        // A realm of its own: whoever finds a node of another test at an address is refused there.
        static REALMS: AtomicU16 = AtomicU16::new(0);
        let name = format!("test {}-{}", std::process::id(), REALMS.fetch_add(1, Ordering::Relaxed));
        let realm = realm_id(&issuer.public_key(), &name);
        let anchor = Anchor { realm, root: issuer.public_key() };
        let tree = [
            (COUNTY, None, Tier::County),
            (TOWNSHIP, Some(COUNTY), Tier::Township),
            (VILLAGE, Some(TOWNSHIP), Tier::Village),
            (OTHER_VILLAGE, Some(TOWNSHIP), Tier::Village),
        ];
        let mut items = Vec::new();
        let mut seats: BTreeMap<&str, SeatId> = BTreeMap::new();
        for (code, parent, tier) in tree {
            let id = seat_id(&realm, code);
            seats.insert(code, id);
            let parent = parent.map(|parent| seat_id(&realm, parent));
            items.push(Item::Seat(Seat { id, code: code.to_owned(), name: format!("席位{code}"), parent, tier }));
        }
        let nodes = tree.map(|(code, ..)| (code, code)).into_iter().chain([("mirror", COUNTY)]);
        for (node, code) in nodes {
            items.push(Item::enrol(&*key(node), seats[code], sealing(node).public(), Vec::new()));
        }
        items.push(Item::Issuer { key: issuer.public_key() });
        let entry = Directory::new(realm, anchor.root).draft(items, 0, &[&*issuer]).expect("a directory");
        County { name, anchor, entry, directory: tempfile::tempdir().expect("a temporary directory") }
    }

    pub fn options(&self, name: &str, parents: &[SocketAddr]) -> Options {
        let mut options = Options::new(catalogue(), key(name), Arc::new(Ed25519), self.anchor, free_address());
        options.directory = vec![self.entry.clone()];
        options.realm_name.clone_from(&self.name);
        options.sealing = Some(Arc::new(sealing(name)));
        if name == COUNTY {
            options.issuer = Some(key("issuer"));
        }
        options.security = Security::Tls(self.files(name));
        options.tick = Duration::from_millis(50);
        options.retry = Retry { first: Duration::from_millis(20), max: Duration::from_millis(200) };
        options.shutdown_deadline = Duration::from_secs(60);
        if !parents.is_empty() {
            options.upstreams = vec![Upstream::at(parents.iter().map(ToString::to_string))];
        }
        options
    }

    /// Where a node keeps its certificate and access list.
    pub fn files(&self, name: &str) -> Tls {
        let directory = self.directory.path().join(name);
        std::fs::create_dir_all(&directory).expect("it is ours");
        Tls { reload: Duration::from_millis(20), ..Tls::in_dir(&directory) }
    }

    /// A token for a node, as its administrator makes it, and how to use it.
    pub fn token(&self, name: &str, address: SocketAddr, grant: Grant) -> (Token, Access) {
        let token = access::create(&self.files(name).access, grant, catalogue()).expect("it is made");
        let pinned = Pinned { realm: self.anchor.realm, node: key(name).node() };
        let access =
            Access { addresses: vec![address.to_string()], pinned: Some(pinned), token: Some(token.to_string()) };
        (token, access)
    }

    /// A program that may do everything at a node.
    pub async fn client(&self, name: &str, place: &Place) -> Client {
        let grant = Grant { name: "administrator".to_owned(), roles: Role::ALL.to_vec(), ..Grant::default() };
        let (_, access) = self.token(name, place.address(), grant);
        let client = Client::open(&access).await.expect("it listens");
        until("the new token is known", async || client.status().await.is_ok()).await;
        client
    }

    /// What a node of this county proves itself with, made here.
    pub fn identity(&self, name: &str) -> Identity {
        let files = self.files(&format!("{name} by hand"));
        let key = key(name);
        let pair = heliu_tls::make(&*key, self.anchor.realm, &[], crate::clock::wall_ms()).expect("it is made");
        pair.write(&files.certificate, &files.key).expect("it is ours");
        Identity::read(&files.certificate, &files.key, self.anchor.realm, key.node()).expect("it is good")
    }

    pub async fn start(&self, name: &str, parents: &[SocketAddr]) -> Place {
        Place::start(self.options(name, parents), memory(name)).await
    }
}

pub(super) fn memory(name: &str) -> Arc<MemoryStore> {
    let incarnation = Incarnation(random().expect("random bytes"));
    Arc::new(MemoryStore::open(StoreId(hash16("test store", &[name.as_bytes()])), incarnation))
}

/// A running node with its store.
pub(super) struct Place {
    pub node: NodeHandle,
    pub store: Arc<dyn Store>,
}

impl Place {
    pub async fn start(options: Options, store: Arc<dyn Store>) -> Self {
        let node = Node::start(options, Arc::clone(&store)).await.expect("it starts");
        Place { node, store }
    }

    pub fn address(&self) -> SocketAddr {
        self.node.address()
    }

    /// A new organisation of this seat.
    pub async fn found(&self, name: &str) -> RecordId {
        let executed = self.node.execute(create(name)).await.expect("it is carried out");
        made(&executed)
    }

    pub async fn set(&self, record: RecordId, field: &str, value: &str) -> Result<Executed, ExecuteError> {
        let arguments = [("field", field), ("value", value)];
        self.node.execute(request("record.set", Some(record), &arguments)).await
    }

    pub async fn view(&self, record: RecordId) -> Option<serde_json::Value> {
        let row = self.store.record(record).await.expect("it reads")?;
        (row.state == RecordState::Present).then(|| serde_json::from_slice(&row.view).expect("JSON"))
    }

    pub async fn shows(&self, record: RecordId, field: &str, value: &str) {
        let wanted = serde_json::Value::from(value);
        until(&format!("{field} is {value}"), async || {
            self.view(record).await.is_some_and(|view| view.get(field) == Some(&wanted))
        })
        .await;
    }

    pub async fn has(&self, record: RecordId) {
        until("the record is here", async || self.view(record).await.is_some()).await;
    }

    pub async fn link(&self) -> LinkReport {
        self.node.links().await.expect("it answers").swap_remove(0)
    }

    pub async fn is_live(&self) {
        until("its link is live", async || self.link().await.state == LinkState::Live).await;
    }

    pub async fn stop(self) -> Arc<dyn Store> {
        self.node.shutdown().await.expect("it stops in time");
        self.store
    }
}

pub(super) fn create(name: &str) -> Request {
    request("org.create", None, &[("name", name)])
}

pub(super) fn request(name: &str, subject: Option<RecordId>, arguments: &[(&str, &str)]) -> Request {
    Request {
        id: CommandId(random().expect("random bytes")),
        name: name.to_owned(),
        subject,
        arguments: arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        who: "clerk".to_owned(),
        reason: "a test".to_owned(),
        on_behalf: None,
    }
}

pub(super) fn made(executed: &Executed) -> RecordId {
    executed.done.result["record"].parse().expect("an id")
}

/// Waits until something is so; a story that does not come true within a minute fails with what it waited for.
pub(super) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(60), "it did not come true that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An address that stays free while its node is down: outside the range from which the system takes the ports of outgoing
/// connections and of port 0, which tests beside this one are given.
pub(super) fn free_address() -> SocketAddr {
    const FIRST: u16 = 10_000;
    const PORTS: u16 = 20_000;
    // Processes that begin together have ids in a row: each gets some ports of its own.
    const EACH: u32 = 16;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id().wrapping_mul(EACH) % u32::from(PORTS)).unwrap_or(0);
    (0..PORTS)
        .map(|_| FIRST + begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS)
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .find(|address| std::net::TcpListener::bind(address).is_ok())
        .expect("some port is free")
}

/// Nobody waits longer to be welcomed.
const WELCOMED: Duration = Duration::from_secs(60);
/// Such a clock have those who connect by [`connect_as`].
pub(super) const CLOCK_AHEAD_MS: i64 = 60 * 60 * 1000;

/// A link of the test's own, as a node that says hello and takes what comes: where to speak, and what is said after the
/// welcome. Leaves that come before it end a link.
pub(super) async fn connect_as(
    seats: &County,
    name: &str,
    address: SocketAddr,
) -> (mpsc::Sender<LinkRequest>, Streaming<LinkResponse>) {
    // A small window, so that little is enough to fill what is between the two.
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    let endpoint = endpoint.initial_stream_window_size(1024).initial_connection_window_size(64 * 1024);
    let channel = secured(seats, Some(&seats.identity(name)), &endpoint, address).await.expect("it listens");
    let mut client = ReplicationServiceClient::new(channel);
    let hello = Frame::Hello(Hello {
        realm: seats.anchor.realm,
        node: key(name).node(),
        store: StoreId([7; 16]),
        incarnation: Incarnation([7; 16]),
        versions: (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end()),
        directory_len: 1,
        directory_head: seats.entry.version,
        kinds: heliu_record::gate::Digests::default(),
        program: "a test".to_owned(),
        now_ms: Some(crate::clock::wall_ms() + CLOCK_AHEAD_MS),
    });
    let welcome = Frame::Welcome(Welcome::default());
    let (said, says) = mpsc::channel(4);
    for frame in [hello, welcome] {
        said.send(LinkRequest::from(&frame)).await.expect("there is room");
    }
    let answers = client.link(tokio_stream::wrappers::ReceiverStream::new(says)).await.expect("it takes the link");
    let mut answers = answers.into_inner();
    let welcomed = tokio::time::timeout(WELCOMED, async {
        loop {
            let message = answers.message().await.expect("the link goes on").expect("the link goes on");
            match Frame::try_from(message).expect("a frame") {
                Frame::Welcome(_) => return,
                Frame::Refuse(why) => panic!("it is not welcome: {}", why.reason),
                _ => {}
            }
        }
    });
    welcomed.await.expect("it is welcomed in time");
    (said, answers)
}

/// A connection to a node of this county with a certificate of the test's choice.
pub(super) async fn secured(
    seats: &County,
    identity: Option<&Identity>,
    endpoint: &Endpoint,
    address: SocketAddr,
) -> Result<Channel, ConnectError> {
    let expected = Expected { realm: seats.anchor.realm, node: None };
    let connector = heliu_tls::connector(identity, expected, None).expect("it is good");
    let (stream, _) = heliu_tls::connect(&connector, &address.to_string()).await?;
    let mut stream = Some(TokioIo::new(stream));
    let once = tower::service_fn(move |_| {
        std::future::ready(stream.take().ok_or(std::io::Error::from(std::io::ErrorKind::NotConnected)))
    });
    Ok(endpoint.connect_with_connector(once).await.expect("it speaks HTTP/2"))
}
