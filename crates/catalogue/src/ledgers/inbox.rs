//! All that somebody has to do, in one list by whose turn it is: conflicts, what is due, letters, advisories.

use heliu_record::conflict::Severity;
use heliu_record::ledger::{Books, Cell, Ledger, Line, Sheet, Takes, date_column, ledger, text_column};
use heliu_record::prelude::*;

use super::{advisories, due, letters};

pub(super) const LEDGER: Ledger = ledger(word("inbox", "待办", "inbox"), run)
    .help(
        "冲突、到期事项、介绍信和提示,按轮到谁办排列",
        "conflicts, what is due, letters and advisories, by whose turn it is",
    )
    .takes(&[Takes::On]);

const CONFLICT: Word = word("conflict", "冲突", "conflict");
const DUE: Word = word("due", "到期", "due");
const LETTER: Word = word("letter", "介绍信", "letter");
const ADVISORY: Word = word("advisory", "提示", "advisory");

struct Item {
    turn: Option<SeatId>,
    /// The more urgent first.
    rank: u8,
    sort: Word,
    what: Cell,
    subject: Cell,
    since: String,
    told: Explanation,
    next: Explanation,
    id: String,
}

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let mut items: Vec<Item> = Vec::new();
    for conflict in
        books.conflicts().iter().filter(|conflict| conflict.resolver.is_none_or(|seat| is_ours(seat, books)))
    {
        items.push(Item {
            turn: conflict.resolver,
            rank: if conflict.severity == Severity::Hard { 0 } else { 3 },
            sort: CONFLICT,
            what: Cell::Text(conflict.kind.clone()),
            subject: Cell::Record(conflict.subject, conflict.subject.short()),
            since: String::new(),
            told: conflict.explanation.clone(),
            next: {
                let id = conflict.id.to_string();
                let short = &id[..8];
                Explanation::new(format!("heliu conflicts show {short}"), format!("heliu conflicts show {short}"))
            },
            id: conflict.id.to_string(),
        });
    }
    for due in due::all(books) {
        items.push(Item {
            turn: Some(due.turn),
            rank: 1,
            sort: DUE,
            what: Cell::word(&due.rule),
            subject: Cell::record(due.subject),
            since: due.since,
            told: due.what,
            next: due.next,
            id: String::new(),
        });
    }
    for letter in letters::open(books).into_iter().filter(|letter| !letter.has_expired(books.day())) {
        items.push(Item {
            turn: Some(letter.turn),
            rank: 2,
            sort: LETTER,
            what: Cell::Told(letter.state.to_owned(), crate::member::move_state(letter.state)),
            subject: Cell::record(letter.member),
            since: letter.text("issued_on").to_owned(),
            told: Explanation::new(letter.text("letter_no"), letter.text("letter_no")),
            next: letter.next.clone(),
            id: letter.entry.to_owned(),
        });
    }
    for advisory in advisories::all(books).into_iter().filter(|advisory| !advisory.is_waived) {
        let (count, limit) = (advisory.count, advisory.limit);
        items.push(Item {
            turn: Some(advisory.turn),
            rank: 4,
            sort: ADVISORY,
            what: Cell::Told(advisory.rule.key.to_owned(), advisory.rule.label.into()),
            subject: Cell::record(advisory.subject),
            since: String::new(),
            told: Explanation::new(
                format!("{count} 人(个),界限 {limit}"),
                format!("{count}, where the limit is {limit}"),
            ),
            next: advisory.next().into(),
            id: advisory.id(),
        });
    }
    // One's own turn first, then by seat.
    let code = |seat: SeatId| books.seats.get(seat).map(|seat| seat.code.clone()).unwrap_or_default();
    items.sort_by_cached_key(|item| {
        let turn = item.turn.map(code);
        (item.turn != Some(books.own), turn, item.rank, item.since.clone(), item.id.clone())
    });
    let line = |item: Item| {
        Line::of([
            item.turn.map_or(Cell::Nothing, Cell::Seat),
            Cell::word(&item.sort),
            item.what,
            item.subject,
            Cell::text(item.since),
            Cell::Told("told".to_owned(), item.told),
            Cell::Told("next".to_owned(), item.next),
            Cell::text(item.id),
        ])
    };
    Ok(Sheet {
        columns: vec![
            text_column("turn", "轮到", "whose turn"),
            text_column("sort", "种类", "sort"),
            text_column("what", "事项", "what"),
            text_column("subject", "对象", "subject"),
            date_column("since", "日期", "day"),
            text_column("told", "情况", "what is told"),
            text_column("next", "下一步", "what to do"),
            text_column("id", "编号", "id"),
        ],
        lines: items.into_iter().map(line).collect(),
        ..Sheet::default()
    })
}

/// Whether it is a turn of the seats that are asked for, or of somebody above them for whom they wait.
fn is_ours(turn: SeatId, books: &Books<'_>) -> bool {
    books.has_seat(turn) || books.seats.is_at_or_above(turn, books.root())
}
