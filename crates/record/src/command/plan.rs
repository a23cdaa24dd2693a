//! What a command is, and what it writes: collected by the planner, and checked as a whole.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use heliu_words::Explanation;

use crate::change::Scalar;
use crate::command::argument::{Argument, Ends, Makes, Subject};
use crate::command::misnamed::Named;
use crate::command::request::{Asker, Request, drawn};
use crate::command::write::RecordWrite;
use crate::conflict::{Conflict, ConflictValue, EMPTY};
use crate::entry::Entry;
use crate::hash::hash16;
use crate::id::{RecordId, SeatId, to_hex};
use crate::kind::{Kind, Label, RECORD, ValueType, Word, label};
use crate::message::Refusal;
use crate::naming::kind_called;
use crate::sight::Sight;
use crate::view::Record;
use crate::world::World;

mod check;
mod proper;
mod writing;

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
    place: u32,
    today: &'a str,
    /// How many keys have been drawn.
    drawn: u64,
    /// What the asker is shown.
    world: &'a dyn World,
    whole: &'a dyn World,
    sight: &'a Sight,
    secret: &'a Result<[u8; 16], Refusal>,
    writes: Vec<RecordWrite>,
    result: BTreeMap<String, String>,
    /// Records that the command itself reaches for, whether or not its asker is shown them.
    beside: Vec<RecordId>,
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
        let Asker { seat, place, today, sight, secret, .. } = asker;
        let (writes, result, beside) = (Vec::new(), BTreeMap::new(), Vec::new());
        Planner {
            command,
            declared,
            request,
            seat: *seat,
            place: *place,
            today,
            drawn: 0,
            world,
            whole,
            sight,
            secret,
            writes,
            result,
            beside,
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

    /// Who asks.
    #[must_use]
    pub fn who(&self) -> &'a str {
        &self.request.who
    }

    /// The seat for which the command is carried out.
    #[must_use]
    pub fn seat(&self) -> SeatId {
        self.seat
    }

    /// The place of the node that carries it out among those of its seat: what is counted there is counted apart from the others'.
    #[must_use]
    pub fn place(&self) -> u32 {
        self.place
    }

    /// What is written so far.
    #[must_use]
    pub fn writes(&self) -> &[RecordWrite] {
        &self.writes
    }

    /// A record as the plan meets it: as the asker is shown it, or beside what he asks for.
    pub(super) fn met(&self, id: RecordId) -> Option<&'a Record> {
        self.world.record(id).or_else(|| self.beside.contains(&id).then(|| self.whole.record(id)).flatten())
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

    /// A key that follows from what is said, for who else in this county says the same, and for nobody outside: an id travels further
    /// than what it is made of.
    pub fn shared_key(&self, said: &[&str]) -> Result<[u8; 16], Refusal> {
        let secret = self.secret.as_ref().map_err(Refusal::clone)?;
        let said = said.iter().map(|part| part.as_bytes());
        let parts: Vec<&[u8]> = [secret.as_slice()].into_iter().chain(said).collect();
        Ok(hash16("heliu shared key 1", &parts))
    }

    fn draw(&mut self) -> [u8; 16] {
        self.drawn += 1;
        drawn(&self.request.id, self.drawn)
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

    /// The record that a command writes in beside the one that it is about, for its answer to name.
    pub fn note_record(&mut self, record: RecordId) {
        self.note_result("record", record.to_string());
    }

    pub(crate) fn note_result(&mut self, name: &str, id: String) {
        self.result.insert(name.to_owned(), id);
    }
}
