//! The one connection that writes, and what it knows: the head, and whether its last transaction ended.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use heliu_record::id::RecordId;
use heliu_storage::{Cells, Meta, Position, Relisted, StoreError, StoreId, Transaction};
use heliu_trust::id::Incarnation;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::apply;
use crate::convert::Cells as Columns;
use crate::fault::{Fault, damaged};
use crate::script::Script;
use crate::{ledgers, listing};

pub struct WriteConnection {
    /// None once the store is closed.
    pub connection: Option<SqliteConnection>,
    /// Set while a transaction runs. If its future is dropped half-way, or fails, the next caller finds this set: what
    /// became of the transaction is then read from the file.
    in_doubt: bool,
    /// The last seq of the audit log; none if it must be read first.
    audited: Option<u64>,
    /// Whether the log still has bytes of what was dropped or erased. An earlier process may have left some.
    to_wipe: bool,
}

/// The last durable [`Meta`], shared with readers.
pub struct SharedMeta(RwLock<Arc<Meta>>);

impl SharedMeta {
    pub fn new(meta: Meta) -> Self {
        SharedMeta(RwLock::new(Arc::new(meta)))
    }

    pub fn get(&self) -> Arc<Meta> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, meta: Meta) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(meta);
    }
}

impl WriteConnection {
    pub fn new(connection: SqliteConnection) -> Self {
        WriteConnection { connection: Some(connection), in_doubt: false, audited: None, to_wipe: true }
    }

    /// `spoilt`: records whose row was found to be damaged.
    pub async fn apply(
        &mut self,
        shared: &SharedMeta,
        transaction: &Transaction,
        spoilt: &BTreeSet<RecordId>,
    ) -> Result<(), Fault> {
        self.settle(shared).await?;
        let meta = shared.get();
        let audited = if transaction.audit.is_empty() { 0 } else { self.audited().await? };
        let head = transaction.check(&meta, audited)?;
        if transaction.is_empty() {
            return Ok(());
        }
        self.in_doubt = true;
        self.to_wipe |= !transaction.dropped.is_empty() || !transaction.erased.is_empty();
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        let mut script = Script::new(connection, is_small(transaction));
        script.step("BEGIN IMMEDIATE", |_| Ok(())).await?;
        apply::write(&mut script, transaction, meta.head, head).await?;
        apply::mend(&mut script, &transaction.records, spoilt).await?;
        script.step("COMMIT", |_| Ok(())).await?;
        script.flush().await?;
        let mut incarnations = meta.incarnations.clone();
        incarnations.extend(transaction.incarnation.map(|incarnation| (incarnation, meta.head)));
        shared.set(Meta { store: meta.store, head, incarnations });
        if let Some(last) = transaction.audit.last() {
            self.audited = Some(last.seq);
        }
        self.in_doubt = false;
        Ok(())
    }

    /// See [`heliu_storage::Store::relist`]. `is_doubted`: whatever is listed.
    pub async fn relist(
        &mut self,
        shared: &SharedMeta,
        stamp: [u8; 16],
        limit: usize,
        cells: &Cells,
        is_doubted: bool,
    ) -> Result<Relisted, Fault> {
        self.settle(shared).await?;
        self.in_doubt = true;
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        let mut script = Script::new(connection, false);
        script.step("BEGIN IMMEDIATE", |_| Ok(())).await?;
        if is_doubted {
            listing::doubt(&mut script).await?;
        }
        let done = listing::relist(&mut script, stamp, limit, cells).await?;
        script.step("COMMIT", |_| Ok(())).await?;
        self.in_doubt = false;
        Ok(done)
    }

    /// Builds the indexes anew: it takes seconds for each million of entries. What is wrong with a table itself it does not
    /// mend; then all is as it was.
    pub async fn reindex(&mut self, directory: &Path) {
        let reindexing = async {
            let connection = self.connection.as_mut().ok_or_else(closed)?;
            sqlx::query("REINDEX").execute(connection).await?;
            Ok::<_, Fault>(())
        };
        match reindexing.await {
            Ok(()) => tracing::warn!("an index did not lead to the rows that it named: indexes were built anew"),
            Err(fault) => {
                let error = fault.at(directory, "building indexes anew");
                tracing::error!(%error, "an index does not lead to the rows that it names, and cannot be built anew");
            }
        }
    }

