//! What inputs and effects are told apart by, and when they happen.

/// A connection of this process. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// Ties an answer to its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// When something happens. `tick_ms` only ever grows and decides intervals; `wall_ms` is for display and decides nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    pub tick_ms: u64,
    pub wall_ms: i64,
}

impl Moment {
    /// What the wall clock, as it is set now, says of an earlier tick of the same life. A clock may be put right while a node
    /// runs: what it said before is not kept, or it would be shown for ever.
    #[must_use]
    pub fn wall_of(&self, tick_ms: u64) -> i64 {
        self.wall_ms.saturating_sub(i64::try_from(self.tick_ms.saturating_sub(tick_ms)).unwrap_or(i64::MAX))
    }
}
