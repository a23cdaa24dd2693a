//! An engine on a store in memory, and a hostile peer on a link of it: nothing stops the link, all of it is in quarantine,
//! and what is honest is admitted.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use heliu_catalogue::catalogue;
use heliu_record::change::{Change, Draft};
use heliu_record::hash::hash16;
use heliu_replication::frame::{
    DeliveredGrant, Delivery, Frame, Hello, Leaves, RefuseCode, RefusedLeaf, Statements, WIRE_VERSIONS, Welcome,
};
use heliu_replication::serving::carry_out;
use heliu_replication::{Config, Effect, Engine, Input, LinkId, Moment, Notice, Start};
use heliu_storage::memory::MemoryStore;
use heliu_storage::{Cursor, ReadMeta as _, ReadQuarantine as _, ReadRecords as _, RecordState, StoreId};
use heliu_trust::ed25519::Ed25519;
use heliu_trust::grant::{GRANTS_PER_AUTHOR_MAX, Grant, Recipient, SignedGrant};
use heliu_trust::id::{Incarnation, RecordKeyId};
use heliu_trust::seal::KeyId;
use heliu_trust::signature::Signer;
use hostile::author::{COUNTY, County, STRANGER, VILLAGE, key};
use hostile::corpus::{self, Desk, Hostile};
use hostile::cost;

use super::alone;

/// The county's node.
struct Node {
    engine: Engine,
    store: MemoryStore,
    links: u64,
}

/// What a peer heard on its link.
#[derive(Default)]
struct Heard {
    refused: Vec<RefusedLeaf>,
    acked: u64,
    closed: Option<RefuseCode>,
    /// Records that the node opened from its store.
    opened: usize,
    /// Lines in the node's log about statements.
    logged: usize,
}

fn ready<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("a memory store answers at once")
}

impl Node {
    fn new(county: &County) -> Self {
        Node::with(Config::new(catalogue()), county)
    }

    fn with(config: Config, county: &County) -> Self {
        let store = MemoryStore::open(StoreId([1; 16]), Incarnation([1; 16]));
        let key = Arc::new(key(COUNTY));
        let (node, seat) = (key.node(), county.seat(COUNTY));
        let meta = ready(store.meta()).expect("reads");
        let start = Start::new(node, seat, county.directory.clone(), meta, (key, Arc::new(Ed25519)), [7; 32], &config);
        Node { engine: Engine::new(config, start), store, links: 0 }
    }

    /// A peer connects, greets, and sends frames of leaves one after another.
    fn visit(&mut self, county: &County, frames: Vec<Frame>) -> Heard {
        self.links += 1;
        let link = LinkId(self.links);
        let mut heard = Heard::default();
        let mut inputs = vec![Input::LinkUp { link, dialer: false, peer: None }];
        let mut frames = Some(frames);
        while !inputs.is_empty() {
            let effects: Vec<Effect> =
                inputs.drain(..).flat_map(|input| self.engine.handle(input, Moment::default())).collect();
            for effect in effects {
                inputs.extend(self.carry(effect, link, county, &mut frames, &mut heard));
            }
        }
        self.engine.handle(Input::LinkDown { link }, Moment::default());
        heard
    }

    fn carry(
        &mut self,
        effect: Effect,
        link: LinkId,
        county: &County,
        frames: &mut Option<Vec<Frame>>,
        heard: &mut Heard,
    ) -> Vec<Input> {
        let store = &self.store;
        let frame = |frame| Input::Frame { link, frame };
        match effect {
            Effect::Send { frame: Frame::Hello(hello), .. } => self.greet(&hello, county).map(frame).into(),
            Effect::Send { frame: Frame::Welcome(_), .. } => frames.take().into_iter().flatten().map(frame).collect(),
            Effect::Send { frame: Frame::Refused(refused), .. } => {
                heard.refused.extend(refused);
                Vec::new()
            }
            Effect::Send { frame: Frame::Ack { sequence }, .. } => {
                heard.acked = sequence;
                Vec::new()
            }
            Effect::Notice(Notice::StatementRefused { .. }) => {
                heard.logged += 1;
                Vec::new()
            }
            Effect::Close { why, .. } => {
                heard.closed = Some(why.code);
                Vec::new()
            }
            effect => {
                let answer = ready(carry_out(store, effect));
                if let Some(Input::Loaded(Ok(reply))) = &answer {
                    heard.opened += reply.records.len();
                }
                answer.into_iter().collect()
            }
        }
    }

