//! The floor of `live`: the same edits over the same hops as bare work. They are signed at the village, verified at each node
//! above, made durable as two rows and a share of a commit at each, and carried by a tonic stream from one to the next,
//! without TLS, in this process. Nobody plans, judges, folds or answers.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures::{Stream, StreamExt as _};
use heliu_catalogue::synthetic::{SyntheticMember, SyntheticOrg};
use heliu_record::command::{CommandId, Request};
use heliu_storage::row::CommitRow;
use heliu_storage::{FeedEntry, LeafRow, RecordRow, Store, StoreId, Transaction};
use heliu_storage_sqlite::SqliteStore;
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::Incarnation;
use heliu_trust::signature::{PublicKey, Signature, Signer, Verifier as _};
use heliu_wire::replication::replication_service_client::ReplicationServiceClient;
use heliu_wire::replication::replication_service_server::{ReplicationService, ReplicationServiceServer};
use heliu_wire::replication::{Ack, Frame, Leaves, LinkRequest, LinkResponse, frame};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Response, Status, Streaming};

use crate::cases::live::{LANES, RECORDS, VILLAGE};
use crate::driver::{Driver, memory};
use crate::place::{Place, key};
use crate::site::random;
use crate::usage::Processor;

/// As nodes have it.
const LEAVES_PER_COMMIT: usize = 64;
const QUEUE: usize = 1_024;

pub struct Bare {
    pub rate: f64,
    pub processor_us: f64,
}

/// From the village to the end of so many hops, with as many edits under way as in `live`.
pub async fn carry(edits: &Arc<Vec<Edit>>, hops: usize) -> Bare {
    let (told, mut durable) = watch::channel(0);
    let mut told = Some(told);
    let mut directories = Vec::with_capacity(hops + 1);
    let mut above: Option<Line> = None;
    for from_top in 0..=hops {
        let directory = tempfile::tempdir().expect("a directory");
        let options = heliu_storage_sqlite::Options::new(StoreId(random()), Incarnation(random()));
        let store = SqliteStore::open(directory.path(), options).await.expect("the store opens");
        directories.push(directory);
        let stage = Stage {
            edits: Arc::clone(edits),
            store: Arc::new(store),
            author: (from_top == hops).then(|| key(VILLAGE)),
            above: above.take().map(Line::hearing_nothing),
            told: told.take(),
        };
        above = Some(stage.listen().await);
    }
    let village = above.expect("there is a village");
    let (start, processor) = (Instant::now(), Processor::here());
    give(edits, village).await;
    durable.wait_for(|durable| *durable == edits.len()).await.expect("the top is there");
    let (seconds, processor) = (start.elapsed().as_secs_f64(), processor.seconds());
    Bare { rate: edits.len() as f64 / seconds, processor_us: processor * 1e6 / edits.len() as f64 }
}

/// What an edit leaves behind at a node.
pub struct Edit {
    leaf: LeafRow,
    record: RecordRow,
    commit: CommitRow,
}

/// Real edits, given one by one at the village.
pub fn edits(place: &Place, edits: usize) -> Arc<Vec<Edit>> {
    let village = &place.villages[0];
    let county = place.members(place.villages.len());
    let org = county.orgs.iter().find(|org| org.seat == village.id).expect("a village has a branch");
    let org = SyntheticOrg { parent: None, level: "branch", ..org.clone() };
    let one = county.members().next().expect("there are members");
    let members: Vec<SyntheticMember> = (0..RECORDS)
        .map(|n| SyntheticMember {
            command: CommandId(random()),
            seat: village.id,
            branch: org.id(),
            name: format!("测试甲{n:04}"),
            ..one.clone()
        })
        .collect();
    let number = u8::try_from(VILLAGE).unwrap_or_default();
    let mut driver = Driver::new(memory(number), place.directory.clone(), VILLAGE, true);
    driver.execute([org.request()]);
    driver.execute(members.iter().map(SyntheticMember::request_of_village));
    driver.transactions.clear();
    for number in 0..edits {
        driver.execute([edit(&members[number % RECORDS], number)]);
    }
    let made: Vec<Edit> = driver.transactions.into_iter().filter_map(Edit::of).collect();
    assert_eq!(made.len(), edits, "each edit is a leaf of a commit");
    Arc::new(made)
}

