//! Who brings entries of the directory and why they are not taken, and what is kept of two signed entries for one place.

use heliu_record::conflict::Explanation;
use heliu_trust::directory::{DirectoryError, SignedEntry};
use heliu_trust::id::DirectoryVersion;

use crate::effect::{AuditEvent, LinkId, Ticket};

/// Who hears what became of directory entries, and what the audit log says of it.
pub(crate) enum By {
    Ticket(Ticket, Option<AuditEvent>),
    Link(LinkId),
}

/// Two entries for one place. While it stands, nothing but the root's entries is taken.
pub(crate) struct Fork {
    pub ours: DirectoryVersion,
    /// The other, to show it to everybody.
    pub theirs: SignedEntry,
    pub since_tick: u64,
}

/// Why directory entries were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotGrown {
    /// A second entry for a place: it is kept as evidence.
    #[error("there are two signed entries {index}: the root has to decide which one stands")]
    Forked { index: u64 },
    /// Nothing new is taken until the root has decided.
    #[error("the directory is forked, and takes nothing new until the root has decided")]
    Frozen,
    /// The root has decided against it.
    #[error("the root has decided against entry {index}, or for what was built on another")]
    Settled { index: u64 },
    #[error("{0}")]
    Bad(DirectoryError),
}

impl NotGrown {
    /// For people.
    pub fn words(&self) -> Explanation {
        match self {
            NotGrown::Forked { index } => DirectoryError::Forked { index: *index }.words(),
            NotGrown::Frozen => Explanation::new(
                "名录有分叉,在根密钥裁决前不接受新条目",
                "the directory is forked, and takes nothing new until the root has decided",
            ),
            NotGrown::Settled { index } => DirectoryError::Settled { index: *index }.words(),
            NotGrown::Bad(error) => error.words(),
        }
    }

    /// For a machine that was to be entered.
    pub fn join_code(&self) -> &'static str {
        match self {
            NotGrown::Forked { .. } | NotGrown::Frozen => "join.forked",
            NotGrown::Settled { .. } | NotGrown::Bad(_) => "join.not-entered",
        }
    }
}

impl From<DirectoryError> for NotGrown {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Forked { index } => NotGrown::Forked { index },
            DirectoryError::Settled { index } => NotGrown::Settled { index },
            error => NotGrown::Bad(error),
        }
    }
}
