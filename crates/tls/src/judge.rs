//! The judgement on a certificate chain: which node it proves, or why it proves none.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use heliu_identity::id::{NodeId, RealmId, to_hex};
use heliu_identity::signature::{PublicKey, node_id};
use heliu_words::Explanation;
use heliu_words::reason::{Fact, Facts, Reason};
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

    /// As people are told of it.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let reason = Reason::new(self.code());
        match &self.why {
            Why::Expired { until_ms, now_ms } => {
                reason.and(Fact::UntilMs, until_ms).and(Fact::ClockMs, minute(*now_ms))
            }
            Why::NotYetValid { from_ms, now_ms } => {
                reason.and(Fact::FromMs, from_ms).and(Fact::ClockMs, minute(*now_ms))
            }
            Why::NotThatNode { wanted } => reason.and(Fact::Expected, wanted.short()),
            _ => reason,
        }
    }
}

impl Why {
    /// For people.
    #[must_use]
    pub fn words(&self) -> Explanation {
        match self {
            Why::NoCertificate => Explanation::new(
                "它没有出示证书:只有节点才能这样做,并须用自己的证书",
                "it showed no certificate: only nodes may do this, with their own",
            ),
            Why::Malformed(what) => {
                Explanation::new("它的证书不是节点的证书", format!("its certificate is not one of a node: {what}"))
            }
            Why::OtherRealm(theirs) => Explanation::new(
                format!("它属于另一个域({theirs}):地址指向了别县的节点"),
                format!("it belongs to another realm ({theirs}): the address leads to another county's node"),
            ),
            Why::Expired { until_ms, now_ms } => {
                let (until, now) = (moment(*until_ms), moment(*now_ms));
                Explanation::new(
                    format!(
                        "它的证书已于 {until} 过期,而本机时钟是 {now}:请校正错的那台,对方的节点会自动更换证书;若两边都对,在对方运行 heliu rotate"
                    ),
                    format!(
                        "its certificate expired on {until}, and this machine's clock says {now}: set the clock that is wrong, \
                         and the node there makes a new one by itself; if both are right, run heliu rotate there"
                    ),
                )
            }
            Why::NotYetValid { from_ms, now_ms } => {
                let (from, now) = (moment(*from_ms), moment(*now_ms));
                Explanation::new(
                    format!("它的证书从 {from} 起才有效,而本机时钟是 {now}:两台机器中有一台时钟不对,校正后会自行恢复"),
                    format!(
                        "its certificate is valid from {from} only, and this machine's clock says {now}: the clock of one of \
                         the two machines is wrong; set it, and they find together by themselves"
                    ),
                )
            }
            Why::NotSigned => Explanation::new(
                "它的证书不是由所指节点的密钥签的:可能有人冒充该节点",
                "its certificate is not signed by the key of the node that it names: somebody may be posing as it",
            ),
            Why::OtherName(name) => Explanation::new(
                format!("它的证书写的是 {name},与其密钥不符"),
                format!("its certificate names {name}, which its key is not"),
            ),
            Why::NotThatNode { wanted } => {
                let wanted = wanted.short();
                Explanation::new(
                    format!("应答的是另一个节点,不是 {wanted}:请核对地址"),
                    format!("another node answers there than {wanted}: check the address"),
                )
            }
            Why::WrongUse => {
                Explanation::new("它的证书不用于连接的这一端", "its certificate is not for this end of a connection")
            }
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().en)
    }
}

/// What is the same for a while is told once.
fn minute(ms: i64) -> i64 {
    ms - ms.rem_euclid(60_000)
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
    pub words: Explanation,
    pub facts: Facts,
}

impl Failed {
    pub(crate) fn new(code: &'static str, zh: &str, en: &str) -> Self {
        Failed { code, node: None, words: Explanation::new(zh, en), facts: Facts::none() }
    }

    /// With a library's word for it, which is kept for whoever digs deeper.
    fn quoting(code: &'static str, zh: &str, en: &str, error: &dyn fmt::Display) -> Self {
        let facts = Facts::none().and(Fact::System, error);
        Failed { facts, ..Failed::new(code, zh, &format!("{en}: {error}")) }
    }
}

/// Reads what a handshake says of its failure.
#[must_use]
pub fn explain(error: &std::io::Error) -> Failed {
    explain_tls(error).unwrap_or_else(|| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            Failed::new("closed", "连接在加密之前就断开了", "the connection was closed before it was secured")
        }
        _ => Failed::quoting("handshake", "握手失败", "the handshake failed", error),
    })
}

/// As [`explain`], if it is TLS that failed and not the network.
fn explain_tls(error: &std::io::Error) -> Option<Failed> {
    use rustls::{AlertDescription, Error, InvalidMessage};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())?;
    Some(match tls {
        Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            match inner.downcast_ref::<Refused>() {
                Some(refused) => Failed {
                    code: refused.code(),
                    node: refused.node,
                    words: refused.why.words(),
                    facts: refused.reason().facts,
                },
                None => Failed::quoting("malformed", "它的证书不合格式", "its certificate is malformed", error),
            }
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => Failed::new(
            "not_tls",
            "它没有加密:对方不是节点,或是未加密的开发模式节点",
            "it does not speak TLS: the other end is no node, or in development mode without encryption",
        ),
        Error::PeerIncompatible(_) | Error::AlertReceived(AlertDescription::ProtocolVersion) => Failed::new(
            "old_tls",
            "它不支持节点所用的 TLS 1.3:请升级较旧的一端",
            "it does not speak TLS 1.3 as nodes do: upgrade the older of the two programs",
        ),
        Error::NoApplicationProtocol | Error::AlertReceived(AlertDescription::NoApplicationProtocol) => Failed::new(
            "not_http2",
            "它没有在加密之上使用 HTTP/2,而节点和客户端都用",
            "it does not speak HTTP/2 over TLS, as nodes and their clients do",
        ),
        Error::AlertReceived(alert) => Failed::new(
            "refused_there",
            "对方不接受本节点的证书:原因见对方的日志和 heliu status",
            &format!(
                "the other end refused this node's certificate ({alert:?}): its log and `heliu status` there say why"
            ),
        ),
        other => Failed::quoting("handshake", "握手失败", "the handshake failed", other),
    })
}

/// A key's fingerprint as certificates name it: the first eight digits of the node's id.
pub(crate) fn short(node: NodeId) -> String {
    to_hex(&node.0[..4])
}
