//! What is listed of records, and how they are found by it.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::collation::Sought;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::listing::{Cell, Order};

use super::sample::{FIRST, SECOND, STORE, id, row, seat, stub};
use super::{Harness, must};
use crate::listing::{By, Filter, Found, Group, NOBODY, Query};
use crate::{Listed, ReadListing as _, RecordRow, Store, Transaction};

const STAMP: [u8; 16] = [1; 16];
const NAMES: [&str; 6] = ["张伟", "章丽", "李明", "王小二", "张伟明", "赵云"];

/// By what a view of the samples says: those from a hundred on have names of their own, another with each version.
fn cells(row: &RecordRow) -> Vec<Cell> {
    let view = String::from_utf8_lossy(&row.view).into_owned();
    let said = view.strip_prefix("{\"n\":").and_then(|rest| rest.strip_suffix('}')?.split_once(",\"version\":"));
    let number = |text: &str| text.parse::<usize>().ok();
    let Some((n, version)) = said.and_then(|(n, version)| number(n).zip(number(version))) else {
        return Vec::new();
    };
    let own = if n < 100 { String::new() } else { format!("{:04}", (n * 7_919 + version * 104_729) % 10_000) };
    let name = format!("{}{own}", NAMES[(n + version - 1) % NAMES.len()]);
    let mut cells = vec![Cell { column: "name", order: Order::Name, said: name.into_bytes() }];
    // The seventh of each ten says nothing there.
    if n % 10 != 7 {
        let stage = ["full", "left"][n % 2];
        cells.push(Cell { column: "stage", order: Order::Bytes, said: stage.as_bytes().to_vec() });
    }
    cells
}

fn listed(row: &RecordRow, was: &[SeatId]) -> Listed {
    Listed::of(row, Some(was.iter().copied().collect()), cells(row))
}

fn of_owners(n: u64, owners: &[u64]) -> RecordRow {
    let mut row = row(n, 1);
    row.scope.owners = owners.iter().map(|n| seat(*n)).collect();
    row
}

async fn put<S: Store>(store: &S, rows: Vec<(RecordRow, Vec<SeatId>)>) {
    let listed = rows.iter().map(|(row, was)| listed(row, was)).collect();
    let records = rows.into_iter().map(|(row, _)| row).collect();
    must(store.apply(&Transaction { records, listed, ..Transaction::default() }).await);
}

async fn list_all<S: Store>(store: &S) {
    while !must(store.relist(STAMP, 7, &cells).await).is_whole {}
}

fn by_name() -> Query {
    let order = Some(By { column: "name".to_owned(), order: Order::Name, is_descending: false });
    Query { order, limit: 100, bytes: usize::MAX, ..Query::default() }
}

fn is(column: &str, value: &str) -> Filter {
    Filter { column: column.to_owned(), any_of: [value.to_owned()].into(), ..Filter::default() }
}

async fn found<S: Store>(store: &S, query: &Query) -> Found {
    must(store.query(query).await).expect("all is listed")
}

async fn names<S: Store>(store: &S, query: &Query) -> Vec<String> {
    let rows = found(store, query).await.rows;
    let name = |row| cells(row).into_iter().map(|cell| cell.order.text(&cell.said).into_owned()).next();
    rows.iter().filter_map(name).collect()
}

/// What a row is sorted by, and the record.
fn place(row: &RecordRow) -> (Vec<u8>, RecordId) {
    let name = cells(row).into_iter().next().expect("each has a name");
    (name.order.key(&name.said).into_owned(), row.id)
}

/// All pages of a question, two rows each.
async fn in_pages<S: Store>(store: &S, query: &Query) -> Vec<(Vec<u8>, RecordId)> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = found(store, &Query { after, limit: 2, ..query.clone() }).await;
        assert!(page.rows.len() <= 2);
        seen.extend(page.rows.iter().map(place));
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

/// Twelve of two kinds and three seats.
async fn a_dozen<H: Harness>(harness: &H) -> H::Store {
    let store = harness.create(STORE, FIRST).await;
    list_all(&store).await;
    put(&store, (0..12).map(|n| (of_owners(n, &[n % 3]), Vec::new())).collect()).await;
    store
}

