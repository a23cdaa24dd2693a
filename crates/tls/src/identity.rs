//! A node's certificate and key as they are read from disk, and checked before they are used.

use std::path::Path;
use std::sync::Arc;

use heliu_disk::small_file::{self, BadFile};
use heliu_identity::id::{NodeId, RealmId};
use heliu_words::reason::{Fact, Reason};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::judge::{Expected, Refused, Why, chain_node, judge, validity};
use crate::make::VALID_DAYS;

/// Larger files are none of ours.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// A clock that was put back by less makes no new certificate: all clocks are set a little now and then.
const SET_BACK_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Why a certificate and key are not used.
#[derive(Debug, thiserror::Error)]
pub enum BadPair {
    #[error("{path} cannot be read: {why}")]
    Unreadable { path: String, why: BadFile },
    #[error("{path} holds no {what} in PEM form")]
    NotPem { path: String, what: &'static str },
    #[error("certificate and key do not belong together")]
    Mismatch,
    #[error("the certificate is not one of this node: {0}")]
    Refused(#[from] Refused),
    #[error("the certificate or key is of a kind that is not used: {0}")]
    Unusable(String),
}

impl BadPair {
    /// As people are told of it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            BadPair::Unreadable { path, why } => why.reason(path),
            BadPair::NotPem { path, .. } => Reason::new("certificate.not-pem").and(Fact::File, path),
            BadPair::Mismatch => Reason::new("certificate.mismatch"),
            BadPair::Refused(refused) => refused.reason(),
            BadPair::Unusable(_) => Reason::new("certificate.unusable"),
        }
    }

    /// Whether the files are no pair at all: gone, empty, cut off, or halves of two. What is in them is made of the node's key,
    /// and another pair is as good. A file that may not be read, or that is somebody else's, is none of these.
    #[must_use]
    pub fn is_no_pair(&self) -> bool {
        match self {
            BadPair::Unreadable { why, .. } => matches!(why, BadFile::Missing | BadFile::Empty | BadFile::NotText),
            BadPair::NotPem { .. } | BadPair::Mismatch => true,
            BadPair::Refused(_) | BadPair::Unusable(_) => false,
        }
    }
}

/// A certificate chain with its key, of this node and realm and checked but for the time.
#[derive(Clone, Debug)]
pub struct Identity {
    pub node: NodeId,
    pub from_ms: i64,
    pub until_ms: i64,
    pub(crate) certified: Arc<CertifiedKey>,
}

impl Identity {
    /// Reads a pair that has to be this node's. Whether it is valid now is asked with [`Identity::check`]: a node whose
    /// clock is wrong still has to start.
    pub fn read(certificate: &Path, key: &Path, realm: RealmId, node: NodeId) -> Result<Self, BadPair> {
        let identity = Identity::load(certificate, key)?;
        judge(&identity.certified.cert, identity.from_ms, &Expected { realm, node: Some(node) })?;
        Ok(identity)
    }

    /// Reads a pair, whosever it is. That it proves anything is for the other end to judge.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, BadPair> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(certificate)?)
            .collect::<Result<_, _>>()
            .map_err(|_| not_pem(certificate, "certificates"))?;
        if chain.is_empty() {
            return Err(not_pem(certificate, "certificates"));
        }
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| not_pem(key, "private key"))?;
        let node = chain_node(&chain)?;
        let (from_ms, until_ms) = validity(&chain).unwrap_or_default();
        let certified = CertifiedKey::from_der(chain, secret, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => BadPair::Mismatch,
            other => BadPair::Unusable(other.to_string()),
        })?;
        Ok(Identity { node, from_ms, until_ms, certified: Arc::new(certified) })
    }

    /// Whether it is valid at this moment.
    pub fn check(&self, now_ms: i64) -> Result<(), Refused> {
        let refused = |why| Err(Refused { node: Some(self.node), why });
        if now_ms < self.from_ms {
            return refused(Why::NotYetValid { from_ms: self.from_ms, now_ms });
        }
        if now_ms > self.until_ms {
            return refused(Why::Expired { until_ms: self.until_ms, now_ms });
        }
        Ok(())
    }

    /// It is time for the next: this one is not valid now, or less than a third of its time is left, or it was made by a
    /// clock that has been put back since, and others may not find it valid yet.
    #[must_use]
    pub fn is_due(&self, now_ms: i64) -> bool {
        let (left, all) = (self.until_ms.saturating_sub(now_ms), self.until_ms.saturating_sub(self.from_ms));
        self.check(now_ms).is_err() || left < all / 3 || left > VALID_DAYS * DAY_MS + SET_BACK_MS
    }
}

/// The cryptography of all TLS here.
pub(crate) fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

fn read(path: &Path) -> Result<Vec<u8>, BadPair> {
    let text = small_file::read_text(path, FILE_BYTES_MAX);
    text.map(String::into_bytes).map_err(|why| BadPair::Unreadable { path: path.display().to_string(), why })
}

fn not_pem(path: &Path, what: &'static str) -> BadPair {
    BadPair::NotPem { path: path.display().to_string(), what }
}
