//! Questions about what is listed. What fits is found in the columns, seat by seat; the page of it in the order that is kept of
//! them, or, of few records, by what these say. No record is read but those of the page.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt as _;
use heliu_record::collation::Finder;
use heliu_record::id::{RecordId, SeatId};
use heliu_storage::listing::{By, Found, Gathering, Place, Query, Rank, Ranked};
use serde_json::json;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::cells::{self, RANGE};
use crate::convert::{Cells, RECORD_COLUMN_COUNT, RECORD_COLUMNS, limit, number_list};
use crate::fault::Fault;
use crate::listing::{block_of, blocks, place_in_order, placed};
use crate::records::sort_out_own;

/// Of so many records that fit, for each row of a page, it is asked where each stands; of more the order is gone through.
const FEW_FOR_A_ROW: u64 = 64;
const FEW: u64 = 16_384;
/// So much of an order is gone through at most until a page of what fits is found; then all of that is sorted.
const GONE_THROUGH: usize = 20_000;
/// After, and before, all places.
const AFTER_ALL: [u8; 8] = [0xff; 8];
const BEFORE_ALL: [u8; 0] = [];

/// Some columns of one seat's records of one kind.
struct Seat {
    kind: String,
    seat: SeatId,
    rows: Vec<SqliteRow>,
}

/// Of one seat and kind: the column that is sorted by, if there is one, and the records that fit, ascending.
struct Fit {
    sorted_by: Option<i64>,
    records: Vec<i64>,
}

impl Fit {
    /// Where it is told what a record is sorted by.
    fn place(&self, record: i64) -> Option<i64> {
        self.sorted_by.and_then(|number| cells::place_of(number, record))
    }
}

