//! ADD_TO_DISSOLVED_ORG: somebody was admitted to an organisation after it had ended. Whoever was admitted before is followed to the
//! successor by derivation ([`crate::homes`]), and nothing is written for that.

use heliu_record::prelude::*;

use super::fields::BIRTH_BRANCH;
use super::home::Member;
use super::register::reassign_to;
use crate::homes::is_late;
use crate::org::Org;
use crate::words::MEMBER;

const ADDED: Word = word("ADD_TO_DISSOLVED_ORG", "编入已终结的组织", "admitted to an ended organisation");
pub(super) const RULE: Rule = rule(MEMBER, &[ADDED], find_all).help(
    "组织撤销、并入或终止之后仍有人编入;待乡镇确认由哪个组织承接",
    "somebody was admitted to an organisation after it had ended; the township confirms who takes the person over",
);
pub(super) const SETTLER: Settler = settler(ADDED.name, settle).takes_any_record();

fn find_all<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    find(record, world).into_iter().collect()
}

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Option<Finding<'w>> {
    let member = record.read_as::<Member>().filter(|member| !member.ended && member.disputed.is_empty())?;
    let home = member.home.as_ref()?;
    let home_org = home.place.org()?;
    let org = Org::find(home_org, world)?;
    let ending = org.ending()?;
    if !is_late(&home.since, &ending.since) {
        return None;
    }
    // Only what the ended organisation itself says: a rule reads no further than the records that its subject points to,
    // or it would not be derived anew when they change. Should the successor have ended too, settling says so.
    let suggested = org.successor(&home.seat.to_string());
    let value: Json = suggested.map(|org| org.to_string()).into();
    // The choice is the organisation that takes the person over; the operation is the one that put the person there.
    let letter = home.entry.as_deref().and_then(|entry| member.find_move(entry));
    let ops = letter.map_or_else(|| BIRTH_BRANCH.ops(&record.history), |letter| letter.ops.clone());
    let finding = Finding::hard(&ADDED, record, "home_branch")
        .between(ops.iter().map(|op| ConflictValue::of(record, *op, Some(value.clone()), world)))
        .meanwhile(value.clone())
        .settled_above(None, world)
        .also(ending.decision)
        .naming([home_org]);
    let to = match suggested.map(|id| id.short()) {
        Some(to) => Explanation::new(format!("建议转入承接组织 {to}"), format!("suggested: its successor {to}")),
        None => Explanation::new("尚无承接组织", "nobody was named to take over"),
    };
    let (name, from) = (record.title().into(), title(home_org, world));
    Some(finding.says(
        "“{0}”于{2}编入“{1}”,而该组织自{3}起已终结;{4},需乡镇确认。",
        "{0} was admitted to {1:?} on {2}, which had ended on {3}; {4}. The township confirms.",
        &[name, from, (&*home.since).into(), (&*ending.since).into(), to],
    ))
}

/// Reassigns the person to the chosen organisation.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    match chosen.choice().parse() {
        Ok(org) => reassign_to(planner, conflict.subject, org),
        Err(_) => Err(planner.bad_choice(conflict, &chosen.choice())),
    }
}
