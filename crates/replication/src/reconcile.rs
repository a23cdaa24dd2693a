//! Range-based set reconciliation over (record, digest): which records two ends hold differently, found in rounds whose
//! cost follows the differences; and over (scope, digest) before, so that the records of no other scope have to be read. Pure; the
//! link carries the messages and moves the leaves.

use heliu_record::hash::{Sum, hash};
use heliu_record::id::RecordId;
use heliu_record::scope::Scope;
use heliu_storage::{Tally, scope_key};

use crate::frame::{Range, RangeContent};

/// A range with at most so many records is listed rather than split.
const LIST_MAX: usize = 32;
/// Into how many parts a range is split.
const SPLIT: usize = 16;

/// What one end holds in the scope of a link at one moment, in id order.
pub(crate) struct Items {
    items: Vec<(RecordId, Sum)>,
    /// `sums[i]` is the sum over the first `i` items, so that any range costs one subtraction.
    sums: Vec<Sum>,
}

/// What stands for a scope where scopes are compared.
pub(crate) fn scope_id(scope: &Scope) -> RecordId {
    RecordId(hash("heliu scope id 1", &[&scope_key(Some(scope))]))
}

/// What is compared of a scope: how many records are held in it, and which leaves of them.
pub(crate) fn scope_digest(tally: &Tally) -> Sum {
    Sum(hash("heliu scope held 1", &[&tally.records.to_le_bytes(), &tally.held.0]))
}

/// What follows from one range that the other end sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub reply: Vec<Range>,
    /// Records that the other end lacks wholly.
    pub push: Vec<RecordId>,
    /// Records that both hold, differently.
    pub differ: Vec<RecordId>,
}

/// Whether each range ends after it begins, and none begins before the one in front of it ends. Others would let a
/// small message ask for everything many times over.
pub(crate) fn are_in_order(ranges: &[Range]) -> bool {
    let is_forward = |range: &Range| range.to.is_none_or(|to| range.from < to);
    let follows = |pair: &[Range]| pair[0].to.is_some_and(|to| to <= pair[1].from);
    ranges.iter().all(is_forward) && ranges.windows(2).all(follows)
}

impl Items {
    /// `items` are in id order.
    pub fn new(items: Vec<(RecordId, Sum)>) -> Self {
        let mut total = Sum::default();
        let mut sums = Vec::with_capacity(items.len() + 1);
        sums.push(total);
        for (record, digest) in &items {
            total.add(&hash("heliu item 1", &[&record.0, &digest.0]));
            sums.push(total);
        }
        Items { items, sums }
    }

    pub fn len(&self) -> u64 {
        self.items.len() as u64
    }

    /// The opening question: everything, as one fingerprint.
    pub fn whole(&self) -> Range {
        self.fingerprint(RecordId([0; 32]), None)
    }

    pub fn answer(&self, range: &Range) -> Answer {
        let mut answer = Answer::default();
        let mine = self.within(range.from, range.to);
        match &range.content {
            RangeContent::Fingerprint { count, sum } => {
                if (*count, *sum) == self.sum(range.from, range.to) {
                    return answer;
                }
                if *count == 0 {
                    answer.push.extend(mine.iter().map(|(id, _)| *id));
                } else if mine.len() <= LIST_MAX {
                    answer.reply.push(Range { content: RangeContent::Items(mine.to_vec()), ..range.clone() });
                } else {
                    answer.reply = self.split(range, mine);
                }
            }
            RangeContent::Items(theirs) => {
                let missing = self.compare(mine, theirs, &mut answer);
                if !missing.is_empty() {
                    answer.reply.push(Range { content: RangeContent::Missing(missing), ..range.clone() });
                }
            }
            RangeContent::Missing(ids) => {
                answer.push.extend(ids.iter().filter(|id| mine.binary_search_by_key(*id, |(own, _)| *own).is_ok()));
            }
        }
        answer
    }

