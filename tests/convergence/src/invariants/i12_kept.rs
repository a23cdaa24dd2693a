//! I12: what ends of links are compared by is what they hold. What a store keeps of its records by their scopes is what their
//! rows come to, whatever crashed, was restored or rolled back.

use std::collections::BTreeMap;

use heliu_record::scope::Scope;
use heliu_replication::Engine;
use heliu_storage::{ReadRecords as _, Tally};

use super::{Scene, Violation};
use crate::world::disk::ready;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for (machine, holding) in &scene.holdings {
        let at = &scene.world.machines[*machine];
        let is_proven = at.engine.as_ref().is_some_and(Engine::are_sums_proven);
        if scene.world.is_spoilt && !is_proven {
            continue;
        }
        let mut say = |what: String| found.push(Violation::new("I12", format!("{}: {what}", scene.name(*machine))));
        let Some(kept) = ready(at.disk.store.scopes()).expect("a memory store can be read") else {
            if is_proven {
                say("nothing is kept of its records".to_owned());
            }
            continue;
        };
        let mut counted: BTreeMap<&Scope, Tally> = BTreeMap::new();
        for record in holding.records.values() {
            counted.entry(&record.row.scope).or_default().add(&Tally::from(&record.row));
        }
        let mut rest = Tally::default();
        for row in &kept {
            match &row.scope {
                Some(scope) if counted.remove(scope) == Some(row.tally) => {}
                Some(scope) => say(format!("what is kept of {scope:?} is not what its records come to")),
                None => rest = row.tally,
            }
        }
        let mut others = Tally::default();
        counted.values().for_each(|tally| others.add(tally));
        if rest != others {
            say(format!("what is kept of all other scopes is {rest:?} and should be {others:?}"));
        }
    }
}
