//! Reading the bytes of a change: our own reader of automerge's change chunk, for the shapes that records use and no
//! others. automerge's parser is not safe on hostile bytes; this one never reserves more than the input could fill, and
//! stops at the limits. That the bytes are the one encoding of what they say is checked by writing them again.

use super::column;
use super::draft::{
    Container, Draft, GENESIS_ACTOR, MAGIC, Note, OpId, PUT, Scalar, ShapeError, UNCOMPRESSED, limits, value_type,
};
use crate::codec::{DecodeError, Reader};
use crate::id::{Actor, ChangeHash};

/// Columns that one change may have; automerge knows 15.
const COLUMNS_MAX: usize = 16;
/// Actors that one change may name: its own, the genesis', and those whose values it replaces.
const ACTORS_MAX: usize = 256;
/// No operation has a higher counter than this to begin with: automerge counts in 32 bits, and breaks beyond them.
const COUNTER_MAX: u64 = u32::MAX as u64 / 2;

impl From<DecodeError> for ShapeError {
    fn from(error: DecodeError) -> Self {
        ShapeError::Unreadable(error.to_string())
    }
}

type Put = (Container, String, Scalar, Vec<OpId>);

/// Reads a whole chunk.
pub(super) fn draft(raw: &[u8]) -> Result<Draft, ShapeError> {
    if raw.len() < 10 || raw[..4] != MAGIC || raw[8] != UNCOMPRESSED {
        return Err(ShapeError::NotAChange);
    }
    let mut reader = Reader(&raw[9..]);
    let body = reader.bytes("a change", limits::CHANGE_BYTES)?;
    reader.end()?;
    let mut reader = Reader(body);
    let deps = reader.count("predecessors", limits::DEPS, 32).map_err(|_| ShapeError::Exceeds("predecessors"))?;
    let deps = (0..deps).map(|_| reader.fixed().map(ChangeHash)).collect::<Result<Vec<_>, _>>()?;
    // Automerge writes them in order; a list that names one twice would pass for another list.
    if deps.is_empty() || !deps.is_sorted_by(|a, b| a < b) {
        return Err(ShapeError::Exceeds("predecessors"));
    }
    let actor = actor(&mut reader)?;
    let seq = reader.varint()?;
    let start_op = reader.varint()?;
    let time_ms = signed(&mut reader)?;
    if time_ms.unsigned_abs() > limits::TIME_MS {
        return Err(ShapeError::Exceeds("milliseconds"));
    }
    let message = reader.text("a message", limits::MESSAGE_BYTES).map_err(|_| ShapeError::Exceeds("message bytes"))?;
    let others = reader.count("actors", ACTORS_MAX, 17)?;
    let mut actors = vec![actor];
    for _ in 0..others {
        actors.push(self::actor(&mut reader)?);
    }
    let puts = puts(&mut reader, &actors)?;
    if !reader.0.is_empty() {
        return Err(ShapeError::Exceeds("extra bytes"));
    }
    if seq == 0 || start_op == 0 || start_op > COUNTER_MAX {
        return Err(ShapeError::Exceeds("operations"));
    }
    Ok(Draft { actor, seq, deps, start_op, time_ms, note: Note::from_message(message), puts })
}

fn actor(reader: &mut Reader<'_>) -> Result<Actor, ShapeError> {
    Actor::try_from(reader.bytes("an actor", Actor::LEN)?).map_err(|_| ShapeError::Exceeds("actor bytes"))
}

