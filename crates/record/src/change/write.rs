//! Writing a change: our own writer of automerge's change chunk, for the shapes that records use and no others. Each draft has
//! one encoding, and it is the one that automerge gives it: a test holds the two together, byte for byte.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::column;
use super::draft::{Draft, GENESIS_ACTOR, MAGIC, OpId, PUT, Scalar, UNCOMPRESSED, value_type};
use crate::codec::Encoder;
use crate::id::{Actor, ChangeHash};

/// Bytes of the checksum, which is the beginning of the hash.
const CHECKSUM: usize = 4;

/// The whole chunk, and its hash.
pub(super) fn chunk(draft: &Draft) -> (Vec<u8>, ChangeHash) {
    let body = body(draft);
    let mut chunk = Encoder(Vec::with_capacity(MAGIC.len() + CHECKSUM + 4 + body.len()));
    chunk.fixed(&MAGIC).fixed(&[0; CHECKSUM]).u8(UNCOMPRESSED).bytes(&body);
    let Encoder(mut raw) = chunk;
    let from = MAGIC.len() + CHECKSUM;
    let hash: [u8; 32] = Sha256::digest(&raw[from..]).into();
    raw[MAGIC.len()..from].copy_from_slice(&hash[..CHECKSUM]);
    (raw, ChangeHash(hash))
}

fn body(draft: &Draft) -> Vec<u8> {
    let mut body = Encoder(Vec::with_capacity(256));
    let mut deps = draft.deps.clone();
    deps.sort_unstable();
    body.varint(deps.len() as u64);
    for ChangeHash(dep) in &deps {
        body.fixed(dep);
    }
    body.bytes(&draft.actor.0).varint(draft.seq).varint(draft.start_op.max(1));
    signed(&mut body, draft.time_ms);
    body.text(&draft.note.to_message());
    let actors = Actors::of(draft);
    body.varint(actors.others.len() as u64);
    for Actor(other) in &actors.others {
        body.bytes(other);
    }
    let columns = columns(draft, &actors);
    body.varint(columns.len() as u64);
    for (spec, column) in &columns {
        body.varint(*spec).varint(column.len() as u64);
    }
    for (_, column) in &columns {
        body.fixed(column);
    }
    body.0
}

/// Whom a change names, and by which number its columns do: its author is 0, the others follow in order.
struct Actors {
    author: Actor,
    others: Vec<Actor>,
}

impl Actors {
    fn of(draft: &Draft) -> Self {
        let replaced = draft.puts.iter().flat_map(|(.., replaces)| replaces).map(|id| id.actor);
        let makers = (!draft.puts.is_empty()).then_some(GENESIS_ACTOR);
        let named: BTreeSet<Actor> = replaced.chain(makers).filter(|actor| *actor != draft.actor).collect();
        Actors { author: draft.actor, others: named.into_iter().collect() }
    }

    fn number(&self, actor: Actor) -> u64 {
        if actor == self.author {
            return 0;
        }
        // Each was put in here.
        self.others.binary_search(&actor).map_or(0, |at| at as u64 + 1)
    }
}

/// Those that say anything, in the order of their specification.
fn columns(draft: &Draft, actors: &Actors) -> Vec<(u64, Vec<u8>)> {
    let puts = &draft.puts;
    let mut metas = Vec::with_capacity(puts.len());
    let mut values = Encoder::default();
    for (_, _, value, _) in puts {
        let before = values.0.len();
        let sort = put_value(&mut values, value);
        metas.push(((values.0.len() - before) as u64) << 4 | sort);
    }
    let mut replaced: Vec<&OpId> = Vec::new();
    let mut counts = Vec::with_capacity(puts.len());
    for (.., replaces) in puts {
        let from = replaced.len();
        replaced.extend(replaces);
        replaced[from..].sort_unstable();
        counts.push(replaces.len() as u64);
    }
    let mut counter = 0;
    let steps = replaced.iter().map(|id| {
        let step = id.counter.cast_signed().wrapping_sub(counter);
        counter = id.counter.cast_signed();
        step
    });
    let steps: Vec<i64> = steps.collect();
    let mut insert = Encoder::default();
    insert.varint(puts.len() as u64);
    let numbers = |values: &[u64]| runs(values, number);
    let all = |value| numbers(&vec![value; puts.len()]);
    let columns = [
        (column::OBJECT_ACTOR, all(actors.number(GENESIS_ACTOR))),
        (column::OBJECT_COUNTER, numbers(&puts.iter().map(|(container, ..)| *container as u64).collect::<Vec<_>>())),
        (column::KEY, runs(&puts.iter().map(|(_, key, ..)| key.as_str()).collect::<Vec<_>>(), text)),
        (column::INSERT, if puts.is_empty() { Vec::new() } else { insert.0 }),
        (column::ACTION, all(PUT)),
        (column::VALUE_META, numbers(&metas)),
        (column::VALUE, values.0),
        (column::REPLACES_COUNT, numbers(&counts)),
        (column::REPLACES_ACTOR, numbers(&replaced.iter().map(|id| actors.number(id.actor)).collect::<Vec<_>>())),
        (column::REPLACES_COUNTER, runs(&steps, signed)),
    ];
    columns.into_iter().filter(|(_, bytes)| !bytes.is_empty()).collect()
}

/// Writes a value's bytes; returns the number of its type.
fn put_value(out: &mut Encoder, value: &Scalar) -> u64 {
    match value {
        Scalar::Null => value_type::NULL,
        Scalar::Bool(false) => value_type::FALSE,
        Scalar::Bool(true) => value_type::TRUE,
        Scalar::Int(int) => {
            signed(out, *int);
            value_type::INT
        }
        Scalar::Text(text) => {
            out.fixed(text.as_bytes());
            value_type::TEXT
        }
        Scalar::Bytes(bytes) => {
            out.fixed(bytes);
            value_type::BYTES
        }
    }
}

/// A run-length column: values that repeat by their number, others listed.
fn runs<T: Copy + PartialEq>(values: &[T], write: impl Fn(&mut Encoder, T)) -> Vec<u8> {
    let mut out = Encoder::default();
    let mut rest = values;
    while let [first, ..] = rest {
        let alike = rest.iter().take_while(|value| *value == first).count();
        if alike > 1 {
            signed(&mut out, alike.cast_signed() as i64);
            write(&mut out, *first);
            rest = &rest[alike..];
            continue;
        }
        // Up to where the next run begins.
        let listed = rest.windows(2).position(|pair| pair[0] == pair[1]).unwrap_or(rest.len());
        signed(&mut out, -(listed.cast_signed() as i64));
        rest[..listed].iter().for_each(|value| write(&mut out, *value));
        rest = &rest[listed..];
    }
    out.0
}

fn number(out: &mut Encoder, value: u64) {
    out.varint(value);
}

fn text(out: &mut Encoder, text: &str) {
    out.text(text);
}

/// A signed LEB128 number.
fn signed(out: &mut Encoder, mut value: i64) {
    loop {
        let byte = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        let is_last = (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0);
        if is_last {
            out.u8(byte);
            return;
        }
        out.u8(byte | 0x80);
    }
}
