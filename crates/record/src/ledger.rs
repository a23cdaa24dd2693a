//! Ledgers: what many records come to, as a table with sums that balance. A ledger is content: a name and one pure function. It asks
//! its [`Books`] for counts and records; what is not at hand yet is noted, and whoever runs it fetches that and runs it again. So a
//! ledger reads like a plain computation and knows no store, and the same records give the same table everywhere.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::conflict::{Conflict, Explanation};
use crate::id::{RecordId, SeatId};
use crate::kind::{Label, Word, label};
use crate::message::Refusal;
use crate::seats::Seats;
use crate::sight::Sight;
use crate::view::View;

/// A declared ledger.
#[derive(Debug)]
pub struct Ledger {
    pub word: Word,
    pub help: Label,
    pub takes: &'static [Takes],
    pub run: fn(&Books<'_>) -> Result<Sheet, Refusal>,
}

#[must_use]
pub const fn ledger(word: Word, run: fn(&Books<'_>) -> Result<Sheet, Refusal>) -> Ledger {
    Ledger { word, help: label("", ""), takes: &[], run }
}

impl Ledger {
    #[must_use]
    pub const fn help(self, zh: &'static str, en: &'static str) -> Self {
        Ledger { help: label(zh, en), ..self }
    }

    #[must_use]
    pub const fn takes(self, takes: &'static [Takes]) -> Self {
        Ledger { takes, ..self }
    }
}

/// What a ledger can be asked by, beside the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Rows by seat or by organisation.
    By,
    /// As of a day.
    On,
    /// From one day to another.
    Period,
}

impl Takes {
    /// The code in schemas.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Takes::By => "by",
            Takes::On => "on",
            Takes::Period => "period",
        }
    }
}

/// By what rows are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Seat,
    Org,
}

/// Of which place: a seat with those below it, or an organisation with those under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Seat(SeatId),
    Record(RecordId),
}

/// What somebody asks of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub by: By,
    /// None: the seat of the node.
    pub at: Option<At>,
    /// As of which day; none: as it is known now.
    pub on: Option<String>,
    /// The period, where one is asked for.
    pub from: Option<String>,
    pub to: Option<String>,
    pub today: String,
}

/// A question to whoever holds the records: of a kind, of those of which all of these hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    pub kind: &'static str,
    pub only: Vec<Only>,
    pub wanted: Wanted,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// How many say the same in these columns. [`OWNER`] is who owns them.
    Counts(Vec<&'static str>),
    /// The records themselves.
    Rows,
    /// These records, whatever they say in columns.
    These(BTreeSet<RecordId>),
    /// Open conflicts, of whatever kind of record.
    Conflicts,
}

/// In [`Wanted::Counts`]: who owns the record.
pub const OWNER: &str = "@owner";

/// As a condition of a query: says one of these in the column, or something within the bounds, both included.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Only {
    pub column: &'static str,
    pub any_of: BTreeSet<String>,
    pub from: Option<String>,
    pub until: Option<String>,
    pub is_not: bool,
}

impl Only {
    #[must_use]
    pub fn says(column: &'static str, any_of: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Only { column, any_of: any_of.into_iter().map(Into::into).collect(), ..Only::default() }
    }

    /// Says anything at all.
    #[must_use]
    pub fn something(column: &'static str) -> Self {
        Only { column, ..Only::default() }
    }

    #[must_use]
    pub fn from(column: &'static str, from: impl Into<String>) -> Self {
        Only { column, from: Some(from.into()), ..Only::default() }
    }

    #[must_use]
    pub fn until(column: &'static str, until: impl Into<String>) -> Self {
        Only { column, until: Some(until.into()), ..Only::default() }
    }

    #[must_use]
    pub fn is_not(self) -> Self {
        Only { is_not: true, ..self }
    }
}

/// What is said in the columns, and how often.
pub type Counts = Vec<(Vec<String>, i64)>;

#[derive(Debug)]
pub enum Answer {
    Counts(Counts),
    Rows(Vec<View>),
    Conflicts(Vec<Conflict>),
}

