//! What superiors accept, and what townships count, at two places apart.

use convergence::story::Story;
use serde_json::json;

use super::{Apart, apart, branch, in_many_orders, member, shows};

pub fn an_advisory_is_waived_while_the_waiver_is_taken_back() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let org = branch(&mut story, "V11", "一村党支部");
        let person = member(&mut story, org, "测试甲0001");
        story.run_until_quiet();
        let (few, double) = ([("advisory", "R1-few")], [("advisory", "double-name_and_day")]);
        story.at("T1").done("org.waive", Some(org), &few);
        story.at("T1").done("member.waive", Some(person), &double);
        // Who waives it again without knowing that it was taken back, waives it.
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("org.unwaive", Some(org), &few);
                story.at("C").done("member.unwaive", Some(person), &double);
            },
            |story| {
                story.at("T1").done("org.waive", Some(org), &few);
                story.at("T1").done("member.waive", Some(person), &double);
            },
        );
        shows(&story, person, "waived", &json!(["double-name_and_day"]));
        story.ends_well()
    })
}

pub fn two_nodes_of_a_township_count_ages() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "T1'"]);
        let born = ["1950-01-01"; 11].join(",");
        let mut made = None;
        apart(
            &mut story,
            ["T1", "T1'"],
            |story| made = Some(story.at("T1").makes("statistics.count", &[("born", &born)])),
            |story| {
                story.at("T1'").makes("statistics.count", &[("born", &born)]);
            },
        );
        // One record, with both counts; neither is mixed with the other.
        for (name, view) in story.everywhere(made.expect("it was made")) {
            let counts = view["counts"].as_object().expect("there are counts");
            assert!(
                counts.len() == 2 && counts.values().all(|count| count["age_70"] == json!(11)),
                "{name}: {counts:?}"
            );
        }
        assert_eq!(story.at("C").conflicts(), []);
        story.ends_well()
    })
}
