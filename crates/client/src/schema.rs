//! What a node says that it knows: the kinds of record, the commands, what its rules find, with their names in both languages.
//! A client has no list of its own, so it carries whatever the node knows, also what was declared after it was built.
//!
//! Everything here is the node's word: as large as [`SCHEMA_BYTES_MAX`] and no larger, and with whatever characters it
//! likes. Whoever shows it escapes it. How codes are put into words is in `naming`.

mod naming;

use heliu_api::records as pb;

/// The largest schema that is taken; that of today's nodes has some 30 KiB.
pub const SCHEMA_BYTES_MAX: usize = 1024 * 1024;

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaLabel {
    pub zh: String,
    pub en: String,
}

/// A code, and what people read for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    pub name: String,
    pub label: SchemaLabel,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    pub kinds: Vec<Kind>,
    /// In the order in which help lists them.
    pub commands: Vec<SchemaCommand>,
    pub findings: Vec<Finding>,
    /// In the order in which help lists them.
    pub ledgers: Vec<LedgerInfo>,
}

/// One ledger that can be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerInfo {
    pub name: String,
    pub label: SchemaLabel,
    pub help: SchemaLabel,
    /// Beside the place: `by`, `on`, `period`.
    pub takes: Vec<String>,
}

/// The declared shape of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    pub name: String,
    pub version: u32,
    pub label: SchemaLabel,
    pub help: SchemaLabel,
    pub fields: Vec<Field>,
    /// What its view says beyond the fields.
    pub derived: Vec<Derived>,
    /// What views append to the name of a field.
    suffixes: Vec<Word>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: ValueType,
    /// What a person should type.
    pub expects: SchemaLabel,
    pub required: bool,
    /// A set: a list, separated by commas.
    pub many: bool,
    /// Whether a record can be made with it. Entries, slots and logs are filled later.
    pub initial: bool,
    /// Its values are kept from some who have the record.
    pub sealed: bool,
    /// Records are searched for by any part of it.
    pub sought: bool,
    pub label: SchemaLabel,
    pub help: SchemaLabel,
    /// Of a slot, or of an entry.
    pub parts: Vec<Part>,
    /// What can be decided about a record; empty: nothing. What entries can be, the kind's derived parts say.
    pub states: Vec<State>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub value: ValueType,
    /// What commands write there for whoever says nothing.
    pub words: Vec<Word>,
    pub label: SchemaLabel,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub name: String,
    pub label: SchemaLabel,
    /// Whether it is an end of life.
    pub ending: bool,
    /// What deciding it means; people are asked first.
    pub means: Option<SchemaLabel>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// `home_branch`, or `moves/state` for a part of each entry.
    pub path: String,
    pub label: SchemaLabel,
    /// What it can be, where that is one of a list.
    pub words: Vec<Word>,
}

/// What a value may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ValueType {
    Text {
        chars_max: u32,
    },
    Date,
    Int,
    Bool,
    Seat,
    /// The id of a record of this kind.
    Record(String),
    /// A seat, or a record of this kind.
    Unit(String),
    Choice(Vec<Word>),
    /// One that this client does not know: the node judges it.
    #[default]
    Other,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaCommand {
    pub name: String,
    pub label: SchemaLabel,
    pub help: SchemaLabel,
    pub subject: Subject,
    pub arguments: Vec<Argument>,
    /// Whether it also takes the fields of a kind as arguments.
    pub takes_fields: bool,
    pub makes: Makes,
    pub ends: Ends,
}

/// What is over once a command has been carried out: people are asked first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ends {
    #[default]
    Nothing,
    /// What this says.
    This(SchemaLabel),
    /// What the state is the end of that its arguments `field` and `state` name.
    ByState,
}

/// The kind of record that a command makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Makes {
    #[default]
    Nothing,
    Kind(String),
    /// That which this argument names.
    NamedBy(String),
}

/// What a command is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    #[default]
    None,
    Any,
    /// A record of this kind.
    Of(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    pub name: String,
    /// What it is called for short.
    pub label: SchemaLabel,
    pub help: SchemaLabel,
    pub value: ValueType,
    /// What a person should type.
    pub expects: SchemaLabel,
    pub required: bool,
    /// A list, separated by commas.
    pub many: bool,
    /// It may be the value of a sealed field: not to be shown again, logged or kept.
    pub sealed: bool,
}

/// What a rule finds: a kind of conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    pub name: String,
    pub label: SchemaLabel,
    pub help: SchemaLabel,
    /// What there is to choose from, where that are no values of a field.
    pub choices: Vec<Word>,
    /// A record may be chosen that is not among the values.
    pub takes_any_record: bool,
}

