//! Where a member belongs when people disagreed: letters, decisions, and the record that goes with the person.

use heliu_record::change::{Container, Scalar};
use heliu_record::command::{RecordWrite, Write, WriteValue};
use heliu_record::conflict::Severity;
use heliu_record::id::SeatId;
use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{meet, meet_all, nodes};

#[test]
fn a_letter_from_the_home_that_was_not_chosen_moves_nobody() {
    let mut all = nodes(["C", "T1", "T2"]);
    let [county, t1, t2] = &mut all;
    let [b0, b1, b2, b5] = ["V11", "V12", "V21", "V13"].map(|v| branch(county, v, v));
    let m = member(county, b0, "测试甲0001");
    t1.hears(county);
    t2.hears(county);
    // In the township the person moves to b1 and on to b5; elsewhere the county sends the person to b2.
    t1.does("member.transfer.issue", Some(m), &[("to_org", &hex(b1)), ("letter_no", "L1")]);
    t1.does("member.transfer.receive", Some(m), &[]);
    t1.does("member.transfer.issue", Some(m), &[("to_org", &hex(b5)), ("letter_no", "L3")]);
    t1.does("member.transfer.receive", Some(m), &[]);
    assert_eq!(t1.json(m)["home_epoch"], json!(3));
    county.does("member.transfer.issue", Some(m), &[("to_org", &hex(b2)), ("letter_no", "L2")]);
    t2.hears(county);
    t2.does("member.transfer.receive", Some(m), &[]);
    meet_all(&mut all);
    let [county, ..] = &mut all;
    let conflict = county.conflict("MULTI_HOME").clone();
    county.settles(&conflict, &hex(b2));
    assert_eq!(county.json(m)["home_branch"], json!(hex(b2)), "what the county chose holds");
    assert_eq!(county.json(m)["home_epoch"], json!(2));
    let conflict = county.conflict("STALE_TRANSFER").clone();
    assert!(conflict.explanation.en.contains("L3"), "{}", conflict.explanation.en);
    county.settles(&conflict, "1");
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty() && node.json(m)["home_branch"] == json!(hex(b2))));
}

#[test]
fn two_settlements_of_one_dispute_are_a_new_dispute() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let [b0, b1, b2] = ["V11", "V12", "V13"].map(|v| branch(county, v, v));
    let m = member(county, b0, "测试甲0001");
    meet(county, t1);
    for (node, to) in [(&mut *t1, b1), (&mut *county, b2)] {
        node.does("member.transfer.issue", Some(m), &[("to_org", &hex(to))]);
        node.does("member.transfer.receive", Some(m), &[]);
    }
    meet(county, t1);
    // Apart, the township chooses one and the county the other; and once more.
    for _ in 0..2 {
        let conflict = t1.conflict("MULTI_HOME").clone();
        t1.settles(&conflict, &hex(b1));
        county.settles(&conflict, &hex(b2));
        assert_eq!(t1.json(m)["home_branch"], json!(hex(b1)));
        assert_eq!(county.json(m)["home_branch"], json!(hex(b2)));
        meet(county, t1);
        assert_eq!(county.json(m)["home_branch"], json!(hex(b0)), "until somebody decides, where nobody disputes");
        assert_eq!(county.json(m)["home_branch_concurrent"].as_array().map(Vec::len), Some(2));
    }
    let conflict = county.conflict("MULTI_HOME").clone();
    county.settles(&conflict, &hex(b2));
    meet(county, t1);
    assert!(t1.open.is_empty() && county.open.is_empty(), "{:?}", t1.open);
    assert_eq!(t1.json(m)["home_branch"], json!(hex(b2)));
    let owners: Vec<String> = t1.records[&m].view.owners.iter().map(ToString::to_string).collect();
    assert_eq!(owners, [t1.seat_named("V13")]);
}

