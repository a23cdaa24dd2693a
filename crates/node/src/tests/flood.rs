//! Whoever has not shown who it is takes nobody's place who has, however many they are, and from wherever they come.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use heliu_tls::{Expected, make};
use heliu_wire::replication::LinkRequest;
use heliu_wire::replication::replication_service_client::ReplicationServiceClient;
use tokio::net::{TcpSocket, TcpStream};
use tonic::transport::Endpoint;

use super::world::{County, Place, TOWNSHIP, VILLAGE, key, memory, secured, until};
use crate::Options;
use crate::access::{Grant, Role};
use crate::clock::wall_ms;

/// No test lasts so long: nobody is hung up on for being silent, only for being in the way.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

fn patient(options: &mut Options) {
    let bounds = &mut options.bounds;
    (bounds.handshake, bounds.preface, bounds.hello, bounds.keepalive) = (NEVER, NEVER, NEVER, NEVER);
}

/// A connection from one of the addresses of this machine that says nothing.
async fn silent(from: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((IpAddr::from([127, 0, 0, from]), 0).into())?;
    socket.connect(to).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_or_flooding_client() {
    let seats = County::new();
    let mut options = seats.options(TOWNSHIP, &[]);
    patient(&mut options);
    options.limits.unproven = 8;
    let township = Place::start(options, memory(TOWNSHIP)).await;
    let at = township.address();
    let mut held = Vec::new();
    for n in 0..60 {
        held.push(silent(2 + n % 3, at).await.expect("it listens"));
    }
    // Some go as far as they can without showing anything.
    let expected = Expected { realm: seats.anchor.realm, node: None };
    let connector = heliu_tls::connector(None, expected, None).expect("it is good");
    let mut nameless = Vec::new();
    for _ in 0..4 {
        nameless.push(heliu_tls::connect(&connector, &at.to_string()).await.expect("it is secured"));
    }
    // And it goes on while others come.
    let flood = tokio::spawn(async move {
        for n in (0..3).cycle() {
            held.extend(silent(2 + n, at).await);
            if held.len() > 300 {
                held.drain(..100);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    let village = seats.start(VILLAGE, &[at]).await;
    village.is_live().await;
    let grant = Grant { name: "clerk".to_owned(), roles: vec![Role::Operate], ..Grant::default() };
    let (_, access) = seats.token(TOWNSHIP, at, grant);
    until("a program is served", async || match heliu_client::Client::open(&access).await {
        Ok(client) => client.status().await.is_ok(),
        Err(_) => false,
    })
    .await;
    let evicted = || async {
        let status = township.node.status().await.expect("it answers");
        assert_eq!(status.recent_refusals[0].code, "evicted");
        status.refusals
    };
    // Who is in is pushed out by nobody.
    let before = evicted().await;
    until("more of them came", async || evicted().await > before + 50).await;
    let link = village.link().await;
    assert_eq!((link.state, link.connects), (crate::status::LinkState::Live, 1), "{link:?}");
    flood.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_of_strangers_take_no_node_its_link() {
    let seats = County::new();
    let mut options = seats.options(TOWNSHIP, &[]);
    patient(&mut options);
    (options.limits.links, options.limits.unproven) = (1, 4);
    let township = Place::start(options, memory(TOWNSHIP)).await;
    let at = township.address();
    let endpoint = Endpoint::from_shared(format!("http://{at}")).expect("an address");
    let mut held = Vec::new();
    for n in 0..3 {
        // Anybody can make a key, and a certificate that says so.
        let (files, stranger) = (seats.files(&format!("stranger {n}")), key(&format!("stranger {n}")));
        let pair = make(&*stranger, seats.anchor.realm, &[], wall_ms()).expect("it is made");
        pair.write(&files.certificate, &files.key).expect("it is ours");
        let identity = heliu_tls::Identity::load(&files.certificate, &files.key).expect("it reads");
        let channel = secured(&seats, Some(&identity), &endpoint, at).await.expect("it listens");
        let mut client = ReplicationServiceClient::new(channel);
        let silence = futures::stream::pending::<LinkRequest>;
        held.push(client.link(silence()).await.expect("it may be new, and the directory not here yet"));
        let second = client.link(silence()).await.map(drop).expect_err("one is enough");
        assert_eq!(super::limits::reason(&second), "one_link");
    }
    let village = seats.start(VILLAGE, &[at]).await;
    village.is_live().await;
}
