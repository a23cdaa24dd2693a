//! What organisations share: alliances with a chair and a charter, halls that are booked, needs that are answered.

use heliu_record::conflict::Severity;
use heliu_record::id::RecordId;
use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, meet_all, nodes};

/// An alliance of two villages of one township and one of another, all present.
fn league(county: &mut Node) -> (RecordId, [RecordId; 3]) {
    let orgs = [branch(county, "V11", "甲支部"), branch(county, "V12", "乙支部"), branch(county, "V21", "丙支部")];
    // Whom the county has join sees what it is in.
    let convenor = hex(orgs[0]);
    let form =
        [("name", "区域党建联盟"), ("convenor", &*convenor), ("form", "joint_meeting"), ("topics", "养老, 修路")];
    let league = county.does("alliance.form", None, &form);
    for org in &orgs[1..] {
        county.does("alliance.join", Some(league), &[("org", &hex(*org))]);
    }
    (league, orgs)
}

#[test]
fn a_chair_that_leaves_while_it_is_chosen_is_told_and_the_convenor_chooses_another() {
    let mut all = nodes(["C", "V11", "V21"]);
    let [county, ..] = &mut all;
    let (league, [one, two, three]) = league(county);
    let outside = branch(county, "V22", "丁支部");
    county.is_refused("not_participant", "alliance.set_chair", Some(league), &[("org", &hex(outside))]);
    meet_all(&mut all);
    let [_, v1, v2] = &mut all;
    v1.does("alliance.set_chair", Some(league), &[("org", &hex(three))]);
    v2.does("alliance.leave", Some(league), &[("org", &hex(three))]);
    meet(v1, v2);
    let conflict = v1.conflict("CHAIR_LEFT").clone();
    assert_eq!((conflict.severity, conflict.resolver), (Severity::Advisory, Some(v1.seat)));
    v1.settles(&conflict, "keep");
    assert!(v1.open.is_empty());
    v1.settles(&conflict, "另行确定");
    assert_eq!(v1.json(league).get("chair"), None);
    v1.does("alliance.set_chair", Some(league), &[("org", &hex(two))]);
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty() && node.json(league)["chair"] == json!(hex(two))));
    assert!(all[0].json(league)["present"].to_string().contains(&hex(one)));
}

#[test]
fn what_each_adds_to_an_alliance_apart_is_all_there_and_its_charter_is_public_when_it_is_published() {
    let mut all = nodes(["C", "V11", "V21"]);
    let [county, ..] = &mut all;
    let (league, _) = league(county);
    county.is_refused("no_charter", "alliance.publish_charter", Some(league), &[]);
    meet_all(&mut all);
    let [county, v1, v2] = &mut all;
    v2.does("record.add", Some(league), &[("field", "topics"), ("element", "防汛")]);
    v1.does("record.add", Some(league), &[("field", "topics"), ("element", "调解")]);
    let far = v1.seat_named("T3");
    v1.does("record.add", Some(league), &[("field", "scope_seats"), ("element", &far)]);
    county.does("record.add", Some(league), &[("field", "scope_seats"), ("element", &county.seat_named("T4"))]);
    v1.does("record.set", Some(league), &[("field", "charter"), ("value", "共商共建")]);
    let charter = v1.does("alliance.publish_charter", Some(league), &[]);
    v2.is_refused("no_authority", "record.set", Some(league), &[("field", "charter"), ("value", "另议")]);
    let again = county.does("record.set", Some(league), &[("field", "name"), ("value", "区域党建联盟")]);
    assert_eq!(again, league);
    meet_all(&mut all);
    for node in &all {
        let view = node.json(league);
        assert_eq!(view["topics"].as_array().map(Vec::len), Some(4), "{view}");
        assert_eq!(view["scope_seats"].as_array().map(Vec::len), Some(2), "{view}");
        let public = &node.records[&charter].view;
        assert!(public.public && !node.records[&league].view.public);
        assert_eq!((&public.json["text"], &public.json["alliance"]), (&json!("共商共建"), &json!(hex(league))));
        assert!(node.open.is_empty());
    }
    // Published again it is the same record.
    let [_, v1, _] = &mut all;
    v1.does("record.set", Some(league), &[("field", "charter"), ("value", "共商共建共享")]);
    assert_eq!(v1.does("alliance.publish_charter", Some(league), &[]), charter);
    v1.is_refused("made_by_command", "record.create", None, &[("kind", "charter"), ("name", "另一份")]);
}

