//! Commands: how people write. Each is data (name, arguments, help) and a function that plans its writes against the
//! local records. Hard rules block here, with a refusal that says what to do; nothing here ever blocks a merge.

use heliu_words::{Label, label};

use crate::kind::Word;
pub use crate::message::Refusal;

pub mod argument;
pub mod generic;
pub(crate) mod misnamed;
pub mod plan;
pub mod refusal;
pub mod request;
pub mod settle;
pub(crate) mod typed;
pub mod write;

pub use argument::{
    Argument, KIND_ARGUMENT, Makes, Subject, entry_of, optional, optional_field, required, required_field,
};
pub use misnamed::Named;
pub use plan::{Declared, HardRule, Plan, Planner, Settler, settler};
pub use request::{Asker, CommandId, Request, drawn};
pub use write::{RecordWrite, Seal, Write, WriteValue, cannot_seal};

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
