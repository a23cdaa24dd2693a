//! What is listed of records, as it is written: with each transaction what that changes, and page by page where all is listed
//! anew.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{RecordId, SeatId, to_hex};
use heliu_record::listing::Order;
use heliu_storage::listing::{EVERY, SHARED};
use heliu_storage::{Listed, RecordRow, Relisted};
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use crate::cells::{self, BEGIN, Said};
use crate::convert::{Cells, RECORD_COLUMNS, id_list, limit, number_list, record_row, signed};
use crate::fault::Fault;
use crate::script::{Insert, Script, Values};

static COLUMNS: Insert = Insert::new("INSERT OR FAIL INTO listed_columns (number, kind, seat, field) VALUES ", 4, "");
static CELLS: Insert = Insert::new(
    "INSERT OR FAIL INTO listed_cells (at, cells) VALUES ",
    2,
    " ON CONFLICT (at) DO UPDATE SET cells = excluded.cells",
);
static PLACES: Insert = Insert::new("INSERT OR IGNORE INTO listed_order (number, place) VALUES ", 2, "");

/// Columns by kind and owner, and there by field.
type Columns = BTreeMap<(String, SeatId), BTreeMap<String, i64>>;
/// What is said, or that nothing is any more.
type Change<'l> = Option<Said<'l>>;
/// Of a column, where a record stands in its order.
type Ordered = BTreeSet<(i64, Vec<u8>)>;

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
    let mut changes: BTreeMap<i64, Change> = BTreeMap::new();
    for (key, listed) in &listed {
        for (number, change) in changes_of(listed, &columns) {
            let at = cells::place_of(number, *key)
                .ok_or_else(|| crate::fault::damaged("listed_columns", &number, &"its number"))?;
            changes.insert(at, change);
        }
    }
    let places = number_list(changes.keys().copied());
    let old = blocks(script.connection().await?, &places).await?;
    let mut of_blocks: BTreeMap<i64, Vec<(i64, Change)>> = BTreeMap::new();
    for (place, change) in changes {
        of_blocks.entry(block_of(&old, place)).or_default().push((place, change));
    }
    let mut now = Written::default();
    for (at, changes) in of_blocks {
        now.change(at, old.get(&at).map(Vec::as_slice).unwrap_or_default(), &changes);
    }
    now.run(script).await
}

/// Where the block is, or comes to be, that a place belongs in: of those that were found the last one of its column before it.
pub fn block_of(found: &BTreeMap<i64, Vec<u8>>, place: i64) -> i64 {
    let first = cells::place_of(cells::column_of(place), 0).unwrap_or(place);
    found.range(first..=place).next_back().map_or(first, |(at, _)| *at)
}

