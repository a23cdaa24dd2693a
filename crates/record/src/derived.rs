//! What a kind makes of a record beyond its plain fields: the trait that a kind's own reading implements.

use std::any::Any;
use std::fmt::Debug;

use serde_json::{Map, Value};

use crate::command::Refusal;
use crate::id::SeatId;
use crate::view::Record;

/// What a kind reads of a record of its own. Rules and commands of the same content get their own type back with
/// [`Record::read_as`]; everybody else sees it through this alone.
pub trait Derived: Any + Debug + Send + Sync {
    /// Adds what was derived to the plain fields.
    fn annotate(&self, _json: &mut Map<String, Value>) {}

    /// The bytes of what other records' rules read here; nothing if they read nothing.
    fn signal(&self) -> Option<Vec<u8>> {
        None
    }

    /// Whether an entry still waits to be taken up by the one that it names. Asked before it may hand a record over.
    fn is_open(&self, _field: &str, _entry: &str) -> bool {
        false
    }

    /// Whether something in the record still waits for a seat, which therefore has to go on seeing it.
    fn waits_for(&self, _seat: SeatId) -> bool {
        false
    }

    /// Why a field is not written any more, of a record whose life is over. Asked for generic commands.
    fn refuse(&self, _record: &Record, _field: &str) -> Option<Refusal> {
        None
    }
}

/// Of a record of whose kind there is nothing to read beyond the fields.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Derived for Plain {}
