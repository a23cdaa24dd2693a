//! What is special about a store in a file: who has it open, which version it has, a full disk, copies, bit rot.

use std::future::Future;
use std::path::Path;
use std::task::{Context, Waker};

use heliu_storage::conformance::sample::{ALL, AUTHOR, FIRST, OTHER, SECOND, STORE, commit, contents, edit, id, row};
use heliu_storage::{
    Budget, Cursor, ReadFeed as _, ReadMeta as _, ReadRecords as _, Store as _, StoreError, Transaction,
};
use heliu_storage_sqlite::{FORMAT_VERSION, Options, SqliteStore};
use heliu_trust::id::Incarnation;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

async fn open(path: &Path, incarnation: Incarnation) -> SqliteStore {
    SqliteStore::open(path, Options::new(STORE, incarnation)).await.expect("opens")
}

/// Changes the file behind the store's back.
async fn meddle(path: &Path, sql: &str) {
    let mut connection = SqliteConnectOptions::new()
        .filename(path.join("heliu.db"))
        .create_if_missing(true)
        .connect()
        .await
        .expect("connects");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("runs");
    sqlx::Connection::close(connection).await.expect("closes");
}

#[tokio::test]
async fn a_second_opening_is_refused_until_the_first_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), FIRST).await;
    let second = SqliteStore::open(directory.path(), Options::new(STORE, SECOND)).await;
    assert!(matches!(second, Err(StoreError::InUse { path }) if path == directory.path().display().to_string()));
    store.close().await.expect("closes");
    assert!(store.meta().await.is_ok(), "what is in memory is still told");
    assert!(store.record(id(1)).await.is_err(), "a closed store reads nothing");
    assert!(store.apply(&edit(0, &commit(AUTHOR, 1), &[1])).await.is_err(), "and writes nothing");
    open(directory.path(), SECOND).await;
}

#[tokio::test]
async fn closing_writes_the_log_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), FIRST).await;
    store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2])).await.expect("applies");
    let before = contents(&store).await;
    store.close().await.expect("closes");
    let left: Vec<_> =
        std::fs::read_dir(directory.path()).expect("lists").map(|e| e.expect("lists").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("-wal")), "{left:?}");
    assert_eq!(contents(&open(directory.path(), SECOND).await).await, before);
}

#[tokio::test]
async fn a_newer_format_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    open(directory.path(), FIRST).await.close().await.expect("closes");
    meddle(directory.path(), "PRAGMA user_version = 99").await;
    let newer = SqliteStore::open(directory.path(), Options::new(STORE, SECOND)).await;
    assert!(matches!(newer, Err(StoreError::TooNew { found: 99, known: FORMAT_VERSION, .. })));
    meddle(directory.path(), &format!("PRAGMA user_version = {FORMAT_VERSION}")).await;
    assert_eq!(open(directory.path(), SECOND).await.meta().await.expect("reads").incarnations.len(), 2);
}

#[tokio::test]
async fn a_file_of_somebody_else_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    meddle(directory.path(), "CREATE TABLE theirs (a); PRAGMA application_id = 7").await;
    let other = SqliteStore::open(directory.path(), Options::new(STORE, FIRST)).await;
    assert!(matches!(other, Err(StoreError::Damaged { .. })));
    std::fs::write(directory.path().join("heliu.db"), vec![b'x'; 10_000]).expect("writes");
    let noise = SqliteStore::open(directory.path(), Options::new(STORE, FIRST)).await;
    assert!(matches!(noise, Err(StoreError::Damaged { .. })));
}

#[tokio::test]
async fn a_quota_that_is_reached_refuses_whole_transactions_and_passes() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options { max_pages: Some(200), ..Options::new(STORE, FIRST) };
    let store = SqliteStore::open(directory.path(), options).await.expect("opens");
    let numbers: Vec<u64> = (0..100).collect();
    let (mut head, mut seq, mut before) = (0, 0, contents(&store).await);
    let full = loop {
        seq += 1;
        let mut transaction = edit(head, &commit(AUTHOR, seq), &numbers);
        transaction.directory = vec![vec![1; 60_000]];
        match store.apply(&transaction).await {
            Ok(()) => (head, before) = (head + 100, contents(&store).await),
            Err(error) => break error,
        }
        assert!(seq < 1_000, "200 pages never became full");
    };
    // There is room on this disk: nobody is told to make some.
    assert!(matches!(full, StoreError::Quota { mib: 1, .. }), "{full:?}");
    assert_eq!(contents(&store).await, before, "nothing of it is there");
    assert_eq!(store.meta().await.expect("reads").head, head);
    let dropped = Transaction {
        records: numbers.iter().map(|n| heliu_storage::conformance::sample::stub(*n)).collect(),
        dropped: numbers.iter().map(|n| id(*n)).collect(),
        ..Transaction::default()
    };
    store.apply(&dropped).await.expect("making space is possible");
    store.apply(&edit(head, &commit(AUTHOR, 2_000), &numbers)).await.expect("and then writing");
    drop(store);

    let store = open(directory.path(), SECOND).await;
    store.apply(&edit(head + 100, &commit(AUTHOR, 2_001), &numbers)).await.expect("a larger quota");
    assert_eq!(store.feed(0, ALL).await.expect("reads").items.len(), 200);
    store.verify().await.expect("the file is whole");
}

