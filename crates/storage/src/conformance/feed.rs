//! The feed: order, pages, leaves that go, leaves of records, commits.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::gate::KindDigest;
use heliu_record::id::RecordId;
use heliu_trust::id::{CommitId, Incarnation, NodeId};

use super::sample::{
    ALL, AUTHOR, FIRST, OTHER, SECOND, STORE, commit, contents, edit, grant, id, leaf, row, seat, sources, stub,
};
use super::{Harness, must};
use crate::row::CommitRow;
use crate::{
    Budget, FeedEntry, FeedPage, LeafStatus, ListQuery, Position, ReadCommits as _, ReadFeed as _, ReadMeta as _,
    ReadRecords as _, RecordState, Store as _, Transaction,
};

fn positions(page: &FeedPage) -> Vec<Position> {
    page.items.iter().map(|item| item.entry.position()).collect()
}

pub async fn pages_carry_what_sending_takes(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let of = commit(AUTHOR, 1);
    must(store.apply(&edit(0, &of, &[1, 2, 3])).await);
    must(store.apply(&edit(3, &commit(AUTHOR, 2), &[2])).await);
    must(store.apply(&Transaction { records: vec![row(2, 7)], ..Transaction::default() }).await);
    let page = must(store.feed(0, ALL).await);
    assert_eq!((positions(&page), page.through), (vec![1, 2, 3, 4], 4));
    for (item, n) in page.items.iter().zip([1, 2, 3, 2]) {
        let now = row(n, if n == 2 { 7 } else { 1 });
        assert_eq!((&*item.preimage, &*item.scope), (&now.preimage, &now.scope), "the scope is the one of now");
    }
    assert_eq!(page.items[1].entry, FeedEntry::Leaf(leaf(2, 2, &of)));
    let commits: Vec<&Arc<[u8]>> = page.items.iter().filter_map(|item| item.commit.as_ref()).collect();
    assert_eq!(*commits[0], of.encoded);
    assert!(Arc::ptr_eq(commits[0], commits[2]), "leaves of one commit share it");
    assert!(Arc::ptr_eq(&page.items[1].scope, &page.items[3].scope), "entries of one record share its scope");
    let page = must(store.feed(3, ALL).await);
    assert_eq!((positions(&page), page.through), (vec![4], 4));
    let page = must(store.feed(4, ALL).await);
    assert_eq!((positions(&page), page.through), (vec![], 4));
}

pub async fn positions_follow_the_head(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2])).await);
    let before = contents(&store).await;
    for head in [0, 1, 3, 100] {
        assert!(store.apply(&edit(head, &commit(AUTHOR, 2), &[3])).await.is_err(), "after {head}");
    }
    let mut twice = edit(2, &commit(AUTHOR, 2), &[3, 4]);
    twice.feed.swap(0, 1);
    assert!(store.apply(&twice).await.is_err(), "out of order");
    assert_eq!(contents(&store).await, before);
    must(store.apply(&edit(2, &commit(AUTHOR, 2), &[3])).await);
    assert_eq!(must(store.meta().await).head, 3);
}

pub async fn a_leaf_needs_its_commit_and_its_record(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let no_commit = Transaction { commits: Vec::new(), ..edit(0, &commit(AUTHOR, 1), &[1]) };
    let no_record = Transaction { records: Vec::new(), ..edit(0, &commit(AUTHOR, 1), &[1]) };
    assert!(store.apply(&no_commit).await.is_err());
    assert!(store.apply(&no_record).await.is_err());
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1])).await);
    let known = Transaction { commits: Vec::new(), records: Vec::new(), ..edit(1, &commit(AUTHOR, 1), &[1]) };
    must(store.apply(&known).await);
}

