//! The storage port: what a node keeps, as plain rows, and the traits by which it is written and read.
//!
//! Records' bytes, commits, grants, statements and directory entries are opaque here. The rules a store must keep are in [`conformance`], one
//! suite that every store runs; [`memory`] is the store of the simulator.
//!
//! Bottom up: `error`, `row`, `ledger`, `transaction`, `memory`, `conformance`.

pub mod conformance;
mod error;
mod ledger;
pub mod memory;
pub mod row;
mod transaction;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_trust::id::{CommitId, Incarnation, NodeId};

pub use error::StoreError;
pub use ledger::{
    AuditRow, ConflictPage, ConflictRef, ConflictRow, QuarantineRow, Quarantined, StatementRow, StrandedRow,
    StrandedState,
};
pub use row::{
    CommandId, Cursor, DamagedEntry, DamagedRow, FeedEntry, FeedItem, FeedPage, GrantHash, GrantRow, LeafRow,
    LeafStatus, ListPage, Loaded, Meta, Position, RecordRow, RecordState, ScanItem, ScanPage, StoreId, Stub,
};
pub use transaction::Transaction;

/// How much one read may return.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub entries: usize,
    /// Bytes of changes. A page holds at least one entry, however large.
    pub bytes: usize,
}

/// What [`Read::list`] returns: records of one kind (or all), in id order, after a given one.
#[derive(Clone, Debug)]
pub struct ListQuery {
    pub kind: Option<String>,
    /// Only records that refer to this one.
    pub refers_to: Option<RecordId>,
    pub after: Option<RecordId>,
    pub limit: usize,
    /// Bytes of views. A page holds at least one row, however large.
    pub bytes: usize,
}

/// What [`Read::conflicts`] returns: open conflicts in id order, after a given one.
#[derive(Clone, Debug)]
pub struct ConflictQuery {
    pub kind: Option<String>,
    /// Only those that have this record as an anchor.
    pub anchor: Option<RecordId>,
    pub after: Option<[u8; 32]>,
    pub limit: usize,
    /// Bytes of bodies. A page holds at least one, however large.
    pub bytes: usize,
}

impl Default for ListQuery {
    /// Any, as many as there are.
    fn default() -> Self {
        ListQuery { kind: None, refers_to: None, after: None, limit: usize::MAX, bytes: usize::MAX }
    }
}

impl Default for ConflictQuery {
    /// Any, as many as there are.
    fn default() -> Self {
        ConflictQuery { kind: None, anchor: None, after: None, limit: usize::MAX, bytes: usize::MAX }
    }
}

