//! What single links promise: little is said where nothing is new, and a store that lost something gets it back.

use convergence::story::Story;
use heliu_replication::Input;
use heliu_storage::LeafStatus;

use super::checks_can_fail::one_record;

#[test]
fn a_reconnect_with_nothing_new_touches_no_record() {
    let (mut story, _) = one_record(3);
    // By now each end has told the other how far it has come.
    story.wait();
    let before = story.world.tally.clone();
    for wire in story.world.wires() {
        story.world.break_wire(wire);
    }
    story.world.run_for(5_000);
    story.run_until_quiet();
    let after = &story.world.tally;
    assert!(after.connections > before.connections, "it connected again");
    assert_eq!(after.reconciled, before.reconciled, "by its cursors");
    assert_eq!(after.leaf_frames, before.leaf_frames, "and nothing was sent");
}

#[test]
fn a_new_disk_is_filled_from_the_others() {
    let (mut story, record) = one_record(4);
    let county = story.world.machine("C");
    story.world.crash(county);
    let fresh = story.world.install(0, 1);
    let mut fresh = story.world.machines.swap_remove(fresh);
    std::mem::swap(&mut story.world.machines[county].disk, &mut fresh.disk);
    story.world.start(county);
    story.run_until_quiet();
    assert!(story.at("C").view(record)["name"].is_string());
    story.ends_well();
}

#[test]
fn a_narrowed_audience_reaches_who_leaves_it_even_without_a_cursor() {
    let mut story = Story::of(5, &["C", "T1", "T2", "V11"]);
    let (org, seats) = (story.seat("T1"), story.seat("V11"));
    let org = story.at("C").makes("org.create", &[("name", "党委"), ("seat", &org)]);
    let terms = [("name", "联盟"), ("convenor", &org.to_string()), ("seats", &seats)];
    let league = story.at("C").makes("alliance.form", &terms);
    story.run_until_quiet();
    let (township, village) = (story.world.machine("T1"), story.world.machine("V11"));
    assert!(story.world.machines[village].disk.row(league).is_some());
    // While the village cannot hear of it, it is taken out, and its township forgets how far the village had come.
    story.cut(&["T1"], &["V11"]);
    let county = story.world.machine("C");
    let seat = story.world.county.seat("V11");
    story.world.release(county, league, seat);
    story.wait();
    story.world.back_up(township);
    story.wait();
    story.world.restore(township);
    story.heal();
    story.run_until_quiet();
    assert!(story.world.machines[village].disk.load(league).is_none_or(|held| held.leaves.is_empty()));
    story.ends_well();
}

#[test]
fn a_node_that_is_not_enrolled_yet_acknowledges_nothing() {
    let mut story = Story::of(6, &["C", "T1"]);
    // Its administrator has not heard of the entry that enrols the new village, and so nobody has.
    story.world.county.grow(&["V11"]);
    let enrolled = story.world.county.enrolled.len() - 1;
    let village = story.world.install(enrolled, 1);
    story.world.machines[village].upstreams = vec![1];
    story.world.start(village);
    story.at("V11").refuses("not_enrolled", "org.create", None, &[("name", "支部")]);
}

#[test]
fn who_leaves_an_audience_tells_those_above_and_nobody_below() {
    let mut story = Story::of(7, &["C", "T1", "T2", "V11"]);
    let seats = [story.seat("T2"), story.seat("T1")];
    let org = story.at("C").makes("org.create", &[("name", "党委"), ("seat", &seats[0])]);
    let terms = [("name", "联盟"), ("convenor", &org.to_string()), ("seats", &seats[1])];
    let league = story.at("C").makes("alliance.form", &terms);
    story.run_until_quiet();
    let [township, village] = ["T1", "V11"].map(|name| story.world.machine(name));
    // Written at the township that leaves: the county must hear of it before the township lets go.
    let seat = story.world.county.seat("T1");
    story.world.release(township, league, seat);
    story.run_until_quiet();
    assert!(story.world.machines[township].disk.load(league).is_some_and(|held| held.leaves.is_empty()), "a stub");
    assert!(story.world.machines[village].disk.row(league).is_none(), "its village never hears of it");
    let all = story.everywhere(league).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(all, ["C", "T2"]);
    story.ends_well();
}

