//! Letters and bookings go from state to state as their kinds declare it, whichever command writes them.

use heliu_record::id::RecordId;
use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, nodes};
use crate::catalogue;

#[test]
fn what_a_command_does_not_let_pass_by_hand_does_not_either() {
    let [mut county] = nodes(["C"]);
    let (a, b) = (branch(&mut county, "V11", "一村党支部"), branch(&mut county, "V12", "二村党支部"));
    let hall = county.does("resource.offer", None, &[("name", "会议室"), ("owner_org", &hex(a))]);
    let booked = county.ask("booking.request", Some(hall), &[("org", &hex(b))]).expect("a booking");
    let booking = booked.result["entry"].as_str();
    let by_hand = |part, value| [("field", "bookings"), ("entry", booking), ("part", part), ("value", value)];

    let refusal = county.is_refused("transition", "record.set", Some(hall), &by_hand("used", "2026-02-01"));
    assert_eq!(&*refusal.what.zh, "“会议室”的预约 1镇2村 是“待确认”,不能变为“已使用”。");
    assert_eq!(&*refusal.next.zh, "只有“已确认”“待所有者重新确认”的才可以。");
    county.does("booking.decline", Some(hall), &[("booking", booking)]);
    county.is_refused("transition", "booking.confirm", Some(hall), &[("booking", booking)]);
    county.is_refused("transition", "record.set", Some(hall), &by_hand("confirmed", "2026-02-01"));

    let m = member(&mut county, a, "测试甲0001");
    let letter = county.ask("member.transfer.issue", Some(m), &[("to_org", &hex(b))]).expect("a letter");
    let letter = letter.result["entry"].as_str();
    county.does("member.transfer.return", Some(m), &[]);
    let by_hand = [("field", "moves"), ("entry", letter), ("part", "cancelled"), ("value", "2026-02-01")];
    let refusal = county.is_refused("transition", "record.set", Some(m), &by_hand);
    assert!(refusal.what.en.ends_with("is returned, and cannot become: cancelled."), "{refusal}");
}

/// A hall of a township's with a booking for each of these days, and their names.
fn hall(township: &mut Node, days: &[&str]) -> (RecordId, Vec<String>) {
    let (owner, asker) = (branch(township, "V11", "一村党支部"), branch(township, "V12", "二村党支部"));
    let hall = township.does("resource.offer", None, &[("name", "会议室"), ("owner_org", &hex(owner))]);
    let mut book = |day: &&str| {
        let booked = township.ask("booking.request", Some(hall), &[("org", &hex(asker)), ("use_on", day)]);
        booked.expect("a booking").result["entry"].clone()
    };
    let booked = days.iter().map(&mut book).collect();
    (hall, booked)
}

