//! How somebody becomes a member, at two places apart.

use convergence::story::Story;
use serde_json::json;

use super::{Apart, apart, branch, hex, in_many_orders, shows};

pub fn a_branch_leads_on_whom_the_township_admits() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let home = hex(branch(&mut story, "V11", "一村党支部"));
        story.run_until_quiet();
        let m = story.at("V11").makes("member.register", &[("name", "测试甲0001"), ("branch", &*home)]);
        story.at("V11").done("member.lead", Some(m), &[("stage", "activist")]);
        apart(
            &mut story,
            ["T1", "V11"],
            |story| {
                story.at("T1").done("member.lead", Some(m), &[("stage", "candidate")]);
                story.at("T1").done("member.pass", Some(m), &[("what", "admission"), ("effective_on", "2025-12-01")]);
                story.at("T1").done("member.admit", Some(m), &[]);
                story.at("T1").done("member.step", Some(m), &[("step", "s01"), ("on", "2024-03-01")]);
            },
            |story| {
                story.at("V11").done("member.lead", Some(m), &[("stage", "candidate")]);
                story.at("V11").done("member.step", Some(m), &[("step", "s02"), ("on", "2024-03-05")]);
            },
        );
        shows(&story, m, "stage", &json!("probationary"));
        shows(&story, m, "joined_on", &json!("2025-12-01"));
        for (name, view) in story.everywhere(m) {
            assert_eq!(view["steps"].as_object().map(serde_json::Map::len), Some(2), "{name}: the steps of both");
        }
        story.ends_well()
    })
}

pub fn a_probation_is_extended_while_it_is_cancelled() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let home = hex(branch(&mut story, "V11", "一村党支部"));
        story.run_until_quiet();
        let of = [("name", "测试甲0001"), ("branch", &*home), ("joined_on", "2025-03-01"), ("stage", "probationary")];
        let m = story.at("T1").makes("member.register", &of);
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("member.extend", Some(m), &[("until", "2026-12-01")]);
            },
            |story| {
                story.at("T1").done("member.cancel", Some(m), &[]);
            },
        );
        // Whoever cancels cancels an extended probation too, so the one may have followed the other; both stay in the record.
        shows(&story, m, "stage", &json!("cancelled"));
        shows(&story, m, "extended_until", &json!("2026-12-01"));
        shows(&story, m, "standing", &json!("ended"));
        story.ends_well()
    })
}
