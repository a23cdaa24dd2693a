//! S12: a township puts one organisation under another while the county, out of reach, does the opposite.

use convergence::story::Story;
use serde_json::json;

use super::{Apart, branch, hex, in_many_orders};

pub fn s12_parent_cycle() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let [top, village, enterprise] = ["T1", "V11", "V12"].map(|seat| branch_or_own(&mut story, seat));
        for org in [village, enterprise] {
            story.at("C").done("org.set_parent", Some(org), &[("parent_org", &hex(top))]);
        }
        story.run_until_quiet();

        story.cut(&["C"], &["T1"]);
        story.at("T1").done("org.set_parent", Some(enterprise), &[("parent_org", &hex(village))]);
        let opposite = [("parent_org", hex(enterprise))];
        let opposite = opposite.each_ref().map(|(name, text)| (*name, text.as_str()));
        story.at("T1").refuses("parent_cycle", "org.set_parent", Some(village), &opposite);
        story.at("C").done("org.set_parent", Some(village), &opposite);

        story.heal();
        story.run_until_quiet();
        let conflict = story.at("C").conflict("PARENT_CYCLE");
        assert_eq!(conflict.anchors.len(), 2);
        for name in ["C", "T1"] {
            assert_eq!(story.at(name).view(village)["parent_org"], json!(hex(enterprise)), "{name}: both are kept");
            assert_eq!(story.at(name).view(enterprise)["parent_org"], json!(hex(village)), "{name}");
            let here = story.at(name).conflict("PARENT_CYCLE");
            assert_eq!(here, conflict, "{name}: and the same is shown meanwhile");
            assert_eq!(here.provisional, json!(hex(top)), "{name}: added up under the last acyclic parent");
        }

        story.at("C").settles(&conflict, &hex(village));
        story.run_until_quiet();
        for name in ["C", "T1"] {
            assert!(story.at(name).conflicts().is_empty(), "{name}");
            assert_eq!(story.at(name).view(village)["parent_org"], json!(hex(top)), "{name}: back where it was");
            assert_eq!(story.at(name).view(enterprise)["parent_org"], json!(hex(village)), "{name}: as chosen");
        }
        story.ends_well()
    })
}

/// The enterprise's organisation belongs to the village as well: no seat of its own is needed.
fn branch_or_own(story: &mut Story, seat: &str) -> heliu_record::id::RecordId {
    branch(story, if seat == "V12" { "V11" } else { seat }, seat)
}
