//! The store of the simulator: everything in ordered maps, every future ready at once, copies made by [`MemoryStore::fork`].

use std::collections::btree_map::Entry::Vacant;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heliu_record::id::{Preimage, RecordId};
use heliu_record::scope::Scope;
use heliu_trust::id::{CommitId, Incarnation, NodeId};

use crate::row::Counts;
use crate::{
    Budget, CommandId, ConflictRow, Cursor, FeedEntry, FeedItem, FeedPage, ListQuery, Loaded, Meta, Position,
    QuarantineRow, Quarantined, Read, RecordRow, RecordState, ScanItem, StoreError, StoreId, Transaction, Write,
};

/// A store that forgets when it is dropped. What "durable" means here: a crash in the simulator keeps the store and
/// drops the engine; a restored backup is an older [`MemoryStore::fork`].
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Clone)]
struct State {
    meta: Meta,
    directory: Vec<Vec<u8>>,
    commits: BTreeMap<CommitId, Arc<[u8]>>,
    last_commits: BTreeMap<NodeId, (Incarnation, u64, CommitId)>,
    feed: BTreeMap<Position, Arc<Entry>>,
    records: BTreeMap<RecordId, Arc<Slot>>,
    /// Positions of a record's leaves, ascending.
    leaves: BTreeMap<RecordId, Vec<Position>>,
    targets: BTreeMap<RecordId, BTreeSet<RecordId>>,
    sources: BTreeMap<RecordId, BTreeSet<RecordId>>,
    waiting: BTreeSet<RecordId>,
    hidden: BTreeMap<RecordId, Position>,
    conflicts: BTreeMap<[u8; 32], Arc<ConflictRow>>,
    conflicts_by_anchor: BTreeMap<RecordId, BTreeSet<[u8; 32]>>,
    cursors: BTreeMap<StoreId, Cursor>,
    quarantine: Vec<Arc<QuarantineRow>>,
    quarantined: BTreeSet<[u8; 32]>,
    commands: BTreeMap<CommandId, Vec<u8>>,
    leaf_count: u64,
    fail_next: Option<StoreError>,
    fails: Option<StoreError>,
}

/// A feed entry beside its commit, so that a page needs no second lookup.
#[derive(Clone)]
struct Entry {
    entry: FeedEntry,
    commit: Option<Arc<[u8]>>,
}

/// A record's row, with the parts that pages share.
struct Slot {
    row: RecordRow,
    preimage: Arc<Preimage>,
    scope: Arc<Scope>,
}

impl MemoryStore {
    /// A new, empty store whose first incarnation begins at 0.
    #[must_use]
    pub fn open(store: StoreId, incarnation: Incarnation) -> Self {
        MemoryStore { state: Mutex::new(State::new(store, incarnation)) }
    }

    /// Begins a new incarnation at the head: what opening a durable store again does.
    pub fn reopen(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        self.lock().apply(&Transaction { incarnation: Some(incarnation), ..Transaction::default() })
    }

    /// A copy with a life of its own: a backup, a cloned disk. The rows are shared until one side changes them.
    #[must_use]
    pub fn fork(&self) -> Self {
        MemoryStore { state: Mutex::new(self.lock().clone()) }
    }

    /// The next [`Write::apply`] fails with this and writes nothing.
    pub fn fail_next(&self, error: StoreError) {
        self.lock().fail_next = Some(error);
    }

