//! `bootstrap`: an empty node gets all members of a county over real gRPC and TLS: verified, admitted, durable, views built.
//! `bootstrap_sealed`: each of them with a sealed telephone number, against a plain run just before it.
//!
//! Bytes are those of the protocol, before TLS: it adds 22 bytes to each record of up to 16 KiB, and a handshake.

use std::time::Instant;

use heliu_replication::LinkId;

use super::{CORES, Load, full_county, sizes};
use crate::driver::{Driver, connect, memory};
use crate::floor::{Floor, aead};
use crate::place::{Place, Region, Wire};
use crate::report::Report;
use crate::site::{Dial, Site};
use crate::usage::Processor;

/// What became of one bootstrap.
struct Moved {
    records: u64,
    seconds: f64,
    processor: f64,
    bytes: u64,
}

pub async fn run(wire: Wire, members: usize, growth: bool) -> Report {
    let (members, large) = sizes(members, growth);
    let load = Load { members, sealed: false };
    let moved = bootstrap(wire, load).await;
    let mut report = Report::new("bootstrap");
    let ratio = moved.tell(&mut report, load).await;
    report
        .target("<= 2.3x the floor", ratio <= 2.3)
        .target(">= 18,000 records/s", moved.rate() >= 18_000.0)
        .target("<= 75 us of CPU per record", moved.processor_us() <= 75.0)
        .target("<= 200 B per record", moved.bytes_each() <= 200.0);
    grow(&mut report, wire, &moved, large.map(|members| Load { members, ..load })).await;
    report
}

pub async fn run_sealed(wire: Wire, members: usize, growth: bool) -> Report {
    let (members, large) = sizes(members, growth);
    let load = Load { members, sealed: true };
    let plain = bootstrap(wire, Load { sealed: false, ..load }).await;
    let moved = bootstrap(wire, load).await;
    let mut report = Report::new("bootstrap_sealed");
    moved.tell(&mut report, load).await;
    let to_plain = moved.rate() / plain.rate();
    report
        .figure("plain_records_per_second", plain.rate())
        .figure("plain_bytes_per_record", plain.bytes_each())
        .figure("rate_to_plain", to_plain)
        .target(">= 0.85 of the plain rate", to_plain >= 0.85)
        .target("<= 150 B per record", moved.bytes_each() <= 150.0);
    grow(&mut report, wire, &moved, large.map(|members| Load { members, ..load })).await;
    report
}

async fn bootstrap(wire: Wire, load: Load) -> Moved {
    let directories = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (place, source, records, head) = full_county(wire, load, directories.0.path()).await;
    let (start, processor) = (Instant::now(), Processor::here());
    let dial = Dial { peer: Some(source.address()), ..Dial::default() };
    let sink = Site::start(&place, 2, directories.1.path(), dial).await;
    let seconds = (sink.wait_for_head(head).await - start).as_secs_f64();
    let processor = processor.seconds();
    let link = sink.wait_until_verified().await;
    sink.stop().await;
    source.stop().await;
    Moved { records, seconds, processor, bytes: link.traffic.bytes_in }
}

impl Moved {
    fn rate(&self) -> f64 {
        self.records as f64 / self.seconds
    }

    fn processor_us(&self) -> f64 {
        self.processor * 1e6 / self.records as f64
    }

    fn bytes_each(&self) -> f64 {
        self.bytes as f64 / self.records as f64
    }

    /// With the floor; the ratio to it.
    async fn tell(&self, report: &mut Report, load: Load) -> f64 {
        let floor = floor(load).await;
        let (full, bare) = (floor.on_cores(CORES, floor.rows), floor.on_cores(CORES, floor.two_rows));
        let ratio = self.seconds / full.as_secs_f64();
        report
            .figure("records", self.records)
            .figure("seconds", self.seconds)
            .figure("records_per_second", self.rate())
            .figure("cpu_us_per_record_both_nodes", self.processor_us())
            .figure("bytes_per_record", self.bytes_each())
            .figure("grants", floor.grants)
            .figure("leaves_per_commit", floor.leaves_per_commit)
            .floor("verify_seconds", floor.verify.as_secs_f64())
            .floor("verify_grants_seconds", floor.verify_grants.as_secs_f64())
            .floor("parse_and_apply_seconds", floor.parse_and_apply.as_secs_f64())
            .floor("own_parse_and_apply_seconds", floor.own_parse_and_apply.as_secs_f64())
            .floor("durable_rows_seconds", floor.rows.as_secs_f64())
            .floor("durable_two_rows_seconds", floor.two_rows.as_secs_f64())
            .floor("aead_seconds_apart", aead(self.bytes).as_secs_f64())
            .floor("all_cores_seconds", full.as_secs_f64())
            .floor("all_cores_two_rows_seconds", bare.as_secs_f64())
            .figure("ratio_to_two_rows", self.seconds / bare.as_secs_f64())
            .ratio(ratio);
        ratio
    }
}

/// The same once more with more of it.
async fn grow(report: &mut Report, wire: Wire, small: &Moved, load: Option<Load>) {
    let Some(load) = load else { return };
    let large = bootstrap(wire, load).await;
    let growth = large.rate() / small.rate();
    report
        .figure("large_records", large.records)
        .figure("large_records_per_second", large.rate())
        .figure("large_cpu_us_per_record_both_nodes", large.processor_us())
        .figure("large_bytes_per_record", large.bytes_each())
        .figure("growth_of_rate", growth)
        .target(&format!(">= 0.9 of the rate at {} records", large.records), growth >= 0.9);
}

/// The same records, moved in memory, for their commits and transactions.
async fn floor(load: Load) -> Floor {
    let place = Place::mirrored(Region::County, Wire::Plain);
    let (orgs, members) = load.commands(&place);
    let mut source = Driver::new(memory(1), place.directory.clone(), 1, false);
    source.execute(orgs);
    source.execute(members);
    let mut sink = Driver::new(memory(2), place.directory.clone(), 2, true);
    connect(&mut sink, &mut source, LinkId(1));
    Floor::measure(&sink.transactions, &place.directory).await
}
