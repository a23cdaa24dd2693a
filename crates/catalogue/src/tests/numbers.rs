//! The numbers of papers: each is given once by an issuer in a year, and what two nodes gave apart is told.

use std::collections::BTreeSet;

use heliu_record::conflict::ConflictValue;
use heliu_record::id::RecordId;
use heliu_record::sight::Sight;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, nodes};

/// The numbers of a member's letters.
fn letters(node: &Node, member: RecordId) -> Vec<String> {
    let moves = node.json(member)["moves"].as_object().expect("letters");
    moves.values().map(|letter| letter["letter_no"].as_str().unwrap_or_default().to_owned()).collect()
}

fn two_members(county: &mut Node) -> ([RecordId; 2], RecordId) {
    let [home, there] = ["V11", "V21"].map(|seat| branch(county, seat, seat));
    (["测试甲0001", "测试甲0002"].map(|name| member(county, home, name)), there)
}

#[test]
fn letters_are_numbered_one_after_the_other_by_the_year_and_node_that_issue_them() {
    let [mut county, mut first, mut second] = nodes(["C", "T1", "T1b"]);
    let ([a, b], there) = two_members(&mut county);
    first.hears(&county);
    second.hears(&county);
    let to = [("to_org", &*hex(there))];
    first.does("member.transfer.issue", Some(a), &to);
    assert_eq!(letters(&first, a), ["2026-0001"]);
    second.does("member.transfer.out", Some(b), &[("to_text", "北京某支部")]);
    assert_eq!(letters(&second, b), ["2026-10001"], "the other node of the seat counts by itself");
    meet(&mut first, &mut second);
    assert!(first.open.is_empty(), "so no two agree by chance");
    first.does("member.transfer.cancel", Some(a), &[]);
    first.does("member.transfer.issue", Some(a), &to);
    let numbers: BTreeSet<String> = letters(&first, a).into_iter().collect();
    assert_eq!(numbers, ["2026-0001", "2026-0002"].map(str::to_owned).into(), "that of a cancelled letter is gone");
    first.today = "2027-01-04".to_owned();
    first.does("member.transfer.cancel", Some(a), &[]);
    first.does("member.transfer.issue", Some(a), &to);
    assert!(letters(&first, a).contains(&"2027-0001".to_owned()), "each year begins with one");
}

#[test]
fn a_number_that_was_used_is_refused_with_who_has_it() {
    let [mut county, mut township] = nodes(["C", "T1"]);
    let ([a, b], there) = two_members(&mut county);
    township.hears(&county);
    let there = hex(there);
    let with = |number| [("to_org", &*there), ("letter_no", number)];
    township.does("member.transfer.issue", Some(a), &with("鄄组转a 17号"));
    for again in ["鄄组转a 17号", "鄄组转A17号", "鄄组转A17号"] {
        let refusal = township.is_refused("number_taken", "member.transfer.issue", Some(b), &with(again));
        assert!(refusal.why.zh.contains("测试甲0001") && refusal.why.zh.contains("2026-03-01"), "{refusal}");
    }
    county.does("member.transfer.issue", Some(b), &with("鄄组转a 17号"));
    assert_eq!(letters(&county, b), ["鄄组转a 17号"], "another issuer has numbers of its own");
    let set = [("field", "moves"), ("part", "letter_no"), ("value", "鄄组转a 18号")];
    township.is_refused("by_its_command", "record.set", Some(a), &set);
    township.does("member.transfer.renumber", Some(a), &[("letter_no", "鄄组转a 18号")]);
    assert_eq!(letters(&township, a), ["鄄组转a 18号"]);
}

