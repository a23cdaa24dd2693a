//! What is asked of the store, each on the next free connection. The queries are in `feed`, `ledgers` and `records`.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_storage::listing::{Found, Query};
use heliu_storage::row::Counts;
use heliu_storage::{
    AuditRow, Budget, CommandId, ConflictPage, ConflictQuery, ConflictRef, ConflictRow, Cursor, FeedPage, LeafRow,
    ListPage, ListQuery, Loaded, Meta, Position, QuarantineRow, Quarantined, ReadAudit, ReadCommands, ReadCommits,
    ReadConflicts, ReadDirectory, ReadFeed, ReadListing, ReadMeta, ReadQuarantine, ReadRecords, ReadStatements,
    ReadStranded, RecordRow, ScanItem, ScanPage, ScopeRow, StatementRow, StoreError, StoreId, StrandedRow, UnjudgedRow,
};
use heliu_trust::id::{CommitId, Incarnation, NodeId};

use crate::fault::Fault;
use crate::{SqliteStore, feed, ledgers, query, records, scopes};

/// A read on the next free connection.
macro_rules! read {
    ($self:ident, $what:literal, $connection:ident => $work:expr) => {{
        let reading = async {
            let mut reader = $self.readers.get().await?;
            let $connection = reader.connection()?;
            $work.await
        };
        reading.await.map_err(|fault: Fault| $self.failed(fault, $what))
    }};
}

#[async_trait]
impl ReadMeta for SqliteStore {
    async fn meta(&self) -> Result<Meta, StoreError> {
        // Only if no transaction runs now can an earlier one have been abandoned.
        if let Ok(mut writer) = self.writer.try_lock()
            && writer.is_in_doubt()
        {
            writer.settle(&self.meta).await.map_err(|fault| fault.at(&self.directory, "reading the head"))?;
        }
        Ok(Meta::clone(&self.meta.get()))
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        read!(self, "counting", connection => ledgers::counts(connection))
    }

    async fn cursor(&self, peer: StoreId) -> Result<Option<Cursor>, StoreError> {
        read!(self, "reading a cursor", connection => ledgers::cursor(connection, peer))
    }
}

#[async_trait]
impl ReadDirectory for SqliteStore {
    async fn directory(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        read!(self, "reading the directory", connection => ledgers::directory(connection))
    }

    async fn declined(&self) -> Result<Vec<SeatId>, StoreError> {
        read!(self, "reading who is declined", connection => ledgers::declined(connection))
    }
}

#[async_trait]
impl ReadRecords for SqliteStore {
    async fn load(&self, ids: &[RecordId]) -> Result<Vec<Loaded>, StoreError> {
        let loaded = read!(self, "loading records", connection => feed::load(connection, ids));
        match (&loaded, ids) {
            (Ok(loaded), _) => {
                self.note_spoilt(loaded.iter().map(|one| &one.row).filter(|row| !records::is_itself(row)));
            }
            (Err(StoreError::Damaged { .. }), [id]) => {
                self.spoilt.lock().unwrap_or_else(PoisonError::into_inner).insert(*id);
            }
            (Err(_), _) => {}
        }
        loaded
    }

    async fn referring(&self, targets: &[RecordId]) -> Result<Vec<(RecordId, RecordId)>, StoreError> {
        read!(self, "reading references", connection => records::referring(connection, targets))
    }

    async fn scan(&self, after: Option<RecordId>, limit: usize) -> Result<ScanPage, StoreError> {
        read!(self, "scanning records", connection => records::scan(connection, after, limit))
    }

    async fn scan_scope(&self, scope: &Scope, after: Option<RecordId>, limit: usize) -> Result<ScanPage, StoreError> {
        read!(self, "scanning records of a scope", connection => records::scan_scope(connection, scope, after, limit))
    }

