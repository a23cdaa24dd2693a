//! Automerge changes without what follows from the rest: magic, checksum, type and length of the chunk, and the actor,
//! which is that of the commit's author. Only this much of automerge's format is known here; the rest stays opaque.

use heliu_record::change::{hash_of, limits};
use heliu_record::codec::{Encoder, Reader};
use heliu_record::id::{Actor, ChangeHash};

/// Magic, checksum and type.
const HEAD: [u8; 9] = [0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1];
const CHECKSUM: std::ops::Range<usize> = 4..8;

/// How much of a change travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// All of it.
    Whole = 0,
    /// The data of the chunk.
    Data = 1,
    /// The data without the actor.
    WithoutActor = 2,
}

impl Form {
    pub fn from_u8(value: u8) -> Option<Self> {
        [Form::Whole, Form::Data, Form::WithoutActor].into_iter().find(|form| *form as u8 == value)
    }
}

/// A change as it travels: the bytes are two pieces of it. It expands to `raw` again, which is checked here.
pub fn shorten<'a>(raw: &'a [u8], hash: Option<&ChangeHash>, actor: Option<&Actor>) -> (Form, [&'a [u8]; 2]) {
    let whole = (Form::Whole, [raw, &[]]);
    let Some(data) = hash.filter(|hash| raw[CHECKSUM] == hash.0[..4]).and_then(|_| data_of(raw)) else { return whole };
    let Some(at) = actor_at(data) else { return (Form::Data, [data, &[]]) };
    let (before, rest) = data.split_at(at);
    match (rest.split_at_checked(1 + Actor::LEN), actor) {
        (Some(([len, found @ ..], after)), Some(actor)) if usize::from(*len) == Actor::LEN && *found == actor.0 => {
            (Form::WithoutActor, [before, after])
        }
        _ => (Form::Data, [data, &[]]),
    }
}

/// The whole change, and its hash if it is framed as one. None if the bytes cannot have been shortened from one.
pub fn expand(form: Form, bytes: &[u8], actor: &Actor) -> Option<(Vec<u8>, Option<ChangeHash>)> {
    let (before, inserted, after) = match form {
        Form::Whole => return Some((bytes.to_vec(), hash_of(bytes))),
        Form::Data => (bytes, None, &[][..]),
        Form::WithoutActor => {
            let (before, after) = bytes.split_at_checked(actor_at(bytes)?)?;
            (before, Some(actor), after)
        }
    };
    let len = bytes.len() + inserted.map_or(0, |_| 1 + Actor::LEN);
    let mut raw = Encoder(Vec::with_capacity(HEAD.len() + 4 + len));
    raw.fixed(&HEAD).varint(len as u64).fixed(before);
    if let Some(actor) = inserted {
        raw.bytes(&actor.0);
    }
    let mut raw = raw.fixed(after).0.split_off(0);
    let hash = hash_of(&raw)?;
    raw[CHECKSUM].copy_from_slice(&hash.0[..4]);
    Some((raw, Some(hash)))
}

/// What is behind the head and the length of a framed change.
fn data_of(raw: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(raw.get(HEAD.len()..)?);
    reader.varint().ok()?;
    Some(reader.0)
}

/// Where the actor's length is: behind the counted predecessors.
fn actor_at(data: &[u8]) -> Option<usize> {
    let mut reader = Reader(data);
    let deps = reader.count("predecessors", limits::DEPS, ChangeHash::LEN).ok()?;
    Some(data.len() - reader.0.len() + deps * ChangeHash::LEN)
}
