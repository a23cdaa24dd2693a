//! What was refused is kept for operators to look at, within bounds: whoever sends junk without end must not fill the disk.
//! Beyond them it is still counted on its link, and told to its sender.

use std::collections::BTreeSet;

use heliu_record::hash::hash;
use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::QuarantineRow;
use heliu_trust::id::NodeId;

use crate::frame::RefusedLeaf;

/// Rows that a store keeps of what links brought; 256 MiB at the very most.
const ROWS_MAX: usize = 4_096;
/// As much as a row may hold.
const BYTES_MAX: usize = 64 * 1024;

pub(crate) struct Quarantine {
    /// Rows that may still be written.
    room: usize,
    /// Written by this process: what comes again is no new row.
    written: BTreeSet<[u8; 32]>,
}

impl Quarantine {
    /// Beside those that the store has.
    pub fn beside(stored: u64) -> Self {
        let stored = usize::try_from(stored).unwrap_or(usize::MAX);
        Quarantine { room: ROWS_MAX.saturating_sub(stored), written: BTreeSet::new() }
    }

    /// Whether to write a row: there is room, and it was not written before.
    pub fn takes(&mut self, id: [u8; 32]) -> bool {
        let takes = self.room > 0 && self.written.insert(id);
        self.room -= usize::from(takes);
        takes
    }

    /// A row is gone: there is room for another, and it may come again itself.
    pub fn let_go(&mut self, id: &[u8; 32]) {
        self.room += 1;
        self.written.remove(id);
    }
}

/// What the sender of refused bytes is told, and what is kept of them. `id` is their leaf's hash, or [`id_of`] them.
pub(crate) fn refused(
    id: [u8; 32],
    record: Option<RecordId>,
    from: NodeId,
    (code, reason): (&str, String),
    bytes: &[u8],
    at_ms: i64,
) -> (RefusedLeaf, QuarantineRow) {
    let (code, bytes) = (code.to_owned(), kept(bytes));
    let told = RefusedLeaf { leaf: LeafHash(id), code: code.clone(), reason: reason.clone() };
    (told, QuarantineRow { id, record, from: Some(from), code, reason, at_ms, bytes })
}

/// Of what is no leaf, or has not been read as one.
pub(crate) fn id_of(bytes: &[u8]) -> [u8; 32] {
    hash("heliu refused 1", &[bytes])
}

/// What is kept of refused bytes.
pub(super) fn kept(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(BYTES_MAX)].to_vec()
}
