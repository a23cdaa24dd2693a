//! The embedded store: SQLite through sqlx. What a store promises is in `heliu_storage`; here is how this one does it.
//!
//! One connection writes, a few read. The write-ahead log is synced before a transaction is said to be done, and readers
//! do not see it before that. Nothing here decides what the rows mean.
//!
//! Bottom up: `lock`, `script`, `fault`, `convert`, `schema`, `cells`, `records`, `listing`, `query`, `scopes`, `ledgers`, `apply`, `feed`, `reads`, `writer`, `readers`.

mod apply;
mod cells;
mod convert;
mod fault;
mod feed;
mod ledgers;
mod listing;
mod lock;
mod query;
mod readers;
mod reads;
mod records;
mod schema;
mod scopes;
mod script;
mod writer;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use heliu_record::id::RecordId;
use heliu_storage::{Cells, RecordRow, Relisted, Store, StoreError, StoreId, Transaction};
use heliu_trust::id::Incarnation;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _};
use tokio::sync::Mutex;

use crate::fault::{Fault, or_quota};
use crate::readers::Readers;
use crate::writer::{SharedMeta, WriteConnection, closed, read_meta};

pub use lock::{DATABASE, FILES};
pub use schema::VERSION as FORMAT_VERSION;

/// How a store is opened. The random values are the caller's: a store draws none.
#[derive(Clone, Debug)]
pub struct Options {
    /// The identity of the store if it is made now; an existing one keeps its own.
    pub store: StoreId,
    /// Begins at the head that is found. Never used before.
    pub incarnation: Incarnation,
    /// Memory for pages, for each connection, taken only as pages are read. (The bundled SQLite pools it: what all
    /// connections of a process may take together is the sum.) Beside it, a store takes about 1 MB, most of it prepared
    /// statements.
    pub cache_kib: u32,
    /// Connections for reading; each is opened when it is first needed.
    pub readers: u32,
    /// The write-ahead log is written back when it is this long, in pages of 4 KiB.
    pub checkpoint_pages: u32,
    /// The most pages that the file may have: a quota. [`StoreError::Quota`] beyond it.
    pub max_pages: Option<u32>,
}

impl Options {
    #[must_use]
    pub fn new(store: StoreId, incarnation: Incarnation) -> Self {
        Options { store, incarnation, cache_kib: 2048, readers: 2, checkpoint_pages: 4000, max_pages: None }
    }

    fn connect(&self, file: &Path) -> SqliteConnectOptions {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(false)
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", format!("-{}", self.cache_kib))
            .pragma("mmap_size", "0")
            .pragma("temp_store", "MEMORY")
            .row_buffer_size(128)
            .disable_statement_logging();
        match self.max_pages {
            Some(pages) => options.pragma("max_page_count", pages.to_string()),
            None => options,
        }
    }

    fn writing(&self, file: &Path) -> SqliteConnectOptions {
        self.connect(file)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("wal_autocheckpoint", self.checkpoint_pages.to_string())
            .pragma("journal_size_limit", (u64::from(self.checkpoint_pages) * 4096).to_string())
            // Deleted values are overwritten. (FAST would leave the pages of long ones as they were.)
            .pragma("secure_delete", "ON")
    }
}

/// An open store. Dropping it is safe at any time; [`Store::close`] also tidies up.
pub struct SqliteStore {
    directory: PathBuf,
    max_pages: Option<u32>,
    meta: SharedMeta,
    readers: Readers,
    writer: Mutex<WriteConnection>,
    /// Records whose row was found to be damaged: all columns are written when such a row is written again.
    spoilt: StdMutex<BTreeSet<RecordId>>,
    /// A read found that an index does not lead where it should: they are built anew before the next transaction.
    has_wrong_index: AtomicBool,
    /// A read found something listed that cannot be: all is listed anew.
    doubts_listing: AtomicBool,
    /// Declared last: let go of after the connections.
    lock: StdMutex<Option<lock::DirectoryLock>>,
}

impl SqliteStore {
    /// Opens the store in a directory, or makes it.
    pub async fn open(directory: impl Into<PathBuf>, options: Options) -> Result<Self, StoreError> {
        let directory = directory.into();
        let lock = lock::take(&directory)?;
        let file = directory.join(lock::DATABASE);
        let opened = async {
            let mut connection = options.writing(&file).connect().await?;
            schema::prepare(&mut connection, &directory, options.store).await?;
            let meta = SharedMeta::new(read_meta(&mut connection).await?);
            let mut writer = WriteConnection::new(connection);
            let begins = Transaction { incarnation: Some(options.incarnation), ..Transaction::default() };
            writer.apply(&meta, &begins, &BTreeSet::new()).await?;
            writer.wipe(&directory).await;
            Ok::<_, Fault>((meta, writer))
        };
        let (meta, writer) = opened
            .await
            .map_err(|fault| or_quota(fault.at(&directory, "opening a store"), &directory, options.max_pages))?;
        lock::sync_names(&directory)?;
        let readers = Readers::new(options.connect(&file).pragma("query_only", "ON"), options.readers);
        let lock = StdMutex::new(Some(lock));
        Ok(SqliteStore {
            directory,
            max_pages: options.max_pages,
            meta,
            readers,
            writer: Mutex::new(writer),
            spoilt: StdMutex::default(),
            has_wrong_index: AtomicBool::new(false),
            doubts_listing: AtomicBool::new(false),
            lock,
        })
    }

