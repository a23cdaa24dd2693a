//! A signature scheme for simulated schedules only. **Not secure**: the public key is the key, so whoever can verify can
//! sign. It exists because a schedule of a million commits should spend its time on the protocol. Nothing outside of
//! tests, simulations and benches may name it.

use heliu_record::hash::hash;

use crate::signature::{PublicKey, Signature, Signer, Verifier};

const SCHEME: &str = "simulated";

/// Verifies keyed hashes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cheap;

impl Verifier for Cheap {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    fn verify_all(&self, items: &[(PublicKey, &[u8], Signature)]) -> Vec<bool> {
        items.iter().map(|(key, message, signature)| keyed_hash(key, message) == *signature).collect()
    }
}

#[derive(Clone, Copy, Debug)]
pub struct CheapKey(pub [u8; 32]);

impl CheapKey {
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        CheapKey(seed)
    }
}

impl Signer for CheapKey {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    fn public_key(&self) -> PublicKey {
        PublicKey(self.0)
    }

    fn sign(&self, message: &[u8]) -> Signature {
        keyed_hash(&self.public_key(), message)
    }
}

fn keyed_hash(key: &PublicKey, message: &[u8]) -> Signature {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&hash("heliu simulated signature", &[&key.0, message]));
    Signature(signature)
}
