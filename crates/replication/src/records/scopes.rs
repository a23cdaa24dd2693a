//! What is counted over all records: what is kept of them by the scopes that they name, with its proof; and what follows from
//! that and from who is above whom now, which is sums for links, and what others have put here by naming this seat.

use std::borrow::Cow;

use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_storage::{ScanItem, Tally};

use super::foreign::Foreign;
use super::kept::Kept;
use super::recount::Recount;
use super::sums::{Apart, Counted, ScopeSums};
use crate::durable::Durable;
use crate::effect::{LinkId, Moment};

pub(crate) struct Scopes {
    pub kept: Kept,
    pub recount: Recount,
    pub sums: ScopeSums,
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

    /// Counts one seat, if what is kept says all that there is to count. Nothing may be under way.
    pub fn track_by_kept(&mut self, peer: SeatId, own: SeatId, seats: &Seats) -> bool {
        let is_enough = self.kept.is_whole() && self.foreign.outside().is_empty();
        if is_enough {
            self.sums.track(peer, own, self.kept.rows().map(|(scope, tally)| (scope, *tally)), seats);
        }
        is_enough
    }

    /// Counts one seat from all rows of the store. Nothing may be under way.
    pub fn track(&mut self, peer: SeatId, items: &[ScanItem], own: SeatId, seats: &Seats) {
        let items = compared(items, &self.foreign);
        self.sums.track(peer, own, items.iter().map(|item| (&item.scope, Tally::from(item))), seats);
    }

    /// All rows were counted: that stands in the place of what is kept. Returns in how many scopes it differs. Nothing may be
    /// under way.
    pub fn recounted(&mut self, counted: Kept, own: SeatId, seats: &Seats) -> usize {
        let differing = match self.kept.differences(&counted) {
            Some(differences) => {
                for (scope, was, is) in &differences {
                    self.sums.correct(scope, was, is, own, seats);
                }
                differences.len()
            }
            // Sums were counted from rows when this process began.
            None => 1,
        };
        if differing > 0 {
            self.kept = counted;
        }
        differing
    }

    /// A record counted for `before`, and now counts for `after`, each with the tree by which it is counted: but for nothing if
    /// it is outside here, where ends of links are compared. Counted as a batch is sealed: of two, the first is durable then.
    pub fn replace(
        &mut self,
        record: RecordId,
        before: Option<(&Counted, &Seats)>,
        after: (&Counted, &Seats),
        own: SeatId,
    ) {
        let was = before.map(|(before, _)| before);
        self.kept.replace(was, after.0);
        self.recount.replace(&record, was, after.0);
        let before = before.filter(|_| !self.foreign.is_outside(&record));
        let after = (!self.foreign.will_be_outside(&record)).then_some(after);
        self.sums.replace(record, before, after, own);
    }

    pub fn seal(&mut self) {
        self.foreign.seal();
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use heliu_record::hash::Sum;
    use heliu_record::scope::Scope;

    use super::super::foreign::Counts;
    use super::*;

    const OWN: SeatId = SeatId([1; 16]);
    const RECORD: RecordId = RecordId([7; 32]);

    fn scopes() -> Scopes {
        let sums = ScopeSums::for_neighbours(OWN, &Seats::default());
        Scopes {
            kept: Kept::new(8),
            recount: Recount::new(8),
            sums,
            foreign: Foreign::new(1, BTreeSet::new(), Counts::default()),
        }
    }

    #[test]
    fn a_record_counts_for_links_once_it_is_durable_and_for_nothing_where_it_is_outside() {
        let (mut scopes, seats) = (scopes(), Seats::default());
        let scope = Scope { public: true, ..Scope::default() };
        let (held, admitted) = (Sum([3; 32]), Sum([3; 32]));
        let counted = Counted { scope, tally: Tally { records: 1, leaves: 1, held, admitted, hidden: 0 } };
        let records = |scopes: &Scopes| scopes.sums.between(None, Some(OWN)).records;
        scopes.replace(RECORD, None, (&counted, &seats), OWN);
        assert_eq!(records(&scopes), 0, "not yet");
        let durable = Durable::said(Ok(())).expect("it is");
        scopes.applied(Moment::default(), &durable);
        assert_eq!(records(&scopes), 1);
        scopes.replace(RECORD, Some((&counted, &seats)), (&counted, &seats), OWN);
        scopes.applied(Moment::default(), &durable);
        assert_eq!(records(&scopes), 1, "it is counted once");
    }
}
