//! Dialling: TCP, then the handshake, each with a deadline.

use std::io::{Error as IoError, ErrorKind};
use std::net::Ipv4Addr;
use std::time::Duration;

use heliu_record::conflict::Explanation;
use heliu_trust::id::NodeId;
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
    Tcp(#[from] IoError),
    #[error("nobody answers at this address within {} s", CONNECT_TIMEOUT.as_secs())]
    Silent,
    #[error("it did not secure the connection within {} s", HANDSHAKE_DEADLINE.as_secs())]
    Slow,
    #[error("{}", .0.words.en)]
    Refused(Failed),
}

impl ConnectError {
    /// For people, in our own words.
    #[must_use]
    pub fn words(&self) -> Explanation {
        match self {
            ConnectError::Tcp(error) => NoConnection::of(error).words(),
            ConnectError::Silent => NoConnection::NoAnswer.words(),
            ConnectError::Slow => Explanation::new(
                "已连上,但没有按时完成加密握手",
                "it was reached and did not secure the connection in time",
            ),
            ConnectError::Refused(failed) => failed.words.clone(),
        }
    }
}

/// What the network did, whatever the system calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoConnection {
    NothingListens,
    NoAnswer,
    UnknownName,
    NoNetwork,
    Closed,
    Lost,
}

impl NoConnection {
    #[must_use]
    pub fn of(error: &IoError) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => NoConnection::NothingListens,
            ErrorKind::TimedOut => NoConnection::NoAnswer,
            ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable => NoConnection::NoNetwork,
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => NoConnection::Lost,
            ErrorKind::UnexpectedEof => NoConnection::Closed,
            // The system's resolver has no kind of its own.
            _ if error.raw_os_error().is_none() => NoConnection::UnknownName,
            _ => NoConnection::Lost,
        }
    }

    /// For people.
    #[must_use]
    pub fn words(self) -> Explanation {
        let (zh, en) = match self {
            NoConnection::NothingListens => {
                ("连接被拒,该地址上没有程序在监听", "Connection refused, nothing listens at that address")
            }
            NoConnection::NoAnswer => ("该地址没有应答", "nobody answers at that address"),
            NoConnection::UnknownName => ("找不到这个主机名", "there is no host of that name"),
            NoConnection::NoNetwork => ("网络不通", "the network does not lead there"),
            NoConnection::Closed => ("对方关闭了连接", "the other end closed the connection"),
            NoConnection::Lost => ("连接中断", "the connection broke"),
        };
        Explanation::new(zh, en)
    }
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
    let unproven = || Failed::new("malformed", "它没有证明自己是谁", "it has proven no identity");
    let node = proven(state).ok_or_else(|| ConnectError::Refused(unproven()))?;
    if state.alpn_protocol() != Some(b"h2") {
        let failed = Failed::new(
            "not_http2",
            "它没有在加密之上使用 HTTP/2,而节点都用",
            "it does not speak HTTP/2 over TLS, as nodes do",
        );
        return Err(ConnectError::Refused(Failed { node: Some(node), ..failed }));
    }
    Ok((stream, node))
}
