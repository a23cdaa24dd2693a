//! What is kept of records so that they can be found, sorted and counted without reading them: cells, in columns. A column has
//! the cells of one field of the records of one kind that one seat owns; so a question about some seats reads theirs alone.
//!
//! Stores keep the columns as they like and hand them seat by seat to a [`Gathering`], which answers the question: one way for
//! all of them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use heliu_record::collation::Sought;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::listing::Cell;

use crate::row::{DamagedRow, RecordRow, RecordState};

/// The column that each record has, whatever it says.
pub const EVERY: &str = "";
/// Owns what nobody owns.
pub const NOBODY: SeatId = SeatId([0; 16]);
/// Of more groups no one could read the counts.
pub const GROUPS_MAX: usize = 65_536;

/// What a transaction changes of it: all cells of one record, anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub record: RecordId,
    pub kind: String,
    /// Who owned it when it was listed last; none if that is not known, and then all columns of its kind are looked through.
    pub was: Option<BTreeSet<SeatId>>,
    /// Who owns it now; nobody: it is not listed any more.
    pub owners: BTreeSet<SeatId>,
    pub cells: Vec<Cell>,
}

impl Listed {
    /// As a row says it. `was`: as in [`Listed::was`].
    #[must_use]
    pub fn of(row: &RecordRow, was: Option<BTreeSet<SeatId>>, cells: Vec<Cell>) -> Self {
        Listed { record: row.id, kind: row.preimage.kind.clone(), was, owners: Listed::owners(row), cells }
    }

    /// Who a record is listed with: its owners, as long as it is here.
    #[must_use]
    pub fn owners(row: &RecordRow) -> BTreeSet<SeatId> {
        match row.state {
            RecordState::Present if row.scope.owners.is_empty() => [NOBODY].into(),
            RecordState::Present => row.scope.owners.clone(),
            RecordState::Hidden { .. } | RecordState::Stub(_) | RecordState::Erased => BTreeSet::new(),
        }
    }
}

/// How far a store has come that lists all its records anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relisted {
    pub done: u64,
    pub is_whole: bool,
}

/// What is asked of the listed records.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// None: of all kinds.
    pub kinds: Option<BTreeSet<String>>,
    /// Those that one of these owns; none: whoever does.
    pub seats: Option<BTreeSet<SeatId>>,
    /// Only what has this in one of these columns.
    pub sought: Option<(Sought, Vec<String>)>,
    /// All of these hold.
    pub filters: Vec<Filter>,
    pub order: Option<By>,
    /// After which row the page begins.
    pub after: Option<Place>,
    /// How many rows; 0: counts alone.
    pub limit: usize,
    /// Bytes of views. A page holds at least one row, however large.
    pub bytes: usize,
    /// Counts are told apart by these.
    pub groups: Vec<Group>,
}

/// Holds of a record that says one of these in the column, or something from the first bound to the second, both included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub column: String,
    /// As people read them, of which one is to be said; empty: whatever is said.
    pub any_of: BTreeSet<String>,
    /// As keys.
    pub from: Option<Vec<u8>>,
    pub until: Option<Vec<u8>>,
    /// Holds of those of which it would not hold.
    pub is_not: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    pub column: String,
    pub is_descending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    Column(String),
    Owner,
}

/// Where a row stands in the order that was asked for: by what it is sorted, and which record it is. One that says nothing in
/// the column comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub key: Option<Vec<u8>>,
    pub record: RecordId,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub rows: Vec<RecordRow>,
    /// Of the last row, if there are more.
    pub next: Option<Place>,
    /// Damaged rows within the page, which are not in `rows`.
    pub damaged: Vec<DamagedRow>,
    /// How many there are, on whatever page.
    pub total: u64,
    /// By what they say in the columns that were asked for, in order; nothing is empty.
    pub groups: BTreeMap<Vec<String>, u64>,
    /// There are more groups, of which nothing is told.
    pub has_more_groups: bool,
}

impl Query {
    /// The columns that have to be read, each once, [`EVERY`] first.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut columns = vec![EVERY];
        let sought = self.sought.iter().flat_map(|(_, columns)| columns.iter().map(String::as_str));
        let groups = self.groups.iter().filter_map(|group| match group {
            Group::Column(column) => Some(column.as_str()),
            Group::Owner => None,
        });
        let filtered = self.filters.iter().map(|filter| filter.column.as_str());
        for column in sought.chain(filtered).chain(self.order.iter().map(|by| by.column.as_str())).chain(groups) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }
}

/// A cell as a store hands it on, of the record that it knows by `K`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellOf<'c, K> {
    pub of: K,
    pub key: &'c [u8],
    pub text: &'c [u8],
}

impl<'c, K> CellOf<'c, K> {
    fn said(&self) -> &'c str {
        let said = if self.text.is_empty() { self.key } else { self.text };
        std::str::from_utf8(said).unwrap_or_default()
    }
}

/// In [`EVERY`]: the record has other owners too.
pub const SHARED: &[u8] = b"+";

/// An answer that is being put together.
pub struct Gathering<'q, K> {
    query: &'q Query,
    at: Places,
    after: Option<(Rank, K)>,
    /// In order, one more than asked for.
    best: BTreeSet<(Rank, K)>,
    /// Records of several owners that were seen.
    shared: BTreeSet<K>,
    total: u64,
    groups: BTreeMap<Vec<String>, u64>,
    has_more_groups: bool,
}

/// Records in order, each with what it is sorted by.
pub type Ranked<K> = Vec<(Option<Vec<u8>>, K)>;

