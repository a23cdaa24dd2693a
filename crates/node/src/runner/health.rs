//! Whether the node's store takes writes. What follows when it takes none is in `recovery`.

use heliu_storage::StoreError;
use tokio::time::Instant;

/// Where the node stands with its store.
pub(super) enum Health {
    Well {
        since: Instant,
    },
    /// The engine has failed. Nothing is written before a new one has been made from the store.
    Failed {
        error: StoreError,
        retry_at: Option<Instant>,
    },
}
