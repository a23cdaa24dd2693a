//! All leaves held for one record, and what they add up to: the admission of changes.
//!
//! The rules, in the order in which they decide:
//! 1. The directory's fences, and nothing else, say whose signatures count: a leaf beyond the frontier of its fenced author,
//!    or excluded by name, does not. That is the one rule that looks at the newest directory.
//! 2. Of two leaves with one (actor, seq), the one with the lower (commit seq, leaf hash) counts, if no
//!    fence excludes it, whatever else is true of the two. That looks at no other status, so two equivocators cannot make
//!    each other's fate depend on the order in which their leaves came.
//! 3. A leaf shares the fate of its predecessors, and waits for those that are not here.
//! 4. What this node's software cannot judge is held: of a kind or version that it does not know, or declares otherwise than
//!    whoever vouches for the leaf. If the leaf's author is fenced, nobody is left to vouch: then this software judges it.
//! 5. The change follows from its predecessors, its author was enrolled, cites no older directory than before, and may
//!    write what it writes by the version of the kind that the leaf cites.
//!
//! Every other rule is a function of the leaf, its predecessors' statuses and the directory up to the version that it cites,
//! so the order of arrival does not matter. It also means that a refused or excluded leaf stays in the set: whoever
//! drops one forgets a part of the judgement.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use heliu_record::authority;
use heliu_record::change::{Change, genesis};
use heliu_record::gate::Gate;
use heliu_record::hash::Sum;
use heliu_record::history::{History, Past};
use heliu_record::id::{Actor, ChangeHash, LeafHash, Preimage, RecordId};
use heliu_record::kind::Kind;
use heliu_record::reason::{Fact, Facts};
use heliu_record::scope::Scope;

use super::held::Held;
use super::stop::Stop;
use super::{ExcludedReason, HeldReason, Leaf, RefusedReason, Status, Unjudged};
use crate::directory::Directory;
use crate::id::{DirectoryVersion, NodeId};

/// All signature-valid leaves held for one record, and what they add up to.
#[derive(Clone, Debug)]
pub struct Leaves {
    preimage: Preimage,
    record: RecordId,
    kind: Option<&'static Kind>,
    leaves: BTreeMap<LeafHash, (Leaf, Status)>,
    /// The leaf that counts of those that hold a change; more than one only if their author equivocates.
    by_change: BTreeMap<ChangeHash, LeafHash>,
    /// The leaf that counts of those with one actor and seq.
    by_seq: BTreeMap<(Actor, u64), LeafHash>,
    /// Changes that are not here or wait themselves, and the leaves that wait for them.
    waiting: BTreeMap<ChangeHash, BTreeSet<LeafHash>>,
    /// Leaves that are held: for a later program to judge, or for another declaration of the kind.
    held: Held,
    /// How many have been judged, and do not wait.
    judged: usize,
    /// Whoever signed a leaf, whatever became of it.
    authors: BTreeSet<NodeId>,
    /// As whom each author has written what is admitted, and the newest directory that he cites in it.
    actors: BTreeMap<NodeId, (BTreeSet<Actor>, u64)>,
    /// Leaves for which nobody vouches but ends that judge by another declaration of the kind's version than this program.
    doubted: BTreeSet<LeafHash>,
    /// What people should read about leaves that are refused.
    why: BTreeMap<LeafHash, Facts>,
    /// Shared with whoever folds it; written in place while nobody does.
    history: Arc<History>,
    held_sum: Sum,
    admitted_sum: Sum,
    /// What [`Directory::verdicts`] was when the leaves were filed.
    verdicts: DirectoryVersion,
}

/// What a new leaf does to the statuses of those before it.
enum Entered {
    Known,
    /// Nothing, except to the leaves that wait for the new one.
    Beside,
    /// The new leaf counts in the place of another.
    InPlaceOfAnother,
}

impl Leaves {
    /// `kind` is that of the preimage; none: this version does not know it, and holds what it cannot judge.
    #[must_use]
    pub fn new(preimage: Preimage, kind: Option<&'static Kind>) -> Self {
        Leaves {
            record: preimage.id(),
            kind,
            preimage,
            leaves: BTreeMap::new(),
            by_change: BTreeMap::new(),
            by_seq: BTreeMap::new(),
            waiting: BTreeMap::new(),
            held: Held::default(),
            judged: 0,
            authors: BTreeSet::new(),
            actors: BTreeMap::new(),
            doubted: BTreeSet::new(),
            why: BTreeMap::new(),
            history: Arc::new(History::new()),
            held_sum: Sum::default(),
            admitted_sum: Sum::default(),
            verdicts: DirectoryVersion::EMPTY,
        }
    }

