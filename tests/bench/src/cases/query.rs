//! `query`: how long a clerk waits who looks for people, pages through them or counts them, at the node of a full county; beside a
//! bare indexed SELECT of as many rows, and a bare GROUP BY over as many.

use std::path::Path;
use std::time::Instant;

use heliu_api::records::{Condition, QueryRequest};
use heliu_client::Client;
use heliu_storage_sqlite::DATABASE;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{Load, begun_again, for_clerks, full_county};
use crate::place::Wire;
use crate::report::{Report, percentile};

const TIMES: usize = 20;
/// What the third characters of made names are, and how they sound.
const STEMS: [(&str, &str); 10] = [
    ("甲", "jia"),
    ("乙", "yi"),
    ("丙", "bing"),
    ("丁", "ding"),
    ("戊", "wu"),
    ("己", "ji"),
    ("庚", "geng"),
    ("辛", "xin"),
    ("壬", "ren"),
    ("癸", "gui"),
];
const SEARCH_MS_MAX: f64 = 50.0;
const PAGE_MS_MAX: f64 = 20.0;
const COUNT_MS_MAX: f64 = 1_000.0;

pub async fn run(wire: Wire, members: usize, growth: bool) -> Report {
    for_clerks("query", members, growth, async |members, prefix, report| measure(wire, members, prefix, report).await)
        .await
}

async fn measure(wire: Wire, members: usize, prefix: &str, report: &mut Report) {
    let directory = tempfile::tempdir().expect("a directory");
    let load = Load { members, sealed: false };
    let (place, site, records, _) = full_county(wire, load, directory.path()).await;
    site.stop().await;
    let file = directory.path().join(DATABASE);
    let bytes = std::fs::metadata(&file).map_or(0, |about| about.len());
    let listed = bytes_of_cells(&file).await;
    let bare = bare(&file).await;
    let (site, client) = begun_again(&place, directory.path()).await;
    let village = place.villages[0].code.clone();
    let all = QueryRequest { kind: "member".to_owned(), ..QueryRequest::default() };
    // Somebody who is there, as he is typed.
    let of_village = QueryRequest { at: village.clone(), limit: 1, ..all.clone() };
    let one = client.query(of_village).await.expect("it answers").records.pop().expect("somebody is there");
    let view: serde_json::Value = serde_json::from_str(&one.view_json).expect("it is JSON");
    let said = |field: &str| view[field].as_str().unwrap_or_default().to_owned();
    let (name, number) = (said("name"), said("member_no"));
    let last: String = name.chars().skip(2).collect();
    let (stem, digits) = last.split_at(last.len() - 4);
    let sound = STEMS.iter().find(|(known, _)| *known == stem).expect("names are made so").1;
    let initial = &sound[..1];
    let full = Condition { field: "stage".to_owned(), any_of: vec!["full".to_owned()], ..Condition::default() };
    let asked = [
        ("search_ms", QueryRequest { text: last.clone(), ..all.clone() }),
        ("search_number_ms", QueryRequest { text: number, ..all.clone() }),
        ("search_pinyin_ms", QueryRequest { text: format!("ceshi{sound}{digits}"), ..all.clone() }),
        ("search_initials_ms", QueryRequest { text: format!("cs{initial}{digits}"), ..all.clone() }),
        // A tenth of all has that: made names are less unlike than people's.
        ("letters_alone_ms", QueryRequest { text: format!("ceshi{sound}"), ..all.clone() }),
        ("search_at_a_village_ms", QueryRequest { text: last, at: village.clone(), ..all.clone() }),
        ("page_ms", all.clone()),
        ("page_of_a_village_ms", QueryRequest { at: village, ..all.clone() }),
        ("page_by_date_ms", QueryRequest { order_by: "joined_on".to_owned(), r#where: vec![full], ..all.clone() }),
        ("count_ms", QueryRequest { count_only: true, ..all.clone() }),
        (
            "count_by_seat_and_stage_ms",
            QueryRequest { count_only: true, group_by: vec!["seat".to_owned(), "stage".to_owned()], ..all },
        ),
    ];
    for (name, request) in asked {
        let took = time(&client, &request).await;
        report.figure(&format!("{prefix}{name}"), took);
        let max = match name {
            "letters_alone_ms" => continue,
            _ if name.starts_with("search") => SEARCH_MS_MAX,
            _ if name.starts_with("page") => PAGE_MS_MAX,
            _ => COUNT_MS_MAX,
        };
        report.target(&format!("{name} <= {max} at {records}"), took <= max);
    }
    report
        .figure(&format!("{prefix}records"), records)
        .figure(&format!("{prefix}listed_bytes_per_record"), listed as f64 / records as f64)
        .figure(&format!("{prefix}file_bytes_per_record"), bytes as f64 / records as f64)
        .floor(&format!("{prefix}bare_select_of_100_ms"), bare.0)
        .floor(&format!("{prefix}bare_group_by_ms"), bare.1);
    site.stop().await;
}

/// Milliseconds of the one in the middle.
async fn time(client: &Client, request: &QueryRequest) -> f64 {
    let mut took = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let start = Instant::now();
        let found = client.query(request.clone()).await.expect("it answers");
        took.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(found.total > 0 || !request.at.is_empty(), "there is something");
    }
    took.sort_by(f64::total_cmp);
    percentile(&took, 0.5)
}

pub async fn open(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.expect("the file opens")
}

async fn bytes_of_cells(file: &Path) -> i64 {
    let mut connection = open(file).await;
    let sum = sqlx::query_scalar(
        "SELECT (SELECT sum(length(cells)) FROM listed_cells) + (SELECT sum(length(place)) FROM listed_order)",
    );
    let bytes = sum.fetch_one(&mut connection).await.expect("the table is there");
    connection.close().await.expect("the file closes");
    bytes
}

/// A page in the order of an index, and a count over one.
async fn bare(file: &Path) -> (f64, f64) {
    let mut connection = open(file).await;
    let mut took = [0.0; 2];
    for _ in 0..2 {
        for (at, sql) in [
            "SELECT id, view FROM records WHERE kind = 'member' ORDER BY id LIMIT 100",
            "SELECT kind, count(*) FROM records INDEXED BY records_by_kind GROUP BY kind",
        ]
        .into_iter()
        .enumerate()
        {
            let start = Instant::now();
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the table is there");
            took[at] = start.elapsed().as_secs_f64() * 1e3;
            assert!(!rows.is_empty());
        }
    }
    connection.close().await.expect("the file closes");
    (took[0], took[1])
}
