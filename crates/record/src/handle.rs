//! Typed handles on what a kind declares. A field, a set, a part of an entry, a state machine is declared once; whoever reads
//! or writes it names the declared thing, which knows its container, its path and its type. Keys are made here and nowhere else.

use std::marker::PhantomData;

use crate::change::{Container, OpId, Scalar};
use crate::decision::{self, Standing};
use crate::entry::Entry;
use crate::history::{History, Visible};
use crate::id::{RecordId, SeatId};
use crate::kind::{EntryState, Field, Listing, Merge, Part, StateMachine, ValueType, Word, Writer, label};
use crate::scope::is_in;
use crate::seats::Seats;
use crate::view::Record;
use heliu_words::Explanation;

/// What a value of a field is in Rust.
pub trait Value: Sized {
    fn of(scalar: &Scalar) -> Option<Self>;
    fn scalar(&self) -> Scalar;
    /// As the element of a set, which is a part of its key.
    fn of_element(text: &str) -> Option<Self>;
    fn element(&self) -> String;
}

macro_rules! value {
    ($type:ty, $of:expr, |$this:ident| $to:expr) => {
        impl Value for $type {
            fn of(scalar: &Scalar) -> Option<Self> {
                $of(scalar)
            }

            fn scalar(&self) -> Scalar {
                let $this = self;
                $to
            }

            fn of_element(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn element(&self) -> String {
                self.to_string()
            }
        }
    };
}

value!(String, |scalar: &Scalar| scalar.as_text().map(str::to_owned), |text| Scalar::Text(text.clone()));
value!(i64, Scalar::as_int, |number| Scalar::Int(*number));
value!(SeatId, Scalar::as_seat, |seat| Scalar::Bytes(seat.0.to_vec()));
value!(RecordId, Scalar::as_record, |record| Scalar::Bytes(record.0.to_vec()));

/// A field that is one value.
#[derive(Debug)]
pub struct FieldOf<T> {
    pub field: Field,
    of: PhantomData<fn() -> T>,
}

/// A field that is a set.
#[derive(Debug)]
pub struct SetOf<T> {
    pub field: Field,
    of: PhantomData<fn() -> T>,
}

/// A field that is a log of decisions, which fold to a state.
#[derive(Debug)]
pub struct StateOf {
    pub field: Field,
    machine: &'static StateMachine,
}

/// A field of entries, each of several parts.
#[derive(Debug)]
pub struct EntriesOf {
    pub field: Field,
}

/// A part of the entries of a field.
#[derive(Debug)]
pub struct PartOf<T> {
    pub part: Part,
    of: PhantomData<fn() -> T>,
}

/// What a part of an entry is to say.
#[derive(Debug)]
pub struct PartPut<'p> {
    pub part: &'p Part,
    pub value: Scalar,
}

/// One value; of concurrent ones a deterministic one, and nobody is told: for what nobody would miss.
#[must_use]
pub const fn lww<T>(name: &'static str, value: ValueType, zh: &'static str, en: &'static str) -> FieldOf<T> {
    FieldOf { field: Field::new(name, Merge::Lww, value, Writer::Owner, label(zh, en)), of: PhantomData }
}

/// One value; concurrent ones are a conflict until somebody settles it.
#[must_use]
pub const fn mv<T>(name: &'static str, value: ValueType, zh: &'static str, en: &'static str) -> FieldOf<T> {
    FieldOf { field: Field::new(name, Merge::Mv, value, Writer::Owner, label(zh, en)), of: PhantomData }
}

#[must_use]
pub const fn set<T>(name: &'static str, value: ValueType, zh: &'static str, en: &'static str) -> SetOf<T> {
    SetOf { field: Field::new(name, Merge::Aws, value, Writer::Owner, label(zh, en)), of: PhantomData }
}

#[must_use]
pub const fn state(name: &'static str, machine: &'static StateMachine, zh: &'static str, en: &'static str) -> StateOf {
    let (merge, value) = (Merge::State(machine), ValueType::Text(500));
    StateOf { field: Field::new(name, merge, value, Writer::Owner, label(zh, en)), machine }
}