fn puts(reader: &mut Reader<'_>, actors: &[Actor]) -> Result<Vec<Put>, ShapeError> {
    let columns = Columns::read(reader)?;
    let actions = runs(columns.get(column::ACTION), unsigned, limits::PUTS)?;
    let count = actions.len();
    if count == 0 {
        return Err(ShapeError::Exceeds("operations"));
    }
    if actions.iter().any(|action| *action != Some(PUT)) {
        return Err(ShapeError::Operation("not a put on a map key"));
    }
    let inserts = Reader(columns.get(column::INSERT));
    if !all_false(inserts, count)? {
        return Err(ShapeError::Operation("not a put on a map key"));
    }
    let column =
        |values: Vec<_>, what| if values.len() == count { Ok(values) } else { Err(ShapeError::Operation(what)) };
    let makers = column(runs(columns.get(column::OBJECT_ACTOR), unsigned, count)?, "it writes at the root")?;
    let objects = column(runs(columns.get(column::OBJECT_COUNTER), unsigned, count)?, "it writes at the root")?;
    let metas = column(runs(columns.get(column::VALUE_META), unsigned, count)?, "a put without a value")?;
    let keys = runs(columns.get(column::KEY), key, count)?;
    let counts = runs(columns.get(column::REPLACES_COUNT), unsigned, count)?;
    if keys.len() != count || (counts.len() != count && !counts.is_empty()) {
        return Err(ShapeError::Operation("not a put on a map key"));
    }
    let mut places = Vec::with_capacity(count);
    for ((maker, object), key) in makers.into_iter().zip(objects).zip(keys) {
        let maker = maker.and_then(|index| actors.get(usize::try_from(index).ok()?));
        let container = (maker == Some(&GENESIS_ACTOR)).then(|| Container::from_counter(object?)).flatten();
        let container = container.ok_or(ShapeError::Operation("unknown container"))?;
        let key = key.ok_or(ShapeError::Operation("not a put on a map key"))?;
        if key.is_empty() || key.len() > limits::KEY_BYTES {
            return Err(ShapeError::Exceeds("keys or replaced values"));
        }
        places.push((container, key));
    }
    if has_twice(&places) {
        return Err(ShapeError::Operation("it writes one key twice"));
    }
    let mut replaced = Replaced::read(&columns, counts, actors)?;
    let mut values = Reader(columns.get(column::VALUE));
    let mut puts = Vec::with_capacity(count);
    for ((container, key), meta) in places.into_iter().zip(metas) {
        let value = scalar(meta.ok_or(ShapeError::Operation("a put without a value"))?, &mut values)?;
        puts.push((container, key.to_owned(), value, replaced.next()?));
    }
    values.end()?;
    replaced.end()?;
    Ok(puts)
}

/// A run of one key would be many puts for a few bytes. Keys that differ take room: what a change becomes in memory is in
/// proportion to what it is on the line.
fn has_twice(places: &[(Container, &str)]) -> bool {
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    !sorted.is_sorted_by(|a, b| a < b)
}

/// The column bytes of a change, by specification number.
struct Columns<'a>(Vec<(u64, &'a [u8])>);

impl<'a> Columns<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, ShapeError> {
        let count = reader.count("columns", COLUMNS_MAX, 2)?;
        let mut heads = Vec::with_capacity(count);
        for _ in 0..count {
            heads.push((reader.varint()?, reader.varint()?));
        }
        let mut columns = Vec::with_capacity(count);
        for (spec, len) in heads {
            let len = usize::try_from(len).ok().filter(|len| *len <= reader.0.len()).ok_or(DecodeError::Truncated)?;
            let (column, rest) = reader.0.split_at(len);
            reader.0 = rest;
            let known = [
                column::OBJECT_ACTOR,
                column::OBJECT_COUNTER,
                column::KEY,
                column::INSERT,
                column::ACTION,
                column::VALUE_META,
                column::VALUE,
                column::REPLACES_COUNT,
                column::REPLACES_ACTOR,
                column::REPLACES_COUNTER,
            ];
            if !known.contains(&spec) && !column.is_empty() {
                return Err(ShapeError::Operation("a column that records do not use"));
            }
            columns.push((spec, column));
        }
        Ok(Columns(columns))
    }

    fn get(&self, spec: u64) -> &'a [u8] {
        self.0.iter().find(|(at, _)| *at == spec).map_or(&[], |(_, bytes)| bytes)
    }
}

/// The values that each put replaces, put by put.
struct Replaced<'a> {
    counts: std::vec::IntoIter<Option<u64>>,
    actor_indices: std::vec::IntoIter<Option<u64>>,
    counter_steps: std::vec::IntoIter<Option<i64>>,
    counter: i64,
    actors: &'a [Actor],
}

impl<'a> Replaced<'a> {
    fn read(columns: &Columns<'_>, counts: Vec<Option<u64>>, actors: &'a [Actor]) -> Result<Self, ShapeError> {
        let total = counts.iter().flatten().try_fold(0u64, |sum, count| sum.checked_add(*count));
        let max = (limits::REPLACES_SPARE + limits::REPLACES_EACH * counts.len()) as u64;
        let total = total.filter(|total| *total <= max).and_then(|total| usize::try_from(total).ok());
        let total = total.ok_or(ShapeError::Exceeds("keys or replaced values"))?;
        Ok(Replaced {
            counts: counts.into_iter(),
            actor_indices: runs(columns.get(column::REPLACES_ACTOR), unsigned, total)?.into_iter(),
            counter_steps: runs(columns.get(column::REPLACES_COUNTER), signed, total)?.into_iter(),
            counter: 0,
            actors,
        })
    }

