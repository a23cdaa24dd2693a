//! I4: what comes twice has no effect. A leaf stands once in a feed, however often it came; and a command that is asked
//! for again is answered as before (that is checked when it is answered, in the world's shell).

use std::collections::BTreeSet;

use super::{Scene, Violation};

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for (machine, holding) in &scene.holdings {
        let mut seen = BTreeSet::new();
        for leaf in holding.records.values().flat_map(|record| &record.leaves) {
            if !seen.insert(leaf.hash) {
                let what = format!("{} keeps leaf {} twice", scene.name(*machine), leaf.hash.short());
                found.push(Violation::new("I4", what));
            }
        }
    }
}
