//! Sealing: a value in a record is locked with the record's key, which follows from an audience's key and the record's id.
//! What the bytes look like to everybody else is in the record room (`sealed`); how audience keys come to those who read is
//! in `audience`, how a record's key comes to another audience in `grant`.
//!
//! Pure: but for the audience keys themselves nothing is random. What is sealed, wrapped and handed over follows from what
//! it is made of, so whoever has the keys sees whether it is right, and equal values of one record are equal bytes.

use std::sync::OnceLock;

use heliu_record::command::CommandId;
use heliu_record::hash::{hash, hash16};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::sealed::{FORMAT, HEAD_BYTES, NONCE_BYTES, PAD_BYTES, SEALED_BYTES_MAX, TAG_BYTES};
use zeroize::Zeroizing;

mod suite;

pub use heliu_record::sealed::{KeyId, key_of as sealed_key};
#[cfg(any(test, feature = "testing"))]
pub use suite::curve_operations;

use crate::id::{DirectoryVersion, NodeId, RecordKeyId};
use crate::signature::SealingKey;

/// No plaintext of a sealed value is longer: one byte of padding is always there.
pub const PLAINTEXT_BYTES_MAX: usize = SEALED_BYTES_MAX - HEAD_BYTES - TAG_BYTES - 1;

/// An audience's key, wrapped: format, the ephemeral public key, and the key with when it was begun, and its tag.
pub const WRAP_BYTES: usize = 1 + SealingKey::LEN + 32 + DirectoryVersion::LEN + TAG_BYTES;

/// The first byte of a wrap.
const WRAP_FORMAT: u8 = 1;

/// Format, nonce, and the record's key with its tag.
pub const HANDED_BYTES: usize = 1 + NONCE_BYTES + 32 + TAG_BYTES;

/// The first byte of what is handed over.
const HANDED_FORMAT: u8 = 2;

/// The private half of a [`SealingKey`], from 32 secret random bytes that the shell drew. Wiped when it goes.
#[derive(Clone)]
pub struct SealingSecret {
    key: suite::Key,
    /// The public half, reckoned once: each unwrapping needs it, and reckoning it takes a third of the time.
    public: OnceLock<SealingKey>,
}

impl SealingSecret {
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        SealingSecret { key: Zeroizing::new(seed), public: OnceLock::new() }
    }

    #[must_use]
    pub fn public(&self) -> SealingKey {
        *self.public.get_or_init(|| SealingKey(suite::public_of(&self.key)))
    }

    /// A secret for another purpose, the same at each start: only who has the sealing secret can derive it.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hash("heliu derived secret 1", &[&*self.key, purpose.as_bytes()]))
    }
}

impl std::fmt::Debug for SealingSecret {
    /// The public half only: logs must not hold keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealingSecret({})", self.public().short())
    }
}

/// What those may derive who may read what an owner seals. Wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct AudienceKey {
    secret: suite::Key,
    /// The directory, as whoever began it had it then. Who may read no more since an entry after that, may have it.
    begun: DirectoryVersion,
}

/// Shows that whoever says something of an audience's key has it.
pub type Proof = [u8; 16];

impl AudienceKey {
    /// A new one for an audience, from 32 secret random bytes that the shell drew. A machine that is rolled back with its
    /// memory and draws the same ones begins another one all the same, since the directory has changed.
    #[must_use]
    pub fn begin(drawn: &[u8; 32], audience: &SeatId, begun: DirectoryVersion) -> Self {
        let secret = Zeroizing::new(hash("heliu audience secret 1", &[drawn, &audience.0, &begun.0]));
        AudienceKey { secret, begun }
    }

    /// Which directory whoever began it had.
    #[must_use]
    pub fn begun(&self) -> DirectoryVersion {
        self.begun
    }

    /// The id follows from the key, from whose audience it is for, and from when it was begun: under one id no reader has
    /// another key than the next, and none is younger than it is.
    #[must_use]
    pub fn id(&self, audience: &SeatId) -> KeyId {
        KeyId(hash16("heliu audience key 2", &[&audience.0, &self.begun.0, &*self.secret]))
    }

    /// What shows that a node that speaks of this key of an audience has it: nobody who has not can reckon it, and it is of
    /// no use to another node.
    #[must_use]
    pub fn proof(&self, id: &KeyId, by: &NodeId) -> Proof {
        hash16("heliu audience key proof 1", &[&*self.secret, &id.0, &by.0])
    }