/// What was fetched so far.
#[derive(Debug, Default)]
pub struct Answers(BTreeMap<Question, Answer>);

impl Answers {
    pub fn put(&mut self, question: Question, answer: Answer) {
        self.0.insert(question, answer);
    }
}

/// What a ledger is made of: what was asked, for whom, and the answers that are at hand.
pub struct Books<'b> {
    pub asked: &'b Asked,
    pub seats: &'b Seats,
    /// The seat of the node.
    pub own: SeatId,
    pub sight: &'b Sight,
    answers: &'b Answers,
    missing: RefCell<BTreeSet<Question>>,
}

impl<'b> Books<'b> {
    #[must_use]
    pub fn new(asked: &'b Asked, seats: &'b Seats, own: SeatId, sight: &'b Sight, answers: &'b Answers) -> Self {
        Books { asked, seats, own, sight, answers, missing: RefCell::new(BTreeSet::new()) }
    }

    /// What has to be fetched before the sheet is what it should be. Empty: it is.
    #[must_use]
    pub fn missing(self) -> BTreeSet<Question> {
        self.missing.into_inner()
    }

    fn answer(&self, question: Question) -> Option<&'b Answer> {
        let found = self.answers.0.get(&question);
        if found.is_none() {
            self.missing.borrow_mut().insert(question);
        }
        found
    }

    pub fn counts(
        &self,
        kind: Word,
        only: Vec<Only>,
        by: Vec<&'static str>,
    ) -> impl Iterator<Item = (&'b [String], i64)> + use<'b> {
        let found = match self.answer(Question { kind: kind.name, only, wanted: Wanted::Counts(by) }) {
            Some(Answer::Counts(counts)) => &counts[..],
            _ => &[],
        };
        found.iter().map(|(said, count)| (&said[..], *count))
    }

    #[must_use]
    pub fn rows(&self, kind: Word, only: Vec<Only>) -> &'b [View] {
        self.views(Question { kind: kind.name, only, wanted: Wanted::Rows })
    }

    #[must_use]
    pub fn these(&self, kind: Word, ids: BTreeSet<RecordId>) -> &'b [View] {
        if ids.is_empty() {
            return &[];
        }
        self.views(Question { kind: kind.name, only: Vec::new(), wanted: Wanted::These(ids) })
    }

    fn views(&self, question: Question) -> &'b [View] {
        match self.answer(question) {
            Some(Answer::Rows(rows)) => rows,
            _ => &[],
        }
    }

    #[must_use]
    pub fn conflicts(&self) -> &'b [Conflict] {
        match self.answer(Question { kind: "", only: Vec::new(), wanted: Wanted::Conflicts }) {
            Some(Answer::Conflicts(conflicts)) => conflicts,
            _ => &[],
        }
    }

    /// The seat whose subtree is asked for, if not an organisation is.
    #[must_use]
    pub fn root(&self) -> SeatId {
        match self.asked.at {
            Some(At::Seat(seat)) => seat,
            Some(At::Record(_)) | None => self.own,
        }
    }

    /// Whether what is of a seat is in the ledger that is asked for.
    #[must_use]
    pub fn has_seat(&self, seat: SeatId) -> bool {
        self.sight.has_seat(seat, self.seats) && self.seats.is_at_or_above(self.root(), seat)
    }

    /// The seats of the ledger, each after the one above it; those of one seat in the order of their codes.
    #[must_use]
    pub fn seats_in_order(&self) -> Vec<(SeatId, u32)> {
        let mut found = Vec::new();
        let mut next = vec![(self.root(), 0)];
        while let Some((seat, depth)) = next.pop() {
            let is_shown = self.has_seat(seat);
            if is_shown {
                found.push((seat, depth));
            }
            let mut below: Vec<SeatId> = self.seats.children(seat).to_vec();
            below.sort_by_key(|seat| self.seats.get(*seat).map(|seat| &seat.code));
            let depth = depth + u32::from(is_shown);
            next.extend(below.into_iter().rev().map(|seat| (seat, depth)));
        }
        found
    }

    /// The day as of which things are due.
    #[must_use]
    pub fn day(&self) -> &'b str {
        self.asked.on.as_deref().unwrap_or(&self.asked.today)
    }
}

