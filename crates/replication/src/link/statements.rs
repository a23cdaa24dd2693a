//! Statements on a link: what both ends are to have is compared by sums at the start and at each checkpoint; where those
//! differ, lists are exchanged and what is missing follows. What becomes durable here is passed on at once.
//!
//! Nothing is acknowledged: what is lost, or dropped because too much waits, shows in the next sums.

use std::sync::Arc;

use heliu_record::hash::Sum;
use heliu_trust::statement::SignedStatement;

use super::line::{Line, Out, Shared, breach};
use crate::effect::LinkId;
use crate::frame::{Frame, Refuse, Statements, limits};

/// Frames of statements that may wait to be taken.
const WAITING_MAX: usize = 64;
/// Lists that are answered in one tick: each may cost much more to answer than to ask.
const ANSWERS_PER_TICK: usize = 4;

#[derive(Default)]
pub(super) struct StatementExchange {
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

/// Over the statements that both ends are to have, as far as they are durable here.
pub(super) fn sum(line: &Line, shared: &Shared<'_>) -> Sum {
    let (own, seats) = (shared.own.seat, shared.directory.seats());
    line.peer.as_ref().map(|peer| shared.statements.sum(own, peer.seat, seats)).unwrap_or_default()
}

fn list(from: [u8; 8], line: &Line, shared: &Shared<'_>) -> Vec<[u8; 8]> {
    let (own, seats) = (shared.own.seat, shared.directory.seats());
    line.peer.as_ref().map(|peer| shared.statements.list(from, own, peer.seat, seats)).unwrap_or_default()
}

fn send(statements: Vec<Vec<u8>>, line: &Line, out: &mut Out) {
    for statements in Statements::cut(statements) {
        line.send(Frame::Statements(Statements { statements, ..Statements::default() }), out);
    }
}

impl StatementExchange {
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

    /// The other end has said its sum. Returns whether the ends differ.
    pub fn compare(&mut self, theirs: Sum, asks: bool, line: &Line, shared: &Shared<'_>, out: &mut Out) -> bool {
        self.differ = theirs != sum(line, shared);
        if !self.differ {
            self.unequal = 0;
        } else if asks {
            self.ask_for_what_is_missing(line, shared, out);
        }
        self.differ
    }

    /// Once per tick: as long as the ends are known to differ, whoever knows it asks, at growing intervals.
    pub fn tick(&mut self, line: &Line, shared: &Shared<'_>, out: &mut Out) {
        self.ticks = self.ticks.saturating_add(1);
        self.answered = 0;
        if self.differ {
            self.ask_for_what_is_missing(line, shared, out);
        }
    }

    fn ask_for_what_is_missing(&mut self, line: &Line, shared: &Shared<'_>, out: &mut Out) {
        if !self.is_due() {
            return;
        }
        self.unequal += 1;
        self.ticks = 0;
        let have = list(self.from, line, shared);
        let is_part = have.len() >= limits::STATEMENTS_PER_HAVE;
        self.from = have.last().copied().filter(|_| is_part).unwrap_or_default();
        line.send(Frame::Statements(Statements { have, reply: true, statements: Vec::new() }), out);
    }

    /// Statements came, or a list of what the other end has. Returns the statements, if they are to be taken.
    pub fn hear(
        &mut self,
        frame: Statements,
        line: &Line,
        shared: &Shared<'_>,
        out: &mut Out,
    ) -> Result<Option<Vec<Vec<u8>>>, Refuse> {
        let Statements { have, reply, statements } = frame;
        if !statements.is_empty() {
            if self.waiting >= WAITING_MAX {
                self.differ = true;
                return Ok(None);
            }
            self.waiting += 1;
            return Ok(Some(statements));
        }
        if have.is_empty() || !have[1..].is_sorted() || have.get(1).is_some_and(|first| *first < have[0]) {
            return Err(breach("a list of statements came that is not in order"));
        }
        self.answered += 1;
        if self.answered > ANSWERS_PER_TICK {
            self.differ = true;
            return Ok(None);
        }
        let Some(peer) = &line.peer else { return Ok(None) };
        send(shared.statements.lacking(&have, shared.own.seat, peer.seat, shared.directory.seats()), line, out);
        let own = list(have[0], line, shared);
        let is_all = have[0] == [0; 8] && have.len() < limits::STATEMENTS_PER_HAVE;
        let is_same = own == have;
        self.differ = !is_same || (self.differ && !is_all);
        if reply {
            self.was_asked = !is_same;
            line.send(Frame::Statements(Statements { have: own, reply: false, statements: Vec::new() }), out);
        }
        Ok(None)
    }

    /// A frame of statements of this link is durable, as far as it was taken.
    pub fn taken(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
        // It goes forward: no need to wait longer and longer.
        self.unequal = 0;
    }
}

/// These are durable here since now. The other end gets those that it is to have and has not brought itself.
pub(super) fn pass_on(
    stated: &[(Option<LinkId>, Arc<SignedStatement>)],
    line: &Line,
    shared: &Shared<'_>,
    out: &mut Out,
) {
    let Some(peer) = line.peer.as_ref().filter(|_| line.is_running()) else { return };
    let (own, peer, seats) = (shared.own.seat, peer.seat, shared.directory.seats());
    let is_for = |signed: &SignedStatement| {
        let audience = signed.statement.audience(shared.directory);
        audience.is_some_and(|audience| audience.includes(own, seats) && audience.includes(peer, seats))
    };
    let news = stated.iter().filter(|(from, signed)| *from != Some(line.id) && is_for(signed));
    send(news.map(|(_, signed)| signed.encode()).collect(), line, out);
}
