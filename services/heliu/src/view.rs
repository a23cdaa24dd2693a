//! The view of a record, which a node gives as JSON: its fields and values as people read them.

use heliu_client::Schema;
use heliu_client::schema::Kind;
use serde_json::{Map, Value};

use crate::names::Names;
use crate::render::{is_id, short};
use crate::text::{spoken, tr};

/// A name of the view, or the key of a change, as people read it; in whatever the kind does not know, as it is.
pub fn field_label(kind: Option<&Kind>, path: &str) -> String {
    let said = kind.and_then(|kind| kind.say_path(path));
    said.map_or_else(|| path.to_owned(), |said| spoken(&said).to_owned())
}

/// As [`field_label`], of whichever kind of record has it.
pub fn path_told(schema: &Schema, path: &str) -> String {
    schema.say_path(path).map_or_else(|| path.to_owned(), |said| spoken(&said).to_owned())
}

/// A value as people read it: a code by its name.
pub fn said_value(kind: Option<&Kind>, path: &str, text: &str) -> Option<String> {
    kind?.say_value(path, text).map(|said| spoken(&said).to_owned())
}

/// Ids are told by the names that there are, and shortened: who needs them whole takes `--json`. `path` is where the value is in the
/// view.
pub fn value_told(kind: Option<&Kind>, names: &Names, path: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => tr!("是", "yes"),
        Value::Bool(false) => tr!("否", "no"),
        Value::String(text) if is_id(text) => names.told(text),
        Value::String(text) => said_value(kind, path, text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => {
            items.iter().map(|item| value_told(kind, names, path, item)).collect::<Vec<_>>().join(", ")
        }
        Value::Object(parts) if parts.len() == 1 && parts.contains_key("sealed") => sealed(),
        Value::Object(parts) => {
            let part = |(name, value): (&String, &Value)| {
                let below = format!("{path}/{name}");
                // An entry has parts, and a part has a name; of an entry's own name people need the beginning.
                if value.is_object() {
                    return format!("{}: {{{}}}", entry_name(names, name), value_told(kind, names, path, value));
                }
                let (field, _) = path.split_once('/').unwrap_or((path, ""));
                let said = kind.and_then(|kind| kind.say_part(field, name));
                let name = said.map_or_else(|| entry_name(names, name), |said| spoken(&said).to_owned());
                format!("{name}: {}", value_told(kind, names, &below, value))
            };
            parts.iter().map(part).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

/// What is shown of a value that is sealed.
pub fn sealed() -> String {
    tr!("(已密封;可用 heliu reveal 查看)", "(sealed: heliu reveal shows it)")
}

/// The entries of a field, if it has some: each by its name.
pub fn entries(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object().filter(|parts| !parts.is_empty() && parts.values().all(Value::is_object))
}

/// How people and commands may call an entry of a record: its number, where entries of the field have one, and the beginning of
/// its name.
pub fn entry_told(names: &Names, view: &Map<String, Value>, field: &str, name: &str) -> String {
    let number = view.get(field).and_then(|entries| number_of(entries.get(name)?));
    let name = entry_name(names, name);
    number.map_or_else(|| name.clone(), |number| format!("{number} ({name})"))
}

/// The number by which commands may name an entry.
pub fn number_of(parts: &Value) -> Option<u64> {
    parts.get(NUMBER)?.as_u64()
}

/// The parts of an entry without its number, which stands before them.
pub fn unnumbered(parts: &Value) -> Value {
    let mut parts = parts.clone();
    if let Some(parts) = parts.as_object_mut() {
        parts.remove(NUMBER);
    }
    parts
}

/// What a view calls the number of an entry.
const NUMBER: &str = "number";

/// `<seat>-<name>`, an id, or a word.
fn entry_name(names: &Names, name: &str) -> String {
    let own = name.split_once('-').filter(|(seat, _)| is_id(seat)).map_or(name, |(_, own)| own);
    let is_hex = own.len() >= 30 && own.bytes().all(|b| b.is_ascii_hexdigit());
    match own {
        "all" => tr!("全部", "all"),
        own if is_id(own) => names.told(own),
        own if is_hex => short(own),
        own => own.to_owned(),
    }
}
