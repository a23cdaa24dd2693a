//! Records that name seats which the directory does not know: the only ones whose audience an entry can change that adds
//! seats, for a seat that is there stays where it is. Counted from the store's rows like the sums, and kept up to date by
//! each batch, so that an entry costs what it changes and not a walk over everything. Once entries can move seats, records
//! have to be found by all the seats that they name.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_storage::ScanItem;

#[derive(Clone, Debug, Default)]
pub(crate) struct UnknownSeats {
    by_seat: BTreeMap<SeatId, BTreeSet<RecordId>>,
}

impl UnknownSeats {
    pub fn count(&mut self, items: &[ScanItem], seats: &Seats) {
        items.iter().for_each(|item| self.note(item.id, &item.scope, seats));
    }

    /// A record had the scope `before` and now has `after`.
    pub fn replace(&mut self, record: RecordId, before: &Scope, after: &Scope, seats: &Seats) {
        for seat in before.named() {
            if let Some(records) = self.by_seat.get_mut(&seat) {
                records.remove(&record);
            }
        }
        self.note(record, after, seats);
    }

    pub fn note(&mut self, record: RecordId, scope: &Scope, seats: &Seats) {
        for seat in scope.named().filter(|seat| seats.get(*seat).is_none()) {
            self.by_seat.entry(seat).or_default().insert(record);
        }
    }

    /// The directory knows this seat from now on. Returns the records that named it before.
    pub fn introduce(&mut self, seat: SeatId) -> BTreeSet<RecordId> {
        self.by_seat.remove(&seat).unwrap_or_default()
    }
}
