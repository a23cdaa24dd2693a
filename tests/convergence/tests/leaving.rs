//! Records that leave a seat, and come back: nothing acknowledged goes with them, and nothing stays shut behind them.

use convergence::story::Story;
use heliu_record::id::RecordId;

/// A league of the county that a village is invited to, and the village's own branch.
fn league(story: &mut Story, village: &str) -> (RecordId, String) {
    let (county, seat) = (story.seat("C"), story.seat(village));
    let convenor = story.at("C").makes("org.create", &[("name", "党委"), ("seat", &county)]);
    let terms = [("name", "联盟"), ("convenor", &convenor.to_string()), ("seats", &seat)];
    let league = story.at("C").makes("alliance.form", &terms);
    let branch = story.at(village).makes("org.create", &[("name", "支部"), ("seat", &seat)]);
    story.run_until_quiet();
    (league, branch.to_string())
}

#[test]
fn a_late_edit_that_is_taken_in_while_the_superior_acknowledges_the_exit_goes_up() {
    let mut story = Story::of(8, &["C", "T1", "V11"]);
    let (league, branch) = league(&mut story, "V11");
    let [county, township, village] = ["C", "T1", "V11"].map(|name| story.world.machine(name));
    // The village joins while nobody hears of it. A new record with it makes the township ask its disk before it folds.
    story.cut(&["T1"], &["V11"]);
    let seat = story.seat("V11");
    let late = story.at("V11").done("alliance.join", Some(league), &[("org", &branch)]).leaves[0];
    story.at("V11").makes("org.create", &[("name", "新支部"), ("seat", &seat)]);
    // Meanwhile it is taken out, and so is its township: what that has, the county has not acknowledged yet.
    let seat = story.world.county.seat("V11");
    story.world.release(county, league, seat);
    let leaving =
        |story: &Story| story.world.machines[township].engine.as_ref().map_or(0, heliu_replication::Engine::leaving);
    let idle =
        |story: &Story| story.world.machines[township].engine.as_ref().is_some_and(heliu_replication::Engine::is_idle);
    run_until(&mut story, |story| leaving(story) == 1 && idle(story));
    story.heal();
    story.cut(&["C"], &["T1"]);
    // The village's edit is at the township, whose disk is slow to answer what it needs for it.
    story.world.habits.store_ms = (40, 60);
    run_until(&mut story, |story| !idle(story));
    story.world.habits.store_ms = (8_000, 8_000);
    story.world.run_for(60);
    story.world.habits.store_ms = (0, 1);
    // Now the county acknowledges the exit, and is gone again before the township's disk answers.
    story.heal();
    run_until(&mut story, |story| leaving(story) == 0);
    assert!(!idle(&story), "it still waits for its disk");
    story.cut(&["C"], &["T1"]);
    story.wait();
    story.heal();
    story.run_until_quiet();
    assert!(story.world.machines[county].disk.holds(&league, &late), "what was acknowledged went up");
    assert!(!story.world.machines[village].disk.holds(&league, &late), "and then the village let it go");
    story.ends_well();
}

#[test]
fn a_record_that_comes_back_is_no_roll_back_and_can_be_edited() {
    let mut story = Story::of(9, &["C", "T1", "V11"]);
    let (league, branch) = league(&mut story, "V11");
    let [county, village] = ["C", "V11"].map(|name| story.world.machine(name));
    story.at("V11").done("alliance.join", Some(league), &[("org", &branch)]);
    story.run_until_quiet();
    let seat = story.world.county.seat("V11");
    story.world.release(county, league, seat);
    story.run_until_quiet();
    assert!(story.world.machines[village].disk.load(league).is_some_and(|held| held.leaves.is_empty()), "a stub");
    story.world.admit(county, league, seat);
    story.run_until_quiet();
    assert_eq!(story.world.tally.renewed, 0, "its own leaves are no news of a roll-back");
    story.at("V11").done("alliance.leave", Some(league), &[("org", &branch)]);
    story.run_until_quiet();
    story.ends_well();
}

fn run_until(story: &mut Story, is_so: impl Fn(&Story) -> bool) {
    for _ in 0..30_000 {
        if is_so(story) {
            return;
        }
        story.world.run_for(1);
    }
    panic!("{}\nit never comes to that", story.words());
}
