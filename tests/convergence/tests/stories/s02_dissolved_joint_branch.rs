//! S2: the county dissolves a joint branch while a village, out of reach, admits somebody to it.

use convergence::story::Story;
use heliu_record::conflict::Severity;
use serde_json::json;

use super::{Apart, branch, hex, in_many_orders};

pub fn s2_dissolved_joint_branch() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11", "V12"]);
        let [b1, b2] = ["V11", "V12"].map(|seat| branch(&mut story, seat, seat));
        let (v1, v2) = (story.seat("V11"), story.seat("V12"));
        story.run_until_quiet();
        let units = format!("{v1},{v2}");
        let joint = story.at("T1").makes("joint_branch.form", &[("name", "联合党支部"), ("units", &units)]);
        story.run_until_quiet();

        story.cut(&["C"], &["T1"]);
        let successors = format!("{v1}={b1},{v2}={b2}");
        let decision = [("effective_on", "2026-03-01"), ("successors", successors.as_str())];
        story.at("C").done("org.dissolve", Some(joint), &decision);
        let admit = |name: &'static str, day: &'static str| [("name", name), ("admitted_on", day)];
        let of = [("branch", hex(joint))];
        let of = of.each_ref().map(|(name, text)| (*name, text.as_str()));
        let mut village = story.at("V12");
        let early = village.makes("member.register", &[&admit("测试乙0001", "2026-02-01")[..], &of].concat());
        let late = village.makes("member.register", &[&admit("测试乙0002", "2026-03-03")[..], &of].concat());

        story.heal();
        story.run_until_quiet();
        for (name, view) in story.everywhere(joint) {
            assert_eq!(view["lifecycle"], json!("dissolved"), "{name}: an admission does not revive it");
        }
        assert_eq!(story.everywhere(late).len(), 3, "at its village, its township and the county");
        let conflict = story.at("T1").conflict("ADD_TO_DISSOLVED_ORG");
        assert_eq!((conflict.subject, conflict.severity), (late, Severity::Hard));
        assert_eq!(conflict.resolver, Some(story.world.county.seat("T1")));
        assert_eq!(conflict.provisional, json!(hex(b2)), "its unit's successor is suggested");
        assert_eq!(story.at("T1").conflicts().len(), 1, "who was admitted in time is followed, and nobody is asked");
        for (name, view) in story.everywhere(early) {
            assert_eq!(view["home_branch"], json!(hex(joint)), "{name}: nothing is written for that");
        }
        for name in ["C", "V12"] {
            assert_eq!(story.at(name).conflict("ADD_TO_DISSOLVED_ORG").id, conflict.id, "{name}");
        }
        let again = [("name", "测试乙0003"), of[0]];
        story.at("V12").refuses("org_ended", "member.register", None, &again);

        story.at("T1").settles(&conflict, &hex(b2));
        story.run_until_quiet();
        for (name, view) in story.everywhere(late) {
            assert_eq!(view["effective_home"], json!(hex(b2)), "{name}");
        }
        story.ends_well()
    })
}