    async fn audited(&mut self) -> Result<u64, Fault> {
        if let Some(audited) = self.audited {
            return Ok(audited);
        }
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        let audited = ledgers::audit_head(connection).await?.map_or(0, |(seq, _)| seq);
        self.audited = Some(audited);
        Ok(audited)
    }

    /// After a transaction that dropped or erased something: writes the log back and empties it, because it still has
    /// what is overwritten in the file. A reader may be in the way; then the next transaction tries again. Nothing of this
    /// makes a transaction fail that is already durable.
    pub async fn wipe(&mut self, directory: &Path) {
        if !self.to_wipe {
            return;
        }
        match self.truncate_log().await {
            Ok(is_empty) => self.to_wipe = !is_empty,
            Err(fault) => {
                let error = fault.at(directory, "emptying the log");
                tracing::warn!(%error, "bytes that were erased are still in the log: it is tried again");
            }
        }
    }

    async fn truncate_log(&mut self) -> Result<bool, Fault> {
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        // Who writes next waits meanwhile: not for as long as for a lock.
        sqlx::query("PRAGMA busy_timeout = 100").execute(&mut *connection).await?;
        let done = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
        sqlx::query("PRAGMA busy_timeout = 5000").execute(&mut *connection).await?;
        let is_busy: i64 = done?.try_get(0)?;
        Ok(is_busy == 0)
    }

    /// Ends what an earlier transaction left open and reads where the store stands.
    pub async fn settle(&mut self, shared: &SharedMeta) -> Result<(), Fault> {
        if !self.in_doubt {
            return Ok(());
        }
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        // SQLite may have rolled back by itself, and then this is an error; that is why sqlx's own transactions, which
        // count how deep they are, are not used here.
        if let Err(error) = sqlx::query("ROLLBACK").execute(&mut *connection).await {
            tracing::debug!(%error, "nothing to roll back");
        }
        shared.set(read_meta(connection).await?);
        self.audited = None;
        self.in_doubt = false;
        Ok(())
    }

    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }
}

/// Whether no table gets more than one row: a single edit, or what acknowledges one. What is rare beside those is not
/// gathered: each mixture would be a shape of its own.
fn is_small(transaction: &Transaction) -> bool {
    let Transaction {
        directory,
        directory_from,
        commits,
        feed,
        records,
        scopes,
        renamed,
        moved,
        erased,
        conflicts_opened,
        cursors,
        quarantined,
        unquarantined,
        commands,
        statements,
        statements_dropped,
        audit,
        stranded,
        declined,
        ..
    } = transaction;
    let rows = [
        directory.len(),
        commits.len(),
        feed.len(),
        records.len(),
        // Besides the mark. What moves from one scope to another is rare.
        scopes.as_ref().map_or(0, |change| change.rows.len() + usize::from(change.anew)),
        conflicts_opened.len(),
        cursors.len(),
        quarantined.len(),
        commands.len(),
        audit.len(),
    ];
    let rare = [
        renamed.len(),
        moved.len(),
        erased.len(),
        unquarantined.len(),
        statements.len(),
        statements_dropped.len(),
        stranded.len(),
        declined.len(),
    ];
    directory_from.is_none() && rows.into_iter().all(|rows| rows <= 1) && rare.into_iter().all(|rows| rows == 0)
}

pub fn closed() -> Fault {
    Fault::Store(StoreError::Io { what: "using a store", detail: "it has been closed".into() })
}

pub async fn read_meta(connection: &mut SqliteConnection) -> Result<Meta, Fault> {
    let identity = sqlx::query("SELECT id, max(head, (SELECT coalesce(max(position), 0) FROM feed)) FROM store");
    let row: Option<SqliteRow> = identity.fetch_optional(&mut *connection).await?;
    let row = row.ok_or_else(|| damaged("store", &1, &"it is not there, so this is nobody's store"))?;
    let cells = Columns::new(&row, "store", 0);
    let (store, head) = (StoreId(cells.fixed(0)?), cells.u64(1)?);
    let rows = sqlx::query("SELECT id, began FROM incarnations ORDER BY number").fetch_all(connection).await?;
    let incarnation = |row: &SqliteRow| -> Result<(Incarnation, Position), Fault> {
        let cells = Columns::new(row, "incarnations", 0);
        Ok((Incarnation(cells.fixed(0)?), cells.u64(1)?))
    };
    Ok(Meta { store, head, incarnations: rows.iter().map(incarnation).collect::<Result<_, _>>()? })
}
