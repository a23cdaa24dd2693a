//! The commands of the README, of the guide to three machines and of a clerk's day are run as a reader would type them: among the repository's files, with the built `heliu` at
//! hand. All marked fences of a page are one session of a shell, which stops at the first command that fails.
//!
//! Two things differ from what is written: ports are free ones, so that two sessions can go on beside each other; and where
//! a reader starts nodes in terminals of their own, the session does so.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use end_to_end::binary;
use end_to_end::fences::{Block, marked_to_run};
use end_to_end::realm::free_address;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

const SESSION: Duration = Duration::from_secs(100);
const HOST: &str = "127.0.0.";

/// Starts every node that has been made and does not run, and waits until it answers and its links, if it has any, are
/// equal: a reader takes longer than that to type.
const NODES: &str = r#"
start_nodes() {
    for node in */county/ */nodes/*/; do
        [ ! -d "$node" ] || [ -e "$node/said.txt" ] || heliu node --dir "$node" >"$node/said.txt" 2>"$node/log.txt" &
    done
    for node in */county/ */nodes/*/; do
        [ -d "$node" ] || continue
        tries=0
        until heliu verify --dir "$node" >/dev/null 2>&1 || [ $tries -gt 100 ]; do
            sleep 0.2; tries=$((tries + 1))
        done
        heliu status --dir "$node" >/dev/null
    done
}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_english_readme_work() {
    works("README.md", "en").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_chinese_readme_work() {
    works("README.zh-CN.md", "zh").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_machines_come_from_nothing_to_verified_equal_by_the_english_guide() {
    works("deploy/three-machines.md", "en").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_machines_come_from_nothing_to_verified_equal_by_the_chinese_guide() {
    works("deploy/three-machines.zh-CN.md", "zh").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_gets_through_the_day_by_the_english_page() {
    works("docs/a-clerks-day.md", "en").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_gets_through_the_day_by_the_chinese_page() {
    works("docs/a-clerks-day.zh-CN.md", "zh").await;
}

async fn works(page: &str, language: &str) {
    let text = std::fs::read_to_string(binary::repository().join(page));
    let text = text.unwrap_or_else(|error| panic!("{page}: {error}"));
    let blocks = marked_to_run(&text);
    assert!(!blocks.is_empty(), "no command of {page} is marked with <!-- run --> to be run");
    let folder = tempfile::Builder::new().prefix("heliu-readme-").tempdir().expect("a temporary directory");
    let desk = lay_out(folder.path());
    let mut path = std::ffi::OsString::from(folder.path().join("bin"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let log = folder.path().join("session.txt");
    let said = std::fs::File::create(&log).expect("it is ours");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script(&blocks)]).current_dir(desk).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    shell
        .env("PATH", path)
        .env("HELIU_LANG", language)
        .env_remove("HELIU_CONFIG")
        .env_remove("HELIU_NODE")
        .env_remove("HELIU_ACCESS");
    shell.stdout(said.try_clone().expect("a file")).stderr(said);
    let mut session = shell.spawn().expect("there is a shell");
    let group = session.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let ended = tokio::time::timeout(SESSION, session.wait()).await;
    if let Some(group) = group {
        // Its nodes are still there, unless it started none.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let ended = ended.unwrap_or_else(|_| panic!("{page} takes longer than {SESSION:?}:\n{said}"));
    let status = ended.expect("it is our child");
    assert!(status.success(), "a command of {page} failed ({status}):\n{said}");
    // The lines are pasted together, with no time between them: what was written is in the lists that follow.
    let nothing = said.lines().any(|line| matches!(line, "0 in all" | "共 0 条"));
    assert!(!nothing, "a list of {page} does not show what was written before it:\n{said}");
}

/// Each command is shown before it is run, so that a failure says which.
fn script(blocks: &[Block]) -> String {
    let start = |needed| if needed { "set +x; start_nodes; set -x\n" } else { "" };
    let blocks = blocks.iter().map(|block| format!("{}{}\n", start(block.needs_nodes), block.commands));
    let free = with_free_ports(&blocks.collect::<String>());
    format!("set -eu\n{NODES}\nset -x\n{free}")
}

/// The same commands with a free port for each that is named.
fn with_free_ports(commands: &str) -> String {
    let mut free: BTreeMap<&str, u16> = BTreeMap::new();
    let mut parts = commands.split(HOST);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // `2:7340 ...`: the rest of the address, and what follows it.
        let (address, rest) = part.split_at(part.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(part.len()));
        let Some((host, _)) = address.split_once(':') else {
            text.push_str(&format!("{HOST}{part}"));
            continue;
        };
        let port = free.entry(address).or_insert_with(|| free_address().port());
        text.push_str(&format!("{HOST}{host}:{port}{rest}"));
    }
    text
}

/// A directory in which everything of the repository seems to be; what is made in it stays out of the repository.
fn lay_out(folder: &Path) -> PathBuf {
    let (desk, tools) = (folder.join("desk"), folder.join("bin"));
    std::fs::create_dir_all(&desk).expect("the directory is ours");
    std::fs::create_dir_all(&tools).expect("the directory is ours");
    for entry in std::fs::read_dir(binary::repository()).expect("the repository is there").flatten() {
        if entry.file_name() != "target" && entry.file_name() != ".git" {
            let path = entry.path().canonicalize().expect("it is there");
            symlink(path, desk.join(entry.file_name())).expect("the directory is ours");
        }
    }
    symlink(binary::heliu(), tools.join("heliu")).expect("the directory is ours");
    desk
}

#[test]
fn only_what_is_marked_is_taken_and_of_a_console_only_what_was_typed() {
    let page = "# A\n```sh\nnever\n```\n<!-- run -->\n```sh\nheliu init\nheliu list\n```\ntext\n<!-- run: nodes -->\n\n\
        ```console\n$ heliu do x \\\n    y=1\nmade 3fa8\n$ heliu list\n```\n";
    let found = marked_to_run(page);
    let said: Vec<(bool, &str)> = found.iter().map(|block| (block.needs_nodes, block.commands.as_str())).collect();
    assert_eq!(said, [(false, "heliu init\nheliu list"), (true, "heliu do x \\\n    y=1\nheliu list")]);
    for wrong in ["<!-- run -->\ntext\n", "<!-- run: somehow -->\n```sh\n```\n"] {
        assert!(std::panic::catch_unwind(|| marked_to_run(wrong)).is_err(), "{wrong}");
    }
}
