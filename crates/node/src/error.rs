//! Why an operation of a node failed: one enum for each, and in Chinese what a store says of itself in English.

use std::net::SocketAddr;
use std::time::Duration;

use heliu_record::command::Refusal;
use heliu_storage::StoreError;
use heliu_trust::directory::DirectoryError;
use heliu_trust::id::NodeId;

/// Why a node does not start. Nothing is left behind but directory entries that were verified.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{0} can be reached from other machines, and development mode has neither encryption nor access tokens: listen on \
         a loopback address such as 127.0.0.1:7340, or start the node with TLS"
    )]
    NotLoopback(SocketAddr),
    #[error("an upstream or peer has no address: give at least one as host:port, or remove it")]
    NoAddress,
    #[error("the node's certificate: {0}. Restore both files, or remove both and start again: others are made")]
    Certificate(#[from] crate::certificate::CertificateError),
    #[error("{address:?} is not an address to dial: give it as host:port, such as 127.0.0.1:7340")]
    BadAddress { address: String },
    #[error("cannot listen on {address}: {why}. Stop what uses it, or choose another port")]
    Listen { address: SocketAddr, why: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "directory entry {index}, kept in the store, cannot be read: restore the store, or begin with an empty one"
    )]
    DirectoryUnreadable { index: u64 },
    #[error("directory entry {index} is not valid: {why}. Check that store, realm and issuer belong together")]
    Directory { index: u64, why: DirectoryError },
    #[error("node {} is not in the directory: have its county's administrator enrol it, then start with that directory", .0.short())]
    NotEnrolled(NodeId),
    #[error("the key is of scheme {key}, the verifier of scheme {verifier}")]
    Scheme { key: &'static str, verifier: &'static str },
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Why a command was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error("{0}")]
    Refused(Refusal),
    /// Nothing of it happened.
    #[error("the store takes no writes: {0}")]
    StoreFailed(StoreError),
    #[error("this node is shutting down and takes no more commands")]
    ShuttingDown,
    /// Whether it was carried out is not known: repeat it with the same command id.
    #[error("the node stopped before it could answer; whether the command was carried out is not known")]
    Stopped,
}

/// Why something that an administrator ordered was not done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OrderError {
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// Directory entries that do not follow.
    #[error("{0}")]
    BadEntries(String),
    #[error("the store takes no writes: {0}")]
    StoreFailed(StoreError),
    #[error("this node is shutting down")]
    ShuttingDown,
    #[error("the node stopped before it could answer; whether it was done is not known")]
    Stopped,
    #[error("the system gives no random bytes")]
    Random,
}

/// Why a machine did not become a node.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JoinError {
    /// The codes are those of [`heliu_trust::token::JoinError`] and of [`heliu_replication::Reply::JoinRefused`]. With
    /// `join.pending` the request is kept.
    #[error("{reason} ({code})")]
    Refused { code: String, reason: String },
    #[error("the store takes no writes: {0}")]
    StoreFailed(StoreError),
    #[error("this node is shutting down")]
    ShuttingDown,
    #[error("the node stopped before it could answer")]
    Stopped,
}

/// Why a question about the node was not answered.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AskError {
    #[error("the node has stopped")]
    Stopped,
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("no link to {0:?}: give a node id (8 digits of it or more) or a region code, as `heliu peers` shows them")]
    NoSuchPeer(String),
}

/// Why a shutdown was not a clean one.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ShutdownError {
    /// Commands that were not answered may or may not have been carried out.
    #[error("not everything was done within {} s: {unanswered} commands were not answered", after.as_secs_f32())]
    Deadline { after: Duration, unanswered: usize },
    #[error("the node had failed before: {0}")]
    Failed(String),
}

/// What a system said is repeated as it was said.
pub(crate) fn in_chinese(error: &StoreError) -> String {
    match error {
        StoreError::Full { path } => format!("{path} 所在的磁盘已满"),
        StoreError::Quota { path, mib } => format!("{path} 已达到配额 {mib} MiB(store.quota_mib)"),
        StoreError::InUse { path } => format!("{path} 正被另一个进程使用"),
        StoreError::TooNew { path, found, known } => format!("{path} 的格式版本 {found} 高于本程序认识的 {known}"),
        StoreError::Damaged { detail, .. } => format!("数据已损坏({detail})"),
        StoreError::Io { detail, .. } => format!("读写失败({detail})"),
    }
}
