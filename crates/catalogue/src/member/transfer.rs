//! Letters: issued, received, cancelled or returned. STALE_TRANSFER: one cites a home that the person had left before; it has no
//! effect.

use heliu_record::command::{Write, WriteValue};
use heliu_record::prelude::*;

use super::fields::{
    CANCELLED, FROM_ORG, HOME_EPOCH, ISSUED_ON, LETTER_NO, MOVES, OVERRULED, PROPOSED_ON, RECEIPT, RECEIVED_ON,
    RECEIVED_ONLY, RETURNED, TO_ORG, TO_SEAT, TO_TEXT, VALID_UNTIL,
};
use super::home::{Home, Member, MoveRead, MoveState};
use super::register::HOME_DISPUTED;
use crate::homes::projected_home;
use crate::numbers::{self, Book, Paper};
use crate::org::live;
use crate::policy;
use crate::words::{MEMBER, ORG};

pub(super) const LETTER: Argument = entry_of(&MOVES.field);
pub(super) const NUMBER: Argument =
    optional("letter_no", number(60), "介绍信编号,默认编下一号", "the letter's number (default: the next one)");
pub(super) const UNTIL: Argument =
    optional("valid_until", DATE, "有效期至,默认按规定的天数", "until when (default: as many days as the policy says)");

pub(super) static COMMANDS: &[Command] = &[
    about(MEMBER, "member.transfer.issue", "开具介绍信", "issue a letter", issue)
        .help(
            "转出方开具组织关系介绍信,对方接收后生效",
            "the origin issues it; it takes effect when the destination receives it",
        )
        .takes(&[
            optional("to_org", ORG, "转入组织,已提出的可省", "the destination; not needed if it was proposed"),
            optional("to_seat", SEAT, "转入席位,本节点无该组织时必填", "its seat, if this node does not hold it"),
            NUMBER,
            UNTIL,
        ]),
    about(MEMBER, "member.transfer.propose", "提出转接", "propose a move", propose)
        .help("村级提出转接申请,由乡镇开具介绍信", "a village proposes; the township issues the letter")
        .takes(&[
            optional("to_org", ORG, "转入组织", "the destination"),
            optional("to_text", text(120), "转往域外的党组织", "the destination, if it is outside this realm"),
            optional("to_seat", SEAT, "转入席位,本节点无该组织时必填", "its seat, if this node does not hold it"),
        ]),
    about(MEMBER, "member.transfer.receive", "接收", "receive a member", receive)
        .help(
            "转入方凭介绍信接收,组织关系即转入",
            "the destination receives on a letter; the person is then its member",
        )
        .takes(&[
            LETTER,
            optional("receipt", number(60), "回执编号", "the receipt's number"),
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
        planner.note_entry(&letter);
        Ok(())
    })
    .help("转入方不予接收,退回转出方", "the destination does not take the person")
    .takes(&[LETTER]),
    about(MEMBER, "member.transfer.renumber", "改编介绍信编号", "renumber a letter", renumber)
        .help("编号写错或重复时另编;一号一用", "another number for a letter that has a wrong one, or one that two have")
        .takes(&[LETTER, NUMBER]),
];
pub(super) static NO_TRANSFER: Message = message("no_transfer")
    .what("“{0}”不能转往“{1}”。", "{0} cannot be moved to {1:?}.")
    .why("该人已在其中,或党籍已终结。", "The person is there already, or is no longer a member.")
    .next("请核对人员与转入组织。", "Check the person and the destination.");
pub(super) static LETTER_DAYS: Message = message("date_out_of_range")
    .what("介绍信不能有效至 {0}。", "No letter is good until {0}.")
    .why("有效期从今日起,不晚于 {1}。", "One is good from today, and until {1} at most.")
    .next("请改写有效期。", "Give another day.");
pub(super) static NOT_ISSUED: Message = message("no_entry")
    .what("“{0}”的这一项转接还没有开具介绍信。", "No letter was issued yet for this move of {0}.")
    .why("开具时才编号。", "It is numbered when it is issued.")
    .next("请先用 member.transfer.issue 开具。", "Issue it first: member.transfer.issue.");
pub(super) static NUMBERED: Message = message("by_its_command")
    .what(
        "“{0}”的介绍信和回执编号不能直接填写。",
        "The numbers of the letters and receipts of {0} cannot be set as a field.",
    )
    .why("编号要登入编号簿,一号一用。", "They are entered in a number book, where each is given once.")
    .next("改编介绍信请用 member.transfer.renumber。", "To renumber a letter, use member.transfer.renumber.");
