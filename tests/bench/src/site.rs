//! A real node on a SQLite store in a temporary directory, with real gRPC over real TLS on loopback.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use heliu_catalogue::catalogue;
use heliu_node::status::LinkReport;
use heliu_node::{Anchor, Node, NodeHandle, Options, Retry, Upstream};
use heliu_record::command::Request;
use heliu_storage::{Read as _, StoreId};
use heliu_storage_sqlite::SqliteStore;
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::Incarnation;

use crate::place::{Place, key, sealing};

pub struct Site {
    pub node: NodeHandle,
    pub store: Arc<SqliteStore>,
}

/// How a site is reached and whom it dials.
#[derive(Clone, Default)]
pub struct Dial {
    pub listen: Option<SocketAddr>,
    pub upstream: Option<String>,
    pub peer: Option<String>,
}

/// Where a node may listen that others dial before it is there.
pub fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    listener.local_addr().expect("it is bound")
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}

impl Site {
    pub async fn start(place: &Place, number: u32, directory: &Path, dial: Dial) -> Site {
        let options = heliu_storage_sqlite::Options::new(StoreId(random()), Incarnation(random()));
        let store = Arc::new(SqliteStore::open(directory, options).await.expect("the store opens"));
        let anchor = Anchor { realm: place.directory.realm(), root: place.directory.root() };
        let listen = dial.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut options = Options::new(catalogue(), key(number), Arc::new(Ed25519), anchor, listen);
        options.sealing = Some(Arc::new(sealing(number)));
        options.security = place.security(directory);
        options.directory = place.directory.entries_from(0).iter().map(|entry| (**entry).clone()).collect();
        options.upstreams = dial.upstream.into_iter().map(|address| Upstream::at([address])).collect();
        options.peers = dial.peer.into_iter().map(|address| Upstream::at([address])).collect();
        options.retry = Retry { first: Duration::from_millis(50), max: Duration::from_millis(500) };
        options.tick = Duration::from_millis(250);
        let node = Node::start(options, Arc::clone(&store)).await.expect("the node starts");
        Site { node, store }
    }

    pub async fn stop(self) {
        self.node.shutdown().await.expect("the node stops");
        self.store.close().await.expect("the store closes");
    }

    pub fn address(&self) -> String {
        self.node.address().to_string()
    }

    /// Gives commands, so many at once; all must be carried out.
    pub async fn execute(&self, requests: impl IntoIterator<Item = Request>, at_once: usize) {
        stream::iter(requests)
            .map(|request| self.node.execute(request))
            .buffer_unordered(at_once)
            .for_each(|result| async {
                result.expect("a command is carried out");
            })
            .await;
    }

    pub async fn records(&self) -> u64 {
        self.node.status().await.expect("the node answers").counts.records
    }

    /// How many entries its feed has.
    pub async fn head(&self) -> u64 {
        self.store.meta().await.expect("the store answers").head
    }

    /// Waits until the feed has so many entries, durable and readable here.
    pub async fn wait_for_head(&self, head: u64) -> Instant {
        while self.head().await < head {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Instant::now()
    }

    /// Waits until so many records, of one leaf each, are durable and readable here. Looks at the head of the feed: to
    /// count records again and again would be work in the middle of what is measured.
    pub async fn wait_for_records(&self, records: u64) -> Instant {
        let seen = self.wait_for_head(records).await;
        assert!(self.records().await >= records, "a record has more than one leaf");
        seen
    }

    /// Waits until the first link is proven equal.
    pub async fn wait_until_verified(&self) -> LinkReport {
        loop {
            let links = self.node.links().await.expect("the node answers");
            if let Some(link) = links.into_iter().find(|link| link.verified_ms.is_some()) {
                return link;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
