//! What is listed of records, as it is written: with each transaction what that changes, and page by page where all is listed
//! anew.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{RecordId, SeatId};
use heliu_storage::listing::{EVERY, SHARED};
use heliu_storage::{Listed, RecordRow, Relisted};
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use crate::cells;
use crate::convert::{Cells, RECORD_COLUMNS, id_list, limit, number_list, record_row, signed};
use crate::fault::Fault;
use crate::script::{Insert, Script, Values};

static COLUMNS: Insert = Insert::new("INSERT OR FAIL INTO listed_columns (number, kind, seat, field) VALUES ", 4, "");
static CELLS: Insert = Insert::new(
    "INSERT OR FAIL INTO listed_cells (at, cells) VALUES ",
    2,
    " ON CONFLICT (at) DO UPDATE SET cells = excluded.cells",
);

/// Columns by kind and owner, and there by field.
type Columns = BTreeMap<(String, SeatId), BTreeMap<String, i64>>;
/// A cell, or that there is none any more.
type Change<'l> = Option<(&'l [u8], &'l [u8])>;

/// After the rows of records are written.
pub async fn write(script: &mut Script<'_>, listed: &[Listed]) -> Result<(), Fault> {
    if listed.is_empty() {
        return Ok(());
    }
    let last: BTreeMap<RecordId, &Listed> = listed.iter().map(|listed| (listed.record, listed)).collect();
    let keys = keys(script.connection().await?, last.keys()).await?;
    let listed: Vec<(i64, &Listed)> =
        last.into_iter().filter_map(|(id, listed)| keys.get(&id).map(|key| (*key, listed))).collect();
    let columns = make_columns(script, &listed).await?;
    let mut changes: BTreeMap<i64, BTreeMap<i64, Change>> = BTreeMap::new();
    for (key, listed) in &listed {
        for (number, change) in changes_of(listed, &columns) {
            let at = cells::row_of(number, *key)
                .ok_or_else(|| crate::fault::damaged("listed_columns", &number, &"its number"))?;
            changes.entry(at).or_default().insert(*key, change);
        }
    }
    let query = sqlx::query("SELECT at, cells FROM listed_cells WHERE at IN (SELECT value FROM json_each(?))");
    let found = query.bind(number_list(changes.keys().copied())).fetch_all(script.connection().await?).await?;
    let mut old = BTreeMap::new();
    for row in &found {
        let row = Cells::new(row, "listed_cells", 0);
        old.insert(row.get::<i64>(0)?, row.get::<&[u8]>(1).unwrap_or_default());
    }
    let (mut kept, mut gone, mut is_bad) = (Vec::new(), Vec::new(), false);
    for (at, changes) in changes {
        let before = old.get(&at).copied().unwrap_or_default();
        let read = cells::read(before);
        is_bad |= read.is_none();
        let mut now = read.unwrap_or_default();
        for (key, change) in changes {
            match change {
                Some(cell) => now.insert(key, cell),
                None => now.remove(&key),
            };
        }
        match cells::write(now) {
            now if now == before => {}
            now if now.is_empty() => gone.push(at),
            now => kept.push((at, now)),
        }
    }
    if !gone.is_empty() {
        let delete = "DELETE FROM listed_cells WHERE at IN (SELECT value FROM json_each(?))";
        script.step(delete, |values| values.add(number_list(gone)).map(drop)).await?;
    }
    if is_bad {
        doubt(script).await?;
    }
    let bind = |(at, cells): &(i64, Vec<u8>), values: &mut Values| values.add(*at)?.add(&cells[..]).map(drop);
    Ok(CELLS.run(script, &kept, bind).await?)
}

/// What becomes of a record's cells, by the numbers of columns.
fn changes_of<'l>(listed: &'l Listed, columns: &Columns) -> BTreeMap<i64, Change<'l>> {
    let was_at = |(kind, seat): &(String, SeatId)| {
        *kind == listed.kind && listed.was.as_ref().is_none_or(|was| was.contains(seat))
    };
    let before = columns.iter().filter(|(of, _)| was_at(of)).flat_map(|(_, fields)| fields.values());
    let mut changes: BTreeMap<i64, Change<'l>> = before.map(|number| (*number, None)).collect();
    let every: &[u8] = if listed.owners.len() > 1 { SHARED } else { &[] };
    for seat in &listed.owners {
        let Some(fields) = columns.get(&(listed.kind.clone(), *seat)) else { continue };
        let own = listed.cells.iter().map(|cell| (cell.column, (&cell.key[..], cell.text.as_bytes())));
        for (field, cell) in [(EVERY, (every, &[][..]))].into_iter().chain(own) {
            changes.extend(fields.get(field).map(|number| (*number, Some(cell))));
        }
    }
    changes
}

async fn keys<'i>(
    connection: &mut SqliteConnection,
    ids: impl Iterator<Item = &'i RecordId>,
) -> Result<BTreeMap<RecordId, i64>, Fault> {
    let query = sqlx::query("SELECT r.id, r.key FROM json_each(?) j CROSS JOIN records r ON r.id = unhex(j.value)");
    let rows = query.bind(id_list(ids.map(|id| &id.0))).fetch_all(connection).await?;
    let key = |row| {
        let cells = Cells::new(row, "records", 0);
        Ok((RecordId(cells.fixed(0)?), cells.get(1)?))
    };
    rows.iter().map(key).collect()
}

