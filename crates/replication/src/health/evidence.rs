//! What is known of authors' chains, so that a second commit for one place is noticed without asking the store for each;
//! who has been found to sign two; and whether somebody else writes in this node's name.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_trust::commit::{Commit, SignedCommit};
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use heliu_trust::statement::{Body, Statement};

use crate::effect::{Chains, LoadReply, LoadRequest, Place};
use crate::layers::Layers;

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
    /// Commits that came for the work under way or were signed in it, by their place. Those of the batch before are known until
    /// this one is sealed: the store may have been asked before it had them.
    brought: Layers<BTreeMap<Place, Arc<SignedCommit>>>,
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
            let brought = [self.brought.get(&place), self.brought.sealed().get(&place)];
            let other = stored.chain(brought.into_iter().flatten()).find(|other| other.id != signed.id).cloned();
            if let Some(other) = other
                && self.accuse(place, at_ms)
            {
                accusations.push(Accusation { place, came: Arc::clone(signed), other });
            }
            self.bring(signed);
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

    /// A commit is here from now on.
    pub fn bring(&mut self, signed: &Arc<SignedCommit>) {
        let place = place_of(&signed.commit);
        self.note(place);
        self.brought.entry(place).or_insert_with(|| Arc::clone(signed));
    }

    /// A commit of this place is here.
    fn note(&mut self, (author, incarnation, seq): Place) {
        let tip = self.tips.entry((author, incarnation)).or_insert(seq);
        *tip = seq.max(*tip);
    }

    fn know(&mut self, author: NodeId, chains: &[(Incarnation, u64, CommitId)]) {
        self.known.insert(author);
        chains.iter().for_each(|(incarnation, seq, _)| self.note((author, *incarnation, *seq)));
    }

    /// Whether it is news that this author signs twice. It stands since it was noticed first.
    fn accuse(&mut self, (author, incarnation, _): Place, at_ms: i64) -> bool {
        match self.accused.entry((author, incarnation)) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(at_ms);
                true
            }
        }
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
    pub fn seal(&mut self) {
        self.chains.clear();
        self.commits_at.clear();
        self.brought.seal();
    }

    /// Who signed twice, and since when that is known.
    pub fn accused(&self) -> impl Iterator<Item = (NodeId, i64)> + '_ {
        let mut told = BTreeSet::new();
        let authors = self.accused.iter().map(|((author, _), at_ms)| (*author, *at_ms));
        authors.filter(move |(author, _)| told.insert(*author))
    }
}

#[cfg(test)]
mod tests {
    use heliu_record::id::{LeafHash, SeatId};
    use heliu_trust::id::{DirectoryVersion, RealmId};
    use heliu_trust::simulated::CheapKey;

    use super::*;

    fn commit(seq: u64, leaf: u8) -> Arc<SignedCommit> {
        let key = CheapKey([2; 32]);
        let commit = Commit {
            realm: RealmId([1; 16]),
            author: NodeId([2; 16]),
            incarnation: Incarnation([3; 16]),
            seq,
            previous: Some(CommitId([0; 32])),
            versions: vec![(SeatId([1; 16]), DirectoryVersion([1; 32]))],
            time_ms: 0,
            leaves: vec![LeafHash([leaf; 32])],
        };
        Arc::new(SignedCommit::sign(commit, &key))
    }

    #[test]
    fn an_author_is_asked_about_once_and_then_only_places_that_may_be_taken() {
        let mut evidence = Evidence::default();
        let ask = |evidence: &Evidence, seq| {
            let mut request = LoadRequest::default();
            evidence.ask(&[commit(seq, 1)], &mut request);
            (request.chains_of.len(), request.commits_at.len())
        };
        assert_eq!(ask(&evidence, 5), (1, 0), "nothing is known of him");
        let chains = vec![(Incarnation([3; 16]), 5, CommitId([0; 32]))];
        let mut reply = LoadReply { chains: vec![(NodeId([2; 16]), chains)], ..LoadReply::default() };
        evidence.loaded(&LoadRequest::default(), &mut reply);
        assert_eq!((ask(&evidence, 5), ask(&evidence, 6)), ((0, 1), (0, 0)), "what follows his last is new");
    }

    #[test]
    fn a_second_commit_for_a_place_of_one_in_flight_is_noticed_though_the_store_has_none() {
        let mut evidence = Evidence::default();
        let [one, other] = [1, 2].map(|leaf| commit(7, leaf));
        evidence.bring(&one);
        evidence.seal();
        let asked = LoadRequest { commits_at: [place_of(&other.commit)].into(), ..LoadRequest::default() };
        evidence.loaded(&asked, &mut LoadReply::default());
        assert_eq!(evidence.compare(&[other], 0).len(), 1);
    }

    #[test]
    fn two_commits_for_one_place_are_news_once_whether_one_was_stored_or_both_come() {
        let mut evidence = Evidence::default();
        let [one, other, third] = [1, 2, 3].map(|leaf| commit(7, leaf));
        assert!(evidence.compare(&[Arc::clone(&one), Arc::clone(&one)], 0).is_empty());
        let accused = evidence.compare(&[Arc::clone(&other)], 9);
        assert_eq!(accused.iter().map(|two| (two.came.id, two.other.id)).collect::<Vec<_>>(), [(other.id, one.id)]);
        assert!(evidence.compare(&[third], 10).is_empty(), "one piece of evidence is enough");
        assert_eq!(evidence.accused().collect::<Vec<_>>(), [(NodeId([2; 16]), 9)]);
    }
}
