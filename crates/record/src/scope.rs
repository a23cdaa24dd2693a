//! The envelope of a record, read from its `_scope` container alone: who owns it, who takes part, who may see it.
//! It works for kinds that this version does not know.

use std::collections::BTreeSet;

use crate::change::{Change, Container, OpId, Scalar, genesis};
use crate::history::{History, Past, Visible};
use crate::id::SeatId;
use crate::seats::Seats;

pub const CLASS: &str = "class";
pub const OWNER: &str = "owner";
/// Prefix of the keys of seats that take part: `seat/<seat id>`, an add-wins set.
pub const SEAT: &str = "seat/";

/// Who a record is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Every seat may have it.
    pub public: bool,
    /// More than one: two tiers each believe that it is theirs, until a common superior settles.
    pub owners: BTreeSet<SeatId>,
    /// Seats that take part besides the owners.
    pub seats: BTreeSet<SeatId>,
}

impl Scope {
    #[must_use]
    pub fn of<'h>(at: impl Into<Past<'h>>) -> Self {
        let at: Past<'h> = at.into();
        let public = at.visible(Container::Scope, CLASS).iter().any(|v| v.value.as_text() == Some("public"));
        let owners = standing(&at, &at.visible(Container::Scope, OWNER)).filter_map(|v| v.value.as_seat()).collect();
        let seats = at
            .keys(Container::Scope, SEAT)
            .filter(|(_, values)| values.iter().any(|v| is_in(&v.value)))
            .filter_map(|(key, _)| key[SEAT.len()..].parse().ok())
            .collect();
        Scope { public, owners, seats }
    }

    /// The seats that a change alone would add. For leaves that are held: they may widen relaying, never narrow it. Whose
    /// leaves may is for the caller to say.
    pub fn widen_by(&mut self, change: &Change) {
        for put in change.puts.iter().filter(|p| p.container == Container::Scope) {
            if put.key == CLASS {
                self.public |= put.value.as_text() == Some("public");
            } else if put.key == OWNER {
                self.owners.extend(put.value.as_seat());
            } else if let Some(Ok(seat)) = put.key.strip_prefix(SEAT).map(str::parse)
                && is_in(&put.value)
            {
                self.seats.insert(seat);
            }
        }
    }

    pub fn widen(&mut self, other: &Scope) {
        self.public |= other.public;
        self.owners.extend(&other.owners);
        self.seats.extend(&other.seats);
    }

    /// Owners and participants, each once.
    pub fn named(&self) -> impl Iterator<Item = SeatId> + '_ {
        self.owners.union(&self.seats).copied()
    }

    /// Whether a seat may have the record: everyone if it is public, else the named seats and all their superiors.
    #[must_use]
    pub fn has_audience(&self, seat: SeatId, seats: &Seats) -> bool {
        self.public || self.named().any(|named| seats.is_at_or_above(seat, named))
    }

    /// The whole audience of a scoped record; nothing for a public one, which everybody may have.
    #[must_use]
    pub fn audience(&self, seats: &Seats) -> BTreeSet<SeatId> {
        if self.public { BTreeSet::new() } else { self.named().flat_map(|named| seats.upward(named)).collect() }
    }
}

/// The puts that say whose a record is. Those of a change that made the record count only until another stands: its
/// birth seat does not get it back by making it once more.
pub fn owners(history: &History) -> impl Iterator<Item = &Visible> {
    standing(&history.now(), history.visible(Container::Scope, OWNER))
}

fn standing<'v, 'h>(at: &Past<'h>, all: &'v [Visible]) -> impl Iterator<Item = &'v Visible> + use<'v, 'h> {
    let at = at.clone();
    let is_birth = move |owner: &Visible| at.change_of(owner.id).is_some_and(|c| c.deps.as_slice() == [*genesis()]);
    let is_handed_on = all.len() > 1 && !all.iter().all(&is_birth);
    all.iter().filter(move |owner| !is_handed_on || !is_birth(owner))
}

#[must_use]
pub fn seat_key(seat: SeatId) -> String {
    format!("{SEAT}{seat}")
}

/// An element of an add-wins set: a flag and a nonce, so that writing it again is a write. The nonce is the id that the
/// put will have, which nobody else's can be.
#[must_use]
pub fn membership(present: bool, nonce: OpId) -> Scalar {
    let mark = if present { 'i' } else { 'o' };
    Scalar::Text(format!("{mark}{}.{}", nonce.counter, nonce.actor.short()))
}

/// Whether a set element's value says that it is in. With several concurrent values, in wins.
#[must_use]
pub fn is_in(value: &Scalar) -> bool {
    value.as_text().is_some_and(|t| t.starts_with('i'))
}
