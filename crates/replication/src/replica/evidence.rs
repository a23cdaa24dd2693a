//! What is known of authors' chains, so that a second commit for one place is noticed without asking the store for each;
//! and who has been found to sign two.

use std::collections::{BTreeMap, BTreeSet};

use heliu_trust::commit::{Commit, SignedCommit};
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use heliu_trust::statement::{Body, Statement};

use crate::effect::{LoadRequest, Place};

#[derive(Default)]
pub(crate) struct Evidence {
    /// Authors of whom the store was asked for the last commits.
    known: BTreeSet<NodeId>,
    /// The last seq of each incarnation, of those and of this node.
    tips: BTreeMap<(NodeId, Incarnation), u64>,
    /// Who signed two commits for one place, and when it was noticed; one piece of evidence for each is enough.
    accused: BTreeMap<(NodeId, Incarnation), i64>,
    /// The tick at which something came that was written in this node's name by an incarnation that this store never had.
    pub twin_since: Option<u64>,
}

pub(crate) fn place_of(commit: &Commit) -> Place {
    (commit.author, commit.incarnation, commit.seq)
}

impl Evidence {
    /// Asks for what it takes to see whether something else was signed for this place before.
    pub fn ask(&self, commit: &Commit, is_looked_up: impl Fn(&Place) -> bool, request: &mut LoadRequest) {
        let place = place_of(commit);
        if !self.known.contains(&commit.author) {
            request.chains_of.insert(commit.author);
        } else if self.tips.get(&(commit.author, commit.incarnation)).is_some_and(|tip| *tip >= commit.seq)
            && !is_looked_up(&place)
        {
            request.commits_at.insert(place);
        }
    }

    /// A commit of this place is here.
    pub fn note(&mut self, (author, incarnation, seq): Place) {
        let tip = self.tips.entry((author, incarnation)).or_insert(seq);
        *tip = seq.max(*tip);
    }

    pub fn know(&mut self, author: NodeId, chains: &[(Incarnation, u64, CommitId)]) {
        self.known.insert(author);
        chains.iter().for_each(|(incarnation, seq, _)| self.note((author, *incarnation, *seq)));
    }

    /// Whether it is news that this author signs twice.
    pub fn accuse(&mut self, (author, incarnation, _): Place, at_ms: i64) -> bool {
        self.accused.insert((author, incarnation), at_ms).is_none()
    }

    /// Somebody, perhaps this node before, has stated that an author signs twice.
    pub fn heard(&mut self, statement: &Statement) {
        if let Body::Evidence { first, .. } = &statement.body
            && let Ok(signed) = SignedCommit::decode(first)
        {
            let (author, incarnation, _) = place_of(&signed.commit);
            self.accused.entry((author, incarnation)).or_insert(statement.time_ms);
        }
    }

    /// Who signed twice, and since when that is known.
    pub fn accused(&self) -> impl Iterator<Item = (NodeId, i64)> + '_ {
        let mut told = BTreeSet::new();
        let authors = self.accused.iter().map(|((author, _), at_ms)| (*author, *at_ms));
        authors.filter(move |(author, _)| told.insert(*author))
    }
}
