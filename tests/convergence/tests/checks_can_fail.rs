//! The checks can fail: what is taken away behind an engine's back is missed by them, and found and healed by the nodes.

use convergence::invariants::check;
use convergence::story::Story;
use convergence::world::disk::{Disk, ready};
use heliu_record::id::RecordId;
use heliu_storage::{
    FeedEntry, LeafStatus, ReadRecords as _, RecordRow, RecordState, ScopeRow, ScopesChange, StoreId, Transaction,
};
use heliu_trust::id::Incarnation;

/// A county, a township and one record with two changes, at rest.
pub fn one_record(seed: u64) -> (Story, RecordId) {
    let mut story = Story::of(seed, &["C", "T1"]);
    let record = story.at("T1").makes("org.create", &[("name", "党委")]);
    story.at("T1").done("record.set", Some(record), &[("field", "org_kind"), ("value", "village")]);
    story.run_until_quiet();
    story.ends_well();
    (story, record)
}

/// A copy of a disk that lacks the last leaf of a record, as after damage that nobody noticed.
fn without_last_leaf(disk: &Disk, record: RecordId) -> Disk {
    let loaded = disk.load(record).expect("it is here");
    let damaged = Disk::new(heliu_storage::memory::MemoryStore::open(StoreId([7; 16]), Incarnation([8; 16])));
    let mut damaged = damaged;
    let directory =
        convergence::world::disk::ready(heliu_storage::ReadDirectory::directory(&disk.store)).expect("reads");
    let kept = &loaded.leaves[..loaded.leaves.len() - 1];
    let commits = loaded.commits.iter().map(|encoded| {
        let signed = heliu_trust::commit::SignedCommit::decode(encoded).expect("a commit");
        heliu_storage::row::CommitRow {
            id: signed.id,
            author: signed.commit.author,
            incarnation: signed.commit.incarnation,
            seq: signed.commit.seq,
            encoded: encoded.clone(),
        }
    });
    let held: heliu_record::hash::Sum = kept.iter().map(|leaf| &leaf.hash.0).collect();
    let row = RecordRow { held, admitted: held, leaves: 1, state: RecordState::Present, ..loaded.row.clone() };
    let feed = kept.iter().zip(1..).map(|(leaf, position)| {
        FeedEntry::Leaf(heliu_storage::LeafRow { position, status: LeafStatus::Admitted, ..leaf.clone() })
    });
    let transaction = Transaction {
        directory,
        commits: commits.collect(),
        feed: feed.collect(),
        records: vec![row],
        ..Transaction::default()
    };
    damaged.apply(&transaction).expect("it is a store like others");
    damaged
}

#[test]
fn a_leaf_that_vanished_from_a_disk_is_missed_and_healed() {
    let (mut story, record) = one_record(1);
    let county = story.world.machine("C");
    let damaged = without_last_leaf(&story.world.machines[county].disk, record);
    story.world.is_spoilt = true;
    story.world.crash(county);
    story.world.machines[county].disk = damaged;
    story.world.start(county);
    let found = check(&story.world);
    assert!(found.iter().any(|v| v.promise == "I3" && v.what.contains("C lacks leaves")), "{found:?}");
    assert!(found.iter().any(|v| v.promise == "I2"), "{found:?}");
    // The county's sums are unequal to the township's: they reconcile.
    story.run_until_quiet();
    story.ends_well();
}

#[test]
fn an_acknowledged_leaf_that_is_nowhere_is_missed() {
    let (mut story, record) = one_record(2);
    for name in ["C", "T1"] {
        let machine = story.world.machine(name);
        let mut damaged = without_last_leaf(&story.world.machines[machine].disk, record);
        damaged.line.clone_from(&story.world.machines[machine].disk.line);
        story.world.crash(machine);
        story.world.machines[machine].disk = damaged;
    }
    let found = check(&story.world);
    assert!(found.iter().any(|v| v.what.contains("is held nowhere")), "{found:?}");
    // A machine that was put back never had it, and does not promise it.
    for name in ["C", "T1"] {
        let machine = story.world.machine(name);
        story.world.machines[machine].disk.line.clear();
    }
    let found = check(&story.world);
    assert!(!found.iter().any(|v| v.what.contains("is held nowhere")), "{found:?}");
}

/// What one machine lets go of somebody else has, at that moment.
#[test]
fn a_last_copy_that_goes_is_seen() {
    let (mut story, record) = one_record(4);
    let county = story.world.machine("C");
    let drop = || Transaction { dropped: vec![record], ..Transaction::default() };
    let apply = |transaction| heliu_replication::Effect::Apply(Box::new(transaction));
    story.world.carries_out(county, apply(drop()));
    assert!(story.world.broken.is_empty(), "the township has it: {:?}", story.world.broken);
    let township = story.world.machine("T1");
    let upstreams = std::mem::take(&mut story.world.machines[township].upstreams);
    story.world.carries_out(township, apply(drop()));
    story.world.machines[township].upstreams = upstreams;
    assert!(story.world.broken.iter().any(|v| v.what.contains("which nobody else has")), "{:?}", story.world.broken);
}

