//! Bit rot in one record: it is found, set aside and brought again by a link; nothing else stops for it.

use convergence::story::Story;
use heliu_record::id::RecordId;
use heliu_storage::row::CommitRow;
use heliu_storage::{FeedEntry, LeafRow, RecordRow, Transaction};
use heliu_trust::commit::SignedCommit;

use super::checks_can_fail::one_record;

/// What a disk does to a record while its node does not run.
fn spoil(story: &mut Story, name: &str, spoilt: impl FnOnce(&Story, usize) -> Transaction) {
    let machine = story.world.machine(name);
    story.world.crash(machine);
    let transaction = spoilt(story, machine);
    story.world.machines[machine].disk.apply(&transaction).expect("a store takes anything that fits");
    story.world.start(machine);
}

/// The last leaf of the record is no longer a change.
fn a_spoilt_leaf(record: RecordId) -> impl FnOnce(&Story, usize) -> Transaction {
    move |story, machine| {
        let disk = &story.world.machines[machine].disk;
        let loaded = disk.load(record).expect("it is here");
        let (head, last) = (disk.meta().head, loaded.leaves.len() - 1);
        let feed = loaded.leaves.into_iter().enumerate().map(|(index, leaf)| {
            let change = if index == last { [0xff; 40].into() } else { leaf.change.clone() };
            FeedEntry::Leaf(LeafRow { position: head + 1 + index as u64, change, ..leaf })
        });
        Transaction { dropped: vec![record], feed: feed.collect(), ..Transaction::default() }
    }
}

/// A bit of the commit of the last leaf has flipped.
fn a_spoilt_commit(record: RecordId, at: usize) -> impl FnOnce(&Story, usize) -> Transaction {
    move |story, machine| {
        let loaded = story.world.machines[machine].disk.load(record).expect("it is here");
        let good = loaded.commits.last().expect("it has leaves");
        let signed = SignedCommit::decode(good).expect("it is still good");
        let mut bytes = good.to_vec();
        bytes[at] ^= 1;
        let (author, incarnation) = (signed.commit.author, signed.commit.incarnation);
        let (id, seq, encoded) = (signed.id, signed.commit.seq, bytes.into());
        Transaction { commits: vec![CommitRow { id, author, incarnation, seq, encoded }], ..Transaction::default() }
    }
}

/// The row says that the record is of another seat, which gives another id.
fn a_spoilt_row(record: RecordId) -> impl FnOnce(&Story, usize) -> Transaction {
    move |story, machine| {
        let mut row = story.world.machines[machine].disk.row(record).expect("it is here");
        row.preimage.birth = story.world.county.seat("V99");
        Transaction { records: vec![RecordRow { id: record, ..row }], ..Transaction::default() }
    }
}

const RENAME: [(&str, &str); 2] = [("field", "name"), ("value", "支部")];

#[test]
fn a_damaged_leaf_is_brought_again() {
    let (mut story, record) = one_record(21);
    spoil(&mut story, "C", a_spoilt_leaf(record));
    story.cut(&["C"], &["T1"]);
    story.at("C").refuses("record_damaged", "record.set", Some(record), &RENAME);
    story.at("C").makes("org.create", &[("name", "县委")]);
    // Found once, it stays refused.
    story.at("C").refuses("record_damaged", "record.set", Some(record), &RENAME);
    let county = story.world.machine("C");
    let quarantined = story.world.machines[county].disk.quarantined();
    assert_eq!(
        quarantined.iter().map(|row| (row.record, row.code.as_str())).collect::<Vec<_>>(),
        [(Some(record), "store.damaged")]
    );

    story.heal();
    story.run_until_quiet();
    story.at("C").done("record.set", Some(record), &RENAME);
    story.run_until_quiet();
    assert_eq!(story.world.tally.store_failures, 0);
    story.ends_well();
}

/// Its format, its author, and the hash of a leaf.
#[test]
fn a_damaged_commit_is_brought_again_and_replaces_the_damaged_one() {
    for (seed, at) in [(31, 0), (32, 20), (33, 130)] {
        let (mut story, record) = one_record(seed);
        spoil(&mut story, "C", a_spoilt_commit(record, at));
        story.at("C").refuses("record_damaged", "record.set", Some(record), &RENAME);
        story.run_until_quiet();
        story.at("C").done("record.set", Some(record), &RENAME);
        story.run_until_quiet();
        let county = story.world.machine("C");
        story.world.crash(county);
        story.world.start(county);
        story.at("C").done("record.set", Some(record), &[("field", "name"), ("value", "党支部")]);
        story.run_until_quiet();
        assert_eq!((story.world.tally.store_failures, story.world.tally.damaged), (0, 1));
        story.ends_well();
    }
}

#[test]
fn a_damaged_leaf_stops_nothing_that_comes_for_its_record() {
    let (mut story, record) = one_record(22);
    spoil(&mut story, "C", a_spoilt_leaf(record));
    story.at("T1").done("record.set", Some(record), &RENAME);
    story.run_until_quiet();
    assert_eq!(story.at("C").view(record)["name"], "支部");
    assert_eq!((story.world.tally.store_failures, story.world.tally.damaged), (0, 1));
    story.ends_well();
}

#[test]
fn a_damaged_row_is_written_again_when_a_link_brings_its_record() {
    let (mut story, record) = one_record(23);
    spoil(&mut story, "C", a_spoilt_row(record));
    story.at("C").refuses("record_damaged", "record.set", Some(record), &RENAME);
    story.at("C").makes("org.create", &[("name", "县委")]);
    story.run_until_quiet();
    story.at("T1").done("record.set", Some(record), &RENAME);
    story.run_until_quiet();
    assert_eq!(story.at("C").view(record)["name"], "支部");
    story.at("C").done("record.set", Some(record), &[("field", "name"), ("value", "党支部")]);
    story.run_until_quiet();
    assert_eq!(story.world.tally.store_failures, 0);
    story.ends_well();
}
