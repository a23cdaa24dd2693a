//! Planning by typed handles: what a command writes, named by what its kind declares, and which entry it means.

use crate::change::{Container, Scalar};
use crate::command::plan::Planner;
use crate::command::write::{RecordWrite, WriteValue};
use crate::derived::Derived;
use crate::handle::{EntriesOf, Entry, EntryOf, FieldOf, ID_DIGITS, PartOf, SetOf, StateOf, Value, own_name};
use crate::id::{RecordId, SeatId};
use crate::kind::{EntryState, Field, Kind, Merge, Part, ValueType, Word};
use crate::message::{Message, Refusal, message};
use crate::rule::listed;
use crate::view::Record;
use heliu_words::Explanation;

const NO_ENTRY: Message = message(
    "no_entry",
    ["“{0}”没有待办的{1}。", "没有人提出,或都已办结。", "需要时先用 {2} 提出。"],
    ["{0:?} has no {1} that is due.", "Nobody began one, or all were dealt with.", "If one is needed, begin it: {2}."],
);
const WHICH_ENTRY: Message = message(
    "which_entry",
    ["请写明是“{0}”的哪一个{1}。", "不止一个,或写的不是其中之一。", "未决的有 {2} 个:{3}。请写 {4}=序号。"],
    ["Which {1} of {0:?}?", "There are several, or what is given is none of them.", "Open: {2}: {3}. Give {4}=NUMBER."],
);

impl<'a> Planner<'a> {
    /// Writes a field.
    pub fn set<T: Value>(&mut self, record: RecordId, field: &FieldOf<T>, value: impl Into<T>) {
        self.put_field(record, &field.field, value.into().scalar());
    }

    pub fn clear<T>(&mut self, record: RecordId, field: &FieldOf<T>) {
        self.put_field(record, &field.field, Scalar::Null);
    }

    /// Writes a field of the record that the command is about.
    pub fn set_subject<T: Value>(&mut self, field: &FieldOf<T>, value: impl Into<T>) -> Result<(), Refusal> {
        let record = self.subject()?.id;
        self.set(record, field, value);
        Ok(())
    }

    /// The record that the command is about, with what its kind makes of it.
    pub fn subject_as<T: Derived>(&self, kind: Word) -> Result<(&'a Record, &'a T), Refusal> {
        let record = self.subject()?;
        let read = record.read_as::<T>().ok_or_else(|| Refusal::wrong_kind(record, kind))?;
        Ok((record, read))
    }

    /// The seats that an argument lists.
    #[must_use]
    pub fn seats_argument(&self, name: &str) -> Vec<SeatId> {
        let seats = self.world().seats();
        self.list(name).filter_map(|text| SeatId::of(&ValueType::Seat.parse(text, seats)?)).collect()
    }

    /// An argument that takes less than its type says: what the field of its name does.
    pub fn check_field(&self, field: &Field) -> Result<(), Refusal> {
        let text = self.text(field.name).unwrap_or_default();
        let value = field.value.parse(text, self.world().seats());
        value.map(drop).ok_or_else(|| Refusal::bad_value(field, text, field.value))
    }

    /// Fills a new record with the arguments that have the names of its kind's plain fields, as far as they are given.
    pub fn fill(&mut self, record: RecordId, kind: &'static Kind) {
        let plain = kind.own.iter().copied().filter(|field| matches!(field.merge, Merge::Lww | Merge::Mv));
        plain.for_each(|field| self.copy(record, &[field]));
    }

    /// As [`Planner::fill`], for these fields.
    pub fn copy(&mut self, record: RecordId, fields: &[&Field]) {
        for field in fields {
            if let Some(value) = self.parsed(field.name, field.value) {
                self.put_field(record, field, value);
            }
        }
    }

    /// Puts an element into a set.
    pub fn add<T: Value>(&mut self, record: RecordId, set: &SetOf<T>, element: impl Into<T>) {
        self.put_member(record, Container::Aws, set.key(&element.into()), true);
    }

    /// The state of a new record, where it is not the initial one.
    pub fn begin_as(&mut self, record: RecordId, field: &StateOf, state: &str) {
        self.put_first_state(record, &field.field, state);
    }

    /// Writes a part of an entry.
    pub fn put_part<E: Entry, T: Value>(
        &mut self,
        record: RecordId,
        part: &PartOf<E, T>,
        entry: &str,
        value: impl Into<T>,
    ) {
        self.put(record, Container::Slot, part.key(entry), value.into().scalar());
    }

    /// Fills an entry with the arguments that have the names of these parts, as far as they are given.
    pub fn fill_parts<E: Entry>(&mut self, record: RecordId, of: &EntriesOf<E>, entry: &str, parts: &[&Part]) {
        let field = of.field.name;
        for part in parts {
            if let Some(value) = self.parsed(part.name, part.value) {
                self.put(record, Container::Slot, format!("{field}/{entry}/{}", part.name), value);
            }
        }
    }

    pub fn clear_part<E: Entry, T>(&mut self, record: RecordId, part: &PartOf<E, T>, entry: &str) {
        self.put(record, Container::Slot, part.key(entry), Scalar::Null);
    }

