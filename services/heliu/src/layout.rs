//! Where things are in the directories of realms and of nodes.

use std::path::Path;

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
