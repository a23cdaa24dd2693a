//! A record that a line is about, as people are told of it.

use heliu_client::records::Record;
use serde_json::Value;

use crate::render::view_of;

/// A record that a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whom {
    pub id: String,
    pub kind: String,
    pub name: String,
}

impl Whom {
    pub fn of(record: &Record) -> Self {
        let name = view_of(record).get("name").and_then(Value::as_str).map(str::to_owned);
        Whom { id: record.id.clone(), kind: record.kind.clone(), name: name.unwrap_or_default() }
    }
}
