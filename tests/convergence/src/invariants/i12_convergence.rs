//! I12: after the faults stop, everything converges in a bounded time: every link proves its ends equal (that is what the
//! world waits for), no record waits for history, nothing of honest nodes is refused, and what engines keep is bounded.

use heliu_record::id::LeafHash;
use heliu_storage::{QuarantineRow, RecordState};

use super::{Scene, Violation};
use crate::reference::{Claim, Known};
use crate::world::words_of_record;

/// What links may have under way; the engine's own window, and the page that overran it.
const IN_FLIGHT_BYTES: usize = 5 * 1024 * 1024;
const IN_FLIGHT_FRAMES: usize = 64;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    let mut bad = |what: String| found.push(Violation::new("I12", what));
    let entries = scene.world.county.directory().len();
    for (machine, holding) in &scene.holdings {
        let machine = *machine;
        let name = scene.name(machine);
        for (record, held) in &holding.records {
            if held.row.state != RecordState::Present {
                continue; // Others may hold its past, and have no honest line to bring it.
            }
            let lost = scene.truths.get(record).is_some_and(|truth| !truth.waiting.is_empty());
            if held.row.waiting && !lost {
                bad(format!("{name} still waits for history of {}", words_of_record(&held.row.preimage)));
            }
        }
        let Some(engine) = &scene.world.machines[machine].engine else { continue };
        if scene.is_main && scene.world.published && engine.directory().len() != entries {
            bad(format!("{name} has {} of {entries} directory entries", engine.directory().len()));
        }
        for link in engine.links() {
            if link.in_flight_bytes > IN_FLIGHT_BYTES || link.in_flight_frames > IN_FLIGHT_FRAMES {
                bad(format!("{name} has {} bytes under way on one link", link.in_flight_bytes));
            }
        }
        for refused in scene.world.machines[machine].disk.quarantined() {
            if is_of_honest_nodes(scene, &refused) {
                bad(format!("{name} refused what an honest node wrote: {}: {}", refused.code, refused.reason));
            }
        }
    }
}

/// What honest nodes sent is refused only if hostile hands had made it, and well enough that it travels. What the disk
/// itself spoilt was not refused.
fn is_of_honest_nodes(scene: &Scene<'_>, refused: &QuarantineRow) -> bool {
    if refused.code == "store.damaged" {
        return false;
    }
    match scene.world.ledger.leaf(&LeafHash(refused.id)) {
        Some(known) => known.claim == Claim::JudgedByItsNode && !builds_on_hostile(scene, known),
        None => !refused.from.is_some_and(|from| scene.world.is_in_hostile_hands(from)),
    }
}

/// A node that was told half the truth may have built on what others refuse.
fn builds_on_hostile(scene: &Scene<'_>, known: &Known) -> bool {
    scene.world.ledger.leaves().any(|(_, other)| other.record == known.record && other.claim != Claim::JudgedByItsNode)
}
