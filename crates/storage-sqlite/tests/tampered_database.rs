//! A tampered file: bits that flip in any page, and rows of the audit log that somebody edits. What nodes make of edited
//! rows of records and leaves, beside a neighbour that has them whole, is told in `tests/end-to-end`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

use heliu_storage::conformance::sample::{
    ALL, AUTHOR, FIRST, SECOND, STORE, commit, conflict, edit, grant, id, refused, row, statement, stranded,
};
use heliu_storage::{
    AuditRow, CommandId, Cursor, FeedEntry, ListQuery, Position, ReadAudit as _, ReadCommands as _, ReadCommits as _,
    ReadConflicts as _, ReadDirectory as _, ReadFeed as _, ReadMeta as _, ReadQuarantine as _, ReadRecords as _,
    ReadStatements as _, ReadStranded as _, Store as _, StoreError, Transaction,
};
use heliu_storage_sqlite::{Options, SqliteStore};
use heliu_trust::audit::{AuditEntry, AuditFault, AuditHead, verify};
use heliu_trust::id::Incarnation;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

const RECORDS: u64 = 60;
/// Bits of each page.
const EACH: usize = 2;

fn entries() -> Vec<AuditEntry> {
    let entry = |seq: u64| AuditEntry {
        seq,
        time_ms: 1_700_000_000_000 + seq.cast_signed(),
        who: format!("clerk{}", seq % 3),
        role: "read".to_owned(),
        action: "reveal".to_owned(),
        subject: id(seq).to_string(),
        detail: "at the branch's request".to_owned(),
    };
    (1..=8).map(entry).collect()
}

fn audit_rows() -> Vec<AuditRow> {
    let mut head = AuditHead::START;
    let row = |entry: AuditEntry| {
        head = head.after(&entry);
        AuditRow { seq: entry.seq, time_ms: entry.time_ms, hash: head.hash, encoded: entry.encode() }
    };
    entries().into_iter().map(row).collect()
}

/// A store with something in every table, closed.
async fn fill(path: &Path) {
    let store = SqliteStore::open(path, Options::new(STORE, FIRST)).await.expect("opens");
    let numbers: Vec<u64> = (0..RECORDS).collect();
    let mut first = edit(0, &commit(AUTHOR, 1), &numbers);
    first.directory = vec![vec![7; 6_000]];
    first.refs = numbers.iter().map(|n| (id(*n), vec![id(n + 1), id(n + 2)])).collect();
    first.audit = audit_rows();
    store.apply(&first).await.expect("applies");
    let second = Transaction {
        feed: (0..RECORDS).map(|n| FeedEntry::Grant(grant(RECORDS + 1 + n, n))).collect(),
        conflicts_opened: numbers.iter().map(|n| conflict(*n, &[*n, n + 1])).collect(),
        cursors: vec![Cursor { store: STORE, incarnation: FIRST, position: 3 }],
        quarantined: numbers.iter().map(|n| refused(*n)).collect(),
        commands: numbers.iter().map(|n| (CommandId([u8::try_from(*n).unwrap_or(0); 16]), vec![1; 40])).collect(),
        statements: numbers.iter().map(|n| statement(*n)).collect(),
        stranded: numbers.iter().map(|n| stranded(*n)).collect(),
        commits: (2..40).map(|seq| commit(AUTHOR, seq)).collect(),
        ..Transaction::default()
    };
    store.apply(&second).await.expect("applies");
    store.close().await.expect("closes");
}

/// Asks everything that can be asked. Each answer may be an error; how many were.
async fn ask(store: &SqliteStore) -> usize {
    let all: Vec<_> = (0..RECORDS).map(id).collect();
    let some = all.iter().take(20).copied().collect();
    let failed = [
        store.meta().await.is_err(),
        store.directory().await.is_err(),
        store.load(&all).await.is_err(),
        store.referring(&all).await.is_err(),
        store.feed(0, ALL).await.is_err(),
        store.leaves_of(&some).await.is_err(),
        store.scan(None, 1_000).await.is_err(),
        store.record(id(5)).await.is_err(),
        store.by_prefix("0").await.is_err(),
        store.list(&ListQuery { limit: 1_000, ..ListQuery::default() }).await.is_err(),
        store.conflicts(&heliu_storage::ConflictQuery::default()).await.is_err(),
        store.conflicts_of(&all).await.is_err(),
        store.cursor(STORE).await.is_err(),
        store.wants(None, 1_000).await.is_err(),
        store.unjudged(None, 1_000).await.is_err(),
        store.hidden(Position::MAX).await.is_err(),
        store.commands(&[CommandId([1; 16])]).await.is_err(),
        store.last_commit(AUTHOR).await.is_err(),
        store.quarantined(None, 1_000).await.is_err(),
        store.quarantine(1_000).await.is_err(),
        store.quarantined_by_prefix("0").await.is_err(),
        store.written_by(AUTHOR).await.is_err(),
        store.statements().await.is_err(),
        store.statements_about([0; 32]).await.is_err(),
        store.audit(0, 1_000).await.is_err(),
        store.audit_head().await.is_err(),
        store.stranded(1_000).await.is_err(),
        store.counts().await.is_err(),
    ];
    failed.into_iter().filter(|failed| *failed).count()
}

