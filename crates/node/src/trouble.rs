//! Why a link ended or did not come about, in our own words and both languages. What a library or the other end said of it
//! is kept beside it, for whoever digs deeper; nothing is decided by either.

use std::io::Error as IoError;

use heliu_record::conflict::Explanation;
use heliu_replication::frame::{Refuse, RefuseCode};
use heliu_tls::{ConnectError, NoConnection};
use tonic::{Code, Status};

/// What happened, as operators know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    NothingListens,
    NoAnswer,
    UnknownName,
    NoNetwork,
    /// Another node, or none that can prove who it is.
    OtherIdentity,
    /// The other end's certificate is not valid now, by this machine's clock.
    NotValidNow,
    NoNode,
    NotOpened,
    /// The other end has no room for one more link.
    Full,
    Late,
    Closed,
    Lost,
    TooSlow,
    Refused(RefuseCode),
}

/// A trouble, with what was said of it, verbatim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub trouble: Trouble,
    pub detail: String,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Cause {
    pub fn new(trouble: Trouble, detail: impl Into<String>) -> Self {
        Cause { trouble, detail: detail.into() }
    }

    /// One end refused the other.
    pub fn refused(why: &Refuse) -> Self {
        Cause::new(Trouble::Refused(why.code), format!("{:?}: {}", why.code, why.reason))
    }

    /// No secured connection came about.
    pub fn of_connect(error: &ConnectError) -> Self {
        let trouble = match error {
            ConnectError::Tcp(error) => of_io(error),
            ConnectError::Silent => Trouble::NoAnswer,
            ConnectError::Slow => Trouble::Late,
            ConnectError::Refused(failed) => match failed.code {
                "closed" | "handshake" => Trouble::Closed,
                "not_tls" | "not_http2" => Trouble::NoNode,
                "other_realm" => Trouble::Refused(RefuseCode::OtherRealm),
                "expired" | "not_yet_valid" => Trouble::NotValidNow,
                _ => Trouble::OtherIdentity,
            },
        };
        Cause::new(trouble, error.to_string())
    }

    /// No connection came about, as a library says it.
    pub fn of_transport(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        let trouble = causes.find_map(|error| error.downcast_ref::<IoError>()).map_or(Trouble::Lost, of_io);
        Cause::new(trouble, root_cause(error))
    }

    /// A link that was up ended with this.
    pub fn of_status(status: &Status) -> Self {
        let trouble = match status.code() {
            Code::DeadlineExceeded => Trouble::Late,
            Code::OutOfRange | Code::ResourceExhausted => Trouble::Refused(RefuseCode::Protocol),
            _ => Trouble::Lost,
        };
        Cause::new(trouble, root_cause(status))
    }
}

fn of_io(error: &IoError) -> Trouble {
    match NoConnection::of(error) {
        NoConnection::NothingListens => Trouble::NothingListens,
        NoConnection::NoAnswer => Trouble::NoAnswer,
        NoConnection::UnknownName => Trouble::UnknownName,
        NoConnection::NoNetwork => Trouble::NoNetwork,
        NoConnection::Closed => Trouble::Closed,
        NoConnection::Lost => Trouble::Lost,
    }
}

/// The innermost reason: "Connection refused" rather than "transport error".
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

impl Trouble {
    /// Stable, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Trouble::NothingListens => "nothing_listens",
            Trouble::NoAnswer => "no_answer",
            Trouble::UnknownName => "unknown_name",
            Trouble::NoNetwork => "no_network",
            Trouble::OtherIdentity => "other_identity",
            Trouble::NotValidNow => "not_valid_now",
            Trouble::NoNode => "no_node",
            Trouble::NotOpened => "not_opened",
            Trouble::Full => "full",
            Trouble::Late => "late",
            Trouble::Closed => "closed",
            Trouble::Lost => "lost",
            Trouble::TooSlow => "too_slow",
            Trouble::Refused(code) => match code {
                RefuseCode::OtherRealm => "other_realm",
                RefuseCode::UnknownNode => "unknown_node",
                RefuseCode::NoCommonVersion => "no_common_version",
                RefuseCode::DirectoryForked => "directory_forked",
                RefuseCode::Protocol => "protocol",
                RefuseCode::Itself => "itself",
                RefuseCode::ShuttingDown => "shutting_down",
                RefuseCode::Fenced => "fenced",
                RefuseCode::WrongIdentity => "wrong_identity",
                RefuseCode::StoreFailed => "store_failed",
            },
        }
    }

    /// For people.
    #[must_use]
    pub fn words(self) -> Explanation {
        let (zh, en) = match self {
            Trouble::NothingListens => return NoConnection::NothingListens.words(),
            Trouble::NoAnswer => return NoConnection::NoAnswer.words(),
            Trouble::UnknownName => return NoConnection::UnknownName.words(),
            Trouble::NoNetwork => return NoConnection::NoNetwork.words(),
            Trouble::Closed => return NoConnection::Closed.words(),
            Trouble::Lost => return NoConnection::Lost.words(),
            Trouble::OtherIdentity => (
                "应答的不是所要的节点,或其证书不可用(请核对地址)",
                "what answers there is not the node that was wanted, or its certificate is of no use (check the address)",
            ),
            Trouble::NotValidNow => (
                "对方的证书此刻无效(请核对两边时钟)",
                "the other end's certificate is not valid at this time (compare both clocks)",
            ),
            Trouble::NoNode => (
                "应答的不是节点,或是未加密的开发模式节点",
                "what answers there is no node, or one in development mode without encryption",
            ),
            Trouble::NotOpened => (
                "已连上,但对方没有接受链路;可能不认本节点的证书(请核对两边时钟,详见对方的日志)",
                "it was reached and did not take the link; it may refuse this node's certificate (compare both clocks; its log \
                 says why)",
            ),
            Trouble::Full => ("对方的链路已满,稍后重试", "it has as many links as it takes; it is tried again"),
            Trouble::Late => ("已连上,但对方没有按时应答", "it was reached and did not answer in time"),
            Trouble::TooSlow => (
                "对方收得太慢,已断开重连,从断处接着传",
                "the other end takes too little of what is sent: the link is made again and goes on where it was",
            ),
            Trouble::Refused(code) => of_refusal(code),
        };
        Explanation::new(zh, en)
    }
}