pub async fn records_are_sorted_filtered_and_counted(harness: &impl Harness) {
    let store = a_dozen(harness).await;
    let all = found(&store, &by_name()).await;
    assert_eq!((all.total, all.rows.len(), &all.next), (12, 12, &None));
    let sorted = ["李明", "王小二", "张伟", "张伟明", "章丽", "赵云"].map(|name| [name, name]).concat();
    assert_eq!(names(&store, &by_name()).await, sorted);
    let descending =
        Query { order: Some(By { column: "name".into(), order: Order::Name, is_descending: true }), ..by_name() };
    let reversed: Vec<&str> = sorted.iter().rev().copied().collect();
    assert_eq!(names(&store, &descending).await, reversed);
    let members = Query { kinds: Some(["member".to_owned()].into()), ..by_name() };
    assert_eq!(names(&store, &members).await, ["李明", "李明", "张伟", "张伟", "张伟明", "张伟明"]);
    let full = Query { filters: vec![is("stage", "full")], limit: 0, ..by_name() };
    let of_seat = Query { seats: Some([seat(1)].into()), ..full.clone() };
    let both = [found(&store, &full).await, found(&store, &of_seat).await];
    assert_eq!(both.map(|found| (found.total, found.rows.len(), found.next)), [(6, 0, None), (2, 0, None)]);
    let not_full = Filter { is_not: true, ..is("stage", "full") };
    assert_eq!(found(&store, &Query { filters: vec![not_full], limit: 0, ..by_name() }).await.total, 6);
    let range = Filter {
        column: "stage".into(),
        from: Some(b"g".to_vec()),
        until: Some(b"left".to_vec()),
        ..Filter::default()
    };
    assert_eq!(found(&store, &Query { filters: vec![range], limit: 0, ..by_name() }).await.total, 5, "7 says nothing");
}

pub async fn records_are_searched_for(harness: &impl Harness) {
    let store = a_dozen(harness).await;
    for (text, expected) in
        [("伟", 4), ("张伟", 4), ("伟明", 2), ("wm", 2), ("zhang", 6), ("zw", 4), ("小", 2), ("甲", 0)]
    {
        let sought = Sought::new(text).map(|sought| (sought, vec!["name".to_owned()]));
        assert_eq!(found(&store, &Query { sought, ..by_name() }).await.total, expected, "{text}");
    }
}

pub async fn counts_are_told_apart(harness: &impl Harness) {
    let store = a_dozen(harness).await;
    let groups = vec![Group::Owner, Group::Column("stage".into())];
    let counted = found(&store, &Query { groups, limit: 0, ..by_name() }).await.groups;
    let expected =
        [(0, "full", 2), (0, "left", 2), (1, "full", 2), (1, "left", 1), (1, "", 1), (2, "full", 2), (2, "left", 2)];
    let expected = expected.map(|(owner, stage, count)| (vec![seat(owner).to_string(), stage.to_owned()], count));
    assert_eq!(counted, BTreeMap::from(expected));
}

pub async fn pages_follow_each_other_whatever_comes_in_between(harness: &impl Harness) {
    let store = a_dozen(harness).await;
    let by_stage = Some(By { column: "stage".into(), order: Order::Bytes, is_descending: false });
    for (order, bytes) in [(by_name().order, usize::MAX), (by_stage, usize::MAX), (None, usize::MAX), (None, 45)] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = found(&store, &Query { order: order.clone(), after, limit: 5, bytes, ..Query::default() }).await;
            assert!(!page.rows.is_empty() && page.rows.len() <= 5 && page.total >= 12);
            seen.extend(page.rows.iter().map(|row| row.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 12, "{order:?}, {bytes}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 12, "none twice");
    }
    // What the last page ended with has gone meanwhile.
    let first = found(&store, &Query { limit: 3, ..by_name() }).await;
    let last = first.rows[2].clone();
    let owner: Vec<SeatId> = last.scope.owners.iter().copied().collect();
    let gone = RecordRow { state: stub(1).state, ..last };
    put(&store, vec![(gone, owner)]).await;
    let next = found(&store, &Query { after: first.next, ..by_name() }).await;
    assert_eq!((next.rows.len(), next.total), (9, 11));
}

/// Whether a row is one that a question finds.
type Fits<'f> = &'f dyn Fn(&RecordRow) -> bool;

pub async fn a_page_of_many_is_in_order_whoever_owns_them_and_whatever_becomes_of_them(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    list_all(&store).await;
    // One seat has most of them.
    let owner = |n: u64| if n.is_multiple_of(4) { n % 5 } else { 9 };
    let mut rows: BTreeMap<u64, RecordRow> = (100..600).map(|n| (n, of_owners(n, &[owner(n)]))).collect();
    put(&store, rows.values().map(|row| (row.clone(), Vec::new())).collect()).await;
    // Every third is called otherwise then, some move, some are of two, some go.
    for n in 100..600_u64 {
        let version = if n.is_multiple_of(3) { 2 } else { 1 };
        let owners = match n % 20 {
            0 => vec![7],
            1 => vec![9, 3],
            _ => vec![owner(n)],
        };
        let mut now = row(n, version);
        now.scope.owners = owners.into_iter().map(seat).collect();
        if n % 20 == 2 {
            now.state = stub(n).state;
        }
        rows.insert(n, now);
    }
    for chunk in rows.iter().collect::<Vec<_>>().chunks(77) {
        put(&store, chunk.iter().map(|(n, row)| ((*row).clone(), vec![seat(owner(**n))])).collect()).await;
    }
    rows.retain(|n, _| n % 20 != 2);
    let full = |row: &RecordRow| cells(row).iter().any(|cell| cell.column == "stage" && cell.said == b"full");
    let here = |row: &RecordRow| row.scope.owners.contains(&seat(3)) || row.scope.owners.contains(&seat(9));
    let seats = Some([seat(3), seat(9)].into());
    let filters = vec![is("stage", "full")];
    let all = Query { filters: Vec::new(), ..by_name() };
    let questions: [(Query, Fits<'_>); 4] = [
        (all.clone(), &|_| true),
        (Query { seats: seats.clone(), ..all.clone() }, &here),
        (Query { filters: filters.clone(), ..all.clone() }, &full),
        (Query { filters, seats, ..all }, &|row| full(row) && here(row)),
    ];
    for (mut query, fits) in questions {
        let mut expected: Vec<_> = rows.values().filter(|row| fits(row)).map(place).collect();
        expected.sort();
        assert_eq!(found(&store, &query).await.total, expected.len() as u64);
        let told = in_pages(&store, &query).await;
        assert!(told.is_sorted_by_key(|(key, _)| key.clone()), "in order");
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), expected.iter().cloned().collect::<BTreeSet<_>>());
        query.order = Some(By { column: "name".into(), order: Order::Name, is_descending: true });
        let told = in_pages(&store, &query).await;
        assert!(told.iter().rev().is_sorted_by_key(|(key, _)| key.clone()), "in order");
        assert_eq!(
            (told.len(), told.into_iter().collect::<BTreeSet<_>>()),
            (expected.len(), expected.into_iter().collect())
        );
    }
}

