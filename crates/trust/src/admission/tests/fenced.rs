//! What a fence makes of leaves, whenever it comes.

use super::*;
use crate::directory::{Directory, Fence, Item};
use crate::signature::Signer;
use crate::story::{Author, ISSUER, ROOT};

const FENCED: Status = Status::Excluded(ExcludedReason::Fenced);

fn with(directory: &Directory, item: Item) -> Directory {
    let mut grown = directory.clone();
    let entry = grown.draft(vec![item], 0, &[&ISSUER]).expect("drafts");
    grown.append(&entry, &Cheap).expect("appends");
    grown
}

fn fence(author: &Author, frontier: &[&Leaf], excluded: &[&Leaf]) -> Item {
    let last = |leaf: &&Leaf| (leaf.incarnation, leaf.commit_seq, leaf.commit);
    let excluded: Vec<LeafHash> = excluded.iter().map(|leaf| leaf.hash).collect();
    Item::Fence(Fence::new(author.key.node(), frontier.iter().map(last).collect(), excluded))
}

/// The thief of a township's machine writes on, and says that it was long ago.
#[test]
fn a_back_dated_leaf_of_a_fenced_node_is_excluded_whatever_its_date() {
    let directory = story::directory();
    let first = birth();
    let good = edit(&TOWNSHIP, &history([&first]), 1);
    let at = |commit_seq| How { commit_seq, ..PLAIN };
    let root = leaf(&VILLAGE, &first, PLAIN, &directory);
    let good = leaf(&TOWNSHIP, &good, at(1), &directory);
    let past = history([&first, &good.change]);
    let back_dated = Change::encode(Draft { time_ms: -1_000, ..edit_draft(&TOWNSHIP, &past, 2) });
    let back_dated = leaf(&TOWNSHIP, &back_dated, at(2), &directory);
    let restarted = TOWNSHIP.restarted();
    let elsewhere = leaf(&restarted, &edit(&restarted, &history([&first]), 3), at(1), &directory);
    let misled = edit(&VILLAGE, &history([&first, &good.change, &back_dated.change]), 4);
    let misled = leaf(&VILLAGE, &misled, at(2), &directory);

    let all = [&root, &good, &back_dated, &elsewhere, &misled];
    let mut leaves = offer_all(all.map(Leaf::clone), &directory);
    assert!(all.iter().all(|leaf| status(&leaves, leaf).is_admitted()));
    let before = leaves.held_sum();

    let fenced = with(&directory, fence(&TOWNSHIP, &[&good], &[]));
    assert_eq!(leaves.judge_again(&fenced).len(), 3);
    let expected = [Status::Admitted, Status::Admitted, FENCED, FENCED, AFTER_EXCLUDED];
    assert_eq!(all.map(|leaf| status(&leaves, leaf)), expected);
    assert_eq!(leaves.held_sum(), before, "it is kept and counted");
    assert_eq!(leaves.misled(VILLAGE.key.node()).collect::<Vec<_>>(), [&misled], "to be issued again");
    assert_eq!(leaves.misled(TOWNSHIP.key.node()).count(), 0);

    let next = Change::encode(edit_draft(&TOWNSHIP, &past, 5));
    let next = Leaf { commit_seq: 3, ..leaf(&TOWNSHIP, &next, at(3), &directory) };
    assert_eq!(leaves.foresee(&next, &fenced).map_err(|(status, _)| status), Err(FENCED));
}

