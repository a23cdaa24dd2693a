//! The node's certificate while it runs: what is in use, what new pair of files takes its place, and when it is renewed.
//! How certificates are made and judged is in `heliu_tls`; who was refused is in `refused`.

pub(crate) mod refused;
mod stamp;
pub(crate) mod stream;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use heliu_tls::{BadPair, Expected, Identity, MakeError, TlsAcceptor, TlsConnector, acceptor, connector, make};
use heliu_trust::id::{NodeId, RealmId};
use heliu_trust::signature::Signer;

use crate::clock::wall_ms;
use crate::error::StartError;
use crate::options::Tls;
pub(crate) use stamp::Stamp;
pub(crate) use watch::watch;

/// A clock that says less than this (2025) has not been set: nothing is made anew by it.
const PLAUSIBLE_MS: i64 = 1_735_689_600_000;

/// Why a pair of files is not in use.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error(transparent)]
    Bad(#[from] BadPair),
    #[error(transparent)]
    Make(#[from] MakeError),
    #[error("{path} cannot be written: {why}")]
    Write { path: String, why: std::io::Error },
    #[error("the certificate cannot be used: {0}")]
    Unusable(String),
}

/// What connections are made with from now on.
pub(crate) struct Current {
    pub identity: Identity,
    acceptor: TlsAcceptor,
}

/// The node's certificate, its files, and the key that renews it.
pub(crate) struct Certificate {
    realm: RealmId,
    key: Arc<dyn Signer>,
    pub files: Tls,
    current: RwLock<Arc<Current>>,
    problem: Mutex<Option<String>>,
    /// Of the files, before they were read at the start.
    pub begun: Stamp,
}

impl Certificate {
    /// Takes the pair that is there. One is made where there is none, or where time has run out on it.
    pub fn open(files: Tls, realm: RealmId, key: Arc<dyn Signer>) -> Result<Self, StartError> {
        let now = wall_ms();
        let pair = Pair { files: &files, realm, key: &*key };
        if !files.certificate.exists() && !files.key.exists() {
            pair.renew(now)?;
            tracing::info!(certificate = %files.certificate.display(), "made a certificate for this node");
        }
        let mut begun = pair.stamp();
        let mut identity = match pair.read() {
            // Cut off when the disk was full, one of the two lost: nobody has to take anything away by hand.
            Err(why) if why.is_no_pair() => {
                tracing::warn!(%why, "this node's certificate cannot be used; made a new one");
                pair.renew(now)?;
                begun = pair.stamp();
                pair.read().map_err(CertificateError::from)?
            }
            read => read.map_err(CertificateError::from)?,
        };
        let mut problem = None;
        if let Err(why) = identity.check(now) {
            if now >= PLAUSIBLE_MS {
                pair.renew(now)?;
                begun = pair.stamp();
                identity = pair.read().map_err(CertificateError::from)?;
                tracing::warn!(%why, "this node's certificate is not valid now; made a new one");
            } else {
                tracing::warn!(%why, "this machine's clock is not set; other nodes will be refused until it is");
                problem = Some(why.to_string());
            }
        }
        let current = RwLock::new(Arc::new(Current::of(identity, realm)?));
        Ok(Certificate { realm, key, files, current, problem: Mutex::new(problem), begun })
    }

    pub fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        self.current().acceptor.clone()
    }

    /// For dialling a node of the realm: any, or the one that is wanted.
    pub fn connector(&self, node: Option<NodeId>) -> Result<TlsConnector, CertificateError> {
        let expected = Expected { realm: self.realm, node };
        connector(Some(&self.current().identity), expected).map_err(unusable)
    }

    pub fn not_after_ms(&self) -> i64 {
        self.current().identity.until_ms
    }

    /// Why the files are not what is in use.
    pub fn problem(&self) -> Option<String> {
        self.told().clone()
    }

    fn told(&self) -> MutexGuard<'_, Option<String>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pair(&self) -> Pair<'_> {
        Pair { files: &self.files, realm: self.realm, key: &*self.key }
    }

    pub fn stamp(&self) -> Stamp {
        self.pair().stamp()
    }

    /// Takes what is in the files now, if it is good. The old pair stays otherwise.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let taken = self.taken();
        *self.told() = taken.as_ref().err().map(ToString::to_string);
        taken
    }

    fn taken(&self) -> Result<(), CertificateError> {
        let identity = self.pair().read()?;
        identity.check(wall_ms()).map_err(BadPair::from)?;
        let next = Arc::new(Current::of(identity, self.realm)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Makes a new pair, puts it into the files, and takes it.
    pub fn renew(&self) -> Result<(), CertificateError> {
        let renewed = self.pair().renew(wall_ms()).and_then(|()| self.taken());
        *self.told() = renewed.as_ref().err().map(|why| format!("the certificate could not be renewed: {why}"));
        renewed
    }
}

impl Current {
    fn of(identity: Identity, realm: RealmId) -> Result<Self, CertificateError> {
        let acceptor = acceptor(&identity, realm).map_err(unusable)?;
        Ok(Current { identity, acceptor })
    }
}

/// The two files and whose they are.
struct Pair<'a> {
    files: &'a Tls,
    realm: RealmId,
    key: &'a dyn Signer,
}

impl Pair<'_> {
    fn stamp(&self) -> Stamp {
        Stamp::of(&[&self.files.certificate, &self.files.key])
    }

    fn read(&self) -> Result<Identity, BadPair> {
        Identity::read(&self.files.certificate, &self.files.key, self.realm, self.key.node())
    }

    fn renew(&self, now_ms: i64) -> Result<(), CertificateError> {
        let pair = make(self.key, self.realm, &self.files.names, now_ms)?;
        let path = self.files.certificate.display().to_string();
        pair.write(&self.files.certificate, &self.files.key).map_err(|why| CertificateError::Write { path, why })
    }
}

fn unusable(error: impl std::fmt::Display) -> CertificateError {
    CertificateError::Unusable(error.to_string())
}