fn state(node: &Node, hall: RecordId, booking: &str) -> String {
    node.json(hall)["bookings"][booking]["state"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn by_hand_a_part_is_set_of_an_entry_that_is_there_and_none_is_made_by_a_slip() {
    let [mut township] = nodes(["T1"]);
    let (hall, booked) = hall(&mut township, &["2026-07-01", "2026-07-02"]);
    let set = |entry: &str, part: &str, value: &str| {
        [("field", "预约"), ("entry", entry), ("part", part), ("value", value)]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
    };
    let mut ask = |entry: &str, part: &str, value: &str| {
        let set = set(entry, part, value);
        let set: Vec<(&str, &str)> = set.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        township.ask("record.set", Some(hall), &set)
    };
    for slip in ["9", "zzz", "a5da4973", "0"] {
        let refused = ask(slip, "确认日期", "2026-02-01").expect_err("there is no such booking");
        assert_eq!(refused.code, "which_entry");
        assert!(refused.what.zh.contains(slip) && refused.next.zh.contains("1. ") && refused.next.zh.contains("2. "));
    }
    // As for the commands: its number, its day, the beginning of its id.
    ask("1", "确认日期", "2026-02-01").expect("by its number");
    let done = ask("2026-07-02", "使用日期", "2026-07-03").expect("by its day");
    assert_eq!(done.result["entry"], booked[1], "the answer says which one");
    let short = booked[1].split_once('-').map(|(_, own)| own[..8].to_owned()).expect("it is the asker's");
    ask(&short, "使用日期", "2026-07-04").expect("by the beginning of its id");
    let several = ask("1镇2村", "确认日期", "2026-02-01").expect_err("both are the village's");
    assert_eq!(several.code, "which_entry");
    let bookings = township.json(hall)["bookings"].as_object().cloned().expect("they are there");
    assert_eq!(bookings.len(), 2, "{bookings:?}");
    assert_eq!(
        (state(&township, hall, &booked[0]), bookings[&booked[1]]["use_on"].as_str()),
        ("confirmed".to_owned(), Some("2026-07-04"))
    );
}

#[test]
fn an_entry_that_a_command_begins_is_not_begun_by_hand_and_one_that_is_named_after_something_is() {
    let [mut township] = nodes(["T1"]);
    let org = branch(&mut township, "V11", "一村党支部");
    let (other, third) = (branch(&mut township, "V12", "二村党支部"), branch(&mut township, "V13", "三村党支部"));
    let league = township.does("alliance.form", None, &[("name", "联盟"), ("convenor", &hex(org))]);
    let term = |entry| [("field", "part_time"), ("entry", entry), ("part", "term"), ("value", "2026")];
    for entry in ["p1", "new"] {
        let refused = township.is_refused("no_entry", "record.set", Some(league), &term(entry));
        assert!(refused.next.zh.contains("part_time.nominate"), "{refused}");
    }
    township.does("alliance.join", Some(league), &[("org", &hex(other))]);
    let lent = [("host", hex(org)), ("person", "测试甲0001".to_owned()), ("from_unit", hex(other))];
    let lent = lent.each_ref().map(|(name, text)| (*name, text.as_str()));
    let made = township.ask("part_time.nominate", Some(league), &lent).expect("it is said").result["entry"].clone();
    township.does("record.set", Some(league), &term("1"));
    assert_eq!(township.json(league)["part_time"][&made]["term"], json!("2026"));
    // Successors are named after the units that they take over, or `all`.
    township.does("org.dissolve", Some(org), &[]);
    let successor = |entry| [("field", "successors"), ("entry", entry), ("part", "org"), ("value", "")];
    let mut of_all = successor("all");
    let (other, third) = (hex(other), hex(third));
    of_all[3].1 = &other;
    township.does("record.set", Some(org), &of_all);
    let unit = township.seat_named("V11");
    let mut of_unit = successor(&unit);
    of_unit[3].1 = &third;
    township.does("record.set", Some(org), &of_unit);
    let mut wrong = successor("al");
    wrong[3].1 = &other;
    township.is_refused("bad_value", "record.set", Some(org), &wrong);
    assert_eq!(township.json(org)["successors"].as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn nothing_is_confirmed_twice_for_one_day_whichever_part_brings_it_about() {
    let [mut township] = nodes(["T1"]);
    let (hall, booked) = hall(&mut township, &["2026-07-01", "2026-07-02", "2026-07-03"]);
    township.does("booking.confirm", Some(hall), &[("booking", &booked[0])]);
    township.does("booking.confirm", Some(hall), &[("booking", &booked[1])]);
    let day = |entry, day| [("field", "bookings"), ("entry", entry), ("part", "use_on"), ("value", day)];
    let refused = township.is_refused("double_confirmation", "record.set", Some(hall), &day(&booked[1], "2026-07-01"));
    assert!(refused.what.zh.contains("1镇2村 2026-07-01"), "{refused}");
    // Of one that is not confirmed the day may be any, and a confirmed one may go to a day that is free.
    township.does("record.set", Some(hall), &day(&booked[2], "2026-07-01"));
    township.does("record.set", Some(hall), &day(&booked[1], "2026-07-05"));
    township.is_refused("double_confirmation", "booking.confirm", Some(hall), &[("booking", &booked[2])]);
    // What stands confirmed keeps nobody from what changes nothing about it.
    township.does("record.set", Some(hall), &[("field", "capacity"), ("value", "80")]);
    township.is_refused("bad_value", "record.set", Some(hall), &[("field", "capacity"), ("value", "-5")]);
    let offer = |capacity| [("name", "礼堂"), ("owner_org", "x"), ("capacity", capacity)];
    let mut offer = offer("0");
    let owner = township.json(hall)["owner_org"].as_str().expect("it has one").to_owned();
    offer[1].1 = &owner;
    township.is_refused("bad_value", "resource.offer", None, &offer);
}

#[test]
fn what_two_confirmed_apart_for_one_day_can_be_put_right() {
    let mut all = nodes(["T1", "V11"]);
    let [township, village] = &mut all;
    let (hall, booked) = hall(township, &["2026-07-01", "2026-07-01"]);
    meet(township, village);
    township.does("booking.confirm", Some(hall), &[("booking", &booked[0])]);
    village.does("booking.confirm", Some(hall), &[("booking", &booked[1])]);
    meet(township, village);
    township.does("record.set", Some(hall), &[("field", "open_hours"), ("value", "工作日")]);
    township.does("booking.decline", Some(hall), &[("booking", "2")]);
    assert_eq!(
        (state(township, hall, &booked[0]), state(township, hall, &booked[1])),
        ("confirmed".into(), "declined".into())
    );
}

#[test]
fn of_several_that_are_called_so_it_is_asked_which_and_a_number_is_that_of_one_entry_in_every_command() {
    let [mut township] = nodes(["T1"]);
    let (hall, booked) = hall(&mut township, &["2026-07-03", "2026-07-02", "2026-07-01"]);
    let refused = township.is_refused("which_entry", "booking.confirm", Some(hall), &[("booking", "1镇2村")]);
    assert!(
        refused.next.zh.contains("1. 1镇2村 2026-07-03") && refused.next.zh.contains("3. 1镇2村 2026-07-01"),
        "{refused}"
    );
    // In the order in which they were made, and so it stays.
    for (number, name) in ["1", "2", "3"].into_iter().zip(&booked) {
        assert_eq!(township.json(hall)["bookings"][name]["number"].to_string(), number);
    }
    let done = township.ask("booking.confirm", Some(hall), &[("booking", "2")]).expect("it is due");
    assert_eq!(done.result["entry"], booked[1], "the answer says which one");
    for name in ["2", &booked[1], "2026-07-02"] {
        let refused = township.is_refused("transition", "booking.confirm", Some(hall), &[("booking", name)]);
        assert!(refused.what.zh.ends_with("已是“已确认”。"), "{refused}");
    }
    township.does("booking.decline", Some(hall), &[("booking", "1")]);
    assert_eq!(state(&township, hall, &booked[0]), "declined", "and not the first of those that can still be declined");
    let refused = township.is_refused("which_entry", "booking.confirm", Some(hall), &[("booking", "x")]);
    assert_eq!(&*refused.what.zh, "“会议室”没有叫作“x”的预约。");
    assert!(refused.next.zh.contains("可选的有:3. ") && !refused.next.zh.contains("1. "), "{refused}");
    // Of those that are called so only one is due.
    township.does("booking.confirm", Some(hall), &[("booking", "1镇2村")]);
    assert_eq!(state(&township, hall, &booked[2]), "confirmed");
}

#[test]
fn a_resource_is_withdrawn_once_and_its_owner_is_told_to_decline() {
    let [mut township] = nodes(["T1"]);
    let (hall, _) = hall(&mut township, &["2026-07-01"]);
    township.does("resource.withdraw", Some(hall), &[]);
    let refused = township.is_refused("resource_withdrawn", "booking.confirm", Some(hall), &[]);
    assert!(refused.next.zh.contains("booking.decline") && !refused.next.zh.contains("改约"), "{refused}");
    township.is_refused("already", "resource.withdraw", Some(hall), &[]);
    township.does("booking.decline", Some(hall), &[]);
}

#[test]
fn what_two_wrote_apart_is_merged_whatever_states_allow() {
    let mut all = nodes(["T1", "V11"]);
    let [township, village] = &mut all;
    let (a, b) = (branch(township, "V11", "一村党支部"), branch(township, "V12", "二村党支部"));
    let hall = township.does("resource.offer", None, &[("name", "会议室"), ("owner_org", &hex(a))]);
    let booked = township.ask("booking.request", Some(hall), &[("org", &hex(b))]).expect("a booking");
    let booking = &*booked.result["entry"];
    meet(township, village);
    township.does("booking.decline", Some(hall), &[("booking", booking)]);
    village.does("booking.confirm", Some(hall), &[("booking", booking)]);
    meet(township, village);
    for node in [&*township, village] {
        assert_eq!(node.json(hall)["bookings"][booking]["state"], json!("declined"), "both are kept, and one is shown");
    }
}

#[test]
fn every_state_that_an_entry_is_shown_in_is_declared_with_its_words() {
    let said = |kind: &str, path: &str, state: &str| {
        let kind = catalogue().kind(kind).expect("it is declared");
        (kind.say_path(path).expect("words").zh.to_string(), kind.say_value(path, state).expect("words").zh.to_string())
    };
    assert_eq!(said("resource", "bookings/4f/state", "owner_left"), ("预约 状态".into(), "所有者已收回".into()));
    assert_eq!(said("member", "moves/4f/state", "issued"), ("组织关系转接 状态".into(), "已开具,未接收".into()));
    let resource = catalogue().kind("resource").expect("it is declared");
    assert!(resource.say_value("bookings/4f/state", "no such").is_none());
}