#[test]
fn who_built_on_what_was_excluded_writes_on_and_is_heard() {
    let mut story = Story::of(8, &["C", "T1", "V11"]);
    let org = story.at("V11").makes("org.create", &[("name", "支部")]);
    story.run_until_quiet();
    let township = story.world.machine("T1");
    story.world.back_up(township);
    // The township writes, and the village builds upon it.
    story.at("T1").makes("org.create", &[("name", "党委")]);
    story.at("T1").done("record.set", Some(org), &[("field", "org_kind"), ("value", "village")]);
    story.wait();
    story.at("V11").done("record.set", Some(org), &[("field", "name"), ("value", "一支部")]);
    story.wait();
    // The township's machine is put back, and before it hears of anybody it writes in the same place something else.
    story.cut(&["T1"], &["C", "V11"]);
    story.world.roll_back(township);
    story.at("T1").done("record.set", Some(org), &[("field", "org_kind"), ("value", "enterprise")]);
    story.heal();
    story.run_until_quiet();
    // What was built on the other side of the fork does not count, so the village's node has made it again.
    assert_eq!(story.at("C").view(org)["name"], "一支部");
    let judged = story.world.machines[story.world.machine("V11")].disk.load(org).expect("it is here");
    assert_eq!(judged.leaves.iter().filter(|leaf| leaf.status == LeafStatus::Excluded).count(), 2);
    story.at("V11").done("record.set", Some(org), &[("field", "name"), ("value", "二支部")]);
    story.at("V11").done("record.set", Some(org), &[("field", "joint_type"), ("value", "village_village")]);
    story.run_until_quiet();
    for (name, view) in story.everywhere(org) {
        assert_eq!((&view["name"], &view["joint_type"]), (&"二支部".into(), &"village_village".into()), "{name}");
    }
    story.ends_well();
}

#[test]
fn an_edit_of_a_record_with_an_excluded_leaf_writes_no_status_of_others() {
    let (mut story, record) = one_record(8);
    let name = |value: &'static str| [("field", "name"), ("value", value)];
    let township = story.world.machine("T1");
    story.world.back_up(township);
    story.at("T1").done("record.set", Some(record), &name("甲"));
    story.run_until_quiet();
    // It writes once more what it has written: one of the two counts.
    story.cut(&["C"], &["T1"]);
    story.world.roll_back(township);
    story.at("T1").done("record.set", Some(record), &name("乙"));
    story.heal();
    story.run_until_quiet();
    let excluded = |story: &Story, name: &str| {
        let loaded = story.world.machines[story.world.machine(name)].disk.load(record).expect("it is here");
        loaded
            .leaves
            .iter()
            .filter(|leaf| leaf.status == LeafStatus::Excluded)
            .map(|leaf| leaf.hash)
            .collect::<Vec<_>>()
    };
    assert_eq!((excluded(&story, "C").len(), excluded(&story, "T1")), (1, excluded(&story, "C")), "as it is stored");

    let before = story.world.tally.restated;
    story.at("C").done("record.set", Some(record), &name("丙"));
    story.run_until_quiet();
    story.at("T1").done("record.set", Some(record), &name("丁"));
    story.run_until_quiet();
    assert_eq!(story.world.tally.restated, before);
    story.ends_well();
}

#[test]
fn a_first_contact_over_a_slow_line_reconciles_once() {
    // The line takes far longer than a scan: each end hears the other only when its own is over.
    let mut story = Story::of(8, &["C", "C'", "T1"]);
    let [township, mirror] = ["T1", "C'"].map(|name| story.world.machine(name));
    story.at("C").makes("org.create", &[("name", "县委")]);
    story.run_until_quiet();
    story.cut(&["T1"], &["C", "C'"]);
    let record = story.at("T1").makes("org.create", &[("name", "党委")]);
    story.world.machines[township].upstreams = vec![mirror];
    story.world.habits.frame_ms = (400, 500);
    story.heal();
    let before = story.world.tally.clone();
    story.run_until_quiet();
    let after = &story.world.tally;
    assert_eq!(after.reconciled, before.reconciled + 2, "each end once");
    assert_eq!(after.sums_differ, before.sums_differ, "and nothing was left out");
    assert!(story.world.machines[mirror].disk.row(record).is_some());
    story.ends_well();
}

#[test]
fn what_moves_for_others_costs_an_idle_link_next_to_nothing() {
    let mut story = Story::of(9, &["C", "T1", "T2"]);
    let seat = story.seat("T2");
    let org = story.at("C").makes("org.create", &[("name", "支部"), ("seat", &seat)]).to_string();
    let person = story.at("C").makes("member.register", &[("name", "测试甲0001"), ("branch", &org)]);
    story.run_until_quiet();
    story.cut(&["T2"], &["C"]);
    let (frames, leaf_frames) = (story.world.tally.frames, story.world.tally.leaf_frames);
    for _ in 0..20 {
        let name = story.world.now.to_string();
        story.at("C").done("record.set", Some(person), &[("field", "name"), ("value", &name)]);
        story.world.run_for(1_000);
    }
    let tally = &story.world.tally;
    assert!(tally.leaf_frames <= leaf_frames + 1, "{} frames of leaves", tally.leaf_frames - leaf_frames);
    assert!(tally.frames <= frames + 6, "{} frames", tally.frames - frames);
    story.heal();
    story.run_until_quiet();
    story.ends_well();
}

