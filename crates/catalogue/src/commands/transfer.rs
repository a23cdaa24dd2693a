//! Transfers: a letter is issued, received, cancelled or returned. Each is an entry of the member's own record.

use crate::commands::org::live;
use crate::kinds::member::{Member, Move, MoveState};
use crate::kinds::org::ORG;
use crate::kinds::word;
use heliu_record::change::{Container, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::command::{Argument, Command, Makes, Subject};
use heliu_record::conflict::Explanation;
use heliu_record::date;
use heliu_record::id::SeatId;
use heliu_record::kind::{ValueType, label};
use heliu_record::scope::OWNER;
use heliu_record::view::Record;

const LETTER: Argument = Argument::optional(
    "letter",
    ValueType::Text(64),
    label("介绍信(唯一时可省)", "the letter; not needed if there is one"),
);
/// A letter is usually good for 30 days (R10).
const VALID_DAYS: u32 = 30;

pub static COMMANDS: &[Command] = &[
    Command {
        name: "member.transfer.issue",
        label: label("开具介绍信", "issue a letter"),
        help: label(
            "转出方开具组织关系介绍信,对方接收后生效",
            "the origin issues it; it takes effect when the destination receives it",
        ),
        subject: Subject::Of(word::MEMBER),
        makes: Makes::Nothing,
        arguments: &[
            Argument::required("to_org", ORG, label("转入组织", "the destination")),
            Argument::optional(
                "to_seat",
                ValueType::Seat,
                label("转入席位,本节点无该组织时必填", "its seat, if this node does not hold it"),
            ),
            Argument::optional("letter_no", ValueType::Text(60), label("介绍信编号", "the letter's number")),
            Argument::optional(
                "valid_until",
                ValueType::Date,
                label("有效期至,默认30天", "until when (default: 30 days)"),
            ),
        ],
        takes_fields: false,
        run: issue,
    },
    Command {
        name: "member.transfer.receive",
        label: label("接收", "receive a member"),
        help: label(
            "转入方凭介绍信接收,组织关系即转入",
            "the destination receives on a letter; the person is then its member",
        ),
        subject: Subject::Of(word::MEMBER),
        makes: Makes::Nothing,
        arguments: &[
            LETTER,
            Argument::optional("receipt", ValueType::Text(60), label("回执编号", "the receipt's number")),
            Argument::optional(
                "seat",
                ValueType::Seat,
                label("编入的下级席位", "a seat below the one named, to belong to"),
            ),
        ],
        takes_fields: false,
        run: receive,
    },
    Command {
        name: "member.transfer.cancel",
        label: label("撤回介绍信", "cancel a letter"),
        help: label("尚未接收时可由转出方撤回", "by the origin, while it is not received"),
        subject: Subject::Of(word::MEMBER),
        makes: Makes::Nothing,
        arguments: &[LETTER],
        takes_fields: false,
        run: |planner| close(planner, "cancelled", None),
    },
    Command {
        name: "member.transfer.return",
        label: label("退回介绍信", "return a letter"),
        help: label("转入方不予接收,退回转出方", "the destination does not take the person"),
        subject: Subject::Of(word::MEMBER),
        makes: Makes::Nothing,
        arguments: &[LETTER],
        takes_fields: false,
        run: |planner| close(planner, "returned", Some(planner.seat())),
    },
];

fn issue(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, member) = subject(planner)?;
    let to = planner.need_record("to_org")?;
    let to_seat = match (planner.seat_argument("to_seat"), planner.world().record(to)) {
        (Some(seat), None) => seat,
        (named, _) => {
            let org = live(planner, to)?;
            named.unwrap_or_else(|| planner.owner_of(org))
        }
    };
    let Some(home) = member.home.as_ref().filter(|_| member.disputed.is_empty()) else {
        return Err(home_disputed(record));
    };
    if member.ended || home.org == to {
        return Err(Refusal::new(
            "no_transfer",
            (format!("{}不能转往该组织。", record.title()), format!("{} cannot be moved there.", record.title())),
            ("该人已在其中,或党籍已终结。", "The person is there already, or is no longer a member."),
            ("请核对人员与转入组织。", "Check the person and the destination."),
        ));
    }
    if let Some(open) = member.moves.iter().find(|m| m.state == MoveState::Issued) {
        return Err(Refusal::new(
            "letter_open",
            (
                format!("{}已有一封未接收的介绍信 {}。", record.title(), open.letter_no),
                format!("{} has an open letter, {}.", record.title(), open.letter_no),
            ),
            ("一人同时只能有一封有效介绍信。", "A person has one open letter at a time."),
            ("请先用 member.transfer.cancel 撤回。", "Cancel it first with member.transfer.cancel."),
        ));
    }
    let entry = planner.entry();
    let today = planner.today_text();
    let valid_until = planner.text("valid_until").map(str::to_owned).or_else(|| date::days_after(today, VALID_DAYS));
    let letter_no = planner.text("letter_no").map_or_else(|| entry[..8].to_owned(), str::to_owned);
    let from = home.org;
    let mut part =
        |name: &str, value: Scalar| planner.put(record.id, Container::Slot, format!("moves/{entry}/{name}"), value);
    part("to_seat", Scalar::Bytes(to_seat.0.to_vec()));
    part("from_org", Scalar::Bytes(from.0.to_vec()));
    part("to_org", Scalar::Bytes(to.0.to_vec()));
    part("home_epoch", Scalar::Int(home.epoch));
    part("letter_no", Scalar::Text(letter_no));
    part("issued_on", Scalar::from(today));
    if let Some(valid_until) = valid_until {
        part("valid_until", Scalar::Text(valid_until));
    }
    planner.add_participant(record.id, to_seat);
    // The origin goes on seeing the record after it has moved, so that it can judge late offline edits.
    for owner in &record.view.owners {
        planner.add_participant(record.id, *owner);
    }
    Ok(())
}

