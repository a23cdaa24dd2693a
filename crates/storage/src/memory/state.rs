//! The maps of a memory store: what a transaction changes in them, and what is read from several of them.

use std::collections::btree_map::Entry::Vacant;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use heliu_record::id::{LeafHash, Preimage, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_trust::id::{CommitId, Incarnation, NodeId};

use super::columns::Columns;
use crate::row::{CommitRow, Counts};
use crate::{
    AuditRow, Budget, CommandId, ConflictRow, Cursor, FeedEntry, FeedItem, FeedPage, GrantRow, LeafRow, ListPage,
    ListQuery, Loaded, Meta, Position, QuarantineRow, RecordRow, RecordState, ScanItem, ScopeRow, ScopesChange,
    ScopesMark, StatementRow, StoreError, StoreId, StrandedRow, Transaction, scope_key,
};

#[derive(Clone)]
pub struct State {
    pub meta: Meta,
    pub directory: Vec<Vec<u8>>,
    pub commits: BTreeMap<CommitId, Arc<[u8]>>,
    /// By author, incarnation and seq. More than one: the author equivocates.
    pub places: BTreeMap<(NodeId, Incarnation, u64), BTreeSet<CommitId>>,
    pub last_commits: BTreeMap<NodeId, (Incarnation, u64, CommitId)>,
    pub feed: BTreeMap<Position, Arc<Entry>>,
    pub records: BTreeMap<RecordId, Arc<Slot>>,
    /// Positions of a record's leaves and grants, ascending.
    pub leaves: BTreeMap<RecordId, Vec<Position>>,
    pub targets: BTreeMap<RecordId, BTreeSet<RecordId>>,
    pub sources: BTreeMap<RecordId, BTreeSet<RecordId>>,
    /// By kind, owner and column.
    pub columns: Columns,
    /// By [`scope_key`].
    pub scopes: BTreeMap<Vec<u8>, ScopeRow>,
    pub scopes_mark: Option<ScopesMark>,
    pub waiting: BTreeSet<RecordId>,
    pub unjudged: BTreeSet<RecordId>,
    pub hidden: BTreeMap<RecordId, Position>,
    pub conflicts: BTreeMap<[u8; 32], Arc<ConflictRow>>,
    pub conflicts_by_anchor: BTreeMap<RecordId, BTreeSet<[u8; 32]>>,
    pub cursors: BTreeMap<StoreId, Cursor>,
    pub quarantine: BTreeMap<u64, Arc<QuarantineRow>>,
    pub quarantined: BTreeMap<[u8; 32], u64>,
    pub commands: BTreeMap<CommandId, Vec<u8>>,
    pub statements: BTreeMap<[u8; 32], Arc<StatementRow>>,
    /// The one with seq 1 first.
    pub audit: Vec<Arc<AuditRow>>,
    pub stranded: BTreeMap<LeafHash, StrandedRow>,
    pub declined: BTreeSet<SeatId>,
    pub leaf_count: u64,
    pub fail_next: Option<StoreError>,
    pub fails: Option<StoreError>,
}

/// A feed entry beside its commit, so that a page needs no second lookup.
#[derive(Clone)]
pub struct Entry {
    pub entry: FeedEntry,
    pub commit: Option<Arc<[u8]>>,
}

/// A record's row, with the parts that pages share.
pub struct Slot {
    pub row: RecordRow,
    pub preimage: Arc<Preimage>,
    pub scope: Arc<Scope>,
}

impl Slot {
    /// Present or hidden.
    pub fn is_held(&self) -> bool {
        matches!(self.row.state, RecordState::Present | RecordState::Hidden { .. })
    }

    pub fn scanned(&self) -> ScanItem {
        ScanItem {
            id: self.row.id,
            scope: self.row.scope.clone(),
            standing: self.row.state.standing(),
            held: self.row.held,
            admitted: self.row.admitted,
            leaves: self.row.leaves,
        }
    }
}

/// The first of these that a page holds, one at least, however large; and whether there are more.
pub fn page<'a, T>(
    rows: impl Iterator<Item = &'a T>,
    budget: Budget,
    bytes: impl Fn(&T) -> usize,
) -> (Vec<&'a T>, bool) {
    let (mut page, mut seen) = (Vec::new(), 0_usize);
    for row in rows {
        seen = seen.saturating_add(bytes(row));
        if !page.is_empty() && (page.len() >= budget.entries || seen > budget.bytes) {
            return (page, true);
        }
        page.push(row);
    }
    (page, false)
}

