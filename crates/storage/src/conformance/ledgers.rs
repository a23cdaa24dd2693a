//! Directory, conflicts, cursors, commands, quarantine, statements, the audit log, stranded edits.

use heliu_record::id::{LeafHash, SeatId, to_hex};

use super::sample::{FIRST, SECOND, STORE, answer_of, audited, conflict, id, refused, seat, statement, stranded};
use super::{Harness, must};
use crate::{
    CommandId, ConflictQuery, ConflictRef, ConflictRow, Cursor, QuarantineRow, Read, ReadAudit as _,
    ReadConflicts as _, ReadDirectory as _, ReadMeta as _, ReadQuarantine as _, ReadStatements as _, ReadStranded as _,
    StatementRow, Store as _, StoreId, StrandedRow, StrandedState, Transaction,
};

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
    assert_eq!(open_conflicts(&store, None, 10).await, sorted);
    assert_eq!(open_conflicts(&store, None, 2).await, sorted[..2]);
    assert_eq!(open_conflicts(&store, Some(sorted[0].id), 10).await, sorted[1..]);
    let of = must(store.conflicts_of(&[id(11), id(10), id(77)]).await);
    assert_eq!(of.len(), 2, "each once, however many of its anchors are asked for");
    assert!(of.is_sorted_by_key(|conflict| conflict.id));
    assert!(must(store.conflicts_of(&[]).await).is_empty());

    must(store.apply(&change(vec![conflict(1, &[10, 13])], &[2, 99])).await);
    assert!(must(store.conflicts_of(&[id(11), id(12)]).await).is_empty(), "closed, and open on other anchors");
    assert_eq!(must(store.conflicts_of(&[id(13)]).await), [conflict(1, &[10, 13])]);
    assert_eq!(open_conflicts(&store, None, 10).await.len(), 2);

    must(store.apply(&change(vec![conflict(1, &[14])], &[1])).await);
    assert_eq!(must(store.conflicts_of(&[id(14)]).await).len(), 1, "closed and opened at once is open");
    must(store.apply(&change(vec![], &[1, 3])).await);
    assert!(open_conflicts(&store, None, 10).await.is_empty());
}

async fn open_conflicts(store: &impl Read, after: Option<[u8; 32]>, limit: usize) -> Vec<ConflictRow> {
    must(store.conflicts(&ConflictQuery { after, limit, ..ConflictQuery::default() }).await).rows
}

/// By rows, by bytes, of a kind or a record: in pages that add up to all, and no large one stands in the way.
pub async fn conflicts_come_in_pages(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let large = |n| ConflictRow { body: vec![b'x'; 5_000], ..conflict(n, &[10, n]) };
    let open: Vec<ConflictRow> = (1..=9).map(|n| if n % 3 == 0 { large(n) } else { conflict(n, &[10, n]) }).collect();
    must(store.apply(&Transaction { conflicts_opened: open.clone(), ..Transaction::default() }).await);
    let mut sorted = open;
    sorted.sort_unstable_by_key(|conflict| conflict.id);
    let all = ConflictQuery::default();
    for query in [
        ConflictQuery { limit: 2, ..all.clone() },
        ConflictQuery { bytes: 4_000, ..all.clone() },
        ConflictQuery { bytes: 0, ..all.clone() },
        ConflictQuery { anchor: Some(id(10)), bytes: 6_000, ..all.clone() },
        ConflictQuery { kind: Some(sorted[0].kind.clone()), limit: 4, ..all.clone() },
    ] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = must(store.conflicts(&ConflictQuery { after, ..query.clone() }).await);
            let bytes: usize = page.rows.iter().map(|row| row.body.len()).sum();
            assert!(page.rows.len() <= query.limit && (page.rows.len() == 1 || bytes <= query.bytes.max(11_000)));
            seen.extend(page.rows);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, sorted, "{query:?}");
    }
    let of_three = ConflictQuery { anchor: Some(id(3)), ..all.clone() };
    assert_eq!(must(store.conflicts(&of_three).await).rows, [large(3)]);
    let none = ConflictQuery { kind: Some("NONE".to_owned()), ..all };
    assert!(must(store.conflicts(&none).await).rows.is_empty());
    let ids = must(store.conflict_ids(&[id(3), id(4), id(77)]).await);
    let mut expected =
        [3, 4].map(|number| ConflictRef { id: conflict(number, &[]).id, anchors: large(number).anchors });
    expected.sort_unstable();
    assert_eq!(ids, expected);
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
    assert_eq!(must(store.quarantine_len().await), 3, "all of it, however few are shown");

    let newest = must(store.quarantined(None, 2).await);
    let without_bytes = |n| QuarantineRow { bytes: Vec::new(), ..refused(n) };
    let told: Vec<_> = newest.iter().map(|listed| (listed.row.clone(), listed.len)).collect();
    let length = |n| refused(n).bytes.len() as u64;
    assert_eq!(told, [(without_bytes(3), length(3)), (without_bytes(2), length(2))]);
    let rest = must(store.quarantined(Some(newest[1].number), 2).await);
    assert_eq!(rest.into_iter().map(|listed| listed.row).collect::<Vec<_>>(), [without_bytes(1)]);
    assert!(must(store.quarantined(Some(0), 2).await).is_empty());
}

