//! How somebody becomes a member, and moves over the border of the realm.

use heliu_record::conflict::Severity;
use heliu_record::id::RecordId;
use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, meet_all, nodes};

/// A village with an applicant, and its township.
fn applicant(township: &mut Node, village: &mut Node) -> RecordId {
    let b = branch(township, "V11", "一村党支部");
    village.hears(township);
    let m = village.does("member.register", None, &[("name", "测试甲0001"), ("branch", &hex(b))]);
    assert_eq!((&village.json(m)["stage"], &village.json(m)["standing"]), (&json!("applicant"), &json!("awaiting")));
    m
}

/// As [`applicant`], admitted on this day.
fn on_probation(township: &mut Node, village: &mut Node, met: &str) -> RecordId {
    let m = applicant(township, village);
    village.does("member.lead", Some(m), &[("stage", "积极分子")]);
    village.does("member.lead", Some(m), &[("stage", "candidate")]);
    village.does("member.pass", Some(m), &[("what", "admission"), ("effective_on", met)]);
    assert_eq!(village.json(m)["standing"], json!("awaiting"), "nobody counts before approval");
    township.hears(village);
    township.does("member.admit", Some(m), &[]);
    assert_eq!(township.json(m)["joined_on"], json!(met), "probation counts from the meeting");
    village.hears(township);
    m
}

#[test]
fn a_village_makes_no_members_alone() {
    let [mut t1, mut v1] = nodes(["T1", "V11"]);
    let b = branch(&mut t1, "V11", "一村党支部");
    v1.hears(&t1);
    let full = [("name", "测试甲0001"), ("branch", &*hex(b)), ("stage", "full")];
    v1.is_refused("no_authority", "member.register", None, &full);
    // Somebody who comes with a joining date waits for approval, and does not count.
    let known = [("name", "测试甲0009"), ("branch", &*hex(b)), ("joined_on", "2001-07-01"), ("full_on", "2002-07-01")];
    let known = v1.does("member.register", None, &known);
    assert_eq!((&v1.json(known)["stage"], &v1.json(known)["standing"]), (&json!("passed"), &json!("awaiting")));
    let m = on_probation(&mut t1, &mut v1, "2025-01-01");
    v1.is_refused("no_authority", "member.confirm", Some(m), &[]);
    v1.is_refused("no_authority", "record.decide", Some(m), &[("field", "stage"), ("state", "full")]);
    v1.is_refused("no_authority", "member.extend", Some(m), &[("until", "2026-07-01")]);
    v1.does("member.pass", Some(m), &[("what", "full")]);
    assert_eq!(v1.json(m)["standing"], json!("counted"), "a probationary member still");
    t1.hears(&v1);
    t1.does("member.confirm", Some(m), &[("full_on", "2026-01-01")]);
    assert_eq!((&t1.json(m)["stage"], &t1.json(m)["full_on"]), (&json!("full"), &json!("2026-01-01")));
}

#[test]
fn probation_is_a_year_and_is_extended_once_by_six_to_twelve_months() {
    let [mut t1, mut v1] = nodes(["T1", "V11"]);
    let m = on_probation(&mut t1, &mut v1, "2025-03-02");
    let refusal = t1.is_refused("probation_short", "member.confirm", Some(m), &[]);
    assert!(refusal.what.zh.contains("2026-03-02"), "{refusal}");
    t1.is_refused("probation_short", "record.decide", Some(m), &[("field", "stage"), ("state", "full")]);
    t1.is_refused("extension_length", "member.extend", Some(m), &[("until", "2026-08-01")]);
    t1.is_refused("extension_length", "member.extend", Some(m), &[("until", "2027-03-03")]);
    t1.does("member.extend", Some(m), &[("until", "2026-09-02")]);
    assert_eq!((&t1.json(m)["stage"], &t1.json(m)["standing"]), (&json!("extended"), &json!("counted")));
    t1.is_refused("extended_once", "member.extend", Some(m), &[("until", "2027-03-02")]);
    t1.today = "2026-09-01".to_owned();
    t1.is_refused("probation_short", "member.confirm", Some(m), &[]);
    t1.today = "2026-09-02".to_owned();
    t1.does("member.confirm", Some(m), &[]);
    assert_eq!(t1.json(m)["full_on"], json!("2026-09-02"));
}

