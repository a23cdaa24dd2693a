//! What survives a crash: the store, and beside it an account of what went into it, kept by the simulator itself.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;
use heliu_record::command::CommandId;
use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::memory::MemoryStore;
use heliu_storage::{
    FeedEntry, Loaded, Meta, ReadAudit as _, ReadCommands as _, ReadConflicts as _, ReadFeed as _, ReadMeta as _,
    ReadQuarantine as _, ReadRecords as _, ReadStatements as _, ReadStranded as _, RecordRow, RecordState, Store as _,
    StoreError, Transaction,
};
use heliu_trust::directory::SignedEntry;
use heliu_trust::id::DirectoryVersion;

/// The answer of a memory store, which never waits.
pub fn ready<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("a memory store answers at once")
}

pub struct Disk {
    pub store: MemoryStore,
    /// Leaves that were made durable and not dropped since, here or on the disk that this is a copy of.
    pub line: BTreeMap<RecordId, BTreeSet<LeafHash>>,
    /// Every version of the directory that was ever durable on it.
    pub directories: BTreeSet<DirectoryVersion>,
}

impl Disk {
    #[must_use]
    pub fn new(store: MemoryStore) -> Self {
        // Of what is empty all is listed: from then on it is kept with each transaction, and questions are answered.
        let stamp = heliu_catalogue::catalogue().listing_stamp();
        ready(store.relist(stamp, 1, &|_| Vec::new())).expect("an empty store is listed");
        Disk { store, line: BTreeMap::new(), directories: BTreeSet::new() }
    }

    /// A backup, or a clone with a life of its own.
    #[must_use]
    pub fn copy(&self) -> Self {
        Disk { store: self.store.fork(), line: self.line.clone(), directories: self.directories.clone() }
    }

    pub fn apply(&mut self, transaction: &Transaction) -> Result<(), StoreError> {
        ready(self.store.apply(transaction))?;
        let entries = transaction.directory.iter().filter_map(|entry| SignedEntry::decode(entry).ok());
        self.directories.extend(entries.map(|entry| entry.version));
        for record in &transaction.dropped {
            self.line.remove(record);
        }
        for entry in &transaction.feed {
            if let FeedEntry::Leaf(row) = entry {
                self.line.entry(row.record).or_default().insert(row.hash);
            }
        }
        for record in &transaction.erased {
            self.line.remove(record);
        }
        Ok(())
    }

    #[must_use]
    pub fn holds(&self, record: &RecordId, leaf: &LeafHash) -> bool {
        self.line.get(record).is_some_and(|leaves| leaves.contains(leaf))
    }

    #[must_use]
    pub fn meta(&self) -> Meta {
        read(ready(self.store.meta()))
    }

    /// Every record row, stubs too, in id order.
    #[must_use]
    pub fn rows(&self) -> Vec<RecordRow> {
        read(ready(self.store.list(&heliu_storage::ListQuery { limit: usize::MAX, ..Default::default() }))).rows
    }

    #[must_use]
    pub fn present(&self) -> Vec<RecordRow> {
        self.rows().into_iter().filter(|row| row.state == RecordState::Present).collect()
    }

    #[must_use]
    pub fn row(&self, record: RecordId) -> Option<RecordRow> {
        read(ready(self.store.record(record)))
    }

    #[must_use]
    pub fn load(&self, record: RecordId) -> Option<Loaded> {
        read(ready(self.store.load(&[record]))).pop()
    }

    #[must_use]
    pub fn conflicts(&self) -> Vec<heliu_storage::ConflictRow> {
        read(ready(self.store.conflicts(&heliu_storage::ConflictQuery::default()))).rows
    }

    /// Everything that the store keeps, as text as far as it is one: for looking whether something is in it.
    #[must_use]
    pub fn everything<'c>(&self, commands: impl Iterator<Item = &'c CommandId>) -> Vec<String> {
        let all = heliu_storage::Budget { entries: usize::MAX, bytes: usize::MAX };
        let mut found: Vec<Vec<u8>> = Vec::new();
        for item in read(ready(self.store.feed(0, all))).items {
            match &item.entry {
                FeedEntry::Leaf(row) => found.push(row.change.to_vec()),
                FeedEntry::Grant(row) => found.push(row.grant.to_vec()),
                FeedEntry::Rescope { .. } => {}
            }
            found.extend(item.commit.map(|commit| commit.to_vec()));
        }
        found.extend(self.rows().into_iter().flat_map(|row| [row.view, row.preimage.key]));
        found.extend(self.conflicts().into_iter().map(|row| row.body));
        found.extend(self.quarantined().into_iter().flat_map(|row| [row.bytes, row.reason.into_bytes()]));
        found.extend(read(ready(self.store.statements())).into_iter().map(|row| row.bytes));
        found.extend(read(ready(self.store.audit(0, usize::MAX))).into_iter().map(|row| row.encoded));
        let stranded = read(ready(self.store.stranded(usize::MAX)));
        found.extend(stranded.into_iter().map(|row| row.reason.into_bytes()));
        let commands: Vec<CommandId> = commands.copied().collect();
        found.extend(read(ready(self.store.commands(&commands))).into_iter().map(|(_, answer)| answer));
        found.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    #[must_use]
    pub fn statements(&self) -> Vec<heliu_storage::StatementRow> {
        ready(self.store.statements()).expect("the store reads")
    }

    #[must_use]
    pub fn quarantined(&self) -> Vec<heliu_storage::QuarantineRow> {
        read(ready(self.store.quarantine(usize::MAX)))
    }
}

fn read<T>(answer: Result<T, StoreError>) -> T {
    answer.expect("a memory store can be read")
}
