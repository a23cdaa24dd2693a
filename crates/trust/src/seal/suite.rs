//! The primitives of sealing: X25519, HKDF-SHA256 and XChaCha20-Poly1305. Nothing else of the project knows them, so
//! certified SM2 and SM4 modules take this file's place, with a format byte of their own.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// A symmetric key. It is wiped when it goes.
pub type Key = Zeroizing<[u8; 32]>;

#[cfg(any(test, feature = "testing"))]
thread_local! {
    static CURVE_OPERATIONS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How many multiplications on the curve this thread has done: sealing is to do none for a record.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn curve_operations() -> u64 {
    CURVE_OPERATIONS.get()
}

fn count() {
    #[cfg(any(test, feature = "testing"))]
    CURVE_OPERATIONS.set(CURVE_OPERATIONS.get() + 1);
}

pub fn public_of(secret: &Key) -> [u8; 32] {
    count();
    PublicKey::from(&StaticSecret::from(**secret)).to_bytes()
}

/// The key that two agree on, bound to `info`; none if the other side's key is one of the few that agree with everybody.
pub fn agree(secret: &Key, public: &[u8; 32], info: &[u8]) -> Option<Key> {
    count();
    let shared = StaticSecret::from(**secret).diffie_hellman(&PublicKey::from(*public));
    if !shared.was_contributory() {
        return None;
    }
    let mut key = Key::default();
    Hkdf::<Sha256>::new(Some(b"heliu wrap 1"), shared.as_bytes()).expand(info, &mut *key).ok()?;
    Some(key)
}

/// Ciphertext, 16 bytes longer than the plaintext. A nonce serves for one plaintext only.
pub fn lock(key: &Key, nonce: &[u8; 24], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new((&**key).into());
    #[expect(clippy::expect_used, reason = "it fails from 256 GiB on")]
    cipher.encrypt(&XNonce::from(*nonce), Payload { msg: plaintext, aad }).expect("it is short")
}

/// The plaintext, if key, nonce and everything else are those that it was locked with.
pub fn unlock(key: &Key, nonce: &[u8; 24], aad: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = XChaCha20Poly1305::new((&**key).into());
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad }).ok().map(Zeroizing::new)
}
