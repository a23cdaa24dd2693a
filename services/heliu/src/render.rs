//! The small parts of an answer, to people and to programs: an id, a seat, a code, and what is not there.

use heliu_client::records::{Record, Seat};
use serde_json::{Map, Value, json};

use crate::text::clean;

/// What is not there is `null`.
pub fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The view of a record, which a node gives as JSON.
pub fn view_of(record: &Record) -> Map<String, Value> {
    match serde_json::from_str(&record.view_json) {
        Ok(Value::Object(view)) => view,
        _ => Map::new(),
    }
}

pub fn is_id(text: &str) -> bool {
    matches!(text.len(), 32 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The first digits of an id, as a node says it.
pub fn short(id: &str) -> String {
    clean(&id.chars().take(8).collect::<String>())
}

/// A place for people: its name and code; its short id if the directory does not know it.
pub fn place(seat: Option<&Seat>) -> String {
    match seat {
        Some(seat) if !seat.code.is_empty() => clean(&format!("{} {}", seat.name, seat.code)),
        Some(seat) => short(&seat.id),
        None => String::new(),
    }
}

/// A place for programs, of one's own directory.
pub fn seat_of(seat: &heliu_record::seats::Seat) -> Value {
    json!({"id": seat.id.to_string(), "code": seat.code, "name": seat.name, "tier": seat.tier.name()})
}

/// A place for programs, as a node says it.
pub fn seat_shape(seat: Option<&Seat>) -> Value {
    seat.map_or(Value::Null, |s| json!({"id": s.id, "code": s.code, "name": s.name, "tier": s.tier}))
}

/// `LINK_STATE_CATCHING_UP` as `catching_up`.
pub fn word(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_others_named_is_shown_with_what_is_hidden_in_it() {
        let seat = Seat { name: "甲\u{202e}村\n".to_owned(), code: "371726101201".to_owned(), ..Seat::default() };
        assert_eq!(place(Some(&seat)), "甲\\u{202e}村\\n 371726101201");
    }
}
