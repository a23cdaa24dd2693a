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

pub fn an_alliance_is_led_and_written_apart() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "T2", "T3"]);
        let [o1, o2] = ["T1", "T2"].map(|seat| branch(&mut story, seat, seat)).map(hex);
        let invited = story.seat("T2");
        let terms = [("name", "联盟"), ("convenor", o1.as_str()), ("seats", invited.as_str()), ("charter", "共商共建")];
        let league = story.at("C").makes("alliance.form", &terms);
        story.run_until_quiet();
        story.at("T2").done("alliance.join", Some(league), &[("org", &o2)]);
        let third = story.seat("T3");
        let mut charter = None;
        apart(
            &mut story,
            ["C", "T2"],
            |story| {
                story.at("C").done("alliance.set_chair", Some(league), &[("org", &o2)]);
                story.at("C").done("alliance.invite", Some(league), &[("seats", &third)]);
                let published = story.at("T1").done("alliance.publish_charter", Some(league), &[]);
                charter = published.result["record"].parse().ok();
            },
            |story| {
                story.at("T2").done("record.add", Some(league), &[("field", "topics"), ("element", "养老")]);
                story.at("T2").done("alliance.leave", Some(league), &[("org", &o2)]);
            },
        );
        let views = story.everywhere(league);
        assert_eq!(views.len(), 4, "whoever was invited has it");
        assert!(views.iter().all(|(_, view)| view["topics"] == json!(["养老"])), "{views:?}");
        assert_eq!(story.everywhere(charter.expect("it was published")).len(), 4, "and everybody has the charter");
        let conflict = story.at("C").conflict("CHAIR_LEFT");
        story.at("T1").settles(&conflict, "vacate");
        story.run_until_quiet();
        assert_eq!(story.at("T2").conflicts(), []);
        story.ends_well()
    })
}

pub fn a_part_time_member_is_approved_while_his_unit_leaves() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "T2"]);
        let [host, unit] = ["T1", "T2"].map(|seat| branch(&mut story, seat, seat)).map(hex);
        let invited = story.seat("T2");
        let terms = [("name", "联盟"), ("convenor", host.as_str()), ("seats", invited.as_str())];
        let league = story.at("C").makes("alliance.form", &terms);
        story.run_until_quiet();
        story.at("T2").done("alliance.join", Some(league), &[("org", &unit)]);
        story.run_until_quiet();
        let lent = [("host", host.as_str()), ("person", "测试乙0001"), ("from_unit", unit.as_str())];
        let lent = story.at("T1").done("part_time.nominate", Some(league), &lent).result["entry"].clone();
        let named = [("part_time_member", lent.as_str())];
        apart(
            &mut story,
            ["C", "T2"],
            |story| {
                story.at("C").done("part_time.approve", Some(league), &named);
                let another = [("host", host.as_str()), ("person", "测试乙0002"), ("from_unit", unit.as_str())];
                story.at("T1").done("part_time.nominate", Some(league), &another);
            },
            |story| {
                story.at("T2").done("alliance.leave", Some(league), &[("org", &unit)]);
            },
        );
        let state = |story: &Story| {
            let views = story.everywhere(league);
            let states: Vec<_> = views.iter().map(|(_, view)| view["part_time"][&lent]["state"].clone()).collect();
            assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
            states[0].clone()
        };
        assert_eq!(state(&story), json!("lapsing"));
        apart(
            &mut story,
            ["C", "T1"],
            |story| {
                story.at("T1").done("part_time.end", Some(league), &named);
            },
            |story| {
                story.at("C").done("record.add", Some(league), &[("field", "topics"), ("element", "养老")]);
            },
        );
        assert_eq!(state(&story), json!("ended"));
        story.ends_well()
    })
}

pub fn a_booking_is_taken_back_while_it_is_used() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "C'", "T1"]);
        let b = hex(branch(&mut story, "C", "县直支部"));
        story.run_until_quiet();
        let hall = story.at("C").makes("resource.offer", &[("name", "礼堂"), ("owner_org", &b)]);
        story.run_until_quiet();
        let wish = [("org", b.as_str()), ("use_on", "2026-07-01")];
        let booked = story.at("C").done("booking.request", Some(hall), &wish).result["entry"].clone();
        let named = [("booking", booked.as_str())];
        story.at("C").done("booking.confirm", Some(hall), &named);
        apart(
            &mut story,
            ["C", "C'"],
            |story| {
                story.at("C").done("booking.withdraw", Some(hall), &named);
            },
            |story| {
                story.at("C'").done("booking.use", Some(hall), &named);
            },
        );
        for (name, view) in story.everywhere(hall) {
            assert_eq!(view["bookings"][&booked]["state"], json!("used"), "{name}: what happened, happened");
        }
        story.ends_well()
    })
}

pub fn a_need_is_answered_and_closed_apart() -> Apart {
    in_many_orders(|seed| {
        let mut story = Story::of(seed, &["C", "T1", "T2", "T3"]);
        let [asks, one, two] = ["T1", "T2", "T3"].map(|seat| branch(&mut story, seat, seat)).map(hex);
        let seats = format!("{},{}", story.seat("T2"), story.seat("T3"));
        story.run_until_quiet();
        let need = [("name", "农技讲师"), ("owner_org", asks.as_str()), ("seats", seats.as_str())];
        let need = story.at("T1").makes("need.raise", &need);
        story.run_until_quiet();
        let answer = |story: &mut Story, at: &str, org: &str| {
            story.at(at).done("need.answer", Some(need), &[("org", org)]).result["entry"].clone()
        };
        let second = answer(&mut story, "T3", &two);
        let mut first = String::new();
        apart(
            &mut story,
            ["C", "T2"],
            |story| {
                let other = [("name", "礼堂"), ("owner_org", asks.as_str())];
                story.at("T1").makes("need.raise", &other);
                story.at("T1").done("need.accept", Some(need), &[("answer", &second)]);
                story.at("T1").done("need.meet", Some(need), &[("answer", &second)]);
            },
            |story| first = answer(story, "T2", &one),
        );
        apart(
            &mut story,
            ["C", "T2"],
            |story| {
                story.at("T1").done("need.decline", Some(need), &[("answer", &first)]);
                story.at("T1").done("need.close", Some(need), &[]);
            },
            |story| {
                story.at("T2").done("need.withdraw_answer", Some(need), &[("answer", &first)]);
            },
        );
        for (name, view) in story.everywhere(need) {
            let state = |answer: &str| view["answers"][answer]["state"].clone();
            assert_eq!((state(&first), state(&second)), (json!("withdrawn"), json!("met")), "{name}");
        }
        story.ends_well()
    })
}
