//! `city`: a city's node with all its organisations and members, its start, and its reconciliation with a mirror from which
//! it differs in a hundred records: it was put back from a backup that is older than the mirror.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use heliu_catalogue::synthetic::{County, SyntheticMember};
use heliu_record::id::{RecordId, SeatId};
use heliu_storage_sqlite::{DATABASE, FILES};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::start::Started;
use super::{AT_ONCE, found};
use crate::floor::fsync;
use crate::place::{Place, Region, Wire};
use crate::report::Report;
use crate::site::{Dial, Site};
use crate::usage::{Processor, bytes_read};

const ORGS: f64 = 28_000.0;
const MEMBERS: f64 = 658_000.0;
/// Records that one end lacks, each of a scope of its own as long as there are as many.
const DIFFERENCES: usize = 100;
const SECONDS_MAX: f64 = 2.0;

/// `scale`: 1 for a whole city.
pub async fn run(scale: f64) -> Report {
    let program = super::built("heliu");
    let place = Place::mirrored(Region::City, Wire::Tls);
    let city = place.populated((ORGS * scale) as usize, ((MEMBERS * scale) as usize).max(2 * DIFFERENCES));
    let home = tempfile::tempdir().expect("a directory");
    let mut report = Report::new("city");
    let late = late(&city);
    let records = make(&place, &city, &late, home.path(), &mut report).await;
    let backup = tempfile::tempdir().expect("a directory");
    for name in FILES.iter().filter(|name| home.path().join(name).exists()) {
        std::fs::copy(home.path().join(name), backup.path().join(name)).expect("a closed store is copied");
    }
    let asked = city.orgs.last().expect("there are organisations").id();
    let started = Started::on(&program, &place, home.path(), records, asked).await;
    started.figures(&mut report, "");
    started.targets(&mut report);
    let mirror = mirror(&place, home.path(), &city, &late, &mut report).await;
    let (seconds, read) = reconcile(&place, backup.path(), mirror.path(), &mut report).await;
    let floor = Floor::measure(&city, &late, mirror.path()).await;
    report
        .figure("rows_of_differing_scopes", floor.rows)
        .floor("read_rows_of_differing_scopes_both_ends_seconds", floor.seconds)
        .floor("read_rows_of_differing_scopes_both_ends_mib", floor.mib)
        .figure("ratio_read_to_the_floor", read / floor.mib)
        .ratio(seconds / floor.seconds)
        .target("reads only scopes whose sums differ (<= 2x the floor)", read <= 2.0 * floor.mib);
    report
}

/// The members that one end will lack.
fn late(city: &County) -> BTreeSet<RecordId> {
    let members = city.members().count();
    city.members().step_by(members / DIFFERENCES).take(DIFFERENCES).map(|member| member.id()).collect()
}

/// Node 1, with all records but the late ones: how many.
async fn make(place: &Place, city: &County, late: &BTreeSet<RecordId>, home: &Path, report: &mut Report) -> u64 {
    let site = Site::start(place, 1, home, Dial::default()).await;
    let (start, processor) = (Instant::now(), Processor::here());
    found(&site, &city.orgs).await;
    let members = city.members().filter(|member| !late.contains(&member.id()));
    site.execute(members.map(|member| member.request(true)), AT_ONCE).await;
    let (seconds, processor) = (start.elapsed().as_secs_f64(), processor.seconds());
    let records = site.records().await;
    site.stop().await;
    report
        .figure("organisations", city.orgs.len())
        .figure("seats", place.directory.seats().len())
        .figure("make_seconds", seconds)
        .figure("make_records_per_second", records as f64 / seconds)
        .figure("make_cpu_us_per_record", processor * 1e6 / records as f64)
        .figure("store_mib", store_mib(home));
    records
}

/// Node 2: gets all of node 1, and makes the late ones when that is away.
async fn mirror(
    place: &Place,
    home: &Path,
    city: &County,
    late: &BTreeSet<RecordId>,
    report: &mut Report,
) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let source = Site::start(place, 1, home, Dial::default()).await;
    let head = source.head().await;
    let dial = Dial { peer: Some(source.address()), ..Dial::default() };
    let (start, processor) = (Instant::now(), Processor::here());
    let sink = Site::start(place, 2, directory.path(), dial).await;
    let seconds = (sink.wait_for_head(head).await - start).as_secs_f64();
    report
        .figure("bootstrap_records_per_second", head as f64 / seconds)
        .figure("bootstrap_cpu_us_per_record_both_nodes", processor.seconds() * 1e6 / head as f64);
    sink.wait_until_verified().await;
    source.stop().await;
    let members: Vec<SyntheticMember> = city.members().filter(|member| late.contains(&member.id())).collect();
    sink.execute(members.iter().map(|member| member.request(true)), DIFFERENCES).await;
    sink.stop().await;
    directory
}

