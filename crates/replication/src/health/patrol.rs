//! The patrol: a few records at a time, all over the store and round again, are read and held against their signed leaves.
//! What a row says beside its leaves is derived from them; nothing else would notice that somebody edited it with care,
//! or that a signature has rotted which nobody was sent lately.
//!
//! Its pace is slow: what it costs is bounded whatever is held, and whoever holds little is not looked at again and again.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;

use crate::durable::Durable;
use crate::effect::Moment;

/// How often some are looked at.
const EVERY_MS: u64 = 1_000;

pub(crate) struct Patrol {
    /// How long a round takes at least.
    round_ms: u64,
    round_began_ms: u64,
    after: Option<RecordId>,
    stage: Stage,
    /// Records that the work under way holds against their leaves.
    checked: BTreeSet<RecordId>,
}

#[derive(Clone, Copy)]
enum Stage {
    /// Nobody has looked at the clock yet.
    Begun,
    /// The next few are read at this tick.
    Due(u64),
    /// They are being read, and the next after them are due then.
    Reading(u64),
}

impl Patrol {
    /// It begins after some record: not where every start looks first, for whoever is restarted often gets round all the same.
    pub fn new(round_ms: u64, after: RecordId) -> Self {
        let (after, stage) = (Some(after), Stage::Begun);
        Patrol { round_ms, round_began_ms: 0, after, stage, checked: BTreeSet::new() }
    }

    /// After which record to look on, if it is time.
    pub fn next(&mut self, now: Moment) -> Option<Option<RecordId>> {
        if let Stage::Begun = self.stage {
            // Whoever has just started has other things to do.
            self.round_began_ms = now.tick_ms + self.round_ms / 60;
            self.stage = Stage::Due(self.round_began_ms);
        }
        match self.stage {
            Stage::Due(due_ms) if now.tick_ms >= due_ms => {
                self.stage = Stage::Reading(now.tick_ms + EVERY_MS);
                Some(self.after)
            }
            _ => None,
        }
    }

    /// After which record there are more; none if this was the end.
    pub fn looked(&mut self, next: Option<RecordId>) {
        self.after = next;
        let due_ms = match self.stage {
            Stage::Begun => return,
            Stage::Due(due_ms) | Stage::Reading(due_ms) => due_ms,
        };
        if next.is_none() {
            self.round_began_ms = due_ms.max(self.round_began_ms + self.round_ms);
            self.stage = Stage::Due(self.round_began_ms);
        } else {
            self.stage = Stage::Due(due_ms);
        }
    }

    /// The work that begins holds these against their leaves.
    pub fn check(&mut self, records: BTreeSet<RecordId>) {
        self.checked = records;
    }

    pub fn checks(&self, record: &RecordId) -> bool {
        self.checked.contains(record)
    }

    pub fn checked(&self) -> &BTreeSet<RecordId> {
        &self.checked
    }

    pub fn applied(&mut self, _: &Durable) {
        self.checked.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patrol_looks_at_a_few_in_each_second_and_goes_on_where_it_was() {
        let at = |tick_ms| Moment { tick_ms, wall_ms: 0 };
        let [third, fourth] = [3, 4].map(|byte| RecordId([byte; 32]));
        let mut patrol = Patrol::new(600_000, third);
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
