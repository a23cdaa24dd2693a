//! Reading everything that is kept beside records and feed: directory, conflicts, cursors, commands,
//! quarantine, statements, the audit log, stranded edits, counts.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::id::{LeafHash, RecordId, SeatId, to_hex};
use heliu_storage::row::Counts;
use heliu_storage::{
    AuditRow, CommandId, ConflictPage, ConflictQuery, ConflictRef, ConflictRow, Cursor, QuarantineRow, Quarantined,
    StatementRow, StoreId, StrandedRow,
};
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::convert::{Cells, id_list, limit, signed, stranded_state};
use crate::fault::Fault;

pub async fn directory(connection: &mut SqliteConnection) -> Result<Vec<Vec<u8>>, Fault> {
    let rows = sqlx::query("SELECT number, entry FROM directory ORDER BY number").fetch_all(connection).await?;
    rows.iter().map(|row| Cells::new(row, "directory", 0).get(1)).collect()
}

/// Which rows, by their lengths; then these alone.
pub async fn conflicts(connection: &mut SqliteConnection, query: &ConflictQuery) -> Result<ConflictPage, Fault> {
    let of_anchor =
        if query.anchor.is_some() { "id IN (SELECT conflict FROM conflict_anchors WHERE anchor = ?4) AND" } else { "" };
    let sql = format!(
        "WITH found AS (SELECT id, length(body) AS bytes FROM conflicts WHERE {of_anchor} id > ?1 \
         AND (?3 IS NULL OR kind = ?3) ORDER BY id LIMIT +?2), \
         page AS (SELECT id, sum(bytes) OVER (ORDER BY id) - bytes AS before FROM found) \
         SELECT c.id, c.kind, c.anchors, c.body, (SELECT count(*) FROM found) FROM page p \
         CROSS JOIN conflicts c ON c.id = p.id WHERE p.before = 0 OR p.before < ?5 ORDER BY p.id"
    );
    let after = query.after.as_ref().map_or(&[][..], |id| &id[..]);
    let prepared = sqlx::query(AssertSqlSafe(sql)).bind(after).bind(limit(query.limit)).bind(query.kind.as_deref());
    let prepared = prepared.bind(query.anchor.as_ref().map(|id| &id.0[..])).bind(limit(query.bytes));
    let rows = prepared.fetch_all(connection).await?;
    let found = rows.first().map_or(Ok(0), |row| Cells::new(row, "conflicts", 0).u64(4))?;
    let is_cut = found > rows.len() as u64 || rows.len() == query.limit;
    let rows = rows.iter().map(conflict).collect::<Result<Vec<_>, _>>()?;
    let next = rows.last().filter(|_| is_cut).map(|row| row.id);
    Ok(ConflictPage { rows, next })
}

pub async fn conflict_ids(connection: &mut SqliteConnection, anchors: &[RecordId]) -> Result<Vec<ConflictRef>, Fault> {
    let query = sqlx::query(
        "SELECT id, anchors FROM conflicts WHERE id IN \
         (SELECT a.conflict FROM json_each(?) j CROSS JOIN conflict_anchors a ON a.anchor = unhex(j.value)) ORDER BY id",
    );
    let rows = query.bind(id_list(anchors.iter().map(|id| &id.0))).fetch_all(connection).await?;
    let pair = |row: &SqliteRow| {
        let cells = Cells::new(row, "conflicts", 0);
        Ok(ConflictRef { id: cells.fixed(0)?, anchors: anchors_of(&cells, 1)? })
    };
    rows.iter().map(pair).collect()
}

pub async fn conflicts_of(connection: &mut SqliteConnection, anchors: &[RecordId]) -> Result<Vec<ConflictRow>, Fault> {
    let query = sqlx::query(
        "SELECT id, kind, anchors, body FROM conflicts WHERE id IN \
         (SELECT a.conflict FROM json_each(?) j CROSS JOIN conflict_anchors a ON a.anchor = unhex(j.value)) ORDER BY id",
    );
    let rows = query.bind(id_list(anchors.iter().map(|id| &id.0))).fetch_all(connection).await?;
    rows.iter().map(conflict).collect()
}

