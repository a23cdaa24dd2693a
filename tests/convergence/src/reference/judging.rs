//! Which leaves of a record count: the rules of admission, from the raw changes. What an honest node's engine wrote it has
//! judged itself; what a hostile hand made is judged here.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Automerge, ChangeHash};
use heliu_record::change::{Change, genesis_change};
use heliu_record::id::LeafHash;
use heliu_trust::directory::Directory;

use super::authority::Author;
use super::{Claim, Known, Parsed, Reach};
use crate::world::county::County;

/// What becomes of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Counts,
    /// For history that is not here.
    Waits,
    /// The losing side of a fork, or of a fenced node, or built on one.
    Excluded,
    /// Not its author's to write, or built on that.
    Refused,
}

pub struct Judge<'a> {
    leaves: &'a BTreeMap<LeafHash, &'a Known>,
    parsed: &'a Parsed,
    county: &'a County,
    /// Of the leaves with one actor and seq that no fence excludes: the one with the lower (commit seq, hash).
    winners: BTreeSet<LeafHash>,
    /// The leaf that counts of those with a change, or else any of them.
    of_change: BTreeMap<ChangeHash, LeafHash>,
    fates: BTreeMap<LeafHash, Fate>,
}

impl<'a> Judge<'a> {
    #[must_use]
    pub fn new(
        leaves: &'a BTreeMap<LeafHash, &'a Known>,
        parsed: &'a Parsed,
        county: &'a County,
        fences: &Directory,
    ) -> Self {
        let mut best: BTreeMap<(Vec<u8>, u64), (u64, LeafHash)> = BTreeMap::new();
        // Fences say whose leaves count before anything else does.
        let is_fenced_out = |leaf: &LeafHash, known: &Known| {
            let fence = fences.fence(known.author);
            fence.is_some_and(|fence| fence.excludes(known.incarnation, known.commit_seq, leaf))
        };
        for (leaf, known) in leaves.iter().filter(|(leaf, known)| !is_fenced_out(leaf, known)) {
            let change = &parsed.0[leaf];
            let place = (change.actor_id().to_bytes().to_vec(), change.seq());
            let order = (known.commit_seq, *leaf);
            let first = best.entry(place).or_insert(order);
            *first = order.min(*first);
        }
        let winners: BTreeSet<LeafHash> = best.values().map(|(_, leaf)| *leaf).collect();
        let losers = leaves.keys().filter(|leaf| !winners.contains(*leaf));
        let of_change = losers.chain(&winners).map(|leaf| (parsed.0[leaf].hash(), *leaf)).collect();
        Judge { leaves, parsed, county, winners, of_change, fates: BTreeMap::new() }
    }

    #[must_use]
    pub fn fates(mut self) -> BTreeMap<LeafHash, Fate> {
        // Each after those that it builds on: a stack of our own, since a chain may be ten thousand long.
        let mut due: Vec<LeafHash> = self.leaves.keys().rev().copied().collect();
        while let Some(leaf) = due.last().copied() {
            if self.fates.contains_key(&leaf) {
                due.pop();
                continue;
            }
            let before = due.len();
            due.extend(self.before(leaf).into_iter().flatten().filter(|dep| !self.fates.contains_key(dep)));
            if due.len() == before {
                let fate = self.judge(leaf);
                self.fates.insert(leaf, fate);
            }
        }
        self.fates
    }

    /// The leaves that a leaf builds on; none for a change that is not here. Of one that does not count, it does not matter.
    fn before(&self, leaf: LeafHash) -> Vec<Option<LeafHash>> {
        if !self.winners.contains(&leaf) {
            return Vec::new();
        }
        self.deps(leaf).iter().map(|dep| self.of_change.get(dep).copied()).collect()
    }

    fn judge(&self, leaf: LeafHash) -> Fate {
        if !self.winners.contains(&leaf) {
            return Fate::Excluded;
        }
        let fate = |dep: Option<LeafHash>| dep.map_or(Fate::Waits, |dep| self.fates[&dep]);
        let before: Vec<Fate> = self.before(leaf).into_iter().map(fate).collect();
        let shared = [Fate::Excluded, Fate::Waits, Fate::Refused].into_iter().find(|fate| before.contains(fate));
        shared.unwrap_or_else(|| if self.is_allowed(leaf) { Fate::Counts } else { Fate::Refused })
    }

    fn deps(&self, leaf: LeafHash) -> Vec<ChangeHash> {
        let genesis = genesis_change().hash();
        self.parsed.0[&leaf].deps().iter().copied().filter(|dep| *dep != genesis).collect()
    }

    fn is_allowed(&self, leaf: LeafHash) -> bool {
        let known = self.leaves[&leaf];
        match known.claim {
            Claim::JudgedByItsNode => return true,
            Claim::NeverCounts => return false,
            Claim::ToBeJudged => {}
        }
        let Ok(change) = Change::parse(&known.raw) else { return false };
        let cited = usize::try_from(known.cited + 1).unwrap_or(usize::MAX);
        if self.county.directory_after(cited).node(known.author).is_none() {
            return false; // By the directory that it cites, nobody has enrolled its author yet.
        }
        let past = self.past(leaf);
        let goes_back = |before: &LeafHash| {
            let before = self.leaves[before];
            before.author == known.author && before.cited > known.cited
        };
        if past.iter().any(goes_back) {
            return false;
        }
        let author = Author { seat: known.seat, cited: known.cited, county: self.county };
        if past.is_empty() {
            return author.may_make(&known.preimage, &change);
        }
        let mut document = Automerge::new();
        let changes = past.iter().map(|leaf| self.parsed.0[leaf].clone());
        let made = document.apply_changes(std::iter::once(genesis_change()).chain(changes));
        made.is_ok() && author.may_write(&known.preimage, &change, &Reach::of(&document, &past, self.parsed))
    }

    /// Every leaf that this one builds on.
    fn past(&self, leaf: LeafHash) -> BTreeSet<LeafHash> {
        let mut past = BTreeSet::new();
        let mut queue = self.deps(leaf);
        while let Some(dep) = queue.pop() {
            if let Some(before) = self.of_change.get(&dep)
                && past.insert(*before)
            {
                queue.extend(self.deps(*before));
            }
        }
        past
    }
}
