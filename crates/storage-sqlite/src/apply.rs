//! What one transaction writes, table by table. Only tables that have rows in it are touched.
//!
//! `OR FAIL`: the default, `OR ABORT`, keeps a copy of every changed page so that one statement can be undone alone; a
//! failure here undoes the whole transaction anyway.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::{ConflictRow, FeedEntry, LeafStatus, Position, RecordRow, Transaction};
use heliu_trust::id::CommitId;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteRow;

use crate::convert::{Cells, RecordValues, id_list, number_list, seat_bytes, signed, stranded_columns};
use crate::fault::Fault;
use crate::listing;
use crate::scopes;
use crate::script::{Insert, Script, Values};

/// Everything of a transaction whose feed goes from `old_head` to `new_head`.
pub async fn write(
    script: &mut Script<'_>,
    transaction: &Transaction,
    old_head: Position,
    new_head: Position,
) -> Result<(), Fault> {
    if let Some(incarnation) = transaction.incarnation {
        let sql = "INSERT INTO incarnations (id, began) VALUES (?, ?)";
        script.step(sql, |values| values.add(&incarnation.0[..])?.add(signed(old_head)).map(drop)).await?;
    }
    if let Some(from) = transaction.directory_from {
        // Numbers begin with 1, and the next one follows the last that is left.
        script.step("DELETE FROM directory WHERE number > ?", |values| values.add(signed(from)).map(drop)).await?;
    }
    DIRECTORY.run(script, &transaction.directory, |entry, values| values.add(&entry[..]).map(drop)).await?;
    rename(script, &transaction.renamed).await?;
    commits(script, transaction).await?;
    records(script, transaction).await?;
    if let Some(change) = &transaction.scopes {
        scopes::write(script, change, new_head).await?;
    }
    drop_history(script, &transaction.dropped, new_head).await?;
    move_leaves(script, &transaction.moved).await?;
    FEED.run(script, &transaction.feed, bind_entry).await?;
    statuses(script, &transaction.statuses).await?;
    refs(script, &transaction.refs).await?;
    listing::write(script, &transaction.listed).await?;
    conflicts(script, &transaction.conflicts_closed, &transaction.conflicts_opened).await?;
    ledgers(script, transaction).await?;
    attested(script, transaction).await?;
    erase(script, &transaction.erased, new_head).await
}

static DIRECTORY: Insert = Insert::new("INSERT OR FAIL INTO directory (entry) VALUES ", 1, "");

static COMMITS: Insert = Insert::new(
    "INSERT OR FAIL INTO commits (id, author, incarnation, seq, encoded) VALUES ",
    5,
    " ON CONFLICT (id) DO UPDATE SET author = excluded.author, incarnation = excluded.incarnation, seq = excluded.seq, \
     encoded = excluded.encoded WHERE encoded IS NOT excluded.encoded OR author IS NOT excluded.author \
     OR incarnation IS NOT excluded.incarnation OR seq IS NOT excluded.seq",
);

async fn commits(script: &mut Script<'_>, transaction: &Transaction) -> Result<(), Fault> {
    let bind = |commit: &heliu_storage::row::CommitRow, values: &mut Values| {
        values.add(&commit.id.0[..])?.add(&commit.author.0[..])?.add(&commit.incarnation.0[..])?;
        values.add(signed(commit.seq))?.add(&commit.encoded[..]).map(drop)
    };
    Ok(COMMITS.run(script, &transaction.commits, bind).await?)
}

/// A record's id decides its preimage: those columns, and the indices over them, stay as they are.
static RECORDS: Insert = Insert::new(
    "INSERT OR FAIL INTO records (id, kind, birth, natural_key, scope, state, since, stub, held, admitted, leaves, waiting, \
     unjudged, signal, sum, view) VALUES ",
    16,
    " ON CONFLICT (id) DO UPDATE SET scope = excluded.scope, state = excluded.state, since = excluded.since, \
     stub = excluded.stub, held = excluded.held, admitted = excluded.admitted, leaves = excluded.leaves, \
     waiting = excluded.waiting, unjudged = excluded.unjudged, signal = excluded.signal, sum = excluded.sum, view = excluded.view",
);