    fn next(&mut self) -> Result<Vec<OpId>, ShapeError> {
        const DANGLING: ShapeError = ShapeError::Operation("it replaces an operation of nobody");
        let count = self.counts.next().flatten().unwrap_or(0);
        if count > limits::REPLACES as u64 {
            return Err(ShapeError::Exceeds("keys or replaced values"));
        }
        let mut ids = Vec::new();
        for _ in 0..count {
            let index = self.actor_indices.next().flatten().ok_or(DANGLING)?;
            let actor = usize::try_from(index).ok().and_then(|index| self.actors.get(index)).ok_or(DANGLING)?;
            let step = self.counter_steps.next().flatten().ok_or(DANGLING)?;
            self.counter = self.counter.checked_add(step).ok_or(DANGLING)?;
            let counter = u64::try_from(self.counter).ok().filter(|counter| *counter <= COUNTER_MAX).ok_or(DANGLING)?;
            ids.push(OpId { counter, actor: *actor });
        }
        if ids.is_sorted_by(|a, b| a < b) { Ok(ids) } else { Err(ShapeError::NotCanonical) }
    }

    fn end(mut self) -> Result<(), ShapeError> {
        let over = self.actor_indices.next().is_some() || self.counter_steps.next().is_some();
        if over { Err(ShapeError::NotCanonical) } else { Ok(()) }
    }
}

/// Expands a run-length column, up to `max` values and no further: a run's length costs nothing before it is checked.
fn runs<'a, T: Copy>(
    bytes: &'a [u8],
    read: impl Fn(&mut Reader<'a>) -> Result<T, ShapeError>,
    max: usize,
) -> Result<Vec<Option<T>>, ShapeError> {
    let mut reader = Reader(bytes);
    let mut values = Vec::new();
    while !reader.0.is_empty() {
        let length = signed(&mut reader)?;
        let room = max - values.len();
        let fits = |n: u64| usize::try_from(n).ok().filter(|n| *n <= room).ok_or(ShapeError::Exceeds("operations"));
        match length {
            0 => values.extend(std::iter::repeat_n(None, fits(reader.varint()?)?)),
            1.. => {
                let value = read(&mut reader)?;
                values.extend(std::iter::repeat_n(Some(value), fits(length.unsigned_abs())?));
            }
            ..0 => {
                for _ in 0..fits(length.unsigned_abs())? {
                    values.push(Some(read(&mut reader)?));
                }
            }
        }
    }
    Ok(values)
}

/// A column of flags is the lengths of its runs, beginning with `false`.
fn all_false(mut reader: Reader<'_>, count: usize) -> Result<bool, ShapeError> {
    if reader.0.is_empty() {
        return Ok(true);
    }
    let first = reader.varint()?;
    Ok(reader.0.is_empty() && first == count as u64)
}

fn unsigned(reader: &mut Reader<'_>) -> Result<u64, ShapeError> {
    Ok(reader.varint()?)
}

fn key<'a>(reader: &mut Reader<'a>) -> Result<&'a str, ShapeError> {
    Ok(reader.text("a key", limits::KEY_BYTES)?)
}

/// A signed LEB128 number.
fn signed(reader: &mut Reader<'_>) -> Result<i64, ShapeError> {
    let mut value = 0i64;
    for shift in (0..64).step_by(7) {
        let byte = reader.u8()?;
        value |= i64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            let bits = shift + 7;
            if bits < 64 && byte & 0x40 != 0 {
                value |= -1i64 << bits;
            }
            return Ok(value);
        }
    }
    Err(ShapeError::Unreadable("a number is too long".to_owned()))
}

/// A value by its type and length, and the next of the raw bytes.
fn scalar(meta: u64, values: &mut Reader<'_>) -> Result<Scalar, ShapeError> {
    let len = usize::try_from(meta >> 4).unwrap_or(usize::MAX);
    if len > limits::VALUE_BYTES {
        return Err(ShapeError::Exceeds("values"));
    }
    let (bytes, rest) = values.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
    values.0 = rest;
    let text = || std::str::from_utf8(bytes).map(str::to_owned);
    Ok(match meta & 15 {
        value_type::NULL if len == 0 => Scalar::Null,
        value_type::FALSE if len == 0 => Scalar::Bool(false),
        value_type::TRUE if len == 0 => Scalar::Bool(true),
        value_type::INT => {
            let mut reader = Reader(bytes);
            let int = signed(&mut reader)?;
            reader.end()?;
            Scalar::Int(int)
        }
        value_type::TEXT => Scalar::Text(text().map_err(|_| ShapeError::Unreadable("a text is not UTF-8".to_owned()))?),
        value_type::BYTES => Scalar::Bytes(bytes.to_vec()),
        _ => return Err(ShapeError::Operation("a value of a type that records do not use")),
    })
}
