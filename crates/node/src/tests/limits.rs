//! What a message, a call and a connection may be at most (see `bounds`): whoever goes beyond harms nobody else. How long
//! somebody may be silent is in `patience`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use heliu_api::enrolment::JoinRequest;
use heliu_api::enrolment::enrolment_service_client::EnrolmentServiceClient;
use heliu_api::records::records_service_client::RecordsServiceClient;
use heliu_api::records::{ExecuteRequest, GetSchemaRequest};
use heliu_api::status::CallRefusal;
use heliu_wire::MESSAGE_BYTES_MAX;
use heliu_wire::replication::replication_service_client::ReplicationServiceClient;
use heliu_wire::replication::{Frame, Hello, LinkRequest, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::codegen::http::{Request as HttpRequest, Response as HttpResponse};
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};

use super::world::{County, Place, TOWNSHIP, memory, until};
use crate::{Options, Security, Upstream};

/// As long as is waited for an answer, which then is kept back.
const SOON: Duration = Duration::from_millis(400);

/// A node in development mode, so that nothing but the limit stands between the test and it.
pub(super) async fn open(limit: impl FnOnce(&mut Options)) -> Place {
    let mut options = County::new().options(TOWNSHIP, &[]);
    options.security = Security::LoopbackPlain;
    limit(&mut options);
    Place::start(options, memory(TOWNSHIP)).await
}