    /// Makes one seat the owner, and lets the former owners go on seeing the record, to learn of the decision.
    pub fn hand_over(&mut self, record: &Record, owner: SeatId) {
        self.put_owner(record.id, owner);
        for former in record.view.owners.iter().filter(|former| **former != owner) {
            self.add_participant(record.id, *former);
        }
    }

    /// Leads the entry that is meant to the state to which this part leads.
    pub fn lead<E: Entry, T: Value>(
        &mut self,
        entries: &EntriesOf<E>,
        part: &PartOf<E, T>,
        value: impl Into<T>,
    ) -> Result<(), Refusal> {
        let record = self.subject()?;
        let entry = self.entry_meant(record, entries, part, |_| true)?;
        self.put_part(record.id, part, entry.name, value);
        Ok(())
    }

    /// The entry that is meant, of those which this part may lead on: by its name, a beginning of that or what else it is called;
    /// by its number among those that are due; or the only one, of those that `is_likely` holds of.
    pub fn entry_meant<E: Entry, T>(
        &self,
        record: &'a Record,
        entries: &EntriesOf<E>,
        part: &PartOf<E, T>,
        is_likely: impl Fn(&EntryOf<'a, E>) -> bool,
    ) -> Result<EntryOf<'a, E>, Refusal> {
        let (field, seats) = (&entries.field, self.world().seats());
        let to = field.states.iter().find(|state| state.by == Some(part.part.name));
        let leads_from = |now: &EntryState| to.is_none_or(|to| to.from.contains(&now.word.name));
        let is_there = |now: &EntryState| to.is_some_and(|to| to.word.name == now.word.name);
        let with_state = |(at, code): (EntryOf<'a, E>, &str)| (at, field.entry_state(code));
        let all: Vec<(EntryOf<'a, E>, Option<&'static EntryState>)> = entries.of(record).map(with_state).collect();
        let named = self.text(field.noun.name);
        let known = match (named, &all[..]) {
            (Some(named), all) => all.iter().find(|(at, _)| entries.is_called(at, named, seats)),
            // Of the only one it is said why it is not due.
            (None, [only]) => Some(only).filter(|(_, now)| now.is_some_and(|now| !leads_from(now))),
            (None, _) => None,
        };
        if let Some((entry, now)) = known {
            return match (now, to) {
                (Some(now), Some(to)) if !leads_from(now) => {
                    Err(Refusal::entry_state(record, field, &entries.told(entry, seats), now, to))
                }
                _ => Ok(entry.clone()),
            };
        }
        let is_due = |now: &Option<&EntryState>| now.is_none_or(|now| leads_from(now) && !is_there(now));
        let due: Vec<&EntryOf<'a, E>> = all.iter().filter(|(_, now)| is_due(now)).map(|(at, _)| at).collect();
        let mut meant = match named {
            None => due.iter().copied().filter(|at| is_likely(at)).collect(),
            Some(named) => {
                let numbered = named.parse::<usize>().ok().and_then(|number| due.get(number.checked_sub(1)?).copied());
                let begins = |at: &EntryOf<'a, E>| named.len() >= ID_DIGITS && own_name(at.name).starts_with(named);
                let begun = || due.iter().copied().filter(|at| begins(at)).collect();
                numbered.map_or_else(begun, |entry| vec![entry])
            }
        };
        match (meant.pop(), meant.is_empty()) {
            (Some(entry), true) => Ok(entry.clone()),
            _ => Err(self.which_entry(record, entries, &due)),
        }
    }

    fn which_entry<E: Entry>(&self, record: &Record, of: &EntriesOf<E>, due: &[&EntryOf<'a, E>]) -> Refusal {
        let (title, noun): (Explanation, Explanation) = (record.title().into(), of.field.noun.label.into());
        if due.is_empty() {
            return NO_ENTRY.about(&[title, noun, of.field.begun_by.into()]);
        }
        let said = due.iter().zip(1..).map(|(at, number)| {
            let own: String = own_name(at.name).chars().take(ID_DIGITS).collect();
            format!("{number}. {} ({own})", of.told(at, self.world().seats()))
        });
        WHICH_ENTRY.about(&[title, noun, due.len().to_string().into(), listed(said), of.field.noun.name.into()])
    }
}

impl RecordWrite {
    /// The fields that are written, as often as they are.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        let own = self.writes.iter().filter(|put| put.container != Container::Scope);
        own.filter_map(|put| put.key.split('/').next())
    }

    /// What is written in a field; none if it is not, or cleared.
    #[must_use]
    pub fn value_of<T: Value>(&self, field: &FieldOf<T>) -> Option<T> {
        let put = self.writes.iter().find(|put| field.is(put.container, &put.key))?;
        if let WriteValue::Value(value) = &put.value { T::of(value) } else { None }
    }

    /// The entries of which this part is written, and not cleared.
    pub fn entries_with<E: Entry, T>(&self, part: &PartOf<E, T>) -> impl Iterator<Item = &str> {
        let set = self.writes.iter().filter(|put| put.value != WriteValue::Value(Scalar::Null));
        set.filter(|put| put.container == Container::Slot).filter_map(|put| part.entry_in(&put.key))
    }
}

/// The messages of this room.
pub(crate) const MESSAGES: &[&Message] = &[&NO_ENTRY, &WHICH_ENTRY];
