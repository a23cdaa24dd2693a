//! Who lives elsewhere: two halves that never overwrite each other, a card that says no more than it must, and a home that stays.

use heliu_record::command::{Asker, CommandId, Refusal, Request};
use heliu_record::conflict::Severity;
use heliu_record::id::RecordId;
use heliu_record::sight::Sight;
use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, meet_all, nodes};
use crate::catalogue;
use crate::floating::count::{Floats, Half, floats};

/// A branch of a township's own, and somebody in it.
fn one_of(township: &mut Node, seat: &str) -> (RecordId, RecordId) {
    let home = branch(township, seat, &format!("{seat}支部"));
    (home, member(township, home, "测试甲0001"))
}

fn declares(home: &mut Node, person: RecordId, host: &str) -> RecordId {
    let host = home.seat_named(host);
    home.does("float.declare", None, &[("member", &hex(person)), ("host", &host), ("since", "2026-02-20")])
}

fn records_inflow(host: &mut Node, home: &str) -> RecordId {
    let home = host.seat_named(home);
    let inflow = [("name", "测试甲0001"), ("home", &*home), ("since", "2026-02-20")];
    host.does("float.record_inflow", None, &inflow)
}

fn counted(node: &Node, seat: &str) -> Floats {
    let halves: Vec<Half> = node.records.values().filter_map(|record| Half::of(&record.view)).collect();
    let seat = node.seat_named(seat).parse().expect("an id");
    floats(&halves, heliu_record::world::World::seats(node)).get(&seat).copied().unwrap_or_default()
}

fn state(node: &Node, half: RecordId) -> &str {
    node.json(half)["state"].as_str().unwrap_or_default()
}

#[test]
fn s5_somebody_floats_to_one_township_and_is_transferred_to_another() {
    let mut all = nodes(["C", "T1", "T2", "T3"]);
    let [_, x, y, z] = &mut all;
    let (bx, m) = one_of(x, "T1");
    let (fy, bz) = (branch(y, "T2", "流动党支部"), branch(z, "T3", "丙支部"));
    let card = declares(x, m, "T2");
    let keys: Vec<&String> = x.json(card).as_object().expect("a view").keys().collect();
    assert_eq!(keys, ["home_org", "host", "kind", "member", "name", "since", "state"], "and nothing else");
    assert_eq!(counted(x, "T1"), Floats { out: 1, ..Floats::default() });
    meet_all(&mut all);
    let [_, _, y, _] = &mut all;
    let answer = y.does("float.acknowledge", Some(card), &[("liaison", "李四")]);
    y.does("float.link", Some(answer), &[("org", &hex(fy)), ("card_no", "活动证8号")]);
    meet_all(&mut all);
    // Apart: the host records the inflow, the home transfers him to a third township.
    let [_, x, y, z] = &mut all;
    assert_eq!(y.does("float.record_inflow", None, &[("half", &hex(card))]), answer, "it is the same half");
    x.does("member.transfer.issue", Some(m), &[("to_org", &hex(bz))]);
    z.hears(x);
    z.does("member.transfer.receive", Some(m), &[]);
    meet_all(&mut all);

    let [county, x, y, _] = &mut all;
    assert_eq!(x.json(m)["effective_home"], json!(hex(bz)));
    assert_eq!((state(x, card), state(y, answer)), ("declared", "active"), "each side has said its own");
    assert_eq!(y.json(answer)["activity_org"], json!([hex(fy)]));
    assert_eq!(y.json(answer)["home_org"], json!(hex(bx)));
    let matched = Floats { out: 1, matched: 1, ..Floats::default() };
    assert_eq!((counted(x, "T1"), counted(y, "T2").into, counted(y, "T2").declared), (matched, 1, 1));
    assert_eq!(counted(county, "C"), Floats { out: 1, matched: 1, outside: 0, into: 1, declared: 1 });
    let conflict = county.conflict("FLOAT_VS_TRANSFER").clone();
    assert_eq!((conflict.severity, conflict.subject, conflict.resolver), (Severity::Advisory, card, Some(county.seat)));
    let choice = [("conflict", conflict.id.to_string()), ("choice", "close".to_owned())];
    let choice = choice.each_ref().map(|(name, text)| (*name, text.as_str()));
    x.is_refused("not_resolver", "conflict.settle", Some(card), &choice);
    county.settles(&conflict, "结束流动");
    assert_eq!((state(county, card), state(county, answer)), ("closed", "closed"));
    assert_eq!(counted(county, "C"), Floats::default());
    assert!(county.open.is_empty());
    // Settled anew it goes on, on both sides.
    county.settles(&conflict, "keep");
    assert_eq!(counted(county, "C").out, 1);
    county.settles(&conflict, "close");
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty() && counted(node, "T1").out + counted(node, "T2").into == 0));
}

