//! What a command writes: collected by the planner, and checked as a whole.

use std::collections::BTreeMap;

use heliu_words::Explanation;

use crate::authority::may_write;
use crate::change::{Container, Scalar};
use crate::command::argument::{Argument, Subject};
use crate::command::misnamed::Named;
use crate::command::request::{Asker, Request, drawn};
use crate::command::write::{RecordWrite, Write, WriteValue};
use crate::conflict::{Conflict, ConflictValue};
use crate::decision::{self, Decision};
use crate::handle::tell;
use crate::history::History;
use crate::id::{Preimage, RecordId, SeatId, to_hex};
use crate::kind::{Field, Kind, Merge, RECORD, ValueType, Word};
use crate::message::Refusal;
use crate::naming::{kind_called, kind_of};
use crate::schema::{Written, named_seat};
use crate::scope::{CLASS, OWNER, seat_key};
use crate::sealed::{self, Plaintext};
use crate::view::Record;
use crate::world::World;

/// Everything that one command writes. Its records are one commit where the commit's limits allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub writes: Vec<RecordWrite>,
    /// Ids that the command made, by what they are: `record`, `entry`.
    pub result: BTreeMap<String, String>,
}

/// What is declared, as far as plans ask for it.
pub trait Declared {
    fn kinds(&self) -> &[&'static Kind];
    fn hard_rules(&self, kind: &str) -> &[HardRule];
    /// The open conflicts that have a record as an anchor.
    fn conflicts(&self, record: RecordId, world: &dyn World) -> Vec<Conflict>;
    fn settler(&self, finding: &str) -> Option<&'static Settler>;
    fn say_finding(&self, finding: &str) -> Explanation;
    fn say_choice(&self, conflict: &Conflict, choice: &str) -> Explanation;
}

/// What a plan must keep in one record, whatever command writes it. It blocks at the author's node, and never a merge.
pub type HardRule = fn(&Planner<'_>, &RecordWrite) -> Result<(), Refusal>;

/// What follows from choosing a value in a conflict, beside the settlement itself.
#[derive(Debug)]
pub struct Settler {
    /// The kind of conflict.
    pub of: &'static str,
    /// The values to choose from, where they are no values of the field.
    pub choices: &'static [Word],
    /// Whether another record than those that disagree may be chosen.
    pub takes_any_record: bool,
    pub run: fn(&mut Planner<'_>, &Conflict, &ConflictValue) -> Result<(), Refusal>,
}

#[must_use]
pub const fn settler(
    of: &'static str,
    run: fn(&mut Planner<'_>, &Conflict, &ConflictValue) -> Result<(), Refusal>,
) -> Settler {
    Settler { of, choices: &[], takes_any_record: false, run }
}

impl Settler {
    #[must_use]
    pub const fn choices(self, choices: &'static [Word]) -> Self {
        Settler { choices, ..self }
    }

    #[must_use]
    pub const fn takes_any_record(self) -> Self {
        Settler { takes_any_record: true, ..self }
    }
}

/// A command as its plan sees it.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub name: &'static str,
    pub subject: Subject,
    pub arguments: &'static [Argument],
    pub takes_fields: bool,
}

/// Collects the writes of a command while it runs.
pub struct Planner<'a> {
    command: Asked,
    declared: &'a dyn Declared,
    request: &'a Request,
    seat: SeatId,
    today: &'a str,
    /// How many keys have been drawn.
    drawn: u64,
    /// What the asker is shown.
    world: &'a dyn World,
    whole: &'a dyn World,
    writes: Vec<RecordWrite>,
    result: BTreeMap<String, String>,
    settles: bool,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(
        command: Asked,
        declared: &'a dyn Declared,
        request: &'a Request,
        asker: &'a Asker,
        world: &'a dyn World,
        whole: &'a dyn World,
    ) -> Self {
        let Asker { seat, today, .. } = asker;
        let (writes, result) = (Vec::new(), BTreeMap::new());
        Planner {
            command,
            declared,
            request,
            seat: *seat,
            today,
            drawn: 0,
            world,
            whole,
            writes,
            result,
            settles: false,
        }
    }

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
        let command = self.command;
        let kind = self.text("kind").filter(|_| command.takes_fields).and_then(|name| self.kind_called(name));
        for (name, text) in &self.request.arguments {
            if let Some(argument) = command.arguments.iter().find(|a| a.name == name) {
                self.check_argument(argument, text)?;
            } else if kind.and_then(|k| k.field(name)).is_none() {
                let fields = kind.into_iter().flat_map(Kind::fields).map(Named::from);
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
            Some(_) if argument.sealed => Err(Refusal::bad_sealed_value(argument, argument.value)),
            Some(part) => Err(Refusal::bad_value(argument, part, argument.value)),
            None => Ok(()),
        }
    }

    /// What the asker is shown of the records here: whatever a refusal names is from it.
    #[must_use]
    pub fn world(&self) -> &'a dyn World {
        self.world
    }

    /// Everything that is here, for rules that must hold whoever asks. What is found in it alone is not to be named.
    #[must_use]
    pub fn whole(&self) -> &'a dyn World {
        self.whole
    }

