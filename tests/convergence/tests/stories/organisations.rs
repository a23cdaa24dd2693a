//! Organisations, the policy and settlements, at two places apart.

use convergence::story::Story;
use serde_json::json;

use super::{Apart, apart, branch, in_many_orders, member, shows};

pub fn two_tiers_form_a_joint_branch_of_the_same_units() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11", "V12"]);
        let village = story.seat("V11");
        let units = format!("{village},{}", story.seat("V12"));
        let of = [("name", "联合党支部"), ("units", units.as_str())];
        let mut made = Vec::new();
        story.run_until_quiet();
        story.cut(&["C"], &["T1"]);
        for name in ["C", "T1"] {
            made.push(story.at(name).makes("joint_branch.form", &of));
            story.at(name).makes("org.create", &[("name", "一村党支部"), ("seat", &village)]);
        }
        story.heal();
        story.run_until_quiet();
        // Nobody merges them for people: each is there, at all units, until a superior dissolves one.
        for joint in &made {
            let shown = story.everywhere(*joint);
            assert_eq!(shown.len(), 4, "{shown:?}");
            assert!(shown.iter().all(|(_, view)| view["lifecycle"] == json!("active")));
        }
        story.at("C").done("org.dissolve", Some(made[1]), &[("successors", &format!("all={}", made[0]))]);
        story.run_until_quiet();
        shows(&story, made[1], "lifecycle", &json!("dissolved"));
        story.ends_well()
    })
}

pub fn two_nodes_of_the_county_set_the_policy() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "C'", "T1"]);
        apart(
            &mut story,
            ["C", "C'"],
            |story| {
                story.at("C").makes("policy.set", &[("letter_days_inside", "20"), ("branch_members_max", "60")]);
            },
            |story| {
                story.at("C'").makes("policy.set", &[("letter_days_inside", "30")]);
            },
        );
        let conflict = story.at("T1").conflict("DIVERGED_FIELD");
        let policy = conflict.subject;
        shows(&story, policy, "branch_members_max", &json!(60));
        story.at("C'").settles(&conflict, "30");
        story.run_until_quiet();
        shows(&story, policy, "letter_days_inside", &json!(30));
        assert_eq!(story.at("T1").conflicts(), []);
        story.ends_well()
    })
}

pub fn a_seat_is_away_at_one_place_and_back_at_another() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let (village, county) = (story.seat("V11"), story.seat("C"));
        let until = |day| [("seat", village.as_str()), ("until", day)];
        let absence = story.at("T1").makes("seat.away", &until("2026-05-01"));
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                let longer = [&until("2026-06-01")[..], &[("deputy", county.as_str())]].concat();
                story.at("C").done("seat.away", None, &longer);
            },
            |story| {
                story.at("T1").done("seat.back", None, &[("seat", &village)]);
            },
        );
        // The county had not heard that it is back, and says until when somebody else stands in.
        shows(&story, absence, "deputy", &json!(county));
        let shown = story.everywhere(absence);
        assert!(shown.iter().all(|(_, view)| view["until"] == shown[0].1["until"]), "{shown:?}");
        story.ends_well()
    })
}

pub fn a_conflict_is_settled_at_two_nodes_apart() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "C'", "T1", "V11"]);
        let home = branch(&mut story, "V11", "一村党支部");
        let m = member(&mut story, home, "测试甲0001");
        let set = |value| [("field", "member_no"), ("value", value)];
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("record.set", Some(m), &set("A001"));
            },
            |story| {
                story.at("T1").done("record.set", Some(m), &set("A002"));
            },
        );
        let conflict = story.at("C").conflict("DIVERGED_FIELD");
        apart(
            &mut story,
            ["C", "C'"],
            |story| story.at("C").settles(&conflict, "A001"),
            |story| story.at("C'").settles(&conflict, "A002"),
        );
        // Two settlements that did not see each other are a disagreement again, and it can be ended.
        let shown = story.everywhere(m);
        assert!(shown.iter().all(|(_, view)| view["member_no"] == shown[0].1["member_no"]), "{shown:?}");
        if let [again] = &*story.at("C").conflicts() {
            story.at("C").settles(again, "A001");
            story.run_until_quiet();
            shows(&story, m, "member_no", &json!("A001"));
        }
        assert_eq!(story.at("V11").conflicts(), []);
        story.ends_well()
    })
}
