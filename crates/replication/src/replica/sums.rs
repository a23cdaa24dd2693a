//! The sums of what this node holds in the scope of its links, kept up to date by each batch, so that comparing with
//! another node costs nothing in proportion to what is held.

use std::collections::BTreeMap;

use heliu_record::hash::Sum;
use heliu_record::id::SeatId;
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_storage::ScanItem;

use crate::frame::Sums;

/// What one record counts for in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub scope: Scope,
    pub present: bool,
    pub held: Sum,
    pub admitted: Sum,
}

/// Per neighbouring seat the sums as they are durable, and as they will be after the batch under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeSums {
    durable: BTreeMap<SeatId, Sums>,
    staged: BTreeMap<SeatId, Sums>,
}

impl ScopeSums {
    /// Begins to keep sums for the neighbours of `seat`: its superior, its subordinates, and itself for mirrors.
    pub fn for_neighbours(seat: SeatId, seats: &Seats) -> Self {
        let parent = seats.get(seat).and_then(|s| s.parent);
        let tracked = seats.children(seat).iter().copied().chain(parent).chain([seat]);
        let durable: BTreeMap<_, _> = tracked.map(|seat| (seat, Sums::default())).collect();
        ScopeSums { staged: durable.clone(), durable }
    }

    pub fn tracks(&self, peer: SeatId) -> bool {
        self.durable.contains_key(&peer)
    }

    /// Counts rows of the store for all seats; each row exactly once, before anything else.
    pub fn count(&mut self, items: &[ScanItem], own: SeatId, seats: &Seats) {
        for item in items {
            let (scope, present) = (item.scope.clone(), item.present);
            let counted = Counted { scope, present, held: item.held, admitted: item.admitted };
            self.each(&counted, own, seats, add);
        }
    }

    pub fn counted(mut self) -> Self {
        self.make_durable();
        self
    }

    /// Counts one seat from all rows of the store. Nothing may be under way.
    pub fn track(&mut self, peer: SeatId, own: SeatId, items: &[ScanItem], seats: &Seats) {
        let mut sums = Sums::default();
        for item in items.iter().filter(|i| i.present) {
            if item.scope.has_audience(peer, seats) && item.scope.has_audience(own, seats) {
                add(&mut sums, &item.held, &item.admitted);
            }
        }
        self.durable.insert(peer, sums);
        self.staged.insert(peer, sums);
    }

    pub fn durable(&self, peer: SeatId) -> Sums {
        self.durable.get(&peer).copied().unwrap_or_default()
    }

    /// A record counted for `before`, and now counts for `after`: each with the tree by which it is counted.
    pub fn replace(&mut self, before: Option<(&Counted, &Seats)>, after: (&Counted, &Seats), own: SeatId) {
        if let Some((before, seats)) = before {
            self.each(before, own, seats, subtract);
        }
        self.each(after.0, own, after.1, add);
    }

    fn each(&mut self, counted: &Counted, own: SeatId, seats: &Seats, change: fn(&mut Sums, &Sum, &Sum)) {
        if !counted.present {
            return;
        }
        if counted.scope.public {
            self.staged.values_mut().for_each(|sums| change(sums, &counted.held, &counted.admitted));
            return;
        }
        let audience = counted.scope.audience(seats);
        if audience.contains(&own) {
            for seat in &audience {
                if let Some(sums) = self.staged.get_mut(seat) {
                    change(sums, &counted.held, &counted.admitted);
                }
            }
        }
    }

    pub fn make_durable(&mut self) {
        self.durable.clone_from(&self.staged);
    }
}

fn add(sums: &mut Sums, held: &Sum, admitted: &Sum) {
    sums.records += 1;
    sums.held.add(&held.0);
    sums.admitted.add(&admitted.0);
}

fn subtract(sums: &mut Sums, held: &Sum, admitted: &Sum) {
    sums.records = sums.records.saturating_sub(1);
    sums.held.subtract(&held.0);
    sums.admitted.subtract(&admitted.0);
}
