//! The judgement on a certificate chain: which node it proves, or why it proves none.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use heliu_identity::id::{NodeId, RealmId, node_id, to_hex};
use heliu_identity::signature::PublicKey;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, OtherError};
use webpki::{EndEntityCert, KeyUsage};

/// What precedes the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410): the algorithm, and a bit string.
const ED25519_KEY: [u8; 10] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The scheme that binds this key to a node id; as `trust::ed25519` names it.
const SCHEME: &str = "ed25519";

/// Whom this end is ready to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub realm: RealmId,
    /// Nobody but this node.
    pub node: Option<NodeId>,
}

/// A certificate chain that is not taken, with the node that it is of where that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    pub node: Option<NodeId>,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    NoCertificate,
    Malformed(String),
    /// As the certificate names it.
    OtherRealm(String),
    Expired {
        until_ms: i64,
        now_ms: i64,
    },
    NotYetValid {
        from_ms: i64,
        now_ms: i64,
    },
    /// The leaf is not signed by the key that the chain says it is of.
    NotSigned,
    /// The leaf names another node than the key is of.
    OtherName(String),
    /// It is not the one that was wanted here.
    NotThatNode {
        wanted: NodeId,
    },
    /// Not for connections, or not for this end of them.
    WrongUse,
}

impl Refused {
    /// Stable, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.why {
            Why::NoCertificate => "no_certificate",
            Why::Malformed(_) => "malformed",
            Why::OtherRealm(_) => "other_realm",
            Why::Expired { .. } => "expired",
            Why::NotYetValid { .. } => "not_yet_valid",
            Why::NotSigned => "not_signed",
            Why::OtherName(_) | Why::NotThatNode { .. } => "other_node",
            Why::WrongUse => "wrong_use",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NoCertificate => f.write_str("it showed no certificate: only nodes may do this, with their own"),
            Why::Malformed(what) => write!(f, "its certificate is not one of a node: {what}"),
            Why::OtherRealm(theirs) => {
                write!(f, "it belongs to another realm ({theirs}): the address leads to another county's node")
            }
            Why::Expired { until_ms, now_ms } => write!(
                f,
                "its certificate expired on {}, and this machine's clock says {}: set the clock that is wrong, and the node \
                 there makes a new one by itself; if both are right, run heliu rotate there",
                moment(*until_ms),
                moment(*now_ms)
            ),
            Why::NotYetValid { from_ms, now_ms } => write!(
                f,
                "its certificate is valid from {} only, and this machine's clock says {}: the clock of one of the two \
                 machines is wrong; set it, and they find together by themselves",
                moment(*from_ms),
                moment(*now_ms)
            ),
            Why::NotSigned => f.write_str(
                "its certificate is not signed by the key of the node that it names: somebody may be posing as it",
            ),
            Why::OtherName(name) => write!(f, "its certificate names {name}, which its key is not"),
            Why::NotThatNode { wanted } => {
                write!(f, "another node answers there than {}: check the address", wanted.short())
            }
            Why::WrongUse => f.write_str("its certificate is not for this end of a connection"),
        }
    }
}

/// Date and time, UTC.
fn moment(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(at) => TimeZone::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => format!("{ms} ms"),
    }
}

/// Which end of a connection shows the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl Side {
    fn usage(self) -> KeyUsage {
        match self {
            Side::Server => KeyUsage::server_auth(),
            Side::Client => KeyUsage::client_auth(),
        }
    }
}

