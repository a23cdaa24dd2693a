//! The typed client of a node: what the command line, the console and other programs use.
//!
//! Messages are the generated ones of `heliu.records.v1` and its sisters, re-exported as [`records`], [`operations`],
//! [`administration`] and [`enrolment`]. What is added here: a deadline for every call, limits for every message, errors that say what
//! happened and what to do, and the node's [`Schema`] as types. Nothing of the engine, and no list of kinds and commands.
//!
//! Bottom up: `error`, `access`, `schema`, `records_calls`, `operations_calls`, `administration_calls`, `enrolment_calls`.

mod access;
mod administration_calls;
mod enrolment_calls;
mod error;
mod operations_calls;
mod records_calls;
pub mod schema;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use heliu_api::administration::administration_service_client::AdministrationServiceClient;
use heliu_api::enrolment::enrolment_service_client::EnrolmentServiceClient;
use heliu_api::operations::operations_service_client::OperationsServiceClient;
use heliu_api::records::records_service_client::RecordsServiceClient;
use heliu_tls::{ConnectError, TlsConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tonic::codegen::http::Uri;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

pub use access::{Access, Pinned};
use error::say;
pub use error::{BadAddress, Error};
pub use heliu_api::status::{CallRefusal, Sort};
pub use heliu_api::{administration, enrolment, operations, records};
pub use heliu_words::Explanation;
pub use schema::Schema;

/// How long a connection may take to come about.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a node may take to answer. [`Client::verify`] adds the time that it asks the node to wait.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer taken: a page of 1,000 records with long views.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The largest request sent.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to one node. Cloning is cheap and shares the connection; it comes back by itself after the node was away.
#[derive(Clone, Debug)]
pub struct Client {
    address: String,
    records: RecordsServiceClient<Wire>,
    operations: OperationsServiceClient<Wire>,
    administration: AdministrationServiceClient<Wire>,
    enrolment: EnrolmentServiceClient<Wire>,
    schema: Arc<OnceCell<Arc<Schema>>>,
}

impl Client {
    /// Connects to a node in development mode, at `host:port` or `http://host:port`.
    pub async fn connect(address: &str) -> Result<Self, Error> {
        let endpoint = endpoint(address)?.connect_timeout(CONNECT_TIMEOUT);
        let channel = endpoint.connect().await.map_err(|error| Error::unreachable(address, &error))?;
        Ok(Client::over(channel, address.to_owned(), Bearer(None)))
    }

    /// Connects to the node that an access file tells, at the first of its addresses where that node answers.
    pub async fn open(access: &Access) -> Result<Self, Error> {
        let Some(pinned) = access.pinned else {
            // A token is not sent where others could read it.
            let address = access.addresses.first().map_or("", |address| address);
            return Client::connect(address).await;
        };
        let address = access.addresses.join(", ");
        let bad = || Error::Address { address: address.clone(), why: BadAddress::Form };
        for address in &access.addresses {
            endpoint(address)?;
        }
        let endpoint = endpoint(access.addresses.first().ok_or_else(bad)?)?;
        let bearer = Bearer::with(access.token.as_deref()).ok_or_else(|| Error::Access {
            path: address.clone(),
            why: say("其中的令牌含有不该有的字符", "its token has characters that no token has"),
        })?;
        let expected = heliu_tls::Expected { realm: pinned.realm, node: Some(pinned.node) };
        let connector = heliu_tls::connector(None, expected, None).map_err(|_| Error::Untrusted {
            address: address.clone(),
            why: say("本机无法建立加密连接", "no secured connection can be made here"),
        })?;
        let addresses = access.addresses.clone();
        let secured = tower::service_fn(move |_: Uri| {
            let (connector, addresses) = (connector.clone(), addresses.clone());
            async move { first(&connector, &addresses).await.map(TokioIo::new) }
        });
        let channel = endpoint.connect_with_connector(secured).await;
        let channel = channel.map_err(|error| Error::unreachable(&address, &error))?;
        Ok(Client::over(channel, address, bearer))
    }

    /// As [`Client::open`], for people who may have the wrong node in mind: what is reached by its address alone is asked first
    /// whether it speaks TLS, since that shows as nothing but a broken connection.
    pub async fn open_for_people(access: &Access) -> Result<Self, Error> {
        if access.pinned.is_none()
            && let Some(address) = access.addresses.first()
            && speaks_tls(address).await
        {
            return Err(Error::Address { address: address.clone(), why: BadAddress::Secured });
        }
        Client::open(access).await
    }

    fn over(channel: Channel, address: String, bearer: Bearer) -> Self {
        let wire = InterceptedService::new(channel, bearer);
        Client {
            address,
            records: RecordsServiceClient::new(wire.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX)
                .max_encoding_message_size(REQUEST_BYTES_MAX),
            operations: OperationsServiceClient::new(wire.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX)
                .max_encoding_message_size(REQUEST_BYTES_MAX),
            administration: AdministrationServiceClient::new(wire.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX)
                .max_encoding_message_size(REQUEST_BYTES_MAX),
            enrolment: EnrolmentServiceClient::new(wire)
                .max_decoding_message_size(ANSWER_BYTES_MAX)
                .max_encoding_message_size(REQUEST_BYTES_MAX),
            schema: Arc::default(),
        }
    }

    /// The address as it was given.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    fn failed(&self, status: &tonic::Status, timeout: Duration) -> Error {
        Error::of(&self.address, status, timeout)
    }
}

