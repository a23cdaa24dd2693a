//! The third stage: conflicts are derived for what was touched and for what looks at it, and compared with those that
//! are open.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::conflict::Conflict;
use heliu_record::id::RecordId;
use heliu_storage::ConflictRow;

use super::lookup::{Ahead, LookedUp, Lookup};
use crate::effect::{LoadReply, LoadRequest};
use crate::journal::Delta;
use crate::parts::Parts;
use crate::records::Counted;

/// Open conflicts, as they were looked up.
#[derive(Default)]
pub(super) struct Conflicts {
    rows: BTreeMap<[u8; 32], ConflictRow>,
    /// Records of which all are known.
    of: BTreeSet<RecordId>,
    /// Of these the batch ahead has decided, whatever the store says.
    decided: BTreeSet<[u8; 32]>,
}

impl Conflicts {
    pub fn behind(ahead: &Ahead) -> Self {
        let rows: BTreeMap<_, _> = ahead.opened.iter().map(|row| (row.id, row.clone())).collect();
        let decided = rows.keys().chain(&ahead.closed).copied().collect();
        Conflicts { rows, of: BTreeSet::new(), decided }
    }

    /// What the store answered.
    pub fn loaded(&mut self, asked: &LoadRequest, reply: &mut LoadReply) {
        self.of.extend(&asked.conflicts_of);
        let rows = std::mem::take(&mut reply.conflicts).into_iter().filter(|row| !self.decided.contains(&row.id));
        self.rows.extend(rows.map(|row| (row.id, row)));
    }

    pub fn are_known_of(&self, record: &RecordId) -> bool {
        self.of.contains(record)
    }

    /// Those that hang on one of these records.
    fn hanging_on(&self, records: &BTreeSet<RecordId>) -> impl Iterator<Item = &ConflictRow> {
        self.rows.values().filter(|row| row.anchors.iter().any(|anchor| records.contains(anchor)))
    }
}

pub(super) fn derive(parts: &Parts, looked_up: &LookedUp, conflicts: &mut Conflicts, delta: &mut Delta) -> LoadRequest {
    let mut missing = LoadRequest::default();
    let candidates = candidates(parts, looked_up, conflicts, &mut missing);
    let unknown = candidates.iter().filter(|id| !conflicts.are_known_of(id));
    let is_new = |id: &RecordId| parts.records.before().get(id).is_some_and(|before| before.counted.is_none());
    missing.conflicts_of.extend(unknown.filter(|id| !is_new(id)));
    if missing != LoadRequest::default() {
        return missing;
    }
    let lookup = Lookup::new(parts, looked_up);
    let found: BTreeMap<[u8; 32], Conflict> = candidates
        .iter()
        .flat_map(|record| parts.own.catalogue.conflicts(*record, &lookup))
        .map(|conflict| (conflict.id.0, conflict))
        .collect();
    let missing = lookup.missing();
    if missing == LoadRequest::default() {
        compare(&candidates, &found, conflicts, delta);
    }
    missing
}

/// What was touched, what refers to it where that could matter, and what else the open conflicts of these hang on.
fn candidates(
    parts: &Parts,
    looked_up: &LookedUp,
    conflicts: &Conflicts,
    missing: &mut LoadRequest,
) -> BTreeSet<RecordId> {
    let mut candidates: BTreeSet<RecordId> = parts.records.before().keys().copied().collect();
    for (record, before) in parts.records.before() {
        // Who looks at a record sees nothing of one that has left this seat.
        let shown = |is_present: bool, signal: [u8; 8]| is_present.then_some(signal);
        let now = parts.records.get(record).and_then(|open| shown(open.is_present(), open.row.signal));
        let was = shown(before.counted.as_ref().is_some_and(Counted::is_present), before.signal);
        // What the directory says of the seats that a record names is no part of its signal.
        if now == was && !parts.authority.has_grown() {
            continue;
        }
        match looked_up.stored(record) {
            Some(sources) => candidates.extend(sources),
            None => {
                missing.referring.insert(*record);
            }
        }
        candidates.extend(looked_up.touched(record));
    }
    let others: Vec<RecordId> = conflicts.hanging_on(&candidates).flat_map(|row| row.anchors.iter().copied()).collect();
    candidates.extend(others);
    candidates
}

fn compare(
    candidates: &BTreeSet<RecordId>,
    found: &BTreeMap<[u8; 32], Conflict>,
    conflicts: &Conflicts,
    delta: &mut Delta,
) {
    for (id, conflict) in found {
        let Ok(body) = serde_json::to_vec(conflict) else { continue };
        if conflicts.rows.get(id).is_some_and(|row| row.body == body) {
            continue;
        }
        let anchors = conflict.anchors.iter().copied().collect();
        delta.transaction.conflicts_opened.push(ConflictRow { id: *id, kind: conflict.kind.clone(), anchors, body });
    }
    // Conflicts may have been looked up of records that came to no change.
    let over = conflicts.hanging_on(candidates).map(|row| row.id).filter(|id| !found.contains_key(id));
    delta.transaction.conflicts_closed.extend(over);
}

#[cfg(test)]
mod tests {
    use heliu_storage::Transaction;

    use super::*;

    #[test]
    fn conflicts_are_as_the_batch_ahead_left_them_whether_the_store_has_it_or_not() {
        let record = RecordId([1; 32]);
        let row = |id: u8, body: u8| {
            let anchors = vec![record];
            ConflictRow { id: [id; 32], kind: String::new(), anchors, body: vec![body] }
        };
        let in_flight = Transaction {
            conflicts_opened: vec![row(1, 7), row(2, 7)],
            conflicts_closed: vec![[3; 32]],
            ..Transaction::default()
        };
        let ahead = Ahead::of(&in_flight);
        let asked = LoadRequest { conflicts_of: [record].into(), ..LoadRequest::default() };
        // Before it: one is as it was, one is not there, one is not gone. After it.
        for stored in [vec![row(1, 6), row(3, 6), row(4, 6)], vec![row(1, 7), row(2, 7), row(4, 6)]] {
            let mut conflicts = Conflicts::behind(&ahead);
            assert!(!conflicts.are_known_of(&record), "there may be others");
            conflicts.loaded(&asked, &mut LoadReply { conflicts: stored, ..LoadReply::default() });
            let open: Vec<_> = conflicts.hanging_on(&[record].into()).map(|row| (row.id[0], row.body[0])).collect();
            assert_eq!(open, [(1, 7), (2, 7), (4, 6)]);
        }
    }
}
