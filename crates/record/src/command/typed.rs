//! Planning by typed handles: what a command writes, named by what its kind declares, and which entry it means.

use crate::change::{Container, Scalar};
use crate::command::plan::Planner;
use crate::command::write::{RecordWrite, WriteValue};
use crate::derived::Derived;
use crate::entry::Entry;
use crate::handle::{FieldOf, PartOf, PartPut, SetOf, StateOf, Value};
use crate::id::{RecordId, SeatId};
use crate::kind::{Field, Kind, Merge, Part, ValueType, Word};
use crate::message::{Message, Refusal, message};
use crate::rule::listed;
use crate::view::Record;
use heliu_words::Explanation;

const NO_ENTRY: Message = message("no_entry")
    .what("“{0}”没有待办的{1}。", "{0:?} has no {1} that is due.")
    .why("没有人提出,或都已办结。", "Nobody began one, or all were dealt with.")
    .next("需要时先用 {2} 提出。", "If one is needed, begin it: {2}.");
const WHICH_ENTRY: Message = message("which_entry")
    .what("请写明是“{0}”的哪一个{1}。", "Which {1} of {0:?}?")
    .why("不止一个,或写的不是其中之一。", "There are several, or what is given is none of them.")
    .next("未决的有 {2} 个:{3}。请写 {4}=序号。", "Open: {2}: {3}. Give {4}=NUMBER.");

impl<'a> Planner<'a> {
    /// Writes a field.
    pub fn set<T: Value>(&mut self, record: RecordId, field: &FieldOf<T>, value: impl Into<T>) {
        self.put_field(record, &field.field, value.into().scalar());
    }

    pub fn clear<T>(&mut self, record: RecordId, field: &FieldOf<T>) {
        self.put_field(record, &field.field, Scalar::Null);
    }

    /// Writes today into a field of the record that the command is about.
    pub fn set_today(&mut self, field: &FieldOf<String>) -> Result<(), Refusal> {
        let record = self.subject()?.id;
        self.set(record, field, self.today());
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

    /// Writes parts of an entry.
    pub fn put_parts<'p>(&mut self, record: RecordId, entry: &str, parts: impl IntoIterator<Item = PartPut<'p>>) {
        for PartPut { part, value } in parts {
            self.put(record, Container::Slot, part.key(entry), value);
        }
    }

    /// Fills an entry with the arguments that have the names of these parts, as far as they are given.
    pub fn fill_parts(&mut self, record: RecordId, entry: &str, parts: &[&Part]) {
        for part in parts {
            if let Some(value) = self.parsed(part.name, part.value) {
                self.put(record, Container::Slot, part.key(entry), value);
            }
        }
    }

    /// Makes one seat the owner, and lets the former owners go on seeing the record, to learn of the decision.
    pub fn hand_over(&mut self, record: &Record, owner: SeatId) {
        self.put_owner(record.id, owner);
        for former in record.view.owners.iter().filter(|former| **former != owner) {
            self.add_participant(record.id, *former);
        }
    }

    /// Leads the entry that is meant to the state to which this part leads.
    pub fn lead<T: Value>(&mut self, part: &PartOf<T>, value: impl Into<T>) -> Result<(), Refusal> {
        let record = self.subject()?;
        let entry = self.entry_meant(record, part, |_| true)?;
        self.put_parts(record.id, entry.name, [part.with(value)]);
        Ok(())
    }

    /// The entry that is meant, of those which this part may lead on: by its name, a beginning of that or what else it is called;
    /// by its number among those that are due; or the only one, of those that `is_likely` holds of.
    pub fn entry_meant<T>(
        &self,
        record: &'a Record,
        part: &PartOf<T>,
        is_likely: impl Fn(&Entry<'a>) -> bool,
    ) -> Result<Entry<'a>, Refusal> {
        let (kind, seats) = (self.kind_of(record)?, self.world().seats());
        let led = kind.field(part.part.of).and_then(|field| Some((field, field.led_to(part.part.name)?)));
        let (field, to) = led.ok_or_else(|| Refusal::wrong_field(kind, part.part.of))?;
        let is_due = |at: &&Entry<'a>| {
            let now = field.state_of(at, &*record.derived);
            now.is_some_and(|now| to.may_follow(now) && to.word.name != now.word.name)
        };
        let all = Entry::all(&record.history, field.name);
        let named = self.text(field.noun.name);
        let known = match (named, &all[..]) {
            (Some(named), all) => all.iter().find(|at| field.is_called(at, named, seats)),
            // Of the only one it is said why it is not due.
            (None, [only]) => self.check_led(record, field, only, to).map(|()| None)?,
            (None, _) => None,
        };
        if let Some(entry) = known {
            return self.check_led(record, field, entry, to).map(|()| entry.clone());
        }
        let due: Vec<&Entry<'a>> = all.iter().filter(is_due).collect();
        let mut meant: Vec<&Entry<'a>> = match named.map(|named| (named, named.parse::<usize>())) {
            None => due.iter().copied().filter(|at| is_likely(at)).collect(),
            Some((_, Ok(number))) if (1..=due.len()).contains(&number) => vec![due[number - 1]],
            Some((named, _)) => due.iter().copied().filter(|at| at.begins_with(named)).collect(),
        };
        match (meant.pop(), meant.is_empty()) {
            (Some(entry), true) => Ok(entry.clone()),
            _ => Err(self.which_entry(record, field, &due)),
        }
    }

    fn which_entry(&self, record: &Record, of: &Field, due: &[&Entry<'a>]) -> Refusal {
        let (title, noun): (Explanation, Explanation) = (record.title().into(), of.noun.label.into());
        if due.is_empty() {
            return NO_ENTRY.about(&[title, noun, of.begun_by.into()]);
        }
        let said = due
            .iter()
            .zip(1..)
            .map(|(at, number)| format!("{number}. {} ({})", of.told(at, self.world().seats()), at.short()));
        WHICH_ENTRY.about(&[title, noun, due.len().to_string().into(), listed(said), of.noun.name.into()])
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
    pub fn entries_with<T>(&self, part: &PartOf<T>) -> impl Iterator<Item = &str> {
        let set = self.writes.iter().filter(|put| put.value != WriteValue::Value(Scalar::Null));
        set.filter(|put| put.container == Container::Slot).filter_map(|put| part.part.entry_in(&put.key))
    }
}

/// The messages of this room.
pub(crate) const MESSAGES: &[&Message] = &[&NO_ENTRY, &WHICH_ENTRY];
