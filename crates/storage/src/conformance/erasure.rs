//! Records that a tombstone takes away.

use super::sample::{
    ALL, AUTHOR, FIRST, OTHER, STORE, commit, contents, edit, erased, grant, id, refused, row, seat, sources, stranded,
};
use super::{Harness, must};
use crate::{
    FeedEntry, FeedPage, Position, ReadFeed as _, ReadMeta as _, ReadQuarantine as _, ReadRecords as _,
    ReadStranded as _, Standing, Store as _, Transaction,
};

fn positions(page: &FeedPage) -> Vec<Position> {
    page.items.iter().map(|item| item.entry.position()).collect()
}

fn erase(n: u64) -> Transaction {
    Transaction { records: vec![erased(n)], erased: vec![id(n)], ..Transaction::default() }
}

pub async fn what_is_erased_leaves_nothing_but_its_row(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let mut before = edit(0, &commit(AUTHOR, 1), &[2, 4, 2]);
    before.feed.push(FeedEntry::Grant(grant(4, 2)));
    before.feed.push(FeedEntry::Grant(grant(5, 4)));
    before.feed.push(FeedEntry::Rescope { position: 6, record: id(2), added: vec![seat(1)], removed: vec![] });
    before.refs = vec![(id(2), vec![id(4)]), (id(4), vec![id(2)])];
    before.quarantined = vec![refused(1), refused(2), refused(4)];
    before.stranded = vec![stranded(2), stranded(4)];
    must(store.apply(&before).await);
    must(store.apply(&erase(2)).await);

    assert_eq!(must(store.record(id(2)).await), Some(erased(2)));
    let page = must(store.feed(0, ALL).await);
    assert_eq!((positions(&page), page.through), (vec![2, 5, 6], 6), "its rescope stays, to be told to others");
    let loaded = must(store.load(&[id(2)]).await);
    assert!(loaded[0].leaves.is_empty() && loaded[0].grants.is_empty());
    assert!(must(store.leaves_of(&[id(2)].into()).await).items.is_empty());
    assert!(sources(&store, id(4)).await.is_empty());
    assert_eq!(sources(&store, id(2)).await, [id(4)], "who refers to it still does");
    assert_eq!(must(store.quarantine(10).await), [refused(4), refused(1)]);
    assert_eq!(must(store.stranded(10).await), [stranded(4)]);
    assert_eq!(must(store.stranded_one(stranded(2).leaf).await), None);
    let counts = must(store.counts().await);
    assert_eq!((counts.records, counts.stubs, counts.leaves), (1, 0, 1), "it is neither present nor a stub");
    let scanned = must(store.scan(None, 10).await).items;
    assert!(scanned.iter().any(|item| item.id == id(2) && item.standing == Standing::Gone));
    assert!(must(store.hidden(100).await).is_empty());
}

pub async fn what_comes_with_an_erasure_goes_too(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[2, 4])).await);
    let mut transaction = edit(2, &commit(OTHER, 1), &[2, 4]);
    transaction.feed.push(FeedEntry::Grant(grant(5, 2)));
    transaction.records = vec![erased(2), row(4, 2)];
    transaction.erased = vec![id(2), id(99)];
    transaction.refs = vec![(id(2), vec![id(4)])];
    transaction.quarantined = vec![refused(2)];
    transaction.stranded = vec![stranded(2)];
    must(store.apply(&transaction).await);
    let now = contents(&store).await;
    assert_eq!(now.head, (STORE, 5));
    assert_eq!(now.feed.iter().map(FeedEntry::position).collect::<Vec<_>>(), [2, 4]);
    assert!(now.quarantine.is_empty() && now.stranded.is_empty() && sources(&store, id(4)).await.is_empty());
    assert_eq!(now.counts.leaves, 2);
    must(store.apply(&erase(2)).await);
    assert_eq!(contents(&store).await, now, "once more changes nothing");
}

pub async fn an_erased_tail_leaves_the_head(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[4, 2, 2])).await);
    must(store.apply(&erase(2)).await);
    let store = must(harness.reopen(store, super::sample::SECOND).await);
    assert_eq!(must(store.meta().await).head, 3);
    must(store.apply(&edit(3, &commit(AUTHOR, 2), &[4])).await);
    assert_eq!(positions(&must(store.feed(0, ALL).await)), [1, 4]);
    assert_eq!(must(store.record(id(2)).await), Some(erased(2)));
}
