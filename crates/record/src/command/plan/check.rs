//! What a plan is refused for, whatever command makes it: the request does not fit what the command takes, or the writes as a whole are
//! not complete, not possible or not within the asker's authority.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Argument, Plan, Planned, Planner};
use crate::authority::may_write;
use crate::change::{Container, Note, Scalar};
use crate::command::argument::{KIND_ARGUMENT, Subject};
use crate::command::misnamed::Named;
use crate::command::refusal::{NOT_YOURS, NOTHING, UNKNOWN_SEAT};
use crate::command::write::{RecordWrite, Write, WriteValue};
use crate::conflict::Explanation;
use crate::entry::Entry;
use crate::history::History;
use crate::id::Actor;
use crate::kind::{EntryState, Field, Kind, RECORD};
use crate::message::Refusal;
use crate::naming::kind_of;
use crate::schema::{Written, named_seat};
use crate::sealed;
use crate::seats::Seats;
use crate::view::Record;

impl Planner<'_> {
    pub(crate) fn check_subject(&self) -> Result<(), Refusal> {
        match (self.command.subject, self.request.subject) {
            (Subject::None, _) => Ok(()),
            (Subject::Any, None) => Err(Refusal::no_subject(RECORD)),
            (Subject::Of(kind), None) => Err(Refusal::no_subject(kind)),
            (Subject::Any, Some(id)) => self.load(id).map(|_| ()),
            (Subject::Of(kind), Some(id)) => self.load_kind(id, kind).map(|_| ()),
        }
    }

    pub(crate) fn check_arguments(&self) -> Result<(), Refusal> {
        self.check_typed()?;
        let command = self.command;
        // Which fields there are the kind says: of one that is not known nothing else is said.
        let named = self.text(KIND_ARGUMENT).filter(|_| command.takes_fields && command.subject == Subject::None);
        let kind = match (named, command.takes_fields.then_some(self.request.subject).flatten()) {
            (Some(name), _) => Some(self.kind_called(name).ok_or_else(|| self.unknown_kind(name))?),
            (None, Some(subject)) => self.load(subject)?.kind(),
            (None, None) => None,
        };
        // Of what is there already the fields of its file too.
        let file = kind.and_then(|kind| kind.file).filter(|_| command.subject != Subject::None);
        let kinds = || kind.into_iter().chain(file);
        for (name, text) in &self.request.arguments {
            if let Some(argument) = command.arguments.iter().find(|a| a.name == name) {
                self.check_argument(argument, text)?;
            } else if kinds().all(|kind| kind.field(name).is_none()) {
                let fields = kinds().flat_map(Kind::fields).map(Named::from);
                let known = command.arguments.iter().map(Named::from).chain(fields);
                return Err(Refusal::unknown_argument(command.name, name, known));
            }
        }
        let absent = |a: &&Argument| a.required && self.text(a.name).is_none();
        match command.arguments.iter().find(absent) {
            Some(argument) => Err(Refusal::missing(argument, &argument.value.expects())),
            None => Ok(()),
        }
    }

    fn check_argument(&self, argument: &Argument, text: &str) -> Result<(), Refusal> {
        let parts = text.split(if argument.many { ',' } else { '\0' });
        let wrong = |part: &&str| argument.value.parse(part, self.world.seats()).is_none();
        match parts.filter(|p| !p.trim().is_empty()).find(wrong) {
            Some(part) => Err(Refusal::bad_value(argument, part, argument.value)),
            None => Ok(()),
        }
    }

    /// Checks the plan as a whole: complete, possible, and within the asker's authority.
    pub(crate) fn finish(mut self) -> Result<Plan, Refusal> {
        if self.writes.is_empty() {
            return Err(NOTHING.refuse());
        }
        self.spell();
        self.writes.iter().try_for_each(|write| self.check_write(write))?;
        // Settling chooses among what stands already.
        if !self.settles {
            self.writes.iter().try_for_each(|write| self.check_proper(write))?;
            self.writes.iter().try_for_each(|write| self.check_hard_rules(write))?;
            self.writes.iter().try_for_each(|write| self.check_entries(write))?;
        }
        Ok(Plan { writes: self.writes, result: self.result })
    }

    fn check_hard_rules(&self, write: &RecordWrite) -> Result<(), Refusal> {
        let before = self.met(write.record);
        let made = write.create.as_ref().map(|preimage| &*preimage.kind);
        let Some(kind) = made.or_else(|| Some(&*before?.preimage.kind)) else { return Ok(()) };
        let planned = Planned { planner: self, write, before, after: OnceCell::new() };
        self.declared.hard_rules(kind).iter().try_for_each(|holds| holds(self, &planned))?;
        for field in kind_of(self.declared.kinds(), kind).into_iter().flat_map(Kind::fields) {
            for state in field.states.iter().filter(|state| state.never_while.is_some() || state.once_for.is_some()) {
                self.check_state(field, state, &planned)?;
            }
        }
        Ok(())
    }

    /// No entry gets into a state that is kept from it, and none that is there is told to leave.
    fn check_state(&self, field: &Field, state: &EntryState, planned: &Planned<'_>) -> Result<(), Refusal> {
        let after = planned.after()?;
        let stood = planned.before.map_or_else(Vec::new, |record| entries_in(record, field, state));
        let stands = entries_in(after, field, state);
        for at in &stands {
            let before = stood.iter().find(|before| before.name == at.name);
            if let Some((holds, message)) = state.never_while
                && before.is_none()
                && holds(at)
            {
                return Err(message.about(&[after.title().into()]));
            }
            let Some((part, message)) = state.once_for else { continue };
            let says = at.value(part.name);
            if says.is_none() || before.is_some_and(|before| before.value(part.name) == says) {
                continue;
            }
            let mut others = stands.iter().filter(|other| other.name != at.name);
            if let Some(other) = others.find(|other| other.value(part.name) == says) {
                let told = field.told(other, self.world.seats());
                return Err(message.about(&[after.title().into(), told.into(), other.short().into()]));
            }
        }
        Ok(())
    }

    /// The record as it would be with what is written.
    pub(super) fn planned(&self, write: &RecordWrite, before: Option<&Record>) -> Result<Record, Refusal> {
        write.planned(before, self.declared.kinds(), self.world.seats())
    }

    /// An entry goes from state to state as it is declared, whichever command writes the part that leads there.
    fn check_entries(&self, write: &RecordWrite) -> Result<(), Refusal> {
        let Some((record, kind)) = self.met(write.record).and_then(|record| Some((record, record.kind()?))) else {
            return Ok(());
        };
        let set = write.writes.iter().filter(|put| put.value != WriteValue::Value(Scalar::Null));
        for put in set.filter(|put| put.container == Container::Slot) {
            let mut path = put.key.split('/');
            let (Some(field), Some(entry), Some(part)) = (path.next(), path.next(), path.next()) else { continue };
            let Some((field, to)) = kind.field(field).and_then(|field| Some((field, field.led_to(part)?))) else {
                continue;
            };
            if let Some(at) = Entry::find(&record.history, field.name, entry) {
                self.check_led(record, field, &at, to)?;
            }
        }
        Ok(())
    }

    /// Whether an entry may be led from where it is to this state.
    pub(in crate::command) fn check_led(
        &self,
        record: &Record,
        field: &Field,
        at: &Entry<'_>,
        to: &EntryState,
    ) -> Result<(), Refusal> {
        match field.state_of(at, &*record.derived) {
            Some(now) if !to.may_follow(now) => {
                Err(Refusal::entry_state(record, field, &field.told(at, self.world.seats()), now, to))
            }
            _ => Ok(()),
        }
    }

    /// What a write is about, for people: of what is made there is only its kind to name.
    fn title_of(&self, write: &RecordWrite) -> Explanation {
        match (&write.create, self.met(write.record)) {
            (Some(preimage), _) => match kind_of(self.declared.kinds(), &preimage.kind) {
                Some(kind) => kind.label.into(),
                None => preimage.kind.as_str().into(),
            },
            (None, Some(record)) => record.title().into(),
            (None, None) => write.record.short().into(),
        }
    }

    fn check_write(&self, write: &RecordWrite) -> Result<(), Refusal> {
        let empty = History::new();
        let (preimage, at, owners) = match &write.create {
            Some(preimage) => (preimage, &empty, &BTreeSet::from([preimage.birth])),
            None => {
                let met = self.met(write.record).ok_or_else(|| Refusal::not_here(write.record))?;
                (&met.preimage, &*met.history, &met.view.owners)
            }
        };
        // Somebody sees what is public, and does not write it for that.
        let is_beside = self.beside.contains(&write.record);
        if !is_beside && !self.sight.has(&preimage.kind, owners, self.world.seats()) {
            return Err(NOT_YOURS.about(&[self.title_of(write)]));
        }
        let kind = kind_of(self.declared.kinds(), &preimage.kind).ok_or_else(|| self.unknown_kind(&preimage.kind))?;
        let lacks =
            |name: &str| !write.writes.iter().any(|w| w.key == name && w.value != WriteValue::Value(Scalar::Null));
        if write.create.is_some()
            && let Some(field) = kind.fields().find(|f| f.required && lacks(f.name))
        {
            return Err(Refusal::missing(field, &field.value.expects()));
        }
        // Whatever writes it: a record keeps what every one of its kind has.
        let is_emptied = |field: &&Field| {
            let is_it = |w: &Write| w.container == field.merge.container() && w.key == field.name;
            field.required && write.writes.iter().any(|w| is_it(w) && w.value == WriteValue::Value(Scalar::Null))
        };
        if let Some(field) = kind.fields().find(|field| is_emptied(field)) {
            return Err(Refusal::emptied(self.title_of(write), field));
        }
        let (inside, outside) = (Scalar::from("i"), Scalar::from("o"));
        let to_be_sealed = sealed::placeholder();
        let written = write.writes.iter().map(|w| Written {
            container: w.container,
            key: &w.key,
            value: match &w.value {
                WriteValue::Value(value) => value,
                WriteValue::ToSeal(_) => &to_be_sealed,
                WriteValue::Member(true) => &inside,
                WriteValue::Member(false) => &outside,
            },
            replaces: w.container != Container::Log && !at.visible(w.container, &w.key).is_empty(),
        });
        let written: Vec<Written<'_>> = written.collect();
        let seats = self.world.seats();
        let named = written.iter().filter_map(|w| named_seat(kind.gate(), *w));
        if let Some(unknown) = named.into_iter().find(|seat| seats.get(*seat).is_none()) {
            return Err(UNKNOWN_SEAT.about(&[unknown.to_string().into()]));
        }
        may_write(self.seat, &written, preimage, &at.now(), kind.gate(), self.world.seats())
            .map_err(|error| Refusal::no_authority(&error, kind, &self.world.seats().name(self.seat)))
    }
}

