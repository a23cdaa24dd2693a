//! Grants: the key of one record, given to readers who cannot derive it. That is so where a value was sealed for another
//! audience than the record's owners have now: it has moved, or has two. Most records have none.
//!
//! They travel in the record's scope beside its commits, so that they can be added to and destroyed without touching what was
//! signed there. A grant says nothing about who may read: that follows from the record's owners and the tree, see
//! [`heliu_record::seats::Seats::readers`]. One that its author had no business to make gives nobody a key that its author
//! did not have.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::hash::hash;
use heliu_record::id::RecordId;
use heliu_record::reason::{Fact, Facts};

use crate::directory::Directory;
use crate::id::{NodeId, RealmId, RecordKeyId};
use crate::seal::{self, AudienceKey, KeyId, RecordKey, SealingSecret};
use crate::signature::{SealingKey, Signature, Signer, Verifier};

/// Wraps in one grant; more readers take more grants.
pub const WRAPS_MAX: usize = 64;
pub const WRAP_BYTES_MAX: usize = 128;
/// Grants of one author that are kept for one record. Of more, those with the lowest hashes count: then all nodes keep the
/// same ones, in whatever order they come, and who floods a record pushes out nobody else's.
pub const GRANTS_PER_AUTHOR_MAX: usize = 128;
/// No valid signed grant is longer.
pub const GRANT_BYTES_MAX: usize = 12 * 1024;

/// The encoding's own version, its first byte.
const FORMAT: u8 = 2;
const SIGNED: &[u8; 23] = b"heliu grant signature 1";

/// For whom a key is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    Node(NodeId),
    /// The escrow: whoever holds the private half offline. The key is named, because the realm may take another one.
    Escrow(SealingKey),
    /// All who have this key of an audience. Of records' keys alone.
    Audience(KeyId),
}

impl Recipient {
    pub(crate) fn write(self, out: &mut Encoder) {
        match self {
            Recipient::Node(node) => out.u8(0).fixed(&node.0),
            Recipient::Escrow(key) => out.u8(1).fixed(&key.0),
            Recipient::Audience(key) => out.u8(2).fixed(&key.0),
        };
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            0 => Ok(Recipient::Node(NodeId(reader.fixed()?))),
            1 => Ok(Recipient::Escrow(SealingKey(reader.fixed()?))),
            2 => Ok(Recipient::Audience(KeyId(reader.fixed()?))),
            _ => Err(DecodeError::Invalid { what: "the recipient of a key" }),
        }
    }
}

/// One key of one record, wrapped to some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub realm: RealmId,
    pub record: RecordId,
    /// What sealed values name: the audience's key from which the record's follows, if whoever sealed them is honest.
    pub named: KeyId,
    /// What is wrapped. Whoever gives another key under the same name hides this one from nobody.
    pub key: RecordKeyId,
    pub by: NodeId,
    /// 1 to [`WRAPS_MAX`], in the order of their recipients, each once.
    pub wraps: Vec<(Recipient, Vec<u8>)>,
}

impl Grant {
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u8(FORMAT).fixed(&self.realm.0).fixed(&self.record.0);
        out.fixed(&self.named.0).fixed(&self.key.0).fixed(&self.by.0);
        out.varint(self.wraps.len() as u64);
        for (to, wrapped) in &self.wraps {
            to.write(&mut out);
            out.bytes(wrapped);
        }
        out.0
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.u8()? != FORMAT {
            return Err(DecodeError::Invalid { what: "the format of a grant" });
        }
        let (realm, record) = (RealmId(reader.fixed()?), RecordId(reader.fixed()?));
        let (named, key) = (KeyId(reader.fixed()?), RecordKeyId(reader.fixed()?));
        let by = NodeId(reader.fixed()?);
        let count = reader.count("wraps", WRAPS_MAX, 2 + NodeId::LEN)?;
        let wrap = |reader: &mut Reader<'_>| {
            Ok((Recipient::read(reader)?, reader.bytes("a wrapped key", WRAP_BYTES_MAX)?.to_vec()))
        };
        let wraps = (0..count).map(|_| wrap(reader)).collect::<Result<_, DecodeError>>()?;
        let grant = Grant { realm, record, named, key, by, wraps };
        grant.check()?;
        Ok(grant)
    }

    /// The bounds that every grant keeps.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.wraps.len() > WRAPS_MAX {
            return Err(DecodeError::TooLong { what: "wraps", max: WRAPS_MAX });
        }
        if self.wraps.iter().any(|(_, wrapped)| wrapped.len() > WRAP_BYTES_MAX) {
            return Err(DecodeError::TooLong { what: "a wrapped key", max: WRAP_BYTES_MAX });
        }
        if self.wraps.is_empty() || !self.wraps.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(DecodeError::Invalid { what: "the list of wraps" });
        }
        Ok(())
    }
}

/// A grant as it travels and is stored. Decoding does not verify; see [`check_grants`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedGrant {
    pub grant: Grant,
    /// Of the encoded grant, without the signature: what counts in the record's held sum.
    pub hash: [u8; 32],
    pub signature: Signature,
}

