//! What is signed and kept as it was signed: it encodes to exactly the bytes that it was read from.

use heliu_record::codec::DecodeError;
use heliu_record::id::{LeafHash, SeatId};
use heliu_record::seats::{Seat, Tier};
use heliu_trust::commit::{Commit, SignedCommit};
use heliu_trust::directory::{Entry, Item, SignedEntry};
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, NodeId, RealmId};
use heliu_trust::signature::{PublicKey, Signature};

use super::{Target, bytes};
use crate::dice::Dice;

pub const COMMIT: Target = Target { name: "commit", check: check_commit, sample: sample_commit, spoil };
pub const ENTRY: Target = Target { name: "entry", check: check_entry, sample: sample_entry, spoil };

/// Decode, encode, compare.
fn same<T>(
    input: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, DecodeError>,
    encode: impl Fn(&T) -> Vec<u8>,
) -> Result<Option<T>, String> {
    let Ok(read) = decode(input) else { return Ok(None) };
    if encode(&read) == input {
        Ok(Some(read))
    } else {
        Err("it encodes to other bytes than it was read from".to_owned())
    }
}

fn check_commit(input: &[u8]) -> Result<bool, String> {
    let Some(signed) = same(input, SignedCommit::decode, SignedCommit::encode)? else { return Ok(false) };
    if signed.commit.check().is_err() || signed.id != signed.commit.id() {
        return Err("its bounds or its id are not right".to_owned());
    }
    Ok(true)
}

fn check_entry(input: &[u8]) -> Result<bool, String> {
    let Some(signed) = same(input, SignedEntry::decode, SignedEntry::encode)? else { return Ok(false) };
    if signed.entry.check().is_err() || signed.version != signed.entry.version() {
        return Err("its bounds or its version are not right".to_owned());
    }
    Ok(true)
}

fn fill<const N: usize>(dice: &mut Dice) -> [u8; N] {
    [dice.byte(); N]
}

fn sample_commit(dice: &mut Dice) -> Vec<u8> {
    let (first, count) = (dice.byte(), 1 + dice.index(64));
    let leaf = |i: usize| LeafHash([first.wrapping_add(i.to_le_bytes()[0]); 32]);
    let version = |i: usize| (SeatId([i.to_le_bytes()[0]; 16]), DirectoryVersion([first; 32]));
    let commit = Commit {
        realm: RealmId(fill(dice)),
        author: NodeId(fill(dice)),
        incarnation: Incarnation(fill(dice)),
        seq: 1 + (dice.number() >> (1 + dice.index(63))),
        previous: Some(CommitId(fill(dice))),
        versions: (0..=dice.index(8)).map(version).collect(),
        time_ms: dice.number().cast_signed(),
        leaves: (0..count).map(leaf).collect(),
    };
    let id = commit.id();
    SignedCommit { commit, id, signature: Signature(fill(dice)) }.encode()
}

fn sample_entry(dice: &mut Dice) -> Vec<u8> {
    let items = (0..=dice.index(20)).map(|_| item(dice)).collect();
    let entry = Entry {
        realm: RealmId(fill(dice)),
        county: SeatId(fill(dice)),
        index: dice.number() >> dice.index(64),
        previous: DirectoryVersion(fill(dice)),
        time_ms: dice.number().cast_signed(),
        items,
        issuer: PublicKey(fill(dice)),
    };
    let version = entry.version();
    SignedEntry { entry, version, signature: Signature(fill(dice)) }.encode()
}

fn item(dice: &mut Dice) -> Item {
    let addresses = |dice: &mut Dice| (0..dice.index(8)).map(|i| format!("10.0.0.{i}:7000")).collect();
    match dice.index(3) {
        0 => Item::Seat(Seat {
            id: SeatId(fill(dice)),
            code: "371726000000"[..1 + dice.index(12)].to_owned(),
            name: "鄄城".repeat(1 + dice.index(20)),
            parent: dice.chance(70).then_some(SeatId(fill(dice))),
            tier: *dice.pick(&Tier::ALL),
        }),
        1 => Item::Node {
            node: NodeId(fill(dice)),
            seat: SeatId(fill(dice)),
            key: PublicKey(fill(dice)),
            addresses: addresses(dice),
        },
        _ => Item::Addresses { node: NodeId(fill(dice)), addresses: addresses(dice) },
    }
}

/// These forms are flat: a number at an edge in place of a byte is what somebody who knows them would write.
fn spoil(dice: &mut Dice, input: &[u8]) -> Vec<u8> {
    let mut spoilt = input.to_vec();
    let at = dice.index(spoilt.len());
    let number = crate::chunk::uleb(bytes::number(dice));
    let gone = dice.index(3).min(spoilt.len() - at);
    spoilt.splice(at..at + gone, number);
    spoilt
}
