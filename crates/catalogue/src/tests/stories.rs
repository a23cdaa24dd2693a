//! The acceptance stories of the design, at the level of records: two sides diverge, meet, and agree.

use heliu_record::change::{Container, Scalar};
use heliu_record::command::{RecordWrite, Write, WriteValue};
use heliu_record::conflict::Severity;
use heliu_record::id::{RecordId, SeatId};
use serde_json::json;

use super::world::{Node, meet, meet_all, nodes};
use crate::homes::projected_home;
use crate::org::{Held, projected_parent};

pub(super) fn branch(node: &mut Node, seat: &str, name: &str) -> RecordId {
    node.does("org.create", None, &[("name", name), ("seat", &node.seat_named(seat))])
}

pub(super) fn member(node: &mut Node, branch: RecordId, name: &str) -> RecordId {
    node.does("member.register", None, &[("name", name), ("branch", &branch.to_string()), ("joined_on", "2001-07-01")])
}

pub(super) fn hex(id: RecordId) -> String {
    id.to_string()
}

#[test]
fn s1_two_places_receive_one_person() {
    let mut all = nodes(["C", "T1", "T2", "T3"]);
    let [county, t1, t2, t3] = &mut all;
    let b0 = branch(county, "V11", "一村党支部");
    let b1 = branch(county, "V21", "二村党支部");
    let b2 = branch(county, "V31", "三村党支部");
    let m = member(county, b0, "测试甲0001");
    [&mut *t1, t2, t3].into_iter().for_each(|node| node.hears(county));

    // On one side the origin's township writes to b1, and its township receives.
    t1.does("member.transfer.issue", Some(m), &[("to_org", &hex(b1)), ("letter_no", "L1")]);
    t2.hears(t1);
    t2.does("member.transfer.receive", Some(m), &[]);
    assert_eq!(t2.json(m)["home_branch"], json!(hex(b1)));
    // On the other the county writes to b2.
    county.does("member.transfer.issue", Some(m), &[("to_org", &hex(b2)), ("letter_no", "L2")]);
    t3.hears(county);
    t3.does("member.transfer.receive", Some(m), &[]);

    meet_all(&mut all);
    let [county, t1, ..] = &mut all;
    let view = county.json(m);
    assert_eq!(view["effective_home"], json!(hex(b0)), "counted where nobody disputes");
    assert_eq!(view["home_branch_concurrent"].as_array().map(Vec::len), Some(2));
    assert_eq!(view["pending"], json!(["transfer_conflict"]));
    let conflict = county.conflict("MULTI_HOME").clone();
    assert_eq!((conflict.severity, conflict.resolver), (Severity::Hard, Some(county.seat)));
    assert!(conflict.explanation.en.contains("L1") && conflict.explanation.zh.contains("L2"));

    let choice = hex(b1);
    let settle = [("conflict", conflict.id.to_string()), ("choice", choice.clone())];
    let settle = settle.each_ref().map(|(name, text)| (*name, text.as_str()));
    t1.is_refused("not_resolver", "conflict.settle", Some(m), &settle);
    county.settles(&conflict, &choice);
    assert_eq!(county.json(m)["home_branch"], json!(hex(b1)));
    assert_eq!(county.json(m)["home_epoch"], json!(2));
    assert_eq!(county.records[&m].view.owners.len(), 1);
    let states = county.json(m)["moves"].as_object().expect("moves").values();
    let states: Vec<(&str, &str)> =
        states.map(|l| (l["letter_no"].as_str().unwrap_or(""), l["state"].as_str().unwrap_or(""))).collect();
    assert!(states.contains(&("L1", "confirmed")) && states.contains(&("L2", "returned")), "{states:?}");
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty()));
}

#[test]
fn s1_a_letter_that_missed_the_decision_is_stale() {
    let mut all = nodes(["C", "T1", "T2"]);
    let [county, t1, t2] = &mut all;
    let b0 = branch(county, "V11", "一村党支部");
    let b1 = branch(county, "V12", "二村党支部");
    let b2 = branch(county, "V21", "三村党支部");
    let m = member(county, b0, "测试甲0001");
    t1.hears(county);
    t2.hears(county);
    // The county writes a letter out of the township while the township decides a new home.
    county.does("member.transfer.issue", Some(m), &[("to_org", &hex(b2)), ("letter_no", "L9")]);
    t1.does("member.reassign", Some(m), &[("to_org", &hex(b1))]);
    t2.hears(county);
    t2.does("member.transfer.receive", Some(m), &[]);
    meet_all(&mut all);
    let [county, ..] = &mut all;
    assert_eq!(county.json(m)["home_branch"], json!(hex(b1)), "a decision beats a letter of the same epoch");
    assert_eq!(county.records[&m].view.owners.len(), 2, "the receipt and the decision each put one");
    let conflict = county.conflict("STALE_TRANSFER").clone();
    county.settles(&conflict, "1");
    assert_eq!(county.records[&m].view.owners.len(), 1);
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty()));
}