/// Reads see only what is durable, and each call sees one state of the store.
pub trait Read: Send + Sync {
    /// Who this store is, and where its feed stands.
    fn meta(&self) -> impl Future<Output = Result<Meta, StoreError>> + Send;
    /// All directory entries, in order.
    fn directory(&self) -> impl Future<Output = Result<Vec<Vec<u8>>, StoreError>> + Send;
    /// Rows with their leaves and grants (in feed order), in the order asked for and each once. Unknown records are left out.
    fn load(&self, ids: &[RecordId]) -> impl Future<Output = Result<Vec<Loaded>, StoreError>> + Send;
    /// The records that refer to any of these: (target, source), in order.
    fn referring(
        &self,
        targets: &[RecordId],
    ) -> impl Future<Output = Result<Vec<(RecordId, RecordId)>, StoreError>> + Send;
    /// Feed entries after a position, in order, with what sending them takes.
    fn feed(&self, after: Position, budget: Budget) -> impl Future<Output = Result<FeedPage, StoreError>> + Send;
    /// All leaves and grants of some records, in feed order, as feed items; nothing for records that are stubs, erased or
    /// unknown.
    fn leaves_of(&self, ids: &BTreeSet<RecordId>) -> impl Future<Output = Result<FeedPage, StoreError>> + Send;
    /// Rows in id order after a given one: what sums and reconciliation are made from.
    fn scan(&self, after: Option<RecordId>, limit: usize) -> impl Future<Output = Result<ScanPage, StoreError>> + Send;
    /// As [`Read::scan`], of those alone that have grants.
    fn granted(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ScanItem>, StoreError>> + Send;
    fn record(&self, id: RecordId) -> impl Future<Output = Result<Option<RecordRow>, StoreError>> + Send;
    /// Records whose id begins with these bytes, at most 2: for people who type a short id.
    fn by_prefix(&self, prefix: &str) -> impl Future<Output = Result<Vec<RecordId>, StoreError>> + Send;
    /// Rows in any state: who lists for people's day-to-day views leaves out all but what is present.
    fn list(&self, query: &ListQuery) -> impl Future<Output = Result<ListPage, StoreError>> + Send;
    /// Leaves of one record after a position, in feed order, and whether there are more. What cannot be read of one is empty.
    fn history(
        &self,
        id: RecordId,
        after: Position,
        budget: Budget,
    ) -> impl Future<Output = Result<(Vec<LeafRow>, bool), StoreError>> + Send;
    fn conflicts(&self, query: &ConflictQuery) -> impl Future<Output = Result<ConflictPage, StoreError>> + Send;
    /// Which open conflicts have one of these records as an anchor, in order and without their bodies, each with all its
    /// anchors.
    fn conflict_ids(&self, anchors: &[RecordId]) -> impl Future<Output = Result<Vec<ConflictRef>, StoreError>> + Send;
    /// Open conflicts that have one of these records as an anchor.
    fn conflicts_of(&self, anchors: &[RecordId]) -> impl Future<Output = Result<Vec<ConflictRow>, StoreError>> + Send;
    /// How far this node has received the feed of another store, by any link.
    fn cursor(&self, peer: StoreId) -> impl Future<Output = Result<Option<Cursor>, StoreError>> + Send;
    /// Records with waiting leaves.
    fn wants(&self, limit: usize) -> impl Future<Output = Result<Vec<RecordId>, StoreError>> + Send;
    /// Records hidden at or before a position: their exit is complete once a superior has everything up to there.
    fn hidden(&self, up_to: Position) -> impl Future<Output = Result<Vec<RecordId>, StoreError>> + Send;
    /// For each of these commands that has an answer, the first that was stored.
    fn commands(&self, ids: &[CommandId])
    -> impl Future<Output = Result<Vec<(CommandId, Vec<u8>)>, StoreError>> + Send;
    /// The last commit known of an author, over all incarnations: (incarnation, seq, commit).
    fn last_commit(
        &self,
        author: NodeId,
    ) -> impl Future<Output = Result<Option<(Incarnation, u64, CommitId)>, StoreError>> + Send;
    /// The last commit of each incarnation of an author, by incarnation.
    fn chains_of(
        &self,
        author: NodeId,
    ) -> impl Future<Output = Result<Vec<(Incarnation, u64, CommitId)>, StoreError>> + Send;
    /// The encoded commits at these places, in no order: more than one at a place that its author signed twice for.
    fn commits_at(
        &self,
        places: &[(NodeId, Incarnation, u64)],
    ) -> impl Future<Output = Result<Vec<Arc<[u8]>>, StoreError>> + Send;
    /// The newest first, below a number: a page of a list, which has no need of the bytes.
    fn quarantined(
        &self,
        below: Option<u64>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Quarantined>, StoreError>> + Send;
    /// The newest first, with their bytes.
    fn quarantine(&self, limit: usize) -> impl Future<Output = Result<Vec<QuarantineRow>, StoreError>> + Send;
    /// Rows of the quarantine whose id begins with these hex digits, with their bytes, at most 2: for people who type a
    /// short id.
    fn quarantined_by_prefix(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<QuarantineRow>, StoreError>> + Send;
    /// The records, present or hidden, that hold a leaf of this author, in id order. It looks at the whole feed.
    fn written_by(&self, author: NodeId) -> impl Future<Output = Result<Vec<RecordId>, StoreError>> + Send;
    /// All statements, ordered by hash.
    fn statements(&self) -> impl Future<Output = Result<Vec<StatementRow>, StoreError>> + Send;
    /// Those about one subject, ordered by hash.
    fn statements_about(&self, subject: [u8; 32])
    -> impl Future<Output = Result<Vec<StatementRow>, StoreError>> + Send;
    /// Rows of the audit log after a seq, in order.
    fn audit(&self, after: u64, limit: usize) -> impl Future<Output = Result<Vec<AuditRow>, StoreError>> + Send;
    /// Seq and hash of the last row of the audit log.
    fn audit_head(&self) -> impl Future<Output = Result<Option<(u64, [u8; 32])>, StoreError>> + Send;
    /// Stranded edits that are open, the newest first.
    fn stranded(&self, limit: usize) -> impl Future<Output = Result<Vec<StrandedRow>, StoreError>> + Send;
    /// One in any state.
    fn stranded_one(&self, leaf: LeafHash) -> impl Future<Output = Result<Option<StrandedRow>, StoreError>> + Send;
    /// Seats of which nothing new is taken, in order.
    fn declined(&self) -> impl Future<Output = Result<Vec<SeatId>, StoreError>> + Send;
    /// Counts for status: (records present, leaves, commits, open conflicts, quarantined).
    fn counts(&self) -> impl Future<Output = Result<row::Counts, StoreError>> + Send;
}

/// One transaction at a time; when it returns, it is durable, whole, and visible to reads.
pub trait Write: Read {
    /// Everything or nothing. Feed positions in it follow the head without a gap.
    fn apply(&self, transaction: &Transaction) -> impl Future<Output = Result<(), StoreError>> + Send;
}
