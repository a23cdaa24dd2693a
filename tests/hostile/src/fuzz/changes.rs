//! Changes: what is read is what the bytes say, and automerge reads the same.

use heliu_record::change::{Change, Container, Draft, GENESIS_MAX_OP, Note, OpId, Scalar, genesis, hash_of};
use heliu_record::id::{Actor, ChangeHash};

use super::{Target, bytes};
use crate::chunk::{Chunk, run, sleb, uleb, with_right_checksum};
use crate::dice::Dice;

pub const TARGET: Target = Target { name: "change", check, sample, spoil };

fn check(input: &[u8]) -> Result<bool, String> {
    let Ok(change) = Change::parse(input) else { return Ok(false) };
    let puts = change.puts.iter().map(|put| {
        let put = put.clone();
        (put.container, put.key, put.value, put.replaces)
    });
    let again = Change::encode(Draft {
        actor: change.actor,
        seq: change.seq,
        deps: change.deps.clone(),
        start_op: change.start_op,
        time_ms: change.time_ms,
        note: change.note.clone(),
        puts: puts.collect(),
    });
    if *again.raw != *input || again != change {
        return Err("it does not encode to the bytes that it was read from".to_owned());
    }
    if hash_of(input) != Some(change.hash) || change.check_limits().is_err() {
        return Err("its hash or its limits are not those of its bytes".to_owned());
    }
    let theirs = automerge::Change::from_bytes(input.to_vec()).map_err(|error| format!("automerge: {error}"))?;
    let same = theirs.hash().0 == change.hash.0
        && (theirs.seq(), theirs.len()) == (change.seq, change.puts.len())
        && theirs.max_op() == change.max_op();
    if same { Ok(true) } else { Err("automerge reads another change".to_owned()) }
}

fn sample(dice: &mut Dice) -> Vec<u8> {
    let actor = actor(dice);
    let start_op = GENESIS_MAX_OP + 1 + dice.index(500) as u64;
    let many = if dice.chance(3) { 1_000 } else { 12 };
    let puts = (0..=dice.index(many)).map(|number| put(dice, number, start_op));
    let puts = puts.collect();
    let mut deps: Vec<ChangeHash> = (0..dice.index(4)).map(|_| ChangeHash([dice.byte(); 32])).collect();
    deps.push(*genesis());
    deps.sort_unstable();
    deps.dedup();
    let note = Note {
        who: "w".repeat(dice.index(40)),
        command: "c".into(),
        reason: "理由".repeat(dice.index(20)),
        on_behalf: None,
    };
    let time_ms = dice.number().cast_signed() >> (11 + dice.index(53));
    let seq = 1 + (dice.number() >> (1 + dice.index(63)));
    Change::encode(Draft { actor, seq, deps, start_op, time_ms, note, puts }).raw.to_vec()
}

fn actor(dice: &mut Dice) -> Actor {
    Actor([dice.index(6).to_le_bytes()[0]; 16])
}

fn put(dice: &mut Dice, number: usize, start_op: u64) -> (Container, String, Scalar, Vec<OpId>) {
    let value = match dice.index(6) {
        0 => Scalar::Null,
        1 => Scalar::Bool(dice.chance(50)),
        2 => Scalar::Int(dice.number().cast_signed() >> dice.index(64)),
        3 => Scalar::Bytes(vec![dice.byte(); dice.index(200)]),
        _ => Scalar::Text("文".repeat(dice.index(30))),
    };
    let below = usize::try_from(start_op).unwrap_or(1);
    let mut replaces: Vec<OpId> =
        (0..dice.index(4)).map(|_| OpId { counter: 1 + dice.index(below) as u64, actor: actor(dice) }).collect();
    replaces.sort_unstable();
    replaces.dedup();
    (*dice.pick(&Container::ALL), format!("key{number}"), value, replaces)
}

fn spoil(dice: &mut Dice, input: &[u8]) -> Vec<u8> {
    let Some(mut chunk) = Chunk::read(input) else { return with_right_checksum(input.to_vec()) };
    for _ in 0..=dice.index(2) {
        spoil_part(dice, &mut chunk);
    }
    chunk.write()
}

fn spoil_part(dice: &mut Dice, chunk: &mut Chunk) {
    match dice.index(14) {
        0 => chunk.seq = bytes::number(dice),
        1 => chunk.start_op = bytes::number(dice),
        2 => chunk.time = bytes::number(dice).cast_signed(),
        3 => chunk.message = bytes::spoil(dice, std::mem::take(&mut chunk.message), b"\n\n\xff"),
        4 => chunk.deps.push([dice.byte(); 32]),
        5 => {
            let at = dice.index(chunk.deps.len());
            if !chunk.deps.is_empty() {
                chunk.deps.swap_remove(at);
            }
        }
        6 => {
            let at = dice.index(chunk.others.len() + 1);
            let other = vec![dice.byte(); if dice.chance(80) { 16 } else { dice.index(40) }];
            chunk.others.insert(at, other);
            if dice.chance(70) {
                chunk.others.sort();
            }
        }
        7 => chunk.extra = vec![dice.byte(); dice.index(10)],
        8 => {
            let (a, b) = (dice.index(chunk.columns.len()), dice.index(chunk.columns.len()));
            if !chunk.columns.is_empty() {
                chunk.columns.swap(a, b);
            }
        }
        9 => {
            // One column's bytes under another's name.
            let (a, b) = (dice.index(chunk.columns.len()), dice.index(chunk.columns.len()));
            if !chunk.columns.is_empty() {
                chunk.columns[a].1 = chunk.columns[b].1.clone();
            }
        }
        10 => {
            let at = dice.index(chunk.columns.len() + 1);
            let spec = if dice.chance(50) { bytes::number(dice) } else { dice.index(0x90) as u64 };
            let value = if dice.chance(30) { Vec::new() } else { run(1, &[dice.byte() & 0x7f]) };
            chunk.columns.insert(at, (spec, value));
        }
        _ => {
            let at = dice.index(chunk.columns.len());
            if let Some((_, column)) = chunk.columns.get_mut(at) {
                *column = spoil_column(dice, std::mem::take(column));
            }
        }
    }
}

fn spoil_column(dice: &mut Dice, column: Vec<u8>) -> Vec<u8> {
    let number = bytes::number(dice);
    match dice.index(6) {
        // A run of any length, of one value or of nothing.
        0 => run(number.cast_signed(), &uleb(bytes::number(dice))),
        1 => [sleb(0), uleb(number)].concat(),
        2 => [column, run(1 + dice.index(3) as i64, &uleb(number))].concat(),
        3 => [uleb(number), column].concat(),
        _ => bytes::spoil(dice, column, &[0x7f, 0x01, 0x00, 0x80]),
    }
}
