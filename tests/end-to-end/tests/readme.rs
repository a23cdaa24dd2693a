//! The commands of the README are run as a reader would type them: in the repository's files, with `heliu` at hand, and a
//! small county running.
//!
//! A fence of `sh` or `console` is run if a line `<!-- run -->` stands before it. All marked fences of a page are one
//! session of a shell, which stops at the first command that fails. `cargo run ... -- ARGUMENTS` runs the `heliu` that is
//! built; HELIU_NODE names the county's node; what is started in the background ends with the session.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use end_to_end::binary;
use end_to_end::command_line::heliu;
use end_to_end::fences::marked_to_run;
use end_to_end::realm::Realm;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

const SESSION: Duration = Duration::from_secs(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_english_readme_work() {
    works("README.md", "en").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_chinese_readme_work() {
    works("README.zh-CN.md", "zh").await;
}

async fn works(page: &str, language: &str) {
    let text = std::fs::read_to_string(binary::repository().join(page));
    let text = text.unwrap_or_else(|error| panic!("{page}: {error}"));
    let blocks = marked_to_run(&text);
    assert!(!blocks.is_empty(), "no command of {page} is marked with <!-- run --> to be run");
    let realm = Realm::init(&["C", "-T1", "-V11"]).await;
    let (_node, county) = realm.start("C").await;
    let address = realm.address("C").to_string();
    let regions = realm.regions();
    let _ = heliu(&["import", "orgs", regions.to_str().expect("plain"), "--node", &address]).await.exits(0);
    let branch = county.list("org").await.pop().expect("an organisation").id;
    county.makes("member.register", &[("name", "测试甲0001"), ("branch", &branch)]).await;

    let desk = lay_out(realm.folder());
    let mut path = std::ffi::OsString::from(realm.folder().join("bin"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    // Each command is shown before it is run, so that a failure says which.
    let script = format!("set -eux\n{}\n", blocks.join("\n"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(desk).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    shell.env("PATH", path).env("HELIU_NODE", &address).env("HELIU_LANG", language).env_remove("HELIU_CONFIG");
    let log = std::fs::File::create(realm.folder().join("session.txt")).expect("it is ours");
    shell.stdout(log.try_clone().expect("a file")).stderr(log);
    let mut session = shell.spawn().expect("there is a shell");
    let group = session.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let ended = tokio::time::timeout(SESSION, session.wait()).await;
    if let Some(group) = group {
        // Nobody is left if nothing was started in the background.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let said = std::fs::read_to_string(realm.folder().join("session.txt")).unwrap_or_default();
    let ended = ended.unwrap_or_else(|_| panic!("{page} takes longer than {SESSION:?}:\n{said}"));
    let status = ended.expect("it is our child");
    assert!(status.success(), "a command of {page} failed ({status}):\n{said}");
}

/// A directory in which everything of the repository seems to be, and what is made in it stays out of the repository.
fn lay_out(folder: &Path) -> std::path::PathBuf {
    let (desk, tools) = (folder.join("desk"), folder.join("bin"));
    std::fs::create_dir_all(&desk).expect("the directory is ours");
    std::fs::create_dir_all(&tools).expect("the directory is ours");
    for entry in std::fs::read_dir(binary::repository()).expect("the repository is there").flatten() {
        let path = entry.path().canonicalize().expect("it is there");
        if entry.file_name() != "target" && entry.file_name() != ".git" {
            symlink(path, desk.join(entry.file_name())).expect("the directory is ours");
        }
    }
    symlink(binary::heliu(), tools.join("heliu")).expect("the directory is ours");
    let cargo = tools.join("cargo");
    let stand_in = "#!/bin/sh\n\
        case \"$1 $*\" in 'run '*' -- '*) ;; *) echo \"only cargo run is run here, not: cargo $*\" >&2; exit 2;; esac\n\
        while [ \"$1\" != -- ]; do shift; done\n\
        shift\n\
        exec heliu \"$@\"\n";
    std::fs::write(&cargo, stand_in).expect("the directory is ours");
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    desk
}

#[test]
fn only_what_is_marked_is_taken_and_of_a_console_only_what_was_typed() {
    let page = "# A\n```sh\nnever\n```\n<!-- run -->\n```sh\nheliu status\nheliu peers\n```\ntext\n<!-- run -->\n\n\
        ```console\n$ heliu do x \\\n    y=1\nmade 3fa8\n$ heliu list\n```\n";
    assert_eq!(marked_to_run(page), ["heliu status\nheliu peers", "heliu do x \\\n    y=1\nheliu list"]);
    assert!(std::panic::catch_unwind(|| marked_to_run("<!-- run -->\ntext\n")).is_err(), "a mark before nothing");
}
