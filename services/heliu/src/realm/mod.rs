//! Realms and nodes on disk: what `init` and `join` make and `node` reads. Keys are in `key_file`, the log of the directory
//! in `directory_file`; `node_dir` writes the directory that a node runs in, `make` puts a whole realm together, and
//! `draft` sees to it that nothing is left half made.

pub mod directory_file;
pub mod draft;
pub mod key_file;
pub mod make;
pub mod node_dir;
pub mod regions;

use std::path::Path;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::complain;
use crate::text::{say, tr};

/// Writes a new file durably, for its owner alone; an existing one stays as it is and is an error.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    heliu_disk::write_new(path, bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => Failure::file(path, &error),
    })
}

/// Nothing that somebody may need is written over.
pub fn exists(path: &Path) -> Failure {
    let path = path.display();
    Failure::new(
        Exit::Failed,
        "file_exists",
        say!("{path} 已经存在,没有覆盖", "{path} is there already and is not written over"),
    )
    .next(say!("请换一个文件名,或先把它移走", "name another file, or move that one away first"))
}

/// Puts a file in the place of another, whole or not at all; for its owner alone.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    heliu_disk::replace(path, bytes).map_err(|error| Failure::file(path, &error))
}

/// An existing folder that becomes a realm's or a node's: its keys are to be in it. Told, since somebody let others in.
pub fn take_over(folder: &Path) -> Result<(), Failure> {
    let closed = heliu_disk::tighten(folder).map_err(|error| {
        let shown = folder.display();
        Failure::file(folder, &error).next(say!(
            "请用只属于自己的目录;或由其属主运行 chmod 700 {shown}",
            "use a folder of your own, or have its owner run chmod 700 {shown}"
        ))
    })?;
    if let Some(mode) = closed {
        let shown = crate::text::clean(&folder.display().to_string());
        complain(&tr!(
            "注意:{shown} 的权限原为 {mode:03o},已收紧为只有属主可用。\n",
            "note: {shown} had mode {mode:03o}; it is for its owner alone now.\n"
        ));
    }
    Ok(())
}
