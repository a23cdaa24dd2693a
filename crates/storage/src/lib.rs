//! The storage port: what a node keeps, as plain rows, and the traits by which it is written and read. A node holds its store
//! as a `dyn` [`Store`], so that a second one is a crate that implements these traits and nothing else.
//!
//! Records' bytes, commits, grants, statements and directory entries are opaque here. The rules a store must keep are in `conformance`, one
//! suite that every store runs; `memory` is the store of the simulator. Both are there with the feature `testing` alone.
//!
//! Bottom up: `error`, `row`, `scopes`, `ledger`, `listing`, `query`, `transaction`, `read`, `books`, `memory`, `conformance`.

pub mod books;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
mod error;
mod ledger;
pub mod listing;
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
pub use listing::{Listed, Relisted};
pub use query::{Budget, ConflictQuery, ListQuery};
pub use read::{
    Read, ReadAudit, ReadCommands, ReadCommits, ReadConflicts, ReadDirectory, ReadFeed, ReadListing, ReadMeta,
    ReadQuarantine, ReadRecords, ReadStatements, ReadStranded,
};
pub use row::{
    CommandId, Cursor, DamagedEntry, DamagedRow, FeedEntry, FeedItem, FeedPage, GrantHash, GrantRow, LeafRow,
    LeafStatus, ListPage, Loaded, Meta, Position, RecordRow, RecordState, ScanItem, ScanPage, Standing, StoreId, Stub,
    Unjudged, UnjudgedRow,
};
pub use scopes::{ScopeRow, ScopesChange, ScopesMark, Tally, scope_bytes, scope_key};
pub use transaction::Transaction;

/// What is listed of a record, by its row.
pub type Cells = dyn Fn(&RecordRow) -> Vec<heliu_record::listing::Cell> + Send + Sync;

/// A store of a node.
#[async_trait]
pub trait Store: Read {
    /// Everything or nothing. One transaction at a time; when it returns, it is durable, whole, and visible to reads. Feed
    /// positions in it follow the head without a gap.
    async fn apply(&self, transaction: &Transaction) -> Result<(), StoreError>;
    /// Lists more records anew, at most so many, each by what `cells` makes of its row, and says how far it has come: nothing is
    /// done where all are listed, and listed so. What an earlier `stamp` has listed, or nobody vouches for, goes first. It is
    /// one transaction; [`Store::apply`] may be called in between, and keeps what is listed as it says.
    async fn relist(&self, stamp: [u8; 16], limit: usize, cells: &Cells) -> Result<Relisted, StoreError>;
    /// Tidies up, and lets another process in. Later calls fail. (Without it nothing is lost that was said to be durable.)
    async fn close(&self) -> Result<(), StoreError>;
}
