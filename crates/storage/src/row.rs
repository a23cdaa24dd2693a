//! The rows of a store, as plain data. What they mean is decided elsewhere; here is only what is kept.

use std::sync::Arc;

use heliu_record::byte_id;
pub use heliu_record::command::CommandId;
use heliu_record::hash::Sum;
use heliu_record::id::{Actor, LeafHash, Preimage, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_trust::id::{CommitId, Incarnation, NodeId};

use crate::StoreError;

byte_id!(
    /// One store, made once and kept for its life. A copy of a store has the same id, and other incarnations.
    StoreId, 16
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
    /// Its predecessors are missing.
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
    /// The node that it came from; none if it was made here.
    pub origin: Option<NodeId>,
    pub change: Arc<[u8]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEntry {
    Leaf(LeafRow),
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
            FeedEntry::Rescope { position, .. } => *position,
        }
    }

    #[must_use]
    pub fn record(&self) -> RecordId {
        match self {
            FeedEntry::Leaf(row) => row.record,
            FeedEntry::Rescope { record, .. } => *record,
        }
    }

    /// What it takes of a [`crate::Budget`].
    #[must_use]
    pub fn change_len(&self) -> usize {
        match self {
            FeedEntry::Leaf(row) => row.change.len(),
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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordState {
    Present,
    /// This seat has left the audience; the bytes go once a superior has everything up to this position.
    Hidden {
        since: Position,
    },
    Stub(Stub),
}

/// What stays of a record that left this seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    pub since_ms: i64,
    /// The note of the change that took it away.
    pub reason: String,
    /// This node's own last (actor, seq) in it: nothing is written here again before that is back.
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
    /// Sum of the hashes of all signature-valid leaves held; then of the admitted ones.
    pub held: Sum,
    pub admitted: Sum,
    pub leaves: u32,
    /// Whether some of them wait for predecessors.
    pub waiting: bool,
    /// The folded view as JSON; empty for a stub.
    pub view: Vec<u8>,
    /// What other records' rules read of this one, hashed.
    pub signal: [u8; 8],
}

/// A record as the engine works on it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub row: RecordRow,
    /// In feed order.
    pub leaves: Vec<LeafRow>,
    /// For each leaf, the encoded signed commit that it is part of (shared).
    pub commits: Vec<Arc<[u8]>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanItem {
    pub id: RecordId,
    pub scope: Scope,
    /// Whether it is present (not hidden, not a stub).
    pub present: bool,
    pub held: Sum,
    pub admitted: Sum,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictRow {
    pub id: [u8; 32],
    /// Conflict kind, e.g. `MULTI_HOME`.
    pub kind: String,
    pub anchors: Vec<RecordId>,
    /// The conflict as JSON.
    pub body: Vec<u8>,
}

/// What was refused: kept as a leaf as well if it is one, and here alone if it cannot be read or is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Hash of the bytes.
    pub id: [u8; 32],
    pub record: Option<RecordId>,
    pub from: Option<NodeId>,
    /// Stable reason code, then words for people.
    pub code: String,
    pub reason: String,
    pub at_ms: i64,
    /// At most 64 KiB of it.
    pub bytes: Vec<u8>,
}

/// A row of the quarantine as it is listed: without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Rising with each that is added.
    pub number: u64,
    pub row: QuarantineRow,
    /// How many bytes are kept of it.
    pub len: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Present ones: neither hidden nor stubs.
    pub records: u64,
    pub stubs: u64,
    pub leaves: u64,
    pub commits: u64,
    pub conflicts: u64,
    pub quarantined: u64,
    /// Records with waiting leaves.
    pub waiting: u64,
}

/// Everything that one step of the engine changes. A store makes it durable as a whole.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// A new incarnation that begins here (at the head before this transaction's feed entries).
    pub incarnation: Option<Incarnation>,
    /// Encoded entries, appended.
    pub directory: Vec<Vec<u8>>,
    /// New commits: id, author, incarnation, seq, encoded. Already known ones are ignored.
    pub commits: Vec<CommitRow>,
    /// Appended to the feed; positions follow the head without a gap.
    pub feed: Vec<FeedEntry>,
    /// Leaves that are judged anew, by position.
    pub statuses: Vec<(Position, LeafStatus)>,
    /// Inserted or replaced.
    pub records: Vec<RecordRow>,
    /// For each record here, the whole new set of records it refers to.
    pub refs: Vec<(RecordId, Vec<RecordId>)>,
    /// Records whose leaves go (their row, now a stub, is in `records`): those that were there before this transaction.
    /// Their rescope entries stay, to be told to others.
    pub dropped: Vec<RecordId>,
    /// Opened, or changed: replaces what has the same id.
    pub conflicts_opened: Vec<ConflictRow>,
    pub conflicts_closed: Vec<[u8; 32]>,
    /// How far other stores' feeds have been received.
    pub cursors: Vec<Cursor>,
    /// Of two with one id the first is kept.
    pub quarantined: Vec<QuarantineRow>,
    /// Commands carried out, with the encoded answer to give again. The first answer is kept.
    pub commands: Vec<(CommandId, Vec<u8>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitRow {
    pub id: CommitId,
    pub author: NodeId,
    pub incarnation: Incarnation,
    pub seq: u64,
    pub encoded: Arc<[u8]>,
}

impl Transaction {
    /// What every store refuses before it writes anything: a feed that does not follow the head, an incarnation that
    /// was there before. Returns the new head.
    pub fn check(&self, meta: &Meta) -> Result<Position, StoreError> {
        let refused = |detail| Err(StoreError::Damaged { what: "transaction", detail });
        if let Some(incarnation) = self.incarnation
            && meta.incarnations.iter().any(|(known, _)| *known == incarnation)
        {
            return refused(format!("incarnation {incarnation} is not new"));
        }
        let mut head = meta.head;
        for entry in &self.feed {
            head += 1;
            if entry.position() != head {
                return refused(format!("the feed goes on at {head}, not at {}", entry.position()));
            }
        }
        Ok(head)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Transaction {
            incarnation,
            directory,
            commits,
            feed,
            statuses,
            records,
            refs,
            dropped,
            conflicts_opened,
            conflicts_closed,
            cursors,
            quarantined,
            commands,
        } = self;
        incarnation.is_none()
            && directory.is_empty()
            && commits.is_empty()
            && feed.is_empty()
            && statuses.is_empty()
            && records.is_empty()
            && refs.is_empty()
            && dropped.is_empty()
            && conflicts_opened.is_empty()
            && conflicts_closed.is_empty()
            && cursors.is_empty()
            && quarantined.is_empty()
            && commands.is_empty()
    }
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