/// Entries of a workflow. The value type and the writer are what people read of the whole field; each part has its own.
#[must_use]
pub const fn entries(
    name: &'static str,
    parts: &'static [&'static Part],
    value: ValueType,
    writer: Writer,
    zh: &'static str,
    en: &'static str,
) -> EntriesOf {
    EntriesOf { field: Field::new(name, Merge::Entries(parts), value, writer, label(zh, en)) }
}

/// As [`entries`], of which each seat has one, named by its id, and writes it itself.
#[must_use]
pub const fn slots(
    name: &'static str,
    parts: &'static [&'static Part],
    value: ValueType,
    writer: Writer,
    zh: &'static str,
    en: &'static str,
) -> EntriesOf {
    EntriesOf { field: Field::new(name, Merge::Slot(parts), value, writer, label(zh, en)) }
}

/// A part of the entries of the field that is named first.
#[must_use]
pub const fn part<T>(
    of: &'static str,
    name: &'static str,
    value: ValueType,
    writer: Writer,
    zh: &'static str,
    en: &'static str,
) -> PartOf<T> {
    PartOf { part: Part::new(of, name, value, writer, label(zh, en)), of: PhantomData }
}

/// The declarations of these fields, as a kind lists them.
#[macro_export]
macro_rules! fields {
    ($($field:ident),* $(,)?) => { &[$(&$field.field),*] };
}
/// The declarations of these parts, as a field of entries lists them.
#[macro_export]
macro_rules! parts {
    ($($part:ident),* $(,)?) => { &[$(&$part.part),*] };
}
pub use {fields, parts};

macro_rules! helped {
    ($type:ident $(<$generic:ident>)?) => {
        impl $(<$generic>)? $type $(<$generic>)? {
            /// What people read who are asked for it.
            #[must_use]
            pub const fn help(mut self, zh: &'static str, en: &'static str) -> Self {
                self.field.help = label(zh, en);
                self
            }

            /// Records are sorted, filtered and counted by it.
            #[must_use]
            pub const fn listed(mut self) -> Self {
                self.field.listing = Listing::Listed;
                self
            }

            /// Who may write it, if not its owner.
            #[must_use]
            pub const fn by(mut self, writer: Writer) -> Self {
                self.field.writer = writer;
                self
            }
        }
    };
}
helped!(FieldOf<T>);
helped!(SetOf<T>);
helped!(EntriesOf);
helped!(StateOf);

impl<T> FieldOf<T> {
    /// As [`FieldOf::listed`], and records are searched for by any part of it.
    #[must_use]
    pub const fn sought(mut self) -> Self {
        self.field.listing = Listing::Sought;
        self
    }

    #[must_use]
    pub const fn required(mut self) -> Self {
        self.field.required = true;
        self
    }

    #[must_use]
    pub const fn sealed(mut self) -> Self {
        self.field.sealed = true;
        self
    }

    /// The harmless value to show while concurrent values include it.
    #[must_use]
    pub const fn provisional(mut self, value: &'static str) -> Self {
        self.field.provisional = Some(value);
        self
    }

    /// Every visible value, the deterministic one last.
    #[must_use]
    pub fn visible<'h>(&self, history: &'h History) -> &'h [Visible] {
        history.visible(self.field.merge.container(), self.field.name)
    }

    pub fn ops(&self, history: &History) -> Vec<OpId> {
        self.visible(history).iter().map(|at| at.id).collect()
    }

    /// Every value that was ever written, those too that are replaced, by their ids.
    #[must_use]
    pub fn written(&self, history: &History) -> Vec<Visible> {
        history.written(self.field.merge.container(), self.field.name)
    }

    /// Whether a put is one of this field.
    #[must_use]
    pub fn is(&self, container: Container, key: &str) -> bool {
        container == self.field.merge.container() && key == self.field.name
    }
}