/// Every page, so every table and index: nothing panics, errors say that it is damage, and what can be written is written.
#[tokio::test]
async fn no_flipped_bit_in_any_page_brings_a_store_down() {
    let original = tempfile::tempdir().expect("a directory");
    fill(original.path()).await;
    let bytes = std::fs::read(original.path().join("heliu.db")).expect("reads");
    let pages = bytes.len() / 4_096;
    assert!(pages > 40, "each table has pages of its own: {pages}");
    let (mut refused, mut failed, mut written) = (0, 0, 0);
    // A page's header, its list of cells, and its contents, which grow from the end.
    let offsets = [0, 3, 5, 8, 9, 40, 2_000, 3_500, 4_000, 4_090];
    let some = |page: usize| (0..EACH).map(move |n| (page, offsets[(page + n * 3) % offsets.len()]));
    for (number, at) in (0..pages).flat_map(some) {
        let directory = tempfile::tempdir().expect("a directory");
        let mut spoilt = bytes.clone();
        let at = number * 4_096 + at + number % 7;
        spoilt[at.min(bytes.len() - 1)] ^= 1 << (number % 8);
        std::fs::write(directory.path().join("heliu.db"), spoilt).expect("writes");
        let store = match SqliteStore::open(directory.path(), Options::new(STORE, SECOND)).await {
            Ok(store) => store,
            Err(StoreError::Damaged { .. } | StoreError::TooNew { .. } | StoreError::Io { .. }) => {
                refused += 1;
                continue;
            }
            Err(other) => panic!("bit at {at}: {other}"),
        };
        failed += usize::from(ask(&store).await > 0);
        let head = store.meta().await.expect("it was read when the store was opened").head;
        let more = Transaction { records: vec![row(1, 2)], ..edit(head, &commit(AUTHOR, 50), &[1, 2]) };
        written += usize::from(store.apply(&more).await.is_ok());
        let _ = store.verify().await;
        let _ = store.close().await;
    }
    assert!(refused > 0 && failed > 0 && written > 0, "{refused} {failed} {written} of {}", pages * EACH);
}

/// As `heliu audit verify` goes through the log: every row as it is stored, with the hash beside it.
async fn verify_audit(path: &Path, reported: &BTreeMap<u64, [u8; 32]>) -> Result<u64, (u64, AuditFault)> {
    static OPENED: AtomicU8 = AtomicU8::new(0);
    let incarnation =
        Incarnation([100, OPENED.fetch_add(1, Ordering::Relaxed)].repeat(8).try_into().expect("16 bytes"));
    let store = SqliteStore::open(path, Options::new(STORE, incarnation)).await.expect("opens");
    let rows = store.audit(0, 1_000).await.expect("reads");
    store.close().await.expect("closes");
    // What is beside the hashed bytes has to be what they say.
    let read = |row: AuditRow| {
        let entry = AuditEntry::decode(&row.encoded).ok()?;
        ((entry.seq, entry.time_ms) == (row.seq, row.time_ms)).then_some((entry, row.hash))
    };
    let count = rows.len();
    let chain: Vec<_> = rows.into_iter().map_while(read).collect();
    let is_whole = chain.len() == count;
    let reported = if is_whole { reported.clone() } else { BTreeMap::new() };
    match verify(chain, AuditHead::START, &reported) {
        Ok(head) if is_whole => Ok(head.seq),
        Ok(head) => Err((head.seq + 1, AuditFault::Hash)),
        Err(error) => Err((error.seq, error.what)),
    }
}

/// What one edit does to the log, and the number of the first row at which it shows; none if only a head that was told to
/// others shows it.
struct Edit {
    sql: String,
    shows_at: Option<u64>,
}

