//! What is dropped or erased is in no file afterwards: not in free pages, not in what a page was before it was split,
//! not in the log.

use std::collections::BTreeSet;
use std::path::Path;

use heliu_record::id::SeatId;
use heliu_record::listing::{Cell, Order};
use heliu_storage::conformance::sample::{
    AUTHOR, FIRST, SECOND, STORE, commit, edit, erased, grant, id, refused, row, seat, stranded, stub,
};
use heliu_storage::{FeedEntry, Listed, ReadRecords as _, RecordRow, Store as _, Transaction};
use heliu_storage_sqlite::{Options, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

const RECORDS: u64 = 300;

/// Found in everything of a record, and in nothing of another.
fn mark(n: u64) -> String {
    format!("<secret {n:05}>")
}

/// Text of about that many bytes, with the mark all over it.
fn text(n: u64, bytes: usize) -> Vec<u8> {
    mark(n).repeat(1 + bytes / 14).into_bytes()
}

/// The records of which something is in the files of the store.
fn found(directory: &Path) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).expect("lists") {
        let bytes = std::fs::read(entry.expect("lists").path()).expect("reads");
        let marks = bytes.split(|byte| *byte == b'<').filter_map(|part| part.strip_prefix(b"secret ")?.get(..5));
        found.extend(marks.filter_map(|number| std::str::from_utf8(number).ok()?.parse::<u64>().ok()));
    }
    found
}

/// A record with something of it in every table: a leaf, a grant, a view, a quarantine row, a stranded edit. Each `round`
/// has other lengths, also such as need pages of their own.
fn something(head: u64, round: u64, n: u64) -> Transaction {
    let bytes = |salt: u64| usize::try_from((n * 7_919 + round * 104_729 + salt * 1_299_709) % 6_000).expect("small");
    let mut transaction = edit(head, &commit(AUTHOR, head), &[n]);
    if let FeedEntry::Leaf(leaf) = &mut transaction.feed[0] {
        leaf.change = text(n, bytes(1)).into();
    }
    let mut granted = grant(head + 2, n);
    granted.grant = text(n, bytes(2)).into();
    transaction.feed.push(FeedEntry::Grant(granted));
    transaction.records = vec![RecordRow { view: text(n, bytes(3) / 4), ..row(n, round) }];
    let mut kept = refused(n * 1_000 + round);
    (kept.record, kept.bytes, kept.reason) = (Some(id(n)), text(n, bytes(4)), mark(n));
    transaction.quarantined = vec![kept];
    let mut left = stranded(n);
    left.reason = mark(n);
    transaction.stranded = vec![left];
    let cells = [Order::Name, Order::Date].map(|order| text(n, bytes(5) / 60 + usize::from(order == Order::Name)));
    transaction.listed = vec![listed(n, Some(cells))];
    transaction
}

/// What is listed of a record, which is of one of a few seats; nothing any more.
fn listed(n: u64, said: Option<[Vec<u8>; 2]>) -> Listed {
    let owners: BTreeSet<SeatId> = [seat(n % 3)].into();
    let is_listed = said.is_some();
    let [name, date] = said.unwrap_or_default();
    let cells = vec![
        Cell { column: "name", order: Order::Name, said: name },
        Cell { column: "since", order: Order::Date, said: date },
    ];
    let (was, owners) = (Some(owners.clone()), if is_listed { owners } else { BTreeSet::new() });
    Listed { record: id(n), kind: row(n, 1).preimage.kind, was, owners, cells }
}

async fn filled(directory: &Path) -> SqliteStore {
    let store = SqliteStore::open(directory, Options::new(STORE, FIRST)).await.expect("opens");
    let mut head = 0;
    for round in 0..3 {
        for n in 0..RECORDS {
            store.apply(&something(head, round, n)).await.expect("applies");
            head += 2;
        }
    }
    store
}

fn erase(numbers: impl Iterator<Item = u64> + Clone) -> Transaction {
    Transaction {
        records: numbers.clone().map(erased).collect(),
        listed: numbers.clone().map(|n| listed(n, None)).collect(),
        erased: numbers.map(id).collect(),
        ..Transaction::default()
    }
}

/// A transaction that has nothing to do with it.
fn other(directory: &str) -> Transaction {
    Transaction { directory: vec![directory.as_bytes().to_vec()], ..Transaction::default() }
}

#[tokio::test]
async fn what_is_erased_is_in_no_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = filled(directory.path()).await;
    let mut left: BTreeSet<u64> = (0..RECORDS).collect();
    assert_eq!(found(directory.path()), left, "everything is there");
    // One alone, then many at once.
    store.apply(&erase(std::iter::once(7))).await.expect("applies");
    left.remove(&7);
    assert_eq!(found(directory.path()), left, "at once, while the store is open");
    store.apply(&erase((0..RECORDS).filter(|n| n % 3 == 0))).await.expect("applies");
    left.retain(|n| n % 3 != 0);
    assert_eq!(found(directory.path()), left);
    store.close().await.expect("closes");
    assert_eq!(found(directory.path()), left);
}

#[tokio::test]
async fn what_is_dropped_is_in_no_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(directory.path(), Options::new(STORE, FIRST)).await.expect("opens");
    for (head, n) in [(0, 1), (2, 2)] {
        let kept = Transaction { quarantined: Vec::new(), stranded: Vec::new(), ..something(head, 0, n) };
        store.apply(&kept).await.expect("applies");
    }
    let listed = vec![listed(1, None)];
    let exit = Transaction { records: vec![stub(1)], listed, dropped: vec![id(1)], ..Transaction::default() };
    store.apply(&exit).await.expect("applies");
    assert_eq!(found(directory.path()), [2].into());
}

#[tokio::test]
async fn who_reads_meanwhile_puts_it_off_and_no_longer() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(directory.path(), Options::new(STORE, FIRST)).await.expect("opens");
    store.apply(&something(0, 0, 1)).await.expect("applies");
    let file = SqliteConnectOptions::new().filename(directory.path().join("heliu.db"));
    let mut reader = file.connect().await.expect("connects");
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM feed").execute(&mut reader).await.expect("reads");
    store.apply(&erase(std::iter::once(1))).await.expect("nobody waits for a reader");
    assert_eq!(store.record(id(1)).await, Ok(Some(erased(1))), "it is erased all the same");
    assert_eq!(found(directory.path()), [1].into(), "the reader still sees it");
    store.apply(&other("one")).await.expect("applies");
    assert_eq!(found(directory.path()), [1].into());
    reader.close().await.expect("closes");
    store.apply(&other("two")).await.expect("applies");
    assert_eq!(found(directory.path()), [].into(), "with the next transaction");
}

#[tokio::test]
async fn what_a_crash_left_in_the_log_goes_when_the_store_is_opened() {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::open(directory.path(), Options::new(STORE, FIRST)).await.expect("opens");
    store.apply(&something(0, 0, 1)).await.expect("applies");
    let file = SqliteConnectOptions::new().filename(directory.path().join("heliu.db"));
    let mut reader = file.connect().await.expect("connects");
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM feed").execute(&mut reader).await.expect("reads");
    store.apply(&erase(std::iter::once(1))).await.expect("applies");
    drop(store);
    assert_eq!(found(directory.path()), [1].into());
    reader.close().await.expect("closes");
    let store = SqliteStore::open(directory.path(), Options::new(STORE, SECOND)).await.expect("opens");
    assert_eq!(store.record(id(1)).await, Ok(Some(erased(1))));
    assert_eq!(found(directory.path()), [].into());
}