    /// From now on every [`Write::apply`] fails with this and writes nothing; with none, it works again.
    pub fn fail(&self, error: Option<StoreError>) {
        self.lock().fails = error;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics between two changes of the state: `apply` checks first and changes after.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(store: StoreId, incarnation: Incarnation) -> Self {
        State {
            meta: Meta { store, head: 0, incarnations: vec![(incarnation, 0)] },
            directory: Vec::new(),
            commits: BTreeMap::new(),
            last_commits: BTreeMap::new(),
            feed: BTreeMap::new(),
            records: BTreeMap::new(),
            leaves: BTreeMap::new(),
            targets: BTreeMap::new(),
            sources: BTreeMap::new(),
            waiting: BTreeSet::new(),
            hidden: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            conflicts_by_anchor: BTreeMap::new(),
            cursors: BTreeMap::new(),
            quarantine: Vec::new(),
            quarantined: BTreeSet::new(),
            commands: BTreeMap::new(),
            leaf_count: 0,
            fail_next: None,
            fails: None,
        }
    }

    /// What could go wrong is found before anything changes.
    fn check(&self, transaction: &Transaction) -> Result<Position, StoreError> {
        let head = transaction.check(&self.meta)?;
        let new_commits: BTreeSet<CommitId> = transaction.commits.iter().map(|commit| commit.id).collect();
        let new_records: BTreeSet<RecordId> = transaction.records.iter().map(|row| row.id).collect();
        let known = |id: &RecordId| self.records.contains_key(id) || new_records.contains(id);
        for entry in &transaction.feed {
            if let FeedEntry::Leaf(leaf) = entry
                && !self.commits.contains_key(&leaf.commit)
                && !new_commits.contains(&leaf.commit)
            {
                return Err(refused(format!("the leaf at {} is of a commit that is not here", leaf.position)));
            }
            if !known(&entry.record()) {
                return Err(refused(format!("entry {} is of a record that is not here", entry.position())));
            }
        }
        match transaction.refs.iter().find(|(source, targets)| !targets.is_empty() && !known(source)) {
            Some((source, _)) => Err(refused(format!("{source} refers to others and is not here"))),
            None => Ok(head),
        }
    }

    fn apply(&mut self, transaction: &Transaction) -> Result<(), StoreError> {
        if let Some(error) = self.fail_next.take().or_else(|| self.fails.clone()) {
            return Err(error);
        }
        let head = self.check(transaction)?;
        if let Some(incarnation) = transaction.incarnation {
            self.meta.incarnations.push((incarnation, self.meta.head));
        }
        self.directory.extend(transaction.directory.iter().cloned());
        for commit in &transaction.commits {
            if let Vacant(vacant) = self.commits.entry(commit.id) {
                vacant.insert(commit.encoded.clone());
                self.last_commits.insert(commit.author, (commit.incarnation, commit.seq, commit.id));
            }
        }
        transaction.records.iter().for_each(|row| self.put_record(row));
        transaction.dropped.iter().for_each(|id| self.drop_leaves(id));
        transaction.feed.iter().for_each(|entry| self.append(entry));
        self.meta.head = head;
        for (position, status) in &transaction.statuses {
            if let Some(slot) = self.feed.get_mut(position)
                && let FeedEntry::Leaf(leaf) = &mut Arc::make_mut(slot).entry
            {
                leaf.status = *status;
            }
        }
        transaction.refs.iter().for_each(|(source, targets)| self.put_refs(*source, targets));
        transaction.conflicts_closed.iter().for_each(|id| self.close_conflict(id));
        for conflict in &transaction.conflicts_opened {
            self.close_conflict(&conflict.id);
            for anchor in &conflict.anchors {
                self.conflicts_by_anchor.entry(*anchor).or_default().insert(conflict.id);
            }
            self.conflicts.insert(conflict.id, Arc::new(conflict.clone()));
        }
        self.cursors.extend(transaction.cursors.iter().map(|cursor| (cursor.store, *cursor)));
        for row in &transaction.quarantined {
            if self.quarantined.insert(row.id) {
                self.quarantine.push(Arc::new(row.clone()));
            }
        }
        for (id, answer) in &transaction.commands {
            self.commands.entry(*id).or_insert_with(|| answer.clone());
        }
        Ok(())
    }

    fn put_record(&mut self, row: &RecordRow) {
        if row.waiting {
            self.waiting.insert(row.id);
        } else {
            self.waiting.remove(&row.id);
        }
        if let RecordState::Hidden { since } = row.state {
            self.hidden.insert(row.id, since);
        } else {
            self.hidden.remove(&row.id);
        }
        let slot =
            Slot { preimage: Arc::new(row.preimage.clone()), scope: Arc::new(row.scope.clone()), row: row.clone() };
        self.records.insert(row.id, Arc::new(slot));
    }

    fn drop_leaves(&mut self, id: &RecordId) {
        for position in self.leaves.remove(id).unwrap_or_default() {
            self.feed.remove(&position);
            self.leaf_count -= 1;
        }
    }

    fn append(&mut self, entry: &FeedEntry) {
        let commit = match entry {
            FeedEntry::Leaf(leaf) => {
                self.leaves.entry(leaf.record).or_default().push(leaf.position);
                self.leaf_count += 1;
                self.commits.get(&leaf.commit).cloned()
            }
            FeedEntry::Rescope { .. } => None,
        };
        self.feed.insert(entry.position(), Arc::new(Entry { entry: entry.clone(), commit }));
    }

    fn put_refs(&mut self, source: RecordId, targets: &[RecordId]) {
        let new: BTreeSet<RecordId> = targets.iter().copied().collect();
        let old = self.targets.insert(source, new.clone()).unwrap_or_default();
        for gone in old.difference(&new) {
            if let Some(sources) = self.sources.get_mut(gone) {
                sources.remove(&source);
            }
        }
        for added in new.difference(&old) {
            self.sources.entry(*added).or_default().insert(source);
        }
    }

    fn close_conflict(&mut self, id: &[u8; 32]) {
        let anchors = self.conflicts.remove(id).map(|row| row.anchors.clone()).unwrap_or_default();
        for anchor in anchors {
            if let Some(ids) = self.conflicts_by_anchor.get_mut(&anchor) {
                ids.remove(id);
            }
        }
    }

    fn item(&self, entry: &Entry) -> Option<FeedItem> {
        let record = self.records.get(&entry.entry.record())?;
        Some(FeedItem {
            entry: entry.entry.clone(),
            preimage: record.preimage.clone(),
            scope: record.scope.clone(),
            commit: entry.commit.clone(),
        })
    }

    fn feed(&self, after: Position, budget: Budget) -> FeedPage {
        let mut items: Vec<FeedItem> = Vec::new();
        let mut bytes = 0;
        for (position, entry) in self.feed.range((Bound::Excluded(after), Bound::Unbounded)) {
            bytes += entry.entry.change_len();
            if !items.is_empty() && (items.len() >= budget.entries || bytes > budget.bytes) {
                return FeedPage { items, through: position - 1 };
            }
            items.extend(self.item(entry));
        }
        FeedPage { items, through: self.meta.head }
    }

    fn load(&self, ids: &[RecordId]) -> Vec<Loaded> {
        let mut seen = BTreeSet::new();
        let wanted = ids.iter().filter(|id| seen.insert(**id));
        wanted
            .filter_map(|id| {
                let row = self.records.get(id)?.row.clone();
                let positions = self.leaves.get(id).map_or(&[][..], Vec::as_slice);
                let mut loaded = Loaded {
                    row,
                    leaves: Vec::with_capacity(positions.len()),
                    commits: Vec::with_capacity(positions.len()),
                };
                for entry in positions.iter().filter_map(|position| self.feed.get(position)) {
                    if let (FeedEntry::Leaf(leaf), Some(commit)) = (&entry.entry, &entry.commit) {
                        loaded.leaves.push(leaf.clone());
                        loaded.commits.push(commit.clone());
                    }
                }
                Some(loaded)
            })
            .collect()
    }

    fn leaves_of(&self, ids: &BTreeSet<RecordId>) -> FeedPage {
        let is_stub =
            |id: &RecordId| self.records.get(id).is_none_or(|slot| matches!(slot.row.state, RecordState::Stub(_)));
        let positions: BTreeSet<Position> =
            ids.iter().filter(|id| !is_stub(id)).filter_map(|id| self.leaves.get(id)).flatten().copied().collect();
        let items = positions.iter().filter_map(|p| self.item(self.feed.get(p)?)).collect();
        FeedPage { items, through: self.meta.head }
    }

    fn after(&self, after: Option<RecordId>) -> impl Iterator<Item = (&RecordId, &Arc<Slot>)> {
        self.records.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
    }

    fn list(&self, query: &ListQuery) -> Vec<RecordRow> {
        let fits = |row: &RecordRow| query.kind.as_ref().is_none_or(|kind| *kind == row.preimage.kind);
        let rows = |slot: &Arc<Slot>| Some(&slot.row).filter(|row| fits(row)).cloned();
        match query.refers_to {
            None => self.after(query.after).filter_map(|(_, slot)| rows(slot)).take(query.limit).collect(),
            Some(target) => {
                let start = query.after.map_or(Bound::Unbounded, Bound::Excluded);
                let sources = self.sources.get(&target).into_iter().flat_map(|s| s.range((start, Bound::Unbounded)));
                sources.filter_map(|id| rows(self.records.get(id)?)).take(query.limit).collect()
            }
        }
    }

    fn counts(&self) -> Counts {
        let is_stub = |slot: &&Arc<Slot>| matches!(slot.row.state, RecordState::Stub(_));
        let stubs = self.records.values().filter(is_stub).count();
        Counts {
            records: (self.records.len() - stubs - self.hidden.len()) as u64,
            stubs: stubs as u64,
            leaves: self.leaf_count,
            commits: self.commits.len() as u64,
            conflicts: self.conflicts.len() as u64,
            quarantined: self.quarantine.len() as u64,
            waiting: self.waiting.len() as u64,
        }
    }
}

fn refused(detail: String) -> StoreError {
    StoreError::Damaged { what: "transaction", detail }
}

impl Read for MemoryStore {
    async fn meta(&self) -> Result<Meta, StoreError> {
        Ok(self.lock().meta.clone())
    }

