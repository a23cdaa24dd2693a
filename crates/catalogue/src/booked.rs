//! WITHDRAWN_RESOURCE_BOOKED: somebody counts on a resource whose owner withdrew it or left the alliance.

use heliu_record::prelude::*;

use crate::alliance::has_left;
use crate::resource::{BOOKINGS, Booking, CONFIRMED, DECLINED, FOR_ORG, FOR_SEAT, OWNER_ORG, WITHDRAWN, WITHIN};
use crate::words::RESOURCE;

pub static SECTION: Section = section(&[], &[], &[RULE], &[SETTLER], &[]);

const BOOKED: Word = word("WITHDRAWN_RESOURCE_BOOKED", "已收回的资源仍有预约", "withdrawn resource booked");
const RULE: Rule = rule(
    RESOURCE,
    &[BOOKED],
    "资源已收回或所有者已退出联盟,但仍有预约;由所有者确认保留或谢绝",
    "the resource was withdrawn or its owner left the alliance, and a booking is open; its owner keeps or declines it",
    find,
);
const SETTLER: Settler =
    settler(BOOKED.name, settle).choices(&[word("keep", "保留", "keep"), word("decline", "谢绝", "decline")]);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let owner = OWNER_ORG.read(&record.history);
    let has_left = |at: &EntryOf<'_, Booking>| {
        let alliance = at.get(&WITHIN).and_then(|alliance| world.record(alliance));
        alliance.zip(owner).is_some_and(|(alliance, owner)| has_left(&alliance.history, owner))
    };
    let withdrawals = WITHDRAWN.read(&record.history).map_or_else(Vec::new, |_| WITHDRAWN.ops(&record.history));
    let over = BOOKINGS.of(record).filter(|(at, state)| match *state {
        "requested" | "confirmed" => withdrawals.is_empty() && has_left(at),
        state => matches!(state, "needs_owner_reconfirm" | "owner_left"),
    });
    let finding = |(at, _): (EntryOf<'_, Booking>, _)| {
        let state = if at.is_set(&CONFIRMED) { "needs_owner_reconfirm" } else { "owner_left" };
        let (asker, ops) = (at.get(&FOR_ORG), at.ops(&CONFIRMED).chain(at.ops(&FOR_SEAT)).collect::<Vec<_>>());
        let asked_by = asker.map_or_else(|| "".into(), |org| title(org, world));
        Finding::advisory(&BOOKED, record, BOOKINGS.path(at.name))
            .between(ConflictValue::each(record, &ops, "keep", world))
            .between(ConflictValue::each(record, ops.last(), "decline", world))
            // Withdrawing again is another disagreement.
            .also(withdrawals.iter().copied())
            .meanwhile(state)
            .settled_by(record.view.owners.first().copied())
            .naming(asker)
            .says(
                "“{0}”已不再共享,而“{1}”还有预约:{2}。",
                "{0:?} is no longer shared, and {1:?} has a booking: {2}.",
                &[record.title().into(), asked_by, BOOKINGS.say(state)],
            )
    };
    over.map(finding).collect()
}

/// Either is written. Where only the owner left the alliance, keeping is the settlement itself.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let (subject, entry) = (planner.load(conflict.subject)?, BOOKINGS.entry_at(&conflict.field).unwrap_or_default());
    if chosen.choice() == "decline" {
        planner.put_part(subject.id, &DECLINED, entry, "owner_left");
    } else if WITHDRAWN.read(&subject.history).is_some() {
        planner.put_part(subject.id, &CONFIRMED, entry, planner.today());
    }
    Ok(())
}
