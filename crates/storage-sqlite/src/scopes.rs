//! What is kept of records by the scopes that they name. It is believed as a whole or not at all, so a table that was damaged,
//! or that nobody has written yet, is no error: what is in it can be counted.

use std::collections::BTreeSet;

use heliu_record::hash::Sum;
use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{Position, ScopeRow, ScopesChange, ScopesMark, Tally, scope_key};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::convert::{Cells, id_list, read_scope, signed};
use crate::fault::Fault;
use crate::script::{Insert, Script, Values};

static SCOPES: Insert = Insert::new(
    "INSERT OR FAIL INTO scopes (scope, records, leaves, held, admitted, hidden) VALUES ",
    6,
    " ON CONFLICT (scope) DO UPDATE SET records = excluded.records, leaves = excluded.leaves, held = excluded.held, \
     admitted = excluded.admitted, hidden = excluded.hidden",
);

/// `head`: where the feed ends with the transaction that this is a part of.
pub async fn write(script: &mut Script<'_>, change: &ScopesChange, head: Position) -> Result<(), Fault> {
    if change.anew {
        script.step("DELETE FROM scopes", |_| Ok(())).await?;
    }
    let (gone, rows): (Vec<&ScopeRow>, Vec<&ScopeRow>) = change.rows.iter().partition(|row| row.tally.is_empty());
    let bind = |row: &&ScopeRow, values: &mut Values| {
        let Tally { records, leaves, held, admitted, hidden } = &row.tally;
        values.add(scope_key(row.scope.as_ref()))?.add(signed(*records))?.add(signed(*leaves))?;
        values.add(&held.0[..])?.add(&admitted.0[..])?.add(signed(*hidden)).map(drop)
    };
    SCOPES.run(script, &rows, bind).await?;
    for row in gone {
        let key = scope_key(row.scope.as_ref());
        script.step("DELETE FROM scopes WHERE scope = ?", |values| values.add(key).map(drop)).await?;
    }
    let mark = "INSERT OR FAIL INTO scopes_mark (one, head, digest) VALUES (1, ?, ?) \
         ON CONFLICT (one) DO UPDATE SET head = excluded.head, digest = excluded.digest";
    Ok(script.step(mark, |values| values.add(signed(head))?.add(&change.digest.0[..]).map(drop)).await?)
}

/// None: they are not what was written last.
pub async fn read(connection: &mut SqliteConnection, head: Position) -> Result<Option<Vec<ScopeRow>>, Fault> {
    // One statement, so that all of it is of one state.
    let query = sqlx::query(
        "SELECT s.scope, s.records, s.leaves, s.held, s.admitted, s.hidden, m.head, m.digest FROM scopes_mark m \
         LEFT JOIN scopes s ON true ORDER BY s.scope",
    );
    let rows = query.fetch_all(connection).await?;
    let Some(mark) = rows.first().and_then(|row| mark(row).ok()) else { return Ok(None) };
    let is_none = |row: &SqliteRow| Cells::new(row, "scopes", 0).get::<Option<&[u8]>>(0).is_ok_and(|key| key.is_none());
    let read: Result<Vec<ScopeRow>, Fault> = rows.iter().filter(|row| !is_none(row)).map(scope_row).collect();
    Ok(read.ok().filter(|rows| mark.vouches(rows, head)))
}

fn mark(row: &SqliteRow) -> Result<ScopesMark, Fault> {
    let cells = Cells::new(row, "scopes_mark", 6);
    Ok(ScopesMark { head: cells.u64(6)?, digest: Sum(cells.fixed(7)?) })
}

fn scope_row(row: &SqliteRow) -> Result<ScopeRow, Fault> {
    let cells = Cells::new(row, "scopes", 0);
    let is_rest = cells.get::<&[u8]>(0)?.is_empty();
    let scope = if is_rest { None } else { Some(cells.decode(0, read_scope)?) };
    let tally = Tally {
        records: cells.u64(1)?,
        leaves: cells.u64(2)?,
        held: Sum(cells.fixed(3)?),
        admitted: Sum(cells.fixed(4)?),
        hidden: cells.u64(5)?,
    };
    Ok(ScopeRow { scope, tally })
}

/// A row whose scope cannot be read is left out: it is found when it is read for itself.
pub async fn naming(connection: &mut SqliteConnection, seats: &BTreeSet<SeatId>) -> Result<Vec<RecordId>, Fault> {
    let query = sqlx::query(
        "SELECT r.id, r.scope FROM records r WHERE r.state < 2 AND EXISTS \
         (SELECT 1 FROM json_each(?) j WHERE instr(r.scope, unhex(j.value))) ORDER BY r.id",
    );
    let rows = query.bind(id_list(seats.iter().map(|seat| &seat.0))).fetch_all(connection).await?;
    let names = |row: &SqliteRow| {
        let cells = Cells::new(row, "records", 0);
        // The bytes of an id may stand across two others.
        let is_named = cells.decode(1, read_scope).is_ok_and(|scope| scope.named().any(|seat| seats.contains(&seat)));
        is_named.then(|| cells.fixed(0).ok().map(RecordId)).flatten()
    };
    Ok(rows.iter().filter_map(names).collect())
}
