//! A whole history: its changes, who knew what, and what stands under each key.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::version::{Step, Version};
use crate::change::{Change, Container, GENESIS_MAX_OP, OpId, Put, Scalar, genesis, limits};
use crate::id::{Actor, ChangeHash};

/// A value that is visible under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    pub id: OpId,
    pub value: Scalar,
}

/// Of concurrent values as many are shown as one decision can replace.
pub const SHOWN: usize = limits::REPLACES;

/// Those of concurrent values that people are shown: all, as a rule; else the first, which a decision replaces first, and the
/// last, which stands meanwhile. What is shown again for each change of a record must not grow with who writes it full.
pub fn shown(values: &[Visible]) -> impl Iterator<Item = &Visible> + Clone {
    let (first, rest) = values.split_at(values.len().min(SHOWN - 1));
    first.iter().chain(rest.last())
}

/// All puts under one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Register {
    /// Those that nobody replaced, by their ids.
    pub visible: Vec<Visible>,
    /// Those that somebody replaced, in no order. They are looked through for each change beside others: that is quick, for
    /// they say no more than when they stood.
    pub replaced: Vec<Replaced>,
    /// Who else replaced one of them without knowing of the first, by its place among them.
    pub also_by: BTreeMap<usize, Vec<Step>>,
}

/// A put that is visible only to who had not seen what replaced it: by their changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replaced {
    pub put: Step,
    pub by: Step,
}

