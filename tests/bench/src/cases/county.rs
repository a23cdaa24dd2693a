//! `county`: the whole default county in one process, from nothing to verified equal: the shipped demo, run to its end.

use serde_json::Value;

use crate::floor::fsync;
use crate::report::Report;
use crate::usage::Processor;

pub fn run() -> Report {
    let mut report = Report::new("county");
    let program = super::built("heliu");
    let processor = Processor::of_children();
    let out = std::process::Command::new(program).args(["demo", "--once", "--json"]).output().expect("heliu starts");
    let text = String::from_utf8_lossy(&out.stdout);
    let result: Value = text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    for name in [
        "nodes",
        "members",
        "records",
        "commits",
        "lost",
        "converged",
        "links",
        "verified_links",
        "seconds",
        "peak_rss_mb",
    ] {
        report.figure(name, result[name].clone());
    }
    let records = result["records"].as_f64().unwrap_or(f64::NAN);
    report.figure("cpu_us_per_record_all_nodes", processor.seconds() * 1e6 / records);
    let seconds = result["seconds"].as_f64().unwrap_or(f64::NAN);
    // Each node makes its part durable at least once before, while and after the county is apart.
    let syncs = result["nodes"].as_f64().unwrap_or(0.0) * 3.0;
    let floor = fsync(100).as_secs_f64() * syncs;
    report
        .floor("three_syncs_per_node_seconds", floor)
        .ratio(seconds / floor)
        .target("<= 25 s", seconds <= 25.0)
        .target("<= 1.5 GiB", result["peak_rss_mb"].as_f64().is_some_and(|mb| mb <= 1_536.0))
        .target("nothing lost, converged", result["lost"] == 0 && result["converged"] == true)
        .target("every link proven equal", result["links"].is_u64() && result["verified_links"] == result["links"]);
    report
}
