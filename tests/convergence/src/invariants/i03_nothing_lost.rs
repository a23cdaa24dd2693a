//! I3: no update is lost. Every acknowledged leaf is held somewhere; every leaf of a record is at every seat that is
//! entitled to the record, and nowhere else; concurrent values stay visible.
//!
//! With hostile nodes about, that is promised of each group of honest nodes that lines between honest nodes join: what one
//! of the group acknowledged is held in the group, and what is held in the group is at every entitled seat of the group.
//! Two things are not promised. Whoever has no line but to hostile nodes lacks what these keep back, and keeps what has
//! left its seat, hidden, whatever they bring of it later. And a record that has left a seat goes from there once a
//! superior has said that it has everything: if a superior of that seat is hostile and lied, the edits that only this seat
//! had are gone with it.

use std::collections::BTreeSet;

use heliu_record::id::LeafHash;
use serde_json::Value;

use super::{Scene, Violation};
use crate::reference::Truth;
use crate::world::words_of_record;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    check_acknowledged(scene, found);
    for truth in scene.truths.values() {
        for machine in scene.holdings.keys() {
            check_holder(scene, truth, *machine, found);
        }
    }
}

fn check_acknowledged(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for (leaf, known) in scene.world.ledger.leaves() {
        let Some(writer) = scene.holdings.get(&known.machine) else { continue };
        if scene.world.has_hostile_superior(known.machine) && !writer.is_present(known.record) {
            continue; // It has left, and who is to have taken it may have lied.
        }
        let is_held = scene.truths.get(&known.record).is_some_and(|truth| truth.leaves.contains(leaf));
        let is_erased = scene.erased.contains(&known.record);
        if known.is_acknowledged && !known.is_lost && !is_held && !is_erased {
            let (writer, record) = (scene.name(known.machine), words_of_record(&known.preimage));
            let what = format!("leaf {} of {record}, acknowledged by {writer}, is held nowhere", leaf.short());
            found.push(Violation::new("I3", what));
        }
    }
}

fn check_holder(scene: &Scene<'_>, truth: &Truth, machine: usize, found: &mut Vec<Violation>) {
    let (holding, name) = (&scene.holdings[&machine], scene.name(machine));
    let record = words_of_record(&truth.preimage);
    let leaves = holding.leaves(truth.record);
    if !truth.entitles(scene.world.machines[machine].seat, &scene.world.county) {
        if scene.is_main && (!leaves.is_empty() || holding.is_present(truth.record)) {
            let what = format!("{name} holds {} leaves of {record}, to which it is not entitled", leaves.len());
            found.push(Violation::new("I3", what));
        }
        return;
    }
    let missing: Vec<String> = truth.leaves.difference(&leaves).map(LeafHash::short).collect();
    if !missing.is_empty() {
        let what = format!("{name} lacks leaves {} of {record}", missing.join(", "));
        found.push(Violation::new("I3", what));
    } else if !holding.is_present(truth.record) && (scene.is_main || !truth.admitted.is_empty()) {
        found.push(Violation::new("I3", format!("{name} hides {record}, to which it is entitled")));
    } else if let Some(loaded) = holding.records.get(&truth.record) {
        let view = serde_json::from_slice(&loaded.row.view).unwrap_or_default();
        check_values(truth, &view, name, found);
    }
}

/// Every concurrent value of a field that shows them is in the view; of others, the view shows one of them.
fn check_values(truth: &Truth, view: &Value, name: &str, found: &mut Vec<Violation>) {
    for (container, is_mv) in [("mv", true), ("lww", false)] {
        for (field, values) in truth.container(container) {
            let values: BTreeSet<String> = values.iter().map(Value::to_string).collect();
            let shown = view.get(&field).cloned().unwrap_or_default().to_string();
            let concurrent = view.get(format!("{field}_concurrent")).and_then(Value::as_array);
            let listed: BTreeSet<String> = concurrent.into_iter().flatten().map(Value::to_string).collect();
            let is_right = values.contains(&shown) && (!is_mv || values.len() < 2 || listed == values);
            if !is_right {
                let record = words_of_record(&truth.preimage);
                let what = format!("{name} shows {field} of {record} as {shown} {listed:?}, written were {values:?}");
                found.push(Violation::new("I3", what));
            }
        }
    }
}
