//! Whose turn the store is. One load or scan is under way at a time, and no scan while a transaction is in flight; scans and work
//! on records take turns, for a scan takes long and whoever waits for one may cause the next.

use std::collections::BTreeSet;

use crate::effect::LinkId;

/// What the store is doing for the engine, besides reading pages for links, and writing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Store {
    #[default]
    Free,
    Loading,
    /// It reads rows for a link; whether it reads all of them, which are for whoever waits.
    Scanning(LinkId, bool),
    /// It reads some rows, to prove what is kept of all.
    Recounting,
}

/// What was done last.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Last {
    #[default]
    Work,
    /// Work on records comes first now.
    Scan,
}

#[derive(Default)]
pub(super) struct Turns {
    store: Store,
    /// Links that wait for a scan.
    scans: BTreeSet<LinkId>,
    /// Links whose other end has left something out that is not counted yet.
    counts: BTreeSet<LinkId>,
    /// Rows wait to be read, to prove what is kept of all.
    recount: bool,
    last: Last,
    /// The transaction in flight is on its way: the engine may work on the next batch.
    goes_on: bool,
}

impl Turns {
    pub fn is_free(&self) -> bool {
        self.store == Store::Free
    }

    pub fn take(&mut self, store: Store) {
        self.store = store;
    }

    pub fn free(&mut self) {
        self.store = Store::Free;
    }

    /// A transaction is durable.
    pub fn worked(&mut self) {
        (self.last, self.goes_on) = (Last::Work, false);
    }

    pub fn go_on(&mut self) {
        self.goes_on = true;
    }

    /// Whether a batch may be begun while a transaction is in flight: nobody waits until nothing is under way.
    pub fn may_overlap(&self) -> bool {
        self.goes_on && self.scans.is_empty() && self.counts.is_empty() && !self.recount
    }

    /// The scan for a link failed, if it is that one.
    pub fn scan_failed(&mut self, link: LinkId) {
        if matches!(self.store, Store::Scanning(of, _) if of == link) {
            self.store = Store::Free;
        }
    }

    pub fn link_down(&mut self, link: LinkId) {
        self.scans.remove(&link);
        self.counts.remove(&link);
    }

    pub fn scan_soon(&mut self, link: LinkId) {
        self.scans.insert(link);
    }

    pub fn count_soon(&mut self, links: Vec<LinkId>) {
        self.counts.extend(links);
    }

    pub fn next_count(&mut self) -> Option<LinkId> {
        self.counts.pop_first()
    }

    pub fn recount_soon(&mut self) {
        self.recount = true;
    }

    /// The link for which the store is scanned now, if it is its turn: never while a batch is under way.
    pub fn next_scan(&mut self, has_batch: bool, has_work: bool) -> Option<LinkId> {
        let link = if self.may_scan(has_batch, has_work) { self.scans.pop_first()? } else { return None };
        (self.store, self.last) = (Store::Scanning(link, true), Last::Scan);
        Some(link)
    }

    /// Rows are read for a link whose turn it is.
    pub fn scans(&mut self, link: LinkId, is_of_all: bool) {
        self.store = Store::Scanning(link, is_of_all);
    }

    /// As [`Turns::next_scan`], for rows that prove what is kept: whether they are read now.
    pub fn next_recount(&mut self, has_batch: bool, has_work: bool) -> bool {
        let is_due = self.recount && self.may_scan(has_batch, has_work);
        if is_due {
            (self.store, self.last, self.recount) = (Store::Recounting, Last::Scan, false);
        }
        is_due
    }

    fn may_scan(&self, has_batch: bool, has_work: bool) -> bool {
        (self.last == Last::Work || !has_work) && !has_batch
    }

    /// A scan is done. Returns the other links that it is for, if it was of all: nothing was applied since it began.
    pub fn scanned(&mut self) -> BTreeSet<LinkId> {
        let was_of_all = matches!(self.store, Store::Scanning(_, true));
        self.store = Store::Free;
        if was_of_all { std::mem::take(&mut self.scans) } else { BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: LinkId = LinkId(1);
    const OTHER: LinkId = LinkId(2);

    #[test]
    fn a_scan_waits_for_the_batch_under_way_and_lets_work_pass_before_the_next_one() {
        let mut turns = Turns::default();
        turns.scan_soon(ONE);
        assert_eq!(turns.next_scan(true, true), None, "a batch is under way");
        assert_eq!(turns.next_scan(false, true), Some(ONE));
        assert!(!turns.is_free());
        turns.scan_soon(OTHER);
        assert_eq!(turns.scanned(), [OTHER].into(), "one scan is for all who wait");
        turns.scan_soon(ONE);
        assert_eq!(turns.next_scan(false, true), None, "there is work");
        turns.worked();
        assert_eq!(turns.next_scan(false, true), Some(ONE));
        turns.scan_failed(OTHER);
        assert!(!turns.is_free(), "it was not for that one");
        turns.scan_failed(ONE);
        assert!(turns.is_free());
    }

    #[test]
    fn no_batch_is_begun_beside_another_while_somebody_waits_until_nothing_is_under_way() {
        let mut turns = Turns::default();
        assert!(!turns.may_overlap(), "the store may not have begun");
        turns.go_on();
        assert!(turns.may_overlap());
        turns.scan_soon(ONE);
        assert!(!turns.may_overlap());
        turns.worked();
        assert_eq!(turns.next_scan(false, true), Some(ONE));
        assert!(!turns.may_overlap(), "that was the transaction before");
    }

    #[test]
    fn a_link_that_is_gone_waits_for_nothing() {
        let mut turns = Turns::default();
        turns.scan_soon(ONE);
        turns.count_soon(vec![ONE, OTHER]);
        turns.link_down(ONE);
        assert_eq!((turns.next_scan(false, false), turns.next_count(), turns.next_count()), (None, Some(OTHER), None));
    }
}
