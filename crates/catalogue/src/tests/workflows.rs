//! Letters and bookings go from state to state as their kinds declare it, whichever command writes them.

use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{meet, nodes};
use crate::catalogue;

#[test]
fn what_a_command_does_not_let_pass_by_hand_does_not_either() {
    let [mut county] = nodes(["C"]);
    let (a, b) = (branch(&mut county, "V11", "一村党支部"), branch(&mut county, "V12", "二村党支部"));
    let hall = county.does("resource.offer", None, &[("name", "会议室"), ("owner_org", &hex(a))]);
    let booked = county.ask("booking.request", Some(hall), &[("org", &hex(b))]).expect("a booking");
    let booking = booked.result["entry"].as_str();
    let by_hand = |part, value| [("field", "bookings"), ("entry", booking), ("part", part), ("value", value)];

    let refusal = county.is_refused("transition", "record.set", Some(hall), &by_hand("used", "2026-07-01"));
    assert_eq!(&*refusal.what.zh, "“会议室”的预约 1镇2村 是“待确认”,不能变为“已使用”。");
    assert_eq!(&*refusal.next.zh, "只有“已确认”“待所有者重新确认”的才可以。");
    county.does("booking.decline", Some(hall), &[("booking", booking)]);
    county.is_refused("transition", "booking.confirm", Some(hall), &[("booking", booking)]);
    county.is_refused("transition", "record.set", Some(hall), &by_hand("confirmed", "2026-07-01"));

    let m = member(&mut county, a, "测试甲0001");
    let letter = county.ask("member.transfer.issue", Some(m), &[("to_org", &hex(b))]).expect("a letter");
    let letter = letter.result["entry"].as_str();
    county.does("member.transfer.return", Some(m), &[]);
    let by_hand = [("field", "moves"), ("entry", letter), ("part", "cancelled"), ("value", "2026-07-01")];
    let refusal = county.is_refused("transition", "record.set", Some(m), &by_hand);
    assert!(refusal.what.en.ends_with("is returned, and cannot become: cancelled."), "{refusal}");
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