impl RecordWrite {
    /// The record as it would be with this.
    pub fn planned(&self, before: Option<&Record>, kinds: &[&'static Kind], seats: &Seats) -> Result<Record, Refusal> {
        let preimage = self.create.clone().or_else(|| Some(before?.preimage.clone()));
        let preimage = preimage.ok_or_else(|| Refusal::not_here(self.record))?;
        let history = before.map_or_else(|| Arc::new(History::new()), |record| Arc::clone(&record.history));
        // Nobody is shown this change: whose it is, when it was and what sealed values say decides no rule.
        let mut seal = |_: &_, _: &_, _: &_| Ok(sealed::placeholder().as_bytes().unwrap_or_default().to_vec());
        let nobody =
            (0..=u8::MAX).map(|n| Actor([n; 16])).find(|actor| history.seq(*actor) == 0).unwrap_or(Actor([0; 16]));
        let change = self.change(&history, nobody, 0, Note::default(), &mut seal)?;
        let kind = kind_of(kinds, &preimage.kind);
        Ok(Record::fold(kind, preimage, history.with(Arc::new(change)), seats))
    }
}

fn entries_in<'r>(record: &'r Record, field: &'r Field, state: &EntryState) -> Vec<Entry<'r>> {
    let is_here = |now: &EntryState| now.word.name == state.word.name;
    field.entries_of(record).filter(|(_, now)| now.is_some_and(is_here)).map(|(at, _)| at).collect()
}
