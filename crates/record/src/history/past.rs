//! A history as it stood before a change: what the change's author knew. Nothing is built for it: what is visible is asked
//! of the whole history, key by key.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::version::Step;
use super::whole::{History, Register, Visible};
use crate::change::{Change, Container, GENESIS_MAX_OP, OpId, genesis};
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

/// Some changes of a history with all before them.
#[derive(Clone, Debug)]
pub struct Past<'h> {
    history: &'h History,
    /// None: all of it.
    part: Option<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    /// The last of them: none is before another.
    heads: BTreeSet<ChangeHash>,
    /// How many changes of each actor, by its number.
    counts: Vec<u32>,
    max_op: u64,
}

impl Part {
    fn has(&self, step: Step) -> bool {
        self.counts[step.actor as usize] > step.at
    }
}

impl<'h> From<&'h History> for Past<'h> {
    fn from(history: &'h History) -> Self {
        history.now()
    }
}

impl<'h> From<&Past<'h>> for Past<'h> {
    fn from(past: &Past<'h>) -> Self {
        past.clone()
    }
}

impl History {
    /// All that is here, as what a new change would stand on.
    #[must_use]
    pub fn now(&self) -> Past<'_> {
        Past { history: self, part: None }
    }

    /// The history that `deps` stand for: they and all before them.
    pub fn at(&self, deps: &[ChangeHash]) -> Result<Past<'_>, PlaceError> {
        Past::at(self, deps)
    }
}

impl<'h> Past<'h> {
    fn at(history: &'h History, deps: &[ChangeHash]) -> Result<Self, PlaceError> {
        if history.are_heads(deps) {
            return Ok(history.now());
        }
        let named = || deps.iter().copied().filter(|dep| dep != genesis());
        let missing: Vec<ChangeHash> = named().filter(|dep| history.index_of(dep).is_none()).collect();
        if !missing.is_empty() {
            return Err(PlaceError::Missing(missing));
        }
        let indices: Vec<usize> = named().filter_map(|dep| history.index_of(&dep)).collect();
        let before = history.before(&indices);
        let steps = indices.iter().filter_map(|&index| Some((history.step_at(index)?, history.nth(index).hash)));
        let last: Vec<_> = steps.filter(|(step, _)| !before.has(*step)).collect();
        let mut heads: BTreeSet<ChangeHash> = last.iter().map(|(_, hash)| *hash).collect();
        if heads.is_empty() {
            heads.insert(*genesis());
        }
        let mut version = before;
        last.into_iter().for_each(|(step, _)| version.add(step));
        // A change's operations come after all that it stands on.
        let max_op = indices.iter().map(|&index| history.nth(index).max_op()).max().unwrap_or(GENESIS_MAX_OP);
        Ok(Past { history, part: Some(Part { heads, counts: version.counts(history.actors()), max_op }) })
    }

