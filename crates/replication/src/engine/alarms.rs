//! What operators have to know until it is over, from what the engine sees now.

use std::collections::BTreeMap;

use heliu_trust::id::NodeId;

use super::Engine;
use crate::alarm::{Alarm, second_nodes};
use crate::link::{Heard, Link, Process};
use crate::records::ForeignAuthor;

impl Engine {
    /// The gravest first.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        let (parts, now) = (&self.parts, self.now);
        let mut alarms = Vec::new();
        if parts.directory().is_fenced(parts.own.node) {
            alarms.push(Alarm::fenced(parts.own.node));
        }
        if let Some(fork) = parts.authority.fork() {
            let heads = [fork.ours, fork.theirs.version];
            alarms.push(Alarm::directory_forked(fork.theirs.entry.index, heads, now.wall_of(fork.since_tick)));
        }
        alarms.extend(second_nodes(parts.directory(), parts.own.seat, parts.authority.learnt(), now.wall_ms));
        alarms.extend(parts.health.evidence.accused().map(|(author, at_ms)| Alarm::equivocation(author, at_ms)));
        let mut twins = self.twins();
        let here = twins.remove(&parts.own.node).or(parts.health.evidence.twin_since());
        alarms.extend(here.map(|at| Alarm::twin_here(parts.own.node, now.wall_of(at))));
        alarms.extend(twins.into_iter().map(|(node, at)| Alarm::twin(node, now.wall_of(at))));
        alarms.extend(self.false_claims.iter().map(|(peer, at)| Alarm::false_claim(*peer, now.wall_of(*at))));
        let judged = self.links.values().filter_map(Link::judged_differently);
        alarms.extend(judged.map(|(peer, at)| Alarm::judged_differently(peer, now.wall_of(at))));
        let catalogue = self.config.catalogue;
        for (peer, at, theirs) in self.links.values().filter_map(Link::declares) {
            let differing = catalogue.digests().differing(theirs);
            let said: Vec<_> = differing.map(|(kind, version)| (catalogue.say_kind(kind), version)).collect();
            if !said.is_empty() {
                alarms.push(Alarm::kinds_differ(peer, &said, now.wall_of(at)));
            }
        }
        for (kind, since, records, one) in parts.unjudged.differing() {
            alarms.push(Alarm::unjudged(kind, &catalogue.say_kind(kind), (records, one), now.wall_of(since)));
        }
        let waiting = parts.keys.waits.unread();
        if waiting > 0 {
            alarms.push(Alarm::keys_pending(waiting, parts.own.seat));
        }
        let full = parts.keys.audiences.without_room();
        if let Some(first) = full.first() {
            alarms.push(Alarm::no_room_for_keys(full.len(), *first));
        }
        alarms.extend(parts.statements.forked_logs().map(|(author, at_ms)| Alarm::audit_forked(author, at_ms)));
        for (author, at, records) in parts.scopes.foreign.floods() {
            let seats = parts.directory().seats();
            let (name, code) = seats.get(author).map_or_else(
                || (author.short(), author.to_string()),
                |seat| (format!("{} ({})", seat.name, seat.code), seat.code.clone()),
            );
            alarms.push(Alarm::too_much(author, &name, &code, records, now.wall_of(at)));
        }
        let (stranded, since_ms) = parts.stranded.tried();
        if stranded > 0 {
            alarms.push(Alarm::stranded(stranded, since_ms));
        }
        alarms.sort_by_key(|alarm| std::cmp::Reverse(alarm.severity));
        alarms
    }

    /// Who has put something here from outside of this line, or is declined; by seat.
    #[must_use]
    pub fn foreign(&self) -> Vec<ForeignAuthor> {
        self.parts.scopes.foreign.authors(self.parts.own.seat, self.parts.directory().seats())
    }

    /// Nodes of which two processes run at once, and since which tick: both have spoken since both are here, or one of them is this one's own. A
    /// connection that broke without a word stays silent.
    fn twins(&self) -> BTreeMap<NodeId, u64> {
        let mut seen: BTreeMap<NodeId, Vec<(Process, Heard)>> = BTreeMap::new();
        let mut twins: BTreeMap<NodeId, u64> = BTreeMap::new();
        for (node, process, heard) in self.links.values().filter_map(Link::process) {
            if node == self.parts.own.node {
                twins.entry(node).or_insert(heard.since_tick);
            }
            let others = seen.entry(node).or_default();
            let is_other = |(other, before): &&(Process, Heard)| {
                let since = before.since_tick.max(heard.since_tick);
                *other != process && before.last_tick > since && heard.last_tick > since
            };
            if let Some((_, other)) = others.iter().find(is_other) {
                twins.entry(node).or_insert(other.since_tick.max(heard.since_tick));
            }
            others.push((process, heard));
        }
        twins
    }
}
