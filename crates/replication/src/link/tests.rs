//! One link by itself: what it says to what it hears, also from an end that keeps no rules.

mod claims;
mod greedy;
mod kinds;
mod leaving;
mod reconciling;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use heliu_record::catalogue::Catalogue;
use heliu_record::gate::Digests;
use heliu_record::hash::{Sum, hash};
use heliu_record::id::{LeafHash, Preimage, SeatId};
use heliu_record::prelude::section;
use heliu_record::scope::Scope;
use heliu_record::seats::{Seat, Tier};
use heliu_storage::{FeedEntry, FeedItem, LeafRow, LeafStatus, Meta, Position, ScanItem, Standing, StoreId};
use heliu_trust::commit::{Commit, SignedCommit};
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::id::{Incarnation, realm_id, seat_id};
use heliu_trust::signature::{SealingKey, Signer};
use heliu_trust::simulated::{Cheap, CheapKey};

use super::*;
use crate::effect::{Effect, Moment};
use crate::frame::{
    Compared, DeliveredLeaf, Delivery, Hello, Range, RangeContent, Reconcile, Sums, Turn, WIRE_VERSIONS, Welcome,
    limits,
};
use crate::journal::Tail;
use crate::own::Own;
use crate::reconcile::scope_id;
use crate::records::{Foreign, Kept};
use crate::statements::Statements as Held;

/// One end, and what it stands on.
struct End {
    directory: Directory,
    meta: Meta,
    tail: Tail,
    statements: Held,
    leaving: BTreeMap<RecordId, Position>,
    foreign: Foreign,
    kept: Kept,
    own: Own,
    peer: NodeId,
    kinds: Digests,
    link: Link,
}

fn county() -> (Directory, [(NodeId, SeatId); 2]) {
    let issuer = CheapKey([1; 32]);
    let realm = realm_id(&issuer.public_key(), "test");
    let mut directory = Directory::new(realm, issuer.public_key());
    let codes = ["371726000000", "371726001000"].map(str::to_owned);
    let seats = [seat_id(&realm, &codes[0]), seat_id(&realm, &codes[1])];
    let keys = [CheapKey([2; 32]), CheapKey([3; 32])];
    let [county, township] = codes;
    let seat = |id, code: String, parent, tier| Item::Seat(Seat { id, name: code.clone(), code, parent, tier });
    let node = |at: usize| Item::enrol(&keys[at], seats[at], SealingKey(keys[at].0), Vec::new());
    let items = vec![
        seat(seats[0], county, None, Tier::County),
        seat(seats[1], township, Some(seats[0]), Tier::Township),
        node(0),
        node(1),
        Item::Issuer { key: issuer.public_key() },
    ];
    let entry = directory.draft(items, 0, &[&issuer]).expect("it is drawn up well");
    directory.append(&entry, &Cheap).expect("it follows");
    (directory, [(keys[0].node(), seats[0]), (keys[1].node(), seats[1])])
}

/// A program that knows no kind.
fn nothing() -> &'static Catalogue {
    static NOTHING: LazyLock<Catalogue> =
        LazyLock::new(|| Catalogue::new(&[&section(&[], &[], &[], &[], &[])]).expect("it is well made"));
    &NOTHING
}

const OWN: (StoreId, Incarnation) = (StoreId([1; 16]), Incarnation([1; 16]));
const THEIRS: (StoreId, Incarnation) = (StoreId([2; 16]), Incarnation([2; 16]));

impl End {
    /// The township's end dials, the county's answers. Each has a feed up to 1,000.
    fn new(dialer: bool) -> Self {
        let (directory, [county, township]) = county();
        let ((node, seat), (peer, _)) = if dialer { (township, county) } else { (county, township) };
        let meta = Meta { store: OWN.0, head: 1_000, incarnations: vec![(OWN.1, 0)] };
        let (tail, statements, leaving) = (Tail::at(1_000), Held::default(), BTreeMap::new());
        let foreign = Foreign::new(1, BTreeSet::new(), crate::records::ForeignCounts::default());
        let (realm, catalogue, signer) = (directory.realm(), nothing(), Arc::new(CheapKey([2; 32])));
        let own = Own { realm, node, seat, catalogue, signer, verifier: Arc::new(Cheap) };
        let line = Line { id: LinkId(1), dialer, proven: None, phase: Phase::Greeting, peer: None };
        End {
            link: Link::on(line, directory.len()),
            directory,
            meta,
            tail,
            statements,
            leaving,
            foreign,
            kept: Kept::new(8),
            own,
            peer,
            kinds: Digests::default(),
        }
    }

