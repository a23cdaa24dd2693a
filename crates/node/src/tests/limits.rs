//! The limits of the server that its libraries leave off or generous: each is set, and whoever goes beyond one harms
//! nobody else. Keepalive and the deadline of a call take too long to wait for here.

use std::time::Duration;

use heliu_storage::memory::MemoryStore;
use heliu_wire::records::records_service_client::RecordsServiceClient;
use heliu_wire::records::{ExecuteRequest, GetSchemaRequest};
use heliu_wire::replication::LinkRequest;
use heliu_wire::replication::replication_service_client::ReplicationServiceClient;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

use super::world::{County, Place, TOWNSHIP, memory, until};
use crate::{Options, Security};

/// As long as is waited for an answer, which then is kept back.
const SOON: Duration = Duration::from_millis(400);

/// A node in development mode, so that nothing but the limit stands between the test and it.
async fn open(limit: impl FnOnce(&mut Options)) -> Place<MemoryStore> {
    let mut options = County::new().options(TOWNSHIP, &[]);
    options.security = Security::LoopbackPlain;
    limit(&mut options);
    Place::start(options, memory(TOWNSHIP)).await
}

async fn channel(place: &Place<MemoryStore>) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", place.address())).expect("an address");
    endpoint.connect().await.expect("it listens")
}

async fn is_served(channel: &Channel) -> bool {
    let mut client = RecordsServiceClient::new(channel.clone());
    matches!(timeout(SOON, client.get_schema(GetSchemaRequest {})).await, Ok(Ok(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_too_large_is_refused_and_the_connection_goes_on() {
    let place = open(|_| {}).await;
    let channel = channel(&place).await;
    let mut client = RecordsServiceClient::new(channel.clone());
    let request = ExecuteRequest { reason: "x".repeat(5 * 1024 * 1024), ..ExecuteRequest::default() };
    let refused = client.execute(request).await.expect_err("it is too large");
    assert!(matches!(refused.code(), Code::OutOfRange | Code::ResourceExhausted), "{refused}");
    until("the connection goes on", async || is_served(&channel).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_without_end_are_refused_and_others_are_served() {
    let place = open(|_| {}).await;
    let mut client = RecordsServiceClient::new(channel(&place).await);
    let mut request = Request::new(GetSchemaRequest {});
    request.metadata_mut().insert("x-much", "x".repeat(64 * 1024).parse().expect("a value"));
    client.get_schema(request).await.expect_err("that is too much");
    let other = channel(&place).await;
    until("others are served", async || is_served(&other).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_has_so_many_calls_at_once_and_another_is_not_kept_waiting() {
    let place = open(|options| options.limits.requests_per_connection = 1).await;
    let busy = channel(&place).await;
    let (said, says) = tokio::sync::mpsc::channel::<LinkRequest>(1);
    let says = tokio_stream::wrappers::ReceiverStream::new(says);
    let link = ReplicationServiceClient::new(busy.clone()).link(says).await.expect("it is the first");
    assert!(!is_served(&busy).await, "the one call of this connection is under way");
    let other = channel(&place).await;
    until("others are served", async || is_served(&other).await).await;
    drop((said, link));
    until("the next call is served", async || is_served(&busy).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_so_many_connections_the_next_one_waits_until_one_is_gone() {
    let place = open(|options| options.limits.connections = 2).await;
    let silent = [TcpStream::connect(place.address()).await, TcpStream::connect(place.address()).await];
    // The system takes the connection; the node answers when there is room.
    let waiting = channel(&place).await;
    assert!(!is_served(&waiting).await);
    drop(silent);
    until("there is room", async || is_served(&waiting).await).await;
}
