//! A floating branch is where somebody takes part who lives elsewhere, and nobody's home: whatever writes it.

use heliu_record::change::Scalar;
use heliu_record::command::WriteValue;
use heliu_record::prelude::*;

use super::fields::{BIRTH_BRANCH, MOVES, TO_ORG};
use crate::org::Org;

pub(super) static NO_HOME: Message = message("link_is_no_home")
    .what("“{0}”是流动党组织,不能作为组织关系所在。", "{0:?} is a floating branch, and nobody's home.")
    .why(
        "流动党员在那里参加活动,组织关系留在原处。",
        "Who floats takes part there, and his affiliation stays where it is.",
    )
    .next("请用 float.link 编入,或另选一个组织。", "Link him there with float.link, or choose another organisation.");

pub(super) fn is_no_home(planner: &Planner<'_>, planned: &Planned<'_>) -> Result<(), Refusal> {
    let is_home = |key: &str| {
        key == BIRTH_BRANCH.field.name || MOVES.entry_at(key).is_some_and(|entry| key == TO_ORG.part.key(entry))
    };
    let homes = planned.write.writes.iter().filter(|put| is_home(&put.key)).filter_map(|put| match &put.value {
        WriteValue::Value(value) => Scalar::as_record(value),
        _ => None,
    });
    let mut orgs = homes.filter_map(|org| Org::find(org, planner.world()));
    match orgs.find(|org| org.is_floating()) {
        Some(Org(org)) => Err(NO_HOME.about(&[org.title().into()])),
        None => Ok(()),
    }
}
