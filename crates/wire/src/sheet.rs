//! Ledgers as messages: which there are, and a page of one.

use heliu_api::records as pb;
use heliu_record::kind::{Label, Word};
use heliu_record::ledger::{Cell, Check, Holds, Ledger, Line, SheetColumn, Takes};
use heliu_record::seats::Seats;

const SEAT: &str = "seat";
const RECORD: &str = "record";

pub(crate) fn info(ledger: &Ledger) -> pb::LedgerInfo {
    pb::LedgerInfo {
        name: ledger.word.name.to_owned(),
        label: Some(label(ledger.word.label)),
        help: Some(label(ledger.help)),
        takes: ledger.takes.iter().copied().map(Takes::name).map(str::to_owned).collect(),
    }
}

#[must_use]
pub fn column(column: &SheetColumn) -> pb::LedgerColumn {
    let holds = match column.holds {
        Holds::Text => "text",
        Holds::Count => "count",
        Holds::Date => "date",
    };
    let Word { name, label: shown } = column.word;
    pb::LedgerColumn { name: name.to_owned(), label: Some(label(shown)), holds: holds.to_owned() }
}

#[must_use]
pub fn line(line: &Line, seats: &Seats) -> pb::LedgerLine {
    let cells = line.cells.iter().map(|one| cell(one, seats)).collect();
    pb::LedgerLine { cells, depth: line.depth, partial: line.is_partial }
}

fn cell(cell: &Cell, seats: &Seats) -> pb::LedgerCell {
    let named = |text: String, name: String, of: &str| pb::LedgerCell {
        count: None,
        text,
        shown: Some(pb::Label { zh: name.clone(), en: name }),
        id_of: of.to_owned(),
    };
    match cell {
        Cell::Nothing => pb::LedgerCell::default(),
        Cell::Count(count) => pb::LedgerCell { count: Some(*count), ..pb::LedgerCell::default() },
        Cell::Text(text) => pb::LedgerCell { text: text.clone(), ..pb::LedgerCell::default() },
        Cell::Told(code, shown) => {
            pb::LedgerCell { text: code.clone(), shown: Some(shown.into()), ..pb::LedgerCell::default() }
        }
        Cell::Seat(seat) => named(seat.to_string(), seats.name(*seat), SEAT),
        Cell::Record(id, title) => named(id.to_string(), title.clone(), RECORD),
    }
}

#[must_use]
pub fn check(check: &Check) -> pb::LedgerCheck {
    pb::LedgerCheck { label: Some(label(check.label)), left: check.left, right: check.right, holds: check.holds() }
}

#[must_use]
pub fn label(label: Label) -> pb::Label {
    pb::Label { zh: label.zh.to_owned(), en: label.en.to_owned() }
}
