//! Connections: two ordered channels each, with latencies of their own. A connection that breaks loses what was under way
//! from some point on, in each direction.

use std::collections::VecDeque;

use heliu_replication::LinkId;

/// Where an event stands in the queue of the world.
pub type Due = (u64, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WireId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Dialer,
    Dialed,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Dialer, Side::Dialed];

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Side::Dialer => Side::Dialed,
            Side::Dialed => Side::Dialer,
        }
    }
}

/// One end, and the channel that leads to it.
pub struct End {
    pub machine: usize,
    /// The life of the process that has this end.
    pub life: u64,
    pub link: LinkId,
    /// When the last frame under way arrives here.
    pub last: u64,
    /// Frames under way to here, in order.
    pub under_way: VecDeque<Due>,
    /// Milliseconds that a frame needs, at least and at most.
    pub latency: (u64, u64),
}

pub struct Wire {
    pub ends: [End; 2],
    /// Nothing more is taken for sending.
    pub is_broken: bool,
}

impl Wire {
    #[must_use]
    pub fn end(&self, side: Side) -> &End {
        &self.ends[side as usize]
    }

    pub fn end_mut(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    #[must_use]
    pub fn joins(&self, a: usize, b: usize) -> bool {
        let [one, two] = &self.ends;
        (one.machine, two.machine) == (a, b) || (one.machine, two.machine) == (b, a)
    }
}
