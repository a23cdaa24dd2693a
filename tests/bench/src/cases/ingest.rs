//! `ingest`: seventeen townships bring their backlogs to the county at once over TLS, with one leaf per commit and with many.

use std::time::Instant;

use futures::future::join_all;
use heliu_catalogue::synthetic::SyntheticOrg;
use heliu_record::command::Request;
use heliu_replication::LinkId;

use super::{CORES, sizes};
use crate::driver::{Driver, connect, memory};
use crate::floor::{Floor, aead};
use crate::place::{Place, Wire};
use crate::report::Report;
use crate::site::{Dial, Site, free_address};
use crate::usage::Processor;

/// What became of the backlogs.
struct Taken {
    leaves: usize,
    seconds: f64,
    bytes: u64,
    processor: f64,
}

pub async fn run(wire: Wire, members: usize, growth: bool) -> Report {
    let (members, large) = sizes(members, growth);
    let place = Place::new(wire, |place| {
        let townships = (10..).zip(place.townships.iter().cloned());
        townships.chain([(1, place.top.clone())]).collect()
    });
    let work = backlog(&place, members);
    let single = measure(&place, &work, 1).await;
    let packed = measure(&place, &work, 512).await;
    let floor = floor(&place, &work).await;
    let seconds = floor.on_cores(CORES, floor.rows).as_secs_f64();
    let mut report = Report::new("ingest");
    report
        .figure("leaves", single.leaves)
        .figure("leaves_per_second_one_per_commit", single.rate())
        .figure("leaves_per_second_packed_commits", packed.rate())
        .figure("cpu_us_per_leaf_one_per_commit_all_nodes", single.processor_us())
        .figure("cpu_us_per_leaf_packed_commits_all_nodes", packed.processor_us())
        .figure("bytes_per_leaf_one_per_commit", single.bytes_each())
        .figure("bytes_per_leaf_packed_commits", packed.bytes_each())
        .figure("leaves_per_commit", floor.leaves_per_commit)
        .floor("verify_seconds", floor.verify.as_secs_f64())
        .floor("parse_and_apply_seconds", floor.parse_and_apply.as_secs_f64())
        .floor("own_parse_and_apply_seconds", floor.own_parse_and_apply.as_secs_f64())
        .floor("durable_rows_seconds", floor.rows.as_secs_f64())
        .floor("durable_two_rows_seconds", floor.two_rows.as_secs_f64())
        .floor("aead_seconds_apart", aead(single.bytes).as_secs_f64())
        .floor("all_cores_seconds", seconds)
        .ratio(single.seconds / seconds)
        .target(">= 16,000 leaves/s at one leaf per commit", single.rate() >= 16_000.0)
        .target("<= 100 us of CPU per leaf at one leaf per commit", single.processor_us() <= 100.0);
    if let Some(large) = large {
        let grown = measure(&place, &backlog(&place, large), 1).await;
        report
            .figure("large_leaves", grown.leaves)
            .figure("large_leaves_per_second_one_per_commit", grown.rate())
            .figure("large_cpu_us_per_leaf_one_per_commit_all_nodes", grown.processor_us())
            .figure("growth_of_rate", grown.rate() / single.rate());
    }
    report
}

impl Taken {
    fn rate(&self) -> f64 {
        self.leaves as f64 / self.seconds
    }

    fn processor_us(&self) -> f64 {
        self.processor * 1e6 / self.leaves as f64
    }

    fn bytes_each(&self) -> f64 {
        self.bytes as f64 / self.leaves as f64
    }
}

/// For each township the commands that make its organisations and members.
fn backlog(place: &Place, members: usize) -> Vec<Vec<Request>> {
    let county = place.members(members);
    let seats = place.directory.seats();
    let township_of = |seat| place.townships.iter().position(|t| seats.is_at_or_above(t.id, seat));
    let mut work: Vec<Vec<Request>> = vec![Vec::new(); place.townships.len()];
    for org in &county.orgs {
        if let Some(township) = township_of(org.seat) {
            // What a township may found by itself, with nothing of the county's at hand.
            work[township].push(SyntheticOrg { parent: None, level: "branch", ..org.clone() }.request());
        }
    }
    for member in county.members() {
        if let Some(township) = township_of(member.seat) {
            work[township].push(member.request(true));
        }
    }
    work
}

async fn measure(place: &Place, work: &[Vec<Request>], at_once: usize) -> Taken {
    let directories: Vec<_> = (0..=work.len()).map(|_| tempfile::tempdir().expect("a directory")).collect();
    // Offline, each township gathers its backlog.
    let townships = (10..).zip(work).zip(&directories);
    join_all(townships.map(|((number, work), directory)| async move {
        let site = Site::start(place, number, directory.path(), Dial::default()).await;
        let orgs = work.iter().take_while(|request| request.name == "org.create").count();
        site.execute(work[..orgs].iter().cloned(), 1).await;
        site.execute(work[orgs..].iter().cloned(), at_once).await;
        site.stop().await;
    }))
    .await;
    let leaves: usize = work.iter().map(Vec::len).sum();
    // They are up and dial already when the county comes: what is measured begins with its first commit, not with the
    // start of seventeen nodes.
    let listen = free_address();
    let townships = join_all((10..).zip(work).zip(&directories).map(|((number, _), directory)| {
        let dial = Dial { upstream: Some(listen.to_string()), ..Dial::default() };
        Site::start(place, number, directory.path(), dial)
    }))
    .await;
    let (start, processor) = (Instant::now(), Processor::here());
    let dial = Dial { listen: Some(listen), ..Dial::default() };
    let county = Site::start(place, 1, directories[work.len()].path(), dial).await;
    let seconds = (county.wait_for_records(leaves as u64).await - start).as_secs_f64();
    let processor = processor.seconds();
    let links = county.node.links().await.expect("the county answers");
    let bytes = links.iter().map(|link| link.traffic.bytes_in).sum();
    join_all(townships.into_iter().map(Site::stop)).await;
    county.stop().await;
    Taken { leaves, seconds, bytes, processor }
}

/// One leaf per commit, moved in memory.
async fn floor(place: &Place, work: &[Vec<Request>]) -> Floor {
    let mut county = Driver::new(memory(1), place.directory.clone(), 1, true);
    for (number, work) in (10u8..).zip(work) {
        let mut township = Driver::new(memory(number), place.directory.clone(), u32::from(number), false);
        for request in work {
            township.execute([request.clone()]);
        }
        connect(&mut township, &mut county, LinkId(u64::from(number)));
    }
    Floor::measure(&county.transactions, &place.directory).await
}
