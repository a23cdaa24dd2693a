//! Whose turn the store is. One load, scan or apply is under way at a time; scans and work on records take turns, for a scan
//! takes long and whoever waits for one may cause the next.

use std::collections::BTreeSet;

use crate::effect::LinkId;

/// What the store is doing for the engine, besides reading pages for links.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Store {
    #[default]
    Free,
    Loading,
    Applying,
    Scanning(LinkId),
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
    last: Last,
}

impl Turns {
    pub fn is_free(&self) -> bool {
        self.store == Store::Free
    }

    pub fn is_applying(&self) -> bool {
        self.store == Store::Applying
    }

    pub fn take(&mut self, store: Store) {
        self.store = store;
    }

    pub fn free(&mut self) {
        self.store = Store::Free;
    }

    /// A transaction is durable.
    pub fn worked(&mut self) {
        (self.store, self.last) = (Store::Free, Last::Work);
    }

    /// The scan for a link failed, if it is that one.
    pub fn scan_failed(&mut self, link: LinkId) {
        if self.store == Store::Scanning(link) {
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

    /// The link for which the store is scanned now, if it is its turn: never while a batch is under way.
    pub fn next_scan(&mut self, has_batch: bool, has_work: bool) -> Option<LinkId> {
        let is_its_turn = self.last == Last::Work || !has_work;
        let link = if is_its_turn && !has_batch { self.scans.pop_first()? } else { return None };
        (self.store, self.last) = (Store::Scanning(link), Last::Scan);
        Some(link)
    }

    /// A scan is done. Returns the other links that wait for one: nothing was applied since it began.
    pub fn scanned(&mut self) -> BTreeSet<LinkId> {
        self.store = Store::Free;
        std::mem::take(&mut self.scans)
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
    fn a_link_that_is_gone_waits_for_nothing() {
        let mut turns = Turns::default();
        turns.scan_soon(ONE);
        turns.count_soon(vec![ONE, OTHER]);
        turns.link_down(ONE);
        assert_eq!((turns.next_scan(false, false), turns.next_count(), turns.next_count()), (None, Some(OTHER), None));
    }
}
