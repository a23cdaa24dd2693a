//! Deliveries go there and back; hostile bytes cost little and break nothing; and how many bytes a member takes.

use std::sync::Arc;

use heliu_record::change::{Change, Container, Draft, GENESIS_MAX_OP, Note, Scalar, genesis};
use heliu_record::hash::{hash, hash16};
use heliu_record::id::{Actor, LeafHash, Preimage, SeatId};
use heliu_replication::frame::{DeliveredGrant, DeliveredLeaf, Delivery, limits};
use heliu_trust::commit::{Commit, LEAVES_MAX, SignedCommit, leaf_hash};
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, RealmId, actor};
use heliu_trust::signature::Signer;
use proptest::prelude::*;

use super::numbers::{FORMAT, distance, moved};
use super::*;

/// A node that writes: it keeps its chain, as a real one does.
struct Author {
    key: Ed25519Key,
    incarnation: Incarnation,
    last: Option<CommitId>,
    seq: u64,
}

impl Author {
    fn new(name: u8) -> Self {
        Author { key: Ed25519Key::from_seed([name; 32]), incarnation: Incarnation([name; 16]), last: None, seq: 0 }
    }

    fn actor(&self) -> Actor {
        actor(&self.key.node(), &self.incarnation)
    }

    /// A leaf of its next commit.
    fn next_leaf(&self, preimage: &Preimage, change: &Change) -> LeafHash {
        leaf_hash(&preimage.id(), &change.hash, 1, self.seq + 1, &versions())
    }

    fn commit(&mut self, time_ms: i64, leaves: Vec<LeafHash>) -> SignedCommit {
        self.seq += 1;
        let commit = Commit {
            realm: RealmId([1; 16]),
            author: self.key.node(),
            incarnation: self.incarnation,
            seq: self.seq,
            previous: self.last,
            versions: versions(),
            time_ms,
            leaves,
        };
        let signed = SignedCommit::sign(commit, &self.key);
        self.last = Some(signed.id);
        signed
    }
}

fn versions() -> Vec<(SeatId, DirectoryVersion)> {
    vec![(SeatId([2; 16]), DirectoryVersion(hash("version", &[])))]
}

fn noise(what: &str, number: usize) -> [u8; 32] {
    hash(what, &[&number.to_le_bytes()])
}

fn pick<'a, T>(from: &'a [T], what: &str, number: usize) -> &'a T {
    &from[usize::from(noise(what, number)[0]) % from.len()]
}

/// A member as a branch registers it: eight puts.
fn member(number: usize, by: Actor, time_ms: i64) -> (Arc<Preimage>, Change) {
    let family: Vec<char> = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗".chars().collect();
    let given: Vec<char> = "建国红军秀英志强桂兰德海玉梅明华凤春来福生永贵庆云香兵伟".chars().collect();
    let name: String = [pick(&family, "family", number), pick(&given, "given", number), pick(&given, "second", number)]
        .into_iter()
        .collect();
    let date = |what: &str| {
        let noise = noise(what, number);
        format!("{}-{:02}-{:02}", 1965 + usize::from(noise[0]) % 55, 1 + noise[1] % 12, 1 + noise[2] % 28)
    };
    // 391 villages of some 56 members each.
    let village = SeatId(hash16("village", &[&(number / 56).to_le_bytes()]));
    let put = |container, key: &str, value| (container, key.to_owned(), value, Vec::new());
    let draft = Draft {
        actor: by,
        seq: 1,
        deps: vec![*genesis()],
        start_op: GENESIS_MAX_OP + 1,
        time_ms,
        note: Note {
            who: "组织委员".into(),
            command: "member.register".into(),
            reason: "year-end import".into(),
            on_behalf: None,
        },
        puts: vec![
            put(Container::Scope, "class", "scoped".into()),
            put(Container::Scope, "owner", Scalar::Bytes(village.0.to_vec())),
            put(Container::Mv, "member_no", format!("371726{number:06}").as_str().into()),
            put(Container::Mv, "full_on", date("full").as_str().into()),
            put(Container::Mv, "home_branch", Scalar::Bytes(noise("branch", number / 56).to_vec())),
            put(Container::Mv, "joined_on", date("joined").as_str().into()),
            put(Container::Mv, "name", name.as_str().into()),
            put(Container::Log, "stage/0", "full".into()),
        ],
    };
    let key = noise("key", number)[..16].to_vec();
    (Arc::new(Preimage { kind: "member".into(), birth: village, key }), Change::encode(draft))
}