async fn records(script: &mut Script<'_>, transaction: &Transaction) -> Result<(), Fault> {
    let bind = |row: &&RecordRow, values: &mut Values| {
        let RecordValues { row, scope, state, since, stub, unjudged, sum } = RecordValues::of(row);
        values.add(&row.id.0[..])?.add(&*row.preimage.kind)?.add(&row.preimage.birth.0[..])?;
        values.add(&row.preimage.key[..])?.add(scope)?.add(state)?.add(since)?.add(stub)?;
        values.add(&row.held.0[..])?.add(&row.admitted.0[..])?.add(i64::from(row.leaves))?;
        values
            .add(i64::from(row.waiting))?
            .add((!unjudged.is_empty()).then_some(unjudged))?
            .add(&row.signal[..])?
            .add(&sum[..])?
            .add(&row.view[..])
            .map(drop)
    };
    // In the order of the index: each of its pages is touched once. Of two rows of one record the later stays the later.
    let mut rows: Vec<&RecordRow> = transaction.records.iter().collect();
    rows.sort_by_key(|row| row.id);
    Ok(RECORDS.run(script, &rows, bind).await?)
}

/// Gives rows under a wrong id their right one. Where the right id has a row already, that row gets the leaves of the wrong
/// one, which are what counts. Else the row, its checksum included, is as it was before its id was damaged.
async fn rename(script: &mut Script<'_>, renamed: &[(RecordId, RecordId)]) -> Result<(), Fault> {
    if !renamed.is_empty() {
        // What was listed of them is under keys that may go.
        listing::doubt(script).await?;
    }
    for (wrong, own) in renamed {
        let pair = |values: &mut Values| values.add(&own.0[..])?.add(&wrong.0[..]).map(drop);
        for sql in [
            "UPDATE feed SET record = coalesce((SELECT key FROM records WHERE id = ?), record) \
             WHERE record = (SELECT key FROM records WHERE id = ?)",
            "UPDATE OR IGNORE records SET id = ? WHERE id = ?",
        ] {
            script.step(sql, pair).await?;
        }
        // The wrong row is still there if it could not have the right id. Its references are found anew.
        for sql in [
            "DELETE FROM refs WHERE source = (SELECT key FROM records WHERE id = ?)",
            "DELETE FROM records WHERE id = ?",
        ] {
            script.step(sql, |values| values.add(&wrong.0[..]).map(drop)).await?;
        }
    }
    Ok(())
}

/// What a record's id decides is written again where it is not what was written.
pub async fn mend(script: &mut Script<'_>, rows: &[RecordRow], spoilt: &BTreeSet<RecordId>) -> Result<(), Fault> {
    for row in rows.iter().filter(|row| spoilt.contains(&row.id)) {
        let update = "UPDATE records SET kind = ?, birth = ?, natural_key = ? WHERE id = ?";
        let bind = |values: &mut Values| {
            values.add(&*row.preimage.kind)?.add(&row.preimage.birth.0[..])?.add(&row.preimage.key[..])?;
            values.add(&row.id.0[..]).map(drop)
        };
        script.step(update, bind).await?;
    }
    Ok(())
}

/// The leaves and grants that are there.
async fn drop_history(script: &mut Script<'_>, dropped: &[RecordId], head: Position) -> Result<(), Fault> {
    if dropped.is_empty() {
        return Ok(());
    }
    let delete = "DELETE FROM feed WHERE entry < 2 AND record IN \
         (SELECT r.key FROM json_each(?) j CROSS JOIN records r ON r.id = unhex(j.value))";
    script.step(delete, |values| values.add(id_list(dropped.iter().map(|id| &id.0))).map(drop)).await?;
    // The last entries of the feed may be among them: the head must not fall back.
    Ok(script.step("UPDATE store SET head = ?", |values| values.add(signed(head)).map(drop)).await?)
}

/// From where they stood; where they stand now is in the feed of the same transaction.
async fn move_leaves(script: &mut Script<'_>, moved: &[Position]) -> Result<(), Fault> {
    if moved.is_empty() {
        return Ok(());
    }
    let delete = "DELETE FROM feed WHERE entry = 0 AND position IN (SELECT value FROM json_each(?))";
    let positions = number_list(moved.iter().map(|position| signed(*position)));
    Ok(script.step(delete, |values| values.add(positions).map(drop)).await?)
}

