//! Planning by typed handles: what a command writes, named by what its kind declares, and which entry it means.

use crate::change::{Container, Scalar};
use crate::command::argument::ENTRY;
use crate::command::plan::{Planned, Planner};
use crate::command::write::{RecordWrite, Write, WriteValue};
use crate::decision::Decision;
use crate::derived::Derived;
use crate::entry::Entry;
use crate::handle::{EntriesOf, FieldOf, PartOf, PartPut, SetOf, StateOf, Value};
use crate::id::{RecordId, SeatId};
use crate::kind::{BEGUN_BY_HAND, Field, Kind, Merge, Part, State, ValueType, Word, Writer};
use crate::message::{Message, Refusal, message};
use crate::rule::listed;
use crate::sealed::Plaintext;
use crate::view::Record;
use heliu_words::Explanation;

const SINCE_ALREADY: Message = message("already")
    .what("“{0}”的{1}已是 {2}。", "{0:?} has this already: {1} {2}.")
    .why("它只写一次。", "It is written once.")
    .next("无需办理。", "Nothing needs to be done.");
const NO_ENTRY: Message = message("no_entry")
    .what("“{0}”没有待办的{1}。", "{0:?} has no {1} that is due.")
    .why("没有人提出,或都已办结。", "Nobody began one, or all were dealt with.")
    .next("需要时先用 {2} 提出。", "If one is needed, begin it: {2}.");
const WHICH_ENTRY: Message = message("which_entry")
    .what("请写明是“{0}”的哪一个{1}。", "Which {1} of {0:?}?")
    .why("不止一个{1}可以这样办理。", "More than one can be meant.")
    .next("可选的有:{2}。请写 {3}=序号。", "There are: {2}. Give {3}=NUMBER.");
const NO_SUCH_ENTRY: Message = message("which_entry")
    .what("“{0}”没有叫作“{4}”的{1}。", "{0:?} has no {1} that is called {4:?}.")
    .why(
        "{1}可写序号、编号的开头(至少 8 位)或它的名称。",
        "One is called by its number, the beginning of its id (8 digits or more) or its name.",
    )
    .next("可选的有:{2}。请写 {3}=序号。", "There are: {2}. Give {3}=NUMBER.");
const NONE_TO_WRITE: Message = message("no_entry")
    .what("“{0}”没有叫作“{1}”的{2}。", "{0:?} has no {2} that is called {1:?}.")
    .why(
        "填写只改写已有的,不会因写错而新建。",
        "Setting a part writes in one that is there, and makes none by mistake.",
    )
    .next("要另立一项,请用 {3}。", "To make one, use {3}.");
/// So somebody says that an entry is to be made, where no command does that.
const NEW: [&str; 2] = ["new", "新"];
/// So an entry is named for all that have none of their own, where entries are named after something.
const ALL: &str = "all";

/// The entry that a command writes in.
enum Called<'a, 'e> {
    One(&'e Entry<'a>),
    Several(Vec<&'e Entry<'a>>),
    None,
}

impl<'a> Planner<'a> {
    /// Writes a field.
    pub fn set<T: Value>(&mut self, record: RecordId, field: &FieldOf<T>, value: impl Into<T>) {
        self.put_field(record, &field.field, value.into().scalar());
    }

    pub fn clear<T>(&mut self, record: RecordId, field: &FieldOf<T>) {
        self.put_field(record, &field.field, Scalar::Null);
    }

