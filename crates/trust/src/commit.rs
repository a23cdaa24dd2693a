//! The commit: the signed unit of change, its one encoding, and its bounds. Whether a commit's author may be heard is
//! decided in `admission`.

use std::collections::BTreeSet;

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::hash::hash;
use heliu_record::id::{ChangeHash, LeafHash, RecordId, SeatId};

use crate::id::{CommitId, DirectoryVersion, Incarnation, NodeId, RealmId};
use crate::signature::{Signature, Signer};

/// Leaves in one commit; a larger command is several commits.
pub const LEAVES_MAX: usize = 64;
/// County logs that one commit can depend on.
pub const VERSIONS_MAX: usize = 8;
/// No valid signed commit is longer.
pub const SIGNED_BYTES_MAX: usize = 3 * 1024;

/// The encoding's own version, its first byte.
const FORMAT: u8 = 1;
const SIGNED: &[u8; 24] = b"heliu commit signature 1";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub realm: RealmId,
    pub author: NodeId,
    pub incarnation: Incarnation,
    /// 1, 2, ... in each incarnation.
    pub seq: u64,
    /// The author's commit before this one. That of the first commit of an incarnation is the last one known of the
    /// author's earlier incarnations, if any.
    pub previous: Option<CommitId>,
    /// One per county log that this depends on, by the county's seat, in order; 1 to [`VERSIONS_MAX`].
    pub versions: Vec<(SeatId, DirectoryVersion)>,
    /// Milliseconds since 1970, for display only.
    pub time_ms: i64,
    /// 1 to [`LEAVES_MAX`], each once.
    pub leaves: Vec<LeafHash>,
}

impl Commit {
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u8(FORMAT).fixed(&self.realm.0).fixed(&self.author.0).fixed(&self.incarnation.0).varint(self.seq);
        match &self.previous {
            None => out.u8(0),
            Some(previous) => out.u8(1).fixed(&previous.0),
        };
        out.varint(self.versions.len() as u64);
        for (county, version) in &self.versions {
            out.fixed(&county.0).fixed(&version.0);
        }
        out.i64(self.time_ms).varint(self.leaves.len() as u64);
        for leaf in &self.leaves {
            out.fixed(&leaf.0);
        }
        out.0
    }

    /// Reads untrusted bytes; only a commit within its bounds comes out, and encodes to the same bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(bytes);
        let commit = Self::read(&mut reader)?;
        reader.end()?;
        Ok(commit)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.u8()? != FORMAT {
            return Err(DecodeError::Invalid { what: "the format of a commit" });
        }
        let commit = Commit {
            realm: RealmId(reader.fixed()?),
            author: NodeId(reader.fixed()?),
            incarnation: Incarnation(reader.fixed()?),
            seq: reader.varint()?,
            previous: match reader.u8()? {
                0 => None,
                1 => Some(CommitId(reader.fixed()?)),
                _ => return Err(DecodeError::Invalid { what: "the previous commit" }),
            },
            versions: {
                let count = reader.count("directory versions", VERSIONS_MAX, SeatId::LEN + DirectoryVersion::LEN)?;
                (0..count).map(|_| Ok((SeatId(reader.fixed()?), DirectoryVersion(reader.fixed()?)))).collect::<Result<
                    _,
                    DecodeError,
                >>(
                )?
            },
            time_ms: reader.i64()?,
            leaves: {
                let count = reader.count("leaves", LEAVES_MAX, LeafHash::LEN)?;
                (0..count).map(|_| reader.fixed().map(LeafHash)).collect::<Result<_, _>>()?
            },
        };
        commit.check()?;
        Ok(commit)
    }

    /// The bounds that every commit keeps. Whoever makes one for signing keeps them too.
    pub fn check(&self) -> Result<(), DecodeError> {
        let invalid = |what| Err(DecodeError::Invalid { what });
        if self.seq == 0 || (self.seq > 1 && self.previous.is_none()) {
            return invalid("the place of a commit in its author's chain");
        }
        if self.versions.is_empty() || !self.versions.is_sorted_by(|(a, _), (b, _)| a < b) {
            return invalid("the list of directory versions");
        }
        if self.versions.len() > VERSIONS_MAX {
            return Err(DecodeError::TooLong { what: "directory versions", max: VERSIONS_MAX });
        }
        if self.leaves.len() > LEAVES_MAX {
            return Err(DecodeError::TooLong { what: "leaves", max: LEAVES_MAX });
        }
        if self.leaves.is_empty() || self.leaves.iter().collect::<BTreeSet<_>>().len() != self.leaves.len() {
            return invalid("the list of leaves");
        }
        Ok(())
    }

    #[must_use]
    pub fn id(&self) -> CommitId {
        id_of(&self.encode())
    }

    /// The hash of a leaf of this commit; see [`leaf_hash`].
    #[must_use]
    pub fn leaf_hash(&self, record: &RecordId, change: &ChangeHash, kind_version: u32) -> LeafHash {
        leaf_hash(record, change, kind_version, self.seq, &self.versions)
    }
}