pub(super) static LETTER_OPEN: Message = message("letter_open")
    .what("“{0}”已有一封未接收的介绍信 {1}。", "{0} has an open letter, {1}.")
    .why("一人同时只能有一封有效介绍信。", "A person has one open letter at a time.")
    .next("请先用 member.transfer.cancel 撤回。", "Cancel it first with member.transfer.cancel.");

fn issue(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, member) = planner.subject_as::<Member>(MEMBER)?;
    let draft = drafted(member, planner.record_argument("to_org"));
    let to = match planner.record_argument("to_org").or(draft.and_then(|draft| draft.to_org)) {
        Some(to) => to,
        None => planner.need_record("to_org")?,
    };
    let to_seat = destination(planner, to, draft)?;
    let home = leaves(planner, record, member, Some(to))?;
    let entry = begin(planner, record.id, home, draft);
    planner.put_parts(record.id, &entry, [TO_SEAT.with(to_seat), TO_ORG.with(to)]);
    write_letter(planner, record.id, &entry, policy::LETTER_DAYS_INSIDE)?;
    planner.add_participant(record.id, to_seat);
    // The origin goes on seeing the record after it has moved, so that it can judge late offline edits.
    for owner in &record.view.owners {
        planner.add_participant(record.id, *owner);
    }
    Ok(())
}

fn propose(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, member) = planner.subject_as::<Member>(MEMBER)?;
    let (to, text) = (planner.record_argument("to_org"), planner.text("to_text"));
    let to_seat = match (to, text) {
        (Some(to), None) => Some((to, destination(planner, to, None)?)),
        (None, Some(_)) => None,
        _ => return Err(Refusal::missing(planner.named("to_org"), &ORG.expects())),
    };
    let home = leaves(planner, record, member, to)?;
    if let Some(draft) = drafted(member, to) {
        return Err(LETTER_OPEN.about(&[record.title().into(), draft.entry[..8].into()]));
    }
    let entry = begin(planner, record.id, home, None);
    planner.put_parts(record.id, &entry, to_seat.map(|(to, _)| TO_ORG.with(to)));
    planner.put_parts(record.id, &entry, to_seat.map(|(_, seat)| TO_SEAT.with(seat)));
    planner.put_parts(record.id, &entry, text.map(|text| TO_TEXT.with(text)));
    planner.put_parts(record.id, &entry, [PROPOSED_ON.with(planner.today())]);
    Ok(())
}

/// The one move that was proposed and not issued, to this organisation if one is named.
pub(super) fn drafted(member: &Member, to: Option<RecordId>) -> Option<&MoveRead> {
    let mut drafts = member.moves.iter().filter(|at| at.state == MoveState::Drafted);
    drafts.find(|at| to.is_none() || at.to_org == to)
}

/// The seat of the organisation that a letter is to, be that here or not.
fn destination(planner: &Planner<'_>, to: RecordId, draft: Option<&MoveRead>) -> Result<SeatId, Refusal> {
    let named = planner.seat_argument("to_seat").or(draft.and_then(|draft| draft.to_seat));
    match (named, planner.world().record(to)) {
        (Some(seat), None) => Ok(seat),
        (named, _) => {
            let org = live(planner, to)?;
            Ok(named.unwrap_or_else(|| planner.owner_of(org)))
        }
    }
}

/// The home that a letter moves a person from.
pub(super) fn leaves<'m>(
    planner: &Planner<'_>,
    record: &Record,
    member: &'m Member,
    to: Option<RecordId>,
) -> Result<&'m Home, Refusal> {
    let Some(home) = member.home.as_ref().filter(|_| member.disputed.is_empty()) else {
        return Err(HOME_DISPUTED.about(&[record.title().into()]));
    };
    let world = planner.world();
    let is_there = to.is_some() && (home.place.org() == to || projected_home(record, world) == to);
    if member.ended || is_there {
        let to = to.map_or_else(|| super::home::OUTSIDE.label.into(), |to| title(to, world));
        return Err(NO_TRANSFER.about(&[record.title().into(), to]));
    }
    match member.moves.iter().find(|letter| letter.state == MoveState::Issued) {
        Some(open) => Err(LETTER_OPEN.about(&[record.title().into(), (&*open.letter_no).into()])),
        None => Ok(home),
    }
}

/// The entry of a move from a home: the one that was proposed, or a new one.
pub(super) fn begin(planner: &mut Planner<'_>, member: RecordId, home: &Home, draft: Option<&MoveRead>) -> String {
    let entry = draft.map_or_else(|| planner.entry(), |draft| draft.entry.clone());
    planner.put_parts(member, &entry, home.place.org().map(|org| FROM_ORG.with(org)));
    planner.put_parts(member, &entry, [HOME_EPOCH.with(home.epoch)]);
    entry
}

