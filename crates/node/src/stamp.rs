//! Notices that files have changed, without reading them.

use std::path::Path;
use std::time::SystemTime;

/// What tells, without reading some files, that they have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(Vec<Option<(SystemTime, u64, u64)>>);

impl Stamp {
    pub fn of(files: &[&Path]) -> Self {
        Stamp(files.iter().map(|file| one(file)).collect())
    }
}

fn one(file: &Path) -> Option<(SystemTime, u64, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    Some((metadata.modified().ok()?, metadata.len(), number))
}