    async fn granted(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<ScanItem>, StoreError> {
        read!(self, "looking for records with grants", connection => records::granted(connection, after, limit))
    }

    async fn scopes(&self) -> Result<Option<Vec<ScopeRow>>, StoreError> {
        let head = self.meta.get().head;
        read!(self, "reading what is kept of records", connection => scopes::read(connection, head))
    }

    async fn naming(&self, seats: &BTreeSet<SeatId>) -> Result<Vec<RecordId>, StoreError> {
        read!(self, "looking for records that name seats", connection => scopes::naming(connection, seats))
    }

    async fn record(&self, id: RecordId) -> Result<Option<RecordRow>, StoreError> {
        read!(self, "reading a record", connection => records::one(connection, id))
    }

    async fn by_prefix(&self, prefix: &str) -> Result<Vec<RecordId>, StoreError> {
        read!(self, "looking up a short id", connection => records::by_prefix(connection, prefix))
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, StoreError> {
        read!(self, "listing records", connection => records::list(connection, query))
    }

    async fn wants(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<RecordId>, StoreError> {
        read!(self, "reading wants", connection => records::wants(connection, after, limit))
    }

    async fn unjudged(&self, after: Option<RecordId>, limit: usize) -> Result<Vec<UnjudgedRow>, StoreError> {
        read!(self, "reading what could not be judged", connection => records::unjudged(connection, after, limit))
    }

    async fn hidden(&self, up_to: Position) -> Result<Vec<RecordId>, StoreError> {
        read!(self, "reading hidden records", connection => records::hidden(connection, up_to))
    }

    async fn written_by(&self, author: NodeId) -> Result<Vec<RecordId>, StoreError> {
        read!(self, "looking for an author", connection => records::written_by(connection, author))
    }
}

#[async_trait]
impl ReadListing for SqliteStore {
    async fn query(&self, query: &Query) -> Result<Option<Found>, StoreError> {
        let (found, is_wrong) = read!(self, "looking for records", connection => query::query(connection, query))?;
        self.doubts_listing.fetch_or(is_wrong, Ordering::Relaxed);
        Ok(found)
    }
}

#[async_trait]
impl ReadFeed for SqliteStore {
    async fn feed(&self, after: Position, budget: Budget) -> Result<FeedPage, StoreError> {
        // Taken before the page is read: everything up to here is then in it.
        let head = self.meta.get().head;
        read!(self, "reading the feed", connection => feed::page(connection, head, after, budget))
    }

    async fn leaves_of(&self, ids: &BTreeSet<RecordId>) -> Result<FeedPage, StoreError> {
        let head = self.meta.get().head;
        read!(self, "reading leaves", connection => feed::leaves_of(connection, head, ids))
    }

    async fn history(&self, id: RecordId, after: Position, budget: Budget) -> Result<(Vec<LeafRow>, bool), StoreError> {
        read!(self, "reading a history", connection => feed::history(connection, id, after, budget))
    }
}

#[async_trait]
impl ReadCommits for SqliteStore {
    async fn last_commit(&self, author: NodeId) -> Result<Option<(Incarnation, u64, CommitId)>, StoreError> {
        read!(self, "reading an author's last commit", connection => ledgers::last_commit(connection, author))
    }

    async fn chains_of(&self, author: NodeId) -> Result<Vec<(Incarnation, u64, CommitId)>, StoreError> {
        read!(self, "reading an author's chains", connection => ledgers::chains_of(connection, author))
    }

    async fn commits_at(&self, places: &[(NodeId, Incarnation, u64)]) -> Result<Vec<Arc<[u8]>>, StoreError> {
        read!(self, "reading commits by their place", connection => ledgers::commits_at(connection, places))
    }
}

#[async_trait]
impl ReadConflicts for SqliteStore {
    async fn conflicts(&self, query: &ConflictQuery) -> Result<ConflictPage, StoreError> {
        read!(self, "reading conflicts", connection => ledgers::conflicts(connection, query))
    }

    async fn conflict_ids(&self, anchors: &[RecordId]) -> Result<Vec<ConflictRef>, StoreError> {
        read!(self, "reading conflicts", connection => ledgers::conflict_ids(connection, anchors))
    }

    async fn conflicts_of(&self, anchors: &[RecordId]) -> Result<Vec<ConflictRow>, StoreError> {
        read!(self, "reading conflicts", connection => ledgers::conflicts_of(connection, anchors))
    }
}

#[async_trait]
impl ReadCommands for SqliteStore {
    async fn commands(&self, ids: &[CommandId]) -> Result<Vec<(CommandId, Vec<u8>)>, StoreError> {
        read!(self, "reading commands", connection => ledgers::commands(connection, ids))
    }
}

#[async_trait]
impl ReadQuarantine for SqliteStore {
    async fn quarantine_len(&self) -> Result<u64, StoreError> {
        read!(self, "counting the quarantine", connection => ledgers::quarantine_len(connection))
    }

    async fn quarantined(&self, below: Option<u64>, limit: usize) -> Result<Vec<Quarantined>, StoreError> {
        read!(self, "listing the quarantine", connection => ledgers::quarantined(connection, below, limit))
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<QuarantineRow>, StoreError> {
        read!(self, "reading the quarantine", connection => ledgers::quarantine(connection, limit))
    }

    async fn quarantined_by_prefix(&self, prefix: &str) -> Result<Vec<QuarantineRow>, StoreError> {
        read!(self, "looking up a short id", connection => ledgers::quarantined_by_prefix(connection, prefix))
    }
}

#[async_trait]
impl ReadStranded for SqliteStore {
    async fn stranded(&self, limit: usize) -> Result<Vec<StrandedRow>, StoreError> {
        read!(self, "reading stranded edits", connection => ledgers::stranded(connection, limit))
    }

    async fn stranded_one(&self, leaf: LeafHash) -> Result<Option<StrandedRow>, StoreError> {
        read!(self, "reading a stranded edit", connection => ledgers::stranded_one(connection, leaf))
    }
}

#[async_trait]
impl ReadStatements for SqliteStore {
    async fn statements(&self) -> Result<Vec<StatementRow>, StoreError> {
        read!(self, "reading statements", connection => ledgers::statements(connection))
    }

    async fn statements_about(&self, subject: [u8; 32]) -> Result<Vec<StatementRow>, StoreError> {
        read!(self, "reading statements", connection => ledgers::statements_about(connection, subject))
    }
}

#[async_trait]
impl ReadAudit for SqliteStore {
    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        read!(self, "reading the audit log", connection => ledgers::audit(connection, after, limit))
    }

    async fn audit_head(&self) -> Result<Option<(u64, [u8; 32])>, StoreError> {
        read!(self, "reading the audit log", connection => ledgers::audit_head(connection))
    }
}