#[test]
fn two_sides_that_record_one_float_apart_have_made_its_two_halves() {
    let [mut x, mut y] = nodes(["T1", "T2"]);
    let (_, m) = one_of(&mut x, "T1");
    let answer = records_inflow(&mut y, "T1");
    let card = declares(&mut x, m, "T2");
    assert_eq!((counted(&x, "T1").matched, counted(&y, "T2").declared), (0, 0));
    assert_eq!(y.json(answer)["home_half"], json!(hex(card)), "either can tell the other's id");
    meet(&mut x, &mut y);
    assert_eq!((counted(&x, "T1").matched, counted(&y, "T2").declared), (1, 1));
    assert!(x.open.is_empty() && y.open.is_empty());
    assert_eq!(y.does("float.acknowledge", Some(card), &[]), answer);
    meet(&mut x, &mut y);
    x.does("float.acknowledge", Some(answer), &[]);
    meet(&mut x, &mut y);
    assert_eq!((state(&x, card), state(&y, answer)), ("matched", "matched"));
    // Two nodes of the host, neither knowing of the other, make one half.
    let [mut one, mut other] = nodes(["T2", "C"]);
    records_inflow(&mut one, "T1");
    let again = one.ask(
        "float.record_inflow",
        None,
        &[("name", "测试甲0001"), ("home", &one.seat_named("T1")), ("since", "2026-02-20")],
    );
    assert_eq!(again.expect_err("it is there").code, "already");
    meet(&mut one, &mut other);
    assert_eq!(counted(&other, "T2").into, 1);
}

#[test]
fn a_return_is_reported_by_either_side_and_confirmed_by_the_other_and_two_that_report_it_apart_agree() {
    let [mut x, mut y] = nodes(["T1", "T2"]);
    let (_, m) = one_of(&mut x, "T1");
    let card = declares(&mut x, m, "T2");
    meet(&mut x, &mut y);
    let answer = y.does("float.acknowledge", Some(card), &[]);
    meet(&mut x, &mut y);
    x.is_refused("not_reported", "float.confirm_return", Some(card), &[]);
    y.does("float.report_return", Some(card), &[("effective_on", "2026-02-25")]);
    assert_eq!((state(&y, card), state(&y, answer)), ("declared", "returned"), "each writes its own half only");
    assert_eq!((counted(&y, "T1").out, counted(&y, "T2").into), (1, 0), "the home has not confirmed it");
    meet(&mut x, &mut y);
    x.does("float.confirm_return", Some(card), &[]);
    y.is_refused("float_over", "float.link", Some(answer), &[("org", &hex(m))]);
    meet(&mut x, &mut y);
    assert_eq!(counted(&x, "T1"), Floats::default());
    // Once more, and now both report it before they hear of each other.
    let again = [("member", hex(m)), ("host", x.seat_named("T2")), ("since", "2026-02-26".to_owned())];
    let again = again.each_ref().map(|(name, text)| (*name, text.as_str()));
    let card = x.does("float.declare", None, &again);
    meet(&mut x, &mut y);
    let answer = y.does("float.acknowledge", Some(card), &[]);
    meet(&mut x, &mut y);
    x.does("float.report_return", Some(card), &[]);
    y.does("float.report_return", Some(answer), &[]);
    meet(&mut x, &mut y);
    assert!(x.open.is_empty(), "{:?}", x.open);
    assert_eq!((counted(&x, "T1"), counted(&x, "T2")), (Floats::default(), Floats::default()));
}

#[test]
fn a_return_beside_a_transfer_to_the_host_is_asked_about_and_one_end_is_chosen_for_both_halves() {
    let mut all = nodes(["C", "T1", "T2"]);
    let [_, x, y] = &mut all;
    let (_, m) = one_of(x, "T1");
    let by = branch(y, "T2", "乙支部");
    meet(x, y);
    let card = declares(x, m, "T2");
    x.does("member.transfer.issue", Some(m), &[("to_org", &hex(by))]);
    meet(x, y);
    let answer = y.does("float.acknowledge", Some(card), &[]);
    meet(x, y);
    // Apart: the host receives him for good, and the home hears that he is back.
    y.does("member.transfer.receive", Some(m), &[]);
    assert!(y.open.is_empty(), "who is transferred to where he floats is no disagreement");
    y.does("float.close", Some(answer), &[]);
    x.does("float.report_return", Some(card), &[]);
    meet_all(&mut all);
    let [county, x, _] = &mut all;
    assert_eq!((state(x, card), state(x, answer)), ("returned", "converted"));
    let conflict = county.conflict("FLOAT_ENDS_DIFFER").clone();
    assert_eq!((conflict.severity, conflict.resolver), (Severity::Advisory, Some(county.seat)));
    county.settles(&conflict, "converted");
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty() && state(node, card) == "converted"));
}