#[test]
fn who_is_shown_members_alone_is_told_of_a_used_number_and_not_whose_it_is() {
    let [mut county, mut township] = nodes(["C", "T1"]);
    let ([a, b], there) = two_members(&mut county);
    let hidden = branch(&mut county, "V12", "另村");
    let c = member(&mut county, hidden, "测试密0001");
    township.hears(&county);
    let there = hex(there);
    let with = |number| [("to_org", &*there), ("letter_no", number)];
    township.does("member.transfer.issue", Some(c), &with("1号"));
    let village: heliu_record::id::SeatId = township.seat_named("V11").parse().expect("a seat");
    let kinds = ["member", "org"].map(str::to_owned).into();
    township.sight = Sight { seats: Some([village].into()), kinds: Some(kinds) };
    let to = [("to_org", &*there), ("to_seat", &*county.seat_named("V21")), ("letter_no", "1号")];
    let refusal = township.is_refused("number_taken", "member.transfer.issue", Some(a), &to);
    assert!(!refusal.to_string().contains("测试密0001"), "{refusal}");
    let plan =
        township.ask("member.transfer.issue", Some(b), &[to[0], to[1]]).expect("the number book is not his to see");
    assert!(!plan.result.contains_key("record"), "nor is it named to him");
    assert_eq!(letters(&township, b), ["2026-0001"]);
}

#[test]
fn one_number_given_by_two_nodes_of_a_seat_apart_is_told_and_settled_by_renumbering_one() {
    let [mut county, mut first, mut second] = nodes(["C", "T1", "T1b"]);
    let ([a, b], there) = two_members(&mut county);
    first.hears(&county);
    second.hears(&county);
    let there = hex(there);
    let with = [("to_org", &*there), ("letter_no", "17号")];
    first.does("member.transfer.issue", Some(a), &with);
    second.does("member.transfer.issue", Some(b), &with);
    meet(&mut first, &mut second);
    assert_eq!([letters(&first, a), letters(&first, b)], [["17号"], ["17号"]], "both are kept");
    let conflict = first.conflict("DOUBLE_NUMBER").clone();
    assert_eq!(conflict.resolver, Some(first.seat));
    let holders: BTreeSet<String> = conflict.values.iter().map(ConflictValue::choice).collect();
    assert_eq!(holders, [a, b].map(hex).into());
    first.settles(&conflict, &hex(a));
    meet(&mut first, &mut second);
    assert!(first.open.is_empty(), "{:?}", first.open);
    assert_eq!([letters(&first, a), letters(&first, b)], [["17号"], ["2026-0001"]]);
}

#[test]
fn of_two_papers_with_one_number_the_clerk_may_name_the_new_number_himself() {
    let [mut county, mut first, mut second] = nodes(["C", "T1", "T1b"]);
    let ([a, b], there) = two_members(&mut county);
    first.hears(&county);
    second.hears(&county);
    let there = hex(there);
    let with = [("to_org", &*there), ("letter_no", "17号")];
    first.does("member.transfer.issue", Some(a), &with);
    second.does("member.transfer.issue", Some(b), &with);
    meet(&mut first, &mut second);
    // Apart, both nodes renumber: one each. Nobody has to settle anything.
    first.does("member.transfer.renumber", Some(a), &[("letter_no", "18号")]);
    second.does("member.transfer.renumber", Some(b), &[("letter_no", "19号")]);
    meet(&mut first, &mut second);
    assert!(first.open.is_empty(), "{:?}", first.open);
    assert_eq!([letters(&first, a), letters(&first, b)], [["18号"], ["19号"]]);
}

#[test]
fn a_receipt_that_is_out_keeps_its_number_and_the_double_is_settled_by_saying_so() {
    let [mut county, mut first, mut second] = nodes(["C", "T2", "T2b"]);
    let ([a, b], there) = two_members(&mut county);
    for one in [a, b] {
        county.does("member.transfer.issue", Some(one), &[("to_org", &hex(there))]);
    }
    first.hears(&county);
    second.hears(&county);
    first.does("member.transfer.receive", Some(a), &[("receipt", "回执3号")]);
    first.is_refused("number_taken", "member.transfer.receive", Some(b), &[("receipt", "回执3号")]);
    second.does("member.transfer.receive", Some(b), &[("receipt", "回执3号")]);
    meet(&mut first, &mut second);
    let conflict = first.conflict("DOUBLE_NUMBER").clone();
    first.settles(&conflict, &hex(a));
    meet(&mut first, &mut second);
    assert!(first.open.is_empty(), "{:?}", first.open);
    let receipts = [a, b].map(|one| {
        let moves = first.json(one)["moves"].as_object().expect("letters");
        moves.values().map(|letter| letter["receipt"].clone()).collect::<Vec<_>>()
    });
    assert_eq!(receipts, [["回执3号"], ["回执3号"]], "what was received is not written again");
}
