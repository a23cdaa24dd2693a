//! What the store cannot give back as it was written. It is reported and set aside, and the batch goes on without it.

use std::collections::BTreeSet;

use heliu_record::hash::hash;
use heliu_record::id::RecordId;
use heliu_storage::{FeedEntry, LeafRow, QuarantineRow};

use super::super::damage::Lost;
use super::super::open::Open;
use super::super::quarantine::kept;
use super::super::sums::Counted;
use super::super::{Replica, Work};
use super::{Batch, Before, Stage};
use crate::effect::{Moment, Notice};

/// A stable code, as the others in quarantine.
pub(super) const CODE: &str = "store.damaged";

impl Batch {
    /// Nothing of this record can be used but, perhaps, what it counted for.
    pub(super) fn lose_row(
        &mut self,
        record: RecordId,
        counted: Option<Counted>,
        why: &str,
        replica: &mut Replica,
        now: Moment,
    ) {
        self.report(hash("heliu damaged 1", &[&record.0, why.as_bytes()]), record, why, &[], now);
        replica.damage.found(record, Lost::Row(counted));
    }

    /// Some leaves of this record cannot be read, the rest is open. The store is told to drop all and to keep the rest
    /// at the end of the feed: it no longer claims to hold the lost ones, so links find them missing and bring them.
    pub(super) fn lose_leaves(
        &mut self,
        open: Open,
        rows: Vec<LeafRow>,
        lost: Vec<(LeafRow, String)>,
        replica: &mut Replica,
        now: Moment,
    ) {
        let record = open.id();
        for (row, why) in &lost {
            self.report(row.hash.0, record, why, &row.change, now);
        }
        let lost: BTreeSet<_> = lost.into_iter().map(|(row, _)| row.hash).collect();
        if !lost.is_empty() {
            replica.damage.found(record, Lost::Leaves(lost));
        }
        if self.stage == Stage::Working {
            self.write_anew(open, rows, replica);
        } else {
            // What this batch changes is settled; it reads no more of this record, and the next one mends it.
            replica.submit(Work::Mend { record });
        }
    }

    fn write_anew(&mut self, mut open: Open, rows: Vec<LeafRow>, replica: &mut Replica) {
        let record = open.id();
        let before = Before {
            counted: Some(open.counted()),
            scope: open.row.scope.clone(),
            // Whoever looks at this record looks again.
            signal: open.row.signal.map(|byte| !byte),
            refs: None,
        };
        self.touched.insert(record, before);
        self.unfolded.insert(record);
        self.transaction.dropped.push(record);
        for row in rows {
            let position = self.next_position();
            open.positions.insert(row.hash, position);
            self.transaction.feed.push(FeedEntry::Leaf(LeafRow { position, ..row }));
        }
        self.looked.absent.remove(&record);
        replica.take_in(open);
    }

    fn report(&mut self, id: [u8; 32], record: RecordId, why: &str, bytes: &[u8], now: Moment) {
        self.outcome.notices.push(Notice::Damaged { record, why: why.to_owned() });
        self.transaction.quarantined.push(QuarantineRow {
            id,
            record: Some(record),
            from: None,
            code: CODE.to_owned(),
            reason: why.to_owned(),
            at_ms: now.wall_ms,
            bytes: kept(bytes),
        });
    }
}