    /// Whether it is all that is here.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.part.is_none()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.part.as_ref().map_or_else(|| self.history.is_empty(), |part| part.heads.contains(genesis()))
    }

    /// What a change that stands on exactly this names as predecessors.
    #[must_use]
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.part.as_ref().map_or_else(|| self.history.heads(), |part| part.heads.iter().copied().collect())
    }

    #[must_use]
    pub fn max_op(&self) -> u64 {
        self.part.as_ref().map_or(self.history.max_op(), |part| part.max_op)
    }

    /// The last seq of an actor, 0 if it has not written here.
    #[must_use]
    pub fn seq(&self, actor: Actor) -> u64 {
        self.last_of(actor).map_or(0, |change| change.seq)
    }

    /// The last change of an actor.
    #[must_use]
    pub fn last_of(&self, actor: Actor) -> Option<&'h Arc<Change>> {
        let chain = self.history.chain(actor);
        let count = match &self.part {
            Some(part) => part.counts[self.history.actor(actor)? as usize] as usize,
            None => chain.len(),
        };
        chain.get(count.checked_sub(1)?).map(|&index| self.history.nth(index))
    }

    /// Who wrote an operation that is here: the change that holds it.
    #[must_use]
    pub fn change_of(&self, op: OpId) -> Option<&'h Arc<Change>> {
        self.history.change_of(op)
    }

    #[must_use]
    pub fn contains(&self, change: &ChangeHash) -> bool {
        let Some(index) = self.history.index_of(change) else { return false };
        let is_in = |part: &Part| self.history.step_at(index).is_some_and(|step| part.has(step));
        self.part.as_ref().is_none_or(is_in)
    }

    /// Every visible value under a key; see [`History::visible`].
    #[must_use]
    pub fn visible(&self, container: Container, key: &str) -> Cow<'h, [Visible]> {
        let register = self.history.register(container, key);
        register.map_or(Cow::Borrowed(&[]), |register| self.visible_in(container, key, register))
    }

    /// All keys of a container that begin with `prefix`, in order, with their visible values.
    pub fn keys<'p>(
        &'p self,
        container: Container,
        prefix: &'p str,
    ) -> impl Iterator<Item = (&'h str, Cow<'h, [Visible]>)> + 'p {
        let from = self.history.registers_from(container, prefix);
        let own = from.take_while(move |(key, _)| key.starts_with(prefix));
        own.map(move |(key, register)| (key, self.visible_in(container, key, register)))
    }

    fn visible_in(&self, container: Container, key: &str, register: &'h Register) -> Cow<'h, [Visible]> {
        let Some(part) = &self.part else { return Cow::Borrowed(&register.visible) };
        let is_replaced_too = |index| register.also_by.get(&index).is_some_and(|by| by.iter().any(|by| part.has(*by)));
        let replaced = register.replaced.iter().enumerate().filter(|(_, at)| part.has(at.put) && !part.has(at.by));
        let replaced = replaced.filter(|(index, _)| !is_replaced_too(*index));
        let replaced = replaced.filter_map(|(_, at)| self.history.put_of(at.put, container, key));
        let stands = |at: &&Visible| self.history.step_of(at.id).is_some_and(|step| part.has(step));
        let mut visible: Vec<Visible> = replaced.chain(register.visible.iter().filter(stands).cloned()).collect();
        visible.sort_unstable_by_key(|at| at.id);
        Cow::Owned(visible)
    }

    /// Checks that a change follows from exactly this, which must be what stands at its predecessors.
    pub fn check_follows(&self, change: &Change) -> Result<(), PlaceError> {
        let follows = match &self.part {
            Some(Part { heads, .. }) => {
                change.deps.len() == heads.len() && heads.iter().all(|head| change.deps.contains(head))
            }
            None => self.history.are_heads(&change.deps),
        };
        if !follows {
            return Err(PlaceError::Deps);
        }
        // A change that is in the past of its own deps has its actor's last change there, or the actor skipped it.
        let expected = self.seq(change.actor) + 1;
        if change.seq != expected {
            return Err(PlaceError::Seq { expected, found: change.seq });
        }
        if change.start_op != self.max_op() + 1 {
            return Err(PlaceError::StartOp { expected: self.max_op() + 1, found: change.start_op });
        }
        let mut own: BTreeSet<(Container, &str)> = BTreeSet::new();
        for put in &change.puts {
            let visible = self.visible(put.container, &put.key);
            let replaces_known = put.replaces.iter().all(|id| visible.binary_search_by_key(id, |at| at.id).is_ok());
            if !replaces_known || !own.insert((put.container, &put.key)) {
                return Err(PlaceError::Dangling(put.key.clone()));
            }
        }
        Ok(())
    }

    /// A history of its own, for what reads whole histories. It takes as long as it is long.
    #[must_use]
    pub fn to_history(&self) -> Cow<'h, History> {
        if self.part.is_none() {
            return Cow::Borrowed(self.history);
        }
        let mut own = History::new();
        let changes = self.history.changes().filter(|change| self.contains(&change.hash));
        changes.for_each(|change| own.place(Arc::clone(change)));
        Cow::Owned(own)
    }
}
