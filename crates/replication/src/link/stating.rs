//! Statements on a link: what both ends are to have is compared by sums at the start and at each checkpoint; where those
//! differ, lists are exchanged and what is missing follows. What becomes durable here is passed on at once.
//!
//! Nothing is acknowledged: what is lost, or dropped because too much waits, shows in the next sums.

use std::sync::Arc;

use heliu_record::hash::Sum;
use heliu_trust::statement::SignedStatement;

use super::{Arrival, Link, Out, Phase, Shared};
use crate::effect::LinkId;
use crate::frame::{Frame, Statements, limits};

/// Frames of statements that may wait to be taken.
const WAITING_MAX: usize = 64;
/// Lists that are answered in one tick: each may cost much more to answer than to ask.
const ANSWERS_PER_TICK: usize = 4;

#[derive(Default)]
pub(super) struct Stating {
    /// Frames handed to the engine that are not durable yet.
    waiting: usize,
    differ: bool,
    /// Whether the other end has asked since our last checkpoint: it found a difference.
    was_asked: bool,
    /// Where the next list begins.
    from: [u8; 8],
    /// Comparisons in a row that found a difference, and ticks since the last lists were exchanged for it.
    unequal: u32,
    ticks: u32,
    answered: usize,
}

impl Stating {
    pub fn differ(&self) -> bool {
        self.differ
    }

    /// A checkpoint goes out.
    pub fn ask(&mut self) {
        self.was_asked = false;
    }

    /// The verdict on it came; whoever found a difference has asked before.
    pub fn hear_verdict(&mut self) {
        self.differ = self.was_asked;
        if !self.differ {
            self.unequal = 0;
        }
    }

    fn is_due(&self) -> bool {
        // What lists do not mend is not listed again and again: each time the wait doubles.
        self.unequal == 0 || self.ticks >= 1 << self.unequal.min(8)
    }
}

impl Link {
    /// Over the statements that both ends are to have, as far as they are durable here.
    pub(super) fn statements_sum(&self, shared: &Shared<'_>) -> Sum {
        let seats = shared.directory.seats();
        self.peer.as_ref().map(|peer| shared.statements.sum(shared.seat, peer.seat, seats)).unwrap_or_default()
    }

    /// The other end has said its sum.
    pub(super) fn compare_statements(&mut self, theirs: Sum, asks: bool, shared: &Shared<'_>, out: &mut Out) {
        self.stating.differ = theirs != self.statements_sum(shared);
        if !self.stating.differ {
            self.stating.unequal = 0;
            return;
        }
        self.verifying.unsettle();
        if asks {
            self.ask_for_statements(shared, out);
        }
    }

    /// Once per tick: as long as the ends are known to differ, whoever knows it asks, at growing intervals.
    pub(super) fn tick_statements(&mut self, shared: &Shared<'_>, out: &mut Out) {
        self.stating.ticks = self.stating.ticks.saturating_add(1);
        self.stating.answered = 0;
        if self.stating.differ {
            self.ask_for_statements(shared, out);
        }
    }

    fn ask_for_statements(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if !self.stating.is_due() {
            return;
        }
        self.stating.unequal += 1;
        self.stating.ticks = 0;
        let have = self.list(self.stating.from, shared);
        let is_part = have.len() >= limits::STATEMENTS_PER_HAVE;
        self.stating.from = have.last().copied().filter(|_| is_part).unwrap_or_default();
        self.send(Frame::Statements(Statements { have, reply: true, statements: Vec::new() }), out);
    }

    fn list(&self, from: [u8; 8], shared: &Shared<'_>) -> Vec<[u8; 8]> {
        let seats = shared.directory.seats();
        let list = |peer: &super::Peer| shared.statements.list(from, shared.seat, peer.seat, seats);
        self.peer.as_ref().map(list).unwrap_or_default()
    }

    pub(super) fn on_statements(&mut self, frame: Statements, shared: &Shared<'_>, out: &mut Out) {
        let Statements { have, reply, statements } = frame;
        if !statements.is_empty() {
            if self.stating.waiting >= WAITING_MAX {
                self.stating.differ = true;
                return self.verifying.unsettle();
            }
            self.stating.waiting += 1;
            out.arrivals.push(Arrival::Statements { link: self.id, statements });
            return;
        }
        if have.is_empty() || !have[1..].is_sorted() || have.get(1).is_some_and(|first| *first < have[0]) {
            return self.protocol_error("a list of statements came that is not in order", out);
        }
        self.stating.answered += 1;
        if self.stating.answered > ANSWERS_PER_TICK {
            self.stating.differ = true;
            return self.verifying.unsettle();
        }
        let Some(peer) = &self.peer else { return };
        let lacking = shared.statements.lacking(&have, shared.seat, peer.seat, shared.directory.seats());
        for statements in Statements::cut(lacking) {
            self.send(Frame::Statements(Statements { statements, ..Statements::default() }), out);
        }
        let own = self.list(have[0], shared);
        let is_all = have[0] == [0; 8] && have.len() < limits::STATEMENTS_PER_HAVE;
        let is_same = own == have;
        self.stating.differ = !is_same || (self.stating.differ && !is_all);
        if reply {
            self.stating.was_asked = !is_same;
            self.send(Frame::Statements(Statements { have: own, reply: false, statements: Vec::new() }), out);
        }
        self.verifying.unsettle();
    }

    /// A frame of statements of this link is durable, as far as it was taken.
    pub fn heard_statements(&mut self) {
        self.stating.waiting = self.stating.waiting.saturating_sub(1);
        // It goes forward: no need to wait longer and longer.
        self.stating.unequal = 0;
        self.verifying.unsettle();
    }

    /// These are durable here since now. The other end gets those that it is to have and has not brought itself.
    pub fn on_stated(&mut self, stated: &[(Option<LinkId>, Arc<SignedStatement>)], shared: &Shared<'_>, out: &mut Out) {
        let Some(peer) = self.peer.as_ref().filter(|_| self.phase == Phase::Running) else { return };
        let (own, peer, seats) = (shared.seat, peer.seat, shared.directory.seats());
        let is_for = |signed: &SignedStatement| {
            let audience = signed.statement.audience(shared.directory);
            audience.is_some_and(|audience| audience.includes(own, seats) && audience.includes(peer, seats))
        };
        let news = stated.iter().filter(|(from, signed)| *from != Some(self.id) && is_for(signed));
        let news: Vec<Vec<u8>> = news.map(|(_, signed)| signed.encode()).collect();
        for statements in Statements::cut(news) {
            self.send(Frame::Statements(Statements { statements, ..Statements::default() }), out);
        }
    }
}