#[test]
fn the_card_stays_minimal_the_home_stays_and_a_link_is_to_the_host() {
    let mut all = nodes(["C", "T1", "T2", "V11"]);
    let [county, x, y, village] = &mut all;
    let (bx, m) = one_of(x, "V11");
    let elsewhere = branch(x, "T1", "甲支部");
    village.hears(x);
    let floats_to = |host: String| [("member", hex(m)), ("host", host)];
    let to = floats_to(village.seat_named("T2"));
    let to = to.each_ref().map(|(name, text)| (*name, text.as_str()));
    village.is_refused("no_authority", "float.declare", None, &to);
    let here = floats_to(x.seat_named("V12"));
    let here = here.each_ref().map(|(name, text)| (*name, text.as_str()));
    x.is_refused("same_place", "float.declare", None, &here);
    x.is_refused("one_place", "float.declare", None, &[("member", &hex(m))]);
    x.is_refused("made_by_command", "record.create", None, &[("kind", "floating"), ("name", "测试甲0001")]);
    // A village of the host is told as its township: no nearer than that.
    let card = x.does("float.declare", None, &floats_to(x.seat_named("V21")).each_ref().map(|(n, t)| (*n, t.as_str())));
    assert_eq!(x.json(card)["host"], json!(x.seat_named("T2")));
    assert_eq!(x.records[&card].view.seats.len(), 2, "the host and the branch's village");
    x.is_refused("already", "float.declare", None, &to);
    for (field, value) in [("liaison", "李四"), ("card_no", "8号"), ("acknowledged_on", "2026-02-28")] {
        x.is_refused("not_on_card", "record.set", Some(card), &[("field", field), ("value", value)]);
    }
    x.is_refused("not_on_card", "record.add", Some(card), &[("field", "activity_org"), ("element", &hex(bx))]);
    y.hears(x);
    y.is_refused("no_half", "float.link", Some(card), &[("org", &hex(bx))]);
    let answer = y.does("float.acknowledge", Some(card), &[]);
    y.is_refused("not_theirs", "float.link", Some(answer), &[("org", &hex(elsewhere))]);
    y.is_refused("no_authority", "record.set", Some(card), &[("field", "since"), ("value", "2026-01-01")]);
    let kind = [("name", "流动党支部".to_owned()), ("seat", y.seat_named("T2")), ("org_kind", "floating".to_owned())];
    let floating = y.does("org.create", None, &kind.each_ref().map(|(name, text)| (*name, text.as_str())));
    y.does("float.link", Some(answer), &[("org", &hex(floating))]);
    y.is_refused("link_is_no_home", "member.register", None, &[("name", "测试乙0001"), ("branch", &hex(floating))]);
    x.hears(y);
    x.is_refused("link_is_no_home", "member.transfer.issue", Some(m), &[("to_org", &hex(floating))]);
    county.hears(y);
    assert_eq!(county.json(m)["effective_home"], json!(hex(bx)));
    // In service he may be elsewhere at the same time, in his own township too.
    let serves = x.seat_named("V12");
    x.does("float.declare", None, &[("member", &hex(m)), ("host", &serves), ("kind", "in_service")]);
    let second = hex(member(x, bx, "测试甲0002"));
    x.does("float.declare", None, &[("member", &second), ("host_text", "北京市朝阳区")]);
    assert_eq!(counted(x, "T1"), Floats { out: 3, outside: 1, ..Floats::default() });
}

#[test]
fn what_two_nodes_of_the_host_add_apart_is_all_there() {
    let mut all = nodes(["C", "T1", "T2"]);
    let [county, x, y] = &mut all;
    let (_, m) = one_of(x, "T1");
    let (one, two) = (branch(y, "T2", "流动一支部"), branch(y, "V21", "流动二支部"));
    let card = declares(x, m, "T2");
    meet(x, y);
    let answer = y.does("float.acknowledge", Some(card), &[]);
    meet(county, y);
    y.does("float.link", Some(answer), &[("org", &hex(one))]);
    county.does("float.link", Some(answer), &[("org", &hex(two)), ("liaison", "李四")]);
    meet(county, y);
    assert_eq!(y.json(answer)["activity_org"].as_array().map(Vec::len), Some(2));
    assert!(y.open.is_empty());
}

#[test]
fn the_id_of_a_half_has_the_secret_of_the_countys_nodes_in_it_and_without_that_none_is_made() {
    let [y] = nodes(["T2"]);
    let said = [("name", "测试甲0001".to_owned()), ("home", y.seat_named("T1")), ("since", "2026-02-20".to_owned())];
    let request = Request {
        id: CommandId([1; 16]),
        name: "float.record_inflow".to_owned(),
        subject: None,
        arguments: said.into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
        who: "clerk".to_owned(),
        reason: String::new(),
        on_behalf: None,
    };
    let made = |secret| {
        let asker = Asker { seat: y.seat, deputy: None, place: 0, today: y.today.clone(), sight: Sight::WHOLE, secret };
        catalogue().plan(&request, &asker, &y).map(|plan| plan.result["record"].clone())
    };
    assert_eq!(made(Ok([7; 16])), made(Ok([7; 16])), "whoever says the same has the same");
    assert_ne!(made(Ok([7; 16])), made(Ok([8; 16])), "and who has only the name and the day tries in vain");
    let none = Refusal::new("no_secret_of_ids", (String::new(), String::new()), ("", ""), ("", ""));
    assert_eq!(made(Err(none)).map_err(|refusal| refusal.code), Err("no_secret_of_ids"));
}
