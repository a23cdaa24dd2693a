//! The world as commands and rules see it during a batch: the open records, and what has been looked up for it. What is
//! not here yet is noted; the batch loads it and asks again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{Actor, RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_record::view::Record;
use heliu_record::world::World;
use heliu_storage::{ConflictRow, Transaction};

use crate::effect::{LoadReply, LoadRequest};
use crate::health::Damage;
use crate::parts::Parts;
use crate::records::Records;

/// What the batch before made of things that are looked up. Its transaction was in flight when this one began, so the store may
/// say them as they were before or as they are after it: here is what counts.
pub(crate) struct Ahead {
    refs: Vec<(RecordId, Vec<RecordId>)>,
    pub(super) opened: Vec<ConflictRow>,
    pub(super) closed: Vec<[u8; 32]>,
}

impl Ahead {
    pub(super) fn of(transaction: &Transaction) -> Self {
        Ahead {
            refs: transaction.refs.clone(),
            opened: transaction.conflicts_opened.clone(),
            closed: transaction.conflicts_closed.clone(),
        }
    }
}

/// Who refers to whom, as far as it was looked up, and as the batch has it.
#[derive(Default)]
pub(super) struct LookedUp {
    referring: BTreeMap<RecordId, Vec<RecordId>>,
    /// What the touched records refer to now, those of the batch ahead too.
    refs: BTreeMap<RecordId, BTreeSet<RecordId>>,
    /// `refs`, turned round.
    referred: BTreeMap<RecordId, BTreeSet<RecordId>>,
}

impl LookedUp {
    pub fn behind(ahead: &Ahead) -> Self {
        let mut looked_up = LookedUp::default();
        for (record, refs) in &ahead.refs {
            looked_up.refers(*record, refs.iter().copied().collect());
        }
        looked_up
    }

    /// What the store answered.
    pub fn loaded(&mut self, asked: &LoadRequest, reply: &mut LoadReply) {
        self.referring.extend(asked.referring.iter().map(|target| (*target, Vec::new())));
        for (target, source) in std::mem::take(&mut reply.referring) {
            self.referring.entry(target).or_default().push(source);
        }
    }

    /// A record refers to these now.
    pub fn refers(&mut self, record: RecordId, refs: BTreeSet<RecordId>) {
        for gone in self.refs.get(&record).into_iter().flatten() {
            if let Some(sources) = self.referred.get_mut(gone) {
                sources.remove(&record);
            }
        }
        for target in &refs {
            self.referred.entry(*target).or_default().insert(record);
        }
        self.refs.insert(record, refs);
    }

    /// Who refers to a record in the store, if that was looked up.
    pub fn stored(&self, target: &RecordId) -> Option<&[RecordId]> {
        self.referring.get(target).map(Vec::as_slice)
    }

    /// Who refers to it of those that the batch touched, or the one ahead.
    pub fn touched(&self, target: &RecordId) -> impl Iterator<Item = &RecordId> {
        self.referred.get(target).into_iter().flatten()
    }
}

pub(super) struct Lookup<'a> {
    records: &'a Records,
    looked_up: &'a LookedUp,
    damage: &'a Damage,
    seats: &'a Seats,
    missing: RefCell<LoadRequest>,
    /// Damaged records that were asked for.
    damaged: RefCell<BTreeSet<RecordId>>,
}

impl<'a> Lookup<'a> {
    pub fn new(parts: &'a Parts, looked_up: &'a LookedUp) -> Self {
        let (records, damage, seats) = (&parts.records, &parts.health.damage, parts.authority.seats());
        Lookup { records, looked_up, damage, seats, missing: RefCell::default(), damaged: RefCell::default() }
    }

    pub fn is_missing(&self) -> bool {
        *self.missing.borrow() != LoadRequest::default()
    }

    /// Records that were asked for and are damaged: a plan may not rest on what was answered.
    pub fn damaged(&self) -> BTreeSet<RecordId> {
        self.damaged.borrow().clone()
    }

    /// What was asked for and is not here: answers given meanwhile do not count.
    pub fn missing(self) -> LoadRequest {
        self.missing.into_inner()
    }
}

impl World for Lookup<'_> {
    fn record(&self, id: RecordId) -> Option<&Record> {
        if self.damage.contains(id) {
            self.damaged.borrow_mut().insert(id);
        }
        match self.records.get(&id) {
            Some(open) if open.is_present() => open.record.as_ref(),
            Some(_) => None,
            None => {
                if !self.records.is_absent(&id) && !self.damage.has_no_row(id) {
                    self.missing.borrow_mut().records.insert(id);
                }
                None
            }
        }
    }

    fn seats(&self) -> &Seats {
        self.seats
    }

    fn referring(&self, target: RecordId) -> Vec<RecordId> {
        let Some(stored) = self.looked_up.stored(&target) else {
            self.missing.borrow_mut().referring.insert(target);
            return Vec::new();
        };
        // What this batch touched, or the one ahead, may refer to other records than the store says.
        let touched = |id: &RecordId| self.looked_up.refs.get(id);
        let mut sources: BTreeSet<RecordId> =
            stored.iter().copied().filter(|id| touched(id).is_none_or(|refs| refs.contains(&target))).collect();
        sources.extend(self.looked_up.touched(&target));
        sources.into_iter().collect()
    }

    fn seat_of(&self, actor: Actor) -> Option<SeatId> {
        self.records.actors().get(&actor).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refers_to_whom_is_as_the_batch_ahead_left_it_until_this_one_changes_it() {
        let [source, old, new, newest] = [1, 2, 3, 4].map(|byte| RecordId([byte; 32]));
        let in_flight = Transaction { refs: vec![(source, vec![new])], ..Transaction::default() };
        let mut looked_up = LookedUp::behind(&Ahead::of(&in_flight));
        let touched = |looked_up: &LookedUp, of: RecordId| looked_up.touched(&of).copied().collect::<Vec<_>>();
        assert_eq!((touched(&looked_up, old), touched(&looked_up, new)), (vec![], vec![source]));
        assert!(looked_up.stored(&new).is_none(), "others may refer to it");
        looked_up.refers(source, [newest].into());
        assert_eq!((touched(&looked_up, new), touched(&looked_up, newest)), (vec![], vec![source]));
    }
}
