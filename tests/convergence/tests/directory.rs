//! What a directory that grows does to records that are there already.

use convergence::story::Story;
use heliu_record::id::RecordId;
use heliu_replication::{Input, Ticket};

/// A league that invites a village which the directory does not have yet. No command does that; another program might.
fn league_with_a_stranger(story: &mut Story) -> RecordId {
    let own = story.seat("T1");
    let org = story.at("T1").makes("org.create", &[("name", "党委"), ("seat", &own)]);
    let league = story.at("T1").makes("alliance.form", &[("name", "联盟"), ("convenor", &org.to_string())]);
    story.run_until_quiet();
    let (county, stranger) = (story.world.machine("C"), story.world.county.seat("V29"));
    story.world.admit(county, league, stranger);
    story.run_until_quiet();
    assert_eq!(holders(story, league), ["C", "T1"], "nobody knows who is above the village");
    league
}

fn holders(story: &Story, record: RecordId) -> Vec<String> {
    story.everywhere(record).into_iter().map(|(name, _)| name).collect()
}

/// The county's administrator enters seats.
fn enter(story: &mut Story, names: &[&str]) {
    let entry = story.world.county.grow(names);
    let (county, ticket) = (story.world.machine("C"), Ticket(story.world.next_ticket()));
    story.world.feed_input(county, Input::Extend { ticket, entries: vec![entry], event: None });
}

#[test]
fn a_seat_that_comes_later_brings_its_superiors_into_the_audience() {
    let mut story = Story::of(11, &["C", "T1", "T2", "V21"]);
    let league = league_with_a_stranger(&mut story);
    let before = story.world.tally.clone();
    enter(&mut story, &["V29"]);
    story.run_until_quiet();
    assert_eq!(holders(&story, league), ["C", "T1", "T2"]);
    let after = &story.world.tally;
    assert_eq!((after.sums_differ, after.reconciled), (before.sums_differ, before.reconciled), "the feed said so");
    story.ends_well();
}

#[test]
fn who_was_away_when_the_directory_grew_hears_of_it_by_the_feed() {
    let mut story = Story::of(12, &["C", "T1", "T2", "V21"]);
    let league = league_with_a_stranger(&mut story);
    story.cut(&["C"], &["T2"]);
    story.wait();
    let before = story.world.tally.clone();
    enter(&mut story, &["V29"]);
    story.wait();
    // The entry is durable, and everything else that the county's process had in memory is gone.
    let county = story.world.machine("C");
    story.world.crash(county);
    story.world.start(county);
    story.heal();
    story.run_until_quiet();
    assert_eq!(holders(&story, league), ["C", "T1", "T2"]);
    let after = &story.world.tally;
    assert_eq!((after.sums_differ, after.reconciled), (before.sums_differ, before.reconciled), "cursors were enough");
    story.ends_well();
}

#[test]
fn what_is_written_by_a_new_directory_waits_for_it_behind_its_frame() {
    for seed in 1..=20 {
        let mut story = Story::of(seed, &["C", "T1"]);
        story.world.habits.store_ms = (5, 60);
        let before = story.world.tally.closed;
        enter(&mut story, &["V12"]);
        let [county, township] = ["C", "T1"].map(|name| story.world.machine(name));
        // The county sends what it writes now right behind the entry; the township is busy when they come.
        for machine in [county].into_iter().chain([township; 60]) {
            let mut request = story.world.request("org.create", None);
            let arguments = [("name", "党委".to_owned()), ("seat", story.seat("T1"))];
            request.arguments = arguments.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
            story.world.ask(machine, request);
            story.world.run_for(10);
        }
        story.run_until_quiet();
        assert_eq!(story.world.tally.closed, before, "{}", story.words());
        story.ends_well();
    }
}