/// Each row times each column, each row gone, any two swapped.
fn edits() -> Vec<Edit> {
    let mut edits = Vec::new();
    for (index, entry) in entries().into_iter().enumerate() {
        let seq = entry.seq;
        let mut add = |change: String| {
            edits.push(Edit { sql: format!("UPDATE audit SET {change} WHERE seq = {seq}"), shows_at: Some(seq) });
        };
        add("time_ms = time_ms + 1".to_owned());
        add("hash = zeroblob(32)".to_owned());
        add("encoded = x''".to_owned());
        let spoilt = [
            AuditEntry { seq: seq + 1, ..entry.clone() },
            AuditEntry { time_ms: entry.time_ms + 1, ..entry.clone() },
            AuditEntry { who: "nobody".to_owned(), ..entry.clone() },
            AuditEntry { role: "audit".to_owned(), ..entry.clone() },
            AuditEntry { action: "list".to_owned(), ..entry.clone() },
            AuditEntry { subject: id(99).to_string(), ..entry.clone() },
            AuditEntry { detail: String::new(), ..entry.clone() },
        ];
        for spoilt in spoilt {
            let encoded = heliu_record::id::to_hex(&spoilt.encode());
            // Also with its own time beside it.
            add(format!("encoded = x'{encoded}'"));
            add(format!("encoded = x'{encoded}', time_ms = {}", spoilt.time_ms));
        }
        // With a hash that fits the edit: the next row tells, and of the last row only what was told to others.
        let forged = AuditEntry { who: "nobody".to_owned(), ..entry.clone() };
        let before = index.checked_sub(1).map_or([0; 32], |before| audit_rows()[before].hash);
        let (encoded, hash) = (forged.encode(), forged.hash(&before));
        let (encoded, hash) = (heliu_record::id::to_hex(&encoded), heliu_record::id::to_hex(&hash));
        let sql = format!("UPDATE audit SET encoded = x'{encoded}', hash = x'{hash}' WHERE seq = {seq}");
        edits.push(Edit { sql, shows_at: Some(seq + 1).filter(|next| *next <= 8) });
        edits.push(Edit {
            sql: format!("DELETE FROM audit WHERE seq = {seq}"),
            shows_at: Some(seq).filter(|seq| *seq < 8),
        });
        edits.push(Edit { sql: format!("UPDATE audit SET seq = 77 WHERE seq = {seq}"), shows_at: Some(seq) });
        edits.push(Edit { sql: format!("DELETE FROM audit WHERE seq >= {seq}"), shows_at: None });
        for other in seq + 1..=8 {
            let swap = format!(
                "UPDATE audit SET seq = -1 WHERE seq = {seq}; UPDATE audit SET seq = {seq} WHERE seq = {other}; \
                 UPDATE audit SET seq = {other} WHERE seq = -1"
            );
            edits.push(Edit { sql: swap, shows_at: Some(seq) });
        }
    }
    edits
}

