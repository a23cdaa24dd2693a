//! Settling a conflict: a choice among its values, written once, for all tiers.

use crate::catalogue::Catalogue;
use crate::change::{Container, Scalar};
use crate::command::plan::Planner;
use crate::command::refusal::Refusal;
use crate::command::{Argument, Command, Makes, Subject};
use crate::conflict::{Conflict, ConflictId, ConflictValue};
use crate::id::RecordId;
use crate::kind::{ValueType, label};
use crate::rule;
use crate::schema::settle_key;

pub static COMMANDS: &[Command] = &[Command {
    name: "conflict.settle",
    label: label("处置冲突", "settle a conflict"),
    help: label("由有权席位在分歧的值中选定一个", "the seat that may chooses one of the values that disagree"),
    subject: Subject::Any,
    makes: Makes::Nothing,
    arguments: &[
        Argument::required("conflict", ValueType::Text(64), label("冲突编号", "the conflict")),
        Argument::required(
            "choice",
            ValueType::Text(400),
            label("选定的值或其序号", "the value, or its number from 1"),
        ),
    ],
    takes_fields: false,
    run: settle,
}];

fn settle(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let subject = planner.subject()?;
    let named = planner.text("conflict").unwrap_or_default();
    let id: ConflictId = named.parse().map_err(|_| Refusal::no_conflict(named))?;
    let conflict =
        rule::derive(subject.id, planner.whole()).into_iter().find(|c| c.id == id && c.subject == subject.id);
    // One with a record that the asker is not shown is not there for him either.
    let is_shown = |c: &Conflict| c.anchors.iter().all(|anchor| planner.world().record(*anchor).is_some());
    let conflict = conflict.filter(is_shown).ok_or_else(|| Refusal::no_conflict(named))?;
    let (seats, catalogue) = (planner.world().seats(), planner.world().catalogue());
    if let Some(resolver) = conflict.resolver
        && !seats.is_at_or_above(planner.seat(), resolver)
    {
        let finding = catalogue.say_finding(&conflict.kind);
        return Err(Refusal::not_resolver(&finding, &seats.name(planner.seat()), &seats.name(resolver)));
    }
    let chosen = choose(&conflict, planner.text("choice").unwrap_or_default(), catalogue)?;
    planner.settles();
    if let Some(rule) = catalogue.rule_of(&conflict.kind) {
        (rule.settle)(planner, &conflict, &chosen)?;
    }
    planner.put(subject.id, Container::Log, settle_key(&id), Scalar::Text(chosen.choice()));
    planner.note_result("conflict", id.to_string());
    Ok(())
}

fn choose(conflict: &Conflict, choice: &str, catalogue: &Catalogue) -> Result<ConflictValue, Refusal> {
    let values = &conflict.values;
    let numbered = || choice.parse::<usize>().ok().and_then(|n| values.get(n.checked_sub(1)?));
    let said = |value: &ConflictValue| {
        let said = catalogue.say_choice(conflict, &value.choice());
        *said.zh == *choice || *said.en == *choice
    };
    if let Some(value) = values.iter().find(|v| v.choice() == choice || said(v)).or_else(numbered) {
        return Ok(value.clone());
    }
    let takes_any_record = catalogue.rule_of(&conflict.kind).is_some_and(|rule| rule.takes_any_record);
    match values.first() {
        Some(first) if takes_any_record && choice.parse::<RecordId>().is_ok() => {
            Ok(ConflictValue { value: choice.into(), ..first.clone() })
        }
        _ => Err(Refusal::bad_choice(conflict, choice, catalogue)),
    }
}
