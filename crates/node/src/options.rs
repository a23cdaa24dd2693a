//! What a node is started with. Reading configuration files, flags and keys from disk is the service's business.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heliu_record::catalogue::Catalogue;
use heliu_trust::directory::{Pool, SignedEntry};
use heliu_trust::id::{NodeId, RealmId};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::{PublicKey, Signer, Verifier};

use crate::bounds::Bounds;
use crate::clock::Clock;

/// Everything that a node needs besides its store.
#[derive(Clone)]
pub struct Options {
    /// The kinds, commands and rules that this program knows.
    pub catalogue: &'static Catalogue,
    /// The node's own key. Its id follows from it, and its seat from the directory.
    pub key: Arc<dyn Signer>,
    /// Checks the signatures of others; of the same scheme as the key.
    pub verifier: Arc<dyn Verifier>,
    /// Whose directory this node believes.
    pub anchor: Anchor,
    /// The realm's name, which its id binds: join tokens carry it. Empty: this node mints none.
    pub realm_name: String,
    /// The node's own key for what is sealed. None: it opens nothing that is sealed, and hands on no keys.
    pub sealing: Option<Arc<SealingSecret>>,
    /// The key that enters things into the directory; one node of the county has it.
    pub issuer: Option<Arc<dyn Signer>>,
    /// Directory entries that the store may lack: all of them at the first start, none later. They are verified, and
    /// appended where the stored log ends.
    pub directory: Vec<SignedEntry>,
    /// Where other nodes, operators and programs reach this node; port 0 takes a free one.
    pub listen: SocketAddr,
    pub security: Security,
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
    /// All that is stored is held against its signatures, in rounds of at least so long.
    pub patrol_round: Duration,
    /// Leaves that an author outside of this seat's line may have here, for this seat and for each below.
    pub foreign_max: u64,
    /// Set for the nodes of one process: they keep one copy of the directory.
    pub pool: Option<Arc<Pool>>,
    /// How long a shutdown may take; what is not done then is cut off. Nothing acknowledged is lost either way.
    pub shutdown_deadline: Duration,
    /// How long to wait before dialling again, and before trying the store again.
    pub retry: Retry,
    pub limits: Limits,
    /// For this crate's tests.
    #[doc(hidden)]
    pub bounds: Bounds,
    /// The machine's clocks; this crate's tests set one node's.
    #[doc(hidden)]
    pub clock: Clock,
}

/// Where trust in a realm begins: its id, and the offline root key that the id binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub realm: RealmId,
    pub root: PublicKey,
}

/// How connections are secured and people and programs known.
#[derive(Clone, Debug)]
pub enum Security {
    /// TLS 1.3: nodes by certificate, people and programs by access token.
    Tls(Tls),
    /// For development: neither encryption nor tokens. Everybody on this machine may do everything, and others cannot
    /// reach it: any address but loopback is refused.
    LoopbackPlain,
}

/// The files of a secured node. Certificate and key are made at the first start and renewed in time; whoever replaces
/// them, or the access list, need not restart the node.
#[derive(Clone, Debug)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The list of access tokens; see [`crate::access`].
    pub access: PathBuf,
    /// Host names and addresses to put into certificates, for programs that ask for such. Nodes and our clients go by realm
    /// and node id.
    pub names: Vec<String>,
    /// How often the files are looked at.
    pub reload: Duration,
}

/// One node to dial, at one of several addresses (`host:port`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub addresses: Vec<String>,
    /// Nobody but this node. None: any of the realm; whether it is enrolled, the directory says.
    pub node: Option<NodeId>,
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
    /// Connections of those who have shown who they are, by an enrolled node's certificate or an access token. One more is
    /// refused.
    pub connections: usize,
    /// Connections of all others, from the first byte on. For one more the oldest goes, of whichever address has most.
    pub unproven: usize,
    /// Links of enrolled nodes accepted. One more is refused.
    pub links: usize,
    /// Requests at once on one connection.
    pub requests_per_connection: u32,
}

impl Options {
    /// With defaults for everything that has one. The security is that of development, which refuses to be reached from
    /// elsewhere: a real node chooses [`Security::Tls`].
    #[must_use]
    pub fn new(
        catalogue: &'static Catalogue,
        key: Arc<dyn Signer>,
        verifier: Arc<dyn Verifier>,
        anchor: Anchor,
        listen: SocketAddr,
    ) -> Self {
        let engine = heliu_replication::Config::new(catalogue);
        Options {
            catalogue,
            key,
            verifier,
            anchor,
            realm_name: String::new(),
            sealing: None,
            issuer: None,
            directory: Vec::new(),
            listen,
            security: Security::LoopbackPlain,
            upstreams: Vec::new(),
            peers: Vec::new(),
            program: engine.program,
            tick: Duration::from_secs(1),
            open_max: engine.open_max,
            patrol_round: Duration::from_millis(engine.patrol_round_ms),
            foreign_max: engine.foreign_max,
            pool: engine.pool,
            shutdown_deadline: Duration::from_secs(10),
            retry: Retry::default(),
            limits: Limits::default(),
            bounds: Bounds::default(),
            clock: Clock::start(),
        }
    }
}

impl Upstream {
    #[must_use]
    pub fn at(addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Upstream { addresses: addresses.into_iter().map(Into::into).collect(), node: None }
    }
}

impl Tls {
    /// `tls.crt`, `tls.key` and `access.json` in a directory.
    #[must_use]
    pub fn in_dir(directory: &Path) -> Self {
        Tls {
            certificate: directory.join("tls.crt"),
            key: directory.join("tls.key"),
            access: directory.join("access.json"),
            names: Vec::new(),
            reload: Duration::from_secs(2),
        }
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
            unproven: self.unproven.max(1),
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
            unproven: 256,
            links: 768,
            requests_per_connection: 128,
        }
    }
}