impl From<pb::GetSchemaResponse> for Schema {
    fn from(schema: pb::GetSchemaResponse) -> Self {
        let suffixes = words(schema.suffixes);
        Schema {
            kinds: schema.kinds.into_iter().map(|kind| Kind::of(kind, &suffixes)).collect(),
            commands: schema.commands.into_iter().map(Into::into).collect(),
            findings: schema.findings.into_iter().map(Into::into).collect(),
            ledgers: schema.ledgers.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<pb::LedgerInfo> for LedgerInfo {
    fn from(ledger: pb::LedgerInfo) -> Self {
        let pb::LedgerInfo { name, label: called, help, takes } = ledger;
        LedgerInfo { label: label(called, &name), name, help: text(help), takes }
    }
}

impl Kind {
    fn of(kind: pb::Kind, suffixes: &[Word]) -> Self {
        Kind {
            label: label(kind.label, &kind.name),
            name: kind.name,
            version: kind.version,
            help: text(kind.help),
            fields: kind.fields.into_iter().map(Into::into).collect(),
            derived: kind.derived.into_iter().map(Into::into).collect(),
            suffixes: suffixes.to_vec(),
        }
    }
}

impl From<pb::Field> for Field {
    fn from(field: pb::Field) -> Self {
        // Of a field with parts the states are those of its entries.
        let states = if field.parts.is_empty() { field.states } else { Vec::new() };
        let (value, expects) = value_type(field.r#type);
        Field {
            label: label(field.label, &field.name),
            name: field.name,
            value,
            expects,
            required: field.required,
            many: field.merge == "aws",
            // How else a later version merges, its node judges.
            initial: field.parts.is_empty() && !["slot", "entries", "log"].contains(&field.merge.as_str()),
            sealed: field.sealed,
            sought: field.listing == "sought",
            help: text(field.help),
            parts: field.parts.into_iter().map(Into::into).collect(),
            states: states.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<pb::Part> for Part {
    fn from(part: pb::Part) -> Self {
        Part {
            label: label(part.label, &part.name),
            name: part.name,
            value: value_type(part.r#type).0,
            words: words(part.words),
        }
    }
}

impl From<pb::State> for State {
    fn from(state: pb::State) -> Self {
        State {
            label: label(state.label, &state.name),
            name: state.name,
            ending: state.ending,
            means: state.means.map(|means| text(Some(means))),
        }
    }
}

impl From<pb::Derived> for Derived {
    fn from(derived: pb::Derived) -> Self {
        Derived { label: label(derived.label, &derived.path), path: derived.path, words: words(derived.words) }
    }
}

impl From<pb::Command> for SchemaCommand {
    fn from(command: pb::Command) -> Self {
        SchemaCommand {
            label: label(command.label, &command.name),
            name: command.name,
            help: text(command.help),
            subject: match command.subject_kind {
                _ if !command.takes_subject => Subject::None,
                kind if kind.is_empty() => Subject::Any,
                kind => Subject::Of(kind),
            },
            arguments: command.arguments.into_iter().map(Into::into).collect(),
            takes_fields: command.takes_fields,
            makes: match (command.makes, command.makes_named_by) {
                (kind, _) if !kind.is_empty() => Makes::Kind(kind),
                (_, argument) if !argument.is_empty() => Makes::NamedBy(argument),
                _ => Makes::Nothing,
            },
            ends: match command.ends {
                Some(ends) => Ends::This(text(Some(ends))),
                None if command.decides => Ends::ByState,
                None => Ends::Nothing,
            },
        }
    }
}

impl From<pb::Argument> for Argument {
    fn from(argument: pb::Argument) -> Self {
        let (value, expects) = value_type(argument.r#type);
        Argument {
            label: label(argument.label, &argument.name),
            name: argument.name,
            help: text(argument.help),
            value,
            expects,
            required: argument.required,
            many: argument.many,
            sealed: argument.sealed,
        }
    }
}

impl From<pb::Finding> for Finding {
    fn from(finding: pb::Finding) -> Self {
        Finding {
            label: label(finding.label, &finding.name),
            name: finding.name,
            help: text(finding.help),
            choices: words(finding.choices),
            takes_any_record: finding.takes_any_record,
        }
    }
}

/// A type, and what a person should type for it.
fn value_type(value: Option<pb::ValueType>) -> (ValueType, SchemaLabel) {
    let value = value.unwrap_or_default();
    let expects = label(value.expects, &value.name);
    let value = match value.name.as_str() {
        "text" => ValueType::Text { chars_max: value.chars_max },
        "date" => ValueType::Date,
        "int" => ValueType::Int,
        "bool" => ValueType::Bool,
        "seat" => ValueType::Seat,
        "record" => ValueType::Record(value.kind),
        "unit" => ValueType::Unit(value.kind),
        "choice" => ValueType::Choice(words(value.words)),
        _ => ValueType::Other,
    };
    (value, expects)
}

fn words(words: Vec<pb::Word>) -> Vec<Word> {
    words.into_iter().map(|word| Word { label: label(word.label, &word.name), name: word.name }).collect()
}

/// What is called nothing is called by its code.
fn label(label: Option<pb::Label>, name: &str) -> SchemaLabel {
    let SchemaLabel { zh, en } = text(label);
    let or_name = |text: String| if text.is_empty() { name.to_owned() } else { text };
    SchemaLabel { zh: or_name(zh), en: or_name(en) }
}

fn text(label: Option<pb::Label>) -> SchemaLabel {
    let pb::Label { zh, en } = label.unwrap_or_default();
    SchemaLabel { zh, en }
}
