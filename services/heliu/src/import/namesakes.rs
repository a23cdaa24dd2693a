//! Which rows give a name that a record has already, where the row's own would be: among the records that refer to what the row
//! names, such as the members of its branch. Where a row names nothing that is there, among all of the kind that are called so.
//! Nothing else is read of what a node holds, however much that is.

use std::collections::{BTreeMap, BTreeSet};

use heliu_client::Client;
use heliu_client::schema::Kind;

use super::held::Held;
use super::rows::Row;
use super::sending::{Reference, References};
use crate::failure::Failure;

/// A record's id has so many digits; a reference may also be a seat.
const RECORD_DIGITS: usize = 64;

pub struct Namesakes {
    /// By the record that they refer to.
    beside: BTreeMap<String, Held>,
    anywhere: Held,
}

impl Namesakes {
    #[cfg(test)]
    pub fn none(kind: &Kind) -> Self {
        Namesakes { beside: BTreeMap::new(), anywhere: Held::none(kind) }
    }

    pub async fn of(client: &Client, kind: &Kind, rows: &[Row], references: &[References]) -> Result<Self, Failure> {
        let named: BTreeSet<&str> = references.iter().flat_map(records).collect();
        let alone = rows.iter().zip(references).filter(|(_, references)| names_nothing(references));
        let names: BTreeSet<&str> = alone.filter_map(|(row, _)| name(row)).collect();
        let beside = Held::beside(client, kind, &named).await?;
        Ok(Namesakes { beside, anywhere: Held::named(client, kind, &names).await? })
    }

    /// The lines of rows of which the name is there already.
    pub fn lines(&self, rows: &[Row], references: &[References]) -> Vec<u64> {
        let is_there = |(row, references): &(&Row, &References)| {
            let Some(name) = name(row) else { return false };
            match names_nothing(references) {
                true => self.anywhere.has_name(name),
                false => records(references).filter_map(|id| self.beside.get(id)).any(|held| held.has_name(name)),
            }
        };
        rows.iter().zip(references).filter(is_there).map(|(row, _)| row.line).collect()
    }

    #[cfg(test)]
    pub fn enter(&mut self, beside: &str, held: Held) {
        self.beside.insert(beside.to_owned(), held);
    }
}

fn name(row: &Row) -> Option<&str> {
    row.values.get("name").map(String::as_str)
}

fn names_nothing(references: &References) -> bool {
    records(references).next().is_none()
}

/// The records that a row names and that are there.
fn records(references: &References) -> impl Iterator<Item = &str> {
    references.values().flatten().filter_map(|reference| match reference {
        Reference::Known(id) if id.len() == RECORD_DIGITS => Some(id.as_str()),
        Reference::Known(_) | Reference::Row(_) => None,
    })
}
