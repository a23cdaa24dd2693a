//! I10: of two live processes with one identity nothing is lost: what either of them wrote is at both, and at the seats
//! above.

use super::{Holding, Scene, Violation};

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    let machines = &scene.world.machines;
    for (index, machine) in machines.iter().enumerate() {
        for (other, twin) in machines.iter().enumerate().skip(index + 1) {
            let both = [index, other].map(|machine| scene.holdings.get(&machine));
            let [Some(one), Some(two)] = both else { continue };
            if machine.node() != twin.node() {
                continue;
            }
            for (leaf, known) in scene.world.ledger.leaves() {
                let is_theirs = known.machine == index || known.machine == other;
                let has = |at: &Holding| at.leaves(known.record).contains(leaf);
                let truth = scene.truths.get(&known.record);
                let is_entitled = truth.is_some_and(|truth| truth.entitles(machine.seat, &scene.world.county));
                if is_theirs && is_entitled && has(one) != has(two) {
                    let what = format!("one of the two processes of {} lacks leaf {}", machine.name, leaf.short());
                    found.push(Violation::new("I10", what));
                }
            }
        }
    }
}
