//! The storage port: what a node keeps, as plain rows, and the traits by which it is written and read. A node holds its store
//! as a `dyn` [`Store`], so that a second one is a crate that implements these traits and nothing else.
//!
//! Records' bytes, commits, grants, statements and directory entries are opaque here. The rules a store must keep are in `conformance`, one
//! suite that every store runs; `memory` is the store of the simulator. Both are there with the feature `testing` alone.
//!
//! Bottom up: `error`, `row`, `scopes`, `ledger`, `query`, `transaction`, `read`, `memory`, `conformance`.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod error;
mod ledger;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod query;
mod read;
pub mod row;
mod scopes;
mod transaction;

use async_trait::async_trait;

pub use error::StoreError;
pub use ledger::{
    AuditRow, ConflictPage, ConflictRef, ConflictRow, QuarantineRow, Quarantined, StatementRow, StrandedRow,
    StrandedState,
};
pub use query::{Budget, ConflictQuery, ListQuery};
pub use read::{
    Read, ReadAudit, ReadCommands, ReadCommits, ReadConflicts, ReadDirectory, ReadFeed, ReadMeta, ReadQuarantine,
    ReadRecords, ReadStatements, ReadStranded,
};
pub use row::{
    CommandId, Cursor, DamagedEntry, DamagedRow, FeedEntry, FeedItem, FeedPage, GrantHash, GrantRow, LeafRow,
    LeafStatus, ListPage, Loaded, Meta, Position, RecordRow, RecordState, ScanItem, ScanPage, Standing, StoreId, Stub,
    Unjudged, UnjudgedRow,
};
pub use scopes::{ScopeRow, ScopesChange, ScopesMark, Tally, scope_bytes, scope_key};
pub use transaction::Transaction;

/// A store of a node.
#[async_trait]
pub trait Store: Read {
    /// Everything or nothing. One transaction at a time; when it returns, it is durable, whole, and visible to reads. Feed
    /// positions in it follow the head without a gap.
    async fn apply(&self, transaction: &Transaction) -> Result<(), StoreError>;
    /// Tidies up, and lets another process in. Later calls fail. (Without it nothing is lost that was said to be durable.)
    async fn close(&self) -> Result<(), StoreError>;
}
