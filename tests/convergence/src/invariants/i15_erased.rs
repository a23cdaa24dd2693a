//! What was erased is gone: once everybody has heard of it, no store has a leaf, a grant or a view of it, and the county's
//! receipt has everybody who runs.

use heliu_storage::RecordState;

use super::{Scene, Violation};

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    let mut bad = |what: String| found.push(Violation::new("I15", what));
    for record in &scene.erased {
        for (machine, holding) in scene.holdings.iter().map(|(machine, holding)| (*machine, holding)) {
            let name = scene.name(machine);
            let engine = scene.world.machines[machine].engine.as_ref();
            let receipt = engine.and_then(|engine| engine.receipt(*record));
            if engine.is_some() && receipt.is_none() {
                bad(format!("{name} has not heard that {} is erased", record.short()));
            }
            let county = scene.world.county.directory().county();
            if scene.is_main && Some(scene.world.machines[machine].seat) == county {
                let silent = receipt.map(|receipt| receipt.silent).unwrap_or_default();
                let running = || scene.holdings.keys().map(|other| &scene.world.machines[*other]);
                let runs = |node| running().find(|other| other.node() == node);
                for other in silent.into_iter().filter_map(runs) {
                    bad(format!("{name} has no word from {} that {} is erased", other.name, record.short()));
                }
            }
            let Some(held) = holding.records.get(record) else { continue };
            let is_gone = held.row.state == RecordState::Erased && held.row.view.is_empty();
            if !is_gone || !held.leaves.is_empty() || !held.grants.is_empty() {
                let (leaves, grants) = (held.leaves.len(), held.grants.len());
                bad(format!("{name} still has {leaves} leaves and {grants} grants of erased {}", record.short()));
            }
        }
    }
}
