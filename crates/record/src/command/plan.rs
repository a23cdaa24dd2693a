//! What a command is, and what it writes: collected by the planner, and checked as a whole.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use heliu_words::Explanation;

use crate::change::{Container, Scalar};
use crate::command::argument::{Argument, Ends, Makes, Subject};
use crate::command::misnamed::Named;
use crate::command::request::{Asker, Request, drawn};
use crate::command::write::{RecordWrite, Write, WriteValue};
use crate::conflict::{Conflict, ConflictValue, EMPTY};
use crate::decision::{self, Decision};
use crate::entry::Entry;
use crate::id::{Preimage, RecordId, SeatId, to_hex};
use crate::kind::{Field, Kind, Label, Merge, RECORD, ValueType, Word, label};
use crate::message::Refusal;
use crate::naming::kind_called;
use crate::scope::{CLASS, OWNER, seat_key};
use crate::sealed::Plaintext;
use crate::view::Record;
use crate::world::World;

mod check;

/// Everything that one command writes. Its records are one commit where the commit's limits allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub writes: Vec<RecordWrite>,
    /// Ids by what they are: the `record` that the command made, the `entry` that it made or wrote in.
    pub result: BTreeMap<String, String>,
}

/// What is declared, as far as plans ask for it.
pub trait Declared {
    fn kinds(&self) -> &[&'static Kind];
    fn hard_rules(&self, kind: &str) -> &[HardRule];
    /// The open conflicts that have a record as an anchor.
    fn conflicts(&self, record: RecordId, world: &dyn World) -> Vec<Conflict>;
    fn settler(&self, finding: &str) -> Option<&'static Settler>;
    /// What people read for the kind of a conflict; one that this version does not know has its code alone.
    fn say_finding(&self, finding: &str) -> Explanation;
    /// What people read for a value that they may choose; of a field's value, whichever kind of record has the field.
    fn say_choice(&self, conflict: &Conflict, choice: &str) -> Explanation;
}

/// What a plan must keep in one record, whatever command writes it, and in whatever part of it. It blocks at the author's node, and
/// never a merge: what others brought about apart is there before, and no reason to refuse what leaves it as it is.
pub type HardRule = fn(&Planner<'_>, &Planned<'_>) -> Result<(), Refusal>;

/// A record as a plan would leave it.
pub struct Planned<'p> {
    planner: &'p Planner<'p>,
    pub write: &'p RecordWrite,
    /// None: the plan makes it.
    pub before: Option<&'p Record>,
    after: OnceCell<Record>,
}

impl Planned<'_> {
    /// The record with what is written, folded for the first rule that asks.
    pub fn after(&self) -> Result<&Record, Refusal> {
        if let Some(after) = self.after.get() {
            return Ok(after);
        }
        self.planner.planned(self.write, self.before).map(|after| self.after.get_or_init(|| after))
    }
}

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

