//! The world as commands and rules see it during a batch: the open records, and what has been looked up for it. What is
//! not here yet is noted; the batch loads it and asks again.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{Actor, RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_record::view::Record;
use heliu_record::world::World;

use super::batch::Looked;
use super::damage::Damage;
use super::open::Open;
use crate::effect::LoadRequest;

pub(crate) struct Desk<'a> {
    open: &'a BTreeMap<RecordId, Open>,
    looked: &'a Looked,
    damage: &'a Damage,
    seats: &'a Seats,
    actors: &'a BTreeMap<Actor, SeatId>,
    missing: RefCell<LoadRequest>,
    /// Damaged records that were asked for.
    damaged: RefCell<BTreeSet<RecordId>>,
}

impl<'a> Desk<'a> {
    pub fn new(
        open: &'a BTreeMap<RecordId, Open>,
        looked: &'a Looked,
        damage: &'a Damage,
        seats: &'a Seats,
        actors: &'a BTreeMap<Actor, SeatId>,
    ) -> Self {
        Desk { open, looked, damage, seats, actors, missing: RefCell::default(), damaged: RefCell::default() }
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

impl World for Desk<'_> {
    fn record(&self, id: RecordId) -> Option<&Record> {
        if self.damage.contains(id) {
            self.damaged.borrow_mut().insert(id);
        }
        match self.open.get(&id) {
            Some(open) if open.is_present() => open.record.as_ref(),
            Some(_) => None,
            None => {
                if !self.looked.absent.contains(&id) && !self.damage.has_no_row(id) {
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
        let Some(stored) = self.looked.referring.get(&target) else {
            self.missing.borrow_mut().referring.insert(target);
            return Vec::new();
        };
        // What this batch touched may refer to other records than the store says.
        let touched = |id: &RecordId| self.looked.refs.get(id);
        let mut sources: BTreeSet<RecordId> =
            stored.iter().copied().filter(|id| touched(id).is_none_or(|refs| refs.contains(&target))).collect();
        sources.extend(self.looked.referred.get(&target).into_iter().flatten());
        sources.into_iter().collect()
    }

    fn seat_of(&self, actor: Actor) -> Option<SeatId> {
        self.actors.get(&actor).copied()
    }
}