    /// The seat for which the command is carried out.
    #[must_use]
    pub fn seat(&self) -> SeatId {
        self.seat
    }

    /// An argument, unless it is absent or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.request.arguments.get(name).map(|t| t.trim()).filter(|t| !t.is_empty())
    }

    /// An argument as a value of a type, unless it is absent, empty or none of that type.
    pub(super) fn parsed(&self, name: &str, value: ValueType) -> Option<Scalar> {
        self.text(name).and_then(|text| value.parse(text, self.world.seats()))
    }

    /// An argument that is one of a list, as its code.
    #[must_use]
    pub fn choice(&self, name: &str) -> Option<&'static str> {
        let (text, ValueType::Choice(choices)) = (self.text(name)?, self.argument(name)?.value) else { return None };
        choices.iter().find(|choice| choice.name == text || choice.label.is(text)).map(|choice| choice.name)
    }

    #[must_use]
    pub fn today(&self) -> &'a str {
        self.today
    }

    #[must_use]
    pub fn text_or_today(&self, name: &str) -> &'a str {
        self.text(name).unwrap_or(self.today)
    }

    pub fn list(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.text(name).unwrap_or_default().split(',').map(str::trim).filter(|t| !t.is_empty())
    }

    #[must_use]
    pub fn seat_argument(&self, name: &str) -> Option<SeatId> {
        self.parsed(name, ValueType::Seat).as_ref().and_then(Scalar::as_seat)
    }

    #[must_use]
    pub fn record_argument(&self, name: &str) -> Option<RecordId> {
        self.text(name)?.parse().ok()
    }

    /// A required argument that names a record.
    pub fn need_record(&self, name: &'static str) -> Result<RecordId, Refusal> {
        let value = self.argument(name).map_or(ValueType::Record(RECORD), |argument| argument.value);
        self.record_argument(name).ok_or_else(|| Refusal::missing(self.named(name), &value.expects()))
    }

    pub fn subject(&self) -> Result<&'a Record, Refusal> {
        let id = self.request.subject.ok_or_else(|| Refusal::no_subject(RECORD))?;
        self.load(id)
    }

    fn argument(&self, name: &str) -> Option<&'static Argument> {
        self.command.arguments.iter().find(|argument| argument.name == name)
    }

    /// What people call an argument of this command.
    #[must_use]
    pub fn named<'n>(&self, name: &'n str) -> Named<'n> {
        self.argument(name).map_or(Named { code: name, zh: name }, Named::from)
    }

    pub fn load(&self, id: RecordId) -> Result<&'a Record, Refusal> {
        self.world.record(id).ok_or_else(|| Refusal::not_here(id))
    }

    pub fn load_kind(&self, id: RecordId, kind: Word) -> Result<&'a Record, Refusal> {
        let record = self.load(id)?;
        if record.preimage.kind == kind.name { Ok(record) } else { Err(Refusal::wrong_kind(record, kind)) }
    }

    /// A name for a new entry.
    pub fn entry(&mut self) -> String {
        let entry = to_hex(&self.draw());
        self.result.insert("entry".to_owned(), entry.clone());
        entry
    }

    /// A name for a new entry of a seat; see [`crate::schema::whose_entry`].
    pub fn entry_of(&mut self, seat: SeatId) -> String {
        let entry = format!("{seat}-{}", to_hex(&self.draw()[..15]));
        self.result.insert("entry".to_owned(), entry.clone());
        entry
    }

    fn draw(&mut self) -> [u8; 16] {
        self.drawn += 1;
        drawn(&self.request.id, self.drawn)
    }

    /// Begins a new record of a kind, owned by `birth`.
    pub fn create(&mut self, kind: &'static Kind, birth: SeatId) -> RecordId {
        let preimage = Preimage { kind: kind.name.to_owned(), birth, key: self.draw().to_vec() };
        let id = preimage.id();
        // The same command may have made it already, at another node: whoever carries this out looks and refuses.
        let _ = self.world.record(id);
        self.writes.push(RecordWrite { record: id, create: Some(preimage), writes: Vec::new() });
        self.put(id, Container::Scope, CLASS.to_owned(), Scalar::from(kind.class.name()));
        self.put_owner(id, birth);
        self.result.insert("record".to_owned(), id.to_string());
        id
    }

    pub fn put(&mut self, record: RecordId, container: Container, key: impl Into<String>, value: Scalar) {
        self.write(record, Write { container, key: key.into(), value: WriteValue::Value(value) });
    }

    /// Says whose a record is from now on.
    pub fn put_owner(&mut self, record: RecordId, owner: SeatId) {
        self.put(record, Container::Scope, OWNER, Scalar::Bytes(owner.0.to_vec()));
    }

    /// Puts an element into a set, or takes it out.
    pub fn put_member(&mut self, record: RecordId, container: Container, key: impl Into<String>, present: bool) {
        self.write(record, Write { container, key: key.into(), value: WriteValue::Member(present) });
    }

    /// Shares a record with a seat, unless it has it anyway.
    pub fn add_participant(&mut self, record: RecordId, seat: SeatId) {
        let has = self.world.record(record).is_some_and(|r| r.view.seats.contains(&seat));
        if !has {
            self.put_member(record, Container::Scope, seat_key(seat), true);
        }
    }

    /// Writes a field that is one value; a sealed one is to be sealed. Clearing a field is no secret.
    pub fn put_field(&mut self, record: RecordId, field: &Field, value: Scalar) {
        let value = match value {
            value if field.sealed && value != Scalar::Null => WriteValue::ToSeal(Plaintext(value)),
            value => WriteValue::Value(value),
        };
        self.write(record, Write { container: field.merge.container(), key: field.name.to_owned(), value });
    }

    /// The first decision about a record has a short name of its own: it is there once in every record.
    pub(super) fn put_first_state(&mut self, record: RecordId, field: &Field, state: &str) {
        self.put(record, field.merge.container(), format!("{}/0", field.name), Scalar::from(state));
    }

    /// Takes a decision that supersedes those that stand, if the state may be reached from the present one: from the day and under
    /// the number that the command's arguments `effective_on` and `decision_no` say.
    pub fn decide(&mut self, record: &Record, field: &str, state: &str) -> Result<(), Refusal> {
        let (effective_on, number) = (self.text_or_today("effective_on"), self.text("decision_no").unwrap_or_default());
        let kind = record.kind().ok_or_else(|| self.unknown_kind(&record.preimage.kind))?;
        let Some((field, Merge::State(machine))) = kind.field_called(field).map(|f| (f.name, f.merge)) else {
            return Err(Refusal::wrong_field(kind, field));
        };
        let standing = decision::fold(machine, &record.history, field);
        let target = machine.state_called(state).ok_or_else(|| Refusal::unknown_state(state, machine))?;
        if !target.from.contains(&standing.state.name) {
            return Err(Refusal::transition(record, standing.state, target, machine));
        }
        let entry = to_hex(&self.draw());
        let text = Decision { state: target.name, effective_on, number, cites: standing.open }.to_text();
        self.put(record.id, Container::Log, format!("{field}/{entry}"), Scalar::Text(text));
        Ok(())
    }

    pub(super) fn write(&mut self, record: RecordId, write: Write) {
        let index = self.writes.iter().position(|w| w.record == record).unwrap_or_else(|| {
            self.writes.push(RecordWrite { record, create: None, writes: Vec::new() });
            self.writes.len() - 1
        });
        let writes = &mut self.writes[index].writes;
        // A change writes a key once.
        match writes.iter_mut().find(|w| w.container == write.container && w.key == write.key) {
            Some(same) => *same = write,
            None => writes.push(write),
        }
    }

    /// Checks the plan as a whole: complete, possible, and within the asker's authority.
    pub(crate) fn finish(self) -> Result<Plan, Refusal> {
        if self.writes.is_empty() {
            return Err(Refusal::nothing());
        }
        self.writes.iter().try_for_each(|write| self.check_write(write))?;
        // Settling chooses among what stands already.
        if !self.settles {
            self.writes.iter().try_for_each(|write| self.check_hard_rules(write))?;
            self.writes.iter().try_for_each(|write| self.check_entries(write))?;
        }
        Ok(Plan { writes: self.writes, result: self.result })
    }

    fn check_hard_rules(&self, write: &RecordWrite) -> Result<(), Refusal> {
        let made = write.create.as_ref().map(|preimage| &*preimage.kind);
        let kind = made.or_else(|| Some(&*self.world.record(write.record)?.preimage.kind));
        kind.map_or(&[][..], |kind| self.declared.hard_rules(kind)).iter().try_for_each(|holds| holds(self, write))
    }

    /// An entry goes from state to state as it is declared, whichever command writes the part that leads there.
    fn check_entries(&self, write: &RecordWrite) -> Result<(), Refusal> {
        let Some((record, kind)) = self.world.record(write.record).and_then(|record| Some((record, record.kind()?)))
        else {
            return Ok(());
        };
        for put in write.writes.iter().filter(|put| put.container == Container::Slot) {
            let mut path = put.key.split('/');
            let (Some(field), Some(entry), Some(part)) = (path.next(), path.next(), path.next()) else { continue };
            let Some(field) = kind.field(field).filter(|_| put.value != WriteValue::Value(Scalar::Null)) else {
                continue;
            };
            let led = field.states.iter().find(|state| state.by == Some(part));
            if let (Some(to), Some(now)) = (led, record.entry_state(field, entry))
                && !to.from.contains(&now.word.name)
            {
                let told = tell(field, entry, &record.history, self.world.seats());
                return Err(Refusal::entry_state(record, field, &told, now, to));
            }
        }
        Ok(())
    }

    #[must_use]
    pub fn declared(&self) -> &'a dyn Declared {
        self.declared
    }

    /// The kind of this code, or of this name in either language.
    #[must_use]
    pub fn kind_called(&self, text: &str) -> Option<&'static Kind> {
        kind_called(self.declared.kinds(), text)
    }

    /// A choice that is none of those there are.
    #[must_use]
    pub fn bad_choice(&self, conflict: &Conflict, choice: &str) -> Refusal {
        let choices = conflict.values.iter().zip(1..).filter(|(value, _)| !value.value.is_null());
        let said = choices.map(|(value, number)| (number, self.declared.say_choice(conflict, &value.choice())));
        Refusal::bad_choice(choice, said)
    }

    /// Of a kind that is only kept and relayed.
    pub(crate) fn unknown_kind(&self, name: &str) -> Refusal {
        Refusal::unknown_kind(name, self.declared.kinds().iter().copied())
    }

    fn check_write(&self, write: &RecordWrite) -> Result<(), Refusal> {
        let empty = History::new();
        let (preimage, at) = match &write.create {
            Some(preimage) => (preimage, &empty),
            None => self.load(write.record).map(|r| (&r.preimage, &*r.history))?,
        };
        let kind = kind_of(self.declared.kinds(), &preimage.kind).ok_or_else(|| self.unknown_kind(&preimage.kind))?;
        let lacks =
            |name: &str| !write.writes.iter().any(|w| w.key == name && w.value != WriteValue::Value(Scalar::Null));
        if write.create.is_some()
            && let Some(field) = kind.fields().find(|f| f.required && lacks(f.name))
        {
            return Err(Refusal::missing(field, &field.value.expects()));
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
            return Err(Refusal::unknown_seat(unknown));
        }
        may_write(self.seat, &written, preimage, &at.now(), kind.gate(), self.world.seats())
            .map_err(|error| Refusal::no_authority(&error, kind, &self.world.seats().name(self.seat)))
    }

    /// The plan settles a conflict.
    pub(crate) fn settles(&mut self) {
        self.settles = true;
    }

    /// The seat that a record belongs to; of several that say so, one.
    #[must_use]
    pub fn owner_of(&self, record: &Record) -> SeatId {
        record.view.owners.first().copied().unwrap_or(record.preimage.birth)
    }

    pub(crate) fn note_result(&mut self, name: &str, id: String) {
        self.result.insert(name.to_owned(), id);
    }
}