/// Which of [`Query::columns`] is asked for what.
struct Places {
    sought: Vec<usize>,
    filters: Vec<usize>,
    order: Option<usize>,
    /// None: who owns it.
    groups: Vec<Option<usize>>,
}

impl Places {
    fn of(query: &Query) -> Self {
        let columns = query.columns();
        let at = |column: &String| columns.iter().position(|name| name == column).unwrap_or(usize::MAX);
        let group = |group: &Group| match group {
            Group::Column(column) => Some(at(column)),
            Group::Owner => None,
        };
        Places {
            sought: query.sought.iter().flat_map(|(_, columns)| columns.iter().map(at)).collect(),
            filters: query.filters.iter().map(|filter| at(&filter.column)).collect(),
            order: query.order.as_ref().map(|by| at(&by.column)),
            groups: query.groups.iter().map(group).collect(),
        }
    }
}

/// By what records are in order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rank {
    key: Option<Vec<u8>>,
    is_descending: bool,
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.key.as_deref(), other.key.as_deref(), self.is_descending)
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What says nothing comes last, whichever way.
fn compare(one: Option<&[u8]>, other: Option<&[u8]>, is_descending: bool) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) if is_descending => other.cmp(one),
        (Some(one), Some(other)) => one.cmp(other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

impl<'q, K: Ord + Copy> Gathering<'q, K> {
    /// `after`: what the store knows the record by that [`Query::after`] names; none if it does not.
    pub fn new(query: &'q Query, after: Option<K>) -> Self {
        let is_descending = query.order.as_ref().is_some_and(|by| by.is_descending);
        let place = query.after.as_ref().zip(after);
        Gathering {
            query,
            at: Places::of(query),
            after: place.map(|(place, of)| (Rank { key: place.key.clone(), is_descending }, of)),
            best: BTreeSet::new(),
            shared: BTreeSet::new(),
            total: 0,
            groups: BTreeMap::new(),
            has_more_groups: false,
        }
    }

    /// The columns of one seat's records of one kind: for each of [`Query::columns`] its cells, ascending by record.
    pub fn seat<'c>(&mut self, seat: SeatId, columns: impl IntoIterator<Item = impl Iterator<Item = CellOf<'c, K>>>) {
        let mut columns = columns.into_iter();
        let Some(every) = columns.next() else { return };
        let mut others: Vec<_> = columns.map(Iterator::peekable).collect();
        let mut cells: Vec<Option<CellOf<'c, K>>> = Vec::with_capacity(others.len() + 1);
        for each in every {
            cells.clear();
            cells.push(Some(each));
            for column in &mut others {
                while column.next_if(|cell| cell.of < each.of).is_some() {}
                cells.push(column.next_if(|cell| cell.of == each.of));
            }
            self.take(seat, each, &cells);
        }
    }

    fn take(&mut self, seat: SeatId, each: CellOf<'_, K>, cells: &[Option<CellOf<'_, K>>]) {
        let at = |place: usize| cells.get(place).copied().flatten();
        if let Some((sought, _)) = &self.query.sought
            && !self.at.sought.iter().filter_map(|place| at(*place)).any(|cell| sought.is_in(cell.said()))
        {
            return;
        }
        let mut filters = self.query.filters.iter().zip(&self.at.filters);
        if !filters.all(|(filter, place)| filter.holds(at(*place)))
            || (each.key == SHARED && !self.shared.insert(each.of))
        {
            return;
        }
        self.total += 1;
        if !self.at.groups.is_empty() {
            let said = self.at.groups.iter().map(|place| match place {
                Some(place) => at(*place).map_or("", |cell| cell.said()).to_owned(),
                None => seat.to_string(),
            });
            self.count(said.collect());
        }
        let key = self.at.order.and_then(at).map(|cell| cell.key);
        self.rank(key, each.of);
    }

    fn rank(&mut self, key: Option<&[u8]>, of: K) {
        let is_descending = self.query.order.as_ref().is_some_and(|by| by.is_descending);
        let order = |place: &(Rank, K)| compare(key, place.0.key.as_deref(), is_descending).then(of.cmp(&place.1));
        let is_before = self.after.as_ref().is_some_and(|after| order(after) != Ordering::Greater);
        let is_full = self.best.len() > self.query.limit;
        let is_beyond = is_full && self.best.last().is_some_and(|last| order(last) == Ordering::Greater);
        if self.query.limit == 0 || is_before || is_beyond {
            return;
        }
        self.best.insert((Rank { key: key.map(<[u8]>::to_vec), is_descending }, of));
        if self.best.len() > self.query.limit.saturating_add(1) {
            self.best.pop_last();
        }
    }

    fn count(&mut self, group: Vec<String>) {
        if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&group) {
            self.has_more_groups = true;
            return;
        }
        *self.groups.entry(group).or_default() += 1;
    }

    /// The records of the page in order with what they are sorted by, whether there are more, and what else was found.
    pub fn end(self) -> (Ranked<K>, bool, Found) {
        let has_more = self.best.len() > self.query.limit;
        let page = self.best.into_iter().take(self.query.limit).map(|(rank, of)| (rank.key, of)).collect();
        let Gathering { total, groups, has_more_groups, .. } = self;
        (page, has_more, Found { total, groups, has_more_groups, ..Found::default() })
    }
}

impl Filter {
    fn holds<K>(&self, cell: Option<CellOf<'_, K>>) -> bool {
        let says = cell.is_some_and(|cell| {
            let is_said = self.any_of.is_empty() || self.any_of.contains(cell.said());
            let is_from = self.from.as_ref().is_none_or(|from| cell.key >= from.as_slice());
            is_said && is_from && self.until.as_ref().is_none_or(|until| cell.key <= until.as_slice())
        });
        says != self.is_not
    }
}
