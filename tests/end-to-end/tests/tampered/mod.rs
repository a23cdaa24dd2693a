//! A tampered database: somebody edits the store's file while its node is down, or the disk rots. The node neither panics
//! nor passes it on; it says what is damaged, and takes from its neighbour what it lacks.

mod pair;
mod running;

use futures::StreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use pair::{Images, Outcome, alone, copy, folder, live_with};

/// One thing that somebody does to the file.
#[derive(Clone, Copy, Debug)]
enum Tamper {
    Sql(&'static str),
    /// One bit of one value: table, column, which row, which byte (from the end if negative).
    Bit(&'static str, &'static str, &'static str, isize),
}
use Tamper::{Bit, Sql};

impl Tamper {
    async fn carry_out(self, file: &std::path::Path) {
        let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
        let mut connection = options.connect().await.expect("it opens");
        match self {
            Sql(sql) => change(&mut connection, sql).await,
            Bit(table, column, row, at) => {
                let select = format!("SELECT rowid, {column} FROM {table} WHERE {row} LIMIT 1");
                let found = sqlx::query(AssertSqlSafe(select)).fetch_one(&mut connection).await.expect("there is one");
                let (rowid, mut bytes): (i64, Vec<u8>) = (found.get(0), found.get(1));
                let at = at.rem_euclid(bytes.len().cast_signed()).cast_unsigned();
                bytes[at] ^= 1;
                let update = format!("UPDATE {table} SET {column} = ? WHERE rowid = ?");
                let update = sqlx::query(AssertSqlSafe(update)).bind(bytes).bind(rowid);
                update.execute(&mut connection).await.expect("it is taken");
            }
        }
        sqlx::Connection::close(connection).await.expect("it closes");
    }
}

async fn change(connection: &mut SqliteConnection, sql: &'static str) {
    let done = sqlx::query(sql).execute(connection).await.expect(sql);
    assert!(done.rows_affected() > 0, "nothing was changed: {sql}");
}

/// Most of what they do is wait.
const AT_ONCE: usize = 12;

const CASES: &[Tamper] = &[
    Bit("feed", "change", "position = 12", 30),
    Bit("feed", "change", "position = 12", -1),
    Bit("feed", "hash", "position = 12", 3),
    Sql("UPDATE feed SET hash = x'00' WHERE position = 12"),
    Sql("UPDATE feed SET change = x'' WHERE position = 12"),
    Sql("UPDATE feed SET status = 4"),
    Sql("UPDATE feed SET status = 77 WHERE position = 12"),
    Sql("UPDATE feed SET kind_version = kind_version + 1 WHERE position = 12"),
    Sql("UPDATE feed SET record = 1 + record % 9"),
    Sql("UPDATE feed SET record = 999 WHERE position = 12"),
    Sql("UPDATE feed SET commit_key = 1"),
    Sql("UPDATE feed SET commit_key = 999 WHERE position = 12"),
    Sql("UPDATE feed SET entry = 1 WHERE position = 12"),
    Sql("UPDATE feed SET entry = 2 WHERE position = 12"),
    Sql("UPDATE feed SET position = position + 100 WHERE position > 12"),
    Sql("UPDATE feed SET origin = x'01'"),
    Sql("DELETE FROM feed WHERE position = 3"),
    Sql("DELETE FROM feed WHERE position > 12"),
    Sql("DELETE FROM feed"),
    Bit("commits", "encoded", "key = 2", 0),
    Bit("commits", "encoded", "key = 2", 20),
    Bit("commits", "encoded", "key = 2", 130),
    // Signatures: one of its own, one of its neighbour's.
    Bit("commits", "encoded", "key = 2", -1),
    Bit("commits", "encoded", "key = 12", -1),
    Bit("commits", "id", "key = 2", 1),
    Bit("commits", "author", "key = 2", 1),
    Sql("UPDATE commits SET seq = 1000"),
    Sql("UPDATE commits SET encoded = NULL WHERE key = 2"),
    Sql("DELETE FROM commits WHERE key = 2"),
    Sql("DELETE FROM commits"),
    Sql("UPDATE records SET view = CAST(replace(CAST(view AS TEXT), '测试乙', '测试假') AS BLOB)"),
    Sql("UPDATE records SET view = x'ff'"),
    Sql("UPDATE records SET scope = x'000000'"),
    Sql("UPDATE records SET scope = x'010000'"),
    Sql("UPDATE records SET scope = x'55' WHERE key = 2"),
    Bit("records", "scope", "key = 2", -3),
    Sql("UPDATE records SET state = 1, since = 1 WHERE key = 2"),
    Sql("UPDATE records SET state = 2, since = 1 WHERE key = 2"),
    Sql("UPDATE records SET state = 3 WHERE key = 2"),
    Sql("UPDATE records SET state = 44 WHERE key = 2"),
    Bit("records", "held", "key = 2", 1),
    Bit("records", "admitted", "key = 2", 1),
    Sql("UPDATE records SET held = NULL WHERE key = 2"),
    Sql("UPDATE records SET leaves = 77 WHERE key = 2"),
    Sql("UPDATE records SET waiting = 1"),
    Bit("records", "signal", "key = 2", 1),
    Bit("records", "birth", "key = 2", 1),
    Bit("records", "natural_key", "key = 2", 1),
    Sql("UPDATE records SET kind = 'org' WHERE key = 2"),
    Sql("UPDATE records SET kind = 'nothing' WHERE key = 2"),
    Bit("records", "id", "key = 2", 1),
    Sql("DELETE FROM records WHERE key = 2"),
    Sql("DELETE FROM records"),
    Bit("directory", "entry", "number = 1", 60),
    Bit("directory", "entry", "number = 1", -1),
    Sql("DELETE FROM directory"),
    Sql("INSERT INTO directory (entry) SELECT entry FROM directory"),
    Sql("UPDATE cursors SET position = position + 1000"),
    Sql("UPDATE cursors SET position = 0"),
    Sql("UPDATE cursors SET position = -1"),
    Sql("UPDATE cursors SET incarnation = x'01'"),
    Sql("DELETE FROM cursors"),
    Sql("DELETE FROM incarnations"),
    Sql("UPDATE incarnations SET began = -1"),
    Sql("UPDATE incarnations SET began = 1000"),
    Sql("UPDATE store SET head = 1000"),
    Sql("UPDATE store SET id = x'01'"),
    Sql("DELETE FROM store"),
    Sql("DELETE FROM refs"),
    Sql("UPDATE refs SET target = x'01'"),
    Sql("INSERT INTO conflicts (id, kind, anchors, body) VALUES (zeroblob(32), 'NO', x'01', x'02')"),
    Sql("UPDATE commands SET answer = x'ff'"),
    Sql("INSERT INTO quarantine (id, code, reason, at_ms, bytes) VALUES (x'01', '', '', 0, x'')"),
    Sql("INSERT INTO statements (hash, kind, author, seat, subject, bytes) \
         VALUES (zeroblob(32), 1, zeroblob(16), zeroblob(16), zeroblob(32), x'01')"),
    Sql("INSERT INTO feed (position, entry, record, kind_version, status, hash, seats, change) \
         VALUES (900, 1, 2, 0, 0, zeroblob(32), x'', x'01')"),
    Sql("INSERT INTO stranded (leaf, record, at_ms, state, reason) VALUES (x'01', x'02', 0, 7, '')"),
];

/// Nothing of these can be trusted, and nobody else has them: the node says so and does not start.
fn is_beyond_help(tamper: &Tamper) -> Option<&'static str> {
    match tamper {
        Bit("directory", _, _, -1) => Some("cannot be read: restore the store"),
        Bit("directory", ..) => Some("a signature of the entry does not match"),
        Sql("UPDATE incarnations SET began = -1") => Some("damaged data in incarnations"),
        Sql("UPDATE store SET id = x'01'" | "DELETE FROM store") => Some("damaged data in store"),
        _ => None,
    }
}

/// Whatever is not what was written is told, be it a leaf, a signature, or what a row says; some things are only made anew.
fn is_to_be_told(tamper: &Tamper) -> bool {
    match tamper {
        Bit("feed" | "records", ..) | Bit("commits", "encoded", ..) => true,
        Sql(sql) => sql.starts_with("UPDATE records"),
        Bit(..) => false,
    }
}

async fn damage_and_live(images: &Images, tamper: Tamper) -> Outcome {
    let damaged = folder();
    copy(images.victim.path(), damaged.path());
    tamper.carry_out(&damaged.path().join("heliu.db")).await;
    live_with(images, damaged.path(), is_to_be_told(&tamper)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tampered_database() {
    let images = Images::make().await;
    let images = &images;
    let outcomes: Vec<(Tamper, Outcome)> = futures::stream::iter(CASES.iter().copied())
        .map(|tamper| async move { (tamper, damage_and_live(images, tamper).await) })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut wrong = Vec::new();
    for (tamper, outcome) in outcomes {
        let fine = match (&outcome, is_beyond_help(&tamper)) {
            (Outcome::Refused(said), Some(says)) => said.contains(says),
            (Outcome::Healed(_), None) => true,
            _ => false,
        };
        if !fine {
            wrong.push((tamper, outcome));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Records come again in whatever order a busy machine brings them: what is left of the lost ones stays nobody's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_records_heal_in_whatever_order_they_come_again() {
    let images = Images::make().await;
    let images = &images;
    let outcomes: Vec<Outcome> = futures::stream::iter(0..2 * AT_ONCE)
        .map(|_| async move { damage_and_live(images, Sql("DELETE FROM records")).await })
        .buffered(AT_ONCE)
        .collect()
        .await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Healed(_))), "{outcomes:#?}");
}

/// Nobody else has to have them: what rows say follows from the leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edited_rows_are_made_anew_without_a_neighbour() {
    let images = Images::make().await;
    let edits = [
        Sql("UPDATE records SET view = CAST(replace(CAST(view AS TEXT), '测试乙', '测试假') AS BLOB)"),
        Sql("UPDATE records SET scope = x'55', held = NULL, state = 44, view = NULL"),
        Bit("records", "id", "key = 2", 1),
    ];
    for edit in edits {
        let damaged = folder();
        copy(images.victim.path(), damaged.path());
        edit.carry_out(&damaged.path().join("heliu.db")).await;
        assert_eq!(alone(&images, damaged.path()).await, Ok(()), "{edit:?}");
    }
}

/// The same for the disk: in each run one bit in every so many pages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_rots_neither_brings_a_node_down_nor_its_neighbour() {
    const RUNS: usize = 12;
    const PAGE: usize = 4_096;
    let images = Images::make().await;
    let whole = std::fs::read(images.victim.path().join("heliu.db")).expect("it is there");
    let (images, whole) = (&images, &whole);
    let outcomes: Vec<Outcome> = futures::stream::iter(0..RUNS)
        .map(|run| async move {
            let damaged = folder();
            let mut bytes = whole.clone();
            for page in (run..whole.len() / PAGE).step_by(RUNS) {
                // Somewhere in the contents, or among what tells where they are.
                let at = if run % 2 == 0 { PAGE - 100 - 97 * run } else { 9 + run };
                bytes[page * PAGE + at] ^= 1 << (run % 8);
            }
            std::fs::write(damaged.path().join("heliu.db"), bytes).expect("it is ours");
            live_with(images, damaged.path(), false).await
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    for outcome in &outcomes {
        // Whoever is not as its neighbour says why.
        assert!(!matches!(outcome, Outcome::Ill(said) if said.ends_with("; ")), "{outcome:?}");
    }
    assert!(outcomes.iter().any(|outcome| matches!(outcome, Outcome::Healed(_))), "{outcomes:?}");
}