/// Changes in an order in which each comes after its predecessors, and the visible puts of them all.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(super) changes: Vec<Arc<Change>>,
    /// What each change knew of what others than its own actor had written.
    knew: Vec<Arc<Version>>,
    pub(super) at: BTreeMap<ChangeHash, usize>,
    heads: BTreeSet<ChangeHash>,
    pub(super) actors: BTreeMap<Actor, u32>,
    /// Per actor its changes, each of which stands on the one before.
    chains: Vec<Vec<usize>>,
    /// One map per container, so that a look-up borrows its key.
    registers: [BTreeMap<String, Register>; Container::ALL.len()],
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
        self.chain(actor).last().map_or(0, |&last| self.changes[last].seq)
    }

    /// Every visible value under a key, the one automerge would show last. More than one: they are concurrent.
    #[must_use]
    pub fn visible(&self, container: Container, key: &str) -> &[Visible] {
        self.registers(container).get(key).map_or(&[], |register| register.visible.as_slice())
    }

    /// The one deterministic value under a key.
    #[must_use]
    pub fn value(&self, container: Container, key: &str) -> Option<&Scalar> {
        self.visible(container, key).last().map(|v| &v.value)
    }

    /// All keys of a container that begin with `prefix`, in order, with their visible values.
    pub fn keys<'a>(&'a self, container: Container, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a [Visible])> {
        self.keys_from(container, prefix).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// All keys of a container from one on, in order.
    pub fn keys_from<'a>(
        &'a self,
        container: Container,
        first: &str,
    ) -> impl Iterator<Item = (&'a str, &'a [Visible])> {
        let from = self.registers(container).range::<str, _>((Bound::Included(first), Bound::Unbounded));
        from.map(|(key, register)| (key.as_str(), register.visible.as_slice()))
    }

    /// The keys `field/...` of a container, without `field/`.
    pub fn under<'a>(&'a self, container: Container, field: &'a str) -> impl Iterator<Item = (&'a str, &'a [Visible])> {
        self.keys(container, field)
            .filter_map(move |(key, values)| Some((key[field.len()..].strip_prefix('/')?, values)))
    }

    pub(super) fn registers(&self, container: Container) -> &BTreeMap<String, Register> {
        &self.registers[container as usize - 1]
    }

    pub(super) fn chain(&self, actor: Actor) -> &[usize] {
        self.actors.get(&actor).map_or(&[], |&actor| &self.chains[actor as usize])
    }

    /// Who wrote an operation: the change that holds it.
    #[must_use]
    pub fn change_of(&self, op: OpId) -> Option<&Arc<Change>> {
        self.step_of(op).map(|step| self.change_at(step))
    }

    pub(super) fn step_of(&self, op: OpId) -> Option<Step> {
        let &actor = self.actors.get(&op.actor)?;
        let chain = &self.chains[actor as usize];
        let after = chain.partition_point(|&index| self.changes[index].start_op <= op.counter);
        let at = after.checked_sub(1)?;
        let step = Step { actor, at: u32::try_from(at).ok()? };
        (op.counter <= self.change_at(step).max_op()).then_some(step)
    }

    pub(super) fn change_at(&self, step: Step) -> &Arc<Change> {
        &self.changes[self.chains[step.actor as usize][step.at as usize]]
    }

    /// Where a change stands in the chain of its actor.
    pub(super) fn step_at(&self, index: usize) -> Option<Step> {
        let change = &self.changes[index];
        let &actor = self.actors.get(&change.actor)?;
        let at = self.chains[actor as usize].binary_search(&index).ok()?;
        Some(Step { actor, at: u32::try_from(at).ok()? })
    }

    /// Whether the author of one operation had seen another: it is before it, and not beside it.
    #[must_use]
    pub fn has_seen(&self, later: OpId, earlier: OpId) -> bool {
        let (Some(later), Some(earlier)) = (self.step_of(later), self.step_of(earlier)) else { return false };
        if later.actor == earlier.actor {
            return earlier.at < later.at;
        }
        self.knew[self.chains[later.actor as usize][later.at as usize]].has(earlier)
    }

    /// Whether `deps` are exactly everything held, as those of most new changes are.
    pub(super) fn are_heads(&self, deps: &[ChangeHash]) -> bool {
        if self.heads.is_empty() {
            deps == [*genesis()]
        } else {
            deps.len() == self.heads.len() && self.heads.iter().all(|head| deps.contains(head))
        }
    }

    /// Adds a change whose predecessors are here. The caller has checked it; see [`Past::check_follows`].
    pub fn place(&mut self, change: Arc<Change>) {
        if self.at.contains_key(&change.hash) {
            return;
        }
        let next = u32::try_from(self.actors.len()).unwrap_or(u32::MAX);
        let actor = *self.actors.entry(change.actor).or_insert(next);
        if actor == next {
            self.chains.push(Vec::new());
        }
        let knew = self.known_to(&change, actor);
        let step = Step { actor, at: u32::try_from(self.chains[actor as usize].len()).unwrap_or(u32::MAX) };
        for dep in &change.deps {
            self.heads.remove(dep);
        }
        self.heads.insert(change.hash);
        self.max_op = self.max_op.max(change.max_op());
        for put in &change.puts {
            self.place_put(put, step);
        }
        self.at.insert(change.hash, self.changes.len());
        self.chains[actor as usize].push(self.changes.len());
        self.changes.push(change);
        self.knew.push(knew);
    }

    /// What a new change of an actor knows of others. Who goes on where he was knows what he knew.
    fn known_to(&self, change: &Change, actor: u32) -> Arc<Version> {
        if let [dep] = change.deps.as_slice()
            && let Some(&index) = self.at.get(dep)
            && self.changes[index].actor == change.actor
        {
            return Arc::clone(&self.knew[index]);
        }
        let indices: Vec<usize> = change.deps.iter().filter_map(|dep| self.at.get(dep).copied()).collect();
        let mut version = self.before(&indices);
        indices.iter().filter_map(|&index| self.step_at(index)).for_each(|step| version.add(step));
        version.forget(actor);
        Arc::new(version)
    }

    /// All that is before one of these changes.
    pub(super) fn before(&self, indices: &[usize]) -> Version {
        let mut version = Version::default();
        for &index in indices {
            version.widen(&self.knew[index]);
            if let Some(step) = self.step_at(index) {
                version.add_before(step);
            }
        }
        version
    }

    fn place_put(&mut self, put: &Put, by: Step) {
        let replaced: Vec<(OpId, Step)> =
            put.replaces.iter().filter_map(|id| Some((*id, self.step_of(*id)?))).collect();
        let register = self.registers[put.container as usize - 1].entry(put.key.clone()).or_default();
        for (id, step) in replaced {
            register.replace(id, step, by);
        }
        let index = register.visible.partition_point(|v| v.id < put.id);
        register.visible.insert(index, Visible { id: put.id, value: put.value.clone() });
    }
}

impl Register {
    fn replace(&mut self, id: OpId, put: Step, by: Step) {
        if let Ok(index) = self.visible.binary_search_by_key(&id, |at| at.id) {
            self.visible.remove(index);
            self.replaced.push(Replaced { put, by });
        } else if let Some(index) = self.replaced.iter().rposition(|at| at.put == put) {
            self.also_by.entry(index).or_default().push(by);
        }
    }
}