    async fn directory(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.lock().directory.clone())
    }

    async fn load(&self, ids: &[RecordId]) -> Result<Vec<Loaded>, StoreError> {
        Ok(self.lock().load(ids))
    }

    async fn referring(&self, targets: &[RecordId]) -> Result<Vec<(RecordId, RecordId)>, StoreError> {
        let state = self.lock();
        let targets: BTreeSet<&RecordId> = targets.iter().collect();
        let sources = |target: &RecordId| state.sources.get(target).into_iter().flatten().copied();
        Ok(targets.into_iter().flat_map(|target| sources(target).map(|source| (*target, source))).collect())
    }

    async fn feed(&self, after: Position, budget: Budget) -> Result<FeedPage, StoreError> {
        Ok(self.lock().feed(after, budget))
    }

    async fn leaves_of(&self, ids: &BTreeSet<RecordId>) -> Result<FeedPage, StoreError> {
        Ok(self.lock().leaves_of(ids))
    }

    async fn scan(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<ScanItem>, StoreError> {
        let state = self.lock();
        let item = |slot: &Arc<Slot>| ScanItem {
            id: slot.row.id,
            scope: slot.row.scope.clone(),
            present: slot.row.state == RecordState::Present,
            held: slot.row.held,
            admitted: slot.row.admitted,
        };
        Ok(state.after(after).take(limit).map(|(_, slot)| item(slot)).collect())
    }

    async fn record(&self, id: RecordId) -> Result<Option<RecordRow>, StoreError> {
        Ok(self.lock().records.get(&id).map(|slot| slot.row.clone()))
    }

    async fn by_prefix(&self, prefix: &str) -> Result<Vec<RecordId>, StoreError> {
        let Some((first, last)) = crate::row::prefix_bounds(prefix) else { return Ok(Vec::new()) };
        Ok(self.lock().records.range(first..=last).take(2).map(|(id, _)| *id).collect())
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<RecordRow>, StoreError> {
        Ok(self.lock().list(query))
    }

    async fn conflicts(&self, after: Option<[u8; 32]>, limit: usize) -> Result<Vec<ConflictRow>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.lock();
        Ok(state
            .conflicts
            .range((start, Bound::Unbounded))
            .take(limit)
            .map(|(_, row)| ConflictRow::clone(row))
            .collect())
    }

    async fn conflicts_of(&self, anchors: &[RecordId]) -> Result<Vec<ConflictRow>, StoreError> {
        let state = self.lock();
        let ids: BTreeSet<&[u8; 32]> =
            anchors.iter().filter_map(|anchor| state.conflicts_by_anchor.get(anchor)).flatten().collect();
        Ok(ids.into_iter().filter_map(|id| state.conflicts.get(id)).map(|row| ConflictRow::clone(row)).collect())
    }

    async fn cursor(&self, peer: StoreId) -> Result<Option<Cursor>, StoreError> {
        Ok(self.lock().cursors.get(&peer).copied())
    }

    async fn wants(&self, limit: usize) -> Result<Vec<RecordId>, StoreError> {
        Ok(self.lock().waiting.iter().take(limit).copied().collect())
    }

    async fn hidden(&self, up_to: Position) -> Result<Vec<RecordId>, StoreError> {
        let state = self.lock();
        Ok(state.hidden.iter().filter(|(_, since)| **since <= up_to).map(|(id, _)| *id).collect())
    }

    async fn commands(&self, ids: &[CommandId]) -> Result<Vec<(CommandId, Vec<u8>)>, StoreError> {
        let state = self.lock();
        Ok(ids.iter().filter_map(|id| Some((*id, state.commands.get(id)?.clone()))).collect())
    }

    async fn last_commit(&self, author: NodeId) -> Result<Option<(Incarnation, u64, CommitId)>, StoreError> {
        Ok(self.lock().last_commits.get(&author).copied())
    }

    async fn quarantined(&self, below: Option<u64>, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let state = self.lock();
        let numbered = (1..).zip(&state.quarantine).map(|(number, row)| {
            let (row, len) = (QuarantineRow { bytes: Vec::new(), ..QuarantineRow::clone(row) }, row.bytes.len() as u64);
            Quarantined { number, row, len }
        });
        let mut all: Vec<Quarantined> =
            numbered.take_while(|listed| below.is_none_or(|below| listed.number < below)).collect();
        all.reverse();
        all.truncate(limit);
        Ok(all)
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<QuarantineRow>, StoreError> {
        Ok(self.lock().quarantine.iter().rev().take(limit).map(|row| QuarantineRow::clone(row)).collect())
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.lock().counts())
    }
}

impl Write for MemoryStore {
    async fn apply(&self, transaction: &Transaction) -> Result<(), StoreError> {
        self.lock().apply(transaction)
    }
}