    /// The peer is the village's node, and says that it has all that the node has.
    fn greet(&self, hello: &Hello, county: &County) -> [Frame; 2] {
        let head = self.engine.meta().head;
        let cursor = Cursor { store: hello.store, incarnation: hello.incarnation, position: head };
        let own = Hello {
            node: county.author(VILLAGE, 0).signer.node(),
            store: StoreId([2; 16]),
            incarnation: Incarnation([2; 16]),
            versions: (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end()),
            program: "hostile".to_owned(),
            ..hello.clone()
        };
        [Frame::Hello(own), Frame::Welcome(Welcome { cursor: Some(cursor), ..Welcome::default() })]
    }

    /// Records all of whose leaves are admitted, of those that a delivery is about.
    fn admits(&self, delivery: &Delivery) -> bool {
        delivery.leaves.iter().all(|leaf| {
            let row = ready(self.store.record(leaf.preimage.id())).expect("reads");
            row.is_some_and(|row| row.state == RecordState::Present && row.admitted == row.held && !row.view.is_empty())
        })
    }
}

fn leaves(sequence: u64, deliveries: &[&Delivery]) -> Frame {
    let mut delivery = Delivery::default();
    for part in deliveries {
        let first = delivery.commits.len();
        delivery.commits.extend(part.commits.iter().cloned());
        delivery.leaves.extend(part.leaves.iter().cloned().map(|mut leaf| {
            leaf.commit += first;
            leaf
        }));
    }
    Frame::Leaves(Leaves { sequence, delivery, withdrawn: Vec::new(), through: None })
}

/// What is refused, and so is in quarantine; the rest of the corpus waits, is held, or has lost a fork.
fn is_refused(hostile: &Hostile) -> bool {
    ["leaf.", "commit.", "refused."].iter().any(|group| hostile.expect_code.starts_with(group))
}

#[test]
fn poison_stops_no_link_and_all_of_it_is_in_quarantine() {
    let _turn = alone();
    let county = County::new();
    let mut hostile = corpus::all(&county.author(VILLAGE, 1));
    hostile.retain(|hostile| !hostile.is_unjudged());
    let honest = corpus::honest(&county.author(STRANGER, 1), 30);
    let mut mixed: Vec<&Delivery> = hostile.iter().map(|hostile| &hostile.delivery).collect();
    for (number, honest) in honest.iter().enumerate() {
        mixed.insert(number * 5, honest);
    }
    let mut node = Node::new(&county);
    let heard = node.visit(&county, vec![leaves(1, &mixed)]);
    assert_eq!((heard.closed, heard.acked), (None, 1), "the link goes on, and the frame is settled");
    assert!(honest.iter().all(|honest| node.admits(honest)));

    let told: BTreeSet<&str> = heard.refused.iter().map(|refused| refused.code.as_str()).collect();
    let rows = ready(node.store.quarantine(usize::MAX)).expect("reads");
    for hostile in hostile.iter().filter(|hostile| is_refused(hostile)) {
        let (code, last) = (hostile.expect_code, hostile.delivery.leaves.last().expect("has leaves"));
        assert!(told.contains(code), "{}: {code}", hostile.name);
        let mut own = rows.iter().filter(|row| row.code == code);
        let kept = last.change.len().min(64 * 1024);
        assert!(own.any(|row| row.bytes == last.change[..kept]), "{} is not in quarantine as {code}", hostile.name);
    }
}