#[test]
fn the_record_stays_with_the_home_when_a_stale_letter_was_received() {
    let mut all = nodes(["C", "T1", "T2"]);
    let [county, t1, t2] = &mut all;
    // Both branches are the same village's, so the village owns the record before and after.
    let [b0, b1] = ["一支部", "二支部"].map(|name| branch(county, "V11", name));
    let b2 = branch(county, "V21", "三支部");
    let m = member(county, b0, "测试甲0001");
    t1.hears(county);
    t2.hears(county);
    t1.does("member.reassign", Some(m), &[("to_org", &hex(b1))]);
    county.does("member.transfer.issue", Some(m), &[("to_org", &hex(b2)), ("letter_no", "L9")]);
    t2.hears(county);
    t2.does("member.transfer.receive", Some(m), &[]);
    meet_all(&mut all);
    let [county, ..] = &mut all;
    assert_eq!(county.json(m)["home_branch"], json!(hex(b1)));
    assert_eq!(county.records[&m].view.owners.len(), 2, "the village has not lost it silently");
    let conflict = county.conflict("STALE_TRANSFER").clone();
    county.settles(&conflict, "1");
    let owners: Vec<String> = county.records[&m].view.owners.iter().map(ToString::to_string).collect();
    assert_eq!(owners, [county.seat_named("V11")]);
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty()));
}

#[test]
fn a_home_at_a_seat_that_does_not_have_the_record_is_seen_and_settled() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let [b0, b1] = ["V11", "V12"].map(|v| branch(county, v, v));
    let m = member(county, b0, "测试甲0001");
    meet(county, t1);
    // Written without a word about the owner.
    let seat = Scalar::Bytes(t1.seat_named("V12").parse::<SeatId>().expect("a seat").0.to_vec());
    let [from, to] = [b0, b1].map(|org| Scalar::Bytes(org.0.to_vec()));
    let parts = [
        ("to_seat", seat),
        ("from_org", from),
        ("to_org", to),
        ("home_epoch", Scalar::Int(1)),
        ("decided", Scalar::Int(2)),
    ];
    let put = |(part, value): (&str, Scalar)| {
        let value = WriteValue::Value(value);
        Write { container: Container::Slot, key: format!("moves/e1/{part}"), value }
    };
    let writes = parts.map(put).into();
    t1.write(&RecordWrite { record: m, create: None, writes }, "by hand");
    meet(county, t1);
    assert_eq!(t1.json(m)["home_branch"], json!(hex(b1)));
    let conflict = t1.conflict("OWNER_DISPUTED").clone();
    assert_eq!((conflict.severity, conflict.values.len()), (Severity::Hard, 2));
    t1.settles(&conflict, &t1.seat_named("V12"));
    meet(county, t1);
    let owners: Vec<String> = county.records[&m].view.owners.iter().map(ToString::to_string).collect();
    assert_eq!(owners, [county.seat_named("V12")]);
    assert!(county.open.is_empty() && t1.open.is_empty());
}

#[test]
fn an_ended_home_without_successor_waits_for_an_organisation_to_be_named() {
    let [mut county] = nodes(["C"]);
    let [b0, b1] = ["V11", "V12"].map(|v| branch(&mut county, v, v));
    let m = member(&mut county, b0, "测试甲0001");
    county.does("org.dissolve", Some(b0), &[("effective_on", "2026-04-01")]);
    let first = county.conflict("HOME_ORG_ENDED").clone();
    let settle = [("conflict", first.id.to_string()), ("choice", "1".to_owned())];
    let settle = settle.each_ref().map(|(name, text)| (*name, text.as_str()));
    let refusal = county.is_refused("bad_choice", "conflict.settle", Some(m), &settle);
    assert!(refusal.next.zh.contains("承接"), "{refusal}");
    // Reopened and ended again, that is another ending.
    county.does("record.decide", Some(b0), &[("field", "lifecycle"), ("state", "active")]);
    assert!(county.open.is_empty());
    county.does("org.dissolve", Some(b0), &[("effective_on", "2026-04-01")]);
    let second = county.conflict("HOME_ORG_ENDED").clone();
    assert_ne!(first.id, second.id);
    county.settles(&second, &hex(b1));
    assert_eq!(county.json(m)["home_branch"], json!(hex(b1)));
    assert!(county.open.is_empty());
}

#[test]
fn clearing_the_day_of_admission_does_not_make_it_earlier() {
    let [mut county] = nodes(["C"]);
    let b = branch(&mut county, "V11", "一村党支部");
    let late =
        [("name", "测试甲0002"), ("branch", &hex(b)), ("joined_on", "2026-02-02"), ("admitted_on", "2026-02-03")];
    let m = county.does("member.register", None, &late);
    county.does("org.dissolve", Some(b), &[("effective_on", "2026-02-01")]);
    assert_eq!(county.conflict("ADD_TO_DISSOLVED_ORG").subject, m);
    county.does("record.set", Some(m), &[("field", "admitted_on"), ("value", "")]);
    assert_eq!(county.conflict("ADD_TO_DISSOLVED_ORG").subject, m, "it falls back to the day of joining");
}