/// Whatever somebody does to a row by hand: it is not shown, it is told, and the others are shown.
#[tokio::test]
async fn one_row_that_is_not_what_was_written_hides_no_other() {
    let original = tempfile::tempdir().expect("a directory");
    fill(original.path()).await;
    let bytes = std::fs::read(original.path().join("heliu.db")).expect("reads");
    let key = 7;
    let edits = [
        "view = x'7b7d'",
        "view = NULL",
        "scope = x'55'",
        "scope = x'000000'",
        "state = 44",
        "state = 1",
        "held = NULL",
        "held = zeroblob(32)",
        "admitted = zeroblob(32)",
        "leaves = 77",
        "waiting = 1",
        "unjudged = zeroblob(9)",
        "unjudged = x'00'",
        "signal = zeroblob(8)",
        "sum = x'00'",
        "kind = 'org2'",
        "birth = zeroblob(16)",
        "natural_key = x'00'",
        "id = zeroblob(32)",
        "id = x'01'",
    ];
    for edit in edits {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("heliu.db");
        std::fs::write(&file, &bytes).expect("writes");
        let mut connection = SqliteConnectOptions::new().filename(&file).connect().await.expect("connects");
        let sql = format!("UPDATE records SET {edit} WHERE key = {key}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("runs");
        sqlx::Connection::close(connection).await.expect("closes");
        let store = SqliteStore::open(directory.path(), Options::new(STORE, SECOND)).await.expect("opens");
        let all = ListQuery { limit: 1_000, ..ListQuery::default() };
        let listed = store.list(&all).await.expect("lists");
        assert_eq!((listed.rows.len(), listed.damaged.len()), (59, 1), "{edit}");
        let scanned = store.scan(None, 1_000).await.expect("scans");
        assert_eq!((scanned.items.len(), scanned.damaged.len()), (59, 1), "{edit}");
        assert_eq!(scanned.damaged, listed.damaged);
        let missing: Vec<_> = (0..RECORDS).map(id).filter(|id| !listed.rows.iter().any(|row| row.id == *id)).collect();
        let [missing] = missing[..] else { panic!("{edit}: {missing:?}") };
        let Some(found) = listed.damaged[0].record else { continue };
        assert!(store.record(found).await.is_err(), "{edit}");
        assert!(found == missing || store.record(missing).await == Ok(None), "{edit}");
        let mut after = None;
        let mut seen = Vec::new();
        loop {
            let page = store.list(&ListQuery { after, limit: 7, ..all.clone() }).await.expect("lists");
            seen.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, listed.rows, "in pages too: {edit}");
    }
}

#[tokio::test]
async fn every_edit_of_the_audit_log_is_found() {
    let original = tempfile::tempdir().expect("a directory");
    fill(original.path()).await;
    let bytes = std::fs::read(original.path().join("heliu.db")).expect("reads");
    let rows = audit_rows();
    let told = BTreeMap::from([(8, rows[7].hash)]);
    assert_eq!(verify_audit(original.path(), &told).await, Ok(8), "nobody has touched it");
    let edits = edits();
    assert!(edits.len() > 8 * 20);
    for Edit { sql, shows_at } in edits {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("heliu.db");
        std::fs::write(&file, &bytes).expect("writes");
        let mut connection = SqliteConnectOptions::new().filename(&file).connect().await.expect("connects");
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut connection).await.expect("runs");
        sqlx::Connection::close(connection).await.expect("closes");
        let alone = verify_audit(directory.path(), &BTreeMap::new()).await;
        match shows_at {
            Some(seq) => assert_eq!(alone.map_err(|(seq, _)| seq), Err(seq), "{sql}"),
            None => {
                assert!(alone.is_ok(), "by itself the rest of the chain is a chain: {sql}");
                assert!(verify_audit(directory.path(), &told).await.is_err(), "what was told gives it away: {sql}");
            }
        }
    }
}

const TABLE_LEAF: u8 = 13;
const INDEX_LEAF: u8 = 10;

/// Flips a bit of an id wherever it is on pages of one kind.
fn rot_id(path: &Path, wanted: u64, kind: u8) {
    const PAGE: usize = 4_096;
    let file = path.join("heliu.db");
    let mut bytes = std::fs::read(&file).expect("it is there");
    let pattern = id(wanted).0;
    let is_there = |bytes: &[u8], at: usize| bytes[at..].starts_with(&pattern) && bytes[at - at % PAGE] == kind;
    let places: Vec<usize> = (PAGE..bytes.len() - 32).filter(|at| is_there(&bytes, *at)).collect();
    assert!(!places.is_empty(), "it is on such pages");
    places.iter().for_each(|at| bytes[at + 31] ^= 1);
    std::fs::write(file, bytes).expect("it is ours");
}

async fn writes_something(store: &SqliteStore) {
    let incarnation = Transaction { incarnation: Some(Incarnation([3; 16])), ..Transaction::default() };
    store.apply(&incarnation).await.expect("it takes writes");
}

#[tokio::test]
async fn an_index_that_does_not_lead_to_what_it_names_is_found_by_a_scan_and_built_anew() {
    for kind in [INDEX_LEAF, TABLE_LEAF] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fill(directory.path()).await;
        rot_id(directory.path(), 7, kind);
        let store = SqliteStore::open(directory.path(), Options::new(STORE, SECOND)).await.expect("opens");
        let misled = store.scan(None, 100).await.expect_err("an index and a row have two ids for one record");
        assert!(matches!(misled, StoreError::Damaged { .. }), "{misled:?}");
        writes_something(&store).await;
        let page = store.scan(None, 100).await.expect("the index was built anew from the rows");
        let found = store.load(&[id(7)]).await.expect("it reads");
        if kind == INDEX_LEAF {
            assert_eq!((page.items.len(), page.damaged.len(), found.len()), (60, 0, 1), "the row was whole");
        } else {
            assert_eq!((page.items.len(), page.damaged.len(), found.len()), (59, 1, 0), "the row's own id has rotted");
            let wrong = page.damaged[0].record.expect("it has one");
            assert!(store.load(&[wrong]).await.expect("it reads")[0].spoilt.is_some(), "it can be given its own again");
        }
        store.close().await.expect("closes");
    }
}
