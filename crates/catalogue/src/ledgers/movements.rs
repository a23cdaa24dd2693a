//! How the number of members came about over a period: opening + in - out = closing, at each seat, by reason. A member counts at the seat
//! that reports him, whatever became of his organisation; a move within a seat and those below it is none of that seat's.

use std::collections::BTreeMap;

use heliu_record::ledger::{
    At, Books, Cell, Check, Ledger, Line, OWNER, Only, Sheet, SheetColumn, Takes, count_column, ledger, text_column,
};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::orgs::Orgs;
use super::people::double_records;
use crate::member::course::{self, Point};
use crate::member::stages_of;
use crate::standing::Standing;
use crate::words::MEMBER;

pub(super) const LEDGER: Ledger = ledger(word("movements", "党员增减", "movements"), run)
    .help(
        "一段时间内党员的增减:期初 + 增加 - 减少 = 期末,按原因分列,按统计席位",
        "over a period: opening + in - out = closing, by reason, at the seats that report the members",
    )
    .takes(&[Takes::Period]);

pub(super) static BY_SEAT: Message = message("bad_value")
    .what("党员增减按席位统计。", "Movements are told by seat.")
    .why(
        "组织并入或撤销时,党员随之归属承接组织,不是增减。",
        "Members follow when organisations merge, and nobody has moved.",
    )
    .next("请在 --at 给出席位。", "Give a seat as --at.");

const IN: [SheetColumn; 4] = [
    count_column("admitted", "发展", "admitted"),
    count_column("moved_in", "转入", "moved in"),
    count_column("restored", "恢复", "restored"),
    count_column("resumed", "恢复党籍", "suspension ended"),
];
const OUT: [SheetColumn; 7] = [
    count_column("moved_out", "转出", "moved out"),
    count_column("died", "去世", "died"),
    count_column("left", "退党", "left"),
    count_column("removed", "除名等", "removed"),
    count_column("cancelled", "取消预备资格", "probation cancelled"),
    count_column("suspended", "停止党籍", "suspended"),
    count_column("other", "其他", "other"),
];

/// What happened at a seat and below it.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    opening: i64,
    inward: [i64; IN.len()],
    outward: [i64; OUT.len()],
    closing: i64,
}

impl Flow {
    fn is_balanced(&self) -> bool {
        self.opening + self.inward.iter().sum::<i64>() - self.outward.iter().sum::<i64>() == self.closing
    }
}

fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    if matches!(books.asked.at, Some(At::Record(_))) {
        return Err(BY_SEAT.about(&[]));
    }
    let to = books.asked.to.clone().unwrap_or_else(|| books.asked.today.clone());
    let from = books.asked.from.clone().unwrap_or_else(|| format!("{}-01-01", to.get(..4).unwrap_or("0000")));
    let mut flows: BTreeMap<SeatId, Flow> = BTreeMap::new();
    let counted = stages_of(&[Standing::Counted]);
    // Of whom nothing has changed since the period began, the number is all that is needed.
    let unchanged =
        vec![Only::says("stage", counted.iter().copied()), Only::from("last_change", from.clone()).is_not()];
    for (said, count) in books.counts(MEMBER, unchanged, vec![OWNER, "reported_by"]) {
        let [owner, reported] = said else { continue };
        if let Ok(seat) = reported.parse::<SeatId>().or_else(|_| owner.parse()) {
            stays(&mut flows, books, seat, count);
        }
    }
    let orgs = Orgs::of(books);
    let doubles: BTreeMap<RecordId, &View> =
        double_records(books, &orgs).into_iter().map(|view| (view.record, view)).collect();
    for view in doubles.values() {
        let course = course::read(view);
        let is_unchanged = course.iter().all(|point| *point.on < *from);
        if let Some(last) = course.last().filter(|last| is_unchanged && last.standing() == Standing::Counted) {
            stays(&mut flows, books, last.seat, -1);
        }
    }
    for view in books.rows(MEMBER, vec![Only::from("last_change", from.clone())]) {
        if !doubles.contains_key(&view.record) {
            follow(&mut flows, books, view, &from, &to);
        }
    }
    Ok(sheet(books, &flows, &from, &to))
}

fn stays(flows: &mut BTreeMap<SeatId, Flow>, books: &Books<'_>, seat: SeatId, count: i64) {
    for at in books.seats.upward(seat) {
        let flow = flows.entry(at).or_default();
        flow.opening += count;
        flow.closing += count;
    }
}