    /// Writes today into a field of the record that the command is about; once.
    pub fn set_today(&mut self, field: &FieldOf<String>) -> Result<(), Refusal> {
        let record = self.subject()?;
        if let Some(day) = field.read(&record.history) {
            return Err(SINCE_ALREADY.about(&[record.title().into(), field.field.label.into(), day.into()]));
        }
        self.set(record.id, field, self.today());
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

    /// Takes a decision in place of all that stand, whatever they are: for settling.
    pub fn decide_again(&mut self, record: &Record, field: &StateOf, state: &str) {
        let cites = field.read(&record.history).open;
        let text = Decision { state, effective_on: self.today(), cites, ..Decision::default() }.to_text();
        self.put_decision(record.id, &field.field, text);
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
        self.note_entry(&entry);
        Ok(())
    }

    /// The entry that is meant, of those which this part may lead on: by its name, a beginning of that, what else it is called or its
    /// number; of several that are called so the one that is due; or the only one, of those that `is_likely` holds of.
    pub fn entry_meant<T>(
        &self,
        record: &'a Record,
        part: &PartOf<T>,
        is_likely: impl Fn(&Entry<'a>) -> bool,
    ) -> Result<Entry<'a>, Refusal> {
        let kind = self.kind_of(record)?;
        let led = kind.field(part.part.of).and_then(|field| Some((field, field.led_to(part.part.name)?)));
        let (field, to) = led.ok_or_else(|| Refusal::wrong_field(kind, part.part.of))?;
        let is_due = |at: &&Entry<'a>| {
            let now = field.state_of(at, &*record.derived);
            now.is_some_and(|now| to.may_follow(now) && to.word.name != now.word.name)
        };
        let all = Entry::numbered(&record.history, field.name);
        let due: Vec<&Entry<'a>> = all.iter().filter(is_due).collect();
        let named = self.text(field.noun.name);
        let called = named.map_or(Called::None, |named| self.called(field, &all, named));
        let one = match (named, called) {
            (_, Called::One(one)) => one,
            (_, Called::Several(several)) => {
                let due: Vec<&Entry<'a>> = several.iter().copied().filter(is_due).collect();
                match &due[..] {
                    [one] => *one,
                    [] => return Err(self.which_entry(record, field, &all, &several, (field.noun.name, None))),
                    due => return Err(self.which_entry(record, field, &all, due, (field.noun.name, None))),
                }
            }
            (Some(named), Called::None) => {
                return Err(self.which_entry(record, field, &all, &due, (field.noun.name, Some(named))));
            }
            (None, Called::None) => {
                let likely: Vec<&Entry<'a>> = due.iter().copied().filter(|at| is_likely(at)).collect();
                if let [only] = &all[..] {
                    // Of the only one it is said why it is not due.
                    self.check_led(record, field, only, to)?;
                }
                match &likely[..] {
                    [one] => *one,
                    _ => return Err(self.which_entry(record, field, &all, &due, (field.noun.name, None))),
                }
            }
        };
        self.check_led(record, field, one, to)?;
        match field.state_of(one, &*record.derived) {
            // Nothing would change, and whoever says it again may mean another.
            Some(now) if now.word.name == to.word.name => {
                Err(Refusal::entry_state(record, field, &field.told(one, self.world().seats()), now, to))
            }
            _ => Ok(one.clone()),
        }
    }

    /// The entry of a field that is meant, whatever state it is in: by what somebody calls it, or the only one of those that `is_likely`
    /// holds of.
    pub fn entry_called(
        &self,
        record: &'a Record,
        of: &EntriesOf,
        is_likely: impl Fn(&Entry<'a>) -> bool,
    ) -> Result<Entry<'a>, Refusal> {
        let kind = self.kind_of(record)?;
        let field = kind.field(of.field.name).ok_or_else(|| Refusal::wrong_field(kind, of.field.name))?;
        let all = Entry::numbered(&record.history, field.name);
        let likely: Vec<&Entry<'a>> = all.iter().filter(|at| is_likely(at)).collect();
        let named = self.text(field.noun.name);
        match (named.map_or(Called::None, |named| self.called(field, &all, named)), &likely[..]) {
            (Called::One(one), _) => Ok(one.clone()),
            (Called::None, [one]) if named.is_none() => Ok((*one).clone()),
            (Called::Several(several), _) => {
                Err(self.which_entry(record, field, &all, &several, (field.noun.name, None)))
            }
            (Called::None, likely) => Err(self.which_entry(record, field, &all, likely, (field.noun.name, named))),
        }
    }

    /// The name of the entry of a field in which the command `record.set` writes, by what somebody calls it. None is made by a slip:
    /// what there is not is made by its command, by [`NEW`] where it has none, or is named after what it is for. `of`: whose a new one is.
    pub(super) fn entry_to_set(
        &mut self,
        record: &Record,
        field: &Field,
        text: Option<&str>,
        of: SeatId,
    ) -> Result<String, Refusal> {
        let seats = self.world().seats();
        // Each seat has a slot of its own, be there something in it or not.
        let slot = text.filter(|_| matches!(field.merge, Merge::Slot(_)));
        if let Some(seat) = slot.and_then(|text| ValueType::Seat.parse_key(text, seats)) {
            return Ok(seat);
        }
        let all = Entry::numbered(&record.history, field.name);
        let every: Vec<&Entry<'_>> = all.iter().collect();
        let by_hand = field.begun_by == BEGUN_BY_HAND && matches!(field.merge, Merge::Entries(_));
        let called = match text {
            Some(text) => self.called(field, &all, text),
            None if all.len() == 1 => Called::One(&all[0]),
            None if all.is_empty() => Called::None,
            None => Called::Several(every.clone()),
        };
        let text = text.unwrap_or_default();
        match called {
            Called::One(at) => {
                let name = at.name.to_owned();
                self.note_result("entry", name.clone());
                Ok(name)
            }
            Called::Several(several) => Err(self.which_entry(record, field, &all, &several, (ENTRY.name, None))),
            Called::None => match field.named_after.filter(|_| by_hand) {
                Some(_) if text == ALL => Ok(ALL.to_owned()),
                Some(after) => after.parse_key(text, seats).ok_or_else(|| Refusal::bad_value(&ENTRY, text, after)),
                None if by_hand && NEW.contains(&text) => {
                    // An entry of a seat's own is named so.
                    let own = matches!(field.writer, Writer::Party(_));
                    Ok(if own { self.entry_of(of) } else { self.entry() })
                }
                None if all.is_empty() || by_hand => {
                    let by = if by_hand { format!("entry={}", NEW[0]) } else { field.begun_by.to_owned() };
                    let (title, noun) = (record.title().into(), field.noun.label.into());
                    Err(NONE_TO_WRITE.about(&[title, text.into(), noun, by.into()]))
                }
                None => {
                    let named = Some(text).filter(|text| !text.is_empty());
                    Err(self.which_entry(record, field, &all, &every, (ENTRY.name, named)))
                }
            },
        }
    }

