//! The admitted changes of one record, and what they add up to.
//!
//! Merging is one rule, automerge's own for scalars in a map: a put is visible until an admitted put on the same key
//! replaces it; several visible puts on a key are concurrent. Because records are flat maps, that rule is the whole
//! merge, and keeping it here makes an open record some 2 KB and a change some microseconds. `tests` hold it against
//! automerge's documents on random histories.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::change::{Change, Container, GENESIS_MAX_OP, OpId, Put, Scalar, genesis};
use crate::id::{Actor, ChangeHash};
use crate::reason::{Fact, Facts};

/// Why a change cannot be placed after the changes it names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Not a fault: the change waits until these arrive.
    #[error("{} predecessors are not here yet", .0.len())]
    Missing(Vec<ChangeHash>),
    #[error("seq {found} of its actor, where {expected} was due")]
    Seq { expected: u64, found: u64 },
    #[error("its first operation is {found}, where {expected} was due")]
    StartOp { expected: u64, found: u64 },
    #[error("it replaces something that its predecessors do not hold under key {0:?}")]
    Dangling(String),
    #[error("it names a predecessor twice, or one that another already implies")]
    Deps,
}

impl PlaceError {
    /// What is particular about this one, for people.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self {
            PlaceError::Seq { expected, found } | PlaceError::StartOp { expected, found } => {
                Facts::none().and(Fact::Found, found).and(Fact::Expected, expected)
            }
            PlaceError::Dangling(key) => Facts::none().and(Fact::Path, key),
            PlaceError::Missing(_) | PlaceError::Deps => Facts::none(),
        }
    }
}

/// A value that is visible under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    pub id: OpId,
    pub value: Scalar,
}

/// Changes in an order in which each comes after its predecessors, and the visible puts of them all.
#[derive(Clone, Debug, Default)]
pub struct History {
    changes: Vec<Arc<Change>>,
    at: BTreeMap<ChangeHash, usize>,
    heads: BTreeSet<ChangeHash>,
    /// Per actor its last seq and that change.
    actors: BTreeMap<Actor, (u64, ChangeHash)>,
    /// One map per container, so that a look-up borrows its key.
    registers: [BTreeMap<String, Vec<Visible>>; Container::ALL.len()],
    max_op: u64,
}

impl History {
    #[must_use]
    pub fn new() -> Self {
        History { max_op: GENESIS_MAX_OP, ..History::default() }
    }

    /// Changes in a causal order: each after its predecessors. Two nodes may hold them in different such orders.
    #[must_use]
    pub fn changes(&self) -> &[Arc<Change>] {
        &self.changes
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    #[must_use]
    pub fn get(&self, hash: &ChangeHash) -> Option<&Arc<Change>> {
        self.at.get(hash).map(|&i| &self.changes[i])
    }

    /// What a new change names as predecessors: the heads, or the genesis.
    #[must_use]
    pub fn heads(&self) -> Vec<ChangeHash> {
        if self.heads.is_empty() { vec![*genesis()] } else { self.heads.iter().copied().collect() }
    }

    #[must_use]
    pub fn max_op(&self) -> u64 {
        self.max_op
    }

    /// The last seq of an actor, 0 if it has not written here.
    #[must_use]
    pub fn seq(&self, actor: Actor) -> u64 {
        self.actors.get(&actor).map_or(0, |(seq, _)| *seq)
    }

    /// Every visible value under a key, the one automerge would show last. More than one: they are concurrent.
    #[must_use]
    pub fn visible(&self, container: Container, key: &str) -> &[Visible] {
        self.register(container).get(key).map_or(&[], Vec::as_slice)
    }

    /// The one deterministic value under a key.
    #[must_use]
    pub fn value(&self, container: Container, key: &str) -> Option<&Scalar> {
        self.visible(container, key).last().map(|v| &v.value)
    }

    /// All keys of a container that begin with `prefix`, in order, with their visible values.
    pub fn keys<'a>(&'a self, container: Container, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [Visible])> {
        self.register(container)
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// The keys `field/...` of a container, without `field/`.
    pub fn under<'a>(&'a self, container: Container, field: &'a str) -> impl Iterator<Item = (&'a str, &'a [Visible])> {
        self.keys(container, field)
            .filter_map(move |(key, values)| Some((key[field.len()..].strip_prefix('/')?, values)))
    }