/// The node that a chain (leaf first) proves at a moment.
pub fn judge(chain: &[CertificateDer<'_>], now_ms: i64, expected: &Expected) -> Result<NodeId, Refused> {
    judge_as(Side::Server, chain, now_ms, expected)?;
    judge_as(Side::Client, chain, now_ms, expected)
}

pub(crate) fn judge_as(
    side: Side,
    chain: &[CertificateDer<'_>],
    now_ms: i64,
    expected: &Expected,
) -> Result<NodeId, Refused> {
    let node = chain_node(chain)?;
    let refused = |why| Refused { node: Some(node), why };
    let leaf = EndEntityCert::try_from(&chain[0]).map_err(|error| refused(Why::Malformed(error.to_string())))?;
    // The realm comes first: of a foreign certificate nothing else matters to an operator.
    let name = name(&leaf).map_err(refused)?;
    let wanted = uri(expected.realm, node);
    if name != wanted {
        let ours = format!("heliu://{}/", expected.realm);
        return Err(refused(match name.strip_prefix(&ours) {
            Some(_) => Why::OtherName(name.to_owned()),
            None => Why::OtherRealm(shown(name)),
        }));
    }
    verify(&chain[1], &leaf, side, now_ms).map_err(refused)?;
    match expected.node {
        Some(wanted) if wanted != node => Err(refused(Why::NotThatNode { wanted })),
        _ => Ok(node),
    }
}

/// The node that the authority of a chain is the key of. Nothing is proven by that alone.
pub(crate) fn chain_node(chain: &[CertificateDer<'_>]) -> Result<NodeId, Refused> {
    let malformed = |what: &str| Refused { node: None, why: Why::Malformed(what.to_owned()) };
    let authority = match chain {
        [] => return Err(Refused { node: None, why: Why::NoCertificate }),
        [_, authority] => authority,
        _ => return Err(malformed("the chain is not a leaf and its node's key")),
    };
    let anchor = webpki::anchor_from_trusted_cert(authority).map_err(|error| malformed(&error.to_string()))?;
    let key = anchor.subject_public_key_info.strip_prefix(&ED25519_KEY).and_then(|key| key.try_into().ok());
    let key: [u8; 32] = key.ok_or_else(|| malformed("its authority is not an Ed25519 key"))?;
    Ok(node_id(SCHEME, &PublicKey(key)))
}

/// The one name in our form.
fn name<'a>(leaf: &'a EndEntityCert<'_>) -> Result<&'a str, Why> {
    let mut names = leaf.valid_uri_names().filter(|name| name.starts_with("heliu://"));
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name),
        (None, _) => Err(Why::Malformed("it names no node (heliu://<realm>/<node>)".to_owned())),
        (Some(_), Some(_)) => Err(Why::Malformed("it names several nodes".to_owned())),
    }
}

pub(crate) fn uri(realm: RealmId, node: NodeId) -> String {
    format!("heliu://{realm}/{node}")
}

/// Of what a stranger wrote, only what is short and harmless in a log.
fn shown(name: &str) -> String {
    let realm = name.trim_start_matches("heliu://").split('/').next().unwrap_or_default();
    realm.chars().filter(char::is_ascii_hexdigit).take(8).collect()
}

fn verify(authority: &CertificateDer<'_>, leaf: &EndEntityCert<'_>, side: Side, now_ms: i64) -> Result<(), Why> {
    let malformed = |error: webpki::Error| Why::Malformed(error.to_string());
    let anchor = webpki::anchor_from_trusted_cert(authority).map_err(malformed)?;
    let algorithms = [webpki::ring::ED25519];
    let now = unix(now_ms);
    match leaf.verify_for_usage(&algorithms, &[anchor], &[], now, side.usage(), None, None) {
        Ok(_) => Ok(()),
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            Err(Why::Expired { until_ms: ms(not_after), now_ms: ms(now) })
        }
        Err(webpki::Error::CertNotValidYet { not_before, .. }) => {
            Err(Why::NotYetValid { from_ms: ms(not_before), now_ms: ms(now) })
        }
        Err(
            webpki::Error::InvalidSignatureForPublicKey
            | webpki::Error::UnknownIssuer
            | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
            | webpki::Error::UnsupportedSignatureAlgorithmContext(_),
        ) => Err(Why::NotSigned),
        Err(webpki::Error::RequiredEkuNotFoundContext(_) | webpki::Error::EmptyEkuExtension) => Err(Why::WrongUse),
        Err(error) => Err(malformed(error)),
    }
}

/// From when until when a leaf is valid. webpki tells it when asked at a moment outside.
pub(crate) fn validity(chain: &[CertificateDer<'_>]) -> Option<(i64, i64)> {
    let [leaf, authority] = chain else { return None };
    let leaf = EndEntityCert::try_from(leaf).ok()?;
    let from = match verify(authority, &leaf, Side::Server, 0) {
        Err(Why::NotYetValid { from_ms, .. }) => from_ms,
        _ => 0,
    };
    match verify(authority, &leaf, Side::Server, i64::MAX) {
        Err(Why::Expired { until_ms, .. }) => Some((from, until_ms)),
        _ => None,
    }
}

pub(crate) fn unix(ms: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

pub(crate) fn ms(at: UnixTime) -> i64 {
    i64::try_from(at.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000)
}

/// The node that a connection has proven; none for a client without a certificate. To be asked after the handshake, in
/// which the chain was judged.
#[must_use]
pub fn proven(connection: &rustls::CommonState) -> Option<NodeId> {
    chain_node(connection.peer_certificates()?).ok()
}

impl From<Refused> for rustls::Error {
    fn from(refused: Refused) -> Self {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
    }
}

/// Why a handshake did not succeed: a stable code, the node if it is known, and words for operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    pub code: &'static str,
    pub node: Option<NodeId>,
    pub reason: String,
}

/// Reads what a handshake says of its failure.
#[must_use]
pub fn explain(error: &std::io::Error) -> Failed {
    let failed = |code, reason: &str| Failed { code, node: None, reason: reason.to_owned() };
    explain_tls(error).unwrap_or_else(|| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => failed("closed", "the connection was closed before it was secured"),
        _ => failed("handshake", &error.to_string()),
    })
}

/// As [`explain`], if it is TLS that failed and not the network.
fn explain_tls(error: &std::io::Error) -> Option<Failed> {
    use rustls::{AlertDescription, Error, InvalidMessage};
    let failed = |code, reason: &str| Failed { code, node: None, reason: reason.to_owned() };
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())?;
    Some(match tls {
        Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            match inner.downcast_ref::<Refused>() {
                Some(refused) => Failed { code: refused.code(), node: refused.node, reason: refused.to_string() },
                None => failed("malformed", &error.to_string()),
            }
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => failed(
            "not_tls",
            "it does not speak TLS: the other end is no node, or in development mode without encryption",
        ),
        Error::PeerIncompatible(_) | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            failed("old_tls", "it does not speak TLS 1.3 as nodes do: upgrade the older of the two programs")
        }
        Error::NoApplicationProtocol | Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            failed("not_http2", "it does not speak HTTP/2 over TLS, as nodes and their clients do")
        }
        Error::AlertReceived(alert) => failed(
            "refused_there",
            &format!(
                "the other end refused this node's certificate ({alert:?}): its log and `heliu status` there say why"
            ),
        ),
        other => failed("handshake", &other.to_string()),
    })
}

/// A key's fingerprint as certificates name it: the first eight digits of the node's id.
pub(crate) fn short(node: NodeId) -> String {
    to_hex(&node.0[..4])
}
