//! Kinds as data: the shape of a declaration. The declarations themselves are content, and not here.

use std::sync::Arc;

pub use heliu_words::{Label, label};

use crate::change::Container;
pub use crate::column::Listing;
use crate::derived::{Derived, Folding, Plain};
use crate::entry::Entry;
pub use crate::machine::{State, StateMachine};
use crate::message::Message;
pub use crate::writer::Writer;

/// A code that is stored, and what people read for it: one of a list that is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    pub name: &'static str,
    pub label: Label,
}

#[must_use]
pub const fn word(name: &'static str, zh: &'static str, en: &'static str) -> Word {
    Word { name, label: label(zh, en) }
}

/// What a view says beyond the fields: nobody writes it, it follows from them.
#[derive(Debug)]
pub struct DerivedPart {
    /// `home_branch`, or `moves/state` for a part of each entry.
    pub path: &'static str,
    pub label: Label,
    /// What it can be, where that is one of a list.
    pub words: &'static [Word],
    /// Only of what is one text.
    pub listing: Listing,
}

impl DerivedPart {
    #[must_use]
    pub const fn new(path: &'static str, label: Label, words: &'static [Word]) -> Self {
        DerivedPart { path, label, words, listing: Listing::None }
    }
}

/// For whom records of a kind are from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Every seat may have them.
    Public,
    /// Owners, participants, and their superiors.
    Scoped,
}

impl Class {
    /// As it is written under `_scope/class`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::Public => "public",
            Class::Scoped => "scoped",
        }
    }
}

/// The declared shape of a record.
#[derive(Debug)]
pub struct Kind {
    pub name: &'static str,
    /// Rises with whatever decides a verdict: paths, types, writers. A node that knows only a lower version holds and relays
    /// what it does not know.
    pub version: u32,
    pub class: Class,
    /// The command that makes one: [`MADE_BY_HAND`], or its own, where the id follows from what the record says or is about.
    pub made_by: &'static str,
    pub label: Label,
    pub help: Label,
    /// The kind's own fields; [`Kind::fields`] adds those of every kind.
    pub own: &'static [&'static Field],
    /// The versions before, the oldest first: what was written under one is judged by it for ever. A version that changes what
    /// decides a verdict leaves the one before here as it was.
    pub earlier: &'static [Earlier],
    pub derived: &'static [DerivedPart],
    /// The fields that the rules of *other* records read here: when one of them changes, those are derived anew.
    pub read_by_others: &'static [&'static Field],
    /// Folds what rules and people read beyond the plain fields.
    pub read: fn(&Folding<'_>) -> Arc<dyn Derived>,
    /// The kind of the file that goes with each of its records: the rest of what is said of it, for fewer eyes. See
    /// [`Preimage::file`](crate::id::Preimage::file).
    pub file: Option<&'static Kind>,
}

/// What decided verdicts under an earlier version of a kind; see [`crate::gate`].
#[derive(Debug)]
pub struct Earlier {
    pub version: u32,
    pub class: Class,
    /// All of the kind's own fields, as they were.
    pub own: &'static [&'static Field],
    /// As it said then which entries are open.
    pub read: fn(&Folding<'_>) -> Arc<dyn Derived>,
}

impl Earlier {
    /// Of a kind for owners, those who take part, and their superiors, of which nothing was read beyond the fields.
    #[must_use]
    pub const fn scoped(version: u32, own: &'static [&'static Field]) -> Self {
        Earlier { version, class: Class::Scoped, own, read: plain }
    }
}

fn plain(_: &Folding<'_>) -> Arc<dyn Derived> {
    Arc::new(Plain)
}

/// A record of whatever kind.
pub const RECORD: Word = word("", "记录", "record");

/// Fields of every kind.
pub const COMMON: &[Field] =
    &[Field::new(SETTLE, Merge::Log, ValueType::Text(500), Writer::Owner, label("处置", "settlements"))
        .help("对本记录上冲突的处置,以冲突编号为键", "how conflicts about this record were settled, by conflict id")];

