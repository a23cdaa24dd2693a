//! I13: an insider reads and writes its scope and no more.
//!
//! Reads: a record comes only to seats that some change once named, and to those above them. Whoever left keeps a stub;
//! whoever never was in an audience has never heard of the record, and hostile hands are told of it by nobody.
//! Writes: nothing is held that nobody wrote under his own name and key, and nothing that hostile hands made counts which
//! is not theirs to write, by the reference model's own rules. (That nobody counts anything else is I2.)

use std::collections::BTreeSet;

use heliu_record::change::Change;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_storage::{LeafStatus, RecordState};

use super::i02_same_leaves_same_result::actors;
use super::{Scene, Violation};
use crate::reference::Claim;
use crate::reference::authority::words_of_put;
use crate::world::words_of_record;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for machine in scene.holdings.keys() {
        check_known(scene, *machine, found);
        check_written(scene, *machine, found);
        check_heard(scene, *machine, found);
    }
    if scene.is_main {
        check_disclosed(scene, found);
    }
}

/// Every leaf that is held was written by somebody who may write under that name.
fn check_known(scene: &Scene<'_>, machine: usize, found: &mut Vec<Violation>) {
    for leaf in scene.holdings[&machine].records.values().flat_map(|held| &held.leaves) {
        if scene.world.ledger.leaf(&leaf.hash).is_none() {
            let what = format!("{} holds leaf {}, which nobody wrote", scene.name(machine), leaf.hash.short());
            found.push(Violation::new("I13", what));
        }
    }
}

/// Nothing counts that hostile hands wrote beyond their authority.
fn check_written(scene: &Scene<'_>, machine: usize, found: &mut Vec<Violation>) {
    // Of what it does not show, others may know better, and have no honest line to tell it.
    let shown = scene.holdings[&machine].records.iter().filter(|(_, held)| held.row.state == RecordState::Present);
    for (record, held) in shown {
        for leaf in held.leaves.iter().filter(|leaf| leaf.status == LeafStatus::Admitted) {
            let Some(known) = scene.world.ledger.leaf(&leaf.hash) else { continue };
            let counts = || scene.truths.get(record).is_some_and(|truth| truth.admitted.contains(&leaf.hash));
            if known.claim == Claim::JudgedByItsNode || counts() {
                continue;
            }
            let puts = Change::parse(&known.raw).map(|change| change.puts).unwrap_or_default();
            let puts: Vec<String> = puts.iter().map(words_of_put).collect();
            let (name, seat) = (scene.name(machine), scene.world.county.name_of(known.seat));
            let record = words_of_record(&known.preimage);
            let what = format!("{name} lets {seat} write {} of {record}, which is not its to write", puts.join(", "));
            found.push(Violation::new("I13", what));
        }
    }
}

fn check_heard(scene: &Scene<'_>, machine: usize, found: &mut Vec<Violation>) {
    for (record, held) in &scene.holdings[&machine].records {
        let Some(truth) = scene.whole.get(record) else { continue };
        let seat = scene.world.machines[machine].seat;
        let is_entitled = truth.entitles(seat, &scene.world.county) || was_named(scene, *record, seat);
        if !is_entitled && !was_handed(scene, *record, seat) {
            let what = format!("{} was given {}", scene.name(machine), words_of_record(&held.row.preimage));
            found.push(Violation::new("I13", format!("{what}, to which it was never entitled")));
        }
    }
}

/// Hostile hands gave a seat, or one below it, something of the record that is not for it. It lets go of that.
fn was_handed(scene: &Scene<'_>, record: RecordId, seat: SeatId) -> bool {
    let (machines, county) = (&scene.world.machines, &scene.world.county);
    let handed = scene.world.handed.iter().filter(|(_, records)| records.contains(&record));
    handed.into_iter().any(|(machine, _)| county.upward(machines[*machine].seat).any(|at| at == seat))
}

/// What hostile hands were told of is for their seat, or was. They know what they made themselves, and what they heard
/// elsewhere and brought.
fn check_disclosed(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    let brought: BTreeSet<RecordId> = scene.world.handed.values().flatten().copied().collect();
    for (seat, records) in &scene.world.disclosed {
        for record in records.difference(&brought) {
            let Some(truth) = scene.whole.get(record) else { continue };
            if !truth.entitles(*seat, &scene.world.county) && !was_named(scene, *record, *seat) {
                let (seat, record) = (scene.world.county.name_of(*seat), words_of_record(&truth.preimage));
                let what = format!("hostile hands of {seat} were told of {record}, to which it was never entitled");
                found.push(Violation::new("I13", what));
            }
        }
    }
}

/// Whether a change names the seat whose author could share the record then: a seat at or above one that owned it, or a
/// destination that received it on a letter. What anybody else writes names nobody.
fn was_named(scene: &Scene<'_>, record: RecordId, seat: SeatId) -> bool {
    let (actors, county) = (actors(scene), &scene.world.county);
    let mut ever = Scope::default();
    let mut changes: Vec<Change> = Vec::new();
    for (_, known) in scene.world.ledger.leaves().filter(|(_, known)| known.record == record) {
        ever.owners.insert(known.preimage.birth);
        changes.extend(Change::parse(&known.raw));
    }
    let is_above = |above: SeatId, seat: SeatId| county.upward(seat).any(|at| at == above);
    let mut before = usize::MAX;
    while changes.len() < before {
        before = changes.len();
        changes.retain(|change| {
            let Some(author) = actors.get(&change.actor).copied() else { return true };
            let owns = ever.owners.iter().any(|owner| is_above(author, *owner));
            let receives = change.puts.iter().any(|put| put.key.ends_with("/receipt"))
                && ever.named().any(|named| is_above(author, named) || is_above(named, author));
            if owns || receives {
                ever.widen_by(change);
            }
            !(owns || receives)
        });
    }
    ever.public || ever.named().any(|named| is_above(seat, named))
}
