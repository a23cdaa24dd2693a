//! Questions about what is listed: columns are read one after the other, seat by seat, and no record but those of the page.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use heliu_record::id::{RecordId, SeatId};
use heliu_storage::listing::{Found, Gathering, Place, Query};
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::cells::{self, RANGE};
use crate::convert::{Cells, RECORD_COLUMN_COUNT, RECORD_COLUMNS, limit, number_list};
use crate::fault::Fault;
use crate::records::sort_out_own;

/// Some columns of one seat's records of one kind.
struct Seat {
    kind: String,
    seat: SeatId,
    columns: BTreeMap<String, Vec<u8>>,
}

/// None: not all is listed. The second: something was found that cannot be, so that all has to be listed anew.
pub async fn query(connection: &mut SqliteConnection, query: &Query) -> Result<(Option<Found>, bool), Fault> {
    let mark = sqlx::query("SELECT is_whole FROM listing").fetch_optional(&mut *connection).await?;
    if !mark.as_ref().is_some_and(|row| Cells::new(row, "listing", 0).get::<i64>(0).is_ok_and(|whole| whole != 0)) {
        return Ok((None, false));
    }
    let after = match &query.after {
        Some(place) => key(connection, place.record).await?,
        None => None,
    };
    let mut gathering = Gathering::new(query, after);
    if !gather(connection, query, &mut gathering).await? {
        return Ok((None, true));
    }
    let (page, has_more, mut found) = gathering.end();
    if page.is_empty() {
        return Ok((Some(found), false));
    }
    let rows = rows(connection, &page, query.bytes).await?;
    let is_short = rows.len() < page.len();
    // Which of the page were read: as many as there is room for, and all that are there.
    let told = rows.last().map(|row| Cells::new(row, "records", 0).u64(RECORD_COLUMN_COUNT)).transpose()?;
    let read = usize::try_from(told.unwrap_or(0)).unwrap_or(0) + 1;
    // Where there is a gap, something is listed that is not here.
    if rows.len() < read {
        return Ok((None, true));
    }
    let last = rows.last().and_then(|row| Cells::new(row, "records", 0).fixed(0).ok()).map(RecordId);
    let place = last.zip(page.get(read - 1)).map(|(record, (key, _))| Place { key: key.clone(), record });
    found.next = place.filter(|_| has_more || is_short);
    sort_out_own(&rows, &mut found.rows, &mut found.damaged)?;
    Ok((Some(found), false))
}

async fn key(connection: &mut SqliteConnection, id: RecordId) -> Result<Option<i64>, Fault> {
    let found = sqlx::query("SELECT key FROM records WHERE id = ?").bind(&id.0[..]).fetch_optional(connection).await?;
    found.as_ref().map(|row| Cells::new(row, "records", 0).get(0)).transpose()
}

/// Whether all that was read can be.
async fn gather(
    connection: &mut SqliteConnection,
    query: &Query,
    gathering: &mut Gathering<'_, i64>,
) -> Result<bool, Fault> {
    let columns = query.columns();
    // Whole columns in one value each: a row of SQLite costs more to hand over than what is in it.
    let sql = format!(
        "SELECT p.kind, p.seat, p.field, (SELECT group_concat(c.cells, '') FROM listed_cells c WHERE c.at BETWEEN {RANGE}) \
         FROM listed_columns p WHERE p.field IN (SELECT value FROM json_each(?1)) \
         AND (?2 IS NULL OR p.kind IN (SELECT value FROM json_each(?2))) \
         AND (?3 IS NULL OR p.seat IN (SELECT unhex(value) FROM json_each(?3))) ORDER BY p.kind, p.seat"
    );
    let kinds = query.kinds.as_ref().map(|kinds| json!(kinds).to_string());
    let seats = query.seats.as_ref().map(|seats| crate::convert::id_list(seats.iter().map(|seat| &seat.0)));
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(json!(columns).to_string()).bind(kinds).bind(seats);
    let mut rows = asked.fetch(connection);
    let mut at: Option<Seat> = None;
    while let Some(row) = rows.try_next().await? {
        let row = Cells::new(&row, "listed_columns", 0);
        let (kind, seat) = (row.get::<&str>(0)?, SeatId(row.fixed(1)?));
        if at.as_ref().is_none_or(|at| at.kind != kind || at.seat != seat) {
            if let Some(whole) = at.take()
                && !whole.tell(&columns, gathering)
            {
                return Ok(false);
            }
            at = Some(Seat { kind: kind.to_owned(), seat, columns: BTreeMap::new() });
        }
        let (field, cells) = (row.get(2)?, row.get::<Option<&[u8]>>(3)?.unwrap_or_default());
        if let Some(at) = &mut at {
            at.columns.insert(field, cells.to_vec());
        }
    }
    Ok(at.is_none_or(|at| at.tell(&columns, gathering)))
}

impl Seat {
    /// Whether all cells are what was written.
    fn tell(&self, columns: &[&str], gathering: &mut Gathering<'_, i64>) -> bool {
        let cells = |name: &&str| cells::Cells::of(self.columns.get(*name).map_or(&[][..], Vec::as_slice));
        let mut all: Vec<cells::Cells<'_>> = columns.iter().map(cells).collect();
        gathering.seat(self.seat, all.iter_mut());
        // What no record of theirs was looked for is read to the end too.
        all.iter_mut().all(|cells| {
            cells.by_ref().for_each(drop);
            cells.is_good()
        })
    }
}

/// The rows of a page, as many as there is room for, each with its place in the page.
async fn rows(
    connection: &mut SqliteConnection,
    page: &[(Option<Vec<u8>>, i64)],
    bytes: usize,
) -> Result<Vec<SqliteRow>, Fault> {
    let sql = format!(
        "WITH found AS (SELECT j.key AS place, r.key, coalesce(length(r.view), 0) AS bytes FROM json_each(?1) j \
         CROSS JOIN records r ON r.key = j.value), page AS (SELECT place, key, sum(bytes) OVER (ORDER BY place) - bytes AS before \
         FROM found) SELECT {RECORD_COLUMNS}, p.place FROM page p CROSS JOIN records r ON r.key = p.key \
         WHERE p.before = 0 OR p.before < ?2 ORDER BY p.place"
    );
    let keys = number_list(page.iter().map(|(_, key)| *key));
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(keys).bind(limit(bytes)).fetch_all(connection).await?)
}