#[test]
fn confirmed_while_the_meeting_cancelled_is_under_review_and_counts_as_on_probation() {
    for (choice, stage, standing) in [("full", "full", "counted"), ("passed_cancelled", "passed_cancelled", "counted")]
    {
        let [mut t1, mut v1] = nodes(["T1", "V11"]);
        let m = on_probation(&mut t1, &mut v1, "2025-01-01");
        t1.does("member.confirm", Some(m), &[]);
        v1.does("member.cancel", Some(m), &[]);
        assert_eq!(v1.json(m)["stage"], json!("passed_cancelled"), "the meeting's word, which is to be approved");
        meet(&mut t1, &mut v1);
        for node in [&t1, &v1] {
            assert_eq!(
                (&node.json(m)["stage"], &node.json(m)["standing"]),
                (&json!("under_review"), &json!("counted"))
            );
        }
        let conflict = t1.conflict("DIVERGED_DECISION").clone();
        assert_eq!((conflict.severity, conflict.resolver), (Severity::Hard, Some(t1.seat)));
        t1.settles(&conflict, choice);
        meet(&mut t1, &mut v1);
        assert_eq!((&v1.json(m)["stage"], &v1.json(m)["standing"]), (&json!(stage), &json!(standing)));
        assert!(t1.open.is_empty() && v1.open.is_empty());
    }
}

#[test]
fn the_steps_are_a_log_of_day_and_paper() {
    let [mut t1, mut v1] = nodes(["T1", "V11"]);
    let m = applicant(&mut t1, &mut v1);
    v1.does("member.step", Some(m), &[("step", "递交入党申请书"), ("on", "2024-05-01")]);
    v1.does("member.step", Some(m), &[("step", "s02"), ("on", "2024-05-20"), ("document_no", "一村〔2024〕1号")]);
    assert_eq!(v1.json(m)["steps"].as_object().map(serde_json::Map::len), Some(2));
    assert!(v1.json(m)["steps"].to_string().contains("一村〔2024〕1号"));
    v1.is_refused("date_out_of_range", "member.step", Some(m), &[("step", "s03"), ("on", "2027-01-01")]);
}

#[test]
fn somebody_moves_out_of_the_realm_when_the_receipt_has_come_back() {
    let [mut t1, mut v1] = nodes(["T1", "V11"]);
    let b = branch(&mut t1, "V11", "一村党支部");
    let m = member(&mut t1, b, "测试甲0001");
    v1.hears(&t1);
    v1.does("member.transfer.propose", Some(m), &[("to_text", "北京市某街道党工委")]);
    assert!(v1.json(m).get("pending").is_none_or(|pending| !pending.to_string().contains("transfer_pending")));
    t1.hears(&v1);
    t1.does("member.transfer.out", Some(m), &[("letter_no", "鄄组〔2026〕1号")]);
    assert_eq!(t1.json(m)["standing"], json!("counted"), "until the receipt is here");
    assert_eq!(t1.json(m)["moves"].as_object().map(serde_json::Map::len), Some(1), "it is what was proposed");
    v1.hears(&t1);
    v1.is_refused("no_authority", "member.transfer.arrived", Some(m), &[]);
    t1.does("member.transfer.arrived", Some(m), &[("receipt", "R-7")]);
    let view = t1.json(m);
    assert_eq!((&view["stage"], &view["standing"]), (&json!("transferred_out"), &json!("ended")));
    t1.is_refused("no_transfer", "member.transfer.issue", Some(m), &[("to_org", &hex(b))]);
    assert!(t1.open.is_empty());

    v1.hears(&t1);
    let come =
        [("name", "测试甲0002"), ("branch", &*hex(b)), ("from_text", "天津市某支部"), ("joined_on", "2010-07-01")];
    v1.is_refused("no_authority", "member.transfer.come_in", None, &come);
    let m = t1.does("member.transfer.come_in", None, &come);
    let view = t1.json(m);
    assert_eq!((&view["origin"], &view["home_since"]), (&json!("moved_in"), &json!("2026-03-01")));
    assert_eq!(view["standing"], json!("counted"));
}

