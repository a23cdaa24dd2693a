//! Letters, decisions about homes, and moves over the border of the realm, at two places apart.

use convergence::story::Story;
use heliu_record::id::RecordId;
use serde_json::{Value, json};

use super::{Apart, apart, branch, hex, in_many_orders, member, shows};

/// The moves of a person that every node shows, by state.
fn states(story: &Story, person: RecordId) -> Vec<String> {
    let mut shown = story.everywhere(person).into_iter().map(|(name, view)| {
        let moves = view["moves"].as_object().expect("moves").values();
        let mut states: Vec<String> = moves.map(|at| at["state"].as_str().unwrap_or_default().to_owned()).collect();
        states.sort();
        (name, states)
    });
    let (_, first) = shown.next().expect("somebody shows it");
    shown.for_each(|(name, states)| assert_eq!(states, first, "{name}"));
    first
}

/// Two branches of two townships, a member of the first, and a letter for him to the second.
fn with_a_letter(seed: u64) -> (Story, [RecordId; 2], RecordId) {
    let mut story = Story::of(seed, &["C", "T1", "T2", "V11"]);
    let branches = ["V11", "T2"].map(|seat| branch(&mut story, seat, seat));
    let m = member(&mut story, branches[0], "测试甲0001");
    story.run_until_quiet();
    let to = [("to_org", hex(branches[1])), ("to_seat", story.seat("T2"))];
    let to = to.each_ref().map(|(name, text)| (*name, text.as_str()));
    story.at("T1").done("member.transfer.issue", Some(m), &to);
    (story, branches, m)
}

pub fn a_letter_is_received_while_it_is_withdrawn() -> Apart {
    in_many_orders(|seed| {
        let (mut story, [_, to], m) = with_a_letter(seed);
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("T2").done("member.transfer.receive", Some(m), &[]);
            },
            |story| {
                story.at("T1").done("member.transfer.cancel", Some(m), &[]);
            },
        );
        shows(&story, m, "effective_home", &json!(hex(to)));
        assert_eq!(states(&story, m), ["confirmed"], "a letter that was used is used");
        story.ends_well()
    })
}

pub fn a_letter_goes_back_while_it_is_withdrawn() -> Apart {
    in_many_orders(|seed| {
        let (mut story, [home, _], m) = with_a_letter(seed);
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("T2").done("member.transfer.return", Some(m), &[]);
            },
            |story| {
                story.at("T1").done("member.transfer.cancel", Some(m), &[]);
            },
        );
        shows(&story, m, "effective_home", &json!(hex(home)));
        assert_eq!(states(&story, m).len(), 1);
        assert_eq!(story.at("C").conflicts(), [], "either way he stays");
        story.ends_well()
    })
}

pub fn a_village_proposes_while_its_township_issues() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "T2", "T3", "V11"]);
        let [home, wished, named] = ["V11", "T2", "T3"].map(|seat| branch(&mut story, seat, seat));
        let m = member(&mut story, home, "测试甲0001");
        let to = |story: &Story, org, seat| [("to_org", hex(org)), ("to_seat", story.seat(seat))];
        let (wish, order) = (to(&story, wished, "T2"), to(&story, named, "T3"));
        let [wish, order] = [&wish, &order].map(|of| of.each_ref().map(|(name, text)| (*name, text.as_str())));
        apart(
            &mut story,
            ["T1", "V11"],
            |story| {
                story.at("T1").done("member.transfer.issue", Some(m), &order);
            },
            |story| {
                story.at("V11").done("member.transfer.propose", Some(m), &wish);
            },
        );
        assert_eq!(states(&story, m), ["drafted", "issued"], "both are kept, and one is a letter");
        story.at("T3").done("member.transfer.receive", Some(m), &[]);
        story.run_until_quiet();
        shows(&story, m, "effective_home", &json!(hex(named)));
        story.ends_well()
    })
}