pub(super) async fn channel(place: &Place) -> Channel {
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
async fn beyond_so_many_connections_the_next_one_is_refused_until_one_is_gone() {
    let place = open(|options| options.limits.connections = 2).await;
    let (first, second, third) = (channel(&place).await, channel(&place).await, channel(&place).await);
    for known in [&first, &second] {
        RecordsServiceClient::new(known.clone()).get_schema(GetSchemaRequest {}).await.expect("there is room");
    }
    let refused = RecordsServiceClient::new(third.clone()).get_schema(GetSchemaRequest {}).await.map(drop);
    assert_eq!(reason(&refused.expect_err("there is no room")), "too_many_connections");
    assert!(is_served(&second).await, "who is there goes on");
    drop(first);
    until("there is room", async || is_served(&third).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_so_many_links_the_next_one_is_refused_until_one_is_gone() {
    let place = open(|options| options.limits.links = 1).await;
    let (first, says) = silent_link(&place).await.expect("it is the first");
    let refused = silent_link(&place).await.map(drop).expect_err("it is one too many");
    assert_eq!(reason(&refused), "too_many_links");
    drop((first, says));
    until("there is room", async || silent_link(&place).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_too_large_is_not_sent() {
    let place = open(|options| options.bounds.answer_bytes = 64).await;
    let mut client = RecordsServiceClient::new(channel(&place).await);
    let refused = client.get_schema(GetSchemaRequest {}).await.expect_err("it is too large");
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
    let small = client.execute(ExecuteRequest::default()).await.expect_err("that is no command");
    assert!(CallRefusal::of(&small).is_some(), "the connection goes on: {small}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_nobody_knows_may_ask_little() {
    let place = open(|_| {}).await;
    let mut client = EnrolmentServiceClient::new(channel(&place).await);
    let mut ask =
        async |bytes| client.join(JoinRequest { request: vec![7; bytes] }).await.expect_err("it is no request");
    assert_eq!(reason(&ask(7 * 1024).await), "bad_value", "it was read");
    assert_eq!(ask(9 * 1024).await.code(), Code::OutOfRange);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_on_a_link_that_is_too_large_ends_it_whichever_end_sends_it() {
    let place = open(|_| {}).await;
    let hello = Hello { program: "x".repeat(MESSAGE_BYTES_MAX), ..Hello::default() };
    let large = LinkRequest { frame: Some(Frame { frame: Some(frame::Frame::Hello(hello)) }) };
    let says = futures::StreamExt::chain(tokio_stream::iter([large]), futures::stream::pending());
    let link = ReplicationServiceClient::new(channel(&place).await).link(says).await.expect("it is opened");
    let mut said = link.into_inner();
    // What the node says itself, and then nothing more.
    until_ended(&mut said).await;

    let mut options = County::new().options(TOWNSHIP, &[]);
    options.security = Security::LoopbackPlain;
    options.upstreams = vec![Upstream::at([liar::<LargeLink>().await.to_string()])];
    let place = Place::start(options, memory(TOWNSHIP)).await;
    until("the link says why it ended", async || {
        place.link().await.last_error.is_some_and(|(why, _)| why.contains("message length too large"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_on_a_link_that_would_be_too_large_is_not_sent() {
    let place = open(|options| options.bounds.message_bytes = 16).await;
    let (mut said, _says) = silent_link(&place).await.expect("it is opened");
    let refused = said.message().await.expect_err("a hello is longer");
    assert_eq!(refused.code(), Code::OutOfRange, "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_takes_no_answer_and_sends_no_request_that_is_too_large() {
    let address = liar::<LargeAnswer>().await;
    let client = heliu_client::Client::connect(&address.to_string()).await.expect("it listens");
    let refused = client.schema().await.expect_err("it is too large");
    assert!(refused.to_string().contains("decoded message length too large"), "{refused}");
    // One that waits for the whole request: the answer of the other comes before the request has ended, now and then.
    let place = open(|_| {}).await;
    let client = heliu_client::Client::connect(&place.address().to_string()).await.expect("it listens");
    let large = ExecuteRequest { reason: "x".repeat(5 * 1024 * 1024), ..ExecuteRequest::default() };
    let refused = client.execute(large).await.map(drop).expect_err("it is too large");
    assert!(refused.to_string().contains("stream error sent by user"), "it gives the call up itself: {refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_begun_and_reset_without_end_close_the_connection() {
    let place = open(|_| {}).await;
    let mut stream = TcpStream::connect(place.address()).await.expect("it listens");
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    for id in (1..20_000).step_by(2) {
        // POST, http, /; and reset, as no longer wanted.
        bytes.extend(frame(1, 4, id, &[0x83, 0x86, 0x84]));
        bytes.extend(frame(3, 0, id, &8_u32.to_be_bytes()));
    }
    // However much of it is taken.
    let _ = stream.write_all(&bytes).await;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = timeout(Duration::from_secs(60), stream.read(&mut buffer)).await.expect("it is closed") {
        answer.extend(&buffer[..read]);
    }
    let mut rest = &answer[..];
    let mut told = None;
    while let [a, b, c, kind, _, _, _, _, _, after @ ..] = rest {
        let (payload, next) = after.split_at(after.len().min(u32::from_be_bytes([0, *a, *b, *c]) as usize));
        if *kind == 7 {
            told = payload.get(7).copied();
        }
        rest = next;
    }
    assert_eq!(told, Some(11), "it is told to calm down");
    let other = channel(&place).await;
    until("others are served", async || is_served(&other).await).await;
}

/// A link over a connection of its own, on which this end says nothing.
pub(super) async fn silent_link(
    place: &Place,
) -> Result<(tonic::Streaming<heliu_wire::replication::LinkResponse>, tokio::sync::mpsc::Sender<LinkRequest>), Status> {
    let (says, said) = tokio::sync::mpsc::channel::<LinkRequest>(1);
    let said = tokio_stream::wrappers::ReceiverStream::new(said);
    let link = ReplicationServiceClient::new(channel(place).await).link(said).await?;
    Ok((link.into_inner(), says))
}

/// Whatever is said before.
pub(super) async fn until_ended<T>(said: &mut tonic::Streaming<T>) {
    let ended = async { while let Ok(Some(_)) = said.message().await {} };
    timeout(Duration::from_secs(60), ended).await.expect("it ends");
}

pub(super) fn reason(status: &Status) -> String {
    CallRefusal::of(status).unwrap_or_else(|| panic!("it says why: {status}")).reason
}

#[derive(Clone)]
struct LargeAnswer;
#[derive(Clone)]
struct LargeLink;

impl NamedService for LargeAnswer {
    const NAME: &'static str = "heliu.records.v1.RecordsService";
}

impl NamedService for LargeLink {
    const NAME: &'static str = "heliu.replication.v1.ReplicationService";
}

/// Answers every call with the beginning of a message of 33 MiB.
#[derive(Clone)]
struct Liar<N>(std::marker::PhantomData<N>);

impl<N: NamedService> NamedService for Liar<N> {
    const NAME: &'static str = N::NAME;
}

impl<N> tower::Service<HttpRequest<Body>> for Liar<N> {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<HttpResponse<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: HttpRequest<Body>) -> Self::Future {
        let begun = Body::new("\0\x02\x10\0\0".to_owned());
        let answer = HttpResponse::builder().header("content-type", "application/grpc").body(begun);
        std::future::ready(Ok(answer.expect("it is well made")))
    }
}

async fn liar<N: NamedService + Clone + Send + Sync + 'static>() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let service = Liar::<N>(std::marker::PhantomData);
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)));
    address
}
