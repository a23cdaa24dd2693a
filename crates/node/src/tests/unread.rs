//! Whoever asks and does not take the answer: what is held for it is bounded, costs nobody else anything, and goes back.

use std::net::SocketAddr;
use std::time::Duration;

use h2::client::{ResponseFuture, SendRequest};
use heliu_client::Client;
use heliu_client::records::ListRequest;
use heliu_tls::Expected;
use prost::Message as _;
use tonic::codegen::Bytes;
use tonic::codegen::http::Request;

use super::world::{County, Place, TOWNSHIP, memory, until};
use crate::Options;
use crate::access::{Grant, Role};

const PAGE: usize = 32 * 1024;
const LIST: &str = "/heliu.records.v1.RecordsService/List";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

/// A node with some records, in which little fills the room that there is.
async fn township(seats: &County, bound: impl FnOnce(&mut Options)) -> Place {
    let mut options = seats.options(TOWNSHIP, &[]);
    let bounds = &mut options.bounds;
    bounds.page_bytes = PAGE;
    (bounds.unread_of_connection, bounds.unread_of_caller, bounds.unread_of_node) = (4 * PAGE, 8 * PAGE, 32 * PAGE);
    bounds.answer_wait = Duration::from_secs(1);
    bound(&mut options);
    let place = Place::start(options, memory(TOWNSHIP)).await;
    for n in 0..80 {
        place.found(&format!("第{n}党支部")).await;
    }
    place
}

async fn reader(seats: &County, place: &Place, name: &str) -> (String, Client) {
    let grant = Grant { name: name.to_owned(), roles: vec![Role::Read], ..Grant::default() };
    let (token, access) = seats.token(TOWNSHIP, place.address(), grant);
    let client = Client::open(&access).await.expect("it listens");
    until("the new token is known", async || client.seats().await.is_ok()).await;
    (token.to_string(), client)
}

/// A connection whose other end may send so many bytes of each answer, and no more.
async fn connection(seats: &County, to: SocketAddr, window: u32) -> SendRequest<Bytes> {
    let expected = Expected { realm: seats.anchor.realm, node: None };
    let connector = heliu_tls::connector(None, expected, None).expect("it is good");
    let (stream, _) = heliu_tls::connect(&connector, &to.to_string()).await.expect("it listens");
    let shaken = h2::client::Builder::new().initial_window_size(window).handshake(stream).await;
    let (asks, connection) = shaken.expect("it speaks HTTP/2");
    tokio::spawn(connection);
    asks
}

async fn ask(asks: &SendRequest<Bytes>, path: &str, token: Option<&str>, message: &[u8]) -> ResponseFuture {
    let mut asks = asks.clone().ready().await.expect("it goes on");
    let request = Request::post(format!("http://node{path}")).header("content-type", "application/grpc");
    let request =
        token.into_iter().fold(request, |request, token| request.header("authorization", format!("Bearer {token}")));
    let (answer, mut body) = asks.send_request(request.body(()).expect("it is well made"), false).expect("it is sent");
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    let _ = body.send_data([&[0], &length[..], message].concat().into(), true); // Who is refused at once takes no more.
    answer
}

async fn held(place: &Place) -> usize {
    usize::try_from(place.node.status().await.expect("it answers").unread_bytes).expect("it fits")
}