pub fn one_number_is_given_to_two_letters() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "C'", "T1", "T2", "V11"]);
        let [home, to] = ["V11", "T2"].map(|seat| branch(&mut story, seat, seat));
        let people = ["测试甲0001", "测试甲0002"].map(|name| member(&mut story, home, name));
        let given = [("to_org", hex(to)), ("to_seat", story.seat("T2")), ("letter_no", "县组[2026]7号".to_owned())];
        let given = given.each_ref().map(|(name, text)| (*name, text.as_str()));
        apart(
            &mut story,
            ["C", "C'"],
            |story| {
                story.at("C").done("member.transfer.issue", Some(people[0]), &given);
            },
            |story| {
                story.at("C'").done("member.transfer.issue", Some(people[1]), &given);
            },
        );
        assert_eq!(story.at("C").conflict("DOUBLE_NUMBER").id, story.at("C'").conflict("DOUBLE_NUMBER").id);
        let letter = |story: &mut Story| {
            let view = story.at("C").view(people[1]);
            let moves = view["moves"].as_object().expect("moves");
            moves.values().next().map(|at| at["letter_no"].clone())
        };
        let before = letter(&mut story);
        apart(
            &mut story,
            ["C", "C'"],
            |story| {
                story.at("C'").done("member.transfer.renumber", Some(people[1]), &[]);
            },
            |story| {
                story.at("C").done("record.set", Some(people[0]), &[("field", "education"), ("value", "primary")]);
            },
        );
        assert_eq!(story.at("C").conflicts(), []);
        assert_ne!(letter(&mut story), before);
        story.ends_well()
    })
}

pub fn a_superior_reassigns_while_a_letter_is_received() -> Apart {
    in_many_orders(|seed| {
        let (mut story, [_, to], m) = with_a_letter(seed);
        let third = branch(&mut story, "T1", "镇直支部");
        apart(
            &mut story,
            ["T2", "C"],
            |story| {
                story.at("T2").done("member.transfer.receive", Some(m), &[]);
            },
            |story| {
                story.at("C").done("member.reassign", Some(m), &[("to_org", &hex(third))]);
            },
        );
        shows(&story, m, "effective_home", &json!(hex(third)));
        // A superior of both has decided; that somebody acted on the letter is told, and the letter goes back.
        let stale = story.at("C").conflict("STALE_TRANSFER");
        story.at("C").settles(&stale, &hex(to));
        story.run_until_quiet();
        assert_eq!(states(&story, m).len(), 2);
        assert_eq!(story.at("C").conflicts(), []);
        story.ends_well()
    })
}

pub fn one_leaves_the_realm_while_he_moves_inside() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "T2", "V11"]);
        let [home, to] = ["V11", "T2"].map(|seat| branch(&mut story, seat, seat));
        let m = member(&mut story, home, "测试甲0001");
        let inside = [("to_org", hex(to)), ("to_seat", story.seat("T2"))];
        let inside = inside.each_ref().map(|(name, text)| (*name, text.as_str()));
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("member.transfer.issue", Some(m), &inside);
                story.wait();
                story.at("T2").done("member.transfer.receive", Some(m), &[]);
            },
            |story| {
                story.at("T1").done("member.transfer.out", Some(m), &[("to_text", "北京市某街道党工委")]);
                story.at("T1").done("member.transfer.arrived", Some(m), &[]);
            },
        );
        let conflict = story.at("C").conflict("MULTI_HOME");
        let values: Vec<Value> = conflict.values.iter().map(|value| value.value.clone()).collect();
        assert!(values.contains(&json!("outside")) && values.contains(&json!(hex(to))), "{values:?}");
        story.at("C").settles(&conflict, "outside");
        story.run_until_quiet();
        for (name, view) in story.everywhere(m) {
            assert_eq!(view["standing"], json!("ended"), "{name}: he counts here no more");
        }
        story.ends_well()
    })
}

pub fn two_tiers_take_in_one_person() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let home = branch(&mut story, "V11", "一村党支部");
        let home = hex(home);
        let came =
            [("name", "测试甲0001"), ("branch", &*home), ("from_text", "上海市某街道"), ("joined_on", "2001-07-01")];
        let mut made = Vec::new();
        story.run_until_quiet();
        story.cut(&["C"], &["T1"]);
        for name in ["C", "T1"] {
            made.push(story.at(name).makes("member.transfer.come_in", &came));
        }
        story.heal();
        story.run_until_quiet();
        let (one, other) = (made[0], made[1]);
        assert_ne!(one, other, "nobody knew of the other's");
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("member.same_as", Some(one), &[("other", &hex(other))]);
            },
            |story| {
                story.at("T1").done("member.same_as", Some(other), &[("other", &hex(one))]);
            },
        );
        shows(&story, one, "same_as", &json!([hex(other)]));
        shows(&story, other, "same_as", &json!([hex(one)]));
        // Taken apart at one place while the other says it again: who says that they are one had not heard of it.
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("member.not_same_as", Some(one), &[("other", &hex(other))]);
            },
            |story| {
                story.at("T1").done("member.same_as", Some(one), &[("other", &hex(other))]);
            },
        );
        let shown = story.everywhere(one);
        assert!(shown.iter().all(|(_, view)| view["same_as"] == shown[0].1["same_as"]), "{shown:?}");
        story.ends_well()
    })
}
