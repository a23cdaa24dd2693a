//! Where a member belongs when people disagreed: letters, decisions, and the record that goes with the person.

use std::collections::BTreeMap;

use heliu_record::change::{Container, Scalar};
use heliu_record::command::{RecordWrite, Write, WriteValue};
use heliu_record::conflict::Severity;
use heliu_record::id::SeatId;
use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, meet_all, nodes};
use crate::homes::{Counted, Organisation, Person, counted};

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
fn whose_organisation_ended_without_successor_waits_under_the_one_above_until_somebody_is_named() {
    let [mut county] = nodes(["C"]);
    let committee = branch(&mut county, "T1", "镇党委");
    let [b0, b1] = ["V11", "V12"].map(|v| branch(&mut county, v, v));
    county.does("org.set_parent", Some(b0), &[("parent_org", &hex(committee))]);
    let m = member(&mut county, b0, "测试甲0001");
    let at = |county: &Node| {
        let orgs: BTreeMap<_, _> =
            county.records.values().filter_map(|org| Some((org.id, Organisation::of(&org.view)?))).collect();
        counted(&Person::of(&county.records[&m].view).expect("a member"), &orgs)
    };
    county.does("org.dissolve", Some(b0), &[("effective_on", "2026-02-01")]);
    assert_eq!(at(&county), Counted::Unallocated { under: Some(committee) });
    // Reopened, it has its people back.
    county.does("record.decide", Some(b0), &[("field", "lifecycle"), ("state", "active")]);
    assert_eq!(at(&county), Counted::At(b0));
    county.does("org.dissolve", Some(b0), &[("effective_on", "2026-02-01"), ("successors", &format!("all={b1}"))]);
    assert_eq!(at(&county), Counted::At(b1));
    county.is_refused("no_transfer", "member.transfer.issue", Some(m), &[("to_org", &hex(b1))]);
    assert_eq!(county.json(m)["home_branch"], json!(hex(b0)), "nothing is written in his record");
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

#[test]
fn who_left_a_branch_long_ago_no_longer_points_to_it() {
    let [mut county] = nodes(["C"]);
    let [b0, b1, b2] = ["V11", "V12", "V13"].map(|v| branch(&mut county, v, v));
    let m = member(&mut county, b0, "测试甲0001");
    let points = |county: &Node, org| {
        let kind = crate::catalogue().kind("member").expect("it is declared");
        kind.points_to(county.json(m), org)
    };
    assert!(points(&county, b0));
    county.does("member.transfer.issue", Some(m), &[("to_org", &hex(b1))]);
    assert!(points(&county, b0) && points(&county, b1), "there is a letter");
    county.does("member.transfer.receive", Some(m), &[]);
    assert!(!points(&county, b0) && points(&county, b1));
    county.does("member.transfer.issue", Some(m), &[("to_org", &hex(b2))]);
    county.does("member.transfer.return", Some(m), &[]);
    assert!(!points(&county, b0) && points(&county, b1) && !points(&county, b2));
    let league = county.does("alliance.form", None, &[("name", "联盟"), ("convenor", &hex(b1))]);
    county.does("alliance.join", Some(league), &[("org", &hex(b2))]);
    let kind = crate::catalogue().kind("alliance").expect("it is declared");
    assert!(kind.points_to(county.json(league), b2));
    county.does("alliance.leave", Some(league), &[("org", &hex(b2))]);
    assert!(!kind.points_to(county.json(league), b2));
}
