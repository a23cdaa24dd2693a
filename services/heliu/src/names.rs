//! What people call the records and seats that an answer names by their ids. They are asked for once an answer is there, and only
//! as many as people would read; what is out of the seat's scope is shown by its id alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use heliu_client::Client;
use serde_json::Value;

use crate::render::{is_id, place, short, view_of};
use crate::text::clean;

/// Of more records than these no names are looked up.
const RECORDS: usize = 32;
/// A record's id has so many digits, a seat's half as many.
const RECORD_DIGITS: usize = 64;

#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Of those of these ids that the node knows.
    pub async fn of(client: &Client, ids: impl IntoIterator<Item = String>) -> Self {
        let ids: BTreeSet<String> = ids.into_iter().filter(|id| is_id(id)).collect();
        let mut names = Names::default();
        // All at once: each is an answer of one record, and the way to the node is gone once.
        let asked = ids.iter().filter(|id| id.len() == RECORD_DIGITS).take(RECORDS).map(|id| client.get(id));
        for record in join_all(asked).await.into_iter().flatten() {
            names.enter(&record.id, view_of(&record).get("name").and_then(Value::as_str).unwrap_or_default());
        }
        if ids.iter().any(|id| id.len() < RECORD_DIGITS)
            && let Ok(seats) = client.seats().await
        {
            let named = seats.into_iter().filter(|seat| ids.contains(&seat.id));
            names.0.extend(named.map(|seat| (seat.id.clone(), place(Some(&seat)))));
        }
        names
    }

    /// A record of this name.
    pub fn enter(&mut self, id: &str, name: &str) {
        if !name.is_empty() {
            self.0.insert(id.to_owned(), format!("{} {}", short(id), clean(name)));
        }
    }

    /// The name, with what tells it from others of the same name; without one the beginning of the id.
    pub fn told(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| short(id))
    }
}

/// The ids that a view says, also those after which parts of it are named.
pub fn ids_in(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if is_id(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(ids_in).collect(),
        Value::Object(parts) => {
            let named = parts.keys().filter(|name| is_id(name)).cloned();
            named.chain(parts.values().flat_map(ids_in)).collect()
        }
        _ => Vec::new(),
    }
}