#[test]
fn each_shape_alone_stops_no_link_either() {
    let _turn = alone();
    let county = County::new();
    let mut node = Node::new(&county);
    let honest = corpus::honest(&county.author(STRANGER, 2), 400);
    for (hostile, honest) in corpus::all(&county.author(VILLAGE, 2)).iter().zip(&honest) {
        let heard = node.visit(&county, vec![leaves(1, &[&hostile.delivery, honest]), leaves(2, &[])]);
        if hostile.is_unjudged() {
            // Its sender has to send its directory first; on another link the rest comes all the same.
            assert_eq!(heard.closed, Some(RefuseCode::Protocol), "{}", hostile.name);
            assert_eq!(node.visit(&county, vec![leaves(1, &[honest])]).acked, 1);
        } else {
            assert_eq!((heard.closed, heard.acked), (None, 2), "{}", hostile.name);
        }
        assert!(node.admits(honest), "beside {}", hostile.name);
        assert!(node.engine.failed().is_none());
    }
}

#[test]
fn a_frame_out_of_sequence_ends_the_link_and_changes_nothing() {
    let _turn = alone();
    let county = County::new();
    let mut node = Node::new(&county);
    let honest = corpus::honest(&county.author(STRANGER, 3), 1);
    for sequence in [0, 2, u64::MAX] {
        let heard = node.visit(&county, vec![leaves(sequence, &[&honest[0]])]);
        assert_eq!((heard.closed, heard.acked), (Some(RefuseCode::Protocol), 0), "{sequence}");
        assert!(!node.admits(&honest[0]));
    }
    assert_eq!(node.visit(&county, vec![leaves(1, &[&honest[0]])]).closed, None);
    assert!(node.admits(&honest[0]));
}

/// More grants than anybody has a use for, by a node that is enrolled: whatever order they come in, the same ones are kept.
#[test]
fn a_flood_of_grants_stays_within_bounds_and_pushes_out_nobody_elses() {
    let _turn = alone();
    let county = County::new();
    let honest = corpus::honest(&county.author(STRANGER, 4), 1).remove(0);
    let preimage = Arc::clone(&honest.leaves[0].preimage);
    let record = preimage.id();
    let grant = |by: &str, number: usize| {
        let wraps = vec![(Recipient::Node(key(COUNTY).node()), vec![1; 80])];
        let id = KeyId(hash16("a key", &[&number.to_le_bytes()]));
        let by = key(by);
        SignedGrant::sign(
            Grant { realm: county.realm, record, named: id, key: RecordKeyId([0; 16]), by: by.node(), wraps },
            &by,
        )
    };
    let own = grant(STRANGER, 0);
    let flood: Vec<SignedGrant> = (0..GRANTS_PER_AUTHOR_MAX + 40).map(|number| grant(VILLAGE, number)).collect();
    let mut expected: Vec<[u8; 32]> = flood.iter().map(|grant| grant.hash).collect();
    expected.sort_unstable();
    expected.truncate(GRANTS_PER_AUTHOR_MAX);
    expected.push(own.hash);
    expected.sort_unstable();
    let backwards = flood.iter().rev().cloned().collect();
    let rows = [flood, backwards].map(|flood: Vec<SignedGrant>| {
        let mut node = Node::new(&county);
        let mut frames = vec![leaves(1, &[&honest])];
        for (sequence, some) in (2..).zip(flood.chunks(50).chain([&[own.clone()][..]])) {
            let grants = some
                .iter()
                .map(|grant| DeliveredGrant { preimage: Arc::clone(&preimage), grant: grant.encode().into() });
            let delivery = Delivery { grants: grants.collect(), ..Delivery::default() };
            frames.push(Frame::Leaves(Leaves { sequence, delivery, withdrawn: Vec::new(), through: None }));
        }
        let last = frames.len() as u64;
        let heard = node.visit(&county, frames);
        assert_eq!((heard.closed, heard.acked), (None, last));
        assert!(!heard.refused.is_empty() && heard.refused.iter().all(|refused| refused.code == "grant.too-many"));
        let rows = ready(node.store.quarantine(usize::MAX)).expect("reads");
        assert!(rows.len() == heard.refused.len() && rows.iter().all(|row| row.code == "grant.too-many"));
        let loaded = ready(node.store.load(&[record])).expect("reads").remove(0);
        let mut kept: Vec<[u8; 32]> = loaded.grants.iter().map(|grant| grant.hash.0).collect();
        kept.sort_unstable();
        assert_eq!(kept, expected);
        loaded.row
    });
    assert_eq!(rows[0], rows[1], "two nodes count the same");
}