/// The blocks that these places (a list of numbers) belong in, as far as there are such.
pub async fn blocks(connection: &mut SqliteConnection, places: &str) -> Result<BTreeMap<i64, Vec<u8>>, Fault> {
    let sql = format!(
        "SELECT at, cells FROM listed_cells WHERE at IN (SELECT (SELECT max(c.at) FROM listed_cells c \
         WHERE c.at BETWEEN {BEGIN} AND j.value) FROM json_each(?) j)"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(places).fetch_all(connection).await?;
    let block = |row| {
        let row = Cells::new(row, "listed_cells", 0);
        Ok((row.get(0)?, row.get(1)?))
    };
    rows.iter().map(block).collect()
}

/// What is written of blocks and of orders.
#[derive(Default)]
struct Written {
    kept: Vec<(i64, Vec<u8>)>,
    gone: Vec<i64>,
    left: Ordered,
    come: Ordered,
    is_bad: bool,
}

impl Written {
    /// `changes`: by place, ascending.
    fn change(&mut self, at: i64, before: &[u8], changes: &[(i64, Change)]) {
        let number = cells::column_of(at);
        let read = cells::read(before);
        self.is_bad |= read.is_none();
        let old = read.unwrap_or_default();
        let mut now = Vec::with_capacity(old.len() + changes.len());
        let (last, mut is_other) = (old.last().map(|(key, _)| *key), false);
        let mut rest = old.into_iter().peekable();
        for (place, change) in changes {
            let key = cells::record_of(*place);
            now.extend(std::iter::from_fn(|| rest.next_if(|(of, _)| *of < key)));
            let was = rest.next_if(|(of, _)| *of == key).map(|(_, said)| said);
            now.extend(change.map(|said| (key, said)));
            if was == *change {
                continue;
            }
            is_other = true;
            let ordered = |said: Said| said.0.is_kept().then(|| (number, place_in_order(&said.0.key(said.1), key)));
            self.left.extend(was.and_then(ordered));
            self.come.extend(change.and_then(ordered));
        }
        now.extend(rest);
        if !is_other {
            return;
        }
        let grows = now.last().map(|(key, _)| *key) > last;
        let mut blocks = cells::write(&now, grows).into_iter();
        match blocks.next() {
            Some((_, first)) => self.kept.push((at, first)),
            None => self.gone.push(at),
        }
        self.kept.extend(blocks.filter_map(|(key, block)| Some((cells::place_of(number, key)?, block))));
    }

    async fn run(mut self, script: &mut Script<'_>) -> Result<(), Fault> {
        // Who says otherwise now but is sorted as before stays where it was.
        let stay: Ordered = self.left.intersection(&self.come).cloned().collect();
        self.left.retain(|place| !stay.contains(place));
        if !self.gone.is_empty() {
            let delete = "DELETE FROM listed_cells WHERE at IN (SELECT value FROM json_each(?))";
            let gone = number_list(self.gone);
            script.step(delete, |values| values.add(gone).map(drop)).await?;
        }
        let mut left: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (number, place) in &self.left {
            left.entry(*number).or_default().push(to_hex(place));
        }
        for (number, places) in left {
            let delete =
                "DELETE FROM listed_order WHERE number = ? AND place IN (SELECT unhex(value) FROM json_each(?))";
            script.step(delete, |values| values.add(number)?.add(json!(places).to_string()).map(drop)).await?;
        }
        if self.is_bad {
            doubt(script).await?;
        }
        let bind = |(at, cells): &(i64, Vec<u8>), values: &mut Values| values.add(*at)?.add(&cells[..]).map(drop);
        CELLS.run(script, &self.kept, bind).await?;
        let come: Vec<_> = self.come.difference(&stay).collect();
        let bind =
            |(number, place): &&(i64, Vec<u8>), values: &mut Values| values.add(*number)?.add(&place[..]).map(drop);
        Ok(PLACES.run(script, &come, bind).await?)
    }
}

/// Where a record stands in the order of a column.
pub fn place_in_order(key: &[u8], record: i64) -> Vec<u8> {
    [key, &[0], &record.to_be_bytes()].concat()
}

/// What a record is sorted by that stands there, and which it is.
pub fn placed(place: &[u8]) -> Option<(&[u8], i64)> {
    let (key, record) = place.split_last_chunk()?;
    Some((key.strip_suffix(&[0])?, i64::from_be_bytes(*record)))
}

/// What becomes of a record's cells, by the numbers of columns.
fn changes_of<'l>(listed: &'l Listed, columns: &Columns) -> BTreeMap<i64, Change<'l>> {
    let was_at = |(kind, seat): &(String, SeatId)| {
        *kind == listed.kind && listed.was.as_ref().is_none_or(|was| was.contains(seat))
    };
    let before = columns.iter().filter(|(of, _)| was_at(of)).flat_map(|(_, fields)| fields.values());
    let mut changes: BTreeMap<i64, Change<'l>> = before.map(|number| (*number, None)).collect();
    let every: Said = (Order::Bytes, if listed.owners.len() > 1 { SHARED } else { &[] });
    for seat in &listed.owners {
        let Some(fields) = columns.get(&(listed.kind.clone(), *seat)) else { continue };
        let own = listed.cells.iter().map(|cell| (cell.column, (cell.order, &cell.said[..])));
        for (field, said) in [(EVERY, every)].into_iter().chain(own) {
            changes.extend(fields.get(field).map(|number| (*number, Some(said))));
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
            script.step("DELETE FROM listed_order", |_| Ok(())).await?;
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
