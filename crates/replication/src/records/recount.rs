//! The proof that what is kept of records is what their rows say: after each start, and whenever a row was found that is not
//! what was written, all rows are counted, some in each second, in the order of their ids. What is written meanwhile is
//! counted as it is written if the rows read so far include it, and as it is read if not: nothing may be under way while rows
//! are read.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;
use heliu_storage::{ScanPage, Tally};

use super::kept::Kept;
use super::sums::Counted;
use crate::effect::Moment;

/// Rows that are read in a second at first: it takes some milliseconds.
const ROWS: usize = 1_024;
/// It doubles with each of these, up to so many times: four million rows take ten minutes.
const FASTER_MS: u64 = 60 * 1_000;
const FASTER_MAX: u64 = 3;
const EVERY_MS: u64 = 1_000;

pub(crate) struct Recount {
    stage: Stage,
    counting: Counting,
    max: usize,
}

#[derive(Clone, Copy)]
enum Stage {
    /// Some are read at this tick; none: with the next.
    Due(Option<u64>),
    /// They are being read, and the next are due then.
    Reading(u64),
    /// All were counted, and nothing that puts it in doubt was found since.
    Proven,
}

struct Counting {
    /// When it began.
    since_ms: Option<u64>,
    /// All up to here.
    after: Option<RecordId>,
    kept: Kept,
    /// Of these the rows were not what was written. They are in the store, and count for nothing.
    set_aside: BTreeSet<RecordId>,
}

impl Counting {
    fn new(max: usize) -> Self {
        Counting { since_ms: None, after: None, kept: Kept::new(max), set_aside: BTreeSet::new() }
    }

    fn has_read(&self, record: &RecordId) -> bool {
        self.after.is_some_and(|after| *record <= after)
    }
}

/// What all rows come to.
pub(crate) struct Recounted {
    pub kept: Kept,
    /// Records whose rows are not what was written.
    pub set_aside: BTreeSet<RecordId>,
}

impl Recount {
    pub fn new(max: usize) -> Self {
        Recount { stage: Stage::Due(None), counting: Counting::new(max), max }
    }

    pub fn is_proven(&self) -> bool {
        matches!(self.stage, Stage::Proven)
    }

    pub fn is_due(&self, now: Moment) -> bool {
        matches!(self.stage, Stage::Due(due) if due.is_none_or(|due_ms| now.tick_ms >= due_ms))
    }

    /// After which record to read on, and how many rows.
    pub fn begin_page(&mut self, now: Moment) -> (Option<RecordId>, usize) {
        let since_ms = *self.counting.since_ms.get_or_insert(now.tick_ms);
        let faster = (now.tick_ms.saturating_sub(since_ms) / FASTER_MS).min(FASTER_MAX);
        self.stage = Stage::Reading(now.tick_ms + EVERY_MS);
        (self.counting.after, ROWS << faster)
    }

    /// The rows that were read. Returns what all come to if these were the last.
    pub fn counted(&mut self, page: &ScanPage) -> Option<Recounted> {
        let Stage::Reading(due_ms) = self.stage else { return None };
        self.stage = Stage::Due(Some(due_ms));
        let counting = &mut self.counting;
        page.items.iter().for_each(|item| counting.kept.add(&item.scope, &Tally::from(item)));
        counting.set_aside.extend(page.damaged.iter().filter_map(|row| row.record));
        if page.next.is_some() {
            counting.after = page.next;
            return None;
        }
        self.stage = Stage::Proven;
        let Counting { kept, set_aside, .. } = std::mem::replace(counting, Counting::new(self.max));
        Some(Recounted { kept, set_aside })
    }

    /// A record came to `before`, and now comes to `after`.
    pub fn replace(&mut self, record: &RecordId, before: Option<&Counted>, after: &Counted) {
        if self.counting.has_read(record) {
            let was_set_aside = self.counting.set_aside.remove(record);
            self.counting.kept.replace(before.filter(|_| !was_set_aside), after);
        }
    }

    /// The row of a record was found not to be what was written: what it counted for cannot be told, unless it is still to be
    /// read.
    pub fn doubt(&mut self, record: &RecordId) {
        let is_seen_to = match self.stage {
            Stage::Proven => false,
            _ => !self.counting.has_read(record) || self.counting.set_aside.contains(record),
        };
        if !is_seen_to {
            self.begin_again();
        }
    }

