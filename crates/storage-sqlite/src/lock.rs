//! One process at a time: a lock on a file in the store's directory. SQLite's own locks would let two nodes take turns.

use std::fs::{File, TryLockError};
use std::path::Path;

use heliu_storage::StoreError;

/// In a store's directory: the file that everything is in.
pub const DATABASE: &str = "heliu.db";
const LOCK: &str = "lock";
/// What a store is made of; its log and the index of that have the database's mode from SQLite.
pub const FILES: [&str; 4] = [LOCK, DATABASE, "heliu.db-wal", "heliu.db-shm"];

/// Held as long as the store is open; the system lets go of it when the process ends, however it ends.
pub struct DirectoryLock {
    _file: File,
}

pub fn take(directory: &Path) -> Result<DirectoryLock, StoreError> {
    let failed = |error: std::io::Error| StoreError::Io {
        what: "opening a store",
        detail: format!("{}: {error}", directory.display()),
    };
    heliu_disk::folder(directory).map_err(failed)?;
    let file = heliu_disk::open(&directory.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            keep_private(directory)?;
            Ok(DirectoryLock { _file: file })
        }
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: directory.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The records of a county are nobody else's on this machine: also where the folder was there before, was copied, or the
/// umask lets others in. Done while nobody else has the store open.
fn keep_private(directory: &Path) -> Result<(), StoreError> {
    for path in FILES.map(|name| directory.join(name)) {
        let closed = heliu_disk::tighten(&path).map_err(|error| StoreError::Io {
            what: "closing a file to others",
            detail: format!(
                "{}: others on this machine can use it: run chmod 600 as its owner ({error})",
                path.display()
            ),
        })?;
        told(&path, closed);
    }
    if is_the_stores_own(directory) {
        match heliu_disk::tighten(directory) {
            Ok(closed) => told(directory, closed),
            Err(error) => {
                tracing::warn!(path = %directory.display(), %error, "others can see the names of files in this folder");
            }
        }
    }
    let database = directory.join(DATABASE);
    if !database.exists() {
        // An empty file is a new database, and SQLite gives what it makes beside it the same mode.
        let made = heliu_disk::open(&database).map_err(|error| StoreError::Io {
            what: "opening a store",
            detail: format!("{}: {error}", database.display()),
        });
        made.map(drop)?;
    }
    Ok(())
}

fn told(path: &Path, closed: Option<u32>) {
    if let Some(mode) = closed {
        let (path, mode) = (path.display(), format!("{mode:03o}"));
        tracing::warn!(%path, mode, "others on this machine could use this; it is for its owner alone now");
    }
}

/// A folder with other things in it is somebody else's: only the store's files in it are closed.
fn is_the_stores_own(directory: &Path) -> bool {
    let Ok(mut entries) = std::fs::read_dir(directory) else { return false };
    let known = |name: &str| FILES.contains(&name) || name == "lost+found";
    entries.all(|entry| entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(known)))
}

/// Makes the names of new files durable: SQLite does it for its log, nobody does it for the directory itself.
pub fn sync_names(directory: &Path) -> Result<(), StoreError> {
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for path in [directory, parent] {
        File::open(path).and_then(|file| file.sync_all()).map_err(|error| StoreError::Io {
            what: "opening a store",
            detail: format!("{}: {error}", path.display()),
        })?;
    }
    Ok(())
}
