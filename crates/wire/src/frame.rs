//! Frames of a link, from and to protobuf. Writing cannot fail; reading refuses whatever is beyond the limits of the wire
//! version or not in its one valid form, and takes what a later version may add as something to ignore.

mod checked;
mod comparing;
mod declaring;
mod error;

use heliu_record::hash::Sum;
use heliu_record::id::{LeafHash, RecordId};
use heliu_replication::frame::{
    Frame, Hello, JoinRefused, Leaves, Refuse, RefuseCode, RefusedLeaf, Statements, Welcome, limits,
};
use heliu_storage::Cursor;
use heliu_trust::directory::SignedEntry;
use heliu_trust::id::DirectoryVersion;

use self::checked::{at_most, bytes, cut, entries, no_longer, text};
use self::comparing::{to_possession, to_reconcile, to_verdict};
use self::declaring::{from_declared, from_digests, tag, to_digests};
pub use self::error::FrameError;
use crate::leaves;
use crate::replication as pb;
use crate::replication::frame::Frame as PbFrame;

/// What both ends set as tonic's limit for a decoded and an encoded message of a link: the largest frame, and room for
/// what is around its payload.
pub const MESSAGE_BYTES_MAX: usize = limits::FRAME_BYTES + 64 * 1024;

const PROGRAM_BYTES: usize = 128;
const CODE_BYTES: usize = 64;

impl From<&Frame> for pb::Frame {
    fn from(frame: &Frame) -> Self {
        let frame = match frame {
            Frame::Hello(hello) => PbFrame::Hello(hello.into()),
            Frame::Refuse(Refuse { code, reason }) => {
                PbFrame::Refuse(pb::Refuse { code: *code as i32, reason: cut(reason, limits::REASON_BYTES) })
            }
            Frame::Directory(entries) => {
                PbFrame::Directory(pb::Directory { entries: entries.iter().map(SignedEntry::encode).collect() })
            }
            Frame::Welcome(welcome) => PbFrame::Welcome(welcome.into()),
            Frame::Reconcile(reconcile) => PbFrame::Reconcile(reconcile.into()),
            Frame::Have(have) => PbFrame::Have(have.into()),
            Frame::Possession(possession) => PbFrame::Possession(possession.into()),
            Frame::Leaves(leaves) => PbFrame::Leaves(leaves.into()),
            Frame::Outside(outside) => PbFrame::Outside(outside.into()),
            Frame::Ack { sequence } => PbFrame::Ack(pb::Ack { sequence: *sequence }),
            Frame::Refused(leaves) => PbFrame::Refused(pb::Refused { leaves: leaves.iter().map(Into::into).collect() }),
            Frame::Checkpoint(checkpoint) => PbFrame::Checkpoint(checkpoint.into()),
            Frame::Verdict(verdict) => {
                PbFrame::Verdict(pb::Verdict { comparison: pb::Comparison::from(*verdict).into() })
            }
            Frame::Statements(statements) => PbFrame::Statements(statements.into()),
            Frame::Join(request) => PbFrame::Join(pb::Join { request: request.clone() }),
            Frame::JoinRefused(refused) => PbFrame::JoinRefused(refused.into()),
            Frame::Clock(now_ms) => PbFrame::Clock(pb::Clock { now_ms: *now_ms }),
            Frame::Unknown => return pb::Frame { frame: None },
        };
        pb::Frame { frame: Some(frame) }
    }
}

impl TryFrom<pb::Frame> for Frame {
    type Error = FrameError;

