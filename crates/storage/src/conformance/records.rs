//! Rows of records, and what is found by them.

use heliu_record::gate::Stamp;
use heliu_record::id::RecordId;
use heliu_record::scope::Scope;
use heliu_trust::id::NodeId;

use super::sample::{AUTHOR, FIRST, OTHER, STORE, commit, conflict, edit, id, leaf, refused, row, sources, stub};
use super::{Harness, must};
use crate::row::Counts;
use crate::{
    FeedEntry, LeafRow, ListQuery, ReadMeta as _, ReadRecords as _, RecordRow, RecordState, ScanItem, Standing,
    Store as _, Transaction, Unjudged,
};

fn rows(records: Vec<RecordRow>) -> Transaction {
    Transaction { records, ..Transaction::default() }
}

fn sorted(numbers: impl IntoIterator<Item = u64>) -> Vec<RecordId> {
    let mut ids: Vec<RecordId> = numbers.into_iter().map(id).collect();
    ids.sort_unstable();
    ids
}

fn ids(rows: &[RecordRow]) -> Vec<RecordId> {
    rows.iter().map(|row| row.id).collect()
}

pub async fn a_row_is_replaced(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let forms = [
        row(1, 1),
        RecordRow { waiting: true, ..row(1, 2) },
        RecordRow { state: RecordState::Hidden { since: 12 }, ..row(1, 3) },
        stub(1),
        row(1, 4),
    ];
    for form in forms {
        must(store.apply(&rows(vec![form.clone()])).await);
        assert_eq!(must(store.record(id(1)).await), Some(form));
    }
    must(store.apply(&rows(vec![stub(2), stub(3)])).await);
    assert_eq!(must(store.record(id(2)).await), Some(stub(2)));
    assert_eq!(must(store.record(id(3)).await), Some(stub(3)));
    must(store.apply(&rows(vec![row(1, 5), row(1, 6)])).await);
    assert_eq!(must(store.record(id(1)).await), Some(row(1, 6)), "of two the later");
}

pub async fn scanning_one_scope(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let (one, other) = (row(0, 1).scope, row(1, 1).scope);
    let of = |scope: &Scope, n, version| RecordRow { scope: scope.clone(), ..row(n, version) };
    must(store.apply(&rows((0..8).map(|n| of(&one, n, 1)).chain([of(&other, 8, 1)]).collect())).await);
    must(store.apply(&rows(vec![of(&other, 3, 2), of(&one, 4, 2)])).await);
    for (scope, expected) in [(one, vec![0, 1, 2, 4, 5, 6, 7]), (other.clone(), vec![3, 8])] {
        let (mut seen, mut after): (Vec<ScanItem>, _) = (Vec::new(), None);
        loop {
            let page = must(store.scan_scope(&scope, after, 3).await);
            assert!(page.items.len() <= 3 && page.damaged.is_empty());
            assert!(page.items.iter().all(|item| item.scope == scope));
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut found: Vec<RecordId> = seen.iter().map(|item| item.id).collect();
        found.sort_unstable();
        assert_eq!(found, sorted(expected));
    }
    assert!(must(store.scan_scope(&other, None, 0).await).items.is_empty());
}

pub async fn scanning_in_pages(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let hidden = RecordRow { state: RecordState::Hidden { since: 1 }, ..row(8, 1) };
    must(store.apply(&rows((0..8).map(|n| row(n, 1)).chain([hidden, stub(9)]).collect())).await);
    let (mut seen, mut after): (Vec<ScanItem>, _) = (Vec::new(), None);
    loop {
        let page = must(store.scan(after, 3).await);
        assert!(page.items.len() <= 3 && page.damaged.is_empty());
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
        assert_eq!(after, seen.last().map(|item| item.id));
    }
    assert_eq!(seen.iter().map(|item| item.id).collect::<Vec<_>>(), sorted(0..10));
    let at = |n| seen.iter().find(|item| item.id == id(n));
    let expected = row(4, 1);
    let item = ScanItem {
        id: id(4),
        scope: expected.scope,
        standing: Standing::Present,
        held: expected.held,
        admitted: expected.admitted,
        leaves: expected.leaves,
    };
    assert_eq!(at(4), Some(&item));
    assert_eq!(at(8).map(|item| item.standing), Some(Standing::Hidden));
    assert_eq!(at(9).map(|item| item.standing), Some(Standing::Gone));
    assert!(must(store.scan(None, 0).await).items.is_empty());
    let exactly = must(store.scan(None, 10).await);
    assert_eq!(must(store.scan(exactly.next, 10).await).items, [], "a full page may be the last");
}

pub async fn short_ids(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&rows((0..300).map(|n| row(n, 1)).collect())).await);
    let whole = id(17).to_string();
    assert_eq!(must(store.by_prefix(&whole).await), [id(17)]);
    assert_eq!(must(store.by_prefix(&whole[..13]).await), [id(17)], "an odd number of digits");
    assert_eq!(must(store.by_prefix(&whole.to_uppercase()[..10]).await), [id(17)]);
    assert_eq!(must(store.by_prefix("").await), sorted(0..300)[..2], "no more than tell that it is not clear");
    assert!(must(store.by_prefix("no hex").await).is_empty());
    assert!(must(store.by_prefix("合流").await).is_empty());
    assert!(must(store.by_prefix(&format!("{whole}0")).await).is_empty());
    let (first, last) = (sorted(0..300)[0], sorted(0..300)[299]);
    assert!(must(store.by_prefix(&last.to_string()[..20]).await).contains(&last));
    assert!(must(store.by_prefix(&first.to_string()[..20]).await).contains(&first));
}

