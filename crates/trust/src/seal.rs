//! Sealing: a value in a record is locked with the record's data key, and that key is wrapped to each node that may read
//! it. What the bytes look like to everybody else is in the record room (`sealed`); who may read is in `grant`.
//!
//! Pure: random bytes are arguments. They are mixed with what is sealed, so that a seed that comes twice by mistake does no
//! harm.

use heliu_record::byte_id;
use heliu_record::hash::{hash, hash16};
use heliu_record::id::RecordId;
use heliu_record::sealed::{FORMAT, HEAD_BYTES, NONCE_BYTES, PAD_BYTES, SEALED_BYTES_MAX, TAG_BYTES};
use zeroize::Zeroizing;

mod suite;

pub use heliu_record::sealed::{KeyId, key_of as sealed_key};

byte_id!(
    /// A public key for sealing, as the suite encodes it: what data keys are wrapped to.
    SealingKey, 32
);

/// No plaintext of a sealed value is longer: one byte of padding is always there.
pub const PLAINTEXT_BYTES_MAX: usize = SEALED_BYTES_MAX - HEAD_BYTES - TAG_BYTES - 1;

/// Format, the ephemeral public key, and the wrapped key with its tag.
pub const WRAP_BYTES: usize = 1 + SealingKey::LEN + 32 + TAG_BYTES;

/// The first byte of a wrap.
const WRAP_FORMAT: u8 = 1;

/// The private half of a [`SealingKey`], from 32 secret random bytes that the shell drew. Wiped when it goes.
#[derive(Clone)]
pub struct SealingSecret(suite::Key);

impl SealingSecret {
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        SealingSecret(Zeroizing::new(seed))
    }

    #[must_use]
    pub fn public(&self) -> SealingKey {
        SealingKey(suite::public_of(&self.0))
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

/// Wraps a data key to one reader. Whoever unwraps it says the same context. The seed is random; one serves for any number
/// of wraps. None if the reader's key is not one that anybody can hold.
#[must_use]
pub fn wrap(key: &DataKey, to: &SealingKey, context: &[u8], seed: [u8; 32]) -> Option<Vec<u8>> {
    let ephemeral = Zeroizing::new(hash("heliu ephemeral 1", &[&seed, &*key.0, &to.0, context]));
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
    let agreed = suite::agree(&secret.0, ephemeral, &info)?;
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECORD: RecordId = RecordId([7; 32]);

    fn secret(n: u8) -> SealingSecret {
        SealingSecret::from_seed([n; 32])
    }

    fn key(n: u8) -> DataKey {
        DataKey::from_seed([n; 32])
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        let shown = format!("{:?} {:?}", secret(0xab), key(0xab));
        assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
    }

    #[test]
    fn the_length_of_a_text_says_little_and_a_text_that_is_too_long_is_not_sealed() {
        let len = |text: &[u8]| seal(&key(1), &RECORD, "contact", [0; 32], text).map(|bytes| bytes.len());
        assert_eq!(len(b""), len(&[b'1'; 31]));
        assert_eq!(len(&[b'1'; 32]), len(b"").map(|len| len + 32));
        assert_eq!(len(&[0; PLAINTEXT_BYTES_MAX]), Some(SEALED_BYTES_MAX));
        assert_eq!(len(&[0; PLAINTEXT_BYTES_MAX + 1]), None);
    }

    #[test]
    fn a_seed_that_comes_twice_does_not_lock_two_texts_alike() {
        let nonce = |text: &[u8]| seal(&key(1), &RECORD, "contact", [0; 32], text).expect("sealed")[17..41].to_vec();
        assert_ne!(nonce(b"a"), nonce(b"b"));
        let first = |key: &DataKey| wrap(key, &secret(2).public(), b"", [0; 32]).expect("wrapped")[..33].to_vec();
        assert_ne!(first(&key(1)), first(&key(2)));
    }

    /// Of these points every secret gives the same shared one.
    #[test]
    fn nothing_is_wrapped_to_a_key_that_agrees_with_everybody() {
        let one = std::array::from_fn(|i| u8::from(i == 0));
        for small in [SealingKey([0; 32]), SealingKey(one)] {
            assert_eq!(wrap(&key(1), &small, b"", [3; 32]), None);
        }
        let mut bytes = wrap(&key(1), &secret(2).public(), b"", [3; 32]).expect("wrapped");
        bytes[1..33].fill(0);
        assert_eq!(unwrap(&secret(2), b"", &bytes), None);
    }

    /// Stored bytes: whoever changes the format gives it a new first byte, and keeps reading this one.
    #[test]
    fn the_first_format_does_not_change() {
        let sealed = seal(&key(1), &RECORD, "contact", [2; 32], b"13800001234").expect("sealed");
        let wrapped = wrap(&key(1), &secret(3).public(), b"context", [4; 32]).expect("wrapped");
        let id = heliu_record::id::to_hex(&hash16("test", &[&sealed, &wrapped]));
        assert_eq!(id, "4d3d4bac3258d9e07820e83b0f7a08bf");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_sealed_opens_with_its_key_in_its_place_and_nowhere_else(
            text in prop::collection::vec(any::<u8>(), 0..200),
            seed in any::<[u8; 32]>(),
            at in any::<prop::sample::Index>(),
            flip in 1u8..,
        ) {
            let bytes = seal(&key(1), &RECORD, "contact", seed, &text).expect("sealed");
            prop_assert_eq!(sealed_key(&bytes), Some(key(1).id(&RECORD)));
            prop_assert!(open(&key(1), &RECORD, "contact", &bytes).is_some_and(|opened| *opened == text));
            prop_assert!(open(&key(2), &RECORD, "contact", &bytes).is_none());
            prop_assert!(open(&key(1), &RecordId([8; 32]), "contact", &bytes).is_none());
            prop_assert!(open(&key(1), &RECORD, "birth_date", &bytes).is_none());
            let mut touched = bytes.clone();
            touched[at.index(bytes.len())] ^= flip;
            prop_assert!(open(&key(1), &RECORD, "contact", &touched).is_none());
            prop_assert!(open(&key(1), &RECORD, "contact", &bytes[..at.index(bytes.len())]).is_none());
        }

        #[test]
        fn a_wrapped_key_is_for_one_reader_and_one_context(
            seed in any::<[u8; 32]>(),
            at in any::<prop::sample::Index>(),
            flip in 1u8..,
        ) {
            let bytes = wrap(&key(1), &secret(2).public(), b"context", seed).expect("wrapped");
            prop_assert_eq!(bytes.len(), WRAP_BYTES);
            prop_assert_eq!(unwrap(&secret(2), b"context", &bytes), Some(key(1)));
            prop_assert_eq!(unwrap(&secret(3), b"context", &bytes), None);
            prop_assert_eq!(unwrap(&secret(2), b"other", &bytes), None);
            let mut touched = bytes.clone();
            touched[at.index(bytes.len())] ^= flip;
            // The curve takes the highest bit of a public key for nothing; the context does not.
            prop_assert_eq!(unwrap(&secret(2), b"context", &touched), None);
            prop_assert_eq!(unwrap(&secret(2), b"context", &bytes[..at.index(bytes.len())]), None);
        }
    }
}
