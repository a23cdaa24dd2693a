//! What is asked of a store, in groups by who asks: whoever needs one of them takes that trait and sees no more. Reads see
//! only what is durable, and each call sees one state of the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_trust::id::{CommitId, Incarnation, NodeId};

use crate::listing::{Found, Query};
use crate::row::Counts;
use crate::{
    AuditRow, Budget, CommandId, ConflictPage, ConflictQuery, ConflictRef, ConflictRow, Cursor, FeedPage, LeafRow,
    ListPage, ListQuery, Loaded, Meta, Position, QuarantineRow, Quarantined, RecordRow, ScanItem, ScanPage, ScopeRow,
    StatementRow, StoreError, StoreId, StrandedRow, UnjudgedRow,
};

/// Who a store is and where it stands: for starts, status and links.
#[async_trait]
pub trait ReadMeta: Send + Sync {
    /// Who this store is, and where its feed stands.
    async fn meta(&self) -> Result<Meta, StoreError>;
    /// Counts for status: (records present, leaves, commits, open conflicts, quarantined).
    async fn counts(&self) -> Result<Counts, StoreError>;
    /// How far this node has received the feed of another store, by any link.
    async fn cursor(&self, peer: StoreId) -> Result<Option<Cursor>, StoreError>;
}

/// The log of seats and nodes, and of whom nothing new is taken: for starts.
#[async_trait]
pub trait ReadDirectory: Send + Sync {
    /// All directory entries, in order.
    async fn directory(&self) -> Result<Vec<Vec<u8>>, StoreError>;
    /// Seats of which nothing new is taken, in order.
    async fn declined(&self) -> Result<Vec<SeatId>, StoreError>;
}

