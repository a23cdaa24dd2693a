//! What a signature scheme must offer, so that a certified SM2 module or a cheap one for simulated schedules has one
//! place to plug in; and the ids that follow from keys. The schemes themselves are in `trust`.

use std::fmt;

use crate::byte_id;
use crate::hash::hash16;
use crate::id::{NodeId, RealmId, to_hex};

byte_id!(
    /// A public signing key, as the scheme of the realm encodes it.
    PublicKey, 32
);

/// A node's id binds the scheme, so that a key of one signature scheme cannot pass as a key of another.
#[must_use]
pub fn node_id(scheme: &str, key: &PublicKey) -> NodeId {
    NodeId(hash16("heliu node 1", &[scheme.as_bytes(), &key.0]))
}

/// The id binds the offline root key: two realms that call themselves by one name are still two.
#[must_use]
pub fn realm_id(root: &PublicKey, name: &str) -> RealmId {
    RealmId(hash16("heliu realm 2", &[&root.0, name.as_bytes()]))
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", to_hex(&self.0[..4]))
    }
}

/// A private key. Signing is deterministic: the same key and message give the same signature.
pub trait Signer: Send + Sync {
    /// Short, stable name of the scheme; part of every node id.
    fn scheme(&self) -> &'static str;

    fn public_key(&self) -> PublicKey;

    fn sign(&self, message: &[u8]) -> Signature;

    /// The id of the node that signs with this key.
    fn node(&self) -> NodeId {
        node_id(self.scheme(), &self.public_key())
    }
}

pub trait Verifier: Send + Sync {
    /// The scheme that this verifies; see [`Signer::scheme`].
    fn scheme(&self) -> &'static str;

    /// Judges each item, in order. An item gets the same verdict whatever else is in the list (for Ed25519: ZIP-215),
    /// or nodes that batch differently would admit different commits.
    fn verify_all(&self, items: &[(PublicKey, &[u8], Signature)]) -> Vec<bool>;

    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        self.verify_all(&[(*key, message, *signature)]) == [true]
    }
}
