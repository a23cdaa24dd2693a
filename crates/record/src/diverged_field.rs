//! DIVERGED_FIELD: two people wrote one field without seeing each other.

use std::collections::BTreeSet;

use crate::change::{Container, Scalar};
use crate::command::plan::{Planner, Settler, settler};
use crate::conflict::{Conflict, ConflictValue, EMPTY};
use crate::history::{Visible, shown};
use crate::id::SeatId;
use crate::kind::{Kind, Label, Word, Writer, label, word};
use crate::message::Refusal;
use crate::rule::{Finding, Rule, listed_of, rule_of_any};
use crate::seats::Tier;
use crate::view::Record;
use crate::world::World;

const DIVERGED: Word = word("DIVERGED_FIELD", "字段分歧", "diverged field");

pub static RULE: Rule = rule_of_any(&[DIVERGED], find).help(
    "两方互不知情地写了同一字段;由双方的共同上级选定其一",
    "two wrote one field without seeing each other; their common superior chooses",
);
pub static SETTLER: Settler = settler(DIVERGED.name, settle);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let created = record.kind().into_iter().flat_map(Kind::fields).filter(|field| field.writer == Writer::Creator);
    let created = created.map(|field| (field.name, record.history.visible(field.merge.container(), field.name), true));
    let others = record.history.keys(Container::Mv, "").map(|(key, values)| (key, values, false));
    let all = others.chain(created);
    let diverged = all.filter(|(_, values, _)| values.windows(2).any(|pair| pair[0].value != pair[1].value));
    diverged.map(|(key, values, is_created)| finding(record, world, key, values, is_created)).collect()
}

fn finding<'w>(
    record: &'w Record,
    world: &'w dyn World,
    key: &str,
    values: &[Visible],
    is_created: bool,
) -> Finding<'w> {
    let total = values.len();
    let values: Vec<ConflictValue> = shown(values).map(|at| ConflictValue::of(record, at.id, None, world)).collect();
    let writers: BTreeSet<SeatId> = values.iter().filter_map(|value| value.seat).collect();
    let parties = if writers.is_empty() { record.view.owners.clone() } else { writers };
    let said = |value: &ConflictValue| {
        if value.is_nothing() {
            return EMPTY.into();
        }
        let choice = value.choice();
        record.kind().and_then(|kind| kind.say_value(key, &choice)).unwrap_or_else(|| choice.into())
    };
    let written = match values.iter().any(ConflictValue::is_sealed) {
        true => label("(已密封)", "(sealed)").into(),
        false => listed_of(total, values.iter().map(said)),
    };
    let field: Label = record.kind().and_then(|kind| kind.field(key)).map_or(label("字段", "field"), |at| at.label);
    let is_sealed = values.iter().any(ConflictValue::is_sealed);
    let finding = Finding::advisory(&DIVERGED, record, key)
        .between(values)
        .meanwhile(record.view.json.get(key).cloned().unwrap_or_default())
        .says(
            "“{0}”的{1}填了不同的值:{2}。请选定其一。",
            "Different values were entered for the {1} of {0:?}: {2}. Choose one.",
            &[record.title().into(), field.into(), written],
        );
    // Where two each made the record, whoever decides must be above both.
    if is_created {
        return finding.settled_above(None, world);
    }
    let common = world.seats().common_superior(parties);
    finding.settled_by(if is_sealed { reader(record, common, world) } else { common })
}

/// Who is asked to choose among sealed values: only somebody who reads them. A common superior does not who is further up than the
/// committee of the record's owner; then that committee is.
fn reader(record: &Record, common: Option<SeatId>, world: &dyn World) -> Option<SeatId> {
    let seats = world.seats();
    let readers = seats.readers(&record.view.owners);
    let is_reader = |seat: &SeatId| readers.contains(seat);
    let highest = readers.iter().min_by_key(|seat| seats.get(**seat).map_or(Tier::Village, |seat| seat.tier));
    common.filter(is_reader).or_else(|| highest.copied().filter(|_| record.view.owners.len() == 1))
}

/// Overwrites the field with the chosen value.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let field = subject.kind().and_then(|kind| kind.field(&conflict.field));
    let container = field.map_or(Container::Mv, |field| field.merge.container());
    let value = chosen.written(subject).map_or(Scalar::Null, |put| put.value.clone());
    planner.put(conflict.subject, container, conflict.field.clone(), value);
    Ok(())
}