fn conflict(row: &SqliteRow) -> Result<ConflictRow, Fault> {
    let cells = Cells::new(row, "conflicts", 0);
    Ok(ConflictRow { id: cells.fixed(0)?, kind: cells.get(1)?, anchors: anchors_of(&cells, 2)?, body: cells.get(3)? })
}

fn anchors_of(cells: &Cells<'_>, column: usize) -> Result<Vec<RecordId>, Fault> {
    let (anchors, rest) = cells.get::<&[u8]>(column)?.as_chunks();
    if !rest.is_empty() {
        return Err(cells.damaged(&"anchors are cut off"));
    }
    Ok(anchors.iter().copied().map(RecordId).collect())
}

pub async fn cursor(connection: &mut SqliteConnection, peer: StoreId) -> Result<Option<Cursor>, Fault> {
    let query = sqlx::query("SELECT store, incarnation, position FROM cursors WHERE store = ?");
    let Some(row) = query.bind(&peer.0[..]).fetch_optional(connection).await? else { return Ok(None) };
    let cells = Cells::new(&row, "cursors", 0);
    let cursor = || -> Result<Cursor, Fault> {
        Ok(Cursor { store: peer, incarnation: Incarnation(cells.fixed(1)?), position: cells.u64(2)? })
    };
    // Without one the link compares everything, once, and writes another.
    Ok(cursor().inspect_err(|fault| tracing::error!(?fault, "a cursor cannot be read; its link begins anew")).ok())
}

pub async fn commands(
    connection: &mut SqliteConnection,
    ids: &[CommandId],
) -> Result<Vec<(CommandId, Vec<u8>)>, Fault> {
    let query = sqlx::query("SELECT c.id, c.answer FROM json_each(?) j CROSS JOIN commands c ON c.id = unhex(j.value)");
    let rows = query.bind(id_list(ids.iter().map(|id| &id.0))).fetch_all(connection).await?;
    let answer = |row: &SqliteRow| {
        let cells = Cells::new(row, "commands", 0);
        Ok((CommandId(cells.fixed(0)?), cells.get(1)?))
    };
    rows.iter().map(answer).collect()
}

pub async fn last_commit(
    connection: &mut SqliteConnection,
    author: NodeId,
) -> Result<Option<(Incarnation, u64, CommitId)>, Fault> {
    let query = sqlx::query("SELECT key, incarnation, seq, id FROM commits WHERE author = ? ORDER BY key DESC LIMIT 1");
    let Some(row) = query.bind(&author.0[..]).fetch_optional(connection).await? else { return Ok(None) };
    let cells = Cells::new(&row, "commits", 0);
    Ok(Some((Incarnation(cells.fixed(1)?), cells.u64(2)?, CommitId(cells.fixed(3)?))))
}

pub async fn chains_of(
    connection: &mut SqliteConnection,
    author: NodeId,
) -> Result<Vec<(Incarnation, u64, CommitId)>, Fault> {
    // With `max`, SQLite takes the other columns from the row that has it.
    let query = sqlx::query(
        "SELECT key, incarnation, max(seq), id FROM commits WHERE author = ? GROUP BY incarnation ORDER BY incarnation",
    );
    let last = |row: &SqliteRow| {
        let cells = Cells::new(row, "commits", 0);
        Ok((Incarnation(cells.fixed(1)?), cells.u64(2)?, CommitId(cells.fixed(3)?)))
    };
    query.bind(&author.0[..]).fetch_all(connection).await?.iter().map(last).collect()
}

pub async fn commits_at(
    connection: &mut SqliteConnection,
    places: &[(NodeId, Incarnation, u64)],
) -> Result<Vec<Arc<[u8]>>, Fault> {
    let query = sqlx::query(
        "SELECT c.key, c.encoded, c.author, c.incarnation, c.seq FROM json_each(?) j CROSS JOIN commits c \
         ON c.incarnation = unhex(j.value ->> 0) AND c.seq = j.value ->> 1",
    );
    let asked: BTreeSet<&(NodeId, Incarnation, u64)> = places.iter().collect();
    // Nodes that share an incarnation would be found together; each is asked for once.
    let at: BTreeSet<(&Incarnation, u64)> = places.iter().map(|(_, incarnation, seq)| (incarnation, *seq)).collect();
    let list = at.iter().map(|(incarnation, seq)| format!("[\"{}\",{}]", to_hex(&incarnation.0), signed(*seq)));
    let list = format!("[{}]", list.collect::<Vec<_>>().join(","));
    let mut commits = Vec::new();
    for row in query.bind(list).fetch_all(connection).await? {
        let cells = Cells::new(&row, "commits", 0);
        let place = (NodeId(cells.fixed(2)?), Incarnation(cells.fixed(3)?), cells.u64(4)?);
        if asked.contains(&place) {
            commits.push(Arc::from(cells.get::<&[u8]>(1)?));
        }
    }
    Ok(commits)
}

