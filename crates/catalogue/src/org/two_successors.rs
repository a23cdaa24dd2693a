//! TWO_SUCCESSORS: two merged one organisation into different ones without seeing each other. Nobody of it follows either until somebody
//! chooses.

use heliu_record::prelude::*;

use super::fields::{PREDECESSORS, SUCCESSOR, SUCCESSORS};
use super::life::Org;
use crate::words::ORGANISATION;

const TWO: Word = word("TWO_SUCCESSORS", "两个承接组织", "two successors");
pub(super) const RULE: Rule = rule(ORGANISATION, &[TWO], find).help(
    "两方互不知情地把同一组织并入或交给不同的组织;裁定之前其党员为待安置",
    "two named different successors of one organisation; until settled its members are unallocated",
);
pub(super) const SETTLER: Settler = settler(TWO.name, settle);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let entries = SUCCESSORS.read(&record.history).into_iter();
    let is_two = |at: &Entry<'_>| at.visible(&SUCCESSOR).windows(2).any(|pair| pair[0].value != pair[1].value);
    let finding = |at: Entry<'w>| {
        let named = at.visible(&SUCCESSOR).iter().filter_map(|put| RecordId::of(&put.value));
        let named: Vec<RecordId> = named.collect();
        Finding::hard(&TWO, record, SUCCESSOR.part.key(at.name))
            .between(at.ops(&SUCCESSOR).map(|op| ConflictValue::of(record, op, None, world)))
            .settled_above(None, world)
            .naming(named.iter().copied())
            .says(
                "“{0}”被分别交给不同的组织承接:{1}。裁定之前其党员为待安置。",
                "{0:?} was given to different successors: {1}. Until settled its members are unallocated.",
                &[record.title().into(), listed(named.iter().map(|org| title(*org, world)))],
            )
    };
    entries.filter(is_two).map(finding).collect()
}

/// The chosen one takes over, and the others are no longer made of this one.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let org = planner.load(conflict.subject)?;
    let Some(unit) = SUCCESSORS.entry_at(&conflict.field) else { return Ok(()) };
    let successor: Option<RecordId> = chosen.choice().parse().ok();
    planner.put_parts(org.id, unit, [successor.map_or_else(|| SUCCESSOR.cleared(), |org| SUCCESSOR.with(org))]);
    let gone = |id: RecordId| {
        planner.world().record(id).filter(|held| !PREDECESSORS.read(&held.history).any(|old| old == org.id))
    };
    if let Some(again) = successor.and_then(gone) {
        planner.put_member(again.id, PREDECESSORS.field.merge.container(), PREDECESSORS.key(&org.id), true);
    }
    for other in conflict.values.iter().filter_map(|value| value.choice().parse::<RecordId>().ok()) {
        let held = planner.world().record(other).filter(|_| Some(other) != successor);
        let Some(held) = held.filter(|held| Org::of(held).is_some()) else { continue };
        let is_ours = held.view.owners.iter().all(|seat| planner.world().seats().is_at_or_above(planner.seat(), *seat));
        if is_ours && PREDECESSORS.read(&held.history).any(|old| old == org.id) {
            planner.put_member(other, PREDECESSORS.field.merge.container(), PREDECESSORS.key(&org.id), false);
        }
    }
    Ok(())
}
