//! An owner lists a resource in an alliance, so that whoever takes part there can ask for it.

use heliu_record::prelude::*;

use crate::alliance::RESOURCES;
use crate::resource::WITHDRAWN;
use crate::words::{ALLIANCE, RESOURCE};

pub static SECTION: Section = section(&[], COMMANDS, &[], &[], &[&NOT_SHARED]);

static COMMANDS: &[Command] = &[about(ALLIANCE, "alliance.add_resource", "共享资源", "share a resource", add_resource)
    .help("把自己的资源列入联盟,成员单位即可申请", "lists one's resource; participants can then ask for it")
    .takes(&[required("resource", record(RESOURCE), "资源", "the resource")])];
static NOT_SHARED: Message = message("not_shared")
    .what("“{0}”不能列入联盟。", "{0:?} cannot be listed.")
    .why("它已收回,或不属于本席位。", "It is withdrawn, or it is not this seat's.")
    .next("请由资源所有者办理。", "Have its owner do it.");

fn add_resource(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = planner.subject()?;
    let resource = planner.load_kind(planner.need_record("resource")?, RESOURCE)?;
    let (seat, seats) = (planner.seat(), planner.world().seats());
    let is_ours = resource.view.owners.iter().any(|owner| seats.is_at_or_above(seat, *owner));
    if !is_ours || WITHDRAWN.has_value(&resource.history) {
        return Err(NOT_SHARED.about(&[resource.title().into()]));
    }
    planner.add(alliance.id, &RESOURCES, resource.id);
    // Whoever may see the alliance may then ask for the resource.
    for seat in alliance.view.owners.iter().chain(&alliance.view.seats) {
        if !resource.view.owners.contains(seat) {
            planner.add_participant(resource.id, *seat);
        }
    }
    Ok(())
}
