//! Why an entry does not become part of a directory. One variant per rule.

use std::fmt;

use heliu_record::codec::DecodeError;
use heliu_record::conflict::Explanation;
use heliu_record::id::SeatId;
use heliu_record::seats::BadSeat;

use crate::id::{DirectoryVersion, NodeId, TokenId};
use crate::signature::PublicKey;

/// Why an entry does not become part of the log. Nothing of it is applied then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryError {
    WrongRealm,
    WrongCounty,
    ForeignSigner(PublicKey),
    BadSignature,
    /// Not a fault: earlier entries have to come first.
    Gap {
        expected: u64,
        found: u64,
    },
    /// There are two signed entries for one place: the directory must not grow until the root has decided.
    Forked {
        index: u64,
    },
    /// Harmless: the root has since decided for another entry.
    Settled {
        index: u64,
    },
    Bounds(DecodeError),

    NeedsRoot(&'static str),
    NeedsIssuer,
    NeedsSecond(&'static str),

    Seat(BadSeat),
    CountyFirst,
    NoIssuer,
    Tier(String),
    DelegateSeat(SeatId),

    NodeTwice(NodeId),
    NodeFenced(NodeId),
    NodeSeat(NodeId),
    NodeKey(NodeId),
    NoNode(NodeId),

    TokenUsed(TokenId),
    MayNotEnrol(NodeId),
    TokenSignature(TokenId),

    AbandonsOwn(DirectoryVersion),
    ReplacesFirst,
}

impl DirectoryError {
    /// Stable, for metrics, peers and operators' programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            DirectoryError::WrongRealm => "directory.wrong-realm",
            DirectoryError::WrongCounty => "directory.wrong-county",
            DirectoryError::ForeignSigner(_) => "directory.foreign-signer",
            DirectoryError::BadSignature => "directory.bad-signature",
            DirectoryError::Gap { .. } => "directory.gap",
            DirectoryError::Forked { .. } => "directory.forked",
            DirectoryError::Settled { .. } => "directory.settled",
            DirectoryError::Bounds(_) => "directory.bounds",
            DirectoryError::NeedsRoot(_) => "directory.needs-root",
            DirectoryError::NeedsIssuer => "directory.needs-issuer",
            DirectoryError::NeedsSecond(_) => "directory.needs-second",
            DirectoryError::Seat(_) => "directory.seat",
            DirectoryError::CountyFirst => "directory.county-first",
            DirectoryError::NoIssuer => "directory.no-issuer",
            DirectoryError::Tier(_) => "directory.tier",
            DirectoryError::DelegateSeat(_) => "directory.delegate-seat",
            DirectoryError::NodeTwice(_) => "directory.node-twice",
            DirectoryError::NodeFenced(_) => "directory.node-fenced",
            DirectoryError::NodeSeat(_) => "directory.node-seat",
            DirectoryError::NodeKey(_) => "directory.node-key",
            DirectoryError::NoNode(_) => "directory.no-node",
            DirectoryError::TokenUsed(_) => "directory.token-used",
            DirectoryError::MayNotEnrol(_) => "directory.may-not-enrol",
            DirectoryError::TokenSignature(_) => "directory.token-signature",
            DirectoryError::AbandonsOwn(_) => "directory.abandons-own",
            DirectoryError::ReplacesFirst => "directory.replaces-first",
        }
    }

    /// For people.
    #[must_use]
    pub fn words(&self) -> Explanation {
        let (zh, en) = match self {
            DirectoryError::WrongRealm => ("条目属于另一个域".to_owned(), "the entry is of another realm".to_owned()),
            DirectoryError::WrongCounty => ("条目属于另一个县".to_owned(), "the entry is of another county".to_owned()),
            DirectoryError::ForeignSigner(key) => (
                format!("条目由密钥 {} 签名,它不是根、签发者或现任副签人的", key.short()),
                format!(
                    "key {}, which signed the entry, is not the root's, the issuer's or an active second signer's",
                    key.short()
                ),
            ),
            DirectoryError::BadSignature => {
                ("条目的签名不符".to_owned(), "a signature of the entry does not match".to_owned())
            }
            DirectoryError::Gap { expected, found } => (
                format!("来的是第 {found} 条,而应为第 {expected} 条"),
                format!("entry {found} came, where {expected} was due"),
            ),
            DirectoryError::Forked { index } => (
                format!("第 {index} 条有两个不同的签名条目,名录有分叉,须由根密钥裁决"),
                format!(
                    "there are two signed entries {index}: the directory is forked, and the root has to decide which one stands"
                ),
            ),
            DirectoryError::Settled { index } => (
                format!("根密钥已裁决不用第 {index} 条,或不用它所依据的条目"),
                format!("the root has decided against entry {index}, or for what was built on another"),
            ),
            DirectoryError::Bounds(_) => (
                "条目超出限度,或写法不合规范".to_owned(),
                "the entry keeps no bounds, or is not written as it should be".to_owned(),
            ),
            DirectoryError::NeedsRoot(_) => {
                ("其中有内容须由根密钥签名".to_owned(), "something in it needs the root's signature".to_owned())
            }
            DirectoryError::NeedsIssuer => (
                "条目须有签发密钥或根密钥的签名".to_owned(),
                "the entry needs the signature of the issuer or the root".to_owned(),
            ),
            DirectoryError::NeedsSecond(_) => (
                "其中有内容须由现任副签人再签一次".to_owned(),
                "something in it needs a second signature, of an active second signer".to_owned(),
            ),
            DirectoryError::Seat(BadSeat::Twice(code)) => {
                (format!("席位 {code} 已在名录中"), format!("seat {code} is already there"))
            }
            DirectoryError::Seat(BadSeat::NoParent(code)) => {
                (format!("席位 {code} 的上级不在名录中"), format!("the parent of seat {code} is not known"))
            }
            DirectoryError::Seat(BadSeat::Code(code)) => {
                (format!("区划代码“{code}”不是 12 位数字"), format!("region code {code} is not 12 digits"))
            }
            DirectoryError::CountyFirst => (
                "县的席位须在最前,其他席位都要有上级".to_owned(),
                "the county's own seat comes first, and no other seat is without a parent".to_owned(),
            ),
            DirectoryError::NoIssuer => {
                ("第一条没有指定签发密钥".to_owned(), "the first entry names no issuer".to_owned())
            }
            DirectoryError::Tier(code) => {
                (format!("席位 {code} 不低于其上级的层级"), format!("seat {code} would not be below its parent's tier"))
            }
            DirectoryError::DelegateSeat(id) => (
                format!("要授权的席位 {} 不存在", id.short()),
                format!("the seat {} that is to have nodes enrolled does not exist", id.short()),
            ),
            DirectoryError::NodeTwice(id) => {
                (format!("节点 {} 已登记", id.short()), format!("node {} is already enrolled", id.short()))
            }
            DirectoryError::NodeFenced(id) => (
                format!("节点 {} 已被隔离,须换新密钥才能再登记", id.short()),
                format!("node {} is fenced: it needs a new key to be enrolled again", id.short()),
            ),
            DirectoryError::NodeSeat(id) => (
                format!("节点 {} 所登记的席位不存在", id.short()),
                format!("node {} is enrolled for a seat that does not exist", id.short()),
            ),
            DirectoryError::NodeKey(id) => (
                format!("节点编号 {} 与其密钥不符", id.short()),
                format!("the id of node {} is not that of its key", id.short()),
            ),
            DirectoryError::NoNode(id) => {
                (format!("节点 {} 没有登记", id.short()), format!("node {} is not enrolled", id.short()))
            }
            DirectoryError::TokenUsed(id) => {
                (format!("入域令牌 {} 已用过", id.short()), format!("join token {} is used up", id.short()))
            }
            DirectoryError::MayNotEnrol(id) => (
                format!("节点 {} 无权为该席位登记节点", id.short()),
                format!("node {} may not enrol nodes for this seat", id.short()),
            ),
            DirectoryError::TokenSignature(id) => (
                format!("入域令牌 {} 的签名不符", id.short()),
                format!("the signature of join token {} does not match", id.short()),
            ),
            DirectoryError::AbandonsOwn(id) => (
                format!("版本 {} 不能放弃:条目建立在它之上", id.short()),
                format!("version {} cannot be abandoned: the entry is built on it", id.short()),
            ),
            DirectoryError::ReplacesFirst => {
                ("第一条不能替换".to_owned(), "the first entry cannot be replaced".to_owned())
            }
        };
        Explanation::new(zh, en)
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().en)
    }
}

impl std::error::Error for DirectoryError {}

impl From<DecodeError> for DirectoryError {
    fn from(error: DecodeError) -> Self {
        DirectoryError::Bounds(error)
    }
}

impl From<BadSeat> for DirectoryError {
    fn from(error: BadSeat) -> Self {
        DirectoryError::Seat(error)
    }
}
