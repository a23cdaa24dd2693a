//! The sums of what this node holds in the scope of its links, kept up to date by each batch, so that comparing with
//! another node costs nothing in proportion to what is held.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::hash::Sum;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_storage::ScanItem;

use crate::durable::Durable;
use crate::effect::LinkId;
use crate::frame::{Outside, Sums};

/// What one record counts for in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub scope: Scope,
    pub present: bool,
    pub held: Sum,
    pub admitted: Sum,
}

/// Per neighbouring seat the sums as they are durable, and as they will be after the work under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeSums {
    durable: BTreeMap<SeatId, Sums>,
    staged: BTreeMap<SeatId, Sums>,
    /// Of links whose other end has left records out, without those.
    apart: BTreeMap<LinkId, Apart>,
}

/// What the other end of a link has left out, and the sums of the rest.
#[derive(Clone, Debug)]
pub(crate) struct Apart {
    seat: SeatId,
    records: BTreeSet<RecordId>,
    durable: Sums,
    staged: Sums,
    /// Said to be left out, or taken in, and not counted as such yet.
    news: BTreeMap<RecordId, bool>,
    /// Ticks since the whole store was looked through for it, and how many there have to be before that is done again.
    ticks: u32,
    pause: u32,
}

/// The store is looked through for what is left out no more often than this, in ticks, however long others go on.
const PAUSE_MAX: u32 = 64;

impl Apart {
    /// Records that the other end has named.
    pub fn named(&self) -> usize {
        self.records.len() + self.news.len()
    }

    pub fn leaves_out(&self, record: &RecordId) -> bool {
        self.news.get(record).copied().unwrap_or_else(|| self.records.contains(record))
    }

    pub fn is_counting(&self) -> bool {
        !self.news.is_empty()
    }

    fn durable(&self) -> Sums {
        self.durable
    }

    fn settle(&mut self, record: RecordId, is_out: bool) {
        if is_out {
            self.records.insert(record);
        } else {
            self.records.remove(&record);
        }
    }
}

impl ScopeSums {
    /// Begins to keep sums for the neighbours of `seat`: its superior, its subordinates, and itself for mirrors.
    pub fn for_neighbours(seat: SeatId, seats: &Seats) -> Self {
        let parent = seats.get(seat).and_then(|s| s.parent);
        let tracked = seats.children(seat).iter().copied().chain(parent).chain([seat]);
        let durable: BTreeMap<_, _> = tracked.map(|seat| (seat, Sums::default())).collect();
        ScopeSums { staged: durable.clone(), durable, apart: BTreeMap::new() }
    }

    pub fn tracks(&self, peer: SeatId) -> bool {
        self.durable.contains_key(&peer)
    }

    /// Counts rows of the store for all seats; each row exactly once, before anything else.
    pub fn count(&mut self, items: &[ScanItem], own: SeatId, seats: &Seats) {
        for item in items {
            let (scope, present) = (item.scope.clone(), item.present);
            let counted = Counted { scope, present, held: item.held, admitted: item.admitted };
            self.each(item.id, &counted, own, seats, add);
        }
    }

    /// All rows were counted.
    pub fn counted(mut self) -> Self {
        self.settle();
        self
    }

    /// In the scope of a link, or else of its other end's seat, as far as they are durable.
    pub fn between(&self, link: Option<LinkId>, peer: Option<SeatId>) -> Sums {
        if let Some(apart) = link.and_then(|link| self.apart(link)) {
            return apart.durable();
        }
        peer.map(|peer| self.durable(peer)).unwrap_or_default()
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

    fn durable(&self, peer: SeatId) -> Sums {
        self.durable.get(&peer).copied().unwrap_or_default()
    }

    /// The other end of a link leaves records out, or takes them in: they wait to be counted.
    pub fn change_apart(&mut self, link: LinkId, seat: SeatId, outside: Outside) {
        let sums = |all: &BTreeMap<SeatId, Sums>| all.get(&seat).copied().unwrap_or_default();
        let (durable, staged) = (sums(&self.durable), sums(&self.staged));
        let new =
            || Apart { seat, records: BTreeSet::new(), durable, staged, news: BTreeMap::new(), ticks: 0, pause: 0 };
        let apart = self.apart.entry(link).or_insert_with(new);
        let out = outside.records.into_iter().map(|record| (record, true));
        let back = outside.no_longer.into_iter().map(|record| (record, false));
        for (record, is_out) in out.chain(back) {
            if apart.records.contains(&record) == is_out {
                apart.news.remove(&record);
            } else {
                apart.news.insert(record, is_out);
            }
        }
    }

    pub fn forget(&mut self, link: LinkId) {
        self.apart.remove(&link);
    }

    /// Of a link whose other end has left something out.
    pub fn apart(&self, link: LinkId) -> Option<&Apart> {
        self.apart.get(&link)
    }

    /// Links that wait to be counted, once in each tick.
    pub fn uncounted(&mut self) -> Vec<LinkId> {
        self.apart.values_mut().for_each(|apart| apart.ticks = apart.ticks.saturating_add(1));
        self.apart.iter().filter(|(_, apart)| apart.is_counting()).map(|(link, _)| *link).collect()
    }

    /// Counts what a link waits for, as far as it is known what a record counts for (none: for nothing). Nothing may be under
    /// way. Returns whether the rest is to be counted from all rows of the store: not again and again, for whoever is far
    /// below can have records left out one by one, without end.
    pub fn count_known<'a>(
        &mut self,
        link: LinkId,
        own: SeatId,
        seats: &Seats,
        known: impl Fn(&RecordId) -> Option<Option<Counted>> + 'a,
    ) -> bool {
        let Some(apart) = self.apart.get_mut(&link) else { return false };
        let (seat, mut sums) = (apart.seat, apart.durable);
        let mut counted = Vec::new();
        for (record, is_out) in &apart.news {
            let Some(item) = known(record) else { continue };
            let in_scope = |scope: &Scope| scope.has_audience(seat, seats) && scope.has_audience(own, seats);
            if let Some(item) = item.filter(|item| item.present && in_scope(&item.scope)) {
                let change = if *is_out { subtract } else { add };
                change(&mut sums, &item.held, &item.admitted);
            }
            counted.push((*record, *is_out));
        }
        (apart.durable, apart.staged) = (sums, sums);
        for (record, is_out) in counted {
            apart.news.remove(&record);
            apart.settle(record, is_out);
        }
        apart.is_counting() && apart.ticks >= apart.pause
    }

