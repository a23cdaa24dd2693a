//! How long somebody may be silent (see `bounds`), at each stage of a connection: whoever says nothing for longer is hung up
//! on, and nobody waits for them, not even a shutdown. Nothing is measured here: a test waits for what must come.

use std::net::SocketAddr;
use std::time::Duration;

use futures::stream::pending;
use heliu_api::records::{GetSchemaRequest, GetSchemaResponse};
use heliu_tls::Expected;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::limits::{channel, open, reason, silent_link, until_ended};
use super::world::{COUNTY, County, Place, TOWNSHIP, VILLAGE, memory, until};
use crate::Options;
use crate::status::LinkState;

const SOON: Duration = Duration::from_millis(200);
/// No test lasts so long.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

async fn start(seats: &County, name: &str, parents: &[SocketAddr], change: impl FnOnce(&mut Options)) -> Place {
    let mut options = seats.options(name, parents);
    change(&mut options);
    Place::start(options, memory(name)).await
}

/// A call that never says what it asks for.
async fn unfinished(channel: Channel) -> Result<GetSchemaResponse, Status> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.expect("it is connected");
    let path = PathAndQuery::from_static("/heliu.records.v1.RecordsService/GetSchema");
    let codec = ProstCodec::<GetSchemaRequest, GetSchemaResponse>::default();
    grpc.client_streaming(Request::new(pending()), path, codec).await.map(tonic::Response::into_inner)
}

async fn is_hung_up_on(mut stream: impl tokio::io::AsyncRead + Unpin) {
    // However it ends.
    let _ = timeout(Duration::from_secs(60), stream.read_to_end(&mut Vec::new())).await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_secure_its_connection_is_hung_up_on() {
    let seats = County::new();
    let township = start(&seats, TOWNSHIP, &[], |options| options.bounds.handshake = SOON).await;
    is_hung_up_on(TcpStream::connect(township.address()).await.expect("it listens")).await;
    let status = township.node.status().await.expect("it answers");
    assert_eq!(status.recent_refusals[0].code, "handshake_timeout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_secures_its_connection_and_says_nothing_is_hung_up_on() {
    let seats = County::new();
    let township = start(&seats, TOWNSHIP, &[], |options| {
        (options.bounds.preface, options.bounds.keepalive) = (SOON, NEVER);
    })
    .await;
    let expected = Expected { realm: seats.anchor.realm, node: None };
    let connector = heliu_tls::connector(None, expected, None).expect("it is good");
    let secured = heliu_tls::connect(&connector, &township.address().to_string()).await;
    is_hung_up_on(secured.expect("it is secured").0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_opens_a_link_and_does_not_say_who_it_is_loses_it() {
    let place = open(|options| options.bounds.hello = SOON).await;
    let (mut said, _says) = silent_link(&place).await.expect("it is opened");
    until_ended(&mut said).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_superior_that_is_connected_and_opens_no_link_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = silent.local_addr().expect("it is bound");
    let place = open(|options| {
        (options.bounds.open, options.bounds.keepalive) = (SOON, NEVER);
        options.upstreams = vec![crate::Upstream::at([address.to_string()])];
    })
    .await;
    until("the link says why", async || {
        place.link().await.last_error.is_some_and(|(why, _)| why.contains("did not open a link"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_lasts_too_long_is_given_up_and_its_caller_told() {
    let place = open(|options| options.bounds.call = SOON).await;
    let late = timeout(Duration::from_secs(60), unfinished(channel(&place).await)).await.expect("it ends");
    let late = late.expect_err("it never asked");
    assert_eq!((late.code(), reason(&late).as_str()), (Code::DeadlineExceeded, "call_too_long"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_waits_for_no_call_and_cuts_who_holds_on() {
    let place = open(|options| options.shutdown_deadline = SOON).await;
    let (held, mut connected) = (channel(&place).await, silent_link(&place).await.expect("it is opened"));
    let call = tokio::spawn(unfinished(held));
    until("the node has the call", async || !call.is_finished() && std::sync::Arc::strong_count(&place.store) > 1)
        .await;
    place.node.shutdown().await.expect("it stops");
    until_ended(&mut connected.0).await;
    let cut = timeout(Duration::from_secs(60), call).await.expect("it is cut").expect("it did not panic");
    assert!(cut.is_err(), "it was never answered");
    until("the store is let go of", async || std::sync::Arc::strong_count(&place.store) == 1).await;
}

/// Passes everything on, until it is told to pass nothing more: the line is dead, and neither end is told.
async fn line(target: SocketAddr) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let (dead, is_dead) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let Ok(mut to) = TcpStream::connect(target).await else { continue };
            let mut is_dead = is_dead.clone();
            tokio::spawn(async move {
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut from, &mut to) => return,
                    () = async { drop(is_dead.wait_for(|dead| *dead).await) } => {}
                }
                // Both ends stay connected.
                std::future::pending::<()>().await;
            });
        }
    });
    (address, dead)
}

fn attentive(options: &mut Options) {
    (options.bounds.keepalive, options.bounds.keepalive_timeout) = (SOON, SOON);
}

fn trusting(options: &mut Options) {
    (options.bounds.keepalive, options.bounds.keepalive_timeout) = (NEVER, NEVER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_that_answers_notices_a_dead_line() {
    let seats = County::new();
    let county = start(&seats, COUNTY, &[], attentive).await;
    let (address, dead) = line(county.address()).await;
    let township = start(&seats, TOWNSHIP, &[address], trusting).await;
    township.is_live().await;
    county.is_live().await;
    dead.send_replace(true);
    until("the superior sees that it is gone", async || county.link().await.state != LinkState::Live).await;
    assert_eq!(township.link().await.state, LinkState::Live, "the other end asks nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_that_dials_notices_a_dead_line() {
    let seats = County::new();
    let township = start(&seats, TOWNSHIP, &[], trusting).await;
    let (address, dead) = line(township.address()).await;
    let village = start(&seats, VILLAGE, &[address], attentive).await;
    village.is_live().await;
    township.is_live().await;
    dead.send_replace(true);
    until("the village sees that it is gone", async || village.link().await.state != LinkState::Live).await;
    assert_eq!(township.link().await.state, LinkState::Live, "the other end asks nobody");
}