type Wire = InterceptedService<Channel, Bearer>;

/// Sends the access token with every call.
#[derive(Clone)]
struct Bearer(Option<MetadataValue<Ascii>>);

impl Bearer {
    /// None: it is no token.
    fn with(token: Option<&str>) -> Option<Self> {
        let Some(token) = token else { return Some(Bearer(None)) };
        let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().ok()?;
        value.set_sensitive(true);
        Some(Bearer(Some(value)))
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(...)")
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

type Stream = heliu_tls::client::TlsStream<TcpStream>;

/// The node at the first address where it answers; the last error if there is none.
async fn first(connector: &TlsConnector, addresses: &[String]) -> Result<Stream, ConnectError> {
    let mut failed = ConnectError::Silent;
    for address in addresses {
        match heliu_tls::connect(connector, address).await {
            Ok((stream, _)) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Whether what listens there answers the beginning of HTTP/2 with an alert of TLS.
async fn speaks_tls(address: &str) -> bool {
    const ALERT: u8 = 0x15;
    /// And no settings.
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let address = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/').to_owned();
    let asked = async {
        let mut stream = TcpStream::connect(&address).await?;
        stream.write_all(PREFACE).await?;
        stream.read_u8().await
    };
    matches!(tokio::time::timeout(CONNECT_TIMEOUT, asked).await, Ok(Ok(ALERT)))
}

fn endpoint(address: &str) -> Result<Endpoint, Error> {
    let bad = |why| Error::Address { address: address.to_owned(), why };
    let url = match address.split_once("://") {
        Some(("http", _)) => address.to_owned(),
        Some(("https", _)) => return Err(bad(BadAddress::Tls)),
        Some(_) => return Err(bad(BadAddress::Form)),
        None => format!("http://{address}"),
    };
    let endpoint = Endpoint::from_shared(url).map_err(|_| bad(BadAddress::Form))?;
    if endpoint.uri().host().is_none_or(str::is_empty) || endpoint.uri().port_u16().is_none() {
        return Err(bad(BadAddress::Form));
    }
    Ok(endpoint
        .tcp_nodelay(true)
        .tcp_keepalive(Some(KEEPALIVE))
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}

/// Asks for page after page until there are no more.
async fn all<T>(ask: impl AsyncFn(String) -> Result<(Vec<T>, String), Error>) -> Result<Vec<T>, Error> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let (page, next) = ask(after).await?;
        found.extend(page);
        if next.is_empty() {
            return Ok(found);
        }
        after = next;
    }
}

fn within<T>(timeout: Duration, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(timeout);
    request
}

#[cfg(test)]
mod tests;