#[test]
fn s1_two_superiors_decide_differently() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let [b0, b1, b2] = ["V11", "V12", "V13"].map(|v| branch(county, v, v));
    let m = member(county, b0, "测试甲0001");
    meet(county, t1);
    t1.does("member.reassign", Some(m), &[("to_org", &hex(b1))]);
    county.does("member.reassign", Some(m), &[("to_org", &hex(b2))]);
    meet(county, t1);
    let conflict = t1.conflict("MULTI_HOME").clone();
    assert_eq!(conflict.resolver, Some(t1.seat), "all of it is in one township");
    t1.settles(&conflict, &hex(b2));
    meet(county, t1);
    assert_eq!(county.json(m)["home_branch"], json!(hex(b2)));
    assert!(county.open.is_empty() && t1.open.is_empty());
}

#[test]
fn two_superiors_hand_one_record_to_different_seats() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let org = branch(county, "V11", "一村党支部");
    meet(county, t1);
    let hand = |to: &Node, name: &str| {
        let seat: SeatId = to.seat_named(name).parse().expect("a seat");
        let value = WriteValue::Value(Scalar::Bytes(seat.0.to_vec()));
        let write = Write { container: Container::Scope, key: "owner".to_owned(), value };
        RecordWrite { record: org, create: None, writes: vec![write] }
    };
    let (here, there) = (hand(county, "V12"), hand(county, "V13"));
    county.write(&here, "hand over");
    t1.write(&there, "hand over");
    meet(county, t1);
    let conflict = t1.conflict("OWNER_DISPUTED").clone();
    t1.settles(&conflict, &t1.seat_named("V13"));
    meet(county, t1);
    let owners: Vec<String> = county.records[&org].view.owners.iter().map(SeatId::to_string).collect();
    assert_eq!(owners, [county.seat_named("V13")]);
    assert!(county.open.is_empty() && t1.open.is_empty());
}

#[test]
fn s2_somebody_is_admitted_to_a_dissolved_joint_branch() {
    let mut all = nodes(["C", "T1", "V12"]);
    let [county, t1, v2] = &mut all;
    let (b1, b2) = (branch(county, "V11", "新一支部"), branch(county, "V12", "新二支部"));
    let units = format!("{},{}", county.seat_named("V11"), county.seat_named("V12"));
    t1.hears(county);
    let joint = t1.does("joint_branch.form", None, &[("name", "联合党支部"), ("units", &units)]);
    county.hears(t1);
    v2.hears(t1);

    let (v1_seat, v2_seat) = (county.seat_named("V11"), county.seat_named("V12"));
    let successors = format!("{v1_seat}={b1},{v2_seat}={b2}");
    county.does("org.dissolve", Some(joint), &[("effective_on", "2026-03-01"), ("successors", &successors)]);
    v2.today = "2026-03-03".to_owned();
    let early = v2.does(
        "member.register",
        None,
        &[("name", "测试乙0001"), ("branch", &hex(joint)), ("admitted_on", "2020-01-01")],
    );
    let late = v2.does("member.register", None, &[("name", "测试乙0002"), ("branch", &hex(joint))]);

    meet_all(&mut all);
    let [county, t1, v2] = &mut all;
    assert_eq!(county.json(joint)["lifecycle"], json!("dissolved"), "an admission does not revive it");
    let conflict = t1.conflict("ADD_TO_DISSOLVED_ORG").clone();
    assert_eq!((conflict.subject, conflict.severity, conflict.resolver), (late, Severity::Hard, Some(t1.seat)));
    assert_eq!(conflict.provisional, json!(hex(b2)), "its unit's successor");
    assert_eq!(projected_home(&t1.records[&early], t1), Some(b2), "admitted in time: followed, and nothing is written");
    assert_eq!(projected_home(&t1.records[&late], t1), None, "and this one waits");
    v2.is_refused("org_ended", "member.register", None, &[("name", "测试乙0003"), ("branch", &hex(joint))]);

    t1.settles(&conflict, &hex(b2));
    assert_eq!(t1.json(late)["effective_home"], json!(hex(b2)));
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty()));
}

