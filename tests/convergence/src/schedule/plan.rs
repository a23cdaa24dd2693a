//! The life of a world as data: its nodes, how its lines and disks behave, and what happens from outside, step by step. A
//! seed draws one ([`draw`](super::draw)); one that failed is written to a file, with what its steps came to and with the
//! chances that the world met, so that it stays the same schedule whatever a seed draws later.

use std::collections::BTreeMap;

use heliu_record::command::{CommandId, Request};
use heliu_record::id::{RecordId, SeatId};
use serde::{Deserialize, Serialize};

use crate::chance::Tape;
use crate::world::Habits;
use crate::world::hostile::Behaviour;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upstreams: Vec<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<usize>,
}

/// One thing that happens from outside. Where a step has dice, it is what a seed draws; what it came to is another step, and
/// that is what is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Somebody asks for something of what he sees then: [`Step::Ask`].
    Somebody {
        machine: usize,
        dice: u64,
    },
    /// The county founds an organisation for a seat: [`Step::Ask`].
    Found {
        name: String,
        seat: String,
        code: Option<String>,
    },
    Ask {
        machine: usize,
        request: Asked,
    },
    /// The connection of this number, of those that stand, breaks: [`Step::BreakBetween`].
    Break {
        which: usize,
    },
    BreakBetween {
        a: usize,
        b: usize,
    },
    /// Two machines cannot reach each other.
    Part {
        a: usize,
        b: usize,
    },
    Mend,
    Crash {
        machine: usize,
    },
    Start {
        machine: usize,
    },
    BackUp {
        machine: usize,
    },
    Restore {
        machine: usize,
    },
    RollBack {
        machine: usize,
    },
    /// The disk is lost, and the machine begins anew with an empty one.
    LoseDisk {
        machine: usize,
    },
    Clone {
        machine: usize,
    },
    Skew {
        machine: usize,
        ms: i64,
    },
    /// People there go by the day that its clock shows.
    Believe {
        machine: usize,
    },
    FillDisk {
        machine: usize,
    },
    /// A seat is taken out of some record that this machine holds: [`Step::ReleaseSeat`].
    Release {
        machine: usize,
        dice: u64,
    },
    ReleaseSeat {
        machine: usize,
        record: RecordId,
        seat: SeatId,
    },
    /// Some seat is taken into some record that this machine holds: [`Step::AdmitSeat`].
    Admit {
        machine: usize,
        dice: u64,
    },
    AdmitSeat {
        machine: usize,
        record: RecordId,
        seat: SeatId,
    },
    /// A superior erases some record that this machine holds: [`Step::EraseRecord`].
    Erase {
        machine: usize,
        dice: u64,
    },
    EraseRecord {
        machine: usize,
        record: RecordId,
    },
    /// Somebody takes a machine in hand, or copies its key.
    TurnHostile {
        machine: usize,
        is_thief: bool,
        behaviours: Vec<Behaviour>,
        dice: u64,
    },
    /// One of those does something that it is given to: [`Step::Act`].
    Mischief {
        hostile: usize,
        dice: u64,
    },
    Act {
        hostile: usize,
        behaviour: Behaviour,
        dice: u64,
    },
    /// Somebody who has stolen the issuer's key enrols a node beside that of a machine, and tells another.
    StealIssuer {
        beside: usize,
        told: usize,
        dice: u64,
    },
    /// The root replaces the issuer, and fences that node.
    ReplaceIssuer {
        hostile: usize,
    },
    /// New seats are entered into the directory in one entry, and their nodes start.
    Enrol {
        names: Vec<String>,
    },
}

/// A command as somebody asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub id: CommandId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<RecordId>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<SeatId>,
}

impl From<&Request> for Asked {
    fn from(request: &Request) -> Self {
        let Request { id, name, subject, arguments, on_behalf, .. } = request.clone();
        Asked { id, name, subject, arguments, on_behalf }
    }
}

impl From<Asked> for Request {
    fn from(asked: Asked) -> Self {
        let Asked { id, name, subject, arguments, on_behalf } = asked;
        Request { id, name, subject, arguments, who: "clerk".to_owned(), reason: String::new(), on_behalf }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Why it is kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Of all keys and ids, and of the chances that are not recorded.
    pub seed: u64,
    pub nodes: Vec<Node>,
    pub habits: Habits,
    /// Whether nodes hold what they have against its leaves, a few records a second.
    pub patrols: bool,
    /// In the order of time, in simulated milliseconds.
    pub steps: Vec<(u64, Step)>,
    /// When the faults stop.
    pub end: u64,
    /// Their names, for the tally.
    pub faults: Vec<String>,
    /// What becomes of those who are hostile when the faults stop.
    pub afterwards: Afterwards,
    #[serde(default)]
    pub chances: Tape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Afterwards {
    /// They go on as before.
    GoOn,
    /// Their machines say nothing any more.
    FallSilent,
    /// Their machines are gone.
    Leave,
}
