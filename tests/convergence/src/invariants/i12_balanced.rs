//! I12: sums balance. At every node, for its seat and those below: both roll-ups of the members give one total, which is what its rows
//! come to one by one; organisations are counted once each along their tree; and what came in and went out leads from the opening to the
//! closing of a period.

use std::collections::BTreeMap;

use heliu_catalogue::catalogue;
use heliu_catalogue::homes::{Organisation, Person, heads, roll_up};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::ledger::{Answers, Asked, Books, By, Cell, Sheet};
use heliu_record::seats::Seats;
use heliu_record::sight::Sight;
use heliu_record::view::View;
use heliu_storage::books::{Answered, Shown, answer};
use heliu_storage::memory::MemoryStore;
use heliu_storage::{RecordRow, RecordState};

use super::{Holding, Scene, Violation};
use crate::world::disk::ready;

const TODAY: &str = "2026-03-01";
const ROUNDS: usize = 8;

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for (machine, holding) in &scene.holdings {
        let at = &scene.world.machines[*machine];
        let Some(engine) = &at.engine else { continue };
        let seats = engine.directory().seats();
        let mut told = |what: String| found.push(Violation::new("I12", format!("{}: {what}", scene.name(*machine))));
        let mut totals = Vec::new();
        for (name, by) in
            [("members", By::Seat), ("members", By::Org), ("organisations", By::Seat), ("movements", By::Seat)]
        {
            let Some(sheet) = sheet(&at.disk.store, seats, at.seat, name, by) else { continue };
            if let Some(off) = sheet.checks.iter().find(|check| !check.holds()) {
                told(format!("the ledger {name} does not balance: {off:?}"));
            }
            if name == "members" {
                totals.push(total(&sheet));
            }
        }
        let rows = one_by_one(holding, seats, at.seat);
        if totals.iter().any(|total| *total != rows) {
            told(format!("its ledgers count {totals:?} members, and its rows come to {rows}"));
        }
    }
}

fn total(sheet: &Sheet) -> i64 {
    let place = sheet.columns.iter().position(|column| column.word.name == "total");
    match sheet.total.as_ref().zip(place).map(|(line, place)| &line.cells[place]) {
        Some(Cell::Count(count)) => *count,
        _ => 0,
    }
}

/// None: not all is listed yet.
fn sheet(store: &MemoryStore, seats: &Seats, own: SeatId, name: &str, by: By) -> Option<Sheet> {
    let ledger = catalogue().ledger(name)?;
    let period = (name == "movements").then(|| ("2001-01-01".to_owned(), TODAY.to_owned()));
    let (from, to) = period.unzip();
    let asked = Asked { by, at: None, on: None, from, to, today: TODAY.to_owned() };
    let shown = Shown { sight: &Sight::WHOLE, seats: None, directory: seats };
    let mut answers = Answers::default();
    for _ in 0..ROUNDS {
        let books = Books::new(&asked, seats, own, &Sight::WHOLE, &answers);
        let made = (ledger.run)(&books);
        let missing = books.missing();
        if missing.is_empty() {
            return made.ok();
        }
        for question in missing {
            let kind = catalogue().kind(question.kind)?;
            match ready(answer(store, kind, &question, &shown)).expect("a memory store can be read") {
                Answered::Answer(found) => answers.put(question, found),
                Answered::BeingListed => return None,
                Answered::TooMuch => panic!("{name} takes too much of a simulated store"),
            }
        }
    }
    panic!("{name} asks for ever")
}

/// The members of the seat and those below it, from every row.
fn one_by_one(holding: &Holding, seats: &Seats, own: SeatId) -> i64 {
    let present = holding.records.values().map(|held| &held.row).filter(|row| row.state == RecordState::Present);
    let views: Vec<View> =
        present.map(|row: &RecordRow| View::stored(row.id, &row.preimage.kind, &row.scope, &row.view)).collect();
    let orgs: BTreeMap<RecordId, Organisation> =
        views.iter().filter_map(|view| Some((view.record, Organisation::of(view)?))).collect();
    let persons: Vec<Person> = views.iter().filter_map(Person::of).collect();
    let mut heads = heads(&persons, &orgs, seats);
    heads.retain(|head| seats.is_at_or_above(own, head.seat));
    roll_up(&heads, &orgs, seats).total.members
}