#[test]
fn s4_an_owner_leaves_the_alliance_and_takes_the_hall() {
    let mut all = nodes(["C", "V11", "V21", "V31"]);
    let [county, v1, v2, v3] = &mut all;
    let orgs = [branch(county, "V11", "甲支部"), branch(county, "V21", "乙支部"), branch(county, "V31", "丙支部")];
    let [o1, o2, o3] = orgs;
    let invited = ["V21", "V31"].map(|v| county.seat_named(v)).join(",");
    let league = county.does("alliance.form", None, &[("name", "联盟"), ("convenor", &hex(o1)), ("seats", &invited)]);
    for node in [&mut *v1, v2, v3] {
        node.hears(county);
    }
    v2.does("alliance.join", Some(league), &[("org", &hex(o2))]);
    v3.hears(v2);
    v3.does("alliance.join", Some(league), &[("org", &hex(o3))]);
    let hall = v3.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &hex(o3)), ("capacity", "120")]);
    v3.does("alliance.add_resource", Some(league), &[("resource", &hex(hall))]);
    v1.hears(v3);
    let booked = v1.ask(
        "booking.request",
        Some(hall),
        &[("org", &hex(o1)), ("alliance", &hex(league)), ("use_on", "2026-07-01")],
    );
    let booked = booked.expect("a booking").result["entry"].clone();
    v1.is_refused("no_authority", "booking.confirm", Some(hall), &[("booking", &booked)]);
    v3.hears(v1);
    v3.does("booking.confirm", Some(hall), &[("booking", &booked)]);
    meet_all(&mut all);

    // Apart: the owner leaves with its hall, another adds a resource, a third asks for the hall again.
    let [_, v1, v2, v3] = &mut all;
    v3.does("alliance.leave", Some(league), &[("org", &hex(o3))]);
    v3.does("resource.withdraw", Some(hall), &[]);
    let room = v2.does("resource.offer", None, &[("name", "活动室"), ("owner_org", &hex(o2))]);
    v2.does("alliance.add_resource", Some(league), &[("resource", &hex(room))]);
    v1.does("booking.request", Some(hall), &[("org", &hex(o1)), ("alliance", &hex(league))]);
    meet_all(&mut all);

    let [_, v1, _, v3] = &mut all;
    let view = v1.json(league);
    assert_eq!(view["present"].as_array().map(Vec::len), Some(2), "the owner is out");
    assert!(view["resources"].to_string().contains(&hex(room)), "what was added meanwhile is kept");
    assert_eq!(v1.json(hall)["bookings"][&booked]["state"], json!("needs_owner_reconfirm"));
    let found: Vec<_> = v3.open.values().cloned().collect();
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|c| c.kind == "WITHDRAWN_RESOURCE_BOOKED" && c.resolver == Some(v3.seat)));
    for conflict in &found {
        let keep = conflict.field.ends_with(&booked);
        v3.settles(conflict, if keep { "keep" } else { "decline" });
    }
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty()));
}

#[test]
fn s12_two_tiers_put_each_organisation_under_the_other() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let committee = branch(county, "T1", "镇党委");
    let (village, enterprise) = (branch(county, "V11", "村支部"), branch(county, "V12", "企业支部"));
    for org in [village, enterprise] {
        county.does("org.set_parent", Some(org), &[("parent_org", &hex(committee))]);
    }
    meet(county, t1);
    t1.does("org.set_parent", Some(enterprise), &[("parent_org", &hex(village))]);
    t1.is_refused("parent_cycle", "org.set_parent", Some(village), &[("parent_org", &hex(enterprise))]);
    county.does("org.set_parent", Some(village), &[("parent_org", &hex(enterprise))]);
    meet(t1, county);

    for node in [&*t1, county] {
        assert_eq!(projected_parent(village, &Held(node)), Some(committee));
        assert_eq!(projected_parent(enterprise, &Held(node)), Some(committee));
        assert_eq!(node.json(village)["parent_org"], json!(hex(enterprise)), "both edges are kept");
    }
    let conflict = county.conflict("PARENT_CYCLE").clone();
    assert_eq!(conflict.anchors.len(), 2);
    // The village's organisation is chosen as the parent: the other edge goes.
    t1.settles(&conflict, &hex(village));
    meet(t1, county);
    assert!(county.open.is_empty() && t1.open.is_empty());
    assert_eq!(county.json(village)["parent_org"], json!(hex(committee)));
    assert_eq!(county.json(enterprise)["parent_org"], json!(hex(village)));

    // The township thinks again, then the county, which is above it; then it is the county's to change.
    for (by, chosen, other) in [(0, enterprise, village), (1, village, enterprise), (1, enterprise, village)] {
        let [county, t1] = &mut all;
        let node = if by == 0 { &mut *t1 } else { &mut *county };
        node.settles(&conflict, &hex(chosen));
        meet(t1, county);
        assert!(county.open.is_empty() && t1.open.is_empty());
        assert_eq!(county.json(other)["parent_org"], json!(hex(chosen)));
        assert_eq!(county.json(chosen)["parent_org"], json!(hex(committee)));
    }
    let [_, t1] = &mut all;
    let (id, village) = (conflict.id.to_string(), hex(village));
    t1.is_refused(
        "not_resolver",
        "conflict.settle",
        Some(conflict.subject),
        &[("conflict", &id), ("choice", &village)],
    );
}

