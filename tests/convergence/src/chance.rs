//! What the world itself leaves to chance: how long a frame and a disk take, which lines carry something twice, under which
//! incarnation a process begins. Each matter draws from a stream of its own, named by what it is about and by the machines
//! concerned, so that one draw more of one matter changes nothing of another: a schedule that lacks a step, or an engine
//! that sends a frame more, still meets nearly the same world. A recorded schedule brings the values that it met.
//!
//! What people and hostile hands do is no matter of the world's: steps say that, with dice of their own.

use std::collections::BTreeMap;

use heliu_record::id::{from_hex, to_hex};
use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// What a stream is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// How long a disk takes for one thing.
    Disk,
    /// When a process that ended by itself, or could not begin, begins again.
    Restart,
    /// The first tick, and the first dialling, of a process.
    Begin,
    Redial,
    /// The best that a line from one machine to another does.
    Line,
    /// How long a frame takes.
    Frame,
    /// Whether a process ends while one batch is in flight and another under work, and how.
    Strike,
    /// Whether a frame brings something again, and what.
    Replay,
    /// How much of what is under way still arrives.
    Cut,
    /// Whether somebody who was answered asks once more.
    Repeat,
    /// Whether somebody whose answer was lost asks again.
    AskAgain,
    /// Names of stores and incarnations, seeds of processes.
    Names,
    /// Ids of commands and tokens.
    Ids,
}

impl Matter {
    const ALL: [(Matter, &'static str); 13] = [
        (Matter::Disk, "disk"),
        (Matter::Restart, "restart"),
        (Matter::Begin, "begin"),
        (Matter::Redial, "redial"),
        (Matter::Line, "line"),
        (Matter::Frame, "frame"),
        (Matter::Strike, "strike"),
        (Matter::Replay, "replay"),
        (Matter::Cut, "cut"),
        (Matter::Repeat, "repeat"),
        (Matter::AskAgain, "ask again"),
        (Matter::Names, "names"),
        (Matter::Ids, "ids"),
    ];
}

/// A matter, between two machines or of one; 255 stands for who is no machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream(Matter, u8, u8);

impl Stream {
    #[must_use]
    pub fn of(matter: Matter, machine: usize) -> Self {
        Stream::between(matter, machine, machine)
    }

    #[must_use]
    pub fn between(matter: Matter, from: usize, to: usize) -> Self {
        let small = |machine: usize| u8::try_from(machine).unwrap_or(u8::MAX);
        Stream(matter, small(from), small(to))
    }

    /// `frame 3 0`, as recorded schedules have it.
    fn name(self) -> String {
        let name = Matter::ALL.iter().find(|(matter, _)| *matter == self.0).map_or("", |(_, name)| name);
        format!("{name} {} {}", self.1, self.2)
    }

    fn named(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(3, ' ');
        let (to, from, name) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        let (matter, _) = Matter::ALL.iter().find(|(_, known)| *known == name)?;
        Some(Stream(*matter, from, to))
    }
}

/// One thing that was drawn: a number, or bytes in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Drawn {
    Number(u64),
    Bytes(String),
}

/// Per stream, what was drawn from it, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tape(pub BTreeMap<String, Vec<Drawn>>);

pub struct Chance {
    seed: u64,
    streams: BTreeMap<Stream, Course>,
    /// What was drawn, if somebody wants to keep it.
    kept: Option<Tape>,
}

struct Course {
    dice: Dice,
    /// What is to be drawn first.
    recorded: std::vec::IntoIter<Drawn>,
}

impl Chance {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Chance { seed, streams: BTreeMap::new(), kept: None }
    }

    /// As somebody recorded it; beyond that, as the seed has it.
    pub fn replay(&mut self, tape: &Tape) {
        for (name, drawn) in &tape.0 {
            let Some(stream) = Stream::named(name) else { continue };
            self.course(stream).recorded = drawn.clone().into_iter();
        }
    }

    pub fn keep(&mut self) {
        self.kept = Some(Tape::default());
    }

    pub fn take_kept(&mut self) -> Tape {
        self.kept.take().unwrap_or_default()
    }

    fn course(&mut self, stream: Stream) -> &mut Course {
        let seed = self.seed;
        self.streams.entry(stream).or_insert_with(|| {
            let Stream(matter, from, to) = stream;
            let place = (matter as u64) << 16 | u64::from(from) << 8 | u64::from(to);
            let dice = Dice::new(seed.rotate_left(24) ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            Course { dice, recorded: Vec::new().into_iter() }
        })
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, stream: Stream, low: u64, high: u64) -> u64 {
        let course = self.course(stream);
        let drawn = course.dice.between(low, high);
        let number = match course.recorded.next() {
            Some(Drawn::Number(recorded)) => recorded.clamp(low, high),
            _ => drawn,
        };
        if let Some(kept) = &mut self.kept {
            kept.0.entry(stream.name()).or_default().push(Drawn::Number(number));
        }
        number
    }

    pub fn index(&mut self, stream: Stream, len: usize) -> usize {
        let last = len.saturating_sub(1) as u64;
        usize::try_from(self.between(stream, 0, last)).unwrap_or(0)
    }

    pub fn chance(&mut self, stream: Stream, percent: u64) -> bool {
        self.between(stream, 0, 99) < percent
    }

    pub fn bytes<const N: usize>(&mut self, stream: Stream) -> [u8; N] {
        let course = self.course(stream);
        let drawn: [u8; N] = course.dice.bytes();
        let bytes = match course.recorded.next() {
            Some(Drawn::Bytes(text)) => from_hex(&text).unwrap_or(drawn),
            _ => drawn,
        };
        if let Some(kept) = &mut self.kept {
            kept.0.entry(stream.name()).or_default().push(Drawn::Bytes(to_hex(&bytes)));
        }
        bytes
    }
}