    /// The directory that it is in.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// What went wrong with a read, as it is told.
    fn failed(&self, fault: Fault, what: &'static str) -> StoreError {
        self.has_wrong_index.fetch_or(fault.doubts_indexes(), Ordering::Relaxed);
        fault.at(&self.directory, what)
    }

    /// Ends a transaction that failed: at once and not with the next one, since an open one would hold back whoever reads or
    /// copies the file. If this fails too, the next one tries again.
    async fn settled<T>(&self, writer: &mut WriteConnection, done: &Result<T, Fault>) {
        if done.is_err()
            && writer.is_in_doubt()
            && let Err(fault) = writer.settle(&self.meta).await
        {
            tracing::warn!(fault = %fault.at(&self.directory, "rolling back"), "a failed transaction is still open");
        }
    }

    fn note_spoilt<'a>(&self, rows: impl Iterator<Item = &'a RecordRow>) {
        let mut rows = rows.map(|row| row.id).peekable();
        if rows.peek().is_some() {
            self.spoilt.lock().unwrap_or_else(PoisonError::into_inner).extend(rows);
        }
    }

    /// Reads the whole file and checks its structure; takes seconds for each GiB. For operators, and after a crash of
    /// the disk; the contents of leaves are checked by their hashes wherever they are used.
    pub async fn verify(&self) -> Result<(), StoreError> {
        let what = "verifying a store";
        let mut reader = self.readers.get().await.map_err(|fault| fault.at(&self.directory, what))?;
        let checking = async {
            let rows = sqlx::query("PRAGMA quick_check(20)").fetch_all(reader.connection()?).await?;
            let told = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
            Ok::<_, Fault>(told)
        };
        let told = checking.await.map_err(|fault| fault.at(&self.directory, what))?;
        if told == ["ok"] {
            return Ok(());
        }
        Err(StoreError::Damaged { what: "the SQLite file", detail: told.join("; ") })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn apply(&self, transaction: &Transaction) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        if self.has_wrong_index.swap(false, Ordering::Relaxed) {
            writer.reindex(&self.directory).await;
        }
        let spoilt = self.spoilt.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let done = writer.apply(&self.meta, transaction, &spoilt).await;
        self.settled(&mut writer, &done).await;
        if done.is_ok() {
            if !spoilt.is_empty() {
                let mut spoilt = self.spoilt.lock().unwrap_or_else(PoisonError::into_inner);
                spoilt.retain(|id| !transaction.records.iter().any(|row| row.id == *id));
            }
            writer.wipe(&self.directory).await;
        }
        done.map_err(|fault| or_quota(fault.at(&self.directory, "writing"), &self.directory, self.max_pages))
    }

    async fn relist(&self, stamp: [u8; 16], limit: usize, cells: &Cells) -> Result<Relisted, StoreError> {
        let mut writer = self.writer.lock().await;
        let is_doubted = self.doubts_listing.swap(false, Ordering::Relaxed);
        let done = writer.relist(&self.meta, stamp, limit, cells, is_doubted).await;
        if done.is_err() {
            self.doubts_listing.fetch_or(is_doubted, Ordering::Relaxed);
        }
        self.settled(&mut writer, &done).await;
        done.map_err(|fault| or_quota(fault.at(&self.directory, "listing records"), &self.directory, self.max_pages))
    }

    /// Writes the log back into the file.
    async fn close(&self) -> Result<(), StoreError> {
        let closing = async {
            self.readers.close().await?;
            let mut writer = self.writer.lock().await;
            writer.settle(&self.meta).await?;
            let mut connection = writer.connection.take().ok_or_else(closed)?;
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
            sqlx::Connection::close(connection).await?;
            Ok(())
        };
        let closed = closing.await.map_err(|fault: Fault| fault.at(&self.directory, "closing a store"));
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No test of ours can pull the plug: that what is written is synced before it is said to be done is SQLite's promise
    /// under these two settings, and under no weaker ones.
    #[tokio::test]
    async fn the_writer_syncs_its_log_before_a_transaction_is_done() {
        let directory = tempfile::tempdir().expect("a directory");
        let options = Options::new(StoreId([1; 16]), Incarnation([1; 16]));
        let store = SqliteStore::open(directory.path(), options).await.expect("opens");
        let mut writer = store.writer.lock().await;
        let connection = writer.connection.as_mut().expect("it is open");
        let row = sqlx::query("PRAGMA synchronous").fetch_one(&mut *connection).await.expect("it answers");
        let full = 2;
        assert_eq!(row.get::<i64, _>(0), full);
        let row = sqlx::query("PRAGMA journal_mode").fetch_one(connection).await.expect("it answers");
        assert_eq!(row.get::<String, _>(0), "wal");
    }
}
