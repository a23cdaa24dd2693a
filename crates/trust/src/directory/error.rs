//! Why an entry does not become part of a directory. One variant per rule.

use heliu_record::codec::DecodeError;
use heliu_record::id::SeatId;
use heliu_record::seats::BadSeat;

use crate::id::{DirectoryVersion, NodeId, TokenId};
use crate::signature::PublicKey;

/// Why an entry does not become part of the log. Nothing of it is applied then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("the entry is of another realm")]
    WrongRealm,
    #[error("the entry is of another county")]
    WrongCounty,
    #[error("key {}, which signed the entry, is not the root's, the issuer's or an active cosigner's", .0.short())]
    ForeignSigner(PublicKey),
    #[error("a signature of the entry does not match")]
    BadSignature,
    /// Not a fault: earlier entries have to come first.
    #[error("entry {found} came, where {expected} was due")]
    Gap { expected: u64, found: u64 },
    /// There are two signed entries for one place: the directory must not grow until the root has decided.
    #[error("a second, different entry {index} is signed: the directory is forked")]
    Forked { index: u64 },
    /// Harmless: the root has since decided for another entry.
    #[error("the root has decided against entry {index}, or for what was built on another")]
    Settled { index: u64 },
    #[error("the entry keeps no bounds: {0}")]
    Bounds(#[from] DecodeError),

    #[error("{0} needs the root's signature")]
    NeedsRoot(&'static str),
    #[error("the entry needs the signature of the issuer or the root")]
    NeedsIssuer,
    #[error("{0} needs a second signature, of an active cosigner")]
    NeedsSecond(&'static str),

    #[error(transparent)]
    Seat(#[from] BadSeat),
    #[error("the county's own seat comes first, and no other seat is without a parent")]
    CountyFirst,
    #[error("the first entry names no issuer")]
    NoIssuer,
    #[error("seat {0} would not be below its parent's tier")]
    Tier(String),
    #[error("the seat {} that is to have nodes enrolled does not exist", .0.short())]
    DelegateSeat(SeatId),

    #[error("node {} is already enrolled", .0.short())]
    NodeTwice(NodeId),
    #[error("node {} is fenced: it needs a new key to be enrolled again", .0.short())]
    NodeFenced(NodeId),
    #[error("node {} is enrolled for a seat that does not exist", .0.short())]
    NodeSeat(NodeId),
    #[error("the id of node {} is not that of its key", .0.short())]
    NodeKey(NodeId),
    #[error("node {} is not enrolled", .0.short())]
    NoNode(NodeId),

    #[error("join token {} is used up", .0.short())]
    TokenUsed(TokenId),
    #[error("node {} may not enrol nodes for this seat", .0.short())]
    MayNotEnrol(NodeId),
    #[error("the signature of join token {} does not match", .0.short())]
    TokenSignature(TokenId),

    #[error("version {} cannot be abandoned: the entry is built on it", .0.short())]
    AbandonsOwn(DirectoryVersion),
    #[error("the first entry cannot be replaced")]
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
}
