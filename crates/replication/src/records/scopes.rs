//! What is counted over all records by who may have them: sums for links, which records name seats that nobody knows, and what
//! others have put here by naming this seat.

use std::borrow::Cow;

use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_storage::ScanItem;

use super::foreign::Foreign;
use super::sums::{Apart, Counted, ScopeSums};
use super::unknown_seats::UnknownSeats;
use crate::durable::Durable;
use crate::effect::{LinkId, Moment};

pub(crate) struct Scopes {
    pub sums: ScopeSums,
    pub unknown_seats: UnknownSeats,
    pub foreign: Foreign,
}

impl Scopes {
    /// Counts what a link's other end has left out, as far as it is known what the store has of it. Nothing may be under way.
    /// Returns whether all rows of the store have to be looked through for the rest.
    pub fn count_known(
        &mut self,
        link: LinkId,
        own: SeatId,
        seats: &Seats,
        stored: impl Fn(&RecordId) -> Option<Counted>,
    ) -> bool {
        let foreign = &self.foreign;
        let known = |record: &RecordId| stored(record).map(|counted| (!foreign.is_outside(record)).then_some(counted));
        self.sums.count_known(link, own, seats, known)
    }

    /// As [`Scopes::count_known`], all of it, from the rows of the store.
    pub fn count_apart(&mut self, link: LinkId, items: &[ScanItem], own: SeatId, seats: &Seats) {
        if self.sums.apart(link).is_some_and(Apart::is_counting) {
            let items = compared(items, &self.foreign);
            self.sums.count_apart(link, own, &items, seats);
        }
    }

    /// Counts one seat from all rows of the store. Nothing may be under way.
    pub fn track(&mut self, peer: SeatId, items: &[ScanItem], own: SeatId, seats: &Seats) {
        let items = compared(items, &self.foreign);
        self.sums.track(peer, own, &items, seats);
    }

    /// A record counted for `before`, and now counts for `after`, each with the tree by which it is counted: but for nothing if
    /// it is outside here.
    pub fn replace(
        &mut self,
        record: RecordId,
        before: Option<(&Counted, &Seats)>,
        after: (&Counted, &Seats),
        own: SeatId,
    ) {
        let before = before.filter(|_| !self.foreign.is_outside(&record));
        let after = (!self.foreign.will_be_outside(&record)).then_some(after);
        self.sums.replace(record, before, after, own);
    }

    pub fn applied(&mut self, at: Moment, durable: &Durable) {
        self.sums.applied(durable);
        self.foreign.applied(at, durable);
    }
}

/// What is outside here counts for nothing.
fn compared<'a>(items: &'a [ScanItem], foreign: &Foreign) -> Cow<'a, [ScanItem]> {
    if foreign.outside().is_empty() {
        return Cow::Borrowed(items);
    }
    Cow::Owned(items.iter().filter(|item| !foreign.is_outside(&item.id)).cloned().collect())
}
