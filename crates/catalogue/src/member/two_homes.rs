//! MULTI_HOME: two destinations each confirmed a letter that moved the same person from the same home.

use heliu_record::prelude::*;

use super::fields::{DECIDED, DECIDED_ON, MOVES, OVERRULED};
use super::home::{Home, Member, MoveRead};
use crate::words::MEMBER;

const MULTI_HOME: Word = word("MULTI_HOME", "重复转接", "two homes");
pub(super) const RULE: Rule = rule(MEMBER, &[MULTI_HOME], find).help(
    "同一届次有两处接收了组织关系;一人只有一个归属,由共同上级裁定",
    "two places received one person from the same home; a person has one home, and a common superior decides",
);
pub(super) const SETTLER: Settler = settler(MULTI_HOME.name, settle);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let member = record.read_as::<Member>().filter(|member| !member.disputed.is_empty());
    let Some(member) = member else { return Vec::new() };
    let letter = |home: &'w Home| Some((home, member.find_move(home.entry.as_deref()?)?));
    let claims: Vec<(&Home, &MoveRead)> = member.disputed.iter().filter_map(letter).collect();
    let values = claims
        .iter()
        .flat_map(|(home, letter)| ConflictValue::each(record, letter.claim_ops(), home.org.to_string(), world));
    let home = member.home.as_ref().map(|home| home.org);
    let places = listed(claims.iter().map(|(home, _)| title(home.org, world)));
    let letters = listed(claims.iter().map(|(_, letter)| letter.letter_no.clone()));
    let finding = Finding::hard(&MULTI_HOME, record, MOVES.field.name)
        .between(values)
        .meanwhile(home.map(|org| org.to_string()))
        .settled_above(claims.iter().map(|(home, _)| home.seat), world)
        .naming(claims.iter().map(|(home, _)| home.org).chain(home))
        .says(
            "{0}的组织关系被两处接收:{1}(介绍信 {2})。裁定之前仍算在“{3}”。",
            "{0} was received in two places: {1} (letters {2}). Until settled, the home stays {3:?}.",
            &[record.title().into(), places, letters, title(home, world)],
        );
    vec![finding]
}

/// The chosen branch becomes the home of the next epoch; the other letters are returned, and decisions for them taken back.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let Some(member) = subject.read_as::<Member>() else { return Ok(()) };
    let (chosen, today) = (chosen.choice(), planner.today());
    for home in &member.disputed {
        let Some(entry) = &home.entry else { continue };
        if chosen == home.org.to_string() {
            planner.put_parts(subject.id, entry, [DECIDED.with(home.epoch), DECIDED_ON.with(today)]);
            planner.hand_over(subject, home.seat);
        } else {
            planner.put_parts(subject.id, entry, [OVERRULED.with(today)]);
            if member.find_move(entry).is_some_and(|at| at.decided.is_some()) {
                planner.put_parts(subject.id, entry, [DECIDED.cleared()]);
            }
        }
    }
    Ok(())
}