/// A command as data, for help, forms and the API.
#[derive(Debug)]
pub struct Command {
    /// As a clerk would say it: `member.transfer.issue`.
    pub name: &'static str,
    pub label: Label,
    pub help: Label,
    pub subject: Subject,
    /// What record it makes: who may not see such records may not make them either.
    pub makes: Makes,
    /// What is over once it has been carried out: people are asked first.
    pub ends: Ends,
    pub arguments: &'static [Argument],
    /// Whether it also takes the fields of a kind as arguments.
    pub takes_fields: bool,
    pub run: fn(&mut Planner<'_>) -> Result<(), Refusal>,
}

/// A command about a record of a kind.
#[must_use]
pub const fn about(
    kind: Word,
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    run: fn(&mut Planner<'_>) -> Result<(), Refusal>,
) -> Command {
    Command { subject: Subject::Of(kind), ..command(name, zh, en, run) }
}

/// A command that makes a record of a kind.
#[must_use]
pub const fn makes(
    kind: Word,
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    run: fn(&mut Planner<'_>) -> Result<(), Refusal>,
) -> Command {
    Command { makes: Makes::Kind(kind), ..command(name, zh, en, run) }
}

/// A command about no record, which takes nothing and makes nothing.
#[must_use]
pub const fn command(
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    run: fn(&mut Planner<'_>) -> Result<(), Refusal>,
) -> Command {
    Command {
        name,
        label: label(zh, en),
        help: label(zh, en),
        subject: Subject::None,
        makes: Makes::Nothing,
        ends: Ends::Nothing,
        arguments: &[],
        takes_fields: false,
        run,
    }
}

impl Command {
    #[must_use]
    pub const fn help(self, zh: &'static str, en: &'static str) -> Self {
        Command { help: label(zh, en), ..self }
    }

    /// It is about a record, of whatever kind.
    #[must_use]
    pub const fn about_any(self) -> Self {
        Command { subject: Subject::Any, ..self }
    }

    /// Something is over once it has been carried out: what, and what follows.
    #[must_use]
    pub const fn ends(self, zh: &'static str, en: &'static str) -> Self {
        Command { ends: Ends::This(label(zh, en)), ..self }
    }

    #[must_use]
    pub const fn takes(self, arguments: &'static [Argument]) -> Self {
        Command { arguments, ..self }
    }

    /// The argument of this name, or of this Chinese one.
    #[must_use]
    pub fn argument_called(&self, text: &str) -> Option<&'static Argument> {
        let named = self.arguments.iter().find(|argument| argument.name == text);
        named.or_else(|| self.arguments.iter().find(|argument| argument.title() == text))
    }
}

/// Collects the writes of a command while it runs.
pub struct Planner<'a> {
    command: &'static Command,
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
        command: &'static Command,
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

    /// Whether an argument is there, be it empty.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.request.arguments.contains_key(name)
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
        self.argument(name).map_or(Named { code: name, zh: name, sealed: false }, Named::from)
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
        let kind = self.kind_of(record)?;
        let Some((field, Merge::State(machine))) = kind.field_called(field).map(|f| (f.name, f.merge)) else {
            return Err(Refusal::wrong_field(kind, field));
        };
        let standing = decision::fold(machine, &record.history, field);
        let target = machine.state_called(state).ok_or_else(|| Refusal::unknown_state(state, machine))?;
        debug_assert!(
            !target.ending || self.command.ends != Ends::Nothing,
            "{} leads to the end {:?} and does not say so",
            self.command.name,
            target.name
        );
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
        let choices = conflict.values.iter().zip(1..).filter(|(value, _)| self.is_choice(conflict, value));
        let said = choices.map(|(value, number)| (number, self.say_choice(conflict, value)));
        Refusal::bad_choice(choice, said)
    }

    /// Whether one of a conflict's values can be chosen. Where a record is to be named, nothing is none.
    pub(super) fn is_choice(&self, conflict: &Conflict, value: &ConflictValue) -> bool {
        let names_record = self.declared.settler(&conflict.kind).is_some_and(|settler| settler.takes_any_record);
        !(value.is_nothing() && names_record)
    }

    pub(super) fn say_choice(&self, conflict: &Conflict, value: &ConflictValue) -> Explanation {
        if value.is_nothing() { EMPTY.into() } else { self.declared.say_choice(conflict, &value.choice()) }
    }

    /// The kind of a record that may be written.
    pub(super) fn kind_of(&self, record: &Record) -> Result<&'static Kind, Refusal> {
        record.kind().ok_or_else(|| self.unknown_kind(&record.preimage.kind))
    }

    /// Of a kind that is only kept and relayed.
    pub(crate) fn unknown_kind(&self, name: &str) -> Refusal {
        Refusal::unknown_kind(name, self.declared.kinds().iter().copied())
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

    /// The entry that a command writes in, for its answer to name.
    pub fn note_entry(&mut self, at: &Entry<'_>) {
        self.note_result("entry", at.name.to_owned());
    }

    pub(crate) fn note_result(&mut self, name: &str, id: String) {
        self.result.insert(name.to_owned(), id);
    }
}
