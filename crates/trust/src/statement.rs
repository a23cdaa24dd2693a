//! Statements: what a node says outside of records, under its own signature. That a record is erased, and that it has
//! erased it; how far its audit log goes; that somebody signed two things for one place; which keys an audience has. How they travel is
//! `replication`.

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::hash::hash;
use heliu_record::id::{Preimage, RecordId, SeatId};
use heliu_record::seats::Seats;

use crate::audience::{Keys, Purpose};
use crate::audit::AuditHead;
use crate::commit::{self, SIGNED_BYTES_MAX, SignedCommit};
use crate::directory::Directory;
use crate::grant::Recipient;
use crate::id::{NodeId, RealmId};
use crate::signature::{PublicKey, Signature, Signer, Verifier};

/// No valid signed statement is longer.
pub const STATEMENT_BYTES_MAX: usize = 8 * 1024;

/// The encoding's own version, its first byte.
const FORMAT: u8 = 1;
const SIGNED: &[u8; 27] = b"heliu statement signature 1";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub realm: RealmId,
    pub author: NodeId,
    /// Milliseconds since 1970, for display only.
    pub time_ms: i64,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The record is erased, for good and everywhere. The preimage says whose it was, so that nothing else is needed to
    /// judge who may say so. The reason is kept elsewhere: here is its hash at most.
    Tombstone { preimage: Preimage, reason: Option<[u8; 32]> },
    /// How far the author's audit log goes.
    AuditHead(AuditHead),
    /// The author has erased the record: its line in the receipt.
    Erased { record: RecordId },
    /// Two different signed commits of one (author, incarnation, seq), encoded; the one with the lower id first.
    Evidence { first: Vec<u8>, second: Vec<u8> },
    /// Keys of an audience, wrapped to its readers; see [`crate::audience`].
    Keys(Keys),
}

impl Body {
    /// Two commits that were signed for one place, in their order.
    #[must_use]
    pub fn evidence(one: &SignedCommit, other: &SignedCommit) -> Self {
        let (first, second) = if one.id < other.id { (one, other) } else { (other, one) };
        Body::Evidence { first: first.encode(), second: second.encode() }
    }

    /// Stable, for tables and programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Body::Tombstone { .. } => "tombstone",
            Body::AuditHead(_) => "audit_head",
            Body::Erased { .. } => "erased",
            Body::Evidence { .. } => "evidence",
            Body::Keys(_) => "keys",
        }
    }
}

/// Who gets a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Public,
    /// This seat and its superiors.
    Upward(SeatId),
}

impl Audience {
    #[must_use]
    pub fn includes(self, seat: SeatId, seats: &Seats) -> bool {
        match self {
            Audience::Public => true,
            Audience::Upward(from) => seats.is_at_or_above(seat, from),
        }
    }
}

