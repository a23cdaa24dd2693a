//! Looking through the records with grants for keys that somebody lacks who may read since then: a node that was just
//! enrolled, the escrow. It is done a page at a time while nothing else is to be done, once after each start and after
//! each directory entry that calls for it; records that are touched anyway are looked at then.

use std::collections::BTreeSet;

use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_storage::{ScanItem, Standing};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::id::DirectoryVersion;

use crate::effect::GRANTED_ROWS;

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
pub(crate) struct Rewrap {
    due: Option<For>,
    under_way: Option<(For, Option<RecordId>)>,
    is_reading: bool,
    /// How far the directory was looked at: its length, and what it says of older entries.
    seen: (u64, DirectoryVersion),
}

impl Rewrap {
    /// As a process begins: what was to be done when the last one ended is not known.
    pub fn begin(directory: &Directory) -> Self {
        Rewrap { due: Some(For::Everybody), seen: (directory.len(), directory.verdicts()), ..Rewrap::default() }
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
            item.standing == Standing::Present && is_for && (readers.contains(&own) || had())
        };
        let found = items.iter().filter(concerns).map(|item| item.id).collect();
        *after = items.last().map(|item| item.id);
        if items.len() < GRANTED_ROWS {
            self.under_way = None;
        }
        found
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
            standing: Standing::Present,
            held: Sum::default(),
            admitted: Sum::default(),
            leaves: 1,
        }
    }

    #[test]
    fn looking_through_goes_on_where_it_was_and_ends_with_a_short_page() {
        let mut rewrap = Rewrap { due: Some(For::Everybody), ..Rewrap::default() };
        assert_eq!(rewrap.next(), Some(None));
        assert_eq!(rewrap.next(), None, "one page at a time");
        let page: Vec<ScanItem> = (0..GRANTED_ROWS).map(|_| item(4, VILLAGE)).collect();
        assert_eq!(rewrap.page(&page, TOWNSHIP, &seats()).len(), GRANTED_ROWS);
        assert_eq!(rewrap.next(), Some(Some(RecordId([4; 32]))));
        assert!(rewrap.page(&[], TOWNSHIP, &seats()).is_empty());
        assert!(rewrap.is_over() && rewrap.next().is_none());
    }

    #[test]
    fn only_what_this_seat_and_the_new_one_may_read_is_looked_at() {
        let mut rewrap = Rewrap::default();
        rewrap.add(For::Seats([OTHER].into()));
        rewrap.next();
        let page = [item(1, VILLAGE), item(2, OTHER), item(3, TOWNSHIP)];
        assert_eq!(rewrap.page(&page, TOWNSHIP, &seats()), [RecordId([2; 32])]);
        rewrap.add(For::Seats([TOWNSHIP].into()));
        rewrap.next();
        assert_eq!(rewrap.page(&page, VILLAGE, &seats()), [RecordId([1; 32])], "the others it cannot open");
        rewrap.add(For::Seats([OTHER].into()));
        rewrap.add(For::Everybody);
        rewrap.next();
        assert_eq!(rewrap.page(&page, TOWNSHIP, &seats()).len(), 3);
    }
}
