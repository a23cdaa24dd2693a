//! Admission, told with one record of a village: in order, late, forked, forbidden, and in every order.

use std::collections::{BTreeMap, BTreeSet};

use heliu_catalogue::catalogue;
use heliu_record::change::{Change, Container, Draft};
use heliu_record::hash::Sum;
use heliu_record::history::Visible;
use heliu_record::id::{ChangeHash, LeafHash, Preimage};
use heliu_record::scope::Scope;
use proptest::prelude::*;

mod fenced;
mod unjudged;
mod versions;

use super::*;
use crate::commit::SignedCommit;
use crate::directory::Directory;
use crate::id::{Incarnation, RealmId};
use crate::signature::Signer;
use crate::simulated::{Cheap, CheapKey};
use crate::story::{
    self, COUNTY, How, MISSING, PLAIN, STRANGER, TOWNSHIP, VILLAGE, birth, edit, edit_draft, history, leaf,
};

const FORKED: Status = Status::Excluded(ExcludedReason::Fork);
const AFTER_EXCLUDED: Status = Status::Excluded(ExcludedReason::Predecessor);

fn refused(reason: RefusedReason) -> Status {
    Status::Refused(reason)
}

fn open() -> Leaves {
    Leaves::new(story::preimage(), catalogue().kind(&story::preimage().kind))
}

fn offer_all(leaves: impl IntoIterator<Item = Leaf>, directory: &Directory) -> Leaves {
    let mut held = open();
    leaves.into_iter().for_each(|leaf| drop(held.offer(leaf, directory)));
    held
}

fn status(leaves: &Leaves, leaf: &Leaf) -> Status {
    *leaves.get(&leaf.hash).expect("is held").1
}

#[test]
fn changes_in_order_are_admitted_one_by_one() {
    let directory = story::directory();
    let first = birth();
    let second = edit(&TOWNSHIP, &history([&first]), 1);
    let third = edit(&VILLAGE, &history([&first, &second]), 2);
    let mut leaves = open();
    for (writer, change) in [(VILLAGE, &first), (TOWNSHIP, &second), (VILLAGE, &third)] {
        let leaf = leaf(&writer, change, PLAIN, &directory);
        assert_eq!(leaves.offer(leaf.clone(), &directory), [(leaf.hash, Status::Admitted)]);
        assert_eq!(leaves.offer(leaf, &directory), [], "again is nothing new");
    }
    assert_eq!(leaves.history().heads(), [third.hash]);
    assert_eq!(leaves.held_sum(), leaves.admitted_sum());
    assert_eq!((leaves.last_of(VILLAGE.actor()), leaves.last_of(COUNTY.actor())), (2, 0));
}

#[test]
fn a_leaf_waits_for_its_predecessors_and_says_which() {
    let directory = story::directory();
    let first = birth();
    let second = edit(&TOWNSHIP, &history([&first]), 1);
    let third = edit(&COUNTY, &history([&first, &second]), 2);
    let of = |writer, change| leaf(writer, change, PLAIN, &directory);
    let mut leaves = open();
    let last = of(&COUNTY, &third);
    assert_eq!(leaves.offer(last.clone(), &directory), [(last.hash, Status::Waiting)]);
    assert_eq!(leaves.wanted().collect::<Vec<_>>(), [second.hash]);
    assert_eq!((leaves.admitted_sum(), leaves.missing()), (Sum::default(), true));
    let middle = of(&TOWNSHIP, &second);
    assert_eq!(leaves.offer(middle.clone(), &directory), [(middle.hash, Status::Waiting)]);
    assert_eq!(leaves.wanted().collect::<Vec<_>>(), [first.hash]);
    let settled = leaves.offer(of(&VILLAGE, &first), &directory);
    assert_eq!(settled.iter().map(|(hash, _)| *hash).skip(1).collect::<Vec<_>>(), [middle.hash, last.hash]);
    assert!(settled.iter().all(|(_, status)| status.is_admitted()));
    assert!(!leaves.missing());
}

