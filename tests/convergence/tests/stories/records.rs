//! What people do to records by hand, at two places apart.

use convergence::story::Story;
use heliu_record::change::Change;
use serde_json::json;

use super::{Apart, apart, branch, hex, in_many_orders, member, shows};

pub fn a_roster_is_corrected_while_the_village_corrects_it() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let home = branch(&mut story, "V11", "一村党支部");
        let m = member(&mut story, home, "测试甲0001");
        let home = hex(home);
        apart(
            &mut story,
            ["T1", "V11"],
            |story| {
                story.at("T1").done("record.update", Some(m), &[("name", "测试甲一"), ("education", "junior_college")]);
                story.at("T1").makes("member.register", &[("name", "测试乙0002"), ("branch", &*home)]);
            },
            |story| {
                story.at("V11").done("record.update", Some(m), &[("name", "测试甲壹"), ("sex", "female")]);
            },
        );
        for (name, view) in story.everywhere(m) {
            assert_eq!(view["name_concurrent"], json!(["测试甲一", "测试甲壹"]), "{name}: one person, both spellings");
            assert_eq!((&view["education"], &view["sex"]), (&json!("junior_college"), &json!("female")), "{name}");
        }
        let conflict = story.at("T1").conflict("DIVERGED_FIELD");
        story.at("T1").settles(&conflict, "测试甲壹");
        story.run_until_quiet();
        shows(&story, m, "name", &json!("测试甲壹"));
        story.ends_well()
    })
}

pub fn an_edit_is_taken_back_while_another_builds_on_it() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let home = branch(&mut story, "V11", "一村党支部");
        let m = member(&mut story, home, "测试甲0001");
        story.run_until_quiet();
        let name = |value| [("field", "name"), ("value", value)];
        let written = story.at("V11").done("record.set", Some(m), &name("测试申0001")).leaves[0];
        let village = story.world.machine("V11");
        let held = story.world.machines[village].disk.load(m).expect("it is here");
        let leaf = held.leaves.iter().find(|leaf| leaf.hash == written).expect("what was written");
        let change = format!("{m}:{}", Change::parse(&leaf.change).expect("a change").hash);
        apart(
            &mut story,
            ["T1", "V11"],
            |story| {
                story.at("T1").done("record.set", Some(m), &name("测试申0009"));
            },
            |story| {
                story.at("V11").done("record.undo", None, &[("changes", &change)]);
            },
        );
        let conflict = story.at("T1").conflict("DIVERGED_FIELD");
        story.at("T1").settles(&conflict, "测试申0009");
        story.run_until_quiet();
        shows(&story, m, "name", &json!("测试申0009"));
        story.ends_well()
    })
}

pub fn sets_and_entries_are_joined() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let [a, b, c] = ["甲支部", "乙支部", "丙支部"].map(|name| branch(&mut story, "T1", name));
        story.run_until_quiet();
        let of = |org| [("field", "guidance_orgs".to_owned()), ("element", hex(org))];
        let [b_, c_] = [of(b), of(c)];
        let [b_, c_] = [&b_, &c_].map(|of| of.each_ref().map(|(name, text)| (*name, text.as_str())));
        story.at("C").done("record.add", Some(a), &b_);
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("record.add", Some(a), &c_);
                story.at("C").done("record.add", Some(a), &b_);
                story.at("C").makes("record.create", &[("kind", "org"), ("name", "丁支部"), ("seat", "")]);
            },
            |story| {
                story.at("T1").done("record.remove", Some(a), &b_);
            },
        );
        for (name, view) in story.everywhere(a) {
            let guides = view["guidance_orgs"].as_array().expect("guides");
            assert!(
                guides.contains(&json!(hex(b))) && guides.contains(&json!(hex(c))),
                "{name}: adding wins: {guides:?}"
            );
        }
        story.ends_well()
    })
}

pub fn a_state_is_decided_at_two_tiers() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let org = branch(&mut story, "V11", "一村党支部");
        let decided = |state| [("field", "lifecycle"), ("state", state)];
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("C").done("record.decide", Some(org), &decided("rectifying"));
            },
            |story| {
                story.at("T1").done("record.decide", Some(org), &decided("dissolved"));
            },
        );
        shows(&story, org, "lifecycle", &json!("dissolved"));
        story.ends_well()
    })
}

pub fn a_record_is_shared_while_it_is_unshared() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "C'", "T1", "T2", "V11"]);
        let home = branch(&mut story, "V11", "一村党支部");
        let m = member(&mut story, home, "测试甲0001");
        let with = story.seat("T2");
        let with = [("seat", with.as_str())];
        story.at("C").done("record.share", Some(m), &with);
        apart(
            &mut story,
            ["C", "C'"],
            |story| {
                story.at("C").done("record.unshare", Some(m), &with);
                story.at("C").done("record.share", Some(m), &with);
            },
            |story| {
                story.at("C'").done("record.unshare", Some(m), &with);
            },
        );
        let holders: Vec<String> = story.everywhere(m).into_iter().map(|(name, _)| name).collect();
        assert!(holders.contains(&"T2".to_owned()), "who gave sight anew had not heard that it was taken: {holders:?}");
        story.ends_well()
    })
}
