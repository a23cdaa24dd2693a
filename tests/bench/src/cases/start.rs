//! `start`: the shipped program on a store that is full already, from its start to its first answer, and what it takes of
//! memory then. The system has the store's file in memory, as after a restart of the program and not of the machine.

use std::path::Path;
use std::time::{Duration, Instant};

use heliu_record::id::RecordId;
use heliu_storage_sqlite::DATABASE;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::{Load, full_county, sizes};
use crate::place::{Place, Region, Wire};
use crate::report::Report;
use crate::shipped::Shipped;
use crate::site::{Dial, Site, free_address};
use crate::usage::{Processor, peak_mib, settled_mib};

/// Starts, of which the one in the middle counts.
const TIMES: usize = 3;
const SECONDS_MAX: f64 = 0.2;

pub async fn run(members: usize, growth: bool) -> Report {
    let (members, large) = sizes(members, growth);
    let program = super::built("heliu");
    let empty = empty(&program).await;
    let small = full(&program, members).await;
    let mut report = Report::new("start");
    small.figures(&mut report, "");
    report
        .floor("empty_node_start_seconds", empty.seconds)
        .floor("empty_node_resident_mib", empty.resident)
        .ratio(small.seconds / (empty.seconds + small.bare.as_secs_f64()))
        .figure("ratio_resident_to_empty_node", small.resident / empty.resident);
    small.targets(&mut report);
    if let Some(large) = large {
        let large = full(&program, large).await;
        large.figures(&mut report, "large_");
        report
            .figure("growth_of_start_seconds", large.seconds / small.seconds)
            .figure("growth_of_resident", large.resident / small.resident);
        large.targets(&mut report);
    }
    report
}

/// How the program starts on one store.
pub struct Started {
    records: u64,
    seconds: f64,
    slowest: f64,
    processor: f64,
    resident: f64,
    peak: f64,
    /// To open the file alone, and to find one record by its id.
    bare: Duration,
}

impl Started {
    /// On the store of node 1 in a directory that holds nothing else, or what the store's node has made there.
    pub async fn on(program: &Path, place: &Place, directory: &Path, records: u64, asked: RecordId) -> Started {
        let bare = bare_open(directory, asked).await;
        place.settle(1, directory, free_address());
        let mut seconds = Vec::with_capacity(TIMES);
        let (mut processor, mut resident, mut peak) = (f64::NAN, f64::NAN, f64::NAN);
        for time in 1..=TIMES {
            let start = Instant::now();
            let node = Shipped::start(program, directory);
            let used = Processor::since_start_of(node.process());
            let found = node.client().await.get(&asked.to_string()).await;
            seconds.push(start.elapsed().as_secs_f64());
            assert!(found.is_ok() == (records > 0), "the first answer is the right one");
            processor = used.seconds();
            if time == TIMES {
                resident = settled_mib(node.process()).await;
                peak = peak_mib(node.process());
            }
        }
        seconds.sort_by(f64::total_cmp);
        let slowest = seconds.last().copied().unwrap_or(f64::NAN);
        Started { records, seconds: seconds[TIMES / 2], slowest, processor, resident, peak, bare }
    }

    pub fn figures(&self, report: &mut Report, prefix: &str) {
        report
            .figure(&format!("{prefix}records"), self.records)
            .floor(&format!("{prefix}bare_open_and_select_seconds"), self.bare.as_secs_f64());
        let mut figure = |name: &str, value: f64| {
            report.figure(&format!("{prefix}{name}"), value);
        };
        figure("start_seconds", self.seconds);
        figure("start_seconds_slowest", self.slowest);
        figure("start_cpu_seconds", self.processor);
        figure("start_cpu_us_per_record", self.processor * 1e6 / self.records as f64);
        figure("resident_mib", self.resident);
        figure("resident_peak_mib", self.peak);
    }

    pub fn targets(&self, report: &mut Report) {
        let (records, resident_max) = (self.records, if self.records <= 110_000 { 60.0 } else { 150.0 });
        report
            .target(&format!("start <= {SECONDS_MAX} s at {records}"), self.seconds <= SECONDS_MAX)
            .target(&format!("resident <= {resident_max} MiB at {records}"), self.resident <= resident_max);
    }
}

async fn full(program: &Path, members: usize) -> Started {
    let directory = tempfile::tempdir().expect("a directory");
    let load = Load { members, sealed: false };
    let (place, site, records, _) = full_county(Wire::Tls, load, directory.path()).await;
    site.stop().await;
    let asked = place.members(members).members().last().expect("there are members").id();
    Started::on(program, &place, directory.path(), records, asked).await
}

async fn empty(program: &Path) -> Started {
    let directory = tempfile::tempdir().expect("a directory");
    let place = Place::mirrored(Region::County, Wire::Tls);
    Site::start(&place, 1, directory.path(), Dial::default()).await.stop().await;
    Started::on(program, &place, directory.path(), 0, RecordId([7; 32])).await
}

async fn bare_open(directory: &Path, asked: RecordId) -> Duration {
    let start = Instant::now();
    let options = SqliteConnectOptions::new().filename(directory.join(DATABASE));
    let mut connection = options.connect().await.expect("the file opens");
    let query = sqlx::query("SELECT view FROM records WHERE id = ?").bind(&asked.0[..]);
    let row = query.fetch_optional(&mut connection).await.expect("the table is there");
    let view: Option<Vec<u8>> = row.map(|row| row.get(0));
    let took = start.elapsed();
    assert!(view.is_none_or(|view| !view.is_empty()), "a record is there as people read it");
    connection.close().await.expect("the file closes");
    took
}