/// Each takes the place of the one before, so that the record is folded anew from its beginning: once for all that wait.
#[test]
fn forks_of_a_long_record_are_judged_together() {
    let _turn = alone();
    let county = County::new();
    let author = county.author(VILLAGE, 4);
    let mut desk = Desk::new(&author, "long");
    for _ in 0..1_000 {
        let change = Change::encode(desk.edit());
        desk.write(&change);
    }
    let long = std::mem::take(&mut desk.delivery);
    let fork = |time_ms| Draft { time_ms, ..desk.edit() };
    let forks: Vec<Change> = (0..62).map(|time_ms| Change::encode(fork(time_ms))).collect();
    let mut forks: Vec<Delivery> = (forks.iter())
        .map(|change| {
            desk.sign(&change.raw);
            std::mem::take(&mut desk.delivery)
        })
        .collect();
    // The last is the worst: whatever comes then takes its place.
    let last = forks.pop().expect("there are some");
    let cost = |few: &[Delivery]| {
        let mut node = Node::new(&county);
        let built = node.visit(&county, vec![leaves(1, &[&long]), leaves(2, &[&last])]);
        assert_eq!((built.closed, built.acked), (None, 2));
        let frames = (1..).zip(few.iter().rev()).map(|(sequence, fork)| leaves(sequence, &[fork])).collect();
        let (heard, cost) = cost::of(|| node.visit(&county, frames));
        assert_eq!((heard.closed, heard.acked), (None, few.len() as u64));
        cost.ms()
    };
    let (one, all) = (cost(&forks[60..]), cost(&forks));
    assert!(all < one * 20.0, "{all} ms for 61 frames, {one} ms for one");
}

#[test]
fn a_frame_of_statements_that_are_none_is_one_line_in_the_log() {
    let _turn = alone();
    let county = County::new();
    let frame = || Frame::Statements(Statements { statements: vec![vec![7]; 256], ..Statements::default() });
    let heard = Node::new(&county).visit(&county, vec![frame(), frame()]);
    assert_eq!((heard.closed, heard.logged), (None, 2));
}

/// Of these both are as many, and a node may keep as many open.
#[test]
fn long_records_are_closed_sooner_than_short_ones() {
    let _turn = alone();
    let county = County::new();
    let opened_again = |changes: usize| {
        let mut node = Node::with(Config { open_max: 64, ..Config::new(catalogue()) }, &county);
        let authors: Vec<_> = (0..20).map(|run| county.author(VILLAGE, 100 + run)).collect();
        let mut desks: Vec<Desk<'_>> = authors.iter().map(|author| Desk::new(author, "open")).collect();
        let mut visit = |changes: usize| {
            let written = desks.iter_mut().map(|desk| {
                for _ in 0..changes {
                    let change = Change::encode(desk.edit());
                    desk.write(&change);
                }
                std::mem::take(&mut desk.delivery)
            });
            let written: Vec<Delivery> = written.collect();
            let frames = (1..).zip(&written).map(|(sequence, delivery)| leaves(sequence, &[delivery])).collect();
            let heard = node.visit(&county, frames);
            assert_eq!((heard.closed, heard.acked), (None, 20));
            heard.opened
        };
        assert_eq!(visit(changes), 0);
        visit(1)
    };
    assert_eq!(opened_again(3), 0);
    assert!(opened_again(200) > 10);
}
