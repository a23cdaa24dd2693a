//! A record beside a row: whether the two say the same, cell by cell, and what days and places say of two of one name.

use std::collections::BTreeMap;

use heliu_client::schema::{Argument, SchemaLabel};
use serde_json::{Map, Value};

use super::form::Form;
use super::refer::Known;
use super::rows::{Row, parts};
use super::sending::{Reference, References};

/// A record that a row may be about.
#[derive(Debug)]
pub struct Candidate {
    pub id: String,
    pub view: Map<String, Value>,
    /// The codes of its owners.
    pub seats: Vec<String>,
    pub leaves: u32,
    /// The name of the state that is the end of it.
    pub ended: Option<SchemaLabel>,
    /// What is sealed in it, in the clear, as far as whoever imports may read it.
    pub opened: BTreeMap<String, Vec<String>>,
}

impl Candidate {
    pub fn text(&self, name: &str) -> &str {
        self.view.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.text("name")
    }
}

/// What days say of two of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    Same,
    Other,
    Unknown,
}

/// The first day that both say decides: one birthday is surer than the day on which a whole group joined.
pub fn days(form: &Form<'_>, row: &Row, one: &Candidate) -> Days {
    for column in form.days() {
        let Some(own) = row.values.get(&column.name) else { continue };
        let theirs = match one.opened.get(&column.name) {
            Some(values) => values.clone(),
            None => vec![one.text(&column.name).to_owned()],
        };
        if theirs.iter().any(|text| !text.is_empty()) {
            return if theirs.contains(own) { Days::Same } else { Days::Other };
        }
    }
    Days::Unknown
}

/// Whether a record belongs where the row says; none if one of them does not say.
pub fn is_there(form: &Form<'_>, one: &Candidate, references: &References, known: &Known) -> Option<bool> {
    let column = form.place()?;
    let named = references.get(&column.name).and_then(|named| named.first());
    if named.is_none() && column.name == "seat" {
        return known.own_seat().map(|own| one.seats.iter().any(|seat| seat == own));
    }
    let named = named?;
    let id = match named {
        Reference::Known(id) | Reference::Over(id, _) => id,
        // What the file makes has nobody yet.
        Reference::Row(_) => return None,
    };
    if column.name == "seat" {
        return Some(one.seats.contains(id));
    }
    let home = form.read_as(column).into_iter().map(|name| one.text(name)).find(|home| !home.is_empty())?;
    Some(home == id)
}

/// What a record says where a row has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    Same,
    /// Something else, or nothing.
    Other(String),
    /// It is sealed, and whoever imports cannot read it.
    Sealed,
    /// It is to be what an earlier row makes.
    Made(usize),
}

pub fn says(
    form: &Form<'_>,
    column: &Argument,
    row: &Row,
    references: &References,
    one: &Candidate,
    known: &Known,
) -> Says {
    let Some(own) = row.values.get(&column.name) else { return Says::Same };
    if column.name == "seat" {
        let named = references.get("seat").and_then(|named| named.first());
        let is_owner = matches!(named, Some(Reference::Known(code)) if one.seats.contains(code));
        return if is_owner { Says::Same } else { Says::Other(one.seats.join(",")) };
    }
    let names = form.read_as(column);
    let found =
        names.iter().find_map(|name| one.view.get(*name).filter(|value| !value.is_null()).map(|value| (*name, value)));
    let Some((name, value)) = found else { return Says::Other(String::new()) };
    if let Some(values) = one.opened.get(&column.name) {
        return if values.contains(own) { Says::Same } else { Says::Other(String::new()) };
    }
    if value.get("sealed").is_some() || value.is_array() && column.sealed {
        return Says::Sealed;
    }
    let own = match references.get(&column.name) {
        None => vec![own.clone()],
        Some(named) => {
            let mut ids = Vec::new();
            for reference in named {
                match reference {
                    Reference::Known(id) | Reference::Over(id, _) => ids.push(id.clone()),
                    Reference::Row(place) => return Says::Made(*place),
                }
            }
            ids
        }
    };
    let plain = |value: &Value| match value {
        Value::String(text) => known.code(text).to_owned(),
        Value::Bool(is) => is.to_string(),
        other => other.to_string(),
    };
    let mut theirs: Vec<String> = match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        value => vec![plain(value)],
    };
    // Of several that were written apart any may be meant.
    let apart = one.view.get(&format!("{name}_concurrent")).and_then(Value::as_array);
    if apart.is_some_and(|values| own.len() == 1 && values.iter().map(plain).any(|value| value == own[0])) {
        return Says::Same;
    }
    let mut own: Vec<String> =
        own.iter().flat_map(|text| parts(column, text).map(bool_text).collect::<Vec<_>>()).collect();
    own.sort();
    theirs.sort();
    if own == theirs { Says::Same } else { Says::Other(theirs.join(",")) }
}

/// As views say what is one of two.
fn bool_text(text: &str) -> String {
    match text {
        "是" | "yes" => "true".to_owned(),
        "否" | "no" => "false".to_owned(),
        text => text.to_owned(),
    }
}