#[test]
fn two_clerks_correct_one_name() {
    let mut all = nodes(["T1", "V11"]);
    let [township, village] = &mut all;
    let b = branch(township, "V11", "一村党支部");
    let m = member(township, b, "测试甲0001");
    meet(township, village);
    township.does("record.set", Some(m), &[("field", "name"), ("value", "测试甲一")]);
    village.does("record.set", Some(m), &[("field", "name"), ("value", "测试甲壹")]);
    meet(township, village);
    let conflict = village.conflict("DIVERGED_FIELD").clone();
    assert_eq!(conflict.resolver, Some(township.seat), "their common superior");
    assert_eq!(village.json(m)["name_concurrent"].as_array().map(Vec::len), Some(2));
    township.settles(&conflict, "测试甲壹");
    meet(township, village);
    assert_eq!(village.json(m)["name"], json!("测试甲壹"));
    assert!(village.open.is_empty() && village.json(m).get("name_concurrent").is_none());
}

#[test]
fn an_ending_beats_what_did_not_know_of_it_and_only_citing_it_reopens() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let org = branch(county, "V11", "一村党支部");
    meet(county, t1);
    county.does("org.dissolve", Some(org), &[]);
    t1.does("record.decide", Some(org), &[("field", "lifecycle"), ("state", "rectifying")]);
    t1.does("record.decide", Some(org), &[("field", "lifecycle"), ("state", "active")]);
    meet(t1, county);
    assert_eq!(t1.json(org)["lifecycle"], json!("dissolved"));
    t1.does(
        "record.decide",
        Some(org),
        &[("field", "lifecycle"), ("state", "active"), ("decision_no", "县组〔2026〕3号")],
    );
    meet(t1, county);
    assert_eq!(county.json(org)["lifecycle"], json!("active"));
}

#[test]
fn a_name_taken_on_purpose_does_not_annul_anothers_decision() {
    let mut all = nodes(["T1", "V11"]);
    let [t1, v1] = &mut all;
    let b = branch(t1, "V11", "一村党支部");
    let m = member(t1, b, "测试甲0001");
    meet(t1, v1);
    t1.does("record.decide", Some(m), &[("field", "stage"), ("state", "removed")]);
    let keys = t1.records[&m].history.keys(Container::Log, "stage/").map(|(key, _)| key.to_owned());
    let removal = keys.into_iter().find(|key| key != "stage/0").expect("the decision");
    // Beside it, the village writes a decision of the same name, and then one that cites the name.
    let put = |key: &str, value: String| {
        let value = WriteValue::Value(Scalar::Text(value));
        let write = Write { container: Container::Log, key: key.to_owned(), value };
        RecordWrite { record: m, create: None, writes: vec![write] }
    };
    v1.write(&put(&removal, "left|||0".to_owned()), "record.decide");
    v1.write(&put("stage/back", format!("passed_full|||{}", &removal["stage/".len()..])), "record.decide");
    assert_eq!(v1.json(m)["stage"], json!("passed_full"));
    meet(t1, v1);
    assert_eq!(v1.json(m)["stage"], json!("removed"), "the township's decision stands");
}

#[test]
fn a_booking_that_was_kept_is_confirmed_until_the_hall_is_withdrawn_again() {
    let mut all = nodes(["C", "V11", "V21"]);
    let [county, v1, v2] = &mut all;
    let [asker, owner] = [branch(county, "V11", "甲支部"), branch(county, "V21", "乙支部")];
    v1.hears(county);
    v2.hears(county);
    let hall = v2.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &hex(owner))]);
    v2.does("record.share", Some(hall), &[("seat", &v2.seat_named("V11"))]);
    v1.hears(v2);
    let booked = v1.ask("booking.request", Some(hall), &[("org", &hex(asker)), ("use_on", "2026-07-01")]);
    let booked = booked.expect("a booking").result["entry"].clone();
    v2.hears(v1);
    v2.does("booking.confirm", Some(hall), &[("booking", &booked)]);
    let state = |node: &Node| node.json(hall)["bookings"][&booked]["state"].clone();
    v2.does("resource.withdraw", Some(hall), &[]);
    assert_eq!(state(v2), json!("needs_owner_reconfirm"));
    let conflict = v2.conflict("WITHDRAWN_RESOURCE_BOOKED").clone();
    v2.settles(&conflict, "keep");
    assert_eq!((state(v2), v2.open.len()), (json!("confirmed"), 0));
    v2.does("record.set", Some(hall), &[("field", "withdrawn"), ("value", "")]);
    v2.does("resource.withdraw", Some(hall), &[]);
    assert_eq!(state(v2), json!("needs_owner_reconfirm"), "withdrawing again is asked about again");
    assert_ne!(v2.conflict("WITHDRAWN_RESOURCE_BOOKED").id, conflict.id);
}
