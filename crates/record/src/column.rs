//! Columns: what many records say in one field, so that they can be sorted, filtered and counted by it. Which fields have one is
//! declared with them; what a record says in it, `listing` reads from its view.

use std::borrow::Cow;

use serde_json::Value;

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

/// In which order a column has its records, and how it holds what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// As people look for names.
    Name,
    Number,
    /// Of codes and ids.
    Bytes,
    Date,
}

impl Order {
    const ALL: [Order; 4] = [Order::Name, Order::Number, Order::Bytes, Order::Date];

    /// As it is stored.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    #[must_use]
    pub fn of(code: u8) -> Option<Order> {
        Order::ALL.get(usize::from(code)).copied()
    }

    /// Whether people page through very many records in it, so that stores keep it: it costs a row for each record.
    #[must_use]
    pub fn is_kept(self) -> bool {
        matches!(self, Order::Name | Order::Date)
    }

    /// What is sorted by of what a cell holds.
    #[must_use]
    pub fn key(self, said: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Order::Name => Cow::Owned(sort_key(&String::from_utf8_lossy(said)).into_bytes()),
            Order::Number | Order::Bytes | Order::Date => Cow::Borrowed(said),
        }
    }

    /// What people read of what a cell holds.
    #[must_use]
    pub fn text(self, said: &[u8]) -> Cow<'_, str> {
        match (self, <[u8; 8]>::try_from(said)) {
            (Order::Number, Ok(number)) => Cow::Owned((i64::from_be_bytes(number) ^ i64::MIN).to_string()),
            _ => String::from_utf8_lossy(said),
        }
    }
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
    pub order: Order,
    /// A text as it is; a number so that the bytes have its order.
    pub said: Vec<u8>,
}

impl Column {
    pub(crate) fn of(name: &'static str, listing: Listing, order: Order) -> Option<Self> {
        (listing != Listing::None).then_some(Column { name, order, is_sought: listing == Listing::Sought })
    }

    /// What a text is sorted by and compared with in this column; none: no record can say that.
    #[must_use]
    pub fn key(&self, text: &str) -> Option<Vec<u8>> {
        match self.order {
            Order::Number => text.trim().parse().ok().map(number_key),
            order => Some(order.key(text.as_bytes()).into_owned()),
        }
    }

    /// Nothing: what the view says there is of another sort.
    pub(crate) fn cell(&self, value: &Value) -> Option<Cell> {
        let said = match (self.order, value) {
            (Order::Number, value) => number_key(value.as_i64()?),
            (_, Value::String(text)) if !text.is_empty() => text.as_bytes().to_vec(),
            (_, Value::Bool(holds)) => holds.to_string().into_bytes(),
            _ => return None,
        };
        Some(Cell { column: self.name, order: self.order, said })
    }
}

/// Numbers in the order of bytes.
fn number_key(number: i64) -> Vec<u8> {
    (number ^ i64::MIN).to_be_bytes().to_vec()
}