#[test]
fn who_may_not_write_is_refused_and_so_is_what_builds_on_it() {
    let directory = story::directory();
    let first = birth();
    let intrusion = edit(&STRANGER, &history([&first]), 1);
    let trusting = edit(&COUNTY, &history([&first, &intrusion]), 2);
    let [a, b, c] = [(VILLAGE, &first), (STRANGER, &intrusion), (COUNTY, &trusting)]
        .map(|(writer, change)| leaf(&writer, change, PLAIN, &directory));
    let leaves = offer_all([a, b.clone(), c.clone()], &directory);
    assert_eq!(status(&leaves, &b), refused(RefusedReason::Authority));
    assert!(leaves.why(&b.hash).is_some_and(|why| why.iter().next().is_some()));
    assert_eq!(status(&leaves, &c), refused(RefusedReason::Predecessor));
    assert_eq!(leaves.history().heads(), [first.hash]);
    assert_ne!(leaves.held_sum(), leaves.admitted_sum(), "refused leaves count as held");
}

#[test]
fn of_two_leaves_with_one_seq_the_earlier_committed_counts_even_if_it_comes_late() {
    let directory = story::directory();
    let first = birth();
    let past = history([&first]);
    let (kept, lost) = (edit(&VILLAGE, &past, 1), edit(&VILLAGE, &past, 2));
    let misled = edit(&TOWNSHIP, &history([&first, &lost]), 3);
    let root = leaf(&VILLAGE, &first, PLAIN, &directory);
    let kept = leaf(&VILLAGE, &kept, How { commit_seq: 2, ..PLAIN }, &directory);
    let lost = leaf(&VILLAGE, &lost, How { commit_seq: 3, ..PLAIN }, &directory);
    let misled = leaf(&TOWNSHIP, &misled, PLAIN, &directory);

    let mut leaves = offer_all([root, lost.clone(), misled.clone()], &directory);
    assert_eq!(status(&leaves, &misled), Status::Admitted);
    let mut changed = leaves.offer(kept.clone(), &directory);
    assert_eq!(changed.remove(0), (kept.hash, Status::Admitted), "itself first");
    changed.sort();
    let mut expected = [(lost.hash, FORKED), (misled.hash, AFTER_EXCLUDED)];
    expected.sort();
    assert_eq!(changed, expected);
    assert_eq!(leaves.history().heads(), [kept.change.hash]);
    assert_eq!(leaves.offer(lost, &directory), []);
}

/// One change in two commits is two leaves: who got the one and who got the other see that they hold different things.
#[test]
fn a_change_signed_twice_does_not_hide_a_fork() {
    let directory = story::directory();
    let first = birth();
    let past = history([&first]);
    let (kept, lost) = (edit(&VILLAGE, &past, 1), edit(&VILLAGE, &past, 2));
    let at = |change, commit_seq| leaf(&VILLAGE, change, How { commit_seq, ..PLAIN }, &directory);
    let root = at(&first, 1);
    let (early, late, rival) = (at(&kept, 2), at(&kept, 5), at(&lost, 3));
    let mut one = offer_all([root.clone(), early.clone(), rival.clone()], &directory);
    let mut other = offer_all([root, late.clone(), rival.clone()], &directory);
    assert_eq!((status(&one, &rival), status(&other, &rival)), (FORKED, Status::Admitted));
    assert_ne!(one.held_sum(), other.held_sum(), "so they reconcile");
    one.offer(late.clone(), &directory);
    other.offer(early, &directory);
    assert_eq!(outcome(&one), outcome(&other));
    assert_eq!([status(&one, &rival), status(&one, &late)], [FORKED, FORKED]);
}

/// Each of two authors equivocates, and each branch builds on the other's: whatever comes first, nothing of it counts.
#[test]
fn two_equivocators_do_not_make_the_order_count() {
    let directory = story::directory();
    let first = birth();
    let past = history([&first]);
    let (v_late, t_late) = (edit(&VILLAGE, &past, 1), edit(&TOWNSHIP, &past, 2));
    let v_early = edit(&VILLAGE, &history([&first, &t_late]), 3);
    let t_early = edit(&TOWNSHIP, &history([&first, &v_late]), 4);
    let at = |commit_seq| How { commit_seq, ..PLAIN };
    let all = [
        leaf(&VILLAGE, &first, at(1), &directory),
        leaf(&VILLAGE, &v_late, at(9), &directory),
        leaf(&TOWNSHIP, &t_late, at(9), &directory),
        leaf(&VILLAGE, &v_early, at(2), &directory),
        leaf(&TOWNSHIP, &t_early, at(2), &directory),
    ];
    for turn in 0..all.len() {
        let mut order = all.to_vec();
        order.rotate_left(turn);
        let leaves = offer_all(order, &directory);
        assert_eq!(leaves.history().heads(), [first.hash]);
        assert_eq!([1, 2, 3, 4].map(|i| status(&leaves, &all[i])), [FORKED, FORKED, AFTER_EXCLUDED, AFTER_EXCLUDED]);
    }
}