/// The number of a letter and how long it is good for.
pub(super) fn write_letter(
    planner: &mut Planner<'_>,
    member: RecordId,
    entry: &str,
    days: policy::Setting,
) -> Result<(), Refusal> {
    let today = planner.today();
    let days = u32::try_from(policy::read(planner, days)).unwrap_or_default();
    let valid_until = planner.text("valid_until").map(str::to_owned).or_else(|| date::days_after(today, days));
    let months = i32::try_from(policy::read(planner, policy::LETTER_MONTHS_MAX)).unwrap_or_default();
    let last = date::months_after(today, months).unwrap_or_default();
    if let Some(day) = valid_until.as_ref().filter(|day| **day > last || &***day < today) {
        return Err(LETTER_DAYS.about(&[(&**day).into(), (&*last).into()]));
    }
    planner.put_parts(member, entry, [ISSUED_ON.with(today)]);
    planner.put_parts(member, entry, valid_until.map(|day| VALID_UNTIL.with(day)));
    let book = Book::of(planner.seat(), numbers::LETTER, today);
    book.number(planner, &Paper { holder: member, entry, part: &LETTER_NO.part }, planner.text("letter_no"))
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
    let today = planner.today();
    planner.put_parts(record.id, letter.name, [RECEIVED_ON.with(today), RECEIPT.with(RECEIVED_ONLY)]);
    if let Some(receipt) = planner.text("receipt") {
        let paper = Paper { holder: record.id, entry: letter.name, part: &RECEIPT.part };
        Book::of(planner.seat(), numbers::RECEIPT, today).number(planner, &paper, Some(receipt))?;
    }
    planner.note_entry(&letter);
    if let Some(seat) = planner.seat_argument("seat").or(letter.get(&TO_SEAT)) {
        planner.put_owner(record.id, seat);
    }
    Ok(())
}

/// Another number for a letter: the one on the paper, or the next one.
fn renumber(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let member = planner.subject()?;
    let is_issued = |letter: &Entry<'_>| letter.is_set(&ISSUED_ON);
    let letter = planner.entry_called(member, &MOVES, is_issued)?;
    let issuer = numbers::issuer(&letter, &ISSUED_ON, planner.whole());
    let (Some(issuer), Some(day)) = (issuer, letter.get(&ISSUED_ON)) else {
        return Err(NOT_ISSUED.about(&[member.title().into()]));
    };
    planner.note_entry(&letter);
    let paper = Paper { holder: member.id, entry: letter.name, part: &LETTER_NO.part };
    Book::of(issuer, numbers::LETTER, &day).number(planner, &paper, planner.text("letter_no"))
}

/// Whatever writes it: the number of a letter or of a receipt is one of a number book, where it is given once.
pub(super) fn numbered(planner: &Planner<'_>, planned: &Planned<'_>) -> Result<(), Refusal> {
    let is_number = |put: &&Write| {
        let part = put.key.rsplit('/').next().filter(|_| MOVES.entry_at(&put.key).is_some());
        let is_said = match &put.value {
            WriteValue::Value(Scalar::Text(text)) => text != RECEIVED_ONLY,
            _ => false,
        };
        is_said && part.is_some_and(|part| part == LETTER_NO.part.name || part == RECEIPT.part.name)
    };
    let mut numbers = planned.write.writes.iter().filter(is_number);
    match numbers.find(|put| !numbers::is_entered(planner, planned.write.record, &put.key)) {
        Some(_) => Err(NUMBERED.about(&[planned.after()?.title().into()])),
        None => Ok(()),
    }
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
        let to = letter.to()?;
        let finding = Finding::advisory(&STALE, record, format!("{}/{}", MOVES.field.name, letter.entry))
            .between(ConflictValue::each(record, &letter.ops, to.choice(), world))
            .meanwhile(home.place.choice())
            .settled_above(letter.to_seat.into_iter().chain([home.seat]), world)
            .naming(home.place.org().into_iter().chain(to.org()))
            .says(
                "“{0}”转往“{1}”的介绍信 {2} 依据的是旧归属,无效;现归属是“{3}”。",
                "Letter {2} for {0} to {1:?} cites a former home and has no effect; the home is {3:?}.",
                &[record.title().into(), to.title(world), (&*letter.letter_no).into(), home.place.title(world)],
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
