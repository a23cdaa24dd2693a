//! The patrol: a few records at a time, all over the store and round again, are read and held against their signed leaves.
//! What a row says beside its leaves is derived from them; nothing else would notice that somebody edited it with care,
//! or that a signature has rotted which nobody was sent lately.
//!
//! Its pace is fixed and slow: what it costs does not depend on how much is held, only how long a round takes does.

use heliu_record::id::RecordId;

use super::{Replica, Work};
use crate::effect::{Effect, Moment};

/// How often some are looked at.
const EVERY_MS: u64 = 1_000;

#[derive(Default)]
pub(crate) struct Patrol {
    after: Option<RecordId>,
    due_ms: u64,
    is_reading: bool,
}

impl Patrol {
    pub fn begin_after(&mut self, record: RecordId) {
        self.after = Some(record);
    }

    /// After which record to look on, if it is time.
    fn next(&mut self, now: Moment) -> Option<Option<RecordId>> {
        if self.is_reading || now.tick_ms < self.due_ms {
            return None;
        }
        (self.is_reading, self.due_ms) = (true, now.tick_ms + EVERY_MS);
        Some(self.after)
    }
}

impl Replica {
    /// What the patrol asks of the store, if it is time, and what it asked for before is done.
    pub fn next_look(&mut self, now: Moment) -> Option<Effect> {
        if self.queue.has_checks() {
            return None;
        }
        self.patrol.next(now).map(|after| Effect::Look { after })
    }

    /// The next few records, and after which one there are more.
    pub fn looked(&mut self, records: Vec<RecordId>, next: Option<RecordId>) {
        (self.patrol.is_reading, self.patrol.after) = (false, next);
        self.check(records);
    }

    /// Records that are to be held against their leaves, because it is their turn or because somebody found them damaged.
    pub fn check(&mut self, records: Vec<RecordId>) {
        records.into_iter().for_each(|record| self.submit(Work::Check { record }));
    }

    /// What is checked is read from the store, whether or not it is open. No batch has looked at it yet, so what is open is
    /// what is stored.
    pub(super) fn close_what_is_checked(&mut self) {
        for record in self.batch.iter().flat_map(super::batch::Batch::checks) {
            self.open.remove(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patrol_looks_at_a_few_in_each_second_and_goes_on_where_it_was() {
        let at = |tick_ms| Moment { tick_ms, wall_ms: 0 };
        let mut patrol = Patrol::default();
        patrol.begin_after(RecordId([3; 32]));
        assert_eq!(patrol.next(at(20)), Some(Some(RecordId([3; 32]))));
        assert_eq!(patrol.next(at(5_000)), None, "one look at a time");
        patrol.is_reading = false;
        assert_eq!(patrol.next(at(1_019)), None, "and one in a second");
        patrol.after = None;
        assert_eq!(patrol.next(at(1_020)), Some(None), "from the first again");
    }
}
