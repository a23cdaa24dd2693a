//! `village`: what the shipped program takes at rest on a village's machine.

use std::time::Duration;

use crate::report::Report;
use crate::shipped::{Shipped, found};
use crate::usage::{Processor, resident_mib};

/// A large village's.
const MEMBERS: usize = 200;
/// Seconds for which it is watched at rest.
const REST: u64 = 5;

pub async fn run() -> Report {
    let program = super::built("heliu");
    let binary = std::fs::metadata(&program).expect("the program is there").len() as f64 / 1e6;
    let directory = tempfile::tempdir().expect("a directory");
    let home = found(&program, directory.path(), "371726001216");
    let node = Shipped::start(&program, &home);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let empty = resident_mib(node.process());
    let client = node.client().await;
    let processor = Processor::of(node.process());
    super::live::register(&client, MEMBERS).await;
    let registering = processor.seconds();
    drop(client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let resident = resident_mib(node.process());
    let processor = Processor::of(node.process());
    tokio::time::sleep(Duration::from_secs(REST)).await;
    let resting = processor.seconds();
    drop(node);
    let mut report = Report::new("village");
    report
        .figure("members", MEMBERS)
        .figure("resident_mib", resident)
        .figure("binary_mb", binary)
        // Each is registered and edited once.
        .figure("cpu_us_per_record", registering * 1e6 / MEMBERS as f64)
        .figure("cpu_ms_per_second_at_rest", resting * 1e3 / REST as f64)
        .floor("resident_without_records_mib", empty)
        .ratio(resident / empty)
        .target("resident <= 28 MiB", resident <= 28.0)
        .target("binary <= 40 MB", binary <= 40.0);
    report
}