    /// The id of a command whose own follows from what it says, as that of a row of a file does: only who has the key can
    /// reckon it, and try whether it is somebody's.
    #[must_use]
    pub fn of_command(&self, id: &CommandId) -> CommandId {
        CommandId(hash16("heliu command of a row 1", &[&*self.secret, &id.0]))
    }

    /// What ids are mixed with that follow from what a record says, for the same reason.
    #[must_use]
    pub fn of_said(&self) -> [u8; 16] {
        hash16("heliu what is said 1", &[&*self.secret])
    }

    /// What the values of one record are locked with that name this key of an audience. It says nothing of the audience's
    /// key, or of another record's; and who says that one key is two audiences' gets two keys of it.
    #[must_use]
    pub fn of_record(&self, audience: &SeatId, record: &RecordId) -> RecordKey {
        let named = self.id(audience);
        RecordKey(Zeroizing::new(hash("heliu record key 2", &[&*self.secret, &named.0, &record.0])))
    }
}

/// What the values of one record are locked with. Wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordKey(suite::Key);

impl RecordKey {
    /// Says nothing of the key, and of no other record's.
    #[must_use]
    pub fn id(&self, record: &RecordId) -> RecordKeyId {
        RecordKeyId(hash16("heliu record key id 1", &[&*self.0, &record.0]))
    }
}

impl std::fmt::Debug for AudienceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AudienceKey")
    }
}

impl std::fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordKey")
    }
}

/// Locks a value of a record's field with the record's key, of which `named` is the audience's; none if it is longer than
/// [`PLAINTEXT_BYTES_MAX`].
#[must_use]
pub fn seal(key: &RecordKey, named: KeyId, record: &RecordId, path: &str, plaintext: &[u8]) -> Option<Vec<u8>> {
    if plaintext.len() > PLAINTEXT_BYTES_MAX {
        return None;
    }
    let nonce = nonce(key, &named, record, path, plaintext);
    let padded = pad(plaintext);
    let mut bytes = Vec::with_capacity(HEAD_BYTES + padded.len() + TAG_BYTES);
    bytes.push(FORMAT);
    bytes.extend_from_slice(&named.0);
    bytes.extend_from_slice(&nonce);
    bytes.extend(suite::lock(&key.0, &nonce, &place(&named, record, path), &padded));
    Some(bytes)
}

/// What was sealed, if it was sealed with this key for this field of this record, and nobody has touched it. The nonce is
/// reckoned again: so no bytes open with two keys to two values, and it is no matter from whom the key came.
#[must_use]
pub fn open(key: &RecordKey, record: &RecordId, path: &str, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let named = sealed_key(bytes)?;
    let (nonce, ciphertext) = bytes.get(1 + KeyId::LEN..)?.split_first_chunk::<NONCE_BYTES>()?;
    let mut plaintext = suite::unlock(&key.0, nonce, &place(&named, record, path), ciphertext)?;
    let end = plaintext.iter().rposition(|byte| *byte != 0).filter(|end| plaintext[*end] == PAD)?;
    plaintext.truncate(end);
    (*nonce == self::nonce(key, &named, record, path, &plaintext)).then_some(plaintext)
}

/// Follows from all that it is used with: it locks nothing else, and the same again is the same bytes.
fn nonce(key: &RecordKey, named: &KeyId, record: &RecordId, path: &str, plaintext: &[u8]) -> [u8; NONCE_BYTES] {
    cut(&Zeroizing::new(hash("heliu nonce 3", &[&*key.0, &named.0, &record.0, path.as_bytes(), plaintext])))
}

fn cut(hash: &[u8; 32]) -> [u8; NONCE_BYTES] {
    std::array::from_fn(|at| hash[at])
}

/// Whether there can be anybody who has the secret of this key. There are a few of which each secret is.
#[must_use]
pub fn can_be_held(key: &SealingKey) -> bool {
    wrap(&RecordKey(suite::Key::default()), key, &[]).is_some()
}

/// A key that can be given to somebody.
pub(crate) trait Wrapped: Sized {
    fn bytes(&self) -> Zeroizing<Vec<u8>>;
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Wrapped for AudienceKey {
    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&self.secret[..], &self.begun.0].concat())
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (secret, begun) = bytes.split_first_chunk()?;
        Some(AudienceKey { secret: Zeroizing::new(*secret), begun: DirectoryVersion(begun.try_into().ok()?) })
    }
}

