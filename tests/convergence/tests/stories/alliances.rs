//! Alliances and what they share, at two places apart.

use convergence::story::Story;
use serde_json::json;

use super::{Apart, apart, branch, hex, in_many_orders};

pub fn organisations_join_and_leave_apart() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "T2", "T3"]);
        let [o1, o2, o3] = ["T1", "T2", "T3"].map(|seat| branch(&mut story, seat, seat)).map(hex);
        let second = hex(branch(&mut story, "T2", "二号支部"));
        let invited = format!("{},{}", story.seat("T2"), story.seat("T3"));
        let terms = [("name", "联盟"), ("convenor", o1.as_str()), ("seats", invited.as_str())];
        let league = story.at("C").makes("alliance.form", &terms);
        story.run_until_quiet();
        story.at("T2").done("alliance.join", Some(league), &[("org", &o2)]);
        apart(
            &mut story,
            ["C", "T2"],
            |story| {
                story.at("T3").done("alliance.join", Some(league), &[("org", &o3)]);
                story.at("C").makes("alliance.form", &terms);
            },
            |story| {
                story.at("T2").done("alliance.join", Some(league), &[("org", &second)]);
                story.at("T2").done("alliance.leave", Some(league), &[("org", &o2)]);
            },
        );
        for (name, view) in story.everywhere(league) {
            let present = view["present"].as_array().expect("participants");
            for org in [&o1, &second, &o3] {
                assert!(present.contains(&json!(org)), "{name}: {present:?}");
            }
            assert!(!present.contains(&json!(o2)), "{name}: of two organisations of a seat one has left");
        }
        story.ends_well()
    })
}

pub fn a_booking_is_declined_while_it_is_confirmed() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "C'", "T1"]);
        let b = hex(branch(&mut story, "C", "县直支部"));
        story.run_until_quiet();
        let hall = story.at("C").makes("resource.offer", &[("name", "礼堂"), ("owner_org", &b)]);
        story.run_until_quiet();
        let wish = [("org", b.as_str()), ("use_on", "2026-07-01")];
        let booked = story.at("C").done("booking.request", Some(hall), &wish).result["entry"].clone();
        apart(
            &mut story,
            ["C", "C'"],
            |story| {
                story.at("C").done("booking.confirm", Some(hall), &[("booking", &booked)]);
            },
            |story| {
                story.at("C'").done("booking.decline", Some(hall), &[("booking", &booked)]);
            },
        );
        let shown = story.everywhere(hall);
        let state = &shown[0].1["bookings"][&booked]["state"];
        assert!(shown.iter().all(|(_, view)| view["bookings"][&booked]["state"] == *state), "{shown:?}");
        story.ends_well()
    })
}