/// Commits of one author with so many members each.
fn members(author: &mut Author, numbers: std::ops::Range<usize>, per_commit: usize) -> Delivery {
    let mut delivery = Delivery::default();
    let numbers: Vec<usize> = numbers.collect();
    for chunk in numbers.chunks(per_commit) {
        let time_ms = 1_767_200_000_000 + (chunk[0] as i64) * 37;
        let made: Vec<_> = chunk.iter().map(|number| member(*number, author.actor(), time_ms)).collect();
        let leaves = made.iter().map(|(preimage, change)| author.next_leaf(preimage, change)).collect();
        let commit = delivery.commits.len();
        delivery.commits.push(Arc::new(author.commit(time_ms, leaves)));
        delivery.leaves.extend(made.into_iter().map(|(preimage, change)| DeliveredLeaf {
            preimage,
            commit,
            kind_version: 1,
            declared: None,
            change: change.raw,
        }));
    }
    delivery
}

fn assert_there_and_back(delivery: &Delivery) -> Packed {
    let packed = pack(delivery);
    assert_eq!(unpack(&packed).as_ref(), Ok(delivery));
    packed
}

#[test]
fn a_county_of_members_takes_at_most_110_bytes_each() {
    let mut county = Author::new(7);
    let (mut bytes, mut raw, mut records) = (0, 0, 0);
    for first in (0..22_000).step_by(512) {
        let delivery = members(&mut county, first..22_000.min(first + 512), LEAVES_MAX);
        let packed = if first % 4_096 == 0 { assert_there_and_back(&delivery) } else { pack(&delivery) };
        bytes += packed.bytes.len();
        raw += packed.raw_bytes;
        records += delivery.leaves.len();
    }
    println!("{records} members: {} B each on the wire, {} B before zstd", bytes / records, raw / records);
    assert!(bytes / records <= 110, "{} bytes per member", bytes / records);
}

#[test]
fn an_edit_alone_takes_little_more_than_its_signature_and_its_change() {
    let delivery = members(&mut Author::new(7), 0..1, 1);
    let packed = assert_there_and_back(&delivery);
    println!("one member alone: {} B, its change is {} B", packed.bytes.len(), delivery.leaves[0].change.len());
    assert!(packed.bytes.len() < delivery.leaves[0].change.len() + 300);
}

#[test]
fn edits_of_one_record_each_take_at_most_250_bytes() {
    let mut authors: Vec<Author> = (0..17).map(Author::new).collect();
    let mut delivery = Delivery::default();
    for number in 0..220 {
        let author = &mut authors[number % 17];
        let (preimage, made) = member(number, author.actor(), 0);
        let draft = Draft {
            actor: author.actor(),
            seq: 2,
            deps: vec![made.hash],
            start_op: made.max_op() + 1,
            time_ms: 1_767_200_000_000 + number as i64 * 60_007,
            note: Note {
                who: "组织委员".into(),
                command: "member.correct".into(),
                reason: "档案核对".into(),
                on_behalf: None,
            },
            puts: vec![(Container::Mv, "name".into(), "王建国".into(), vec![made.puts[6].id])],
        };
        let (change, time_ms) = (Change::encode(draft), 1_767_200_000_000 + number as i64 * 60_007);
        let leaf = author.next_leaf(&preimage, &change);
        let commit = author.commit(time_ms, vec![leaf]);
        delivery.commits.push(Arc::new(commit));
        delivery.leaves.push(DeliveredLeaf {
            preimage,
            commit: number,
            kind_version: 1,
            declared: None,
            change: change.raw,
        });
    }
    let bytes = assert_there_and_back(&delivery).bytes.len() / delivery.leaves.len();
    println!("{} edits, a commit each, 17 authors: {bytes} B each on the wire", delivery.leaves.len());
    assert!(bytes <= 250, "{bytes} bytes per edit");
}

#[test]
fn leaves_that_stay_behind_leave_their_hashes() {
    let mut delivery = members(&mut Author::new(7), 0..100, LEAVES_MAX);
    delivery.leaves.retain(|leaf| leaf.preimage.key[0] % 3 == 0);
    assert_there_and_back(&delivery);
    delivery.leaves.reverse();
    assert_there_and_back(&delivery);
    delivery.leaves.clear();
    assert_there_and_back(&delivery);
    assert_there_and_back(&Delivery::default());
}