/// Last in a transaction: what else came in it goes too.
async fn erase(script: &mut Script<'_>, erased: &[RecordId], head: Position) -> Result<(), Fault> {
    if erased.is_empty() {
        return Ok(());
    }
    drop_history(script, erased, head).await?;
    let ids = id_list(erased.iter().map(|id| &id.0));
    for delete in [
        "DELETE FROM refs WHERE source IN \
         (SELECT r.key FROM json_each(?) j CROSS JOIN records r ON r.id = unhex(j.value))",
        "DELETE FROM quarantine WHERE record IN (SELECT unhex(value) FROM json_each(?))",
        "DELETE FROM stranded WHERE record IN (SELECT unhex(value) FROM json_each(?))",
    ] {
        script.step(delete, |values| values.add(&*ids).map(drop)).await?;
    }
    Ok(())
}

/// Outer joins: an entry whose record or commit is not here breaks a constraint, instead of vanishing.
static FEED: Insert = Insert::new(
    "INSERT OR FAIL INTO feed (position, entry, record, commit_key, kind_version, status, hash, origin, seats, change, declared) \
     SELECT v.column1, v.column2, r.key, c.key, v.column5, v.column6, v.column7, v.column8, v.column9, v.column10, v.column11 \
     FROM (VALUES ",
    11,
    ") v LEFT JOIN records r ON r.id = v.column3 LEFT JOIN commits c ON c.id = v.column4",
);

fn bind_entry(entry: &FeedEntry, values: &mut Values) -> Result<(), BoxDynError> {
    values.add(signed(entry.position()))?;
    match entry {
        FeedEntry::Leaf(leaf) => {
            let CommitId(commit) = &leaf.commit;
            let LeafHash(hash) = &leaf.hash;
            values.add(LEAF)?.add(&leaf.record.0[..])?.add(&commit[..])?;
            values.add(i64::from(leaf.kind_version))?.add(i64::from(leaf.status as u8))?.add(&hash[..])?;
            values.add(leaf.origin.as_ref().map(|node| &node.0[..]))?;
            values.add(&b""[..])?.add(&leaf.change[..])?;
            values.add(leaf.declared.as_ref().map(|digest| &digest.0[..])).map(drop)
        }
        FeedEntry::Grant(grant) => {
            values.add(GRANT)?.add(&grant.record.0[..])?.add(None::<&[u8]>)?.add(0)?.add(0)?.add(&grant.hash.0[..])?;
            values.add(grant.origin.as_ref().map(|node| &node.0[..]))?;
            values.add(&b""[..])?.add(&grant.grant[..])?.add(None::<&[u8]>).map(drop)
        }
        FeedEntry::Rescope { record, added, removed, .. } => {
            values.add(RESCOPE)?.add(&record.0[..])?.add(None::<&[u8]>)?.add(0)?.add(0)?.add(&b""[..])?;
            values.add(None::<&[u8]>)?.add(seat_bytes([&added[..], &removed[..]]))?.add(&b""[..])?;
            values.add(None::<&[u8]>).map(drop)
        }
    }
}

pub const LEAF: i64 = 0;
pub const GRANT: i64 = 1;
pub const RESCOPE: i64 = 2;

async fn statuses(script: &mut Script<'_>, changed: &[(Position, LeafStatus)]) -> Result<(), Fault> {
    // Of two judgements of one leaf the later counts.
    let last: BTreeMap<Position, LeafStatus> = changed.iter().copied().collect();
    let mut positions: BTreeMap<LeafStatus, Vec<i64>> = BTreeMap::new();
    for (position, status) in last {
        positions.entry(status).or_default().push(signed(position));
    }
    for (status, positions) in positions {
        let update = "UPDATE feed SET status = ? WHERE entry = 0 AND position IN (SELECT value FROM json_each(?))";
        let bind = |values: &mut Values| values.add(i64::from(status as u8))?.add(number_list(positions)).map(drop);
        script.step(update, bind).await?;
    }
    Ok(())
}

static REFS: Insert = Insert::new(
    "INSERT OR FAIL INTO refs (target, source) SELECT v.column1, r.key FROM (VALUES ",
    2,
    ") v LEFT JOIN records r ON r.id = v.column2",
);