#[test]
fn outside_and_inside_at_once_are_two_homes_until_somebody_chooses() {
    for (choice, stage) in [("outside", "transferred_out"), ("inside", "full")] {
        for by_letter in [false, true] {
            let mut all = nodes(["C", "T1", "T2"]);
            let [county, t1, t2] = &mut all;
            let [b0, b1] = ["V11", "V21"].map(|v| branch(county, v, v));
            let m = member(county, b0, "测试甲0001");
            t1.hears(county);
            t2.hears(county);
            t1.does("member.transfer.out", Some(m), &[("to_text", "北京市某街道党工委")]);
            t1.does("member.transfer.arrived", Some(m), &[]);
            if by_letter {
                county.does("member.transfer.issue", Some(m), &[("to_org", &hex(b1))]);
                t2.hears(county);
                t2.does("member.transfer.receive", Some(m), &[]);
            } else {
                county.does("member.reassign", Some(m), &[("to_org", &hex(b1))]);
            }
            meet_all(&mut all);
            let [county, ..] = &mut all;
            let conflict = county.conflict("MULTI_HOME").clone();
            assert!(conflict.values.iter().any(|value| value.choice() == "outside"), "{conflict:?}");
            assert_eq!(
                (county.json(m)["effective_home"].as_str(), &county.json(m)["stage"]),
                (Some(&*hex(b0)), &json!("full"))
            );
            let inside = hex(b1);
            county.settles(&conflict, if choice == "outside" { "域外" } else { &inside });
            assert_eq!(county.json(m)["stage"], json!(stage), "{choice} {by_letter}");
            meet_all(&mut all);
            let open: Vec<_> = all.iter().flat_map(|node| node.open.values().map(|c| c.kind.clone())).collect();
            assert!(open.is_empty(), "{choice} {by_letter} {open:?}");
        }
    }
}

#[test]
fn the_county_sets_the_policy_and_everybody_goes_by_it() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let [b, c] = ["V11", "V12"].map(|v| branch(county, v, v));
    let m = member(county, b, "测试甲0001");
    t1.hears(county);
    t1.is_refused("no_authority", "policy.set", None, &[("letter_days_inside", "15")]);
    let policy = county.does("policy.set", None, &[("letter_days_inside", "15")]);
    assert_eq!(county.does("policy.set", None, &[("probation_months", "13")]), policy, "there is one");
    county.is_refused("bad_value", "policy.set", None, &[("party_day", "0")]);
    t1.hears(county);
    let until = |day| [("to_org", hex(c)), ("valid_until", String::from(day))];
    for day in ["2026-02-28", "2026-06-02"] {
        let until = until(day);
        let until = until.each_ref().map(|(name, text)| (*name, text.as_str()));
        t1.is_refused("date_out_of_range", "member.transfer.issue", Some(m), &until);
    }
    t1.does("member.transfer.issue", Some(m), &[("to_org", &hex(c))]);
    assert!(t1.json(m)["moves"].to_string().contains("\"valid_until\":\"2026-03-16\""), "{}", t1.json(m));
}

#[test]
fn two_records_of_one_person_are_joined_and_taken_apart() {
    let [mut t1] = nodes(["T1"]);
    let b = branch(&mut t1, "V11", "一村党支部");
    let [one, two] = ["测试甲0001", "测试甲0001"].map(|name| member(&mut t1, b, name));
    t1.does("member.same_as", Some(one), &[("other", &hex(two))]);
    assert_eq!(t1.json(one)["same_as"], json!([hex(two)]));
    t1.is_refused("bad_value", "member.same_as", Some(one), &[("other", &hex(one))]);
    t1.does("member.not_same_as", Some(two), &[("other", &hex(one))]);
    assert!(t1.json(one).get("same_as").is_none());
}
