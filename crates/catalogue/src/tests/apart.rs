//! What two tiers wrote apart: both values are shown, and somebody chooses.

use heliu_record::conflict::Severity;
use heliu_record::id::RecordId;
use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, meet_all, nodes};

fn sets(node: &mut Node, record: RecordId, field: &str, value: &str) {
    node.does("record.set", Some(record), &[("field", field), ("value", value)]);
}

#[test]
fn whatever_identifies_shows_both_values_until_somebody_chooses() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let b = branch(county, "V11", "一村党支部");
    let m = member(county, b, "测试甲0001");
    let hall = county.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &hex(b))]);
    let league = county.does("alliance.form", None, &[("name", "联盟"), ("convenor", &hex(b))]);
    meet(county, t1);
    for (record, field, one, other) in [
        (m, "member_no", "A001", "A002"),
        (m, "admitted_on", "2001-07-02", "2001-07-03"),
        (m, "joined_on", "2001-06-02", "2001-06-03"),
        (m, "sex", "male", "female"),
        (b, "org_kind", "village", "community"),
        (b, "formation_mode", "single", "joint"),
        (hall, "resource_kind", "hall", "room"),
        (hall, "capacity", "80", "90"),
        (league, "form", "council", "league"),
    ] {
        sets(county, record, field, one);
        sets(t1, record, field, other);
        meet(county, t1);
        let conflict = county.conflict("DIVERGED_FIELD").clone();
        assert_eq!((conflict.subject, conflict.field.as_str()), (record, field));
        assert_eq!(county.json(record)[format!("{field}_concurrent")].as_array().map(Vec::len), Some(2), "{field}");
        county.settles(&conflict, "1");
        meet(county, t1);
        assert!(t1.open.is_empty(), "{field}");
    }
}

#[test]
fn a_part_of_an_entry_that_two_wrote_apart_is_chosen_too() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let b = branch(county, "V11", "一村党支部");
    let hall = county.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &hex(b))]);
    county.does("booking.request", Some(hall), &[("org", &hex(b)), ("use_on", "2026-07-01")]);
    meet(county, t1);
    let day = |day| [("field", "bookings"), ("entry", "1"), ("part", "use_on"), ("value", day)];
    county.does("record.set", Some(hall), &day("2026-07-02"));
    t1.does("record.set", Some(hall), &day("2026-07-03"));
    meet(county, t1);
    let conflict = t1.conflict("DIVERGED_PART").clone();
    assert_eq!((conflict.values.len(), conflict.resolver), (2, Some(county.seat)));
    county.settles(&conflict, "2026-07-03");
    meet(county, t1);
    assert!(t1.open.is_empty() && county.open.is_empty());
    assert!(t1.json(hall)["bookings"].to_string().contains("\"use_on\":\"2026-07-03\""));
}

#[test]
fn two_owner_nodes_that_confirm_one_day_apart_are_told_and_one_booking_is_kept() {
    let mut all = nodes(["T1", "V11"]);
    let [township, village] = &mut all;
    let (owner, asker) = (branch(township, "V11", "一村党支部"), branch(township, "V12", "二村党支部"));
    let hall = township.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &hex(owner))]);
    for org in [owner, asker] {
        township.does("booking.request", Some(hall), &[("org", &hex(org)), ("use_on", "2026-07-01")]);
    }
    meet(township, village);
    township.does("booking.confirm", Some(hall), &[("booking", "1")]);
    village.does("booking.confirm", Some(hall), &[("booking", "2")]);
    meet(township, village);
    let conflict = village.conflict("DOUBLE_CONFIRMATION").clone();
    assert_eq!((conflict.severity, conflict.resolver), (Severity::Hard, Some(village.seat)), "it is the owner's");
    assert!(conflict.explanation.zh.contains("2026-07-01"));
    village.settles(&conflict, "2");
    meet(township, village);
    assert!(township.open.is_empty());
    let states: Vec<_> = township.json(hall)["bookings"].as_object().expect("bookings").values().collect();
    let states: Vec<_> = states.iter().map(|booking| booking["state"].as_str().unwrap_or("")).collect();
    assert!(states.contains(&"confirmed") && states.contains(&"declined"), "{states:?}");
}