pub async fn quarantine(connection: &mut SqliteConnection, count: usize) -> Result<Vec<QuarantineRow>, Fault> {
    let query = sqlx::query(
        "SELECT id, record, sender, code, reason, at_ms, bytes FROM quarantine ORDER BY number DESC LIMIT +?",
    );
    let rows = query.bind(limit(count)).fetch_all(connection).await?;
    rows.iter().map(with_bytes).collect()
}

fn with_bytes(row: &SqliteRow) -> Result<QuarantineRow, Fault> {
    let cells = Cells::new(row, "quarantine", 0);
    Ok(QuarantineRow { bytes: cells.get(6)?, ..refusal(&cells)? })
}

/// Without the bytes: a page of them would be up to 64 MB.
pub async fn quarantined(
    connection: &mut SqliteConnection,
    below: Option<u64>,
    count: usize,
) -> Result<Vec<Quarantined>, Fault> {
    let query = sqlx::query(
        "SELECT id, record, sender, code, reason, at_ms, length(bytes), number FROM quarantine \
         WHERE number < ? ORDER BY number DESC LIMIT +?",
    );
    let below = below.and_then(|below| i64::try_from(below).ok()).unwrap_or(i64::MAX);
    let rows = query.bind(below).bind(limit(count)).fetch_all(connection).await?;
    let entry = |row: &SqliteRow| {
        let cells = Cells::new(row, "quarantine", 0);
        Ok(Quarantined { row: refusal(&cells)?, len: cells.u64(6)?, number: cells.u64(7)? })
    };
    rows.iter().map(entry).collect()
}

fn refusal(cells: &Cells<'_>) -> Result<QuarantineRow, Fault> {
    Ok(QuarantineRow {
        id: cells.fixed(0)?,
        record: cells.optional(1)?.map(RecordId),
        from: cells.optional(2)?.map(NodeId),
        code: cells.get(3)?,
        reason: cells.get(4)?,
        at_ms: cells.get(5)?,
        bytes: Vec::new(),
    })
}

pub async fn quarantined_by_prefix(
    connection: &mut SqliteConnection,
    prefix: &str,
) -> Result<Vec<QuarantineRow>, Fault> {
    let Some((first, last)) = heliu_storage::row::prefix_bounds(prefix) else { return Ok(Vec::new()) };
    let query = sqlx::query(
        "SELECT id, record, sender, code, reason, at_ms, bytes FROM quarantine \
         WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 2",
    );
    let rows = query.bind(&first.0[..]).bind(&last.0[..]).fetch_all(connection).await?;
    rows.iter().map(with_bytes).collect()
}

pub async fn statements(connection: &mut SqliteConnection) -> Result<Vec<StatementRow>, Fault> {
    let query = sqlx::query("SELECT hash, kind, author, seat, subject, bytes FROM statements ORDER BY hash");
    query.fetch_all(connection).await?.iter().map(statement).collect()
}

pub async fn statements_about(
    connection: &mut SqliteConnection,
    subject: [u8; 32],
) -> Result<Vec<StatementRow>, Fault> {
    let query =
        sqlx::query("SELECT hash, kind, author, seat, subject, bytes FROM statements WHERE subject = ? ORDER BY hash");
    query.bind(&subject[..]).fetch_all(connection).await?.iter().map(statement).collect()
}

fn statement(row: &SqliteRow) -> Result<StatementRow, Fault> {
    let cells = Cells::new(row, "statements", 0);
    Ok(StatementRow {
        hash: cells.fixed(0)?,
        kind: u8::try_from(cells.get::<i64>(1)?).map_err(|error| cells.damaged(&error))?,
        author: NodeId(cells.fixed(2)?),
        seat: SeatId(cells.fixed(3)?),
        subject: cells.fixed(4)?,
        bytes: cells.get(5)?,
    })
}

