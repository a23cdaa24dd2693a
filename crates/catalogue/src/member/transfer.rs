//! Letters: issued, received, cancelled or returned. STALE_TRANSFER: one cites a home that the person had left before; it has no
//! effect.

use heliu_record::prelude::*;

use super::fields::{
    CANCELLED, FROM_ORG, HOME_EPOCH, ISSUED_ON, LETTER_NO, MOVES, OVERRULED, RECEIPT, RECEIVED_ON, RETURNED, TO_ORG,
    TO_SEAT, VALID_UNTIL,
};
use super::home::{Member, MoveState};
use super::register::HOME_DISPUTED;
use crate::org::live;
use crate::words::{MEMBER, ORG};

const LETTER: Argument = entry_of(&MOVES.field);
/// A letter is usually good for 30 days (R10).
const VALID_DAYS: u32 = 30;

pub(super) static COMMANDS: &[Command] = &[
    about(MEMBER, "member.transfer.issue", "开具介绍信", "issue a letter", issue)
        .help(
            "转出方开具组织关系介绍信,对方接收后生效",
            "the origin issues it; it takes effect when the destination receives it",
        )
        .takes(&[
            required("to_org", ORG, "转入组织", "the destination"),
            optional("to_seat", SEAT, "转入席位,本节点无该组织时必填", "its seat, if this node does not hold it"),
            optional("letter_no", text(60), "介绍信编号", "the letter's number"),
            optional("valid_until", DATE, "有效期至,默认30天", "until when (default: 30 days)"),
        ]),
    about(MEMBER, "member.transfer.receive", "接收", "receive a member", receive)
        .help(
            "转入方凭介绍信接收,组织关系即转入",
            "the destination receives on a letter; the person is then its member",
        )
        .takes(&[
            LETTER,
            optional("receipt", text(60), "回执编号", "the receipt's number"),
            optional("seat", SEAT, "编入的下级席位", "a seat below the one named, to belong to"),
        ]),
    about(MEMBER, "member.transfer.cancel", "撤回介绍信", "cancel a letter", |planner| {
        planner.lead(&CANCELLED, planner.today())
    })
    .help("尚未接收时可由转出方撤回", "by the origin, while it is not received")
    .takes(&[LETTER]),
    about(MEMBER, "member.transfer.return", "退回介绍信", "return a letter", |planner| {
        let member = planner.subject()?;
        let letter = planner.entry_meant(member, &RETURNED, |letter| is_for(planner, letter))?;
        planner.put_parts(member.id, letter.name, [RETURNED.with(planner.today())]);
        Ok(())
    })
    .help("转入方不予接收,退回转出方", "the destination does not take the person")
    .takes(&[LETTER]),
];
pub(super) static NO_TRANSFER: Message = message("no_transfer")
    .what("{0}不能转往“{1}”。", "{0} cannot be moved to {1:?}.")
    .why("该人已在其中,或党籍已终结。", "The person is there already, or is no longer a member.")
    .next("请核对人员与转入组织。", "Check the person and the destination.");
pub(super) static LETTER_OPEN: Message = message("letter_open")
    .what("{0}已有一封未接收的介绍信 {1}。", "{0} has an open letter, {1}.")
    .why("一人同时只能有一封有效介绍信。", "A person has one open letter at a time.")
    .next("请先用 member.transfer.cancel 撤回。", "Cancel it first with member.transfer.cancel.");