    #[must_use]
    pub fn preimage(&self) -> &Preimage {
        &self.preimage
    }

    /// None: this version does not know it.
    #[must_use]
    pub fn kind(&self) -> Option<&'static Kind> {
        self.kind
    }

    #[must_use]
    pub fn record(&self) -> RecordId {
        self.record
    }

    /// The admitted changes.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The same, to keep: it does not change when leaves are offered later.
    #[must_use]
    pub fn shared_history(&self) -> Arc<History> {
        Arc::clone(&self.history)
    }

    #[must_use]
    pub fn get(&self, leaf: &LeafHash) -> Option<(&Leaf, &Status)> {
        self.leaves.get(leaf).map(|(leaf, status)| (leaf, status))
    }

    /// What is particular about a leaf's refusal, for people; may name fields, but holds no values of the record.
    #[must_use]
    pub fn why(&self, leaf: &LeafHash) -> Option<&Facts> {
        self.why.get(leaf)
    }

    /// By leaf hash.
    pub fn iter(&self) -> impl Iterator<Item = (&Leaf, &Status)> {
        self.leaves.values().map(|(leaf, status)| (leaf, status))
    }

    /// Leaves of an author that are good but for what they stand on, which was excluded: whoever signed them can issue the
    /// same writes again.
    pub fn misled(&self, author: NodeId) -> impl Iterator<Item = &Leaf> {
        const MISLED: Status = Status::Excluded(ExcludedReason::Predecessor);
        self.iter().filter(move |(leaf, status)| leaf.author == author && **status == MISLED).map(|(leaf, _)| leaf)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Whether nothing is here but leaves that wait.
    #[must_use]
    pub fn only_wait(&self) -> bool {
        self.judged == 0
    }

    /// Whether leaves wait for predecessors: then the record is a want.
    #[must_use]
    pub fn missing(&self) -> bool {
        self.judged < self.leaves.len()
    }

    /// Why this software cannot judge all of them, if it cannot: of several reasons the worst.
    #[must_use]
    pub fn unjudged(&self) -> Option<Unjudged> {
        self.held.unjudged()
    }

    /// Whoever signed one, whatever became of it.
    pub fn authors(&self) -> impl Iterator<Item = NodeId> {
        self.authors.iter().copied()
    }

    /// The changes that others name as predecessors and that are not here.
    #[cfg(test)]
    pub(super) fn wanted(&self) -> impl Iterator<Item = ChangeHash> {
        let waits = |leaf: &LeafHash| self.leaves.get(leaf).is_some_and(|(_, status)| *status == Status::Waiting);
        let is_wanted =
            move |dep: &ChangeHash, leaves: &BTreeSet<_>| !self.by_change.contains_key(dep) && leaves.iter().any(waits);
        self.waiting.iter().filter(move |(dep, leaves)| is_wanted(dep, leaves)).map(|(dep, _)| *dep)
    }

    /// Widens a scope by the seats that held leaves name, which may be good. Only those count whose author could share the
    /// record: his seat is at or above an owner, by what is admitted or by such a leaf. Otherwise whoever once saw a record
    /// could publish it with a leaf that nobody can judge.
    ///
    /// A leaf that waits names nobody. Whoever has what it waits for may have refused it: then the two would never agree on
    /// who is in the audience, and he may not show the other why.
    pub fn widen(&self, scope: &mut Scope, directory: &Directory) {
        if scope.owners.is_empty() {
            scope.owners.insert(self.preimage.birth);
        }
        self.held.widen(scope, directory);
    }

    /// Over all leaves held, whatever became of them.
    #[must_use]
    pub fn held_sum(&self) -> Sum {
        self.held_sum
    }

    #[must_use]
    pub fn admitted_sum(&self) -> Sum {
        self.admitted_sum
    }

    /// The last seq of an actor in any leaf held, admitted or not; 0 if there is none.
    #[must_use]
    pub fn last_of(&self, actor: Actor) -> u64 {
        self.by_seq.range((actor, 0)..=(actor, u64::MAX)).next_back().map_or(0, |((_, seq), _)| *seq)
    }

    /// This leaf is held when it is offered: it is for another declaration of its kind's version to judge.
    pub fn doubt(&mut self, leaf: LeafHash) {
        self.doubted.insert(leaf);
    }

    /// It is for this software to judge after all. Returns whether it was in doubt: then all is to be judged again.
    pub fn believe(&mut self, leaf: &LeafHash) -> bool {
        self.doubted.remove(leaf)
    }

    /// Takes a leaf of this record. Returns every leaf whose status this set or changed, the leaf itself first; nothing
    /// if it is known. That costs some microseconds, beside whatever it stands on; one that counts in another's place has the
    /// whole record judged again.
    pub fn offer(&mut self, leaf: Leaf, directory: &Directory) -> Vec<(LeafHash, Status)> {
        debug_assert_eq!(leaf.record, self.record, "the caller sorts leaves by record");
        if leaf.record != self.record {
            return Vec::new();
        }
        let hash = leaf.hash;
        match self.enter(leaf, directory) {
            Entered::Known => Vec::new(),
            Entered::Beside => {
                let settled = self.settle([hash].into(), directory);
                // Nothing cascades from a leaf that waits.
                if settled.is_empty() { vec![(hash, Status::Waiting)] } else { settled }
            }
            Entered::InPlaceOfAnother => {
                let mut changed = self.judge_again(directory);
                changed.retain(|(other, _)| *other != hash);
                let status = self.leaves.get(&hash).map_or(Status::Waiting, |(_, status)| *status);
                changed.insert(0, (hash, status));
                changed
            }
        }
    }

    /// Takes leaves of this record together. All are filed before any is judged, so however many count in others' places, the
    /// record is judged again once. Returns every leaf whose status this set or changed.
    pub fn offer_all(
        &mut self,
        leaves: impl IntoIterator<Item = Leaf>,
        directory: &Directory,
    ) -> Vec<(LeafHash, Status)> {
        let mut new = VecDeque::new();
        let mut is_displaced = false;
        let record = self.record;
        for leaf in leaves.into_iter().filter(|leaf| leaf.record == record) {
            let hash = leaf.hash;
            match self.enter(leaf, directory) {
                Entered::Known => {}
                Entered::Beside => new.push_back(hash),
                Entered::InPlaceOfAnother => is_displaced = true,
            }
        }
        if is_displaced { self.judge_again(directory) } else { self.settle(new, directory) }
    }

    /// What would become of a new leaf, and why: for own changes, before anybody hears of them.
    pub fn foresee(&self, leaf: &Leaf, directory: &Directory) -> Result<(), (Status, Facts)> {
        if leaf.is_fenced_out(directory) {
            return Err((Status::Excluded(ExcludedReason::Fenced), Facts::none()));
        }
        let rival = self.by_seq.contains_key(&(leaf.change.actor, leaf.change.seq));
        let fork = Status::Excluded(ExcludedReason::Fork);
        let verdict = if rival { Err(fork.into()) } else { self.judge_place(leaf, directory) };
        verdict.map_err(|Stop(status, why)| (status, why.unwrap_or_default()))
    }

    /// Judges everything anew, as is due when the directory has grown and leaves were held for that, and whenever its
    /// [`Directory::verdicts`] have changed. Returns the leaves whose status changed.
    pub fn judge_again(&mut self, directory: &Directory) -> Vec<(LeafHash, Status)> {
        let before: Vec<(LeafHash, Status)> = self.leaves.iter().map(|(hash, (_, status))| (*hash, *status)).collect();
        for (leaf, status) in self.leaves.values_mut() {
            leaf.directory_index = place_of(leaf.cited, directory);
            *status = Status::Waiting;
        }
        if self.verdicts != directory.verdicts() {
            self.verdicts = directory.verdicts();
            self.by_seq.clear();
            self.by_change.clear();
            for hash in self.leaves.keys().copied().collect::<Vec<_>>() {
                self.file(hash, directory);
            }
        }
        self.waiting.clear();
        self.held = Held::default();
        self.judged = 0;
        self.actors.clear();
        self.why.clear();
        self.history = Arc::new(History::new());
        self.admitted_sum = Sum::default();
        self.settle(self.leaves.keys().copied().collect(), directory);
        let now = self.leaves.iter().map(|(hash, (_, status))| (*hash, *status));
        now.zip(before).filter(|(now, before)| now != before).map(|(now, _)| now).collect()
    }

    /// Takes a leaf in, not yet judged.
    fn enter(&mut self, mut leaf: Leaf, directory: &Directory) -> Entered {
        let hash = leaf.hash;
        if self.leaves.contains_key(&hash) {
            return Entered::Known;
        }
        if self.leaves.is_empty() {
            self.verdicts = directory.verdicts();
        }
        leaf.directory_index = place_of(leaf.cited, directory);
        self.authors.insert(leaf.author);
        self.leaves.insert(hash, (leaf, Status::Waiting));
        self.held_sum.add(&hash.0);
        if self.verdicts == directory.verdicts() {
            self.file(hash, directory)
        } else {
            // All have to be filed again, and the new one with them.
            Entered::InPlaceOfAnother
        }
    }

    /// Enters a leaf under its seq and its change, if it counts there.
    fn file(&mut self, hash: LeafHash, directory: &Directory) -> Entered {
        let Some((leaf, _)) = self.leaves.get(&hash) else { return Entered::Known };
        let (change, seq) = (leaf.change.hash, (leaf.change.actor, leaf.change.seq));
        let of = |(leaf, _): &(Leaf, Status)| (leaf.is_fenced_out(directory), leaf.order());
        let mine = (leaf.is_fenced_out(directory), leaf.order());
        let rival = self.by_seq.get(&seq).and_then(|rival| self.leaves.get(rival)).map(of);
        if rival.is_some_and(|rival| rival < mine) {
            self.by_change.entry(change).or_insert(hash);
            return Entered::Beside;
        }
        self.by_seq.insert(seq, hash);
        self.by_change.insert(change, hash);
        if rival.is_some() { Entered::InPlaceOfAnother } else { Entered::Beside }
    }

    /// Judges the leaves in `queue` and those that wait for them. Returns the leaves that no longer wait.
    fn settle(&mut self, mut queue: VecDeque<LeafHash>, directory: &Directory) -> Vec<(LeafHash, Status)> {
        let mut settled = Vec::new();
        while let Some(hash) = queue.pop_front() {
            let Some((leaf, Status::Waiting)) = self.leaves.get(&hash) else { continue };
            let change = leaf.change.clone();
            let (author, index) = (leaf.author, leaf.directory_index);
            let (status, why) = match self.judge(leaf, directory) {
                Ok(()) => (Status::Admitted, None),
                Err(Stop(status, why)) => (status, why),
            };
            if status == Status::Waiting {
                for dep in &change.deps {
                    if self.fate(dep) == Some(Status::Waiting) {
                        self.waiting.entry(*dep).or_default().insert(hash);
                    }
                }
                continue;
            }
            if status == Status::Admitted {
                let (actors, cited) = self.actors.entry(author).or_default();
                actors.insert(change.actor);
                *cited = index.max(*cited);
                self.admitted_sum.add(&hash.0);
                Arc::make_mut(&mut self.history).place(change.clone());
            }
            if matches!(status, Status::Held(_)) {
                self.held.add(leaf, status);
            }
            self.judged += 1;
            self.why.extend(why.map(|why| (hash, why)));
            if let Some((_, known)) = self.leaves.get_mut(&hash) {
                *known = status;
            }
            queue.extend(self.waiting.remove(&change.hash).into_iter().flatten());
            settled.push((hash, status));
        }
        settled
    }

    /// What became of a predecessor; `None` if it is in the history, as most are.
    fn fate(&self, dep: &ChangeHash) -> Option<Status> {
        if dep == genesis() || self.history.get(dep).is_some() {
            return None;
        }
        let held = self.by_change.get(dep).and_then(|leaf| self.leaves.get(leaf));
        Some(held.map_or(Status::Waiting, |(_, status)| *status))
    }

    fn judge(&self, leaf: &Leaf, directory: &Directory) -> Result<(), Stop> {
        let change = &*leaf.change;
        if leaf.is_fenced_out(directory) {
            return Err(Status::Excluded(ExcludedReason::Fenced).into());
        }
        if self.by_seq.get(&(change.actor, change.seq)) != Some(&leaf.hash) {
            return Err(Status::Excluded(ExcludedReason::Fork).into());
        }
        self.judge_place(leaf, directory)
    }

    /// Everything but whether another leaf counts in its place.
    fn judge_place(&self, leaf: &Leaf, directory: &Directory) -> Result<(), Stop> {
        let change = &*leaf.change;
        if has_twice(&change.deps) {
            return Err(Stop::refused(RefusedReason::Predecessors, Facts::none()));
        }
        self.judge_predecessors(change.deps.iter().filter_map(|dep| self.fate(dep)))?;
        let Some(kind) = self.kind else { return Err(Status::Held(HeldReason::UnknownKind).into()) };
        if leaf.kind_version > kind.version {
            return Err(Status::Held(HeldReason::NewerKind).into());
        }
        let gate = kind.at(leaf.kind_version).ok_or(Status::Held(HeldReason::KindVersion))?;
        if self.doubted.contains(&leaf.hash) && !directory.is_fenced(leaf.author) {
            return Err(Status::Held(HeldReason::KindDiffers).into());
        }
        if leaf.directory_index >= directory.len() {
            return Err(Status::Held(HeldReason::Directory).into());
        }
        let past = self.history.at(&change.deps).map_err(|error| Stop::of(&error))?;
        let cited = self.cited_in(&past, leaf.author);
        self.judge_change(leaf, gate, &past, cited, directory)
    }

    /// The order decides which fate of several a leaf shares. While one is waited for, none but an exclusion is final: it
    /// may turn out to be one.
    fn judge_predecessors(&self, fates: impl Iterator<Item = Status>) -> Result<(), Stop> {
        let shared = fates.map(|fate| match fate {
            Status::Excluded(_) => (0, Status::Excluded(ExcludedReason::Predecessor)),
            Status::Waiting | Status::Admitted => (1, Status::Waiting),
            Status::Refused(_) => (2, Status::Refused(RefusedReason::Predecessor)),
            // The record is of a kind unknown here: each of its leaves says so itself.
            Status::Held(_) if self.kind.is_none() => (3, Status::Held(HeldReason::UnknownKind)),
            Status::Held(_) => (3, Status::Held(HeldReason::Predecessor)),
        });
        shared.min().map_or(Ok(()), |(_, status)| Err(status.into()))
    }

    /// `at` is the history at the change's predecessors, `cited` the newest directory that its author cites in it.
    fn judge_change(
        &self,
        leaf: &Leaf,
        gate: Gate,
        at: &Past<'_>,
        cited: Option<u64>,
        directory: &Directory,
    ) -> Result<(), Stop> {
        at.check_follows(&leaf.change).map_err(|error| Stop::of(&error))?;
        if cited.is_some_and(|cited| leaf.directory_index < cited) {
            return Err(Stop::refused(RefusedReason::DirectoryBackwards, Facts::none()));
        }
        let author = directory.node_at_index(leaf.author, leaf.directory_index).ok_or_else(|| {
            let why = Facts::none().and(Fact::Node, leaf.author.short());
            Stop::refused(RefusedReason::UnknownAuthor, why)
        })?;
        let seats = directory.seats_at(leaf.directory_index);
        authority::may(author.seat, &leaf.change, &self.preimage, at, gate, seats)
            .map_err(|error| Stop::refused(RefusedReason::Authority, error.facts()))
    }

    /// Of one actor the last leaf cites the newest, or it would not be here.
    fn cited_in(&self, past: &Past<'_>, author: NodeId) -> Option<u64> {
        let (actors, newest) = self.actors.get(&author)?;
        if past.is_whole() {
            return Some(*newest);
        }
        let last = actors.iter().filter_map(|actor| past.last_of(*actor));
        let leaf_of = |change: &Arc<Change>| self.leaves.get(self.by_change.get(&change.hash)?).map(|(leaf, _)| leaf);
        last.filter_map(leaf_of).map(|leaf| leaf.directory_index).max()
    }
}

fn place_of(cited: DirectoryVersion, directory: &Directory) -> u64 {
    directory.index_of(cited).unwrap_or(u64::MAX)
}

fn has_twice(deps: &[ChangeHash]) -> bool {
    deps.len() > 1 && deps.iter().collect::<BTreeSet<_>>().len() != deps.len()
}