#[tokio::test]
async fn a_transaction_whose_caller_went_away_is_whole_or_gone() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), FIRST).await;
    let numbers: Vec<u64> = (0..100).collect();
    // Given up after one step, after two, after four, until one comes to its end.
    for steps in (0..).map(|doubled: u32| 1u64 << doubled) {
        let head = store.meta().await.expect("reads").head;
        let transaction = edit(head, &commit(OTHER, steps), &numbers);
        let mut apply = Box::pin(store.apply(&transaction));
        let mut is_done = false;
        for _ in 0..steps {
            is_done |= apply.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            if is_done {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(apply);
        let after = contents(&store).await;
        assert_eq!(after.counts.leaves, after.head.1, "no position without its leaf");
        assert!([head, head + 100].contains(&after.head.1), "whole or gone");
        if is_done {
            assert!(steps > 3, "it was never given up half-way");
            return;
        }
    }
}

#[tokio::test]
async fn a_copy_of_the_files_is_another_life() {
    let (directory, elsewhere) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let store = open(directory.path(), FIRST).await;
    store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2, 3])).await.expect("applies");
    for file in ["heliu.db", "heliu.db-wal"] {
        std::fs::copy(directory.path().join(file), elsewhere.path().join(file)).expect("copies");
    }
    let before = contents(&store).await;
    store.apply(&edit(3, &commit(AUTHOR, 2), &[4, 5])).await.expect("applies");
    let cursor = Cursor { store: STORE, incarnation: FIRST, position: 5 };
    assert!(store.meta().await.expect("reads").honours(&cursor));

    let copy = open(elsewhere.path(), SECOND).await;
    assert_eq!(contents(&copy).await, before, "without having been closed");
    assert!(!copy.meta().await.expect("reads").honours(&cursor), "the copy never reached 5");
    copy.apply(&edit(3, &commit(AUTHOR, 3), &[6, 7, 8])).await.expect("applies");
    let meta = copy.meta().await.expect("reads");
    assert!(!meta.honours(&cursor), "and its own 5 is another");
    assert!(meta.honours(&Cursor { position: 3, ..cursor }));
    assert!(meta.honours(&Cursor { incarnation: SECOND, position: 6, ..cursor }));
}

#[tokio::test]
async fn damage_names_the_table_and_the_row() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), FIRST).await;
    store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2, 3])).await.expect("applies");
    for (table, change, says) in [
        ("feed", "UPDATE feed SET hash = x'00' WHERE position = 2", "feed: row 2:"),
        ("feed", "UPDATE feed SET status = 9 WHERE position = 2", "feed: row 2:"),
        ("feed", "UPDATE feed SET kind_version = -1 WHERE position = 2", "feed: row 2:"),
        ("records", "UPDATE records SET scope = x'0055' WHERE key = 2", &format!("records: row {}:", id(2))),
        ("records", "DELETE FROM records WHERE key = 2", "feed: row 2: there is no record"),
        ("commits", "DELETE FROM commits", "feed: row 1: its commit is not here"),
    ] {
        meddle(directory.path(), &format!("CREATE TABLE saved AS SELECT * FROM {table}; {change}")).await;
        let page = store.feed(0, ALL).await.expect(change);
        let told = &page.damaged[0].detail;
        assert!(told.contains(says), "{change}: {told}");
        let read: Vec<u64> = page.items.iter().map(|item| item.entry.position()).collect();
        let lost: Vec<u64> = page.damaged.iter().map(|entry| entry.position).collect();
        let all = if table == "commits" { (vec![], vec![1, 2, 3]) } else { (vec![1, 3], vec![2]) };
        assert_eq!(((read, lost), page.through), (all, 3), "{change}: the others are read");
        let mut positions = Vec::new();
        for after in 0..3 {
            let page = store.feed(after, Budget { entries: 1, bytes: 0 }).await.expect(change);
            assert_eq!(page.items.len() + page.damaged.len(), 1);
            positions.push(page.through);
        }
        assert_eq!(positions, [1, 2, 3], "{change}: also in pages");
        let whose = page.damaged[0].record;
        let of = if table == "commits" { Some(id(1)) } else { Some(id(2)).filter(|_| !change.starts_with("DELETE")) };
        assert_eq!(whose, of, "{change}");
        let restore = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM saved; DROP TABLE saved");
        meddle(directory.path(), &restore).await;
        assert_eq!(store.feed(0, ALL).await.expect("reads again").items.len(), 3);
    }
}

