//! Realms and nodes on disk: what `init` and `join` make and `node` reads. Keys are in `key_file`, the log of the directory
//! in `directory_file`; `node_dir` writes the directory that a node runs in, `make` puts a whole realm together, and
//! `draft` sees to it that nothing is left half made.

pub mod directory_file;
pub mod draft;
pub mod key_file;
pub mod make;
pub mod node_dir;
pub mod regions;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use crate::failure::Failure;
use crate::text::{Say, say};

/// What is to be taken off the machine: the keys that stay offline.
pub const ROOT: &str = "root";
/// The directory of the county's first node.
pub const COUNTY: &str = "county";
/// Directories of nodes that were made together with the realm.
pub const NODES: &str = "nodes";

/// Names of files in a node's directory.
pub const CONFIG: &str = "heliu.toml";
pub const NODE_KEY: &str = "node.key";
pub const SEALING_KEY: &str = "sealing.key";
pub const ISSUER_KEY: &str = "issuer.key";
pub const DIRECTORY: &str = "directory.bin";
pub const ACCESS: &str = "access.json";
pub const LOCAL_ACCESS: &str = "local.access";
/// And in that of the offline keys.
pub const ROOT_KEY: &str = "root.key";
pub const ESCROW_KEY: &str = "escrow.key";

/// What to do instead, if a directory is that of a whole realm: the two are easily mistaken.
pub fn instead_of_realm(folder: &Path) -> Option<Say> {
    let county = Some(folder.join(COUNTY)).filter(|county| county.join(CONFIG).exists())?;
    let county = county.display();
    Some(say!(
        "这是整个域的目录;县级节点在 --dir {county}",
        "this is the directory of a whole realm; the county's node is --dir {county}"
    ))
}

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
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all())
    });
    written.map_err(|error| Failure::file(path, &error))
}
