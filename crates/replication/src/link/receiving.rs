//! The receiving direction of a link: leaves come in order, wait until they are durable, and then are acknowledged.

use std::collections::VecDeque;

use heliu_storage::Position;

use super::line::breach;
use crate::frame::{Leaves, Refuse, limits};

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

    /// A frame came, to be handed to the engine.
    pub fn take(&mut self, leaves: &Leaves) -> Result<(), Refuse> {
        let expected = self.sequence + 1;
        if leaves.sequence != expected {
            return Err(breach(format!("frame {} came where {expected} was due", leaves.sequence)));
        }
        let bytes = leaves.bytes();
        let entries = leaves.delivery.leaves.len() + leaves.delivery.grants.len();
        if entries > limits::LEAVES_PER_FRAME || self.is_full() {
            return Err(breach("more leaves came than the window allows"));
        }
        self.sequence = leaves.sequence;
        self.waiting_bytes += bytes;
        self.waiting.push_back(Waiting { sequence: leaves.sequence, bytes, through: leaves.through });
        Ok(())
    }

    /// A frame is durable, but for what was refused. Returns up to which frame may be acknowledged: not before now.
    pub fn ingested(&mut self, sequence: u64) -> Option<u64> {
        let mut acknowledge = None;
        while let Some(first) = self.waiting.front().copied()
            && first.sequence <= sequence
        {
            self.waiting.pop_front();
            self.waiting_bytes -= first.bytes;
            self.through = first.through.unwrap_or(self.through);
            acknowledge = Some(first.sequence);
        }
        acknowledge
    }
}
