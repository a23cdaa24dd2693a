//! What a command takes, what it is about and what it makes.

use heliu_words::{Label, label};

use crate::kind::{Field, ValueType, Word};

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

#[must_use]
pub const fn optional(name: &'static str, value: ValueType, zh: &'static str, en: &'static str) -> Argument {
    Argument { name, value, many: false, required: false, sealed: false, help: label(zh, en) }
}

#[must_use]
pub const fn required(name: &'static str, value: ValueType, zh: &'static str, en: &'static str) -> Argument {
    Argument { required: true, ..optional(name, value, zh, en) }
}

/// An argument that is a field: of its name and its type.
#[must_use]
pub const fn optional_field(field: &'static Field, zh: &'static str, en: &'static str) -> Argument {
    Argument { sealed: field.sealed, ..optional(field.name, field.value, zh, en) }
}

/// As [`optional_field`], of one that has to be given.
#[must_use]
pub const fn required_field(field: &'static Field, zh: &'static str, en: &'static str) -> Argument {
    Argument { required: true, ..optional_field(field, zh, en) }
}

/// An argument that names an entry of a field: by whatever it is called, or its number among those that are due.
#[must_use]
pub const fn entry_of(field: &'static Field) -> Argument {
    let Label { zh, en } = field.asked_for;
    optional(field.noun.name, ValueType::Text(64), zh, en)
}

impl Argument {
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