/// Most edits leave a record's references as they were: only the difference is written.
async fn refs(script: &mut Script<'_>, refs: &[(RecordId, Vec<RecordId>)]) -> Result<(), Fault> {
    if refs.is_empty() {
        return Ok(());
    }
    let new: BTreeMap<RecordId, BTreeSet<RecordId>> =
        refs.iter().map(|(source, targets)| (*source, targets.iter().copied().collect())).collect();
    let old = sqlx::query(
        "SELECT r.id, f.target FROM json_each(?) j CROSS JOIN records r ON r.id = unhex(j.value) \
         CROSS JOIN refs f ON f.source = r.key",
    );
    let old = old.bind(id_list(new.keys().map(|id| &id.0))).fetch_all(script.connection().await?).await?;
    let pair = |row: &SqliteRow| {
        let cells = Cells::new(row, "refs", 0);
        Ok::<_, Fault>((RecordId(cells.fixed(1)?), RecordId(cells.fixed(0)?)))
    };
    let old = old.iter().map(pair).collect::<Result<BTreeSet<(RecordId, RecordId)>, _>>()?;
    let new: BTreeSet<(RecordId, RecordId)> =
        new.into_iter().flat_map(|(source, targets)| targets.into_iter().map(move |target| (target, source))).collect();
    let gone: Vec<_> = old.difference(&new).collect();
    if !gone.is_empty() {
        let pairs: Vec<String> = gone.iter().map(|(target, source)| id_list([&target.0, &source.0])).collect();
        let pairs = format!("[{}]", pairs.join(","));
        let delete = "DELETE FROM refs WHERE (target, source) IN \
             (SELECT unhex(j.value ->> 0), r.key FROM json_each(?) j \
             CROSS JOIN records r ON r.id = unhex(j.value ->> 1))";
        script.step(delete, |values| values.add(pairs).map(drop)).await?;
    }
    let added: Vec<_> = new.difference(&old).collect();
    let bind = |(target, source): &&(RecordId, RecordId), values: &mut Values| {
        values.add(&target.0[..])?.add(&source.0[..]).map(drop)
    };
    Ok(REFS.run(script, &added, bind).await?)
}

static CONFLICTS: Insert = Insert::new("INSERT OR FAIL INTO conflicts (id, kind, anchors, body) VALUES ", 4, "");
static ANCHORS: Insert =
    Insert::new("INSERT OR FAIL INTO conflict_anchors (anchor, conflict) VALUES ", 2, " ON CONFLICT DO NOTHING");

async fn conflicts(script: &mut Script<'_>, closed: &[[u8; 32]], opened: &[ConflictRow]) -> Result<(), Fault> {
    if closed.is_empty() && opened.is_empty() {
        return Ok(());
    }
    // A conflict that is opened again replaces its old row.
    let ids = id_list(closed.iter().chain(opened.iter().map(|conflict| &conflict.id)));
    for delete in [
        "DELETE FROM conflict_anchors WHERE conflict IN (SELECT unhex(value) FROM json_each(?))",
        "DELETE FROM conflicts WHERE id IN (SELECT unhex(value) FROM json_each(?))",
    ] {
        script.step(delete, |values| values.add(&*ids).map(drop)).await?;
    }
    let opened: BTreeMap<&[u8; 32], &ConflictRow> = opened.iter().map(|conflict| (&conflict.id, conflict)).collect();
    let opened: Vec<&ConflictRow> = opened.into_values().collect();
    let bind = |conflict: &&ConflictRow, values: &mut Values| {
        let anchors = conflict.anchors.iter().flat_map(|anchor| anchor.0).collect::<Vec<u8>>();
        values.add(&conflict.id[..])?.add(&*conflict.kind)?.add(anchors)?.add(&conflict.body[..]).map(drop)
    };
    CONFLICTS.run(script, &opened, bind).await?;
    let anchors: Vec<(&RecordId, &[u8; 32])> =
        opened.iter().flat_map(|conflict| conflict.anchors.iter().map(|anchor| (anchor, &conflict.id))).collect();
    let bind = |(anchor, conflict): &(&RecordId, &[u8; 32]), values: &mut Values| {
        values.add(&anchor.0[..])?.add(&conflict[..]).map(drop)
    };
    Ok(ANCHORS.run(script, &anchors, bind).await?)
}

static CURSORS: Insert = Insert::new(
    "INSERT OR FAIL INTO cursors (store, incarnation, position) VALUES ",
    3,
    " ON CONFLICT (store) DO UPDATE SET incarnation = excluded.incarnation, position = excluded.position",
);
static QUARANTINE: Insert = Insert::new(
    "INSERT OR FAIL INTO quarantine (id, record, sender, code, reason, at_ms, bytes) VALUES ",
    7,
    " ON CONFLICT (id) DO NOTHING",
);
static COMMANDS: Insert =
    Insert::new("INSERT OR FAIL INTO commands (id, answer) VALUES ", 2, " ON CONFLICT (id) DO NOTHING");