/// Records as rows, and whole with all that is theirs: for the engine's batches, comparisons and patrols, and for
/// people's lists.
#[async_trait]
pub trait ReadRecords: Send + Sync {
    /// Rows with their leaves and grants (in feed order), in the order asked for and each once. Unknown records are left out.
    async fn load(&self, ids: &[RecordId]) -> Result<Vec<Loaded>, StoreError>;
    /// The records that refer to any of these: (target, source), in order.
    async fn referring(&self, targets: &[RecordId]) -> Result<Vec<(RecordId, RecordId)>, StoreError>;
    /// Rows in id order after a given one: what sums and reconciliation are made from.
    async fn scan(&self, after: Option<RecordId>, limit: usize) -> Result<ScanPage, StoreError>;
    /// As [`ReadRecords::scan`], of those alone that name this scope, in an order of the store's own. A row that is not what was
    /// written may not be among them: a scan tells of it.
    async fn scan_scope(&self, scope: &Scope, after: Option<RecordId>, limit: usize) -> Result<ScanPage, StoreError>;
    /// As [`ReadRecords::scan`], of those alone that have grants.
    async fn granted(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<ScanItem>, StoreError>;
    /// What is kept of records by the scopes that they name, in order; none if that is not, as a whole, what was written with
    /// the last entry of the feed: then it has to be counted from the rows.
    async fn scopes(&self) -> Result<Option<Vec<ScopeRow>>, StoreError>;
    /// The records, present or hidden, whose scope names one of these seats, in id order. It may look at every row.
    async fn naming(&self, seats: &BTreeSet<SeatId>) -> Result<Vec<RecordId>, StoreError>;
    async fn record(&self, id: RecordId) -> Result<Option<RecordRow>, StoreError>;
    /// Records whose id begins with these bytes, at most 2: for people who type a short id.
    async fn by_prefix(&self, prefix: &str) -> Result<Vec<RecordId>, StoreError>;
    /// Rows in any state: who lists for people's day-to-day views leaves out all but what is present.
    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError>;
    /// Records with waiting leaves: those after a given one, and round again from the first.
    async fn wants(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<RecordId>, StoreError>;
    /// Records with leaves that could not be judged, in the same order. What is not what was written is left out: a scan tells
    /// of it.
    async fn unjudged(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<UnjudgedRow>, StoreError>;
    /// Records hidden at or before a position: their exit is complete once a superior has everything up to there.
    async fn hidden(&self, up_to: Position) -> Result<Vec<RecordId>, StoreError>;
    /// The records, present or hidden, that hold a leaf of this author, in id order. It looks at the whole feed.
    async fn written_by(&self, author: NodeId) -> Result<Vec<RecordId>, StoreError>;
}

/// Leaves and grants in the order in which they came: for links, and for who looks at a record's past.
#[async_trait]
pub trait ReadFeed: Send + Sync {
    /// Feed entries after a position, in order, with what sending them takes.
    async fn feed(&self, after: Position, budget: Budget) -> Result<FeedPage, StoreError>;
    /// All leaves and grants of some records, in feed order, as feed items; nothing for records that are stubs, erased or
    /// unknown.
    async fn leaves_of(&self, ids: &BTreeSet<RecordId>) -> Result<FeedPage, StoreError>;
    /// Leaves of one record after a position, in feed order, and whether there are more. What cannot be read of one is empty.
    async fn history(&self, id: RecordId, after: Position, budget: Budget) -> Result<(Vec<LeafRow>, bool), StoreError>;
}

/// Signed commits by their place in an author's chain: for links and fences.
#[async_trait]
pub trait ReadCommits: Send + Sync {
    /// The last commit known of an author, over all incarnations: (incarnation, seq, commit).
    async fn last_commit(&self, author: NodeId) -> Result<Option<(Incarnation, u64, CommitId)>, StoreError>;
    /// The last commit of each incarnation of an author, by incarnation.
    async fn chains_of(&self, author: NodeId) -> Result<Vec<(Incarnation, u64, CommitId)>, StoreError>;
    /// The encoded commits at these places, in no order: more than one at a place that its author signed twice for.
    async fn commits_at(&self, places: &[(NodeId, Incarnation, u64)]) -> Result<Vec<Arc<[u8]>>, StoreError>;
}

/// Open conflicts: for the engine's batches and for people's lists.
#[async_trait]
pub trait ReadConflicts: Send + Sync {
    async fn conflicts(&self, query: &ConflictQuery) -> Result<ConflictPage, StoreError>;
    /// Which open conflicts have one of these records as an anchor, in order and without their bodies, each with all its
    /// anchors.
    async fn conflict_ids(&self, anchors: &[RecordId]) -> Result<Vec<ConflictRef>, StoreError>;
    /// Open conflicts that have one of these records as an anchor.
    async fn conflicts_of(&self, anchors: &[RecordId]) -> Result<Vec<ConflictRow>, StoreError>;
}

/// Answers that were given: for commands that come again.
#[async_trait]
pub trait ReadCommands: Send + Sync {
    /// For each of these commands that has an answer, the first that was stored.
    async fn commands(&self, ids: &[CommandId]) -> Result<Vec<(CommandId, Vec<u8>)>, StoreError>;
}

/// What was refused: for operators.
#[async_trait]
pub trait ReadQuarantine: Send + Sync {
    /// How many rows there are.
    async fn quarantine_len(&self) -> Result<u64, StoreError>;
    /// The newest first, below a number: a page of a list, which has no need of the bytes.
    async fn quarantined(&self, below: Option<u64>, limit: usize) -> Result<Vec<Quarantined>, StoreError>;
    /// The newest first, with their bytes.
    async fn quarantine(&self, limit: usize) -> Result<Vec<QuarantineRow>, StoreError>;
    /// Rows of the quarantine whose id begins with these hex digits, with their bytes, at most 2: for people who type a
    /// short id.
    async fn quarantined_by_prefix(&self, prefix: &str) -> Result<Vec<QuarantineRow>, StoreError>;
}

/// Honest edits that lost what they built on: for who decides on them.
#[async_trait]
pub trait ReadStranded: Send + Sync {
    /// Stranded edits that are open, the newest first.
    async fn stranded(&self, limit: usize) -> Result<Vec<StrandedRow>, StoreError>;
    /// One in any state.
    async fn stranded_one(&self, leaf: LeafHash) -> Result<Option<StrandedRow>, StoreError>;
}

/// What nodes have stated: for starts.
#[async_trait]
pub trait ReadStatements: Send + Sync {
    /// All statements, ordered by hash.
    async fn statements(&self) -> Result<Vec<StatementRow>, StoreError>;
    /// Those about one subject, ordered by hash.
    async fn statements_about(&self, subject: [u8; 32]) -> Result<Vec<StatementRow>, StoreError>;
}

/// The audit log: for auditors.
#[async_trait]
pub trait ReadAudit: Send + Sync {
    /// Rows of the audit log after a seq, in order.
    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError>;
    /// Seq and hash of the last row of the audit log.
    async fn audit_head(&self) -> Result<Option<(u64, [u8; 32])>, StoreError>;
}

/// What is listed of records: for people who look for some of many.
#[async_trait]
pub trait ReadListing: Send + Sync {
    /// What fits, a page of it, and how many there are; none while not all records are listed, and what would be told were not
    /// true. See [`crate::Store::relist`].
    async fn query(&self, query: &Query) -> Result<Option<Found>, StoreError>;
}

/// All of them.
pub trait Read:
    ReadMeta
    + ReadDirectory
    + ReadRecords
    + ReadListing
    + ReadFeed
    + ReadCommits
    + ReadConflicts
    + ReadCommands
    + ReadQuarantine
    + ReadStranded
    + ReadStatements
    + ReadAudit
{
}

impl<T> Read for T where
    T: ReadMeta
        + ReadDirectory
        + ReadRecords
        + ReadListing
        + ReadFeed
        + ReadCommits
        + ReadConflicts
        + ReadCommands
        + ReadQuarantine
        + ReadStranded
        + ReadStatements
        + ReadAudit
{
}