    fn act(&mut self, act: impl FnOnce(&mut Link, &Shared<'_>, &mut Out)) -> Out {
        let shared = Shared {
            own: &self.own,
            program: "test",
            kinds: Kinds { digests: &self.kinds, is_judged: true },
            feed: Feed { meta: &self.meta, tail: &self.tail, last_commit: None },
            directory: &self.directory,
            fork: None,
            compared: Comparison { sums: Sums::default(), apart: None, kept: &self.kept },
            foreign: &self.foreign,
            statements: &self.statements,
            leaving: &self.leaving,
            now: Moment::default(),
        };
        let mut out = Out::default();
        act(&mut self.link, &shared, &mut out);
        out
    }

    fn hears(&mut self, frame: Frame) -> Out {
        self.act(|link, shared, out| link.on_frame(frame, shared, out))
    }

    fn hello(&self) -> Frame {
        Frame::Hello(Hello {
            realm: self.directory.realm(),
            node: self.peer,
            store: THEIRS.0,
            incarnation: THEIRS.1,
            versions: (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end()),
            directory_len: self.directory.len(),
            directory_head: self.directory.head(),
            kinds: self.kinds.clone(),
            program: String::new(),
            now_ms: None,
        })
    }

    /// Runs; the other end has our feed up to a position, or nothing of it.
    fn running(dialer: bool, cursor: Option<Position>) -> Self {
        let mut end = Self::new(dialer);
        let hello = end.hello();
        end.hears(hello);
        let own = Cursor { store: THEIRS.0, incarnation: THEIRS.1, position: 0 };
        end.act(|link, shared, out| link.on_peer(Some(own), None, BTreeSet::new(), shared, out));
        let cursor = cursor.map(|position| Cursor { store: OWN.0, incarnation: OWN.1, position });
        end.hears(Frame::Welcome(Welcome { cursor, ..Welcome::default() }));
        assert_eq!(end.link.line.phase, Phase::Running);
        end
    }

    /// Runs and reconciles, holding these records.
    fn talking(dialer: bool, records: impl IntoIterator<Item = RecordId>) -> Self {
        let mut end = Self::running(dialer, None);
        if !dialer {
            let whole = Range { from: RecordId([0; 32]), to: None, content: other() };
            end.hears(reconcile(Turn::Question, vec![whole]));
        }
        let (standing, sum) = (Standing::Present, Sum([1; 32]));
        let item = |id| ScanItem { id, scope: public(), standing, held: sum, admitted: sum, leaves: 1 };
        let mut items: Vec<ScanItem> = records.into_iter().map(item).collect();
        items.sort_unstable_by_key(|item| item.id);
        end.act(|link, shared, out| link.on_scanned(&items, shared, out));
        if dialer {
            let public = RangeContent::Missing(vec![scope_id(&public())]);
            let told = Range { from: RecordId([0; 32]), to: None, content: public };
            end.hears(of_scopes(Turn::Answer, vec![told]));
            end.act(|link, shared, out| link.on_scanned(&items, shared, out));
        }
        end
    }

    fn page(&mut self, items: Vec<FeedItem>, through: Position) -> Out {
        self.act(|link, shared, out| link.on_page(FeedPage { items, through, ..FeedPage::default() }, shared, out))
    }
}

fn public() -> Scope {
    Scope { public: true, ..Scope::default() }
}

fn record(n: u32) -> RecordId {
    RecordId(hash("test record", &[&n.to_le_bytes()]))
}

/// What nobody holds.
fn other() -> RangeContent {
    RangeContent::Fingerprint { count: 7, sum: Sum([7; 32]) }
}

/// About records, as the dialling end asks when it has compared scopes for nothing.
fn reconcile(turn: Turn, ranges: Vec<Range>) -> Frame {
    Frame::Reconcile(Reconcile { turn, compared: Compared::Records, ranges })
}

fn of_scopes(turn: Turn, ranges: Vec<Range>) -> Frame {
    Frame::Reconcile(Reconcile { turn, compared: Compared::Scopes, ranges })
}

fn leaves(sequence: u64, changes: usize, bytes: usize) -> Leaves {
    let (preimage, change): (_, Arc<[u8]>) = (preimage(), vec![0; bytes].into());
    let leaf = |_| DeliveredLeaf {
        preimage: Arc::clone(&preimage),
        commit: 0,
        kind_version: 1,
        declared: None,
        change: Arc::clone(&change),
    };
    let delivery = Delivery { leaves: (0..changes).map(leaf).collect(), ..Delivery::default() };
    Leaves { sequence, delivery, withdrawn: Vec::new(), through: None }
}

fn preimage() -> Arc<Preimage> {
    Arc::new(Preimage { kind: "org".to_owned(), birth: SeatId([1; 16]), key: vec![1] })
}

/// Leaves of a record in the feed, one at each position.
fn feed(record: RecordId, positions: std::ops::RangeInclusive<Position>, bytes: usize) -> Vec<FeedItem> {
    let change: Arc<[u8]> = vec![0; bytes].into();
    let commit = Commit {
        realm: realm_id(&CheapKey([1; 32]).public_key(), "test"),
        author: CheapKey([2; 32]).node(),
        incarnation: OWN.1,
        seq: 1,
        previous: None,
        versions: vec![(SeatId([1; 16]), heliu_trust::id::DirectoryVersion([1; 32]))],
        time_ms: 0,
        leaves: vec![LeafHash([1; 32])],
    };
    let signed = SignedCommit::sign(commit, &CheapKey([2; 32]));
    let encoded: Arc<[u8]> = signed.encode().into();
    let (preimage, scope) = (preimage(), Arc::new(public()));
    let item = |position: Position| FeedItem {
        entry: FeedEntry::Leaf(LeafRow {
            position,
            record,
            hash: LeafHash(hash("test leaf", &[&position.to_le_bytes()])),
            commit: signed.id,
            author: signed.commit.author,
            kind_version: 1,
            declared: None,
            status: LeafStatus::Admitted,
            origin: None,
            change: Arc::clone(&change),
        }),
        preimage: Arc::clone(&preimage),
        scope: Arc::clone(&scope),
        commit: Some(Arc::clone(&encoded)),
    };
    positions.map(item).collect()
}

impl Out {
    fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.effects
            .iter()
            .filter_map(|effect| if let Effect::Send { frame, .. } = effect { Some(frame) } else { None })
    }

