//! The patrol: a few records at a time, all over the store and round again, are read and held against their signed leaves.
//! What a row says beside its leaves is derived from them; nothing else would notice that somebody edited it with care,
//! or that a signature has rotted which nobody was sent lately.
//!
//! Its pace is slow: what it costs is bounded whatever is held, and whoever holds little is not looked at again and again.

use heliu_record::id::RecordId;

use super::{Replica, Work};
use crate::effect::{Effect, Moment};

/// How often some are looked at.
const EVERY_MS: u64 = 1_000;

pub(crate) struct Patrol {
    /// How long a round takes at least.
    round_ms: u64,
    round_began_ms: u64,
    after: Option<RecordId>,
    /// None: nobody has looked at the clock yet.
    due_ms: Option<u64>,
    is_reading: bool,
}

impl Patrol {
    pub fn new(round_ms: u64) -> Self {
        Patrol { round_ms, round_began_ms: 0, after: None, due_ms: None, is_reading: false }
    }

    pub fn begin_after(&mut self, record: RecordId) {
        self.after = Some(record);
    }

    /// After which record to look on, if it is time.
    fn next(&mut self, now: Moment) -> Option<Option<RecordId>> {
        // Whoever has just started has other things to do.
        let due_ms = *self.due_ms.get_or_insert_with(|| {
            self.round_began_ms = now.tick_ms + self.round_ms / 60;
            self.round_began_ms
        });
        if self.is_reading || now.tick_ms < due_ms {
            return None;
        }
        (self.is_reading, self.due_ms) = (true, Some(now.tick_ms + EVERY_MS));
        Some(self.after)
    }

    /// After which record there are more; none if this was the end.
    fn looked(&mut self, next: Option<RecordId>) {
        (self.is_reading, self.after) = (false, next);
        if next.is_none() {
            self.round_began_ms = self.due_ms.unwrap_or_default().max(self.round_began_ms + self.round_ms);
            self.due_ms = Some(self.round_began_ms);
        }
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
        self.patrol.looked(next);
        self.check(records);
    }

    /// Records that are to be held against their leaves, because it is their turn or because somebody found them damaged.
    pub fn check(&mut self, records: Vec<RecordId>) {
        records.into_iter().for_each(|record| self.submit(Work::Check { record }));
    }

    /// What is checked is read from the store, whether or not it is open. No batch has looked at it yet, so what is open is
    /// what is stored.
    pub(super) fn close_what_is_checked(&mut self) {
        for record in self.batch.iter().flat_map(|batch| batch.checks()) {
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
        let mut patrol = Patrol::new(600_000);
        let [third, fourth] = [3, 4].map(|byte| RecordId([byte; 32]));
        patrol.begin_after(third);
        assert_eq!(patrol.next(at(20)), None, "not as it starts");
        assert_eq!(patrol.next(at(10_020)), Some(Some(third)));
        assert_eq!(patrol.next(at(15_000)), None, "one look at a time");
        patrol.looked(Some(fourth));
        assert_eq!(patrol.next(at(11_019)), None, "and one in a second");
        assert_eq!(patrol.next(at(11_020)), Some(Some(fourth)));
        patrol.looked(None);
        assert_eq!(patrol.next(at(610_019)), None, "a round takes a while, however little there is");
        assert_eq!(patrol.next(at(610_020)), Some(None), "and then it begins with the first");
    }
}
