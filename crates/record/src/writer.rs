//! Who may write a path, as a kind declares it. What comes of that is in [`authority`](crate::authority).

use crate::seats::Tier;

/// Who may write a path. Judged at the change's own predecessors, from this record and the directory alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Only the change that creates the record.
    Creator,
    /// An owner seat, or any superior of one.
    Owner,
    /// An owner seat or a superior of one, of this tier or above it.
    AtLeast(Tier),
    /// A seat at or above all owners and participants.
    CommonSuperior,
    /// A seat at or above all owners and participants, of this tier or above it.
    CommonAtLeast(Tier),
    /// The seat named in the key (`field/seat/...`), or a superior of it.
    Itself,
    /// The seat that this part of the same entry names (or will name, in the same change), its subordinates that the
    /// record names, or a superior of it.
    Party(&'static str),
    /// Any seat in the record's audience.
    Audience,
}