impl Statement {
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.encode_at(self.time_ms)
    }

    /// A hash of what the statement says and of its author, without the time, which is for display only.
    #[must_use]
    pub fn meaning(&self) -> [u8; 32] {
        hash("heliu statement meaning 1", &[&self.encode_at(0)])
    }

    fn encode_at(&self, time_ms: i64) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u8(FORMAT).fixed(&self.realm.0).fixed(&self.author.0).i64(time_ms);
        match &self.body {
            Body::Tombstone { preimage, reason } => {
                out.u8(1).text(&preimage.kind).fixed(&preimage.birth.0).bytes(&preimage.key);
                match reason {
                    None => out.u8(0),
                    Some(reason) => out.u8(1).fixed(reason),
                }
            }
            Body::AuditHead(head) => out.u8(2).varint(head.seq).fixed(&head.hash),
            Body::Erased { record } => out.u8(3).fixed(&record.0),
            Body::Evidence { first, second } => out.u8(4).bytes(first).bytes(second),
            Body::Keys(keys) => {
                keys.write(out.u8(5));
                &mut out
            }
        };
        out.0
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let invalid = |what| Err(DecodeError::Invalid { what });
        if reader.u8()? != FORMAT {
            return invalid("the format of a statement");
        }
        let (realm, author) = (RealmId(reader.fixed()?), NodeId(reader.fixed()?));
        let time_ms = reader.i64()?;
        let body = match reader.u8()? {
            1 => {
                let kind = reader.text("a kind", Preimage::KIND_MAX)?.to_owned();
                let birth = SeatId(reader.fixed()?);
                let key = reader.bytes("a record's key", Preimage::KEY_MAX)?.to_vec();
                let preimage = Preimage { kind, birth, key };
                if !preimage.is_bounded() {
                    return invalid("what a record's id is made of");
                }
                let reason = match reader.u8()? {
                    0 => None,
                    1 => Some(reader.fixed()?),
                    _ => return invalid("the reason of a tombstone"),
                };
                Body::Tombstone { preimage, reason }
            }
            2 => Body::AuditHead(AuditHead { seq: reader.varint()?, hash: reader.fixed()? }),
            3 => Body::Erased { record: RecordId(reader.fixed()?) },
            4 => {
                let first = reader.bytes("a signed commit", SIGNED_BYTES_MAX)?.to_vec();
                let second = reader.bytes("a signed commit", SIGNED_BYTES_MAX)?.to_vec();
                Body::Evidence { first, second }
            }
            5 => Body::Keys(Keys::read(reader)?),
            _ => return invalid("the kind of a statement"),
        };
        Ok(Statement { realm, author, time_ms, body })
    }

    /// The record that this erases, if it does.
    #[must_use]
    pub fn erases(&self) -> Option<RecordId> {
        match &self.body {
            Body::Tombstone { preimage, .. } => Some(preimage.id()),
            Body::AuditHead(_) | Body::Erased { .. } | Body::Evidence { .. } | Body::Keys(_) => None,
        }
    }

    /// The seats that get the statement; none if its author is not known here.
    #[must_use]
    pub fn audience(&self, directory: &Directory) -> Option<Audience> {
        match &self.body {
            Body::Tombstone { .. } => Some(Audience::Public),
            Body::Keys(keys) => Some(Audience::Upward(keys.audience)),
            Body::AuditHead(_) | Body::Erased { .. } | Body::Evidence { .. } => {
                directory.node(self.author).map(|author| Audience::Upward(author.seat))
            }
        }
    }

    /// Whether `other` need not be kept beside this one. Of two heads of one length both are kept: they accuse.
    #[must_use]
    pub fn supersedes(&self, other: &Statement) -> bool {
        match (&self.body, &other.body) {
            (Body::AuditHead(ours), Body::AuditHead(theirs)) => {
                self.realm == other.realm && self.author == other.author && ours.seq > theirs.seq
            }
            _ => false,
        }
    }
}

/// A statement as it travels and is stored. Decoding does not verify; see [`check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedStatement {
    pub statement: Statement,
    /// Of the encoded statement, without the signature.
    pub hash: [u8; 32],
    pub signature: Signature,
}

impl SignedStatement {
    #[must_use]
    pub fn sign(statement: Statement, signer: &dyn Signer) -> Self {
        let hash = hash_of(&statement.encode());
        let signature = signer.sign(&signed_message(&hash));
        SignedStatement { statement, hash, signature }
    }

    /// The statement's encoding, then 64 bytes of signature.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.statement.encode();
        bytes.extend_from_slice(&self.signature.0);
        bytes
    }

    /// Reads untrusted bytes; only a statement within its bounds comes out, and encodes to the same bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > STATEMENT_BYTES_MAX {
            return Err(DecodeError::TooLong { what: "a signed statement", max: STATEMENT_BYTES_MAX });
        }
        let (encoded, signature) = bytes.split_last_chunk().ok_or(DecodeError::Truncated)?;
        let mut reader = Reader(encoded);
        let statement = Statement::read(&mut reader)?;
        reader.end()?;
        Ok(SignedStatement { statement, hash: hash_of(encoded), signature: Signature(*signature) })
    }
}

fn hash_of(encoded: &[u8]) -> [u8; 32] {
    hash("heliu statement 1", &[encoded])
}

fn signed_message(hash: &[u8; 32]) -> [u8; 59] {
    let mut message = [0; 59];
    message[..27].copy_from_slice(SIGNED);
    message[27..].copy_from_slice(hash);
    message
}

/// Why a statement is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    #[error("it is of another realm")]
    WrongRealm,
    #[error("its hash is not that of what it says")]
    WrongHash,
    /// Not a fault: the directory here may have to catch up first.
    #[error("node {} is not enrolled here", .0.short())]
    UnknownNode(NodeId),
    /// Not a fault: the directory here may have to catch up first.
    #[error("seat {} is not known here", .0.short())]
    UnknownSeat(SeatId),
    #[error("its signature does not match")]
    BadSignature,
    #[error("its author {} is fenced", .0.short())]
    Fenced(NodeId),
    #[error("a record is erased by a superior of the seat that it was made for, or by the county")]
    NotSuperior,
    #[error("the keys of an audience are given out by its own line")]
    NotOfLine,
    #[error("the secret of ids is given downward, and by nobody to those above or beside")]
    NotDownward,
    #[error("it does not show two commits that one node signed for one place")]
    NoEvidence,
}

