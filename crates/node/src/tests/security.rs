//! Nobody gets in: who is refused at the door, and that nothing readable crosses the wire.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heliu_tls::{Identity, make};
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::id::RealmId;
use heliu_trust::signature::{PublicKey, Signature, Signer};
use heliu_wire::replication::LinkRequest;
use heliu_wire::replication::replication_service_client::ReplicationServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tonic::Code;
use tonic::transport::Endpoint;

use super::world::{COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, key, secured, until};
use crate::clock::wall_ms;
use crate::options::Upstream;
use crate::status::{LinkState, Outcome};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A certificate as somebody else makes it; `reads` is as whom it reads.
fn forged(seats: &County, signer: &dyn Signer, realm: RealmId, now_ms: i64, file: &str) -> Identity {
    let files = seats.files(file);
    let pair = make(signer, realm, &[], now_ms).expect("it is made");
    pair.write(&files.certificate, &files.key).expect("it is ours");
    Identity::load(&files.certificate, &files.key).expect("it reads")
}

/// Tries to open a link; the code of the refusal, at the door or behind it.
async fn try_link(seats: &County, identity: Option<&Identity>, address: SocketAddr) -> Result<(), Code> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    // TLS 1.3: the dialling end is done before the other has judged it, so the refusal comes with the first answer.
    let Ok(channel) = secured_or_not(seats, identity, &endpoint, address).await else { return Err(Code::Unavailable) };
    let (_said, says) = tokio::sync::mpsc::channel::<LinkRequest>(1);
    let link = ReplicationServiceClient::new(channel).link(tokio_stream::wrappers::ReceiverStream::new(says)).await;
    link.map(drop).map_err(|status| status.code())
}

async fn secured_or_not(
    seats: &County,
    identity: Option<&Identity>,
    endpoint: &Endpoint,
    address: SocketAddr,
) -> Result<tonic::transport::Channel, ()> {
    let connecting = secured(seats, identity, endpoint, address);
    tokio::time::timeout(Duration::from_secs(20), connecting).await.expect("it ends").map_err(drop)
}

async fn is_noted<S: heliu_storage::Write + 'static>(place: &Place<S>, code: &str) {
    until(&format!("{code} is noted for operators"), async || {
        let status = place.node.status().await.expect("it answers");
        status.recent_refusals.iter().any(|refused| refused.code == code)
    })
    .await;
}

/// Says the public key of one, and signs with that of another.
struct Thief {
    victim: PublicKey,
    own: Arc<Ed25519Key>,
}

