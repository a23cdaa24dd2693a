//! S1: two townships each receive the same person from the same home, on two sides of a cut between county mirrors.

use convergence::story::Story;
use heliu_record::conflict::Severity;
use serde_json::json;

use super::{Apart, branch, hex, in_many_orders};

pub fn s1_double_transfer() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "C'", "T1", "T2", "T3"]);
        let [b0, b1, b2] = ["T1", "T2", "T3"].map(|seat| branch(&mut story, seat, seat));
        let person = [("name", "测试甲0001"), ("branch", &hex(b0)), ("joined_on", "2001-07-01")];
        let m = story.at("C").makes("member.register", &person);
        story.run_until_quiet();

        story.cut(&["C'", "T1", "T2"], &["C", "T3"]);
        story.wait();
        let [to_b1, to_b2] = [b1, b2].map(hex);
        let seats = [story.seat("T2"), story.seat("T3")];
        let first = [("to_org", to_b1.as_str()), ("to_seat", &seats[0]), ("letter_no", "L1")];
        let second = [("to_org", to_b2.as_str()), ("to_seat", &seats[1]), ("letter_no", "L2")];
        story.at("T1").done("member.transfer.issue", Some(m), &first);
        story.at("C").done("member.transfer.issue", Some(m), &second);
        story.wait();
        story.at("T2").done("member.transfer.receive", Some(m), &[]);
        story.at("T3").done("member.transfer.receive", Some(m), &[]);

        story.heal();
        story.run_until_quiet();
        let shown = story.everywhere(m);
        assert_eq!(shown.len(), 5, "the county's two nodes and three townships");
        for (name, view) in &shown {
            assert_eq!(view["effective_home"], json!(hex(b0)), "{name}: counted once, where nobody disputes");
            let homes = view["home_branch_concurrent"].as_array().expect("both homes");
            assert!(homes.contains(&json!(to_b1)) && homes.contains(&json!(to_b2)), "{name}: {homes:?}");
        }
        let conflict = story.at("C").conflict("MULTI_HOME");
        assert_eq!(conflict.severity, Severity::Hard);
        assert_eq!(conflict.resolver, Some(story.world.county.seat("C")));
        assert!(conflict.explanation.en.contains("L1") && conflict.explanation.en.contains("L2"));
        for name in ["C'", "T1", "T2", "T3"] {
            assert_eq!(story.at(name).conflict("MULTI_HOME").id, conflict.id, "{name}");
        }

        let choice = [("conflict", conflict.id.to_string()), ("choice", to_b1.clone())];
        let choice = choice.each_ref().map(|(name, text)| (*name, text.as_str()));
        story.at("T1").refuses("not_resolver", "conflict.settle", Some(m), &choice);
        story.at("C'").settles(&conflict, &to_b1);
        story.run_until_quiet();
        for (name, view) in story.everywhere(m) {
            assert_eq!(view["home_branch"], json!(to_b1), "{name}");
            assert_eq!(view["home_epoch"], json!(2), "{name}");
            let letters = view["moves"].as_object().expect("moves").values();
            let of = |letter: &str| letters.clone().find(|l| l["letter_no"] == json!(letter)).expect("a letter");
            assert_eq!((&of("L1")["state"], &of("L2")["state"]), (&json!("confirmed"), &json!("returned")), "{name}");
            assert!(story.at(&name).conflicts().is_empty(), "{name}");
        }
        story.ends_well()
    })
}