pub async fn a_page_keeps_to_its_budget(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let mut transaction = edit(0, &commit(AUTHOR, 1), &[1, 2, 3, 4, 5, 6]);
    for (entry, size) in transaction.feed.iter_mut().zip([100, 100, 5_000, 100, 100, 100]) {
        if let FeedEntry::Leaf(leaf) = entry {
            leaf.change = vec![7; size].into();
        }
    }
    must(store.apply(&transaction).await);
    let page = |after, entries, bytes| {
        let store = &store;
        async move {
            let page = must(store.feed(after, Budget { entries, bytes }).await);
            (positions(&page), page.through)
        }
    };
    assert_eq!(page(0, 2, 1 << 20).await, (vec![1, 2], 2), "entries");
    assert_eq!(page(0, 6, 1 << 20).await, (vec![1, 2, 3, 4, 5, 6], 6), "exactly all");
    assert_eq!(page(0, 10, 200).await, (vec![1, 2], 2), "bytes");
    assert_eq!(page(1, 10, 250).await, (vec![2], 2), "the third is too large for what is left");
    assert_eq!(page(2, 10, 10).await, (vec![3], 3), "at least one, however large");
    assert_eq!(page(0, 0, 0).await, (vec![1], 1), "at least one, however small the budget");
    let mut after = 0;
    let mut seen = Vec::new();
    while after < 6 {
        let (positions, through) = page(after, 100, 150).await;
        seen.extend(positions);
        after = through;
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6], "pages join without gap or repetition");
}

pub async fn rescopes_are_entries(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1])).await);
    let rescope =
        FeedEntry::Rescope { position: 2, record: id(1), added: vec![seat(5), seat(4)], removed: vec![seat(9)] };
    must(store.apply(&Transaction { feed: vec![rescope.clone()], ..Transaction::default() }).await);
    let page = must(store.feed(1, Budget { entries: 10, bytes: 0 }).await);
    assert_eq!(page.items[0].entry, rescope);
    assert!(page.items[0].commit.is_none());
    assert_eq!(*page.items[0].scope, row(1, 1).scope);
    let loaded = must(store.load(&[id(1)]).await);
    assert_eq!(loaded[0].leaves.len(), 1, "it is no leaf");
    assert_eq!(positions(&must(store.leaves_of(&[id(1)].into()).await)), [1]);
}

pub async fn dropped_leaves_leave_gaps(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2, 1, 2, 3])).await);
    let rescope = FeedEntry::Rescope { position: 6, record: id(1), added: vec![], removed: vec![seat(1)] };
    let exit =
        Transaction { feed: vec![rescope], records: vec![stub(1)], dropped: vec![id(1)], ..Transaction::default() };
    must(store.apply(&exit).await);
    let page = must(store.feed(0, ALL).await);
    assert_eq!((positions(&page), page.through), (vec![2, 4, 5, 6], 6), "its rescope stays, to be told to others");
    let page = must(store.feed(0, Budget { entries: 1, bytes: 1 << 20 }).await);
    assert_eq!((positions(&page), page.through), (vec![2], 3), "the gap has been looked at");
    assert_eq!(must(store.record(id(1)).await), Some(stub(1)));
    assert!(must(store.load(&[id(1)]).await)[0].leaves.is_empty());
    assert_eq!(positions(&must(store.leaves_of(&[id(1), id(2)].into()).await)), [2, 4]);
    assert_eq!(must(store.counts().await).leaves, 3);
    // A late leaf of a record that is a stub is held, and can go with the next exit.
    let late = Transaction { records: vec![stub(1)], ..edit(6, &commit(OTHER, 1), &[1]) };
    must(store.apply(&late).await);
    assert_eq!(must(store.load(&[id(1)]).await)[0].leaves.len(), 1);
    assert_eq!(positions(&must(store.leaves_of(&[id(1)].into()).await)), Vec::<Position>::new(), "but is not sent");
    // What comes in the transaction that drops the record stays: dropping means what was there before.
    let again = Transaction { records: vec![stub(1)], dropped: vec![id(1)], ..edit(7, &commit(OTHER, 2), &[1]) };
    must(store.apply(&again).await);
    assert_eq!(positions(&must(store.feed(6, ALL).await)), [8]);
}

