//! The tree of seats as the rules of the domain see it. The directory (in `trust`) writes it; nothing here changes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::SeatId;
use heliu_words::{Label, label};

/// The level of a seat. Who is above whom comes from the tree, never from comparing tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    City,
    County,
    Township,
    Village,
}

impl Tier {
    pub const ALL: [Tier; 4] = [Tier::City, Tier::County, Tier::Township, Tier::Village];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Tier::City => "city",
            Tier::County => "county",
            Tier::Township => "township",
            Tier::Village => "village",
        }
    }

    #[must_use]
    pub fn label(self) -> Label {
        match self {
            Tier::City => label("市级", "city"),
            Tier::County => label("县级", "county"),
            Tier::Township => label("乡镇", "township"),
            Tier::Village => label("村级", "village"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub id: SeatId,
    /// Region code, 12 digits. It may change; the seat does not.
    pub code: String,
    pub name: String,
    pub parent: Option<SeatId>,
    pub tier: Tier,
}

/// Seats by id. A seat's parent is always in the tree before it, so there are no cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    by_id: BTreeMap<SeatId, Seat>,
    by_code: BTreeMap<String, SeatId>,
    children: BTreeMap<SeatId, Vec<SeatId>>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSeat {
    #[error("seat {0} is already there")]
    Twice(String),
    #[error("the parent of seat {0} is not known")]
    NoParent(String),
    #[error("region code {0:?} is not 12 digits")]
    Code(String),
}

impl Seats {
    pub fn add(&mut self, seat: Seat) -> Result<(), BadSeat> {
        if seat.code.len() != 12 || !seat.code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadSeat::Code(seat.code));
        }
        if self.by_id.contains_key(&seat.id) || self.by_code.contains_key(&seat.code) {
            return Err(BadSeat::Twice(seat.code));
        }
        if let Some(parent) = seat.parent {
            if !self.by_id.contains_key(&parent) {
                return Err(BadSeat::NoParent(seat.code));
            }
            self.children.entry(parent).or_default().push(seat.id);
        }
        self.by_code.insert(seat.code.clone(), seat.id);
        self.by_id.insert(seat.id, seat);
        Ok(())
    }

    #[must_use]
    pub fn get(&self, seat: SeatId) -> Option<&Seat> {
        self.by_id.get(&seat)
    }

    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<&Seat> {
        self.by_id.get(self.by_code.get(code)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Seat> {
        self.by_id.values()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    #[must_use]
    pub fn children(&self, seat: SeatId) -> &[SeatId] {
        self.children.get(&seat).map_or(&[], Vec::as_slice)
    }

    /// The seat itself, its parent, and so on up to the root. An unknown seat has only itself.
    pub fn upward(&self, seat: SeatId) -> impl Iterator<Item = SeatId> + '_ {
        std::iter::successors(Some(seat), |at| self.by_id.get(at).and_then(|s| s.parent))
    }

    /// Whether `above` is `seat` or one of its superiors.
    #[must_use]
    pub fn is_at_or_above(&self, above: SeatId, seat: SeatId) -> bool {
        self.upward(seat).any(|at| at == above)
    }

    /// The lowest seat that is at or above all of `seats` that the tree knows; none if they share no superior, or if there
    /// are none.
    #[must_use]
    pub fn common_superior(&self, seats: impl IntoIterator<Item = SeatId>) -> Option<SeatId> {
        let mut seats = seats.into_iter().filter(|seat| self.by_id.contains_key(seat));
        let first = seats.next()?;
        seats.try_fold(first, |lowest, seat| self.upward(lowest).find(|&at| self.is_at_or_above(at, seat)))
    }

    /// The seats that may read what owners seal, unless the kind says otherwise: they, and of each the basic committee, its
    /// nearest superior at a township or above.
    #[must_use]
    pub fn readers(&self, owners: &BTreeSet<SeatId>) -> BTreeSet<SeatId> {
        let is_committee = |seat: &SeatId| self.get(*seat).is_some_and(|s| s.tier <= Tier::Township);
        let committees = owners.iter().filter_map(|owner| self.upward(*owner).find(is_committee));
        owners.iter().copied().chain(committees).collect()
    }

    /// Name and tier for messages to people; an unknown seat shows its short id.
    #[must_use]
    pub fn name(&self, seat: SeatId) -> String {
        self.by_id.get(&seat).map_or_else(|| seat.short(), |s| s.name.clone())
    }
}
