//! `bootstrap`: an empty node gets all members of a county over real gRPC and TLS: verified, admitted, durable, views built.
//!
//! Bytes are those of the protocol, before TLS: it adds 22 bytes to each record of up to 16 KiB, and a handshake.

use std::time::Instant;

use heliu_replication::LinkId;

use super::{CORES, Load, full_county};
use crate::driver::{Driver, connect, memory};
use crate::floor::{Floor, aead};
use crate::place::{Place, Wire};
use crate::report::{Processor, Report};
use crate::site::{Dial, Site};

pub async fn run(wire: Wire, members: usize, sealed: bool) -> Report {
    let load = Load { members, sealed };
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

    let floor = floor(&place, load).await;
    let (full, bare) = (floor.on_cores(CORES, floor.rows), floor.on_cores(CORES, floor.two_rows));
    let rate = records as f64 / seconds;
    let bytes = link.traffic.bytes_in as f64 / records as f64;
    let ratio = seconds / full.as_secs_f64();
    let mut report = Report::new(if sealed { "bootstrap --sealed" } else { "bootstrap" });
    report
        .figure("records", records)
        .figure("seconds", seconds)
        .figure("records_per_second", rate)
        .figure("cpu_us_per_record_both_nodes", processor * 1e6 / records as f64)
        .figure("bytes_per_record", bytes)
        .figure("grants", floor.grants)
        .figure("leaves_per_commit", floor.leaves_per_commit)
        .floor("verify_seconds", floor.verify.as_secs_f64())
        .floor("verify_grants_seconds", floor.verify_grants.as_secs_f64())
        .floor("parse_and_apply_seconds", floor.parse_and_apply.as_secs_f64())
        .floor("own_parse_and_apply_seconds", floor.own_parse_and_apply.as_secs_f64())
        .floor("durable_rows_seconds", floor.rows.as_secs_f64())
        .floor("durable_two_rows_seconds", floor.two_rows.as_secs_f64())
        .floor("aead_seconds_apart", aead(link.traffic.bytes_in).as_secs_f64())
        .floor("all_cores_seconds", full.as_secs_f64())
        .floor("all_cores_two_rows_seconds", bare.as_secs_f64())
        .figure("ratio_to_two_rows", seconds / bare.as_secs_f64())
        .ratio(ratio)
        .target("<= 2x the floor", ratio <= 2.0)
        .target(">= 10,000 records/s", rate >= 10_000.0);
    if !sealed {
        report.target("<= 200 B per record", bytes <= 200.0);
    }
    report
}

/// The same records, moved in memory, for their commits and transactions.
async fn floor(place: &Place, load: Load) -> Floor {
    let (orgs, members) = load.commands(place);
    let mut source = Driver::new(memory(1), place.directory.clone(), 1, false);
    source.execute(orgs);
    source.execute(members);
    let mut sink = Driver::new(memory(2), place.directory.clone(), 2, true);
    connect(&mut sink, &mut source, LinkId(1));
    Floor::measure(&sink.transactions, &place.directory).await
}