#[test]
fn what_does_not_follow_is_refused() {
    let directory = story::directory();
    let first = birth();
    let past = history([&first]);
    let second = edit(&VILLAGE, &past, 1);
    let both = history([&first, &second]);
    let next = || edit_draft(&VILLAGE, &both, 2);
    let beside = leaf(&TOWNSHIP, &edit(&TOWNSHIP, &past, 3), PLAIN, &directory);
    let cases: [(Draft, RefusedReason); 5] = [
        (Draft { seq: 4, ..next() }, RefusedReason::Seq),
        (Draft { seq: 3, deps: vec![first.hash], ..next() }, RefusedReason::Seq),
        (Draft { start_op: 99, ..next() }, RefusedReason::StartOp),
        (Draft { deps: in_order([first.hash, second.hash]), ..next() }, RefusedReason::Predecessors),
        (Draft { puts: edit_draft(&VILLAGE, &past, 2).puts, ..next() }, RefusedReason::Dangling),
    ];
    for (i, (draft, reason)) in cases.into_iter().enumerate() {
        let bad = leaf(&VILLAGE, &Change::encode(draft), How { commit_seq: 3, ..PLAIN }, &directory);
        let mut leaves =
            offer_all([(VILLAGE, &first), (VILLAGE, &second)].map(|(w, c)| leaf(&w, c, PLAIN, &directory)), &directory);
        let changed = leaves.offer(bad.clone(), &directory);
        assert_eq!(changed, [(bad.hash, refused(reason))], "case {i}: {:?}", leaves.why(&bad.hash));
        assert_eq!(leaves.offer(beside.clone(), &directory), [(beside.hash, Status::Admitted)], "the record goes on");
    }
}

#[test]
fn an_author_does_not_go_back_to_an_older_directory() {
    let directory = story::directory();
    let first = birth();
    let cites = |directory_index| How { directory_index, ..PLAIN };
    let again = VILLAGE.restarted();
    let backwards = edit(&again, &history([&first]), 1);
    let other = edit(&TOWNSHIP, &history([&first]), 2);
    let [a, b, c] = [
        leaf(&VILLAGE, &first, cites(1), &directory),
        leaf(&again, &backwards, cites(0), &directory),
        leaf(&TOWNSHIP, &other, cites(0), &directory),
    ];
    for order in [[a.clone(), b.clone(), c.clone()], [a.clone(), c.clone(), b.clone()]] {
        let leaves = offer_all(order, &directory);
        assert_eq!(status(&leaves, &b), refused(RefusedReason::DirectoryBackwards), "in a new incarnation neither");
        assert_eq!(status(&leaves, &c), Status::Admitted, "another author may have seen less");
    }
}

#[test]
fn what_this_node_cannot_judge_is_held_until_it_can() {
    let directory = story::directory();
    let first = birth();
    let second = edit(&VILLAGE, &history([&first]), 1);
    let newer = leaf(&VILLAGE, &first, How { kind_version: 999, ..PLAIN }, &directory);
    let after = leaf(&VILLAGE, &second, PLAIN, &directory);
    let leaves = offer_all([after.clone(), newer.clone()], &directory);
    assert_eq!(status(&leaves, &newer), Status::Held(HeldReason::NewerKind));
    assert_eq!(status(&leaves, &after), Status::Held(HeldReason::Predecessor));
    assert!(!leaves.missing());

    let of = |index| leaf(&VILLAGE, &first, How { directory_index: index, ..PLAIN }, &directory);
    let mut behind = Directory::new(story::realm(), story::ROOT.public_key());
    behind.append(&directory.entries_from(0)[0], &Cheap).expect("appends");
    let mut leaves = open();
    let late = of(1);
    assert_eq!(leaves.offer(late.clone(), &behind), [(late.hash, Status::Held(HeldReason::Directory))]);
    behind.append(&directory.entries_from(1)[0], &Cheap).expect("appends");
    assert_eq!(leaves.judge_again(&behind), [(late.hash, Status::Admitted)]);
    assert_eq!(leaves.judge_again(&behind), []);
}

