//! One process at a time: a lock on a file in the store's directory. SQLite's own locks would let two nodes take turns.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use heliu_storage::StoreError;

/// Held as long as the store is open; the system lets go of it when the process ends, however it ends.
pub struct DirectoryLock {
    _file: File,
}

pub fn take(directory: &Path) -> Result<DirectoryLock, StoreError> {
    let failed = |error: std::io::Error| StoreError::Io {
        what: "opening a store",
        detail: format!("{}: {error}", directory.display()),
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let file = OpenOptions::new().create(true).append(true).open(directory.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(DirectoryLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: directory.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
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