/// Until both are proven equal: the seconds, and the MiB that both have read of their stores.
async fn reconcile(place: &Place, backup: &Path, mirror: &Path, report: &mut Report) -> (f64, f64) {
    let restored = Site::start(place, 1, backup, Dial::default()).await;
    let lacking = restored.head().await;
    let dial = Dial { peer: Some(restored.address()), ..Dial::default() };
    let sink = Site::start(place, 2, mirror, dial).await;
    let (start, processor, read) = (Instant::now(), Processor::here(), bytes_read());
    let there = (restored.wait_for_head(lacking + DIFFERENCES as u64).await - start).as_secs_f64();
    let link = sink.wait_until_verified().await;
    let (verified, read) = (start.elapsed().as_secs_f64(), bytes_read() - read);
    let processor = processor.seconds();
    assert_eq!(restored.records().await, sink.records().await, "both ends hold the same now");
    sink.stop().await;
    restored.stop().await;
    let bytes = link.traffic.bytes_in + link.traffic.bytes_out;
    report
        .figure("differences", DIFFERENCES)
        .figure("reconcile_seconds_to_held", there)
        .figure("reconcile_seconds_to_verified", verified)
        .figure("reconcile_cpu_ms_both_nodes", processor * 1e3)
        .figure("reconcile_cpu_us_per_difference_both_nodes", processor * 1e6 / DIFFERENCES as f64)
        .figure("reconcile_bytes", bytes)
        .figure("reconcile_bytes_per_difference", bytes as f64 / DIFFERENCES as f64)
        .figure("reconcile_store_mib_read_both_nodes", mib(read))
        .target(&format!("reconcile {DIFFERENCES} differences <= {SECONDS_MAX} s"), verified <= SECONDS_MAX);
    (verified, mib(read))
}

/// To read the rows of each scope that differs once at each end, by their ids, and to make what comes durable.
struct Floor {
    rows: usize,
    seconds: f64,
    mib: f64,
}

impl Floor {
    async fn measure(city: &County, late: &BTreeSet<RecordId>, store: &Path) -> Floor {
        const AT_ONCE: usize = 500;
        let differing: BTreeSet<SeatId> =
            city.members().filter(|member| late.contains(&member.id())).map(|member| member.seat).collect();
        let orgs = city.orgs.iter().map(|org| (org.seat, org.id()));
        let all = orgs.chain(city.members().map(|member| (member.seat, member.id())));
        let ids: Vec<RecordId> = all.filter(|(seat, _)| differing.contains(seat)).map(|(_, id)| id).collect();
        let (start, read) = (Instant::now(), bytes_read());
        let options = SqliteConnectOptions::new().filename(store.join(DATABASE));
        let mut connection = options.connect().await.expect("the file opens");
        let mut found = 0;
        for ids in ids.chunks(AT_ONCE) {
            let places = vec!["?"; ids.len()].join(", ");
            let sql = format!("SELECT scope, held, admitted, leaves FROM records WHERE id IN ({places})");
            let query = sqlx::query(sqlx::AssertSqlSafe(sql));
            let query = ids.iter().fold(query, |query, id| query.bind(&id.0[..]));
            found += query.fetch_all(&mut connection).await.expect("the table is there").len();
        }
        let (seconds, read) = (start.elapsed().as_secs_f64(), bytes_read() - read);
        connection.close().await.expect("the file closes");
        assert_eq!(found, ids.len(), "the mirror has all of them");
        Floor { rows: found, seconds: 2.0 * seconds + fsync(100).as_secs_f64(), mib: 2.0 * mib(read) }
    }
}

fn store_mib(home: &Path) -> f64 {
    std::fs::metadata(home.join(DATABASE)).map_or(f64::NAN, |file| mib(file.len()))
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
