//! A part of I13: a record comes only to seats that some change once named, and to those above them. Whoever left keeps a
//! stub; whoever never was in an audience has never heard of the record.

use heliu_record::change::Change;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;

use super::i02_same_leaves_same_result::actors;
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
