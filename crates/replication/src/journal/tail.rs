//! The newest end of the feed, kept in memory: a link that keeps up sends from here and does not ask the store. Without
//! it, a county with seventeen townships would read each entry seventeen times.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use heliu_record::id::{Preimage, RecordId};
use heliu_record::scope::Scope;
use heliu_storage::{Budget, FeedEntry, FeedItem, Position, Transaction};

/// What is kept at most. A link that is further behind reads from the store.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// What an item takes besides its change, about.
const ITEM_BYTES: usize = 400;

#[derive(Default)]
pub(crate) struct Tail {
    /// All entries after this position are here, as far as they are durable.
    from: Position,
    items: VecDeque<FeedItem>,
    bytes: usize,
}

/// What a transaction adds once it is durable.
#[derive(Default)]
pub(crate) struct Growth {
    /// None: an entry of which the transaction does not say everything.
    items: Option<Vec<FeedItem>>,
    /// Of records whose audience changes.
    scopes: BTreeMap<RecordId, Arc<Scope>>,
    dropped: Vec<RecordId>,
}

impl Growth {
    pub fn of(transaction: &Transaction) -> Self {
        let commits: BTreeMap<_, _> = transaction.commits.iter().map(|row| (row.id, &row.encoded)).collect();
        let records: BTreeMap<RecordId, (Arc<Preimage>, Arc<Scope>)> = transaction
            .records
            .iter()
            .map(|row| (row.id, (Arc::new(row.preimage.clone()), Arc::new(row.scope.clone()))))
            .collect();
        let item = |entry: &FeedEntry| {
            let (preimage, scope) = records.get(&entry.record())?.clone();
            let commit = match entry {
                FeedEntry::Leaf(row) => Some(Arc::clone(commits.get(&row.commit)?)),
                FeedEntry::Grant(_) | FeedEntry::Rescope { .. } => None,
            };
            Some(FeedItem { entry: entry.clone(), preimage, scope, commit })
        };
        let stays = |entry: &&FeedEntry| !transaction.erased.contains(&entry.record());
        let items = transaction.feed.iter().filter(stays).map(item).collect();
        let rescoped = |entry: &FeedEntry| match entry {
            FeedEntry::Rescope { record, .. } => Some((*record, Arc::clone(&records.get(record)?.1))),
            FeedEntry::Leaf(_) | FeedEntry::Grant(_) => None,
        };
        let scopes = transaction.feed.iter().filter_map(rescoped).collect();
        Growth { items, scopes, dropped: [&transaction.dropped[..], &transaction.erased[..]].concat() }
    }
}

impl Tail {
    pub fn at(head: Position) -> Self {
        Tail { from: head, ..Tail::default() }
    }

    /// The transaction is durable. `head` is where the feed ends now.
    pub fn grow(&mut self, growth: Growth, head: Position) {
        let Some(items) = growth.items else {
            *self = Tail::at(head);
            return;
        };
        if !growth.dropped.is_empty() {
            self.items.retain(|item| !growth.dropped.contains(&item.entry.record()));
            self.bytes = self.items.iter().map(bytes).sum();
        }
        if !growth.scopes.is_empty() {
            // What may be sent goes by the audience of now, as it does when the store is read.
            for item in &mut self.items {
                if let Some(scope) = growth.scopes.get(&item.entry.record()) {
                    item.scope = Arc::clone(scope);
                }
            }
        }
        self.bytes += items.iter().map(bytes).sum::<usize>();
        self.items.extend(items);
        while self.bytes > BYTES_MAX {
            self.let_go_of_first();
        }
    }

    /// Every link has walked past here.
    pub fn trim(&mut self, to: Position) {
        while self.items.front().is_some_and(|item| item.entry.position() <= to) {
            self.let_go_of_first();
        }
    }

    fn let_go_of_first(&mut self) {
        if let Some(item) = self.items.pop_front() {
            self.bytes -= bytes(&item);
            self.from = item.entry.position();
        }
    }

    /// What follows after a position, and up to where that looks; none if the store has to be asked.
    pub fn page(&self, after: Position, head: Position, budget: Budget) -> Option<(Vec<&FeedItem>, Position)> {
        if after < self.from {
            return None;
        }
        let start = self.items.partition_point(|item| item.entry.position() <= after);
        let mut page: Vec<&FeedItem> = Vec::new();
        let mut bytes = 0;
        for item in self.items.range(start..) {
            bytes += item.entry.change_len();
            if !page.is_empty() && (page.len() >= budget.entries || bytes > budget.bytes) {
                return Some((page, item.entry.position() - 1));
            }
            page.push(item);
        }
        Some((page, head))
    }
}

fn bytes(item: &FeedItem) -> usize {
    ITEM_BYTES + item.entry.change_len()
}

