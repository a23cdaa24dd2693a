//! What a store can be asked of many records at once, as it follows from the declaration of their kind and from what their views
//! say: cells, of a field and what it says. Which records there are for whom, stores and nodes say.

use serde_json::Value;

use crate::codec::Encoder;
pub use crate::column::{Cell, Column, LISTED_CHARS_MAX, Order};
use crate::hash::hash16;
use crate::kind::{Kind, Label, Listing, Merge, ValueType};

/// What records are called by, whatever their kind.
pub const NAME: &str = "name";
/// Rises when other cells are made of the same view.
const FORM: u64 = 2;

impl Kind {
    /// What of it is listed, as declared. What is sealed never is.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        let own = self.own.iter().filter(|field| !field.sealed).filter_map(|field| {
            let order = match (field.merge, field.value) {
                (Merge::State(_), _) => Order::Bytes,
                (Merge::Lww | Merge::Mv, ValueType::Text(_) | ValueType::Name(_) | ValueType::Number(_)) => Order::Name,
                (Merge::Lww | Merge::Mv, ValueType::Int | ValueType::Count) => Order::Number,
                (Merge::Lww | Merge::Mv, ValueType::Date | ValueType::Past | ValueType::Birth) => Order::Date,
                (Merge::Lww | Merge::Mv, _) => Order::Bytes,
                // Several values: not listed yet.
                (Merge::Aws | Merge::Slot(_) | Merge::Entries(_) | Merge::Log, _) => return None,
            };
            // What people call records by is sought whether or not its kind says so: they are named by it in commands.
            let listing = if field.name == NAME && order == Order::Name { Listing::Sought } else { field.listing };
            Column::of(field.name, listing, order)
        });
        own.chain(self.derived.iter().filter_map(|part| Column::of(part.path, part.listing, Order::Bytes)))
    }

    #[must_use]
    pub fn column(&self, name: &str) -> Option<Column> {
        self.columns().find(|column| column.name == name)
    }

    /// The column of this code, or of this name in either language.
    #[must_use]
    pub fn column_called(&self, text: &str) -> Option<Column> {
        let is_called = |column: &Column| self.column_label(column).is_some_and(|label| label.is(text));
        self.column(text).or_else(|| self.columns().find(is_called))
    }

    /// What people read for a column.
    #[must_use]
    pub fn column_label(&self, column: &Column) -> Option<Label> {
        let derived = || self.derived.iter().find(|part| part.path == column.name).map(|part| part.label);
        self.field(column.name).map(|field| field.label).or_else(derived)
    }

    /// The code that somebody means who says this in a column of codes; else the text itself.
    #[must_use]
    pub fn code_meant<'t>(&self, column: &Column, text: &'t str) -> &'t str
    where
        Self: 't,
    {
        let field = self.field(column.name);
        if let Some(Merge::State(machine)) = field.map(|field| field.merge) {
            return machine.state_called(text).map_or(text, |state| state.name);
        }
        let words = match field.map(|field| field.value) {
            Some(ValueType::Choice(words)) => words,
            _ => self.derived.iter().find(|part| part.path == column.name).map_or(&[][..], |part| part.words),
        };
        words.iter().find(|word| word.name == text || word.label.is(text)).map_or(text, |word| word.name)
    }

    /// What is listed of a record whose view says this.
    #[must_use]
    pub fn cells(&self, view: &Value) -> Vec<Cell> {
        self.columns().filter_map(|column| column.cell(view.get(column.name)?)).collect()
    }

    /// As [`Kind::cells`], of a view as it is stored. One that is no JSON says nothing.
    #[must_use]
    pub fn cells_stored(&self, view: &[u8]) -> Vec<Cell> {
        if view.is_empty() { Vec::new() } else { self.cells(&serde_json::from_slice(view).unwrap_or_default()) }
    }
}

/// Changes with what is listed of any kind: then all records are listed anew.
#[must_use]
pub fn stamp<'k>(kinds: impl Iterator<Item = &'k Kind>) -> [u8; 16] {
    let mut bytes = Encoder::default();
    bytes.varint(FORM);
    for kind in kinds {
        bytes.text(kind.name);
        for column in kind.columns() {
            bytes.text(column.name).u8(column.order.code()).u8(u8::from(column.is_sought));
        }
    }
    hash16("heliu listing 1", &[&bytes.0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::{FieldOf, fields, lww, mv};
    use crate::kind::word;

    static NAME: FieldOf<String> = mv("name", ValueType::Text(40), "名称", "name").sought();
    static SIZE: FieldOf<i64> = lww("size", ValueType::Int, "大小", "size").listed();
    static SINCE: FieldOf<String> = lww("since", ValueType::Date, "自", "since").listed();
    static SECRET: FieldOf<String> = mv("secret", ValueType::Text(40), "密", "secret").sought().sealed();
    static PLAIN: FieldOf<String> = lww("plain", ValueType::Text(40), "平", "plain");
    static KIND: Kind =
        Kind::scoped(word("well", "井", "well"), 1, "井", "a well").with(fields![NAME, SIZE, SINCE, SECRET, PLAIN]);

    #[test]
    fn what_is_listed_of_a_record_follows_from_its_declaration_and_its_view() {
        let view =
            r#"{"name":"康屯","name_concurrent":["甲"],"plain":"x","secret":"y","since":"2026-01-02","size":-3}"#;
        let told = |cell: Cell| {
            let (key, text) = (cell.order.key(&cell.said).into_owned(), cell.order.text(&cell.said).into_owned());
            (cell.column, key, text)
        };
        let expected = [
            ("name", "kang康tun屯".as_bytes().to_vec(), "康屯".to_owned()),
            ("size", (-3_i64 ^ i64::MIN).to_be_bytes().to_vec(), "-3".to_owned()),
            ("since", b"2026-01-02".to_vec(), "2026-01-02".to_owned()),
        ];
        assert_eq!(KIND.cells_stored(view.as_bytes()).into_iter().map(told).collect::<Vec<_>>(), expected);
        assert_eq!(KIND.column("secret"), None, "what is sealed is not listed, whatever is declared");
        let odd = r#"{"name":{"sealed":"ab"},"size":"3","since":["2026"],"plain":1}"#;
        assert!([odd, "", "{\"name\":"].iter().all(|view| KIND.cells_stored(view.as_bytes()).is_empty()));
        let key = |number: &str| KIND.column("size").and_then(|column| column.key(number));
        assert!(key("-1") < key("0") && key("9") < key("10") && key("x").is_none());
    }
}
