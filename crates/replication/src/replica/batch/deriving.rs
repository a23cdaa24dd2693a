//! The third stage: conflicts are derived for what was touched and for what looks at it, and compared with those that
//! are open.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::conflict::Conflict;
use heliu_record::id::RecordId;
use heliu_storage::ConflictRow;

use super::super::Replica;
use super::Batch;
use crate::effect::LoadRequest;

impl Batch {
    pub(super) fn derive(&mut self, replica: &Replica) -> LoadRequest {
        let mut missing = LoadRequest::default();
        let candidates = self.candidates(replica, &mut missing);
        let unknown = candidates.iter().filter(|id| !self.looked.conflicts_of.contains(*id));
        let is_new = |id: &RecordId| self.touched.get(id).is_some_and(|before| before.counted.is_none());
        missing.conflicts_of.extend(unknown.filter(|id| !is_new(id)));
        if missing != LoadRequest::default() {
            return missing;
        }
        let desk = replica.desk(&self.looked);
        let found: BTreeMap<[u8; 32], Conflict> = candidates
            .iter()
            .flat_map(|record| replica.catalogue.conflicts(*record, &desk))
            .map(|conflict| (conflict.id.0, conflict))
            .collect();
        let missing = desk.missing();
        if missing == LoadRequest::default() {
            self.compare(&candidates, &found);
        }
        missing
    }

    /// What was touched, what refers to it where that could matter, and what else the open conflicts of these hang on.
    fn candidates(&self, replica: &Replica, missing: &mut LoadRequest) -> BTreeSet<RecordId> {
        let mut candidates: BTreeSet<RecordId> = self.touched.keys().copied().collect();
        for (record, before) in &self.touched {
            // Who looks at a record sees nothing of one that has left this seat.
            let shown = |is_present: bool, signal: [u8; 8]| is_present.then_some(signal);
            let now = replica.open.get(record).and_then(|open| shown(open.is_present(), open.row.signal));
            let was = shown(before.counted.as_ref().is_some_and(|counted| counted.present), before.signal);
            // What the directory says of the seats that a record names is no part of its signal.
            if now == was && self.grown_from.is_none() {
                continue;
            }
            match self.looked.referring.get(record) {
                Some(sources) => candidates.extend(sources),
                None => {
                    missing.referring.insert(*record);
                }
            }
            candidates.extend(self.looked.referred.get(record).into_iter().flatten());
        }
        let hangs_on = |row: &&ConflictRow| row.anchors.iter().any(|anchor| candidates.contains(anchor));
        let others: Vec<RecordId> =
            self.looked.conflicts.values().filter(hangs_on).flat_map(|row| row.anchors.iter().copied()).collect();
        candidates.extend(others);
        candidates
    }

    fn compare(&mut self, candidates: &BTreeSet<RecordId>, found: &BTreeMap<[u8; 32], Conflict>) {
        for (id, conflict) in found {
            let Ok(body) = serde_json::to_vec(conflict) else { continue };
            if self.looked.conflicts.get(id).is_some_and(|row| row.body == body) {
                continue;
            }
            let anchors = conflict.anchors.iter().copied().collect();
            self.transaction.conflicts_opened.push(ConflictRow { id: *id, kind: conflict.kind.clone(), anchors, body });
        }
        // Conflicts may have been looked up of records that came to no change.
        let is_derived = |row: &&ConflictRow| row.anchors.iter().any(|anchor| candidates.contains(anchor));
        let over =
            self.looked.conflicts.values().filter(is_derived).map(|row| row.id).filter(|id| !found.contains_key(id));
        self.transaction.conflicts_closed.extend(over);
    }
}
