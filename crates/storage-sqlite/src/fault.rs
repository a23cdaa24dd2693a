//! What goes wrong inside, and how it is told at the port.

use std::path::Path;

use heliu_record::codec::DecodeError;
use heliu_storage::StoreError;

/// An error before it is known which store it belongs to.
#[derive(Debug)]
pub enum Fault {
    Sql(sqlx::Error),
    Store(StoreError),
    /// An index leads elsewhere than to the row that it names.
    Index {
        table: &'static str,
        key: String,
    },
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Fault::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Fault::Store(error)
    }
}

/// A value that is not what was written. `key` says which row, so that somebody can look at it.
pub fn damaged(table: &'static str, key: &dyn std::fmt::Display, detail: &dyn std::fmt::Display) -> Fault {
    Fault::Store(StoreError::Damaged { what: table, detail: format!("row {key}: {detail}") })
}

pub fn undecodable(table: &'static str, key: &dyn std::fmt::Display) -> impl Fn(DecodeError) -> Fault {
    move |error| damaged(table, key, &error)
}

impl Fault {
    /// Whether indexes that are built anew may be all that it takes.
    pub fn doubts_indexes(&self) -> bool {
        match self {
            Fault::Sql(error) => result_code(error).is_some_and(|code| code & 0xff == SQLITE_CORRUPT),
            Fault::Store(_) => false,
            Fault::Index { .. } => true,
        }
    }

    pub fn at(self, path: &Path, what: &'static str) -> StoreError {
        let error = match self {
            Fault::Store(error) => return error,
            Fault::Index { table: what, key } => {
                return StoreError::Damaged { what, detail: format!("row {key}: an index leads to another row") };
            }
            Fault::Sql(error) => error,
        };
        let path = path.display().to_string();
        let Some(code) = result_code(&error) else {
            return StoreError::Io { what, detail: error.to_string() };
        };
        match code {
            // A full disk shows as IOERR_SHMSIZE where the file that grows is the index of the write-ahead log.
            SQLITE_FULL | SQLITE_IOERR_SHMSIZE => StoreError::Full { path },
            code if matches!(code & 0xff, SQLITE_CORRUPT | SQLITE_NOTADB) => {
                StoreError::Damaged { what: "the SQLite file", detail: format!("{path}: {error}") }
            }
            // Only `apply` can break a constraint: by a leaf without its commit or its record.
            code if code & 0xff == SQLITE_CONSTRAINT => StoreError::Damaged {
                what: "transaction",
                detail: format!("it names a commit or a record that is not here ({error})"),
            },
            _ => StoreError::Io { what, detail: format!("{path}: {error}") },
        }
    }
}

/// More than any transaction takes.
const ROOM_BYTES: u64 = 64 * 1024 * 1024;
const PAGES_PER_MIB: u64 = 256;

/// SQLite has one word for a full disk and for a file of as many pages as it may have. The disk says which it was.
pub fn or_quota(error: StoreError, directory: &Path, max_pages: Option<u32>) -> StoreError {
    match (error, max_pages) {
        (StoreError::Full { path }, Some(pages)) if free_bytes(directory).is_none_or(|free| free >= ROOM_BYTES) => {
            StoreError::Quota { path, mib: u64::from(pages).div_ceil(PAGES_PER_MIB) }
        }
        (error, _) => error,
    }
}

#[cfg(unix)]
fn free_bytes(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_CONSTRAINT: u32 = 19;
const SQLITE_NOTADB: u32 = 26;
const SQLITE_IOERR_SHMSIZE: u32 = 10 | (19 << 8);

/// SQLite's extended result code: <https://www.sqlite.org/rescode.html>.
fn result_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}
