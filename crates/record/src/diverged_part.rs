//! DIVERGED_PART: two wrote one part of an entry without seeing each other.

use std::collections::BTreeSet;

use crate::change::{Container, Scalar};
use crate::command::plan::{Planner, Settler, settler};
use crate::conflict::{Conflict, ConflictValue, EMPTY};
use crate::entry::Entry;
use crate::history::shown;
use crate::id::SeatId;
use crate::kind::{Field, Kind, Part, Word, word};
use crate::message::Refusal;
use crate::rule::{Finding, Rule, listed_of, rule_of_any};
use crate::view::Record;
use crate::world::World;

const DIVERGED: Word = word("DIVERGED_PART", "事项分歧", "diverged part");

pub static RULE: Rule = rule_of_any(&[DIVERGED], find).help(
    "两方互不知情地写了同一事项的同一部分;由双方的共同上级选定其一",
    "two wrote one part of an entry without seeing each other; their common superior chooses",
);
pub static SETTLER: Settler = settler(DIVERGED.name, settle);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let mut found = Vec::new();
    for (key, values) in record.history.keys(Container::Slot, "") {
        if values.windows(2).all(|pair| pair[0].value == pair[1].value) {
            continue;
        }
        if let Some((field, entry, part)) = place(record, key).filter(|(_, _, part)| !part.has_own_rule) {
            found.push(finding(record, world, (field, entry, part)));
        }
    }
    found
}

/// What a key names of what the kind declares.
fn place<'k>(record: &Record, key: &'k str) -> Option<(&'static Field, &'k str, &'static Part)> {
    let mut path = key.split('/');
    let (field, entry, part) = (path.next()?, path.next()?, path.next()?);
    let field = record.kind().into_iter().flat_map(Kind::fields).find(|at| at.name == field)?;
    Some((field, entry, field.part(part)?))
}

fn finding<'w>(
    record: &'w Record,
    world: &'w dyn World,
    (field, entry, part): (&'static Field, &str, &'static Part),
) -> Finding<'w> {
    let key = part.key(entry);
    let visible = record.history.visible(Container::Slot, &key);
    let values: Vec<ConflictValue> = shown(visible).map(|at| ConflictValue::of(record, at.id, None, world)).collect();
    let writers: BTreeSet<SeatId> = values.iter().filter_map(|value| value.seat).collect();
    let parties = if writers.is_empty() { record.view.owners.clone() } else { writers };
    let said = |value: &ConflictValue| {
        if value.is_nothing() {
            return EMPTY.into();
        }
        let choice = value.choice();
        record.kind().and_then(|kind| kind.say_value(&key, &choice)).unwrap_or_else(|| choice.into())
    };
    let written = listed_of(visible.len(), values.iter().map(said));
    let at = Entry::find(&record.history, field.name, entry);
    let told = at.map_or_else(String::new, |at| field.told(&at, world.seats()));
    let shown = values.last().map(|value| value.value.clone());
    Finding::advisory(&DIVERGED, record, &*key)
        .between(values)
        .meanwhile(shown.unwrap_or_default())
        .settled_by(world.seats().common_superior(parties))
        .says(
            "“{0}”的{1} {2} 的{3}填了不同的值:{4}。请选定其一。",
            "Different values were entered for {3} of the {1} {2} of {0:?}: {4}. Choose one.",
            &[record.title().into(), field.noun.label.into(), told.into(), part.label.into(), written],
        )
}

/// Overwrites the part with the chosen value, unless what came after has closed it: then what was chosen is only said.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let Some((field, entry, part)) = place(subject, &conflict.field) else { return Ok(()) };
    let at = Entry::find(&subject.history, field.name, entry);
    if at.is_some_and(|at| part.closed_by.iter().any(|closing| at.says(closing))) {
        return Ok(());
    }
    let value = chosen.written(subject).map_or(Scalar::Null, |put| put.value.clone());
    planner.put(conflict.subject, Container::Slot, conflict.field.clone(), value);
    Ok(())
}
