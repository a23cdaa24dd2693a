//! The node's certificate while it runs: what is in use, what new pair of files takes its place, and when it is renewed.
//! How certificates are made and judged is in `heliu_tls`; who looks at the files is in `secured`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use heliu_record::reason::{Fact, Reason};
use heliu_tls::{
    BadPair, Expected, Identity, MakeError, Refused, TlsAcceptor, TlsConnector, Why, acceptor, connector, make,
};
use heliu_trust::id::{NodeId, RealmId};
use heliu_trust::signature::Signer;

use crate::clock::Clock;
use crate::options::Tls;
use crate::stamp::Stamp;

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

impl CertificateError {
    /// As people are told of it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            CertificateError::Bad(bad) => bad.reason(),
            CertificateError::Make(_) => Reason::new("certificate.not-made"),
            CertificateError::Write { path, why } => {
                Reason::new("file.not-written").and(Fact::File, path).and(Fact::System, why)
            }
            CertificateError::Unusable(_) => Reason::new("certificate.unusable"),
        }
    }
}

/// What is wrong with the certificate now. Each problem is taken off for itself when it is over.
#[derive(Clone, Debug, Default)]
struct Problems {
    /// Why the certificate in the files is not the one in use.
    files: Option<Reason>,
    /// Why no new certificate could be made when it was time for one.
    renewal: Option<Reason>,
}

/// The node's certificate, its files, and the key that renews it.
pub(crate) struct Certificate {
    realm: RealmId,
    key: Arc<dyn Signer>,
    pub files: Tls,
    clock: Clock,
    current: RwLock<Arc<Current>>,
    problems: Mutex<Problems>,
    /// The stamp of the files, taken before they were read at the start.
    pub begun: Stamp,
}

impl Certificate {
    /// Takes the pair that is there. One is made where there is none, or where it is not valid now: a clock that is wrong,
    /// or was when it was made, is no reason not to start.
    pub fn open(files: Tls, realm: RealmId, key: Arc<dyn Signer>, clock: Clock) -> Result<Self, CertificateError> {
        let now = clock.wall_ms();
        let pair = Pair { files: &files, realm, key: &*key };
        if !files.certificate.exists() && !files.key.exists() {
            pair.renew(now)?;
            tracing::info!(certificate = %files.certificate.display(), "made a certificate for this node");
        }
        let mut begun = pair.stamp();
        let identity = match pair.read() {
            // Cut off when the disk was full, one of the two lost: nobody has to take anything away by hand.
            Err(why) if why.is_no_pair() => {
                tracing::warn!(%why, "this node's certificate cannot be used; made a new one");
                pair.renew(now)?;
                begun = pair.stamp();
                pair.read().map_err(CertificateError::from)?
            }
            read => read.map_err(CertificateError::from)?,
        };
        let current = RwLock::new(Arc::new(Current::of(identity, realm, &clock)?));
        let mut certificate = Certificate { realm, key, files, clock, current, problems: Mutex::default(), begun };
        if let Err(why) = certificate.current().identity.check(now) {
            match certificate.renew() {
                Ok(()) => {
                    certificate.begun = certificate.stamp();
                    tracing::warn!(%why, "this node's certificate was not valid now; made a new one");
                }
                Err(error) => {
                    tracing::error!(%why, %error, "this node's certificate is not valid now, nor could one be made");
                }
            }
        }
        Ok(certificate)
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
        connector(Some(&self.current().identity), expected, Some(by(&self.clock))).map_err(unusable)
    }

    pub fn not_after_ms(&self) -> i64 {
        self.current().identity.until_ms
    }

    /// Whether it is time for a new one, by the clock as it is set now.
    pub fn is_due(&self) -> bool {
        self.current().identity.is_due(self.clock.wall_ms())
    }

    /// It is not time for a new one any more: that none could be made is over.
    pub fn forget_renewal(&self) {
        self.told().renewal = None;
    }

    /// Whether others can take it, by the clock as it is set now.
    pub fn is_valid(&self) -> bool {
        self.current().identity.check(self.clock.wall_ms()).is_ok()
    }

    /// How long it is valid yet.
    pub fn left_ms(&self) -> i64 {
        self.not_after_ms().saturating_sub(self.clock.wall_ms())
    }

    /// What is wrong with the files or the renewal.
    pub fn problems(&self) -> Vec<Reason> {
        let Problems { files, renewal } = self.told().clone();
        files.into_iter().chain(renewal).collect()
    }

    /// Whether the files have something wrong that may be over since.
    pub fn is_to_be_read_again(&self) -> bool {
        self.told().files.is_some()
    }

    fn told(&self) -> MutexGuard<'_, Problems> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pair(&self) -> Pair<'_> {
        Pair { files: &self.files, realm: self.realm, key: &*self.key }
    }

    pub fn stamp(&self) -> Stamp {
        self.pair().stamp()
    }

    /// Takes what is in the files now, if it is good. The old pair stays otherwise. One that is not valid yet was made by a clock
    /// that has been put back since: a new one takes its place.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let taken = self.pair().read().map_err(CertificateError::from).and_then(|identity| {
            match identity.check(self.clock.wall_ms()) {
                Ok(()) => self.take(identity),
                Err(Refused { why: Why::NotYetValid { .. }, .. }) => self.make(),
                Err(why) => Err(BadPair::from(why).into()),
            }
        });
        self.told().files = taken.as_ref().err().map(CertificateError::reason);
        taken
    }

    fn take(&self, identity: Identity) -> Result<(), CertificateError> {
        let next = Arc::new(Current::of(identity, self.realm, &self.clock)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn make(&self) -> Result<(), CertificateError> {
        self.pair().renew(self.clock.wall_ms())?;
        self.take(self.pair().read()?)
    }

    /// Makes a new pair, puts it into the files, and takes it.
    pub fn renew(&self) -> Result<(), CertificateError> {
        let renewed = self.make();
        let mut told = self.told();
        told.renewal = renewed.as_ref().err().map(CertificateError::reason);
        if renewed.is_ok() {
            told.files = None;
        }
        renewed
    }
}

/// The clock by which the other end's certificate is judged.
fn by(clock: &Clock) -> heliu_tls::Clock {
    let clock = clock.clone();
    Arc::new(move || clock.wall_ms())
}

impl Current {
    fn of(identity: Identity, realm: RealmId, clock: &Clock) -> Result<Self, CertificateError> {
        let acceptor = acceptor(&identity, realm, Some(by(clock))).map_err(unusable)?;
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
