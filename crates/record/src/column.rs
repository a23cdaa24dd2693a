//! Columns: what many records say in one field, so that they can be sorted, filtered and counted by it. Which fields have one is
//! declared with them; what a record says in it, `listing` reads from its view.

use crate::collation::sort_key;

/// What a store can be asked of a field over many records, without reading them: each costs room, and time at every write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    #[default]
    None,
    /// Records are sorted, filtered and counted by it.
    Listed,
    /// And they are searched for by any part of it.
    Sought,
}

impl Listing {
    /// The code in schemas.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Listing::None => "",
            Listing::Listed => "listed",
            Listing::Sought => "sought",
        }
    }
}

/// A text of a field that may be listed has no more characters, so that it is kept whole.
pub const LISTED_CHARS_MAX: usize = 120;

/// By which of their values records are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As people look for names.
    Name,
    Number,
    /// Of codes, dates and ids.
    Bytes,
}

/// A field of a kind, or what its views derive, by which records are sorted, filtered and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub order: Order,
    /// Whether records are searched for by any part of it.
    pub is_sought: bool,
}

/// What a record says in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub column: &'static str,
    pub key: Vec<u8>,
    /// Empty where it is the key.
    pub text: String,
}

impl Column {
    pub(crate) fn of(name: &'static str, listing: Listing, order: Order) -> Option<Self> {
        (listing != Listing::None).then_some(Column { name, order, is_sought: listing == Listing::Sought })
    }

    /// What a text is sorted by and compared with in this column; none: no record can say that.
    #[must_use]
    pub fn key(&self, text: &str) -> Option<Vec<u8>> {
        match self.order {
            Order::Name => Some(sort_key(text).into_bytes()),
            Order::Number => text.trim().parse().ok().map(number_key),
            Order::Bytes => Some(text.as_bytes().to_vec()),
        }
    }

    pub(crate) fn cell(&self, said: Said) -> Option<Cell> {
        let (key, text) = match (self.order, said) {
            (Order::Number, Said::Number(number)) => (number_key(number), number.to_string()),
            (Order::Name, Said::Text(text)) if !text.is_empty() => (sort_key(&text).into_bytes(), text),
            (Order::Bytes, Said::Text(text)) if !text.is_empty() => (text.into_bytes(), String::new()),
            _ => return None,
        };
        Some(Cell { column: self.name, key, text })
    }
}

/// Numbers in the order of bytes.
fn number_key(number: i64) -> Vec<u8> {
    (number ^ i64::MIN).to_be_bytes().to_vec()
}

/// What a view says in a place.
pub(crate) enum Said {
    Text(String),
    Number(i64),
    Other,
}
