//! Every sequence, a little of it, against three nodes that go on working.

use std::time::Duration;

use hostile::cost::BYTES_MAX;
use hostile::sequences::{NAMES, Size, play, told};

use super::alone;

/// Bytes of log for each 64 KiB of what comes; it was three times what came.
const LOG_MAX: u64 = 8 * 1024;
/// No clerk waits longer, on a machine that does much besides.
const WAIT_MAX: Duration = Duration::from_secs(5);

#[test]
fn what_somebody_does_one_after_the_other_takes_no_more_than_it_may_and_keeps_no_clerk_waiting() {
    let _turn = alone();
    let rows: Vec<_> = NAMES.into_iter().map(|name| play(name, Size::QUICK)).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let units = row.sent.div_ceil(64 * 1024).max(1);
        if row.memory as u64 > units * BYTES_MAX as u64 {
            wrong.push(format!("{}: {:.1} MiB for each 64 KiB", row.name, row.mib_per_unit()));
        }
        if row.log > units * LOG_MAX {
            wrong.push(format!("{}: {} bytes of log for {} that were sent", row.name, row.log, row.sent));
        }
        if row.waited.len() != 3 || row.waited.iter().any(|(most, _)| *most > WAIT_MAX || most.is_zero()) {
            wrong.push(format!("{}: clerks waited {:?}", row.name, row.waited));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), told(&rows));
    println!("{}", told(&rows));
}
