//! What a trial of a command says, as the message of `heliu.records.v1`: records before and after, conflicts, seats. As long as a page at
//! most: of a record that is longer only the names of fields are told.

use std::collections::BTreeSet;

use heliu_api::records as pb;
use heliu_record::conflict::Conflict;
use heliu_record::id::SeatId;
use heliu_record::preview::{Affected, Preview};
use heliu_record::seats::Seats;
use heliu_wire::messages;
use prost::Message as _;
use serde_json::{Map, Value};

use super::pages::Page;

/// Records and conflicts of one answer.
const ROWS: usize = 1_000;

/// With at most so many bytes.
pub(super) fn told(preview: Preview, seats: &Seats, bytes: usize) -> pb::Preview {
    let each = bytes / 2 / preview.records.len().max(1);
    let mut records = Page::new(ROWS, bytes / 2);
    for affected in preview.records {
        if !records.take(record(affected, seats, each)) {
            break;
        }
    }
    let conflicts = |all: Vec<Conflict>| {
        let mut page = Page::new(ROWS, bytes / 4);
        let _ = all.iter().map(|conflict| expected(conflict, seats)).all(|conflict| page.take(conflict));
        page.into_items()
    };
    let (opens, settles) = (conflicts(preview.opens), conflicts(preview.settles));
    pb::Preview { records: records.into_items(), opens, settles }
}

fn record(affected: Affected, seats: &Seats, bytes: usize) -> pb::Affected {
    let Affected { id, kind, title, made, before, after, gains, loses } = affected;
    let named = |all: &BTreeSet<SeatId>| all.iter().map(|seat| messages::seat(*seat, seats)).collect();
    let json = |fields: &Map<String, Value>| serde_json::to_string(fields).unwrap_or_default();
    let told = pb::Affected {
        id: id.to_string(),
        kind,
        name: title,
        made,
        before_json: if made { String::new() } else { json(&before) },
        after_json: json(&after),
        gains: named(&gains),
        loses: named(&loses),
        cut: false,
    };
    if told.encoded_len() <= bytes {
        return told;
    }
    let names = |fields: Map<String, Value>| json(&fields.into_iter().map(|(name, _)| (name, Value::Null)).collect());
    pb::Affected { before_json: names(before), after_json: names(after), cut: true, ..told }
}

fn expected(conflict: &Conflict, seats: &Seats) -> pb::Expected {
    pb::Expected {
        id: conflict.id.to_string(),
        kind: conflict.kind.clone(),
        explanation: Some(pb::Label {
            zh: conflict.explanation.zh.to_string(),
            en: conflict.explanation.en.to_string(),
        }),
        resolver: conflict.resolver.map(|seat| messages::seat(seat, seats)),
    }
}
