//! `catchup`: one record in a hundred changed while a node was away.

use std::collections::BTreeMap;
use std::time::Instant;

use heliu_record::command::{CommandId, Request};

use super::full_county;
use crate::report::Report;
use crate::site::{Dial, Site, random};

pub async fn run(members: usize) -> Report {
    let directories = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let (place, source, records) = full_county(members, directories.0.path()).await;
    let dial = Dial { peer: Some(source.address()), ..Dial::default() };
    let sink = Site::start(&place, 2, directories.1.path(), dial.clone()).await;
    sink.wait_for_records(records).await;
    sink.wait_until_verified().await;
    sink.stop().await;

    let edits: Vec<Request> = place.members(members).members().step_by(100).map(|member| rename(&member)).collect();
    let changed = edits.len();
    source.execute(edits, 64).await;

    let start = Instant::now();
    let sink = Site::start(&place, 2, directories.1.path(), dial).await;
    let link = sink.wait_until_verified().await;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = (link.traffic.bytes_in + link.traffic.bytes_out) as f64 / changed as f64;
    sink.stop().await;
    source.stop().await;
    // A signature and a new name have to cross whatever the protocol is.
    let floor = 64.0 + 16.0;
    let mut report = Report::new("catchup");
    report
        .figure("records", records)
        .figure("changed", changed)
        .figure("bytes_per_changed_record", bytes)
        .figure("seconds_to_verified", seconds)
        .floor("bytes_per_changed_record", floor)
        .ratio(bytes / floor)
        .target("<= 400 B per changed record", bytes <= 400.0);
    report
}

fn rename(member: &heliu_record::synthetic::SyntheticMember) -> Request {
    let arguments = [("field", "name"), ("value", "测试改名")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    Request {
        id: CommandId(random()),
        name: "record.set".to_owned(),
        subject: Some(member.id()),
        arguments: BTreeMap::from(arguments),
        who: "bench".to_owned(),
        reason: "a correction".to_owned(),
    }
}
