//! Join tokens: how a machine that nobody knows yet becomes a node of one seat, once. A node of the county, or of a seat
//! that may enrol, mints a token; the new machine asks with it in its own name; the issuer's node judges the request and
//! enters it into the directory. No clock and no randomness here: `now` and the id are arguments.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::hash::hash;
use heliu_record::id::SeatId;
use heliu_record::reason::{Fact, Facts};

use crate::directory::item::{check_addresses, check_text, read_addresses, write_addresses};
use crate::directory::{Approval, Directory, Item, limits};
use crate::id::{NodeId, RealmId, TokenId, node_id, realm_id};
use crate::signature::{PublicKey, SealingKey, Signature, Signer, Verifier};

/// What the text of a token begins with.
pub const PREFIX: &str = "heliu-join-1.";
/// No token is longer as text.
pub const TEXT_MAX: usize = 2 * 1024;
/// No encoded join request is longer.
pub const REQUEST_MAX: usize = 6 * 1024;
/// The longest name of a realm that a token can carry.
pub const REALM_NAME_BYTES: usize = 200;

const FORMAT: u8 = 1;
const CHECKSUM: usize = 4;

/// The right to enrol one node for one seat. Whoever has it can use it, once: it is passed on like a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinToken {
    pub realm_name: String,
    /// The realm's root key. With the name it gives the realm's id, and by it the new machine checks the directory it gets.
    pub root: PublicKey,
    pub seat: SeatId,
    /// Of the seat, to show; not signed.
    pub seat_code: String,
    pub seat_name: String,
    pub id: TokenId,
    pub expires_ms: i64,
    /// Signing key of the node that minted the token.
    pub minter: PublicKey,
    /// Where the minter can be reached; not signed.
    pub addresses: Vec<String>,
    pub signature: Signature,
}

/// Why a text is not a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenTextError {
    #[error("it does not begin with {PREFIX}")]
    NotAToken,
    #[error("it is longer than a token can be")]
    TooLong,
    /// Something was left out, added or mistyped.
    #[error("it was not copied whole or has a typing error")]
    Typo,
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
}

impl TokenTextError {
    /// Stable, for people's programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            TokenTextError::NotAToken => "token.not-a-token",
            TokenTextError::TooLong => "token.too-long",
            TokenTextError::Typo => "token.typo",
            TokenTextError::Unreadable(_) => "token.unreadable",
        }
    }
}

impl JoinToken {
    /// A token for a seat of the directory, minted by a node with this key. `None` if there is no such seat.
    #[must_use]
    pub fn mint(
        directory: &Directory,
        realm_name: &str,
        seat: SeatId,
        id: TokenId,
        expires_ms: i64,
        addresses: Vec<String>,
        minter: &dyn Signer,
    ) -> Option<Self> {
        let seat = directory.seats().get(seat)?;
        let unsigned = JoinToken {
            realm_name: realm_name.to_owned(),
            root: directory.root(),
            seat: seat.id,
            seat_code: seat.code.clone(),
            seat_name: seat.name.clone(),
            id,
            expires_ms,
            minter: minter.public_key(),
            addresses,
            signature: Signature([0; 64]),
        };
        let signature = minter.sign(&unsigned.approval(minter.scheme()).message(unsigned.realm(), seat.id));
        Some(JoinToken { signature, ..unsigned })
    }

    #[must_use]
    pub fn realm(&self) -> RealmId {
        realm_id(&self.root, &self.realm_name)
    }

    /// What the directory is to keep of it. `scheme` is that of the realm; see [`Signer::scheme`].
    #[must_use]
    pub fn approval(&self, scheme: &str) -> Approval {
        let minter = node_id(scheme, &self.minter);
        Approval { token: self.id, expires_ms: self.expires_ms, minter, signature: self.signature }
    }

    pub fn check(&self) -> Result<(), DecodeError> {
        check_text(&self.realm_name, "the name of a realm", REALM_NAME_BYTES)?;
        check_text(&self.seat_code, "a region code", 12)?;
        check_text(&self.seat_name, "the name of a seat", limits::NAME_BYTES)?;
        check_addresses(&self.addresses)
    }

