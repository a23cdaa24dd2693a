//! What is due by a day that the asker gives: no clock decides it.

use heliu_record::ledger::{Books, Cell, Ledger, Line, Only, Sheet, Takes, date_column, ledger, text_column};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::advisories::setting;
use super::development::WAITING;
use super::floats;
use super::letters::{self, committee};
use crate::floating::count::{Half, Side};
use crate::member::stage_label;
use crate::policy;
use crate::words::{FLOAT, MEMBER, ORGANISATION};

pub(super) const LEDGER: Ledger = ledger(word("due", "到期事项", "due"), run)
    .help(
        "到某日为止到期的:预备期满(R13)、介绍信过期(R10)、待批复(R4)、流动(R9、R18)",
        "what is due by a day: the end of probation (R13), letters that expire (R10), replies (R4), floats (R9, R18)",
    )
    .takes(&[Takes::On]);

const PROBATION: Word = word("R13", "预备期满", "probation is over");
const EXPIRED: Word = word("R10", "介绍信过期", "a letter has expired");
const ONE_SIDED: Word = word("R18", "流动未对接", "a float of one side");
const LONG: Word = word("R9", "长期流动", "away for long");
const RETURNED: Word = word("float_return", "待确认返回", "a return to be confirmed");
const REPLY: Word = word("R4", "待批复", "a reply is due");

pub(super) struct Due<'b> {
    pub rule: Word,
    pub subject: &'b View,
    pub seat: SeatId,
    pub since: String,
    pub turn: SeatId,
    pub what: Explanation,
    pub next: Explanation,
}

pub(super) fn all<'b>(books: &Books<'b>) -> Vec<Due<'b>> {
    let day = books.day();
    let seat = |view: &View| view.text("reported_by").parse().ok().or_else(|| view.owners.first().copied());
    let months = |of| i32::try_from(setting(books, of)).unwrap_or_default();
    let (probation, reply) = (months(policy::PROBATION_MONTHS), months(policy::REPLY_MONTHS));
    let mut found = Vec::new();
    let on_probation = books.rows(MEMBER, vec![Only::says("stage", ["probationary", "extended"])]);
    for view in on_probation.iter().filter(|view| seat(view).is_some_and(|seat| books.has_seat(seat))) {
        let regular = date::months_after(view.text("joined_on"), probation).unwrap_or_default();
        let over = regular.max(view.text("extended_until").to_owned());
        let Some(own) = seat(view).filter(|_| !over.is_empty() && *over <= *day) else { continue };
        let what = Explanation::new(format!("预备期已于 {over} 满"), format!("probation was over on {over}"));
        let next = Explanation::new(
            "支部大会讨论(member.pass),乡镇审批(member.confirm、member.extend 或 member.cancel)",
            "the meeting passes it (member.pass), the township approves (member.confirm, member.extend or member.cancel)",
        );
        found.push(Due { rule: PROBATION, subject: view, seat: own, since: over, turn: own, what, next });
    }
    let waiting = books.rows(MEMBER, vec![Only::says("stage", WAITING)]);
    for view in waiting.iter().filter(|view| seat(view).is_some_and(|seat| books.has_seat(seat))) {
        let stage = view.text("stage");
        let since = view.text("stage_since");
        let by = date::months_after(since, reply).unwrap_or_else(|| day.to_owned());
        let (Some(own), Some(label)) = (seat(view).filter(|_| *by <= *day), stage_label(stage)) else { continue };
        let next = Explanation::new(
            "乡镇审批:member.admit、member.confirm、member.extend 或 member.cancel",
            "the township approves: member.admit, member.confirm, member.extend or member.cancel",
        );
        let turn = committee(own, books);
        found.push(Due { rule: REPLY, subject: view, seat: own, since: by, turn, what: label.into(), next });
    }
    let proposed = books.rows(ORGANISATION, vec![Only::says("lifecycle", ["proposed"])]);
    for view in proposed {
        let Some(own) = view.owners.first().copied().filter(|seat| books.has_seat(*seat)) else { continue };
        let since = view.text("lifecycle_since");
        let by = date::months_after(since, reply).unwrap_or_else(|| day.to_owned());
        if *by > *day {
            continue;
        }
        let what = Explanation::new("拟建,待上级批复", "proposed, and not approved yet");
        let next = Explanation::new("批复:record.decide 的 lifecycle", "decide its lifecycle: record.decide");
        found.push(Due { rule: REPLY, subject: view, seat: own, since: by, turn: committee(own, books), what, next });
    }
    for letter in letters::open(books).into_iter().filter(|letter| letter.has_expired(day)) {
        let until = letter.text("valid_until").to_owned();
        let no = letter.text("letter_no").to_owned();
        let what =
            Explanation::new(format!("介绍信 {no} 有效期至 {until}"), format!("letter {no} was good until {until}"));
        let next = Explanation::new(
            "撤回后重开:member.transfer.cancel",
            "cancel it and issue another: member.transfer.cancel",
        );
        let turn = committee(letter.from, books);
        found.push(Due { rule: EXPIRED, subject: letter.member, seat: letter.from, since: until, turn, what, next });
    }
    found.extend(floating(books));
    found.sort_by(|one, other| (&one.since, one.subject.record).cmp(&(&other.since, other.subject.record)));
    found
}

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let line = |due: Due<'_>| {
        Line::of([
            Cell::word(&due.rule),
            Cell::record(due.subject),
            Cell::Seat(due.seat),
            Cell::text(due.since),
            Cell::Told("what".to_owned(), due.what),
            Cell::Seat(due.turn),
            Cell::Told("next".to_owned(), due.next),
        ])
    };
    Ok(Sheet {
        columns: vec![
            text_column("rule", "事项", "rule"),
            text_column("subject", "对象", "subject"),
            text_column("seat", "席位", "seat"),
            date_column("due_on", "到期日", "due on"),
            text_column("what", "情况", "what"),
            text_column("turn", "轮到", "whose turn"),
            text_column("next", "下一步", "what to do"),
        ],
        lines: all(books).into_iter().map(line).collect(),
        ..Sheet::default()
    })
}

