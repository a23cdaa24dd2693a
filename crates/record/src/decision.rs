//! Decisions and the state that a log of them folds to.
//!
//! A decision is one scalar, `state|effective on|number|cited entries`, so that no node ever sees half of one. It cites the
//! decisions that it supersedes; of those that nobody supersedes the highest rank stands. So an ending beats whatever
//! was decided without knowing of it, in any order of arrival, and only a decision that cites the ending reopens.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{Container, OpId};
use crate::date;
use crate::history::History;
use crate::kind::{State, StateMachine};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision<'a> {
    pub state: &'a str,
    /// From when it counts; empty where the day does not matter.
    pub effective_on: &'a str,
    /// The number of the written decision, if there is one.
    pub number: &'a str,
    /// Entries of the same field that this one supersedes.
    pub cites: Vec<&'a str>,
}

impl<'a> Decision<'a> {
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('|');
        let state = parts.next().filter(|s| !s.is_empty())?;
        let effective_on = parts.next().unwrap_or_default();
        let number = parts.next().unwrap_or_default();
        let cites = parts.next().unwrap_or_default().split(',').filter(|c| !c.is_empty()).collect();
        let well_formed = parts.next().is_none() && (effective_on.is_empty() || date::is_date(effective_on));
        well_formed.then_some(Decision { state, effective_on, number, cites })
    }

    #[must_use]
    pub fn to_text(&self) -> String {
        let text = [self.state, self.effective_on, self.number, &self.cites.join(",")].join("|");
        text.trim_end_matches('|').to_owned()
    }
}

/// What a log of decisions says now.
#[derive(Clone, Debug)]
pub struct Standing<'h> {
    pub state: &'static State,
    /// From when; empty if nobody said.
    pub since: &'h str,
    /// The decision that stands; `None` in the initial state.
    pub op: Option<OpId>,
    /// The entries that nobody supersedes: what the next decision cites.
    pub open: Vec<&'h str>,
    /// The decisions that stand beside each other and of which none could have followed another, each state once; empty if there is
    /// no such disagreement.
    pub against: Vec<(OpId, &'static State)>,
}

#[must_use]
pub fn fold<'h>(machine: &'static StateMachine, history: &'h History, field: &'h str) -> Standing<'h> {
    let mut entries: Vec<Entry<'h>> = Vec::new();
    for (name, values) in history.under(Container::Log, field) {
        entries.extend(values.iter().filter_map(|value| {
            let decision = Decision::parse(value.value.as_text()?)?;
            let state = machine.state(decision.state)?;
            Some(Entry { name, op: value.id, state, decision, is_alone: values.len() == 1 })
        }));
    }
    let mut citing: BTreeMap<&str, Vec<OpId>> = BTreeMap::new();
    for entry in &entries {
        entry.decision.cites.iter().for_each(|cited| citing.entry(cited).or_default().push(entry.op));
    }
    // An entry that two wrote apart is superseded only for who saw it: nobody annuls another's decision unseen by taking
    // its name for one of his own.
    let is_superseded = |entry: &Entry<'_>| {
        let by = citing.get(entry.name);
        by.is_some_and(|by| entry.is_alone || by.iter().any(|later| history.has_seen(*later, entry.op)))
    };
    let standing: Vec<&Entry<'h>> = entries.iter().filter(|entry| !is_superseded(entry)).collect();
    let open = standing.iter().map(|entry| entry.name).collect();
    let Some(highest) = standing.iter().max_by_key(|entry| (entry.state.rank, entry.op)) else {
        return Standing { state: machine.initial(), since: "", op: None, open, against: Vec::new() };
    };
    let against = against(&standing, highest);
    // What is declared to stand between them does, if it is for all of them.
    let is_between =
        |state: &&State| against.len() > 1 && against.iter().all(|(_, one)| state.between.contains(&one.name));
    let between = machine.states.iter().find(is_between);
    let (state, since) = between.map_or((highest.state, highest.decision.effective_on), |state| (state, ""));
    Standing { state, since, op: Some(highest.op), open, against }
}

/// The decisions by which the state came about that stands, the first one first, each with its day: the one that stands, and those
/// that it supersedes, and so on.
#[must_use]
pub fn led<'h>(machine: &'static StateMachine, history: &'h History, field: &'h str) -> Vec<(&'static State, &'h str)> {
    let Some(stands) = fold(machine, history, field).op else { return Vec::new() };
    let mut before: BTreeMap<OpId, (&'h str, Decision<'h>)> = BTreeMap::new();
    for (name, values) in history.under(Container::Log, field) {
        let decisions = values.iter().filter_map(|at| Some((at.id, Decision::parse(at.value.as_text()?)?)));
        before.extend(decisions.map(|(op, decision)| (op, (name, decision))));
    }
    // An operation comes after all that its author had seen, so one walk down the ids meets each before what it cites.
    let mut cited: BTreeSet<&str> = BTreeSet::new();
    let mut led = Vec::new();
    for (op, (name, decision)) in before.range(..=stands).rev() {
        if *op == stands || cited.contains(name) {
            cited.extend(&decision.cites);
            led.extend(machine.state(decision.state).map(|state| (state, decision.effective_on)));
        }
    }
    led.reverse();
    led
}

/// The highest decision and those beside it that could not have gone before it, each state once.
fn against(standing: &[&Entry<'_>], highest: &Entry<'_>) -> Vec<(OpId, &'static State)> {
    let mut states: BTreeMap<&str, (OpId, &'static State)> = BTreeMap::new();
    for entry in standing {
        let disagrees = entry.state.name != highest.state.name && !highest.state.from.contains(&entry.state.name);
        if disagrees {
            let at = states.entry(entry.state.name).or_insert((entry.op, entry.state));
            at.0 = at.0.max(entry.op);
        }
    }
    let others: Vec<(OpId, &'static State)> = states.into_values().collect();
    if others.is_empty() { others } else { [(highest.op, highest.state)].into_iter().chain(others).collect() }
}

/// One decision of a log.
struct Entry<'h> {
    name: &'h str,
    op: OpId,
    state: &'static State,
    decision: Decision<'h>,
    /// Whether nobody else wrote under its name.
    is_alone: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_goes_there_and_back() {
        for text in ["full", "dissolved|2026-03-01", "removed||县组〔2026〕3号|0,ab", "active|||0"] {
            let decision = Decision::parse(text).expect(text);
            assert_eq!(decision.to_text(), text);
        }
        for wrong in ["", "|2026-03-01", "full|yesterday", "a|||b|c"] {
            assert_eq!(Decision::parse(wrong), None, "{wrong}");
        }
    }
}