/// Keys `settle/<conflict id>`: what was decided on a conflict whose subject is this record.
pub const SETTLE: &str = "settle";

impl Kind {
    /// A kind whose records are for their owners, those who take part, and their superiors.
    #[must_use]
    pub const fn scoped(word: Word, version: u32, zh: &'static str, en: &'static str) -> Self {
        Kind {
            name: word.name,
            version,
            class: Class::Scoped,
            made_by: MADE_BY_HAND,
            label: word.label,
            help: label(zh, en),
            own: &[],
            earlier: &[],
            derived: &[],
            read_by_others: &[],
            read: plain,
            file: None,
        }
    }

    /// Its records are for every seat.
    #[must_use]
    pub const fn public(self) -> Self {
        Kind { class: Class::Public, ..self }
    }

    /// Two who each make one of the same make one record, by this command, whose keys are not drawn.
    #[must_use]
    pub const fn keyed(self, made_by: &'static str) -> Self {
        Kind { made_by, ..self }
    }

    #[must_use]
    pub fn is_keyed(&self) -> bool {
        self.made_by != MADE_BY_HAND
    }

    #[must_use]
    pub const fn with(self, own: &'static [&'static Field]) -> Self {
        Kind { own, ..self }
    }

    /// What was before this version, the oldest first.
    #[must_use]
    pub const fn earlier(self, earlier: &'static [Earlier]) -> Self {
        Kind { earlier, ..self }
    }

    #[must_use]
    pub const fn derives(self, derived: &'static [DerivedPart], read: fn(&Folding<'_>) -> Arc<dyn Derived>) -> Self {
        Kind { derived, read, ..self }
    }

    #[must_use]
    pub const fn read_by_others(self, read_by_others: &'static [&'static Field]) -> Self {
        Kind { read_by_others, ..self }
    }

    /// A record of another kind goes with each of its own, for those who are in its scope.
    #[must_use]
    pub const fn filed(self, file: &'static Kind) -> Self {
        Kind { file: Some(file), ..self }
    }

    /// All fields: the kind's own, then those of every kind.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.own.iter().copied().chain(COMMON)
    }

    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|f| f.name == name)
    }
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub merge: Merge,
    pub value: ValueType,
    pub writer: Writer,
    pub required: bool,
    /// The value in the record is ciphertext, which only some of those who hold the record can open; see `sealed`. Such a
    /// field is one value under one key.
    pub sealed: bool,
    /// The harmless value to show while concurrent values include it.
    pub provisional: Option<&'static str>,
    /// Of entries of a workflow: what one can be, and what leads there.
    pub states: &'static [EntryState],
    /// What one of its entries is called; the code is the argument by which commands name one.
    pub noun: Word,
    /// What commands say of that argument.
    pub asked_for: Label,
    /// The command that begins an entry.
    pub begun_by: &'static str,
    /// What its entries are named after, if they have no names of their own.
    pub named_after: Option<ValueType>,
    /// The parts that people tell an entry by from others; they may call it by any of them too.
    pub told_by: &'static [&'static Part],
    /// The part of an entry that names the seat which it waits for while its state is open.
    pub waits_for: Option<&'static str>,
    pub listing: Listing,
    pub label: Label,
    pub help: Label,
}

impl Field {
    #[must_use]
    pub const fn new(name: &'static str, merge: Merge, value: ValueType, writer: Writer, label: Label) -> Self {
        Field {
            name,
            merge,
            value,
            writer,
            required: false,
            sealed: false,
            provisional: None,
            states: &[],
            noun: ENTRY,
            asked_for: ENTRY.label,
            begun_by: BEGUN_BY_HAND,
            named_after: None,
            told_by: &[],
            waits_for: None,
            listing: Listing::None,
            label,
            help: label,
        }
    }

    #[must_use]
    pub const fn help(self, zh: &'static str, en: &'static str) -> Self {
        Field { help: label(zh, en), ..self }
    }