fn edit(member: &SyntheticMember, number: usize) -> Request {
    let arguments = [("field", "name".to_owned()), ("value", number.to_string())].map(|(k, v)| (k.to_owned(), v));
    Request {
        id: CommandId(random()),
        name: "record.set".to_owned(),
        subject: Some(member.id()),
        arguments: BTreeMap::from(arguments),
        who: "bench".to_owned(),
        reason: String::new(),
        on_behalf: None,
    }
}

impl Edit {
    fn of(transaction: Transaction) -> Option<Edit> {
        let leaf = transaction.feed.into_iter().find_map(|entry| match entry {
            FeedEntry::Leaf(leaf) => Some(leaf),
            _ => None,
        })?;
        let record = transaction.records.into_iter().find(|row| row.id == leaf.record)?;
        Some(Edit { leaf, record, commit: transaction.commits.into_iter().next()? })
    }
}

/// Gives all of them, so many at once: another as soon as one is acknowledged.
async fn give(edits: &[Edit], village: Line) {
    let Line { below, mut acks } = village;
    let (mut given, mut acknowledged) = (0, 0);
    while acknowledged < edits.len() {
        while given < edits.len().min(acknowledged + LANES) {
            let parcel = parcel(given..given + 1, edits[given].leaf.change.to_vec());
            below.send(parcel).await.expect("the village takes it");
            given += 1;
        }
        let ack = acks.message().await.expect("the line holds").and_then(|said| said.frame?.frame);
        let Some(frame::Frame::Ack(Ack { sequence })) = ack else { panic!("the village acknowledges") };
        acknowledged = usize::try_from(sequence).unwrap_or_default();
    }
}

fn parcel(edits: Range<usize>, delivery: Vec<u8>) -> Leaves {
    Leaves { sequence: edits.start as u64, through: Some(edits.end as u64), delivery, ..Leaves::default() }
}

fn edits_of(parcel: &Leaves) -> Range<usize> {
    let place = |number: u64| usize::try_from(number).unwrap_or_default();
    place(parcel.sequence)..place(parcel.through.unwrap_or_default())
}

/// The way to a node from the one below.
struct Line {
    below: mpsc::Sender<Leaves>,
    acks: Streaming<LinkResponse>,
}

impl Line {
    /// For who does not wait for acknowledgements.
    fn hearing_nothing(mut self) -> mpsc::Sender<Leaves> {
        tokio::spawn(async move { while let Ok(Some(_)) = self.acks.message().await {} });
        self.below
    }
}

/// One node.
struct Stage {
    edits: Arc<Vec<Edit>>,
    store: Arc<dyn Store>,
    /// Who signs, at the village.
    author: Option<Arc<dyn Signer>>,
    above: Option<mpsc::Sender<Leaves>>,
    /// How many edits are durable here, at the top.
    told: Option<watch::Sender<usize>>,
}

/// What answers for a node.
struct Door(Arc<Stage>);