    fn try_from(frame: pb::Frame) -> Result<Self, Self::Error> {
        let Some(frame) = frame.frame else { return Ok(Frame::Unknown) };
        Ok(match frame {
            PbFrame::Hello(hello) => Frame::Hello(hello.try_into()?),
            PbFrame::Refuse(refuse) => Frame::Refuse(refuse.try_into()?),
            PbFrame::Directory(directory) => Frame::Directory(to_entries(&directory)?),
            PbFrame::Welcome(welcome) => Frame::Welcome(welcome.try_into()?),
            PbFrame::Reconcile(reconcile) => to_reconcile(reconcile)?,
            PbFrame::Have(have) => Frame::Have(have.try_into()?),
            PbFrame::Possession(possession) => to_possession(possession)?,
            PbFrame::Leaves(leaves) => Frame::Leaves(leaves.try_into()?),
            PbFrame::Outside(outside) => Frame::Outside(outside.try_into()?),
            PbFrame::Ack(pb::Ack { sequence }) => Frame::Ack { sequence },
            PbFrame::Refused(pb::Refused { leaves }) => {
                at_most("refused leaves", leaves.len(), limits::LEAVES_PER_FRAME)?;
                Frame::Refused(leaves.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
            }
            PbFrame::Checkpoint(checkpoint) => Frame::Checkpoint(checkpoint.try_into()?),
            PbFrame::Verdict(verdict) => to_verdict(verdict).map_or(Frame::Unknown, Frame::Verdict),
            PbFrame::Statements(statements) => Frame::Statements(statements.try_into()?),
            PbFrame::Join(pb::Join { request }) => {
                no_longer("a join request", &request, limits::JOIN_BYTES)?;
                Frame::Join(request)
            }
            PbFrame::JoinRefused(refused) => Frame::JoinRefused(refused.try_into()?),
            PbFrame::Clock(pb::Clock { now_ms }) => Frame::Clock(now_ms),
        })
    }
}

/// The message that the dialling end sends.
impl From<&Frame> for pb::LinkRequest {
    fn from(frame: &Frame) -> Self {
        pb::LinkRequest { frame: Some(frame.into()) }
    }
}

/// The message that the answering end sends.
impl From<&Frame> for pb::LinkResponse {
    fn from(frame: &Frame) -> Self {
        pb::LinkResponse { frame: Some(frame.into()) }
    }
}

impl TryFrom<pb::LinkRequest> for Frame {
    type Error = FrameError;

    fn try_from(message: pb::LinkRequest) -> Result<Self, Self::Error> {
        message.frame.unwrap_or_default().try_into()
    }
}

impl TryFrom<pb::LinkResponse> for Frame {
    type Error = FrameError;

    fn try_from(message: pb::LinkResponse) -> Result<Self, Self::Error> {
        message.frame.unwrap_or_default().try_into()
    }
}

impl From<&Hello> for pb::Hello {
    fn from(hello: &Hello) -> Self {
        pb::Hello {
            realm: hello.realm.0.to_vec(),
            node: hello.node.0.to_vec(),
            store: hello.store.0.to_vec(),
            incarnation: hello.incarnation.0.to_vec(),
            version_min: hello.versions.0,
            version_max: hello.versions.1,
            directory_len: hello.directory_len,
            directory_head: hello.directory_head.0.to_vec(),
            program: cut(&hello.program, PROGRAM_BYTES),
            now_ms: hello.now_ms.unwrap_or_default(),
            kinds: from_digests(&hello.kinds),
        }
    }
}

impl TryFrom<pb::Hello> for Hello {
    type Error = FrameError;

    fn try_from(hello: pb::Hello) -> Result<Self, Self::Error> {
        Ok(Hello {
            realm: heliu_trust::id::RealmId(bytes("the realm", &hello.realm)?),
            node: heliu_trust::id::NodeId(bytes("the node", &hello.node)?),
            store: heliu_storage::StoreId(bytes("the store", &hello.store)?),
            incarnation: heliu_trust::id::Incarnation(bytes("the incarnation", &hello.incarnation)?),
            versions: (hello.version_min, hello.version_max),
            directory_len: hello.directory_len,
            directory_head: DirectoryVersion(bytes("the directory's head", &hello.directory_head)?),
            program: text("the program's version", hello.program, PROGRAM_BYTES)?,
            now_ms: Some(hello.now_ms).filter(|now| *now != 0),
            kinds: to_digests(hello.kinds)?,
        })
    }
}

impl TryFrom<pb::Refuse> for Refuse {
    type Error = FrameError;

