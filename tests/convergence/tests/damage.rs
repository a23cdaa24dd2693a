//! Bit rot in one record: it is found, set aside and brought again by a link; nothing else stops for it.

use convergence::invariants::check;
use convergence::story::Story;
use convergence::world::disk::ready;
use heliu_record::id::RecordId;
use heliu_replication::Engine;
use heliu_storage::row::CommitRow;
use heliu_storage::{FeedEntry, LeafRow, ReadRecords as _, RecordRow, ScopeRow, ScopesChange, Transaction};
use heliu_trust::commit::SignedCommit;

use super::checks_can_fail::one_record;

/// What a disk does to a record while its node does not run.
fn spoil(story: &mut Story, name: &str, spoilt: impl FnOnce(&Story, usize) -> Transaction) {
    let machine = story.world.machine(name);
    story.world.is_spoilt = true;
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

type Edit = fn(&mut RecordRow);

/// The row says something else than its leaves.
fn an_edited_row(record: RecordId, edit: Edit) -> impl FnOnce(&Story, usize) -> Transaction {
    move |story, machine| {
        let mut row = story.world.machines[machine].disk.row(record).expect("it is here");
        edit(&mut row);
        Transaction { records: vec![row], ..Transaction::default() }
    }
}

/// What is in quarantine at a node: which record, and the reason.
fn told(story: &Story, name: &str) -> Vec<(Option<RecordId>, String)> {
    let rows = story.world.machines[story.world.machine(name)].disk.quarantined();
    assert!(rows.iter().all(|row| row.code == "store.damaged"), "{rows:?}");
    rows.into_iter().map(|row| (row.record, row.reason)).collect()
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

/// Nobody touches the record, and no link brings anything of it.
#[test]
fn a_row_that_does_not_follow_from_its_leaves_is_found_by_the_patrol_and_made_anew() {
    let edits: [(Edit, &str); 6] = [
        (|row| row.view = br#"{"name":"\u4f2a"}"#.to_vec(), "view"),
        (|row| row.signal[1] ^= 1, "signal"),
        (|row| row.scope.public = !row.scope.public, "scope"),
        (|row| row.state = heliu_storage::RecordState::Hidden { since: 1 }, "state"),
        (|row| row.admitted.0[1] ^= 1, "sums"),
        (|row| row.leaves = 77, "count"),
    ];
    for (seed, (edit, what)) in (41..).zip(edits) {
        let (mut story, record) = one_record(seed);
        let view = story.at("C").view(record);
        story.world.patrols = true;
        story.cut(&["C"], &["T1"]);
        spoil(&mut story, "C", an_edited_row(record, edit));
        story.wait();
        assert_eq!(told(&story, "C"), [(Some(record), format!("part={what}"))]);
        assert_eq!(story.at("C").view(record), view);
        story.at("C").done("record.set", Some(record), &RENAME);
        story.heal();
        story.run_until_quiet();
        assert_eq!((story.world.tally.store_failures, story.world.tally.damaged), (0, 1));
        story.ends_well();
    }
}

/// Its hash does not cover it, so nothing else shows it before somebody is sent the commit.
#[test]
fn a_signature_that_has_rotted_is_found_by_the_patrol_and_brought_again() {
    for (seed, author, damaged) in [(51, "T1", "C"), (52, "T1", "T1")] {
        let (mut story, record) = one_record(seed);
        story.world.patrols = true;
        let machine = story.world.machine(damaged);
        let last = story.world.machines[machine].disk.load(record).expect("it is here").commits;
        let good = last.last().expect("it has leaves").clone();
        spoil(&mut story, damaged, a_spoilt_commit(record, good.len() - 1));
        story.wait();
        story.run_until_quiet();
        let [(of, why)] = &told(&story, damaged)[..] else { panic!("{:?}", told(&story, damaged)) };
        // A node signs its own again, and needs nobody for it.
        let part = if author == damaged { "part=own-commit" } else { "part=leaf" };
        assert!(*of == Some(record) && why.contains(part), "{why}");
        let commits = story.world.machines[machine].disk.load(record).expect("it is here").commits;
        assert!(commits.contains(&good));
        story.at(damaged).done("record.set", Some(record), &RENAME);
        story.run_until_quiet();
        assert_eq!((story.world.tally.store_failures, story.world.tally.damaged), (0, 1));
        story.ends_well();
    }
}

/// Somebody gave the row another id, and what belongs to it.
#[test]
fn a_record_under_another_id_gets_its_own_again() {
    let (mut story, record) = one_record(61);
    story.world.patrols = true;
    story.cut(&["C"], &["T1"]);
    let wrong = RecordId([9; 32]);
    spoil(&mut story, "C", |_, _| Transaction { renamed: vec![(record, wrong)], ..Transaction::default() });
    story.wait();
    let machine = story.world.machine("C");
    assert!(story.world.machines[machine].disk.row(wrong).is_none());
    assert_eq!(story.at("C").view(record)["name"], "党委");
    assert!(told(&story, "C").iter().all(|(of, why)| *of == Some(record) && why.contains("part=id")));
    story.at("C").done("record.set", Some(record), &RENAME);
    story.heal();
    story.run_until_quiet();
    assert_eq!((story.world.tally.store_failures, story.world.tally.damaged), (0, 1));
    story.ends_well();
}

/// What a disk keeps of its records by their scopes, changed by somebody who knows how it is vouched for, or does not.
fn what_is_kept(edit: fn(&mut ScopeRow), is_vouched_for: bool) -> impl FnOnce(&Story, usize) -> Transaction {
    move |story, machine| {
        let mut rows = ready(story.world.machines[machine].disk.store.scopes()).expect("it reads").expect("it is good");
        let was: Vec<[u8; 32]> = rows.iter().map(ScopeRow::digest).collect();
        rows.iter_mut().for_each(edit);
        let is: Vec<[u8; 32]> = rows.iter().map(ScopeRow::digest).collect();
        let digest = if is_vouched_for { &is } else { &was }.iter().collect();
        Transaction { scopes: Some(ScopesChange { anew: true, rows, digest }), ..Transaction::default() }
    }
}

fn is_proven(story: &Story, name: &str) -> bool {
    let machine = story.world.machine(name);
    story.world.machines[machine].engine.as_ref().is_some_and(Engine::are_sums_proven)
}

#[test]
fn sums_that_were_changed_with_care_say_that_they_are_not_proven_until_all_records_were_counted() {
    let edits: [fn(&mut ScopeRow); 3] =
        [|row| row.tally.held.0[3] ^= 1, |row| row.tally.records += 1, |row| row.scope = None];
    for (seed, edit) in (71..).zip(edits) {
        let (mut story, record) = one_record(seed);
        assert!(is_proven(&story, "C"));
        story.cut(&["C"], &["T1"]);
        spoil(&mut story, "C", what_is_kept(edit, true));
        assert!(!is_proven(&story, "C"), "it has just begun");
        story.wait();
        assert!(is_proven(&story, "C"));
        story.heal();
        story.run_until_quiet();
        assert_eq!(story.world.tally.sums_differ, 0, "the ends never found that they differ");
        story.at("C").done("record.set", Some(record), &RENAME);
        story.run_until_quiet();
        story.ends_well();
    }
}

#[test]
fn what_is_kept_and_is_not_what_the_records_come_to_is_told_and_replaced() {
    let (mut story, _) = one_record(75);
    spoil(&mut story, "C", what_is_kept(|row| row.tally.held.0[3] ^= 1, true));
    let found = check(&story.world);
    assert!(!found.iter().any(|v| v.what.contains("what is kept")), "nobody has proven anything yet: {found:?}");
    story.wait();
    story.run_until_quiet();
    assert_eq!(story.world.tally.corrected, 1);
    story.ends_well();
    // Whoever begins next begins with what was counted.
    let county = story.world.machine("C");
    story.world.crash(county);
    story.world.start(county);
    story.wait();
    story.run_until_quiet();
    assert_eq!(story.world.tally.corrected, 1);
    story.ends_well();
}

#[test]
fn a_store_whose_sums_nobody_vouches_for_is_counted_row_by_row_as_it_begins() {
    let (mut story, record) = one_record(76);
    spoil(&mut story, "C", what_is_kept(|row| row.tally.held.0[3] ^= 1, false));
    story.run_until_quiet();
    story.at("T1").done("record.set", Some(record), &RENAME);
    story.run_until_quiet();
    story.wait();
    story.run_until_quiet();
    assert_eq!((story.world.tally.sums_differ, story.world.tally.corrected), (0, 0), "all was right from the start");
    story.ends_well();
}