/// A leaf binds a change to its record, and to all else that the verdict on it depends on: the version of the kind that it
/// was written under, and place and directory versions of its commit. So one leaf is one verdict at every node; the same
/// change in another record or in another commit is another leaf.
#[must_use]
pub fn leaf_hash(
    record: &RecordId,
    change: &ChangeHash,
    kind_version: u32,
    commit_seq: u64,
    versions: &[(SeatId, DirectoryVersion)],
) -> LeafHash {
    let mut cited = Vec::with_capacity(versions.len() * (SeatId::LEN + DirectoryVersion::LEN));
    for (county, version) in versions {
        cited.extend_from_slice(&county.0);
        cited.extend_from_slice(&version.0);
    }
    let (kind_version, commit_seq) = (kind_version.to_le_bytes(), commit_seq.to_le_bytes());
    LeafHash(hash("heliu leaf 1", &[&record.0, &change.0, &kind_version, &commit_seq, &cited]))
}

fn id_of(encoded: &[u8]) -> CommitId {
    CommitId(hash("heliu commit 1", &[encoded]))
}

/// What an author signs: never bare bytes, so that no other signature of the same key can be mistaken for it.
#[must_use]
pub fn signed_message(id: &CommitId) -> [u8; 56] {
    let mut message = [0; 56];
    message[..24].copy_from_slice(SIGNED);
    message[24..].copy_from_slice(&id.0);
    message
}

/// A commit as it travels and is stored, unchanged by every hop. Decoding does not verify; see
/// [`crate::admission::check_commits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCommit {
    pub commit: Commit,
    pub id: CommitId,
    pub signature: Signature,
}

impl SignedCommit {
    /// The caller keeps the bounds of [`Commit::check`]; otherwise nobody will decode what was signed.
    #[must_use]
    pub fn sign(commit: Commit, signer: &dyn Signer) -> Self {
        debug_assert_eq!(commit.check(), Ok(()));
        let id = commit.id();
        let signature = signer.sign(&signed_message(&id));
        SignedCommit { commit, id, signature }
    }

    /// The commit's encoding, then 64 bytes of signature. The id is not repeated.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.commit.encode();
        bytes.extend_from_slice(&self.signature.0);
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > SIGNED_BYTES_MAX {
            return Err(DecodeError::TooLong { what: "a signed commit", max: SIGNED_BYTES_MAX });
        }
        let (encoded, signature) = bytes.split_last_chunk().ok_or(DecodeError::Truncated)?;
        let commit = Commit::decode(encoded)?;
        Ok(SignedCommit { commit, id: id_of(encoded), signature: Signature(*signature) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulated::CheapKey;

    fn commit(seq: u64, versions: u8, leaves: u8) -> Commit {
        Commit {
            realm: RealmId([1; 16]),
            author: NodeId([2; 16]),
            incarnation: Incarnation([3; 16]),
            seq,
            previous: (seq > 1).then_some(CommitId([4; 32])),
            versions: (0..versions).map(|i| (SeatId([i; 16]), DirectoryVersion([i; 32]))).collect(),
            time_ms: -1,
            leaves: (0..leaves).map(|i| LeafHash([i; 32])).collect(),
        }
    }

    fn signed(commit: Commit) -> SignedCommit {
        SignedCommit::sign(commit, &CheapKey([9; 32]))
    }

    #[test]
    fn a_commit_comes_back_as_it_was_signed() {
        for commit in [commit(1, 1, 1), commit(2, 1, 64), commit(u64::MAX, 8, 64)] {
            let signed = signed(commit);
            let bytes = signed.encode();
            assert!(bytes.len() <= SIGNED_BYTES_MAX);
            assert_eq!(SignedCommit::decode(&bytes), Ok(signed));
        }
        assert!(matches!(SignedCommit::decode(&[1; SIGNED_BYTES_MAX + 1]), Err(DecodeError::TooLong { .. })));
    }

    #[test]
    fn a_commit_out_of_bounds_is_not_read() {
        let mut twice = commit(1, 1, 2);
        twice.leaves[1] = twice.leaves[0];
        let mut unordered = commit(1, 2, 1);
        unordered.versions.reverse();
        let mut unchained = commit(2, 1, 1);
        unchained.previous = None;
        let no_seq = Commit { seq: 0, ..commit(1, 1, 1) };
        let bad =
            [twice, unordered, unchained, no_seq, commit(1, 0, 1), commit(1, 9, 1), commit(1, 1, 0), commit(1, 1, 65)];
        for bad in bad {
            assert!(bad.check().is_err(), "{bad:?}");
            assert!(Commit::decode(&bad.encode()).is_err(), "{bad:?}");
        }
    }

    /// Stored and signed bytes: whoever changes the format gives it a new first byte, and keeps reading this one.
    #[test]
    fn the_first_format_does_not_change() {
        let id = commit(2, 2, 3).id();
        assert_eq!(id.to_string(), "6cc884e0b49584a4cf97975f827325aeefac000f23fb5cefe1b2876878749388");
    }

    proptest! {
        /// Only one encoding: what flipped bytes still say is said by exactly those bytes.
        #[test]
        fn tampered_bytes_are_another_commit_or_none(
            flips in prop::collection::vec((0usize..4_000, 1u8..), 1..6),
            cut in 0usize..4,
        ) {
            let original = signed(commit(300, 3, 7));
            let mut bytes = original.encode();
            let len = bytes.len();
            flips.iter().for_each(|(at, flip)| bytes[at % len] ^= flip);
            prop_assume!(bytes != original.encode() || cut > 0);
            bytes.truncate(bytes.len() - cut);
            if let Ok(read) = SignedCommit::decode(&bytes) {
                prop_assert_ne!(&read, &original);
                prop_assert_eq!(read.encode(), bytes);
                prop_assert_eq!(read.id, read.commit.id());
            }
        }
    }
}