    /// As [`Items::answer`], of scopes: which of them the other end has otherwise, or not. Each end comes to know its own, so an
    /// end is told of a difference also where there is nothing of it for that end to do.
    pub fn answer_of_scopes(&self, range: &Range) -> Answer {
        let missing = |ids| Range { content: RangeContent::Missing(ids), ..range.clone() };
        let mut answer = self.answer(range);
        match &range.content {
            RangeContent::Items(theirs) => {
                answer.reply.clear();
                let mut ids = self.compare(self.within(range.from, range.to), theirs, &mut Answer::default());
                ids.extend(&answer.differ);
                answer.reply.push(missing(ids));
            }
            RangeContent::Fingerprint { .. } if !answer.push.is_empty() => answer.reply.push(missing(Vec::new())),
            _ => {}
        }
        answer
    }

    /// Sorts out two lists of one range; what is only in `theirs` is returned.
    fn compare(&self, mine: &[(RecordId, Sum)], theirs: &[(RecordId, Sum)], answer: &mut Answer) -> Vec<RecordId> {
        let find = |list: &[(RecordId, Sum)], id| list.binary_search_by_key(&id, |(id, _)| *id).ok().map(|i| list[i].1);
        for (id, digest) in mine {
            match find(theirs, *id) {
                None => answer.push.push(*id),
                Some(other) if other != *digest => answer.differ.push(*id),
                Some(_) => {}
            }
        }
        theirs.iter().map(|(id, _)| *id).filter(|id| find(mine, *id).is_none()).collect()
    }

    fn split(&self, range: &Range, mine: &[(RecordId, Sum)]) -> Vec<Range> {
        let size = mine.len().div_ceil(SPLIT);
        let starts: Vec<RecordId> =
            mine.chunks(size).enumerate().map(|(i, part)| if i == 0 { range.from } else { part[0].0 }).collect();
        starts
            .iter()
            .enumerate()
            .map(|(i, from)| self.fingerprint(*from, starts.get(i + 1).copied().or(range.to)))
            .collect()
    }

    fn fingerprint(&self, from: RecordId, to: Option<RecordId>) -> Range {
        let (count, sum) = self.sum(from, to);
        Range { from, to, content: RangeContent::Fingerprint { count, sum } }
    }

    fn sum(&self, from: RecordId, to: Option<RecordId>) -> (u64, Sum) {
        let (low, high) = self.bounds(from, to);
        let mut sum = self.sums[high];
        sum.subtract(&self.sums[low].0);
        ((high - low) as u64, sum)
    }

    fn within(&self, from: RecordId, to: Option<RecordId>) -> &[(RecordId, Sum)] {
        let (low, high) = self.bounds(from, to);
        &self.items[low..high]
    }

