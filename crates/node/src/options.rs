//! What a node is started with. Reading configuration files, flags and keys from disk is the service's business.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use heliu_trust::directory::SignedEntry;
use heliu_trust::id::RealmId;
use heliu_trust::signature::{PublicKey, Signer, Verifier};

/// Everything that a node needs besides its store.
#[derive(Clone)]
pub struct Options {
    /// The node's own key. Its id follows from it, and its seat from the directory.
    pub key: Arc<dyn Signer>,
    /// Of the same scheme as the key.
    pub verifier: Arc<dyn Verifier>,
    /// Whose directory this node believes.
    pub anchor: Anchor,
    /// Directory entries that the store may lack: all of them at the first start, none later. They are verified, and
    /// appended where the stored log ends.
    pub directory: Vec<SignedEntry>,
    /// Where other nodes, operators and programs reach this node; port 0 takes a free one. Loopback only, until links
    /// are authenticated and encrypted.
    pub listen: SocketAddr,
    /// The superior's nodes. One link each; the addresses of one are tried in turn.
    pub upstreams: Vec<Upstream>,
    /// Nodes of the same seat (mirrors) or of another county, dialled like upstreams.
    pub peers: Vec<Upstream>,
    /// Program name and version, shown to operators at the other end.
    pub program: String,
    /// How often the engine is told that time passes. It counts intervals in ticks of about a second; tests and the demo
    /// tick faster.
    pub tick: Duration,
    /// Records that stay open in memory, some 4 KB each.
    pub open_max: usize,
    /// How long a shutdown may take; what is not done then is cut off. Nothing acknowledged is lost either way.
    pub shutdown_deadline: Duration,
    /// How long to wait before dialling again, and before trying the store again.
    pub retry: Retry,
    pub limits: Limits,
}

/// Where trust in a realm begins: its id, and the offline root key that the id binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub realm: RealmId,
    pub root: PublicKey,
}

/// One node to dial, at one of several addresses (`host:port`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub addresses: Vec<String>,
}

/// Exponential, with jitter: between half and all of the delay, which doubles from `first` to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    pub first: Duration,
    pub max: Duration,
}

/// What one node takes at once. Beyond a limit somebody waits or is refused; nothing grows without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Inputs that wait for the engine, in the queue `inbox`. Whoever has one more waits.
    pub inbox: usize,
    /// Frames that wait to be sent on one link, in its queue `outgoing`. One more closes the link: its other end does
    /// not keep up, and it must not hold back anybody else.
    pub outgoing_frames: usize,
    /// Commands under way. Whoever asks for one more waits.
    pub commands: usize,
    /// Connections accepted, of whatever kind. One more is not accepted before another has gone.
    pub connections: usize,
    /// Links accepted. One more is refused.
    pub links: usize,
    /// Requests at once on one connection.
    pub requests_per_connection: u32,
}

impl Options {
    /// With defaults for everything that has one.
    #[must_use]
    pub fn new(key: Arc<dyn Signer>, verifier: Arc<dyn Verifier>, anchor: Anchor, listen: SocketAddr) -> Self {
        let engine = heliu_replication::Config::default();
        Options {
            key,
            verifier,
            anchor,
            directory: Vec::new(),
            listen,
            upstreams: Vec::new(),
            peers: Vec::new(),
            program: engine.program,
            tick: Duration::from_secs(1),
            open_max: engine.open_max,
            shutdown_deadline: Duration::from_secs(10),
            retry: Retry::default(),
            limits: Limits::default(),
        }
    }
}

impl Upstream {
    #[must_use]
    pub fn at(addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Upstream { addresses: addresses.into_iter().map(Into::into).collect() }
    }
}

impl Limits {
    /// A limit of 0 would be a node that does nothing: it is taken as 1.
    pub(crate) fn at_least_one(self) -> Self {
        Limits {
            inbox: self.inbox.max(1),
            outgoing_frames: self.outgoing_frames.max(1),
            commands: self.commands.max(1),
            connections: self.connections.max(1),
            links: self.links.max(1),
            requests_per_connection: self.requests_per_connection.max(1),
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Retry { first: Duration::from_millis(500), max: Duration::from_secs(60) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            inbox: 256,
            outgoing_frames: 1_024,
            commands: 2_048,
            connections: 1_024,
            links: 768,
            requests_per_connection: 128,
        }
    }
}
