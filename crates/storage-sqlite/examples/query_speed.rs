//! What questions cost of so many members of 412 seats, without a node: `cargo run --release --example query_speed [MEMBERS]`.

use std::collections::BTreeSet;
use std::time::Instant;

use heliu_record::collation::Sought;
use heliu_record::id::{Preimage, SeatId};
use heliu_record::listing::{Cell, Order};
use heliu_record::scope::Scope;
use heliu_storage::conformance::sample::row;
use heliu_storage::listing::{By, Filter, Group, Query};
use heliu_storage::{Listed, ReadListing as _, RecordRow, Store as _, StoreId, Transaction};
use heliu_storage_sqlite::{Options, SqliteStore};
use heliu_trust::id::Incarnation;

const SEATS: u64 = 412;
/// Records of one seat that come one after the other.
const RUN: u64 = 50;
/// Records of one transaction.
const AT_ONCE: u64 = 500;
const FAMILIES: [&str; 12] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "欧阳"];
const GIVEN: [&str; 16] =
    ["伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "明"];

fn seat(n: u64) -> SeatId {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    SeatId(id)
}

fn member(n: u64) -> (RecordRow, Vec<Cell>) {
    // No two alike follow each other.
    let mix = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let pick = |of: &[&'static str], shift: u64| of[usize::try_from((mix >> shift) % of.len() as u64).unwrap_or(0)];
    let name = format!("{}{}{}", pick(&FAMILIES, 0), pick(&GIVEN, 8), pick(&GIVEN, 16));
    let preimage = Preimage { kind: "member".to_owned(), birth: seat(n / RUN % SEATS), key: n.to_be_bytes().to_vec() };
    let scope = Scope { public: false, owners: [seat(n / RUN % SEATS)].into(), seats: BTreeSet::new() };
    let mut row = RecordRow { id: preimage.id(), scope, ..row(n, 1) };
    row.view = format!("{{\"name\":\"{name}\",\"member_no\":\"{n}\"}}").into_bytes();
    row.preimage = preimage;
    let stage = if mix.is_multiple_of(9) { "probationary" } else { "full" };
    let day = format!("{}-{:02}-{:02}", 1950 + mix % 75, 1 + mix % 12, 1 + mix % 28);
    let home = format!("{:064x}", n / RUN % SEATS * 4 + mix % 3);
    let cells = [
        ("name", Order::Name, name),
        ("member_no", Order::Name, format!("3717{n:010}")),
        ("stage", Order::Bytes, stage.to_owned()),
        ("joined_on", Order::Date, day),
        ("effective_home", Order::Bytes, home),
    ];
    let cell = |(column, order, said): (_, _, String)| Cell { column, order, said: said.into_bytes() };
    (row, cells.map(cell).to_vec())
}

#[tokio::main]
async fn main() {
    let members = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(686_000_u64);
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options::new(StoreId([1; 16]), Incarnation([1; 16]));
    let store = SqliteStore::open(directory.path(), options).await.expect("opens");
    for is_listed in [false, true] {
        let start = Instant::now();
        // Those who are listed are not the first, and both are of all seats.
        let from = if is_listed { 0 } else { members };
        let until = if is_listed { members } else { members + 20_000 };
        for first in (from..until).step_by(usize::try_from(AT_ONCE).unwrap_or(1)) {
            let (records, cells): (Vec<_>, Vec<_>) = (first..until.min(first + AT_ONCE)).map(member).unzip();
            let owners = |row| Listed::of(row, Some(BTreeSet::new()), Vec::new());
            let listed = records.iter().zip(cells).map(|(row, cells)| Listed { cells, ..owners(row) });
            let listed = if is_listed { listed.collect() } else { Vec::new() };
            store.apply(&Transaction { records, listed, ..Transaction::default() }).await.expect("it is taken");
        }
        let each = start.elapsed().as_secs_f64() * 1e6 / (until - from) as f64;
        println!("written, listed {is_listed}: {each:.1} us a record");
    }
    let start = Instant::now();
    for n in 0..200 {
        let (row, mut cells) = member(n * 3_001 % members);
        cells[2].said = b"left".to_vec();
        let was = Some(Listed::owners(&row));
        let listed = vec![Listed { cells, ..Listed::of(&row, was, Vec::new()) }];
        store.apply(&Transaction { records: vec![row], listed, ..Transaction::default() }).await.expect("it is taken");
    }
    println!("one edit of one cell: {:.0} us", start.elapsed().as_secs_f64() * 1e6 / 200.0);
    let start = Instant::now();
    for n in 0..200 {
        let (row, _) = member(n * 3_001 % members);
        store.apply(&Transaction { records: vec![row], ..Transaction::default() }).await.expect("it is taken");
    }
    println!("the same without what is listed: {:.0} us", start.elapsed().as_secs_f64() * 1e6 / 200.0);
    ask(&store, directory.path(), members).await;
}

async fn ask(store: &SqliteStore, directory: &std::path::Path, members: u64) {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions as _, Connection as _};
    let mut connection =
        SqliteConnectOptions::new().filename(directory.join("heliu.db")).connect().await.expect("it opens");
    let mark = "INSERT INTO listing (one, stamp, reached, done, is_whole) VALUES (1, zeroblob(16), x'', 0, 1)";
    sqlx::query(mark).execute(&mut connection).await.expect("it is written");
    for table in ["listed_cells", "listed_order"] {
        let sql = format!("SELECT sum(pgsize) FROM dbstat WHERE name = '{table}'");
        let bytes: Result<i64, _> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut connection).await;
        println!("{table}: {:?} bytes a record", bytes.map(|bytes| bytes / i64::try_from(members).unwrap_or(1)));
    }
    connection.close().await.expect("it closes");
    let by = |column: &str, order, is_descending| Some(By { column: column.to_owned(), order, is_descending });
    let page = Query {
        kinds: Some(["member".to_owned()].into()),
        order: by("name", Order::Name, false),
        limit: 100,
        bytes: 1 << 20,
        ..Query::default()
    };
    let search = |text: &str| Query {
        sought: Sought::new(text).map(|sought| (sought, vec!["member_no".to_owned(), "name".to_owned()])),
        ..page.clone()
    };
    let is = |column: &str, value: &str| {
        let any_of = [value.to_owned()].into();
        vec![Filter { column: column.to_owned(), any_of, ..Filter::default() }]
    };
    let middle = store.query(&page).await.expect("it reads").expect("it is listed").next;
    let seats = (0..SEATS).map(seat).collect::<BTreeSet<_>>();
    let last = format!("{:05}", members - 1);
    let questions = [
        ("page by name", page.clone()),
        ("the next page", Query { after: middle, ..page.clone() }),
        ("page by name, descending", Query { order: by("name", Order::Name, true), ..page.clone() }),
        ("page of all seats by name", Query { seats: Some(seats), ..page.clone() }),
        ("page of a village", Query { seats: Some([seat(3)].into()), ..page.clone() }),
        (
            "page of full members by date",
            Query { order: by("joined_on", Order::Date, false), filters: is("stage", "full"), ..page.clone() },
        ),
        ("page of full members by name", Query { filters: is("stage", "full"), ..page.clone() }),
        ("page of the few who left", Query { filters: is("stage", "left"), ..page.clone() }),
        ("search for a number", search(&last)),
        ("search for a name", search("欧阳秀英")),
        ("search for a character", search("伟")),
        ("search by pinyin", search("ouyang")),
        ("search by initials", search("zwm")),
        ("search for two letters", search("zw")),
        ("search at a village", Query { seats: Some([seat(3)].into()), ..search("伟") }),
        ("count", Query { limit: 0, ..page.clone() }),
        (
            "count by seat and stage",
            Query { limit: 0, groups: vec![Group::Owner, Group::Column("stage".to_owned())], ..page.clone() },
        ),
        ("count by home", Query { limit: 0, groups: vec![Group::Column("effective_home".to_owned())], ..page }),
    ];
    for (name, query) in questions {
        let mut took: Vec<f64> = Vec::new();
        let mut told = (0, 0, 0);
        for _ in 0..7 {
            let start = Instant::now();
            let found = store.query(&query).await.expect("it reads").expect("it is listed");
            took.push(start.elapsed().as_secs_f64() * 1e3);
            told = (found.total, found.rows.len(), found.groups.len());
        }
        took.sort_by(f64::total_cmp);
        println!("{name}: {:.2} ms, {told:?}", took[3]);
    }
}
