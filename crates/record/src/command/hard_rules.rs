//! The hard rules that are about a field, whatever command writes it. They block a plan at this node, and never a merge.

use crate::change::{Container, Scalar};
use crate::command::plan::Planner;
use crate::command::refusal::Refusal;
use crate::command::resource::withdrawn;
use crate::command::write::{RecordWrite, WriteValue};
use crate::id::{RecordId, SeatId};
use crate::rules::parent_cycle::projected_parent;
use crate::value::record_of;
use crate::view::Record;

/// Longer chains of parents than any county has.
const DEPTH_MAX: usize = 64;

pub(super) fn check(planner: &Planner<'_>, write: &RecordWrite) -> Result<(), Refusal> {
    let record = planner.world().record(write.record);
    for put in &write.writes {
        let WriteValue::Value(value) = &put.value else { continue };
        if *value == Scalar::Null {
            continue;
        }
        match (put.container, put.key.as_str()) {
            (Container::Mv, "parent_org") => {
                let owners = match (&write.create, record) {
                    (Some(preimage), _) => vec![preimage.birth],
                    (None, record) => record.iter().flat_map(|r| r.view.owners.iter().copied()).collect(),
                };
                check_parent(planner, write.record, &owners, record_of(value))?;
            }
            (Container::Slot, key) => {
                let confirmed = key.strip_prefix("bookings/").and_then(|rest| rest.strip_suffix("/confirmed"));
                if let (Some(entry), Some(resource)) = (confirmed, record) {
                    check_confirmed(resource, entry)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A parent is set by a seat above both organisations, and no organisation is above itself.
fn check_parent(
    planner: &Planner<'_>,
    org: RecordId,
    owners: &[SeatId],
    parent: Option<RecordId>,
) -> Result<(), Refusal> {
    let Some(parent) = parent else { return Ok(()) };
    let parent = planner.load_live_org(parent)?;
    let name = planner.world().record(org).map_or_else(|| org.short(), Record::title);
    let mut at = Some(parent.id);
    for _ in 0..DEPTH_MAX {
        if at == Some(org) {
            return Err(Refusal::new(
                "parent_cycle",
                (
                    format!("“{}”已在“{name}”之下。", parent.title()),
                    format!("{:?} is already under {name:?}.", parent.title()),
                ),
                ("组织不能互为上级。", "Organisations cannot be above each other."),
                ("请先调整下级组织的隶属。", "Change the lower one's parent first."),
            ));
        }
        at = at.and_then(|at| projected_parent(at, planner.whole()));
    }
    let (seat, seats) = (planner.seat(), planner.world().seats());
    if !owners.iter().chain(&parent.view.owners).all(|owner| seats.is_at_or_above(seat, *owner)) {
        return Err(Refusal::new(
            "no_authority",
            (
                format!("“{}”不是两个组织的共同上级。", seats.name(seat)),
                format!("{} is not above both.", seats.name(seat)),
            ),
            ("隶属关系由共同上级确定。", "A parent is set by a common superior."),
            ("请由共同的上级席位办理。", "Have it done at a seat above both."),
        ));
    }
    Ok(())
}

/// What is withdrawn is not confirmed, and nothing is confirmed twice for one day.
fn check_confirmed(record: &Record, entry: &str) -> Result<(), Refusal> {
    let Some(resource) = record.typed.resource() else { return Ok(()) };
    if resource.withdrawn.is_some() {
        return Err(withdrawn(record));
    }
    let use_on = resource.bookings.iter().find(|b| b.entry == entry).and_then(|b| b.use_on.as_deref());
    let Some(day) = use_on.filter(|day| !day.is_empty()) else { return Ok(()) };
    let mut others = resource.bookings.iter().filter(|b| b.entry != entry && b.confirmed && b.is_open());
    match others.find(|other| other.use_on.as_deref() == Some(day)) {
        Some(other) => Err(Refusal::new(
            "double_confirmation",
            (
                format!("“{}”当日已确认给预约 {}。", record.title(), other.entry),
                format!("{:?} is confirmed for booking {} that day.", record.title(), other.entry),
            ),
            ("同一资源同日不能确认两次。", "A resource is not confirmed twice for one day."),
            ("请谢绝其中一个,或改期。", "Decline one of them, or choose another day."),
        )),
        None => Ok(()),
    }
}