/// None: not all is listed. The second: something was found that cannot be, so that all has to be listed anew.
pub async fn query(connection: &mut SqliteConnection, query: &Query) -> Result<(Option<Found>, bool), Fault> {
    // All of it is of one state.
    let mut reading = connection.begin().await?;
    let connection = &mut *reading;
    let mark = sqlx::query("SELECT is_whole FROM listing").fetch_optional(&mut *connection).await?;
    if !mark.as_ref().is_some_and(|row| Cells::new(row, "listing", 0).get::<i64>(0).is_ok_and(|whole| whole != 0)) {
        return Ok((None, false));
    }
    let after = match &query.after {
        Some(place) => Some(key(connection, place.record).await?.unwrap_or(0)),
        None => None,
    };
    let Some((page, has_more, mut found)) = page(connection, query, after).await? else {
        return Ok((None, true));
    };
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

/// The records of the page in order, whether there are more, and what else was found. None: something is not what was written.
async fn page(
    connection: &mut SqliteConnection,
    query: &Query,
    after: Option<i64>,
) -> Result<Option<(Ranked<i64>, bool, Found)>, Fault> {
    let kept = query.order.as_ref().filter(|by| by.order.is_kept() && query.limit > 0);
    if let Some(by) = kept {
        let counted = Query { order: None, after: None, limit: 0, ..query.clone() };
        let mut gathering = Gathering::new(&counted, None);
        let Some(fit) = gather(connection, &counted, Some(by), &mut gathering).await? else { return Ok(None) };
        let (_, _, found) = gathering.end();
        let few = FEW_FOR_A_ROW.saturating_mul(query.limit as u64 + 1).min(FEW);
        let page = if found.total <= few {
            let Some(page) = sorted(connection, query, after, &fit).await? else { return Ok(None) };
            Some(page)
        } else {
            in_order(connection, query, by, after, &fit).await?
        };
        if let Some(mut page) = page {
            let has_more = page.len() > query.limit;
            page.truncate(query.limit);
            return Ok(Some((page, has_more, found)));
        }
    }
    let mut gathering = Gathering::new(query, after);
    let is_good = gather(connection, query, None, &mut gathering).await?.is_some();
    Ok(is_good.then(|| gathering.end()))
}

/// What fits, by seat and kind. None: not all that was read is what was written. `by`: the column that is sorted by later.
async fn gather(
    connection: &mut SqliteConnection,
    query: &Query,
    by: Option<&By>,
    gathering: &mut Gathering<'_, i64>,
) -> Result<Option<Vec<Fit>>, Fault> {
    let columns = query.columns();
    // Whole columns in one value each: a row of SQLite costs more to hand over than what is in it.
    let sql = format!(
        "SELECT p.kind, p.seat, p.field, CASE WHEN p.field IN (SELECT value FROM json_each(?1)) \
         THEN (SELECT group_concat(c.cells, '') FROM listed_cells c WHERE c.at BETWEEN {RANGE}) END, p.number \
         FROM listed_columns p WHERE (p.field = ?4 OR p.field IN (SELECT value FROM json_each(?1))) \
         AND {ASKED} ORDER BY p.kind, p.seat"
    );
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(json!(columns).to_string());
    let asked = asked.bind(kinds(query)).bind(seats(query)).bind(by.map(|by| by.column.as_str()));
    let finder = query.sought.as_ref().map(|(sought, _)| sought.finder());
    let mut read = asked.fetch(connection);
    let (mut at, mut fit): (Option<Seat>, _) = (None, Vec::new());
    loop {
        let row = read.try_next().await?;
        let of = row.as_ref().map(|row| {
            let row = Cells::new(row, "listed_columns", 0);
            Ok::<_, Fault>((row.get::<String>(0)?, SeatId(row.fixed(1)?)))
        });
        let of = of.transpose()?;
        let is_next =
            at.as_ref().is_none_or(|at| of.as_ref().is_none_or(|(kind, seat)| at.kind != *kind || at.seat != *seat));
        if is_next && let Some(whole) = at.take() {
            let Some(of_seat) = whole.tell(query, &columns, by, finder.as_ref(), gathering)? else { return Ok(None) };
            fit.push(of_seat);
        }
        let Some(((kind, seat), row)) = of.zip(row) else { return Ok(Some(fit)) };
        at.get_or_insert_with(|| Seat { kind, seat, rows: Vec::new() }).rows.push(row);
    }
}

/// Which columns of `listed_columns p` are asked about.
const ASKED: &str = "(?2 IS NULL OR p.kind IN (SELECT value FROM json_each(?2))) \
     AND (?3 IS NULL OR p.seat IN (SELECT unhex(value) FROM json_each(?3)))";

fn kinds(query: &Query) -> Option<String> {
    query.kinds.as_ref().map(|kinds| json!(kinds).to_string())
}

fn seats(query: &Query) -> Option<String> {
    query.seats.as_ref().map(|seats| crate::convert::id_list(seats.iter().map(|seat| &seat.0)))
}

impl Seat {
    /// What of it fits. None: not all cells are what was written.
    fn tell(
        &self,
        query: &Query,
        columns: &[&str],
        by: Option<&By>,
        finder: Option<&Finder>,
        gathering: &mut Gathering<'_, i64>,
    ) -> Result<Option<Fit>, Fault> {
        let (mut all, mut sorted_by) = (vec![(&[][..], None); columns.len()], None);
        for row in &self.rows {
            let row = Cells::new(row, "listed_columns", 0);
            let field = row.get::<&str>(2)?;
            if by.is_some_and(|by| by.column == field) {
                sorted_by = Some(row.get(4)?);
            }
            if let Some(place) = columns.iter().position(|column| *column == field) {
                let is_sought = query.sought.iter().any(|(_, sought)| sought.iter().any(|column| column == field));
                all[place] = (row.get::<Option<&[u8]>>(3)?.unwrap_or_default(), finder.filter(|_| is_sought));
            }
        }
        let mut sought = all.iter().filter_map(|(blocks, finder)| finder.map(|finder| (*blocks, finder)));
        if finder.is_some() && !sought.any(|(blocks, finder)| cells::may_have(blocks, finder)) {
            return Ok(Some(Fit { sorted_by, records: Vec::new() }));
        }
        let mut all: Vec<_> = all.into_iter().map(|(blocks, finder)| cells::Cells::of(blocks, finder)).collect();
        let records = gathering.seat(self.seat, all.iter_mut());
        // What no record of theirs was looked for is read to the end too.
        let is_good = all.iter_mut().all(|cells| {
            cells.by_ref().for_each(drop);
            cells.is_good()
        });
        Ok(is_good.then_some(Fit { sorted_by, records }))
    }
}

/// A page of what fits, and one more, by what each says. None: not all that was read is what was written.
async fn sorted(
    connection: &mut SqliteConnection,
    query: &Query,
    after: Option<i64>,
    fit: &[Fit],
) -> Result<Option<Ranked<i64>>, Fault> {
    let places = fit.iter().flat_map(|fit| fit.records.iter().filter_map(|record| fit.place(*record)));
    let places = number_list(places);
    let found = blocks(connection, &places).await?;
    let mut all: BTreeSet<Rank<i64>> = BTreeSet::new();
    let after = query.after.as_ref().zip(after).map(|(place, of)| query.rank(place.key.clone(), of));
    for fit in fit {
        let (mut open, mut cells) = (None, cells::Cells::of(&[], None));
        let mut next = None;
        for record in &fit.records {
            let at = fit.place(*record).map(|place| block_of(&found, place));
            if at != open {
                let block = at.and_then(|at| found.get(&at)).map(Vec::as_slice).unwrap_or_default();
                (open, cells) = (at, cells::Cells::of(block, None));
                next = cells.next();
            }
            while next.is_some_and(|cell| cell.of < *record) {
                next = cells.next();
            }
            if !cells.is_good() {
                return Ok(None);
            }
            let cell = next.filter(|cell| cell.of == *record);
            let rank = query.rank(cell.map(|cell| cell.order.key(cell.said).into_owned()), *record);
            if after.as_ref().is_none_or(|after| rank > *after) {
                all.insert(rank);
            }
            if all.len() > query.limit.saturating_add(1) {
                all.pop_last();
            }
        }
    }
    Ok(Some(all.into_iter().map(|rank| (rank.key, rank.of)).collect()))
}

/// A page of what fits, and one more, from the orders of all seats. None: there is no whole page of what says something there, or
/// it is too far away.
async fn in_order(
    connection: &mut SqliteConnection,
    query: &Query,
    by: &By,
    after: Option<i64>,
    fit: &[Fit],
) -> Result<Option<Ranked<i64>>, Fault> {
    let mut from = match query.after.as_ref().zip(after) {
        Some((Place { key: Some(key), .. }, of)) => place_in_order(key, of),
        Some(_) => return Ok(None),
        None if by.is_descending => AFTER_ALL.to_vec(),
        None => BEFORE_ALL.to_vec(),
    };
    let of: BTreeMap<i64, &Fit> = fit.iter().filter_map(|fit| Some((fit.sorted_by?, fit))).collect();
    let fits = |number: i64, record: i64| of.get(&number).is_some_and(|fit| fit.records.binary_search(&record).is_ok());
    let wanted = query.limit.saturating_add(1);
    let (mut page, mut gone_through, mut count) = (Ranked::new(), 0, wanted);
    while gone_through < GONE_THROUGH {
        let rows = next_in_order(connection, query, by, &from, count, of.len().max(1)).await?;
        gone_through += rows.len();
        let Some((_, last)) = rows.last() else { return Ok(None) };
        last.clone_into(&mut from);
        for (number, place) in rows {
            let Some((key, record)) = placed(&place) else { return Ok(None) };
            // Of several owners it stands in the orders of each.
            if fits(number, record) && page.last().is_none_or(|(_, last)| *last != record) {
                page.push((Some(key.to_vec()), record));
            }
            if page.len() == wanted {
                return Ok(Some(page));
            }
        }
        // As many more as there were to go through for what was found.
        count = (wanted * (gone_through + 1) / (page.len() + 1)).min(GONE_THROUGH / 4).max(wanted);
    }
    Ok(None)
}

/// What follows in the order of these seats together: columns and places.
async fn next_in_order(
    connection: &mut SqliteConnection,
    query: &Query,
    by: &By,
    from: &[u8],
    count: usize,
    seats_asked: usize,
) -> Result<Vec<(i64, Vec<u8>)>, Fault> {
    let (later, until, way, end) =
        if by.is_descending { ("<", ">=", "DESC", &BEFORE_ALL[..]) } else { (">", "<=", "ASC", &AFTER_ALL[..]) };
    // Where there are so many of each of so many seats, there are as many as are wanted: none further than that is looked at, and
    // no seat that has only such.
    let of_each = count.div_ceil(seats_asked);
    let sql = format!(
        "SELECT p.number, (SELECT o.place FROM listed_order o WHERE o.number = p.number AND o.place {later} ?4 \
         ORDER BY o.place {way} LIMIT 1 OFFSET +?5) FROM listed_columns p WHERE p.field = ?1 AND {ASKED}"
    );
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(&by.column).bind(kinds(query)).bind(seats(query));
    let rows = asked.bind(from).bind(limit(of_each - 1)).fetch_all(&mut *connection).await?;
    let bounds = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let bounds: Vec<(i64, Option<&[u8]>)> = bounds.collect::<Result<_, sqlx::Error>>()?;
    let mut all: Vec<&[u8]> = bounds.iter().filter_map(|(_, bound)| *bound).collect();
    all.sort_unstable_by(|one, other| if by.is_descending { other.cmp(one) } else { one.cmp(other) });
    let bound = all.get(count.div_ceil(of_each) - 1).copied().unwrap_or(end);
    let has_none = |first: &Option<&[u8]>| {
        let is_beyond = |first: &[u8]| if by.is_descending { first < bound } else { first > bound };
        of_each == 1 && first.is_none_or(is_beyond)
    };
    let numbers = number_list(bounds.iter().filter(|(_, first)| !has_none(first)).map(|(number, _)| *number));
    let sql = format!(
        "SELECT j.value, o.place FROM json_each(?1) j CROSS JOIN listed_order o ON o.number = j.value AND o.place IN \
         (SELECT i.place FROM listed_order i WHERE i.number = j.value AND i.place {later} ?2 AND i.place {until} ?3 \
         ORDER BY i.place {way} LIMIT +?4) ORDER BY o.place {way} LIMIT +?4"
    );
    let asked = sqlx::query(AssertSqlSafe(sql)).bind(numbers).bind(from).bind(bound).bind(limit(count));
    let rows = asked.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
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