    fn bounds(&self, from: RecordId, to: Option<RecordId>) -> (usize, usize) {
        let low = self.items.partition_point(|(id, _)| *id < from);
        let high = to.map_or(self.items.len(), |to| self.items.partition_point(|(id, _)| *id < to));
        (low, high.max(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: u32) -> RecordId {
        RecordId(hash("test record", &[&n.to_le_bytes()]))
    }

    fn items(numbers: impl IntoIterator<Item = (u32, u8)>) -> Items {
        let mut list: Vec<_> = numbers.into_iter().map(|(n, digest)| (record(n), Sum([digest; 32]))).collect();
        list.sort_unstable();
        Items::new(list)
    }

    /// Two ends talk until nobody has a question: (what A pushes, what B pushes, what differs, rounds).
    fn reconcile(a: &Items, b: &Items) -> (Vec<RecordId>, Vec<RecordId>, Vec<RecordId>, usize) {
        let (mut from_a, mut from_b, mut differ) = (Vec::new(), Vec::new(), Vec::new());
        let mut asked = vec![a.whole()];
        let mut rounds = 0;
        while !asked.is_empty() {
            rounds += 1;
            let mut replies = Vec::new();
            for range in &asked {
                let answer = b.answer(range);
                from_b.extend(answer.push);
                differ.extend(answer.differ);
                replies.extend(answer.reply);
            }
            asked.clear();
            for range in &replies {
                let answer = a.answer(range);
                from_a.extend(answer.push);
                differ.extend(answer.differ);
                asked.extend(answer.reply);
            }
        }
        from_a.sort_unstable();
        from_b.sort_unstable();
        differ.sort_unstable();
        (from_a, from_b, differ, rounds)
    }

    #[test]
    fn equal_ends_need_one_question() {
        let same = || items((0..5_000).map(|n| (n, 1)));
        assert_eq!(reconcile(&same(), &same()), (vec![], vec![], vec![], 1));
    }

    #[test]
    fn an_empty_end_is_given_everything_at_once() {
        let full = items((0..3_000).map(|n| (n, 1)));
        let (from_a, from_b, differ, rounds) = reconcile(&items([]), &full);
        assert_eq!((from_a.len(), from_b.len(), differ.len(), rounds), (0, 3_000, 0, 1));
        let (from_a, from_b, differ, _) = reconcile(&full, &items([]));
        assert_eq!((from_a.len(), from_b.len(), differ.len()), (3_000, 0, 0));
    }

    #[test]
    fn scattered_differences_are_all_found_and_nothing_else() {
        for seed in 0..40u32 {
            let kind = |n: u32| n.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(97)) % 101;
            let a = items((0..2_000).filter(|n| kind(*n) != 0).map(|n| (n, if kind(n) == 2 { 7 } else { 1 })));
            let b = items((0..2_000).filter(|n| kind(*n) != 1).map(|n| (n, 1)));
            let expect = |wanted: u32| {
                let mut ids: Vec<_> = (0..2_000).filter(|n| kind(*n) == wanted).map(record).collect();
                ids.sort_unstable();
                ids
            };
            let (from_a, from_b, differ, rounds) = reconcile(&a, &b);
            assert_eq!((from_a, from_b, differ), (expect(1), expect(0), expect(2)), "seed {seed}");
            assert!(rounds <= 4, "seed {seed}: {rounds} rounds");
        }
    }

    #[test]
    fn of_scopes_each_end_finds_which_of_its_own_the_other_has_otherwise() {
        for (mine, theirs) in [(0, 300), (300, 0), (3, 5), (300, 290), (300, 300)] {
            let digest = |n: u32, other: bool| if other && n % 40 == 7 { 9 } else { 1 };
            let (a, b) = (items((0..mine).map(|n| (n, 1))), items((0..theirs).map(|n| (n, digest(n, true)))));
            let (mut of_a, mut of_b, mut was_told) = (Vec::new(), Vec::new(), false);
            let mut asked = vec![a.whole()];
            while !asked.is_empty() {
                let answers: Vec<Answer> = asked.iter().map(|range| b.answer_of_scopes(range)).collect();
                asked.clear();
                for answer in answers {
                    of_b.extend(answer.push.into_iter().chain(answer.differ));
                    for range in answer.reply {
                        was_told |= matches!(range.content, RangeContent::Missing(_));
                        let answer = a.answer_of_scopes(&range);
                        was_told |= !answer.reply.is_empty() && matches!(range.content, RangeContent::Items(_));
                        of_a.extend(answer.push.into_iter().chain(answer.differ));
                        asked.extend(answer.reply);
                    }
                }
            }
            let differs = |n: u32| n >= mine.min(theirs) || n % 40 == 7;
            let expect = |all: u32| {
                let mut ids: Vec<RecordId> = (0..all).filter(|n| differs(*n)).map(record).collect();
                ids.sort_unstable();
                ids
            };
            of_a.sort_unstable();
            of_b.sort_unstable();
            assert_eq!((of_a, of_b), (expect(mine), expect(theirs)), "{mine} and {theirs}");
            assert!(was_told, "who asked knows that something differs");
        }
    }

    #[test]
    fn nonsense_ranges_do_no_harm() {
        let own = items((0..100).map(|n| (n, 1)));
        let backwards = Range { from: RecordId([9; 32]), to: Some(RecordId([1; 32])), content: own.whole().content };
        assert!(own.answer(&backwards).push.is_empty());
        let unknown = Range { content: RangeContent::Missing(vec![RecordId([5; 32])]), ..own.whole() };
        assert_eq!(own.answer(&unknown), Answer::default());
    }
}
