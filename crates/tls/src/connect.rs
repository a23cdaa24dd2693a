//! Dialling: TCP, then the handshake, each with a deadline.

use std::net::Ipv4Addr;
use std::time::Duration;

use heliu_identity::id::NodeId;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::judge::{Failed, explain, proven};

/// How long a TCP connection may take to come about.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a handshake may take, at either end.
pub const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("{0}")]
    Tcp(#[from] std::io::Error),
    #[error("nobody answers at this address within {} s", CONNECT_TIMEOUT.as_secs())]
    Silent,
    #[error("it did not secure the connection within {} s", HANDSHAKE_DEADLINE.as_secs())]
    Slow,
    #[error("{}", .0.reason)]
    Refused(Failed),
}

/// Connects to `host:port`; with whom, the connector has been told.
pub async fn connect(connector: &TlsConnector, address: &str) -> Result<(TlsStream<TcpStream>, NodeId), ConnectError> {
    let tcp = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address));
    let tcp = tcp.await.map_err(|_| ConnectError::Silent)??;
    // Small frames must not wait for others. It only fails on a connection that is gone already.
    let _ = tcp.set_nodelay(true);
    let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::UNSPECIFIED));
    let handshake = tokio::time::timeout(HANDSHAKE_DEADLINE, connector.connect(name, tcp));
    let stream = handshake.await.map_err(|_| ConnectError::Slow)?;
    let stream = stream.map_err(|error| ConnectError::Refused(explain(&error)))?;
    let state = stream.get_ref().1;
    let unproven = || Failed { code: "malformed", node: None, reason: "it has proven no identity".to_owned() };
    let node = proven(state).ok_or_else(|| ConnectError::Refused(unproven()))?;
    if state.alpn_protocol() != Some(b"h2") {
        let reason = "it does not speak HTTP/2 over TLS, as nodes do".to_owned();
        return Err(ConnectError::Refused(Failed { code: "not_http2", node: Some(node), reason }));
    }
    Ok((stream, node))
}
