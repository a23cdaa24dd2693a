//! Sealing: a value in a record is locked with the record's data key, and that key is wrapped to each node that may read
//! it. What the bytes look like to everybody else is in the record room (`sealed`); who may read is in `grant`.
//!
//! Pure: random bytes are arguments. They are mixed with what is sealed, so that a seed that comes twice by mistake does no
//! harm. Wraps need none.

use std::sync::OnceLock;

use heliu_record::hash::{hash, hash16};
use heliu_record::id::RecordId;
use heliu_record::sealed::{FORMAT, HEAD_BYTES, NONCE_BYTES, PAD_BYTES, SEALED_BYTES_MAX, TAG_BYTES};
use zeroize::Zeroizing;

mod suite;

pub use heliu_record::sealed::{KeyId, key_of as sealed_key};

use crate::signature::SealingKey;

/// No plaintext of a sealed value is longer: one byte of padding is always there.
pub const PLAINTEXT_BYTES_MAX: usize = SEALED_BYTES_MAX - HEAD_BYTES - TAG_BYTES - 1;

/// Format, the ephemeral public key, and the wrapped key with its tag.
pub const WRAP_BYTES: usize = 1 + SealingKey::LEN + 32 + TAG_BYTES;

/// The first byte of a wrap.
const WRAP_FORMAT: u8 = 1;

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

/// What the values of one record are locked with, from 32 secret random bytes. Wiped when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey(suite::Key);

impl DataKey {
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        DataKey(Zeroizing::new(seed))
    }

    /// The id follows from the key, so nobody can give two readers different keys under one id.
    #[must_use]
    pub fn id(&self, record: &RecordId) -> KeyId {
        KeyId(hash16("heliu data key 1", &[&record.0, &*self.0]))
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

/// Locks a value of a record's field; none if it is longer than [`PLAINTEXT_BYTES_MAX`]. The seed is random.
#[must_use]
pub fn seal(key: &DataKey, record: &RecordId, path: &str, seed: [u8; 32], plaintext: &[u8]) -> Option<Vec<u8>> {
    if plaintext.len() > PLAINTEXT_BYTES_MAX {
        return None;
    }
    let id = key.id(record);
    let mixed = Zeroizing::new(hash("heliu nonce 1", &[&seed, &*key.0, &record.0, path.as_bytes(), plaintext]));
    let (nonce, _) = mixed.split_first_chunk::<NONCE_BYTES>()?;
    let padded = pad(plaintext);
    let mut bytes = Vec::with_capacity(HEAD_BYTES + padded.len() + TAG_BYTES);
    bytes.push(FORMAT);
    bytes.extend_from_slice(&id.0);
    bytes.extend_from_slice(nonce);
    bytes.extend(suite::lock(&key.0, nonce, &place(&id, record, path), &padded));
    Some(bytes)
}

/// What was sealed, if it was sealed with this key for this field of this record, and nobody has touched it.
#[must_use]
pub fn open(key: &DataKey, record: &RecordId, path: &str, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let id = sealed_key(bytes).filter(|id| *id == key.id(record))?;
    let (nonce, ciphertext) = bytes.get(1 + KeyId::LEN..)?.split_first_chunk::<NONCE_BYTES>()?;
    let mut plaintext = suite::unlock(&key.0, nonce, &place(&id, record, path), ciphertext)?;
    let end = plaintext.iter().rposition(|byte| *byte != 0).filter(|end| plaintext[*end] == PAD)?;
    plaintext.truncate(end);
    Some(plaintext)
}

/// Wraps a data key to one reader. Whoever unwraps it says the same context. None if the reader's key is not one that
/// anybody can hold.
///
/// The ephemeral key follows from the data key, which nobody can guess, and from what the wrap is for. So there is one right
/// wrap, and whoever has the data key sees whether what another says to be a wrap is it.
#[must_use]
pub fn wrap(key: &DataKey, to: &SealingKey, context: &[u8]) -> Option<Vec<u8>> {
    let ephemeral = Zeroizing::new(hash("heliu ephemeral 1", &[&*key.0, &to.0, context]));
    let public = SealingKey(suite::public_of(&ephemeral));
    let info = wrap_info(&public, to, context);
    let agreed = suite::agree(&ephemeral, &to.0, &info)?;
    let mut bytes = Vec::with_capacity(WRAP_BYTES);
    bytes.push(WRAP_FORMAT);
    bytes.extend_from_slice(&public.0);
    // A key that is agreed on anew each time locks one thing only.
    bytes.extend(suite::lock(&agreed, &[0; NONCE_BYTES], &info, &*key.0));
    Some(bytes)
}

/// The data key, if it was wrapped to this secret under this context.
#[must_use]
pub fn unwrap(secret: &SealingSecret, context: &[u8], bytes: &[u8]) -> Option<DataKey> {
    let (_, rest) = bytes.split_first().filter(|(format, _)| **format == WRAP_FORMAT)?;
    let (ephemeral, ciphertext) = rest.split_first_chunk()?;
    let info = wrap_info(&SealingKey(*ephemeral), &secret.public(), context);
    let agreed = suite::agree(&secret.key, ephemeral, &info)?;
    let key = suite::unlock(&agreed, &[0; NONCE_BYTES], &info, ciphertext)?;
    let mut seed = suite::Key::default();
    if key.len() != seed.len() {
        return None;
    }
    seed.copy_from_slice(&key);
    Some(DataKey(seed))
}

fn wrap_info(ephemeral: &SealingKey, to: &SealingKey, context: &[u8]) -> [u8; 32] {
    hash("heliu wrap context 1", &[&ephemeral.0, &to.0, context])
}

/// What a sealed value belongs to: it opens nowhere else.
fn place(key: &KeyId, record: &RecordId, path: &str) -> [u8; 32] {
    hash("heliu sealed place 1", &[&[FORMAT], &key.0, &record.0, path.as_bytes()])
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
