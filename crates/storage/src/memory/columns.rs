//! What is listed, in maps: by kind, owner and column, and there by record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::id::{RecordId, SeatId};
use heliu_record::listing::Order;

use crate::listing::{CellOf, EVERY, Found, Gathering, Listed, Place, Query, Relisted, SHARED};
use crate::{Cells, RecordRow};

/// What records say.
pub type Column = BTreeMap<RecordId, (Order, Vec<u8>)>;
/// Kind, owner and field.
pub type Name = (String, SeatId, String);

#[derive(Clone, Default)]
pub struct Columns {
    columns: BTreeMap<Name, Arc<Column>>,
    /// By what it was listed, and how far.
    stamp: Option<[u8; 16]>,
    after: Option<RecordId>,
    done: u64,
    is_whole: bool,
}

impl Columns {
    /// As in a store on a disk, where who says wrongly who owned a record leaves its old cells behind.
    pub fn put(&mut self, listed: &Listed) {
        let Listed { record, kind, was, owners, cells } = listed;
        let is_of = |seat: &SeatId| was.as_ref().is_none_or(|was| was.contains(seat)) || owners.contains(seat);
        self.columns.retain(|(of, seat, _), column| {
            if of == kind && is_of(seat) && column.contains_key(record) {
                Arc::make_mut(column).remove(record);
            }
            !column.is_empty()
        });
        let shared = if owners.len() > 1 { SHARED } else { &[] };
        for seat in owners {
            let every = (EVERY, Order::Bytes, shared.to_vec());
            let cells = cells.iter().map(|cell| (cell.column, cell.order, cell.said.clone()));
            for (column, order, said) in [every].into_iter().chain(cells) {
                let column = self.columns.entry((kind.clone(), *seat, column.to_owned())).or_default();
                Arc::make_mut(column).insert(*record, (order, said));
            }
        }
    }

    pub fn all(&self) -> BTreeMap<Name, Column> {
        self.columns.iter().map(|(name, column)| (name.clone(), Column::clone(column))).collect()
    }

    /// Nobody vouches for what is listed.
    pub fn doubt(&mut self) {
        *self = Columns::default();
    }

    pub fn query<'r>(&self, query: &Query, row: impl Fn(RecordId) -> Option<&'r RecordRow>) -> Option<Found> {
        self.stamp.filter(|_| self.is_whole)?;
        let names: BTreeSet<(&String, &SeatId)> = self.columns.keys().map(|(kind, seat, _)| (kind, seat)).collect();
        let mut gathering = Gathering::new(query, query.after.as_ref().map(|place| place.record));
        let is_asked = |(kind, seat): &(&String, &SeatId)| {
            query.kinds.as_ref().is_none_or(|kinds| kinds.contains(*kind))
                && query.seats.as_ref().is_none_or(|seats| seats.contains(seat))
        };
        let columns = query.columns();
        for (kind, seat) in names.into_iter().filter(is_asked) {
            let column = |name: &&str| self.columns.get(&(kind.clone(), *seat, (*name).to_owned()));
            let cells = columns.iter().map(|name| column(name).into_iter().flat_map(|column| column.iter()));
            let cells = cells.map(|column| {
                column.map(|(of, (order, said))| CellOf { of: *of, order: *order, said, is_passed: false })
            });
            let _ = gathering.seat(*seat, cells);
        }
        let (page, mut has_more, mut found) = gathering.end();
        let mut bytes = 0_usize;
        for (key, record) in page {
            let Some(row) = row(record) else { continue };
            bytes = bytes.saturating_add(row.view.len());
            if !found.rows.is_empty() && bytes > query.bytes {
                has_more = true;
                break;
            }
            found.rows.push(row.clone());
            found.next = Some(Place { key, record });
        }
        found.next = found.next.filter(|_| has_more);
        Some(found)
    }

    /// `later`: the rows after a record, in order.
    pub fn relist<'r, R: Iterator<Item = &'r RecordRow>>(
        &mut self,
        stamp: [u8; 16],
        limit: usize,
        cells: &Cells,
        later: impl FnOnce(Option<RecordId>) -> R,
    ) -> Relisted {
        if self.stamp != Some(stamp) {
            *self = Columns { stamp: Some(stamp), ..Columns::default() };
        }
        if !self.is_whole {
            let mut rows = later(self.after).peekable();
            for row in rows.by_ref().take(limit) {
                self.put(&Listed::of(row, Some(Listed::owners(row)), cells(row)));
                (self.after, self.done) = (Some(row.id), self.done + 1);
            }
            self.is_whole = rows.peek().is_none();
        }
        Relisted { done: self.done, is_whole: self.is_whole }
    }
}
