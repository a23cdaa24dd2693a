//! I2: the same leaves and the same directory give the same admitted set, the same views, conflicts and sums, whoever
//! holds them and in whatever order they came; and what is stored is what follows from the leaves.

use std::collections::{BTreeMap, BTreeSet};

use heliu_catalogue::catalogue;
use heliu_record::conflict::Conflict;
use heliu_record::hash::Sum;
use heliu_record::id::{Actor, LeafHash, RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_record::view::Record;
use heliu_record::world::World as Rules;
use heliu_storage::{LeafStatus, Loaded};

use super::{Scene, Violation};
use crate::reference::in_causal_order;
use crate::world::words_of_record;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    check_rows(scene, found);
    let changes = &scene.parsed.1;
    let seats = scene.world.county.directory().seats();
    let mut folded = BTreeMap::new();
    for (record, truth) in &scene.truths {
        let history = in_causal_order(truth.admitted.iter().filter_map(|leaf| changes.get(leaf)));
        folded.insert(
            *record,
            Record::fold(catalogue().kind(&truth.preimage.kind), truth.preimage.clone(), history, seats),
        );
    }
    let actors = actors(scene);
    for machine in scene.holdings.keys().copied() {
        check_rows_that_say_nothing(scene, machine, found);
        check_sums(scene, machine, found);
        check_views(scene, machine, &folded, found);
        check_conflicts(scene, machine, &folded, &actors, found);
    }
}

/// A record of which nothing is admitted says nothing, whoever holds it, and is for whom its leaves say. What is held without
/// its past, after the seat has left it, is for whom it was.
fn check_rows_that_say_nothing(scene: &Scene<'_>, machine: usize, found: &mut Vec<Violation>) {
    for (record, loaded) in &scene.holdings[&machine].records {
        let is = |status: LeafStatus| loaded.leaves.iter().any(|leaf| leaf.status == status);
        let is_judged = loaded.leaves.iter().any(|leaf| leaf.status != LeafStatus::Waiting);
        if is(LeafStatus::Admitted) || is(LeafStatus::Held) || !is_judged {
            continue;
        }
        let birth = BTreeSet::from([loaded.row.preimage.birth]);
        let scope = &loaded.row.scope;
        let is_silent = loaded.row.view.is_empty() && loaded.row.signal == [0; 8];
        if !is_silent || scope.public || scope.owners != birth || !scope.seats.is_empty() {
            let (name, record) = (scene.name(machine), record.short());
            let what =
                format!("{name} shows {record}, of which nothing counts, or has it for other seats than its own");
            found.push(Violation::new("I2", what));
        }
    }
}

/// What a row counts for is what its leaves and grants add up to.
fn check_sums(scene: &Scene<'_>, machine: usize, found: &mut Vec<Violation>) {
    for (record, loaded) in &scene.holdings[&machine].records {
        let leaves = loaded.leaves.iter().map(|leaf| &leaf.hash.0);
        let held: Sum = leaves.chain(loaded.grants.iter().map(|grant| &grant.hash.0)).collect();
        let counted = loaded.leaves.iter().filter(|leaf| leaf.status == LeafStatus::Admitted);
        let admitted: Sum = counted.map(|leaf| &leaf.hash.0).collect();
        if (held, admitted, loaded.leaves.len()) != (loaded.row.held, loaded.row.admitted, loaded.row.leaves as usize) {
            let (name, record) = (scene.name(machine), record.short());
            found.push(Violation::new("I2", format!("{name} counts {record} for something else than its leaves")));
        }
    }
}

/// Rows of one record are alike at all that hold it, and count the leaves that the reference model counts.
fn check_rows(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for (record, truth) in &scene.truths {
        let holders = scene.holdings.iter().filter(|(_, holding)| holding.is_present(*record));
        let mut first: Option<(usize, &Loaded)> = None;
        for (machine, holding) in holders.map(|(machine, holding)| (*machine, holding)) {
            let Some(loaded) = holding.records.get(record) else { continue };
            let admitted = loaded.leaves.iter().filter(|leaf| leaf.status == LeafStatus::Admitted);
            let admitted: BTreeSet<LeafHash> = admitted.map(|leaf| leaf.hash).collect();
            if admitted != truth.admitted {
                let differ: Vec<String> = admitted.symmetric_difference(&truth.admitted).map(LeafHash::short).collect();
                let (name, record) = (scene.name(machine), words_of_record(&truth.preimage));
                let what = format!("{name} judges leaves {} of {record} wrongly", differ.join(", "));
                found.push(Violation::new("I2", what));
            }
            match first {
                None => first = Some((machine, loaded)),
                Some((other, same)) if !alike(loaded, same) => {
                    let (one, two) = (scene.name(machine), scene.name(other));
                    let what = format!("{one} and {two} hold {} differently", words_of_record(&truth.preimage));
                    found.push(Violation::new("I2", what));
                }
                Some(_) => {}
            }
        }
    }
}