pub async fn what_is_listed_changes_with_the_record(harness: &impl Harness) {
    let store = a_dozen(harness).await;
    // One moves to another seat, one is of two, one is of nobody, and one goes.
    let shared = of_owners(2, &[0, 2]);
    let gone = RecordRow { state: stub(1).state, ..of_owners(4, &[1]) };
    let rows = vec![
        (of_owners(0, &[5]), vec![seat(0)]),
        (shared, vec![seat(2)]),
        (of_owners(3, &[]), vec![seat(0)]),
        (gone, vec![seat(1)]),
    ];
    put(&store, rows).await;
    let count = async |seats: &[SeatId]| {
        let seats = Some(seats.iter().copied().collect());
        found(&store, &Query { seats, limit: 0, ..Query::default() }).await.total
    };
    let counts = [&[seat(0)][..], &[seat(1)], &[seat(2)], &[seat(5)], &[seat(0), seat(2)], &[NOBODY], &[seat(9)], &[]];
    let mut counted = Vec::new();
    for seats in counts {
        counted.push(count(seats).await);
    }
    assert_eq!(counted, [3, 3, 4, 1, 6, 1, 0, 0], "who has two owners counts once");
    assert_eq!(found(&store, &by_name()).await.total, 11);
    // Nobody knows where it was.
    let lost = Listed { was: None, ..listed(&of_owners(2, &[1]), &[]) };
    must(
        store
            .apply(&Transaction { records: vec![of_owners(2, &[1])], listed: vec![lost], ..Transaction::default() })
            .await,
    );
    assert_eq!((count(&[seat(0), seat(2)]).await, count(&[seat(1)]).await), (5, 4));
}

pub async fn all_is_listed_anew_where_something_else_is_to_be(harness: &impl Harness) {
    let store = harness.create(STORE, FIRST).await;
    assert!(must(store.query(&by_name()).await).is_none(), "nobody vouches for it");
    let rows = (0..20).map(|n| of_owners(n, &[n % 3])).chain([stub(20)]).collect();
    must(store.apply(&Transaction { records: rows, ..Transaction::default() }).await);
    let first = must(store.relist(STAMP, 8, &cells).await);
    assert_eq!((first.done, first.is_whole), (8, false));
    assert!(must(store.query(&by_name()).await).is_none(), "a part would be a wrong answer");
    // What changes meanwhile is listed once, whether its turn has come or not.
    let was = || vec![seat(0), seat(1), seat(2)];
    put(&store, (0..20).map(|n| (of_owners(n, &[4]), was())).collect()).await;
    list_all(&store).await;
    let groups = vec![Group::Owner];
    let counted = found(&store, &Query { groups, limit: 0, ..by_name() }).await;
    assert_eq!(counted.groups, BTreeMap::from([(vec![seat(4).to_string()], 20)]));
    assert_eq!(found(&store, &Query { filters: vec![is("stage", "full")], ..by_name() }).await.total, 10);
    let store = must(harness.reopen(store, SECOND).await);
    assert_eq!(found(&store, &by_name()).await.total, 20);
    assert!(must(store.relist(STAMP, 0, &cells).await).is_whole, "nothing to do");
    assert!(!must(store.relist([2; 16], 0, &|_| Vec::new()).await).is_whole);
    assert!(must(store.query(&by_name()).await).is_none(), "it was listed by another declaration");
    while !must(store.relist([2; 16], 100, &|_| Vec::new()).await).is_whole {}
    let now = found(&store, &Query { filters: vec![is("stage", "full")], ..by_name() }).await.total;
    assert_eq!((now, found(&store, &by_name()).await.total), (0, 20));
    // A row that stood under a wrong id: what was listed by that is nobody's.
    must(store.apply(&Transaction { renamed: vec![(id(1), id(1))], ..Transaction::default() }).await);
    assert!(must(store.query(&by_name()).await).is_none());
}
