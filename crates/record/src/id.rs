//! Identifiers of the record room. How an identifier of plain bytes is made is in `heliu_identity`.

use heliu_identity::byte_id;
pub use heliu_identity::id::{BadId, bytes_from_hex, from_hex, to_hex};

byte_id!(
    /// A seat in the tree of tiers. Stays the same when names and region codes change.
    SeatId, 16
);
byte_id!(
    /// A record: the hash of its [`Preimage`].
    RecordId, 32
);
byte_id!(
    /// The automerge actor: one writer incarnation of one node.
    Actor, 16
);
byte_id!(
    /// An automerge change, by its own hash.
    ChangeHash, 32
);
byte_id!(
    /// One change of one record as a commit signs it: what it hashes is in `trust`.
    LeafHash, 32
);

/// What a record's id is the hash of. It travels with the record's first leaf on a link, so that kind and birth owner
/// can be checked from the id and nobody can make a rival record under it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preimage {
    /// Kind name, at most [`Preimage::KIND_MAX`] bytes; it may be a kind that this version does not know.
    pub kind: String,
    /// The seat that owned the record when it was made.
    pub birth: SeatId,
    /// 16 random bytes, or a natural key of at most [`Preimage::KEY_MAX`] bytes.
    pub key: Vec<u8>,
}

impl Preimage {
    pub const KIND_MAX: usize = 48;
    pub const KEY_MAX: usize = 128;

    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId(crate::hash::hash("heliu record 1", &[self.kind.as_bytes(), &self.birth.0, &self.key]))
    }

    /// Of the file that goes with this record: everybody who knows the record can tell it.
    #[must_use]
    pub fn file(&self, kind: &str) -> Preimage {
        Preimage { kind: kind.to_owned(), birth: self.birth, key: self.id().0.to_vec() }
    }

    /// The record with which this file goes; none: it is no file.
    #[must_use]
    pub fn filed_with(&self) -> Option<RecordId> {
        self.key.as_slice().try_into().ok().map(RecordId)
    }

    /// Whether the sizes are within the limits of the wire version.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        !self.kind.is_empty() && self.kind.len() <= Self::KIND_MAX && self.key.len() <= Self::KEY_MAX
    }
}