impl<T: Value> FieldOf<T> {
    #[must_use]
    pub fn read(&self, history: &History) -> Option<T> {
        self.visible(history).last().and_then(|at| T::of(&at.value))
    }

    /// Whether there is a value to read.
    #[must_use]
    pub fn has_value(&self, history: &History) -> bool {
        self.read(history).is_some()
    }
}

impl<T: Value> SetOf<T> {
    #[must_use]
    pub fn key(&self, element: &T) -> String {
        format!("{}/{}", self.field.name, element.element())
    }

    /// The elements that are in, in the order of their keys.
    pub fn read<'h>(&self, history: &'h History) -> impl Iterator<Item = T> + use<'h, T> {
        let all = history.under(Container::Aws, self.field.name);
        all.filter(|(_, values)| values.iter().any(|at| is_in(&at.value))).filter_map(|(name, _)| T::of_element(name))
    }
}

impl StateOf {
    #[must_use]
    pub fn read<'h>(&self, history: &'h History) -> Standing<'h> {
        decision::fold(self.machine, history, self.field.name)
    }
}

impl EntriesOf {
    /// As [`EntriesOf::read`], each with the state that it is in.
    pub fn of<'r>(&'r self, record: &'r Record) -> impl Iterator<Item = (Entry<'r>, &'static str)> {
        self.field.entries_of(record).map(|(at, state)| (at, state.map_or("", |state| state.word.name)))
    }

    /// In the order of their names.
    #[must_use]
    pub fn read<'h>(&self, history: &'h History) -> Vec<Entry<'h>> {
        Entry::all(history, self.field.name)
    }

    /// The entry of this name, if anything is written in it.
    #[must_use]
    pub fn find<'h>(&self, history: &'h History, name: &str) -> Option<Entry<'h>> {
        Entry::find(history, self.field.name, name)
    }

    /// What an entry can be, and what leads there.
    #[must_use]
    pub const fn states(mut self, states: &'static [EntryState]) -> Self {
        self.field.states = states;
        self
    }

    /// What one is called, and the command that begins one.
    #[must_use]
    pub const fn called(mut self, noun: Word, begun_by: &'static str) -> Self {
        (self.field.noun, self.field.begun_by) = (noun, begun_by);
        self
    }

    /// Its entries are named after these; `all` stands for all that have none of their own.
    #[must_use]
    pub const fn named_after(mut self, value: ValueType) -> Self {
        self.field.named_after = Some(value);
        self
    }

    /// What commands say of the argument that names one.
    #[must_use]
    pub const fn asked_for(mut self, zh: &'static str, en: &'static str) -> Self {
        self.field.asked_for = label(zh, en);
        self
    }

    /// The parts that people tell one by from others; they may call it by any of them too.
    #[must_use]
    pub const fn told_by(mut self, parts: &'static [&'static Part]) -> Self {
        self.field.told_by = parts;
        self
    }

    /// The part that names the seat which goes on seeing the record as long as the entry is in a state that is open.
    #[must_use]
    pub const fn waits_for(mut self, part: &'static PartOf<SeatId>) -> Self {
        self.field.waits_for = Some(part.part.name);
        self
    }

    /// The entry of which a path is, or a path under it.
    #[must_use]
    pub fn entry_at<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(self.field.name)?.strip_prefix('/')?.split('/').next()
    }

    /// What people read for a state.
    #[must_use]
    pub fn say(&self, state: &str) -> Explanation {
        self.field.entry_state(state).map_or_else(|| state.into(), |state| state.word.label.into())
    }

    /// What people tell an entry by.
    #[must_use]
    pub fn told(&self, at: &Entry<'_>, seats: &Seats) -> Explanation {
        self.field.told(at, seats).into()
    }
}