#[tokio::test]
async fn a_damaged_row_is_found_by_every_reader_of_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), FIRST).await;
    store.apply(&Transaction { records: vec![row(1, 1)], ..Transaction::default() }).await.expect("applies");
    meddle(directory.path(), "UPDATE records SET held = x'01', state = 7").await;
    let key = id(1).to_string();
    let named = |error: Option<StoreError>| error.is_some_and(|error| error.to_string().contains(&key));
    assert!(named(store.record(id(1)).await.err()));
    let page = store.scan(None, 10).await.expect("the others are read");
    assert_eq!((page.items, page.next), (vec![], None));
    assert_eq!(page.damaged[0].record, Some(id(1)));
    assert!(page.damaged[0].detail.contains(&key));
    assert_eq!(store.scan(None, 1).await.expect("reads").next, Some(id(1)), "pages go on behind it");
    let listed = store.list(&heliu_storage::ListQuery { limit: 9, ..Default::default() }).await.expect("reads");
    assert_eq!((listed.rows, listed.damaged), (vec![], page.damaged));
    // Its leaves may still be good.
    let loaded = store.load(&[id(1)]).await.expect("reads");
    assert!(loaded[0].spoilt.as_ref().is_some_and(|why| why.contains(&key)) && loaded[0].row.id == id(1));
}

#[tokio::test]
async fn broken_pages_are_found_on_demand() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), FIRST).await;
    let numbers: Vec<u64> = (0..500).collect();
    store.apply(&edit(0, &commit(AUTHOR, 1), &numbers)).await.expect("applies");
    store.verify().await.expect("whole");
    store.close().await.expect("closes");
    let file = directory.path().join("heliu.db");
    let mut bytes = std::fs::read(&file).expect("reads");
    for page in bytes.chunks_mut(4096).skip(20) {
        page[..16].fill(0xff);
    }
    std::fs::write(&file, bytes).expect("writes");
    let found = match SqliteStore::open(directory.path(), Options::new(STORE, SECOND)).await {
        Ok(store) => store.verify().await,
        Err(error) => Err(error),
    };
    assert!(matches!(found, Err(StoreError::Damaged { .. })), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_whole_transactions_while_one_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = open(directory.path(), FIRST).await;
    let numbers: Vec<u64> = (0..50).collect();
    let write = async {
        for seq in 0..40 {
            store.apply(&edit(seq * 50, &commit(AUTHOR, seq), &numbers)).await.expect("applies");
        }
    };
    let read = async {
        let mut last = 0;
        while last < 2_000 {
            let page = store.feed(0, ALL).await.expect("reads");
            let now = page.items.len() as u64;
            assert!(now.is_multiple_of(50) && now >= last && page.through == now, "{now} after {last}");
            let loaded = store.load(&numbers.iter().map(|n| id(*n)).collect::<Vec<_>>()).await.expect("loads");
            assert!(loaded.windows(2).all(|pair| pair[0].leaves.len() == pair[1].leaves.len()));
            last = now;
            tokio::task::yield_now().await;
        }
    };
    futures::join!(write, read);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_and_a_database_that_others_could_read_are_closed_to_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a directory");
    let (mode, set) = (
        |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777,
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours"),
    );
    let directory = home.path().join("data");
    std::fs::create_dir(&directory).expect("it is new");
    set(&directory, 0o777);
    let all_private = || {
        for name in ["lock", "heliu.db", "heliu.db-wal", "heliu.db-shm"] {
            assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
        }
    };
    let store = open(&directory, FIRST).await;
    store.apply(&edit(0, &commit(AUTHOR, 1), &[1])).await.expect("it is written");
    all_private();
    assert_eq!(mode(&directory), 0o700);
    drop(store);
    // As an earlier version left it, or a copy brought it.
    for name in ["lock", "heliu.db", "heliu.db-wal", "heliu.db-shm"] {
        if directory.join(name).exists() {
            set(&directory.join(name), 0o666);
        }
    }
    set(&directory, 0o755);
    // Something else is in the folder: that is not the store's to close.
    std::fs::write(directory.join("notes.txt"), "x").expect("it is ours");
    let store = open(&directory, SECOND).await;
    store.apply(&edit(1, &commit(AUTHOR, 2), &[2])).await.expect("it is written");
    all_private();
    assert_eq!(mode(&directory), 0o755);
}
