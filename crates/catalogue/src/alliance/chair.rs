//! CHAIR_LEFT: who presides over an alliance does not take part in it any more.

use heliu_record::prelude::*;

use super::kind::CHAIR;
use super::participants::{LEFT_ON, MEMBER_ORG, PARTICIPANTS, takes_part};
use crate::words::ALLIANCE;

pub(super) static NO_CHAIR: Message = message("not_participant")
    .what("“{1}”不在“{0}”中。", "{1:?} is not in {0:?}.")
    .why("轮值组织须是现有成员单位。", "Who presides takes part.")
    .next("请先由其加入,或另定一个。", "Have it join first, or choose another.");

pub(super) fn set_chair(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (alliance, org) = (planner.subject()?, planner.need_record("org")?);
    if !takes_part(&alliance.history, org) {
        return Err(NO_CHAIR.about(&[alliance.title().into(), title(org, planner.world())]));
    }
    planner.set(alliance.id, &CHAIR, org);
    Ok(())
}

const GONE: Word = word("CHAIR_LEFT", "轮值组织已退出", "the chair has left");
const VACATE: Word = word("vacate", "另行确定", "choose another");
const KEEP: Word = word("keep", "照旧", "let it stay");
pub(super) const RULE: Rule = rule(ALLIANCE, &[GONE], find).help(
    "主持联盟的组织已不是成员单位;由召集组织另行确定",
    "the organisation that presides does not take part any more; the convenor chooses another",
);
pub(super) const SETTLER: Settler = settler(GONE.name, settle).choices(&[VACATE, KEEP]);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let chair = CHAIR.read(&record.history).filter(|chair| !takes_part(&record.history, *chair));
    let Some(chair) = chair else { return Vec::new() };
    let terms = PARTICIPANTS.read(&record.history);
    let left: Vec<OpId> =
        terms.iter().filter(|term| term.get(&MEMBER_ORG) == Some(chair)).flat_map(|term| term.ops(&LEFT_ON)).collect();
    let put = CHAIR.ops(&record.history);
    let finding = Finding::advisory(&GONE, record, CHAIR.field.name)
        // Somebody who never took part has no day of leaving.
        .between(ConflictValue::each(record, if left.is_empty() { &put } else { &left }, VACATE.name, world))
        .between(ConflictValue::each(record, &put, KEEP.name, world))
        .meanwhile(chair.to_string())
        .settled_by(record.view.owners.first().copied())
        .naming([chair])
        .says(
            "“{0}”由“{1}”主持,而它已不是成员单位。",
            "{1:?} presides over {0:?}, and does not take part any more.",
            &[record.title().into(), title(chair, world)],
        );
    vec![finding]
}

fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let now = CHAIR.read(&planner.load(conflict.subject)?.history);
    let before = conflict.provisional.as_str().and_then(|chair| chair.parse::<RecordId>().ok());
    match before.filter(|_| now.is_none()) {
        _ if chosen.choice() == VACATE.name => planner.clear(conflict.subject, &CHAIR),
        // Whoever vacated it before is overruled.
        Some(chair) => planner.set(conflict.subject, &CHAIR, chair),
        None => {}
    }
    Ok(())
}
