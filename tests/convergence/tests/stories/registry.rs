//! What two tiers of a registry write apart: each mechanism that shows both, over engines and a network.

use convergence::story::Story;
use heliu_record::conflict::Severity;
use heliu_record::id::RecordId;
use serde_json::json;

use super::{Apart, apart, branch, hex, in_many_orders, member};

pub fn a_merger_opens_no_conflict_and_no_leaf_comes_to_its_members() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11", "V12"]);
        let [a, b] = ["V11", "V12"].map(|seat| branch(&mut story, seat, seat));
        let people: Vec<RecordId> =
            (0..7).map(|n| member(&mut story, if n < 3 { a } else { b }, &format!("测试甲{n:04}"))).collect();
        story.run_until_quiet();
        let before: Vec<_> = people.iter().map(|m| story.at("C").view(*m)).collect();
        let old = format!("{a},{b}");
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("record.set", Some(people[0]), &[("field", "member_no"), ("value", "A001")]);
            },
            |story| {
                story.at("T1").makes("org.merge_build", &[("name", "合建党总支"), ("predecessors", &old)]);
            },
        );
        for name in ["C", "T1", "V11"] {
            assert_eq!(story.at(name).conflicts(), [], "{name}");
        }
        for (m, before) in people.iter().zip(&before).skip(1) {
            assert_eq!(story.at("C").view(*m), *before, "nothing is written in a member");
        }
        story.ends_well()
    })
}

pub fn what_identifies_shows_both_values_at_every_node() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let b = branch(&mut story, "V11", "一村党支部");
        let m = member(&mut story, b, "测试甲0001");
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
        for (name, view) in story.everywhere(m) {
            assert_eq!(view["member_no_concurrent"], json!(["A001", "A002"]), "{name}");
        }
        let conflict = story.at("C").conflict("DIVERGED_FIELD");
        story.at("C").settles(&conflict, "A002");
        story.run_until_quiet();
        assert_eq!(story.at("V11").view(m)["member_no"], json!("A002"));
        story.ends_well()
    })
}

pub fn parts_of_entries_and_confirmations_of_one_day_are_compared_too() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let b = branch(&mut story, "T1", "镇党委");
        story.run_until_quiet();
        let hall = story.at("T1").makes("resource.offer", &[("name", "礼堂"), ("owner_org", &hex(b))]);
        story.run_until_quiet();
        for day in ["2026-07-01", "2026-07-01", "2026-07-05"] {
            story.at("C").done("booking.request", Some(hall), &[("org", &hex(b)), ("use_on", day)]);
        }
        let day = |day| [("field", "bookings"), ("entry", "3"), ("part", "use_on"), ("value", day)];
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("booking.confirm", Some(hall), &[("booking", "1")]);
                story.at("C").done("record.set", Some(hall), &day("2026-07-06"));
            },
            |story| {
                story.at("T1").done("booking.confirm", Some(hall), &[("booking", "2")]);
                story.at("T1").done("record.set", Some(hall), &day("2026-07-07"));
            },
        );
        let twice = story.at("T1").conflict("DOUBLE_CONFIRMATION");
        assert_eq!(twice.severity, Severity::Hard);
        let part = story.at("C").conflict("DIVERGED_PART");
        story.at("T1").settles(&twice, "1");
        story.at("C").settles(&part, "2026-07-07");
        story.run_until_quiet();
        assert_eq!(story.at("C").conflicts(), []);
        story.ends_well()
    })
}

pub fn two_mergers_and_a_merger_beside_a_co_build_are_disagreements_that_take_nobody_away() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11", "V12", "V13"]);
        let [a, b, c, hub] = ["V11", "V12", "V13", "T1"].map(|seat| branch(&mut story, seat, seat));
        let (one, other) = (format!("{a},{b}"), format!("{a},{c}"));
        let hub_of = hex(b);
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").makes("org.merge_build", &[("name", "甲总支"), ("predecessors", &one)]);
            },
            |story| {
                story.at("T1").makes("org.merge_build", &[("name", "乙总支"), ("predecessors", &other)]);
                story.at("T1").done("org.co_build", Some(hub), &[("orgs", &hub_of)]);
            },
        );
        let two = story.at("T1").conflict("TWO_SUCCESSORS");
        assert_eq!((two.subject, two.values.len()), (a, 2));
        let contested = story.at("C").conflict("MERGED_AND_COORDINATED");
        assert_eq!((contested.subject, contested.provisional.clone()), (b, json!("coordinated")));
        story.at("C").settles(&two, "1");
        story.at("C").settles(&contested, "coordinated");
        story.run_until_quiet();
        for name in ["C", "T1", "V11"] {
            assert_eq!(story.at(name).conflicts(), [], "{name}");
        }
        assert_eq!(story.at("T1").view(b)["lifecycle"], json!("active"));
        story.ends_well()
    })
}

pub fn a_township_confirms_while_the_meeting_cancelled() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let b = branch(&mut story, "V11", "一村党支部");
        story.run_until_quiet();
        let of = [("name", "测试甲0001"), ("branch", &*hex(b)), ("joined_on", "2024-07-01"), ("stage", "probationary")];
        let m = story.at("T1").makes("member.register", &of);
        story.run_until_quiet();
        story.at("V11").refuses("no_authority", "member.confirm", Some(m), &[]);
        story.cut(&["T1"], &["V11"]);
        story.at("T1").done("member.confirm", Some(m), &[]);
        story.at("V11").done("member.pass", Some(m), &[("what", "cancellation")]);
        story.heal();
        story.run_until_quiet();
        for (name, view) in story.everywhere(m) {
            assert_eq!((&view["stage"], &view["standing"]), (&json!("under_review"), &json!("counted")), "{name}");
        }
        let conflict = story.at("T1").conflict("DIVERGED_DECISION");
        story.at("T1").settles(&conflict, "full");
        story.run_until_quiet();
        assert_eq!(story.at("V11").view(m)["stage"], json!("full"));
        story.ends_well()
    })
}
