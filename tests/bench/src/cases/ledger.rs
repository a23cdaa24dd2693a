//! `ledger`: how long a clerk waits for what all members of a county come to, at its node; beside a bare GROUP BY over as many rows.

use std::time::Instant;

use heliu_api::records::LedgerRequest;
use heliu_client::Client;
use heliu_storage_sqlite::DATABASE;
use sqlx::Connection as _;

use super::query::open;
use super::{Load, begun_again, for_clerks, full_county};
use crate::place::Wire;
use crate::report::{Report, percentile};

const TIMES: usize = 9;
const LEDGER_MS_MAX: f64 = 1_000.0;

pub async fn run(wire: Wire, members: usize, growth: bool) -> Report {
    for_clerks("ledger", members, growth, async |members, prefix, report| measure(wire, members, prefix, report).await)
        .await
}

async fn measure(wire: Wire, members: usize, prefix: &str, report: &mut Report) {
    let directory = tempfile::tempdir().expect("a directory");
    let load = Load { members, sealed: false };
    let (place, site, records, _) = full_county(wire, load, directory.path()).await;
    site.stop().await;
    let floor = bare(&directory.path().join(DATABASE)).await;
    let (site, client) = begun_again(&place, directory.path()).await;
    let asked = |name: &str, by: &str| LedgerRequest { name: name.to_owned(), by: by.to_owned(), ..Default::default() };
    for (figure, request) in [
        ("members_by_seat_ms", asked("members", "seat")),
        ("members_by_org_ms", asked("members", "org")),
        ("movements_ms", asked("movements", "")),
        ("statistics_ms", asked("statistics", "")),
    ] {
        let took = time(&client, &request).await;
        report.figure(&format!("{prefix}{figure}"), took);
        report.target(&format!("{figure} <= {LEDGER_MS_MAX} at {records}"), took <= LEDGER_MS_MAX);
    }
    report.figure(&format!("{prefix}records"), records).floor(&format!("{prefix}bare_group_by_ms"), floor);
    site.stop().await;
}

/// Milliseconds of the one in the middle.
async fn time(client: &Client, request: &LedgerRequest) -> f64 {
    let mut took = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let start = Instant::now();
        let told = client.ledger(request.clone()).await.expect("it answers");
        took.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(told.lines_total > 0 && told.checks.iter().all(|check| check.holds), "it balances");
    }
    took.sort_by(f64::total_cmp);
    percentile(&took, 0.5)
}

/// A count over all rows by an index of theirs.
async fn bare(file: &std::path::Path) -> f64 {
    let mut connection = open(file).await;
    let mut took = 0.0;
    for _ in 0..2 {
        let start = Instant::now();
        let sql = "SELECT kind, count(*) FROM records INDEXED BY records_by_kind GROUP BY kind";
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the table is there");
        took = start.elapsed().as_secs_f64() * 1e3;
        assert!(!rows.is_empty());
    }
    connection.close().await.expect("the file closes");
    took
}
