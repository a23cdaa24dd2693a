//! I3: no update is lost. Every leaf that was ever durable is held somewhere; every leaf of a record is at every seat that
//! is entitled to the record, and nowhere else; concurrent values stay visible.
//!
//! A leaf is promised where some machine had it on its disk, or had the copy of a disk that did, and has not let go of it.
//! Machines let go of records that left their seat: at that moment another one has each leaf, which the world checks as it
//! happens. What a machine lost with its disk, because it was replaced by an older copy, it does not promise any more.
//!
//! With hostile nodes about, all that is promised of each group of honest nodes that lines between honest nodes join: what a
//! machine of the group has had is held in the group, and what is held in the group is at every entitled seat of the group.
//! Whoever has no line but to hostile nodes lacks what these keep back, and keeps what has left its seat, hidden; if one
//! of those above it is hostile and lied, what only this seat had goes with the record.

use std::collections::BTreeSet;

use heliu_record::id::LeafHash;
use serde_json::Value;

use super::{Scene, Violation};
use crate::reference::Truth;
use crate::world::words_of_record;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    check_had(scene, found);
    for truth in scene.truths.values() {
        for machine in scene.holdings.keys() {
            check_holder(scene, truth, *machine, found);
        }
    }
}

/// What is on the disk's line of a machine of the group is held in the group.
fn check_had(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for machine in scene.holdings.keys() {
        for (record, leaves) in &scene.world.machines[*machine].disk.line {
            let kept = scene.whole.get(record).map(|truth| &truth.leaves);
            for leaf in leaves.iter().filter(|leaf| kept.is_none_or(|kept| !kept.contains(leaf))) {
                let Some(known) = scene.world.ledger.leaf(leaf).filter(|_| !scene.erased.contains(record)) else {
                    continue;
                };
                let acknowledged = if known.is_acknowledged { ", acknowledged by its writer" } else { "" };
                let (name, record) = (scene.name(*machine), words_of_record(&known.preimage));
                let what =
                    format!("leaf {} of {record}{acknowledged}, which {name} has had, is held nowhere", leaf.short());
                found.push(Violation::new("I3", what));
            }
        }
    }
}

fn check_holder(scene: &Scene<'_>, truth: &Truth, machine: usize, found: &mut Vec<Violation>) {
    let (holding, name) = (&scene.holdings[&machine], scene.name(machine));
    let record = words_of_record(&truth.preimage);
    let leaves = holding.leaves(truth.record);
    if !truth.entitles(scene.world.machines[machine].seat, &scene.world.county) {
        let lets_go = scene.world.is_relieved(machine) && !leaves.is_empty();
        let is_shown = scene.is_main && holding.is_present(truth.record);
        if lets_go || is_shown {
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
    for (container, is_mv) in [(&truth.mv, true), (&truth.lww, false)] {
        for (field, values) in container {
            let values: BTreeSet<String> = values.iter().map(Value::to_string).collect();
            let shown = view.get(field).cloned().unwrap_or_default().to_string();
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
