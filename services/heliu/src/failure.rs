//! Why a verb did not do what was asked: what happened, why, what to do next, and the exit code that says which sort it
//! is. Shown once, by `main`.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use heliu_client::{Error as ClientError, Explanation};
use heliu_storage::StoreError;
use heliu_tls::small_file::BadFile;
use tonic::Code;

use crate::text::{Say, clean, say};

/// Stable: scripts go by it. Documented in `heliu --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did not work out, or two ends are not equal.
    Failed = 1,
    Usage = 2,
    Unreachable = 3,
    /// By a rule, or for lack of authority.
    Refused = 4,
    Store = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    pub what: Say,
    /// One line each; often one, sometimes a list of rows.
    pub why: Vec<Say>,
    pub next: Option<Box<Say>>,
    /// Stable, for `--json`.
    pub code: String,
}

impl Failure {
    pub fn new(exit: Exit, code: &str, what: Say) -> Self {
        Failure { exit, what, why: Vec::new(), next: None, code: code.to_owned() }
    }

    pub fn usage(what: Say) -> Self {
        Failure::new(Exit::Usage, "usage", what)
    }

    pub fn why(mut self, why: Say) -> Self {
        self.why.push(why);
        self
    }

    pub fn because(self, error: impl Display) -> Self {
        self.why(Say::verbatim(error.to_string()))
    }

    pub fn next(mut self, next: Say) -> Self {
        self.next = Some(Box::new(next));
        self
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        let shown = path.display();
        let failure = Failure::new(Exit::Failed, "file", say!("无法使用文件 {shown}", "cannot use {shown}"));
        match error.kind() {
            std::io::ErrorKind::StorageFull => {
                failure.because(error).next(say!("磁盘已满:请清理后重试", "free some space, then try again"))
            }
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::IsADirectory => {
                Failure::bad_file(path, &BadFile::of(error))
            }
            _ => failure.because(error),
        }
    }

    /// A file that is not what it should be.
    pub fn bad_file(path: &Path, why: &BadFile) -> Self {
        let path = path.display();
        let failure = Failure::new(Exit::Failed, "file", say!("无法使用文件 {path}", "cannot use {path}"));
        let (failure, next) = (failure.why(why.what().into()), Say::from(why.next()));
        if next.is_empty() { failure } else { failure.next(next) }
    }

    /// What people read, in the language of the process.
    pub fn told(&self) -> String {
        let label = say!("错误", "error");
        let mut told = format!("{}: {}\n", label.now(), clean(self.what.now()));
        for why in &self.why {
            told.push_str(&format!("  {}\n", clean(why.now())));
        }
        if let Some(next) = &self.next {
            let label = say!("怎么办", "what to do");
            told.push_str(&format!("{}: {}\n", label.now(), clean(next.now())));
        }
        told
    }

    pub fn json(&self) -> serde_json::Value {
        let why: Vec<&str> = self.why.iter().map(Say::now).collect();
        serde_json::json!({"error": {
            "code": self.code, "what": self.what.now(), "why": why, "next": self.next.as_deref().map(Say::now),
        }})
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let (what, next) = match &error {
            ClientError::Refused { refusal } => (both(&refusal.what), both(&refusal.next)),
            _ => (both(&error.what()), both(&error.next())),
        };
        let mut failure = Failure::new(exit_of(&error), error.reason(), what);
        if let ClientError::Refused { refusal } = &error {
            failure.why.extend(Some(both(&refusal.why)).filter(|why| !why.is_empty()));
        }
        if let Some(field) = error.field() {
            failure = failure.why(say!("参数:{field}", "field: {field}"));
        }
        if !next.is_empty() {
            failure = failure.next(next);
        }
        failure
    }
}

fn both(said: &Explanation) -> Say {
    Say { zh: said.zh.clone(), en: said.en.clone() }
}

fn exit_of(error: &ClientError) -> Exit {
    match error {
        ClientError::AccessFile { why: BadFile::NotPermitted, .. } => Exit::Refused,
        ClientError::Address { .. }
        | ClientError::Access { .. }
        | ClientError::AccessFile { .. }
        | ClientError::AccessMode { .. } => Exit::Usage,
        ClientError::Untrusted { .. } => Exit::Refused,
        ClientError::Unreachable { .. } | ClientError::TimedOut { .. } => Exit::Unreachable,
        ClientError::Foreign { .. } | ClientError::Failed { .. } => Exit::Failed,
        ClientError::Refused { .. } => match error.code() {
            _ if matches!(error.reason(), "read_only" | "record_damaged" | "store_failed" | "store") => Exit::Store,
            Code::InvalidArgument | Code::OutOfRange => Exit::Usage,
            Code::ResourceExhausted | Code::DataLoss => Exit::Store,
            Code::NotFound | Code::Unavailable | Code::Internal | Code::Unknown => Exit::Failed,
            _ => Exit::Refused,
        },
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = |code: &str, what: Say| Failure::new(Exit::Store, code, what);
        match &error {
            StoreError::Full { path } => failure("store_full", say!("{path} 所在的磁盘已满", "no space is left where {path} is kept"))
                .why(say!("已写入的都在,没有丢失", "everything that was acknowledged is there; nothing is lost"))
                .next(say!("请腾出空间后再启动节点", "free some space, then start the node again")),
            StoreError::InUse { path } => failure("store_in_use", say!("{path} 正被另一个进程使用", "{path} is in use by another process"))
                .why(say!("一个存储同时只能由一个节点使用", "only one node at a time may use a store"))
                .next(say!(
                    "请先停掉那个节点(heliu status 可看它是谁),或给本节点另一个 data_dir",
                    "stop that node first (heliu status says which it is), or give this one a data_dir of its own"
                )),
            StoreError::TooNew { path, found, known } => failure(
                "store_too_new",
                say!("{path} 的格式版本是 {found},本程序最多认识 {known}", "{path} has format version {found}, this program knows up to {known}"),
            )
            .next(say!("请使用更新的 heliu", "use a newer heliu")),
            StoreError::Damaged { what, detail } => {
                failure("store_damaged", say!("存储已损坏:{what}", "the store is damaged: {what}")).because(detail).next(say!(
                    "请停用此目录,从备份恢复;或用空的 data_dir 启动,数据会从上级同步回来",
                    "put this directory aside and restore a backup, or start with an empty data_dir: the data comes back from the superior"
                ))
            }
            StoreError::Io { what, detail } => failure("store_io", say!("无法读写存储({what})", "the store cannot be used ({what})"))
                .because(detail)
                .next(say!("请检查路径、权限和磁盘", "check the path, its permissions and the disk")),
        }
    }
}
