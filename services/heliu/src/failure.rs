//! Why a verb did not do what was asked: what happened, why, what to do next, and the exit code that says which sort it
//! is. Shown once, by `main`.

use std::borrow::Borrow;
use std::fmt::Display;
use std::path::Path;

use heliu_client::{Error as ClientError, Sort};
use heliu_disk::small_file::BadFile;
use heliu_record::reason::Reason;
use heliu_storage::StoreError;

use crate::exit::Exit;
use crate::text::{Say, clean, reasons, say};

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

    /// With what the system or a library said, marked as that. What we have words for is no error of these.
    pub fn because(self, error: impl Display) -> Self {
        self.why(say!("系统原话:“{error}”", "in the system's words: {error}"))
    }

    pub fn next(mut self, next: Say) -> Self {
        self.next = Some(Box::new(next));
        self
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let shown = path.display();
        let exit = match error.kind() {
            Kind::InvalidFilename => Exit::Usage,
            Kind::StorageFull | Kind::QuotaExceeded | Kind::ReadOnlyFilesystem => Exit::Store,
            _ => Exit::Failed,
        };
        let failure = Failure::new(exit, "file", say!("无法使用文件 {shown}", "cannot use {shown}"));
        match error.kind() {
            Kind::StorageFull => {
                failure.because(error).next(say!("磁盘已满:请清理后重试", "free some space, then try again"))
            }
            Kind::QuotaExceeded => failure.because(error).next(say!(
                "已达到此用户的磁盘配额:请清理,或请管理员调大",
                "this user's disk quota is reached: make space in it, or have it raised"
            )),
            Kind::NotFound | Kind::NotADirectory | Kind::PermissionDenied | Kind::IsADirectory => {
                Failure::bad_file(path, &BadFile::of(error))
            }
            _ => failure.because(error),
        }
    }

    /// A file that is not what it should be.
    pub fn bad_file(path: &Path, why: &BadFile) -> Self {
        let path = path.display();
        let exit = match why {
            BadFile::NotPermitted => Exit::Refused,
            BadFile::System(_) => Exit::Failed,
            _ => Exit::Usage,
        };
        let failure = Failure::new(exit, "file", say!("无法使用文件 {path}", "cannot use {path}"));
        let (failure, next) = (failure.why(why.what().into()), Say::from(why.next()));
        if next.is_empty() { failure } else { failure.next(next) }
    }

    /// With the words for a reason, and what to do about it.
    pub fn of(reason: impl Borrow<Reason>) -> Self {
        let reason = reason.borrow();
        let failure = Failure::usage(reasons::words(reason));
        match reasons::next(reason) {
            Some(next) => failure.next(next.into()),
            None => failure,
        }
    }

    /// All of it as one text, where it is one of many.
    pub fn in_one(self) -> Say {
        let ends = |text: &str| text.is_empty() || text.ends_with(['。', '.', ':', ':', ';', ';', ')', ')']);
        let mut said = self.what;
        for why in self.why.iter().chain(self.next.as_deref()) {
            said.zh.push_str(if ends(&said.zh) { "" } else { ";" });
            said.zh.push_str(&why.zh);
            said.en.push_str(if ends(&said.en) { " " } else { "; " });
            said.en.push_str(&why.en);
        }
        said
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
            ClientError::Refused { refusal } => (refusal.what.clone(), refusal.next.clone()),
            _ => (error.what(), error.next()),
        };
        let mut failure = Failure::new(exit_of(&error), error.reason(), what.into());
        if let ClientError::Refused { refusal } = &error {
            failure.why.extend(Some(Say::from(refusal.why.clone())).filter(|why| !why.is_empty()));
        }
        if let Some(field) = error.field() {
            let known = FIELDS.iter().find(|(code, _)| *code == field);
            let zh = known.map_or(field, |(_, zh)| zh);
            failure = failure.why(say!("参数:{zh}", "field: {field}"));
        }
        let next = Say::from(next);
        if !next.is_empty() {
            failure = failure.next(next);
        }
        failure
    }
}

