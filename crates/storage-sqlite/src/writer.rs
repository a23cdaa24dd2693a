//! The one connection that writes, and what it knows: the head, and whether its last transaction ended.

use std::sync::{Arc, PoisonError, RwLock};

use heliu_storage::{Meta, Position, StoreError, StoreId, Transaction};
use heliu_trust::id::Incarnation;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::apply;
use crate::convert::Cells;
use crate::fault::Fault;
use crate::script::Script;

pub struct Writer {
    /// None once the store is closed.
    pub connection: Option<SqliteConnection>,
    /// Set while a transaction runs. If its future is dropped half-way, or fails, the next caller finds this set: what
    /// became of the transaction is then read from the file.
    in_doubt: bool,
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

impl Writer {
    pub fn new(connection: SqliteConnection) -> Self {
        Writer { connection: Some(connection), in_doubt: false }
    }

    pub async fn apply(&mut self, shared: &SharedMeta, transaction: &Transaction) -> Result<(), Fault> {
        self.settle(shared).await?;
        let meta = shared.get();
        let head = transaction.check(&meta)?;
        if transaction.is_empty() {
            return Ok(());
        }
        self.in_doubt = true;
        let connection = self.connection.as_mut().ok_or_else(closed)?;
        let mut script = Script::new(connection, is_small(transaction));
        script.step("BEGIN IMMEDIATE", |_| Ok(())).await?;
        apply::write(&mut script, transaction, meta.head, head).await?;
        script.step("COMMIT", |_| Ok(())).await?;
        script.flush().await?;
        let mut incarnations = meta.incarnations.clone();
        incarnations.extend(transaction.incarnation.map(|incarnation| (incarnation, meta.head)));
        shared.set(Meta { store: meta.store, head, incarnations });
        self.in_doubt = false;
        Ok(())
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
        self.in_doubt = false;
        Ok(())
    }

    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }
}

/// Whether no table gets more than one row: a single edit, or what acknowledges one.
fn is_small(transaction: &Transaction) -> bool {
    let Transaction { directory, commits, feed, records, conflicts_opened, cursors, quarantined, commands, .. } =
        transaction;
    let rows = [
        directory.len(),
        commits.len(),
        feed.len(),
        records.len(),
        conflicts_opened.len(),
        cursors.len(),
        quarantined.len(),
        commands.len(),
    ];
    rows.into_iter().all(|rows| rows <= 1)
}

pub fn closed() -> Fault {
    Fault::Store(StoreError::Io { what: "using a store", detail: "it has been closed".into() })
}

pub async fn read_meta(connection: &mut SqliteConnection) -> Result<Meta, Fault> {
    let identity = sqlx::query("SELECT id, max(head, (SELECT coalesce(max(position), 0) FROM feed)) FROM store");
    let row: SqliteRow = identity.fetch_one(&mut *connection).await?;
    let cells = Cells::new(&row, "store", 0);
    let (store, head) = (StoreId(cells.fixed(0)?), cells.u64(1)?);
    let rows = sqlx::query("SELECT id, began FROM incarnations ORDER BY number").fetch_all(connection).await?;
    let incarnation = |row: &SqliteRow| -> Result<(Incarnation, Position), Fault> {
        let cells = Cells::new(row, "incarnations", 0);
        Ok((Incarnation(cells.fixed(0)?), cells.u64(1)?))
    };
    Ok(Meta { store, head, incarnations: rows.iter().map(incarnation).collect::<Result<_, _>>()? })
}
