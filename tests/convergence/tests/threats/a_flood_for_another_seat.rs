//! A village names another one, of another township, in record after record: what is too much stays outside, every link is
//! proven equal about the rest, and what others write goes on.

use convergence::story::Story;
use convergence::world::Habits;
use heliu_record::id::RecordId;
use heliu_storage::RecordState;

/// Each is two leaves: that it is there, and for whom.
const RECORDS: usize = 24;
/// So many leaves a seat takes of one author here.
const LEAVES_MAX: u64 = 20;
const TAKEN: usize = 10;

fn held(story: &Story, name: &str, records: &[RecordId]) -> usize {
    let disk = &story.world.machines[story.world.machine(name)].disk;
    let is_here = |record: &&RecordId| disk.row(**record).is_some_and(|row| row.state == RecordState::Present);
    records.iter().filter(is_here).count()
}

fn made(story: &mut Story, by: &str, for_whom: &str, count: usize) -> Vec<RecordId> {
    let (own, other) = (story.seat(by), story.seat(for_whom));
    let one = move |n: usize| {
        let record = story.at(by).makes("org.create", &[("name", &format!("组织{n}")), ("seat", &own)]);
        story.at(by).done("record.share", Some(record), &[("seat", &other)]);
        record
    };
    (0..count).map(one).collect()
}

fn tells_of_it(story: &Story, name: &str) -> bool {
    let author = story.seat("V11");
    story.alarms(name).iter().any(|(code, subject)| *code == "too_much_of_one" && *subject == author)
}

#[test]
fn a_flood_for_another_seat_stays_outside_and_everything_else_converges() {
    for seed in 0..6 {
        // Of some worlds all that has just come is open, of others next to nothing.
        let open_max = if seed % 2 == 0 { 256 } else { 4 };
        let habits = Habits { foreign_max: LEAVES_MAX, open_max, duplicates: 30, ..Habits::default() };
        let mut story = Story::quietly(seed, &["C", "T1", "T2", "V11", "V21", "V22"], habits);
        story.run_until_quiet();
        let scans = story.world.tally.scans;
        let records = made(&mut story, "V11", "V21", RECORDS);
        // Quiet is a world in which every link is proven equal.
        story.run_until_quiet();
        let scans = story.world.tally.scans - scans;
        let few = if open_max == 256 { 0 } else { 6 };
        assert!(scans <= few, "{scans} looks at all that is here, to count what is left out");
        for name in ["V11", "T1", "C", "T2"] {
            assert_eq!(held(&story, name, &records), RECORDS, "{name}");
            assert!(!tells_of_it(&story, name), "{name}");
        }
        let taken = held(&story, "V21", &records);
        assert!((TAKEN - 1..=TAKEN + 1).contains(&taken), "{taken} were taken");
        assert!(tells_of_it(&story, "V21"));

        let of_neighbour = made(&mut story, "V22", "V21", 3);
        let is_out = |record: &&RecordId| held(&story, "V21", &[**record]) == 0;
        let out = *records.iter().find(is_out).expect("some are outside");
        story.at("C").done("record.set", Some(out), &[("field", "name"), ("value", "县里确认")]);
        story.run_until_quiet();
        assert_eq!(held(&story, "V21", &of_neighbour), 3, "another village's are taken");
        assert_eq!(held(&story, "V21", &[out]), 1, "and what its own superior has written in");
        assert_eq!(held(&story, "V21", &records), taken + 1);
    }
}