#[test]
fn a_record_of_an_unknown_kind_is_held_whole() {
    let directory = story::directory();
    let preimage = Preimage { kind: "of a later release".to_owned(), ..story::preimage() };
    let first = birth();
    let second = edit(&TOWNSHIP, &history([&first]), 1);
    let mut leaves = Leaves::new(preimage.clone(), catalogue().kind(&preimage.kind));
    for (writer, change) in [(TOWNSHIP, &second), (VILLAGE, &first)] {
        let mut leaf = leaf(&writer, change, PLAIN, &directory);
        leaf.record = preimage.id();
        leaves.offer(leaf, &directory);
    }
    assert!(leaves.iter().all(|(_, status)| *status == Status::Held(HeldReason::UnknownKind)));
    assert_eq!((leaves.len(), leaves.history().is_empty()), (2, true));
}

#[test]
fn statuses_keep_their_codes() {
    let mut codes = BTreeMap::new();
    for byte in 0..=u8::MAX {
        if let Some(status) = Status::from_u8(byte) {
            assert_eq!(status.to_u8(), byte);
            assert_eq!(codes.insert(status.code(), byte), None);
        }
    }
    assert_eq!((codes.len(), codes["admitted"], codes["refused.authority"]), (19, 0x01, 0x37));
}

#[test]
fn the_first_gate_knows_realm_version_author_and_signature() {
    let directory = story::directory();
    let leaves = vec![LeafHash([1; 32])];
    let good = |author: &story::Author| story::commit(author, leaves.clone(), PLAIN, &directory);
    let resign = |change: &dyn Fn(&mut crate::commit::Commit)| {
        let mut commit = good(&VILLAGE).commit;
        change(&mut commit);
        SignedCommit::sign(commit, &VILLAGE.key)
    };
    let unknown = story::Author { key: CheapKey([77; 32]), ..VILLAGE };
    let mut other_id = good(&VILLAGE);
    other_id.id.0[0] ^= 1;
    let forged = SignedCommit::sign(good(&TOWNSHIP).commit, &VILLAGE.key);
    let commits = [
        good(&VILLAGE),
        resign(&|commit| commit.realm = RealmId([0; 16])),
        resign(&|commit| commit.versions[0].1.0[0] ^= 1),
        resign(&|commit| commit.versions[0].0.0[0] ^= 1),
        good(&unknown),
        other_id,
        forged,
        good(&TOWNSHIP),
    ];
    let verdicts = check_commits(&commits, &directory, &Cheap);
    let unknown_author = CommitError::UnknownAuthor(unknown.key.node());
    let expected = [
        Ok(()),
        Err(CommitError::WrongRealm),
        Err(CommitError::UnknownVersion),
        Err(CommitError::UnknownVersion),
        Err(unknown_author),
        Err(CommitError::WrongId),
        Err(CommitError::BadSignature),
        Ok(()),
    ];
    assert_eq!(verdicts, expected);
    assert_eq!(verdicts.iter().filter_map(|verdict| verdict.as_ref().err()).filter(|error| error.is_held()).count(), 2);
}

#[test]
fn a_leaf_opens_only_under_its_own_commit() {
    let directory = story::directory();
    let change = birth();
    let good = leaf(&VILLAGE, &change, PLAIN, &directory);
    let record = story::preimage().id();
    let open = |commit: &SignedCommit, version, raw: &[u8]| Leaf::open(commit, &record, version, raw, &directory);
    let own = story::commit(&VILLAGE, vec![good.hash], PLAIN, &directory);
    assert_eq!(open(&own, 1, &change.raw), Ok(good.clone()));
    assert_eq!(open(&own, 2, &change.raw), Err(LeafError::NotInCommit), "signed under another version of the kind");
    assert_eq!(
        open(&story::commit(&VILLAGE, vec![LeafHash([0; 32])], PLAIN, &directory), 1, &change.raw),
        Err(LeafError::NotInCommit)
    );
    for other in [TOWNSHIP, VILLAGE.restarted()] {
        let commit = story::commit(&other, vec![good.hash], PLAIN, &directory);
        assert_eq!(open(&commit, 1, &change.raw), Err(LeafError::WrongActor));
    }
    assert!(matches!(open(&own, 1, b"no change"), Err(LeafError::Shape(_))));
    let empty = Directory::new(story::realm(), story::ROOT.public_key());
    assert_eq!(Leaf::open(&own, &record, 1, &change.raw, &empty), Err(LeafError::UnknownVersion));
}