    /// Those that somebody means who writes this.
    fn called<'e>(&self, field: &Field, all: &'e [Entry<'a>], text: &str) -> Called<'a, 'e> {
        let seats = self.world().seats();
        if let Some(one) = all.iter().find(|at| at.name == text) {
            return Called::One(one);
        }
        let found = |is_it: &dyn Fn(&&Entry<'a>) -> bool| all.iter().filter(|at| is_it(at)).collect::<Vec<_>>();
        let mut called = found(&|at| field.is_called(at, text, seats));
        if called.is_empty()
            && let Some(at) = text.parse::<usize>().ok().and_then(|number| all.get(number.checked_sub(1)?))
        {
            called.push(at);
        }
        if called.is_empty() {
            called = found(&|at| at.begins_with(text));
        }
        match &called[..] {
            [one] => Called::One(one),
            [] => Called::None,
            _ => Called::Several(called),
        }
    }

    /// Asks which of these is meant, by the numbers that they have among all; `named`: what was given for the argument is none of them.
    fn which_entry(
        &self,
        record: &Record,
        of: &Field,
        all: &[Entry<'_>],
        these: &[&Entry<'_>],
        (argument, named): (&str, Option<&str>),
    ) -> Refusal {
        let (title, noun): (Explanation, Explanation) = (record.title().into(), of.noun.label.into());
        if these.is_empty() {
            return NO_ENTRY.about(&[title, noun, of.begun_by.into()]);
        }
        let numbered = all.iter().zip(1..).filter(|(at, _)| these.iter().any(|one| one.name == at.name));
        let said =
            numbered.map(|(at, number)| format!("{number}. {} ({})", of.told(at, self.world().seats()), at.short()));
        let asked = [title, noun, listed(said), argument.into()];
        match named {
            None => WHICH_ENTRY.about(&asked),
            Some(named) => {
                let [title, noun, said, argument] = asked;
                NO_SUCH_ENTRY.about(&[title, noun, said, argument, named.into()])
            }
        }
    }
}

impl RecordWrite {
    /// The fields that are written, as often as they are.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        let own = self.writes.iter().filter(|put| put.container != Container::Scope);
        own.filter_map(|put| put.key.split('/').next())
    }

    /// What is written in a field, before it is sealed; none if it is not, or cleared.
    #[must_use]
    pub fn value_of<T: Value>(&self, field: &FieldOf<T>) -> Option<T> {
        let put = self.writes.iter().find(|put| field.is(put.container, &put.key))?;
        match &put.value {
            WriteValue::Value(value) | WriteValue::ToSeal(Plaintext(value)) => T::of(value),
            WriteValue::Member(_) => None,
        }
    }
}

impl Planned<'_> {
    /// What a field of one value would say: what is written, or what stands.
    #[must_use]
    pub fn value_of<T: Value>(&self, field: &FieldOf<T>) -> Option<T> {
        let is_written = self.write.writes.iter().any(|put| field.is(put.container, &put.key));
        if is_written { self.write.value_of(field) } else { self.before.and_then(|record| field.read(&record.history)) }
    }

    /// The state that is decided, with the decision.
    #[must_use]
    pub fn decided(&self, field: &StateOf) -> Option<(&'static State, Decision<'_>)> {
        let Merge::State(machine) = field.field.merge else { return None };
        let is_its =
            |put: &&Write| put.container == Container::Log && put.key.split('/').next() == Some(field.field.name);
        let WriteValue::Value(value) = &self.write.writes.iter().rfind(is_its)?.value else { return None };
        let decision = Decision::parse(value.as_text()?)?;
        Some((machine.state(decision.state)?, decision))
    }
}

/// The messages of this room.
pub(crate) const MESSAGES: &[&Message] = &[&NO_ENTRY, &WHICH_ENTRY, &NO_SUCH_ENTRY, &NONE_TO_WRITE];
