//! The built `heliu`: where it is, and building it if it is missing or older than what it is made of.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The binary of this test's own profile. It is a link of our own: a build that somebody starts meanwhile does not
/// replace it under running tests.
pub fn heliu() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let built = profile().join("heliu");
        if is_stale(&built) {
            build();
        }
        own(&built)
    })
}

/// The root of the workspace.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// `target/debug` of `target/debug/deps/end_to_end_tests-0123`.
fn profile() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let folder = test.parent().and_then(Path::parent).expect("a test is in the deps of its profile");
    folder.to_owned()
}

/// Whether something that cargo says it is made of is newer.
fn is_stale(binary: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|file| file.modified());
    let (Ok(built), Ok(made_of)) = (changed(binary), std::fs::read_to_string(binary.with_extension("d"))) else {
        return true;
    };
    let is_older = |at: SystemTime| at <= built;
    let sources = made_of.split_whitespace().skip(1).map(PathBuf::from);
    let locked = repository().join("Cargo.lock");
    !sources.chain([locked]).all(|source| changed(&source).is_ok_and(is_older))
}

fn build() {
    let profile = profile();
    let name = profile.file_name().and_then(|name| name.to_str()).expect("profiles have plain names");
    let name = if name == "debug" { "dev" } else { name };
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "heliu", "--profile", name]).current_dir(repository());
    let status = command.status().expect("cargo runs");
    assert!(status.success(), "heliu does not build: {command:?} ended with {status}");
}

fn own(built: &Path) -> PathBuf {
    let folder = profile().with_file_name("tmp").join(format!("end-to-end-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("target/tmp is ours");
    let own = folder.join("heliu");
    if std::fs::hard_link(built, &own).is_err() {
        std::fs::copy(built, &own).expect("the binary can be copied");
    }
    sweep(&folder);
    own
}

/// Takes away what earlier runs left: nothing of this process outlives it.
fn sweep(own: &Path) {
    let Some(Ok(folders)) = own.parent().map(std::fs::read_dir) else { return };
    for folder in folders.flatten().map(|folder| folder.path()) {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(process) = name.strip_prefix("end-to-end-") else { continue };
        if Path::new("/proc/self").exists() && !Path::new("/proc").join(process).exists() {
            // Another run may be sweeping as well.
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}
