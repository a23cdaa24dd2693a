//! The rows of a store, as plain data. What they mean is decided elsewhere; here is only what is kept.

use std::sync::Arc;

use heliu_record::byte_id;
pub use heliu_record::command::CommandId;
use heliu_record::gate::{KindDigest, Stamp};
use heliu_record::hash::Sum;
use heliu_record::id::{Actor, LeafHash, Preimage, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_trust::id::{CommitId, Incarnation, NodeId};

byte_id!(
    /// One store, made once and kept for its life. A copy of a store has the same id, and other incarnations.
    StoreId, 16
);
byte_id!(
    /// One grant: the hash of its bytes.
    GrantHash, 32
);

/// A place in a store's feed. The first entry has position 1; 0 is before all.
pub type Position = u64;

/// How far somebody has received a store's feed. Honoured only if the store knows that this incarnation of it reached
/// that position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub store: StoreId,
    pub incarnation: Incarnation,
    pub position: Position,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub store: StoreId,
    pub head: Position,
    /// Every incarnation of this store and the head at which it began, oldest first. The last one is the current.
    pub incarnations: Vec<(Incarnation, Position)>,
}

impl Meta {
    /// Whether the incarnation that a cursor names reached its position here.
    #[must_use]
    pub fn honours(&self, cursor: &Cursor) -> bool {
        let end_of = |index: usize| self.incarnations.get(index + 1).map_or(self.head, |(_, began)| *began);
        cursor.store == self.store
            && self
                .incarnations
                .iter()
                .position(|(incarnation, _)| *incarnation == cursor.incarnation)
                .is_some_and(|index| cursor.position <= end_of(index))
    }
}

/// What admission said of a leaf, as stored: enough to list and filter by. The truth is recomputed from the leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LeafStatus {
    Admitted = 0,
    /// The leaf waits for predecessors that are missing.
    Waiting = 1,
    /// Stored and relayed, cannot be judged yet.
    Held = 2,
    /// Lost a fork, or builds on what did.
    Excluded = 3,
    /// Against shape or authority.
    Refused = 4,
}

impl LeafStatus {
    #[must_use]
    pub fn from_u8(value: u8) -> Option<Self> {
        [Self::Admitted, Self::Waiting, Self::Held, Self::Excluded, Self::Refused]
            .into_iter()
            .find(|s| *s as u8 == value)
    }
}

/// One change of one record, as it came: one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafRow {
    pub position: Position,
    pub record: RecordId,
    pub hash: LeafHash,
    pub commit: CommitId,
    pub author: NodeId,
    pub kind_version: u32,
    pub status: LeafStatus,
    /// The node that sent it here; none if it was made here.
    pub origin: Option<NodeId>,
    /// The declaration of the kind's version that is to judge the leaf; none: this program's, whatever that is.
    pub declared: Option<KindDigest>,
    pub change: Arc<[u8]>,
}

/// A grant of a record's key, as it came: one row. It is signed by itself and part of no commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    pub position: Position,
    pub record: RecordId,
    pub hash: GrantHash,
    /// The node that sent it here; none if it was made here.
    pub origin: Option<NodeId>,
    pub grant: Arc<[u8]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEntry {
    Leaf(LeafRow),
    Grant(GrantRow),
    /// The audience of a record changed: who joined it gets the whole record, who left it is told to let it go.
    Rescope {
        position: Position,
        record: RecordId,
        added: Vec<SeatId>,
        removed: Vec<SeatId>,
    },
}

impl FeedEntry {
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            FeedEntry::Leaf(row) => row.position,
            FeedEntry::Grant(row) => row.position,
            FeedEntry::Rescope { position, .. } => *position,
        }
    }

    #[must_use]
    pub fn record(&self) -> RecordId {
        match self {
            FeedEntry::Leaf(row) => row.record,
            FeedEntry::Grant(row) => row.record,
            FeedEntry::Rescope { record, .. } => *record,
        }
    }

    /// What it takes of a [`crate::Budget`].
    #[must_use]
    pub fn change_len(&self) -> usize {
        match self {
            FeedEntry::Leaf(row) => row.change.len(),
            FeedEntry::Grant(row) => row.grant.len(),
            FeedEntry::Rescope { .. } => 0,
        }
    }
}

/// A feed entry with what a link needs to decide about it and to send it.
#[derive(Clone, Debug)]
pub struct FeedItem {
    pub entry: FeedEntry,
    pub preimage: Arc<Preimage>,
    /// The record's scope now.
    pub scope: Arc<Scope>,
    /// The signed commit of a leaf, encoded; none for other entries. Items of one commit share it.
    pub commit: Option<Arc<[u8]>>,
}