fn issue(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, member) = planner.subject_as::<Member>(MEMBER)?;
    let to = planner.need_record("to_org")?;
    let to_seat = match (planner.seat_argument("to_seat"), planner.world().record(to)) {
        (Some(seat), None) => seat,
        (named, _) => {
            let org = live(planner, to)?;
            named.unwrap_or_else(|| planner.owner_of(org))
        }
    };
    let Some(home) = member.home.as_ref().filter(|_| member.disputed.is_empty()) else {
        return Err(HOME_DISPUTED.about(&[record.title().into()]));
    };
    if member.ended || home.org == to {
        return Err(NO_TRANSFER.about(&[record.title().into(), title(to, planner.world())]));
    }
    if let Some(open) = member.moves.iter().find(|letter| letter.state == MoveState::Issued) {
        return Err(LETTER_OPEN.about(&[record.title().into(), (&*open.letter_no).into()]));
    }
    let (entry, today) = (planner.entry(), planner.today());
    let valid_until = planner.text("valid_until").map(str::to_owned).or_else(|| date::days_after(today, VALID_DAYS));
    let moved = [TO_SEAT.with(to_seat), FROM_ORG.with(home.org), TO_ORG.with(to), HOME_EPOCH.with(home.epoch)];
    let letter_no = planner.text("letter_no").unwrap_or(&entry[..8]);
    planner.put_parts(record.id, &entry, moved);
    planner.put_parts(record.id, &entry, [LETTER_NO.with(letter_no), ISSUED_ON.with(today)]);
    planner.put_parts(record.id, &entry, valid_until.map(|day| VALID_UNTIL.with(day)));
    planner.add_participant(record.id, to_seat);
    // The origin goes on seeing the record after it has moved, so that it can judge late offline edits.
    for owner in &record.view.owners {
        planner.add_participant(record.id, *owner);
    }
    Ok(())
}

fn receive(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, member) = planner.subject_as::<Member>(MEMBER)?;
    if !member.disputed.is_empty() {
        return Err(HOME_DISPUTED.about(&[record.title().into()]));
    }
    let letter = planner.entry_meant(record, &RECEIPT, |letter| is_for(planner, letter))?;
    if let Some(org) = letter.get(&TO_ORG).filter(|org| planner.world().record(*org).is_some()) {
        live(planner, org)?;
    }
    let (today, receipt) = (planner.today(), planner.text("receipt").unwrap_or("received"));
    planner.put_parts(record.id, letter.name, [RECEIVED_ON.with(today), RECEIPT.with(receipt)]);
    if let Some(seat) = planner.seat_argument("seat").or(letter.get(&TO_SEAT)) {
        planner.put_owner(record.id, seat);
    }
    Ok(())
}

/// Whether a letter is to the seat that handles it, or to one above or below.
fn is_for(planner: &Planner<'_>, letter: &Entry<'_>) -> bool {
    let (seat, seats) = (planner.seat(), planner.world().seats());
    letter.get(&TO_SEAT).is_some_and(|to| seats.is_at_or_above(seat, to) || seats.is_at_or_above(to, seat))
}

const STALE: Word = word("STALE_TRANSFER", "过时介绍信", "stale letter");
pub(super) const RULE: Rule = rule(MEMBER, &[STALE], find).help(
    "介绍信依据的归属已经变更,转接无效;由现归属或其上级退回",
    "the letter cites a home that was left before and has no effect; the present home or its superior returns it",
);
pub(super) const SETTLER: Settler = settler(STALE.name, settle);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let Some(Member { home: Some(home), moves, .. }) = record.read_as::<Member>() else { return Vec::new() };
    let stale = moves.iter().filter(|letter| letter.state == MoveState::Stale);
    let finding = stale.filter_map(|letter| {
        let to = letter.to_org?;
        let finding = Finding::advisory(&STALE, record, format!("{}/{}", MOVES.field.name, letter.entry))
            .between(ConflictValue::each(record, &letter.ops, to.to_string(), world))
            .meanwhile(home.org.to_string())
            .settled_above(letter.to_seat.into_iter().chain([home.seat]), world)
            .naming([home.org, to])
            .says(
                "{0}转往“{1}”的介绍信 {2} 依据的是旧归属,无效;现归属是“{3}”。",
                "Letter {2} for {0} to {1:?} cites a former home and has no effect; the home is {3:?}.",
                &[record.title().into(), title(to, world), (&*letter.letter_no).into(), title(home.org, world)],
            );
        Some(finding)
    });
    finding.collect()
}

/// The letter goes back; if it had taken the record over, the present home's seat has it again.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, _chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let Some(entry) = MOVES.entry_at(&conflict.field) else { return Ok(()) };
    planner.put_parts(subject.id, entry, [OVERRULED.with(planner.today())]);
    let Some(home) = subject.read_as::<Member>().and_then(|member| member.home.as_ref()) else { return Ok(()) };
    let seats = planner.world().seats();
    let own = subject.view.owners.iter().copied().find(|owner| seats.is_at_or_above(home.seat, *owner));
    if own.is_none() || subject.view.owners.len() > 1 {
        planner.hand_over(subject, own.unwrap_or(home.seat));
    }
    Ok(())
}