    /// The state of entries that has this code.
    #[must_use]
    pub fn entry_state(&self, name: &str) -> Option<&'static EntryState> {
        self.states.iter().find(|state| state.word.name == name)
    }

    /// The state to which a part leads.
    #[must_use]
    pub fn led_to(&self, part: &str) -> Option<&'static EntryState> {
        self.states.iter().find(|state| state.by == Some(part))
    }

    /// The state that an entry is in, of a field that declares some: the last one to which a part of it has led, or what is
    /// declared to stand in its place.
    #[must_use]
    pub fn state_of(&self, at: &Entry<'_>, derived: &dyn Derived) -> Option<&'static EntryState> {
        if let Some(folded) = derived.entry_state(self.name, at.name) {
            return self.entry_state(folded);
        }
        let is_led = |state: &&EntryState| state.by.is_some_and(|part| at.says(part));
        let led = self.states.iter().rfind(is_led).or(self.states.first())?;
        let stands_in =
            |state: &&EntryState| state.instead_of.is_some_and(|(of, holds)| of == led.word.name && holds(at));
        self.states.iter().find(stands_in).or(Some(led))
    }

    /// The parts of this field's slots or entries.
    #[must_use]
    pub fn parts(&self) -> &'static [&'static Part] {
        match self.merge {
            Merge::Slot(parts) | Merge::Entries(parts) => parts,
            Merge::Lww | Merge::Mv | Merge::Aws | Merge::Log | Merge::State(_) => &[],
        }
    }

    #[must_use]
    pub fn part(&self, name: &str) -> Option<&'static Part> {
        self.parts().iter().copied().find(|part| part.name == name)
    }
}

/// How concurrent writes of a field come together, and so where it sits in the document.
#[derive(Clone, Copy, Debug)]
pub enum Merge {
    /// Key `field`. A causally later write wins; of concurrent ones, one deterministic value.
    Lww,
    /// Key `field`. As LWW, but concurrent values are a visible conflict until somebody settles it.
    Mv,
    /// Keys `field/element`: add-wins set.
    Aws,
    /// Keys `field/seat/part`: each seat writes only its own.
    Slot(&'static [&'static Part]),
    /// Keys `field/entry/part`: entries of a workflow, each part with its own writer (moves, bookings, participations).
    Entries(&'static [&'static Part]),
    /// Keys `field/entry`: append-only.
    Log,
    /// Keys `field/entry`, a log of decisions, folded to a state by precedence; see `decision`.
    State(&'static StateMachine),
}

impl Merge {
    #[must_use]
    pub fn container(self) -> Container {
        match self {
            Merge::Lww => Container::Lww,
            Merge::Mv => Container::Mv,
            Merge::Aws => Container::Aws,
            Merge::Slot(_) | Merge::Entries(_) => Container::Slot,
            Merge::Log | Merge::State(_) => Container::Log,
        }
    }

    /// The code in tables and schemas.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Merge::Lww => "lww",
            Merge::Mv => "mv",
            Merge::Aws => "aws",
            Merge::Slot(_) => "slot",
            Merge::Entries(_) => "entries",
            Merge::Log => "log",
            Merge::State(_) => "state",
        }
    }
}

/// One part of a slot or of a workflow entry.
#[derive(Debug)]
pub struct Part {
    /// The field of which entries it is a part.
    pub of: &'static str,
    pub name: &'static str,
    pub value: ValueType,
    pub writer: Writer,
    /// Parts of the same entry after which this one may no longer be written: a cancelled letter is not received.
    pub closed_by: &'static [&'static str],
    /// The part of the same entry that names a seat. A change that writes this part may also hand the record's
    /// ownership to that seat or one below it: the receipt confirms a move.
    pub takes_ownership: Option<&'static str>,
    /// What commands write there for whoever says nothing: people read words for it.
    pub words: &'static [Word],
    /// A rule of its kind says what it means that two wrote it differently.
    pub has_own_rule: bool,
    pub label: Label,
}