#[derive(Clone, Debug, Default)]
pub struct FeedPage {
    pub items: Vec<FeedItem>,
    /// Everything up to here has been looked at, also where erased entries left gaps.
    pub through: Position,
    /// Entries in between that cannot be read: they are not in `items`.
    pub damaged: Vec<DamagedEntry>,
}

/// An entry of the feed that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedEntry {
    pub position: Position,
    /// None if that cannot be told.
    pub record: Option<RecordId>,
    /// Where and what.
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordState {
    Present,
    /// This seat has left the audience; the bytes go once a superior has everything up to this position.
    Hidden {
        since: Position,
    },
    Stub(Stub),
    /// A tombstone has erased the record, everywhere. No leaf of it is here, and none is taken.
    Erased,
}

impl RecordState {
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self {
            RecordState::Present => Standing::Present,
            RecordState::Hidden { .. } => Standing::Hidden,
            RecordState::Stub(_) | RecordState::Erased => Standing::Gone,
        }
    }
}

/// A [`RecordState`] without its particulars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Present,
    Hidden,
    /// A stub, or erased.
    Gone,
}

/// What stays of a record that left this seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    pub since_ms: i64,
    /// The note of the change by which the record left this seat.
    pub reason: String,
    /// This node's own last (actor, seq) in the record: it writes there again only when that leaf is back.
    pub own_last: Option<(Actor, u64)>,
}

/// One row per record: the envelope, the digests, and the view as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    pub id: RecordId,
    pub preimage: Preimage,
    /// What relaying goes by: the scope of the admitted history, widened by held leaves.
    pub scope: Scope,
    pub state: RecordState,
    /// Sum of the hashes of all signature-valid leaves and grants held; then of the admitted leaves.
    pub held: Sum,
    pub admitted: Sum,
    pub leaves: u32,
    /// Whether some of the leaves wait for predecessors.
    pub waiting: bool,
    /// Leaves that could not be judged, if there are any.
    pub unjudged: Option<Unjudged>,
    /// The folded view as JSON; empty for a stub and for what is erased.
    pub view: Vec<u8>,
    /// A hash of what rules read of this record when they judge others: those are derived anew when it changes.
    pub signal: [u8; 8],
}

/// Leaves of a record that the program could not judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unjudged {
    /// By what it declared then. Another program tries again.
    pub by: Stamp,
    /// Whether it declares their version otherwise, or lacks it although it declares a later one. If not, it is too old.
    pub differing: bool,
}

/// A record with such leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnjudgedRow {
    pub record: RecordId,
    pub kind: String,
    pub unjudged: Unjudged,
}

/// A record as the engine works on it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub row: RecordRow,
    /// In feed order.
    pub leaves: Vec<LeafRow>,
    /// For each leaf, the encoded signed commit that it is part of (shared).
    pub commits: Vec<Arc<[u8]>>,
    /// In feed order.
    pub grants: Vec<GrantRow>,
    /// Why the row is damaged, if it is. Only its id and preimage can be believed then.
    pub spoilt: Option<String>,
}

/// What people look through, in id order.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    pub rows: Vec<RecordRow>,
    /// The next page begins after this id; none: this is the last page.
    pub next: Option<RecordId>,
    /// Damaged rows within the page, which are not in `rows`.
    pub damaged: Vec<DamagedRow>,
}

/// Rows in id order.
#[derive(Clone, Debug, Default)]
pub struct ScanPage {
    pub items: Vec<ScanItem>,
    /// The next page begins after this id; none: this is the last page.
    pub next: Option<RecordId>,
    /// Rows within the page that cannot be read, which are not in `items`.
    pub damaged: Vec<DamagedRow>,
}

/// A record's row that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedRow {
    /// The id under which the row stands, which may be damaged itself. None if the id cannot be read.
    pub record: Option<RecordId>,
    /// Where and what.
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanItem {
    pub id: RecordId,
    pub scope: Scope,
    pub standing: Standing,
    pub held: Sum,
    pub admitted: Sum,
    pub leaves: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Present ones: not hidden, no stubs, not erased.
    pub records: u64,
    pub stubs: u64,
    pub leaves: u64,
    pub commits: u64,
    pub conflicts: u64,
    pub quarantined: u64,
    /// Records with waiting leaves.
    pub waiting: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitRow {
    pub id: CommitId,
    pub author: NodeId,
    pub incarnation: Incarnation,
    pub seq: u64,
    pub encoded: Arc<[u8]>,
}

/// The first and the last id that begin with these hex digits; none if they are not hex digits, or too many.
#[must_use]
pub fn prefix_bounds(prefix: &str) -> Option<(RecordId, RecordId)> {
    let padded = |with: char| -> Option<RecordId> {
        let missing = (RecordId::LEN * 2).checked_sub(prefix.len())?;
        format!("{prefix}{}", with.to_string().repeat(missing)).parse().ok()
    };
    Some((padded('0')?, padded('f')?))
}
