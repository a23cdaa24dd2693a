//! What has ended takes nothing more, whatever writes it.

use heliu_record::prelude::*;

use super::fields::{LEVEL, LIFECYCLE, SUCCESSOR, SUCCESSORS};
use super::life::Org;
use crate::words::ORGANISATION;

pub(super) static ENDED: Message = message("org_ended")
    .what("“{0}”{1}已终结({2})。", "{0:?} has ended{1} ({2}).")
    .why("终结的组织不再接收人员或变更。", "Nothing is added to an organisation that has ended.")
    .next("{3}", "{3}");

/// Makes a record that belongs to the seat of the organisation which an argument names, filled with the arguments.
pub fn found(planner: &mut Planner<'_>, kind: &'static Kind, org: &'static str) -> Result<RecordId, Refusal> {
    let org = live(planner, planner.need_record(org)?)?;
    let record = planner.create(kind, planner.owner_of(org));
    planner.fill(record, kind);
    Ok(record)
}

/// An organisation that has not ended: nothing is added to one that has.
pub fn live<'a>(planner: &Planner<'a>, id: RecordId) -> Result<&'a Record, Refusal> {
    let org = planner.load_kind(id, ORGANISATION)?;
    ended(org, planner.world()).map_or(Ok(org), Err)
}

/// Whatever writes it, of an organisation that has ended only the lifecycle and the successors are written.
pub(super) fn not_ended(planner: &Planner<'_>, planned: &Planned<'_>) -> Result<(), Refusal> {
    let Some(org) = planned.before else { return Ok(()) };
    let written = planned.write.field_names().any(|name| {
        let still_written = [&LIFECYCLE.field, &LEVEL.field, &SUCCESSORS.field].map(|field| field.name);
        !still_written.contains(&name)
    });
    ended(org, planner.world()).filter(|_| written).map_or(Ok(()), Err)
}

fn ended(org: &Record, world: &dyn World) -> Option<Refusal> {
    let ending = Org::of(org)?.ending()?;
    let since = match &*ending.since {
        "" => "".into(),
        since => Explanation::new(format!("自{since}起"), format!(" since {since}")),
    };
    let successors = SUCCESSORS.read(&org.history);
    let next = match successors.iter().find_map(|at| at.get(&SUCCESSOR)).map(|id| title(id, world)) {
        Some(Explanation { zh, .. }) => Explanation::new(
            format!("请改用承接组织“{zh}”,或由上级决定恢复。"),
            format!("Use its successor {zh:?}, or have a superior decide to reopen it."),
        ),
        None => Explanation::new(
            "请先由上级指定承接组织,或决定恢复。",
            "Have a superior name a successor first, or decide to reopen it.",
        ),
    };
    Some(ENDED.about(&[org.title().into(), since, ending.state.label.into(), next]))
}
