//! What two nodes say to each other on a link, as typed values. `wire` gives them bytes; nothing here knows any.

use std::sync::Arc;

use heliu_record::hash::Sum;
use heliu_record::id::{LeafHash, Preimage, RecordId};
use heliu_storage::{Cursor, Position, StoreId};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::SignedEntry;
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, NodeId, RealmId};

/// The wire versions that this program speaks.
pub const WIRE_VERSIONS: std::ops::RangeInclusive<u32> = 1..=1;

/// Limits of wire version 1. What is beyond them is refused before anything is done with it.
pub mod limits {
    pub const LEAVES_PER_FRAME: usize = 4_096;
    pub const FRAME_BYTES: usize = 4 * 1024 * 1024;
    pub const DIRECTORY_ENTRIES_PER_FRAME: usize = 64;
    pub const RANGES_PER_FRAME: usize = 4_096;
    pub const ITEMS_PER_FRAME: usize = 65_536;
    pub const RECORDS_PER_HAVE: usize = 4_096;
    pub const LEAVES_PER_HAVE: usize = 65_536;
    pub const REASON_BYTES: usize = 1_024;
}

#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    Hello(Hello),
    /// The link ends here, and why. Both operators see it.
    Refuse(Refuse),
    /// Directory entries that the other lacks, in order.
    Directory(Vec<SignedEntry>),
    /// Directories are equal; how we go on.
    Welcome(Welcome),
    Reconcile(Reconcile),
    /// Which leaves of these records the sender holds; the other answers with those it lacks.
    Have(Have),
    Leaves(Leaves),
    /// Everything in frames up to this sequence is durable here, or refused for good.
    Ack {
        sequence: u64,
    },
    /// Leaves that were refused here, with the reason: for the sender's operators.
    Refused(Vec<RefusedLeaf>),
    /// A record that the receiver's seat may no longer hold.
    Withdraw {
        record: RecordId,
    },
    Checkpoint(Checkpoint),
    Verdict(Verdict),
    /// A frame type of a later version. Ignored.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub realm: RealmId,
    pub node: NodeId,
    pub store: StoreId,
    pub incarnation: Incarnation,
    /// Lowest and highest wire version spoken.
    pub versions: (u32, u32),
    pub directory_len: u64,
    pub directory_head: DirectoryVersion,
    /// Program version, for operators.
    pub program: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refuse {
    pub code: RefuseCode,
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefuseCode {
    OtherRealm = 1,
    UnknownNode = 2,
    NoCommonVersion = 3,
    DirectoryForked = 4,
    Protocol = 5,
    Itself = 6,
    ShuttingDown = 7,
    StoreFailed = 8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// How far the sender of this has the other's feed. None: it has nothing of this store.
    pub cursor: Option<Cursor>,
    /// The last commit of the receiver's node that the sender knows: a node that finds its own chain different was
    /// rolled back, and takes a new incarnation.
    pub known_of_you: Option<(Incarnation, u64, CommitId)>,
}

/// Range-based set reconciliation over (record, digest) of the link's scope. The dialling end asks, the other answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconcile {
    pub ranges: Vec<Range>,
    /// Nothing more to ask or to answer from this end; what is to be pushed follows.
    pub done: bool,
}

/// Records from `from` on, up to but without `to` (none: to the end).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    pub from: RecordId,
    pub to: Option<RecordId>,
    pub content: RangeContent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeContent {
    Fingerprint {
        count: u64,
        sum: Sum,
    },
    /// All that the sender has in the range.
    Items(Vec<(RecordId, Sum)>),
    /// The answer to items: which of them the sender lacks wholly. It has pushed or offered the rest.
    Missing(Vec<RecordId>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Have {
    /// Per record the first eight bytes of each leaf hash held.
    pub records: Vec<(RecordId, Vec<[u8; 8]>)>,
    /// Whether the receiver is to say in turn what it has.
    pub reply: bool,
}

/// Leaves with their commits. `commits` are in the order in which leaves first use them.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaves {
    /// Counts up by one per frame and direction of a link.
    pub sequence: u64,
    pub delivery: Delivery,
    /// Once this and all frames before are durable, the receiver has the sender's feed up to here.
    pub through: Option<Position>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivery {
    pub commits: Vec<Arc<SignedCommit>>,
    pub leaves: Vec<DeliveredLeaf>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeliveredLeaf {
    pub preimage: Arc<Preimage>,
    /// Index into `commits`.
    pub commit: usize,
    pub kind_version: u32,
    /// The automerge change, as signed.
    pub change: Arc<[u8]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedLeaf {
    pub leaf: LeafHash,
    pub code: String,
    pub reason: String,
}

/// The sums of what one end holds in the link's scope, when it has sent all of its feed up to `mine` and has made durable
/// all that came from the other up to `yours`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub mine: Position,
    pub yours: Position,
    pub sums: Sums,
}

/// Digest of a set of leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub records: u64,
    pub held: Sum,
    pub admitted: Sum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Both sums are equal at this cut.
    Equal,
    /// The same leaves, judged differently: an alarm.
    JudgedDifferently,
    /// Different leaves: reconcile.
    Different,
    /// One end has moved on meanwhile; try again when it is quiet.
    MovedOn,
}
