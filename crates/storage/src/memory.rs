//! The store of the simulator: everything in ordered maps, every future ready at once, copies made by [`MemoryStore::fork`].

mod columns;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
pub use columns::{Column, Name};
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use state::{State, page};

use crate::listing::{Found, Query};
use crate::row::Counts;
use crate::{
    AuditRow, Budget, Cells, CommandId, ConflictPage, ConflictQuery, ConflictRef, ConflictRow, Cursor, DamagedRow,
    FeedEntry, FeedPage, LeafRow, ListPage, ListQuery, Loaded, Meta, Position, QuarantineRow, Quarantined, ReadAudit,
    ReadCommands, ReadCommits, ReadConflicts, ReadDirectory, ReadFeed, ReadListing, ReadMeta, ReadQuarantine,
    ReadRecords, ReadStatements, ReadStranded, RecordRow, Relisted, ScanItem, ScanPage, ScopeRow, StatementRow, Store,
    StoreError, StoreId, StrandedRow, StrandedState, Transaction, UnjudgedRow,
};

/// Those after one, and round again from the first.
fn round(records: &BTreeSet<RecordId>, after: Option<RecordId>, limit: usize) -> Vec<RecordId> {
    let later = records.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
    let again = after.map(|after| records.range(..=after)).into_iter().flatten();
    later.chain(again).take(limit).copied().collect()
}

/// A store that forgets when it is dropped. What "durable" means here: a crash in the simulator keeps the store and
/// drops the engine; a restored backup is an older [`MemoryStore::fork`].
pub struct MemoryStore {
    state: Mutex<State>,
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

    /// The next [`Store::apply`] fails with this and writes nothing.
    pub fn fail_next(&self, error: StoreError) {
        self.lock().fail_next = Some(error);
    }

    /// From now on every [`Store::apply`] fails with this and writes nothing; with none, it works again.
    pub fn fail(&self, error: Option<StoreError>) {
        self.lock().fails = error;
    }

    /// All that is listed: by kind, owner and column, of which record.
    #[must_use]
    pub fn listed(&self) -> BTreeMap<Name, Column> {
        self.lock().columns.all()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics between two changes of the state: `apply` checks first and changes after.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ReadMeta for MemoryStore {
    async fn meta(&self) -> Result<Meta, StoreError> {
        Ok(self.lock().meta.clone())
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.lock().counts())
    }

    async fn cursor(&self, peer: StoreId) -> Result<Option<Cursor>, StoreError> {
        Ok(self.lock().cursors.get(&peer).copied())
    }
}

#[async_trait]
impl ReadDirectory for MemoryStore {
    async fn directory(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.lock().directory.clone())
    }

    async fn declined(&self) -> Result<Vec<SeatId>, StoreError> {
        Ok(self.lock().declined.iter().copied().collect())
    }
}

#[async_trait]
impl ReadRecords for MemoryStore {
    async fn load(&self, ids: &[RecordId]) -> Result<Vec<Loaded>, StoreError> {
        Ok(self.lock().load(ids))
    }

    async fn referring(&self, targets: &[RecordId]) -> Result<Vec<(RecordId, RecordId)>, StoreError> {
        let state = self.lock();
        let targets: BTreeSet<&RecordId> = targets.iter().collect();
        let sources = |target: &RecordId| state.sources.get(target).into_iter().flatten().copied();
        Ok(targets.into_iter().flat_map(|target| sources(target).map(|source| (*target, source))).collect())
    }

    async fn scan(&self, after: Option<RecordId>, limit: usize) -> Result<ScanPage, StoreError> {
        let state = self.lock();
        let slots: Vec<_> = state.after(after).take(limit).collect();
        let next = slots.last().filter(|_| slots.len() == limit).map(|(id, _)| **id);
        let (good, bad): (Vec<_>, Vec<_>) = slots.into_iter().partition(|(id, slot)| slot.preimage.id() == **id);
        let damaged =
            |(id, _): (&RecordId, _)| DamagedRow { record: Some(*id), detail: "it is another record's".into() };
        Ok(ScanPage {
            items: good.into_iter().map(|(_, slot)| slot.scanned()).collect(),
            next,
            damaged: bad.into_iter().map(damaged).collect(),
        })
    }

