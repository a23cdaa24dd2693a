//! What a verb answers: on standard output, and how it ended. What is piped into `head` ends quietly; everything else that
//! goes wrong is a failure.

use std::io::{self, ErrorKind};
use std::process::ExitCode;

use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::Stream;
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
    done(Stream::Out.write(text))
}

/// On one line, so that a script can take it line by line.
pub fn print_json(value: &Value) -> Result<Done, Failure> {
    done(Stream::Out.write_json(value))
}

fn done(written: io::Result<()>) -> Result<Done, Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Failed, "output", say!("无法写到标准输出", "cannot write to standard output"))
                .because(error))
        }
        Ok(()) | Err(_) => Ok(Done::Well),
    }
}
