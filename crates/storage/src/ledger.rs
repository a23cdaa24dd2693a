//! Rows of what is kept beside records and their feed. What their bytes say is decided elsewhere.

use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_trust::id::NodeId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictRow {
    pub id: [u8; 32],
    /// Conflict kind, e.g. `MULTI_HOME`.
    pub kind: String,
    pub anchors: Vec<RecordId>,
    /// The conflict as JSON.
    pub body: Vec<u8>,
}

/// An open conflict without its body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConflictRef {
    pub id: [u8; 32],
    pub anchors: Vec<RecordId>,
}

/// Open conflicts, in id order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictPage {
    pub rows: Vec<ConflictRow>,
    /// After this one the next page begins; none if there is none.
    pub next: Option<[u8; 32]>,
}

/// What was refused: kept as a leaf as well if it is one, and here alone if it cannot be read or is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Hash of the bytes.
    pub id: [u8; 32],
    pub record: Option<RecordId>,
    pub from: Option<NodeId>,
    /// Stable reason code, and what is particular about it: `heliu_record::reason::Facts` as a text.
    pub code: String,
    pub reason: String,
    pub at_ms: i64,
    /// The first 64 KiB of what was refused.
    pub bytes: Vec<u8>,
}

/// A row of the quarantine as it is listed: without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Rising with each that is added.
    pub number: u64,
    pub row: QuarantineRow,
    /// How many bytes of what was refused are kept.
    pub len: u64,
}

/// What a node signed outside of commits: a tombstone, a receipt, evidence. It is opaque here but for what it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRow {
    pub hash: [u8; 32],
    pub kind: u8,
    pub author: NodeId,
    /// The author's seat.
    pub seat: SeatId,
    /// What the statement is about; of a record, its id.
    pub subject: [u8; 32],
    pub bytes: Vec<u8>,
}

/// One row of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Counts up by one; the first is 1.
    pub seq: u64,
    pub time_ms: i64,
    pub encoded: Vec<u8>,
    /// Over the row before and all of this one.
    pub hash: [u8; 32],
}

/// An edit of this node that no longer counts and could not be made again: somebody has to look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrandedRow {
    pub leaf: LeafHash,
    pub record: RecordId,
    pub at_ms: i64,
    pub state: StrandedState,
    /// Why: a `heliu_record::reason::Reason` as a text; empty before anybody has tried.
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrandedState {
    Open,
    /// The edit was made again, as this leaf.
    Reissued(LeafHash),
    Discarded,
}
