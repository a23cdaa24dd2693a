//! The receiving direction of a link: leaves come in order, are handed to the engine, and are acknowledged once durable.

use std::collections::VecDeque;

use heliu_storage::{Cursor, Position};

use super::{Arrival, Link, Out, Shared};
use crate::effect::{Effect, Notice};
use crate::frame::{Frame, Leaves, RefusedLeaf, limits};

#[derive(Default)]
pub(super) struct Receiving {
    /// Sequence of the last frame that came.
    sequence: u64,
    /// Frames handed to the engine, not yet durable: at most what the other end may have unacknowledged.
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    /// Up to where we have the other's feed durably.
    through: Position,
}

#[derive(Clone, Copy)]
struct Waiting {
    sequence: u64,
    bytes: usize,
    through: Option<Position>,
}

impl Receiving {
    pub fn begin(&mut self, through: Position) {
        self.through = through;
    }

    pub fn is_quiet(&self) -> bool {
        self.waiting.is_empty()
    }

    fn is_full(&self) -> bool {
        self.waiting_bytes >= limits::WINDOW_BYTES || self.waiting.len() >= limits::WINDOW_FRAMES
    }

    pub fn through(&self) -> Position {
        self.through
    }
}

impl Link {
    pub(super) fn on_leaves(&mut self, leaves: Leaves, out: &mut Out) {
        let expected = self.receiving.sequence + 1;
        if leaves.sequence != expected {
            let what = format!("frame {} came where {expected} was due", leaves.sequence);
            return self.protocol_error(&what, out);
        }
        let bytes = leaves.bytes();
        let entries = leaves.delivery.leaves.len() + leaves.delivery.grants.len();
        if entries > limits::LEAVES_PER_FRAME || self.receiving.is_full() {
            return self.protocol_error("more leaves came than the window allows", out);
        }
        let Some(peer) = &self.peer else { return };
        self.receiving.sequence = leaves.sequence;
        self.receiving.waiting_bytes += bytes;
        self.receiving.waiting.push_back(Waiting { sequence: leaves.sequence, bytes, through: leaves.through });
        self.verifying.unsettle();
        let (store, incarnation) = (peer.hello.store, peer.hello.incarnation);
        out.arrivals.push(Arrival::Leaves {
            link: self.id,
            from: peer.node,
            sequence: leaves.sequence,
            delivery: leaves.delivery,
            cursor: leaves.through.map(|position| Cursor { store, incarnation, position }),
        });
        let withdrawn = leaves.withdrawn.into_iter().map(|record| Arrival::Withdrawn { link: self.id, record });
        out.arrivals.extend(withdrawn);
    }

    /// A frame of this link is durable, but for what was refused. Only now may it be acknowledged.
    pub fn ingested(&mut self, sequence: u64, refused: Vec<RefusedLeaf>, shared: &Shared<'_>, out: &mut Out) {
        let mut acknowledge = None;
        while let Some(first) = self.receiving.waiting.front().copied()
            && first.sequence <= sequence
        {
            self.receiving.waiting.pop_front();
            self.receiving.waiting_bytes -= first.bytes;
            self.receiving.through = first.through.unwrap_or(self.receiving.through);
            acknowledge = Some(first.sequence);
        }
        if self.is_closed() {
            return;
        }
        self.tell_what_is_outside(shared, out);
        if let Some(first) = refused.first() {
            self.refused_here += refused.len() as u64;
            let first = format!("{}: {}", first.code, first.reason);
            out.effects.push(Effect::Notice(Notice::RefusedHere { link: self.id, count: refused.len(), first }));
            self.send(Frame::Refused(refused), out);
        }
        if let Some(sequence) = acknowledge {
            self.send(Frame::Ack { sequence }, out);
        }
        self.pump(shared, out);
    }
}
