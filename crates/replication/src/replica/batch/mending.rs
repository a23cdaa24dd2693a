//! What the store cannot give back as it was written. It is reported and set aside, and the batch goes on without it.

use std::collections::BTreeSet;

use heliu_record::hash::hash;
use heliu_record::id::RecordId;
use heliu_storage::{FeedEntry, QuarantineRow};

use super::super::damage::Lost;
use super::super::open::{Lost as LostEntry, Open};
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

    /// Some entries of this record cannot be read, the rest is open. The store is told to drop all and to keep the rest
    /// at the end of the feed: it no longer claims to hold the lost ones, so links find them missing and bring them.
    pub(super) fn lose_entries(
        &mut self,
        open: Open,
        kept: Vec<FeedEntry>,
        lost: &[LostEntry],
        replica: &mut Replica,
        now: Moment,
    ) {
        let record = open.id();
        for LostEntry { id, bytes, why, .. } in lost {
            self.report(*id, record, why, bytes, now);
        }
        let leaves: BTreeSet<_> = lost.iter().filter_map(|lost| lost.leaf).collect();
        if !leaves.is_empty() {
            replica.damage.found(record, Lost::Leaves(leaves));
        }
        if self.stage == Stage::Working {
            self.write_anew(open, kept, replica);
        } else {
            // What this batch changes is settled; it reads no more of this record, and the next one mends it.
            replica.submit(Work::Mend { record });
        }
    }

    fn write_anew(&mut self, mut open: Open, kept: Vec<FeedEntry>, replica: &mut Replica) {
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
        for mut entry in kept {
            let next = self.next_position();
            match &mut entry {
                FeedEntry::Leaf(row) => {
                    row.position = next;
                    open.positions.insert(row.hash, next);
                }
                FeedEntry::Grant(row) => row.position = next,
                FeedEntry::Rescope { position, .. } => *position = next,
            }
            self.transaction.feed.push(entry);
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
