//! A directory that comes about as a whole: everything is written in a place beside it, and put where it belongs when
//! it is complete. Whoever is interrupted leaves a draft and nothing half made.

use std::path::{Path, PathBuf};

use super::take_over;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::say;

pub struct Draft {
    /// Where the finished directory is to be.
    target: PathBuf,
    /// The directory that the draft is in.
    around: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// A draft under a name of its own. One of that name that is there already is gone on with. An empty directory at
    /// the target stays the same directory: somebody may stand in it, and it may be a file system of its own.
    pub fn open(target: &Path, name: &str) -> Result<Self, Failure> {
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        heliu_disk::folder(parent).map_err(|error| Failure::file(parent, &error))?;
        let around = if target.exists() { target } else { parent };
        if around == target {
            take_over(target)?;
        }
        let path = around.join(format!(".{name}"));
        // There are private keys in it.
        heliu_disk::folder(&path).map_err(|error| Failure::file(&path, &error))?;
        take_over(&path)?;
        Ok(Draft { target: target.to_owned(), around: around.to_owned(), path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts everything in its place; `last` at the end of all, so that where it is, the rest is.
    pub fn finish(self, last: &str) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::file(&self.target, &error);
        if self.around == self.target {
            let mut names: Vec<_> = std::fs::read_dir(&self.path)
                .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<_>>())
                .map_err(failed)?;
            names.sort_by_key(|name| name == last);
            for name in names {
                std::fs::rename(self.path.join(&name), self.target.join(&name)).map_err(failed)?;
            }
            std::fs::remove_dir(&self.path).map_err(failed)?;
        } else {
            std::fs::rename(&self.path, &self.target).map_err(failed)?;
        }
        std::fs::File::open(&self.around).and_then(|around| around.sync_all()).map_err(failed)
    }

    /// Takes the draft away again.
    pub fn give_up(self) {
        // A draft that cannot be removed is a hidden directory that nobody uses.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Whether something can come about here: there is no such directory, or there is nothing in it but drafts.
pub fn is_free(folder: &Path) -> Result<bool, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(Failure::file(folder, &error)),
    };
    let is_draft = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(".heliu-"))
    };
    Ok(entries.into_iter().all(is_draft))
}

pub fn not_empty(folder: &Path) -> Failure {
    let shown = folder.display();
    Failure::new(Exit::Usage, "not_empty", say!("目录 {shown} 不是空的", "the directory {shown} is not empty"))
        .next(say!("请用 --dir 给出一个新的或空的目录", "name a new or an empty directory with --dir"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(draft: &Draft, name: &str) {
        std::fs::write(draft.path().join(name), name).expect("it is ours");
    }

    #[test]
    fn a_draft_becomes_the_directory_and_an_empty_one_stays_the_same_directory() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let number = |path: &Path| path.metadata().expect("it is there").ino();
        for target in [folder.path().join("deep/new"), folder.path().to_owned()] {
            std::fs::remove_dir_all(folder.path().join("deep")).ok();
            let before = target.exists().then(|| number(&target));
            if target.exists() {
                std::fs::set_permissions(&target, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                    .expect("it is ours");
            }
            let draft = Draft::open(&target, "heliu-test").expect("it is ours");
            write(&draft, "last");
            write(&draft, "first");
            assert!(!target.join("last").exists());
            draft.finish("last").expect("it is whole");
            let mut names: Vec<_> = std::fs::read_dir(&target).expect("it is there").flatten().collect();
            names.retain(|name| name.file_name() != "deep");
            assert_eq!(names.len(), 2);
            assert!(before.is_none_or(|before| before == number(&target)));
            assert_eq!(target.metadata().expect("it is there").mode() & 0o777, 0o700, "keys are in it");
        }
    }

    #[test]
    fn what_was_begun_is_gone_on_with_and_is_in_nobodys_way() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let draft = Draft::open(folder.path(), "heliu-test").expect("it is ours");
        write(&draft, "key");
        drop(draft);
        assert!(is_free(folder.path()).expect("it reads"));
        let again = Draft::open(folder.path(), "heliu-test").expect("it is ours");
        assert!(again.path().join("key").exists());
        again.finish("key").expect("it is whole");
        assert!(!is_free(folder.path()).expect("it reads"));
    }
}