    fn turns(&self) -> Vec<Turn> {
        self.frames()
            .filter_map(|frame| if let Frame::Reconcile(said) = frame { Some(said.turn) } else { None })
            .collect()
    }

    fn delivered(&self) -> Vec<&Leaves> {
        self.frames().filter_map(|frame| if let Frame::Leaves(leaves) = frame { Some(leaves) } else { None }).collect()
    }

    /// Where pages of the feed are read on from.
    fn reads(&self) -> Vec<Position> {
        let read = |effect: &Effect| if let Effect::ReadFeed { after, .. } = effect { Some(*after) } else { None };
        self.effects.iter().filter_map(read).collect()
    }

    fn refusal(&self) -> Option<&str> {
        self.frames().find_map(|frame| match frame {
            Frame::Refuse(why) if why.code == RefuseCode::Protocol => Some(why.reason.as_str()),
            _ => None,
        })
    }
}

#[test]
fn a_walk_for_many_records_is_not_begun_again_and_what_is_added_gets_its_own() {
    let mut end = End::talking(true, (0..4_000).map(record));
    let push = |end: &mut End, records: Vec<RecordId>| {
        end.act(|link, shared, out| {
            link.sending.push_whole(records, shared.head());
            link.pump(shared, out);
        })
    };
    assert_eq!(push(&mut end, (0..2_000).map(record).collect()).reads(), [0]);
    push(&mut end, Vec::new());
    assert_eq!(end.page(feed(record(1), 1..=2, 8), 500).reads(), [500], "nothing was added");
    push(&mut end, (2_000..4_000).map(record).collect());
    assert_eq!(end.page(Vec::new(), 600).reads(), [600], "what was added waits");
    assert_eq!(end.page(Vec::new(), 1_000).reads(), [0], "and is looked for from the beginning");
    let out = end.page(feed(record(3_000), 3..=4, 8), 1_000);
    assert_eq!(out.delivered()[0].delivery.leaves.len(), 2);
    assert!(out.reads().is_empty(), "everything is sent");
}