#[test]
fn who_asked_takes_a_booking_back_while_its_owner_confirms_it_and_one_that_was_used_says_so() {
    let mut all = nodes(["C", "V11", "V21"]);
    let [county, ..] = &mut all;
    let (league, [one, _, three]) = league(county);
    meet_all(&mut all);
    let [_, owner, asker] = &mut all;
    let hall = owner.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &hex(one))]);
    owner.does("alliance.add_resource", Some(league), &[("resource", &hex(hall))]);
    meet(owner, asker);
    let mut book = |day: &str| {
        let booking = [("org", hex(three)), ("alliance", hex(league)), ("use_on", day.to_owned())];
        let booking = booking.each_ref().map(|(name, text)| (*name, text.as_str()));
        asker.ask("booking.request", Some(hall), &booking).expect("a booking").result["entry"].clone()
    };
    let [given_up, kept] = ["2026-07-01", "2026-07-02"].map(&mut book);
    meet(owner, asker);
    owner.is_refused("no_authority", "booking.withdraw", Some(hall), &[("booking", &kept)]);
    owner.does("booking.confirm", Some(hall), &[("booking", &given_up)]);
    owner.does("booking.confirm", Some(hall), &[("booking", &kept)]);
    asker.does("booking.withdraw", Some(hall), &[("booking", &given_up)]);
    meet(owner, asker);
    let state = |node: &Node, booking: &str| node.json(hall)["bookings"][booking]["state"].clone();
    asker.is_refused("no_authority", "booking.use", Some(hall), &[("booking", &kept)]);
    assert_eq!((state(owner, &given_up), state(owner, &kept)), (json!("withdrawn"), json!("confirmed")));
    // The day is free again.
    let again = asker.ask("booking.request", Some(hall), &[("org", &hex(three)), ("use_on", "2026-07-01")]);
    let again = again.expect("a booking").result["entry"].clone();
    meet(owner, asker);
    owner.does("booking.confirm", Some(hall), &[("booking", &again)]);
    owner.does("booking.use", Some(hall), &[("booking", &kept), ("used_on", "2026-02-28")]);
    meet(owner, asker);
    asker.is_refused("transition", "booking.withdraw", Some(hall), &[("booking", &kept)]);
    assert_eq!(state(asker, &kept), json!("used"));
    assert!(owner.open.is_empty(), "{:?}", owner.open);
}

#[test]
fn a_need_is_answered_by_several_apart_and_who_raised_it_accepts() {
    let mut all = nodes(["C", "V11", "V12", "V21"]);
    let [county, ..] = &mut all;
    let (league, [one, two, three]) = league(county);
    meet_all(&mut all);
    let [_, v1, ..] = &mut all;
    let (asker, within) = (hex(one), hex(league));
    let need = [("name", "农技讲师"), ("owner_org", &*asker), ("alliance", &*within), ("resource_kind", "teacher")];
    let need = v1.does("need.raise", None, &need);
    meet_all(&mut all);
    let [_, _, v2, v3] = &mut all;
    let answers = |node: &mut Node, org: RecordId| {
        let answer = node.ask("need.answer", Some(need), &[("org", &hex(org)), ("note", "每月一次")]);
        answer.expect("an answer").result["entry"].clone()
    };
    let (second, third) = (answers(v2, two), answers(v3, three));
    meet_all(&mut all);
    let [_, v1, v2, _] = &mut all;
    assert_eq!(v1.json(need)["answers"].as_object().map(serde_json::Map::len), Some(2));
    v2.is_refused("no_authority", "need.accept", Some(need), &[("answer", &second)]);
    // Accepted by one while it is taken back by the other: it is not there any more.
    v1.does("need.accept", Some(need), &[("answer", &second)]);
    v2.does("need.withdraw_answer", Some(need), &[("answer", &second)]);
    v1.does("need.accept", Some(need), &[("answer", &third)]);
    meet_all(&mut all);
    let [_, v1, v2, v3] = &mut all;
    let state = |node: &Node, answer: &str| node.json(need)["answers"][answer]["state"].clone();
    assert_eq!((state(v3, &second), state(v3, &third)), (json!("withdrawn"), json!("accepted")));
    v1.does("need.meet", Some(need), &[("answer", &third)]);
    v1.does("need.close", Some(need), &[]);
    v1.is_refused("already", "need.close", Some(need), &[]);
    v2.hears(v1);
    v2.is_refused("need_closed", "need.answer", Some(need), &[("org", &hex(two))]);
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty()));
}

