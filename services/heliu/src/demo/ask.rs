//! Commands as the people of the story give them, and what can go wrong with the demo.

use std::collections::BTreeMap;

use heliu_record::command::{CommandId, Refusal, Request};
use heliu_record::id::RecordId;
use heliu_storage::StoreError;
use heliu_trust::directory::DirectoryError;
use heliu_trust::region::RegionError;

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

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.arguments.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn because(self, reason: &'static str) -> Self {
        Ask { reason, ..self }
    }

    pub fn request(self, id: CommandId, who: String) -> Request {
        let Ask { name, subject, arguments, reason } = self;
        Request { id, name: name.to_owned(), subject, arguments, who, reason: reason.to_owned() }
    }
}

/// Why the demo ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{path}: {error}")]
    File { path: String, error: std::io::Error },
    #[error("{path}: {error}")]
    Regions { path: String, error: RegionError },
    #[error("{0} is not empty: give the demo a new or an empty directory with --dir")]
    NotEmpty(String),
    #[error("the demo needs about {needed} open files, and this session may have {allowed}: raise it with `ulimit -n {needed}`")]
    OpenFiles { needed: u64, allowed: u64 },
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{place}: {error}")]
    Node { place: String, error: String },
    #[error("{place} refused {command}: {refusal}")]
    Refused { place: String, command: String, refusal: Box<Refusal> },
    #[error("{0} after {1} s: something is stuck")]
    Stuck(String, u64),
    #[error("interrupted")]
    Interrupted,
}
