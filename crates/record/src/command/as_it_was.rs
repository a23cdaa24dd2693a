//! A conflict as somebody found it who has settled it since: for settling it anew. It may lie over several records, and settling it wrote
//! in more than one, so each is looked at as it was before that. Which change was part of which settlement, records do not say of each
//! other; but a conflict's id says all of it, so what is tried is known for right when it is found.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::change::{Container, OpId};
use crate::command::plan::Planner;
use crate::conflict::{Conflict, ConflictId};
use crate::id::{Actor, ChangeHash, RecordId, SeatId};
use crate::seats::Seats;
use crate::view::Record;
use crate::world::World;

/// Ways in which records could have been; more than any conflict has that people settle.
const TRIED_MAX: usize = 256;

/// The conflict of this id that there was in a record when somebody settled it; `command`: with which command that is done.
pub(super) fn conflict(planner: &Planner<'_>, subject: &Record, id: ConflictId, command: &str) -> Option<Conflict> {
    let settlements = subject.history.visible(Container::Log, &id.settle_key());
    let by: BTreeSet<Actor> = settlements.iter().map(|at| at.id.actor).collect();
    let search = Search { planner, subject: subject.id, id, command, by };
    let mut tried = 0;
    settlements.iter().find_map(|at| {
        let past = search.before(subject, change_of(subject, at.id)?)?;
        search.find(&mut BTreeMap::from([(subject.id, Some(past))]), &mut tried)
    })
}

fn change_of(record: &Record, op: OpId) -> Option<ChangeHash> {
    record.history.change_of(op).map(|change| change.hash)
}

struct Search<'s, 'p> {
    planner: &'s Planner<'p>,
    subject: RecordId,
    id: ConflictId,
    command: &'s str,
    /// Who has settled it.
    by: BTreeSet<Actor>,
}

impl Search<'_, '_> {
    /// `then`: records as they may have been; none: as they are.
    fn find(&self, then: &mut BTreeMap<RecordId, Option<Record>>, tried: &mut usize) -> Option<Conflict> {
        *tried += 1;
        if *tried > TRIED_MAX {
            return None;
        }
        let world = Then { whole: self.planner.whole(), then, asked: RefCell::default() };
        let found = self.planner.declared().conflicts(self.subject, &world);
        if let Some(found) = found.into_iter().find(|found| found.id == self.id) {
            return Some(found);
        }
        let asked = world.asked.into_inner();
        // One that nobody here may have settled is as it is: it need not be tried.
        let next = asked.into_iter().find_map(|id| {
            let ways = self.ways(self.planner.whole().record(id)?);
            (!ways.is_empty()).then_some((id, ways))
        });
        let (next, ways) = next?;
        for way in ways.into_iter().map(Some).chain([None]) {
            then.insert(next, way);
            if let Some(found) = self.find(then, tried) {
                return Some(found);
            }
        }
        then.remove(&next);
        None
    }

    /// A record as it was before each change with which a conflict was settled by one who has settled this one.
    fn ways(&self, record: &Record) -> Vec<Record> {
        let settled = record
            .history
            .changes()
            .filter(|change| self.by.contains(&change.actor) && change.note.command == self.command);
        settled.take(TRIED_MAX).filter_map(|change| self.before(record, change.hash)).collect()
    }

    fn before(&self, record: &Record, change: ChangeHash) -> Option<Record> {
        let past = record.history.at(&record.history.get(&change)?.deps).ok()?;
        let seats = self.planner.whole().seats();
        Some(Record::fold(record.kind(), record.preimage.clone(), past.to_history().into_owned(), seats))
    }
}

/// The records that there are, but for some as they were before.
struct Then<'w> {
    whole: &'w dyn World,
    then: &'w BTreeMap<RecordId, Option<Record>>,
    /// What was looked at beside those.
    asked: RefCell<BTreeSet<RecordId>>,
}

impl World for Then<'_> {
    fn record(&self, id: RecordId) -> Option<&Record> {
        match self.then.get(&id) {
            Some(Some(then)) => Some(then),
            Some(None) => self.whole.record(id),
            None => {
                self.asked.borrow_mut().insert(id);
                self.whole.record(id)
            }
        }
    }

    fn seats(&self) -> &Seats {
        self.whole.seats()
    }

    fn referring(&self, target: RecordId) -> Vec<RecordId> {
        self.whole.referring(target)
    }

    fn seat_of(&self, actor: Actor) -> Option<SeatId> {
        self.whole.seat_of(actor)
    }
}