pub async fn the_quarantine_lets_go(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let all: Vec<QuarantineRow> = (1..40).map(refused).collect();
    must(store.apply(&Transaction { quarantined: all.clone(), ..Transaction::default() }).await);
    let whole = to_hex(&refused(7).id);
    assert_eq!(must(store.quarantined_by_prefix(&whole).await), [refused(7)], "with its bytes");
    assert_eq!(must(store.quarantined_by_prefix(&whole[..13]).await), [refused(7)]);
    assert_eq!(must(store.quarantined_by_prefix("").await).len(), 2, "no more than tell that it is not clear");
    assert!(must(store.quarantined_by_prefix("no hex").await).is_empty());
    let gone = Transaction { unquarantined: vec![refused(7).id, [0; 32]], ..Transaction::default() };
    must(store.apply(&gone).await);
    assert!(must(store.quarantined_by_prefix(&whole).await).is_empty());
    assert_eq!(must(store.quarantine(100).await).len(), 38);
    let listed = must(store.quarantined(None, 100).await);
    assert!(listed.windows(2).all(|pair| pair[0].number > pair[1].number), "numbers stay");
    // What goes and comes in one transaction is there.
    let again = Transaction { unquarantined: vec![refused(8).id], quarantined: vec![refused(8)], ..gone };
    must(store.apply(&again).await);
    assert_eq!(must(store.quarantine(1).await), [refused(8)]);
}

async fn entries(store: &impl Read) -> Vec<String> {
    let entries = must(store.directory().await);
    entries.into_iter().map(|entry| String::from_utf8_lossy(&entry).into_owned()).collect()
}

pub async fn a_tail_of_the_directory_is_replaced(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let change = |directory_from, entries: &[&str]| Transaction {
        directory_from,
        directory: entries.iter().map(|entry| entry.as_bytes().to_vec()).collect(),
        ..Transaction::default()
    };
    must(store.apply(&change(None, &["0", "1", "2", "3"])).await);
    must(store.apply(&change(Some(2), &["two"])).await);
    assert_eq!(entries(&store).await, ["0", "1", "two"]);
    must(store.apply(&change(None, &["three", "four"])).await);
    must(store.apply(&change(Some(4), &[])).await);
    assert_eq!(entries(&store).await, ["0", "1", "two", "three"]);
    must(store.apply(&change(Some(9), &["more"])).await);
    assert_eq!(entries(&store).await, ["0", "1", "two", "three", "more"], "there is nothing from there on");
    must(store.apply(&change(Some(0), &["anew"])).await);
    let store = must(harness.reopen(store, SECOND).await);
    assert_eq!(entries(&store).await, ["anew"]);
}

