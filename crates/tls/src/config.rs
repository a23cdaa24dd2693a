//! The TLS settings of both ends. TLS 1.3 only (the feature for older versions is off), HTTP/2 only, no early data, no log
//! of keys. No session is resumed: links last for days, so a handshake saved is worth less than that every connection
//! proves who is there, by the certificate that is in use now.

use std::fmt;
use std::sync::Arc;

use heliu_identity::id::RealmId;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::identity::{Identity, provider};
use crate::judge::{Expected, Refused, Side, judge_as, ms, unix};

const HTTP2: &[u8] = b"h2";

/// For the listening end: shows this certificate, and judges the other's if it shows one. Clients without one are people
/// and programs; what needs a node asks for [`crate::proven`].
pub fn acceptor(identity: &Identity, realm: RealmId, clock: Option<Clock>) -> Result<TlsAcceptor, Error> {
    let provider = Arc::new(provider());
    let judge = Arc::new(Judge { expected: Expected { realm, node: None }, provider: Arc::clone(&provider) });
    let mut config = ServerConfig::builder_with_details(provider, time_of(clock))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(judge)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&identity.certified))));
    config.alpn_protocols = vec![HTTP2.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// For the dialling end, with a certificate if this is a node.
pub fn connector(identity: Option<&Identity>, expected: Expected, clock: Option<Clock>) -> Result<TlsConnector, Error> {
    let provider = Arc::new(provider());
    let judge = Arc::new(Judge { expected, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_details(provider, time_of(clock))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(judge);
    let mut config = match identity {
        Some(identity) => {
            let shown = SingleCertAndKey::from(Arc::clone(&identity.certified));
            builder.with_client_cert_resolver(Arc::new(shown))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![HTTP2.to_vec()];
    config.resumption = Resumption::disabled();
    // The name says nothing here, and an address is none.
    config.enable_sni = false;
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Milliseconds since 1970, by which the other end's certificate is judged.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Without a clock, this machine's.
fn time_of(clock: Option<Clock>) -> Arc<dyn TimeProvider> {
    match clock {
        Some(clock) => Arc::new(By(clock)),
        None => Arc::new(DefaultTimeProvider),
    }
}

struct By(Clock);

impl fmt::Debug for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("By(clock)")
    }
}

impl TimeProvider for By {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix((self.0)()))
    }
}

/// Takes a chain that proves a node of the realm, whatever name was dialled.
#[derive(Debug)]
struct Judge {
    expected: Expected,
    provider: Arc<CryptoProvider>,
}

impl Judge {
    fn judge(
        &self,
        side: Side,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Refused> {
        let chain: Vec<CertificateDer<'_>> = std::iter::once(leaf).chain(rest).cloned().collect();
        judge_as(side, &chain, ms(now), &self.expected).map(drop)
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
}

fn schemes() -> Vec<SignatureScheme> {
    vec![SignatureScheme::ECDSA_NISTP256_SHA256]
}

fn tls12() -> Error {
    Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(Side::Server, leaf, rest, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

impl ClientCertVerifier for Judge {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.judge(Side::Client, leaf, rest, now)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}
