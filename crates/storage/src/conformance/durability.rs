//! Whole or not at all, and still there afterwards; incarnations.

use heliu_trust::id::Incarnation;

use super::sample::{
    ALL, AUTHOR, FIRST, OTHER, SECOND, STORE, answer_of, audited, commit, conflict, contents, edit, erased, grant, id,
    refused, row, seat, statement, stranded, stub,
};
use super::{Harness, must};
use crate::row::Counts;
use crate::{
    CommandId, Cursor, FeedEntry, LeafStatus, Meta, ReadAudit as _, ReadCommits as _, ReadConflicts as _,
    ReadFeed as _, ReadMeta as _, ReadRecords as _, RecordState, Store as _, StoreId, Transaction,
};

/// A transaction with something for every table, on top of 10 records at head 10.
fn everything() -> Transaction {
    let mut transaction = edit(10, &commit(OTHER, 1), &[20, 21]);
    transaction.feed.push(FeedEntry::Rescope {
        position: 13,
        record: id(3),
        added: vec![seat(1), seat(2)],
        removed: vec![seat(3)],
    });
    transaction.feed.push(FeedEntry::Grant(grant(14, 3)));
    let hidden = crate::RecordRow { state: RecordState::Hidden { since: 13 }, ..row(3, 2) };
    let waiting = crate::RecordRow { waiting: true, ..row(4, 2) };
    transaction.records.extend([hidden, waiting, stub(5), stub(6), erased(7)]);
    transaction.directory = vec![b"entry one".to_vec(), b"entry two".to_vec()];
    transaction.statuses = vec![(1, LeafStatus::Refused), (11, LeafStatus::Waiting)];
    transaction.refs = vec![(id(20), vec![id(1), id(2)]), (id(21), vec![id(1)])];
    transaction.dropped = vec![id(5), id(6)];
    transaction.erased = vec![id(7)];
    transaction.directory_from = Some(0);
    transaction.statements = vec![statement(1), statement(2)];
    transaction.audit = vec![audited(1), audited(2)];
    transaction.stranded = vec![stranded(1), stranded(2)];
    transaction.declined = vec![(seat(1), true), (seat(2), true)];
    transaction.conflicts_opened = vec![conflict(1, &[1, 2]), conflict(2, &[])];
    transaction.cursors = vec![Cursor { store: StoreId([9; 16]), incarnation: SECOND, position: 77 }];
    transaction.quarantined = vec![refused(1), refused(2)];
    transaction.commands = vec![(CommandId([4; 16]), b"answer".to_vec())];
    transaction
}

pub async fn a_new_store_is_empty(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    assert_eq!(must(store.meta().await), Meta { store: STORE, head: 0, incarnations: vec![(FIRST, 0)] });
    assert_eq!(must(store.counts().await), Counts::default());
    let page = must(store.feed(0, ALL).await);
    assert!(page.items.is_empty() && page.through == 0);
    assert!(must(store.load(&[id(1)]).await).is_empty());
    assert_eq!(must(store.record(id(1)).await), None);
    assert_eq!(must(store.last_commit(AUTHOR).await), None);
    must(store.apply(&Transaction::default()).await);
    assert_eq!(must(store.meta().await).head, 0, "an empty transaction changes nothing");
}

pub async fn what_was_applied_is_there_after_a_crash(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).await);
    must(store.apply(&everything()).await);
    let before = contents(&store).await;
    assert_eq!(before.head, (STORE, 14));
    let store = must(harness.reopen(store, SECOND).await);
    assert_eq!(contents(&store).await, before);
    assert_eq!(must(store.cursor(StoreId([9; 16])).await).map(|cursor| cursor.position), Some(77));
    assert_eq!(answer_of(&store, CommandId([4; 16])).await, Some(b"answer".to_vec()));
    assert_eq!(must(store.wants(None, 10).await), [id(4)]);
    assert_eq!(must(store.hidden(13).await), [id(3)]);
    assert_eq!(must(store.last_commit(OTHER).await), Some((FIRST, 1, commit(OTHER, 1).id)));
    assert_eq!(must(store.conflicts_of(&[id(2)]).await), [conflict(1, &[1, 2])]);
    assert_eq!(must(store.audit_head().await), Some((2, audited(2).hash)));
    must(store.apply(&edit(14, &commit(AUTHOR, 2), &[30])).await);
    assert_eq!(must(store.meta().await).head, 15, "and it goes on from there");
}

pub async fn a_refused_transaction_leaves_no_trace(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).await);
    let before = contents(&store).await;
    // Each of them breaks in another place, late enough that the rest may have been written already.
    let mut gap = everything();
    gap.feed.remove(1);
    let mut no_commit = everything();
    no_commit.commits.clear();
    let mut no_record = everything();
    no_record.records.retain(|row| row.id != id(21));
    let mut no_source = everything();
    no_source.refs.push((id(99), vec![id(1)]));
    let mut audit_gap = everything();
    audit_gap.audit.remove(0);
    let broken =
        [("gap", gap), ("commit", no_commit), ("record", no_record), ("source", no_source), ("audit", audit_gap)];
    for (what, broken) in broken {
        assert!(store.apply(&broken).await.is_err(), "{what}");
        assert_eq!(contents(&store).await, before, "{what}");
        assert_eq!(must(store.cursor(StoreId([9; 16])).await), None, "{what}");
        assert_eq!(answer_of(&store, CommandId([4; 16])).await, None, "{what}");
    }
    must(store.apply(&everything()).await);
    let store = must(harness.reopen(store, SECOND).await);
    assert_eq!(contents(&store).await.head, (STORE, 14), "what is right is taken after it");
}

pub async fn every_opening_is_an_incarnation(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1, 2, 3])).await);
    let store = must(harness.reopen(store, SECOND).await);
    must(store.apply(&edit(3, &commit(AUTHOR, 2), &[4, 5])).await);
    let meta = must(store.meta().await);
    assert_eq!(meta.incarnations, [(FIRST, 0), (SECOND, 3)]);
    let honours = |incarnation, position| meta.honours(&Cursor { store: STORE, incarnation, position });
    assert!(honours(FIRST, 0) && honours(FIRST, 3), "what the first one reached");
    assert!(!honours(FIRST, 4), "the first one never reached 4: another copy of it did");
    assert!(honours(SECOND, 5) && !honours(SECOND, 6));
    assert!(!honours(Incarnation([3; 16]), 1), "nobody knows this one");
    assert!(!meta.honours(&Cursor { store: StoreId([8; 16]), incarnation: FIRST, position: 1 }));
}

pub async fn an_incarnation_is_used_once(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    assert!(harness.reopen(store, FIRST).await.is_err());
}

pub async fn a_transaction_may_begin_an_incarnation(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1])).await);
    let mut next = edit(1, &commit(AUTHOR, 2), &[2]);
    next.incarnation = Some(SECOND);
    must(store.apply(&next).await);
    let meta = must(store.meta().await);
    assert_eq!((meta.head, &meta.incarnations[..]), (2, &[(FIRST, 0), (SECOND, 1)][..]));
    let again = Transaction { incarnation: Some(FIRST), ..Transaction::default() };
    assert!(store.apply(&again).await.is_err());
    assert_eq!(must(store.meta().await), meta);
}