impl Part {
    #[must_use]
    pub const fn new(of: &'static str, name: &'static str, value: ValueType, writer: Writer, label: Label) -> Self {
        Part { of, name, value, writer, closed_by: &[], takes_ownership: None, words: &[], has_own_rule: false, label }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// At most so many characters.
    Text(usize),
    /// As a text, of what somebody or something is called.
    Name(usize),
    /// As a text, of a number that papers carry.
    Number(usize),
    /// `YYYY-MM-DD`.
    Date,
    /// As a date, of what has happened: no day that is still to come.
    Past,
    /// As a date, of when somebody was born.
    Birth,
    Int,
    /// A whole number from 1, where people type it; others may have written what it is not.
    Count,
    Bool,
    Seat,
    /// The id of a record of the named kind.
    Record(Word),
    /// A seat, or a record of the named kind: what a joint organisation is made of.
    Unit(Word),
    Choice(&'static [Word]),
}

/// What an entry of a workflow can be, as a view shows it, and which part leads there. One of which nothing is written that leads
/// anywhere is in the first.
#[derive(Debug)]
pub struct EntryState {
    pub word: Word,
    /// The part that leads here when it is written; none: it follows from something else.
    pub by: Option<&'static str>,
    /// The states in which that part may be written, by whatever command. Judged when a command is given, never on merging; a
    /// settlement chooses among what stands already, and a new entry begins as it is written.
    pub from: &'static [&'static str],
    /// Of a state that follows from something else: in place of which one, and when.
    pub instead_of: Option<(&'static str, Holds)>,
    /// No entry gets here, whichever part would bring that about, while this holds of it, or beside another here that says the
    /// same in a part; and what is said then. Judged as `from` is.
    pub never_while: Option<(Holds, &'static Message)>,
    pub once_for: Option<(&'static Part, &'static Message)>,
    /// Whether somebody still waits for what comes next.
    pub open: bool,
}

/// Whether something holds of an entry.
pub type Holds = fn(&Entry<'_>) -> bool;

impl EntryState {
    /// Nobody waits for anything any more.
    #[must_use]
    pub const fn over(self) -> Self {
        EntryState { open: false, ..self }
    }

    /// An entry which its parts have led to the state of this name is in this one instead, whenever that holds of it.
    #[must_use]
    pub const fn instead_of(self, state: &'static str, when: Holds) -> Self {
        EntryState { instead_of: Some((state, when)), ..self }
    }

    /// `message` gets the record's title.
    #[must_use]
    pub const fn never_while(self, holds: Holds, message: &'static Message) -> Self {
        EntryState { never_while: Some((holds, message)), ..self }
    }

    /// `message` gets the record's title, what the other entry is told by, and the beginning of its name.
    #[must_use]
    pub const fn once_for(self, part: &'static Part, message: &'static Message) -> Self {
        EntryState { once_for: Some((part, message)), ..self }
    }

    /// Whether it may be led on from one state to this one.
    #[must_use]
    pub fn may_follow(&self, now: &EntryState) -> bool {
        self.from.contains(&now.word.name)
    }
}

/// A state that follows from something else than a part of its own: see [`EntryState::instead_of`] and [`Derived::entry_state`].
#[must_use]
pub const fn follows(name: &'static str, zh: &'static str, en: &'static str) -> EntryState {
    let word = word(name, zh, en);
    EntryState { word, by: None, from: &[], instead_of: None, never_while: None, once_for: None, open: true }
}

/// A state that an entry gets to from these others when a part is written.
#[must_use]
pub const fn led_by(
    part: &'static Part,
    from: &'static [&'static str],
    name: &'static str,
    zh: &'static str,
    en: &'static str,
) -> EntryState {
    EntryState { by: Some(part.name), from, ..follows(name, zh, en) }
}

/// The command that makes a record of any kind.
pub const MADE_BY_HAND: &str = "record.create";
/// The command for any field: entries that have no other are begun with it.
pub const BEGUN_BY_HAND: &str = "record.set";
/// What an entry is called of which nobody has said more.
const ENTRY: Word = word("entry", "事项", "entry");
/// What a view calls the state of an entry.
pub const ENTRY_STATE: Word = word("state", "状态", "state");
/// What a view calls the number by which people name an entry of a record.
pub const ENTRY_NUMBER: Word = word("number", "序号", "number");
