//! Records of which the store holds something that cannot be read. They are set aside: nothing is written to them by
//! commands until a link has brought again what is lost, because a plan would rest on half of a history, and might use
//! a seq again. Everything else goes on.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::command::Refusal;
use heliu_record::id::{LeafHash, RecordId};

use crate::records::Counted;

/// What cannot be read of a record.
pub(crate) enum Lost {
    /// Its row, and so everything: it begins anew with the first leaf that a link brings. What it counted for, if that
    /// can be told.
    Row(Option<Counted>),
    /// These leaves. The others were written anew, so that the store no longer claims to hold these.
    Leaves(BTreeSet<LeafHash>),
}

#[derive(Default)]
pub(crate) struct Damage {
    records: BTreeMap<RecordId, Lost>,
    /// Records that the store has and that count for nothing: their rows were not what was written when rows were counted.
    uncounted: BTreeSet<RecordId>,
}

impl Damage {
    pub fn contains(&self, record: RecordId) -> bool {
        self.records.contains_key(&record)
    }

    /// Whether not even the row can be read: then loading it again is of no use.
    pub fn has_no_row(&self, record: RecordId) -> bool {
        matches!(self.records.get(&record), Some(Lost::Row(_)))
    }

    /// What the record counted for, if its row is lost.
    pub fn counted(&self, record: RecordId) -> Option<&Counted> {
        match self.records.get(&record)? {
            Lost::Row(counted) => counted.as_ref(),
            Lost::Leaves(_) => None,
        }
    }

    pub fn is_uncounted(&self, record: RecordId) -> bool {
        self.uncounted.contains(&record)
    }

    /// Its row is not what was written: until it is, it counts for nothing.
    pub fn leave_uncounted(&mut self, record: RecordId) {
        self.uncounted.insert(record);
    }

    /// Its row is written as it is, and counted.
    pub fn count_again(&mut self, record: RecordId) {
        self.uncounted.remove(&record);
    }

    pub fn found(&mut self, record: RecordId, lost: Lost) {
        self.records.insert(record, lost);
    }

    /// A leaf came, of this record: perhaps what was lost.
    pub fn came(&mut self, record: RecordId, leaf: &LeafHash) {
        if let Some(Lost::Leaves(lost)) = self.records.get_mut(&record) {
            lost.remove(leaf);
            if lost.is_empty() {
                self.records.remove(&record);
            }
        }
    }

    /// Nothing of the record is needed any more. If its row was lost, what it counted for.
    pub fn forget(&mut self, record: RecordId) -> Option<Option<Counted>> {
        match self.records.remove(&record)? {
            Lost::Row(counted) => Some(counted),
            Lost::Leaves(_) => None,
        }
    }

    /// The record's row was written anew. Whether it was lost.
    pub fn regain_row(&mut self, record: RecordId) -> bool {
        self.has_no_row(record) && self.records.remove(&record).is_some()
    }
}

pub(crate) fn refusal(record: RecordId) -> Refusal {
    let short = record.short();
    Refusal::new(
        "record_damaged",
        (format!("记录 {short} 在本节点的存储中已损坏。"), format!("Record {short} is damaged in this node's store.")),
        (
            "无法读取其部分历史,不能据此写入。",
            "A part of its history cannot be read, so nothing is written on top of it.",
        ),
        (
            "请等待链路从其他节点补回,或由运维人员查看隔离区并恢复存储。",
            "Wait until a link brings it again, or have an operator look into the quarantine and restore the store.",
        ),
    )
}
