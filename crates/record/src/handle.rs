//! Typed handles on what a kind declares. A field, a set, a part of an entry, a state machine is declared once; whoever reads
//! or writes it names the declared thing, which knows its container, its path and its type. Keys are made here and nowhere else.

use std::marker::PhantomData;

use crate::change::{Container, OpId, Scalar};
use crate::decision::{self, Standing};
use crate::derived::Derived;
use crate::history::{History, Visible};
use crate::id::{RecordId, SeatId};
use crate::kind::{EntryState, Field, Merge, Part, StateMachine, ValueType, Word, Writer, label};
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

/// A field of entries `E`, each of several parts.
#[derive(Debug)]
pub struct EntriesOf<E> {
    pub field: Field,
    of: PhantomData<fn() -> E>,
}

/// A part of the entries `E`.
#[derive(Debug)]
pub struct PartOf<E, T> {
    pub part: Part,
    of: PhantomData<fn() -> (E, T)>,
}

/// The entries of one field, as a type; what is particular about them stands in its implementation.
pub trait Entry: Sized + 'static {
    /// The field's name.
    const FIELD: &'static str;

    /// The code of the state that one is in, of those that the field declares.
    fn state(_derived: &dyn Derived, _at: &EntryOf<'_, Self>) -> &'static str {
        ""
    }
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
pub const fn entries<E: Entry>(
    parts: &'static [&'static Part],
    value: ValueType,
    writer: Writer,
    zh: &'static str,
    en: &'static str,
) -> EntriesOf<E> {
    entries_of(Field::new(E::FIELD, Merge::Entries(parts), value, writer, label(zh, en)))
}

/// As [`entries`], of which each seat has one, named by its id, and writes it itself.
#[must_use]
pub const fn slots<E: Entry>(
    parts: &'static [&'static Part],
    value: ValueType,
    writer: Writer,
    zh: &'static str,
    en: &'static str,
) -> EntriesOf<E> {
    entries_of(Field::new(E::FIELD, Merge::Slot(parts), value, writer, label(zh, en)))
}

const fn entries_of<E>(field: Field) -> EntriesOf<E> {
    EntriesOf { field, of: PhantomData }
}

#[must_use]
pub const fn part<E, T>(
    name: &'static str,
    value: ValueType,
    writer: Writer,
    zh: &'static str,
    en: &'static str,
) -> PartOf<E, T> {
    PartOf { part: Part::new(name, value, writer, label(zh, en)), of: PhantomData }
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
helped!(EntriesOf<E>);
helped!(StateOf);

impl<T> FieldOf<T> {
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

impl<E: Entry> EntriesOf<E> {
    /// As [`EntriesOf::read`], each with the state that it is in.
    pub fn of<'r>(&self, record: &'r Record) -> impl Iterator<Item = (EntryOf<'r, E>, &'static str)> + use<'r, E> {
        self.read(&record.history).into_iter().map(|at| {
            let state = E::state(&*record.derived, &at);
            (at, state)
        })
    }

    /// In the order of their names.
    #[must_use]
    pub fn read<'h>(&self, history: &'h History) -> Vec<EntryOf<'h, E>> {
        let mut entries: Vec<EntryOf<'h, E>> = Vec::new();
        for (key, values) in history.under(Container::Slot, E::FIELD) {
            let Some((name, part)) = key.split_once('/') else { continue };
            match entries.last_mut().filter(|last| last.name == name) {
                Some(last) => last.parts.push((part, values)),
                None => entries.push(EntryOf { name, history, parts: vec![(part, values)], of: PhantomData }),
            }
        }
        entries
    }

    /// What an entry can be; which of them one is, [`Entry::state`] says.
    #[must_use]
    pub const fn states(mut self, states: &'static [EntryState]) -> Self {
        (self.field.states, self.field.state_of) = (states, state_of::<E>);
        self
    }

    /// What one is called, and the command that begins one.
    #[must_use]
    pub const fn called(mut self, noun: Word, begun_by: &'static str) -> Self {
        (self.field.noun, self.field.begun_by) = (noun, begun_by);
        self
    }

    /// The parts that people tell one by from others; they may call it by any of them too.
    #[must_use]
    pub const fn told_by(mut self, parts: &'static [&'static Part]) -> Self {
        self.field.told_by = parts;
        self
    }

    /// Where findings and views show an entry: `bookings/4f…`.
    #[must_use]
    pub fn path(&self, entry: &str) -> String {
        format!("{}/{entry}", E::FIELD)
    }

    /// The entry of which a path is, or a path under it.
    #[must_use]
    pub fn entry_at<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(E::FIELD)?.strip_prefix('/')?.split('/').next()
    }

    /// What people read for a state.
    #[must_use]
    pub fn say(&self, state: &str) -> Explanation {
        self.field.entry_state(state).map_or_else(|| state.into(), |state| state.word.label.into())
    }

    /// What people tell an entry by.
    #[must_use]
    pub fn told(&self, at: &EntryOf<'_, E>, seats: &Seats) -> String {
        tell(&self.field, at.name, at.history, seats)
    }

    /// Whether somebody who writes this means the entry.
    #[must_use]
    pub fn is_called(&self, at: &EntryOf<'_, E>, text: &str, seats: &Seats) -> bool {
        at.name == text || said(&self.field, at.name, at.history, seats).any(|said| said == text)
    }

    /// The part that names the seat which goes on seeing the record as long as the entry is in a state that is open.
    #[must_use]
    pub const fn waits_for(mut self, part: &'static PartOf<E, SeatId>) -> Self {
        self.field.waits_for = Some(part.part.name);
        self
    }
}

