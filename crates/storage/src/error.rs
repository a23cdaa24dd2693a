//! Why a store could not do what it was asked, in words for who runs it.

use heliu_record::reason::{Fact, Reason};

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
