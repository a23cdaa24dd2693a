//! What a kind makes of a record beyond its plain fields: the trait that a kind's own reading implements, and what it reads from.

use std::any::Any;
use std::fmt::Debug;

use serde_json::{Map, Value};

use crate::history::History;
use crate::id::Preimage;
use crate::scope::Scope;
use crate::seats::Seats;

/// What a kind folds from.
pub struct Folding<'a> {
    pub preimage: &'a Preimage,
    pub history: &'a History,
    pub scope: &'a Scope,
    pub seats: &'a Seats,
}

/// What a kind reads of a record of its own. Rules and commands of the same content get their own type back with
/// [`as_type`]; everybody else sees it through this alone.
pub trait Derived: Any + Debug + Send + Sync {
    /// Adds what was derived to the plain fields.
    fn annotate(&self, _json: &mut Map<String, Value>) {}

    /// The state that an entry is in, where that follows from more than the entry itself.
    fn entry_state(&self, _field: &str, _entry: &str) -> Option<&'static str> {
        None
    }

    /// Whether an entry still waits to be taken up by the one that it names. Asked before it may hand a record over, and so a
    /// part of verdicts.
    fn is_open(&self, _field: &str, _entry: &str) -> bool {
        false
    }
}

/// Of a record of whose kind there is nothing to read beyond the fields.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Derived for Plain {}

/// What was derived, if it is of this type.
#[must_use]
pub fn as_type<T: Derived>(derived: &dyn Derived) -> Option<&T> {
    let derived: &dyn Any = derived;
    derived.downcast_ref()
}
