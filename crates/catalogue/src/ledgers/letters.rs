//! Letters that are under way, out and in, and whose turn it is.

use heliu_record::ledger::{Books, Cell, Ledger, Line, Only, Sheet, Takes, date_column, ledger, text_column};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::orgs::Orgs;
use crate::member::move_state;
use crate::words::MEMBER;

pub(super) const LEDGER: Ledger = ledger(word("letters", "介绍信台账", "letters"), run)
    .help("未办结的组织关系介绍信,转出转入,轮到谁办", "letters under way, out and in, and whose turn it is")
    .takes(&[Takes::On]);

const DIRECTIONS: [Word; 3] = [word("out", "转出", "out"), word("in", "转入", "in"), word("within", "内部", "within")];
const EXPIRED: Word = word("expired", "已过期", "expired");

/// A letter that somebody still has to do something about.
pub(super) struct Letter<'b> {
    pub member: &'b View,
    pub entry: &'b str,
    parts: &'b Map<String, Json>,
    pub state: &'b str,
    pub from: SeatId,
    /// None: outside the realm.
    pub to: Option<SeatId>,
    /// Who has to do it.
    pub turn: SeatId,
    pub next: Explanation,
}

impl Letter<'_> {
    pub fn text(&self, part: &str) -> &str {
        self.parts.get(part).and_then(Json::as_str).unwrap_or_default()
    }

    pub fn has_expired(&self, day: &str) -> bool {
        let until = self.text("valid_until");
        self.state == "issued" && !until.is_empty() && until < day
    }

    fn origin(&self) -> Option<RecordId> {
        self.text("from_org").parse().ok()
    }

    pub fn to_cell(&self, orgs: &Orgs<'_>) -> Cell {
        match self.text("to_org").parse::<RecordId>() {
            Ok(org) => orgs.cell(org),
            Err(_) => Cell::text(self.text("to_text")),
        }
    }
}

/// Those from or to the place that is asked for.
pub(super) fn open<'b>(books: &Books<'b>) -> Vec<Letter<'b>> {
    let members = books.rows(MEMBER, vec![Only::says("letters", ["open"])]);
    let mut letters: Vec<Letter<'b>> = members.iter().flat_map(|member| of(member, books)).collect();
    letters.retain(|letter| books.has_seat(letter.from) || letter.to.is_some_and(|to| books.has_seat(to)));
    letters.sort_by(|one, other| {
        let key = |at: &Letter<'_>| (at.text("issued_on").to_owned(), at.member.record, at.entry.to_owned());
        key(one).cmp(&key(other))
    });
    letters
}

fn of<'b>(member: &'b View, books: &Books<'b>) -> Vec<Letter<'b>> {
    let seat = |text: &str| text.parse::<SeatId>().ok();
    let from = seat(member.text("reported_by")).or_else(|| member.owners.first().copied());
    let entries = member.json.get("moves").and_then(Json::as_object).into_iter().flatten();
    let letter = |(entry, parts): (&'b String, &'b Json)| {
        let parts = parts.as_object()?;
        let text = |part: &str| parts.get(part).and_then(Json::as_str).unwrap_or_default();
        let (state, from, to) = (parts.get("state").and_then(Json::as_str)?, from?, seat(text("to_seat")));
        let committee = committee(from, books);
        let (turn, next) = match (state, to) {
            ("drafted", _) => (
                committee,
                Explanation::new(
                    "开具介绍信:member.transfer.issue 或 member.transfer.out",
                    "issue it: member.transfer.issue or member.transfer.out",
                ),
            ),
            ("issued", Some(to)) => (
                to,
                Explanation::new(
                    "接收或退回:member.transfer.receive、member.transfer.return",
                    "receive or return it: member.transfer.receive, member.transfer.return",
                ),
            ),
            ("issued", None) => (
                committee,
                Explanation::new(
                    "收到回执后登记:member.transfer.arrived",
                    "record the receipt once it is there: member.transfer.arrived",
                ),
            ),
            ("disputed", _) => (
                above(member, to, books),
                Explanation::new("裁定归属:heliu conflicts list", "decide the home: heliu conflicts list"),
            ),
            ("stale" | "early", _) => (
                above(member, to, books),
                Explanation::new("退回介绍信:heliu conflicts list", "return the letter: heliu conflicts list"),
            ),
            _ => return None,
        };
        Some(Letter { member, entry, parts, state, from, to, turn, next })
    };
    entries.filter_map(letter).collect()
}

/// The township, or what is above it.
pub(super) fn committee(seat: SeatId, books: &Books<'_>) -> SeatId {
    let is_one = |seat: &SeatId| books.seats.get(*seat).is_some_and(|seat| seat.tier <= Tier::Township);
    books.seats.upward(seat).find(is_one).unwrap_or(seat)
}

/// Who is above all that the record and the letter name.
fn above(member: &View, to: Option<SeatId>, books: &Books<'_>) -> SeatId {
    let all = member.named().chain(to);
    let lowest = books.seats.common_superior(all).unwrap_or(books.own);
    committee(lowest, books)
}

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    let lines = open(books).into_iter().map(|letter| {
        let direction = match (books.has_seat(letter.from), letter.to.is_some_and(|to| books.has_seat(to))) {
            (true, true) => &DIRECTIONS[2],
            (true, false) => &DIRECTIONS[0],
            (false, _) => &DIRECTIONS[1],
        };
        let state = match letter.has_expired(books.day()) {
            true => Cell::word(&EXPIRED),
            false => Cell::Told(letter.state.to_owned(), move_state(letter.state)),
        };
        Line::of([
            Cell::record(letter.member),
            Cell::word(direction),
            Cell::text(letter.text("letter_no")),
            letter.origin().map_or(Cell::Nothing, |org| orgs.cell(org)),
            letter.to_cell(&orgs),
            Cell::text(letter.text("issued_on")),
            Cell::text(letter.text("valid_until")),
            state,
            Cell::Seat(letter.turn),
            Cell::Told("next".to_owned(), letter.next.clone()),
        ])
    });
    Ok(Sheet {
        columns: vec![
            text_column("member", "党员", "member"),
            text_column("direction", "方向", "direction"),
            text_column("letter_no", "介绍信编号", "letter number"),
            text_column("from", "转出组织", "from"),
            text_column("to", "转入组织", "to"),
            date_column("issued_on", "开具日期", "issued on"),
            date_column("valid_until", "有效期至", "valid until"),
            text_column("state", "状态", "state"),
            text_column("turn", "轮到", "whose turn"),
            text_column("next", "下一步", "what to do"),
        ],
        lines: lines.collect(),
        ..Sheet::default()
    })
}
