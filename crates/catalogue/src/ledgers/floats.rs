//! Who floats out of a seat and into it, and whether the other side has answered: each side counts its own half, at its seat and at all
//! above it.

use heliu_record::ledger::{Books, Cell, Check, Ledger, Line, Only, Sheet, count_column, ledger, text_column};
use heliu_record::prelude::*;
use heliu_record::view::View;

use crate::floating::count::{Floats, Half, OPEN, Side, floats};
use crate::words::FLOAT;

pub(super) const LEDGER: Ledger = ledger(word("floats", "流动党员台账", "floats"), run).help(
    "各席位流出、流入的党员,以及双方是否已对接",
    "members who float out of a seat and into it, and whether both sides know",
);

/// The halves that are not over.
pub(super) fn open<'b>(books: &Books<'b>) -> &'b [View] {
    books.rows(FLOAT, vec![Only::says("state", OPEN.iter().copied())])
}

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let halves: Vec<Half> = open(books).iter().filter_map(Half::of).collect();
    let sums = floats(&halves, books.seats);
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let cells =
        |sum: &Floats| [sum.out, sum.matched, sum.outside, sum.into, sum.declared].map(|n| Cell::Count(count(n)));
    let line = |(seat, depth): (SeatId, u32)| {
        let sum = sums.get(&seat)?;
        let is_partial = !books.sight.covers(seat, books.seats);
        Some(Line { depth, is_partial, ..Line::of([Cell::Seat(seat)].into_iter().chain(cells(sum))) })
    };
    let whole = sums.get(&books.root()).copied().unwrap_or_default();
    let own = |is_out: bool| {
        let is_it = |half: &&Half| matches!(half.side, Side::Out { .. }) == is_out && books.has_seat(half.seat);
        count(halves.iter().filter(is_it).count() as u64)
    };
    Ok(Sheet {
        columns: vec![
            text_column("seat", "席位", "seat"),
            count_column("out", "流出", "out"),
            count_column("matched", "流出已对接", "matched"),
            count_column("outside", "流往域外", "outside"),
            count_column("in", "流入", "in"),
            count_column("declared", "流入已由流出地登记", "declared by the home"),
        ],
        lines: books.seats_in_order().into_iter().filter_map(line).collect(),
        total: Some(Line::of([Cell::Nothing].into_iter().chain(cells(&whole)))),
        checks: vec![
            Check { label: label("流出合计", "out, each half once"), left: count(whole.out), right: own(true) },
            Check { label: label("流入合计", "in, each half once"), left: count(whole.into), right: own(false) },
        ],
        ..Sheet::default()
    })
}
