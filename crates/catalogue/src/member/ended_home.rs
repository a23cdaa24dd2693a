//! ADD_TO_DISSOLVED_ORG: somebody was admitted to an organisation after it had ended.
//! HOME_ORG_ENDED: somebody's organisation ended later, and the person is still counted there.

use heliu_record::prelude::*;

use super::fields::BIRTH_BRANCH;
use super::home::Member;
use super::register::reassign_to;
use crate::org::Org;
use crate::words::MEMBER;

const ADDED: Word = word("ADD_TO_DISSOLVED_ORG", "编入已终结的组织", "admitted to an ended organisation");
const ENDED: Word = word("HOME_ORG_ENDED", "所在组织已终结", "home organisation ended");
pub(super) const RULE: Rule = rule(MEMBER, &[ADDED, ENDED], find_all).help(
    "党员所在组织已撤销、并入或终止;待乡镇确认后转入承接组织",
    "the member's organisation was dissolved, absorbed or terminated; the township confirms who takes the member over",
);
pub(super) const OF_ADDED: Settler = settler(ADDED.name, settle).takes_any_record();
pub(super) const OF_ENDED: Settler = settler(ENDED.name, settle).takes_any_record();

fn find_all<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    find(record, world).into_iter().collect()
}

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Option<Finding<'w>> {
    let member = record.read_as::<Member>().filter(|member| !member.ended && member.disputed.is_empty())?;
    let home = member.home.as_ref()?;
    let org = Org::find(home.org, world)?;
    let ending = org.ending()?;
    // Whoever was admitted before the ending was admitted well, and only has to be moved.
    let late = !home.since.is_empty() && !ending.since.is_empty() && *home.since >= *ending.since;
    // Only what the ended organisation itself says: a rule reads no further than the records that its subject points to,
    // or it would not be derived anew when they change. Should the successor have ended too, settling says so.
    let suggested = org.successor(&home.seat.to_string());
    let value: Json = suggested.map(|org| org.to_string()).into();
    // The choice is the organisation that takes the person over; the operation is the one that put the person there.
    let letter = home.entry.as_deref().and_then(|entry| member.find_move(entry));
    let ops = letter.map_or_else(|| BIRTH_BRANCH.ops(&record.history), |letter| letter.ops.clone());
    let finding = if late {
        Finding::hard(&ADDED, record, "home_branch")
    } else {
        Finding::advisory(&ENDED, record, "home_branch")
    };
    let finding = finding
        .between(ops.iter().map(|op| ConflictValue::of(record, *op, Some(value.clone()), world)))
        .meanwhile(value.clone())
        .settled_above(None, world)
        .also(ending.decision)
        .naming([home.org]);
    let to = match suggested.map(|id| id.short()) {
        Some(to) => Explanation::new(format!("建议转入承接组织 {to}"), format!("suggested: its successor {to}")),
        None => Explanation::new("尚无承接组织", "nobody was named to take over"),
    };
    let (name, from) = (record.title().into(), title(home.org, world));
    Some(if late {
        finding.says(
            "{0}于{2}编入“{1}”,而该组织自{3}起已终结;{4},需乡镇确认。",
            "{0} was admitted to {1:?} on {2}, which had ended on {3}; {4}. The township confirms.",
            &[name, from, (&*home.since).into(), (&*ending.since).into(), to],
        )
    } else {
        finding.says("{0}所在的“{1}”已终结;{2}。", "{0} belongs to {1:?}, which has ended; {2}.", &[name, from, to])
    })
}

/// Reassigns the person to the chosen organisation.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    match chosen.choice().parse() {
        Ok(org) => reassign_to(planner, conflict.subject, org),
        Err(_) => Err(planner.bad_choice(conflict, &chosen.choice())),
    }
}