/// By which declaration a leaf is to be judged is kept with it, and a leaf that somebody else vouches for goes out again.
pub async fn leaves_move_to_the_end(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let one = commit(AUTHOR, 1);
    let tagged = crate::LeafRow { declared: Some(KindDigest([7; 32])), ..leaf(2, 1, &one) };
    let mut transaction = edit(0, &one, &[1, 1]);
    transaction.feed[1] = FeedEntry::Leaf(tagged.clone());
    must(store.apply(&transaction).await);
    assert_eq!(must(store.load(&[id(1)]).await)[0].leaves, [leaf(1, 1, &one), tagged.clone()]);
    assert_eq!(must(store.feed(1, ALL).await).items[0].entry, FeedEntry::Leaf(tagged));
    let again = FeedEntry::Leaf(leaf(3, 1, &one));
    must(store.apply(&Transaction { feed: vec![again.clone()], moved: vec![2], ..Transaction::default() }).await);
    let page = must(store.feed(0, ALL).await);
    assert_eq!((positions(&page), &page.items[1].entry), (vec![1, 3], &again));
    assert_eq!(must(store.load(&[id(1)]).await)[0].leaves, [leaf(1, 1, &one), leaf(3, 1, &one)]);
    assert_eq!(must(store.counts().await).leaves, 2);
}

pub async fn the_head_outlives_a_dropped_tail(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2, 2])).await);
    let exit = Transaction { records: vec![stub(2)], dropped: vec![id(2)], ..Transaction::default() };
    must(store.apply(&exit).await);
    assert_eq!(must(store.feed(1, ALL).await).through, 3);
    let store = must(harness.reopen(store, SECOND).await);
    let meta = must(store.meta().await);
    assert_eq!((meta.head, &meta.incarnations[..]), (3, &[(FIRST, 0), (SECOND, 3)][..]));
    let page = must(store.feed(1, ALL).await);
    assert_eq!((positions(&page), page.through), (vec![], 3));
    must(store.apply(&edit(3, &commit(AUTHOR, 2), &[1])).await);
    assert_eq!(positions(&must(store.feed(0, ALL).await)), [1, 4]);
}

pub async fn leaves_are_judged_anew(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let mut transaction = edit(0, &commit(AUTHOR, 1), &[1, 1, 1, 1, 1]);
    let statuses =
        [LeafStatus::Admitted, LeafStatus::Waiting, LeafStatus::Held, LeafStatus::Excluded, LeafStatus::Refused];
    transaction.statuses = (1..).zip(statuses).collect();
    must(store.apply(&transaction).await);
    let judged = |loaded: Vec<crate::Loaded>| loaded[0].leaves.iter().map(|leaf| leaf.status).collect::<Vec<_>>();
    assert_eq!(judged(must(store.load(&[id(1)]).await)), statuses, "also leaves of the same transaction");
    let anew = vec![(2, LeafStatus::Refused), (2, LeafStatus::Admitted), (5, LeafStatus::Held), (99, LeafStatus::Held)];
    must(store.apply(&Transaction { statuses: anew, ..Transaction::default() }).await);
    let expected =
        [LeafStatus::Admitted, LeafStatus::Admitted, LeafStatus::Held, LeafStatus::Excluded, LeafStatus::Held];
    assert_eq!(judged(must(store.load(&[id(1)]).await)), expected, "the last word counts, unknown positions do not");
}

pub async fn leaves_of_some_records(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2, 3])).await);
    must(store.apply(&edit(3, &commit(AUTHOR, 2), &[3, 2, 1])).await);
    must(store.apply(&Transaction { records: vec![stub(2)], ..Transaction::default() }).await);
    let page = must(store.leaves_of(&[id(1), id(2), id(3), id(77)].into()).await);
    assert_eq!((positions(&page), page.through), (vec![1, 3, 4, 6], 6), "in feed order, without stubs");
    assert_eq!(page.items[0].commit.as_deref(), Some(&*commit(AUTHOR, 1).encoded));
    assert_eq!(page.items[3].entry, FeedEntry::Leaf(leaf(6, 1, &commit(AUTHOR, 2))));
    let hidden = crate::RecordRow { state: RecordState::Hidden { since: 1 }, ..row(1, 1) };
    must(store.apply(&Transaction { records: vec![hidden], ..Transaction::default() }).await);
    assert_eq!(positions(&must(store.leaves_of(&[id(1)].into()).await)), [1, 6], "hidden records still have theirs");
    assert!(must(store.leaves_of(&BTreeSet::new()).await).items.is_empty());
}

