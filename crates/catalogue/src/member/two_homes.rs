//! MULTI_HOME: two destinations each confirmed a letter that moved the same person from the same home.

use heliu_record::prelude::*;

use super::fields::{DECIDED, DECIDED_ON, MOVES, OVERRULED};
use super::home::{Home, Member, MoveRead, OUTSIDE};
use crate::words::MEMBER;

const MULTI_HOME: Word = word("MULTI_HOME", "重复转接", "two homes");
pub(super) const RULE: Rule = rule(MEMBER, &[MULTI_HOME], find).help(
    "同一届次有两处接收了组织关系;一人只有一个归属,由共同上级裁定",
    "two places received one person from the same home; a person has one home, and a common superior decides",
);
pub(super) const SETTLER: Settler = settler(MULTI_HOME.name, settle).choices(&[OUTSIDE]);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let member = record.read_as::<Member>().filter(|member| !member.disputed.is_empty());
    let Some(member) = member else { return Vec::new() };
    let letter = |home: &'w Home| Some((home, member.find_move(home.entry.as_deref()?)?));
    let claims: Vec<(&Home, &MoveRead)> = member.disputed.iter().filter_map(letter).collect();
    let values = claims
        .iter()
        .flat_map(|(home, letter)| ConflictValue::each(record, letter.claim_ops(), home.place.choice(), world));
    let home = member.home.as_ref().and_then(|home| home.place.org());
    let places = listed(claims.iter().map(|(home, _)| home.place.title(world)));
    let letters = listed(claims.iter().map(|(_, letter)| letter.letter_no.clone()));
    let finding = Finding::hard(&MULTI_HOME, record, MOVES.field.name)
        .between(values)
        .meanwhile(home.map(|org| org.to_string()))
        .settled_above(claims.iter().map(|(home, _)| home.seat), world)
        .naming(claims.iter().filter_map(|(home, _)| home.place.org()).chain(home))
        .says(
            "“{0}”的组织关系被两处接收:{1}(介绍信 {2})。裁定之前仍算在“{3}”。",
            "{0} was received in two places: {1} (letters {2}). Until settled, the home stays {3:?}.",
            &[record.title().into(), places, letters, title(home, world)],
        );
    vec![finding]
}

/// The chosen place becomes the home of the epoch that was disputed; the other letters are returned, and decisions for them taken back.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let Some(member) = subject.read_as::<Member>() else { return Ok(()) };
    let (choice, today) = (chosen.choice(), planner.today());
    for value in &conflict.values {
        let entry = value.written(subject).and_then(|put| MOVES.entry_at(&put.key));
        let Some(at) = entry.and_then(|entry| member.find_move(entry)) else { continue };
        if value.choice() == choice {
            planner.put_parts(subject.id, &at.entry, [DECIDED.with(at.claims()), DECIDED_ON.with(today)]);
            // Who goes outside stays in the registry of the seat that let him go.
            let left = || at.from_org.and_then(|org| planner.world().record(org)).map(|org| planner.owner_of(org));
            let seat = at.to_seat.or_else(left).unwrap_or(subject.preimage.birth);
            planner.hand_over(subject, seat);
        } else {
            planner.put_parts(subject.id, &at.entry, [OVERRULED.with(today)]);
            if at.decided.is_some() {
                planner.put_parts(subject.id, &at.entry, [DECIDED.cleared()]);
            }
        }
    }
    Ok(())
}
