//! What a node, or a person who works with one, keeps on a disk: files and folders for their owner alone, whatever the umask
//! says. Everything that Heliu makes is made here; what was there before and is open to others is found, or made private.
//! Small files are read by [`small_file`].
//!
//! Modes are Unix's. Elsewhere files are made as the system makes them, and nothing is found to be open.

pub mod small_file;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// What others than the owner may do with a file.
const OTHERS: u32 = 0o077;
/// A folder that everybody works in, such as /tmp.
const STICKY: u32 = 0o1000;

/// Makes a folder, and those above it that are missing. One that is there stays as it is.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a new file, to be written by whoever makes it. One that is there stays as it is, and is an error.
pub fn new_file(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// Writes a new file durably. One that is there stays as it is, and is an error.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_file(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file is of no use, and would be in the way.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Writes a file durably in the place of whatever has its name: whole, or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Of mode 0600, under a name that nobody can guess.
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(bytes)?;
    fresh.as_file().sync_all()?;
    fresh.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Opens a file to append to it, and makes it if it is not there.
pub fn open(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().append(true).create(true)).open(path)
}

fn private(options: &mut OpenOptions) -> &OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// The mode of a file or folder that others than its owner can use; none if they cannot, or it is not there.
pub fn open_to_others(path: &Path) -> io::Result<Option<u32>> {
    Ok(mode(path)?.filter(|mode| mode & OTHERS != 0))
}

/// Takes from others what they could do with a file or folder, and says which mode it had; none if there was nothing to
/// take. A folder in which everybody works is refused: it is not one's own.
pub fn tighten(path: &Path) -> io::Result<Option<u32>> {
    let Some(mode) = open_to_others(path)? else { return Ok(None) };
    if mode & STICKY != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "everybody on this machine works in this folder"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & !OTHERS))?;
    }
    Ok(Some(mode))
}

#[cfg(unix)]
fn mode(path: &Path) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.permissions().mode() & 0o7777)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn mode(_: &Path) -> io::Result<Option<u32>> {
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
    }

    fn set(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    #[test]
    fn what_is_made_is_for_its_owner_alone() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let deep = home.path().join("a/b");
        folder(&deep).expect("it is new");
        write_new(&deep.join("new"), b"1").expect("it is new");
        set(&deep.join("new"), 0o666);
        replace(&deep.join("new"), b"2").expect("it is ours");
        open(&deep.join("lock")).expect("it is new");
        assert_eq!([mode_of(&home.path().join("a")), mode_of(&deep)], [0o700; 2]);
        assert_eq!([mode_of(&deep.join("new")), mode_of(&deep.join("lock"))], [0o600; 2]);
    }

    #[test]
    fn a_file_that_is_there_is_never_written_over_as_a_new_one() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let file = home.path().join("key");
        write_new(&file, b"first").expect("it is new");
        assert_eq!(write_new(&file, b"second").expect_err("it is there").kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(small_file::read(&file, 16).expect("it is there"), b"first");
    }

    #[test]
    fn what_was_open_is_closed_and_said_and_a_place_of_everybody_stays_so() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let file = home.path().join("heliu.db");
        write_new(&file, b"").expect("it is new");
        assert_eq!(tighten(&file).expect("it is ours"), None);
        set(&file, 0o644);
        set(home.path(), 0o2775);
        assert_eq!(open_to_others(&file).expect("it is ours"), Some(0o644));
        assert_eq!(tighten(&file).expect("it is ours"), Some(0o644));
        assert_eq!(tighten(home.path()).expect("it is ours"), Some(0o2775));
        assert_eq!((mode_of(&file), mode_of(home.path())), (0o600, 0o2700));
        set(home.path(), 0o1777);
        assert!(tighten(home.path()).is_err());
        assert_eq!(mode_of(home.path()), 0o1777);
        assert_eq!(tighten(&home.path().join("nothing")).expect("nothing is there"), None);
    }
}
