//! What a plan would change, without its being carried out: records before and after, conflicts that would come up or be over, seats that
//! would gain or lose sight. Pure, from what is here now; a leaf that arrives meanwhile can make it come out otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::catalogue::Catalogue;
use crate::command::{Asker, Plan, Refusal};
use crate::conflict::{Conflict, ConflictId};
use crate::id::{Actor, RecordId, SeatId};
use crate::seats::Seats;
use crate::sight::Seen;
use crate::view::Record;
use crate::world::World;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub records: Vec<Affected>,
    pub opens: Vec<Conflict>,
    pub settles: Vec<Conflict>,
}

/// One record that a plan writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    pub id: RecordId,
    pub kind: String,
    /// What people would call it.
    pub title: String,
    pub made: bool,
    /// What differs, of the view before and of that after.
    pub before: Map<String, Value>,
    pub after: Map<String, Value>,
    /// Seats that it would name, and no longer name.
    pub gains: BTreeSet<SeatId>,
    pub loses: BTreeSet<SeatId>,
}

impl Catalogue {
    /// What a plan would change. Of what its asker is not shown, nothing is said.
    pub fn preview(&self, plan: &Plan, asker: &Asker, world: &dyn World) -> Result<Preview, Refusal> {
        let kinds: Vec<_> = self.kinds().collect();
        let mut then = Then { world, seat: asker.seat, records: BTreeMap::new() };
        for write in &plan.writes {
            let record = write.planned(world.record(write.record), &kinds, world.seats())?;
            then.records.insert(record.id, record);
        }
        let (now, seen) = (Seen::new(world, &asker.sight), Seen::new(&then, &asker.sight));
        let shown = |id: &RecordId| now.record(*id).is_some() || seen.record(*id).is_some();
        let affected = |write: &crate::command::RecordWrite| {
            let after = then.records.get(&write.record).filter(|after| shown(&after.id))?;
            Some(Affected::of(world.record(after.id), after))
        };
        let records = plan.writes.iter().filter_map(affected).collect();
        let (before, after) = (self.found(&then, world), self.found(&then, &then));
        let told = |all: &BTreeMap<ConflictId, Conflict>, but: &BTreeMap<ConflictId, Conflict>| -> Vec<Conflict> {
            let own = all.values().filter(|conflict| !but.contains_key(&conflict.id));
            own.filter(|conflict| conflict.anchors.iter().chain(&conflict.quotes).all(shown)).cloned().collect()
        };
        Ok(Preview { records, opens: told(&after, &before), settles: told(&before, &after) })
    }

    /// The conflicts of all records that a plan can touch, in one of both worlds.
    fn found(&self, then: &Then<'_>, world: &dyn World) -> BTreeMap<ConflictId, Conflict> {
        let mut anew: BTreeSet<RecordId> = then.records.keys().copied().collect();
        for after in then.records.values() {
            let signal = then.world.record(after.id).map(|before| before.view.signal);
            if signal != Some(after.view.signal) {
                anew.extend(then.referring(after.id));
            }
        }
        anew.iter().flat_map(|id| self.conflicts(*id, world)).map(|conflict| (conflict.id, conflict)).collect()
    }
}

impl Affected {
    fn of(before: Option<&Record>, after: &Record) -> Self {
        let empty = Value::Object(Map::new());
        let (old, new) = differences(before.map_or(&empty, |record| &record.view.json), &after.view.json);
        let named = |record: &Record| record.view.named().collect::<BTreeSet<SeatId>>();
        let (was, is) = (before.map(named).unwrap_or_default(), named(after));
        Affected {
            id: after.id,
            kind: after.preimage.kind.clone(),
            title: after.title(),
            made: before.is_none(),
            before: old,
            after: new,
            gains: &is - &was,
            loses: &was - &is,
        }
    }
}

/// What two views say differently: of objects what differs in them, of all else both values.
fn differences(before: &Value, after: &Value) -> (Map<String, Value>, Map<String, Value>) {
    let empty = Map::new();
    let [old, new] = [before, after].map(|value| value.as_object().unwrap_or(&empty));
    let (mut left, mut right) = (Map::new(), Map::new());
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        match (old.get(name), new.get(name)) {
            (was, is) if was == is => {}
            (Some(was @ Value::Object(_)), Some(is @ Value::Object(_))) => {
                let (was, is) = differences(was, is);
                left.insert(name.clone(), Value::Object(was));
                right.insert(name.clone(), Value::Object(is));
            }
            (was, is) => {
                left.extend(was.map(|value| (name.clone(), value.clone())));
                right.extend(is.map(|value| (name.clone(), value.clone())));
            }
        }
    }
    (left, right)
}

/// The world as it would be.
struct Then<'w> {
    world: &'w dyn World,
    /// Whose the changes of the plan are: nobody has signed them yet.
    seat: SeatId,
    records: BTreeMap<RecordId, Record>,
}

impl World for Then<'_> {
    fn record(&self, id: RecordId) -> Option<&Record> {
        self.records.get(&id).or_else(|| self.world.record(id))
    }

    fn seats(&self) -> &Seats {
        self.world.seats()
    }

    fn referring(&self, target: RecordId) -> Vec<RecordId> {
        let mut sources: BTreeSet<RecordId> = self.world.referring(target).into_iter().collect();
        for record in self.records.values() {
            if record.view.refs.contains(&target) {
                sources.insert(record.id)
            } else {
                sources.remove(&record.id)
            };
        }
        sources.into_iter().collect()
    }

    fn seat_of(&self, actor: Actor) -> Option<SeatId> {
        let is_planned = self.records.values().any(|record| record.history.seq(actor) > 0);
        self.world.seat_of(actor).or_else(|| is_planned.then_some(self.seat))
    }
}
