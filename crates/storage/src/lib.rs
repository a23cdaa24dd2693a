//! The storage port: what a node keeps, as plain rows, and the traits by which it is written and read. A node holds its store
//! as a `dyn` [`Store`], so that a second one is a crate that implements these traits and nothing else.
//!
//! Records' bytes, commits, grants, statements and directory entries are opaque here. The rules a store must keep are in `conformance`, one
//! suite that every store runs; `memory` is the store of the simulator. Both are there with the feature `testing` alone.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod ledger;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod read;
pub mod row;
mod transaction;

use async_trait::async_trait;
use heliu_record::id::RecordId;
use heliu_record::reason::{Fact, Reason};

pub use ledger::{
    AuditRow, ConflictPage, ConflictRef, ConflictRow, QuarantineRow, Quarantined, StatementRow, StrandedRow,
    StrandedState,
};
pub use read::{
    Read, ReadAudit, ReadCommands, ReadCommits, ReadConflicts, ReadDirectory, ReadFeed, ReadMeta, ReadQuarantine,
    ReadRecords, ReadStatements, ReadStranded,
};
pub use row::{
    CommandId, Cursor, DamagedEntry, DamagedRow, FeedEntry, FeedItem, FeedPage, GrantHash, GrantRow, LeafRow,
    LeafStatus, ListPage, Loaded, Meta, Position, RecordRow, RecordState, ScanItem, ScanPage, StoreId, Stub,
};
pub use transaction::Transaction;

/// Why a store could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full. Nothing was written; writing can go on once there is space.
    #[error("no space left where {path} is kept: free some, then it goes on by itself")]
    Full { path: String },
    /// The store is as large as it may be. Nothing was written; writing can go on with a larger quota.
    #[error("{path} has reached its quota of {mib} MiB (store.quota_mib)")]
    Quota { path: String, mib: u64 },
    /// Another process has this store open.
    #[error("{path} is in use by another process: stop that one first, or give this one a directory of its own")]
    InUse { path: String },
    /// The store was written by a version that this one does not know.
    #[error("{path} has format version {found}, this program knows up to {known}: use a newer heliu")]
    TooNew { path: String, found: u32, known: u32 },
    /// What was read is not what was written.
    #[error("damaged data in {what}: {detail}")]
    Damaged { what: &'static str, detail: String },
    #[error("{what}: {detail}")]
    Io { what: &'static str, detail: String },
}

impl StoreError {
    /// As people are told of it. What the system or SQLite said is for the log.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            StoreError::Full { path } => Reason::new("store.full").and(Fact::File, path),
            StoreError::Quota { path, mib } => {
                Reason::new("store.quota").and(Fact::File, path).and(Fact::QuotaMib, mib)
            }
            StoreError::InUse { path } => Reason::new("store.in-use").and(Fact::File, path),
            StoreError::TooNew { path, found, known } => {
                Reason::new("store.too-new").and(Fact::File, path).and(Fact::Found, found).and(Fact::Expected, known)
            }
            StoreError::Damaged { .. } => Reason::new("store.damaged"),
            StoreError::Io { .. } => Reason::new("store.io"),
        }
    }
}

/// How much one read may return.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub entries: usize,
    /// Bytes of changes. A page holds at least one entry, however large.
    pub bytes: usize,
}

/// What [`ReadRecords::list`] returns: records of one kind (or all), in id order, after a given one.
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

/// What [`ReadConflicts::conflicts`] returns: open conflicts in id order, after a given one.
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

/// A store of a node.
#[async_trait]
pub trait Store: Read {
    /// Everything or nothing. One transaction at a time; when it returns, it is durable, whole, and visible to reads. Feed
    /// positions in it follow the head without a gap.
    async fn apply(&self, transaction: &Transaction) -> Result<(), StoreError>;
    /// Tidies up, and lets another process in. Later calls fail. (Without it nothing is lost that was said to be durable.)
    async fn close(&self) -> Result<(), StoreError>;
}