impl StatementError {
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, StatementError::UnknownNode(_) | StatementError::UnknownSeat(_))
    }

    /// Stable, for quarantine, metrics and peers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            StatementError::WrongRealm => "statement.wrong-realm",
            StatementError::WrongHash => "statement.wrong-hash",
            StatementError::UnknownNode(_) => "statement.unknown-node",
            StatementError::UnknownSeat(_) => "statement.unknown-seat",
            StatementError::BadSignature => "statement.bad-signature",
            StatementError::Fenced(_) => "statement.fenced",
            StatementError::NotSuperior => "statement.not-superior",
            StatementError::NotOfLine => "statement.not-of-line",
            StatementError::NotDownward => "statement.not-downward",
            StatementError::NoEvidence => "statement.no-evidence",
        }
    }
}

/// Judges a statement by the newest directory. What a fenced node says of itself is heard; it erases nothing.
pub fn check(
    signed: &SignedStatement,
    directory: &Directory,
    is_fenced: &dyn Fn(NodeId) -> bool,
    verifier: &dyn Verifier,
) -> Result<(), StatementError> {
    let statement = &signed.statement;
    if statement.realm != directory.realm() {
        return Err(StatementError::WrongRealm);
    }
    if hash_of(&statement.encode()) != signed.hash {
        return Err(StatementError::WrongHash);
    }
    let author = directory.node(statement.author).ok_or(StatementError::UnknownNode(statement.author))?;
    if !verifier.verify(&author.key, &signed_message(&signed.hash), &signed.signature) {
        return Err(StatementError::BadSignature);
    }
    match &statement.body {
        Body::Tombstone { .. } if is_fenced(statement.author) => Err(StatementError::Fenced(statement.author)),
        Body::Tombstone { preimage, .. } => check_erasure(author.seat, preimage.birth, directory),
        Body::Evidence { first, second } => check_evidence(first, second, directory, verifier),
        Body::Keys(keys) if directory.seats().get(keys.audience).is_none() => {
            Err(StatementError::UnknownSeat(keys.audience))
        }
        Body::Keys(keys) if !directory.seats().is_at_or_above(author.seat, keys.audience) => {
            Err(StatementError::NotOfLine)
        }
        Body::Keys(keys) if keys.purpose == Purpose::Ids => check_ids(author.seat, keys, directory),
        Body::AuditHead(_) | Body::Erased { .. } | Body::Keys(_) => Ok(()),
    }
}

/// The secret of all nodes goes down: nobody chooses it for those above, or beside.
fn check_ids(author: SeatId, keys: &Keys, directory: &Directory) -> Result<(), StatementError> {
    for wrap in &keys.wraps {
        let Recipient::Node(to) = wrap.to else { return Err(StatementError::NotDownward) };
        let to = directory.node(to).ok_or(StatementError::UnknownNode(to))?;
        if !directory.seats().is_at_or_above(author, to.seat) {
            return Err(StatementError::NotDownward);
        }
    }
    Ok(())
}

/// Whether a node of this seat may erase records that were made for `birth`: a superior, or the county for its own.
pub fn check_erasure(author: SeatId, birth: SeatId, directory: &Directory) -> Result<(), StatementError> {
    let seats = directory.seats();
    if seats.get(birth).is_none() {
        return Err(StatementError::UnknownSeat(birth));
    }
    let is_superior = author != birth && seats.is_at_or_above(author, birth);
    let is_county = author == birth && directory.county() == Some(birth);
    if is_superior || is_county { Ok(()) } else { Err(StatementError::NotSuperior) }
}

fn check_evidence(
    first: &[u8],
    second: &[u8],
    directory: &Directory,
    verifier: &dyn Verifier,
) -> Result<(), StatementError> {
    let read = |bytes| SignedCommit::decode(bytes).map_err(|_| StatementError::NoEvidence);
    let (first, second) = (read(first)?, read(second)?);
    let place = |signed: &SignedCommit| {
        let commit = &signed.commit;
        (commit.realm, commit.author, commit.incarnation, commit.seq)
    };
    // In one order, so that one deed is not told twice.
    if place(&first) != place(&second) || first.commit.realm != directory.realm() || first.id >= second.id {
        return Err(StatementError::NoEvidence);
    }
    let accused = first.commit.author;
    let key = directory.node(accused).ok_or(StatementError::UnknownNode(accused))?.key;
    let messages = [&first, &second].map(|signed| commit::signed_message(&signed.id));
    let items: [(PublicKey, &[u8], Signature); 2] =
        [(key, &messages[0], first.signature), (key, &messages[1], second.signature)];
    if verifier.verify_all(&items) == [true, true] { Ok(()) } else { Err(StatementError::NoEvidence) }
}

#[cfg(test)]
mod tests;
