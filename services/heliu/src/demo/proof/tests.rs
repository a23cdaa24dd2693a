//! The comparison must see every fault that it is there for: each is made by hand in one of three stores.

use std::collections::BTreeSet;
use std::slice::from_ref;
use std::sync::Arc;

use heliu_record::change::{Change, Container, Draft, Note, Scalar, genesis};
use heliu_record::hash::Sum;
use heliu_record::id::{Actor, LeafHash, Preimage, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::{Seat, Tier};
use heliu_storage::memory::MemoryStore;
use heliu_storage::row::CommitRow;
use heliu_storage::{FeedEntry, LeafRow, LeafStatus, RecordRow, RecordState, Store as _, StoreId, Transaction};
use heliu_trust::commit::{Commit, SignedCommit, leaf_hash};
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::id::{DirectoryVersion, Incarnation, RealmId};
use heliu_trust::signature::Signer as _;

use super::{Holder, Proof, Tree, compare};

const COUNTY: SeatId = SeatId([1; 16]);
const TOWNSHIP: SeatId = SeatId([2; 16]);
const VILLAGE: SeatId = SeatId([3; 16]);
/// Another village; nothing in these tests is its business.
const STRANGER: SeatId = SeatId([4; 16]);

fn seats() -> Vec<Seat> {
    let seat = |id: SeatId, parent, tier| {
        let code = format!("{:012}", id.0[0]);
        Seat { id, name: code.clone(), code, parent, tier }
    };
    vec![
        seat(COUNTY, None, Tier::County),
        seat(TOWNSHIP, Some(COUNTY), Tier::Township),
        seat(VILLAGE, Some(TOWNSHIP), Tier::Village),
        seat(STRANGER, Some(TOWNSHIP), Tier::Village),
    ]
}

/// A record of the village with one change, as a store holds it.
#[derive(Clone)]
struct Kept {
    row: RecordRow,
    leaf: LeafRow,
    commit: SignedCommit,
}

fn record(number: u8) -> Kept {
    let preimage = Preimage { kind: "member".to_owned(), birth: VILLAGE, key: vec![number; 16] };
    let change = Change::encode(Draft {
        actor: Actor([number; 16]),
        seq: 1,
        deps: vec![*genesis()],
        start_op: 7,
        time_ms: 0,
        note: Note::default(),
        puts: vec![(Container::Mv, "name".to_owned(), Scalar::from("测试"), Vec::new())],
    });
    let id = preimage.id();
    let versions = vec![(COUNTY, DirectoryVersion([1; 32]))];
    let hash = leaf_hash(&id, &change.hash, 1, 1, &versions);
    let key = Ed25519Key::from_seed([9; 32]);
    let commit = Commit {
        realm: RealmId([1; 16]),
        author: key.node(),
        incarnation: Incarnation([number; 16]),
        seq: 1,
        previous: None,
        versions,
        time_ms: 0,
        leaves: vec![hash],
    };
    let commit = SignedCommit::sign(commit, &key);
    let row = RecordRow {
        id,
        preimage,
        scope: Scope { public: false, owners: BTreeSet::from([VILLAGE]), seats: BTreeSet::new() },
        state: RecordState::Present,
        held: Sum(hash.0),
        admitted: Sum(hash.0),
        leaves: 1,
        waiting: false,
        unjudged: None,
        view: b"{}".to_vec(),
        signal: [0; 8],
    };
    let leaf = LeafRow {
        position: 1,
        record: id,
        hash,
        commit: commit.id,
        author: key.node(),
        kind_version: 1,
        status: LeafStatus::Admitted,
        declared: None,
        origin: None,
        change: change.raw,
    };
    Kept { row, leaf, commit }
}

async fn holder(seat: SeatId, kept: &[Kept]) -> Holder {
    let store = MemoryStore::open(StoreId(seat.0), Incarnation([1; 16]));
    let mut transaction = Transaction::default();
    for (position, kept) in (1..).zip(kept) {
        let (id, encoded) = (kept.leaf.commit, Arc::from(kept.commit.encode()));
        let (author, incarnation) = (kept.leaf.author, kept.commit.commit.incarnation);
        transaction.commits.push(CommitRow { id, author, incarnation, seq: 1, encoded });
        transaction.feed.push(FeedEntry::Leaf(LeafRow { position, ..kept.leaf.clone() }));
        transaction.records.push(kept.row.clone());
    }
    store.apply(&transaction).await.expect("applies");
    Holder { seat, name: format!("seat {}", seat.0[0]), store: Arc::new(store) }
}

/// What is found when county, township, village and stranger hold these, and all the leaves were acknowledged.
async fn found(county: &[Kept], township: &[Kept], village: &[Kept], stranger: &[Kept]) -> Proof {
    let acked: BTreeSet<LeafHash> = village.iter().map(|kept| kept.leaf.hash).collect();
    let held = [(COUNTY, county), (TOWNSHIP, township), (VILLAGE, village), (STRANGER, stranger)];
    let mut holders = Vec::new();
    for (seat, kept) in held {
        holders.push(holder(seat, kept).await);
    }
    compare(holders, &Tree::new(&seats()), &acked).await.expect("reads")
}

#[tokio::test]
async fn equal_stores_are_equal_over_many_pages() {
    let all: Vec<Kept> = (0..200).map(record).collect();
    let proof = found(&all, &all, &all, &[]).await;
    assert_eq!((proof.records, proof.members, proof.copies), (200, 200, 600));
    assert!(proof.is_converged() && proof.lost == 0, "{proof:?}");
}

#[tokio::test]
async fn a_leaf_that_is_nowhere_is_lost() {
    let acked = BTreeSet::from([record(1).leaf.hash, record(2).leaf.hash]);
    let kept = [record(1)];
    let mut holders = Vec::new();
    for seat in [COUNTY, TOWNSHIP, VILLAGE] {
        holders.push(holder(seat, &kept).await);
    }
    let proof = compare(holders, &Tree::new(&seats()[..3]), &acked).await.expect("reads");
    assert_eq!(proof.lost, 1);
}

#[tokio::test]
async fn a_record_that_one_superior_lacks_is_lost_and_unequal() {
    let (one, two) = (record(1), record(2));
    let proof = found(from_ref(&one), &[one.clone(), two.clone()], &[one.clone(), two], &[]).await;
    assert_eq!((proof.lost, proof.unequal), (1, 1), "{proof:?}");
}

#[tokio::test]
async fn another_view_of_the_same_leaves_is_unequal_and_nothing_is_lost() {
    let one = record(1);
    let mut other = one.clone();
    other.row.view = b"{\"name\":1}".to_vec();
    let proof = found(&[other], from_ref(&one), from_ref(&one), &[]).await;
    assert_eq!((proof.lost, proof.unequal), (0, 1), "{proof:?}");
}

#[tokio::test]
async fn a_copy_at_a_seat_that_is_not_entitled_is_seen() {
    let all = [record(1)];
    let proof = found(&all, &all, &all, &all).await;
    assert_eq!((proof.strangers, proof.unequal, proof.lost), (1, 0, 0), "{proof:?}");
    assert!(!proof.is_converged());
}

#[tokio::test]
async fn bytes_that_are_not_what_their_hash_says_and_leaves_that_wait_are_seen() {
    let (mut bent, mut waits) = (record(1), record(2));
    let mut bytes = bent.leaf.change.to_vec();
    *bytes.last_mut().expect("it has bytes") ^= 1;
    bent.leaf.change = bytes.into();
    waits.leaf.status = LeafStatus::Waiting;
    let all = [bent, waits];
    let proof = found(&all, &all, &all, &[]).await;
    assert_eq!((proof.damaged, proof.unsettled), (3, 3), "{proof:?}");
    assert!(!proof.is_converged());
}