#[test]
fn the_fork_rule_looks_only_at_what_no_fence_excludes() {
    let directory = story::directory();
    let first = birth();
    let past = history([&first]);
    let at = |change, commit_seq| leaf(&VILLAGE, change, How { commit_seq, ..PLAIN }, &directory);
    let root = at(&first, 1);
    let (early, late) = (at(&edit(&VILLAGE, &past, 1), 2), at(&edit(&VILLAGE, &past, 2), 3));
    let mut leaves = offer_all([root.clone(), early.clone(), late.clone()], &directory);
    assert_eq!([&early, &late].map(|leaf| status(&leaves, leaf)), [Status::Admitted, FORKED]);
    let excluded_by_name = with(&directory, fence(&VILLAGE, &[&late], &[&early]));
    leaves.judge_again(&excluded_by_name);
    assert_eq!([&early, &late].map(|leaf| status(&leaves, leaf)), [FENCED, Status::Admitted]);
    assert_eq!(leaves.history().heads(), [late.change.hash]);
    let nothing_good = with(&excluded_by_name, fence(&VILLAGE, &[], &[]));
    leaves.judge_again(&nothing_good);
    assert!(leaves.iter().all(|(_, status)| *status == FENCED), "the later fence counts");
    assert!(leaves.history().is_empty());
}

/// One change in two commits, of which a fence excludes the one: the other stands for it, whichever came first.
#[test]
fn a_change_that_is_good_in_another_commit_is_good() {
    let directory = story::directory();
    let first = birth();
    let second = edit(&VILLAGE, &history([&first]), 1);
    let at = |change, commit_seq| leaf(&VILLAGE, change, How { commit_seq, ..PLAIN }, &directory);
    let root = at(&first, 1);
    let (kept, outside) = (at(&second, 2), at(&second, 1));
    let after = edit(&TOWNSHIP, &history([&first, &second]), 2);
    let after = leaf(&TOWNSHIP, &after, PLAIN, &directory);
    let fenced = with(&directory, fence(&VILLAGE, &[&kept], &[&outside]));
    for order in [[&root, &outside, &after, &kept], [&root, &kept, &after, &outside]] {
        let leaves = offer_all(order.map(Leaf::clone), &fenced);
        let statuses = [&root, &kept, &outside, &after].map(|leaf| status(&leaves, leaf));
        assert_eq!(statuses, [Status::Admitted, Status::Admitted, FENCED, Status::Admitted]);
    }
}

/// A thief signs a good leaf into a commit of its own. Who got it that way holds the same leaf, and judges it the same.
#[test]
fn one_leaf_in_two_commits_has_one_verdict() {
    let directory = story::directory();
    let good = leaf(&VILLAGE, &birth(), PLAIN, &directory);
    let commit = story::commit(&VILLAGE, vec![good.hash, LeafHash([1; 32])], PLAIN, &directory);
    let record = story::preimage().id();
    let again = Leaf::open(&commit, &record, 1, &good.change.raw, &directory).expect("opens");
    assert!(again.hash == good.hash && again.commit != good.commit);
    for (item, expected) in
        [(fence(&VILLAGE, &[&good], &[]), Status::Admitted), (fence(&VILLAGE, &[&good], &[&good]), FENCED)]
    {
        let fenced = with(&directory, item);
        for leaf in [&good, &again] {
            assert_eq!(status(&offer_all([leaf.clone()], &fenced), leaf), expected);
        }
    }
}

/// A commit of a fenced node still has its signature: it is stored and relayed, so that everybody's sums agree.
#[test]
fn a_fenced_authors_commits_pass_the_first_gate() {
    let directory = story::directory();
    let commit = story::commit(&TOWNSHIP, vec![LeafHash([1; 32])], PLAIN, &directory);
    let fenced = with(&directory, fence(&TOWNSHIP, &[], &[]));
    assert_eq!(check_commits(&[commit], &fenced, &Cheap), [Ok(())]);
}

