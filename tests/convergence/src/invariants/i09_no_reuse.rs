//! I9: a node that was restored or cloned never writes under an (actor, seq) that was written before. Where a machine was
//! rolled back with its memory it cannot know at once; then the fork rule decides, the same everywhere (that is I2).

use super::{Scene, Violation};
use crate::reference::Known;
use crate::world::words_of_record;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    let ledger = &scene.world.ledger;
    for ((_, _, seq), leaves) in scene.parsed.by_seq(ledger) {
        let writers = leaves.iter().filter_map(|leaf| ledger.leaf(leaf));
        let excused = writers.clone().any(|known| is_excused(scene, known));
        if leaves.len() > 1
            && !excused
            && let Some(known) = writers.clone().next()
        {
            let (name, record) = (scene.name(known.machine), words_of_record(&known.preimage));
            let what = format!("{name} wrote {} leaves of {record} under one actor and seq {seq}", leaves.len());
            found.push(Violation::new("I9", what));
        }
    }
}

/// Its machine was put back memory and all, or its key is in hands that keep no rules.
fn is_excused(scene: &Scene<'_>, known: &Known) -> bool {
    scene.world.was_rolled_back(known.machine) || scene.world.is_in_hostile_hands(known.author)
}
