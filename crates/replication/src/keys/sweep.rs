//! Looking through the records with grants for keys that somebody lacks who may read since then: a node that was just
//! enrolled, the escrow. It is done a page at a time while nothing else is to be done, once after each start and after
//! each directory entry that calls for it; records that are touched anyway are looked at then.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_storage::ScanItem;
use heliu_trust::directory::{Directory, Item};
use heliu_trust::grant::Recipient;
use heliu_trust::id::{DirectoryVersion, NodeId};

use super::keyring::Pending;
use crate::effect::SWEEP_ROWS;

/// For whom records are looked through.
#[derive(Clone, Debug)]
enum For {
    Everybody,
    Seats(BTreeSet<SeatId>),
}

impl For {
    fn widened(self, more: For) -> For {
        match (self, more) {
            (For::Seats(mut seats), For::Seats(more)) => {
                seats.extend(more);
                For::Seats(seats)
            }
            _ => For::Everybody,
        }
    }
}

/// What is still to be looked through.
#[derive(Default)]
pub(crate) struct Sweep {
    due: Option<For>,
    under_way: Option<(For, Option<RecordId>)>,
    is_reading: bool,
    /// How far the directory was looked at: its length, and what it says of older entries.
    seen: (u64, DirectoryVersion),
}

impl Sweep {
    /// As a process begins: what was to be done when the last one ended is not known.
    pub fn begin(directory: &Directory) -> Self {
        Sweep { due: Some(For::Everybody), seen: (directory.len(), directory.verdicts()), ..Sweep::default() }
    }

    pub fn directory_grew(&mut self, directory: &Directory) {
        let now = (directory.len(), directory.verdicts());
        let (seen, verdicts) = std::mem::replace(&mut self.seen, now);
        if now.1 != verdicts {
            // Its tail may be another one.
            return self.add(For::Everybody);
        }
        let mut seats = BTreeSet::new();
        for item in directory.entries_from(seen).iter().flat_map(|entry| &entry.entry.items) {
            match item {
                Item::Node { seat, .. } => {
                    seats.insert(*seat);
                }
                Item::Escrow { .. } => return self.add(For::Everybody),
                _ => {}
            }
        }
        if !seats.is_empty() {
            self.add(For::Seats(seats));
        }
    }

    fn add(&mut self, more: For) {
        self.due = Some(match self.due.take() {
            Some(due) => due.widened(more),
            None => more,
        });
    }

    pub fn is_over(&self) -> bool {
        self.due.is_none() && self.under_way.is_none()
    }

    /// After which record to read on, if there is something to read and no page is on its way.
    pub fn next(&mut self) -> Option<Option<RecordId>> {
        if self.is_reading {
            return None;
        }
        if self.under_way.is_none() {
            self.under_way = Some((self.due.take()?, None));
        }
        self.is_reading = true;
        self.under_way.as_ref().map(|(_, after)| *after)
    }

    /// A page came. Returns the records on it that this seat may be able to do something about: it reads them, or did when
    /// it took part in them, and so does now somebody for whom they are looked through.
    pub fn page(&mut self, items: &[ScanItem], own: SeatId, seats: &Seats) -> Vec<RecordId> {
        self.is_reading = false;
        let Some((whom, after)) = &mut self.under_way else { return Vec::new() };
        let concerns = |item: &&ScanItem| {
            let readers = seats.readers(&item.scope.owners);
            let is_for = match whom {
                For::Everybody => true,
                For::Seats(new) => !readers.is_disjoint(new),
            };
            let had = || seats.readers(&item.scope.seats).contains(&own);
            item.present && is_for && (readers.contains(&own) || had())
        };
        let found = items.iter().filter(concerns).map(|item| item.id).collect();
        *after = items.last().map(|item| item.id);
        if items.len() < SWEEP_ROWS {
            self.under_way = None;
        }
        found
    }
}

/// Wraps that are still to be made by somebody who can, per record, as far as the records have been looked at.
#[derive(Default)]
pub(crate) struct Unwrapped {
    records: BTreeMap<RecordId, Pending>,
    /// Those that somebody has made, and that open nothing, as the patrol has found them.
    shut: BTreeMap<RecordId, Pending>,
}

