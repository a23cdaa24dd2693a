//! The dialling end of a link: one task for each configured upstream or peer. It tries the addresses in turn, waits
//! longer after each round without success, and dials again whenever the link has ended.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_tls::CONNECT_TIMEOUT;
use heliu_trust::id::NodeId;
use heliu_wire::replication::replication_service_client::ReplicationServiceClient;
use hyper_util::rt::TokioIo;
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::link;
use super::session::{self, Ended};
use crate::backoff::Backoff;
use crate::bounds::{Bounds, CONNECTION_WINDOW_BYTES, HEADER_BYTES_MAX, STREAM_WINDOW_BYTES};
use crate::handle::Inner;
use crate::routes::Route;
use crate::told::Source;
use crate::trouble::{Cause, Trouble, root_cause};

/// A link that lasted so long was a good one: the next wait is a short one again.
const GOOD: Duration = Duration::from_secs(5);

/// Dials until the node stops. A link that is up then is ended by the engine, which tells the other end.
pub(crate) async fn dial(inner: Arc<Inner>, route: Arc<Route>) {
    let mut wait = Backoff::new(inner.retry);
    let mut failed = 0;
    for address in route.addresses.iter().cycle() {
        match stay_with(&inner, &route, address, &mut wait).await {
            Next::Address { linked } => failed = if linked { 1 } else { failed + 1 },
            Next::Stop => return,
        }
        if failed >= route.addresses.len() {
            failed = 0;
            if unless_stopping(&inner, wait.wait()).await.is_none() {
                return;
            }
        }
    }
}

enum Next {
    /// This one does not work now. `linked`: it did before.
    Address {
        linked: bool,
    },
    Stop,
}

/// Dials one address, and again as long as that leads to a link: failing over costs a reconciliation.
async fn stay_with(inner: &Inner, route: &Arc<Route>, address: &str, wait: &mut Backoff) -> Next {
    let mut linked = false;
    loop {
        // A link brings what has to be written; while nothing can be, it would only end again.
        let mut read_only = inner.read_only.clone();
        if unless_stopping(inner, read_only.wait_for(Option::is_none)).await.is_none() {
            return Next::Stop;
        }
        let began = Instant::now();
        match attempt(inner, route, address).await {
            Ok(Ended::Stopped) => return Next::Stop,
            Ok(Ended::Closed | Ended::Lost(_)) if route.state().welcomed => {
                linked = true;
                if began.elapsed() >= GOOD {
                    wait.reset();
                }
                if unless_stopping(inner, wait.wait()).await.is_none() {
                    return Next::Stop;
                }
            }
            Ok(Ended::Closed) => return Next::Address { linked },
            Ok(Ended::Lost(why)) => {
                if inner.told.claim(Source::Place(address.to_owned()), "link lost") {
                    tracing::info!(%address, %why, "link lost before it was agreed on; the next address is tried");
                }
                return Next::Address { linked };
            }
            Err(_) if !inner.life.is_running() => return Next::Stop,
            Err(why) => {
                if inner.told.claim(Source::Place(address.to_owned()), "cannot reach") {
                    tracing::info!(%address, %why, "cannot reach the node; the next address is tried");
                }
                route.failed(Cause::new(why.trouble, format!("{address}: {why}")));
                return Next::Address { linked };
            }
        }
    }
}

/// One connection, from dialling to its end.
async fn attempt(inner: &Inner, route: &Arc<Route>, address: &str) -> Result<Ended, Cause> {
    route.connecting(address);
    let (mut end, mut tasks, outgoing) = link(inner, Arc::clone(route), true);
    let opening = async {
        let (channel, peer) = connect(inner, address, route.node).await?;
        (end.peer, tasks.peer) = (peer, peer);
        let mut client = ReplicationServiceClient::new(channel)
            .max_decoding_message_size(inner.bounds.message_bytes)
            .max_encoding_message_size(inner.bounds.message_bytes);
        match tokio::time::timeout(inner.bounds.open, client.link(outgoing.requests())).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(not_opened(inner.secured.is_some(), &status)),
            Err(_) => {
                let why = format!("it did not open a link within {} s", inner.bounds.open.as_secs());
                Err(Cause::new(Trouble::Late, why))
            }
        }
    };
    let incoming = unless_stopping(inner, opening).await.ok_or_else(stops)??;
    Ok(session::run(inner, end, tasks, incoming).await)
}