    fn write(&self, out: &mut Encoder) {
        out.u8(FORMAT).text(&self.realm_name).fixed(&self.root.0);
        out.fixed(&self.seat.0).text(&self.seat_code).text(&self.seat_name);
        out.fixed(&self.id.0).i64(self.expires_ms).fixed(&self.minter.0);
        write_addresses(out, &self.addresses);
        out.fixed(&self.signature.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.u8()? != FORMAT {
            return Err(DecodeError::Invalid { what: "the format of a join token" });
        }
        let token = JoinToken {
            realm_name: reader.text("the name of a realm", REALM_NAME_BYTES)?.to_owned(),
            root: PublicKey(reader.fixed()?),
            seat: SeatId(reader.fixed()?),
            seat_code: reader.text("a region code", 12)?.to_owned(),
            seat_name: reader.text("the name of a seat", limits::NAME_BYTES)?.to_owned(),
            id: TokenId(reader.fixed()?),
            expires_ms: reader.i64()?,
            minter: PublicKey(reader.fixed()?),
            addresses: read_addresses(reader)?,
            signature: Signature(reader.fixed()?),
        };
        token.check()?;
        Ok(token)
    }

    /// The text that people copy. Refused if names and addresses make it too long; see [`TEXT_MAX`].
    pub fn to_text(&self) -> Result<String, TokenTextError> {
        self.check()?;
        let mut out = Encoder::default();
        self.write(&mut out);
        let checksum = checksum(&out.0);
        out.fixed(&checksum);
        let text = format!("{PREFIX}{}", BASE64.encode(&out.0));
        if text.len() > TEXT_MAX { Err(TokenTextError::TooLong) } else { Ok(text) }
    }

    /// Reads what somebody pasted, with line breaks perhaps. A token that reads is whole, but nobody has verified it.
    pub fn from_text(text: &str) -> Result<Self, TokenTextError> {
        if text.len() > 2 * TEXT_MAX {
            return Err(TokenTextError::TooLong);
        }
        let text: String = text.split_whitespace().collect();
        let encoded = text.strip_prefix(PREFIX).ok_or(TokenTextError::NotAToken)?;
        if text.len() > TEXT_MAX {
            return Err(TokenTextError::TooLong);
        }
        let bytes = BASE64.decode(encoded).map_err(|_| TokenTextError::Typo)?;
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(TokenTextError::Typo)?;
        if *sum != checksum(body) {
            return Err(TokenTextError::Typo);
        }
        let mut reader = Reader(body);
        let token = JoinToken::read(&mut reader)?;
        reader.end()?;
        Ok(token)
    }
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    let hash = hash("heliu join token checksum 1", &[body]);
    [hash[0], hash[1], hash[2], hash[3]]
}

/// What a new machine asks with, in the name of the key that it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    pub token: JoinToken,
    pub key: PublicKey,
    pub sealing: SealingKey,
    /// Where others are to reach the new node.
    pub addresses: Vec<String>,
    /// By the new key, so that only its owner can ask with it.
    pub signature: Signature,
}

impl JoinRequest {
    #[must_use]
    pub fn sign(token: JoinToken, sealing: SealingKey, addresses: Vec<String>, key: &dyn Signer) -> Self {
        let signature = Signature([0; 64]);
        let unsigned = JoinRequest { token, key: key.public_key(), sealing, addresses, signature };
        JoinRequest { signature: key.sign(&unsigned.message()), ..unsigned }
    }

    fn message(&self) -> [u8; 32] {
        let mut out = Encoder::default();
        self.write_unsigned(&mut out);
        hash("heliu join request 1", &[&out.0])
    }

