//! What is known of authors' chains, so that a second commit for one place is noticed without asking the store for each;
//! who has been found to sign two; and whether somebody else writes in this node's name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_trust::commit::{Commit, SignedCommit};
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use heliu_trust::statement::{Body, Statement};

use crate::durable::Durable;
use crate::effect::{Chains, LoadReply, LoadRequest, Place};

#[derive(Default)]
pub(crate) struct Evidence {
    /// Authors of whom the store was asked for the last commits.
    known: BTreeSet<NodeId>,
    /// The last seq of each incarnation, of those and of this node.
    tips: BTreeMap<(NodeId, Incarnation), u64>,
    /// Who signed two commits for one place, and when it was noticed; one piece of evidence for each is enough.
    accused: BTreeMap<(NodeId, Incarnation), i64>,
    /// The tick at which something came that was written in this node's name by an incarnation that this store never had.
    twin_since: Option<u64>,
    /// Looked up in the store for the work under way: the last commit of each incarnation of an author, and what stands at a
    /// place.
    chains: BTreeMap<NodeId, Chains>,
    commits_at: BTreeMap<Place, Vec<Arc<SignedCommit>>>,
    /// Commits that came for the work under way, by their place.
    brought: BTreeMap<Place, Arc<SignedCommit>>,
}

/// Two commits for one place: its author has signed both.
pub(crate) struct Accusation {
    pub place: Place,
    pub came: Arc<SignedCommit>,
    pub other: Arc<SignedCommit>,
}

fn place_of(commit: &Commit) -> Place {
    (commit.author, commit.incarnation, commit.seq)
}

impl Evidence {
    /// Asks for what it takes to see whether something else was signed for the places of these before.
    pub fn ask(&self, commits: &[Arc<SignedCommit>], request: &mut LoadRequest) {
        for commit in commits.iter().map(|signed| &signed.commit) {
            let place = place_of(commit);
            let may_be_here =
                || self.tips.get(&(commit.author, commit.incarnation)).is_some_and(|tip| *tip >= commit.seq);
            if !self.known.contains(&commit.author) {
                request.chains_of.insert(commit.author);
            } else if may_be_here() && !self.commits_at.contains_key(&place) {
                request.commits_at.insert(place);
            }
        }
    }

    /// What the store answered.
    pub fn loaded(&mut self, asked: &LoadRequest, reply: &mut LoadReply) {
        for (author, chains) in std::mem::take(&mut reply.chains) {
            self.know(author, &chains);
            self.chains.insert(author, chains);
        }
        for place in &asked.commits_at {
            self.commits_at.entry(*place).or_default();
        }
        for encoded in std::mem::take(&mut reply.commits) {
            // What cannot be read is reported where its leaves are.
            let Ok(signed) = SignedCommit::decode(&encoded) else { continue };
            self.commits_at.entry(place_of(&signed.commit)).or_default().push(Arc::new(signed));
        }
    }

    /// The last commits of an author, if they were looked up for the work under way.
    pub fn chains_of(&self, author: &NodeId) -> Option<&Chains> {
        self.chains.get(author)
    }

    /// Commits that came, verified: is another of the same place here? Returns those of which that is news.
    pub fn compare(&mut self, commits: &[Arc<SignedCommit>], at_ms: i64) -> Vec<Accusation> {
        let mut accusations = Vec::new();
        for signed in commits {
            let place = place_of(&signed.commit);
            let stored = self.commits_at.get(&place).into_iter().flatten();
            let other = stored.chain(self.brought.get(&place)).find(|other| other.id != signed.id).cloned();
            if let Some(other) = other
                && self.accuse(place, at_ms)
            {
                accusations.push(Accusation { place, came: Arc::clone(signed), other });
            }
            self.note(place);
            self.brought.entry(place).or_insert_with(|| Arc::clone(signed));
        }
        accusations
    }

    /// Something came that was written in this node's name by an incarnation that this store never had: another machine has
    /// its key, or this one is an old copy.
    pub fn note_twin(&mut self, tick_ms: u64) {
        self.twin_since.get_or_insert(tick_ms);
    }

    pub fn twin_since(&self) -> Option<u64> {
        self.twin_since
    }

    /// A commit of this place is here.
    pub fn note(&mut self, (author, incarnation, seq): Place) {
        let tip = self.tips.entry((author, incarnation)).or_insert(seq);
        *tip = seq.max(*tip);
    }

    fn know(&mut self, author: NodeId, chains: &[(Incarnation, u64, CommitId)]) {
        self.known.insert(author);
        chains.iter().for_each(|(incarnation, seq, _)| self.note((author, *incarnation, *seq)));
    }

    /// Whether it is news that this author signs twice.
    fn accuse(&mut self, (author, incarnation, _): Place, at_ms: i64) -> bool {
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

    /// What was looked up has had its use.
    pub fn applied(&mut self, _: &Durable) {
        self.chains.clear();
        self.commits_at.clear();
        self.brought.clear();
    }

    /// Who signed twice, and since when that is known.
    pub fn accused(&self) -> impl Iterator<Item = (NodeId, i64)> + '_ {
        let mut told = BTreeSet::new();
        let authors = self.accused.iter().map(|((author, _), at_ms)| (*author, *at_ms));
        authors.filter(move |(author, _)| told.insert(*author))
    }
}
