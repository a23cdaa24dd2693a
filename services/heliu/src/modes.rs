//! Who else on this machine could use a node's files: what `doctor` tells and a node that starts makes right.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::failure::Failure;
use crate::layout::LOCAL_ACCESS;
use crate::text::{clean, say};

/// Files that are for their owner alone. (Keys that sign and open are checked, and refused, where they are read.)
fn private(config: &Config) -> Vec<PathBuf> {
    let mut paths = vec![config.data_dir.clone()];
    paths.extend(config.store().files());
    paths.extend([
        config.certificate_key_file.clone(),
        config.access_file.clone(),
        config.file.with_file_name(LOCAL_ACCESS),
    ]);
    paths
}

/// What others may see and must not change: who changes these says what the node does.
fn unchanged(config: &Config) -> Vec<PathBuf> {
    let folder = config.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    vec![config.file.clone(), folder.to_owned(), config.directory_file.clone(), config.certificate_file.clone()]
}

/// Every path that is open to others, with its mode.
fn open(config: &Config) -> Vec<(PathBuf, u32)> {
    let of = |path: PathBuf| Some((heliu_disk::open_to_others(&path).ok()??, path)).map(|(mode, path)| (path, mode));
    let changeable = unchanged(config).into_iter().filter_map(of).filter(|(_, mode)| mode & 0o022 != 0);
    private(config).into_iter().filter_map(of).chain(changeable).collect()
}

/// Whether what a node keeps is for its owner alone.
pub fn check(config: &Config) -> Result<(), Failure> {
    let open = open(config);
    if open.is_empty() {
        return Ok(());
    }
    let why = open.iter().map(|(path, mode)| {
        let path = clean(&path.display().to_string());
        say!("{path} 的权限是 {mode:03o}", "{path} has mode {mode:03o}")
    });
    let paths: Vec<String> = open.iter().map(|(path, _)| clean(&path.display().to_string())).collect();
    let paths = paths.join(" ");
    let mut failure = Failure::usage(say!("本机其他用户也能用", "others on this machine can use them"));
    failure.why.extend(why);
    Err(failure.next(say!("以其属主运行 chmod go-rwx {paths}", "as their owner, run chmod go-rwx {paths}")))
}

/// The store closes its own files; this is the rest of what a node keeps to itself.
pub fn tighten(config: &Config) {
    for path in [&config.certificate_key_file, &config.access_file] {
        match heliu_disk::tighten(path) {
            Ok(None) => {}
            Ok(Some(mode)) => {
                let (path, mode) = (path.display(), format!("{mode:03o}"));
                tracing::warn!(%path, mode, "others on this machine could use this; it is for its owner alone now");
            }
            Err(error) => tracing::warn!(path = %path.display(), %error, "others on this machine can use this"),
        }
    }
}
