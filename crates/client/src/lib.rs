//! The typed client of a node: what the command line, the console and other programs use.
//!
//! Messages are the generated ones of `heliu.records.v1` and `heliu.operations.v1`, re-exported as [`records`] and
//! [`operations`]. What is added here: a deadline for every call, limits for every message, and errors that say what
//! happened and what to do.

mod error;
mod operations_calls;
mod records_calls;

use std::time::Duration;

use heliu_wire::operations::operations_service_client::OperationsServiceClient;
use heliu_wire::records::records_service_client::RecordsServiceClient;
use tonic::transport::{Channel, Endpoint};

pub use error::{BadAddress, Error};
pub use heliu_wire::status::{Explanation, Refusal};
pub use heliu_wire::{operations, records};

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
    records: RecordsServiceClient<Channel>,
    operations: OperationsServiceClient<Channel>,
}

impl Client {
    /// Connects to a node at `host:port` or `http://host:port`.
    pub async fn connect(address: &str) -> Result<Self, Error> {
        let channel = endpoint(address)?.connect().await.map_err(|error| Error::unreachable(address, &error))?;
        Ok(Client {
            address: address.to_owned(),
            records: RecordsServiceClient::new(channel.clone())
                .max_decoding_message_size(ANSWER_BYTES_MAX)
                .max_encoding_message_size(REQUEST_BYTES_MAX),
            operations: OperationsServiceClient::new(channel)
                .max_decoding_message_size(ANSWER_BYTES_MAX)
                .max_encoding_message_size(REQUEST_BYTES_MAX),
        })
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
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .tcp_keepalive(Some(KEEPALIVE))
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}

fn within<T>(timeout: Duration, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(timeout);
    request
}

#[cfg(test)]
mod tests;
