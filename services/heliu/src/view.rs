//! The view of a record, which a node gives as JSON: its fields and values as people read them.

use heliu_client::Schema;
use heliu_client::records::Record;
use heliu_client::schema::Kind;
use serde_json::{Map, Value};

use crate::render::short;
use crate::text::{spoken, tr};

pub fn view_of(record: &Record) -> Map<String, Value> {
    match serde_json::from_str(&record.view_json) {
        Ok(Value::Object(view)) => view,
        _ => Map::new(),
    }
}

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

pub fn is_id(text: &str) -> bool {
    matches!(text.len(), 32 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Ids are shortened: who needs them whole takes `--json`. `path` is where the value is in the view.
pub fn value_told(kind: Option<&Kind>, path: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => tr!("是", "yes"),
        Value::Bool(false) => tr!("否", "no"),
        Value::String(text) if is_id(text) => short(text),
        Value::String(text) => said_value(kind, path, text).unwrap_or_else(|| text.clone()),
        Value::Array(items) => items.iter().map(|item| value_told(kind, path, item)).collect::<Vec<_>>().join(", "),
        Value::Object(parts) if parts.len() == 1 && parts.contains_key("sealed") => {
            tr!("(已密封;可用 heliu reveal 查看)", "(sealed: heliu reveal shows it)")
        }
        Value::Object(parts) => {
            let part = |(name, value): (&String, &Value)| {
                let below = format!("{path}/{name}");
                // An entry has parts, and a part has a name; of an entry's own name people need the beginning.
                if value.is_object() {
                    return format!("{}: {{{}}}", entry_name(name), value_told(kind, path, value));
                }
                let (field, _) = path.split_once('/').unwrap_or((path, ""));
                let said = kind.and_then(|kind| kind.say_part(field, name));
                let name = said.map_or_else(|| entry_name(name), |said| spoken(&said).to_owned());
                format!("{name}: {}", value_told(kind, &below, value))
            };
            parts.iter().map(part).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

/// `<seat>-<name>`, an id, or a word.
fn entry_name(name: &str) -> String {
    let own = name.split_once('-').filter(|(seat, _)| is_id(seat)).map_or(name, |(_, own)| own);
    let is_hex = own.len() >= 30 && own.bytes().all(|b| b.is_ascii_hexdigit());
    match own {
        "all" => tr!("全部", "all"),
        own if is_hex => short(own),
        own => own.to_owned(),
    }
}
