//! OWNER_DISPUTED: two seats each believe that a record is theirs, and no disputed move explains it; or a member's home is
//! at a seat that the record does not belong to.

use heliu_record::prelude::*;
use heliu_record::scope::{self, OWNER as OWNER_KEY};

use super::home::{Member, MoveState};

const DISPUTED: Word = word("OWNER_DISPUTED", "所属不一", "owner disputed");
pub(super) const RULE: Rule = rule_of_any(&[DISPUTED], find).help(
    "两个席位都认为记录归自己所有;由共同上级确定",
    "two seats each hold a record as theirs; a common superior decides",
);
pub(super) const SETTLER: Settler = settler(DISPUTED.name, settle);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let member = record.read_as::<Member>();
    // Moves have rules of their own, and settling those settles the owner too.
    let by_moves = |member: &Member| {
        let is_stale =
            |letter: &_| matches!(letter, super::home::MoveRead { received: true, state: MoveState::Stale, .. });
        !member.disputed.is_empty() || member.moves.iter().any(is_stale)
    };
    let elsewhere = member.and_then(|member| elsewhere(member, record, world));
    if member.is_some_and(by_moves) || (record.view.owners.len() < 2 && elsewhere.is_none()) {
        return Vec::new();
    }
    let owners = scope::owners(&record.history).map(|at| ConflictValue::of(record, at.id, None, world));
    let home = elsewhere.map(|(home, _)| home);
    let moved = elsewhere.into_iter().flat_map(|(home, ops)| ConflictValue::each(record, ops, home.to_string(), world));
    let mut claimants = record.view.owners.clone();
    claimants.extend(home);
    let names = listed(claimants.iter().map(|seat| world.seats().name(*seat)));
    let finding = Finding::hard(&DISPUTED, record, format!("_scope/{OWNER_KEY}"))
        .between(owners.chain(moved))
        // Until then each of them is.
        .meanwhile(record.view.owners.iter().map(SeatId::to_string).collect::<Vec<_>>())
        .settled_above(home, world)
        .says(
            "“{0}”的归属不一致,涉及几个席位:{1}。请确定归谁。",
            "{0:?} is held to belong to several seats: {1}. Say whose it is.",
            &[record.title().into(), names],
        );
    vec![finding]
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
        planner.hand_over(subject, owner);
    }
    Ok(())
}