/// What people read for the fields of requests that a node finds fault with.
const FIELDS: &[(&str, &str)] = &[
    ("id", "编号"),
    ("subject", "所针对的记录"),
    ("command", "命令"),
    ("command_id", "命令编号"),
    ("kind", "种类"),
    ("record", "记录"),
    ("refers_to", "所引用的记录"),
    ("after", "游标"),
    ("limit", "条数"),
    ("path", "位置"),
    ("peer", "对端"),
    ("seat", "席位"),
    ("who", "经办人"),
    ("why", "事由"),
    ("reason", "事由"),
];

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
        ClientError::Refused { refusal } => match refusal.sort {
            Sort::Usage => Exit::Usage,
            Sort::Missing | Sort::Failed => Exit::Failed,
            Sort::Refused => Exit::Refused,
            Sort::Busy => Exit::Busy,
            Sort::Away => Exit::Unreachable,
            Sort::Store => Exit::Store,
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
            StoreError::Quota { path, mib } => failure(
                "store_quota",
                say!("{path} 已达到配额 {mib} MiB", "{path} has reached its quota of {mib} MiB"),
            )
            .why(say!("已写入的都在,没有丢失", "everything that was acknowledged is there; nothing is lost"))
            .next(say!(
                "请调大 heliu.toml 的 store.quota_mib(0 为不限),再启动节点",
                "raise store.quota_mib in heliu.toml (0: no limit), then start the node again"
            )),
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
                failure("store_damaged", say!("存储已损坏", "the store is damaged: {what}")).because(detail).next(say!(
                    "请停用此目录,从备份恢复;或用空的 data_dir 启动,数据会从上级同步回来",
                    "put this directory aside and restore a backup, or start with an empty data_dir: the data comes back from the superior"
                ))
            }
            StoreError::Io { what, detail } => failure("store_io", say!("无法读写存储", "the store cannot be used ({what})"))
                .because(detail)
                .next(say!("请检查路径、权限和磁盘", "check the path, its permissions and the disk")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind as Kind;

    use heliu_client::CallRefusal;
    use tonic::Code;

    use super::*;

    #[test]
    fn the_same_sort_of_thing_has_the_same_exit_code_whatever_carried_it() {
        let refused = |code, sort| {
            let refusal = Box::new(CallRefusal::new(code, "x", "x", "x").sort(sort));
            Failure::from(ClientError::Refused { refusal }).exit
        };
        // One gRPC code stands for several things.
        assert_eq!(refused(Code::ResourceExhausted, Sort::Busy), Exit::Busy);
        assert_eq!(refused(Code::ResourceExhausted, Sort::Store), Exit::Store);
        assert_eq!(refused(Code::Unavailable, Sort::Away), Exit::Unreachable);
        assert_eq!(refused(Code::Unavailable, Sort::Store), Exit::Store);
        let file = |kind: Kind| Failure::file(Path::new("x"), &kind.into()).exit;
        assert_eq!((file(Kind::NotFound), file(Kind::StorageFull)), (Exit::Usage, Exit::Store));
        let full = StoreError::Full { path: "x".to_owned() };
        let quota = StoreError::Quota { path: "x".to_owned(), mib: 64 };
        for (error, says) in [(full, "free some space"), (quota, "store.quota_mib")] {
            let failure = Failure::from(error);
            let next = failure.next.as_deref().map(|next| next.en.clone()).unwrap_or_default();
            assert!(failure.exit == Exit::Store && next.contains(says), "{next}");
        }
    }

    #[test]
    fn every_exit_code_is_in_the_help() {
        let help = crate::usage::command().render_help().to_string();
        // Long lines are broken for the terminal.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for exit in Exit::ALL {
            let line = format!(" {} {}", exit as u8, crate::text::labelled(exit.means()));
            assert!(help.contains(&line), "{line} is missing from:\n{help}");
        }
    }
}