/// A table with its sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    pub columns: Vec<SheetColumn>,
    pub lines: Vec<Line>,
    pub total: Option<Line>,
    pub checks: Vec<Check>,
    /// What a reader has to know of it.
    pub notes: Vec<Explanation>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SheetColumn {
    pub word: Word,
    pub holds: Holds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Text,
    Count,
    Date,
}

#[must_use]
pub const fn text_column(name: &'static str, zh: &'static str, en: &'static str) -> SheetColumn {
    SheetColumn { word: Word { name, label: label(zh, en) }, holds: Holds::Text }
}

#[must_use]
pub const fn count_column(name: &'static str, zh: &'static str, en: &'static str) -> SheetColumn {
    SheetColumn { word: Word { name, label: label(zh, en) }, holds: Holds::Count }
}

#[must_use]
pub const fn date_column(name: &'static str, zh: &'static str, en: &'static str) -> SheetColumn {
    SheetColumn { word: Word { name, label: label(zh, en) }, holds: Holds::Date }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub cells: Vec<Cell>,
    /// How many lines it stands under.
    pub depth: u32,
    /// Not all that belongs to it is held here.
    pub is_partial: bool,
}

impl Line {
    #[must_use]
    pub fn of(cells: impl IntoIterator<Item = Cell>) -> Self {
        Line { cells: cells.into_iter().collect(), ..Line::default() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cell {
    #[default]
    Nothing,
    Count(i64),
    /// As it is, a day too.
    Text(String),
    /// A code, with what people read for it.
    Told(String, Explanation),
    Seat(SeatId),
    /// With what people call it.
    Record(RecordId, String),
}

impl Cell {
    #[must_use]
    pub fn word(word: &Word) -> Self {
        Cell::Told(word.name.to_owned(), word.label.into())
    }

    /// Nothing, of an empty text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Cell::Nothing } else { Cell::Text(text) }
    }

    #[must_use]
    pub fn record(view: &View) -> Self {
        Cell::Record(view.record, view.title())
    }
}

/// Two numbers that have to be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub label: Label,
    pub left: i64,
    pub right: i64,
}

impl Check {
    #[must_use]
    pub fn holds(&self) -> bool {
        self.left == self.right
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::word;

    const WELL: Word = word("well", "井", "well");

    fn sum(books: &Books<'_>) -> Result<Sheet, Refusal> {
        let total: i64 = books.counts(WELL, Vec::new(), vec![OWNER]).map(|(_, count)| count).sum();
        // What is asked for can follow from an answer.
        let more = if total > 2 { books.rows(WELL, vec![Only::something("name")]).len() } else { 0 };
        let more = i64::try_from(more).unwrap_or_default();
        Ok(Sheet { lines: vec![Line::of([Cell::Count(total + more)])], ..Sheet::default() })
    }

    #[test]
    fn what_a_ledger_lacks_is_fetched_until_nothing_is_missing() {
        let asked = Asked { by: By::Seat, at: None, on: None, from: None, to: None, today: "2026-03-01".to_owned() };
        let (seats, mut answers, mut rounds) = (Seats::default(), Answers::default(), 0);
        let sheet = loop {
            rounds += 1;
            let books = Books::new(&asked, &seats, SeatId([1; 16]), &Sight::WHOLE, &answers);
            let sheet = sum(&books).expect("it is made");
            let missing = books.missing();
            if missing.is_empty() {
                break sheet;
            }
            for question in missing {
                let answer = match question.wanted {
                    Wanted::Counts(_) => Answer::Counts(vec![(vec!["a".to_owned()], 3)]),
                    _ => Answer::Rows(Vec::new()),
                };
                answers.put(question, answer);
            }
        };
        assert_eq!((rounds, sheet.lines), (3, vec![Line::of([Cell::Count(3)])]));
    }
}
