//! The keys that this room uses: to sign, as `heliu_identity` says what a scheme must offer, and to seal.

use heliu_identity::byte_id;
pub use heliu_identity::signature::{PublicKey, Signature, Signer, Verifier};

byte_id!(
    /// A public X25519 key: what is sealed to it, only the holder of its private half opens.
    SealingKey, 32
);
