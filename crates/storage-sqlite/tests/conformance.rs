//! The SQLite store keeps what every store promises. A crash, here, is a store dropped without being closed.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use heliu_storage::conformance::Harness;
use heliu_storage::{StoreError, StoreId};
use heliu_storage_sqlite::{Options, SqliteStore};
use heliu_trust::id::Incarnation;

struct OnDisk {
    directory: tempfile::TempDir,
    made: AtomicU32,
}

impl OnDisk {
    fn new() -> Self {
        OnDisk { directory: tempfile::tempdir().expect("a temporary directory"), made: AtomicU32::new(0) }
    }
}

impl Harness for OnDisk {
    type Store = SqliteStore;

    async fn create(&self, store: StoreId, incarnation: Incarnation) -> SqliteStore {
        let path = self.directory.path().join(self.made.fetch_add(1, Ordering::Relaxed).to_string());
        SqliteStore::open(path, Options::new(store, incarnation)).await.expect("a new store")
    }

    async fn reopen(&self, store: SqliteStore, incarnation: Incarnation) -> Result<SqliteStore, StoreError> {
        let path = store.path().to_owned();
        drop(store);
        // The identity is the one of the file, whatever is given here.
        SqliteStore::open(path, Options::new(StoreId([0; 16]), incarnation)).await
    }
}

fn run(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future);
}

heliu_storage::conformance_suite!(run, OnDisk::new());
