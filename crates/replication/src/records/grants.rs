//! The grants that are held of one record: which of them are kept, and what they wrap. What is done with keys is in `keys`.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::hash::Sum;
use heliu_storage::GrantHash;
use heliu_trust::grant::{GRANTS_PER_AUTHOR_MAX, Keyring, SignedGrant};
use heliu_trust::id::NodeId;

/// The grants that are held of one open record, so many of each author.
#[derive(Default)]
pub(crate) struct Grants {
    by_author: BTreeMap<NodeId, BTreeSet<GrantHash>>,
    keyring: Keyring,
    sum: Sum,
}

/// What becomes of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is held already.
    Known,
    /// Its author has made too many, and this is not one of those that are kept.
    Beyond,
    New,
    /// It is kept instead of another of its author's. What that one wraps is known until the record is opened again.
    InsteadOf(GrantHash),
}

impl Grants {
    /// What would become of a grant.
    pub fn judge(&self, signed: &SignedGrant) -> Taken {
        let hash = GrantHash(signed.hash);
        match self.by_author.get(&signed.grant.by) {
            Some(kept) if kept.contains(&hash) => Taken::Known,
            Some(kept) if kept.len() >= GRANTS_PER_AUTHOR_MAX => match kept.last() {
                Some(last) if hash < *last => Taken::InsteadOf(*last),
                _ => Taken::Beyond,
            },
            _ => Taken::New,
        }
    }

    pub fn add(&mut self, signed: &SignedGrant) -> Taken {
        let taken = self.judge(signed);
        if matches!(taken, Taken::Known | Taken::Beyond) {
            return taken;
        }
        let kept = self.by_author.entry(signed.grant.by).or_default();
        kept.insert(GrantHash(signed.hash));
        self.sum.add(&signed.hash);
        self.keyring.add(&signed.grant);
        if let Taken::InsteadOf(last) = taken {
            kept.remove(&last);
            self.sum.subtract(&last.0);
        }
        taken
    }

    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    pub fn is_empty(&self) -> bool {
        self.by_author.is_empty()
    }

    /// Over the hashes of all.
    pub fn sum(&self) -> Sum {
        self.sum
    }
}
