//! What a change says, before it has an encoding and after: puts of scalars into containers, a note, and the limits of all that.

use crate::id::{Actor, ChangeHash, RecordId, SeatId};
use crate::reason::{Fact, Facts};

/// Limits of the wire version: the same on every node, so that admission stays a pure function.
pub mod limits {
    pub const CHANGE_BYTES: usize = 64 * 1024;
    pub const PUTS: usize = 1_000;
    pub const DEPS: usize = 64;
    pub const MESSAGE_BYTES: usize = 1_024;
    /// Before and after 1970: automerge keeps the differences of times, and breaks on one that has no 64 bits.
    pub const TIME_MS: u64 = 1 << 53;
    pub const KEY_BYTES: usize = 200;
    pub const VALUE_BYTES: usize = 16 * 1024;
    /// Values that one put replaces.
    pub const REPLACES: usize = 64;
    /// Values that all puts of a change replace: so many for each put, and some to spare for those that replace more. A run
    /// of them takes a few bytes.
    pub const REPLACES_EACH: usize = 4;
    pub const REPLACES_SPARE: usize = 256;
}

/// What every automerge chunk begins with.
pub(super) const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The chunk type of a change that is not compressed.
pub(super) const UNCOMPRESSED: u8 = 1;

/// The action number of a put.
pub(super) const PUT: u64 = 1;

/// The numbers of the types of values.
pub(super) mod value_type {
    pub const NULL: u64 = 0;
    pub const FALSE: u64 = 1;
    pub const TRUE: u64 = 2;
    pub const INT: u64 = 4;
    pub const TEXT: u64 = 6;
    pub const BYTES: u64 = 7;
}

/// The maps that every record has from its genesis on. The discriminant is the operation counter that made the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Container {
    /// Class, owners, seats that take part: what audience and relaying are computed from, for every kind.
    Scope = 1,
    Lww = 2,
    Mv = 3,
    Aws = 4,
    Slot = 5,
    Log = 6,
}

impl Container {
    pub const ALL: [Container; 6] =
        [Container::Scope, Container::Lww, Container::Mv, Container::Aws, Container::Slot, Container::Log];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Container::Scope => "_scope",
            Container::Lww => "lww",
            Container::Mv => "mv",
            Container::Aws => "aws",
            Container::Slot => "slot",
            Container::Log => "log",
        }
    }

    pub(super) fn from_counter(counter: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|c| *c as u64 == counter)
    }
}

/// An operation's id. The order (counter, then actor) is automerge's own, so the greatest of several concurrent puts is
/// the one automerge would show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpId {
    pub counter: u64,
    pub actor: Actor,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Scalar {
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Scalar::Text(text) = self { Some(text) } else { None }
    }

    #[must_use]
    pub fn as_seat(&self) -> Option<SeatId> {
        SeatId::try_from(self.as_bytes()?).ok()
    }

    #[must_use]
    pub fn as_record(&self) -> Option<RecordId> {
        RecordId::try_from(self.as_bytes()?).ok()
    }

    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Scalar::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Scalar::Int(int) = self { Some(*int) } else { None }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Scalar::Text(text.to_owned())
    }
}

/// One scalar written under one key. `replaces` are the puts on the same key that its author saw and overwrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    pub id: OpId,
    pub container: Container,
    pub key: String,
    pub value: Scalar,
    pub replaces: Vec<OpId>,
}

/// Who asked, by which command, and why. Display only: authority never looks at it. It is part of the change, so it
/// travels and is erased with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    pub who: String,
    pub command: String,
    pub reason: String,
    /// The seat in whose name it was done, as its author says: true where the author's seat is above that one.
    pub on_behalf: Option<SeatId>,
}

/// Between a command's name and the seat in whose name it was given.
const FOR: char = '@';

impl Note {
    pub(super) fn to_message(&self) -> String {
        let on_behalf = self.on_behalf.map(|seat| format!("{FOR}{seat}")).unwrap_or_default();
        format!("{}{on_behalf}\n{}\n{}", self.command, self.who, self.reason)
    }

    pub(super) fn from_message(message: &str) -> Self {
        let mut lines = message.splitn(3, '\n').map(str::to_owned);
        let command = lines.next().unwrap_or_default();
        let who = lines.next().unwrap_or_default();
        let reason = lines.next().unwrap_or_default();
        // What is not its one spelling is part of the name, so that a message is written again as it was read.
        let said = command.rsplit_once(FOR).and_then(|(name, seat)| Some((name, seat, seat.parse::<SeatId>().ok()?)));
        match said.filter(|(_, text, seat)| seat.to_string() == *text) {
            Some((name, _, seat)) => Note { who, command: name.to_owned(), reason, on_behalf: Some(seat) },
            None => Note { who, command, reason, on_behalf: None },
        }
    }
}

/// Why bytes are not a change that a record can take. Each is a reason code for quarantine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    #[error("the change has {0} bytes, more than {max}", max = limits::CHANGE_BYTES)]
    TooLong(usize),
    #[error("this is not an uncompressed automerge change")]
    NotAChange,
    #[error("automerge cannot read it: {0}")]
    Unreadable(String),
    #[error("its bytes are not the one encoding of what they say")]
    NotCanonical,
    #[error("it has too many or too long {0}")]
    Exceeds(&'static str),
    #[error("an operation is not a scalar put into a container of the record: {0}")]
    Operation(&'static str),
}

impl ShapeError {
    /// What is particular about this one, for people.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self {
            ShapeError::TooLong(bytes) => Facts::none().and(Fact::Bytes, bytes),
            _ => Facts::none(),
        }
    }
}

/// What a new change says, before it has an encoding. Puts are numbered in order from `start_op`.
#[derive(Clone, Debug)]
pub struct Draft {
    pub actor: Actor,
    pub seq: u64,
    pub deps: Vec<ChangeHash>,
    pub start_op: u64,
    pub time_ms: i64,
    pub note: Note,
    pub puts: Vec<(Container, String, Scalar, Vec<OpId>)>,
}

/// Who made the genesis.
pub(super) const GENESIS_ACTOR: Actor = Actor(*b"heliu genesis v1");
