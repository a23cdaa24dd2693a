//! A leaf, opened: one change of one record, and the commit that signs it. Whether the record takes it is decided in
//! `leaves`.

use std::sync::Arc;

use heliu_record::change::{Change, ShapeError};
use heliu_record::id::{LeafHash, RecordId};
use heliu_record::reason::Facts;

use super::commits::cited_version;
use crate::commit::SignedCommit;
use crate::directory::Directory;
use crate::id::{CommitId, DirectoryVersion, Incarnation, NodeId, actor};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub hash: LeafHash,
    pub record: RecordId,
    /// The version of the record's kind that the change was written under.
    pub kind_version: u32,
    pub commit: CommitId,
    pub commit_seq: u64,
    pub author: NodeId,
    pub incarnation: Incarnation,
    /// The version of the county's directory that the commit cites.
    pub cited: DirectoryVersion,
    /// The cited version's place in the county's log when the leaf was opened or last judged; beyond the log, if unknown.
    pub directory_index: u64,
    pub change: Arc<Change>,
}

/// Why bytes are not a leaf of a commit. All but `UnknownVersion` depend on the bytes alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error("its hash is not among the leaves of its commit")]
    NotInCommit,
    #[error("its actor is not that of the commit's author and incarnation")]
    WrongActor,
    /// Not a fault: the directory here has to catch up first.
    #[error("its commit cites a directory version that is not known here")]
    UnknownVersion,
}

impl LeafError {
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, LeafError::UnknownVersion)
    }

    /// Stable, for quarantine, metrics and peers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LeafError::Shape(ShapeError::TooLong(_)) => "leaf.too-long",
            LeafError::Shape(ShapeError::NotAChange) => "leaf.not-a-change",
            LeafError::Shape(ShapeError::NotCanonical) => "leaf.not-canonical",
            LeafError::Shape(ShapeError::Exceeds(_)) => "leaf.exceeds",
            LeafError::Shape(ShapeError::Operation(_)) => "leaf.operation",
            LeafError::Shape(_) => "leaf.unreadable",
            LeafError::NotInCommit => "leaf.not-in-commit",
            LeafError::WrongActor => "leaf.wrong-actor",
            LeafError::UnknownVersion => "leaf.unknown-version",
        }
    }

    /// What is particular about this one, for people.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self {
            LeafError::Shape(error) => error.facts(),
            LeafError::NotInCommit | LeafError::WrongActor | LeafError::UnknownVersion => Facts::none(),
        }
    }
}

impl Leaf {
    /// Whether the directory excludes the leaf whatever it says: its author is fenced, and the fence does not let it pass.
    #[must_use]
    pub fn is_fenced_out(&self, directory: &Directory) -> bool {
        let fence = directory.fence(self.author);
        fence.is_some_and(|fence| fence.excludes(self.incarnation, self.commit_seq, &self.hash))
    }

    /// Of two leaves with one actor and seq, also of one change in two commits, the lower counts.
    pub(super) fn order(&self) -> (u64, LeafHash) {
        (self.commit_seq, self.hash)
    }

    /// Reads the untrusted bytes of a change that `commit`, which [`super::check_commits`] has let in, is said to sign.
    pub fn open(
        commit: &SignedCommit,
        record: &RecordId,
        kind_version: u32,
        raw: &[u8],
        directory: &Directory,
    ) -> Result<Leaf, LeafError> {
        let change = Change::parse(raw)?;
        let hash = commit.commit.leaf_hash(record, &change.hash, kind_version);
        if !commit.commit.leaves.contains(&hash) {
            return Err(LeafError::NotInCommit);
        }
        let (author, incarnation) = (commit.commit.author, commit.commit.incarnation);
        if change.actor != actor(&author, &incarnation) {
            return Err(LeafError::WrongActor);
        }
        let cited = cited_version(commit, directory).ok_or(LeafError::UnknownVersion)?;
        Ok(Leaf {
            hash,
            record: *record,
            kind_version,
            commit: commit.id,
            commit_seq: commit.commit.seq,
            author,
            incarnation,
            cited,
            directory_index: directory.index_of(cited).ok_or(LeafError::UnknownVersion)?,
            change: Arc::new(change),
        })
    }
}
