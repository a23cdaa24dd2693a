//! Between rows of SQLite and rows of the port. Whatever is read may be damaged: it is an error, never a panic.

use std::collections::BTreeSet;

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::gate::Stamp;
use heliu_record::hash::{Sum, hash};
use heliu_record::id::{Actor, LeafHash, Preimage, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_storage::{RecordRow, RecordState, StrandedState, Stub, Unjudged, scope_bytes};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::fault::{Fault, damaged, undecodable};

/// A row being read, with what an error should say about it.
pub struct Cells<'r> {
    row: &'r SqliteRow,
    table: &'static str,
    /// The column that names the row.
    key: usize,
}

impl<'r> Cells<'r> {
    pub fn new(row: &'r SqliteRow, table: &'static str, key: usize) -> Self {
        Cells { row, table, key }
    }

    pub fn get<T>(&self, column: usize) -> Result<T, Fault>
    where
        T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.row.try_get(column).map_err(|error| self.damaged(&error))
    }

    pub fn u64(&self, column: usize) -> Result<u64, Fault> {
        u64::try_from(self.get::<i64>(column)?).map_err(|error| self.damaged(&error))
    }

    pub fn u32(&self, column: usize) -> Result<u32, Fault> {
        u32::try_from(self.get::<i64>(column)?).map_err(|error| self.damaged(&error))
    }

    pub fn fixed<const N: usize>(&self, column: usize) -> Result<[u8; N], Fault> {
        self.get::<&[u8]>(column)?.try_into().map_err(|error| self.damaged(&error))
    }

    /// A fixed-size value where there may be none.
    pub fn optional<const N: usize>(&self, column: usize) -> Result<Option<[u8; N]>, Fault> {
        let bytes = self.get::<Option<&[u8]>>(column)?;
        bytes.map(|bytes| bytes.try_into().map_err(|error| self.damaged(&error))).transpose()
    }

    pub fn decode<T>(
        &self,
        column: usize,
        read: impl FnOnce(&mut Reader) -> Result<T, DecodeError>,
    ) -> Result<T, Fault> {
        let mut reader = Reader(self.get(column)?);
        let value = read(&mut reader).map_err(undecodable(self.table, &self.name()))?;
        reader.end().map_err(undecodable(self.table, &self.name()))?;
        Ok(value)
    }

    pub fn damaged(&self, detail: &dyn std::fmt::Display) -> Fault {
        damaged(self.table, &self.name(), detail)
    }

    pub fn name(&self) -> String {
        let number = self.row.try_get::<i64, _>(self.key).map(|key| key.to_string());
        let bytes = || self.row.try_get::<&[u8], _>(self.key).map(heliu_record::id::to_hex);
        number.or_else(|_| bytes()).unwrap_or_else(|_| "without a readable key".into())
    }
}

/// SQLite's integers are signed. No position or count comes near the limit.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A limit for `LIMIT`, which takes a signed number. Written `LIMIT +?`: of a bare parameter SQLite makes a plan that goes by
/// its value, and so prepares the statement anew each time that a value is bound.
pub fn limit(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Ids as a JSON list of hexadecimal strings: with `json_each` and `unhex`, one statement of one shape serves any number
/// of them. Nothing in it needs escaping.
pub fn id_list<'a, const N: usize>(ids: impl IntoIterator<Item = &'a [u8; N]>) -> String {
    let mut list = String::from("[");
    for id in ids {
        list.push_str(if list.len() > 1 { ",\"" } else { "\"" });
        list.push_str(&heliu_record::id::to_hex(id));
        list.push('"');
    }
    list.push(']');
    list
}

pub fn number_list(numbers: impl IntoIterator<Item = i64>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

pub fn seat_bytes<'a>(sets: impl IntoIterator<Item = &'a [SeatId]>) -> Vec<u8> {
    let mut encoder = Encoder::default();
    for seats in sets {
        encoder.varint(seats.len() as u64);
        seats.iter().for_each(|seat| {
            encoder.fixed(&seat.0);
        });
    }
    encoder.0
}

pub fn read_seats<T: FromIterator<SeatId>>(reader: &mut Reader) -> Result<T, DecodeError> {
    let count = reader.count("seats", usize::MAX, SeatId::LEN)?;
    (0..count).map(|_| reader.fixed().map(SeatId)).collect()
}

