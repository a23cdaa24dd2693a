//! Ed25519 under the ZIP-215 rules: the scheme of a realm in use. Only arithmetic; what is signed is decided elsewhere.

use std::fmt;

use ed25519_zebra::batch::{Item, Verifier as Batch};
use ed25519_zebra::{SigningKey, VerificationKey, VerificationKeyBytes};
use heliu_record::hash::hash;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::signature::{PublicKey, Signature, Signer, Verifier};

const SCHEME: &str = "ed25519";

/// Verifies in batches: several times cheaper per signature than one by one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ed25519;

impl Ed25519 {
    /// One bad signature costs a second look at so many others, no more.
    const BATCH: usize = 128;
}

impl Verifier for Ed25519 {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    fn verify_all(&self, items: &[(PublicKey, &[u8], Signature)]) -> Vec<bool> {
        items.chunks(Self::BATCH).flat_map(verify_batch).collect()
    }
}

fn verify_batch(items: &[(PublicKey, &[u8], Signature)]) -> Vec<bool> {
    let queued: Vec<Item> = items
        .iter()
        .map(|(key, message, signature)| {
            Item::from((
                VerificationKeyBytes::from(key.0),
                ed25519_zebra::Signature::from_bytes(&signature.0),
                *message,
            ))
        })
        .collect();
    if queued.len() > 1 && verify_together(&queued, items) {
        return vec![true; items.len()];
    }
    queued.into_iter().map(|item| item.verify_single().is_ok()).collect()
}

/// The batch equation needs coefficients that whoever made the signatures could not choose them by. A hash of all the
/// items is that, and keeps this a function of its arguments.
fn verify_together(queued: &[Item], items: &[(PublicKey, &[u8], Signature)]) -> bool {
    let parts: Vec<&[u8]> =
        items.iter().flat_map(|(key, message, signature)| [&key.0[..], message, &signature.0[..]]).collect();
    let seed = hash("heliu ed25519 batch 1", &parts);
    let mut batch = Batch::new();
    for item in queued {
        batch.queue(item.clone());
    }
    batch.verify(ChaCha20Rng::from_seed(seed)).is_ok()
}

/// A private Ed25519 key, from 32 secret random bytes that the shell drew.
#[derive(Clone)]
pub struct Ed25519Key {
    secret: SigningKey,
    public: PublicKey,
}

impl Ed25519Key {
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let secret = SigningKey::from(seed);
        let public = PublicKey(VerificationKey::from(&secret).into());
        Ed25519Key { secret, public }
    }
}

impl fmt::Debug for Ed25519Key {
    /// The public half only: logs must not hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Key({})", self.public.short())
    }
}

impl Signer for Ed25519Key {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.secret.sign(message).to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(i: usize) -> Ed25519Key {
        Ed25519Key::from_seed(hash("test key", &[&i.to_le_bytes()]))
    }

    #[test]
    fn a_key_does_not_show_its_secret() {
        let key = Ed25519Key::from_seed([0xab; 32]);
        assert!(!format!("{key:?}").contains("abab") && !format!("{key:?}").contains("171"), "{key:?}");
    }

    #[test]
    fn signing_is_deterministic() {
        assert_eq!(key(1).sign(b"m"), key(1).sign(b"m"));
        assert_ne!(key(1).sign(b"m"), key(2).sign(b"m"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Some with another message, another key, another half of the signature, or a key that is no point at all.
        #[test]
        fn a_batch_and_each_alone_agree(faults in prop::collection::vec(0u8..12, 0..150)) {
            let messages: Vec<[u8; 8]> = (0..faults.len()).map(usize::to_le_bytes).collect();
            let items: Vec<(PublicKey, &[u8], Signature)> = faults.iter().enumerate().map(|(i, fault)| {
                let signer = key(i % 5);
                let mut item = (signer.public_key(), &messages[i][..], signer.sign(&messages[i]));
                match fault {
                    0 => item.1 = b"other",
                    1 => item.0 = key(i + 1).public_key(),
                    2 => item.2.0[40] ^= 1,
                    3 => item.2.0[63] |= 0xf0,
                    4 => item.0 = PublicKey([0xff; 32]),
                    _ => {}
                }
                item
            }).collect();
            let together = Ed25519.verify_all(&items);
            let alone: Vec<bool> = items.iter().map(|(key, message, signature)| Ed25519.verify(key, message, signature)).collect();
            let right: Vec<bool> = faults.iter().map(|fault| *fault > 4).collect();
            prop_assert_eq!(&together, &alone);
            prop_assert_eq!(together, right);
        }
    }

    /// Points of small order are where batch and single verification of other rules part; under ZIP-215 both take them.
    #[test]
    fn small_order_keys_get_one_verdict() {
        let identity = PublicKey(std::array::from_fn(|i| u8::from(i == 0)));
        let mut signature = Signature([0; 64]);
        signature.0[0] = 1;
        let good = key(1);
        let alone = Ed25519.verify(&identity, b"any", &signature);
        let items = [(identity, &b"any"[..], signature), (good.public_key(), b"m", good.sign(b"m"))];
        assert_eq!(Ed25519.verify_all(&items), [alone, true]);
    }
}