impl Wrapped for RecordKey {
    fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_vec())
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(RecordKey(Zeroizing::new(bytes.try_into().ok()?)))
    }
}

/// Wraps a key to one reader. Whoever unwraps it says the same context. None if the reader's key is not one that anybody can
/// hold.
///
/// The ephemeral key follows from what is wrapped, which nobody can guess, and from what the wrap is for. So there is one
/// right wrap, and whoever has the key sees whether what another says to be a wrap is it.
#[must_use]
pub(crate) fn wrap(key: &impl Wrapped, to: &SealingKey, context: &[u8]) -> Option<Vec<u8>> {
    let wrapped = key.bytes();
    let ephemeral = Zeroizing::new(hash("heliu ephemeral 1", &[&wrapped, &to.0, context]));
    let public = SealingKey(suite::public_of(&ephemeral));
    let info = wrap_info(&public, to, context);
    let agreed = suite::agree(&ephemeral, &to.0, &info)?;
    let mut bytes = Vec::with_capacity(1 + SealingKey::LEN + wrapped.len() + TAG_BYTES);
    bytes.push(WRAP_FORMAT);
    bytes.extend_from_slice(&public.0);
    // A key that is agreed on anew each time locks one thing only.
    bytes.extend(suite::lock(&agreed, &[0; NONCE_BYTES], &info, &wrapped));
    Some(bytes)
}

/// The key, if it was wrapped to this secret under this context.
#[must_use]
pub(crate) fn unwrap<K: Wrapped>(secret: &SealingSecret, context: &[u8], bytes: &[u8]) -> Option<K> {
    let (_, rest) = bytes.split_first().filter(|(format, _)| **format == WRAP_FORMAT)?;
    let (ephemeral, ciphertext) = rest.split_first_chunk()?;
    let info = wrap_info(&SealingKey(*ephemeral), &secret.public(), context);
    let agreed = suite::agree(&secret.key, ephemeral, &info)?;
    K::read(&suite::unlock(&agreed, &[0; NONCE_BYTES], &info, ciphertext)?)
}

/// A record's key, locked with an audience's key for all who have that one: no curve is needed. Whoever opens it says the
/// same context.
#[must_use]
pub(crate) fn hand_over(key: &RecordKey, under: &AudienceKey, context: &[u8]) -> Vec<u8> {
    let locking = handing(under, context);
    // Follows from what is locked: a false key that was slipped to an honest holder shares its nonce with no right one.
    let nonce = cut(&hash("heliu handing nonce 1", &[&*locking, &*key.0]));
    let mut bytes = Vec::with_capacity(HANDED_BYTES);
    bytes.push(HANDED_FORMAT);
    bytes.extend_from_slice(&nonce);
    bytes.extend(suite::lock(&locking, &nonce, &[HANDED_FORMAT], &*key.0));
    bytes
}

/// What was handed over to those who have this audience's key.
#[must_use]
pub(crate) fn take_over(under: &AudienceKey, context: &[u8], bytes: &[u8]) -> Option<RecordKey> {
    let (_, rest) = bytes.split_first().filter(|(format, _)| **format == HANDED_FORMAT)?;
    let (nonce, ciphertext) = rest.split_first_chunk()?;
    RecordKey::read(&suite::unlock(&handing(under, context), nonce, &[HANDED_FORMAT], ciphertext)?)
}

fn handing(under: &AudienceKey, context: &[u8]) -> suite::Key {
    Zeroizing::new(hash("heliu handing 1", &[&*under.secret, context]))
}

fn wrap_info(ephemeral: &SealingKey, to: &SealingKey, context: &[u8]) -> [u8; 32] {
    hash("heliu wrap context 1", &[&ephemeral.0, &to.0, context])
}

/// What a sealed value belongs to: it opens nowhere else.
fn place(key: &KeyId, record: &RecordId, path: &str) -> [u8; 32] {
    hash("heliu sealed place 2", &[&[FORMAT], &key.0, &record.0, path.as_bytes()])
}

/// Ends the plaintext; zeros follow it.
const PAD: u8 = 0x80;

fn pad(plaintext: &[u8]) -> Zeroizing<Vec<u8>> {
    let len = (plaintext.len() + 1).next_multiple_of(PAD_BYTES);
    // In one piece: a vector that grows leaves copies behind.
    let mut padded = Zeroizing::new(Vec::with_capacity(len));
    padded.extend_from_slice(plaintext);
    padded.push(PAD);
    padded.resize(len, 0);
    padded
}

#[cfg(test)]
mod tests;
