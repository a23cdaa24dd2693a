//! What is due by a day that the asker gives: no clock decides it.

use heliu_record::ledger::{Books, Cell, Ledger, Line, Only, Sheet, Takes, date_column, ledger, text_column};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::advisories::setting;
use super::development::WAITING;
use super::letters::{self, committee};
use crate::member::stage_label;
use crate::policy;
use crate::words::{MEMBER, ORGANISATION};

pub(super) const LEDGER: Ledger = ledger(word("due", "到期事项", "due"), run)
    .help(
        "到某日为止到期的:预备期满(R13)、介绍信过期(R10)、待批复(R4)",
        "what is due by a day: the end of probation (R13), letters that expire (R10), replies (R4)",
    )
    .takes(&[Takes::On]);

const PROBATION: Word = word("R13", "预备期满", "probation is over");
const EXPIRED: Word = word("R10", "介绍信过期", "a letter has expired");
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