    fn write_unsigned(&self, out: &mut Encoder) {
        out.u8(FORMAT);
        self.token.write(out);
        out.fixed(&self.key.0).fixed(&self.sealing.0);
        write_addresses(out, &self.addresses);
    }

    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        self.write_unsigned(&mut out);
        out.fixed(&self.signature.0);
        out.0
    }

    /// Reads untrusted bytes; only a request within its bounds comes out, and encodes to the same bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > REQUEST_MAX {
            return Err(DecodeError::TooLong { what: "a join request", max: REQUEST_MAX });
        }
        let mut reader = Reader(bytes);
        if reader.u8()? != FORMAT {
            return Err(DecodeError::Invalid { what: "the format of a join request" });
        }
        let request = JoinRequest {
            token: JoinToken::read(&mut reader)?,
            key: PublicKey(reader.fixed()?),
            sealing: SealingKey(reader.fixed()?),
            addresses: read_addresses(&mut reader)?,
            signature: Signature(reader.fixed()?),
        };
        reader.end()?;
        check_addresses(&request.addresses)?;
        Ok(request)
    }

    /// The node that it asks to become.
    #[must_use]
    pub fn node(&self, scheme: &str) -> NodeId {
        node_id(scheme, &self.key)
    }

    /// What the directory would say if it agrees. Nothing is judged here; see [`judge_join`].
    #[must_use]
    pub fn item(&self, scheme: &str) -> Item {
        Item::Node {
            node: self.node(scheme),
            seat: self.token.seat,
            key: self.key,
            sealing: self.sealing,
            addresses: self.addresses.clone(),
            approval: Some(Box::new(self.token.approval(scheme))),
        }
    }
}

/// Why a machine does not become a node with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    #[error("the token is of another realm")]
    Foreign,
    #[error("a signature of the token or the request does not match")]
    BadSignature,
    #[error("the token was used by node {}", node.short())]
    Used { node: NodeId },
    #[error("the token was revoked")]
    Revoked,
    #[error("the token has expired")]
    Expired { expires_ms: i64 },
    #[error("the seat of the token does not exist")]
    NoSeat,
    #[error("node {}, which minted the token, may not enrol nodes for this seat", .0.short())]
    NotAllowed(NodeId),
    #[error("node {} is already enrolled", .0.short())]
    NodeTwice(NodeId),
    /// Not a fault: somebody has to sign [`JoinRequest::item`] with the issuer.
    #[error("the seat has a node already, and another needs two signatures")]
    NeedsSecondSignature,
}

impl JoinError {
    /// Stable, for peers and people's programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            JoinError::Foreign => "join.foreign",
            JoinError::BadSignature => "join.bad-signature",
            JoinError::Used { .. } => "join.used",
            JoinError::Revoked => "join.revoked",
            JoinError::Expired { .. } => "join.expired",
            JoinError::NoSeat => "join.no-seat",
            JoinError::NotAllowed(_) => "join.not-allowed",
            JoinError::NodeTwice(_) => "join.node-twice",
            JoinError::NeedsSecondSignature => "join.needs-second-signature",
        }
    }

    /// What is particular about this one, for people.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self {
            JoinError::Used { node } | JoinError::NotAllowed(node) | JoinError::NodeTwice(node) => {
                Facts::none().and(Fact::Node, node.short())
            }
            _ => Facts::none(),
        }
    }
}

/// Judges a request by the newest directory; what comes out, the issuer may sign. Only here a token's expiry counts: the
/// directory itself knows no time.
pub fn judge_join(
    request: &JoinRequest,
    directory: &Directory,
    now_ms: i64,
    verifier: &dyn Verifier,
) -> Result<Item, JoinError> {
    let token = &request.token;
    if token.realm() != directory.realm() || token.root != directory.root() {
        return Err(JoinError::Foreign);
    }
    let approval = token.approval(verifier.scheme());
    let (minted, asked) = (approval.message(directory.realm(), token.seat), request.message());
    let signatures = [(token.minter, &minted[..], token.signature), (request.key, &asked[..], request.signature)];
    if verifier.verify_all(&signatures) != [true, true] {
        return Err(JoinError::BadSignature);
    }
    if let Some(used) = directory.token_used(token.id) {
        return Err(used.node.map_or(JoinError::Revoked, |node| JoinError::Used { node }));
    }
    if now_ms > token.expires_ms {
        return Err(JoinError::Expired { expires_ms: token.expires_ms });
    }
    if directory.seats().get(token.seat).is_none() {
        return Err(JoinError::NoSeat);
    }
    if !directory.may_enrol(approval.minter, token.seat) {
        return Err(JoinError::NotAllowed(approval.minter));
    }
    let node = request.node(verifier.scheme());
    if directory.node(node).is_some() {
        return Err(JoinError::NodeTwice(node));
    }
    let item = request.item(verifier.scheme());
    if directory.needs_second(std::slice::from_ref(&item)) {
        return Err(JoinError::NeedsSecondSignature);
    }
    Ok(item)
}
