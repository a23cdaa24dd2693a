//! A row that is not taken: its line, its column, and why.

use heliu_client::Error;
use heliu_client::schema::Argument;

use crate::failure::Failure;
use crate::reading::Unreadable;
use crate::text::{Say, say};

/// A row that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    pub line: u64,
    /// Which column, by its code and its Chinese name; empty: the whole row.
    pub column: (String, String),
    pub reason: Say,
}

impl BadRow {
    /// One of which a single value is wrong.
    pub fn of(line: u64, column: &Argument, reason: Say) -> Self {
        BadRow { line, column: (column.name.clone(), column.label.zh.clone()), reason }
    }

    pub fn whole(line: u64, reason: Say) -> Self {
        BadRow { line, column: <(String, String)>::default(), reason }
    }

    /// What a node says of a row that it does not take, at the column that it names.
    pub fn refused(columns: &[Argument], line: u64, error: &Error) -> Self {
        let said = Failure::from(error.clone());
        match error.field().and_then(|field| columns.iter().find(|column| column.name == field)) {
            Some(column) => BadRow::of(line, column, said.in_one()),
            None => BadRow::whole(line, said.in_one()),
        }
    }

    /// What is wrong, and in which column.
    pub fn why(&self) -> Say {
        let ((name, label), Say { zh, en }) = (&self.column, &self.reason);
        if name.is_empty() { self.reason.clone() } else { say!("{label}:{zh}", "{name}: {en}") }
    }

    pub fn told(&self) -> Say {
        let (line, Say { zh, en }) = (self.line, self.why());
        say!("第 {line} 行:{zh}", "line {line}: {en}")
    }
}

impl From<Unreadable> for BadRow {
    fn from(Unreadable { line, reason }: Unreadable) -> Self {
        BadRow::whole(line, reason)
    }
}