pub async fn statements_are_a_set(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let add = |statements: Vec<StatementRow>| Transaction { statements, ..Transaction::default() };
    must(store.apply(&add((2..40).map(statement).collect())).await);
    let changed = StatementRow { bytes: b"other".to_vec(), ..statement(2) };
    must(store.apply(&add(vec![changed, statement(40), statement(40)])).await);
    let mut expected: Vec<StatementRow> = (2..41).map(statement).collect();
    expected.sort_unstable_by_key(|row| row.hash);
    assert_eq!(must(store.statements().await), expected, "of two with one hash the first");
    let about = must(store.statements_about(id(3).0).await);
    assert!(about.len() == 2 && about.is_sorted_by_key(|row| row.hash));
    assert!(about.contains(&statement(6)) && about.contains(&statement(7)));
    assert!(must(store.statements_about([0; 32]).await).is_empty());
    let gone = vec![statement(6).hash, [0; 32], statement(8).hash];
    let drop = Transaction { statements_dropped: gone, statements: vec![statement(8)], ..Transaction::default() };
    must(store.apply(&drop).await);
    assert_eq!(must(store.statements_about(id(3).0).await), [statement(7)]);
    assert_eq!(must(store.statements_about(id(4).0).await).len(), 2, "what goes and comes in one transaction is there");
    assert_eq!(must(store.statements().await).len(), 38);
}

pub async fn the_audit_log_has_no_gap(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let add = |seqs: &[u64]| Transaction {
        audit: seqs.iter().copied().map(audited).collect(),
        cursors: vec![Cursor { store: STORE, incarnation: FIRST, position: 1 }],
        ..Transaction::default()
    };
    assert_eq!(must(store.audit_head().await), None);
    for wrong in [&[0][..], &[2], &[1, 3], &[2, 1], &[1, 1]] {
        assert!(store.apply(&add(wrong)).await.is_err(), "{wrong:?}");
    }
    assert_eq!(must(store.cursor(STORE).await), None, "nothing of a refused one is there");
    must(store.apply(&add(&[1, 2, 3])).await);
    must(store.apply(&add(&[4])).await);
    assert!(store.apply(&add(&[4])).await.is_err());
    let store = must(harness.reopen(store, SECOND).await);
    assert!(store.apply(&add(&[1])).await.is_err());
    must(store.apply(&add(&[5])).await);
    assert_eq!(must(store.audit_head().await), Some((5, audited(5).hash)));
    assert_eq!(must(store.audit(0, 100).await), (1..=5).map(audited).collect::<Vec<_>>());
    assert_eq!(must(store.audit(2, 2).await), [audited(3), audited(4)]);
    assert!(must(store.audit(5, 9).await).is_empty());
}

pub async fn stranded_edits_change_their_state(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let put = |stranded: Vec<StrandedRow>| Transaction { stranded, ..Transaction::default() };
    must(store.apply(&put((1..5).map(stranded).collect())).await);
    assert_eq!(must(store.stranded(10).await), [4, 3, 2, 1].map(stranded), "the newest first");
    assert_eq!(must(store.stranded(1).await), [stranded(4)]);
    let reissued = StrandedRow { state: StrandedState::Reissued(LeafHash([7; 32])), ..stranded(2) };
    let discarded = StrandedRow { state: StrandedState::Discarded, reason: "重复".into(), ..stranded(3) };
    must(store.apply(&put(vec![reissued.clone(), discarded.clone()])).await);
    assert_eq!(must(store.stranded(10).await), [4, 1].map(stranded), "those that are open");
    assert_eq!(must(store.stranded_one(reissued.leaf).await), Some(reissued));
    assert_eq!(must(store.stranded_one(discarded.leaf).await), Some(discarded));
    assert_eq!(must(store.stranded_one(LeafHash([0; 32])).await), None);
}

pub async fn who_is_declined_is_remembered_until_he_is_not(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let put = |declined: Vec<(SeatId, bool)>| Transaction { declined, ..Transaction::default() };
    must(store.apply(&put(vec![(seat(2), true), (seat(1), true), (seat(3), false)])).await);
    let mut both = vec![seat(1), seat(2)];
    both.sort_unstable();
    assert_eq!(must(store.declined().await), both);
    must(store.apply(&put(vec![(seat(1), true), (seat(2), false)])).await);
    assert_eq!(must(store.declined().await), [seat(1)]);
    must(store.apply(&put(vec![(seat(1), false), (seat(1), true)])).await);
    assert_eq!(must(store.declined().await), [seat(1)], "of two the later counts");
}
