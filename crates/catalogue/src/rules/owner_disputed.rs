//! OWNER_DISPUTED: two seats each believe that a record is theirs, and no disputed move explains it; or a member's home is
//! at a seat that the record does not belong to.

use std::collections::BTreeSet;

use crate::kinds::member::{Member, MoveState};
use heliu_record::change::{Container, OpId, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::conflict::{Conflict, ConflictValue, Explanation, Severity};
use heliu_record::id::SeatId;
use heliu_record::kind::{Word, label};
use heliu_record::rule::{Finding, Rule, listed, resolver};
use heliu_record::scope::{self, OWNER};
use heliu_record::view::Record;
use heliu_record::world::World;

const KIND: &str = "OWNER_DISPUTED";

pub static RULE: Rule = Rule {
    finds: &[Word { name: KIND, label: label("所属不一", "owner disputed") }],
    help: label(
        "两个席位都认为记录归自己所有;由共同上级确定",
        "two seats each hold a record as theirs; a common superior decides",
    ),
    takes_any_record: false,
    choices: &[],
    derive,
    settle,
};

fn derive(record: &Record, world: &dyn World, found: &mut Vec<Conflict>) {
    // Moves have rules of their own, and settling those settles the owner too.
    let by_moves = |m: &Member| {
        !m.disputed.is_empty() || m.moves.iter().any(|letter| letter.received && letter.state == MoveState::Stale)
    };
    if record.read_as::<Member>().is_some_and(by_moves) {
        return;
    }
    let homeless = record.read_as::<Member>().and_then(|member| elsewhere(member, record, world));
    if record.view.owners.len() < 2 && homeless.is_none() {
        return;
    }
    let mut values: Vec<ConflictValue> =
        scope::owners(&record.history).map(|v| ConflictValue::of(record, v.id, None, world)).collect();
    let mut claimants = record.view.owners.clone();
    if let Some((home, ops)) = &homeless {
        let of = |op: &OpId| ConflictValue::of(record, *op, Some(home.to_string().into()), world);
        values.extend(ops.iter().map(of));
        claimants.insert(*home);
    }
    let (zh_names, en_names) = listed(claimants.iter().map(|seat| world.seats().name(*seat)));
    let title = record.title();
    let finding = Finding {
        kind: KIND,
        severity: Severity::Hard,
        field: format!("_scope/{OWNER}"),
        values,
        // Until then each of them is.
        provisional: record.view.owners.iter().map(SeatId::to_string).collect(),
        resolver: resolver(record, homeless.map(|(home, _)| home), world),
        anchors: BTreeSet::from([record.id]),
        quotes: BTreeSet::new(),
        also: Vec::new(),
        explanation: Explanation::new(
            format!("“{title}”的归属不一致,涉及几个席位:{zh_names}。请确定归谁。"),
            format!("{title:?} is held to belong to several seats: {en_names}. Say whose it is."),
        ),
    };
    found.extend(finding.conclude(record, world));
}

/// The seat of a member's home if it is above no owner: the person moved and the record did not. With the operations
/// that say where the home is.
fn elsewhere<'r>(member: &'r Member, record: &Record, world: &dyn World) -> Option<(SeatId, &'r [OpId])> {
    let home = member.home.as_ref()?;
    let letter = member.find_move(home.entry.as_deref()?)?;
    let is_its = |owner: &SeatId| world.seats().is_at_or_above(home.seat, *owner);
    (!record.view.owners.iter().any(is_its)).then_some((home.seat, letter.claim_ops()))
}

/// The chosen seat is the owner; the others go on seeing the record.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    if let Ok(owner) = chosen.choice().parse() {
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