    fn try_from(refuse: pb::Refuse) -> Result<Self, Self::Error> {
        let code = match refuse.code() {
            pb::RefuseCode::OtherRealm => RefuseCode::OtherRealm,
            pb::RefuseCode::UnknownNode => RefuseCode::UnknownNode,
            pb::RefuseCode::NoCommonVersion => RefuseCode::NoCommonVersion,
            pb::RefuseCode::DirectoryForked => RefuseCode::DirectoryForked,
            pb::RefuseCode::Itself => RefuseCode::Itself,
            pb::RefuseCode::ShuttingDown => RefuseCode::ShuttingDown,
            pb::RefuseCode::StoreFailed => RefuseCode::StoreFailed,
            pb::RefuseCode::Fenced => RefuseCode::Fenced,
            pb::RefuseCode::WrongIdentity => RefuseCode::WrongIdentity,
            // A code of a later version still ends the link, in its own words.
            pb::RefuseCode::Protocol | pb::RefuseCode::Unspecified => RefuseCode::Protocol,
        };
        Ok(Refuse { code, reason: text("the reason", refuse.reason, limits::REASON_BYTES)? })
    }
}

fn to_entries(directory: &pb::Directory) -> Result<Vec<SignedEntry>, FrameError> {
    at_most("directory entries", directory.entries.len(), limits::DIRECTORY_ENTRIES_PER_FRAME)?;
    directory.entries.iter().map(|entry| SignedEntry::decode(entry).map_err(FrameError::Directory)).collect()
}

impl From<&Welcome> for pb::Welcome {
    fn from(welcome: &Welcome) -> Self {
        pb::Welcome {
            cursor: welcome.cursor.as_ref().map(|cursor| pb::Cursor {
                store: cursor.store.0.to_vec(),
                incarnation: cursor.incarnation.0.to_vec(),
                position: cursor.position,
            }),
            known_of_you: welcome.known_of_you.as_ref().map(|signed| signed.encode()),
            statements: welcome.statements.0.to_vec(),
        }
    }
}

impl TryFrom<pb::Welcome> for Welcome {
    type Error = FrameError;

    fn try_from(welcome: pb::Welcome) -> Result<Self, Self::Error> {
        let cursor = |cursor: pb::Cursor| -> Result<Cursor, FrameError> {
            Ok(Cursor {
                store: heliu_storage::StoreId(bytes("the cursor's store", &cursor.store)?),
                incarnation: heliu_trust::id::Incarnation(bytes("the cursor's incarnation", &cursor.incarnation)?),
                position: cursor.position,
            })
        };
        let known = |encoded: Vec<u8>| -> Result<_, FrameError> {
            let signed = heliu_trust::commit::SignedCommit::decode(&encoded);
            Ok(std::sync::Arc::new(signed.map_err(FrameError::KnownCommit)?))
        };
        Ok(Welcome {
            cursor: welcome.cursor.map(cursor).transpose()?,
            known_of_you: welcome.known_of_you.map(known).transpose()?,
            statements: Sum(bytes("the sum of statements", &welcome.statements)?),
        })
    }
}

impl From<&Leaves> for pb::Leaves {
    fn from(leaves: &Leaves) -> Self {
        let packed = leaves::pack(&leaves.delivery);
        let packing = match packed.packing {
            leaves::Packing::Plain => pb::Packing::Plain,
            leaves::Packing::Zstd => pb::Packing::Zstd,
        };
        pb::Leaves {
            sequence: leaves.sequence,
            through: leaves.through,
            packing: packing.into(),
            raw_bytes: packed.raw_bytes as u64,
            delivery: packed.bytes,
            withdrawn: leaves.withdrawn.iter().flat_map(|id| id.0).collect(),
            declared: from_declared(&leaves.delivery),
        }
    }
}

impl TryFrom<pb::Leaves> for Leaves {
    type Error = FrameError;