#[test]
fn two_mergers_of_one_branch_leave_its_members_unallocated_until_a_successor_is_chosen() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let [a, b, c] = ["V11", "V12", "V13"].map(|v| branch(county, v, v));
    let m = member(county, a, "测试甲0001");
    meet(county, t1);
    let merge = |node: &mut Node, name: &str, other| {
        let old = format!("{a},{other}");
        node.does("org.merge_build", None, &[("name", name), ("predecessors", &old)])
    };
    let (one, two) = (merge(county, "甲总支", b), merge(t1, "乙总支", c));
    meet(county, t1);
    let conflict = t1.conflict("TWO_SUCCESSORS").clone();
    assert_eq!((conflict.subject, conflict.severity, conflict.values.len()), (a, Severity::Hard, 2));
    assert_eq!(crate::homes::projected_home(&t1.records[&m], t1), None);
    t1.settles(&conflict, &hex(two));
    meet(county, t1);
    assert_eq!(crate::homes::projected_home(&county.records[&m], county), Some(two));
    assert!(county.open.is_empty() && t1.open.is_empty(), "{:?}", t1.open);
    assert_eq!(county.json(one)["predecessor_ids"], json!([hex(b)]), "it is no longer made of that branch");
}

#[test]
fn absorbed_in_one_place_and_coordinated_in_another_it_goes_on_until_somebody_chooses() {
    for (choice, goes_on) in [("merged", false), ("coordinated", true)] {
        let mut all = nodes(["C", "T1"]);
        let [county, t1] = &mut all;
        let [a, b, hub] = ["V11", "V12", "V13"].map(|v| branch(county, v, v));
        let m = member(county, a, "测试甲0001");
        meet(county, t1);
        let merged = county.does("org.merge_build", None, &[("name", "总支"), ("predecessors", &format!("{a},{b}"))]);
        t1.does("org.co_build", Some(hub), &[("orgs", &hex(a))]);
        meet(county, t1);
        let home = |node: &Node| crate::homes::projected_home(&node.records[&m], node);
        let conflict = t1.conflict("MERGED_AND_COORDINATED").clone();
        assert_eq!((conflict.subject, &conflict.provisional), (a, &json!("coordinated")));
        assert_eq!(home(t1), Some(a), "nobody moves meanwhile");
        t1.settles(&conflict, choice);
        meet(county, t1);
        assert_eq!(home(county), Some(if goes_on { a } else { merged }), "{choice}");
        assert!(county.open.is_empty() && t1.open.is_empty(), "{:?}", t1.open);
    }
}

#[test]
fn two_tiers_that_end_a_membership_differently_are_both_shown() {
    let mut all = nodes(["T1", "V11"]);
    let [t1, v1] = &mut all;
    let b = branch(t1, "V11", "一村党支部");
    let m = member(t1, b, "测试甲0001");
    meet(t1, v1);
    t1.does("record.decide", Some(m), &[("field", "stage"), ("state", "removed")]);
    v1.does("record.decide", Some(m), &[("field", "stage"), ("state", "left")]);
    meet(t1, v1);
    let conflict = t1.conflict("DIVERGED_DECISION").clone();
    assert_eq!((conflict.values.len(), conflict.severity), (2, Severity::Advisory));
    assert_eq!(t1.json(m)["stage"], json!("removed"), "the higher one stands meanwhile");
    t1.settles(&conflict, "left");
    meet(t1, v1);
    assert_eq!(v1.json(m)["stage"], json!("left"));
    assert!(t1.open.is_empty() && v1.open.is_empty());
}

