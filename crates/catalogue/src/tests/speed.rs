//! Folding and deriving stay cheap enough for thousands of leaves per second. Counted in work, not in time: a pure crate
//! reads no clock, and `tests/bench` measures.

use std::sync::Arc;

use heliu_record::change::{Container, Note, Scalar};
use heliu_record::command::{RecordWrite, Write, WriteValue, cannot_seal};
use heliu_record::history::SHOWN;
use heliu_record::id::Actor;
use heliu_record::view::Record;

use super::world::{county_seats, nodes};
use crate::catalogue;
use crate::synthetic::county;

#[test]
fn a_plain_member_folds_to_a_small_view() {
    let [mut node] = nodes(["C"]);
    let made = county(&super::world::county_seats(1, 1), 1, 3);
    for org in &made.orgs {
        node.ask_request(&org.request()).expect("an organisation");
    }
    let member = made.members().next().expect("one");
    node.ask_request(&member.request(true)).expect("a member");
    let record = &node.records[&member.id()];
    let bytes = record.history.changes().next().map_or(0, |change| change.raw.len());
    assert!(bytes < 700, "{bytes} bytes");
    let again = Record::fold(record.kind(), record.preimage.clone(), record.history.clone(), &county_seats(1, 1));
    assert_eq!(again.view, record.view);
    assert!(catalogue().conflicts(member.id(), &node).is_empty());
    assert_eq!(record.view.signal, [0; 8], "nothing that a rule of another record reads is written: he has not moved");
}

#[test]
fn of_very_many_values_as_many_are_shown_as_one_decision_replaces_and_how_many_there_are() {
    let [mut county] = nodes(["C"]);
    let org = county.does("org.create", None, &[("name", "一村党支部"), ("seat", &county.seat_named("V11"))]);
    let before = county.records.remove(&org).expect("it was made");
    let mut history = (*before.history).clone();
    for author in 0..200u8 {
        let value = WriteValue::Value(Scalar::Text(format!("{author}")));
        let put = Write { container: Container::Mv, key: "name".to_owned(), value };
        let write = RecordWrite { record: org, create: None, writes: vec![put] };
        let change = write.change(&before.history, Actor([author; 16]), 0, Note::default(), &mut cannot_seal);
        history.place(Arc::new(change.expect("a change")));
    }
    let record = Record::fold(before.kind(), before.preimage.clone(), history, &county_seats(1, 1));
    let view = &record.view.json;
    assert_eq!(view["name_concurrent"].as_array().map(Vec::len), Some(SHOWN));
    assert_eq!(view["name_concurrent_count"], 200);
    assert!(
        view["name_concurrent"].as_array().expect("a list").contains(&view["name"]),
        "what stands meanwhile is shown"
    );
    county.records.insert(org, record);
    let conflicts = catalogue().conflicts(org, &county);
    let [conflict] = &conflicts[..] else { panic!("{conflicts:?}") };
    assert_eq!(conflict.values.len(), SHOWN);
    assert!(conflict.explanation.zh.contains("另有 192 个"), "{}", conflict.explanation.zh);
}
