//! What somebody is shown of the records that a node holds. A node holds more than each of its people may see: for who may
//! not see a record it does not exist, and there is one answer for it and for one that never was.

use std::collections::BTreeSet;

use crate::id::{Actor, RecordId, SeatId};
use crate::seats::Seats;
use crate::view::Record;
use crate::world::World;

/// The records that somebody may see and write: those of some seats and what is below them, and of some kinds. What is public is seen by
/// all of them, and written as any other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// None: of all seats.
    pub seats: Option<BTreeSet<SeatId>>,
    /// None: of all kinds.
    pub kinds: Option<BTreeSet<String>>,
}

impl Sight {
    /// Of somebody who is shown everything.
    pub const WHOLE: Sight = Sight { seats: None, kinds: None };

    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Sight::WHOLE
    }

    #[must_use]
    pub fn has_kind(&self, kind: &str) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind))
    }

    /// Whether a seat is one of these, or below one.
    #[must_use]
    pub fn has_seat(&self, seat: SeatId, seats: &Seats) -> bool {
        self.seats.as_ref().is_none_or(|own| own.iter().any(|above| seats.is_at_or_above(*above, seat)))
    }

    /// Whether a record of this kind and these owners is one of theirs: what may be written, and of which more is told than it says.
    #[must_use]
    pub fn has(&self, kind: &str, owners: &BTreeSet<SeatId>, seats: &Seats) -> bool {
        self.is_whole() || (self.has_kind(kind) && owners.iter().any(|owner| self.has_seat(*owner, seats)))
    }

    /// Whether a record is shown: one of theirs, and a public one whoever owns it. Seats limit what is for some seats alone.
    #[must_use]
    pub fn shows(&self, kind: &str, public: bool, owners: &BTreeSet<SeatId>, seats: &Seats) -> bool {
        (public && self.has_kind(kind)) || self.has(kind, owners, seats)
    }

    /// Whether everything at a seat and below it is shown, whatever its kind.
    #[must_use]
    pub fn covers(&self, seat: SeatId, seats: &Seats) -> bool {
        self.kinds.is_none() && self.has_seat(seat, seats)
    }
}

/// A world as somebody is shown it.
pub struct Seen<'a> {
    whole: &'a dyn World,
    sight: &'a Sight,
}

impl<'a> Seen<'a> {
    #[must_use]
    pub fn new(whole: &'a dyn World, sight: &'a Sight) -> Self {
        Seen { whole, sight }
    }
}

impl World for Seen<'_> {
    fn record(&self, id: RecordId) -> Option<&Record> {
        let is_shown = |record: &&Record| {
            let (kind, view) = (&record.preimage.kind, &record.view);
            self.sight.shows(kind, view.public, &view.owners, self.whole.seats())
        };
        self.whole.record(id).filter(is_shown)
    }

    fn seats(&self) -> &Seats {
        self.whole.seats()
    }

    fn referring(&self, target: RecordId) -> Vec<RecordId> {
        self.whole.referring(target).into_iter().filter(|id| self.record(*id).is_some()).collect()
    }

    fn seat_of(&self, actor: Actor) -> Option<SeatId> {
        self.whole.seat_of(actor)
    }
}