    fn register(&self, container: Container) -> &BTreeMap<String, Vec<Visible>> {
        &self.registers[container as usize - 1]
    }

    /// Who wrote an operation: the change that holds it.
    #[must_use]
    pub fn change_of(&self, op: OpId) -> Option<&Arc<Change>> {
        self.changes.iter().find(|c| c.actor == op.actor && (c.start_op..=c.max_op()).contains(&op.counter))
    }

    /// Whether the author of one operation had seen another: it is before it, and not beside it.
    #[must_use]
    pub fn has_seen(&self, later: OpId, earlier: OpId) -> bool {
        let (Some(later), Some(earlier)) = (self.change_of(later), self.change_of(earlier)) else { return false };
        self.at(&later.deps).is_ok_and(|past| past.get(&earlier.hash).is_some())
    }

    /// Whether the change stands exactly on everything held, as most do: then the state at its predecessors is this one.
    #[must_use]
    pub fn is_at_heads(&self, change: &Change) -> bool {
        if self.heads.is_empty() {
            change.deps.as_slice() == [*genesis()]
        } else {
            change.deps.len() == self.heads.len() && change.deps.iter().all(|d| self.heads.contains(d))
        }
    }

    /// The history that `deps` stand for: they and all before them.
    pub fn at(&self, deps: &[ChangeHash]) -> Result<History, PlaceError> {
        let mut wanted = BTreeSet::new();
        let mut queue: Vec<ChangeHash> = deps.iter().copied().filter(|d| d != genesis()).collect();
        let missing: Vec<ChangeHash> = queue.iter().copied().filter(|d| !self.at.contains_key(d)).collect();
        if !missing.is_empty() {
            return Err(PlaceError::Missing(missing));
        }
        while let Some(hash) = queue.pop() {
            if let Some(&index) = self.at.get(&hash)
                && wanted.insert(index)
            {
                queue.extend(self.changes[index].deps.iter().filter(|d| *d != genesis()));
            }
        }
        let mut past = History::new();
        wanted.into_iter().for_each(|index| past.place(Arc::clone(&self.changes[index])));
        Ok(past)
    }

    /// Checks that a change follows from exactly this history, which must be the one at its predecessors.
    pub fn check_follows(&self, change: &Change) -> Result<(), PlaceError> {
        if !self.is_at_heads(change) {
            return Err(PlaceError::Deps);
        }
        // A change that is in the past of its own deps has its actor's last change there, or the actor skipped it.
        let expected = self.seq(change.actor) + 1;
        if change.seq != expected {
            return Err(PlaceError::Seq { expected, found: change.seq });
        }
        if change.start_op != self.max_op + 1 {
            return Err(PlaceError::StartOp { expected: self.max_op + 1, found: change.start_op });
        }
        let mut own: BTreeSet<(Container, &str)> = BTreeSet::new();
        for put in &change.puts {
            let visible = self.visible(put.container, &put.key);
            let replaces_known = put.replaces.iter().all(|id| visible.iter().any(|v| v.id == *id));
            if !replaces_known || !own.insert((put.container, &put.key)) {
                return Err(PlaceError::Dangling(put.key.clone()));
            }
        }
        Ok(())
    }

    /// Adds a change whose predecessors are here. The caller has checked it; see [`History::check_follows`].
    pub fn place(&mut self, change: Arc<Change>) {
        if self.at.contains_key(&change.hash) {
            return;
        }
        for dep in &change.deps {
            self.heads.remove(dep);
        }
        self.heads.insert(change.hash);
        self.max_op = self.max_op.max(change.max_op());
        let last = self.actors.entry(change.actor).or_insert((change.seq, change.hash));
        if change.seq >= last.0 {
            *last = (change.seq, change.hash);
        }
        for put in &change.puts {
            self.place_put(put);
        }
        self.at.insert(change.hash, self.changes.len());
        self.changes.push(change);
    }

    fn place_put(&mut self, put: &Put) {
        let values = self.registers[put.container as usize - 1].entry(put.key.clone()).or_default();
        values.retain(|v| !put.replaces.contains(&v.id));
        let index = values.partition_point(|v| v.id < put.id);
        values.insert(index, Visible { id: put.id, value: put.value.clone() });
    }
}
