//! Which arguments of a command name records or seats: those are looked up, and the node gets whole ids.

use std::collections::BTreeMap;

use heliu_client::schema::{Field, Kind, Makes, Schema, SchemaCommand, ValueType};

use crate::failure::Failure;
use crate::which::Meant;

/// By this argument a command for any field says which.
pub const FIELD: &str = "field";

/// An argument that names records or seats.
pub struct Named {
    argument: String,
    pub value: ValueType,
    is_list: bool,
}

impl Named {
    /// The argument's name.
    pub fn name(&self) -> &str {
        &self.argument
    }

    /// What it names them by.
    pub fn texts<'a>(&self, arguments: &'a BTreeMap<String, String>) -> impl Iterator<Item = &'a str> + use<'a> {
        let text = arguments.get(&self.argument).map(String::as_str).unwrap_or_default();
        let is_list = self.is_list;
        text.split(move |c| is_list && c == ',').map(str::trim).filter(|part| !part.is_empty())
    }

    /// Puts whole ids in their place.
    pub fn put(&self, arguments: &mut BTreeMap<String, String>, meant: &Meant) -> Result<(), Failure> {
        let whole: Result<Vec<String>, Failure> =
            self.texts(arguments).map(|text| meant.argument(text, &self.value)).collect();
        arguments.insert(self.argument.clone(), whole?.join(","));
        Ok(())
    }
}

/// Of these arguments those that name records or seats. `kind`: of the record that it is about, where that tells (see
/// [`goes_by_kind`]).
pub fn references(
    schema: &Schema,
    command: &SchemaCommand,
    kind: Option<&Kind>,
    arguments: &BTreeMap<String, String>,
) -> Vec<Named> {
    let written = written_types(command, kind.into_iter().flat_map(|kind| &kind.fields), arguments).into_iter().next();
    let made = match &command.makes {
        Makes::NamedBy(naming) if command.takes_fields => {
            arguments.get(naming).and_then(|kind| schema.kind_called(kind))
        }
        _ => None,
    };
    let named = arguments.keys().filter_map(|name| {
        let declared = command.arguments.iter().find(|argument| argument.name == *name);
        let field = made.and_then(|kind| kind.field(name));
        let (value, is_list) = match (&written, declared, field) {
            (Some(written), Some(argument), _) if VALUES.contains(&argument.name.as_str()) => (written, false),
            (_, Some(argument), _) => (&argument.value, argument.many),
            (_, None, Some(field)) => (&field.value, field.many),
            (_, None, None) => return None,
        };
        is_reference(value).then(|| Named { argument: name.clone(), value: value.clone(), is_list })
    });
    named.collect()
}

/// Whether a value names a record or a seat.
fn is_reference(value: &ValueType) -> bool {
    matches!(value, ValueType::Record(_) | ValueType::Unit(_) | ValueType::Seat)
}

/// The arguments by which commands for any field say what is written.
const VALUES: [&str; 2] = ["value", "element"];

/// Whether it takes the kind of the record to know whether something is named: not where no kind has a field of that name that
/// names something.
pub fn goes_by_kind(schema: &Schema, command: &SchemaCommand, arguments: &BTreeMap<String, String>) -> bool {
    let fields = schema.kinds.iter().flat_map(|kind| &kind.fields);
    written_types(command, fields, arguments).iter().any(is_reference)
}

/// The types of what is written in the field, or the part of an entry, that the arguments name; none if they name none.
fn written_types<'f>(
    command: &SchemaCommand,
    fields: impl Iterator<Item = &'f Field>,
    arguments: &BTreeMap<String, String>,
) -> Vec<ValueType> {
    let takes = |name: &str| command.arguments.iter().any(|argument| argument.name == name);
    let Some(name) = arguments.get(FIELD).filter(|_| takes(FIELD) && VALUES.iter().any(|value| takes(value))) else {
        return Vec::new();
    };
    let value = |field: &Field| match arguments.get("part") {
        Some(part) => field.part_called(part).map(|part| part.value.clone()),
        None => Some(field.value.clone()),
    };
    let called = fields.filter(|field| field.name == *name || field.label.is(name));
    called.filter_map(value).collect()
}
