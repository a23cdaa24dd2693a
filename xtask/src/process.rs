//! Starting other programs, always from the root of the workspace, and saying what was run when one fails.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace, wherever the command was typed.
pub fn root() -> PathBuf {
    // What cargo says now, not what it said at compile time: two checkouts may share one target folder.
    let xtask = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&xtask).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// `cargo` of the toolchain that runs us, with these arguments.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()), arguments);
    // `cargo run` tells its child about xtask's own package. Some build scripts (ring's) watch these variables and
    // would run again each time a developer changes between `cargo test` and `cargo xtask test`.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Any other program, with these arguments.
pub fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Runs to the end; the error names the command as one would type it.
pub fn run(mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("cannot start {}: {error}", typed(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", typed(&command))) }
}

/// Like [`run`], and also shows every line of standard output to `look`.
pub fn run_watching(mut command: Command, mut look: impl FnMut(&str)) -> Result<(), String> {
    let spawned = command.stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| format!("cannot start {}: {error}", typed(&command)))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            look(&line);
        }
    }
    let status = child.wait().map_err(|error| format!("lost {}: {error}", typed(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", typed(&command))) }
}

/// Whether the program is there and answers; says nothing.
pub fn works(mut command: Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The trimmed standard output of a program that ended well.
pub fn output(mut command: Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn typed(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program()).to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    let words: Vec<_> = std::iter::once(name).chain(arguments).collect();
    format!("`{}`", words.join(" "))
}