pub async fn loading_records(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let (one, two) = (commit(AUTHOR, 1), commit(AUTHOR, 2));
    must(store.apply(&edit(0, &one, &[1, 2, 3])).await);
    must(store.apply(&edit(3, &two, &[1])).await);
    let loaded = must(store.load(&[id(3), id(77), id(1), id(3)]).await);
    let ids: Vec<RecordId> = loaded.iter().map(|loaded| loaded.row.id).collect();
    assert_eq!(ids, [id(3), id(1)], "as asked, each once");
    assert_eq!(loaded[1].row, row(1, 1));
    assert_eq!(loaded[1].leaves, [leaf(1, 1, &one), leaf(4, 1, &two)]);
    assert_eq!(loaded[1].commits, [one.encoded, two.encoded]);
    assert!(Arc::ptr_eq(&loaded[0].commits[0], &loaded[1].commits[0]));
    must(store.apply(&Transaction { records: vec![row(50, 1)], ..Transaction::default() }).await);
    assert!(must(store.load(&[id(50)]).await)[0].leaves.is_empty(), "a row without leaves");
}

/// The leaves of one record alone, in order, by number or by bytes; others and grants are left out.
pub async fn a_history_comes_in_pages(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let commits: Vec<CommitRow> = (1..=6).map(|seq| commit(AUTHOR, seq)).collect();
    for (commit, head) in commits.iter().zip((0..).step_by(2)) {
        must(store.apply(&edit(head, commit, &[1, 2])).await);
    }
    let alone = Transaction { feed: vec![FeedEntry::Grant(grant(13, 1))], ..Transaction::default() };
    must(store.apply(&alone).await);
    let expected: Vec<_> = commits.iter().zip((1..).step_by(2)).map(|(of, position)| leaf(position, 1, of)).collect();
    for budget in [ALL, Budget { entries: 2, ..ALL }, Budget { bytes: 0, ..ALL }] {
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let (leaves, more) = must(store.history(id(1), after, budget).await);
            assert!(leaves.len() <= budget.entries && (budget.bytes > 0 || leaves.len() == 1));
            after = leaves.last().map_or(after, |leaf| leaf.position);
            seen.extend(leaves);
            if !more {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
    assert_eq!(must(store.history(id(77), 0, ALL).await), (Vec::new(), false));
}

pub async fn grants_are_entries(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let mut transaction = edit(0, &commit(AUTHOR, 1), &[1, 2]);
    transaction.feed.extend([(3, 2), (4, 1)].map(|(position, n)| FeedEntry::Grant(grant(position, n))));
    must(store.apply(&transaction).await);
    must(store.apply(&edit(4, &commit(AUTHOR, 2), &[1])).await);
    let page = must(store.feed(0, ALL).await);
    assert_eq!(positions(&page), [1, 2, 3, 4, 5]);
    let item = &page.items[2];
    assert_eq!(item.entry, FeedEntry::Grant(grant(3, 2)));
    assert_eq!((&*item.preimage, &*item.scope), (&row(2, 1).preimage, &row(2, 1).scope));
    assert!(item.commit.is_none(), "it is part of none");
    let page = must(store.feed(2, Budget { entries: 10, bytes: grant(3, 2).grant.len() }).await);
    assert_eq!(positions(&page), [3], "it counts for what it takes");
    assert_eq!(positions(&must(store.leaves_of(&[id(1)].into()).await)), [1, 4, 5], "and is of the whole record");
    let loaded = must(store.load(&[id(1), id(2)]).await);
    assert_eq!(loaded[0].leaves.len(), 2);
    assert_eq!((&loaded[0].grants[..], &loaded[1].grants[..]), (&[grant(4, 1)][..], &[grant(3, 2)][..]));
    assert_eq!(must(store.counts().await).leaves, 3, "it is no leaf");
    let no_record = Transaction { feed: vec![FeedEntry::Grant(grant(6, 77))], ..Transaction::default() };
    assert!(store.apply(&no_record).await.is_err());
    let alone = Transaction { feed: vec![FeedEntry::Grant(grant(6, 1))], ..Transaction::default() };
    must(store.apply(&alone).await);
    assert_eq!(must(store.load(&[id(1)]).await)[0].grants, [grant(4, 1), grant(6, 1)]);
    must(store.apply(&edit(6, &commit(AUTHOR, 3), &[3])).await);
    let granted = must(store.granted(None, 10).await);
    let mut both = [id(1), id(2)];
    both.sort_unstable();
    assert_eq!(granted.iter().map(|item| item.id).collect::<Vec<_>>(), both, "who has some is found");
    assert_eq!(must(store.granted(None, 1).await), granted[..1]);
    assert_eq!(must(store.granted(Some(both[0]), 10).await), granted[1..]);
}

pub async fn grants_go_with_their_record(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let mut transaction = edit(0, &commit(AUTHOR, 1), &[1, 2]);
    transaction.feed.extend([(3, 1), (4, 2)].map(|(position, n)| FeedEntry::Grant(grant(position, n))));
    must(store.apply(&transaction).await);
    // A judgement of leaves does not touch it.
    let judged = vec![(3, LeafStatus::Refused)];
    must(store.apply(&Transaction { statuses: judged, ..Transaction::default() }).await);
    let exit = Transaction { records: vec![stub(1)], dropped: vec![id(1)], ..Transaction::default() };
    must(store.apply(&exit).await);
    assert_eq!(positions(&must(store.feed(0, ALL).await)), [2, 4]);
    assert!(must(store.load(&[id(1)]).await)[0].grants.is_empty());
    assert_eq!(must(store.granted(None, 10).await).len(), 1);
    assert_eq!(must(store.counts().await).leaves, 1);
}

pub async fn commits_are_kept_once(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let of = commit(AUTHOR, 1);
    must(store.apply(&edit(0, &of, &[1])).await);
    // A leaf of it that was not visible before comes later, with the commit again.
    must(store.apply(&edit(1, &of, &[2])).await);
    let mut double = edit(2, &commit(AUTHOR, 2), &[3]);
    double.commits.push(commit(AUTHOR, 2));
    must(store.apply(&double).await);
    assert_eq!(must(store.counts().await).commits, 2);
    let page = must(store.feed(0, ALL).await);
    assert_eq!(page.items[1].commit.as_deref(), Some(&*of.encoded));
}

pub async fn a_commit_that_comes_again_mends_what_is_damaged(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let (of, next) = (commit(AUTHOR, 1), commit(AUTHOR, 2));
    let spoilt = CommitRow { encoded: b"not what was signed".as_slice().into(), author: OTHER, seq: 9, ..of.clone() };
    must(store.apply(&edit(0, &spoilt, &[1])).await);
    must(store.apply(&edit(1, &next, &[2])).await);
    must(store.apply(&edit(2, &of, &[3])).await);
    let page = must(store.feed(0, ALL).await);
    let commits: Vec<&[u8]> = page.items.iter().filter_map(|item| item.commit.as_deref()).collect();
    assert_eq!(commits, [&*of.encoded, &*next.encoded, &*of.encoded], "also for the leaf that had it before");
    assert_eq!(must(store.counts().await).commits, 2);
    assert_eq!(must(store.last_commit(AUTHOR).await), Some((FIRST, 2, next.id)), "it keeps its place");
}

pub async fn the_last_commit_is_the_latest_one_stored(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let add = |commits: Vec<CommitRow>| Transaction { commits, ..Transaction::default() };
    let anew = CommitRow { incarnation: SECOND, ..commit(AUTHOR, 1) };
    must(store.apply(&add(vec![commit(AUTHOR, 8), commit(OTHER, 5), commit(AUTHOR, 9)])).await);
    assert_eq!(must(store.last_commit(AUTHOR).await), Some((FIRST, 9, commit(AUTHOR, 9).id)));
    must(store.apply(&add(vec![anew.clone()])).await);
    assert_eq!(must(store.last_commit(AUTHOR).await), Some((SECOND, 1, anew.id)), "a later incarnation counts anew");
    must(store.apply(&add(vec![commit(AUTHOR, 8)])).await);
    assert_eq!(must(store.last_commit(AUTHOR).await), Some((SECOND, 1, anew.id)), "what was known changes nothing");
    assert_eq!(must(store.last_commit(OTHER).await), Some((FIRST, 5, commit(OTHER, 5).id)));
}

pub async fn the_chains_of_an_author(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let add = |commits: Vec<CommitRow>| Transaction { commits, ..Transaction::default() };
    let anew = CommitRow { incarnation: SECOND, ..commit(AUTHOR, 1) };
    let other_face: Arc<[u8]> = b"another commit 8"[..].into();
    let twice = CommitRow { id: CommitId([8; 32]), encoded: other_face, ..commit(AUTHOR, 8) };
    must(store.apply(&add(vec![commit(AUTHOR, 9), commit(OTHER, 8), commit(AUTHOR, 8), anew.clone()])).await);
    must(store.apply(&add(vec![twice.clone()])).await);
    let last = vec![(FIRST, 9, commit(AUTHOR, 9).id), (SECOND, 1, anew.id)];
    assert_eq!(must(store.chains_of(AUTHOR).await), last);
    assert!(must(store.chains_of(NodeId([0; 16])).await).is_empty());
    let at = |places: Vec<(NodeId, Incarnation, u64)>| {
        let store = &store;
        async move { must(store.commits_at(&places).await).into_iter().collect::<BTreeSet<Arc<[u8]>>>() }
    };
    assert_eq!(at(vec![(AUTHOR, FIRST, 8)]).await, [twice.encoded, commit(AUTHOR, 8).encoded].into());
    let places = vec![(AUTHOR, SECOND, 1), (OTHER, FIRST, 8), (OTHER, FIRST, 9), (OTHER, SECOND, 8)];
    assert_eq!(at(places).await, [anew.encoded, commit(OTHER, 8).encoded].into(), "what is not there is left out");
    assert!(at(Vec::new()).await.is_empty());
}

pub async fn a_large_transaction(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let count: u64 = 1_500;
    let numbers: Vec<u64> = (0..count).collect();
    let mut transaction = edit(0, &commit(AUTHOR, 0), &numbers);
    // Many commits, and one record with a long history.
    for (entry, seq) in transaction.feed.iter_mut().zip(0..) {
        let of = commit(AUTHOR, seq / 7);
        if let FeedEntry::Leaf(leaf) = entry {
            leaf.commit = of.id;
            leaf.record = id(if seq.is_multiple_of(5) { 0 } else { seq });
        }
        if seq.is_multiple_of(7) && seq > 0 {
            transaction.commits.push(of);
        }
    }
    transaction.refs = numbers.iter().map(|n| (id(*n), vec![id(n / 10), id(n / 20)])).collect();
    must(store.apply(&transaction).await);
    let page = must(store.feed(0, ALL).await);
    assert!(page.items.iter().map(|item| &item.entry).eq(&transaction.feed));
    let ids: Vec<RecordId> = numbers.iter().map(|n| id(*n)).collect();
    let loaded = must(store.load(&ids).await);
    assert_eq!(loaded.len(), ids.len());
    assert_eq!(loaded[0].leaves.len(), 300);
    assert!(loaded[0].leaves.is_sorted_by_key(|leaf| leaf.position));
    assert_eq!(must(store.leaves_of(&ids.iter().copied().collect()).await).items.len(), 1_500);
    assert_eq!(must(store.list(&ListQuery { limit: 2_000, ..ListQuery::default() }).await).rows.len(), 1_500);
    assert_eq!(sources(&store, id(149)).await.len(), 10, "1490 to 1499");
    assert_eq!(sources(&store, id(3)).await.len(), 10 + 20);
}