impl SignedGrant {
    #[must_use]
    pub fn sign(grant: Grant, signer: &dyn Signer) -> Self {
        debug_assert_eq!(grant.check(), Ok(()));
        let hash = hash_of(&grant.encode());
        let signature = signer.sign(&signed_message(&hash));
        SignedGrant { grant, hash, signature }
    }

    /// The grant's encoding, then 64 bytes of signature.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.grant.encode();
        bytes.extend_from_slice(&self.signature.0);
        bytes
    }

    /// Reads untrusted bytes; only a grant within its bounds comes out, and encodes to the same bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > GRANT_BYTES_MAX {
            return Err(DecodeError::TooLong { what: "a signed grant", max: GRANT_BYTES_MAX });
        }
        let (encoded, signature) = bytes.split_last_chunk().ok_or(DecodeError::Truncated)?;
        let mut reader = Reader(encoded);
        let grant = Grant::read(&mut reader)?;
        reader.end()?;
        Ok(SignedGrant { grant, hash: hash_of(encoded), signature: Signature(*signature) })
    }
}

fn hash_of(encoded: &[u8]) -> [u8; 32] {
    hash("heliu grant 1", &[encoded])
}

fn signed_message(hash: &[u8; 32]) -> [u8; 55] {
    let mut message = [0; 55];
    message[..23].copy_from_slice(SIGNED);
    message[23..].copy_from_slice(hash);
    message
}

/// A key of a record: what its values name, and its own id.
pub type Which = (KeyId, RecordKeyId);

/// What a wrap belongs to: it unwraps for nothing else.
fn context((realm, record): (&RealmId, &RecordId), (named, key): Which, to: Recipient) -> Vec<u8> {
    let mut out = Encoder::default();
    out.text("record").fixed(&realm.0).fixed(&record.0).fixed(&named.0).fixed(&key.0);
    to.write(&mut out);
    out.0
}

/// Gives the key of a record to single readers, in as many grants as it takes. Those whose keys nobody can hold are left
/// out.
#[must_use]
pub fn grant(
    realm: RealmId,
    record: RecordId,
    (named, key): (KeyId, &RecordKey),
    to: &BTreeMap<Recipient, SealingKey>,
    signer: &dyn Signer,
) -> Vec<SignedGrant> {
    let (id, by) = (key.id(&record), signer.node());
    let wrap = |(to, sealing): (&Recipient, &SealingKey)| {
        Some((*to, seal::wrap(key, sealing, &context((&realm, &record), (named, id), *to))?))
    };
    let wraps: Vec<_> = to.iter().filter_map(wrap).collect();
    let sign = |wraps: &[(Recipient, Vec<u8>)]| {
        SignedGrant::sign(Grant { realm, record, named, key: id, by, wraps: wraps.to_vec() }, signer)
    };
    wraps.chunks(WRAPS_MAX).map(sign).collect()
}

/// Hands the key of a record over to all who have an audience's key, now or later.
#[must_use]
pub fn hand_over(
    realm: RealmId,
    record: RecordId,
    (named, key): (KeyId, &RecordKey),
    (audience, under): (KeyId, &AudienceKey),
    signer: &dyn Signer,
) -> SignedGrant {
    let (id, by, to) = (key.id(&record), signer.node(), Recipient::Audience(audience));
    let handed = seal::hand_over(key, under, &context((&realm, &record), (named, id), to));
    SignedGrant::sign(Grant { realm, record, named, key: id, by, wraps: vec![(to, handed)] }, signer)
}

/// Why a grant is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    #[error("it is of another realm")]
    WrongRealm,
    #[error(transparent)]
    Bounds(#[from] DecodeError),
    #[error("its hash is not that of what it says")]
    WrongHash,
    /// Not a fault: the directory here may have to catch up first.
    #[error("its author {} is not enrolled here", .0.short())]
    UnknownAuthor(NodeId),
    #[error("its signature does not match")]
    BadSignature,
    #[error("its author has made more grants for this record than the {GRANTS_PER_AUTHOR_MAX} that are kept")]
    TooMany,
}

impl GrantError {
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self, GrantError::UnknownAuthor(_))
    }

    /// Stable, for quarantine, metrics and peers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            GrantError::WrongRealm => "grant.wrong-realm",
            GrantError::Bounds(_) => "grant.bounds",
            GrantError::WrongHash => "grant.wrong-hash",
            GrantError::UnknownAuthor(_) => "grant.unknown-author",
            GrantError::BadSignature => "grant.bad-signature",
            GrantError::TooMany => "grant.too-many",
        }
    }

    /// What is particular about this one, for people.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self {
            GrantError::UnknownAuthor(node) => Facts::none().and(Fact::Node, node.short()),
            GrantError::TooMany => Facts::none().and(Fact::Expected, GRANTS_PER_AUTHOR_MAX),
            _ => Facts::none(),
        }
    }
}

