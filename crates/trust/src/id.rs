//! Identifiers of the trust room, and how they are derived. No keys: those are in `signature`.

use heliu_identity::byte_id;
use heliu_identity::hash::hash16;
pub use heliu_identity::id::{NodeId, RealmId};
pub use heliu_identity::signature::{node_id, realm_id};
use heliu_record::id::{Actor, SeatId};

byte_id!(
    /// Drawn anew at every process start, so that a restored or copied store never writes under an old (actor, seq).
    Incarnation, 16
);
byte_id!(
    /// A commit, by the hash of its encoding.
    CommitId, 32
);
byte_id!(
    /// A state of a county's directory: the hash of its latest entry, and through it of all before.
    DirectoryVersion, 32
);

byte_id!(
    /// One key of one record, by a hash of both: values that name one key of an audience may have been sealed with several.
    RecordKeyId, 16
);
byte_id!(
    /// A join token; see [`crate::token`].
    TokenId, 16
);

impl Default for DirectoryVersion {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl DirectoryVersion {
    /// The version before the first entry.
    pub const EMPTY: DirectoryVersion = DirectoryVersion([0; 32]);
}

/// The automerge actor of one incarnation of a node.
#[must_use]
pub fn actor(node: &NodeId, incarnation: &Incarnation) -> Actor {
    Actor(hash16("heliu actor 1", &[&node.0, &incarnation.0]))
}

/// The id that a seat gets when it is entered under a region code. It stays when the code changes.
#[must_use]
pub fn seat_id(realm: &RealmId, code: &str) -> SeatId {
    SeatId(hash16("heliu seat 1", &[&realm.0, code.as_bytes()]))
}