async fn ledgers(script: &mut Script<'_>, transaction: &Transaction) -> Result<(), Fault> {
    let bind = |cursor: &heliu_storage::Cursor, values: &mut Values| {
        values.add(&cursor.store.0[..])?.add(&cursor.incarnation.0[..])?.add(signed(cursor.position)).map(drop)
    };
    CURSORS.run(script, &transaction.cursors, bind).await?;
    let bind = |row: &heliu_storage::QuarantineRow, values: &mut Values| {
        values.add(&row.id[..])?.add(row.record.as_ref().map(|id| &id.0[..]))?;
        values.add(row.from.as_ref().map(|node| &node.0[..]))?.add(&*row.code)?.add(&*row.reason)?;
        values.add(row.at_ms)?.add(&row.bytes[..]).map(drop)
    };
    if !transaction.unquarantined.is_empty() {
        let delete = "DELETE FROM quarantine WHERE id IN (SELECT unhex(value) FROM json_each(?))";
        script.step(delete, |values| values.add(id_list(&transaction.unquarantined)).map(drop)).await?;
    }
    QUARANTINE.run(script, &transaction.quarantined, bind).await?;
    let bind = |(id, answer): &(heliu_storage::CommandId, Vec<u8>), values: &mut Values| {
        values.add(&id.0[..])?.add(&answer[..]).map(drop)
    };
    Ok(COMMANDS.run(script, &transaction.commands, bind).await?)
}

static STATEMENTS: Insert = Insert::new(
    "INSERT OR FAIL INTO statements (hash, kind, author, seat, subject, bytes) VALUES ",
    6,
    " ON CONFLICT (hash) DO NOTHING",
);
static AUDIT: Insert = Insert::new("INSERT OR FAIL INTO audit (seq, time_ms, hash, encoded) VALUES ", 4, "");
static STRANDED: Insert = Insert::new(
    "INSERT OR FAIL INTO stranded (leaf, record, at_ms, state, again, reason) VALUES ",
    6,
    " ON CONFLICT (leaf) DO UPDATE SET record = excluded.record, at_ms = excluded.at_ms, state = excluded.state, \
     again = excluded.again, reason = excluded.reason",
);

/// What is signed or told beside records: statements, the audit log, stranded edits, who is declined.
async fn attested(script: &mut Script<'_>, transaction: &Transaction) -> Result<(), Fault> {
    if !transaction.statements_dropped.is_empty() {
        let delete = "DELETE FROM statements WHERE hash IN (SELECT unhex(value) FROM json_each(?))";
        script.step(delete, |values| values.add(id_list(&transaction.statements_dropped)).map(drop)).await?;
    }
    let bind = |row: &heliu_storage::StatementRow, values: &mut Values| {
        values.add(&row.hash[..])?.add(i64::from(row.kind))?.add(&row.author.0[..])?;
        values.add(&row.seat.0[..])?.add(&row.subject[..])?.add(&row.bytes[..]).map(drop)
    };
    STATEMENTS.run(script, &transaction.statements, bind).await?;
    let bind = |row: &heliu_storage::AuditRow, values: &mut Values| {
        values.add(signed(row.seq))?.add(row.time_ms)?.add(&row.hash[..])?.add(&row.encoded[..]).map(drop)
    };
    AUDIT.run(script, &transaction.audit, bind).await?;
    let bind = |row: &heliu_storage::StrandedRow, values: &mut Values| {
        let (state, again) = stranded_columns(&row.state);
        values.add(&row.leaf.0[..])?.add(&row.record.0[..])?.add(row.at_ms)?;
        values.add(state)?.add(again)?.add(&*row.reason).map(drop)
    };
    STRANDED.run(script, &transaction.stranded, bind).await?;
    for (seat, is_declined) in &transaction.declined {
        let sql = if *is_declined {
            "INSERT INTO declined (seat) VALUES (?) ON CONFLICT (seat) DO NOTHING"
        } else {
            "DELETE FROM declined WHERE seat = ?"
        };
        script.step(sql, |values| values.add(&seat.0[..]).map(drop)).await?;
    }
    Ok(())
}
