//! Who may write what, said once more and simply: by path, for the paths that hostile writers of the simulator try. It
//! shares nothing with the engine's authority but the change as it was read.

use std::collections::BTreeSet;

use heliu_record::change::{Change, Container, Put, Scalar};
use heliu_record::id::{Preimage, SeatId};
use heliu_record::kind::Class;

use super::Reach;
use crate::world::county::County;

/// Who may write a path, of records that exist.
enum Rule {
    /// At or above an owner.
    Owner,
    /// That, and at least so high: 0 is the county.
    Tier(usize),
    /// At or above all that the record names, and at least so high.
    Common(usize),
    /// At or above this seat, and in the audience.
    Itself(SeatId),
    Audience,
    Nobody,
}

/// Anybody's.
const ANY: usize = 2;
const TOWNSHIP: usize = 1;
const COUNTY: usize = 0;

/// An author at the moment of a change, and the tree that the change goes by.
pub struct Author<'c> {
    pub seat: SeatId,
    /// Place in the directory's log of the version that is cited.
    pub cited: u64,
    pub county: &'c County,
}

impl Author<'_> {
    fn knows(&self, seat: SeatId) -> bool {
        let entries = usize::try_from(self.cited + 1).unwrap_or(usize::MAX);
        self.county.directory_after(entries).seats().get(seat).is_some()
    }

    fn is_above(&self, seat: SeatId) -> bool {
        seat == self.seat || (self.knows(seat) && self.county.upward(seat).any(|at| at == self.seat))
    }

    /// Whether a change that makes a record may make this one.
    #[must_use]
    pub fn may_make(&self, preimage: &Preimage, change: &Change) -> bool {
        let owners: Vec<&Put> = change.puts.iter().filter(|put| is_owner(put)).collect();
        let is_born = |put: &&Put| put.value.as_bytes() == Some(&preimage.birth.0);
        let named = |put: &Put| put.container == Container::Mv && put.key == "name";
        self.is_above(preimage.birth)
            && owners.len() == 1
            && owners.iter().all(is_born)
            && change.puts.iter().all(|put| is_owner(put) || named(put))
    }

    /// Whether a later change may write what it writes, where the record reaches so far.
    #[must_use]
    pub fn may_write(&self, preimage: &Preimage, change: &Change, reach: &Reach) -> bool {
        change.puts.iter().all(|put| self.may_put(preimage, put, reach))
    }

    fn may_put(&self, preimage: &Preimage, put: &Put, reach: &Reach) -> bool {
        let is_high = |tier: usize| self.county.upward(self.seat).count() <= tier + 1;
        let owns = reach.owners.iter().any(|owner| self.is_above(*owner));
        let named: BTreeSet<SeatId> = reach.owners.union(&reach.seats).copied().collect();
        let is_common = owns && named.iter().filter(|seat| self.knows(**seat)).all(|seat| self.is_above(*seat));
        let hears = reach.public || named.iter().any(|seat| self.is_above(*seat));
        match rule(&preimage.kind, put) {
            Rule::Owner => owns,
            Rule::Tier(tier) => owns && is_high(tier),
            Rule::Common(tier) => {
                is_common && is_high(tier) && (!is_owner(put) || owner_of(put).is_some_and(|to| self.is_above(to)))
            }
            Rule::Itself(seat) => self.is_above(seat) && hears,
            Rule::Audience => hears,
            Rule::Nobody => false,
        }
    }
}

fn is_owner(put: &Put) -> bool {
    put.container == Container::Scope && put.key == "owner"
}

fn owner_of(put: &Put) -> Option<SeatId> {
    put.value.as_bytes().and_then(|bytes| SeatId::try_from(bytes).ok())
}

fn is_public(kind: &str) -> bool {
    heliu_catalogue::catalogue().kind(kind).is_some_and(|kind| kind.class == Class::Public)
}

fn rule(kind: &str, put: &Put) -> Rule {
    let (first, rest) = put.key.split_once('/').unwrap_or((&put.key, ""));
    let text = put.value.as_text().unwrap_or_default();
    match (put.container, kind, first) {
        // What is no secret of anybody, as its kind declares; no other kind is for everybody.
        (Container::Scope, kind, "class") if text == "public" && is_public(kind) => Rule::Owner,
        (Container::Scope, _, "class") if text == "scoped" => Rule::Common(ANY),
        (Container::Scope, _, "owner") => Rule::Common(TOWNSHIP),
        (Container::Scope, _, "seat") if text.starts_with('i') => Rule::Owner,
        (Container::Scope, _, "seat") => Rule::Common(ANY),
        (Container::Mv, _, "name") | (Container::Log, _, "settle") => Rule::Owner,
        (Container::Mv, "org", "org_kind") | (Container::Mv, "resource", "capacity") => Rule::Owner,
        (Container::Mv, "org", "region") => Rule::Tier(COUNTY),
        (Container::Log, "org", "lifecycle") if text.starts_with("rectifying") => Rule::Tier(TOWNSHIP),
        (Container::Mv, "member", "member_no") => Rule::Tier(TOWNSHIP),
        (Container::Log, "member", "stage") if text.starts_with("suspended") => Rule::Tier(TOWNSHIP),
        (Container::Slot, "alliance", "participants") => {
            let seat = rest.split_once('/').and_then(|(seat, _)| seat.parse().ok());
            seat.map_or(Rule::Nobody, Rule::Itself)
        }
        (Container::Aws, "alliance", "resources") => Rule::Audience,
        (Container::Slot, "resource", "bookings") if rest.ends_with("/confirmed") => Rule::Owner,
        // Receipts of letters that nobody wrote, fields that no kind has.
        _ => Rule::Nobody,
    }
}

/// What a value is, for the stories of failures.
#[must_use]
pub fn words_of_put(put: &Put) -> String {
    let value = match &put.value {
        Scalar::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    format!("{}/{} = {value}", put.container.name(), put.key)
}