impl Signer for Thief {
    fn scheme(&self) -> &'static str {
        self.own.scheme()
    }

    fn public_key(&self) -> PublicKey {
        self.victim
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.own.sign(message)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_prove_to_be_a_node_of_the_realm_gets_no_link_and_operators_see_why() {
    let (seats, others) = (County::new(), County::new());
    let township = seats.start(TOWNSHIP, &[]).await;
    let at = township.address();
    let (realm, now) = (seats.anchor.realm, wall_ms());
    let village = key(VILLAGE);

    let good = forged(&seats, &*village, realm, now, "good");
    assert_eq!(
        try_link(&seats, Some(&good), at).await,
        Ok(()),
        "a good one is taken: the others fail for their reason"
    );

    assert_eq!(try_link(&seats, None, at).await, Err(Code::Unauthenticated));
    is_noted(&township, "no_certificate").await;

    let foreign = forged(&seats, &*village, others.anchor.realm, now, "foreign");
    assert!(try_link(&seats, Some(&foreign), at).await.is_err());
    is_noted(&township, "other_realm").await;

    let expired = forged(&seats, &*village, realm, now - 400 * DAY_MS, "expired");
    assert!(try_link(&seats, Some(&expired), at).await.is_err());
    is_noted(&township, "expired").await;

    let early = forged(&seats, &*village, realm, now + 3 * DAY_MS, "early");
    assert!(try_link(&seats, Some(&early), at).await.is_err());
    is_noted(&township, "not_yet_valid").await;
    let status = township.node.status().await.expect("it answers");
    let said = &status.recent_refusals[0];
    assert!(said.facts.to_string().contains("clock_ms=") && said.node == Some(village.node()), "{said:?}");

    let thief = Thief { victim: village.public_key(), own: key("thief") };
    let stolen = forged(&seats, &thief, realm, now, "stolen");
    assert!(try_link(&seats, Some(&stolen), at).await.is_err());
    is_noted(&township, "not_signed").await;
    assert!(township.node.status().await.expect("it answers").refusals >= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_takes_nobody_else_for_its_parent() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let mut options = seats.options(VILLAGE, &[]);
    let wanted = Upstream { addresses: vec![township.address().to_string()], node: Some(key(COUNTY).node()) };
    options.upstreams = vec![wanted];
    let village = Place::start(options, super::world::memory(VILLAGE)).await;
    until("the link says that another node answers", async || {
        village.link().await.last_error.is_some_and(|(why, _)| why.contains("another node answers"))
    })
    .await;
}

/// Sends bytes, and what comes back until the other end closes.
async fn send(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(bytes).await.expect("it takes them");
    let mut answer = Vec::new();
    // However it closes.
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("it closes");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_encryption_or_with_that_of_yesterday_nobody_gets_in() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let answer = send(township.address(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(answer.first().is_none_or(|byte| *byte == 0x15), "an alert at most: {answer:?}");
    is_noted(&township, "not_tls").await;

    // A ClientHello of TLS 1.2: no extension names version 1.3.
    let mut body = vec![0x03, 0x03];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    let extensions = [0, 10, 0, 4, 0, 2, 0, 29, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3];
    body.extend([0, u8::try_from(extensions.len()).expect("short")]);
    body.extend(extensions);
    let length = |of: &[u8]| u8::try_from(of.len()).expect("short");
    let mut hello = vec![0x16, 0x03, 0x01, 0, length(&body) + 4, 1, 0, 0, length(&body)];
    hello.extend(body);
    let answer = send(township.address(), &hello).await;
    assert!(matches!(answer[..], [0x15, 3, _, 0, 2, 2, 40 | 70]), "protocol version or handshake failure: {answer:?}");
    is_noted(&township, "old_tls").await;

    let plain = heliu_client::Client::connect(&township.address().to_string()).await;
    if let Ok(client) = plain {
        client.status().await.expect_err("it is not answered");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_taken_without_a_restart_and_a_bad_one_is_not() {
    let (seats, others) = (County::new(), County::new());
    let township = seats.start(TOWNSHIP, &[]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    village.is_live().await;
    let files = seats.files(TOWNSHIP);
    let until_ms = async || {
        let status = township.node.status().await.expect("it answers");
        (status.certificate_not_after_ms.expect("it has one"), status.problems)
    };
    let (first, problems) = until_ms().await;
    assert!(first > wall_ms() + 390 * DAY_MS && problems.is_empty(), "{problems:?}");

    // Ten days older than the one before, to tell them apart.
    let township_key = key(TOWNSHIP);
    let now = wall_ms();
    let next = make(&*township_key, seats.anchor.realm, &["localhost".to_owned()], now - 10 * DAY_MS).expect("made");
    next.write(&files.certificate, &files.key).expect("it is ours");
    until("the new one is in use", async || until_ms().await.0 < first - 9 * DAY_MS).await;
    assert_eq!(village.link().await.state, LinkState::Live, "links stay");
    let second = until_ms().await.0;

    let make = |name: &str, realm, now| make(&*key(name), realm, &[], now).expect("it is made");
    let bad = [
        (make(TOWNSHIP, others.anchor.realm, now), "other_realm"),
        (make(VILLAGE, seats.anchor.realm, now), "other_node"),
        (make(TOWNSHIP, seats.anchor.realm, now - 500 * DAY_MS), "expired"),
    ];
    for (pair, why) in bad {
        pair.write(&files.certificate, &files.key).expect("it is ours");
        until(&format!("it is refused: {why}"), async || until_ms().await.1.iter().any(|p| p.code == why)).await;
        assert_eq!(until_ms().await.0, second, "the old one stays");
    }
    std::fs::write(&files.key, make(TOWNSHIP, seats.anchor.realm, now).key).expect("it is ours");
    std::fs::write(&files.certificate, make(TOWNSHIP, seats.anchor.realm, now).certificate).expect("it is ours");
    until("a mismatch is refused", async || until_ms().await.1.iter().any(|p| p.code == "certificate.mismatch")).await;
    std::fs::write(&files.certificate, "nonsense").expect("it is ours");
    until("nonsense is refused", async || until_ms().await.1.iter().any(|p| p.code == "certificate.not-pem")).await;
    assert_eq!(until_ms().await.0, second, "the old one stays");
    // And it is still good for those who come now.
    let other = seats.start(OTHER_VILLAGE, &[township.address()]).await;
    other.is_live().await;
    make(TOWNSHIP, seats.anchor.realm, now).write(&files.certificate, &files.key).expect("it is ours");
    until("all is well again", async || until_ms().await.1.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_runs_out_is_renewed_by_the_node() {
    let seats = County::new();
    let files = seats.files(VILLAGE);
    let old = make(&*key(VILLAGE), seats.anchor.realm, &[], wall_ms() - 300 * DAY_MS).expect("it is made");
    old.write(&files.certificate, &files.key).expect("it is ours");
    let village = seats.start(VILLAGE, &[]).await;
    until("it has been renewed", async || {
        let status = village.node.status().await.expect("it answers");
        status.certificate_not_after_ms.is_some_and(|until| until > wall_ms() + 390 * DAY_MS)
    })
    .await;
}

type Record = Arc<Mutex<Vec<Vec<u8>>>>;

/// Passes everything on, and keeps a copy of each direction of each connection.
async fn recording(target: SocketAddr) -> (SocketAddr, Record) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let record = Record::default();
    let kept = Arc::clone(&record);
    tokio::spawn(async move {
        while let Ok((from, _)) = listener.accept().await {
            let Ok(to) = TcpStream::connect(target).await else { continue };
            let ((from_in, from_out), (to_in, to_out)) = (from.into_split(), to.into_split());
            for (mut reads, mut writes) in [(from_in, to_out), (to_in, from_out)] {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let at = {
                        let mut kept = kept.lock().expect("nobody panicked");
                        kept.push(Vec::new());
                        kept.len() - 1
                    };
                    let mut buffer = vec![0; 64 * 1024];
                    while let Ok(read @ 1..) = reads.read(&mut buffer).await {
                        kept.lock().expect("nobody panicked")[at].extend(&buffer[..read]);
                        if writes.write_all(&buffer[..read]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        }
    });
    (address, record)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_tls_crosses_the_wire() {
    // Too short and too odd to be compressed into something else.
    const PLANTED: &str = "qzxjvkwypl";
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let (address, record) = recording(township.address()).await;
    let village = seats.start(VILLAGE, &[address]).await;
    village.is_live().await;
    let made = village.found(PLANTED).await;
    township.shows(made, "name", PLANTED).await;
    let verified = village.node.verify("", Duration::from_secs(60)).await.expect("it answers");
    assert_eq!(verified[0].outcome, Outcome::Equal);
    let record = record.lock().expect("nobody panicked");
    assert!(record.len() >= 2 && record.iter().any(|bytes| bytes.len() > 1000), "something crossed");
    for bytes in record.iter().filter(|bytes| !bytes.is_empty()) {
        // Handshake, change of cipher, application data or alert, with the version that all TLS records say.
        assert!(matches!(bytes[..], [0x16, 0x03, ..]), "{:?}", &bytes[..8]);
        let mut rest = &bytes[..];
        while let [kind, 3, 1 | 3, high, low, after @ ..] = rest {
            assert!((0x14..=0x17).contains(kind), "{kind}");
            let length = usize::from(*high) * 256 + usize::from(*low);
            rest = after.get(length..).unwrap_or_default();
        }
        assert!(rest.len() < 5, "only TLS records");
        for text in [PLANTED, VILLAGE, "ReplicationService"] {
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text} is readable");
        }
    }
}
