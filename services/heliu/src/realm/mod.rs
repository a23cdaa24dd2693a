//! Realms on disk: what `init` makes and `node` reads. Keys are in `key_file`, the log of the directory in
//! `directory_file`, the realm's own description in `description`; `make` puts a whole realm together.

pub mod description;
pub mod directory_file;
pub mod key_file;
pub mod make;
pub mod regions;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use crate::failure::Failure;

/// Name of a node's configuration in its directory.
pub const CONFIG: &str = "heliu.toml";
/// Where a realm keeps the directories of its nodes.
pub const NODES: &str = "nodes";

/// Writes a new file durably; an existing one stays as it is and is an error.
pub fn write_new(path: &Path, bytes: &[u8], secret: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| Failure::file(path, &error))
}

/// Puts a file in the place of another, whole or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let next = path.with_extension("next");
    let written = File::create(&next).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&next, path)?;
        File::open(path.parent().unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())
    });
    written.map_err(|error| Failure::file(path, &error))
}
