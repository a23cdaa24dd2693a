//! `hostile`: what the worst input costs that an enrolled node, or anybody on the line, could send. The corpus and the
//! measuring are those of `tests/hostile`, whose allocator counts.

use std::process::Command;

use serde_json::Value;

use crate::report::Report;

const MS_MAX: f64 = 50.0;
const MIB_MAX: f64 = 32.0;

pub fn run() -> Report {
    let out = Command::new(super::built("hostile")).args(["corpus", "--json"]).output().expect("hostile starts");
    let text = String::from_utf8_lossy(&out.stdout);
    let shapes: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["shape"].is_string())
        .collect();
    assert!(!shapes.is_empty(), "no shape was measured: {}", String::from_utf8_lossy(&out.stderr));
    // For each 64 KiB of input.
    let units = |shape: &Value| (shape["bytes"].as_f64().unwrap_or(f64::NAN) / 65_536.0).ceil().max(1.0);
    let worst = |of: &str| {
        let cost = |shape: &Value| shape[of].as_f64().unwrap_or(f64::INFINITY) / units(shape);
        let worst = shapes.iter().max_by(|a, b| cost(a).total_cmp(&cost(b)));
        worst.map_or((f64::NAN, ""), |shape| (cost(shape), shape["shape"].as_str().unwrap_or("")))
    };
    let ((ms, slowest), (mib, largest)) = (worst("ms"), worst("mib"));
    let mut report = Report::new("hostile");
    report
        .figure("shapes", shapes.len())
        .figure("worst_ms_per_64_kib", ms)
        .figure("worst_ms_shape", slowest)
        .figure("worst_mib_per_64_kib", mib)
        .figure("worst_mib_shape", largest)
        .target("<= 50 ms for each 64 KiB", ms <= MS_MAX)
        .target("<= 32 MiB for each 64 KiB", mib <= MIB_MAX);
    report
}
