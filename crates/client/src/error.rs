//! Why a call failed, in words for people and in a code for programs, and what can be done about it.

use std::error::Error as StdError;
use std::time::Duration;

use heliu_wire::status::Refusal;
use tonic::{Code, Status};

/// Displays what happened and why, then, after a full stop, what to do if something can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{address:?} is not the address of a node: {why}. {next}", next = self.next().unwrap_or_default())]
    Address { address: String, why: String },
    /// Nobody answers there, or the connection broke. A command may have been carried out or not: repeat it with the same
    /// command id.
    #[error("cannot reach a node at {address}: {why}. {next}", next = self.next().unwrap_or_default())]
    Unreachable { address: String, why: String },
    /// The node said no, and why.
    #[error("{}", sentence(refusal))]
    Refused { refusal: Box<Refusal> },
    /// No answer in time. As for [`Error::Unreachable`], a command may have been carried out.
    #[error("the node at {address} did not answer within {} s. {next}", after.as_secs(), next = self.next().unwrap_or_default())]
    TimedOut { address: String, after: Duration },
    /// What is there answers, but not as a node of this version.
    #[error("what answers at {address} is not a node that this program understands: {why}. {next}", next = self.next().unwrap_or_default())]
    Foreign { address: String, why: String },
    /// The node failed, and has no reason of its own for it.
    #[error("the node at {address} failed ({code:?}): {why}. {next}", next = self.next().unwrap_or_default())]
    Failed { address: String, code: Code, why: String },
}

impl Error {
    /// A stable code in capitals: the node's own, or one of `BAD_ADDRESS`, `UNREACHABLE`, `TIMED_OUT`, `FOREIGN`, `FAILED`.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Error::Address { .. } => "BAD_ADDRESS",
            Error::Unreachable { .. } => "UNREACHABLE",
            Error::Refused { refusal } => &refusal.reason,
            Error::TimedOut { .. } => "TIMED_OUT",
            Error::Foreign { .. } => "FOREIGN",
            Error::Failed { .. } => "FAILED",
        }
    }

    /// The gRPC code that stands for it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Error::Address { .. } => Code::InvalidArgument,
            Error::Unreachable { .. } => Code::Unavailable,
            Error::Refused { refusal } => refusal.code,
            Error::TimedOut { .. } => Code::DeadlineExceeded,
            Error::Foreign { .. } => Code::Unimplemented,
            Error::Failed { code, .. } => *code,
        }
    }

    /// The field of the request that is wrong, if one is.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        if let Error::Refused { refusal } = self { refusal.field.as_deref() } else { None }
    }

    /// What can be done about it.
    #[must_use]
    pub fn next(&self) -> Option<&str> {
        Some(match self {
            Error::Address { .. } => "Give it as host:port, such as 127.0.0.1:7340",
            Error::Unreachable { .. } => {
                "Check that the node runs there (systemctl status heliu), that the address is the one it listens on, \
                 and that no firewall is between"
            }
            Error::Refused { refusal } => return refusal.next.as_deref(),
            Error::TimedOut { .. } => {
                "It may be busy or its disk slow: look at its log. A command can be repeated with the same command id"
            }
            Error::Foreign { .. } => "Check the address, and that program and node have the same version",
            Error::Failed { .. } => "Its log says more",
        })
    }

    pub(crate) fn unreachable(address: &str, error: &(dyn StdError + 'static)) -> Self {
        Error::Unreachable { address: address.to_owned(), why: root_cause(error) }
    }

    /// An answer without what it is there for.
    pub(crate) fn incomplete(address: &str, what: &str) -> Self {
        Error::Foreign { address: address.to_owned(), why: format!("its answer has no {what}") }
    }

    pub(crate) fn of(address: &str, status: &Status, timeout: Duration) -> Self {
        if let Some(refusal) = Refusal::of(status) {
            return Error::Refused { refusal: Box::new(refusal) };
        }
        let address = address.to_owned();
        // tonic tells of a connection that broke, and of its own deadline, by what is behind the status.
        let why = StdError::source(status).map_or_else(|| status.message().to_owned(), root_cause);
        match status.code() {
            Code::DeadlineExceeded => Error::TimedOut { address, after: timeout },
            Code::Cancelled if status.message().contains("imeout") => Error::TimedOut { address, after: timeout },
            Code::Unavailable => Error::Unreachable { address, why },
            Code::Unknown if StdError::source(status).is_some_and(is_transport) => Error::Unreachable { address, why },
            Code::Unimplemented => {
                let why = if why.is_empty() { "it does not know this call".to_owned() } else { why };
                Error::Foreign { address, why }
            }
            code => Error::Failed { address, code, why },
        }
    }
}

fn is_transport(error: &(dyn StdError + 'static)) -> bool {
    error.is::<tonic::transport::Error>() || error.source().is_some_and(is_transport)
}

/// The innermost error: "Connection refused" rather than "transport error".
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

fn sentence(refusal: &Refusal) -> String {
    let field = refusal.field.as_deref().map(|field| format!(" ({field})")).unwrap_or_default();
    let next = refusal.next.as_deref().map(|next| format!(". {next}")).unwrap_or_default();
    format!("{}{field}{next}", refusal.message)
}