/// What people tell an entry by: the values of the parts that are declared so, or the beginning of its name.
#[must_use]
pub fn tell(field: &Field, entry: &str, history: &History, seats: &Seats) -> String {
    let all: Vec<String> = said(field, entry, history, seats).collect();
    if all.is_empty() { own_name(entry).chars().take(ID_DIGITS).collect() } else { all.join(" ") }
}

/// What people read for each part that an entry is told by: a seat by its name.
fn said<'a>(
    field: &'a Field,
    entry: &'a str,
    history: &'a History,
    seats: &'a Seats,
) -> impl Iterator<Item = String> + 'a {
    field.told_by.iter().filter_map(move |part| {
        let key = format!("{}/{entry}/{}", field.name, part.name);
        match history.value(Container::Slot, &key)? {
            Scalar::Text(text) => Some(text.clone()),
            value => value.as_seat().map(|seat| seats.name(seat)),
        }
    })
}

/// Of an entry's name what tells it from others of the same seat.
#[must_use]
pub fn own_name(entry: &str) -> &str {
    entry.split_once('-').map_or(entry, |(_, own)| own)
}

/// So many digits of an id are shown, and no fewer are taken for it.
pub const ID_DIGITS: usize = 8;

fn state_of<E: Entry>(derived: &dyn Derived, history: &History, name: &str) -> Option<&'static str> {
    EntryOf::<E>::find(history, name).map(|at| E::state(derived, &at))
}

/// One entry, as it stands in a history.
#[derive(Debug)]
pub struct EntryOf<'h, E> {
    pub name: &'h str,
    pub history: &'h History,
    parts: Vec<(&'h str, &'h [Visible])>,
    of: PhantomData<fn() -> E>,
}

impl<E> Clone for EntryOf<'_, E> {
    fn clone(&self) -> Self {
        EntryOf { parts: self.parts.clone(), ..*self }
    }
}

impl<'h, E: Entry> EntryOf<'h, E> {
    /// The entry of this name, if anything is written in it.
    #[must_use]
    pub fn find(history: &'h History, name: &str) -> Option<Self> {
        let path = format!("{}/{name}/", E::FIELD);
        let mut parts = Vec::new();
        let mut named = None;
        // The borrowed keys outlive the path that they are looked up by.
        for (key, values) in history.keys_from(Container::Slot, &path) {
            let Some(part) = key.strip_prefix(&*path) else { break };
            named = Some(&key[E::FIELD.len() + 1..path.len() - 1]);
            parts.push((part, values));
        }
        named.map(|name| EntryOf { name, history, parts, of: PhantomData })
    }

    #[must_use]
    pub fn visible<T>(&self, part: &PartOf<E, T>) -> &'h [Visible] {
        self.parts.iter().find(|(name, _)| *name == part.part.name).map_or(&[], |(_, values)| values)
    }

    #[must_use]
    pub fn get<T: Value>(&self, part: &PartOf<E, T>) -> Option<T> {
        self.visible(part).last().and_then(|at| T::of(&at.value))
    }

    /// Whether anybody says so: of two who wrote it apart, one may have taken it back.
    #[must_use]
    pub fn is_set<T>(&self, part: &PartOf<E, T>) -> bool {
        self.visible(part).iter().any(|at| at.value != Scalar::Null)
    }

    pub fn ops<T>(&self, part: &PartOf<E, T>) -> impl Iterator<Item = OpId> + use<'h, E, T> {
        self.visible(part).iter().map(|at| at.id)
    }

    /// Whether somebody says so who knew of all these operations.
    #[must_use]
    pub fn is_set_knowing<T>(&self, part: &PartOf<E, T>, ops: &[OpId]) -> bool {
        let knew = |at: &&Visible| ops.iter().all(|op| self.history.has_seen(at.id, *op));
        self.visible(part).iter().filter(|at| at.value != Scalar::Null).any(|at| knew(&at))
    }
}

impl<E: Entry, T> PartOf<E, T> {
    /// Parts of the same entry after which this one may no longer be written.
    #[must_use]
    pub const fn closed_by(mut self, parts: &'static [&'static str]) -> Self {
        self.part.closed_by = parts;
        self
    }

    /// The part that names a seat which whoever writes this one may make the record's owner.
    #[must_use]
    pub const fn takes_ownership(mut self, seat: &'static PartOf<E, SeatId>) -> Self {
        self.part.takes_ownership = Some(seat.part.name);
        self
    }

    #[must_use]
    pub fn key(&self, entry: &str) -> String {
        format!("{}/{entry}/{}", E::FIELD, self.part.name)
    }

    /// The entry of which a key is this part.
    #[must_use]
    pub fn entry_in<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(E::FIELD)?.strip_prefix('/')?.strip_suffix(self.part.name)?.strip_suffix('/')
    }
}
