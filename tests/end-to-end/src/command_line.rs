//! Running the built `heliu` as a person does, and reading what it says.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::binary;

/// What a command line said and how it ended.
#[derive(Debug)]
pub struct Said {
    line: String,
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A command of the built binary in English, without anything that this machine's settings would add.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::heliu());
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    for variable in ["HELIU_NODE", "HELIU_ACCESS", "HELIU_CONFIG", "HELIU_JOIN_TOKEN", "RUST_LOG", "LC_ALL", "LANG"] {
        command.env_remove(variable);
    }
    command.env("HELIU_LANG", "en").env("HELIU_WHO", "clerk").current_dir(std::env::temp_dir());
    command
}

/// Runs a command line to its end.
pub async fn heliu(arguments: &[&str]) -> Said {
    run(command(arguments), arguments).await
}

/// As [`heliu`], in a directory.
pub async fn heliu_in(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = command(arguments);
    command.current_dir(folder);
    run(command, arguments).await
}

pub async fn run(mut command: Command, arguments: &[&str]) -> Said {
    let output = command.output().await.expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it speaks UTF-8");
    let line = format!("heliu {}", arguments.join(" "));
    Said { line, code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

impl Said {
    /// Ended with this code (`heliu --help` says what they mean).
    #[track_caller]
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.told());
        self
    }

    /// Answered this on standard output.
    #[track_caller]
    #[must_use]
    pub fn answers(self, phrase: &str) -> Self {
        assert!(self.out.contains(phrase), "no {phrase:?} in the answer of {}", self.told());
        self
    }

    /// Complained so on standard error.
    #[track_caller]
    #[must_use]
    pub fn complains(self, phrase: &str) -> Self {
        assert!(self.err.contains(phrase), "no {phrase:?} in the complaint of {}", self.told());
        self
    }

    /// The one JSON object that it answered.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(self.out.trim()).unwrap_or_else(|error| panic!("{error} in the answer of {}", self.told()))
    }

    fn told(&self) -> String {
        format!("`{}`, which ended with {}\n{}{}", self.line, self.code, self.out, self.err)
    }
}
