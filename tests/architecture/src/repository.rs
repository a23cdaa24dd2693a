//! The files of the repository: what a reader would find after a fresh clone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Folders that are not ours to judge: built, fetched, or of git.
const NOT_OURS: &[&str] = &[".git", "target", "node_modules"];

/// The root of the workspace: by what cargo says now, because two checkouts may share one target folder.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&here).ancestors().nth(2).expect("tests/architecture is two folders below the root").to_path_buf()
    });
    &ROOT
}

/// Every file whose name ends like this, as a path relative to the root with `/`, in order.
pub fn files(ending: &str) -> Vec<String> {
    let mut files = Vec::new();
    walk(root(), &mut |path| files.push(path.to_owned()));
    files.retain(|path| path.ends_with(ending));
    files.sort();
    assert!(!files.is_empty(), "no file ends with {ending}: is {} the repository?", root().display());
    files
}

/// The text of a file of the repository.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// Whether this path, relative to the root, is there.
pub fn exists(path: &str) -> bool {
    root().join(path).exists()
}

fn walk(folder: &Path, see: &mut impl FnMut(&str)) {
    // Other people and other tests work in the tree at the same time; what vanishes meanwhile is no finding.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !NOT_OURS.contains(&name.as_str()) {
                walk(&path, see);
            }
        } else {
            see(&relative(&path));
        }
    }
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