#[test]
fn a_part_time_member_whose_unit_leaves_while_the_county_approves_is_lapsing_and_his_home_stays() {
    let mut all = nodes(["C", "V11", "V12", "V21"]);
    let [county, ..] = &mut all;
    let (league, [host, unit, third]) = league(county);
    let m = member(county, unit, "测试乙0001");
    let outside = branch(county, "V22", "丁支部");
    meet_all(&mut all);
    let [county, v1, v2, _] = &mut all;
    let lent = |from: RecordId| [("host", hex(host)), ("person", "测试乙0001".to_owned()), ("from_unit", hex(from))];
    let nominate = |node: &mut Node, from: RecordId| {
        let lent = lent(from);
        node.ask("part_time.nominate", Some(league), &lent.each_ref().map(|(name, text)| (*name, text.as_str())))
    };
    assert_eq!(nominate(v1, outside).expect_err("it takes no part").code, "not_participant");
    assert_eq!(nominate(v2, unit).expect_err("the host nominates").code, "no_authority");
    let entry = nominate(v1, unit).expect("it is the host's").result["entry"].clone();
    let named = [("part_time_member", entry.as_str())];
    v1.is_refused("no_authority", "part_time.approve", Some(league), &named);
    // Another is nominated for the other unit, by the county for the host, who has not heard of the first.
    let other = nominate(county, third).expect("it is above").result["entry"].clone();
    meet(v1, county);
    county.does("part_time.approve", Some(league), &named);
    county.does("part_time.approve", Some(league), &[("part_time_member", &other)]);
    v2.does("alliance.leave", Some(league), &[("org", &hex(unit))]);
    meet_all(&mut all);
    let [county, v1, _, v3] = &mut all;
    let state = |node: &Node, entry: &str| node.json(league)["part_time"][entry]["state"].clone();
    for node in [&*county, v1, v3] {
        assert_eq!((state(node, &entry), state(node, &other)), (json!("lapsing"), json!("active")));
        assert_eq!(node.json(m)["effective_home"], json!(hex(unit)), "nobody's home has changed");
    }
    let again = nominate(county, unit).expect_err("it has left");
    assert_eq!(again.code, "not_participant");
    v1.does("part_time.end", Some(league), &named);
    assert_eq!(state(v1, &entry), json!("ended"));
    // The other unit is no more: that no view of the alliance says.
    county.does("org.dissolve", Some(third), &[]);
    let conflict = county.conflict("PART_TIME_UNIT_ENDED").clone();
    assert_eq!((conflict.severity, conflict.resolver), (Severity::Advisory, Some(v1.seat)));
    v1.hears(county);
    v1.settles(&conflict, "end");
    assert_eq!(state(v1, &other), json!("ended"));
    v1.settles(&conflict, "keep");
    assert_eq!(state(v1, &other), json!("active"));
    meet_all(&mut all);
    assert!(all.iter().all(|node| node.open.is_empty()));
}
