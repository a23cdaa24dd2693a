//! Folding and deriving stay cheap enough for thousands of leaves per second. Counted in work, not in time: a pure crate
//! reads no clock, and `tests/bench` measures.

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
    assert!(record.history.changes()[0].raw.len() < 700, "{} bytes", record.history.changes()[0].raw.len());
    let again = Record::fold(record.kind(), record.preimage.clone(), record.history.clone(), &county_seats(1, 1));
    assert_eq!(again.view, record.view);
    assert!(catalogue().conflicts(member.id(), &node).is_empty());
    assert_eq!(record.view.signal, [0; 8], "no rule of another record reads a member");
}