pub async fn listing(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let mut transaction = rows((0..20).map(|n| row(n, 1)).chain([stub(20), stub(21)]).collect());
    transaction.refs = (2..12).map(|n| (id(n), vec![id(0), id(n + 1)])).collect();
    must(store.apply(&transaction).await);
    let list = |query: ListQuery| {
        let store = &store;
        async move { ids(&must(store.list(&query).await).rows) }
    };
    let all = ListQuery { limit: 100, ..ListQuery::default() };
    let members = ListQuery { kind: Some("member".into()), ..all.clone() };
    assert_eq!(list(all.clone()).await, sorted(0..22), "in any state");
    assert_eq!(list(members.clone()).await, sorted((0..22).step_by(2)));
    assert_eq!(list(ListQuery { kind: Some("other".into()), ..all.clone() }).await, []);
    let to_zero = ListQuery { refers_to: Some(id(0)), ..all.clone() };
    assert_eq!(list(to_zero.clone()).await, sorted(2..12));
    let both = ListQuery { refers_to: Some(id(0)), ..members.clone() };
    assert_eq!(list(both.clone()).await, sorted((2..12).step_by(2)));
    assert_eq!(list(ListQuery { refers_to: Some(id(19)), ..all.clone() }).await, []);
    for (query, expected) in [
        (all, sorted(0..22)),
        (members, sorted((0..22).step_by(2))),
        (to_zero, sorted(2..12)),
        (both, sorted((2..12).step_by(2))),
    ] {
        let mut seen: Vec<RecordId> = Vec::new();
        let mut after = None;
        loop {
            let page = must(store.list(&ListQuery { after, limit: 3, ..query.clone() }).await);
            assert!(page.rows.len() <= 3 && page.damaged.is_empty());
            seen.extend(ids(&page.rows));
            after = page.next;
            if after.is_none() {
                break;
            }
            assert_eq!(after, seen.last().copied());
        }
        assert_eq!(seen, expected, "{query:?}");
    }
}

