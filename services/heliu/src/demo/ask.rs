//! Commands as the people of the story give them, and what can go wrong with the demo.

use std::collections::BTreeMap;
use std::fmt::Display;

use heliu_record::command::{CommandId, Refusal, Request};
use heliu_record::id::RecordId;
use heliu_storage::StoreError;
use heliu_trust::directory::DirectoryError;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::{Say, say};

/// A command that is still to be given an id and somebody who asks for it.
pub struct Ask {
    name: &'static str,
    subject: Option<RecordId>,
    arguments: BTreeMap<String, String>,
    reason: &'static str,
}

impl Ask {
    pub fn new(name: &'static str) -> Self {
        Ask { name, subject: None, arguments: BTreeMap::new(), reason: "" }
    }

    /// A command that sets one field.
    pub fn set(record: RecordId, field: &str, value: &str) -> Self {
        Ask::new("record.set").of(record).with("field", field).with("value", value)
    }

    pub fn of(self, record: RecordId) -> Self {
        Ask { subject: Some(record), ..self }
    }

    pub fn with(mut self, name: &str, value: impl Display + Copy) -> Self {
        self.arguments.insert(name.to_owned(), value.to_string());
        self
    }

    /// The record that it is about.
    pub fn subject(&self) -> Option<RecordId> {
        self.subject
    }

    pub fn because(self, reason: &'static str) -> Self {
        Ask { reason, ..self }
    }

    pub fn request(self, id: CommandId, who: String) -> Request {
        let Ask { name, subject, arguments, reason } = self;
        Request { id, name: name.to_owned(), subject, arguments, who, reason: reason.to_owned(), on_behalf: None }
    }
}

/// Why the demo ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Told in full already: a file, a directory, a limit of the system.
    #[error("{}", .0.what.en)]
    Told(Box<Failure>),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{place}: {error}")]
    Node { place: String, error: String },
    #[error("{place} refused {command}: {refusal}")]
    Refused { place: String, command: String, refusal: Box<Refusal> },
    #[error("after {seconds} s, {what}")]
    Stuck { what: String, seconds: u64 },
    #[error("interrupted")]
    Interrupted,
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Fault::Told(Box::new(failure))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let code = match &fault {
            Fault::Interrupted => "interrupted",
            Fault::Stuck { .. } => "stuck",
            _ => "demo",
        };
        let failure = Failure::new(Exit::Failed, code, say!("演示未能完成", "the demo did not come to its end"));
        match fault {
            Fault::Told(failure) => *failure,
            Fault::Store(error) => error.into(),
            Fault::Refused { place, command, refusal } => {
                let Refusal { what, why, .. } = *refusal;
                failure
                    .why(say!("{place} 拒绝了 {command}", "{place} refused {command}"))
                    .why(Say { zh: format!("{} {}", what.zh, why.zh), en: format!("{} {}", what.en, why.en) })
            }
            Fault::Stuck { .. } => failure.why(Say::verbatim(fault.to_string())).next(say!(
                "机器可能过于繁忙:请关掉别的程序再试;若仍如此,请带上以上文字报告",
                "the machine may be too busy: try again with less else running; if it stays, report it with these words"
            )),
            Fault::Interrupted => failure.why(say!("已被中断", "it was interrupted")),
            Fault::Directory(error) => failure.why(error.words().into()),
            Fault::Node { .. } => failure.why(Say::verbatim(fault.to_string())),
        }
    }
}
