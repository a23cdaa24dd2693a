//! Which store a node keeps its data in: the one place of the program that names one. All others have what is opened here by
//! the traits of `heliu_storage`, so that a second store is a crate, a [`Kind`] and its arms below.

use std::path::PathBuf;
use std::sync::Arc;

use heliu_storage::{Store, StoreId};
use heliu_storage_sqlite::{DATABASE, FILES, Options, SqliteStore};
use heliu_trust::id::Incarnation;

use crate::failure::Failure;
use crate::random::random;

/// Pages of SQLite in one MiB.
const PAGES_PER_MIB: u64 = 256;

/// What `store.kind` may be.
pub const KINDS: &[&str] = &["sqlite"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// SQLite, in one file of the data directory.
    #[default]
    Sqlite,
}

impl Kind {
    /// One of [`KINDS`].
    pub fn called(name: &str) -> Option<Self> {
        match name {
            "sqlite" => Some(Kind::Sqlite),
            _ => None,
        }
    }
}

/// Where a store is and of which kind, whether it is open or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreAt {
    pub kind: Kind,
    pub folder: PathBuf,
    /// Memory for each connection; none: the store's own choice.
    pub cache_kib: Option<u32>,
    /// Connections for reading; none: the store's own choice.
    pub readers: Option<u32>,
    pub quota_mib: Option<u64>,
}

impl StoreAt {
    pub fn new(kind: Kind, folder: impl Into<PathBuf>) -> Self {
        StoreAt { kind, folder: folder.into(), cache_kib: None, readers: None, quota_mib: None }
    }

    /// Opens the store, or makes it.
    pub async fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        match self.kind {
            Kind::Sqlite => {
                let mut options = Options::new(StoreId(random()?), Incarnation(random()?));
                options.cache_kib = self.cache_kib.unwrap_or(options.cache_kib);
                options.readers = self.readers.unwrap_or(options.readers);
                options.max_pages = self.quota_mib.map(|mib| u32::try_from(mib * PAGES_PER_MIB).unwrap_or(u32::MAX));
                Ok(Arc::new(SqliteStore::open(&self.folder, options).await?))
            }
        }
    }

    /// The file on this machine that is there once the store has been made.
    pub fn file(&self) -> PathBuf {
        match self.kind {
            Kind::Sqlite => self.folder.join(DATABASE),
        }
    }

    /// All files on this machine of which the store may consist.
    pub fn files(&self) -> Vec<PathBuf> {
        match self.kind {
            Kind::Sqlite => FILES.map(|name| self.folder.join(name)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_store_that_a_configuration_can_name_opens_and_takes_what_it_is_given() {
        for name in KINDS {
            let folder = tempfile::tempdir().expect("a temporary directory");
            let at = StoreAt::new(Kind::called(name).expect("it is one"), folder.path());
            assert!(!at.file().exists());
            let store = at.open().await.expect("it opens");
            let transaction = heliu_storage::Transaction { directory: vec![b"entry".to_vec()], ..Default::default() };
            store.apply(&transaction).await.expect("it is taken");
            assert!(at.file().exists() && at.files().contains(&at.file()));
            store.close().await.expect("it closes");
            let again = at.open().await.expect("it opens again");
            assert_eq!(again.directory().await.expect("it reads"), [b"entry".to_vec()]);
        }
        assert_eq!(Kind::called("memory"), None, "what forgets is for tests");
    }
}
