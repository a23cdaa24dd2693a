//! What is kept of records so that they can be found, sorted and counted without reading them: cells, in columns. A column has
//! the cells of one field of the records of one kind that one seat owns; so a question about some seats reads theirs alone.
//!
//! Stores keep the columns as they like and hand them seat by seat to a [`Gathering`], which answers the question: one way for
//! all of them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use heliu_record::collation::{Finder, Sought};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::listing::{Cell, Order};

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
    /// As the kind declares it.
    pub order: Order,
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
    pub order: Order,
    pub said: &'c [u8],
    /// Whoever hands it on knows already that what is sought is not in it.
    pub is_passed: bool,
}

impl<'c, K> CellOf<'c, K> {
    fn key(&self) -> Cow<'c, [u8]> {
        self.order.key(self.said)
    }

    fn text(&self) -> Cow<'c, str> {
        self.order.text(self.said)
    }
}

/// In [`EVERY`]: the record has other owners too.
pub const SHARED: &[u8] = b"+";

/// An answer that is being put together.
pub struct Gathering<'q, K> {
    query: &'q Query,
    finder: Option<Finder>,
    at: Places,
    after: Option<Rank<K>>,
    /// In order, one more than asked for.
    best: BTreeSet<Rank<K>>,
    /// Records of several owners that were seen.
    shared: BTreeSet<K>,
    total: u64,
    groups: BTreeMap<Vec<String>, u64>,
    /// Of one seat, before its name is looked at.
    of_seat: BTreeMap<Vec<u8>, u64>,
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

/// By what records are in order. What says nothing comes last, whichever way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank<K> {
    pub key: Option<Vec<u8>>,
    pub of: K,
    pub is_descending: bool,
}

impl<K: Ord> Rank<K> {
    fn compare(&self, key: Option<&[u8]>, of: &K) -> Ordering {
        let both = match (self.key.as_deref(), key) {
            (Some(one), Some(other)) => one.cmp(other).then_with(|| self.of.cmp(of)),
            (None, None) => self.of.cmp(of),
            (one, other) => return one.is_none().cmp(&other.is_none()),
        };
        if self.is_descending { both.reverse() } else { both }
    }
}

impl<K: Ord> Ord for Rank<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other.key.as_deref(), &other.of)
    }
}

impl<K: Ord> PartialOrd for Rank<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Query {
    /// Where a row stands that the store knows by `of`.
    #[must_use]
    pub fn rank<K>(&self, key: Option<Vec<u8>>, of: K) -> Rank<K> {
        Rank { key, of, is_descending: self.order.as_ref().is_some_and(|by| by.is_descending) }
    }
}

impl<'q, K: Ord + Copy> Gathering<'q, K> {
    /// `after`: what the store knows the record by that [`Query::after`] names; none if it does not.
    pub fn new(query: &'q Query, after: Option<K>) -> Self {
        let place = query.after.as_ref().zip(after);
        Gathering {
            query,
            finder: query.sought.as_ref().map(|(sought, _)| sought.finder()),
            at: Places::of(query),
            after: place.map(|(place, of)| query.rank(place.key.clone(), of)),
            best: BTreeSet::new(),
            shared: BTreeSet::new(),
            total: 0,
            groups: BTreeMap::new(),
            of_seat: BTreeMap::new(),
            has_more_groups: false,
        }
    }

