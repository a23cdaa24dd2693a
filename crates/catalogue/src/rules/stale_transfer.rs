//! STALE_TRANSFER: a letter cites a home that the person had left before. It has no effect.

use crate::kinds::member::Member;
use std::collections::BTreeSet;

use crate::kinds::member::MoveState;
use crate::rules::owner_disputed::give_to;
use heliu_record::change::Container;
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::conflict::{Conflict, ConflictValue, Explanation, Severity};
use heliu_record::kind::{Word, label};
use heliu_record::rule::{Finding, Rule, resolver, title};
use heliu_record::view::Record;
use heliu_record::world::World;

const KIND: &str = "STALE_TRANSFER";

pub static RULE: Rule = Rule {
    finds: &[Word { name: KIND, label: label("过时介绍信", "stale letter") }],
    help: label(
        "介绍信依据的归属已经变更,转接无效;由现归属或其上级退回",
        "the letter cites a home that was left before and has no effect; the present home or its superior returns it",
    ),
    takes_any_record: false,
    choices: &[],
    derive,
    settle,
};

fn derive(record: &Record, world: &dyn World, found: &mut Vec<Conflict>) {
    let Some(member) = record.read_as::<Member>() else { return };
    for letter in member.moves.iter().filter(|m| m.state == MoveState::Stale) {
        let (Some(home), Some(to_org)) = (&member.home, letter.to_org) else { continue };
        let value = Some(to_org.to_string().into());
        let (name, from, to) = (record.title(), title(home.org, world), title(to_org, world));
        let finding = Finding {
            kind: KIND,
            severity: Severity::Advisory,
            field: format!("moves/{}", letter.entry),
            values: letter.ops.iter().map(|op| ConflictValue::of(record, *op, value.clone(), world)).collect(),
            provisional: home.org.to_string().into(),
            resolver: resolver(record, letter.to_seat.into_iter().chain([home.seat]), world),
            also: Vec::new(),
            anchors: BTreeSet::from([record.id]),
            quotes: BTreeSet::from([home.org, to_org]),
            explanation: Explanation::new(
                format!("{name}转往“{to}”的介绍信 {} 依据的是旧归属,无效;现归属是“{from}”。", letter.letter_no),
                format!(
                    "Letter {} for {name} to {to:?} cites a former home and has no effect; the home is {from:?}.",
                    letter.letter_no
                ),
            ),
        };
        found.extend(finding.conclude(record, world));
    }
}

/// The letter goes back; if it had taken the record over, the present home's seat has it again.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, _chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let Some(member) = subject.read_as::<Member>() else { return Ok(()) };
    let today = planner.today();
    planner.put(subject.id, Container::Slot, format!("{}/overruled", conflict.field), today);
    let Some(home) = &member.home else { return Ok(()) };
    let seats = planner.world().seats();
    let own = subject.view.owners.iter().copied().find(|owner| seats.is_at_or_above(home.seat, *owner));
    if own.is_none() || subject.view.owners.len() > 1 {
        give_to(planner, subject, own.unwrap_or(home.seat));
    }
    Ok(())
}