    fn try_from(leaves: pb::Leaves) -> Result<Self, Self::Error> {
        let packing = match leaves.packing() {
            pb::Packing::Plain => leaves::Packing::Plain,
            pb::Packing::Zstd => leaves::Packing::Zstd,
            pb::Packing::Unspecified => return Err(FrameError::Missing("a packing that this version knows")),
        };
        let raw_bytes = usize::try_from(leaves.raw_bytes).unwrap_or(usize::MAX);
        let packed = leaves::Packed { packing, raw_bytes, bytes: leaves.delivery };
        let mut left = limits::LEAVES_PER_FRAME;
        let withdrawn = entries::<32>("withdrawn records", &leaves.withdrawn, &mut left, limits::LEAVES_PER_FRAME)?;
        let mut delivery = leaves::unpack(&packed)?;
        tag(&mut delivery, &leaves.declared)?;
        Ok(Leaves {
            sequence: leaves.sequence,
            delivery,
            withdrawn: withdrawn.iter().map(|id| RecordId(*id)).collect(),
            through: leaves.through,
        })
    }
}

impl From<&RefusedLeaf> for pb::RefusedLeaf {
    fn from(refused: &RefusedLeaf) -> Self {
        pb::RefusedLeaf {
            leaf: refused.leaf.0.to_vec(),
            code: cut(&refused.code, CODE_BYTES),
            reason: cut(&refused.reason, limits::REASON_BYTES),
        }
    }
}

impl TryFrom<pb::RefusedLeaf> for RefusedLeaf {
    type Error = FrameError;

    fn try_from(refused: pb::RefusedLeaf) -> Result<Self, Self::Error> {
        Ok(RefusedLeaf {
            leaf: LeafHash(bytes("a leaf hash", &refused.leaf)?),
            code: text("a reason code", refused.code, CODE_BYTES)?,
            reason: text("a reason", refused.reason, limits::REASON_BYTES)?,
        })
    }
}

impl From<&Statements> for pb::Statements {
    fn from(statements: &Statements) -> Self {
        let Statements { have, reply, statements } = statements;
        pb::Statements { have: have.concat(), reply: *reply, statements: statements.clone() }
    }
}

impl TryFrom<pb::Statements> for Statements {
    type Error = FrameError;

    fn try_from(statements: pb::Statements) -> Result<Self, Self::Error> {
        let pb::Statements { have, reply, statements } = statements;
        let mut left = limits::STATEMENTS_PER_HAVE;
        let have = entries::<8>("statements held", &have, &mut left, limits::STATEMENTS_PER_HAVE)?.to_vec();
        at_most("statements", statements.len(), limits::STATEMENTS_PER_FRAME)?;
        statements.iter().try_for_each(|one| no_longer("a statement", one, limits::STATEMENT_BYTES))?;
        Ok(Statements { have, reply, statements })
    }
}

impl From<&JoinRefused> for pb::JoinRefused {
    fn from(refused: &JoinRefused) -> Self {
        pb::JoinRefused {
            token: refused.token.to_vec(),
            code: cut(&refused.code, CODE_BYTES),
            reason: cut(&refused.reason, limits::REASON_BYTES),
        }
    }
}

impl TryFrom<pb::JoinRefused> for JoinRefused {
    type Error = FrameError;

    fn try_from(refused: pb::JoinRefused) -> Result<Self, Self::Error> {
        Ok(JoinRefused {
            token: bytes("a token", &refused.token)?,
            code: text("a reason code", refused.code, CODE_BYTES)?,
            reason: text("a reason", refused.reason, limits::REASON_BYTES)?,
        })
    }
}

#[cfg(test)]
mod tests;
