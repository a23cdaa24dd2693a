//! A part of I13: a record comes only to seats that some change once named, and to those above them. Whoever left keeps a
//! stub; whoever never was in an audience has never heard of the record.

use std::collections::BTreeSet;

use heliu_record::change::Change;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;

use super::{Scene, Violation};
use crate::world::words_of_record;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for (machine, holding) in scene.holdings.iter().enumerate() {
        for (record, held) in &holding.records {
            let Some(truth) = scene.truths.get(record) else { continue };
            let seat = scene.world.machines[machine].seat;
            if truth.entitles(seat, &scene.world.county) || was_named(scene, *record, seat) {
                continue;
            }
            let what = format!("{} was given {}", scene.name(machine), words_of_record(&held.row.preimage));
            found.push(Violation::new("I13", format!("{what}, to which it was never entitled")));
        }
    }
}

fn was_named(scene: &Scene<'_>, record: RecordId, seat: SeatId) -> bool {
    let mut ever = Scope::default();
    for (_, known) in scene.world.ledger.leaves().filter(|(_, known)| known.record == record) {
        ever.owners.insert(known.preimage.birth);
        if let Ok(change) = Change::parse(&known.raw) {
            ever.widen_by(&change);
        }
    }
    let named: BTreeSet<SeatId> = ever.named().collect();
    ever.public || named.iter().any(|named| scene.world.county.upward(*named).any(|at| at == seat))
}