/// What ends of links are compared by is what they hold.
#[test]
fn what_is_kept_of_records_and_is_not_what_they_come_to_is_seen() {
    let (mut story, _) = one_record(6);
    let county = story.world.machine("C");
    let disk = &mut story.world.machines[county].disk;
    let mut rows = ready(disk.store.scopes()).expect("reads").expect("it is what was written");
    rows[0].tally.leaves += 1;
    let digests: Vec<[u8; 32]> = rows.iter().map(ScopeRow::digest).collect();
    let change = ScopesChange { anew: true, rows, digest: digests.iter().collect() };
    disk.apply(&Transaction { scopes: Some(change), ..Transaction::default() }).expect("a store takes it");
    let found: Vec<String> = check(&story.world).iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|v| v.contains("C: what is kept of")), "{found:?}");
}

/// What a row says and counts for is what its leaves say and add up to.
#[test]
fn a_row_that_says_more_than_its_leaves_is_seen() {
    let (mut story, record) = one_record(5);
    let county = story.world.machine("C");
    let row = story.world.machines[county].disk.row(record).expect("it is here");
    let wrong = RecordRow { held: heliu_record::hash::Sum([7; 32]), ..row.clone() };
    let put = |row| Transaction { records: vec![row], ..Transaction::default() };
    story.world.machines[county].disk.apply(&put(wrong)).expect("a store takes anything that fits");
    let found: Vec<String> = check(&story.world).iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|v| v.contains("for something else than its leaves")), "{found:?}");
    // Nothing of it counts any more, and it goes on speaking.
    let positions = story.world.machines[county].disk.load(record).expect("it is here").leaves;
    let statuses = positions.iter().map(|leaf| (leaf.position, LeafStatus::Excluded)).collect();
    let silent = Transaction { statuses, ..put(row) };
    story.world.machines[county].disk.apply(&silent).expect("a store takes anything that fits");
    let found: Vec<String> = check(&story.world).iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|v| v.contains("of which nothing counts")), "{found:?}");
}

#[test]
fn a_wrong_view_and_a_stale_conflict_are_seen() {
    let (mut story, record) = one_record(3);
    let county = story.world.machine("C");
    let row = story.world.machines[county].disk.row(record).expect("it is here");
    let view = br#"{"name":"somebody else"}"#.to_vec();
    let body = b"{}".to_vec();
    let conflict =
        heliu_storage::ConflictRow { id: [1; 32], kind: "MULTI_HOME".to_owned(), anchors: vec![record], body };
    let transaction = Transaction {
        records: vec![RecordRow { view, ..row }],
        conflicts_opened: vec![conflict],
        ..Transaction::default()
    };
    story.world.machines[county].disk.apply(&transaction).expect("a store takes anything that fits");
    let found: Vec<String> = check(&story.world).iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|v| v.starts_with("I3: C shows name")), "{found:?}");
    assert!(found.iter().any(|v| v.starts_with("I2: C and") || v.starts_with("I2: T1 and")), "{found:?}");
}

/// A column that says something else than the rows has a ledger count otherwise than they come to.
#[test]
fn a_ledger_that_counts_somebody_twice_is_seen() {
    let mut story = Story::of(8, &["C", "T1"]);
    let seat = story.seat("T1");
    let org = story.at("C").makes("org.create", &[("name", "党委"), ("seat", &seat)]);
    let of = [("name", "测试甲0001"), ("branch", &*org.to_string()), ("joined_on", "2001-07-01")];
    let member = story.at("C").makes("member.register", &of);
    story.run_until_quiet();
    story.ends_well();
    let county = story.world.machine("C");
    let disk = &mut story.world.machines[county].disk;
    let row = disk.row(member).expect("it is here");
    // The row is as it was; what is listed of it says that the person has not been admitted.
    let mut cells = heliu_catalogue::catalogue().kind("member").expect("a kind").cells_stored(&row.view);
    for cell in cells.iter_mut().filter(|cell| cell.column == "stage") {
        cell.said = b"applicant".to_vec();
    }
    let listed = heliu_storage::Listed::of(&row, Some(heliu_storage::Listed::owners(&row)), cells);
    disk.apply(&Transaction { listed: vec![listed], ..Transaction::default() }).expect("a store takes it");
    let found: Vec<String> = check(&story.world).iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|v| v.contains("its ledgers count [0, 0] members, and its rows come to 1")), "{found:?}");
}
