//! OWNER_DISPUTED: two seats each believe that a record is theirs, and no disputed move explains it.

use std::collections::BTreeSet;

use crate::change::{Container, Scalar};
use crate::command::plan::Planner;
use crate::command::refusal::Refusal;
use crate::conflict::{Conflict, ConflictValue, Explanation, Severity};
use crate::id::SeatId;
use crate::kind::label;
use crate::kinds::member::{Member, MoveState};
use crate::rules::{Finding, Rule, World, resolver};
use crate::scope::{OWNER, seat_of};
use crate::view::Record;

const KIND: &str = "OWNER_DISPUTED";

pub static RULE: Rule = Rule {
    finds: &[KIND],
    label: label("所属不一", "owner disputed"),
    help: label(
        "两个席位都认为记录归自己所有;由共同上级确定",
        "two seats each hold a record as theirs; a common superior decides",
    ),
    takes_any_record: false,
    derive,
    settle,
};

fn derive(record: &Record, world: &dyn World, found: &mut Vec<Conflict>) {
    // Moves have rules of their own, and settling those settles the owner too.
    let by_moves = |m: &Member| {
        !m.disputed.is_empty() || m.moves.iter().any(|letter| letter.received && letter.state == MoveState::Stale)
    };
    if record.view.owners.len() < 2 || record.typed.member().is_some_and(by_moves) {
        return;
    }
    let written = record.history.visible(Container::Scope, OWNER);
    let names = record.view.owners.iter().map(|seat| world.seats().name(*seat)).collect::<Vec<_>>().join(" / ");
    let title = record.title();
    let finding = Finding {
        kind: KIND,
        severity: Severity::Hard,
        field: format!("_scope/{OWNER}"),
        values: written.iter().map(|v| ConflictValue::of(record, v.id, None, world)).collect(),
        // Until then each of them is.
        provisional: record.view.owners.iter().map(SeatId::to_string).collect(),
        resolver: resolver(record, None, world),
        anchors: BTreeSet::from([record.id]),
        explanation: Explanation::new(
            format!("“{title}”同时归几个席位所有:{names}。请确定归谁。"),
            format!("{title:?} belongs to several seats at once: {names}. Say whose it is."),
        ),
    };
    found.extend(finding.conclude(record, world));
}

/// The chosen seat is the owner; the others go on seeing the record.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let visible = subject.history.visible(Container::Scope, OWNER);
    if let Some(owner) = visible.iter().find(|v| v.id == chosen.op_id()).and_then(|v| seat_of(&v.value)) {
        give_to(planner, subject, owner);
    }
    Ok(())
}

/// Makes one seat the owner, and lets the former owners go on seeing the record, to learn of the decision.
pub(super) fn give_to(planner: &mut Planner<'_>, record: &Record, owner: SeatId) {
    planner.put(record.id, Container::Scope, OWNER, Scalar::Bytes(owner.0.to_vec()));
    for former in record.view.owners.iter().filter(|former| **former != owner) {
        planner.add_participant(record.id, *former);
    }
}
