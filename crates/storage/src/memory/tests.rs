//! The in-memory store keeps what every store promises, and what the simulator needs beside.

use std::future::Future;

use heliu_trust::id::Incarnation;

use crate::conformance::Harness;
use crate::conformance::sample::{ALL, AUTHOR, FIRST, SECOND, STORE, commit, contents, edit, id, row};
use crate::memory::MemoryStore;
use crate::{Cursor, ReadFeed as _, ReadMeta as _, ReadRecords as _, Store as _, StoreError, StoreId, Transaction};

struct InMemory;

impl Harness for InMemory {
    type Store = MemoryStore;

    async fn create(&self, store: StoreId, incarnation: Incarnation) -> MemoryStore {
        MemoryStore::open(store, incarnation)
    }

    async fn reopen(&self, store: MemoryStore, incarnation: Incarnation) -> Result<MemoryStore, StoreError> {
        store.reopen(incarnation)?;
        Ok(store)
    }
}

fn run(future: impl Future<Output = ()>) {
    futures::executor::block_on(future);
}

crate::conformance_suite!(run, InMemory);

#[test]
fn a_restored_copy_goes_its_own_way() {
    run(async {
        let store = MemoryStore::open(STORE, FIRST);
        store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2])).await.expect("applies");
        let backup = store.fork();
        let before = contents(&backup).await;
        store.apply(&edit(2, &commit(AUTHOR, 2), &[1, 3])).await.expect("applies");
        assert_eq!(contents(&backup).await, before);

        backup.reopen(SECOND).expect("a new incarnation");
        backup.apply(&edit(2, &commit(AUTHOR, 3), &[4, 5])).await.expect("applies");
        let cursor = Cursor { store: STORE, incarnation: FIRST, position: 4 };
        assert!(store.meta().await.expect("reads").honours(&cursor));
        assert!(!backup.meta().await.expect("reads").honours(&cursor), "its 4 is another 4");
        assert!(store.record(id(4)).await.expect("reads").is_none());
        assert_eq!(store.feed(0, ALL).await.expect("reads").items.len(), 4);
    });
}

#[test]
fn a_failure_on_demand_happens_once_or_until_it_is_over_and_writes_nothing() {
    run(async {
        let store = MemoryStore::open(STORE, FIRST);
        store.fail_next(StoreError::Full { path: "memory".into() });
        let write = Transaction { records: vec![row(1, 1)], ..Transaction::default() };
        assert!(matches!(store.apply(&write).await, Err(StoreError::Full { .. })));
        assert_eq!(store.record(id(1)).await.expect("reads"), None);
        store.fail(Some(StoreError::Full { path: "memory".into() }));
        for _ in 0..2 {
            assert!(matches!(store.apply(&write).await, Err(StoreError::Full { .. })));
        }
        assert_eq!(store.record(id(1)).await.expect("reads"), None);
        store.fail(None);
        store.apply(&write).await.expect("applies");
    });
}