#[test]
fn large_records_wait_for_room_in_the_window() {
    let mut end = End::running(true, Some(1_000));
    end.act(|link, shared, out| link.want(vec![record(1)], shared, out));
    end.page(Vec::new(), 1_000);
    end.hears(Frame::Have(Have { records: vec![(record(1), Vec::new())], reply: true }));
    let mut out = end.page(feed(record(1), 1..=640, 60_000), 1_000);
    assert!(out.frames().any(|frame| matches!(frame, Frame::Have(_))), "its list does not wait");
    let (mut sequence, mut sent) = (0, 0);
    while sent < 640 {
        let bytes: usize = out.delivered().iter().map(|leaves| leaves.bytes()).sum();
        assert!(bytes < limits::WINDOW_BYTES + limits::FRAME_BYTES, "{bytes} bytes at once");
        assert!(!out.delivered().is_empty(), "it goes on");
        sent += out.delivered().iter().map(|leaves| leaves.delivery.leaves.len()).sum::<usize>();
        sequence += out.delivered().len() as u64;
        out = end.hears(Frame::Ack { sequence });
    }
    assert_eq!(sent, 640);
    assert!(end.link.sending.has_pushed());
}

#[test]
fn what_waits_to_become_durable_is_bounded_in_bytes_and_in_frames() {
    let mut end = End::running(false, Some(1_000));
    let many = leaves(1, 64, 65_000);
    assert!(many.bytes() < limits::WINDOW_BYTES);
    assert!(end.hears(Frame::Leaves(many)).refusal().is_none());
    assert!(end.hears(Frame::Leaves(leaves(2, 64, 65_000))).refusal().is_none());
    assert!(end.hears(Frame::Leaves(leaves(3, 1, 10))).refusal().is_some());
    let mut end = End::running(false, Some(1_000));
    for sequence in 1..=limits::WINDOW_FRAMES as u64 {
        assert!(end.hears(Frame::Leaves(leaves(sequence, 1, 10))).refusal().is_none());
    }
    end.act(|link, shared, out| link.ingested(1, Vec::new(), shared, out));
    assert!(end.hears(Frame::Leaves(leaves(65, 1, 10))).refusal().is_none());
    assert!(end.hears(Frame::Leaves(leaves(66, 1, 10))).refusal().is_some());
}

#[test]
fn withdrawals_come_with_leaves_and_after_them() {
    let mut end = End::running(true, Some(1_000));
    let out = end.hears(Frame::Leaves(Leaves { withdrawn: vec![record(1)], ..leaves(1, 1, 10) }));
    let [Arrival::Leaves { .. }, Arrival::Withdrawn { record: withdrawn, .. }] = out.arrivals.as_slice() else {
        panic!("two arrivals")
    };
    assert_eq!(*withdrawn, record(1));
}

#[test]
fn directory_entries_that_nobody_takes_do_not_pile_up() {
    let (directory, _) = county();
    let entry = |index, name: usize| {
        let mut signed = SignedEntry::clone(&directory.entries_from(0)[0]);
        signed.entry.index = index;
        let node = CheapKey([4; 32]).node();
        signed.entry.items = vec![Item::Addresses { node, addresses: vec!["x".repeat(name)] }];
        signed
    };
    let mut end = End::running(false, Some(1_000));
    // What we said that we have comes to show a fork, or what the root decided; both are rare.
    let refused = (0..100).position(|_| {
        let is_refused = end.hears(Frame::Directory(vec![entry(0, 10)])).refusal().is_some();
        end.act(|link, shared, out| link.extended(Ok(()), shared, out));
        is_refused
    });
    assert_eq!(refused, Some(64));
    let mut end = End::running(false, Some(1_000));
    let refused =
        (1..20).position(|index| end.hears(Frame::Directory(vec![entry(index, 1 << 20)])).refusal().is_some());
    assert!(refused.is_some_and(|after| after > 8));
}