pub async fn audit(connection: &mut SqliteConnection, after: u64, count: usize) -> Result<Vec<AuditRow>, Fault> {
    let query = sqlx::query("SELECT seq, time_ms, hash, encoded FROM audit WHERE seq > ? ORDER BY seq LIMIT +?");
    let rows = query.bind(signed(after)).bind(limit(count)).fetch_all(connection).await?;
    let entry = |row: &SqliteRow| {
        let cells = Cells::new(row, "audit", 0);
        Ok(AuditRow { seq: cells.u64(0)?, time_ms: cells.get(1)?, hash: cells.fixed(2)?, encoded: cells.get(3)? })
    };
    rows.iter().map(entry).collect()
}

pub async fn audit_head(connection: &mut SqliteConnection) -> Result<Option<(u64, [u8; 32])>, Fault> {
    let query = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
    let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
    let cells = Cells::new(&row, "audit", 0);
    Ok(Some((cells.u64(0)?, cells.fixed(1)?)))
}

pub async fn stranded(connection: &mut SqliteConnection, count: usize) -> Result<Vec<StrandedRow>, Fault> {
    let query = sqlx::query(
        "SELECT leaf, record, at_ms, state, again, reason FROM stranded WHERE state = 0 \
         ORDER BY at_ms DESC, leaf LIMIT +?",
    );
    query.bind(limit(count)).fetch_all(connection).await?.iter().map(stranded_row).collect()
}

pub async fn declined(connection: &mut SqliteConnection) -> Result<Vec<SeatId>, Fault> {
    let rows = sqlx::query("SELECT seat FROM declined ORDER BY seat").fetch_all(connection).await?;
    rows.iter().map(|row| Ok(SeatId(Cells::new(row, "declined", 0).fixed(0)?))).collect()
}

pub async fn stranded_one(connection: &mut SqliteConnection, leaf: LeafHash) -> Result<Option<StrandedRow>, Fault> {
    let query = sqlx::query("SELECT leaf, record, at_ms, state, again, reason FROM stranded WHERE leaf = ?");
    query.bind(&leaf.0[..]).fetch_optional(connection).await?.as_ref().map(stranded_row).transpose()
}

fn stranded_row(row: &SqliteRow) -> Result<StrandedRow, Fault> {
    let cells = Cells::new(row, "stranded", 0);
    Ok(StrandedRow {
        leaf: LeafHash(cells.fixed(0)?),
        record: RecordId(cells.fixed(1)?),
        at_ms: cells.get(2)?,
        state: stranded_state(&cells, 3)?,
        reason: cells.get(5)?,
    })
}

pub async fn quarantine_len(connection: &mut SqliteConnection) -> Result<u64, Fault> {
    let row = sqlx::query("SELECT count(*) FROM quarantine").fetch_one(connection).await?;
    Cells::new(&row, "quarantine", 0).u64(0)
}

pub async fn counts(connection: &mut SqliteConnection) -> Result<Counts, Fault> {
    // Each of them is answered by an index alone; the rows themselves are long.
    let query = sqlx::query(
        "SELECT (SELECT count(*) FROM records), \
         (SELECT count(*) FROM records WHERE state > 0), \
         (SELECT count(*) FROM records WHERE state > 0 AND state = 2), \
         (SELECT count(*) FROM feed WHERE entry = 0), \
         (SELECT count(*) FROM commits), \
         (SELECT count(*) FROM conflicts), \
         (SELECT count(*) FROM quarantine), \
         (SELECT count(*) FROM records WHERE waiting = 1)",
    );
    let row = query.fetch_one(connection).await?;
    let cells = Cells::new(&row, "counts", 0);
    let (all, away, stubs) = (cells.u64(0)?, cells.u64(1)?, cells.u64(2)?);
    Ok(Counts {
        records: all.saturating_sub(away),
        stubs,
        leaves: cells.u64(3)?,
        commits: cells.u64(4)?,
        conflicts: cells.u64(5)?,
        quarantined: cells.u64(6)?,
        waiting: cells.u64(7)?,
    })
}
