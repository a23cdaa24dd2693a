//! What operators and administrators are told of a node and its links, as plain values.

use std::net::SocketAddr;
use std::time::Duration;

use heliu_record::date::Date;
use heliu_record::id::SeatId;
use heliu_record::reason::{Facts, Reason};
use heliu_replication::Alarm;
use heliu_replication::effect::Done;
use heliu_replication::frame::Sums;
use heliu_storage::row::Counts;
use heliu_storage::{Meta, Position};
use heliu_trust::directory::{Directory, SignedEntry};
use heliu_trust::id::{DirectoryVersion, NodeId, RealmId};

pub use crate::trouble::Trouble;

/// Who a node is and how it is.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    pub node: NodeId,
    pub seat: SeatId,
    pub realm: RealmId,
    pub program: String,
    /// The store, its feed's head, and its incarnations.
    pub meta: Meta,
    pub counts: Counts,
    pub directory_len: u64,
    pub directory_head: DirectoryVersion,
    pub uptime: Duration,
    /// Why the store takes no writes.
    pub read_only: Option<Reason>,
    pub now_ms: i64,
    /// Until when the node's certificate is valid; none in development mode.
    pub certificate_not_after_ms: Option<i64>,
    /// Why a new certificate or access list was not taken, and the old one stays.
    pub problems: Vec<Reason>,
    /// Connections and calls refused since the start, and the last ones, newest first.
    pub refusals: u64,
    pub recent_refusals: Vec<RefusedPeer>,
    /// Bytes of answers that are made and that nobody has taken yet.
    pub unread_bytes: u64,
    /// Whether this node holds the key that enters things into the directory.
    pub is_issuer: bool,
    /// The gravest first.
    pub alarms: Vec<Alarm>,
    /// Records with sealed values that somebody may read and cannot yet.
    pub pending_wraps: u64,
    /// Where the realm's days begin, and the civil day there by this node's clock.
    pub time_zone: String,
    pub today: Date,
}

/// Who does something, and by which right, as the audit log has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    pub who: String,
    pub role: String,
}

/// What a new node is given.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The whole directory, with the new node in it.
    pub directory: Directory,
    /// The nodes to dial, each with its addresses: those of the nearest superior seat that has any.
    pub upstreams: Vec<(NodeId, Vec<String>)>,
}

/// A directory entry that was drawn up.
#[derive(Clone, Debug)]
pub struct Drafted {
    pub entry: SignedEntry,
    /// Whether the entry is in the directory; if not, it needs a second signature.
    pub entered: bool,
}

/// Somebody who was not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedPeer {
    pub at_ms: i64,
    pub address: SocketAddr,
    /// Stable, such as `expired`, and what is particular about this one.
    pub code: &'static str,
    pub facts: Facts,
    /// The node that its certificate is of, if that could be read.
    pub node: Option<NodeId>,
}

/// What the other end of a link is to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRole {
    Parent,
    Child,
    Peer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Not connected; it is tried again if this end dials.
    Down,
    Connecting,
    /// Greeting, and bringing the shorter directory up to date.
    Directory,
    Reconciling,
    CatchingUp,
    /// Nothing is behind.
    Live,
    /// One end refused the other.
    Refused,
}

/// One link as this end sees it. Traffic and connects are since the start of this process, all else of the connection.
#[derive(Clone, Debug)]
pub struct LinkReport {
    pub role: LinkRole,
    /// Whether this end dials.
    pub dialer: bool,
    /// The address dialled last; where it came from, if the other end dialled.
    pub address: String,
    /// The node that the other end said it is; none before its hello.
    pub peer: Option<NodeId>,
    pub peer_seat: Option<SeatId>,
    pub peer_program: String,
    /// By how much the other end's clock is ahead of this node's, as of the last connection.
    pub clock_ahead_ms: Option<i64>,
    pub state: LinkState,
    /// Since when every comparison on this connection has found both ends equal, by this node's clock.
    pub equal_since_ms: Option<i64>,
    /// When the sums of both ends were compared last and were equal.
    pub verified_ms: Option<i64>,
    /// What was found equal is what they hold: they declare kinds otherwise, or others, and so what they make of it differs.
    pub is_held_only: bool,
    pub heard_ms: Option<i64>,
    /// What went wrong last, verbatim, and when.
    pub last_error: Option<(String, i64)>,
    /// The same, in our words.
    pub trouble: Option<Trouble>,
    /// Whether that trouble is over: the two ends have come to terms since.
    pub is_trouble_over: bool,
    /// It is configured as a superior, and is none of this seat's.
    pub is_misplaced: bool,
    /// Feed entries that the other end has not acknowledged; an upper bound, for some may be out of the link's scope. None
    /// before the two have told each other where they stand.
    pub lag_items: Option<u64>,
    /// How many of those entries are on their way.
    pub lag_bytes: u64,
    /// For how long the other end has been behind.
    pub lag_age: Duration,
    pub in_flight_frames: usize,
    pub in_flight_bytes: usize,
    /// The other end has this node's feed up to here, durably.
    pub acked: Position,
    /// This node has the other's feed up to here, durably.
    pub received: Position,
    pub reconciled: u64,
    pub refused_there: u64,
    pub traffic: Traffic,
    pub connects: u64,
}

/// What went over a link: frames, and their bytes as encoded messages (without HTTP/2 and TCP around them).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub frames_in: u64,
    pub frames_out: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// How often something came in after something had gone out: on a link that is only greeting, its round trips.
    pub turns: u64,
}

/// What became of one command.
#[derive(Clone, Debug)]
pub struct Executed {
    pub done: Done,
}

/// What a checkpoint on one link said.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The address dialled last; where it came from, if the other end dialled.
    pub address: String,
    /// Whether this end dials.
    pub dialer: bool,
    pub peer: Option<NodeId>,
    pub peer_seat: Option<SeatId>,
    /// It is configured as a superior, and is none of this seat's.
    pub is_misplaced: bool,
    /// Whether this node's sums were held against every record since it began.
    pub are_sums_proven: bool,
    pub outcome: Outcome,
    /// The cut and this node's sums there; none if there was no verdict.
    pub cut: Option<Cut>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Positions in this node's feed and in the other's.
    pub mine: Position,
    pub yours: Position,
    pub sums: Sums,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Equal,
    /// The same leaves; the two programs declare kinds otherwise, or others, so what they make of them was not compared.
    HeldEqual,
    /// The same leaves, judged differently: an alarm.
    JudgedDifferently,
    /// Different leaves: the link reconciles now.
    Different,
    /// One end kept changing until the time was over.
    MovedOn,
    NotConnected,
    TimedOut,
}
