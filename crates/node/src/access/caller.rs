//! Who makes a call, and which records are open to them.

use std::sync::Arc;

use heliu_record::id::SeatId;
use heliu_record::seats::Seats;
use heliu_storage::RecordRow;
use heliu_trust::directory::Directory;

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

    /// Whether all records are open.
    pub fn is_unlimited(&self) -> bool {
        self.0.as_ref().is_none_or(|entry| entry.seats.is_empty() && entry.kinds.is_empty())
    }

    pub fn may_use_kind(&self, kind: &str) -> bool {
        self.0.as_ref().is_none_or(|entry| entry.kinds.is_empty() || entry.kinds.iter().any(|name| name == kind))
    }

    pub fn may_see(&self, row: &RecordRow, directory: &Directory) -> bool {
        let seats = directory.seats();
        let of_a_seat = row.scope.owners.iter().any(|owner| self.may_act_at(*owner, seats));
        self.is_unlimited() || (self.may_use_kind(&row.preimage.kind) && of_a_seat)
    }

    /// Whether a seat is one of the bearer's, or below one.
    pub fn may_act_at(&self, seat: SeatId, seats: &Seats) -> bool {
        let Some(entry) = self.0.as_ref().filter(|entry| !entry.seats.is_empty()) else { return true };
        entry.seats.iter().any(|named| {
            let above = seats.by_code(named).map(|seat| seat.id).or_else(|| named.parse().ok());
            above.is_some_and(|above| seats.is_at_or_above(above, seat))
        })
    }
}