/// What became of one person in the period.
fn follow(flows: &mut BTreeMap<SeatId, Flow>, books: &Books<'_>, view: &View, from: &str, to: &str) {
    let course = course::read(view);
    let counts = |point: &&Point| point.standing() == Standing::Counted;
    let before = course.iter().rfind(|point| *point.on < *from);
    let after = course.iter().rfind(|point| *point.on <= *to);
    for seat in before.filter(counts).into_iter().flat_map(|point| books.seats.upward(point.seat)) {
        flows.entry(seat).or_default().opening += 1;
    }
    for seat in after.filter(counts).into_iter().flat_map(|point| books.seats.upward(point.seat)) {
        flows.entry(seat).or_default().closing += 1;
    }
    let mut last = before;
    for point in course.iter().filter(|point| *point.on >= *from && *point.on <= *to) {
        match (last.filter(counts), Some(point).filter(counts)) {
            (None, Some(now)) => {
                let reason = inward(view, &course, last, now);
                books.seats.upward(now.seat).for_each(|seat| flows.entry(seat).or_default().inward[reason] += 1);
            }
            (Some(was), None) => {
                let reason = outward(point);
                books.seats.upward(was.seat).for_each(|seat| flows.entry(seat).or_default().outward[reason] += 1);
            }
            (Some(was), Some(now)) if was.seat != now.seat => {
                let is_in = |seat: SeatId, of: SeatId| books.seats.is_at_or_above(seat, of);
                for seat in books.seats.upward(now.seat).filter(|seat| !is_in(*seat, was.seat)) {
                    flows.entry(seat).or_default().inward[1] += 1;
                }
                for seat in books.seats.upward(was.seat).filter(|seat| !is_in(*seat, now.seat)) {
                    flows.entry(seat).or_default().outward[0] += 1;
                }
            }
            _ => {}
        }
        last = Some(point);
    }
}

fn inward(view: &View, course: &[Point], before: Option<&Point>, now: &Point) -> usize {
    if before.is_some_and(|before| before.standing() == Standing::Suspended) {
        return 3;
    }
    let was_counted = course.iter().any(|point| point.on < now.on && point.standing() == Standing::Counted);
    match view.text("origin") {
        _ if was_counted => 2,
        "moved_in" => 1,
        "restored" => 2,
        _ => 0,
    }
}

fn outward(point: &Point) -> usize {
    match point.stage {
        "transferred_out" => 0,
        "deceased" => 1,
        "left" => 2,
        "removed" | "expelled" | "persuaded_to_leave" => 3,
        "cancelled" => 4,
        "suspended" => 5,
        _ => 6,
    }
}

fn sheet(books: &Books<'_>, flows: &BTreeMap<SeatId, Flow>, from: &str, to: &str) -> Sheet {
    let line = |seat: Option<SeatId>, depth: u32, flow: &Flow| {
        let sum = |counts: &[i64]| counts.iter().sum::<i64>();
        let inward = flow.inward.iter().copied().chain([sum(&flow.inward)]);
        let outward = flow.outward.iter().copied().chain([sum(&flow.outward)]);
        let counts = [flow.opening].into_iter().chain(inward).chain(outward).chain([flow.closing]);
        let cells = [seat.map_or(Cell::Nothing, Cell::Seat)].into_iter().chain(counts.map(Cell::Count)).collect();
        Line { cells, depth, is_partial: seat.is_some_and(|seat| !books.sight.covers(seat, books.seats)) }
    };
    let of = |seat: SeatId| flows.get(&seat).copied().unwrap_or_default();
    let seats = books.seats_in_order();
    let lines = seats.iter().map(|(seat, depth)| line(Some(*seat), *depth, &of(*seat))).collect();
    let off = seats.iter().filter(|(seat, _)| !of(*seat).is_balanced()).count();
    let columns = [text_column("seat", "席位", "seat"), count_column("opening", "期初", "opening")]
        .into_iter()
        .chain(IN)
        .chain([count_column("in", "增加合计", "in")])
        .chain(OUT)
        .chain([count_column("out", "减少合计", "out"), count_column("closing", "期末", "closing")]);
    Sheet {
        columns: columns.collect(),
        lines,
        total: Some(line(None, 0, &of(books.root()))),
        checks: vec![Check {
            label: label("期初 + 增加 - 减少 不等于期末的席位数", "seats where opening + in - out is not closing"),
            left: i64::try_from(off).unwrap_or(i64::MAX),
            right: 0,
        }],
        notes: vec![Explanation::new(format!("{from} 至 {to}。"), format!("From {from} to {to}."))],
    }
}