pub fn read_scope(reader: &mut Reader) -> Result<Scope, DecodeError> {
    let public = match reader.u8()? {
        0 => false,
        1 => true,
        _ => return Err(DecodeError::Invalid { what: "the class of a record" }),
    };
    let owners: BTreeSet<SeatId> = read_seats(reader)?;
    Ok(Scope { public, owners, seats: read_seats(reader)? })
}

/// The columns `state`, `since` and `stub`.
fn state_columns(state: &RecordState) -> (i64, i64, Vec<u8>) {
    match state {
        RecordState::Present => (PRESENT, 0, Vec::new()),
        RecordState::Hidden { since } => (HIDDEN, signed(*since), Vec::new()),
        RecordState::Stub(stub) => {
            let mut encoder = Encoder::default();
            encoder.text(&stub.reason).u8(u8::from(stub.own_last.is_some()));
            if let Some((actor, seq)) = &stub.own_last {
                encoder.fixed(&actor.0).varint(*seq);
            }
            (STUB, stub.since_ms, encoder.0)
        }
        RecordState::Erased => (ERASED, 0, Vec::new()),
    }
}

pub const PRESENT: i64 = 0;
pub const HIDDEN: i64 = 1;
pub const STUB: i64 = 2;
pub const ERASED: i64 = 3;

/// The columns of a record, in the order that [`record_row`] reads them in.
pub const RECORD_COLUMNS: &str = "r.id, r.kind, r.birth, r.natural_key, r.scope, r.state, r.since, r.stub, r.held, \
     r.admitted, r.leaves, r.waiting, r.unjudged, r.signal, r.view, r.sum";

pub const RECORD_COLUMN_COUNT: usize = 16;

/// What is written to these columns.
pub struct RecordValues<'r> {
    pub row: &'r RecordRow,
    pub scope: Vec<u8>,
    pub state: i64,
    pub since: i64,
    pub stub: Vec<u8>,
    /// Empty: there is nothing.
    pub unjudged: Vec<u8>,
    pub sum: [u8; 8],
}

impl<'r> RecordValues<'r> {
    pub fn of(row: &'r RecordRow) -> Self {
        let (state, since, stub) = state_columns(&row.state);
        let scope = scope_bytes(&row.scope);
        let unjudged = row.unjudged.as_ref().map(unjudged_bytes).unwrap_or_default();
        let Preimage { kind, birth, key } = &row.preimage;
        let blobs = [
            &row.id.0,
            kind.as_bytes(),
            &birth.0,
            key,
            &scope,
            &stub,
            &row.held.0,
            &row.admitted.0,
            &row.signal,
            &row.view,
        ];
        let sum = row_sum(blobs, &unjudged, [state, since, i64::from(row.leaves), i64::from(row.waiting)]);
        RecordValues { row, scope, state, since, stub, unjudged, sum }
    }
}

/// The checksum of a row, over every column. It is against disks and careless hands: whoever edits with care can make it
/// fit. (The engine compares what a row says with the record's signed leaves.)
fn row_sum(blobs: [&[u8]; 10], unjudged: &[u8], numbers: [i64; 4]) -> [u8; 8] {
    let numbers: Vec<u8> = numbers.into_iter().flat_map(i64::to_le_bytes).collect();
    let mut parts = [&numbers[..]; 12];
    parts[1..11].copy_from_slice(&blobs);
    parts[11] = unjudged;
    // Format 1 had no such column: its rows, which have nothing there, keep their sums.
    let parts = if unjudged.is_empty() { &parts[..11] } else { &parts[..] };
    let mut sum = [0; 8];
    sum.copy_from_slice(&hash("heliu row 1", parts)[..8]);
    sum
}

/// Reads a record whose [`RECORD_COLUMNS`] begin at `first`, if it is what was written.
pub fn record_row(cells: &Cells, first: usize) -> Result<RecordRow, Fault> {
    let row = RecordRow {
        id: RecordId(cells.fixed(first)?),
        preimage: preimage(cells, first + 1)?,
        scope: cells.decode(first + 4, read_scope)?,
        state: read_state(cells, first + 5)?,
        held: Sum(cells.fixed(first + 8)?),
        admitted: Sum(cells.fixed(first + 9)?),
        leaves: cells.u32(first + 10)?,
        waiting: cells.get::<i64>(first + 11)? != 0,
        unjudged: read_unjudged(cells, first + 12)?,
        signal: cells.fixed(first + 13)?,
        view: cells.get(first + 14)?,
    };
    check_sum(cells, first)?;
    Ok(row)
}

