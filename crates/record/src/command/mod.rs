//! Commands: how people write. Each is data (name, arguments, help) and a function that plans its writes against the
//! local records. Hard rules block here, with a refusal that says what to do; nothing here ever blocks a merge.

use std::collections::BTreeMap;

use crate::byte_id;
use crate::hash::hash16;
use crate::id::{RecordId, SeatId};
use crate::kind::{Label, ValueType, Word};
use crate::plain_text::{Hidden, check_lines, normal, shown};
use crate::sight::{Seen, Sight};
use crate::world::World;

pub mod generic;
mod misnamed;
pub mod plan;
pub mod refusal;
pub mod settle;
pub mod write;

pub use misnamed::Named;
pub use plan::{Plan, Planner};
pub use refusal::Refusal;
pub use write::{RecordWrite, Seal, Write, WriteValue, cannot_seal};

byte_id!(
    /// A command as its asker names it; the same id is carried out once.
    CommandId, 16
);

/// What somebody asks for. What was typed does not show itself in logs: some of it may be there to be sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub id: CommandId,
    pub name: String,
    /// The record that it is about; none for those that create one.
    pub subject: Option<RecordId>,
    pub arguments: BTreeMap<String, String>,
    pub who: String,
    pub reason: String,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arguments: Vec<&String> = self.arguments.keys().collect();
        let mut shown = f.debug_struct("Request");
        shown.field("id", &self.id).field("name", &self.name).field("subject", &self.subject);
        shown.field("arguments", &arguments).field("who", &self.who).finish_non_exhaustive()
    }
}

impl Request {
    /// As it is carried out: every argument in its one spelling, nothing hidden in what people will read.
    fn normal(&self) -> Result<Self, Refusal> {
        check_lines(&self.who).map_err(|hidden| hidden_character("who", hidden))?;
        check_lines(&self.reason).map_err(|hidden| hidden_character("reason", hidden))?;
        let one = |(name, text): (&String, &String)| {
            let text = normal(text).map_err(|hidden| hidden_character(name, hidden))?;
            Ok((name.clone(), text.into_owned()))
        };
        let arguments = self.arguments.iter().map(one).collect::<Result<_, _>>()?;
        Ok(Request { arguments, ..self.clone() })
    }
}

/// A character that nobody sees, or that moves others about. What stands around it is not repeated: it may be sealed.
fn hidden_character(name: &str, hidden: Hidden) -> Refusal {
    let (name, Hidden { place, .. }, sort) = (shown(name), hidden, hidden.sort());
    Refusal::new(
        "hidden_character",
        (
            format!("{name} 的第 {place} 个字符是{}({hidden})。", sort.zh),
            format!("Character {place} of {name} is {} ({hidden}).", sort.en),
        ),
        (
            "这样的字符看不出来,会使不同的名称看起来一样。",
            "It cannot be seen there, and makes names that differ look alike.",
        ),
        ("请删去它,或重新键入。", "Take it out, or type the text again."),
    )
}

/// The keys of new records and entries come from the command's id, which its asker drew at random: the `n`th, from 1. So
/// a command that is given again, here or at a mirror after a fail-over, makes the same record and not a second one.
#[must_use]
pub fn drawn(id: &CommandId, n: u64) -> [u8; 16] {
    hash16("heliu drawn 1", &[&id.0, &n.to_le_bytes()])
}

/// For whom a command is carried out, and what the pure plan cannot know by itself.
pub struct Asker {
    /// The seat of the node that will sign.
    pub seat: SeatId,
    /// The date to write where none is given: the civil day where the realm is, [`crate::date::text`].
    pub today: String,
    /// What the asker is shown: all else is as if it were not here.
    pub sight: Sight,
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
    pub arguments: &'static [Argument],
    /// Whether it also takes the fields of a kind as arguments.
    pub takes_fields: bool,
    pub run: fn(&mut Planner<'_>) -> Result<(), Refusal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    None,
    Any,
    /// A record of this kind.
    Of(Word),
}

/// The kind of record that a command makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    Nothing,
    Kind(Word),
    /// That which the argument [`KIND_ARGUMENT`] names.
    Named,
}

/// The argument of a command for any kind that says which.
pub const KIND_ARGUMENT: &str = "kind";

impl Command {
    /// The argument of this name, or of this Chinese one.
    #[must_use]
    pub fn argument_called(&self, text: &str) -> Option<&'static Argument> {
        let named = self.arguments.iter().find(|argument| argument.name == text);
        named.or_else(|| self.arguments.iter().find(|argument| argument.title() == text))
    }
}

#[derive(Debug)]
pub struct Argument {
    pub name: &'static str,
    pub value: ValueType,
    /// A list, separated by commas.
    pub many: bool,
    pub required: bool,
    /// It may be the value of a sealed field: what is typed here is repeated nowhere, not even in a refusal.
    pub sealed: bool,
    pub help: Label,
}

impl Argument {
    #[must_use]
    pub const fn required(name: &'static str, value: ValueType, help: Label) -> Self {
        Argument { name, value, many: false, required: true, sealed: false, help }
    }

    #[must_use]
    pub const fn optional(name: &'static str, value: ValueType, help: Label) -> Self {
        Argument { name, value, many: false, required: false, sealed: false, help }
    }

    /// What it is called in Chinese: the first words of what its help says.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.help.zh.split([',', ';', '(']).next().unwrap_or_default()
    }

    #[must_use]
    pub const fn sealed(self) -> Self {
        Argument { sealed: true, ..self }
    }

    #[must_use]
    pub const fn many(self) -> Self {
        Argument { many: true, ..self }
    }
}

/// Plans a command: what it writes, or why not. `world` is all that is here; the command sees of it what its asker may.
pub fn plan(request: &Request, asker: &Asker, world: &dyn World) -> Result<Plan, Refusal> {
    let catalogue = world.catalogue();
    let known = || catalogue.commands().map(|command| command.name);
    let command = catalogue.command(&request.name);
    let command = command.ok_or_else(|| Refusal::unknown_command(&request.name, known()))?;
    let request = request.normal()?;
    let seen = Seen::new(world, &asker.sight);
    let mut planner = Planner::new(command, &request, asker, &seen, world);
    planner.check_subject()?;
    planner.check_arguments()?;
    (command.run)(&mut planner)?;
    planner.finish()
}