fn everything() -> Vec<u8> {
    ListRequest { limit: 1_000, ..ListRequest::default() }.encode_to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_nobody_takes_are_bounded_and_cost_others_nothing_and_their_room_comes_back() {
    let seats = County::new();
    let township = township(&seats, |options| options.bounds.unread = Duration::from_secs(3)).await;
    let (token, _) = reader(&seats, &township, "greedy").await;
    let (_, honest) = reader(&seats, &township, "honest").await;
    let mut asked = Vec::new();
    for _ in 0..4 {
        let asks = connection(&seats, township.address(), 0).await;
        for _ in 0..64 {
            asked.push(ask(&asks, LIST, Some(&token), &everything()).await);
        }
    }
    until("answers are held", async || held(&township).await > 4 * PAGE).await;
    for _ in 0..20 {
        let held = held(&township).await;
        assert!(held <= 8 * PAGE, "{held} bytes are held for one token");
        let page = honest.list(ListRequest { limit: 1_000, ..ListRequest::default() }).await.expect("it has its share");
        assert!(!page.records.is_empty());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until("what nobody takes is given up", async || held(&township).await == 0).await;
    let status = township.node.status().await.expect("it answers");
    assert!(status.recent_refusals.iter().any(|refused| refused.code == "answers_not_taken"), "{status:?}");
    drop(asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_answers_too_are_made_for_nobody_who_takes_none() {
    let seats = County::new();
    let township = township(&seats, |_| {}).await;
    let (token, _) = reader(&seats, &township, "greedy").await;
    let asks = connection(&seats, township.address(), 0).await;
    let short = ListRequest { limit: 1, ..ListRequest::default() }.encode_to_vec();
    let mut asked = vec![ask(&asks, LIST, Some(&token), &short).await];
    until("the first is made", async || held(&township).await > 0).await;
    let one = held(&township).await;
    for _ in 0..64 {
        asked.push(ask(&asks, LIST, Some(&token), &short).await);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let all = held(&township).await;
    assert!(all <= 4 * one, "{all} bytes are held, where one answer has {one} and a connection has room for four");
    drop(asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_used_up_its_own_room_is_told_so_and_nothing_is_made_for_it() {
    let seats = County::new();
    let township = township(&seats, |_| {}).await;
    let (token, client) = reader(&seats, &township, "greedy").await;
    let mut asked = Vec::new();
    for _ in 0..2 {
        let asks = connection(&seats, township.address(), 0).await;
        for _ in 0..8 {
            asked.push(ask(&asks, LIST, Some(&token), &everything()).await);
        }
    }
    until("its room is used up", async || held(&township).await > 5 * PAGE).await;
    let refused = client.list(ListRequest::default()).await.expect_err("it does not take what it has");
    assert_eq!(refused.reason(), "too_busy", "{refused}");
    drop(asked);
    until("it is served again", async || client.list(ListRequest::default()).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_node_has_no_room_whoever_holds_most_gives_way_to_a_newcomer() {
    let seats = County::new();
    let township = township(&seats, |options| {
        options.bounds.unread_of_node = 4 * PAGE;
        options.bounds.answer_wait = Duration::from_secs(20);
    })
    .await;
    let (token, _) = reader(&seats, &township, "greedy").await;
    let (_, honest) = reader(&seats, &township, "honest").await;
    let asks = connection(&seats, township.address(), 0).await;
    let mut asked = Vec::new();
    for _ in 0..8 {
        asked.push(ask(&asks, LIST, Some(&token), &everything()).await);
    }
    until("the node's room is used up", async || held(&township).await > 2 * PAGE).await;
    let page = honest.list(ListRequest { limit: 1_000, ..ListRequest::default() }).await.expect("it holds nothing");
    assert!(!page.records.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_gets_its_page_however_long_that_takes() {
    let seats = County::new();
    let township = township(&seats, |options| options.bounds.unread = Duration::from_millis(1_200)).await;
    let (token, _) = reader(&seats, &township, "on a slow line").await;
    let asks = connection(&seats, township.address(), 2 * 1024).await;
    let answer = ask(&asks, LIST, Some(&token), &everything()).await.await.expect("it is answered");
    let mut body = answer.into_body();
    let mut taken = 0;
    while let Some(bytes) = body.data().await {
        let bytes = bytes.expect("it is not given up");
        taken += bytes.len();
        tokio::time::sleep(Duration::from_millis(130)).await;
        body.flow_control().release_capacity(bytes.len()).expect("it was taken");
    }
    assert!(taken > PAGE / 2, "{taken}");
    let trailers = body.trailers().await.expect("it ends").expect("it says how");
    assert_eq!(trailers["grpc-status"], "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_health_are_few_on_a_connection_and_of_an_address() {
    let seats = County::new();
    let township = township(&seats, |_| {}).await;
    let mut asked = Vec::new();
    let mut taken = 0;
    for _ in 0..9 {
        let asks = connection(&seats, township.address(), 64 * 1024).await;
        for n in 0..5 {
            let answer = ask(&asks, WATCH, None, &[]).await.await.expect("it is answered");
            let is_refused = answer.headers().get("grpc-status").is_some_and(|code| code == "8");
            assert!(n < 4 || is_refused, "so many are enough on a connection");
            taken += usize::from(!is_refused);
            asked.push((asks.clone(), answer));
        }
    }
    assert_eq!(taken, 32, "and of an address");
    asked.clear();
    until("there is room again", async || {
        let asks = connection(&seats, township.address(), 64 * 1024).await;
        let answer = ask(&asks, WATCH, None, &[]).await.await.expect("it is answered");
        answer.headers().get("grpc-status").is_none()
    })
    .await;
}