/// A list of predecessors as automerge writes it: what is not in order does not even parse.
fn in_order(mut deps: [ChangeHash; 2]) -> Vec<ChangeHash> {
    deps.sort_unstable();
    deps.to_vec()
}

/// Leaves of which some wait, fork, may not, do not follow, or are signed twice.
fn quarrel(directory: &Directory) -> Vec<Leaf> {
    let root = birth();
    let at_root = history([&root]);
    let township = edit(&TOWNSHIP, &at_root, 1);
    let (kept, lost) = (edit(&VILLAGE, &at_root, 2), edit(&VILLAGE, &at_root, 3));
    let after_lost = edit(&TOWNSHIP, &history([&root, &township, &lost]), 4);
    let merged = history([&root, &township, &kept]);
    let after_both = edit(&COUNTY, &merged, 5);
    let after_that = edit(&VILLAGE, &history([&root, &township, &kept, &after_both]), 6);
    let intrusion = edit(&STRANGER, &at_root, 7);
    let after_intrusion = edit(&COUNTY, &history([&root, &intrusion]), 8);
    let orphan = Change::encode(Draft { deps: vec![MISSING], ..edit_draft(&COUNTY.restarted(), &at_root, 9) });
    let after_orphan = edit(&VILLAGE.restarted(), &history([&orphan]), 10);
    let skips = Change::encode(Draft { seq: 9, ..edit_draft(&TOWNSHIP, &at_root, 11) });
    let backwards = edit(&TOWNSHIP.restarted(), &history([&root, &township]), 12);
    let newer = edit(&COUNTY.restarted().restarted(), &at_root, 13);
    let deps = in_order([root.hash, kept.hash]);
    let implied = Change::encode(Draft { deps, ..edit_draft(&VILLAGE.restarted().restarted(), &merged, 14) });
    let deps = in_order([intrusion.hash, lost.hash]);
    let after_two_fates =
        Change::encode(Draft { deps, ..edit_draft(&STRANGER.restarted(), &history([&root, &intrusion, &lost]), 17) });
    let third = TOWNSHIP.restarted().restarted();
    let beside = edit(&third, &at_root, 15);
    let after_beside = edit(&third, &history([&root, &township, &beside]), 16);
    let at = |commit_seq, directory_index| How { commit_seq, directory_index, ..PLAIN };
    vec![
        leaf(&VILLAGE, &root, at(1, 0), directory),
        leaf(&VILLAGE, &root, at(2, 0), directory),
        leaf(&TOWNSHIP, &township, at(1, 1), directory),
        leaf(&TOWNSHIP, &township, at(1, 2), directory),
        leaf(&VILLAGE, &kept, at(4, 1), directory),
        leaf(&VILLAGE, &lost, at(5, 1), directory),
        leaf(&VILLAGE, &kept, How { kind_version: 0, ..at(6, 1) }, directory),
        leaf(&TOWNSHIP, &after_lost, at(2, 2), directory),
        leaf(&COUNTY, &after_both, at(1, 0), directory),
        leaf(&VILLAGE, &after_that, at(7, 2), directory),
        leaf(&STRANGER, &intrusion, at(1, 0), directory),
        leaf(&COUNTY, &after_intrusion, at(3, 0), directory),
        leaf(&COUNTY.restarted(), &orphan, at(1, 0), directory),
        leaf(&VILLAGE.restarted(), &after_orphan, at(1, 2), directory),
        leaf(&TOWNSHIP, &skips, at(3, 2), directory),
        leaf(&TOWNSHIP.restarted(), &backwards, at(1, 0), directory),
        leaf(&COUNTY.restarted().restarted(), &newer, How { kind_version: 999, ..PLAIN }, directory),
        leaf(&VILLAGE.restarted().restarted(), &implied, at(1, 2), directory),
        leaf(&third, &beside, at(1, 0), directory),
        leaf(&third, &after_beside, at(2, 0), directory),
        leaf(&STRANGER.restarted(), &after_two_fates, at(1, 0), directory),
    ]
}

