//! What is kept of records by the scopes that they name.

use std::collections::BTreeSet;

use heliu_record::hash::Sum;

use super::sample::{AUTHOR, FIRST, SECOND, STORE, commit, edit, id, row, seat, stub};
use super::{Harness, must};
use crate::{ReadRecords as _, RecordRow, RecordState, ScopeRow, ScopesChange, Store as _, Tally, Transaction};

fn kept(n: u64, records: u64) -> ScopeRow {
    let RecordRow { scope, held, admitted, .. } = row(n, 1);
    ScopeRow { scope: Some(scope), tally: Tally { records, leaves: 7 * records, held, admitted, hidden: n } }
}

fn rest() -> ScopeRow {
    ScopeRow { scope: None, ..kept(9, 9) }
}

fn gone(row: &ScopeRow) -> ScopeRow {
    ScopeRow { tally: Tally::default(), ..row.clone() }
}

fn digest(rows: &[ScopeRow]) -> Sum {
    rows.iter().map(ScopeRow::digest).collect::<Vec<_>>().iter().collect()
}

/// Writes `rows`, after which the table is to be `all`.
fn change(anew: bool, rows: &[ScopeRow], all: &[ScopeRow]) -> Transaction {
    let change = ScopesChange { anew, rows: rows.to_vec(), digest: digest(all) };
    Transaction { scopes: Some(change), ..Transaction::default() }
}

fn set(rows: &[ScopeRow]) -> BTreeSet<[u8; 32]> {
    rows.iter().map(ScopeRow::digest).collect()
}

pub async fn what_is_kept_by_scope_is_replaced_and_goes(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    assert_eq!(must(store.scopes().await), None, "nobody has written any");
    let all = [rest(), kept(1, 1), kept(2, 2)];
    must(store.apply(&change(false, &all, &all)).await);
    assert_eq!(must(store.scopes().await).map(|rows| set(&rows)), Some(set(&all)));
    let now = [kept(1, 5), kept(2, 2)];
    must(store.apply(&change(false, &[kept(1, 5), gone(&rest())], &now)).await);
    assert_eq!(must(store.scopes().await).map(|rows| set(&rows)), Some(set(&now)));
    let store = must(harness.reopen(store, SECOND).await);
    assert_eq!(must(store.scopes().await).map(|rows| set(&rows)), Some(set(&now)), "after a crash too");
    must(store.apply(&change(true, &[kept(3, 1)], &[kept(3, 1)])).await);
    assert_eq!(
        must(store.scopes().await).map(|rows| set(&rows)),
        Some(set(&[kept(3, 1)])),
        "all that was there has gone"
    );
    must(store.apply(&change(false, &[gone(&kept(3, 1))], &[])).await);
    assert_eq!(must(store.scopes().await), Some(Vec::new()), "that there is nothing is known too");
}

pub async fn what_is_kept_by_scope_is_believed_as_a_whole_or_not_at_all(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    must(store.apply(&change(false, &[kept(1, 1)], &[kept(1, 1), kept(2, 2)])).await);
    assert_eq!(must(store.scopes().await), None, "a row is missing");
    must(store.apply(&change(false, &[kept(2, 2)], &[kept(1, 1), kept(2, 2)])).await);
    assert!(must(store.scopes().await).is_some());
    must(store.apply(&edit(0, &commit(AUTHOR, 1), &[1])).await);
    assert_eq!(must(store.scopes().await), None, "something was written without it");
    must(store.apply(&change(false, &[], &[kept(1, 1), kept(2, 2)])).await);
    assert!(must(store.scopes().await).is_some(), "and who wrote it vouches for it again");
}

pub async fn records_are_found_by_the_seats_that_they_name(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    let hidden = RecordRow { state: RecordState::Hidden { since: 1 }, ..row(4, 1) };
    let records = vec![row(3, 1), hidden, stub(5), row(8, 1)];
    must(store.apply(&Transaction { records, ..Transaction::default() }).await);
    let naming = |seats: &[u64]| seats.iter().map(|n| seat(*n)).collect::<BTreeSet<_>>();
    let sorted =
        |records: &[u64]| records.iter().map(|n| id(*n)).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    assert_eq!(must(store.naming(&naming(&[4])).await), sorted(&[3, 4]), "as owner, or as one that takes part");
    assert_eq!(must(store.naming(&naming(&[5, 8])).await), sorted(&[4, 8]), "of the stub nothing is here");
    assert!(must(store.naming(&naming(&[77])).await).is_empty());
    assert!(must(store.naming(&BTreeSet::new()).await).is_empty());
}