fn alike(a: &Loaded, b: &Loaded) -> bool {
    let (a, b) = (&a.row, &b.row);
    (a.held, a.admitted, &a.view, a.signal, &a.scope, a.leaves)
        == (b.held, b.admitted, &b.view, b.signal, &b.scope, b.leaves)
}

fn check_views(scene: &Scene<'_>, machine: usize, folded: &BTreeMap<RecordId, Record>, found: &mut Vec<Violation>) {
    for (record, loaded) in &scene.holdings[&machine].records {
        let Some(anew) = folded.get(record).filter(|_| scene.holdings[&machine].is_present(*record)) else { continue };
        let view: serde_json::Value = serde_json::from_slice(&loaded.row.view).unwrap_or_default();
        let says = if anew.history.is_empty() { &serde_json::Value::Null } else { &anew.view.json };
        if view != *says {
            let (name, record) = (scene.name(machine), words_of_record(&anew.preimage));
            let what = format!("{name} shows {record} as {view}, its leaves say {}", anew.view.json);
            found.push(Violation::new("I2", what));
        }
    }
}

/// The stored conflicts are those that the rules find in what the machine holds.
fn check_conflicts(
    scene: &Scene<'_>,
    machine: usize,
    folded: &BTreeMap<RecordId, Record>,
    actors: &BTreeMap<Actor, SeatId>,
    found: &mut Vec<Violation>,
) {
    let holding = &scene.holdings[&machine];
    let records: BTreeMap<RecordId, &Record> = folded
        .iter()
        .filter(|(id, record)| holding.is_present(**id) && !record.history.is_empty())
        .map(|(id, record)| (*id, record))
        .collect();
    let desk = Desk { records: &records, seats: scene.world.county.directory().seats(), actors };
    let anew: BTreeMap<[u8; 32], Conflict> = records
        .keys()
        .flat_map(|record| catalogue().conflicts(*record, &desk))
        .map(|conflict| (conflict.id.0, conflict))
        .collect();
    let stored: BTreeMap<[u8; 32], Option<Conflict>> =
        holding.conflicts.iter().map(|row| (row.id, serde_json::from_slice(&row.body).ok())).collect();
    for id in anew.keys().chain(stored.keys()).collect::<BTreeSet<_>>() {
        let (anew, stored) = (anew.get(id), stored.get(id).and_then(Option::as_ref));
        if anew != stored {
            let what = |of: Option<&Conflict>| {
                let told = |c: &Conflict| serde_json::to_string(c).unwrap_or_else(|_| c.kind.clone());
                of.map_or_else(|| "nothing".to_owned(), told)
            };
            let (name, stored, anew) = (scene.name(machine), what(stored), what(anew));
            let what = format!("{name} stores {stored} where the rules now find {anew}");
            found.push(Violation::new("I2", what));
        }
    }
}

/// The seats of all that ever wrote.
pub(super) fn actors(scene: &Scene<'_>) -> BTreeMap<Actor, SeatId> {
    let machines = scene.world.machines.iter();
    let actors = machines.flat_map(|machine| {
        let actor = |incarnation| heliu_trust::id::actor(&machine.node(), incarnation);
        machine.incarnations.iter().map(move |incarnation| (actor(incarnation), machine.seat))
    });
    actors.chain(scene.world.scribe_actors()).chain(scene.world.hostile_actors()).collect()
}

struct Desk<'a> {
    records: &'a BTreeMap<RecordId, &'a Record>,
    seats: &'a Seats,
    actors: &'a BTreeMap<Actor, SeatId>,
}

impl Rules for Desk<'_> {
    fn record(&self, id: RecordId) -> Option<&Record> {
        self.records.get(&id).copied()
    }

    fn seats(&self) -> &Seats {
        self.seats
    }

    fn referring(&self, target: RecordId) -> Vec<RecordId> {
        self.records.values().filter(|record| record.view.refs.contains(&target)).map(|record| record.id).collect()
    }

    fn seat_of(&self, actor: Actor) -> Option<SeatId> {
        self.actors.get(&actor).copied()
    }
}
