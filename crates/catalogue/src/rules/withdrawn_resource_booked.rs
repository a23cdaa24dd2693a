//! WITHDRAWN_RESOURCE_BOOKED: somebody counts on a resource whose owner withdrew it or left the alliance.

use crate::kinds::alliance::Alliance;
use std::collections::BTreeSet;

use crate::kinds::resource::{Booking, Resource};
use heliu_record::change::{Container, OpId, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::conflict::{Conflict, ConflictValue, Explanation, Severity};
use heliu_record::kind::{Word, label, word};
use heliu_record::rule::{Finding, Rule, title};
use heliu_record::view::Record;
use heliu_record::world::World;

const KIND: &str = "WITHDRAWN_RESOURCE_BOOKED";
const KEEP: &str = "keep";
const DECLINE: &str = "decline";

pub static RULE: Rule = Rule {
    finds: &[Word { name: KIND, label: label("已收回的资源仍有预约", "withdrawn resource booked") }],
    help: label(
        "资源已收回或所有者已退出联盟,但仍有预约;由所有者确认保留或谢绝",
        "the resource was withdrawn or its owner left the alliance, and a booking is open; its owner keeps or declines it",
    ),
    takes_any_record: false,
    choices: &[word(KEEP, "保留", "keep"), word(DECLINE, "谢绝", "decline")],
    derive,
    settle,
};

fn derive(record: &Record, world: &dyn World, found: &mut Vec<Conflict>) {
    let Some(resource) = record.read_as::<Resource>() else { return };
    for booking in resource.bookings.iter().filter(|b| b.is_open()) {
        let is_over = if resource.withdrawn.is_some() { !booking.kept } else { owner_left(resource, booking, world) };
        if !is_over {
            continue;
        }
        let (state, zh_state, en_state) = if booking.confirmed {
            (
                "needs_owner_reconfirm",
                "已确认,需所有者再次确认",
                "it was confirmed: the owner confirms again or declines",
            )
        } else {
            ("owner_left", "未确认,视为谢绝", "it was not confirmed: it counts as declined")
        };
        let asker = booking.for_org.map(|org| title(org, world)).unwrap_or_default();
        let name = record.title();
        let finding = Finding {
            kind: KIND,
            severity: Severity::Advisory,
            field: format!("bookings/{}", booking.entry),
            values: values(record, booking, world),
            provisional: state.into(),
            resolver: record.view.owners.first().copied(),
            // Withdrawing again is another disagreement.
            also: if resource.withdrawn.is_some() { resource.withdrawn_ops.clone() } else { Vec::new() },
            anchors: BTreeSet::from([record.id]),
            quotes: booking.for_org.into_iter().collect(),
            explanation: Explanation::new(
                format!("“{name}”已不再共享,而“{asker}”还有预约:{zh_state}。"),
                format!("{name:?} is no longer shared, and {asker:?} has a booking: {en_state}."),
            ),
        };
        found.extend(finding.conclude(record, world));
    }
}

fn owner_left(resource: &Resource, booking: &Booking, world: &dyn World) -> bool {
    let alliance = booking.alliance.and_then(|id| world.record(id)).and_then(|r| r.read_as::<Alliance>());
    alliance.zip(resource.owner_org).is_some_and(|(alliance, owner)| alliance.has_left(owner))
}

/// Keep or decline. The operations are those of the booking: confirming anew is a new disagreement.
fn values(record: &Record, booking: &Booking, world: &dyn World) -> Vec<ConflictValue> {
    let of = |op: &OpId, value: &str| ConflictValue::of(record, *op, Some(value.into()), world);
    let keep = booking.ops.iter().map(|op| of(op, KEEP));
    keep.chain(booking.ops.last().map(|op| of(op, DECLINE))).collect()
}

/// Either is written. Where only the owner left the alliance, keeping is the settlement itself.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let is_withdrawn = subject.read_as::<Resource>().is_some_and(|resource| resource.withdrawn.is_some());
    let (part, value) = match chosen.choice().as_str() {
        DECLINE => ("declined", Scalar::from("owner_left")),
        _ if is_withdrawn => ("confirmed", planner.today()),
        _ => return Ok(()),
    };
    planner.put(conflict.subject, Container::Slot, format!("{}/{part}", conflict.field), value);
    Ok(())
}