/// Judges each grant, in order; signatures in one batch. A verdict does not depend on the others in the list.
#[must_use]
pub fn check_grants<G: Borrow<SignedGrant>>(
    grants: &[G],
    directory: &Directory,
    verifier: &dyn Verifier,
) -> Vec<Result<(), GrantError>> {
    let keys: Vec<_> = grants.iter().map(|grant| check_author(grant.borrow(), directory)).collect();
    let messages: Vec<_> = grants.iter().map(|grant| signed_message(&grant.borrow().hash)).collect();
    let items: Vec<_> = (keys.iter().zip(&messages).zip(grants))
        .filter_map(|((key, message), grant)| Some((*key.as_ref().ok()?, message.as_slice(), grant.borrow().signature)))
        .collect();
    let mut verdicts = verifier.verify_all(&items).into_iter();
    let judge = |key: Result<_, GrantError>| {
        key?;
        if verdicts.next() == Some(true) { Ok(()) } else { Err(GrantError::BadSignature) }
    };
    keys.into_iter().map(judge).collect()
}

fn check_author(signed: &SignedGrant, directory: &Directory) -> Result<crate::signature::PublicKey, GrantError> {
    let grant = &signed.grant;
    if grant.realm != directory.realm() {
        return Err(GrantError::WrongRealm);
    }
    grant.check()?;
    if hash_of(&grant.encode()) != signed.hash {
        return Err(GrantError::WrongHash);
    }
    Ok(directory.node(grant.by).ok_or(GrantError::UnknownAuthor(grant.by))?.key)
}

/// The wraps that are held of one record's keys.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    wraps: BTreeMap<KeyId, BTreeMap<RecordKeyId, Wraps>>,
}

type Wraps = BTreeMap<Recipient, BTreeSet<Vec<u8>>>;

impl Keyring {
    /// The wraps of one record's grants, which have been checked.
    #[must_use]
    pub fn of<'g>(grants: impl IntoIterator<Item = &'g Grant>) -> Self {
        let mut keyring = Keyring::default();
        grants.into_iter().for_each(|grant| keyring.add(grant));
        keyring
    }

    pub fn add(&mut self, grant: &Grant) {
        let recipients = self.wraps.entry(grant.named).or_default().entry(grant.key).or_default();
        for (to, wrapped) in &grant.wraps {
            recipients.entry(*to).or_default().insert(wrapped.clone());
        }
    }

    /// The keys that somebody gave for values that name this.
    pub fn keys(&self, named: KeyId) -> impl Iterator<Item = RecordKeyId> + '_ {
        self.wraps.get(&named).into_iter().flat_map(BTreeMap::keys).copied()
    }

    /// For whom a key is wrapped, as far as can be seen without a secret.
    pub fn wrapped_for(&self, (named, key): Which) -> impl Iterator<Item = Recipient> + '_ {
        let wraps = self.wraps.get(&named).and_then(|keys| keys.get(&key));
        wraps.into_iter().flat_map(BTreeMap::keys).copied()
    }

    fn held(&self, (named, key): Which, to: Recipient) -> impl Iterator<Item = &Vec<u8>> {
        let wraps = self.wraps.get(&named).and_then(|keys| keys.get(&key)?.get(&to));
        wraps.into_iter().flatten()
    }

    /// The key that was handed over to an audience.
    #[must_use]
    pub fn handed_over(
        &self,
        (realm, record): (&RealmId, &RecordId),
        which: Which,
        (audience, under): (KeyId, &AudienceKey),
    ) -> Option<RecordKey> {
        let to = Recipient::Audience(audience);
        let context = context((realm, record), which, to);
        let mut opened = self.held(which, to).filter_map(|handed| seal::take_over(under, &context, handed));
        opened.find(|opened| opened.id(record) == which.1)
    }

    /// The key that was wrapped to a single reader. A wrap that does not open, or holds another key, is as if it were not
    /// there.
    #[must_use]
    pub fn open(
        &self,
        (realm, record): (&RealmId, &RecordId),
        which: Which,
        me: Recipient,
        secret: &SealingSecret,
    ) -> Option<RecordKey> {
        let context = context((realm, record), which, me);
        let mut opened = self.held(which, me).filter_map(|wrap| seal::unwrap::<RecordKey>(secret, &context, wrap));
        opened.find(|opened| opened.id(record) == which.1)
    }

    /// Whether what is held as a wrap of a key to somebody is one that opens for him; nothing, if it is not held at all. Only
    /// who has the key can tell.
    #[must_use]
    pub fn opens_for(
        &self,
        (realm, record): (&RealmId, &RecordId),
        (named, key): (KeyId, &RecordKey),
        to: Recipient,
        sealing: &SealingKey,
    ) -> Option<bool> {
        let which = (named, key.id(record));
        let mut held = self.held(which, to).peekable();
        held.peek()?;
        let right = seal::wrap(key, sealing, &context((realm, record), which, to));
        Some(right.is_none_or(|right| held.any(|wrap| *wrap == right)))
    }
}

#[cfg(test)]
mod tests;
