//! What the store cannot give back as it was written. It is reported and set aside, and the batch goes on without it.

use std::collections::BTreeSet;

use heliu_record::hash::hash;
use heliu_record::id::{RecordId, to_hex};
use heliu_record::reason::{Fact, Facts};
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
        self.tell(record, why, &part("row"), now);
        let counted = counted.filter(|_| !replica.damage.is_uncounted(record));
        replica.damage.found(record, Lost::Row(counted));
    }

    /// What is found by one id is another record: the row's id has rotted, or somebody changed it.
    pub(super) fn misnamed(&mut self, wrong: RecordId, own: RecordId, replica: &mut Replica, now: Moment) {
        let facts = part("id").and(Fact::Found, wrong.short()).and(Fact::Expected, own.short());
        self.tell(own, &format!("its row has the id {}", wrong.short()), &facts, now);
        replica.submit(Work::Rename { wrong, own });
    }

    /// The row of a record gets its own id again. Perhaps a link has brought the record meanwhile: then there are two, and
    /// they become one.
    pub(super) fn rename(&mut self, wrong: RecordId, own: RecordId, replica: &mut Replica) {
        if replica.damage.is_uncounted(wrong) && !replica.open.contains_key(&own) {
            replica.damage.leave_uncounted(own);
        }
        replica.damage.count_again(wrong);
        self.transaction.renamed.push((wrong, own));
        // When that is done.
        replica.submit(Work::Check { record: own });
    }

    /// A record was read from the store. If its row is not what was written, or does not follow from its leaves, it is
    /// written anew.
    pub(super) fn opened(&mut self, mut open: Open, replica: &mut Replica, now: Moment) {
        let record = open.id();
        self.looked.absent.remove(&record);
        open.is_stored = !replica.damage.is_uncounted(record);
        let spoilt = open.spoilt.take();
        if self.stage != Stage::Working || self.grown_from.is_some() {
            // What this batch changes is settled, or judged by another directory than the row.
            if spoilt.is_some() {
                replica.submit(Work::Check { record });
            }
            return replica.take_in(open);
        }
        // What is judged in another way now, by a later version of this program, is no damage.
        let is_restated = !open.restated.is_empty() || open.is_outdated();
        let contradiction = || open.contradicts(replica.seat, &replica.directory).filter(|_| !is_restated);
        let contradicted = |what| (format!("its {what} is not what its leaves say"), part(what));
        let why = spoilt.map(|why| (why, part("row"))).or_else(|| contradiction().map(contradicted));
        if let Some((why, facts)) = &why {
            self.tell(record, why, facts, now);
        }
        let is_checked = self.checks.contains(&record);
        let is_to_wrap = is_checked && Self::look_for_shut(&open, replica);
        if why.is_some() || is_to_wrap || (is_restated && is_checked) {
            self.touched.insert(record, before_mending(&open));
            self.unfolded.insert(record);
        }
        replica.take_in(open);
    }

    /// Some entries of this record cannot be read, the rest is open. The store is told to drop all and to keep the rest
    /// at the end of the feed: it no longer claims to hold the lost ones, so links find them missing and bring them.
    pub(super) fn lose_entries(
        &mut self,
        mut open: Open,
        kept: Vec<FeedEntry>,
        lost: &[LostEntry],
        replica: &mut Replica,
        now: Moment,
    ) {
        let record = open.id();
        open.is_stored = !replica.damage.is_uncounted(record);
        if let Some(why) = open.spoilt.take() {
            self.tell(record, &why, &part("row"), now);
        }
        for LostEntry { leaf, id, bytes, why } in lost {
            let what = if leaf.is_some() { "leaf" } else { "grant" };
            let facts = part(what).and(Fact::Id, to_hex(&id[..4]));
            self.report(*id, record, (why, &facts), bytes, now);
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
        self.touched.insert(record, before_mending(&open));
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

    /// `why` is for the log, the facts are for people.
    pub(super) fn tell(&mut self, record: RecordId, why: &str, facts: &Facts, now: Moment) {
        self.report(hash("heliu damaged 1", &[&record.0, why.as_bytes()]), record, (why, facts), &[], now);
    }

    fn report(&mut self, id: [u8; 32], record: RecordId, why: (&str, &Facts), bytes: &[u8], now: Moment) {
        let (why, facts) = why;
        self.outcome.notices.push(Notice::Damaged { record, why: why.to_owned() });
        self.transaction.quarantined.push(QuarantineRow {
            id,
            record: Some(record),
            from: None,
            code: CODE.to_owned(),
            reason: facts.to_string(),
            at_ms: now.wall_ms,
            bytes: kept(bytes),
        });
    }
}

/// What of a record is damaged.
pub(super) fn part(what: &str) -> Facts {
    Facts::none().and(Fact::Part, what)
}

/// A record as it was before a batch that mends it: whoever looks at it looks again, and what it refers to is written.
fn before_mending(open: &Open) -> Before {
    Before {
        counted: open.is_stored.then(|| open.counted()),
        scope: open.row.scope.clone(),
        signal: open.row.signal.map(|byte| !byte),
        refs: None,
    }
}