/// The columns that these were in and come to, made where they are not there.
async fn make_columns(script: &mut Script<'_>, listed: &[(i64, &Listed)]) -> Result<Columns, Fault> {
    let mut asked: BTreeSet<(&str, String)> = BTreeSet::new();
    let mut kinds: BTreeSet<&str> = BTreeSet::new();
    for (_, listed) in listed {
        let seats = listed.was.iter().flatten().chain(&listed.owners);
        asked.extend(seats.map(|seat| (listed.kind.as_str(), seat.to_string())));
        kinds.extend(listed.was.is_none().then_some(listed.kind.as_str()));
    }
    // The highest number comes as a row of its own, so that all of it is of one state.
    let query = sqlx::query(
        "SELECT c.number, c.kind, c.seat, c.field FROM json_each(?1) j CROSS JOIN listed_columns c \
         ON c.kind = j.value ->> 0 AND c.seat = unhex(j.value ->> 1) \
         UNION SELECT number, kind, seat, field FROM listed_columns WHERE kind IN (SELECT value FROM json_each(?2)) \
         UNION ALL SELECT max(number), NULL, NULL, NULL FROM listed_columns",
    );
    let query = query.bind(json!(asked).to_string()).bind(json!(kinds).to_string());
    let rows = query.fetch_all(script.connection().await?).await?;
    let (mut columns, mut last) = (Columns::new(), 0);
    for row in &rows {
        let cells = Cells::new(row, "listed_columns", 0);
        let Some(kind) = cells.get::<Option<String>>(1)? else {
            last = cells.get::<Option<i64>>(0)?.unwrap_or(0);
            continue;
        };
        let of = (kind, SeatId(cells.fixed(2)?));
        columns.entry(of).or_default().insert(cells.get(3)?, cells.get(0)?);
    }
    let mut made: Vec<(i64, &str, SeatId, &str)> = Vec::new();
    for (_, listed) in listed {
        for seat in &listed.owners {
            let fields = columns.entry((listed.kind.clone(), *seat)).or_default();
            for field in [EVERY].into_iter().chain(listed.cells.iter().map(|cell| cell.column)) {
                if !fields.contains_key(field) {
                    last += 1;
                    fields.insert(field.to_owned(), last);
                    made.push((last, &listed.kind, *seat, field));
                }
            }
        }
    }
    let bind = |(number, kind, seat, field): &(i64, &str, SeatId, &str), values: &mut Values| {
        values.add(*number)?.add(*kind)?.add(&seat.0[..])?.add(*field).map(drop)
    };
    COLUMNS.run(script, &made, bind).await?;
    Ok(columns)
}

/// Nobody vouches for what is listed any more: it is listed anew.
pub async fn doubt(script: &mut Script<'_>) -> Result<(), Fault> {
    Ok(script.step("DELETE FROM listing", |_| Ok(())).await?)
}

/// As [`heliu_storage::Store::relist`], within a transaction.
pub async fn relist(
    script: &mut Script<'_>,
    stamp: [u8; 16],
    count: usize,
    cells: &heliu_storage::Cells,
) -> Result<Relisted, Fault> {
    let known = sqlx::query("SELECT stamp, reached, done, is_whole FROM listing");
    let known = known.fetch_optional(script.connection().await?).await?;
    let known = known.as_ref().and_then(|row| {
        let row = Cells::new(row, "listing", 0);
        let is_it = row.fixed::<16>(0).ok()? == stamp;
        is_it.then_some((row.get::<Vec<u8>>(1).ok()?, row.u64(2).ok()?, row.get::<i64>(3).ok()? != 0))
    });
    let (mut reached, mut done, is_whole) = match known {
        Some(known) => known,
        None => {
            script.step("DELETE FROM listed_cells", |_| Ok(())).await?;
            script.step("DELETE FROM listed_columns", |_| Ok(())).await?;
            (Vec::new(), 0, false)
        }
    };
    if is_whole {
        return Ok(Relisted { done, is_whole });
    }
    let sql = format!("SELECT {RECORD_COLUMNS} FROM records r WHERE r.id > ? ORDER BY r.id LIMIT +?");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(&reached[..]).bind(limit(count.saturating_add(1)));
    let rows = query.fetch_all(script.connection().await?).await?;
    let page = &rows[..rows.len().min(count)];
    // One that is not what was written is listed when it has been mended.
    let read = page.iter().filter_map(|row| record_row(&Cells::new(row, "records", 0), 0).ok());
    let listed = read.map(|row: RecordRow| Listed::of(&row, Some(Listed::owners(&row)), cells(&row)));
    write(script, &listed.collect::<Vec<_>>()).await?;
    done += page.len() as u64;
    if let Some(last) = page.last() {
        reached = Cells::new(last, "records", 0).get::<&[u8]>(0)?.to_vec();
    }
    let is_whole = page.len() == rows.len();
    let sql = "INSERT INTO listing (one, stamp, reached, done, is_whole) VALUES (1, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE \
         SET stamp = excluded.stamp, reached = excluded.reached, done = excluded.done, is_whole = excluded.is_whole";
    let bind = |values: &mut Values| {
        values.add(&stamp[..])?.add(reached)?.add(signed(done))?.add(i64::from(is_whole)).map(drop)
    };
    script.step(sql, bind).await?;
    Ok(Relisted { done, is_whole })
}