    /// Counts what a link waits for from all rows of the store. Nothing may be under way.
    pub fn count_apart(&mut self, link: LinkId, own: SeatId, items: &[ScanItem], seats: &Seats) {
        let Some(apart) = self.apart.get_mut(&link).filter(|apart| apart.is_counting()) else { return };
        for (record, is_out) in std::mem::take(&mut apart.news) {
            apart.settle(record, is_out);
        }
        let mut sums = Sums::default();
        for item in items.iter().filter(|item| item.present && !apart.records.contains(&item.id)) {
            if item.scope.has_audience(apart.seat, seats) && item.scope.has_audience(own, seats) {
                add(&mut sums, &item.held, &item.admitted);
            }
        }
        (apart.durable, apart.staged) = (sums, sums);
        // Nothing had waited for a while: it begins anew.
        let was_quiet = apart.ticks > 2 * apart.pause;
        apart.pause = if was_quiet { 1 } else { (2 * apart.pause).min(PAUSE_MAX) };
        apart.ticks = 0;
    }

    /// A record counted for `before`, and now counts for `after`: each with the tree by which it is counted.
    pub fn replace(
        &mut self,
        record: RecordId,
        before: Option<(&Counted, &Seats)>,
        after: Option<(&Counted, &Seats)>,
        own: SeatId,
    ) {
        if let Some((before, seats)) = before {
            self.each(record, before, own, seats, subtract);
        }
        if let Some((after, seats)) = after {
            self.each(record, after, own, seats, add);
        }
    }

    fn each(
        &mut self,
        record: RecordId,
        counted: &Counted,
        own: SeatId,
        seats: &Seats,
        change: fn(&mut Sums, &Sum, &Sum),
    ) {
        if !counted.present {
            return;
        }
        for apart in self.apart.values_mut().filter(|apart| !apart.records.contains(&record)) {
            if counted.scope.has_audience(apart.seat, seats) && counted.scope.has_audience(own, seats) {
                change(&mut apart.staged, &counted.held, &counted.admitted);
            }
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

    pub fn applied(&mut self, _: &Durable) {
        self.settle();
    }

    fn settle(&mut self) {
        self.durable.clone_from(&self.staged);
        self.apart.values_mut().for_each(|apart| apart.durable = apart.staged);
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

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: SeatId = SeatId([1; 16]);
    const LINK: LinkId = LinkId(1);

    fn record(n: u64) -> RecordId {
        RecordId(heliu_record::hash::hash("a record", &[&n.to_le_bytes()]))
    }

    fn out(n: u64) -> Outside {
        Outside { records: vec![record(n)], no_longer: Vec::new() }
    }

    /// A tick passes: whether all that is here was looked through for it.
    fn tick(sums: &mut ScopeSums, seats: &Seats) -> bool {
        let is_due = sums.uncounted().into_iter().any(|link| sums.count_known(link, OWN, seats, |_| None));
        if is_due {
            sums.count_apart(LINK, OWN, &[], seats);
        }
        is_due
    }

    #[test]
    fn whoever_has_records_left_out_one_by_one_has_the_store_looked_through_more_and_more_seldom() {
        let seats = Seats::default();
        let mut sums = ScopeSums::for_neighbours(OWN, &seats);
        let mut scans = 0;
        for n in 0..1_024 {
            sums.change_apart(LINK, OWN, out(n));
            scans += u32::from(tick(&mut sums, &seats));
        }
        assert!((8..=24).contains(&scans), "{scans} in 1,024 ticks");
        for _ in 0..2 * PAUSE_MAX {
            tick(&mut sums, &seats);
        }
        sums.change_apart(LINK, OWN, out(5_000));
        assert!(tick(&mut sums, &seats), "after a while of quiet nobody waits");
        let apart = sums.apart(LINK).expect("it leaves something out");
        assert!(!apart.is_counting() && apart.named() == 1_025 && apart.leaves_out(&record(7)));
    }
}