/// Whether the columns of a record are what was written.
pub fn check_sum(cells: &Cells, first: usize) -> Result<(), Fault> {
    let blob = |column: usize| cells.get::<&[u8]>(first + column);
    let kind: &str = cells.get(first + 1)?;
    let unjudged = cells.get::<Option<&[u8]>>(first + 12)?.unwrap_or_default();
    let blobs =
        [blob(0)?, kind.as_bytes(), blob(2)?, blob(3)?, blob(4)?, blob(7)?, blob(8)?, blob(9)?, blob(13)?, blob(14)?];
    let number = |column: usize| cells.get::<i64>(first + column);
    let sum = row_sum(blobs, unjudged, [number(5)?, number(6)?, number(10)?, number(11)?]);
    if blob(15)? == sum { Ok(()) } else { Err(cells.damaged(&"it is not what was written: its sum does not match")) }
}

/// As [`record_row`], of a row that is not what was written. Whose record it is must be legible; the rest is what can be
/// read of it.
pub fn spoilt_row(cells: &Cells, first: usize) -> Result<RecordRow, Fault> {
    Ok(RecordRow {
        id: RecordId(cells.fixed(first)?),
        preimage: preimage(cells, first + 1)?,
        scope: cells.decode(first + 4, read_scope).unwrap_or_default(),
        state: read_state(cells, first + 5).unwrap_or(RecordState::Present),
        held: Sum(cells.fixed(first + 8).unwrap_or_default()),
        admitted: Sum(cells.fixed(first + 9).unwrap_or_default()),
        leaves: cells.u32(first + 10).unwrap_or_default(),
        waiting: cells.get::<i64>(first + 11).is_ok_and(|waiting| waiting != 0),
        unjudged: read_unjudged(cells, first + 12).unwrap_or_default(),
        signal: cells.fixed(first + 13).unwrap_or_default(),
        view: cells.get(first + 14).unwrap_or_default(),
    })
}

fn unjudged_bytes(unjudged: &Unjudged) -> Vec<u8> {
    [&unjudged.by.0[..], &[u8::from(unjudged.differing)]].concat()
}

/// Reads what [`unjudged_bytes`] made.
pub fn read_unjudged(cells: &Cells, column: usize) -> Result<Option<Unjudged>, Fault> {
    let bytes = cells.optional::<9>(column)?;
    Ok(bytes.map(|[by @ .., differing]| Unjudged { by: Stamp(by), differing: differing != 0 }))
}

/// Reads what [`state_columns`] made.
fn read_state(cells: &Cells, first: usize) -> Result<RecordState, Fault> {
    Ok(match cells.get::<i64>(first)? {
        PRESENT => RecordState::Present,
        HIDDEN => RecordState::Hidden { since: cells.u64(first + 1)? },
        STUB => {
            let since_ms = cells.get(first + 1)?;
            let (reason, own_last) = cells.decode(first + 2, |reader| {
                let reason = reader.text("a reason", usize::MAX)?.to_owned();
                let own_last = match reader.u8()? {
                    0 => None,
                    _ => Some((Actor(reader.fixed()?), reader.varint()?)),
                };
                Ok((reason, own_last))
            })?;
            RecordState::Stub(Stub { since_ms, reason, own_last })
        }
        ERASED => RecordState::Erased,
        other => return Err(cells.damaged(&format!("state {other}"))),
    })
}

/// Reads a preimage from `kind`, `birth`, `natural_key`.
pub fn preimage(cells: &Cells, first: usize) -> Result<Preimage, Fault> {
    Ok(Preimage { kind: cells.get(first)?, birth: SeatId(cells.fixed(first + 1)?), key: cells.get(first + 2)? })
}

/// The columns `state` and `again` of a stranded edit.
pub fn stranded_columns(state: &StrandedState) -> (i64, Option<&[u8]>) {
    match state {
        StrandedState::Open => (0, None),
        StrandedState::Reissued(again) => (1, Some(&again.0[..])),
        StrandedState::Discarded => (2, None),
    }
}

/// Reads what [`stranded_columns`] made.
pub fn stranded_state(cells: &Cells, first: usize) -> Result<StrandedState, Fault> {
    match (cells.get::<i64>(first)?, cells.optional(first + 1)?) {
        (0, None) => Ok(StrandedState::Open),
        (1, Some(again)) => Ok(StrandedState::Reissued(LeafHash(again))),
        (2, None) => Ok(StrandedState::Discarded),
        (other, _) => Err(cells.damaged(&format!("state {other}"))),
    }
}
