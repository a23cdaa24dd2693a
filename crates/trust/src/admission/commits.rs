//! The stateless gate, before anything else: a commit is of this realm, its author was enrolled at the directory version
//! that it cites, and its signature is right. It knows no record. A fenced author's commits pass: they are stored and
//! relayed, so that sums agree, and their leaves are excluded.

use std::borrow::Borrow;

use heliu_record::codec::DecodeError;
use heliu_record::reason::{Fact, Facts};

use crate::commit::{SignedCommit, signed_message};
use crate::directory::{Directory, NodeInfo};
use crate::id::{DirectoryVersion, NodeId};
use crate::signature::Verifier;

/// Why a commit is not let in as it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error("it is of another realm")]
    WrongRealm,
    #[error(transparent)]
    Bounds(#[from] DecodeError),
    #[error("its id is not the hash of what it says")]
    WrongId,
    /// Not a fault: the directory here has to catch up first.
    #[error("it cites a directory version that is not known here")]
    UnknownVersion,
    #[error("its author {} was not enrolled at the directory version that it cites", .0.short())]
    UnknownAuthor(NodeId),
    #[error("its signature does not match")]
    BadSignature,
}

impl CommitError {
    /// Whether the commit is to be kept and judged again later, rather than quarantined.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, CommitError::UnknownVersion)
    }

    /// Stable, for quarantine, metrics and peers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            CommitError::WrongRealm => "commit.wrong-realm",
            CommitError::Bounds(_) => "commit.bounds",
            CommitError::WrongId => "commit.wrong-id",
            CommitError::UnknownVersion => "commit.unknown-version",
            CommitError::UnknownAuthor(_) => "commit.unknown-author",
            CommitError::BadSignature => "commit.bad-signature",
        }
    }

    /// What is particular about this one, for people.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self {
            CommitError::UnknownAuthor(node) => Facts::none().and(Fact::Node, node.short()),
            _ => Facts::none(),
        }
    }
}

/// Judges each commit, in order; signatures in batches. A verdict does not depend on the others in the list.
#[must_use]
pub fn check_commits<C: Borrow<SignedCommit>>(
    commits: &[C],
    directory: &Directory,
    verifier: &dyn Verifier,
) -> Vec<Result<(), CommitError>> {
    let authors: Vec<_> = commits.iter().map(|commit| check_author(commit.borrow(), directory)).collect();
    let messages: Vec<_> = commits.iter().map(|commit| signed_message(&commit.borrow().id)).collect();
    let items: Vec<_> = (authors.iter().zip(&messages).zip(commits))
        .filter_map(|((author, message), commit)| {
            author.as_ref().ok().map(|author| (author.key, message.as_slice(), commit.borrow().signature))
        })
        .collect();
    let mut verdicts = verifier.verify_all(&items).into_iter();
    authors
        .into_iter()
        .map(|author| {
            author?;
            if verdicts.next() == Some(true) { Ok(()) } else { Err(CommitError::BadSignature) }
        })
        .collect()
}

fn check_author<'a>(signed: &SignedCommit, directory: &'a Directory) -> Result<&'a NodeInfo, CommitError> {
    let commit = &signed.commit;
    if commit.realm != directory.realm() {
        return Err(CommitError::WrongRealm);
    }
    commit.check()?;
    if commit.id() != signed.id {
        return Err(CommitError::WrongId);
    }
    let cited = cited_version(signed, directory).ok_or(CommitError::UnknownVersion)?;
    let index = directory.index_of(cited).ok_or(CommitError::UnknownVersion)?;
    directory.node_at_index(commit.author, index).ok_or(CommitError::UnknownAuthor(commit.author))
}

/// The version of this county's log that a commit cites.
pub(super) fn cited_version(signed: &SignedCommit, directory: &Directory) -> Option<DirectoryVersion> {
    let county = directory.county()?;
    let cited = |(seat, version): &(_, DirectoryVersion)| (*seat == county).then_some(*version);
    signed.commit.versions.iter().find_map(cited)
}
