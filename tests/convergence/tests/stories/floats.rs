//! Who lives elsewhere, at two places apart: neither half overwrites the other.

use convergence::story::Story;
use heliu_record::id::RecordId;
use serde_json::json;

use super::{Apart, apart, branch, hex, in_many_orders, member, shows};

/// Three townships, a member of the first, and a branch at each of the others.
fn three_townships(seed: u64) -> (Story, RecordId, [RecordId; 2]) {
    let mut story = Story::of(seed, &["C", "T1", "T2", "T3"]);
    let home = branch(&mut story, "T1", "甲支部");
    let m = member(&mut story, home, "测试甲0001");
    let others = [branch(&mut story, "T2", "流动党支部"), branch(&mut story, "T3", "丙支部")];
    story.run_until_quiet();
    // The county begins the secret of ids when nobody else has, and it comes down.
    (0..4).for_each(|_| story.wait());
    (story, m, others)
}

fn declares(story: &mut Story, m: RecordId) -> RecordId {
    let host = story.seat("T2");
    story.at("T1").makes("float.declare", &[("member", &hex(m)), ("host", &host), ("since", "2026-02-20")])
}

fn records_inflow(story: &mut Story) -> RecordId {
    let home = story.seat("T1");
    let inflow = [("name", "测试甲0001"), ("home", &*home), ("since", "2026-02-20")];
    story.at("T2").makes("float.record_inflow", &inflow)
}

/// One who is known at both ends, before they part.
fn matched(story: &mut Story, m: RecordId) -> [RecordId; 2] {
    let card = declares(story, m);
    story.run_until_quiet();
    let answer = story.at("T2").done("float.acknowledge", Some(card), &[]);
    let answer = answer.result["record"].parse().expect("an id");
    story.run_until_quiet();
    [card, answer]
}

pub fn both_halves_are_made_apart() -> Apart {
    in_many_orders(|seed| {
        let (mut story, m, [branch, _]) = three_townships(seed);
        let mut halves = Vec::new();
        story.cut(&["T2"], &["C"]);
        halves.push(declares(&mut story, m));
        halves.push(records_inflow(&mut story));
        story.at("T2").done("float.link", Some(halves[1]), &[("org", &hex(branch))]);
        story.heal();
        story.run_until_quiet();
        let [card, answer] = halves[..] else { unreachable!("two were made") };
        shows(&story, answer, "home_half", &json!(hex(card)));
        shows(&story, card, "state", &json!("declared"));
        apart(
            &mut story,
            ["C", "T2"],
            |story| {
                story.at("T1").done("float.acknowledge", Some(answer), &[]);
            },
            |story| {
                story.at("T2").done("float.acknowledge", Some(card), &[("liaison", "李四")]);
            },
        );
        for half in [card, answer] {
            shows(&story, half, "state", &json!("matched"));
        }
        assert_eq!(story.at("C").conflicts(), []);
        story.ends_well()
    })
}

pub fn a_float_is_transferred_to_a_third_place_while_its_host_records_it() -> Apart {
    in_many_orders(|seed| {
        let (mut story, m, [_, third]) = three_townships(seed);
        let [card, answer] = matched(&mut story, m);
        let to = [("to_org", hex(third)), ("to_seat", story.seat("T3"))];
        let to = to.each_ref().map(|(name, text)| (*name, text.as_str()));
        apart(
            &mut story,
            ["T2", "C"],
            |story| {
                story.at("T2").done("float.record_inflow", None, &[("half", &hex(card))]);
            },
            |story| {
                story.at("T1").done("member.transfer.issue", Some(m), &to);
                story.wait();
                story.at("T3").done("member.transfer.receive", Some(m), &[]);
            },
        );
        shows(&story, m, "effective_home", &json!(hex(third)));
        shows(&story, answer, "state", &json!("active"));
        assert_eq!(story.at("T2").conflicts(), [], "the host has nothing of him that it could compare");
        let conflict = story.at("C").conflict("FLOAT_VS_TRANSFER");
        assert_eq!(conflict.subject, card);
        story.at("C").settles(&conflict, "close");
        story.run_until_quiet();
        for half in [card, answer] {
            shows(&story, half, "state", &json!("closed"));
        }
        story.ends_well()
    })
}

pub fn a_return_is_reported_at_both_ends() -> Apart {
    in_many_orders(|seed| {
        let (mut story, m, _) = three_townships(seed);
        let [card, answer] = matched(&mut story, m);
        apart(
            &mut story,
            ["C", "T2"],
            |story| {
                story.at("C").done("float.close", Some(card), &[]);
            },
            |story| {
                story.at("T2").done("float.report_return", Some(answer), &[]);
            },
        );
        shows(&story, answer, "state", &json!("returned"));
        shows(&story, card, "state", &json!("closed"));
        let card = declares_again(&mut story, m);
        story.run_until_quiet();
        let answer = story.at("T2").done("float.acknowledge", Some(card), &[]);
        let answer: RecordId = answer.result["record"].parse().expect("an id");
        story.run_until_quiet();
        story.at("T1").done("float.report_return", Some(card), &[]);
        // Confirmed by one node while another of a seat above says the same.
        apart(
            &mut story,
            ["C", "T2"],
            |story| {
                story.at("C").done("float.report_return", Some(answer), &[]);
            },
            |story| {
                story.at("T2").done("float.confirm_return", Some(answer), &[]);
            },
        );
        for half in [card, answer] {
            shows(&story, half, "state", &json!("returned"));
        }
        assert_eq!(story.at("C").conflicts(), []);
        story.ends_well()
    })
}

fn declares_again(story: &mut Story, m: RecordId) -> RecordId {
    let host = story.seat("T2");
    story.at("T1").makes("float.declare", &[("member", &hex(m)), ("host", &host), ("since", "2026-02-25")])
}
