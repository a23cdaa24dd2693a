//! `catchup`: one record in a hundred changed while a node was away. Bytes are those of the protocol, before TLS.

use std::collections::BTreeMap;

use heliu_record::command::{CommandId, Request};
use heliu_record::id::RecordId;

use super::Apart;
use crate::place::Wire;
use crate::report::Report;
use crate::site::random;

pub async fn run(wire: Wire, members: usize) -> Report {
    let apart = Apart::with(wire, members).await;
    let records = apart.records;
    let edits: Vec<Request> =
        apart.place.members(members).members().step_by(100).map(|member| rename(member.id())).collect();
    let changed = edits.len();
    apart.source.execute(edits, 64).await;

    let (link, seconds, processor) = apart.rejoin().await;
    let bytes = (link.traffic.bytes_in + link.traffic.bytes_out) as f64 / changed as f64;
    // A signature and a new name have to cross whatever the protocol is.
    let floor = 64.0 + 16.0;
    let mut report = Report::new("catchup");
    report
        .figure("records", records)
        .figure("changed", changed)
        .figure("bytes_per_changed_record", bytes)
        .figure("seconds_to_verified", seconds)
        // With the start of the one that comes back.
        .figure("cpu_us_per_changed_record_both_nodes", processor * 1e6 / changed as f64)
        .floor("bytes_per_changed_record", floor)
        .ratio(bytes / floor)
        .target("<= 400 B per changed record", bytes <= 400.0);
    report
}

/// To a name that nobody else has: compression must not make the names free.
pub fn rename(record: RecordId) -> Request {
    let name = format!("测试{}", heliu_record::id::to_hex(&random::<6>()));
    let arguments = [("field", "name".to_owned()), ("value", name)].map(|(k, v)| (k.to_owned(), v));
    Request {
        id: CommandId(random()),
        name: "record.set".to_owned(),
        subject: Some(record),
        arguments: BTreeMap::from(arguments),
        who: "bench".to_owned(),
        reason: "a correction".to_owned(),
        on_behalf: None,
    }
}