#[test]
fn a_chain_is_told_by_distance_also_when_authors_take_turns() {
    let (mut one, mut two) = (Author::new(1), Author::new(2));
    let mut delivery = Delivery::default();
    for number in 0..20 {
        let author = if number % 3 == 0 { &mut two } else { &mut one };
        let part = members(author, number..number + 1, 1);
        let commit = delivery.commits.len();
        delivery.commits.extend(part.commits);
        delivery.leaves.extend(part.leaves.into_iter().map(|leaf| DeliveredLeaf { commit, ..leaf }));
    }
    assert_there_and_back(&delivery);
    // Without the first ones, the chain begins with an id that is spelled out.
    delivery.commits.drain(..5);
    delivery.leaves.retain(|leaf| leaf.commit >= 5);
    delivery.leaves.iter_mut().for_each(|leaf| leaf.commit -= 5);
    assert_there_and_back(&delivery);
}

/// Of the member with this number.
fn grant(number: usize, len: usize) -> DeliveredGrant {
    DeliveredGrant { preimage: member(number, Actor([0; 16]), 0).0, grant: vec![number as u8; len].into() }
}

#[test]
fn grants_travel_with_leaves_and_alone() {
    let mut delivery = members(&mut Author::new(7), 0..100, LEAVES_MAX);
    let without = assert_there_and_back(&delivery).raw_bytes;
    delivery.grants = (0..100).map(|number| grant(number, 300)).collect();
    let with = assert_there_and_back(&delivery).raw_bytes;
    assert!(with - without <= 100 * 304, "a grant of a member that is here costs 3 bytes beside itself");
    delivery.grants.reverse();
    delivery.grants.push(grant(7, limits::GRANT_BYTES));
    delivery.grants.push(grant(1_000, 0));
    assert_there_and_back(&delivery);
    delivery.leaves.clear();
    delivery.commits.clear();
    assert_there_and_back(&delivery);
}

#[test]
fn grants_are_bounded() {
    let refused = |grants: Vec<DeliveredGrant>, leaves: usize| {
        let mut delivery = members(&mut Author::new(7), 0..leaves, LEAVES_MAX);
        delivery.grants = grants;
        matches!(unpack(&pack(&delivery)), Err(DeliveryError::Form(DecodeError::TooLong { .. })))
    };
    assert!(refused(vec![grant(1, limits::GRANT_BYTES + 1)], 0));
    assert!(refused(vec![grant(1, 1); limits::LEAVES_PER_FRAME + 1], 0));
    assert!(refused(vec![grant(1, 1); limits::LEAVES_PER_FRAME - 9], 10), "leaves and grants share one limit");
    assert!(!refused(vec![grant(1, 1); limits::LEAVES_PER_FRAME - 10], 10));
}

#[test]
fn bytes_that_are_no_change_travel_whole() {
    let mut delivery = members(&mut Author::new(7), 0..6, LEAVES_MAX);
    let mut spoil = |index: usize, spoil: &dyn Fn(&mut Vec<u8>)| {
        let mut change = delivery.leaves[index].change.to_vec();
        spoil(&mut change);
        delivery.leaves[index].change = change.into();
    };
    spoil(0, &Vec::clear);
    spoil(1, &|change| change[5] ^= 1);
    spoil(2, &|change| change.truncate(9));
    spoil(3, &|change| change[12] = 0xff);
    spoil(4, &|change| change.extend([0; 9]));
    delivery.leaves.push(delivery.leaves[5].clone());
    assert_there_and_back(&delivery);
}

#[test]
fn a_change_of_another_writer_keeps_its_actor() {
    let mut delivery = members(&mut Author::new(7), 0..3, LEAVES_MAX);
    let (preimage, change) = member(9, Actor([9; 16]), 0);
    delivery.leaves.push(DeliveredLeaf { preimage, commit: 0, kind_version: 1, declared: None, change: change.raw });
    assert_there_and_back(&delivery);
}