#[test]
fn what_moves_for_a_link_is_verified_without_being_asked() {
    let (mut story, record) = one_record(10);
    for name in ["C", "T1"] {
        story.at(name).done("record.set", Some(record), &[("field", "name"), ("value", name)]);
        let moved = story.world.now;
        story.world.run_for(5_000);
        let machine = story.world.machine("T1");
        let links = story.world.machines[machine].engine.as_ref().expect("it runs").links();
        assert!(links[0].verified_at.is_some_and(|at| at >= moved), "{links:?}");
    }
}

/// The county's disk is an old copy, which lacks what was written at a seat: nobody's cursor holds any more.
fn restored_without(seat: &str) -> (u64, u64) {
    let townships = ["T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"];
    let mut story = Story::of(10, &[&["C"], &townships[..]].concat());
    let seat = story.seat(seat);
    let branch = story.at("C").makes("org.create", &[("name", "党委"), ("seat", &seat)]);
    let own = story.at("C").makes("org.create", &[("name", "县委")]).to_string();
    story.run_until_quiet();
    let county = story.world.machine("C");
    story.world.back_up(county);
    story.at("C").makes("member.register", &[("name", "测试甲0001"), ("branch", &branch.to_string())]);
    story.run_until_quiet();
    // Whoever wants to know has everybody told how far the county's feed goes, though nothing in it is for them.
    let links = story.world.machines[county].engine.as_ref().expect("it runs").links();
    for link in links {
        story.world.feed_input(county, Input::Verify { link: link.link });
    }
    story.wait();
    let before = story.world.tally.clone();
    story.world.restore(county);
    story.world.habits.store_ms = (250, 250);
    story.world.run_for(3_000);
    // Answered within five seconds.
    story.at("C").makes("member.register", &[("name", "测试乙0001"), ("branch", &own)]);
    story.run_until_quiet();
    let after = &story.world.tally;
    story.ends_well();
    (after.reconciled - before.reconciled, after.scans - before.scans)
}

#[test]
fn links_that_reconcile_at_once_read_only_what_differs_and_keep_no_command_waiting() {
    // Both ends of each link reconcile.
    let (reconciled, scans) = restored_without("C");
    assert!(reconciled >= 16 && scans == 0, "what only the county has is for nobody: {scans} scans for {reconciled}");
    let (reconciled, scans) = restored_without("T3");
    assert!(reconciled >= 16 && (1..=4).contains(&scans), "one link differs: {scans} scans for {reconciled}");
}

#[test]
fn junk_without_end_is_counted_and_not_kept_without_end() {
    let (mut story, _) = one_record(11);
    // Each comes once, or the count would be of repeated frames too.
    story.world.habits.duplicates = 0;
    let county = story.world.machine("C");
    for _ in 0..3 {
        story.world.hand_over_junk(county, 3_000);
        story.wait();
    }
    assert_eq!(story.world.tally.refused_leaves, 9_000);
    // One node has a share of what is kept, in a minute and in all.
    let kept = story.world.machines[county].disk.quarantined().len();
    assert!((1_024..=2_048).contains(&kept), "{kept}");
    // In another life it has no more than it sends.
    story.world.crash(county);
    story.world.start(county);
    story.world.hand_over_junk(county, 10);
    story.run_until_quiet();
    assert_eq!(story.world.tally.refused_leaves, 9_010);
    assert!((kept..=kept + 10).contains(&story.world.machines[county].disk.quarantined().len()));
}

#[test]
fn an_edit_of_what_is_here_asks_each_store_once() {
    let (mut story, record) = one_record(12);
    story.world.habits.repeats = 0;
    for machine in 0..story.world.machines.len() {
        // Nothing is open.
        story.world.crash(machine);
        story.world.start(machine);
    }
    story.run_until_quiet();
    let before = story.world.tally.loads;
    story.at("T1").done("record.set", Some(record), &[("field", "org_kind"), ("value", "enterprise")]);
    story.run_until_quiet();
    assert_eq!(story.world.tally.loads - before, 2);
    story.ends_well();
}