#[test]
fn several_organisations_of_one_seat_take_part_and_one_leaves() {
    let mut all = nodes(["C", "V11"]);
    let [county, v1] = &mut all;
    let [convenor, one, other] =
        [("V21", "召集"), ("V11", "甲支部"), ("V11", "乙支部")].map(|(seat, name)| branch(county, seat, name));
    let seats = county.seat_named("V11");
    let form = [("name", "联盟"), ("convenor", &*hex(convenor)), ("seats", &*seats)];
    let league = county.does("alliance.form", None, &form);
    v1.hears(county);
    v1.does("alliance.join", Some(league), &[("org", &hex(one))]);
    v1.does("alliance.join", Some(league), &[("org", &hex(other))]);
    v1.is_refused("already", "alliance.join", Some(league), &[("org", &hex(other))]);
    let present = |node: &Node| node.json(league)["present"].to_string();
    assert!([convenor, one, other].iter().all(|org| present(v1).contains(&hex(*org))));
    v1.does("alliance.leave", Some(league), &[("org", &hex(one))]);
    assert!(!present(v1).contains(&hex(one)) && present(v1).contains(&hex(other)));
    v1.is_refused("not_participant", "alliance.leave", Some(league), &[("org", &hex(one))]);
    v1.does("alliance.join", Some(league), &[("org", &hex(one))]);
    meet_all(&mut all);
    let [county, _] = &all;
    assert!(present(county).contains(&hex(one)) && county.open.is_empty());
}

#[test]
fn what_was_settled_is_settled_anew_by_the_same_seat_or_one_above_and_the_outcome_changes() {
    let mut all = nodes(["C", "T1", "V11"]);
    let [county, t1, v1] = &mut all;
    let [b0, b1, b2] = ["V11", "V12", "V13"].map(|v| branch(county, v, v));
    let m = member(county, b0, "测试甲0001");
    meet(county, t1);
    for (node, to) in [(&mut *t1, b1), (&mut *county, b2)] {
        node.does("member.transfer.issue", Some(m), &[("to_org", &hex(to))]);
        node.does("member.transfer.receive", Some(m), &[]);
        node.does("record.set", Some(m), &[("field", "member_no"), ("value", &hex(to)[..6])]);
    }
    meet(county, t1);
    let home = t1.conflict("MULTI_HOME").clone();
    let number = t1.conflict("DIVERGED_FIELD").clone();
    t1.settles(&home, &hex(b1));
    county.hears(t1);
    county.settles(&number, "1");
    t1.hears(county);
    let first = t1.json(m)["member_no"].clone();
    assert_eq!(t1.json(m)["home_branch"], json!(hex(b1)));
    // The same seat changes its mind, and the county overrules it.
    t1.settles(&home, &hex(b2));
    assert_eq!((&t1.json(m)["home_branch"], t1.open.len()), (&json!(hex(b2)), 0));
    meet(county, t1);
    county.settles(&home, &hex(b1));
    county.settles(&number, "2");
    meet(county, t1);
    assert_eq!((&t1.json(m)["home_branch"], t1.open.len()), (&json!(hex(b1)), 0), "{:?}", t1.open);
    assert_ne!(t1.json(m)["member_no"], first);
    let owners: Vec<String> = t1.records[&m].view.owners.iter().map(ToString::to_string).collect();
    assert_eq!(owners, [t1.seat_named("V12")], "the record goes with the person");
    // Whoever is below does not undo that.
    let id = home.id.to_string();
    let again = [("conflict", id.as_str()), ("choice", "1")];
    t1.is_refused("not_resolver", "conflict.settle", Some(m), &again);
    v1.hears(county);
    v1.is_refused("not_resolver", "conflict.settle", Some(m), &again);
    county.is_refused("no_conflict", "conflict.settle", Some(m), &[("conflict", &"0".repeat(64)), ("choice", "1")]);
}

#[test]
fn who_cannot_read_what_is_sealed_is_not_asked_to_choose() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let b = branch(county, "V11", "一村党支部");
    let m = member(county, b, "测试甲0001");
    meet(county, t1);
    for (node, value) in [(&mut *county, "13800000001"), (&mut *t1, "13800000002")] {
        node.does("record.set", Some(m), &[("field", "contact"), ("value", value)]);
    }
    meet(county, t1);
    let conflict = county.conflict("DIVERGED_FIELD").clone();
    assert_eq!(conflict.resolver, Some(t1.seat), "the township reads it, and the county does not");
    t1.settles(&conflict, "1");
    meet(county, t1);
    assert!(county.open.is_empty() && t1.open.is_empty());
}