fn receive(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, member) = subject(planner)?;
    if !member.disputed.is_empty() {
        return Err(home_disputed(record));
    }
    let letter = letter(planner, record, member, Some(planner.seat()))?;
    let to_org = letter.to_org.and_then(|id| planner.world().record(id));
    if let Some(org) = to_org {
        live(planner, org.id)?;
    }
    let Some(seat) = planner.seat_argument("seat").or(letter.to_seat) else { return Err(no_letter(record)) };
    let key = |part: &str| format!("moves/{}/{part}", letter.entry);
    let receipt = planner.text("receipt").unwrap_or("received");
    let today = planner.today();
    planner.put(record.id, Container::Slot, key("received_on"), today);
    planner.put(record.id, Container::Slot, key("receipt"), Scalar::from(receipt));
    planner.put(record.id, Container::Scope, OWNER, Scalar::Bytes(seat.0.to_vec()));
    Ok(())
}

fn close(planner: &mut Planner<'_>, part: &str, destination: Option<SeatId>) -> Result<(), Refusal> {
    let (record, member) = subject(planner)?;
    let letter = letter(planner, record, member, destination)?;
    let today = planner.today();
    planner.put(record.id, Container::Slot, format!("moves/{}/{part}", letter.entry), today);
    Ok(())
}

/// Several letters are open, and none was named.
fn which_letter<'m>(planner: &Planner<'_>, record: &Record, open: impl Iterator<Item = &'m Move>) -> Refusal {
    let seats = planner.world().seats();
    let (zh, en): (Vec<_>, Vec<_>) = open
        .map(|letter| {
            let to = letter.to_seat.map(|seat| seats.name(seat)).unwrap_or_default();
            (format!("letter={}(转往{to})", letter.letter_no), format!("letter={} (to {to})", letter.letter_no))
        })
        .unzip();
    let (count, name) = (zh.len(), record.title());
    let (zh, en) = (format!("请写明是哪一封:{}。", zh.join(";")), format!("Say which: {}.", en.join("; ")));
    Refusal::new(
        "which_letter",
        (format!("{name}有 {count} 封待办的介绍信。"), format!("{name} has {count} open letters.")),
        ("不止一封,须写明。", "There is more than one."),
        (&zh, &en),
    )
}

