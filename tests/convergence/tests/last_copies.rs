//! Nothing acknowledged is lost: a record goes from a seat that it has left only when a superior has proven to have it, what
//! others are told is durable, and what came in another order, twice, or alone changes nothing.

use convergence::story::Story;
use convergence::world::World;
use heliu_record::id::RecordId;
use heliu_replication::Reply;

fn rename(story: &mut Story, at: &str, record: RecordId, name: &str) {
    story.at(at).done("record.set", Some(record), &[("field", "name"), ("value", name)]);
}

/// A league of the county and a township, which the county made since its last backup.
fn league_since_the_backup(seed: u64) -> (Story, RecordId) {
    let mut story = Story::of(seed, &["C", "T1", "T2"]);
    let [county, seats] = [story.seat("C"), story.seat("T1")];
    let convenor = story.at("C").makes("org.create", &[("name", "县委"), ("seat", &county)]).to_string();
    story.run_until_quiet();
    let machine = story.world.machine("C");
    story.world.back_up(machine);
    let terms = [("name", "联盟"), ("convenor", convenor.as_str()), ("seats", seats.as_str())];
    let league = story.at("C").makes("alliance.form", &terms);
    story.run_until_quiet();
    (story, league)
}

/// The township is taken out while nobody hears of it. It has everything from the county, which goes back to before it had
/// made it. In the end the county has it again, and the township nothing.
fn the_township_gives_back_what_it_leaves(seed: u64, go_back: fn(&mut World, usize)) {
    let (mut story, league) = league_since_the_backup(seed);
    let [county, township] = ["C", "T1"].map(|name| story.world.machine(name));
    story.cut(&["C"], &["T1"]);
    let seat = story.world.county.seat("T1");
    story.world.release(township, league, seat);
    story.wait();
    go_back(&mut story.world, county);
    assert!(story.world.machines[county].disk.row(league).is_none(), "it is gone there");
    story.heal();
    story.run_until_quiet();
    assert_eq!(story.at("C").view(league)["name"], "联盟", "seed {seed}");
    assert!(story.world.machines[township].disk.load(league).is_some_and(|held| held.leaves.is_empty()), "a stub");
    story.ends_well();
}

#[test]
fn a_superior_that_was_restored_is_given_the_last_copy_before_a_seat_lets_go() {
    let restore = |world: &mut World, machine: usize| {
        world.restore(machine);
    };
    (1..=6).for_each(|seed| the_township_gives_back_what_it_leaves(seed, restore));
}

#[test]
fn a_superior_that_lost_its_disk_is_given_everything_before_a_seat_lets_go() {
    (1..=4).for_each(|seed| the_township_gives_back_what_it_leaves(seed, World::lose_disk));
}

#[test]
fn what_links_say_of_the_directory_is_durable() {
    for seed in 1..=6 {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let org = story.at("V11").makes("org.create", &[("name", "支部")]);
        story.run_until_quiet();
        let [township, village] = ["T1", "V11"].map(|name| story.world.machine(name));
        // The county fences the village, and the township's disk is slow to take it in: links begin meanwhile.
        let node = story.world.machines[village].node();
        story.world.habits.store_ms = (300, 600);
        let county = story.world.machine("C");
        let reply = story.world.fence(county, node);
        assert!(matches!(reply, Reply::Drafted { .. }), "{reply:?}");
        for _ in 0..12 {
            story.world.break_between(township, county);
            story.world.break_between(township, village);
            story.world.run_for(170);
        }
        story.world.habits.store_ms = (0, 1);
        story.wait();
        assert!(story.world.broken.is_empty(), "seed {seed}: {:?}", story.world.broken);
        assert_eq!(story.at("T1").view(org)["name"], "支部");
    }
}

#[test]
fn a_machine_that_is_rolled_back_twice_draws_an_incarnation_that_it_never_had() {
    for seed in 1..=4 {
        let mut story = Story::of(seed, &["C", "T1"]);
        let org = story.at("T1").makes("org.create", &[("name", "党委")]);
        story.run_until_quiet();
        let township = story.world.machine("T1");
        for name in ["甲", "乙"] {
            // Memory and all: what it drew since, it draws again.
            story.world.back_up(township);
            rename(&mut story, "T1", org, name);
            story.run_until_quiet();
            story.world.roll_back(township);
            story.run_until_quiet();
        }
        assert!(story.world.tally.renewed >= 1);
        rename(&mut story, "T1", org, "丙");
        story.run_until_quiet();
        assert_eq!(story.at("C").view(org)["name"], "丙");
        story.ends_well();
    }
}

#[test]
fn a_grant_that_comes_alone_begins_no_record() {
    let mut story = Story::of(3, &["C", "T1", "V11", "V12", "V13"]);
    let member = story.member("V11", "13800001234");
    crate::sealing::move_to(&mut story, member, "V11", "V12");
    let [from, to] = ["V12", "V13"].map(|name| story.world.machine(name));
    assert!(story.world.hand_over_grants(from, to, member) > 0, "it has some, since it has moved");
    story.wait();
    assert!(story.world.machines[to].disk.row(member).is_none(), "the village never hears of it");
    story.run_until_quiet();
    story.ends_well();
}
