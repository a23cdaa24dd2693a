//! Why an operation of a node failed: one enum for each, and what people are told of a store that fails.

use std::net::SocketAddr;
use std::time::Duration;

use heliu_record::command::Refusal;
use heliu_record::conflict::Explanation;
use heliu_record::reason::Facts;
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
    #[error("{}", .0.en)]
    BadEntries(Explanation),
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
    #[error("{code}")]
    Refused { code: String, facts: Facts },
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

/// What the system or SQLite said is in the log.
pub(crate) fn in_words(error: &StoreError) -> Explanation {
    match error {
        StoreError::Full { path } => {
            Explanation::new(format!("{path} 所在的磁盘已满"), format!("no space is left where {path} is kept"))
        }
        StoreError::Quota { path, mib } => Explanation::new(
            format!("{path} 已达到配额 {mib} MiB(store.quota_mib)"),
            format!("{path} has reached its quota of {mib} MiB (store.quota_mib)"),
        ),
        StoreError::InUse { path } => {
            Explanation::new(format!("{path} 正被另一个进程使用"), format!("{path} is in use by another process"))
        }
        StoreError::TooNew { path, found, known } => Explanation::new(
            format!("{path} 的格式版本 {found} 高于本程序认识的 {known}"),
            format!("{path} has format version {found}, this program knows up to {known}"),
        ),
        StoreError::Damaged { .. } => {
            Explanation::new("数据已损坏,详情见节点日志", "what is kept there is damaged; the node's log says more")
        }
        StoreError::Io { .. } => {
            Explanation::new("读写磁盘失败,详情见节点日志", "reading or writing failed; the node's log says more")
        }
    }
}
