//! Sums by seat or by organisation as a sheet: each place with what is its own, what waits under it, what is below it, and all of that.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::ledger::{Books, By, Cell, Check, Line, Sheet, SheetColumn, count_column, text_column};
use heliu_record::prelude::*;

use super::orgs::Orgs;
use crate::homes::{Head, RollUps, Row, Sum, roll_up};

const SEAT: SheetColumn = text_column("seat", "席位", "seat");
const ORG: SheetColumn = text_column("org", "组织", "organisation");
const OWN: SheetColumn = count_column("own", "本级", "own");
const UNALLOCATED: SheetColumn = count_column("unallocated", "待安置", "unallocated");
const BELOW: SheetColumn = count_column("below", "下级", "below");
const TOTAL: SheetColumn = count_column("total", "合计", "total");

/// What of a sum is shown.
pub(super) struct Measures<T: 'static> {
    pub columns: &'static [SheetColumn],
    /// Of a place and all below it, in the order of the columns.
    pub cells: fn(&T) -> Vec<i64>,
    /// What its own, unallocated, below and total are of; it is one of the columns or follows from them.
    pub whole: fn(&T) -> i64,
}

pub(super) fn table<T: Sum>(books: &Books<'_>, orgs: &Orgs<'_>, heads: &[Head<T>], measures: &Measures<T>) -> Sheet {
    let sums = roll_up(heads, orgs, books.seats);
    let (place, lines) = match books.asked.by {
        By::Seat => (SEAT, by_seat(books, &sums, measures)),
        By::Org => (ORG, by_org(books, orgs, &sums, measures)),
    };
    let columns = [place].into_iter().chain([OWN, UNALLOCATED, BELOW, TOTAL]).chain(measures.columns.iter().copied());
    let whole = (measures.whole)(&sums.total);
    let cells = [Cell::text("")].into_iter().chain([Cell::Nothing, Cell::Nothing, Cell::Nothing, Cell::Count(whole)]);
    let total = cells.chain((measures.cells)(&sums.total).into_iter().map(Cell::Count));
    Sheet {
        columns: columns.collect(),
        total: Some(Line::of(total)),
        checks: checks(books, orgs, &sums, &lines, measures),
        lines: lines.into_iter().map(|(line, _)| line).collect(),
        notes: Vec::new(),
    }
}

/// A line, and what it adds to the sum of all lines.
type Lines = Vec<(Line, i64)>;

fn line<T: Sum>(place: Cell, row: &Row<T>, depth: u32, is_partial: bool, measures: &Measures<T>) -> (Line, i64) {
    let [own, waits, total] = [&row.own, &row.unallocated, &row.total].map(measures.whole);
    let counts = [own, waits, total - own - waits, total].into_iter().chain((measures.cells)(&row.total));
    let cells = [place].into_iter().chain(counts.map(Cell::Count)).collect();
    (Line { cells, depth, is_partial }, own + waits)
}

fn by_seat<T: Sum>(books: &Books<'_>, sums: &RollUps<T>, measures: &Measures<T>) -> Lines {
    let mut lines = Lines::new();
    let mut told = BTreeSet::new();
    for (seat, depth) in books.seats_in_order() {
        told.insert(seat);
        let row = sums.by_seat.get(&seat).cloned().unwrap_or_default();
        let is_partial = !books.sight.covers(seat, books.seats) || !books.seats.is_at_or_above(books.own, seat);
        lines.push(line(Cell::Seat(seat), &row, depth, is_partial, measures));
    }
    // Of a seat that the directory does not know yet.
    let unknown = sums
        .by_seat
        .iter()
        .filter(|(seat, row)| !told.contains(seat) && (row.own != T::default() || row.unallocated != T::default()));
    lines.extend(unknown.map(|(seat, row)| line(Cell::Seat(*seat), row, 0, true, measures)));
    lines
}

fn by_org<T: Sum>(books: &Books<'_>, orgs: &Orgs<'_>, sums: &RollUps<T>, measures: &Measures<T>) -> Lines {
    let (mut lines, mut told) = (Lines::new(), BTreeSet::new());
    let partial = orgs.partial(books);
    for (org, depth) in orgs.in_order(books) {
        told.insert(org);
        let row = sums.by_org.get(&org);
        // What has ended and has nobody left is of the past.
        if row.is_none() && orgs.has_ended(org) {
            continue;
        }
        let row = row.cloned().unwrap_or_default();
        lines.push(line(orgs.cell(org), &row, depth, partial.contains(&org), measures));
    }
    // Elsewhere, with members of the seats that are asked for: a joint organisation above them, or one that is not held here.
    let elsewhere = sums
        .by_org
        .iter()
        .filter(|(org, row)| !told.contains(org) && (row.own != T::default() || row.unallocated != T::default()));
    let mut others: Lines = elsewhere
        .map(|(org, row)| {
            // What is under it has lines of its own.
            let mut row = row.clone();
            row.total = row.own.clone();
            row.total.add(&row.unallocated);
            line(orgs.cell(*org), &row, 0, true, measures)
        })
        .collect();
    lines.append(&mut others);
    if sums.without_org != T::default() {
        let row = Row { own: T::default(), unallocated: sums.without_org.clone(), total: sums.without_org.clone() };
        let nowhere = Cell::Told("none".to_owned(), Explanation::new("(无组织)", "(no organisation)"));
        lines.push(line(nowhere, &row, 0, false, measures));
    }
    lines
}

/// What has to be the same whichever way it is added up.
fn checks<T: Sum>(
    books: &Books<'_>,
    orgs: &Orgs<'_>,
    sums: &RollUps<T>,
    lines: &Lines,
    measures: &Measures<T>,
) -> Vec<Check> {
    let whole = measures.whole;
    let of = |row: &Row<T>| whole(&row.own) + whole(&row.unallocated);
    let by_seat: i64 = sums.by_seat.values().map(of).sum();
    let by_org: i64 = sums.by_org.values().map(of).sum::<i64>() + whole(&sums.without_org);
    let told = lines.iter().map(|(_, adds)| adds).sum();
    // Each place is itself, what waits under it, and what is directly below it.
    let below_seat = |seat: SeatId| -> i64 {
        let below = books.seats.children(seat).iter().filter_map(|below| sums.by_seat.get(below));
        below.map(|row| whole(&row.total)).sum()
    };
    let off_seats = sums.by_seat.iter().filter(|(seat, row)| of(row) + below_seat(**seat) != whole(&row.total)).count();
    let mut below_org: BTreeMap<RecordId, i64> = BTreeMap::new();
    for (org, row) in &sums.by_org {
        if let Some(parent) = orgs.parent(*org) {
            *below_org.entry(parent).or_default() += whole(&row.total);
        }
    }
    let below_org = |org: &RecordId| below_org.get(org).copied().unwrap_or_default();
    let off_orgs = sums.by_org.iter().filter(|(org, row)| of(row) + below_org(org) != whole(&row.total)).count();
    vec![
        Check {
            label: label("按席位合计与按组织合计", "the sum by seat and the sum by organisation"),
            left: by_seat,
            right: by_org,
        },
        Check {
            label: label("各行之和与总数", "the sum of the lines and the total"),
            left: told,
            right: whole(&sums.total),
        },
        Check {
            label: label(
                "本级、待安置与下级之和不等于合计的单位数",
                "places where own, unallocated and below are not the total",
            ),
            left: i64::try_from(off_seats + off_orgs).unwrap_or(i64::MAX),
            right: 0,
        },
    ]
}
