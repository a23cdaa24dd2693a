//! Who makes a call, and what is open to them.

use std::sync::Arc;

use heliu_record::seats::Seats;
use heliu_record::sight::Sight;

use super::{Entry, Role};

/// Who makes a call: put into its extensions by the gate.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Option<Arc<Entry>>);

impl Caller {
    /// In development mode everybody on this machine may do everything.
    pub const ANYBODY: Caller = Caller(None);

    pub fn with(entry: Arc<Entry>) -> Self {
        Caller(Some(entry))
    }

    /// As the access list calls the bearer; empty in development mode.
    pub fn name(&self) -> &str {
        self.0.as_ref().map_or("", |entry| &entry.name)
    }

    /// The id of the bearer's token; none in development mode.
    pub fn token(&self) -> Option<&str> {
        self.0.as_ref().map(|entry| entry.id.as_str())
    }

    /// The right by which the bearer acts, for the audit log: the role, and what the token is called. Empty in development
    /// mode.
    pub fn right(&self, role: Role) -> String {
        self.0.as_ref().map_or_else(String::new, |entry| format!("{} ({})", role.name(), entry.name))
    }

    /// What the bearer is shown. A seat that the directory does not have shows nothing.
    pub fn sight(&self, seats: &Seats) -> Sight {
        let Some(entry) = &self.0 else { return Sight::WHOLE };
        let named = |text: &String| seats.by_code(text).map(|seat| seat.id).or_else(|| text.parse().ok());
        Sight {
            seats: (!entry.seats.is_empty()).then(|| entry.seats.iter().filter_map(named).collect()),
            kinds: (!entry.kinds.is_empty()).then(|| entry.kinds.iter().cloned().collect()),
        }
    }
}
