//! What the nodes of one process have in common: hundreds of them hold one directory, which each has from its own store or
//! from its neighbours. Here is the newest that any of them has verified, so that the others take over that copy instead of
//! verifying the same signatures again and keeping one more. It changes nothing of what a directory says.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Directory, SignedEntry};

/// Directories that are kept; while entries are on their way, nodes have several.
const KEPT: usize = 64;

/// Directories that have been verified in this process, the newest last.
#[derive(Debug, Default)]
pub struct Pool(Mutex<VecDeque<Directory>>);

impl Pool {
    /// What a directory becomes with these entries, each of which is new and next, if another has become that.
    #[must_use]
    pub fn grown(&self, directory: &Directory, entries: &[SignedEntry]) -> Option<Directory> {
        let (last, len) = (entries.last()?, directory.len() + entries.len() as u64);
        let kept = self.kept();
        let other = kept.iter().rev().find(|other| other.len() == len && other.head() == last.version)?;
        let added = other.entries_from(directory.len());
        // Compared whole, signatures too: a claimed version proves nothing.
        let goes_on = other.log.entries.starts_with(&directory.log.entries);
        (goes_on && is_alike(other, directory) && added.iter().map(AsRef::as_ref).eq(entries)).then(|| other.clone())
    }

    /// The copy that is kept of this directory; from now on this one, if there is none.
    #[must_use]
    pub fn copy_of(&self, directory: Directory) -> Directory {
        let mut kept = self.kept();
        let is_same = |other: &&Directory| other.head() == directory.head() && is_alike(other, &directory);
        if let Some(other) = kept.iter().rev().find(is_same) {
            // Signatures more or less make no other version, but each node keeps those that it has.
            if other.log.entries == directory.log.entries {
                return other.clone();
            }
            return directory;
        }
        if directory.log.abandoned.is_empty() {
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back(directory.clone());
        }
        directory
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Directory>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether they may be one: after a decision of the root, nodes may know of different versions that were given up.
fn is_alike(one: &Directory, other: &Directory) -> bool {
    let is_of_one_realm = (one.realm, one.root) == (other.realm, other.root);
    is_of_one_realm && one.log.abandoned.is_empty() && other.log.abandoned.is_empty()
}