/// What one side of a float waits for, and who is away for so long that his affiliation should follow.
fn floating<'b>(books: &Books<'b>) -> Vec<Due<'b>> {
    let day = books.day();
    let halves: Vec<(&View, Half)> =
        floats::open(books).iter().filter_map(|view| Some((view, Half::of(view)?))).collect();
    let answers = |card: RecordId| {
        halves.iter().find(|(_, half)| half.side == Side::In { answers: Some(card) }).map(|(_, half)| half.seat)
    };
    let unmatched = u32::try_from(setting(books, policy::UNMATCHED_DAYS)).unwrap_or_default();
    let months = i32::try_from(setting(books, policy::FLOAT_MONTHS)).unwrap_or_default();
    let mut found = Vec::new();
    for (view, half) in halves.iter().filter(|(_, half)| books.has_seat(half.seat)) {
        let view = *view;
        let mut due = |rule, since: Option<String>, turn, what, next| {
            let since = since.filter(|since| **since <= *day);
            found.extend(since.map(|since| Due { rule, subject: view, seat: half.seat, since, turn, what, next }));
        };
        let since = view.text("since");
        let other: Option<SeatId> = ["host", "home"].into_iter().find_map(|end| view.text(end).parse().ok());
        let is_known = match half.side {
            Side::Out { .. } => answers(half.id).is_some(),
            Side::In { answers: card } => halves.iter().any(|(_, other)| Some(other.id) == card),
        };
        if let Some(other) = other.filter(|_| !is_known) {
            let next = Explanation::new(
                "对方登记或对接:流入地 float.acknowledge,流出地 float.declare",
                "the other side records it: float.acknowledge at the host, float.declare at the home",
            );
            let what = Explanation::new("流动登记,对方尚未对接", "a float that the other side has not answered");
            due(ONE_SIDED, date::days_after(since, unmatched), other, what, next);
        }
        if matches!(half.side, Side::Out { to_seat: true }) {
            let what = Explanation::new(format!("自 {since} 起流动"), format!("away since {since}"));
            let next = Explanation::new(
                "地点固定的,转接组织关系:member.transfer.issue",
                "is the place fixed, move the affiliation: member.transfer.issue",
            );
            due(LONG, date::months_after(since, months), half.seat, what, next);
        }
    }
    for view in books.rows(FLOAT, vec![Only::says("state", ["returned"])]) {
        let waits = match Half::of(view).map(|half| half.side) {
            Some(Side::Out { .. }) => answers(view.record),
            Some(Side::In { answers: Some(card) }) => {
                halves.iter().find(|(_, half)| half.id == card).map(|(_, half)| half.seat)
            }
            _ => None,
        };
        let since = view.text("state_since").to_owned();
        let Some(seat) = waits.filter(|seat| books.has_seat(*seat) && *since <= *day) else { continue };
        let what = Explanation::new("对方已登记返回", "the other side says that he is back");
        let next = Explanation::new("确认:float.confirm_return", "confirm it: float.confirm_return");
        found.push(Due { rule: RETURNED, subject: view, seat, since, turn: seat, what, next });
    }
    found
}