/// One large row does not stand in the way of the others, and is there.
pub async fn listing_by_bytes(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let long = |n| RecordRow { view: vec![b' '; if n % 4 == 0 { 9_000 } else { 300 }], ..row(n, 1) };
    must(store.apply(&rows((0..20).map(long).collect())).await);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = must(store.list(&ListQuery { after, bytes: 1_000, ..ListQuery::default() }).await);
        assert!((1..=5).contains(&page.rows.len()), "{} rows", page.rows.len());
        seen.extend(ids(&page.rows));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, sorted(0..20));
}

pub async fn references_are_replaced_as_a_whole(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let refs = |source, targets: &[u64]| (id(source), targets.iter().map(|n| id(*n)).collect::<Vec<_>>());
    let mut transaction = rows((0..4).map(|n| row(n, 1)).collect());
    // A target need not be here, and may be named twice.
    transaction.refs = vec![refs(0, &[2, 3, 99, 99]), refs(1, &[2])];
    must(store.apply(&transaction).await);
    assert_eq!(sources(&store, id(2)).await, sorted([0, 1]));
    assert_eq!(sources(&store, id(99)).await, [id(0)]);
    let anew = Transaction { refs: vec![refs(0, &[3, 1])], ..Transaction::default() };
    must(store.apply(&anew).await);
    assert_eq!(sources(&store, id(2)).await, [id(1)]);
    assert_eq!(sources(&store, id(3)).await, [id(0)]);
    assert_eq!(sources(&store, id(1)).await, [id(0)]);
    assert!(sources(&store, id(99)).await.is_empty());
    must(store.apply(&rows(vec![row(0, 2)])).await);
    assert_eq!(sources(&store, id(3)).await, [id(0)], "a new row alone leaves them");
    let none = Transaction { refs: vec![refs(0, &[]), refs(1, &[])], ..Transaction::default() };
    must(store.apply(&none).await);
    for n in [1, 2, 3] {
        assert!(sources(&store, id(n)).await.is_empty());
    }
}

pub async fn wants_are_the_records_that_wait(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&rows((0..9).map(|n| RecordRow { waiting: n % 3 == 0, ..row(n, 1) }).collect())).await);
    let waiting = sorted([0, 3, 6]);
    assert_eq!(must(store.wants(None, 10).await), waiting);
    assert_eq!(must(store.wants(None, 2).await), waiting[..2]);
    let [first, second, third] = [waiting[0], waiting[1], waiting[2]];
    assert_eq!(must(store.wants(Some(first), 2).await), [second, third]);
    assert_eq!(must(store.wants(Some(second), 10).await), [third, first, second], "and round again, each once");
    assert_eq!(must(store.wants(Some(third), 2).await), [first, second]);
    must(store.apply(&rows(vec![row(3, 2), RecordRow { waiting: true, ..row(4, 2) }])).await);
    assert_eq!(must(store.wants(None, 10).await), sorted([0, 4, 6]));
}