    pub fn begin_again(&mut self) {
        self.stage = match self.stage {
            Stage::Due(due_ms) => Stage::Due(due_ms),
            Stage::Reading(due_ms) => Stage::Due(Some(due_ms)),
            Stage::Proven => Stage::Due(None),
        };
        self.counting = Counting::new(self.max);
    }
}

#[cfg(test)]
mod tests {
    use heliu_record::hash::Sum;
    use heliu_record::id::SeatId;
    use heliu_record::scope::Scope;
    use heliu_storage::{DamagedRow, ScanItem, Standing};

    use super::*;

    const WHOSE: Scope = Scope { public: true, owners: BTreeSet::new(), seats: BTreeSet::<SeatId>::new() };

    fn id(n: u8) -> RecordId {
        RecordId([n; 32])
    }

    fn item(n: u8, version: u8) -> ScanItem {
        let (held, admitted) = (Sum([version; 32]), Sum([version; 32]));
        ScanItem { id: id(n), scope: WHOSE, standing: Standing::Present, held, admitted, leaves: 1 }
    }

    fn counted(n: u8, version: u8) -> Counted {
        Counted { scope: WHOSE, tally: Tally::from(&item(n, version)) }
    }

    fn page(items: Vec<ScanItem>, next: Option<RecordId>) -> ScanPage {
        ScanPage { items, next, damaged: Vec::new() }
    }

    fn at(tick_ms: u64) -> Moment {
        Moment { tick_ms, wall_ms: 0 }
    }

    fn total(recounted: &Recounted) -> Tally {
        *recounted.kept.rows().next().expect("there is one scope").1
    }

    #[test]
    fn what_is_written_meanwhile_is_counted_once_whether_its_row_was_read_before_or_is_read_after() {
        let mut recount = Recount::new(8);
        assert!(recount.is_due(at(5)));
        assert_eq!(recount.begin_page(at(5)), (None, ROWS));
        assert!(recount.counted(&page(vec![item(1, 1), item(2, 1)], Some(id(2)))).is_none());
        recount.replace(&id(1), Some(&counted(1, 1)), &counted(1, 7));
        recount.replace(&id(3), Some(&counted(3, 1)), &counted(3, 7));
        recount.replace(&id(0), None, &counted(0, 7));
        assert!(!recount.is_due(at(900)) && recount.is_due(at(1_005)), "some in each second");
        assert_eq!(recount.begin_page(at(61_005)), (Some(id(2)), 2 * ROWS), "and more, if it takes long");
        let all = recount.counted(&page(vec![item(3, 7)], None)).expect("that was the end");
        assert!(recount.is_proven());
        let mut expected = Tally::default();
        [counted(0, 7), counted(1, 7), counted(2, 1), counted(3, 7)].iter().for_each(|one| expected.add(&one.tally));
        assert_eq!(total(&all), expected);
    }

    #[test]
    fn a_row_that_is_not_what_was_written_counts_from_when_it_is_made_anew_or_has_all_counted_again() {
        let mut recount = Recount::new(8);
        recount.begin_page(at(0));
        let damaged = vec![DamagedRow { record: Some(id(1)), detail: String::new() }];
        recount.counted(&ScanPage { damaged, ..page(vec![item(2, 1)], Some(id(2))) });
        recount.doubt(&id(1));
        recount.doubt(&id(3));
        recount.replace(&id(1), Some(&counted(1, 9)), &counted(1, 1));
        assert_eq!(recount.begin_page(at(1_000)).0, Some(id(2)), "nobody counted on either");
        recount.counted(&page(vec![], Some(id(2))));
        recount.doubt(&id(2));
        assert_eq!(recount.begin_page(at(2_000)).0, None, "it had been counted as it was not written");
        let all = recount.counted(&page(vec![item(1, 1), item(2, 1)], None)).expect("that was the end");
        assert!(total(&all).records == 2 && recount.is_proven());
        recount.doubt(&id(2));
        assert!(!recount.is_proven());
    }
}
