//! Own edits that lost what they stood on, and whether one can be made again: only if nobody has written meanwhile what it
//! would undo. Carrying that out is in `batch/reissuing.rs`.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::change::{Change, Container, OpId, Put};
use heliu_record::command::{Write, WriteValue};
use heliu_record::id::{LeafHash, RecordId};
use heliu_record::scope::membership;
use heliu_storage::StrandedRow;
use heliu_trust::admission::{Leaf, Leaves};

use crate::durable::Durable;
use crate::layers::Layers;

/// Operations of edits that were made again, and what stands for them now.
pub(crate) type Renamed = BTreeMap<OpId, OpId>;

/// Those that are open: nobody has said what is to become of them.
#[derive(Default)]
pub(crate) struct Stranded {
    rows: BTreeMap<LeafHash, StrandedRow>,
    /// Records of which the work under way found some.
    found: Layers<BTreeSet<RecordId>>,
}

impl Stranded {
    pub fn new(rows: Vec<StrandedRow>) -> Self {
        Stranded { rows: rows.into_iter().map(|row| (row.leaf, row)).collect(), found: Layers::default() }
    }

    pub fn get(&self, leaf: &LeafHash) -> Option<&StrandedRow> {
        self.rows.get(leaf)
    }

    /// It was found by the work under way, which tries it again once that is durable.
    pub fn find(&mut self, row: StrandedRow) {
        self.found.insert(row.record);
        self.rows.insert(row.leaf, row);
    }

    /// It stays, for this reason.
    pub fn leave(&mut self, row: StrandedRow) {
        self.rows.insert(row.leaf, row);
    }

    pub fn close(&mut self, leaf: &LeafHash) -> Option<StrandedRow> {
        self.rows.remove(leaf)
    }

    /// Of a record, those that nobody has tried to make again.
    pub fn untried_of(&self, record: RecordId) -> impl Iterator<Item = &StrandedRow> + '_ {
        self.rows.values().filter(move |row| row.record == record && is_untried(row))
    }

    /// Records with some that nobody has tried to make again.
    pub fn untried(&self) -> BTreeSet<RecordId> {
        self.rows.values().filter(|row| is_untried(row)).map(|row| row.record).collect()
    }

    /// How many were tried again in vain, and since when the oldest is.
    pub fn tried(&self) -> (usize, i64) {
        let tried = || self.rows.values().filter(|row| !is_untried(row));
        (tried().count(), tried().map(|row| row.at_ms).min().unwrap_or(0))
    }

    pub fn seal(&mut self) {
        self.found.seal();
    }

    /// What was found is written down. Returns the records of which it is to be made again.
    pub fn applied(&mut self, durable: &Durable) -> BTreeSet<RecordId> {
        self.found.publish(durable)
    }
}

/// Written down when the edit was excluded, and not looked at since.
fn is_untried(row: &StrandedRow) -> bool {
    row.reason.is_empty()
}

/// The same writes, on top of whatever is there.
pub(crate) fn writes(change: &Change) -> Vec<Write> {
    let value = |put: &Put| {
        let member = |present| put.value == membership(present, put.id);
        match (member(true), member(false)) {
            (true, _) => WriteValue::Member(true),
            (_, true) => WriteValue::Member(false),
            _ => WriteValue::Value(put.value.clone()),
        }
    };
    change.puts.iter().map(|put| Write { container: put.container, key: put.key.clone(), value: value(put) }).collect()
}

/// The first key under which there is something else now than the edit saw, what was excluded left out.
pub(crate) fn overwritten<'l>(leaf: &'l Leaf, leaves: &Leaves, renamed: &Renamed) -> Option<&'l str> {
    let differs = |put: &&Put| {
        let visible = leaves.history().visible(put.container, &put.key);
        let now: BTreeSet<OpId> = visible.iter().map(|visible| visible.id).collect();
        put.container != Container::Log && now != saw(put, leaves, renamed)
    };
    leaf.change.puts.iter().find(differs).map(|put| put.key.as_str())
}

/// What a put replaced: for what does not count any more, what that had replaced in its turn.
fn saw(put: &Put, leaves: &Leaves, renamed: &Renamed) -> BTreeSet<OpId> {
    let mut saw = BTreeSet::new();
    let mut looked_at = BTreeSet::new();
    let mut open = put.replaces.clone();
    while let Some(op) = open.pop() {
        if !looked_at.insert(op) {
            continue;
        }
        if leaves.history().change_of(op).is_some() {
            saw.insert(op);
        } else if let Some(now) = renamed.get(&op) {
            saw.insert(*now);
        } else {
            let mut puts = leaves.iter().filter(|(leaf, _)| leaf.change.actor == op.actor);
            let replaced = puts.find_map(|(leaf, _)| leaf.change.puts.iter().find(|put| put.id == op));
            open.extend(replaced.into_iter().flat_map(|put| put.replaces.iter().copied()));
        }
    }
    saw
}

#[cfg(test)]
mod tests {
    use heliu_storage::StrandedState;

    use super::*;

    #[test]
    fn an_edit_that_is_found_is_tried_once_and_then_left_to_people() {
        let (leaf, record) = (LeafHash([1; 32]), RecordId([2; 32]));
        let row = StrandedRow { leaf, record, at_ms: 7, state: StrandedState::Open, reason: String::new() };
        let mut stranded = Stranded::default();
        stranded.find(row.clone());
        stranded.seal();
        assert_eq!(stranded.applied(&Durable::said(Ok(())).expect("it is")), [record].into());
        assert_eq!((stranded.untried_of(record).count(), stranded.tried()), (1, (0, 0)));
        stranded.leave(StrandedRow { reason: "edit.overwritten".to_owned(), ..row });
        assert_eq!((stranded.untried().len(), stranded.tried()), (0, (1, 7)));
        assert!(stranded.close(&leaf).is_some() && stranded.get(&leaf).is_none());
    }
}
