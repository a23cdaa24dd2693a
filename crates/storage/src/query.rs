//! What reads are asked with: which rows, and how much of them. What they answer is in `row` and `ledger`.

use heliu_record::id::RecordId;

/// How much one read may return.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub entries: usize,
    /// Bytes of changes. A page holds at least one entry, however large.
    pub bytes: usize,
}

/// What [`crate::ReadRecords::list`] returns: records of one kind (or all), in id order, after a given one.
#[derive(Clone, Debug)]
pub struct ListQuery {
    pub kind: Option<String>,
    /// Only records that refer to this one.
    pub refers_to: Option<RecordId>,
    pub after: Option<RecordId>,
    pub limit: usize,
    /// Bytes of views. A page holds at least one row, however large.
    pub bytes: usize,
}

/// What [`crate::ReadConflicts::conflicts`] returns: open conflicts in id order, after a given one.
#[derive(Clone, Debug)]
pub struct ConflictQuery {
    pub kind: Option<String>,
    /// Only those that have this record as an anchor.
    pub anchor: Option<RecordId>,
    pub after: Option<[u8; 32]>,
    pub limit: usize,
    /// Bytes of bodies. A page holds at least one, however large.
    pub bytes: usize,
}

impl Default for ListQuery {
    /// Any, as many as there are.
    fn default() -> Self {
        ListQuery { kind: None, refers_to: None, after: None, limit: usize::MAX, bytes: usize::MAX }
    }
}

impl Default for ConflictQuery {
    /// Any, as many as there are.
    fn default() -> Self {
        ConflictQuery { kind: None, anchor: None, after: None, limit: usize::MAX, bytes: usize::MAX }
    }
}
