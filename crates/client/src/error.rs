//! Why a call failed, in words for people (in both languages) and in a code for programs, and what can be done about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use heliu_api::status::CallRefusal;
use heliu_disk::small_file::BadFile;
use heliu_tls::{ConnectError, NoConnection};
use heliu_words::Explanation;
use tonic::{Code, Status};

/// Of others' words so many characters are repeated.
const QUOTED_CHARS: usize = 200;

/// Displays in English what happened, why, and what to do; [`Error::explain`] says it in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    Address {
        address: String,
        why: BadAddress,
    },
    /// An access file that cannot be used.
    Access {
        path: String,
        why: Explanation,
    },
    /// An access file that cannot be read.
    AccessFile {
        path: String,
        why: BadFile,
    },
    /// An access file that others can read.
    AccessMode {
        path: String,
        mode: u32,
    },
    /// What answers there does not prove to be the node that was wanted.
    Untrusted {
        address: String,
        why: Explanation,
    },
    /// Nobody answers there, or the connection broke. A command may have been carried
    /// out or not: repeat it with the same command id.
    Unreachable {
        address: String,
        why: Explanation,
    },
    /// The node said no, and why.
    Refused {
        refusal: Box<CallRefusal>,
    },
    /// No answer in time. As for [`Error::Unreachable`], a command may have been carried out.
    TimedOut {
        address: String,
        after: Duration,
    },
    /// What is there answers, but not as a node of this version.
    Foreign {
        address: String,
        /// What it said, verbatim.
        why: String,
    },
    /// The node failed, and has no reason of its own for it.
    Failed {
        address: String,
        code: Code,
        why: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadAddress {
    /// Not a host and a port.
    Form,
    /// https: an address alone does not say which node is to answer there; an access file does.
    Tls,
    /// What listens there speaks TLS, and was to be spoken to without.
    Secured,
}

impl Error {
    /// A stable code: the node's own, or `bad_address`, `bad_access`, `access_mode`, `untrusted`,
    /// `unreachable`, `timed_out`, `foreign`, `failed`.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Error::Address { .. } => "bad_address",
            Error::Access { .. } | Error::AccessFile { .. } => "bad_access",
            Error::AccessMode { .. } => "access_mode",
            Error::Untrusted { .. } => "untrusted",
            Error::Unreachable { .. } => "unreachable",
            Error::Refused { refusal } => &refusal.reason,
            Error::TimedOut { .. } => "timed_out",
            Error::Foreign { .. } => "foreign",
            Error::Failed { .. } => "failed",
        }
    }

    /// The gRPC code that stands for it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Error::AccessFile { why: BadFile::NotPermitted, .. } => Code::PermissionDenied,
            Error::Address { .. } | Error::Access { .. } | Error::AccessFile { .. } | Error::AccessMode { .. } => {
                Code::InvalidArgument
            }
            Error::Untrusted { .. } => Code::Unauthenticated,
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

    /// What happened and why.
    #[must_use]
    pub fn what(&self) -> Explanation {
        match self {
            Error::Address { address, why: BadAddress::Form } => {
                say(format!("{address:?} 不是节点地址。"), format!("{address:?} is not the address of a node."))
            }
            Error::Address { address, why: BadAddress::Tls } => say(
                format!("不能仅凭地址 {address} 建立 TLS 连接:它没有说明应由哪个节点应答。"),
                format!("Cannot connect to {address} by its address alone: it does not say which node is to answer."),
            ),
            Error::Address { address, why: BadAddress::Secured } => say(
                format!("{address} 的节点使用加密(TLS),仅凭地址连不上它。"),
                format!("The node at {address} speaks TLS: an address alone does not open it."),
            ),
            Error::Access { path, why } => say(
                format!("不能使用访问文件 {path}:{}。", why.zh),
                format!("The access file {path} cannot be used: {}.", why.en),
            ),
            Error::AccessFile { path, why } => {
                let why = why.what();
                say(
                    format!("不能使用访问文件 {path}:{}。", why.zh),
                    format!("The access file {path} cannot be used: {}.", why.en),
                )
            }
            Error::AccessMode { path, mode } => say(
                format!("不使用访问文件 {path}:其权限是 {mode:03o},别人也能读写它。"),
                format!("The access file {path} is not used: its mode is {mode:03o}, others can read or change it."),
            ),
            Error::Untrusted { address, why } => say(
                format!("{address} 的应答者未能证明自己是所要的节点:{}。", why.zh),
                format!("What answers at {address} has not proven to be the node that was wanted: {}.", why.en),
            ),
            Error::Unreachable { address, why } => say(
                format!("连不上 {address} 的节点:{}。", why.zh),
                format!("Cannot reach a node at {address}: {}.", why.en),
            ),
            Error::Refused { refusal } => join(&refusal.what, &refusal.why),
            Error::TimedOut { address, after } => say(
                format!("{address} 的节点在 {} 秒内没有答复。", after.as_secs_f32()),
                format!("The node at {address} did not answer within {} s.", after.as_secs_f32()),
            ),
            Error::Foreign { address, why } => say(
                format!("{address} 有答复,但不是本程序认识的节点{}。", quoted(why).zh),
                format!("What answers at {address} is not a node that this program understands{}.", quoted(why).en),
            ),
            Error::Failed { address, code, why } => say(
                format!("{address} 的节点出错(gRPC 代码 {}){}。", *code as i32, quoted(why).zh),
                format!("The node at {address} failed (gRPC code {}){}.", *code as i32, quoted(why).en),
            ),
        }
    }

    /// What can be done about it; empty if there is nothing to say.
    #[must_use]
    pub fn next(&self) -> Explanation {
        let (zh, en) = match self {
            Error::Address { why: BadAddress::Form, .. } => {
                ("请写成 主机:端口,例如 127.0.0.1:7340。", "Give it as host:port, such as 127.0.0.1:7340.")
            }
            Error::Address { why: BadAddress::Tls, .. } => (
                "请使用访问文件(*.access);开发模式的节点用 主机:端口 连接。",
                "Use an access file (*.access); a node in development mode is reached as host:port.",
            ),
            Error::Address { why: BadAddress::Secured, .. } => (
                "在它的机器上用 --dir 指明节点的目录;别处用访问文件 --access。--node 只用于开发模式。",
                "On its machine name the node's directory with --dir; from elsewhere use an access file, --access. --node is \
                 for development mode alone.",
            ),
            Error::Access { .. } => {
                ("请从节点管理员处重新取得访问文件。", "Get a new one from the node's administrator.")
            }
            Error::AccessFile { why, .. } => {
                let next = why.next();
                let (zh, en) = if next.zh.is_empty() {
                    (String::new(), String::new())
                } else {
                    (format!("{}。", next.zh), sentence(&next.en))
                };
                return say(zh, en);
            }
            Error::AccessMode { path, .. } => {
                return say(
                    format!("运行 chmod 600 {path};若别人可能已读过,请撤销其中的令牌。"),
                    format!("Run chmod 600 {path}; if others may have read it, have its token revoked."),
                );
            }
            Error::Untrusted { .. } => (
                "请核对地址与访问文件,以及两台机器的时钟;节点身份更换后须重新取得访问文件。",
                "Check the address, the access file and the clocks of both machines. If the node has a new identity, get a \
                 new access file.",
            ),
            Error::Unreachable { .. } => (
                "请检查节点是否在运行(heliu node),地址是否是它监听的地址,中间是否有防火墙。",
                "Check that the node runs there (heliu node), that this is the address it listens on, and \
                 that no firewall is in between.",
            ),
            Error::Refused { refusal } => return refusal.next.clone(),
            Error::TimedOut { .. } => (
                "节点可能繁忙或磁盘缓慢,请看它的日志,稍后再试。",
                "It may be busy or its disk slow: look at its log, and try again.",
            ),
            Error::Foreign { .. } => (
                "请核对地址,以及程序与节点的版本。",
                "Check the address, and that program and node have the same version.",
            ),
            Error::Failed { .. } => ("详情见节点日志。", "Its log says more."),
        };
        say(zh, en)
    }

    /// All of it: what happened, why, and what to do.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        join(&self.what(), &self.next())
    }

    pub(crate) fn unreachable(address: &str, error: &(dyn StdError + 'static)) -> Self {
        let address = address.to_owned();
        let causes = || std::iter::successors(Some(error), |&error: &&'_ (dyn StdError + 'static)| error.source());
        let found = causes().find_map(|error| error.downcast_ref::<ConnectError>());
        if let Some(ConnectError::Refused(failed)) = found {
            return Error::Untrusted { address, why: failed.words.clone() };
        }
        let of_io = || causes().find_map(|error| error.downcast_ref()).map(NoConnection::of);
        let words = found.map_or_else(|| of_io().unwrap_or(NoConnection::Lost).words(), ConnectError::words);
        Error::Unreachable { address, why: words }
    }

    /// An answer without what it is there for.
    pub(crate) fn incomplete(address: &str, what: &str) -> Self {
        Error::Foreign { address: address.to_owned(), why: format!("no {what}") }
    }

    pub(crate) fn of(address: &str, status: &Status, timeout: Duration) -> Self {
        if let Some(refusal) = CallRefusal::of(status) {
            return Error::Refused { refusal: Box::new(refusal) };
        }
        let address = address.to_owned();
        // tonic tells of a connection that broke, and of its own deadline, by what is behind the status.
        let source = StdError::source(status);
        let why = source.map_or_else(|| status.message().to_owned(), root_cause);
        match status.code() {
            Code::DeadlineExceeded => Error::TimedOut { address, after: timeout },
            Code::Cancelled if source.is_some_and(is::<tonic::TimeoutExpired>) => {
                Error::TimedOut { address, after: timeout }
            }
            Code::Unavailable => Error::unreachable(&address, source.unwrap_or(status)),
            Code::Unknown | Code::Cancelled if source.is_some_and(is::<tonic::transport::Error>) => {
                Error::unreachable(&address, source.unwrap_or(status))
            }
            Code::Unimplemented => Error::Foreign { address, why },
            code => Error::Failed { address, code, why },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.explain().en)
    }
}

impl StdError for Error {}

/// Whether an error or one behind it is of a type.
fn is<E: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    error.is::<E>() || error.source().is_some_and(is::<E>)
}

/// The innermost error: "Connection refused" rather than "transport error".
fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

/// What a library or whoever answers said, marked as that, and of some length.
fn quoted(said: &str) -> Explanation {
    let said: String = said.chars().take(QUOTED_CHARS).collect();
    if said.is_empty() {
        say("", "")
    } else {
        say(format!(",原话:“{said}”"), format!(", in its words: \"{said}\""))
    }
}

/// As a sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

pub(crate) fn say(zh: impl Into<Box<str>>, en: impl Into<Box<str>>) -> Explanation {
    Explanation::new(zh, en)
}

fn join(first: &Explanation, then: &Explanation) -> Explanation {
    let en = [&*first.en, &*then.en].join(" ").trim().to_owned();
    say(format!("{}{}", first.zh, then.zh), en)
}
