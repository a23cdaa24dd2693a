//! PARENT_CYCLE: two tiers each put one organisation under the other. Both edges are kept; for adding up, each
//! organisation on the cycle stays where it last was without one.

use crate::kinds::org::Org;
use std::collections::BTreeSet;

use heliu_record::change::{Container, OpId, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::conflict::{Conflict, ConflictValue, Explanation, Severity};
use heliu_record::id::RecordId;
use heliu_record::kind::{Word, label};
use heliu_record::rule::{Finding, Rule, listed, named, resolver};
use heliu_record::value::record_of;
use heliu_record::view::Record;
use heliu_record::world::World;

const KIND: &str = "PARENT_CYCLE";
/// Longer chains of parents than any county has.
const DEPTH_MAX: usize = 64;

pub static RULE: Rule = Rule {
    finds: &[Word { name: KIND, label: label("隶属成环", "parent cycle") }],
    help: label(
        "几个组织互为上级;汇总时各按成环之前的隶属,由共同上级裁定",
        "organisations are above each other; adding up uses their last acyclic parents, and a common superior decides",
    ),
    takes_any_record: false,
    choices: &[],
    derive,
    settle,
};

/// The organisations on the cycle that this one is on, from it upward; empty if it is on none.
#[must_use]
pub fn cycle_of(org: RecordId, world: &dyn World) -> Vec<RecordId> {
    let mut path = vec![org];
    let mut at = org;
    while path.len() <= DEPTH_MAX {
        let Some(parent) = world.record(at).and_then(|r| r.read_as::<Org>()?.parent()) else { break };
        if parent == org {
            return path;
        }
        if path.contains(&parent) {
            break;
        }
        path.push(parent);
        at = parent;
    }
    Vec::new()
}

/// The parent to add up under: the provisional one, or, on a cycle, the last one whose own parents avoid the cycle.
#[must_use]
pub fn projected_parent(org: RecordId, world: &dyn World) -> Option<RecordId> {
    let cycle = cycle_of(org, world);
    let record = world.record(org)?;
    if cycle.is_empty() {
        return record.read_as::<Org>()?.parent();
    }
    parents_written(record).into_iter().find(|parent| !reaches(*parent, &cycle, world))
}

/// Every parent that was ever written, overwritten ones too; the last one first.
fn parents_written(record: &Record) -> Vec<RecordId> {
    let puts = record.history.changes().iter().flat_map(|c| &c.puts);
    let mut written: Vec<(OpId, RecordId)> = puts
        .filter(|put| put.container == Container::Mv && put.key == "parent_org")
        .filter_map(|put| Some((put.id, record_of(&put.value)?)))
        .collect();
    written.sort_unstable();
    written.into_iter().rev().map(|(_, parent)| parent).collect()
}

fn reaches(from: RecordId, cycle: &[RecordId], world: &dyn World) -> bool {
    let mut at = from;
    for _ in 0..DEPTH_MAX {
        if cycle.contains(&at) {
            return true;
        }
        match world.record(at).and_then(|r| r.read_as::<Org>()?.parent()) {
            Some(parent) => at = parent,
            None => return false,
        }
    }
    true
}

fn derive(record: &Record, world: &dyn World, found: &mut Vec<Conflict>) {
    if record.read_as::<Org>().is_none_or(|org| org.parents.is_empty()) {
        return;
    }
    let mut cycle = cycle_of(record.id, world);
    cycle.sort_unstable();
    let Some(subject) = cycle.first().and_then(|lowest| world.record(*lowest)) else { return };
    let members: Vec<&Record> = cycle.iter().filter_map(|id| world.record(*id)).collect();
    let edges = members.iter().filter_map(|member| {
        let (op, parent) = member.read_as::<Org>()?.parents.last()?;
        Some(ConflictValue::of(member, *op, parent.map(|p| p.to_string().into()), world))
    });
    let (zh_names, en_names) = listed(members.iter().map(|m| m.title()));
    // From the cycle's own records alone: nothing outside it makes this be derived anew.
    let provisional = parents_written(subject).into_iter().find(|parent| !cycle.contains(parent));
    let finding = Finding {
        kind: KIND,
        severity: Severity::Hard,
        field: "parent_org".to_owned(),
        values: edges.collect(),
        provisional: provisional.map_or(serde_json::Value::Null, |p| p.to_string().into()),
        resolver: resolver(subject, members.iter().flat_map(|m| named(m)), world),
        also: Vec::new(),
        anchors: cycle.iter().copied().collect(),
        quotes: BTreeSet::new(),
        explanation: Explanation::new(
            format!("这些组织互为上级:{zh_names}。汇总时暂按成环之前的隶属。请选定保留哪一个上级。"),
            format!(
                "These organisations are above each other: {en_names}. They add up under their former parents. Choose the parent to keep."
            ),
        ),
    };
    found.extend(finding.conclude(subject, world));
}

/// The chosen edge stays; every other organisation on the cycle goes back to its last acyclic parent.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let world = planner.whole();
    for org in conflict.anchors.iter().filter(|org| **org != chosen.record) {
        let parent = projected_parent(*org, world).map_or(Scalar::Null, |p| Scalar::Bytes(p.0.to_vec()));
        planner.put(*org, Container::Mv, "parent_org".to_owned(), parent);
    }
    Ok(())
}