#[test]
fn nobody_is_told_to_verify_before_the_link_runs() {
    let mut end = End::new(false);
    assert!(end.act(Link::verify).effects.is_empty());
    let hello = end.hello();
    end.hears(hello);
    assert!(end.act(Link::verify).effects.is_empty());
    let mut end = End::running(false, Some(1_000));
    let out = end.act(Link::verify);
    assert!(out.frames().eq([&Frame::Verdict(Verdict::MovedOn)]));
}

#[test]
fn a_position_that_nobody_waits_for_is_told_now_and_then() {
    let mut end = End::running(false, Some(1_000));
    let tick = |end: &mut End| end.act(Link::on_tick).delivered().len();
    let mut told = 0;
    for n in 1..=120 {
        // The feed moves for others.
        end.meta.head = 1_000 + n;
        end.tail = Tail::at(0);
        end.act(Link::on_appended);
        end.page(Vec::new(), 1_000 + n);
        told += tick(&mut end);
        end.hears(Frame::Ack { sequence: told as u64 });
    }
    assert_eq!(told, 2);
    end.meta.head = 2_000;
    end.act(Link::on_appended);
    end.page(Vec::new(), 2_000);
    let out = end.act(Link::verify);
    assert_eq!(out.delivered()[0].through, Some(2_000), "who verifies does not wait");
}

#[test]
fn a_page_in_which_many_audiences_change_is_walked_once() {
    let mut end = End::running(false, Some(0));
    let rescope = |position, n, joins: bool| {
        let mut item = feed(record(n), position..=position, 8).remove(0);
        let seat = vec![county().1[1].1];
        let (added, removed) = if joins { (seat, Vec::new()) } else { (Vec::new(), seat) };
        item.entry = FeedEntry::Rescope { position, record: record(n), added, removed };
        item
    };
    let leaf = |position, n| feed(record(n), position..=position, 8).remove(0);
    let page = vec![leaf(1, 9), rescope(2, 1, true), leaf(3, 1), rescope(4, 2, false), leaf(5, 9), rescope(6, 2, true)];
    let out = end.page(page, 1_000);
    let [sent] = out.delivered()[..] else { panic!("one frame") };
    assert_eq!((sent.delivery.leaves.len(), sent.through), (2, Some(1)), "nothing of what is pushed, and no further");
    let asked =
        |effect: &Effect| if let Effect::ReadLeaves { records, .. } = effect { Some(records.len()) } else { None };
    assert_eq!(out.effects.iter().find_map(asked), Some(2), "both at once");
    let out = end.page([feed(record(1), 2..=3, 8), feed(record(2), 4..=4, 8)].concat(), 1_000);
    assert_eq!(out.delivered().last().map(|leaves| leaves.withdrawn.clone()), Some(vec![record(2)]));
    assert_eq!(out.reads(), [5], "the walk goes on before the one that came back");
}

#[test]
fn who_says_hello_in_the_name_of_another_than_it_has_proven_is_refused() {
    let mut end = End::new(false);
    end.link.line.proven = Some(end.peer);
    let hello = end.hello();
    end.hears(hello);
    assert_eq!(end.link.line.phase, Phase::LookingUp, "the one that it has proven");
    let mut end = End::new(false);
    end.link.line.proven = Some(end.own.node);
    let hello = end.hello();
    let out = end.hears(hello);
    let refused =
        |effect: &Effect| matches!(effect, Effect::Close { why, .. } if why.code == RefuseCode::WrongIdentity);
    assert!(out.effects.iter().any(refused), "{:?}", out.effects);
}
