//! Settling a conflict: a choice among its values, written once, for all tiers.

use crate::change::{Container, Scalar};
use crate::command::plan::Planner;
use crate::command::{Command, as_it_was, command, required};
use crate::conflict::{Conflict, ConflictId, ConflictValue};
use crate::id::RecordId;
use crate::kind::ValueType;
use crate::message::{Message, Refusal, message};

const NAME: &str = "conflict.settle";
pub static COMMANDS: &[Command] = &[command(NAME, "处置冲突", "settle a conflict", settle)
    .help(
        "由有权席位在分歧的值中选定一个;已处置的,同级或上级可以改定",
        "the seat that may chooses one of the values that disagree; the same seat or one above it may choose again",
    )
    .about_any()
    .takes(&[
        required("conflict", ValueType::Text(64), "冲突编号", "the conflict"),
        required("choice", ValueType::Text(400), "选定的值或其序号", "the value, or its number from 1"),
    ])];

const NO_CONFLICT: Message = message("no_conflict")
    .what("该记录上没有未决冲突 {0}。", "The record has no open conflict {0}.")
    .why("它可能已经处置,或不由此记录处置。", "It may be settled, or is settled in another record.")
    .next("请查看未决冲突列表。", "Look at the list of open conflicts.");
const NOT_RESOLVER: Message = message("not_resolver")
    .what("“{0}”不能处置此冲突。", "{0} may not settle this conflict.")
    .why("“{1}”须由“{2}”或其上级处置。", "A conflict of this kind ({1}) is settled by {2} or a superior of it.")
    .next("请在该席位的节点上办理。", "Do it at that seat's node.");
const SETTLED_ABOVE: Message = message("not_resolver")
    .what("“{0}”不能改变“{1}”的处置。", "{0} may not change how this was settled ({1}).")
    .why("它已由“{2}”处置。", "{2} has settled it.")
    .next("请由该席位或其上级重新处置。", "Have that seat or a superior of it settle it anew.");
pub(crate) const MESSAGES: &[&Message] = &[&NO_CONFLICT, &NOT_RESOLVER, &SETTLED_ABOVE];

fn settle(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (subject, declared) = (planner.subject()?, planner.declared());
    let named = planner.text("conflict").unwrap_or_default();
    let none = || NO_CONFLICT.about(&[named.into()]);
    let id: ConflictId = named.parse().map_err(|_| none())?;
    let is_it = |c: &Conflict| c.id == id && c.subject == subject.id;
    let open = declared.conflicts(subject.id, planner.whole()).into_iter().find(is_it);
    let settlements = subject.history.visible(Container::Log, &id.settle_key());
    let conflict = open.or_else(|| as_it_was::conflict(planner, subject, id, NAME));
    // One with a record that the asker is not shown is not there for him either.
    let is_shown = |c: &Conflict| c.anchors.iter().all(|anchor| planner.world().record(*anchor).is_some());
    let conflict = conflict.filter(is_shown).ok_or_else(none)?;
    let seats = planner.world().seats();
    if let Some(resolver) = conflict.resolver
        && !seats.is_at_or_above(planner.seat(), resolver)
    {
        let [ours, theirs] = [planner.seat(), resolver].map(|seat| seats.name(seat).into());
        return Err(NOT_RESOLVER.about(&[ours, declared.say_finding(&conflict.kind), theirs]));
    }
    // What was settled is settled anew by the same seat or one above it.
    let by = settlements.iter().filter_map(|at| planner.whole().seat_of(at.id.actor));
    if let Some(above) = by.into_iter().find(|by| !seats.is_at_or_above(planner.seat(), *by)) {
        let [ours, theirs] = [planner.seat(), above].map(|seat| seats.name(seat).into());
        return Err(SETTLED_ABOVE.about(&[ours, declared.say_finding(&conflict.kind), theirs]));
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
        let said = planner.say_choice(conflict, value);
        *said.zh == *choice || *said.en == *choice
    };
    let is_typed = |value: &ConflictValue| !value.is_nothing() && value.choice() == choice;
    let chosen = values.iter().find(|value| is_typed(value) || said(value)).or_else(numbered);
    if let Some(value) = chosen.filter(|value| planner.is_choice(conflict, value)) {
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