fn subject<'a>(planner: &Planner<'a>) -> Result<(&'a Record, &'a Member), Refusal> {
    let record = planner.subject()?;
    let member = record.read_as::<Member>().ok_or_else(|| Refusal::wrong_kind(record, word::MEMBER))?;
    Ok((record, member))
}

/// The letter that is named, or the only open one; if a destination handles it, the only one for that seat.
fn letter<'a>(
    planner: &Planner<'a>,
    record: &'a Record,
    member: &'a Member,
    destination: Option<SeatId>,
) -> Result<&'a Move, Refusal> {
    if let Some(entry) = planner.text("letter") {
        let named = |m: &&Move| m.entry == entry || m.letter_no == entry;
        let letter = member.moves.iter().find(named).ok_or_else(|| no_letter(record))?;
        let open = letter.state == MoveState::Issued;
        return if open { Ok(letter) } else { Err(letter_state(record, letter, MoveState::Issued)) };
    }
    let seats = planner.world().seats();
    let is_for = |m: &&Move| {
        let to =
            |seat: SeatId| m.to_seat.is_some_and(|to| seats.is_at_or_above(seat, to) || seats.is_at_or_above(to, seat));
        m.state == MoveState::Issued && destination.is_none_or(to)
    };
    let mut open = member.moves.iter().filter(is_for);
    match (open.next(), open.next()) {
        (Some(letter), None) => Ok(letter),
        (None, _) => match member.moves.last() {
            Some(last) if last.state != MoveState::Issued => Err(letter_state(record, last, MoveState::Issued)),
            _ => Err(no_letter(record)),
        },
        (Some(_), Some(_)) => Err(which_letter(planner, record, member.moves.iter().filter(is_for))),
    }
}

/// The home of a person is disputed or missing, so that no letter can move from it.
#[must_use]
pub fn home_disputed(record: &Record) -> Refusal {
    Refusal::new(
        "home_disputed",
        (format!("{}的归属尚有争议。", record.title()), format!("The home of {} is disputed.", record.title())),
        ("有两处已接收,或缺少归属。", "Two places have received this person, or there is no home."),
        ("请先由共同上级处置冲突。", "Have a common superior settle the conflict first."),
    )
}

#[must_use]
pub fn letter_state(record: &Record, letter: &Move, wanted: MoveState) -> Refusal {
    let name = record.title();
    Refusal {
        code: "letter_state",
        what: Explanation::new(
            format!("{name}的介绍信 {} 的状态是“{}”。", letter.letter_no, letter.state.label().zh),
            format!("Letter {} of {name} is {}.", letter.letter_no, letter.state.label().en),
        ),
        why: Explanation::new(
            format!("只有“{}”的介绍信才能这样办理。", wanted.label().zh),
            format!("Only a letter that is {} can be handled this way.", wanted.label().en),
        ),
        next: Explanation::new(
            "如需转接,请由现归属重新开具介绍信。",
            "For a move, have the present home issue a new letter.",
        ),
    }
}

#[must_use]
pub fn no_letter(record: &Record) -> Refusal {
    let name = record.title();
    Refusal {
        code: "no_letter",
        what: Explanation::new(format!("{name}没有可办理的介绍信。"), format!("There is no open letter for {name}.")),
        why: Explanation::new(
            "接收、撤回、退回都须凭一封介绍信。",
            "Receiving, cancelling and returning each need a letter.",
        ),
        next: Explanation::new(
            "请先由转出组织开具(member.transfer.issue)。",
            "Have the origin issue one first (member.transfer.issue).",
        ),
    }
}
