//! One change of one record: an automerge change whose operations are scalar puts into the containers of the genesis.
//!
//! Automerge is the format: what we write, any automerge tool reads, and `history` merges as automerge would (a property
//! test holds the two together). Documents are flat by design, so a change is a list of [`Put`]s and nothing else; bytes
//! that say anything else are refused here, before they can reach a document.

mod column;
mod draft;
mod read;
mod write;

use std::num::NonZeroU64;
use std::sync::{Arc, OnceLock};

use automerge::legacy::{Key, ObjectId, Op as ExpandedOp, OpType};
use automerge::{ActorId, Change as AutomergeChange, ExpandedChange, ObjType};
use sha2::{Digest, Sha256};

use crate::codec::Reader;
use crate::id::{Actor, ChangeHash};

pub use self::draft::{Container, Draft, Note, OpId, Put, Scalar, ShapeError, limits};
use self::draft::{GENESIS_ACTOR, MAGIC, UNCOMPRESSED};

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

/// Every record begins with the same change, made by an actor that never writes again: the six containers. It never
/// travels. One genesis for all records keeps 48 incompressible bytes out of every first change.
pub fn genesis() -> &'static ChangeHash {
    static GENESIS: OnceLock<ChangeHash> = OnceLock::new();
    GENESIS.get_or_init(|| ChangeHash(genesis_change().hash().0))
}

/// The counter of the last operation of the genesis.
pub const GENESIS_MAX_OP: u64 = Container::ALL.len() as u64;

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
        // It has one encoding: what it says is written again.
        let again = Change::encode(read::draft(raw)?);
        if *again.raw == *raw { Ok(again) } else { Err(ShapeError::NotCanonical) }
    }

    /// Encodes a draft. The result parses back to itself.
    #[must_use]
    pub fn encode(draft: Draft) -> Self {
        let (raw, hash) = write::chunk(&draft);
        let puts = (draft.start_op..).zip(draft.puts).map(|(counter, (container, key, value, replaces))| Put {
            id: OpId { counter, actor: draft.actor },
            container,
            key,
            value,
            replaces,
        });
        Change {
            hash,
            actor: draft.actor,
            seq: draft.seq,
            start_op: draft.start_op,
            time_ms: draft.time_ms,
            note: draft.note,
            puts: puts.collect(),
            raw: raw.into(),
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
