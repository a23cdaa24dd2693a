//! Directory, conflicts, cursors, commands, quarantine.

use super::sample::{FIRST, SECOND, STORE, answer_of, conflict, id, refused};
use super::{Harness, must};
use crate::{CommandId, ConflictRow, Cursor, QuarantineRow, Read as _, StoreId, Transaction, Write as _};

pub async fn the_directory_keeps_its_order(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let append = |entries: &[&[u8]]| Transaction {
        directory: entries.iter().map(|entry| entry.to_vec()).collect(),
        ..Transaction::default()
    };
    must(store.apply(&append(&[b"z", b"a"])).await);
    must(store.apply(&append(&[b"", b"a"])).await);
    assert_eq!(must(store.directory().await), [b"z".to_vec(), b"a".to_vec(), Vec::new(), b"a".to_vec()]);
    assert_eq!(must(store.meta().await).head, 0, "it is no part of the feed");
}

pub async fn conflicts_open_and_close(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let change = |opened: Vec<ConflictRow>, closed: &[u64]| Transaction {
        conflicts_opened: opened,
        conflicts_closed: closed.iter().map(|n| conflict(*n, &[]).id).collect(),
        ..Transaction::default()
    };
    let open = vec![conflict(1, &[10, 11]), conflict(2, &[11, 12]), conflict(3, &[])];
    must(store.apply(&change(open.clone(), &[])).await);
    let mut sorted = open;
    sorted.sort_unstable_by_key(|conflict| conflict.id);
    assert_eq!(must(store.conflicts(None, 10).await), sorted);
    assert_eq!(must(store.conflicts(None, 2).await), sorted[..2]);
    assert_eq!(must(store.conflicts(Some(sorted[0].id), 10).await), sorted[1..]);
    let of = must(store.conflicts_of(&[id(11), id(10), id(77)]).await);
    assert_eq!(of.len(), 2, "each once, however many of its anchors are asked for");
    assert!(of.is_sorted_by_key(|conflict| conflict.id));
    assert!(must(store.conflicts_of(&[]).await).is_empty());

    must(store.apply(&change(vec![conflict(1, &[10, 13])], &[2, 99])).await);
    assert!(must(store.conflicts_of(&[id(11), id(12)]).await).is_empty(), "closed, and open on other anchors");
    assert_eq!(must(store.conflicts_of(&[id(13)]).await), [conflict(1, &[10, 13])]);
    assert_eq!(must(store.conflicts(None, 10).await).len(), 2);

    must(store.apply(&change(vec![conflict(1, &[14])], &[1])).await);
    assert_eq!(must(store.conflicts_of(&[id(14)]).await).len(), 1, "closed and opened at once is open");
    must(store.apply(&change(vec![], &[1, 3])).await);
    assert!(must(store.conflicts(None, 10).await).is_empty());
}

pub async fn cursors_are_replaced(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let (one, two) = (StoreId([1; 16]), StoreId([2; 16]));
    let put = |cursors: Vec<Cursor>| Transaction { cursors, ..Transaction::default() };
    let at = |store, incarnation, position| Cursor { store, incarnation, position };
    assert_eq!(must(store.cursor(one).await), None);
    must(store.apply(&put(vec![at(one, FIRST, 5), at(two, FIRST, 6), at(one, FIRST, 7)])).await);
    assert_eq!(must(store.cursor(one).await), Some(at(one, FIRST, 7)));
    must(store.apply(&put(vec![at(one, SECOND, 3)])).await);
    assert_eq!(must(store.cursor(one).await), Some(at(one, SECOND, 3)), "also backwards: it was restored");
    assert_eq!(must(store.cursor(two).await), Some(at(two, FIRST, 6)));
}

pub async fn commands_keep_their_first_answer(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let answer = |id, answer: &[u8]| Transaction { commands: vec![(id, answer.to_vec())], ..Transaction::default() };
    must(store.apply(&answer(CommandId([1; 16]), b"first")).await);
    must(store.apply(&answer(CommandId([1; 16]), b"second")).await);
    must(store.apply(&answer(CommandId([2; 16]), b"")).await);
    assert_eq!(answer_of(&store, CommandId([1; 16])).await, Some(b"first".to_vec()));
    assert_eq!(answer_of(&store, CommandId([2; 16])).await, Some(Vec::new()));
    assert_eq!(answer_of(&store, CommandId([3; 16])).await, None);
}

pub async fn the_quarantine_keeps_one_of_each(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let keep = |quarantined: Vec<QuarantineRow>| Transaction { quarantined, ..Transaction::default() };
    must(store.apply(&keep(vec![refused(1), refused(2)])).await);
    must(store.apply(&keep(vec![QuarantineRow { code: "OTHER".into(), ..refused(1) }, refused(3)])).await);
    assert_eq!(must(store.quarantine(10).await), [refused(3), refused(2), refused(1)], "the newest first");
    assert_eq!(must(store.quarantine(1).await), [refused(3)]);

    let newest = must(store.quarantined(None, 2).await);
    let without_bytes = |n| QuarantineRow { bytes: Vec::new(), ..refused(n) };
    let told: Vec<_> = newest.iter().map(|listed| (listed.row.clone(), listed.len)).collect();
    let length = |n| refused(n).bytes.len() as u64;
    assert_eq!(told, [(without_bytes(3), length(3)), (without_bytes(2), length(2))]);
    let rest = must(store.quarantined(Some(newest[1].number), 2).await);
    assert_eq!(rest.into_iter().map(|listed| listed.row).collect::<Vec<_>>(), [without_bytes(1)]);
    assert!(must(store.quarantined(Some(0), 2).await).is_empty());
}
