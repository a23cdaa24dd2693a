//! Who is above whom. PARENT_CYCLE: two tiers each put one organisation under the other. Both edges are kept; for adding up, each
//! organisation on the cycle stays where it last was without one.

use std::collections::BTreeMap;

use heliu_record::prelude::*;

use super::fields::PARENT;
use super::life::{Org, parents_written};
use super::live::live;
use crate::words::ORGANISATION;

/// Longer chains of parents than any county has.
const DEPTH_MAX: usize = 64;
const PARENT_CYCLE: Word = word("PARENT_CYCLE", "隶属成环", "parent cycle");

pub(super) const RULE: Rule = rule(ORGANISATION, &[PARENT_CYCLE], find).help(
    "几个组织互为上级;汇总时各按成环之前的隶属,由共同上级裁定",
    "organisations are above each other; adding up uses their last acyclic parents, and a common superior decides",
);
pub(super) const SETTLER: Settler = settler(PARENT_CYCLE.name, settle);
pub(super) static CYCLE: Message = message("parent_cycle")
    .what("“{1}”已在“{0}”之下。", "{1:?} is already under {0:?}.")
    .why("组织不能互为上级。", "Organisations cannot be above each other.")
    .next("请先调整下级组织的隶属。", "Change the lower one's parent first.");
pub(super) static NOT_ABOVE: Message = message("no_authority")
    .what("“{0}”不是两个组织的共同上级。", "{0} is not above both.")
    .why("隶属关系由共同上级确定。", "A parent is set by a common superior.")
    .next("请由共同的上级席位办理。", "Have it done at a seat above both.");

/// Who is above whom, by whatever means organisations are held.
pub trait Tree {
    fn parent(&self, org: RecordId) -> Option<RecordId>;
    /// All that were ever written, the last one first.
    fn parents_written(&self, org: RecordId) -> Vec<RecordId>;
}

/// The tree of a node's records.
pub struct Held<'w>(pub &'w dyn World);

impl Tree for Held<'_> {
    fn parent(&self, org: RecordId) -> Option<RecordId> {
        Org::find(org, self.0)?.parent()
    }

    fn parents_written(&self, org: RecordId) -> Vec<RecordId> {
        Org::find(org, self.0).map(|org| parents_written(&org.0.history)).unwrap_or_default()
    }
}

/// An organisation and those above it, until there is none or one comes again.
fn upward(org: RecordId, tree: &dyn Tree) -> impl Iterator<Item = RecordId> {
    std::iter::successors(Some(org), |at| tree.parent(*at)).take(DEPTH_MAX)
}

/// The organisations on the cycle that this one is on, from it upward; empty if it is on none.
fn cycle_of(org: RecordId, tree: &dyn Tree) -> Vec<RecordId> {
    let cycle: Vec<RecordId> = upward(org, tree).skip(1).take_while(|at| *at != org).collect();
    let closes = cycle.last().or(Some(&org)).and_then(|last| tree.parent(*last)) == Some(org);
    if closes { [org].into_iter().chain(cycle).collect() } else { Vec::new() }
}

/// The parent to add up under: the provisional one, or, on a cycle, the last one whose own parents avoid the cycle.
#[must_use]
pub fn projected_parent(org: RecordId, tree: &dyn Tree) -> Option<RecordId> {
    let cycle = cycle_of(org, tree);
    if cycle.is_empty() {
        return tree.parent(org);
    }
    let avoids = |parent: &RecordId| {
        let ends = upward(*parent, tree).count() < DEPTH_MAX;
        ends && !upward(*parent, tree).any(|at| cycle.contains(&at))
    };
    tree.parents_written(org).into_iter().find(avoids)
}

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let mut cycle = cycle_of(record.id, &Held(world));
    cycle.sort_unstable();
    let members: Vec<&Record> = cycle.iter().filter_map(|id| world.record(*id)).collect();
    let Some(&subject) = members.first().filter(|_| members.len() == cycle.len()) else { return Vec::new() };
    let edges = members.iter().filter_map(|member| {
        let at = PARENT.visible(&member.history).last()?;
        Some(ConflictValue::of(member, at.id, None, world))
    });
    // From the cycle's own records alone: nothing outside it makes this be derived anew.
    let before = parents_written(&subject.history).into_iter().find(|parent| !cycle.contains(parent));
    let finding = Finding::hard(&PARENT_CYCLE, subject, PARENT.field.name)
        .between(edges)
        .meanwhile(before.map(|parent| parent.to_string()))
        .settled_above(members.iter().flat_map(|member| member.view.named()), world)
        .anchored_in(cycle.iter().copied())
        .says(
            "这些组织互为上级:{0}。汇总时暂按成环之前的隶属。请选定保留哪一个上级。",
            "These organisations are above each other: {0}. They add up under their former parents. Choose the parent to keep.",
            &[listed(members.iter().map(|member| member.title()))],
        );
    vec![finding]
}

/// The chosen edge stays, or stands again; every other organisation on the cycle goes back to its last acyclic parent.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let edge = |value: &ConflictValue| Some((value.record, value.choice().parse().ok()?));
    let world = planner.whole();
    let cycle = Cycle { held: Held(world), edges: conflict.values.iter().filter_map(edge).collect() };
    let kept = edge(chosen).map(|(org, parent)| (org, Some(parent)));
    let others = conflict.anchors.iter().filter(|org| **org != chosen.record);
    let others = others.map(|org| (*org, projected_parent(*org, &cycle)));
    let parents: Vec<(RecordId, Option<RecordId>)> = kept.into_iter().chain(others).collect();
    for (org, parent) in parents.into_iter().filter(|(org, parent)| Held(world).parent(*org) != *parent) {
        match parent {
            Some(parent) => planner.set(org, &PARENT, parent),
            None => planner.clear(org, &PARENT),
        }
    }
    Ok(())
}

/// The tree with a cycle as it was when it was found, which somebody may have settled since.
struct Cycle<'w> {
    held: Held<'w>,
    edges: BTreeMap<RecordId, RecordId>,
}

impl Tree for Cycle<'_> {
    fn parent(&self, org: RecordId) -> Option<RecordId> {
        self.edges.get(&org).copied().or_else(|| self.held.parent(org))
    }

    fn parents_written(&self, org: RecordId) -> Vec<RecordId> {
        self.held.parents_written(org)
    }
}

/// Whatever writes a parent, it is set by a seat above both organisations, and no organisation is above itself.
pub(super) fn parent_is_above(planner: &Planner<'_>, planned: &Planned<'_>) -> Result<(), Refusal> {
    let write = planned.write;
    let Some(parent) = write.value_of(&PARENT) else { return Ok(()) };
    let (parent, org) = (live(planner, parent)?, planner.world().record(write.record));
    let name = org.map_or_else(|| write.record.short(), Record::title);
    let projected = |at: &RecordId| projected_parent(*at, &Held(planner.whole()));
    let mut above = std::iter::successors(Some(parent.id), projected).take(DEPTH_MAX);
    if above.any(|at| at == write.record) {
        return Err(CYCLE.about(&[name.into(), parent.title().into()]));
    }
    let owners: Vec<SeatId> = match &write.create {
        Some(preimage) => vec![preimage.birth],
        None => org.iter().flat_map(|org| org.view.owners.iter().copied()).collect(),
    };
    let (seat, seats) = (planner.seat(), planner.world().seats());
    if owners.iter().chain(&parent.view.owners).all(|owner| seats.is_at_or_above(seat, *owner)) {
        Ok(())
    } else {
        Err(NOT_ABOVE.about(&[seats.name(seat).into()]))
    }
}
