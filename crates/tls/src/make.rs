//! Makes a node's certificates with its own key, and writes them to disk.

use std::io;
use std::path::Path;

use heliu_identity::id::{NodeId, RealmId};
use heliu_identity::signature::Signer;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SanType, SignatureAlgorithm, SigningKey,
};
use time::{Duration, OffsetDateTime};

use crate::judge::{short, uri};

/// As long as certificates of the open web may be valid; a node renews well before.
pub const VALID_DAYS: i64 = 397;
/// Clocks of villages are off by hours: a certificate is valid from so long before it was made.
const SKEW: Duration = Duration::DAY;

#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    #[error("a certificate needs an Ed25519 key, and this one is of scheme {0}")]
    Scheme(&'static str),
    #[error("a certificate could not be made: {0}")]
    Failed(#[from] rcgen::Error),
    #[error("{0} ms is no moment at which a certificate can be made: check this machine's clock")]
    Clock(i64),
}

/// A certificate chain (leaf, then the node's authority) and the leaf's private key, as PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

/// Certifies a fresh TLS key. `names` are the host names and addresses under which others reach the node; nodes and our
/// clients go by realm and node id only.
pub fn make(signer: &dyn Signer, realm: RealmId, names: &[String], now_ms: i64) -> Result<Pair, MakeError> {
    let now = OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1000)).map_err(|_| MakeError::Clock(now_ms))?;
    let until = now.checked_add(Duration::days(VALID_DAYS)).ok_or(MakeError::Clock(now_ms))?;
    // Readers know no time before 1970, where a clock that was never set begins.
    let from = now.checked_sub(SKEW).ok_or(MakeError::Clock(now_ms))?.max(OffsetDateTime::UNIX_EPOCH);
    let node = signer.node();
    let authority = NodeKey::of(signer)?;
    let authority_params = authority_params(node)?;
    let authority_certificate = authority_params.self_signed(&authority)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut leaf = CertificateParams::new(names)?;
    leaf.subject_alt_names.insert(0, SanType::URI(uri(realm, node).try_into()?));
    (leaf.not_before, leaf.not_after) = (from, until);
    leaf.distinguished_name.push(DnType::CommonName, format!("heliu {}", short(node)));
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let leaf = leaf.signed_by(&key, &Issuer::from_params(&authority_params, &authority))?;
    Ok(Pair { certificate: format!("{}{}", leaf.pem(), authority_certificate.pem()), key: key.serialize_pem() })
}

fn authority_params(node: NodeId) -> Result<CertificateParams, MakeError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, short(node));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(params)
}

/// A node's signing key as rcgen uses keys: the secret stays where it is.
struct NodeKey<'a> {
    signer: &'a dyn Signer,
    public: [u8; 32],
}

impl<'a> NodeKey<'a> {
    fn of(signer: &'a dyn Signer) -> Result<Self, MakeError> {
        match signer.scheme() {
            "ed25519" => Ok(NodeKey { signer, public: signer.public_key().0 }),
            other => Err(MakeError::Scheme(other)),
        }
    }
}

impl PublicKeyData for NodeKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

impl SigningKey for NodeKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.signer.sign(message).0.to_vec())
    }
}

impl Pair {
    /// Each file is replaced as a whole. The key goes first: who sees the new certificate finds its key.
    pub fn write(&self, certificate: &Path, key: &Path) -> io::Result<()> {
        heliu_disk::replace(key, self.key.as_bytes())?;
        heliu_disk::replace(certificate, self.certificate.as_bytes())
    }
}
