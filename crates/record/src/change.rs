//! One change of one record: an automerge change whose operations are scalar puts into the containers of the genesis.
//!
//! Automerge is the format: what we write, any automerge tool reads, and `history` merges as automerge would (a property
//! test holds the two together). Documents are flat by design, so a change is a list of [`Put`]s and nothing else; bytes
//! that say anything else are refused here, before they can reach a document.

mod read;

use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use automerge::legacy::{Key, ObjectId, Op as ExpandedOp, OpId as ExpandedOpId, OpType};
use automerge::{ActorId, Change as AutomergeChange, ExpandedChange, ObjType, ScalarValue};
use sha2::{Digest, Sha256};

use crate::codec::Reader;
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
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The chunk type of a change that is not compressed.
const UNCOMPRESSED: u8 = 1;

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

    fn from_counter(counter: u64) -> Option<Self> {
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
}

impl Note {
    fn to_message(&self) -> String {
        format!("{}\n{}\n{}", self.command, self.who, self.reason)
    }

    fn from_message(message: &str) -> Self {
        let mut lines = message.splitn(3, '\n').map(str::to_owned);
        let command = lines.next().unwrap_or_default();
        let who = lines.next().unwrap_or_default();
        Note { who, command, reason: lines.next().unwrap_or_default() }
    }
}

/// A parsed change. `raw` is what was signed and what travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub hash: ChangeHash,
    pub actor: Actor,
    pub seq: u64,
    pub deps: Vec<ChangeHash>,
    /// Counter of the first put; the others follow without gaps.
    pub start_op: u64,
    /// Milliseconds since 1970, for display only.
    pub time_ms: i64,
    pub note: Note,
    pub puts: Vec<Put>,
    pub raw: Arc<[u8]>,
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
pub struct Draft {
    pub actor: Actor,
    pub seq: u64,
    pub deps: Vec<ChangeHash>,
    pub start_op: u64,
    pub time_ms: i64,
    pub note: Note,
    pub puts: Vec<(Container, String, Scalar, Vec<OpId>)>,
}

/// Every record begins with the same change, made by an actor that never writes again: the six containers. It never
/// travels. One genesis for all records keeps 48 incompressible bytes out of every first change.
pub fn genesis() -> &'static ChangeHash {
    static GENESIS: OnceLock<ChangeHash> = OnceLock::new();
    GENESIS.get_or_init(|| ChangeHash(genesis_change().hash().0))
}

/// The counter of the last operation of the genesis.
pub const GENESIS_MAX_OP: u64 = Container::ALL.len() as u64;

const GENESIS_ACTOR: Actor = Actor(*b"heliu genesis v1");

/// The genesis as automerge sees it, for tools that open a record's changes as an automerge document.
#[must_use]
pub fn genesis_change() -> AutomergeChange {
    let operations = Container::ALL
        .into_iter()
        .map(|container| ExpandedOp {
            action: OpType::Make(ObjType::Map),
            obj: ObjectId::Root,
            key: Key::Map(container.name().into()),
            pred: Vec::new().into(),
            insert: false,
        })
        .collect();
    AutomergeChange::from(ExpandedChange {
        operations,
        actor_id: ActorId::from(GENESIS_ACTOR.0),
        hash: None,
        seq: 1,
        start_op: NonZeroU64::MIN,
        time: 0,
        message: None,
        deps: Vec::new(),
        extra_bytes: Vec::new(),
        author: None,
    })
}

impl Change {
    /// Reads untrusted bytes. Whatever is returned is exactly what the bytes say: re-encoding gives the same bytes.
    pub fn parse(raw: &[u8]) -> Result<Self, ShapeError> {
        if raw.len() > limits::CHANGE_BYTES {
            return Err(ShapeError::TooLong(raw.len()));
        }
        let draft = read::draft(raw)?;
        // automerge writes it again. It panics on some nonsense; nothing of it outlives this call.
        let again = catch_unwind(AssertUnwindSafe(|| Change::encode(draft)))
            .map_err(|_| ShapeError::Unreadable("it cannot be written again".to_owned()))?;
        if *again.raw == *raw { Ok(again) } else { Err(ShapeError::NotCanonical) }
    }

