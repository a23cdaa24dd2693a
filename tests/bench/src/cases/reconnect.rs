//! `reconnect`: a node comes back with nothing new on either side. Its cost must not depend on how much is held.
//! Bytes are those of the protocol, before TLS, whose handshake of a few KB is not counted.

use super::Apart;
use crate::place::Wire;
use crate::report::Report;

struct Cost {
    bytes: u64,
    turns: u64,
    seconds: f64,
    processor: f64,
}

pub async fn run(wire: Wire, members: usize) -> Report {
    let small = reconnect(wire, members).await;
    let large = reconnect(wire, members * 200_000 / 22_000).await;
    let mut report = Report::new("reconnect");
    report
        .figure("records", members)
        .figure("bytes", small.bytes)
        .figure("round_trips", small.turns)
        .figure("seconds", small.seconds)
        .figure("cpu_us_per_record_both_nodes", small.processor * 1e6 / members as f64)
        .figure("large_records", members * 200_000 / 22_000)
        .figure("large_bytes", large.bytes)
        .figure("large_round_trips", large.turns)
        .figure("large_seconds", large.seconds)
        .figure("large_cpu_us_per_record_both_nodes", large.processor * 1e6 / (members * 200_000 / 22_000) as f64)
        .figure("growth_of_seconds", large.seconds / small.seconds)
        // Each end has to say who it is and how far it came: two ids, a store, an incarnation, a directory head, a cursor.
        .floor("bytes", 2 * (16 + 16 + 16 + 16 + 32 + 40))
        .ratio(small.bytes as f64 / f64::from(2 * (16 + 16 + 16 + 16 + 32 + 40)))
        .target("<= 2 KB", small.bytes <= 2_048 && large.bytes <= 2_048)
        .target("<= 3 round trips", small.turns <= 3 && large.turns <= 3)
        .target("the same bytes for both sizes", small.bytes.abs_diff(large.bytes) <= 16);
    report
}

async fn reconnect(wire: Wire, members: usize) -> Cost {
    let (link, seconds, processor) = Apart::with(wire, members).await.rejoin().await;
    Cost { bytes: link.traffic.bytes_in + link.traffic.bytes_out, turns: link.traffic.turns, seconds, processor }
}