impl State {
    pub fn new(store: StoreId, incarnation: Incarnation) -> Self {
        State {
            meta: Meta { store, head: 0, incarnations: vec![(incarnation, 0)] },
            directory: Vec::new(),
            commits: BTreeMap::new(),
            places: BTreeMap::new(),
            last_commits: BTreeMap::new(),
            feed: BTreeMap::new(),
            records: BTreeMap::new(),
            leaves: BTreeMap::new(),
            targets: BTreeMap::new(),
            sources: BTreeMap::new(),
            columns: Columns::default(),
            scopes: BTreeMap::new(),
            scopes_mark: None,
            waiting: BTreeSet::new(),
            unjudged: BTreeSet::new(),
            hidden: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            conflicts_by_anchor: BTreeMap::new(),
            cursors: BTreeMap::new(),
            quarantine: BTreeMap::new(),
            quarantined: BTreeMap::new(),
            commands: BTreeMap::new(),
            statements: BTreeMap::new(),
            audit: Vec::new(),
            stranded: BTreeMap::new(),
            declined: BTreeSet::new(),
            leaf_count: 0,
            fail_next: None,
            fails: None,
        }
    }

    /// What could go wrong is found before anything changes.
    fn check(&self, transaction: &Transaction) -> Result<Position, StoreError> {
        let head = transaction.check(&self.meta, self.audit.len() as u64)?;
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

    /// The bytes that leaves of this commit had with them were damaged.
    fn mend(&mut self, commit: &CommitRow) {
        for item in self.feed.values_mut() {
            if matches!(&item.entry, FeedEntry::Leaf(leaf) if leaf.commit == commit.id) {
                Arc::make_mut(item).commit = Some(commit.encoded.clone());
            }
        }
    }

    pub fn apply(&mut self, transaction: &Transaction) -> Result<(), StoreError> {
        if let Some(error) = self.fail_next.take().or_else(|| self.fails.clone()) {
            return Err(error);
        }
        let head = self.check(transaction)?;
        if let Some(incarnation) = transaction.incarnation {
            self.meta.incarnations.push((incarnation, self.meta.head));
        }
        if let Some(from) = transaction.directory_from {
            self.directory.truncate(usize::try_from(from).unwrap_or(usize::MAX));
        }
        self.directory.extend(transaction.directory.iter().cloned());
        for commit in &transaction.commits {
            let place = (commit.author, commit.incarnation, commit.seq);
            self.places.entry(place).or_default().insert(commit.id);
            match self.commits.insert(commit.id, commit.encoded.clone()) {
                None => {
                    self.last_commits.insert(commit.author, (commit.incarnation, commit.seq, commit.id));
                }
                Some(known) if known != commit.encoded => self.mend(commit),
                Some(_) => {}
            }
        }
        transaction.renamed.iter().for_each(|(wrong, own)| self.rename(*wrong, *own));
        transaction.records.iter().for_each(|row| self.put_record(row));
        transaction.dropped.iter().for_each(|id| self.drop_leaves(id));
        transaction.moved.iter().for_each(|position| self.drop_leaf(*position));
        transaction.feed.iter().for_each(|entry| self.append(entry));
        self.meta.head = head;
        transaction.scopes.iter().for_each(|change| self.put_scopes(change));
        for (position, status) in &transaction.statuses {
            if let Some(slot) = self.feed.get_mut(position)
                && let FeedEntry::Leaf(leaf) = &mut Arc::make_mut(slot).entry
            {
                leaf.status = *status;
            }
        }
        transaction.refs.iter().for_each(|(source, targets)| self.put_refs(*source, targets));
        transaction.listed.iter().for_each(|listed| self.columns.put(listed));
        transaction.conflicts_closed.iter().for_each(|id| self.close_conflict(id));
        for conflict in &transaction.conflicts_opened {
            self.close_conflict(&conflict.id);
            for anchor in &conflict.anchors {
                self.conflicts_by_anchor.entry(*anchor).or_default().insert(conflict.id);
            }
            self.conflicts.insert(conflict.id, Arc::new(conflict.clone()));
        }
        self.cursors.extend(transaction.cursors.iter().map(|cursor| (cursor.store, *cursor)));
        transaction.unquarantined.iter().for_each(|id| self.unquarantine(id));
        transaction.quarantined.iter().for_each(|row| self.put_quarantined(row));
        for (id, answer) in &transaction.commands {
            self.commands.entry(*id).or_insert_with(|| answer.clone());
        }
        for hash in &transaction.statements_dropped {
            self.statements.remove(hash);
        }
        for row in &transaction.statements {
            self.statements.entry(row.hash).or_insert_with(|| Arc::new(row.clone()));
        }
        self.audit.extend(transaction.audit.iter().cloned().map(Arc::new));
        self.stranded.extend(transaction.stranded.iter().map(|row| (row.leaf, row.clone())));
        for (seat, is_declined) in &transaction.declined {
            if *is_declined {
                self.declined.insert(*seat);
            } else {
                self.declined.remove(seat);
            }
        }
        transaction.erased.iter().for_each(|id| self.erase(id));
        Ok(())
    }

    /// Last in a transaction: what else came in it goes too.
    fn erase(&mut self, id: &RecordId) {
        self.drop_leaves(id);
        self.put_refs(*id, &[]);
        let rows = self.quarantine.values().filter(|row| row.record == Some(*id)).map(|row| row.id);
        for row in rows.collect::<Vec<_>>() {
            self.unquarantine(&row);
        }
        self.stranded.retain(|_, row| row.record != *id);
    }

    fn put_quarantined(&mut self, row: &QuarantineRow) {
        if let Vacant(vacant) = self.quarantined.entry(row.id) {
            let number = self.quarantine.last_key_value().map_or(1, |(last, _)| last + 1);
            vacant.insert(number);
            self.quarantine.insert(number, Arc::new(row.clone()));
        }
    }

    fn unquarantine(&mut self, id: &[u8; 32]) {
        if let Some(number) = self.quarantined.remove(id) {
            self.quarantine.remove(&number);
        }
    }

    fn put_record(&mut self, row: &RecordRow) {
        for (is_in, records) in [(row.waiting, &mut self.waiting), (row.unjudged.is_some(), &mut self.unjudged)] {
            if is_in {
                records.insert(row.id);
            } else {
                records.remove(&row.id);
            }
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

    fn put_scopes(&mut self, change: &ScopesChange) {
        if change.anew {
            self.scopes.clear();
        }
        for row in &change.rows {
            let key = scope_key(row.scope.as_ref());
            if row.tally.is_empty() {
                self.scopes.remove(&key);
            } else {
                self.scopes.insert(key, row.clone());
            }
        }
        self.scopes_mark = Some(ScopesMark { head: self.meta.head, digest: change.digest });
    }

    fn rename(&mut self, wrong: RecordId, own: RecordId) {
        let Some(slot) = self.records.remove(&wrong) else { return };
        // What was listed of it, and by whose name, nobody knows.
        self.columns.doubt();
        self.waiting.remove(&wrong);
        self.unjudged.remove(&wrong);
        self.hidden.remove(&wrong);
        if !self.records.contains_key(&own) {
            self.put_record(&RecordRow { id: own, ..slot.row.clone() });
        }
        let positions = self.leaves.remove(&wrong).unwrap_or_default();
        for item in self.feed.values_mut().filter(|item| item.entry.record() == wrong) {
            match &mut Arc::make_mut(item).entry {
                FeedEntry::Leaf(LeafRow { record, .. })
                | FeedEntry::Grant(GrantRow { record, .. })
                | FeedEntry::Rescope { record, .. } => *record = own,
            }
        }
        let all = self.leaves.entry(own).or_default();
        all.extend(positions);
        all.sort_unstable();
        let targets =
            self.targets.get(&wrong).into_iter().flatten().chain(self.targets.get(&own).into_iter().flatten());
        let targets: Vec<RecordId> = targets.copied().collect();
        self.put_refs(wrong, &[]);
        self.put_refs(own, &targets);
    }

    fn drop_leaves(&mut self, id: &RecordId) {
        for position in self.leaves.remove(id).unwrap_or_default() {
            let gone = self.feed.remove(&position);
            self.leaf_count -= u64::from(gone.is_some_and(|gone| gone.commit.is_some()));
        }
    }

    fn drop_leaf(&mut self, position: Position) {
        if let Some(gone) = self.feed.remove(&position) {
            self.leaves.entry(gone.entry.record()).or_default().retain(|at| *at != position);
            self.leaf_count -= u64::from(gone.commit.is_some());
        }
    }

    fn append(&mut self, entry: &FeedEntry) {
        let commit = match entry {
            FeedEntry::Leaf(leaf) => {
                self.leaves.entry(leaf.record).or_default().push(leaf.position);
                self.leaf_count += 1;
                self.commits.get(&leaf.commit).cloned()
            }
            FeedEntry::Grant(grant) => {
                self.leaves.entry(grant.record).or_default().push(grant.position);
                None
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

    pub fn has_grants(&self, id: &RecordId) -> bool {
        let is_grant = |at| self.feed.get(at).is_some_and(|entry| matches!(entry.entry, FeedEntry::Grant(_)));
        self.leaves.get(id).is_some_and(|positions| positions.iter().any(is_grant))
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

    pub fn feed(&self, after: Position, budget: Budget) -> FeedPage {
        let mut items: Vec<FeedItem> = Vec::new();
        let mut bytes = 0;
        for (position, entry) in self.feed.range((Bound::Excluded(after), Bound::Unbounded)) {
            bytes += entry.entry.change_len();
            if !items.is_empty() && (items.len() >= budget.entries || bytes > budget.bytes) {
                return FeedPage { items, through: position - 1, ..FeedPage::default() };
            }
            items.extend(self.item(entry));
        }
        FeedPage { items, through: self.meta.head, ..FeedPage::default() }
    }

    pub fn load(&self, ids: &[RecordId]) -> Vec<Loaded> {
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
                    grants: Vec::new(),
                    spoilt: None,
                };
                for entry in positions.iter().filter_map(|position| self.feed.get(position)) {
                    match (&entry.entry, &entry.commit) {
                        (FeedEntry::Leaf(leaf), Some(commit)) => {
                            loaded.leaves.push(leaf.clone());
                            loaded.commits.push(commit.clone());
                        }
                        (FeedEntry::Grant(grant), _) => loaded.grants.push(grant.clone()),
                        (FeedEntry::Leaf(_) | FeedEntry::Rescope { .. }, _) => {}
                    }
                }
                Some(loaded)
            })
            .collect()
    }

    pub fn leaves_of(&self, ids: &BTreeSet<RecordId>) -> FeedPage {
        let is_held = |id: &RecordId| self.records.get(id).is_some_and(|slot| slot.is_held());
        let positions: BTreeSet<Position> =
            ids.iter().filter(|id| is_held(id)).filter_map(|id| self.leaves.get(id)).flatten().copied().collect();
        let items = positions.iter().filter_map(|p| self.item(self.feed.get(p)?)).collect();
        FeedPage { items, through: self.meta.head, ..FeedPage::default() }
    }

    pub fn after(&self, after: Option<RecordId>) -> impl Iterator<Item = (&RecordId, &Arc<Slot>)> {
        self.records.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
    }

    pub fn list(&self, query: &ListQuery) -> ListPage {
        let fits = |row: &&RecordRow| query.kind.as_ref().is_none_or(|kind| *kind == row.preimage.kind);
        let listed = |rows: &mut dyn Iterator<Item = &RecordRow>| {
            let budget = Budget { entries: query.limit, bytes: query.bytes };
            let (page, more) = page(rows, budget, |row| row.view.len());
            let next = page.last().filter(|_| more).map(|row| row.id);
            ListPage { rows: page.into_iter().cloned().collect(), next, damaged: Vec::new() }
        };
        match query.refers_to {
            None => listed(&mut self.after(query.after).map(|(_, slot)| &slot.row).filter(fits)),
            Some(target) => {
                let start = query.after.map_or(Bound::Unbounded, Bound::Excluded);
                let sources = self.sources.get(&target).into_iter().flat_map(|s| s.range((start, Bound::Unbounded)));
                listed(&mut sources.filter_map(|id| Some(&self.records.get(id)?.row)).filter(fits))
            }
        }
    }

    pub fn leaves_after(&self, id: RecordId, after: Position) -> impl Iterator<Item = &LeafRow> {
        let positions = self.leaves.get(&id).map_or(&[][..], Vec::as_slice).iter().filter(move |at| **at > after);
        positions.filter_map(|position| match &self.feed.get(position)?.entry {
            FeedEntry::Leaf(leaf) => Some(leaf),
            FeedEntry::Grant(_) | FeedEntry::Rescope { .. } => None,
        })
    }

    pub fn counts(&self) -> Counts {
        let count = |is: fn(&RecordState) -> bool| self.records.values().filter(|slot| is(&slot.row.state)).count();
        Counts {
            records: count(|state| *state == RecordState::Present) as u64,
            stubs: count(|state| matches!(state, RecordState::Stub(_))) as u64,
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
