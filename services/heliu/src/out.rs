//! Standard output. What is piped into `head` ends quietly; everything else that goes wrong with it is a failure.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use crate::failure::{Exit, Failure};
use crate::text::say;

/// How a verb ended that did what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Well,
    /// It answered, and the answer is no: two ends are not equal, rows are wrong.
    No,
    /// It did not work out, and the answer says so already.
    Told(Exit),
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        match done {
            Done::Well => ExitCode::SUCCESS,
            Done::No => Exit::Failed.into(),
            Done::Told(exit) => exit.into(),
        }
    }
}

pub fn print(text: &str) -> Result<Done, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, "output", say!("无法写到标准输出", "cannot write to standard output"))
                .because(error))
        }
        Ok(()) | Err(_) => Ok(Done::Well),
    }
}

/// To standard error. If nobody can be told there, the exit code still says it.
pub fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// On one line, so that a script can take it line by line.
pub fn print_json(value: &Value) -> Result<Done, Failure> {
    print(&format!("{value}\n"))
}