impl Unwrapped {
    pub fn note(&mut self, record: RecordId, pending: Pending) {
        if pending.is_empty() {
            self.records.remove(&record);
        } else {
            self.records.insert(record, pending);
        }
    }

    pub fn note_shut(&mut self, record: RecordId, shut: Pending) {
        if shut.is_empty() {
            self.shut.remove(&record);
        } else {
            self.shut.insert(record, shut);
        }
    }

    pub fn shut(&self, record: RecordId) -> Option<&Pending> {
        self.shut.get(&record)
    }

    /// Records, and among those who wait the nodes.
    pub fn iter(&self) -> impl Iterator<Item = (RecordId, BTreeSet<NodeId>)> + '_ {
        let records: BTreeSet<RecordId> = self.records.keys().chain(self.shut.keys()).copied().collect();
        let node = |(to, _): &_| if let Recipient::Node(node) = to { Some(*node) } else { None };
        records.into_iter().map(move |record| {
            let pending = self.records.get(&record).into_iter().chain(self.shut.get(&record)).flatten();
            (record, pending.filter_map(node).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use heliu_record::hash::Sum;
    use heliu_record::scope::Scope;
    use heliu_record::seats::{Seat, Tier};

    use super::*;

    const TOWNSHIP: SeatId = SeatId([1; 16]);
    const VILLAGE: SeatId = SeatId([2; 16]);
    const OTHER: SeatId = SeatId([3; 16]);

    fn seats() -> Seats {
        let mut seats = Seats::default();
        for (id, parent) in [(TOWNSHIP, None), (VILLAGE, Some(TOWNSHIP)), (OTHER, Some(TOWNSHIP))] {
            let tier = if parent.is_some() { Tier::Village } else { Tier::Township };
            let code = format!("37172600000{}", id.0[0]);
            seats.add(Seat { id, code, name: "seat".to_owned(), tier, parent }).expect("it is new");
        }
        seats
    }

    fn item(n: u8, owner: SeatId) -> ScanItem {
        let scope = Scope { owners: [owner].into(), ..Scope::default() };
        ScanItem {
            id: RecordId([n; 32]),
            scope,
            present: true,
            held: Sum::default(),
            admitted: Sum::default(),
            leaves: 1,
        }
    }

    #[test]
    fn a_sweep_goes_on_where_it_was_and_ends_with_a_short_page() {
        let mut sweep = Sweep { due: Some(For::Everybody), ..Sweep::default() };
        assert_eq!(sweep.next(), Some(None));
        assert_eq!(sweep.next(), None, "one page at a time");
        let page: Vec<ScanItem> = (0..SWEEP_ROWS).map(|_| item(4, VILLAGE)).collect();
        assert_eq!(sweep.page(&page, TOWNSHIP, &seats()).len(), SWEEP_ROWS);
        assert_eq!(sweep.next(), Some(Some(RecordId([4; 32]))));
        assert!(sweep.page(&[], TOWNSHIP, &seats()).is_empty());
        assert!(sweep.is_over() && sweep.next().is_none());
    }

    #[test]
    fn only_what_this_seat_and_the_new_one_may_read_is_looked_at() {
        let mut sweep = Sweep::default();
        sweep.add(For::Seats([OTHER].into()));
        sweep.next();
        let page = [item(1, VILLAGE), item(2, OTHER), item(3, TOWNSHIP)];
        assert_eq!(sweep.page(&page, TOWNSHIP, &seats()), [RecordId([2; 32])]);
        sweep.add(For::Seats([TOWNSHIP].into()));
        sweep.next();
        assert_eq!(sweep.page(&page, VILLAGE, &seats()), [RecordId([1; 32])], "the others it cannot open");
        sweep.add(For::Seats([OTHER].into()));
        sweep.add(For::Everybody);
        sweep.next();
        assert_eq!(sweep.page(&page, TOWNSHIP, &seats()).len(), 3);
    }
}
