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
    /// What it goes on from and shares: all but `heads` and `max_op` is of what came since. See [`History::with`].
    base: Option<Arc<History>>,
    changes: Vec<Arc<Change>>,
    /// What each change knew of what others than its own actor had written.
    knew: Vec<Arc<Version>>,
    at: BTreeMap<ChangeHash, usize>,
    heads: BTreeSet<ChangeHash>,
    actors: BTreeMap<Actor, u32>,
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

    /// This and one change more, without a copy: what the change would make of it, to be looked at.
    #[must_use]
    pub fn with(self: &Arc<Self>, change: Arc<Change>) -> Self {
        let is_told_apart = self.base.is_none() && self.actor(change.actor).is_none();
        let mut with = if is_told_apart {
            let (heads, max_op) = (self.heads.clone(), self.max_op);
            History { base: Some(Arc::clone(self)), heads, max_op, ..History::default() }
        } else {
            (**self).clone()
        };
        with.place(change);
        with
    }

    /// Changes in a causal order: each after its predecessors. Two nodes may hold them in different such orders.
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = &Arc<Change>> + Clone {
        self.base.iter().flat_map(|base| &base.changes).chain(&self.changes)
    }

    /// How many changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared() + self.changes.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[must_use]
    pub fn get(&self, hash: &ChangeHash) -> Option<&Arc<Change>> {
        self.index_of(hash).map(|index| self.nth(index))
    }

    /// How many changes it shares.
    fn shared(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.changes.len())
    }

    pub(super) fn index_of(&self, hash: &ChangeHash) -> Option<usize> {
        let own = self.at.get(hash).copied();
        own.or_else(|| self.base.as_ref()?.index_of(hash))
    }

    pub(super) fn nth(&self, index: usize) -> &Arc<Change> {
        match &self.base {
            Some(base) if index < base.changes.len() => &base.changes[index],
            _ => &self.changes[index - self.shared()],
        }
    }

    fn known_by(&self, index: usize) -> &Arc<Version> {
        match &self.base {
            Some(base) if index < base.knew.len() => &base.knew[index],
            _ => &self.knew[index - self.shared()],
        }
    }

    pub(super) fn actor(&self, actor: Actor) -> Option<u32> {
        let own = self.actors.get(&actor).copied();
        own.or_else(|| self.base.as_ref()?.actor(actor))
    }

    /// How many actors.
    pub(super) fn actors(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.chains.len()) + self.chains.len()
    }

    fn chain_of(&self, actor: u32) -> &[usize] {
        let actor = actor as usize;
        match &self.base {
            Some(base) if actor < base.chains.len() => &base.chains[actor],
            Some(base) => &self.chains[actor - base.chains.len()],
            None => &self.chains[actor],
        }
    }

    pub(super) fn register(&self, container: Container, key: &str) -> Option<&Register> {
        let own = self.own_registers(container).get(key);
        own.or_else(|| self.base.as_ref()?.register(container, key))
    }

    /// All registers of a container from a key on, in the order of their keys.
    pub(super) fn registers_from(&self, container: Container, first: &str) -> impl Iterator<Item = (&str, &Register)> {
        let own = self.own_registers(container);
        let shared = self.base.as_ref().map(|base| base.own_registers(container).range::<str, _>(from(first)));
        let mut shared = shared.into_iter().flatten().filter(|(key, _)| !own.contains_key(*key)).peekable();
        let mut own = own.range::<str, _>(from(first)).peekable();
        let next = std::iter::from_fn(move || match (own.peek(), shared.peek()) {
            (Some((own, _)), Some((next, _))) if next < own => shared.next(),
            (None, _) => shared.next(),
            _ => own.next(),
        });
        next.map(|(key, register)| (key.as_str(), register))
    }

    fn own_registers(&self, container: Container) -> &BTreeMap<String, Register> {
        &self.registers[container as usize - 1]
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
        self.chain(actor).last().map_or(0, |&last| self.nth(last).seq)
    }

    /// Every visible value under a key, the one automerge would show last. More than one: they are concurrent.
    #[must_use]
    pub fn visible(&self, container: Container, key: &str) -> &[Visible] {
        self.register(container, key).map_or(&[], |register| register.visible.as_slice())
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
        self.registers_from(container, first).map(|(key, register)| (key, register.visible.as_slice()))
    }

    /// The keys `field/...` of a container, without `field/`.
    pub fn under<'a>(&'a self, container: Container, field: &'a str) -> impl Iterator<Item = (&'a str, &'a [Visible])> {
        self.keys(container, field)
            .filter_map(move |(key, values)| Some((key[field.len()..].strip_prefix('/')?, values)))
    }

    pub(super) fn chain(&self, actor: Actor) -> &[usize] {
        self.actor(actor).map_or(&[], |actor| self.chain_of(actor))
    }

    /// Every value that was ever written under a key, by their ids, those too that are replaced: in proportion to them, and not
    /// to the history.
    #[must_use]
    pub fn written(&self, container: Container, key: &str) -> Vec<Visible> {
        let Some(register) = self.register(container, key) else { return Vec::new() };
        let replaced = register.replaced.iter().filter_map(|at| self.put_of(at.put, container, key));
        let mut written: Vec<Visible> = replaced.chain(register.visible.iter().cloned()).collect();
        written.sort_unstable_by_key(|at| at.id);
        written
    }

    /// What a change wrote under a key.
    pub(super) fn put_of(&self, step: Step, container: Container, key: &str) -> Option<Visible> {
        let put = self.change_at(step).puts.iter().find(|put| put.container == container && put.key == key)?;
        Some(Visible { id: put.id, value: put.value.clone() })
    }

    /// Who wrote an operation: the change that holds it.
    #[must_use]
    pub fn change_of(&self, op: OpId) -> Option<&Arc<Change>> {
        self.step_of(op).map(|step| self.change_at(step))
    }

    pub(super) fn step_of(&self, op: OpId) -> Option<Step> {
        let actor = self.actor(op.actor)?;
        let after = self.chain_of(actor).partition_point(|&index| self.nth(index).start_op <= op.counter);
        let at = after.checked_sub(1)?;
        let step = Step { actor, at: u32::try_from(at).ok()? };
        (op.counter <= self.change_at(step).max_op()).then_some(step)
    }

    pub(super) fn change_at(&self, step: Step) -> &Arc<Change> {
        self.nth(self.chain_of(step.actor)[step.at as usize])
    }

    /// Where a change stands in the chain of its actor.
    pub(super) fn step_at(&self, index: usize) -> Option<Step> {
        let actor = self.actor(self.nth(index).actor)?;
        let at = self.chain_of(actor).binary_search(&index).ok()?;
        Some(Step { actor, at: u32::try_from(at).ok()? })
    }

    /// Whether the author of one operation had seen another: it is before it, and not beside it.
    #[must_use]
    pub fn has_seen(&self, later: OpId, earlier: OpId) -> bool {
        let (Some(later), Some(earlier)) = (self.step_of(later), self.step_of(earlier)) else { return false };
        if later.actor == earlier.actor {
            return earlier.at < later.at;
        }
        self.known_by(self.chain_of(later.actor)[later.at as usize]).has(earlier)
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
        if self.index_of(&change.hash).is_some() {
            return;
        }
        let actor = self.actor(change.actor).unwrap_or_else(|| self.enter(change.actor));
        let knew = self.known_to(&change, actor);
        let step = Step { actor, at: u32::try_from(self.chain_of(actor).len()).unwrap_or(u32::MAX) };
        for dep in &change.deps {
            self.heads.remove(dep);
        }
        self.heads.insert(change.hash);
        self.max_op = self.max_op.max(change.max_op());
        for put in &change.puts {
            self.place_put(put, step);
        }
        let index = self.len();
        self.at.insert(change.hash, index);
        let own = actor as usize - self.base.as_ref().map_or(0, |base| base.chains.len());
        self.chains[own].push(index);
        self.changes.push(change);
        self.knew.push(knew);
    }

    /// Gives a number to who writes here for the first time.
    fn enter(&mut self, actor: Actor) -> u32 {
        let next = u32::try_from(self.actors()).unwrap_or(u32::MAX);
        self.actors.insert(actor, next);
        self.chains.push(Vec::new());
        next
    }

    /// What a new change of an actor knows of others. Who goes on where he was knows what he knew.
    fn known_to(&self, change: &Change, actor: u32) -> Arc<Version> {
        if let [dep] = change.deps.as_slice()
            && let Some(index) = self.index_of(dep)
            && self.nth(index).actor == change.actor
        {
            return Arc::clone(self.known_by(index));
        }
        let indices: Vec<usize> = change.deps.iter().filter_map(|dep| self.index_of(dep)).collect();
        let mut version = self.before(&indices);
        indices.iter().filter_map(|&index| self.step_at(index)).for_each(|step| version.add(step));
        version.forget(actor);
        Arc::new(version)
    }

    /// All that is before one of these changes.
    pub(super) fn before(&self, indices: &[usize]) -> Version {
        let mut version = Version::default();
        for &index in indices {
            version.widen(self.known_by(index));
            if let Some(step) = self.step_at(index) {
                version.add_before(step);
            }
        }
        version
    }

    fn place_put(&mut self, put: &Put, by: Step) {
        let replaced: Vec<(OpId, Step)> =
            put.replaces.iter().filter_map(|id| Some((*id, self.step_of(*id)?))).collect();
        let shared = self.base.as_ref().and_then(|base| base.register(put.container, &put.key));
        let own = self.registers[put.container as usize - 1].entry(put.key.clone());
        let register = own.or_insert_with(|| shared.cloned().unwrap_or_default());
        for (id, step) in replaced {
            register.replace(id, step, by);
        }
        let index = register.visible.partition_point(|v| v.id < put.id);
        register.visible.insert(index, Visible { id: put.id, value: put.value.clone() });
    }
}

/// From a key on.
fn from(first: &str) -> (Bound<&str>, Bound<&str>) {
    (Bound::Included(first), Bound::Unbounded)
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
