//! What is signed and kept as it was signed: it encodes to exactly the bytes that it was read from.

use heliu_record::codec::DecodeError;
use heliu_record::id::{LeafHash, Preimage, RecordId, SeatId};
use heliu_record::sealed::KeyId;
use heliu_record::seats::{Seat, Tier};
use heliu_trust::audience::{KEY_WRAPS_MAX, KeyWrap, Keys, Purpose};
use heliu_trust::audit::AuditHead;
use heliu_trust::commit::{Commit, SignedCommit};
use heliu_trust::directory::{Approval, Entry, Fence, Item, SignedEntry};
use heliu_trust::grant::{Grant, Recipient, SignedGrant};
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, NodeId, RealmId, RecordKeyId, TokenId};
use heliu_trust::signature::{PublicKey, SealingKey, Signature};
use heliu_trust::statement::{Body, SignedStatement, Statement};

use super::{Target, bytes};
use crate::dice::Dice;

pub const COMMIT: Target = Target { name: "commit", check: check_commit, sample: sample_commit, spoil };
pub const ENTRY: Target = Target { name: "entry", check: check_entry, sample: sample_entry, spoil };

pub const GRANT: Target = Target { name: "grant", check: check_grant, sample: sample_grant, spoil };
pub const STATEMENT: Target = Target { name: "statement", check: check_statement, sample: sample_statement, spoil };

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
    };
    let version = entry.version();
    let mut signatures = vec![(PublicKey([3; 32]), Signature(fill(dice)))];
    if dice.chance(50) {
        signatures.push((PublicKey([4; 32]), Signature(fill(dice))));
    }
    SignedEntry { entry, version, signatures }.encode()
}

fn addresses(dice: &mut Dice) -> Vec<String> {
    (0..dice.index(8)).map(|i| format!("10.0.0.{i}:7000")).collect()
}

fn item(dice: &mut Dice) -> Item {
    let versions = |dice: &mut Dice| (0..=dice.index(5)).map(|i| DirectoryVersion([i.to_le_bytes()[0]; 32])).collect();
    match dice.index(12) {
        0 | 1 => Item::Seat(Seat {
            id: SeatId(fill(dice)),
            code: "371726000000"[..1 + dice.index(12)].to_owned(),
            name: "鄄城".repeat(1 + dice.index(20)),
            parent: dice.chance(70).then_some(SeatId(fill(dice))),
            tier: *dice.pick(&Tier::ALL),
        }),
        2 => Item::Addresses { node: NodeId(fill(dice)), addresses: addresses(dice) },
        3 => Item::Issuer { key: PublicKey(fill(dice)) },
        4 => Item::Cosigner { key: PublicKey(fill(dice)), active: dice.chance(50) },
        5 => Item::Policy { two_signatures: dice.chance(50) },
        6 => Item::Delegate { seat: SeatId(fill(dice)), active: dice.chance(50) },
        7 => Item::Token { id: TokenId(fill(dice)) },
        8 => {
            let incarnation = |i: usize| (Incarnation([i.to_le_bytes()[0]; 16]), 1 + i as u64, CommitId([7; 32]));
            let excluded = (0..dice.index(5)).map(|i| LeafHash([i.to_le_bytes()[0]; 32])).collect();
            Item::Fence(Fence::new(NodeId(fill(dice)), (0..dice.index(5)).map(incarnation).collect(), excluded))
        }
        9 => Item::Resolve { abandoned: versions(dice) },
        10 => Item::TimeZone { name: "Asia/Shanghai_+-0"[..1 + dice.index(16)].to_owned() },
        _ => Item::Node {
            node: NodeId(fill(dice)),
            seat: SeatId(fill(dice)),
            key: PublicKey(fill(dice)),
            sealing: SealingKey(fill(dice)),
            addresses: addresses(dice),
            approval: dice.chance(50).then(|| {
                Box::new(Approval {
                    token: TokenId(fill(dice)),
                    expires_ms: dice.number().cast_signed(),
                    minter: NodeId(fill(dice)),
                    signature: Signature(fill(dice)),
                })
            }),
        },
    }
}

fn check_grant(input: &[u8]) -> Result<bool, String> {
    let Some(signed) = same(input, SignedGrant::decode, SignedGrant::encode)? else { return Ok(false) };
    signed.grant.check().map(|()| true).map_err(|error| error.to_string())
}

fn sample_grant(dice: &mut Dice) -> Vec<u8> {
    let wrap = |dice: &mut Dice, i: usize| {
        let byte = i.to_le_bytes()[0];
        let to = match i {
            0..30 => Recipient::Node(NodeId([byte; 16])),
            30..50 => Recipient::Escrow(SealingKey([byte; 32])),
            _ => Recipient::Audience(KeyId([byte; 16])),
        };
        (to, vec![dice.byte(); dice.index(129)])
    };
    let grant = Grant {
        realm: RealmId(fill(dice)),
        record: RecordId(fill(dice)),
        named: KeyId(fill(dice)),
        key: RecordKeyId(fill(dice)),
        by: NodeId(fill(dice)),
        wraps: (0..=dice.index(64)).map(|i| wrap(dice, i)).collect(),
    };
    SignedGrant { grant, hash: [0; 32], signature: Signature(fill(dice)) }.encode()
}

fn check_statement(input: &[u8]) -> Result<bool, String> {
    Ok(same(input, SignedStatement::decode, SignedStatement::encode)?.is_some())
}

fn sample_statement(dice: &mut Dice) -> Vec<u8> {
    let preimage = Preimage { kind: "member".into(), birth: SeatId(fill(dice)), key: vec![1; dice.index(129)] };
    let body = match dice.index(5) {
        0 => Body::Tombstone { preimage, reason: dice.chance(50).then(|| fill(dice)) },
        1 => Body::AuditHead(AuditHead { seq: dice.number() >> dice.index(64), hash: fill(dice) }),
        2 => Body::Erased { record: RecordId(fill(dice)) },
        3 => Body::Keys(sample_keys(dice)),
        _ => Body::Evidence { first: sample_commit(dice), second: sample_commit(dice) },
    };
    let (realm, author, time_ms) = (RealmId(fill(dice)), NodeId(fill(dice)), dice.number().cast_signed());
    let statement = Statement { realm, author, time_ms, body };
    SignedStatement { statement, hash: [0; 32], signature: Signature(fill(dice)) }.encode()
}

fn sample_keys(dice: &mut Dice) -> Keys {
    let wrap = |dice: &mut Dice, i: usize| {
        let key = KeyId([i.to_le_bytes()[0] / 2; 16]);
        let to = if i.is_multiple_of(2) {
            Recipient::Node(NodeId(fill(dice)))
        } else {
            Recipient::Escrow(SealingKey(fill(dice)))
        };
        KeyWrap { key, to, proof: fill(dice), wrapped: vec![dice.byte(); dice.index(129)] }
    };
    let wraps = (0..=dice.index(KEY_WRAPS_MAX)).map(|i| wrap(dice, i)).collect();
    let purpose = [Purpose::Sealing, Purpose::Reading, Purpose::Ids][dice.index(3)];
    Keys { audience: SeatId(fill(dice)), purpose, wraps }
}

/// These forms are flat: a number at an edge in place of a byte is what somebody who knows them would write.
pub(super) fn spoil(dice: &mut Dice, input: &[u8]) -> Vec<u8> {
    let mut spoilt = input.to_vec();
    let at = dice.index(spoilt.len());
    let number = crate::chunk::uleb(bytes::number(dice));
    let gone = dice.index(3).min(spoilt.len() - at);
    spoilt.splice(at..at + gone, number);
    spoilt
}
