//! S4: the owner of a hall leaves the alliance while others, out of reach, count on the hall and bring rooms of their own.

use convergence::story::Story;
use serde_json::json;

use super::{Apart, branch, hex, in_many_orders};

pub fn s4_alliance_leave() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "T2", "T3"]);
        let [o1, o2, o3] = ["T1", "T2", "T3"].map(|seat| branch(&mut story, seat, seat)).map(hex);
        let invited = format!("{},{}", story.seat("T2"), story.seat("T3"));
        let terms = [("name", "联盟"), ("convenor", o1.as_str()), ("seats", invited.as_str())];
        let league = story.at("C").makes("alliance.form", &terms);
        story.run_until_quiet();
        story.at("T2").done("alliance.join", Some(league), &[("org", &o2)]);
        story.at("T3").done("alliance.join", Some(league), &[("org", &o3)]);
        let hall = story.at("T3").makes("resource.offer", &[("name", "礼堂"), ("owner_org", &o3)]);
        story.run_until_quiet();
        story.at("T3").done("alliance.add_resource", Some(league), &[("resource", &hex(hall))]);
        story.run_until_quiet();
        let league_id = hex(league);
        let wish = [("org", o1.as_str()), ("alliance", league_id.as_str()), ("use_on", "2026-07-01")];
        let booked = story.at("T1").done("booking.request", Some(hall), &wish).result["entry"].clone();
        story.run_until_quiet();
        story.at("T1").refuses("no_authority", "booking.confirm", Some(hall), &[("booking", &booked)]);
        story.at("T3").done("booking.confirm", Some(hall), &[("booking", &booked)]);
        story.run_until_quiet();

        story.cut(&["C"], &["T1", "T2", "T3"]);
        story.at("T3").done("alliance.leave", Some(league), &[("org", &o3)]);
        story.at("T3").done("resource.withdraw", Some(hall), &[]);
        let room = story.at("T2").makes("resource.offer", &[("name", "活动室"), ("owner_org", &o2)]);
        story.at("T2").done("alliance.add_resource", Some(league), &[("resource", &hex(room))]);
        let again = story.at("T1").done("booking.request", Some(hall), &wish[..2]).result["entry"].clone();

        story.heal();
        story.run_until_quiet();
        for (name, view) in story.everywhere(league) {
            let present = view["present"].as_array().expect("participants");
            assert!(present.len() == 2 && !present.contains(&json!(o3)), "{name}: the owner is out: {present:?}");
            assert!(view["resources"].to_string().contains(&hex(room)), "{name}: what was added meanwhile is kept");
        }
        for (name, view) in story.everywhere(hall) {
            assert_eq!(view["bookings"][&booked]["state"], json!("needs_owner_reconfirm"), "{name}");
            assert_eq!(view["bookings"][&again]["state"], json!("owner_left"), "{name}: declined");
        }
        let open = story.at("T3").conflicts();
        assert_eq!(open.len(), 2);
        let owner = Some(story.world.county.seat("T3"));
        assert!(open.iter().all(|c| c.kind == "WITHDRAWN_RESOURCE_BOOKED" && c.resolver == owner));
        for conflict in &open {
            let is_confirmed = conflict.field.ends_with(&booked);
            story.at("T3").settles(conflict, if is_confirmed { "keep" } else { "decline" });
        }
        story.run_until_quiet();
        for name in ["C", "T1", "T2", "T3"] {
            assert!(story.at(name).conflicts().is_empty(), "{name}");
        }
        story.ends_well()
    })
}