impl Stage {
    async fn listen(self) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let address = listener.local_addr().expect("it is bound");
        let door = ReplicationServiceServer::new(Door(Arc::new(self)));
        let server = tonic::transport::Server::builder().tcp_nodelay(true).add_service(door);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        let mut client = ReplicationServiceClient::connect(format!("http://{address}")).await.expect("it listens");
        let (below, parcels) = mpsc::channel(QUEUE);
        let asked = client.link(
            ReceiverStream::new(parcels)
                .map(|parcel| LinkRequest { frame: Some(Frame { frame: Some(frame::Frame::Leaves(parcel)) }) }),
        );
        Line { below, acks: asked.await.expect("it answers").into_inner() }
    }

    async fn work(&self, mut heard: mpsc::Receiver<Leaves>, acks: mpsc::Sender<Result<LinkResponse, Status>>) {
        let mut parcels = Vec::new();
        while heard.recv_many(&mut parcels, LANES).await > 0 {
            let mut parcels = std::mem::take(&mut parcels);
            match &self.author {
                Some(author) => parcels = self.sign(&parcels, &**author),
                None => verify(&parcels),
            }
            self.store.apply(&self.transaction(&parcels)).await.expect("a transaction is taken");
            let end = parcels.last().map_or(0, |parcel| edits_of(parcel).end);
            let frame = Some(frame::Frame::Ack(Ack { sequence: end as u64 }));
            if acks.send(Ok(LinkResponse { frame: Some(Frame { frame }) })).await.is_err() {
                return;
            }
            if let Some(told) = &self.told {
                let _ = told.send(end);
            }
            let Some(above) = &self.above else { continue };
            for parcel in parcels {
                above.send(parcel).await.expect("the node above takes it");
            }
        }
    }

    /// The edits of these, each alone, in parcels that share a signature.
    fn sign(&self, single: &[Leaves], author: &dyn Signer) -> Vec<Leaves> {
        let pack = |single: &[Leaves]| {
            let edits =
                single.first().map_or(0, |one| edits_of(one).start)..single.last().map_or(0, |one| edits_of(one).end);
            let mut delivery = single.iter().flat_map(|one| &one.delivery).copied().collect::<Vec<u8>>();
            let Signature(signature) = author.sign(&delivery);
            delivery.extend(signature);
            parcel(edits, delivery)
        };
        single.chunks(LEAVES_PER_COMMIT).map(pack).collect()
    }

    fn transaction(&self, parcels: &[Leaves]) -> Transaction {
        let (mut rows, mut transaction) = (BTreeMap::new(), Transaction::default());
        for parcel in parcels {
            let edits = edits_of(parcel);
            let commit = &self.edits[edits.start].commit;
            transaction.commits.push(commit.clone());
            for (edit, position) in self.edits[edits.clone()].iter().zip(edits.start as u64 + 1..) {
                transaction.feed.push(FeedEntry::Leaf(LeafRow { position, commit: commit.id, ..edit.leaf.clone() }));
                rows.insert(edit.record.id, &edit.record);
            }
        }
        transaction.records = rows.into_values().cloned().collect();
        transaction
    }
}

fn verify(parcels: &[Leaves]) {
    let author: PublicKey = key(VILLAGE).public_key();
    let signed = parcels.iter().map(|parcel| {
        let (message, signature) = parcel.delivery.split_last_chunk().expect("a signature is at its end");
        (author, message, Signature(*signature))
    });
    let all: Vec<_> = signed.collect();
    assert!(Ed25519.verify_all(&all).into_iter().all(|is_right| is_right), "the village has signed it");
}

#[tonic::async_trait]
impl ReplicationService for Door {
    type LinkStream = Pin<Box<dyn Stream<Item = Result<LinkResponse, Status>> + Send>>;

    async fn link(
        &self,
        request: tonic::Request<Streaming<LinkRequest>>,
    ) -> Result<Response<Self::LinkStream>, Status> {
        let (hear, heard) = mpsc::channel(QUEUE);
        let (acks, acknowledged) = mpsc::channel(QUEUE);
        let mut incoming = request.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(said)) = incoming.message().await {
                let Some(frame::Frame::Leaves(parcel)) = said.frame.and_then(|frame| frame.frame) else { return };
                if hear.send(parcel).await.is_err() {
                    return;
                }
            }
        });
        let stage = Arc::clone(&self.0);
        tokio::spawn(async move { stage.work(heard, acks).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(acknowledged))))
    }
}
