//! What content is declared with: the names that kinds, commands, rules and messages need, for a glob import. Nothing is defined
//! here but short names.

pub use std::sync::Arc;

pub use serde_json::{Map, Value as Json};

pub use crate::catalogue::{Catalogue, Section, section};
pub use crate::change::{OpId, Scalar};
pub use crate::command::{
    Argument, Command, Planned, Planner, Settler, about, command, entry_of, makes, optional, optional_field, required,
    required_field, settler,
};
pub use crate::conflict::{Conflict, ConflictValue, Explanation};
pub use crate::date;
pub use crate::derived::{Derived, Folding};
pub use crate::entry::Entry;
pub use crate::handle::{
    EntriesOf, FieldOf, PartOf, SetOf, StateOf, Value, entries, fields, lww, mv, part, parts, set, slots, state,
};
pub use crate::history::{History, Visible};
pub use crate::id::{RecordId, SeatId};
pub use crate::kind::{
    Class, DerivedPart, Earlier, EntryState, Field, Kind, Label, Listing, Part, State, StateMachine, ValueType, Word,
    Writer, follows, label, led_by, word,
};
pub use crate::message::{Message, Refusal, message};
pub use crate::rule::{Finding, Rule, listed, rule, rule_of_any, title};
pub use crate::seats::Tier;
pub use crate::view::{Record, object};
pub use crate::world::World;

pub const OWNER: Writer = Writer::Owner;
pub const TOWNSHIP: Writer = Writer::AtLeast(Tier::Township);
pub const DATE: ValueType = ValueType::Date;
/// A day that has come.
pub const PAST: ValueType = ValueType::Past;
pub const INT: ValueType = ValueType::Int;
pub const COUNT: ValueType = ValueType::Count;
pub const SEAT: ValueType = ValueType::Seat;

/// A text of at most so many characters.
#[must_use]
pub const fn text(chars: usize) -> ValueType {
    ValueType::Text(chars)
}

/// What somebody or something is called, in at most so many characters.
#[must_use]
pub const fn name(chars: usize) -> ValueType {
    ValueType::Name(chars)
}

/// A number as papers carry it, of at most so many characters.
#[must_use]
pub const fn number(chars: usize) -> ValueType {
    ValueType::Number(chars)
}

/// The id of a record of a kind.
#[must_use]
pub const fn record(kind: Word) -> ValueType {
    ValueType::Record(kind)
}
