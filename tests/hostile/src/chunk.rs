//! An automerge chunk by hand: taken apart, changed where it hurts, and put together again with the right length and
//! checksum. It knows the form and not one rule of it.

use heliu_record::codec::{Encoder, Reader};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];

/// Types of chunks.
pub const DOCUMENT: u8 = 0;
pub const CHANGE: u8 = 1;
pub const COMPRESSED: u8 = 2;

/// Columns of a change by their specification numbers.
pub mod column {
    pub const OBJECT_ACTOR: u64 = 0x01;
    pub const OBJECT_COUNTER: u64 = 0x02;
    pub const KEY: u64 = 0x15;
    pub const INSERT: u64 = 0x34;
    pub const ACTION: u64 = 0x42;
    pub const VALUE_META: u64 = 0x56;
    pub const VALUE: u64 = 0x57;
    pub const REPLACES_COUNT: u64 = 0x70;
    pub const REPLACES_ACTOR: u64 = 0x71;
    pub const REPLACES_COUNTER: u64 = 0x73;
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    pub deps: Vec<[u8; 32]>,
    pub actor: Vec<u8>,
    pub seq: u64,
    pub start_op: u64,
    pub time: i64,
    pub message: Vec<u8>,
    /// Other actors that it names.
    pub others: Vec<Vec<u8>>,
    pub columns: Vec<(u64, Vec<u8>)>,
    pub extra: Vec<u8>,
}

impl Chunk {
    /// Of a change that is not compressed; none if the bytes are not one.
    #[must_use]
    pub fn read(raw: &[u8]) -> Option<Self> {
        let mut reader = Reader(raw.strip_prefix(&MAGIC)?.get(5..)?);
        let len = reader.varint().ok()?;
        (len == reader.0.len() as u64).then_some(())?;
        let mut chunk = Chunk::default();
        for _ in 0..reader.count("deps", 1 << 20, 32).ok()? {
            chunk.deps.push(reader.fixed().ok()?);
        }
        chunk.actor = reader.bytes("actor", 1 << 20).ok()?.to_vec();
        (chunk.seq, chunk.start_op) = (reader.varint().ok()?, reader.varint().ok()?);
        chunk.time = signed(&mut reader)?;
        chunk.message = reader.bytes("message", 1 << 20).ok()?.to_vec();
        for _ in 0..reader.count("actors", 1 << 20, 1).ok()? {
            chunk.others.push(reader.bytes("actor", 1 << 20).ok()?.to_vec());
        }
        let columns = reader.count("columns", 1 << 20, 2).ok()?;
        let mut heads = Vec::new();
        for _ in 0..columns {
            heads.push((reader.varint().ok()?, usize::try_from(reader.varint().ok()?).ok()?));
        }
        for (spec, len) in heads {
            let (column, rest) = reader.0.split_at_checked(len)?;
            reader.0 = rest;
            chunk.columns.push((spec, column.to_vec()));
        }
        chunk.extra = reader.0.to_vec();
        Some(chunk)
    }

    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        frame(CHANGE, &self.body())
    }

    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.varint(self.deps.len() as u64);
        for dep in &self.deps {
            out.fixed(dep);
        }
        out.bytes(&self.actor).varint(self.seq).varint(self.start_op).fixed(&sleb(self.time));
        out.bytes(&self.message).varint(self.others.len() as u64);
        for actor in &self.others {
            out.bytes(actor);
        }
        out.varint(self.columns.len() as u64);
        for (spec, bytes) in &self.columns {
            out.varint(*spec).varint(bytes.len() as u64);
        }
        for (_, bytes) in &self.columns {
            out.fixed(bytes);
        }
        out.fixed(&self.extra);
        out.0
    }

    /// A column's bytes; an absent one is made, in its place.
    pub fn column(&mut self, spec: u64) -> &mut Vec<u8> {
        let at = self.columns.iter().position(|(at, _)| *at == spec).unwrap_or_else(|| {
            let at = self.columns.partition_point(|(at, _)| *at < spec);
            self.columns.insert(at, (spec, Vec::new()));
            at
        });
        &mut self.columns[at].1
    }
}

/// Magic, the right checksum, type, length, body.
#[must_use]
pub fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = Encoder::default();
    hashed.u8(kind).bytes(body);
    let checksum = Sha256::digest(&hashed.0);
    [&MAGIC, &checksum[..4], &hashed.0].concat()
}

/// The same bytes with the checksum that they should have.
#[must_use]
pub fn with_right_checksum(mut raw: Vec<u8>) -> Vec<u8> {
    if raw.len() > 8 {
        let checksum = Sha256::digest(&raw[8..]);
        raw[4..8].copy_from_slice(&checksum[..4]);
    }
    raw
}

/// Signed LEB128.
#[must_use]
pub fn sleb(mut value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        if value == 0 && byte & 0x40 == 0 || value == -1 && byte & 0x40 != 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

/// Unsigned LEB128.
#[must_use]
pub fn uleb(value: u64) -> Vec<u8> {
    let mut out = Encoder::default();
    out.varint(value);
    out.0
}

/// A run of so many equal values, the value as its bytes; however many.
#[must_use]
pub fn run(length: i64, value: &[u8]) -> Vec<u8> {
    [&sleb(length)[..], value].concat()
}

fn signed(reader: &mut Reader<'_>) -> Option<i64> {
    let mut value = 0i64;
    for shift in (0..64).step_by(7) {
        let byte = reader.u8().ok()?;
        value |= i64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            let bits = shift + 7;
            return Some(if bits < 64 && byte & 0x40 != 0 { value | (-1i64 << bits) } else { value });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use heliu_record::change::{Change, Container, Draft, GENESIS_MAX_OP, Note, OpId, Scalar, genesis};
    use heliu_record::id::Actor;

    use super::*;

    #[test]
    fn a_change_taken_apart_and_put_together_is_the_same() {
        let seen = OpId { counter: 3, actor: Actor([9; 16]) };
        let change = Change::encode(Draft {
            actor: Actor([7; 16]),
            seq: 300,
            deps: vec![*genesis()],
            start_op: GENESIS_MAX_OP + 1,
            time_ms: -1_700_000_000_000,
            note: Note::default(),
            puts: vec![(Container::Lww, "a".into(), Scalar::Int(-5), vec![seen])],
        });
        let chunk = Chunk::read(&change.raw).expect("it is one");
        assert_eq!(chunk.write(), *change.raw);
    }
}