/// Everything that a record's leaves add up to, whatever way they came.
#[derive(Debug, PartialEq)]
struct Outcome {
    statuses: BTreeMap<LeafHash, Status>,
    commits: Vec<u64>,
    sums: (Sum, Sum),
    heads: Vec<ChangeHash>,
    visible: BTreeMap<String, Vec<Visible>>,
    wanted: Vec<ChangeHash>,
    relayed: Scope,
}

fn outcome(leaves: &Leaves) -> Outcome {
    let statuses = || leaves.iter().map(|(_, status)| *status);
    assert_eq!(leaves.missing(), leaves.wanted().next().is_some());
    assert_eq!(leaves.unjudged(), statuses().filter_map(Status::unjudged).max());
    assert!(leaves.authors().eq(leaves.iter().map(|(leaf, _)| leaf.author).collect::<BTreeSet<_>>()));
    let mut relayed = Scope::of(leaves.history());
    leaves.widen(&mut relayed, &story::directory());
    let keys = Container::ALL.into_iter().flat_map(|container| leaves.history().keys(container, ""));
    Outcome {
        statuses: leaves.iter().map(|(leaf, status)| (leaf.hash, *status)).collect(),
        commits: leaves.iter().map(|(leaf, _)| leaf.commit_seq).collect(),
        sums: (leaves.held_sum(), leaves.admitted_sum()),
        heads: leaves.history().heads(),
        visible: keys.map(|(key, values)| (key.to_owned(), values.to_vec())).collect(),
        wanted: leaves.wanted().collect(),
        relayed,
    }
}

#[test]
fn the_quarrel_has_every_outcome() {
    let directory = story::directory();
    let outcome = outcome(&offer_all(quarrel(&directory), &directory));
    let codes: BTreeSet<&str> = outcome.statuses.values().map(|status| status.code()).collect();
    let expected = [
        "admitted",
        "excluded.fork",
        "excluded.predecessor",
        "held.newer-kind",
        "refused.authority",
        "refused.directory-backwards",
        "refused.predecessors",
        "refused.seq",
        "waiting",
    ];
    assert!(expected.iter().all(|code| codes.contains(code)), "{codes:?}");
    assert_eq!(outcome.wanted, [MISSING]);
}

proptest! {
    /// Any part of the leaves, in any order: what was reported on the way and what stands in the end are the same as in
    /// the order in which they were written.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        picked in prop::sample::subsequence((0..21usize).collect::<Vec<_>>(), 0..=21).prop_shuffle(),
    ) {
        let directory = story::directory();
        let all = quarrel(&directory);
        let mut leaves = open();
        let mut reported = BTreeMap::new();
        for i in &picked {
            let changed = leaves.offer(all[*i].clone(), &directory);
            prop_assert!(changed.is_empty() || changed[0].0 == all[*i].hash);
            reported.extend(changed);
        }
        let mut sorted = picked.clone();
        sorted.sort_unstable();
        let in_order = offer_all(sorted.into_iter().map(|i| all[i].clone()), &directory);
        prop_assert_eq!(outcome(&leaves), outcome(&in_order));
        prop_assert_eq!(reported, outcome(&leaves).statuses);
        let (mut at_once, halves) = (open(), picked.split_at(picked.len() / 2));
        for half in [halves.0, halves.1] {
            at_once.offer_all(half.iter().map(|i| all[*i].clone()), &directory);
        }
        prop_assert_eq!(outcome(&at_once), outcome(&leaves), "together or one by one");
        let again = leaves.judge_again(&directory);
        prop_assert!(again.is_empty(), "a record folded anew is the same: {again:?}");
    }
}

#[test]
fn an_actor_is_one_incarnation_of_one_node() {
    let node = VILLAGE.key.node();
    assert_ne!(crate::id::actor(&node, &Incarnation([1; 16])), crate::id::actor(&node, &Incarnation([2; 16])));
    assert_ne!(VILLAGE.actor(), TOWNSHIP.actor());
}