#[cfg(test)]
mod tests {
    use heliu_record::id::SeatId;
    use heliu_storage::{LeafRow, LeafStatus, RecordRow, RecordState};
    use heliu_trust::id::{CommitId, Incarnation, NodeId};

    use super::*;

    const PAGE: Budget = Budget { entries: 3, bytes: 1 << 20 };

    fn preimage(key: u8) -> Preimage {
        Preimage { kind: "org".to_owned(), birth: SeatId([1; 16]), key: vec![key] }
    }

    fn transaction(positions: std::ops::RangeInclusive<Position>, key: u8, change: usize) -> Transaction {
        let (preimage, commit) = (preimage(key), CommitId([key; 32]));
        let leaf = |position| {
            FeedEntry::Leaf(LeafRow {
                position,
                record: preimage.id(),
                hash: heliu_record::id::LeafHash([0; 32]),
                commit,
                author: NodeId([0; 16]),
                kind_version: 1,
                declared: None,
                status: LeafStatus::Admitted,
                origin: None,
                change: vec![0; change].into(),
            })
        };
        let row = RecordRow {
            id: preimage.id(),
            preimage: preimage.clone(),
            scope: Scope::default(),
            state: RecordState::Present,
            held: heliu_record::hash::Sum::default(),
            admitted: heliu_record::hash::Sum::default(),
            leaves: 1,
            waiting: false,
            unjudged: None,
            view: Vec::new(),
            signal: [0; 8],
        };
        let commit = heliu_storage::row::CommitRow {
            id: commit,
            author: NodeId([0; 16]),
            incarnation: Incarnation([0; 16]),
            seq: 1,
            encoded: vec![key].into(),
        };
        Transaction {
            feed: positions.map(leaf).collect(),
            records: vec![row],
            commits: vec![commit],
            ..Transaction::default()
        }
    }

    fn positions(page: Option<(Vec<&FeedItem>, Position)>) -> Option<(Vec<Position>, Position)> {
        page.map(|(items, through)| (items.iter().map(|item| item.entry.position()).collect(), through))
    }

    #[test]
    fn a_link_that_keeps_up_gets_pages_and_one_that_is_behind_asks_the_store() {
        let mut tail = Tail::at(10);
        tail.grow(Growth::of(&transaction(11..=14, 1, 8)), 14);
        assert_eq!(positions(tail.page(9, 14, PAGE)), None);
        assert_eq!(positions(tail.page(10, 14, PAGE)), Some((vec![11, 12, 13], 13)));
        assert_eq!(positions(tail.page(13, 14, PAGE)), Some((vec![14], 14)));
        tail.trim(12);
        assert_eq!(positions(tail.page(11, 14, PAGE)), None);
        assert_eq!(positions(tail.page(12, 14, PAGE)), Some((vec![13, 14], 14)));
    }

    #[test]
    fn it_stays_within_its_bound() {
        let mut tail = Tail::at(0);
        for n in 0..100 {
            tail.grow(Growth::of(&transaction(n + 1..=n + 1, 1, BYTES_MAX / 10)), n + 1);
        }
        assert!(tail.bytes <= BYTES_MAX && !tail.items.is_empty());
        assert!(tail.page(0, 100, PAGE).is_none());
        assert!(tail.page(99, 100, PAGE).is_some());
    }

    #[test]
    fn the_audience_is_that_of_now_and_what_left_is_not_sent() {
        let mut tail = Tail::at(0);
        tail.grow(Growth::of(&transaction(1..=1, 1, 8)), 1);
        let mut public = transaction(2..=2, 1, 8);
        public.records[0].scope.public = true;
        let (record, added) = (public.records[0].id, vec![SeatId([2; 16])]);
        public.feed.push(FeedEntry::Rescope { position: 3, record, added, removed: Vec::new() });
        tail.grow(Growth::of(&public), 3);
        let (items, _) = tail.page(0, 3, PAGE).expect("it is here");
        assert!(items.iter().all(|item| item.scope.public));
        let dropped = Transaction { dropped: vec![preimage(1).id()], ..transaction(4..=4, 2, 8) };
        tail.grow(Growth::of(&dropped), 4);
        assert_eq!(positions(tail.page(0, 4, PAGE)), Some((vec![4], 4)));
    }

    #[test]
    fn an_entry_without_its_commit_is_left_to_the_store() {
        let mut tail = Tail::at(0);
        tail.grow(Growth::of(&Transaction { commits: Vec::new(), ..transaction(1..=2, 1, 8) }), 2);
        assert!(tail.page(0, 2, PAGE).is_none());
        assert_eq!(positions(tail.page(2, 2, PAGE)), Some((vec![], 2)));
    }
}
