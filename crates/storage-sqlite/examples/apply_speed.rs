//! What `apply` and the reads beside it cost: `cargo run --release --example apply_speed [directory [cache in KiB]]`.
//!
//! Wall-clock time, and processor time over all threads: the second one means something on a busy machine too.

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use heliu_record::id::RecordId;
use heliu_storage::conformance::sample::{AUTHOR, FIRST, STORE, commit, id, leaf, row};
use heliu_storage::{
    Budget, FeedEntry, Position, ReadFeed as _, ReadMeta as _, ReadRecords as _, Store as _, StoreError, Transaction,
};
use heliu_storage_sqlite::{Options, SqliteStore};

/// `count` leaves with commits of `per_commit`, a row of 600 bytes each; like what bootstrapping writes.
fn batch(head: Position, count: u64, per_commit: u64, first_record: u64) -> Transaction {
    let mut transaction = Transaction::default();
    for n in 0..count {
        let position = head + 1 + n;
        if n % per_commit == 0 {
            let mut of = commit(AUTHOR, position);
            of.encoded = vec![7; 150 + 34 * usize::try_from(per_commit).expect("small")].into();
            transaction.commits.push(of);
        }
        let record = first_record + n;
        let mut leaf = leaf(position, record, transaction.commits.last().expect("one was pushed"));
        leaf.change = Arc::from(vec![9; 250]);
        transaction.feed.push(FeedEntry::Leaf(leaf));
        let mut row = row(record, position);
        row.view = vec![b'v'; 350];
        transaction.records.push(row);
    }
    transaction
}

fn main() -> Result<(), StoreError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(run())
}

async fn run() -> Result<(), StoreError> {
    let place = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let directory = tempfile::tempdir_in(place).expect("a directory");
    let mut options = Options::new(STORE, FIRST);
    if let Some(kib) = std::env::args().nth(2) {
        options.cache_kib = kib.parse().expect("a number of KiB for the cache");
    }
    let store = SqliteStore::open(directory.path(), options).await?;
    let mut head = 0;
    for (what, batches, count, per_commit, edits) in [
        ("new records, 64 leaves in a commit", 5, 4096, 64, false),
        ("new records, 1 leaf in a commit", 5, 4096, 1, false),
        ("edits, 64 leaves in a commit", 5, 4096, 64, true),
        ("edits, 1 leaf in a commit", 5, 4096, 1, true),
        ("edits by 64, 1 leaf in a commit", 50, 64, 1, true),
        ("edits by 8, 1 leaf in a commit", 200, 8, 1, true),
        ("edits one by one", 300, 1, 1, true),
    ] {
        let mut took = Watch::default();
        for number in 0..batches {
            let first = if edits { number * 97 % 20_000 } else { head };
            let transaction = batch(head, count, per_commit, first);
            let start = Watch::now();
            store.apply(&transaction).await?;
            took.add(&start);
            head += count;
        }
        took.print(&format!("apply  {what}"), batches * count);
    }

    let start = Watch::now();
    let (mut after, mut seen) = (0, 0);
    while after < head {
        let page = store.feed(after, Budget { entries: 1024, bytes: 1 << 20 }).await?;
        after = page.through;
        seen += page.items.len();
    }
    report("feed   pages of 1024", &start, seen);
    for size in [1, 64, 1024] {
        let ids: Vec<RecordId> = (0..4096).map(id).collect();
        let start = Watch::now();
        let mut leaves = 0;
        for ids in ids.chunks(size) {
            leaves += store.load(ids).await?.iter().map(|loaded| loaded.leaves.len()).sum::<usize>();
        }
        report(&format!("load   {size} records at once, each leaf"), &start, leaves);
    }
    let start = Watch::now();
    let (mut last, mut seen) = (None, 0);
    loop {
        let page = store.scan(last, 1024).await?;
        (last, seen) = (page.next, seen + page.items.len());
        if last.is_none() {
            break;
        }
    }
    report("scan   pages of 1024", &start, seen);
    let start = Watch::now();
    println!("{:?}", store.counts().await?);
    report("counts", &start, 1);
    store.close().await
}

fn report(what: &str, start: &Watch, count: usize) {
    let mut took = Watch::default();
    took.add(start);
    took.print(what, count as u64);
}

/// Seconds of the wall clock and of all processors.
#[derive(Default)]
struct Watch {
    wall: f64,
    processors: f64,
}

impl Watch {
    /// Two moments, of which only the differences mean something.
    fn now() -> Self {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        // Fields 14 and 15, in hundredths of a second; the second field may hold spaces.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: f64 = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        Watch { wall: START.elapsed().as_secs_f64(), processors: ticks / 100.0 }
    }

    fn add(&mut self, start: &Watch) {
        let now = Watch::now();
        self.wall += now.wall - start.wall;
        self.processors += now.processors - start.processors;
    }

    fn print(&self, what: &str, count: u64) {
        let each = |seconds: f64| seconds * 1e6 / f64::from(u32::try_from(count).expect("small"));
        println!("{what:44} {:8.1} us each {:8.1} us of processor", each(self.wall), each(self.processors));
    }
}