fn of_refusal(code: RefuseCode) -> (&'static str, &'static str) {
    match code {
        RefuseCode::OtherRealm => {
            ("两端不属于同一个域,请核对地址", "the two ends are not of one realm: check the address")
        }
        RefuseCode::UnknownNode => {
            ("名录里没有这个节点,须先由县级登记", "the directory has no such node: the county has to enrol it first")
        }
        RefuseCode::NoCommonVersion => {
            ("两端程序版本不相容,请升级较旧的一端", "the two programs have no version in common: upgrade the older one")
        }
        RefuseCode::DirectoryForked => (
            "两端的名录有分叉,须由县级管理员裁决",
            "the directories of the two are forked: the county's administrator must decide",
        ),
        RefuseCode::Protocol => (
            "收到的内容不合协议;若再次出现,请附两端版本上报",
            "what came is not of this protocol; if it comes again, report it with both versions",
        ),
        RefuseCode::Itself => (
            "地址指向本节点自己,请从配置中去掉",
            "the address leads to this node itself: remove it from the configuration",
        ),
        RefuseCode::ShuttingDown => ("一端正在停止,恢复后会自动连上", "one end shuts down; it is tried again"),
        RefuseCode::Fenced => ("节点已被县级隔离,请联系县级", "the county has fenced the node: ask the county"),
        RefuseCode::WrongIdentity => {
            ("对方自称的节点与其证书不符", "the other end says to be another node than its certificate proves")
        }
        RefuseCode::StoreFailed => {
            ("一端的存储无法写入,恢复后会自动连上", "the store of one end takes no writes; it is tried again")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_library_says_is_told_in_our_words_and_kept_beside_them() {
        let refused = ConnectError::Tcp(IoError::from_raw_os_error(111));
        let cause = Cause::of_connect(&refused);
        assert_eq!(cause.trouble, Trouble::NothingListens);
        assert!(cause.detail.contains("os error 111") && !cause.trouble.words().en.contains("os error"));
        let broken = Status::unknown("h2 protocol error: error reading a body from connection");
        let cause = Cause::of_status(&broken);
        assert_eq!((cause.trouble.code(), &*cause.trouble.words().en), ("lost", "the connection broke"));
        assert!(cause.detail.contains("h2 protocol error"));
        let resolver = ConnectError::Tcp(IoError::other("failed to lookup address information"));
        assert_eq!(Cause::of_connect(&resolver).trouble, Trouble::UnknownName);
    }

    #[test]
    fn the_words_are_of_one_language() {
        let codes = [
            RefuseCode::OtherRealm,
            RefuseCode::UnknownNode,
            RefuseCode::NoCommonVersion,
            RefuseCode::DirectoryForked,
            RefuseCode::Protocol,
            RefuseCode::Itself,
            RefuseCode::ShuttingDown,
            RefuseCode::Fenced,
            RefuseCode::WrongIdentity,
            RefuseCode::StoreFailed,
        ];
        let others = [
            Trouble::NothingListens,
            Trouble::NoAnswer,
            Trouble::UnknownName,
            Trouble::NoNetwork,
            Trouble::OtherIdentity,
            Trouble::NoNode,
            Trouble::NotOpened,
            Trouble::Full,
            Trouble::Late,
            Trouble::Closed,
            Trouble::Lost,
            Trouble::TooSlow,
        ];
        for trouble in codes.map(Trouble::Refused).into_iter().chain(others) {
            let words = trouble.words();
            assert!(!words.zh.bytes().any(|byte| byte.is_ascii_alphabetic()), "{words:?}");
            assert!(words.en.is_ascii() && !trouble.code().is_empty(), "{words:?}");
        }
    }
}