#[test]
fn a_bomb_costs_no_more_than_it_says_and_may_not_say_much() {
    let bytes = zstd::bulk::compress(&vec![0; 64 << 20], 19).expect("it compresses");
    let bomb = |raw_bytes| Packed { packing: Packing::Zstd, raw_bytes, bytes: bytes.clone() };
    assert_eq!(unpack(&bomb(64 << 20)), Err(DeliveryError::TooLong(64 << 20)));
    assert_eq!(unpack(&bomb(1_000)), Err(DeliveryError::Unpack(1_000)));
    assert_eq!(unpack(&bomb(limits::FRAME_BYTES)), Err(DeliveryError::Unpack(limits::FRAME_BYTES)));
    let plain = Packed { packing: Packing::Plain, raw_bytes: usize::MAX, bytes: Vec::new() };
    assert_eq!(unpack(&plain), Err(DeliveryError::TooLong(usize::MAX)));
}

#[test]
fn a_distance_leads_back() {
    for (to, from) in [(0, 0), (5, 3), (3, 5), (u64::MAX, 0), (0, u64::MAX), (1 << 63, 0), (0, 1 << 63)] {
        assert_eq!(moved(from, distance(to, from)), to);
    }
    assert_eq!([distance(5, 5), distance(4, 5), distance(6, 5)], [0, 1, 2]);
}

/// What happens to a delivery of some members between two authors.
#[derive(Clone, Debug)]
struct Shape {
    commits: Vec<(bool, usize)>,
    keep: Vec<bool>,
    kind_version: u32,
    swaps: Vec<(prop::sample::Index, prop::sample::Index)>,
    /// Of a member, which may have no leaf here, and how long.
    grants: Vec<(u8, u8)>,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let commits = prop::collection::vec((any::<bool>(), 1..20usize), 1..6);
    let keep = prop::collection::vec(any::<bool>(), 120);
    let swaps = prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..8);
    let grants = prop::collection::vec(any::<(u8, u8)>(), 0..6);
    (commits, keep, any::<u32>(), swaps, grants).prop_map(|(commits, keep, kind_version, swaps, grants)| Shape {
        commits,
        keep,
        kind_version,
        swaps,
        grants,
    })
}

fn deliver(shape: &Shape) -> Delivery {
    let (mut one, mut two) = (Author::new(1), Author::new(2));
    let mut delivery = Delivery::default();
    let mut number = 0;
    for (which, count) in &shape.commits {
        let part = members(if *which { &mut one } else { &mut two }, number..number + count, *count);
        number += count;
        let commit = delivery.commits.len();
        delivery.commits.extend(part.commits);
        delivery.leaves.extend(part.leaves.into_iter().map(|leaf| DeliveredLeaf { commit, ..leaf }));
    }
    let mut keep = shape.keep.iter();
    delivery.leaves.retain(|_| keep.next().is_none_or(|keep| *keep));
    if !delivery.leaves.is_empty() {
        for (one, two) in &shape.swaps {
            let (one, two) = (one.index(delivery.leaves.len()), two.index(delivery.leaves.len()));
            delivery.leaves.swap(one, two);
            // A leaf that its commit does not name.
            delivery.leaves[one].kind_version = shape.kind_version;
        }
    }
    let grants = shape.grants.iter().map(|(member, len)| grant((*member).into(), (*len).into()));
    delivery.grants = grants.collect();
    delivery
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_delivery_goes_there_and_back(shape in shapes()) {
        let delivery = deliver(&shape);
        prop_assert_eq!(unpack(&pack(&delivery)), Ok(delivery));
    }

    #[test]
    fn what_is_read_from_mutated_bytes_is_a_delivery_or_an_error(
        shape in shapes(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut raw = write::delivery(&deliver(&shape));
        for (at, byte) in edits {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        if cut {
            raw.truncate(end.index(raw.len()));
        }
        if let Ok(read) = read::delivery(&raw) {
            // Whatever could be read can be passed on.
            prop_assert_eq!(read::delivery(&write::delivery(&read)), Ok(read));
        }
        let packed = Packed { packing: Packing::Zstd, raw_bytes: raw.len(), bytes: raw };
        let _ = unpack(&packed);
    }

    #[test]
    fn noise_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = read::delivery(&[&[FORMAT][..], &bytes].concat());
        let _ = unpack(&Packed { packing: Packing::Zstd, raw_bytes: 4_096, bytes });
    }
}
