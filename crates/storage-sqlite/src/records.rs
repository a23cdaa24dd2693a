//! Reading rows of records and what is listed by them.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;
use heliu_record::scope::Scope;
use heliu_storage::{
    DamagedRow, ListPage, ListQuery, Position, RecordRow, ScanItem, ScanPage, StoreError, UnjudgedRow, scope_bytes,
};
use heliu_trust::id::NodeId;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::convert::{Cells, RECORD_COLUMN_COUNT, RECORD_COLUMNS, id_list, limit, read_unjudged, record_row, signed};
use crate::fault::Fault;

/// Every id comes after nothing.
fn start(after: Option<&RecordId>) -> &[u8] {
    after.map_or(&[], |id| &id.0[..])
}

fn ids(rows: &[SqliteRow]) -> Result<Vec<RecordId>, Fault> {
    rows.iter().map(|row| Ok(RecordId(Cells::new(row, "records", 0).fixed(0)?))).collect()
}

/// Whether the id of a row is that of its preimage, of which an id is the hash.
pub fn is_itself(row: &RecordRow) -> bool {
    row.preimage.id() == row.id
}

/// In the order of the index, which has to lead to the rows that it names: each is looked up by it.
pub async fn scan(connection: &mut SqliteConnection, after: Option<RecordId>, count: usize) -> Result<ScanPage, Fault> {
    let sql = format!(
        "SELECT {RECORD_COLUMNS}, i.id FROM (SELECT key, id FROM records WHERE id > ? ORDER BY id LIMIT +?) i \
         LEFT JOIN records r ON r.key = i.key ORDER BY i.id"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(start(after.as_ref())).bind(limit(count));
    let rows = query.fetch_all(connection).await?;
    for row in &rows {
        let cells = Cells::new(row, "records", RECORD_COLUMN_COUNT);
        let named = cells.get::<&[u8]>(RECORD_COLUMN_COUNT)?;
        if !matches!(cells.get::<Option<&[u8]>>(0), Ok(Some(found)) if found == named) {
            return Err(Fault::Index { table: "records", key: cells.name() });
        }
    }
    let mut page = ScanPage { items: Vec::with_capacity(rows.len()), next: last(&rows, count), damaged: Vec::new() };
    sort_out(&rows, item, &mut page.items, &mut page.damaged)?;
    Ok(page)
}

/// Those alone that name this scope, in the order in which they were made.
pub async fn scan_scope(
    connection: &mut SqliteConnection,
    scope: &Scope,
    after: Option<RecordId>,
    count: usize,
) -> Result<ScanPage, Fault> {
    let sql = format!(
        "SELECT {RECORD_COLUMNS} FROM records r WHERE r.scope = ? \
         AND r.key > coalesce((SELECT key FROM records WHERE id = ?), 0) ORDER BY r.key LIMIT +?"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(scope_bytes(scope)).bind(start(after.as_ref())).bind(limit(count));
    let rows = query.fetch_all(connection).await?;
    let mut page = ScanPage { items: Vec::with_capacity(rows.len()), next: last(&rows, count), damaged: Vec::new() };
    sort_out(&rows, item, &mut page.items, &mut page.damaged)?;
    Ok(page)
}

/// Those alone that have grants. A row that cannot be read is left out: a scan tells of it.
pub async fn granted(
    connection: &mut SqliteConnection,
    after: Option<RecordId>,
    count: usize,
) -> Result<Vec<ScanItem>, Fault> {
    let has_grants = "EXISTS (SELECT 1 FROM feed f WHERE f.record = r.key AND f.entry = 1)";
    let sql = format!("SELECT {RECORD_COLUMNS} FROM records r WHERE r.id > ? AND {has_grants} ORDER BY r.id LIMIT +?");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(start(after.as_ref())).bind(limit(count));
    let mut items = Vec::new();
    sort_out(&query.fetch_all(connection).await?, item, &mut items, &mut Vec::new())?;
    Ok(items)
}

fn item(row: &SqliteRow) -> Result<ScanItem, Fault> {
    let RecordRow { id, scope, state, held, admitted, leaves, .. } = itself(row)?;
    Ok(ScanItem { id, scope, standing: state.standing(), held, admitted, leaves })
}

/// After which row the next page begins, if this one is full.
fn last(rows: &[SqliteRow], count: usize) -> Option<RecordId> {
    rows.iter().rev().find_map(id).filter(|_| rows.len() == count)
}

fn id(row: &SqliteRow) -> Option<RecordId> {
    Cells::new(row, "records", 0).fixed(0).ok().map(RecordId)
}

/// One row that is not what was written does not take the others with it.
fn sort_out<T>(
    rows: &[SqliteRow],
    read: impl Fn(&SqliteRow) -> Result<T, Fault>,
    good: &mut Vec<T>,
    damaged: &mut Vec<DamagedRow>,
) -> Result<(), Fault> {
    for row in rows {
        match read(row) {
            Ok(item) => good.push(item),
            Err(Fault::Store(error @ StoreError::Damaged { .. })) => {
                damaged.push(DamagedRow { record: id(row), detail: error.to_string() });
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// As [`sort_out`], of rows that are under their own ids.
pub fn sort_out_own(rows: &[SqliteRow], good: &mut Vec<RecordRow>, damaged: &mut Vec<DamagedRow>) -> Result<(), Fault> {
    sort_out(rows, itself, good, damaged)
}

/// A row that is what was written, and under its own id.
fn itself(row: &SqliteRow) -> Result<RecordRow, Fault> {
    let cells = Cells::new(row, "records", 0);
    let row = record_row(&cells, 0)?;
    if is_itself(&row) { Ok(row) } else { Err(cells.damaged(&"it is another record's")) }
}

pub async fn one(connection: &mut SqliteConnection, id: RecordId) -> Result<Option<RecordRow>, Fault> {
    let sql = format!("SELECT {RECORD_COLUMNS} FROM records r WHERE r.id = ?");
    let found = sqlx::query(AssertSqlSafe(sql)).bind(&id.0[..]).fetch_optional(connection).await?;
    found.as_ref().map(itself).transpose()
}

pub async fn by_prefix(connection: &mut SqliteConnection, prefix: &str) -> Result<Vec<RecordId>, Fault> {
    let Some((first, last)) = heliu_storage::row::prefix_bounds(prefix) else { return Ok(Vec::new()) };
    let query = sqlx::query("SELECT id FROM records WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 2");
    ids(&query.bind(&first.0[..]).bind(&last.0[..]).fetch_all(connection).await?)
}

pub async fn list(connection: &mut SqliteConnection, query: &ListQuery) -> Result<ListPage, Fault> {
    let (from, kind) = match (&query.refers_to, &query.kind) {
        (Some(_), _) => {
            ("refs f CROSS JOIN records r ON r.key = f.source", "(?3 IS NULL OR r.kind = ?3) AND f.target = ?4")
        }
        (None, Some(_)) => ("records r", "r.kind = ?3"),
        (None, None) => ("records r", "true"),
    };
    // Which rows, by their lengths; then these alone. SQLite tells a blob's length without reading it.
    let sql = format!(
        "WITH found AS (SELECT r.key, r.id, coalesce(length(r.view), 0) AS bytes FROM {from} WHERE r.id > ?1 AND {kind} ORDER BY r.id \
         LIMIT +?2), page AS (SELECT key, id, sum(bytes) OVER (ORDER BY id) - bytes AS before FROM found) \
         SELECT {RECORD_COLUMNS}, (SELECT count(*) FROM found) FROM page p CROSS JOIN records r ON r.key = p.key \
         WHERE p.before = 0 OR p.before < ?5 ORDER BY p.id"
    );
    let prepared = sqlx::query(AssertSqlSafe(sql)).bind(start(query.after.as_ref())).bind(limit(query.limit));
    let prepared = prepared.bind(query.kind.as_deref()).bind(query.refers_to.as_ref().map(|id| &id.0[..]));
    let rows = prepared.bind(limit(query.bytes)).fetch_all(connection).await?;
    let found = rows.first().map_or(Ok(0), |row| Cells::new(row, "records", 0).u64(RECORD_COLUMN_COUNT))?;
    let is_cut = found > rows.len() as u64 || rows.len() == query.limit;
    let mut page = ListPage { next: last(&rows, rows.len()).filter(|_| is_cut), ..ListPage::default() };
    sort_out(&rows, itself, &mut page.rows, &mut page.damaged)?;
    Ok(page)
}

pub async fn referring(
    connection: &mut SqliteConnection,
    targets: &[RecordId],
) -> Result<Vec<(RecordId, RecordId)>, Fault> {
    let query = sqlx::query(
        "SELECT f.target, r.id FROM json_each(?) j CROSS JOIN refs f ON f.target = unhex(j.value) \
         CROSS JOIN records r ON r.key = f.source ORDER BY f.target, r.id",
    );
    let targets: BTreeSet<&RecordId> = targets.iter().collect();
    let rows = query.bind(id_list(targets.into_iter().map(|id| &id.0))).fetch_all(connection).await?;
    let pair = |row: &SqliteRow| {
        let cells = Cells::new(row, "refs", 0);
        Ok((RecordId(cells.fixed(0)?), RecordId(cells.fixed(1)?)))
    };
    rows.iter().map(pair).collect()
}

pub async fn wants(
    connection: &mut SqliteConnection,
    after: Option<RecordId>,
    count: usize,
) -> Result<Vec<RecordId>, Fault> {
    ids(&round(connection, ("id", "waiting = 1"), after, count).await?)
}

pub async fn unjudged(
    connection: &mut SqliteConnection,
    after: Option<RecordId>,
    count: usize,
) -> Result<Vec<UnjudgedRow>, Fault> {
    let rows = round(connection, ("id, kind, unjudged", "unjudged IS NOT NULL"), after, count).await?;
    let read = |row: &SqliteRow| {
        let cells = Cells::new(row, "records", 0);
        let unjudged = read_unjudged(&cells, 2).ok()??;
        Some(UnjudgedRow { record: RecordId(cells.fixed(0).ok()?), kind: cells.get(1).ok()?, unjudged })
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// The rows of an index after an id, and round again from its first.
async fn round(
    connection: &mut SqliteConnection,
    (columns, fits): (&'static str, &'static str),
    after: Option<RecordId>,
    count: usize,
) -> Result<Vec<SqliteRow>, Fault> {
    let part = |order| {
        format!("SELECT * FROM (SELECT {columns} FROM records WHERE {fits} AND id {order} ?1 ORDER BY id LIMIT +?2)")
    };
    let sql = format!("{} UNION ALL {} LIMIT +?2", part(">"), part("<="));
    let query = sqlx::query(AssertSqlSafe(sql)).bind(start(after.as_ref())).bind(limit(count));
    Ok(query.fetch_all(connection).await?)
}

pub async fn hidden(connection: &mut SqliteConnection, up_to: Position) -> Result<Vec<RecordId>, Fault> {
    // `state > 0` is what the index is over.
    let query = sqlx::query("SELECT id FROM records WHERE state > 0 AND state = 1 AND since <= ? ORDER BY id");
    ids(&query.bind(signed(up_to)).fetch_all(connection).await?)
}

pub async fn written_by(connection: &mut SqliteConnection, author: NodeId) -> Result<Vec<RecordId>, Fault> {
    let query = sqlx::query(
        "SELECT id FROM records WHERE state < 2 AND key IN (SELECT f.record FROM feed f WHERE f.entry = 0 \
         AND f.commit_key IN (SELECT key FROM commits WHERE author = ?)) ORDER BY id",
    );
    ids(&query.bind(&author.0[..]).fetch_all(connection).await?)
}
