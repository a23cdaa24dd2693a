//! Settling a conflict: a choice among its values, written once, for all tiers.

use crate::change::{Container, Scalar};
use crate::command::plan::Planner;
use crate::command::{Command, command, required};
use crate::conflict::{Conflict, ConflictId, ConflictValue};
use crate::id::RecordId;
use crate::kind::ValueType;
use crate::message::Refusal;

pub static COMMANDS: &[Command] = &[command("conflict.settle", "处置冲突", "settle a conflict", settle)
    .help("由有权席位在分歧的值中选定一个", "the seat that may chooses one of the values that disagree")
    .about_any()
    .takes(&[
        required("conflict", ValueType::Text(64), "冲突编号", "the conflict"),
        required("choice", ValueType::Text(400), "选定的值或其序号", "the value, or its number from 1"),
    ])];

fn settle(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (subject, declared) = (planner.subject()?, planner.declared());
    let named = planner.text("conflict").unwrap_or_default();
    let id: ConflictId = named.parse().map_err(|_| Refusal::no_conflict(named))?;
    let conflict =
        declared.conflicts(subject.id, planner.whole()).into_iter().find(|c| c.id == id && c.subject == subject.id);
    // One with a record that the asker is not shown is not there for him either.
    let is_shown = |c: &Conflict| c.anchors.iter().all(|anchor| planner.world().record(*anchor).is_some());
    let conflict = conflict.filter(is_shown).ok_or_else(|| Refusal::no_conflict(named))?;
    let seats = planner.world().seats();
    if let Some(resolver) = conflict.resolver
        && !seats.is_at_or_above(planner.seat(), resolver)
    {
        let finding = declared.say_finding(&conflict.kind);
        return Err(Refusal::not_resolver(finding, &seats.name(planner.seat()), &seats.name(resolver)));
    }
    let chosen = choose(&conflict, planner.text("choice").unwrap_or_default(), planner)?;
    planner.settles();
    if let Some(settler) = declared.settler(&conflict.kind) {
        (settler.run)(planner, &conflict, &chosen)?;
    }
    planner.put(subject.id, Container::Log, id.settle_key(), Scalar::Text(chosen.choice()));
    planner.note_result("conflict", id.to_string());
    Ok(())
}

fn choose(conflict: &Conflict, choice: &str, planner: &Planner<'_>) -> Result<ConflictValue, Refusal> {
    let values = &conflict.values;
    let numbered = || choice.parse::<usize>().ok().and_then(|n| values.get(n.checked_sub(1)?));
    let said = |value: &ConflictValue| {
        let said = planner.declared().say_choice(conflict, &value.choice());
        *said.zh == *choice || *said.en == *choice
    };
    if let Some(value) = values.iter().find(|v| v.choice() == choice || said(v)).or_else(numbered) {
        return Ok(value.clone());
    }
    let takes_any_record = planner.declared().settler(&conflict.kind).is_some_and(|settler| settler.takes_any_record);
    match values.first() {
        Some(first) if takes_any_record && choice.parse::<RecordId>().is_ok() => {
            Ok(ConflictValue { value: choice.into(), ..first.clone() })
        }
        _ => Err(planner.bad_choice(conflict, choice)),
    }
}
