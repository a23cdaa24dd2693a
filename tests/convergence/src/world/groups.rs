//! Who can rely on whom, and whether those who can are at rest. Honest nodes that lines between honest nodes join are a
//! group: of one group everything is promised, whatever hostile nodes do. What two groups know of each other passes through
//! hostile hands, and nobody promises that it passes.

use std::collections::BTreeSet;

use heliu_replication::{LinkId, LinkStatus};

use super::World;
use super::machine::Role;

impl World {
    fn is_anybody_hostile(&self) -> bool {
        self.machines.iter().any(|machine| machine.is_hostile)
    }

    /// Whether both ends of a link keep the rules.
    pub(super) fn is_link_honest(&self, machine: usize, link: LinkId) -> bool {
        if self.machines[machine].is_hostile {
            return false;
        }
        let Some(held) = self.machines[machine].links.get(&link) else { return self.hostile.is_empty() };
        let is_by_hand = self.visits.get(&held.wire).is_some_and(|visit| visit.is_hostile);
        !is_by_hand && self.other_end(machine, link).is_none_or(|other| !self.machines[other].is_hostile)
    }

    pub(super) fn other_end(&self, machine: usize, link: LinkId) -> Option<usize> {
        let held = self.machines[machine].links.get(&link)?;
        let other = self.wires.get(&held.wire)?.end(held.side.other()).machine;
        (other < self.machines.len()).then_some(other)
    }

    /// The honest nodes that a machine's own lines lead to: those that it mirrors, and of those above the one that it has
    /// called. Who calls one or the other does not join the two: what he hears is his own scope, not theirs.
    fn lines(&self, machine: usize) -> Vec<usize> {
        let at = &self.machines[machine];
        let called = at.link_for(Role::Up).and_then(|link| self.other_end(machine, link));
        let called = called.or_else(|| at.upstreams.first().copied().filter(|_| at.upstreams.len() == 1));
        // Who has not heard of it, because hostile nodes keep the directory from him, lets it in nowhere.
        let called = called.filter(|above| self.knows(*above, machine));
        let is_honest = |other: &usize| !self.machines[*other].is_hostile;
        at.peers.iter().copied().chain(called).filter(is_honest).collect()
    }

    /// Whether one of those that it calls above it is hostile, or of those that these call.
    #[must_use]
    pub fn has_hostile_superior(&self, machine: usize) -> bool {
        let above = &self.machines[machine].upstreams;
        above.iter().any(|above| self.machines[*above].is_hostile || self.has_hostile_superior(*above))
    }

    /// Whoever keeps the directory from those above a machine keeps it out.
    fn knows(&self, superior: usize, machine: usize) -> bool {
        let (superior, node) = (self.machines[superior].engine.as_ref(), self.machines[machine].node());
        superior.is_none_or(|engine| engine.directory().node(node).is_some())
    }

    /// Whether the superior that it has called is honest: that one says that it has everything, and what has left goes.
    #[must_use]
    pub fn is_relieved(&self, machine: usize) -> bool {
        let above = self.machines[machine].link_for(Role::Up).and_then(|link| self.other_end(machine, link));
        above.is_some_and(|above| !self.machines[above].is_hostile && self.knows(above, machine))
    }

    /// The groups; without anybody hostile all machines are one, whatever is cut. That of the county's node is the first.
    #[must_use]
    pub fn groups(&self) -> Vec<BTreeSet<usize>> {
        if !self.is_anybody_hostile() {
            return vec![(0..self.machines.len()).filter(|machine| !self.machines[*machine].is_retired).collect()];
        }
        let mut groups: Vec<BTreeSet<usize>> = Vec::new();
        for machine in (0..self.machines.len()).filter(|machine| !self.machines[*machine].is_hostile) {
            let mut own: BTreeSet<usize> = self.lines(machine).into_iter().chain([machine]).collect();
            let (joined, rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| !group.is_disjoint(&own));
            own.extend(joined.into_iter().flatten());
            groups = rest;
            groups.push(own);
        }
        groups.sort();
        groups
    }

    /// Every honest node runs, every line between them is up, nothing is under way there, and every link between them has
    /// been verified since anything moved.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.unrest().is_none()
    }

    /// What keeps the world from being quiet, in words.
    #[must_use]
    pub fn unrest(&self) -> Option<String> {
        let groups = self.groups();
        let main = groups.first()?;
        let engines = || main.iter().filter_map(|machine| self.machines[*machine].engine.as_ref());
        let entries = engines().map(|engine| engine.directory().len()).max();
        groups.iter().flatten().find_map(|machine| self.unrest_of(*machine, main.contains(machine), entries))
    }

    /// Whoever is cut off by hostile nodes may lack directory entries, and keep what no honest superior can prove to have.
    fn unrest_of(&self, index: usize, is_main: bool, entries: Option<u64>) -> Option<String> {
        let machine = &self.machines[index];
        let name = &machine.name;
        let Some(engine) = &machine.engine else { return Some(format!("{name} does not run")) };
        if !engine.is_idle() {
            return Some(format!("{name} is at work"));
        }
        if is_main && Some(engine.directory().len()) < entries {
            return Some(format!("{name} has not heard the whole directory"));
        }
        let is_honest = |other: &usize| !self.machines[*other].is_hostile;
        let knows = |other: &usize| self.knows(*other, index);
        if self.is_relieved(index) && engine.leaving() > 0 {
            return Some(format!("{name} still holds {} records that have left it", engine.leaving()));
        }
        let role =
            machine.upstreams.iter().any(|other| is_honest(other) && (is_main || knows(other))).then_some(Role::Up);
        let roles = machine.peers.iter().copied().filter(|peer| is_honest(peer)).map(Role::Peer).chain(role);
        if roles.into_iter().any(|role| machine.link_for(role).is_none()) {
            return Some(format!("{name} is not connected"));
        }
        let links = engine.links();
        let counts = |link: LinkId| {
            let is_by_hand = machine.links.get(&link).is_some_and(|held| self.visits.contains_key(&held.wire));
            !is_by_hand && self.is_link_honest(index, link)
        };
        let restless = links.iter().filter(|link| counts(link.link)).find(|link| {
            link.phase != "in step"
                || link.statements_differ
                || link.verified_at.is_none_or(|verified| verified < self.moved_at(index, link))
        });
        restless.map(|link| {
            let peer = link.peer.and_then(|node| self.machines.iter().find(|m| m.node() == node));
            let to = peer.map_or("?", |m| m.name.as_str());
            let verified = link.verified_at.map_or_else(|| "never".to_owned(), |at| format!("at {at}"));
            let (phase, mismatches) = (link.phase, link.mismatches);
            let moved = self.moved_at(index, link);
            format!("{name} to {to} is {phase}, verified {verified}, {mismatches} mismatches, last moved at {moved}")
        })
    }

    /// When something durable last changed at either end of a link.
    pub(super) fn moved_at(&self, machine: usize, link: &LinkStatus) -> u64 {
        let other = self.other_end(machine, link.link).map_or(0, |other| self.machines[other].moved_at);
        self.machines[machine].moved_at.max(other)
    }
}
