//! Frames: what is read can be written, and reads as the same again.

use std::sync::OnceLock;

use heliu_record::change::Change;
use heliu_replication::frame::{Frame, Leaves};
use heliu_wire::replication::{self as pb, Packing, frame::Frame as Pb};
use prost::Message;

use super::{Target, bytes};
use crate::author::{County, VILLAGE};
use crate::corpus::{Desk, HostileFrame, frames, read_frame};
use crate::dice::Dice;

pub const TARGET: Target = Target { name: "frame", check, sample, spoil };

/// A delivery that the mutator takes apart is no longer than this.
const PLAIN_MAX: usize = 1 << 20;

fn check(input: &[u8]) -> Result<bool, String> {
    let Ok(frame) = read_frame(input) else { return Ok(false) };
    let written = pb::LinkRequest::from(&frame).encode_to_vec();
    match read_frame(&written) {
        Ok(again) if again == frame => Ok(frame != Frame::Unknown),
        Ok(_) => Err("what was read and written reads as another frame".to_owned()),
        Err(error) => Err(format!("what was read and written cannot be read: {error:?}")),
    }
}

fn county() -> &'static County {
    static COUNTY: OnceLock<County> = OnceLock::new();
    COUNTY.get_or_init(County::new)
}

fn sample(dice: &mut Dice) -> Vec<u8> {
    // Deliveries are what is most worth spoiling.
    if dice.chance(60) { deliveries(dice) } else { others(dice) }
}

fn deliveries(dice: &mut Dice) -> Vec<u8> {
    let author = county().author(VILLAGE, dice.number());
    let mut delivery = heliu_replication::frame::Delivery::default();
    for name in ["a", "b", "c"].into_iter().take(1 + dice.index(3)) {
        let mut desk = Desk::new(&author, name);
        for _ in 0..dice.index(4) {
            let change = Change::encode(desk.edit());
            desk.write(&change);
        }
        let first = delivery.commits.len();
        delivery.commits.extend(desk.delivery.commits);
        delivery.leaves.extend(desk.delivery.leaves.into_iter().map(|mut leaf| {
            leaf.commit += first;
            leaf
        }));
    }
    let leaves = Leaves { sequence: dice.number(), delivery, withdrawn: Vec::new(), through: Some(3) };
    pb::LinkRequest::from(&Frame::Leaves(leaves)).encode_to_vec()
}

fn others(dice: &mut Dice) -> Vec<u8> {
    let hash = |dice: &mut Dice| vec![dice.byte(); 32];
    let frame = match dice.index(7) {
        0 => Pb::Hello(pb::Hello {
            realm: vec![1; 16],
            node: vec![2; 16],
            store: vec![3; 16],
            incarnation: vec![4; 16],
            directory_head: hash(dice),
            kinds: (0..dice.index(3)).map(|_| kind(dice)).collect(),
            program: "heliu".to_owned(),
            ..pb::Hello::default()
        }),
        1 => Pb::Have(pb::Have {
            records: (0..dice.index(20))
                .map(|count| pb::HaveRecord { record: hash(dice), leaves: vec![7; 8 * count] })
                .collect(),
            reply: dice.chance(50),
        }),
        2 => Pb::Reconcile(pb::Reconcile {
            turn: 1 + i32::from(dice.byte() % 5),
            compared: i32::from(dice.byte() % 4),
            ranges: (0..dice.index(20)).map(|_| range(dice)).collect(),
        }),
        3 => Pb::Checkpoint(pb::Checkpoint { held: hash(dice), admitted: hash(dice), ..pb::Checkpoint::default() }),
        5 => Pb::Possession(pb::Possession {
            turn: i32::try_from(dice.index(4)).unwrap_or(0),
            records: (0..dice.index(20))
                .map(|count| pb::PossessionRecord { record: hash(dice), hashes: vec![7; 31 + count], covered: 3 })
                .collect(),
        }),
        4 => Pb::Refused(pb::Refused {
            leaves: vec![pb::RefusedLeaf { leaf: hash(dice), code: "leaf.exceeds".into(), reason: "为何".into() }],
        }),
        _ => {
            static HOSTILE: OnceLock<Vec<HostileFrame>> = OnceLock::new();
            let all = HOSTILE.get_or_init(|| frames(&county().author(VILLAGE, 1)));
            return dice.pick(all).bytes.iter().copied().take(1 << 17).collect();
        }
    };
    pb::LinkRequest { frame: Some(pb::Frame { frame: Some(frame) }) }.encode_to_vec()
}

fn kind(dice: &mut Dice) -> pb::KindDeclaration {
    let (kind, version) = (["member", "org"][dice.index(2)].to_owned(), u32::from(dice.byte() % 3));
    pb::KindDeclaration { kind, version, digest: vec![dice.byte(); 32] }
}

fn range(dice: &mut Dice) -> pb::Range {
    let content = match dice.index(3) {
        0 => pb::range::Content::Fingerprint(pb::Fingerprint { count: dice.number(), sum: vec![1; 32] }),
        1 => pb::range::Content::Items(vec![dice.byte(); 64 * dice.index(10)]),
        _ => pb::range::Content::Missing(vec![dice.byte(); 32 * dice.index(10)]),
    };
    pb::Range { from: vec![dice.byte(); 32], to: vec![dice.byte(); 32], content: Some(content) }
}

/// Unpacks a delivery, spoils what is inside, and packs it again as if nothing had happened.
fn spoil(dice: &mut Dice, input: &[u8]) -> Vec<u8> {
    let message = pb::LinkRequest::decode(input).unwrap_or_default();
    let Some(pb::Frame { frame: Some(Pb::Leaves(mut leaves)) }) = message.frame else {
        return bytes::spoil(dice, input.to_vec(), input);
    };
    if leaves.packing() == Packing::Zstd {
        let len = usize::try_from(leaves.raw_bytes).unwrap_or(PLAIN_MAX).min(PLAIN_MAX);
        leaves.delivery = zstd::bulk::decompress(&leaves.delivery, len).unwrap_or_default();
        leaves.set_packing(Packing::Plain);
    }
    for _ in 0..=dice.index(3) {
        let other = leaves.delivery.clone();
        leaves.delivery = bytes::spoil(dice, leaves.delivery, &other);
    }
    leaves.raw_bytes = leaves.delivery.len() as u64;
    match dice.index(12) {
        0 => leaves.raw_bytes = bytes::number(dice),
        1 => leaves.sequence = bytes::number(dice),
        2 => leaves.withdrawn = vec![1; dice.index(2_000)],
        3 => {
            leaves.delivery = zstd::bulk::compress(&leaves.delivery, 1).unwrap_or_default();
            leaves.set_packing(Packing::Zstd);
        }
        _ => {}
    }
    pb::LinkRequest { frame: Some(pb::Frame { frame: Some(Pb::Leaves(leaves)) }) }.encode_to_vec()
}