impl Field {
    /// The entries of a record, in the order of their names, each with the state that it is in.
    pub fn entries_of<'r>(
        &'r self,
        record: &'r Record,
    ) -> impl Iterator<Item = (Entry<'r>, Option<&'static EntryState>)> {
        let all = Entry::all(&record.history, self.name).into_iter();
        all.map(|at| (at.clone(), self.state_of(&at, &*record.derived)))
    }

    /// What people tell an entry by: the values of the parts that are declared so, or the beginning of its name.
    #[must_use]
    pub fn told(&self, at: &Entry<'_>, seats: &Seats) -> String {
        let all: Vec<String> = self.said(at, seats).collect();
        if all.is_empty() { at.short() } else { all.join(" ") }
    }

    /// Whether somebody who writes this means the entry.
    #[must_use]
    pub fn is_called(&self, at: &Entry<'_>, text: &str, seats: &Seats) -> bool {
        at.name == text || self.said(at, seats).any(|said| said == text)
    }

    /// What people read for each part that an entry is told by: a seat by its name.
    fn said<'a>(&'a self, at: &'a Entry<'_>, seats: &'a Seats) -> impl Iterator<Item = String> + 'a {
        self.told_by.iter().filter_map(move |part| match at.value(part.name)? {
            Scalar::Text(text) => Some(text.clone()),
            value => value.as_seat().map(|seat| seats.name(seat)),
        })
    }
}

impl<'h> Entry<'h> {
    #[must_use]
    pub fn visible<T>(&self, part: &PartOf<T>) -> &'h [Visible] {
        debug_assert_eq!(part.part.of, self.field, "the part {:?} is one of other entries", part.part.name);
        self.part(part.part.name)
    }

    #[must_use]
    pub fn get<T: Value>(&self, part: &PartOf<T>) -> Option<T> {
        self.visible(part).last().and_then(|at| T::of(&at.value))
    }

    /// Whether anybody says so: of two who wrote it apart, one may have taken it back.
    #[must_use]
    pub fn is_set<T>(&self, part: &PartOf<T>) -> bool {
        self.visible(part).iter().any(|at| at.value != Scalar::Null)
    }

    /// Whether somebody says so who knew of all that stands in a field of the record.
    #[must_use]
    pub fn is_set_knowing<T, F>(&self, part: &PartOf<T>, field: &FieldOf<F>) -> bool {
        let known = field.visible(self.history);
        let knew = |at: &&Visible| known.iter().all(|known| self.history.has_seen(at.id, known.id));
        self.visible(part).iter().filter(|at| at.value != Scalar::Null).any(|at| knew(&at))
    }

    pub fn ops<T>(&self, part: &PartOf<T>) -> impl Iterator<Item = OpId> + use<'h, T> {
        self.visible(part).iter().map(|at| at.id)
    }
}

impl Part {
    /// Where it is in the entry of this name.
    #[must_use]
    pub fn key(&self, entry: &str) -> String {
        format!("{}/{entry}/{}", self.of, self.name)
    }
}

impl<T> PartOf<T> {
    /// Parts of the same entry after which this one may no longer be written.
    #[must_use]
    pub const fn closed_by(mut self, parts: &'static [&'static str]) -> Self {
        self.part.closed_by = parts;
        self
    }

    /// A rule of its kind says what it means that two wrote it differently.
    #[must_use]
    pub const fn has_own_rule(mut self) -> Self {
        self.part.has_own_rule = true;
        self
    }

    /// What commands write there for whoever says nothing.
    #[must_use]
    pub const fn says(mut self, words: &'static [Word]) -> Self {
        self.part.words = words;
        self
    }

    /// The part that names a seat which whoever writes this one may make the record's owner.
    #[must_use]
    pub const fn takes_ownership(mut self, seat: &'static PartOf<SeatId>) -> Self {
        self.part.takes_ownership = Some(seat.part.name);
        self
    }

    #[must_use]
    pub fn cleared(&self) -> PartPut<'_> {
        PartPut { part: &self.part, value: Scalar::Null }
    }
}

impl<T: Value> PartOf<T> {
    #[must_use]
    pub fn with(&self, value: impl Into<T>) -> PartPut<'_> {
        PartPut { part: &self.part, value: value.into().scalar() }
    }
}
