//! The attacker's line: every byte that it sends is counted, and a link on which it says what it likes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use heliu_replication::frame::{Delivery, Frame, Hello, Leaves, WIRE_VERSIONS, Welcome};
use heliu_storage::StoreId;
use heliu_trust::id::Incarnation;
use heliu_trust::signature::Signer;
use heliu_wire::replication::replication_service_client::ReplicationServiceClient;
use heliu_wire::replication::{LinkRequest, LinkResponse};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tonic::Streaming;
use tonic::transport::Endpoint;

use crate::author::{County, VILLAGE, key};

/// No sequence waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Frames on their way: fewer than a link may have.
const WINDOW: u64 = 32;

/// A way to a node that counts what goes there.
pub struct Line {
    pub address: SocketAddr,
    sent: Arc<AtomicU64>,
}

impl Line {
    /// # Panics
    /// If this machine has no port left.
    pub async fn to(node: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let (address, sent) = (listener.local_addr().expect("it has one"), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&sent);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(node).await else { return };
                let (mut heard, mut says) = near.into_split();
                let (mut answers, mut tells) = far.into_split();
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut says).await });
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                    let mut bytes = vec![0; 16 * 1024];
                    while let Ok(read) = heard.read(&mut bytes).await
                        && read > 0
                    {
                        counted.fetch_add(read as u64, Ordering::Relaxed);
                        if tells.write_all(&bytes[..read]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Line { address, sent }
    }

    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// # Panics
    /// Never: it is an address.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::from_shared(format!("http://{}", self.address)).expect("an address")
    }
}

/// A link as the village's enrolled node.
pub struct Talk {
    said: mpsc::Sender<LinkRequest>,
    heard: Streaming<LinkResponse>,
    sequence: u64,
    acked: u64,
}

impl Talk {
    /// # Panics
    /// If the node takes no link, or welcomes nobody on it.
    pub async fn begin(line: &Line, county: &County) -> Self {
        let channel = line.endpoint().connect().await.expect("it listens");
        let hello = Frame::Hello(Hello {
            realm: county.realm,
            node: key(VILLAGE).node(),
            store: StoreId([9; 16]),
            incarnation: Incarnation([9; 16]),
            versions: (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end()),
            directory_len: county.directory.len(),
            directory_head: county.directory.head(),
            kinds: heliu_record::gate::Digests::default(),
            program: "hostile".to_owned(),
            now_ms: None,
        });
        let (said, says) = mpsc::channel(4);
        for frame in [hello, Frame::Welcome(Welcome::default())] {
            said.send(LinkRequest::from(&frame)).await.expect("there is room");
        }
        let mut client = ReplicationServiceClient::new(channel);
        let heard = client.link(tokio_stream::wrappers::ReceiverStream::new(says)).await.expect("it takes the link");
        let mut talk = Talk { said, heard: heard.into_inner(), sequence: 0, acked: 0 };
        // What comes before it ends a link.
        while !matches!(talk.hear().await.expect("it is welcomed"), Frame::Welcome(_)) {}
        talk
    }

    /// Whether it could be said.
    pub async fn say(&mut self, frame: &Frame) -> bool {
        self.said.send(LinkRequest::from(frame)).await.is_ok()
    }

    /// Sends leaves in frames of so many, as fast as they are taken, and waits until all are. Returns whether they are.
    pub async fn deliver(&mut self, delivery: &Delivery, leaves_per_frame: usize) -> bool {
        for part in parts(delivery, leaves_per_frame) {
            self.sequence += 1;
            let leaves = Leaves { sequence: self.sequence, delivery: part, withdrawn: Vec::new(), through: None };
            if !self.say(&Frame::Leaves(leaves)).await || !self.wait(self.sequence.saturating_sub(WINDOW)).await {
                return false;
            }
        }
        self.wait(self.sequence).await
    }

    /// Whether frames up to this one are acknowledged; not if the link has ended.
    async fn wait(&mut self, sequence: u64) -> bool {
        while self.acked < sequence {
            match self.hear().await {
                Some(Frame::Ack { sequence }) => self.acked = sequence,
                Some(_) => {}
                None => return false,
            }
        }
        true
    }

    /// What is said next; nothing if the link has ended.
    async fn hear(&mut self) -> Option<Frame> {
        let message = tokio::time::timeout(PATIENCE, self.heard.message()).await.ok()?.ok()??;
        Frame::try_from(message).ok()
    }

    /// Hears what comes, for so long.
    pub async fn listen(&mut self, during: Duration) {
        let all = async { while let Ok(Some(_)) = self.heard.message().await {} };
        let _ = tokio::time::timeout(during, all).await; // That it goes on talking is what is waited for.
    }
}

/// A delivery of one leaf a commit, in parts.
fn parts(delivery: &Delivery, leaves: usize) -> Vec<Delivery> {
    let part = |(commits, all): (&[_], &[heliu_replication::frame::DeliveredLeaf])| {
        let first = all.first().map_or(0, |leaf| leaf.commit);
        let renumbered = all.iter().cloned().map(|mut leaf| {
            leaf.commit -= first;
            leaf
        });
        Delivery { commits: commits.to_vec(), leaves: renumbered.collect(), grants: Vec::new() }
    };
    delivery.commits.chunks(leaves).zip(delivery.leaves.chunks(leaves)).map(part).collect()
}