/// The directory at each of its stages: fences come, widen, and are undone when the root decides a fork, which takes
/// versions that leaves cite as well.
fn stages(quarrel: &[Leaf]) -> Vec<Directory> {
    let base = story::directory();
    let (township, skips, after_lost) = (&quarrel[3], &quarrel[14], &quarrel[7]);
    let (kept, after_that) = (&quarrel[4], &quarrel[9]);
    let one = with(&base, fence(&TOWNSHIP, &[township], &[]));
    let two = with(&one, fence(&VILLAGE, &[after_that], &[kept]));
    let three = with(&two, fence(&TOWNSHIP, &[skips], &[after_lost]));
    let decision = three.draft_resolve(2, [].into(), vec![fence(&VILLAGE, &[kept], &[])], 0, &ROOT).expect("drafts");
    let mut four = three.clone();
    four.append(&decision, &Cheap).expect("appends");
    vec![base, one, two, three, four]
}

#[test]
fn the_stages_differ() {
    let all = quarrel(&story::directory());
    let outcomes: Vec<Outcome> =
        stages(&all).iter().map(|directory| outcome(&offer_all(all.clone(), directory))).collect();
    for (i, one) in outcomes.iter().enumerate() {
        assert!(outcomes[..i].iter().all(|other| other.statuses != one.statuses), "stage {i}");
        assert_eq!(one.sums.0, outcomes[0].sums.0, "the same is held");
    }
    assert!(outcomes[4].statuses.values().any(|status| *status == FENCED));
}

proptest! {
    /// Leaves in any order, and the directory growing at any moments between them.
    #[test]
    fn whenever_fences_come_the_outcome_is_the_same(
        picked in prop::sample::subsequence((0..21usize).collect::<Vec<_>>(), 0..=21).prop_shuffle(),
        growth in prop::collection::vec(0usize..22, 4),
        last in 0usize..5,
        at_once: bool,
    ) {
        let all = quarrel(&story::directory());
        let stages = stages(&all);
        let mut moments = growth[..last].to_vec();
        moments.sort_unstable();
        let mut leaves = open();
        let mut stage = 0;
        for (place, i) in picked.iter().enumerate() {
            let due = moments.iter().filter(|moment| **moment <= place).count();
            if due > stage {
                stage = due;
                leaves.judge_again(&stages[stage]);
            }
            if at_once {
                leaves.offer_all([all[*i].clone()], &stages[stage]);
            } else {
                leaves.offer(all[*i].clone(), &stages[stage]);
            }
        }
        leaves.judge_again(&stages[last]);
        let mut sorted = picked.clone();
        sorted.sort_unstable();
        let in_order = offer_all(sorted.into_iter().map(|i| all[i].clone()), &stages[last]);
        prop_assert_eq!(outcome(&leaves), outcome(&in_order));
        let mut unasked = open();
        for (place, i) in picked.iter().enumerate() {
            let due = moments.iter().filter(|moment| **moment <= place).count();
            unasked.offer(all[*i].clone(), &stages[due]);
        }
        unasked.judge_again(&stages[last]);
        prop_assert_eq!(outcome(&unasked), outcome(&in_order), "even if nobody asked to judge again on the way");
    }
}

#[test]
fn what_a_fenced_node_wrote_by_another_declaration_is_judged_by_ours_for_nobody_is_left_to_vouch() {
    let directory = story::directory();
    let first = birth();
    let root = leaf(&VILLAGE, &first, PLAIN, &directory);
    let doubted = leaf(&TOWNSHIP, &edit(&TOWNSHIP, &history([&first]), 1), PLAIN, &directory);
    let mut leaves = open();
    leaves.doubt(doubted.hash);
    for leaf in [&root, &doubted] {
        leaves.offer(leaf.clone(), &directory);
    }
    assert_eq!(status(&leaves, &doubted).unjudged(), Some(crate::admission::Unjudged::Differing));
    let fenced = with(&directory, fence(&TOWNSHIP, &[&doubted], &[]));
    leaves.judge_again(&fenced);
    assert_eq!(status(&leaves, &doubted), Status::Admitted);
    leaves.judge_again(&with(&directory, fence(&TOWNSHIP, &[], &[])));
    assert_eq!(status(&leaves, &doubted), FENCED, "beyond the frontier a fence says all");
}
