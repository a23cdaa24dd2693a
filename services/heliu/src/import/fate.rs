//! What becomes of a row, as data; the command that brings it about; and what a node says of one that it does not take.

use std::collections::BTreeMap;

use heliu_client::Error;
use heliu_client::records::ExecuteRequest;
use heliu_client::schema::{Argument, SchemaLabel};

use super::form::Form;
use super::rows::{BadRow, Row};
use super::sending::{self, Attempt, By, Reference, References};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::Say;

/// The command that corrects a record.
pub const UPDATE: &str = "record.update";
/// One cell that says something else than the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub field: String,
    pub label: SchemaLabel,
    /// As people read them; of what is sealed nothing is shown.
    pub old: SchemaLabel,
    pub new: SchemaLabel,
    pub sealed: bool,
    pub value: String,
}

/// What is to become of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Created(Attempt),
    Updated { leaves: u32, changes: Vec<Change> },
    Unchanged,
    Refused(Vec<BadRow>),
}

/// A row and what becomes of it.
#[derive(Clone, Debug)]
pub struct Planned {
    pub line: u64,
    pub name: String,
    /// The record that it is about, if that is there.
    pub id: String,
    pub fate: Fate,
    pub notes: Vec<Say>,
    /// It is not known whether it would be made twice: it is refused with this, unless the very row was imported before.
    pub doubt: Option<BadRow>,
}
/// What a row that makes a record says, as its command's id follows from it.
pub fn said(form: &Form<'_>, row: &Row) -> Vec<u8> {
    let mut values = row.values.clone();
    values.extend(form.fixed.clone());
    sending::said(&form.command.name, &form.columns, &values)
}

/// The command of a row; none for one that has none, or names what is not there yet.
pub fn command(
    form: &Form<'_>,
    row: &Row,
    references: &References,
    planned: &Planned,
    by: &By,
    made: &dyn Fn(usize) -> Option<String>,
) -> Option<ExecuteRequest> {
    match &planned.fate {
        Fate::Created(attempt) => {
            let mut values = row.values.clone();
            for (name, named) in references {
                let id = |reference: &Reference| match reference {
                    Reference::Known(id) | Reference::Over(id, _) => Some(id.clone()),
                    Reference::Row(place) => made(*place),
                };
                values.insert(name.clone(), named.iter().map(id).collect::<Option<Vec<_>>>()?.join(","));
            }
            values.extend(form.fixed.clone());
            let id = sending::command_id(&said(form, row), *attempt);
            Some(sending::request(&form.command.name, "", values, id, by))
        }
        Fate::Updated { leaves, changes } => {
            let values: BTreeMap<String, String> =
                changes.iter().map(|change| (change.field.clone(), change.value.clone())).collect();
            let sealed: Vec<Argument> = form.columns.iter().filter(|column| column.sealed).cloned().collect();
            let said = sending::said(UPDATE, &sealed, &values);
            let id = sending::update_id(&planned.id, *leaves, row.line, &said);
            Some(sending::request(UPDATE, &planned.id, values, id, by))
        }
        Fate::Unchanged | Fate::Refused(_) => None,
    }
}

/// What is wrong with the node, and with no row: with one of them it is so with all.
pub fn of_the_node(error: &Error) -> Option<Failure> {
    let failure = Failure::from(error.clone());
    let is_its =
        matches!(failure.exit, Exit::Unreachable | Exit::Store | Exit::Busy) || error.reason() == "no_secret_of_ids";
    is_its.then_some(failure)
}

/// What a node says of a row that it does not take, and what to do about one whose record was erased.
pub fn refused(form: &Form<'_>, line: u64, error: &Error) -> BadRow {
    let mut refused = BadRow::refused(&form.columns, line, error);
    if error.reason() == "erased" {
        refused.reason.zh.push_str("确要重新建立,用 --anew");
        refused.reason.en.push_str(" To make it again all the same: --anew");
    }
    refused
}
