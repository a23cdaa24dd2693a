//! DIVERGED_FIELD: two people wrote one field without seeing each other.

use std::collections::BTreeSet;

use crate::change::{Container, Scalar};
use crate::command::plan::{Planner, Settler, settler};
use crate::conflict::{Conflict, ConflictValue};
use crate::history::{Visible, shown};
use crate::id::SeatId;
use crate::kind::{Kind, Label, Word, Writer, label, word};
use crate::message::Refusal;
use crate::rule::{Finding, Rule, listed_of, rule_of_any};
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
        let choice = value.choice();
        record.kind().and_then(|kind| kind.say_value(key, &choice)).unwrap_or_else(|| choice.into())
    };
    let written = match values.iter().any(ConflictValue::is_sealed) {
        true => label("(已密封)", "(sealed)").into(),
        false => listed_of(total, values.iter().map(said)),
    };
    let field: Label = record.kind().and_then(|kind| kind.field(key)).map_or(label("字段", "field"), |at| at.label);
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
        finding.settled_above(None, world)
    } else {
        finding.settled_by(world.seats().common_superior(parties))
    }
}

/// Overwrites the field with the chosen value.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let field = subject.kind().and_then(|kind| kind.field(&conflict.field));
    let container = field.map_or(Container::Mv, |field| field.merge.container());
    let visible = subject.history.visible(container, &conflict.field);
    let value = visible.iter().find(|v| v.id == chosen.op_id()).map_or(Scalar::Null, |v| v.value.clone());
    planner.put(conflict.subject, container, conflict.field.clone(), value);
    Ok(())
}
