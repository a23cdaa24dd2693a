//! FLOAT_VS_TRANSFER: the affiliation went somewhere else than where the person floats, and nobody closed the float.
//! FLOAT_ENDS_DIFFER: one side says that he came back, the other that his affiliation followed him.

use heliu_record::prelude::*;

use super::fields::{HOME_ORG, NAME, PERSON, STATE};
use super::half::{is_at_host, is_card, is_open, other};
use crate::member::Member;
use crate::words::FLOAT;

const MOVED: Word = word("FLOAT_VS_TRANSFER", "流动期间转出", "transferred while floating");
const CLOSE: Word = word("close", "结束流动", "close the float");
const KEEP: Word = word("keep", "流动照旧", "let the float go on");
pub(super) const TRANSFERRED: Rule = rule(FLOAT, &[MOVED], find).help(
    "流动期间组织关系转到了第三处,流动登记尚未结束;由共同上级决定结束或照旧",
    "the affiliation went to a third place while the person floats; a common superior closes the float or lets it go on",
);
pub(super) const TRANSFERRED_SETTLER: Settler = settler(MOVED.name, settle).choices(&[CLOSE, KEEP]);

fn find<'w>(card: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    find_one(card, world).into_iter().collect()
}

/// At home alone: the host does not hold the member's record.
fn find_one<'w>(card: &'w Record, world: &'w dyn World) -> Option<Finding<'w>> {
    let person = PERSON.read(&card.history).filter(|_| is_open(card)).and_then(|person| world.record(person))?;
    let member = person.read_as::<Member>().filter(|member| member.disputed.is_empty())?;
    let home = member.home.as_ref()?;
    let from = HOME_ORG.read(&card.history);
    // Who went to where he floats is converted, which closing says.
    if home.place.org() == from || is_at_host(card, world) {
        return None;
    }
    let moved = home.entry.as_deref().and_then(|entry| member.find_move(entry))?;
    let finding = Finding::advisory(&MOVED, card, HOME_ORG.field.name)
        .between(ConflictValue::each(person, moved.claim_ops(), CLOSE.name, world))
        .between(ConflictValue::each(card, &HOME_ORG.ops(&card.history), KEEP.name, world))
        .meanwhile(KEEP.name)
        .settled_above([home.seat], world)
        .naming([person.id].into_iter().chain(from).chain(home.place.org()))
        .says(
            "“{0}”登记流动时属“{1}”,组织关系已转到“{2}”,流动登记尚未结束。",
            "{0} floats as one of {1:?}, and the affiliation is at {2:?} now; the float was not closed.",
            &[card.title().into(), title(from, world), home.place.title(world)],
        );
    Some(finding)
}

/// Closing closes both halves, as far as they are here.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let card = planner.load(conflict.subject)?;
    let answer = other(card, planner.world());
    for half in [Some(card), answer].into_iter().flatten() {
        let now = STATE.read(&half.history).state;
        match chosen.choice() == CLOSE.name {
            true if !now.ending => planner.decide_again(half, &STATE, "closed"),
            // Whoever closed it before is overruled.
            false if now.name == "closed" => {
                planner.decide_again(half, &STATE, if answer.is_some() { "matched" } else { "declared" });
            }
            _ => {}
        }
    }
    Ok(())
}

const DIFFERENT: Word = word("FLOAT_ENDS_DIFFER", "流动结束不一", "ends of a float differ");
pub(super) const DIFFER: Rule = rule(FLOAT, &[DIFFERENT], find_ends).help(
    "流动的两方各以不同的方式结束;由共同上级选定",
    "the two sides of a float ended it differently; their common superior chooses",
);
pub(super) const DIFFER_SETTLER: Settler = settler(DIFFERENT.name, settle_ends);

/// In the host's half, which points to the home's.
fn find_ends<'w>(answer: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let card = (!is_card(answer)).then(|| other(answer, world)).flatten();
    let Some(card) = card else { return Vec::new() };
    let (theirs, ours) = (STATE.read(&card.history), STATE.read(&answer.history));
    let differ = |one: &str, two: &str| one == "returned" && two == "converted";
    let (home, host) = (theirs.state, ours.state);
    let (Some(at_home), Some(at_host), true) =
        (theirs.op, ours.op, differ(home.name, host.name) || differ(host.name, home.name))
    else {
        return Vec::new();
    };
    let finding = Finding::advisory(&DIFFERENT, answer, STATE.field.name)
        .between([
            ConflictValue::of(card, at_home, Some(home.name.into()), world),
            ConflictValue::of(answer, at_host, Some(host.name.into()), world),
        ])
        .meanwhile("converted")
        .settled_above(card.view.owners.iter().copied(), world)
        .naming([card.id])
        .says(
            "“{0}”的流动:流出地记为“{1}”,流入地记为“{2}”。",
            "The float of {0}: the home says {1:?}, the host says {2:?}.",
            &[NAME.read(&answer.history).unwrap_or_default().into(), home.label.into(), host.label.into()],
        );
    vec![finding]
}

fn settle_ends(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let answer = planner.load(conflict.subject)?;
    for half in [Some(answer), other(answer, planner.world())].into_iter().flatten() {
        planner.decide_again(half, &STATE, &chosen.choice());
    }
    Ok(())
}