    async fn scan_scope(&self, scope: &Scope, after: Option<RecordId>, limit: usize) -> Result<ScanPage, StoreError> {
        let state = self.lock();
        let items = state.after(after).filter(|(id, slot)| slot.row.scope == *scope && slot.preimage.id() == **id);
        let items: Vec<ScanItem> = items.take(limit).map(|(_, slot)| slot.scanned()).collect();
        let next = items.last().filter(|_| items.len() == limit).map(|item| item.id);
        Ok(ScanPage { items, next, damaged: Vec::new() })
    }

    async fn granted(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<ScanItem>, StoreError> {
        let state = self.lock();
        let granted = state.after(after).filter(|(id, _)| state.has_grants(id));
        Ok(granted.take(limit).map(|(_, slot)| slot.scanned()).collect())
    }

    async fn scopes(&self) -> Result<Option<Vec<ScopeRow>>, StoreError> {
        let state = self.lock();
        let rows: Vec<ScopeRow> = state.scopes.values().cloned().collect();
        Ok(state.scopes_mark.is_some_and(|mark| mark.vouches(&rows, state.meta.head)).then_some(rows))
    }

    async fn naming(&self, seats: &BTreeSet<SeatId>) -> Result<Vec<RecordId>, StoreError> {
        let state = self.lock();
        let held = state.records.iter().filter(|(_, slot)| slot.is_held());
        Ok(held.filter(|(_, slot)| slot.scope.named().any(|seat| seats.contains(&seat))).map(|(id, _)| *id).collect())
    }

    async fn record(&self, id: RecordId) -> Result<Option<RecordRow>, StoreError> {
        Ok(self.lock().records.get(&id).map(|slot| slot.row.clone()))
    }

    async fn by_prefix(&self, prefix: &str) -> Result<Vec<RecordId>, StoreError> {
        let Some((first, last)) = crate::row::prefix_bounds(prefix) else { return Ok(Vec::new()) };
        Ok(self.lock().records.range(first..=last).take(2).map(|(id, _)| *id).collect())
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        Ok(self.lock().list(query))
    }

    async fn wants(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<RecordId>, StoreError> {
        Ok(round(&self.lock().waiting, after, limit))
    }

    async fn unjudged(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<UnjudgedRow>, StoreError> {
        let state = self.lock();
        let row = |record: &RecordId| {
            let row = &state.records.get(record)?.row;
            Some(UnjudgedRow { record: *record, kind: row.preimage.kind.clone(), unjudged: row.unjudged? })
        };
        Ok(round(&state.unjudged, after, limit).iter().filter_map(row).collect())
    }

    async fn hidden(&self, up_to: Position) -> Result<Vec<RecordId>, StoreError> {
        let state = self.lock();
        Ok(state.hidden.iter().filter(|(_, since)| **since <= up_to).map(|(id, _)| *id).collect())
    }

    async fn written_by(&self, author: NodeId) -> Result<Vec<RecordId>, StoreError> {
        let state = self.lock();
        let of_author = |entry: &FeedEntry| match entry {
            FeedEntry::Leaf(leaf) if leaf.author == author => Some(leaf.record),
            FeedEntry::Leaf(_) | FeedEntry::Grant(_) | FeedEntry::Rescope { .. } => None,
        };
        let written: BTreeSet<RecordId> = state.feed.values().filter_map(|entry| of_author(&entry.entry)).collect();
        Ok(written.into_iter().filter(|id| state.records.get(id).is_some_and(|slot| slot.is_held())).collect())
    }
}

#[async_trait]
impl ReadListing for MemoryStore {
    async fn query(&self, query: &Query) -> Result<Option<Found>, StoreError> {
        let state = self.lock();
        Ok(state.columns.query(query, |id| state.records.get(&id).map(|slot| &slot.row)))
    }
}

#[async_trait]
impl ReadFeed for MemoryStore {
    async fn feed(&self, after: Position, budget: Budget) -> Result<FeedPage, StoreError> {
        Ok(self.lock().feed(after, budget))
    }

    async fn leaves_of(&self, ids: &BTreeSet<RecordId>) -> Result<FeedPage, StoreError> {
        Ok(self.lock().leaves_of(ids))
    }

    async fn history(&self, id: RecordId, after: Position, budget: Budget) -> Result<(Vec<LeafRow>, bool), StoreError> {
        let state = self.lock();
        let (page, more) = page(state.leaves_after(id, after), budget, |leaf| leaf.change.len());
        Ok((page.into_iter().cloned().collect(), more))
    }
}

#[async_trait]
impl ReadCommits for MemoryStore {
    async fn last_commit(&self, author: NodeId) -> Result<Option<(Incarnation, u64, CommitId)>, StoreError> {
        Ok(self.lock().last_commits.get(&author).copied())
    }

    async fn chains_of(&self, author: NodeId) -> Result<Vec<(Incarnation, u64, CommitId)>, StoreError> {
        let mut last: BTreeMap<Incarnation, (u64, CommitId)> = BTreeMap::new();
        let state = self.lock();
        let places = (author, Incarnation([0; 16]), 0)..=(author, Incarnation([0xff; 16]), u64::MAX);
        for ((_, incarnation, seq), commits) in state.places.range(places) {
            last.extend(commits.first().map(|commit| (*incarnation, (*seq, *commit))));
        }
        Ok(last.into_iter().map(|(incarnation, (seq, commit))| (incarnation, seq, commit)).collect())
    }

    async fn commits_at(&self, places: &[(NodeId, Incarnation, u64)]) -> Result<Vec<Arc<[u8]>>, StoreError> {
        let state = self.lock();
        let ids = places.iter().filter_map(|place| state.places.get(place)).flatten();
        Ok(ids.filter_map(|id| state.commits.get(id).cloned()).collect())
    }
}

#[async_trait]
impl ReadConflicts for MemoryStore {
    async fn conflicts(&self, query: &ConflictQuery) -> Result<ConflictPage, StoreError> {
        let start = query.after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.lock();
        let fits = |row: &&Arc<ConflictRow>| {
            query.kind.as_ref().is_none_or(|kind| *kind == row.kind)
                && query.anchor.is_none_or(|anchor| row.anchors.contains(&anchor))
        };
        let rows = state.conflicts.range((start, Bound::Unbounded)).map(|(_, row)| row).filter(fits);
        let budget = Budget { entries: query.limit, bytes: query.bytes };
        let (page, more) = page(rows, budget, |row| row.body.len());
        let next = page.last().filter(|_| more).map(|row| row.id);
        Ok(ConflictPage { rows: page.into_iter().map(|row| ConflictRow::clone(row)).collect(), next })
    }

    async fn conflict_ids(&self, anchors: &[RecordId]) -> Result<Vec<ConflictRef>, StoreError> {
        let state = self.lock();
        let ids: BTreeSet<&[u8; 32]> =
            anchors.iter().filter_map(|anchor| state.conflicts_by_anchor.get(anchor)).flatten().collect();
        let rows = ids.into_iter().filter_map(|id| state.conflicts.get(id));
        Ok(rows.map(|row| ConflictRef { id: row.id, anchors: row.anchors.clone() }).collect())
    }

    async fn conflicts_of(&self, anchors: &[RecordId]) -> Result<Vec<ConflictRow>, StoreError> {
        let state = self.lock();
        let ids: BTreeSet<&[u8; 32]> =
            anchors.iter().filter_map(|anchor| state.conflicts_by_anchor.get(anchor)).flatten().collect();
        Ok(ids.into_iter().filter_map(|id| state.conflicts.get(id)).map(|row| ConflictRow::clone(row)).collect())
    }
}

#[async_trait]
impl ReadCommands for MemoryStore {
    async fn commands(&self, ids: &[CommandId]) -> Result<Vec<(CommandId, Vec<u8>)>, StoreError> {
        let state = self.lock();
        Ok(ids.iter().filter_map(|id| Some((*id, state.commands.get(id)?.clone()))).collect())
    }
}

#[async_trait]
impl ReadQuarantine for MemoryStore {
    async fn quarantine_len(&self) -> Result<u64, StoreError> {
        Ok(self.lock().quarantine.len() as u64)
    }

    async fn quarantined(&self, below: Option<u64>, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        let state = self.lock();
        let listed = |(number, row): (&u64, &Arc<QuarantineRow>)| {
            let (row, len) = (QuarantineRow { bytes: Vec::new(), ..QuarantineRow::clone(row) }, row.bytes.len() as u64);
            Quarantined { number: *number, row, len }
        };
        Ok(state.quarantine.range(..below.unwrap_or(u64::MAX)).rev().take(limit).map(listed).collect())
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<QuarantineRow>, StoreError> {
        Ok(self.lock().quarantine.values().rev().take(limit).map(|row| QuarantineRow::clone(row)).collect())
    }

    async fn quarantined_by_prefix(&self, prefix: &str) -> Result<Vec<QuarantineRow>, StoreError> {
        let Some((first, last)) = crate::row::prefix_bounds(prefix) else { return Ok(Vec::new()) };
        let state = self.lock();
        let numbers = state.quarantined.range(first.0..=last.0).take(2).map(|(_, number)| number);
        Ok(numbers.filter_map(|number| state.quarantine.get(number)).map(|row| QuarantineRow::clone(row)).collect())
    }
}

#[async_trait]
impl ReadStranded for MemoryStore {
    async fn stranded(&self, limit: usize) -> Result<Vec<StrandedRow>, StoreError> {
        let state = self.lock();
        let mut open: Vec<&StrandedRow> =
            state.stranded.values().filter(|row| row.state == StrandedState::Open).collect();
        open.sort_by_key(|row| std::cmp::Reverse(row.at_ms));
        Ok(open.into_iter().take(limit).cloned().collect())
    }

    async fn stranded_one(&self, leaf: LeafHash) -> Result<Option<StrandedRow>, StoreError> {
        Ok(self.lock().stranded.get(&leaf).cloned())
    }
}

#[async_trait]
impl ReadStatements for MemoryStore {
    async fn statements(&self) -> Result<Vec<StatementRow>, StoreError> {
        Ok(self.lock().statements.values().map(|row| StatementRow::clone(row)).collect())
    }

    async fn statements_about(&self, subject: [u8; 32]) -> Result<Vec<StatementRow>, StoreError> {
        let state = self.lock();
        let about = state.statements.values().filter(|row| row.subject == subject);
        Ok(about.map(|row| StatementRow::clone(row)).collect())
    }
}

#[async_trait]
impl ReadAudit for MemoryStore {
    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.lock().audit.iter().skip(after).take(limit).map(|row| AuditRow::clone(row)).collect())
    }

    async fn audit_head(&self) -> Result<Option<(u64, [u8; 32])>, StoreError> {
        Ok(self.lock().audit.last().map(|row| (row.seq, row.hash)))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn apply(&self, transaction: &Transaction) -> Result<(), StoreError> {
        self.lock().apply(transaction)
    }

    /// There is nothing to tidy up, and nobody else can have it.
    async fn relist(&self, stamp: [u8; 16], limit: usize, cells: &Cells) -> Result<Relisted, StoreError> {
        let mut state = self.lock();
        if let Some(error) = state.fails.clone() {
            return Err(error);
        }
        let State { columns, records, .. } = &mut *state;
        let later = |after: Option<RecordId>| {
            let later = records.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
            later.map(|(_, slot)| &slot.row)
        };
        Ok(columns.relist(stamp, limit, cells, later))
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