    /// Encodes a draft. The result parses back to itself.
    #[must_use]
    pub fn encode(draft: Draft) -> Self {
        let operations = draft.puts.iter().map(|(container, key, value, replaces)| ExpandedOp {
            action: OpType::Put(to_automerge(value)),
            obj: ObjectId::Id(ExpandedOpId(*container as u64, ActorId::from(GENESIS_ACTOR.0))),
            key: Key::Map(key.as_str().into()),
            pred: replaces
                .iter()
                .map(|id| ExpandedOpId(id.counter, ActorId::from(id.actor.0)))
                .collect::<Vec<_>>()
                .into(),
            insert: false,
        });
        let encoded = AutomergeChange::from(ExpandedChange {
            operations: operations.collect(),
            actor_id: ActorId::from(draft.actor.0),
            hash: None,
            seq: draft.seq,
            start_op: NonZeroU64::new(draft.start_op).unwrap_or(NonZeroU64::MIN),
            time: draft.time_ms,
            message: Some(draft.note.to_message()),
            deps: draft.deps.iter().map(|d| automerge::ChangeHash(d.0)).collect(),
            extra_bytes: Vec::new(),
            author: None,
        });
        let puts = (draft.start_op..).zip(draft.puts).map(|(counter, (container, key, value, replaces))| Put {
            id: OpId { counter, actor: draft.actor },
            container,
            key,
            value,
            replaces,
        });
        Change {
            hash: ChangeHash(encoded.hash().0),
            actor: draft.actor,
            seq: draft.seq,
            start_op: draft.start_op,
            time_ms: draft.time_ms,
            note: draft.note,
            puts: puts.collect(),
            raw: encoded.raw_bytes().into(),
            deps: draft.deps,
        }
    }

    /// Whether everybody can read it: [`Change::encode`] looks at no limit, and what nobody reads was not written.
    pub fn check_limits(&self) -> Result<(), ShapeError> {
        if self.raw.len() > limits::CHANGE_BYTES {
            return Err(ShapeError::TooLong(self.raw.len()));
        }
        read::draft(&self.raw).map(|_| ())
    }

    /// Counter of the last put.
    #[must_use]
    pub fn max_op(&self) -> u64 {
        self.start_op + self.puts.len() as u64 - 1
    }
}

/// The hash that bytes framed as a change have, without reading what is in the frame: as automerge does, SHA-256 over
/// chunk type, length and data. None if the frame itself is not as [`Change::parse`] wants it. The checksum is not looked
/// at, so this says nothing about whether the bytes parse.
#[must_use]
pub fn hash_of(raw: &[u8]) -> Option<ChangeHash> {
    let (magic, [_, _, _, _, chunk @ ..]) = raw.split_at_checked(MAGIC.len())? else { return None };
    let (kind, rest) = chunk.split_first()?;
    let mut reader = Reader(rest);
    let len = reader.varint().ok()?;
    let framed = magic == MAGIC && *kind == UNCOMPRESSED && len == reader.0.len() as u64;
    framed.then(|| ChangeHash(Sha256::digest(chunk).into()))
}

fn to_automerge(value: &Scalar) -> ScalarValue {
    match value {
        Scalar::Null => ScalarValue::Null,
        Scalar::Bool(b) => ScalarValue::Boolean(*b),
        Scalar::Int(i) => ScalarValue::Int(*i),
        Scalar::Text(t) => ScalarValue::Str(t.as_str().into()),
        Scalar::Bytes(b) => ScalarValue::Bytes(b.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_raw_bytes_is_the_one_that_parsing_finds() {
        for size in [0, 1, 100, 20_000] {
            let key = |i: usize| (Container::Lww, format!("field{i}"), Scalar::Text("x".repeat(size / 2)), Vec::new());
            let change = Change::encode(Draft {
                actor: Actor([7; 16]),
                seq: 1,
                deps: vec![*genesis()],
                start_op: GENESIS_MAX_OP + 1,
                time_ms: 1_700_000_000_000,
                note: Note::default(),
                puts: vec![key(0), key(1)],
            });
            assert_eq!(Change::parse(&change.raw).map(|parsed| parsed.hash), Ok(change.hash));
            assert_eq!(hash_of(&change.raw), Some(change.hash));
            assert_eq!(hash_of(&change.raw[..change.raw.len() - 1]), None, "cut short");
            assert_eq!(hash_of(&change.raw[..8.min(size)]), None, "no frame");
        }
    }
}