/// With TLS 1.3 the dialling end is done before the other has judged its certificate. A refusal then shows as a connection
/// that breaks at the first call, at best with an alert.
fn not_opened(secured: bool, status: &Status) -> Cause {
    let why = format!("{:?}: {}", status.code(), root_cause(status));
    match status.code() {
        Code::Unknown | Code::Unavailable | Code::Cancelled | Code::Internal if secured => Cause::new(
            Trouble::NotOpened,
            format!(
                "{why}. It may have refused this node's certificate: its log and `heliu status` there say why; compare the \
                 clocks of both machines"
            ),
        ),
        Code::ResourceExhausted => Cause::new(Trouble::Full, why),
        _ => Cause::new(Trouble::NotOpened, why),
    }
}

fn stops() -> Cause {
    Cause::new(Trouble::Closed, "this node is shutting down")
}

/// A connection, and the node that it has proven to be with; none in development mode.
async fn connect(inner: &Inner, address: &str, wanted: Option<NodeId>) -> Result<(Channel, Option<NodeId>), Cause> {
    let no_address = || Cause::new(Trouble::UnknownName, "not an address");
    let endpoint = bounded(endpoint(address).ok_or_else(no_address)?, &inner.bounds);
    let Some(secured) = &inner.secured else {
        let channel = endpoint.connect_timeout(CONNECT_TIMEOUT).connect().await;
        let channel = channel.map_err(|error| Cause::of_transport(&error))?;
        return Ok((channel, None));
    };
    let connector = secured.certificate.connector(wanted);
    let connector = connector.map_err(|error| Cause::new(Trouble::NotOpened, error.to_string()))?;
    let proven = heliu_tls::connect(&connector, address).await;
    let (stream, node) = proven.map_err(|error| Cause::of_connect(&error))?;
    // A link is one connection: when it is gone, all of this is done again.
    let mut stream = Some(TokioIo::new(stream));
    let once = tower::service_fn(move |_: Uri| {
        let again = || io::Error::new(io::ErrorKind::NotConnected, "the connection has ended");
        std::future::ready(stream.take().ok_or_else(again))
    });
    let channel = endpoint.connect_with_connector(once).await;
    let channel = channel.map_err(|error| Cause::of_transport(&error))?;
    Ok((channel, Some(node)))
}

/// None: the node began to stop first.
async fn unless_stopping<T>(inner: &Inner, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = inner.life.stopping() => None,
    }
}

/// Where another node is.
pub(crate) fn endpoint(address: &str) -> Option<Endpoint> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).ok()?;
    endpoint.uri().port_u16().filter(|_| endpoint.uri().host().is_some_and(|host| !host.is_empty()))?;
    Some(endpoint)
}

/// How one node talks to another; how the connection is made and secured is `connect`'s.
fn bounded(endpoint: Endpoint, bounds: &Bounds) -> Endpoint {
    endpoint
        .tcp_nodelay(true)
        .http2_keep_alive_interval(bounds.keepalive)
        .keep_alive_timeout(bounds.keepalive_timeout)
        .keep_alive_while_idle(true)
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_with_a_port_is_dialled() {
        for good in ["127.0.0.1:7340", "[::1]:1", "township.example:7340"] {
            assert!(endpoint(good).is_some(), "{good}");
        }
        for bad in ["", "here", "127.0.0.1", ":80", "http://a:1", "a b:1"] {
            assert!(endpoint(bad).is_none(), "{bad}");
        }
    }
}
