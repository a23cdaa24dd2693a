//! Reading everything that is kept beside records and feed: directory, conflicts, cursors, commands, quarantine, counts.

use heliu_record::id::RecordId;
use heliu_storage::row::Counts;
use heliu_storage::{CommandId, ConflictRow, Cursor, QuarantineRow, Quarantined, StoreId};
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::convert::{Cells, id_list, limit};
use crate::fault::Fault;

pub async fn directory(connection: &mut SqliteConnection) -> Result<Vec<Vec<u8>>, Fault> {
    let rows = sqlx::query("SELECT number, entry FROM directory ORDER BY number").fetch_all(connection).await?;
    rows.iter().map(|row| Cells::new(row, "directory", 0).get(1)).collect()
}

pub async fn conflicts(
    connection: &mut SqliteConnection,
    after: Option<[u8; 32]>,
    count: usize,
) -> Result<Vec<ConflictRow>, Fault> {
    let query = sqlx::query("SELECT id, kind, anchors, body FROM conflicts WHERE id > ? ORDER BY id LIMIT ?");
    let after = after.as_ref().map_or(&[][..], |id| &id[..]);
    let rows = query.bind(after).bind(limit(count)).fetch_all(connection).await?;
    rows.iter().map(conflict).collect()
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
    let (anchors, rest) = cells.get::<&[u8]>(2)?.as_chunks();
    if !rest.is_empty() {
        return Err(cells.damaged(&"anchors are cut off"));
    }
    Ok(ConflictRow {
        id: cells.fixed(0)?,
        kind: cells.get(1)?,
        anchors: anchors.iter().copied().map(RecordId).collect(),
        body: cells.get(3)?,
    })
}

pub async fn cursor(connection: &mut SqliteConnection, peer: StoreId) -> Result<Option<Cursor>, Fault> {
    let query = sqlx::query("SELECT store, incarnation, position FROM cursors WHERE store = ?");
    let Some(row) = query.bind(&peer.0[..]).fetch_optional(connection).await? else { return Ok(None) };
    let cells = Cells::new(&row, "cursors", 0);
    Ok(Some(Cursor { store: peer, incarnation: Incarnation(cells.fixed(1)?), position: cells.u64(2)? }))
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

pub async fn quarantine(connection: &mut SqliteConnection, count: usize) -> Result<Vec<QuarantineRow>, Fault> {
    let query = sqlx::query(
        "SELECT id, record, sender, code, reason, at_ms, bytes FROM quarantine ORDER BY number DESC LIMIT ?",
    );
    let rows = query.bind(limit(count)).fetch_all(connection).await?;
    let entry = |row: &SqliteRow| {
        let cells = Cells::new(row, "quarantine", 0);
        Ok(QuarantineRow { bytes: cells.get(6)?, ..refusal(&cells)? })
    };
    rows.iter().map(entry).collect()
}

/// Without the bytes: a page of them would be up to 64 MB.
pub async fn quarantined(
    connection: &mut SqliteConnection,
    below: Option<u64>,
    count: usize,
) -> Result<Vec<Quarantined>, Fault> {
    let query = sqlx::query(
        "SELECT id, record, sender, code, reason, at_ms, length(bytes), number FROM quarantine \
         WHERE number < ? ORDER BY number DESC LIMIT ?",
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

pub async fn counts(connection: &mut SqliteConnection) -> Result<Counts, Fault> {
    // Each of them is answered by an index alone; the rows themselves are long.
    let query = sqlx::query(
        "SELECT (SELECT count(*) FROM records), \
         (SELECT count(*) FROM records WHERE state > 0 AND state = 1), \
         (SELECT count(*) FROM records WHERE state > 0 AND state = 2), \
         (SELECT count(*) FROM feed WHERE entry = 0), \
         (SELECT count(*) FROM commits), \
         (SELECT count(*) FROM conflicts), \
         (SELECT count(*) FROM quarantine), \
         (SELECT count(*) FROM records WHERE waiting = 1)",
    );
    let row = query.fetch_one(connection).await?;
    let cells = Cells::new(&row, "counts", 0);
    let (all, hidden, stubs) = (cells.u64(0)?, cells.u64(1)?, cells.u64(2)?);
    Ok(Counts {
        records: all.saturating_sub(hidden + stubs),
        stubs,
        leaves: cells.u64(3)?,
        commits: cells.u64(4)?,
        conflicts: cells.u64(5)?,
        quarantined: cells.u64(6)?,
        waiting: cells.u64(7)?,
    })
}