    /// The columns of one seat's records of one kind: for each of [`Query::columns`] its cells, ascending by record. Returns
    /// which of them fit, ascending too, whether or not they were another's before.
    pub fn seat<'c>(
        &mut self,
        seat: SeatId,
        columns: impl IntoIterator<Item = impl Iterator<Item = CellOf<'c, K>>>,
    ) -> Vec<K> {
        let mut columns = columns.into_iter();
        let mut fit = Vec::new();
        let Some(every) = columns.next() else { return fit };
        let mut others: Vec<_> = columns.map(|mut cells| (cells.next(), cells)).collect();
        let mut cells: Vec<Option<CellOf<'c, K>>> = vec![None; others.len() + 1];
        for each in every {
            cells[0] = Some(each);
            for ((next, column), cell) in others.iter_mut().zip(&mut cells[1..]) {
                while next.is_some_and(|next| next.of < each.of) {
                    *next = column.next();
                }
                *cell = next.filter(|next| next.of == each.of);
            }
            if self.take(each, &cells) {
                fit.push(each.of);
            }
        }
        self.count(seat);
        fit
    }

    /// Whether it fits.
    fn take(&mut self, each: CellOf<'_, K>, cells: &[Option<CellOf<'_, K>>]) -> bool {
        let at = |place: usize| cells.get(place).copied().flatten();
        if let Some(finder) = &mut self.finder {
            let mut said = self.at.sought.iter().filter_map(|place| at(*place)).filter(|cell| !cell.is_passed);
            if !said.any(|cell| finder.seek(&cell.text())) {
                return false;
            }
        }
        let mut filters = self.query.filters.iter().zip(&self.at.filters);
        if !filters.all(|(filter, place)| filter.holds(at(*place))) {
            return false;
        }
        if each.said == SHARED && !self.shared.insert(each.of) {
            return true;
        }
        self.total += 1;
        if !self.at.groups.is_empty() {
            let mut group = Vec::new();
            for cell in self.at.groups.iter().flatten().map(|place| at(*place)) {
                // How the cell is read, how long it is, and it.
                let (order, said) = cell.map_or((Order::Bytes, &[][..]), |cell| (cell.order, cell.said));
                group.push(order.code());
                group.extend_from_slice(&u32::try_from(said.len()).unwrap_or(u32::MAX).to_be_bytes());
                group.extend_from_slice(said);
            }
            let is_full = self.of_seat.len() >= GROUPS_MAX;
            match self.of_seat.get_mut(&group) {
                Some(count) => *count += 1,
                None if is_full => self.has_more_groups = true,
                None => drop(self.of_seat.insert(group, 1)),
            }
        }
        if self.query.limit > 0 {
            self.rank(self.at.order.and_then(at), each.of);
        }
        true
    }

    fn rank(&mut self, cell: Option<CellOf<'_, K>>, of: K) {
        let key = cell.map(|cell| cell.key());
        let is_before = |rank: &Rank<K>| rank.compare(key.as_deref(), &of) != Ordering::Less;
        if self.after.as_ref().is_some_and(is_before) {
            return;
        }
        let is_full = self.best.len() > self.query.limit;
        if is_full && self.best.last().is_none_or(|last| last.compare(key.as_deref(), &of) != Ordering::Greater) {
            return;
        }
        self.best.insert(self.query.rank(key.map(Cow::into_owned), of));
        if self.best.len() > self.query.limit.saturating_add(1) {
            self.best.pop_last();
        }
    }

    /// What a seat's records were counted as goes with its name into the groups.
    fn count(&mut self, seat: SeatId) {
        for (group, count) in std::mem::take(&mut self.of_seat) {
            let mut rest = &group[..];
            let mut said = || {
                let ([order, len @ ..], after) = rest.split_first_chunk::<5>()?;
                let (said, after) = after.split_at_checked(u32::from_be_bytes(*len) as usize)?;
                rest = after;
                Some(Order::of(*order)?.text(said).into_owned())
            };
            let told = self.at.groups.iter().map(|place| match place {
                Some(_) => said().unwrap_or_default(),
                None => seat.to_string(),
            });
            let group: Vec<String> = told.collect();
            if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&group) {
                self.has_more_groups = true;
            } else {
                *self.groups.entry(group).or_default() += count;
            }
        }
    }

    /// The records of the page in order with what they are sorted by, whether there are more, and what else was found.
    pub fn end(self) -> (Ranked<K>, bool, Found) {
        let has_more = self.best.len() > self.query.limit;
        let page = self.best.into_iter().take(self.query.limit).map(|rank| (rank.key, rank.of)).collect();
        let Gathering { total, groups, has_more_groups, .. } = self;
        (page, has_more, Found { total, groups, has_more_groups, ..Found::default() })
    }
}

impl Filter {
    fn holds<K>(&self, cell: Option<CellOf<'_, K>>) -> bool {
        let says = cell.is_some_and(|cell| {
            let is_said = self.any_of.is_empty() || self.any_of.contains(&*cell.text());
            is_said
                && (self.from.is_none() && self.until.is_none() || {
                    let key = cell.key();
                    let is_from = self.from.as_ref().is_none_or(|from| *key >= from[..]);
                    is_from && self.until.as_ref().is_none_or(|until| *key <= until[..])
                })
        });
        says != self.is_not
    }
}
