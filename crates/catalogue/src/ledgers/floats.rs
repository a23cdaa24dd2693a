//! Who floats out of each seat and into it; each side counts its own half.

use std::collections::BTreeMap;

use heliu_record::ledger::{Books, Cell, Check, Ledger, Line, Sheet, count_column, ledger, text_column};
use heliu_record::prelude::*;

use crate::floating::count::{Floats, Half, Side, floats};
use crate::words::FLOAT;

pub(super) const LEDGER: Ledger = ledger(word("floats", "流动党员", "floats"), run).help(
    "流出、流入的党员及对接情况,按席位",
    "who floats out and in, and whether the other side has answered, by seat",
);

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let halves: Vec<Half> = books.rows(FLOAT, Vec::new()).iter().filter_map(Half::of).collect();
    let sums: BTreeMap<SeatId, Floats> = floats(&halves, books.seats);
    let of = |seat: SeatId| sums.get(&seat).copied().unwrap_or_default();
    let line = |seat: Option<SeatId>, depth: u32, floats: Floats| {
        let counts = [floats.out, floats.matched, floats.outside, floats.into, floats.declared];
        let counts = counts.map(|count| Cell::Count(i64::try_from(count).unwrap_or(i64::MAX)));
        let cells = [seat.map_or(Cell::Nothing, Cell::Seat)].into_iter().chain(counts).collect();
        let is_partial = seat.is_some_and(|seat| !books.sight.covers(seat, books.seats));
        Line { cells, depth, is_partial }
    };
    let lines = books.seats_in_order().into_iter().map(|(seat, depth)| line(Some(seat), depth, of(seat))).collect();
    let total = of(books.root());
    let is_ours = |half: &&Half| half.is_open && books.has_seat(half.seat);
    let count = |is_out: bool| {
        halves.iter().filter(is_ours).filter(|half| matches!(half.side, Side::Out { .. }) == is_out).count()
    };
    let check = |label: Label, halves: usize, sum: u64| Check {
        label,
        left: i64::try_from(halves).unwrap_or(i64::MAX),
        right: i64::try_from(sum).unwrap_or(i64::MAX),
    };
    Ok(Sheet {
        columns: vec![
            text_column("seat", "席位", "seat"),
            count_column("out", "流出", "out"),
            count_column("matched", "已对接", "matched"),
            count_column("outside", "流往域外", "out of the realm"),
            count_column("in", "流入", "in"),
            count_column("declared", "流出地已登记", "declared by the home"),
        ],
        lines,
        total: Some(line(None, 0, total)),
        checks: vec![
            check(label("流出逐条与合计", "those out one by one, and the sum"), count(true), total.out),
            check(label("流入逐条与合计", "those in one by one, and the sum"), count(false), total.into),
        ],
        notes: Vec::new(),
    })
}