pub async fn records_that_could_not_be_judged_are_found_without_the_others(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let unjudged = |differing, byte| Some(Unjudged { by: Stamp([byte; 8]), differing });
    let held = |n, unjudged| RecordRow { unjudged, ..row(n, 1) };
    let written = vec![row(0, 1), held(1, unjudged(true, 7)), held(2, unjudged(false, 8)), row(3, 1)];
    must(store.apply(&rows(written)).await);
    let found = must(store.unjudged(None, 10).await);
    let mut expected = [(1, unjudged(true, 7)), (2, unjudged(false, 8))]
        .map(|(n, unjudged)| (id(n), row(n, 1).preimage.kind, unjudged));
    expected.sort();
    assert_eq!(
        found.iter().map(|row| (row.record, row.kind.clone(), Some(row.unjudged))).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(must(store.unjudged(Some(found[0].record), 1).await), found[1..]);
    assert_eq!(must(store.unjudged(Some(found[1].record), 1).await), found[..1]);
    must(store.apply(&rows(vec![held(1, None)])).await);
    assert_eq!(must(store.unjudged(None, 10).await).len(), 1);
    assert_eq!(must(store.record(id(2)).await).and_then(|row| row.unjudged), unjudged(false, 8));
}

pub async fn hidden_records_by_position(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let hidden = |n, since| RecordRow { state: RecordState::Hidden { since }, ..row(n, 1) };
    must(store.apply(&rows(vec![row(0, 1), hidden(1, 5), hidden(2, 6), hidden(3, 7), stub(4)])).await);
    assert!(must(store.hidden(4).await).is_empty());
    assert_eq!(must(store.hidden(6).await), sorted([1, 2]), "at or before");
    must(store.apply(&rows(vec![row(1, 2), stub(3)])).await);
    assert_eq!(must(store.hidden(100).await), [id(2)], "what came back or went is not hidden");
}

pub async fn counting(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let mut transaction = edit(0, &commit(AUTHOR, 1), &[0, 1, 2, 0, 0]);
    let hidden = RecordRow { state: RecordState::Hidden { since: 1 }, ..row(3, 1) };
    transaction.records.extend([hidden, stub(4), RecordRow { waiting: true, ..row(5, 1) }]);
    transaction.commits.push(commit(OTHER, 1));
    transaction.conflicts_opened = vec![conflict(1, &[0]), conflict(2, &[1]), conflict(3, &[2])];
    transaction.conflicts_closed = vec![conflict(9, &[]).id];
    transaction.quarantined = vec![refused(1)];
    must(store.apply(&transaction).await);
    let counts = Counts { records: 4, stubs: 1, leaves: 5, commits: 2, conflicts: 3, quarantined: 1, waiting: 1 };
    assert_eq!(must(store.counts().await), counts, "a hidden record counts as neither");
}

pub async fn written_by_an_author(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2, 3, 4, 1])).await);
    must(store.apply(&edit(5, &commit(OTHER, 1), &[4, 5])).await);
    let hidden = RecordRow { state: RecordState::Hidden { since: 1 }, ..row(2, 1) };
    must(store.apply(&rows(vec![hidden, stub(3)])).await);
    assert_eq!(must(store.written_by(AUTHOR).await), sorted([1, 2, 4]), "present or hidden, each once");
    assert_eq!(must(store.written_by(OTHER).await), sorted([4, 5]));
    assert!(must(store.written_by(NodeId([0; 16])).await).is_empty());
}

pub async fn a_row_under_a_wrong_id_gets_its_own(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let of = commit(AUTHOR, 1);
    let misplaced = |n: u64, position| {
        let row = RecordRow { id: id(n), ..row(1, 1) };
        let leaf = FeedEntry::Leaf(LeafRow { record: id(n), ..leaf(position, 1, &of) });
        (row, leaf)
    };
    let ((first, one), (second, two)) = (misplaced(50, 1), misplaced(60, 2));
    let before = Transaction {
        commits: vec![of.clone()],
        records: vec![first, second],
        feed: vec![one, two],
        refs: vec![(id(50), vec![id(7)])],
        ..Transaction::default()
    };
    must(store.apply(&before).await);
    let page = must(store.scan(None, 10).await);
    assert_eq!((page.items.len(), page.damaged.len()), (0, 2), "they count for nothing");
    let rename = |wrong| Transaction { renamed: vec![(id(wrong), id(1))], ..Transaction::default() };
    must(store.apply(&rename(50)).await);
    let found = must(store.load(&[id(1)]).await);
    assert_eq!(found.into_iter().map(|found| found.row).collect::<Vec<_>>(), [row(1, 1)]);
    assert_eq!(sources(&store, id(7)).await, [id(1)]);
    // A row with that id is there by now.
    must(store.apply(&rename(60)).await);
    let loaded = must(store.load(&[id(1), id(50), id(60)]).await);
    assert_eq!(loaded.len(), 1);
    assert_eq!(loaded[0].row, row(1, 1));
    assert_eq!(loaded[0].leaves.iter().map(|leaf| leaf.position).collect::<Vec<_>>(), [1, 2]);
    must(store.apply(&rename(99)).await);
    assert_eq!(must(store.counts().await).records, 1, "what is not there changes nothing");
}
