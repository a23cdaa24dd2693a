//! Reading leaves, their commits and grants: pages of the feed, histories of records.
//!
//! A page is read in two statements: the first sees one state of the store; commits, read by the second, never change
//! once they are there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::TryStreamExt as _;
use heliu_record::gate::KindDigest;
use heliu_record::id::{LeafHash, Preimage, RecordId};
use heliu_record::scope::Scope;
use heliu_storage::{
    Budget, DamagedEntry, FeedEntry, FeedItem, FeedPage, GrantHash, GrantRow, LeafRow, LeafStatus, Loaded, Position,
    RecordRow, StoreError,
};
use heliu_trust::id::{CommitId, NodeId};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::apply::{GRANT, LEAF, RESCOPE};
use crate::convert::{
    Cells, RECORD_COLUMN_COUNT, RECORD_COLUMNS, id_list, limit, number_list, preimage, read_scope, read_seats,
    record_row, signed, spoilt_row,
};
use crate::fault::Fault;

/// What [`leaf`] reads from. The columns of the record follow, from [`ITEM_RECORD`] on.
const FEED_COLUMNS: &str = "f.position, f.entry, f.record, f.commit_key, f.kind_version, f.status, f.hash, f.origin, \
     f.seats, f.change, f.declared";
const ITEM_RECORD: usize = 11;

/// The record by an outer join: an entry without one is damage that must show.
const ITEM_COLUMNS: &str = "r.id, r.kind, r.birth, r.natural_key, r.scope";

pub async fn page(
    connection: &mut SqliteConnection,
    head: Position,
    after: Position,
    budget: Budget,
) -> Result<FeedPage, Fault> {
    let mut assembly = Assembly::default();
    let (mut seen, mut bytes) = (0, 0);
    // One entry more than wanted: whether there is one tells how far this page has looked.
    let sql = format!(
        "SELECT {FEED_COLUMNS}, {ITEM_COLUMNS} FROM feed f LEFT JOIN records r ON r.key = f.record \
         WHERE f.position > ? ORDER BY f.position LIMIT +?"
    );
    let entries = budget.entries.max(1);
    let query = sqlx::query(AssertSqlSafe(sql)).bind(signed(after)).bind(limit(entries.saturating_add(1)));
    let mut rows = query.fetch(&mut *connection);
    let mut through = head;
    while let Some(row) = rows.try_next().await? {
        let position = Cells::new(&row, "feed", 0).u64(0)?;
        let item = assembly.item(&row);
        bytes += item.as_ref().map_or(0, |item| item.entry.change_len());
        if seen > 0 && (seen >= entries || bytes > budget.bytes) {
            through = position.saturating_sub(1);
            break;
        }
        seen += 1;
        through = through.max(position);
        assembly.keep(position, &row, item)?;
    }
    drop(rows);
    assembly.finish(connection, through).await
}

pub async fn leaves_of(
    connection: &mut SqliteConnection,
    head: Position,
    ids: &BTreeSet<RecordId>,
) -> Result<FeedPage, Fault> {
    let mut assembly = Assembly::default();
    let sql = format!(
        "SELECT {FEED_COLUMNS}, {ITEM_COLUMNS} FROM json_each(?) j \
         CROSS JOIN records r ON r.id = unhex(j.value) AND r.state < 2 \
         CROSS JOIN feed f ON f.record = r.key AND f.entry < 2"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(id_list(ids.iter().map(|id| &id.0)));
    let mut rows = query.fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        let item = assembly.item(&row);
        assembly.keep(Cells::new(&row, "feed", 0).u64(0)?, &row, item)?;
    }
    drop(rows);
    assembly.items.sort_unstable_by_key(|item| item.entry.position());
    let through = assembly.items.last().map_or(head, |item| head.max(item.entry.position()));
    assembly.finish(connection, through).await
}

/// Items whose commits are not read yet. What items share is made once.
#[derive(Default)]
struct Assembly {
    items: Vec<FeedItem>,
    records: BTreeMap<i64, (RecordId, Arc<Preimage>, Arc<Scope>)>,
    commit_keys: BTreeMap<Position, i64>,
    damaged: Vec<DamagedEntry>,
}

impl Assembly {
    fn item(&mut self, row: &SqliteRow) -> Result<FeedItem, Fault> {
        let cells = Cells::new(row, "feed", 0);
        let key: i64 = cells.get(2)?;
        let (record, preimage, scope) = match self.records.get(&key) {
            Some(known) => known.clone(),
            None => {
                if cells.get::<Option<&[u8]>>(ITEM_RECORD)?.is_none() {
                    return Err(cells.damaged(&format!("there is no record {key}")));
                }
                let cells = Cells::new(row, "records", ITEM_RECORD);
                let preimage = Arc::new(preimage(&cells, ITEM_RECORD + 1)?);
                let scope = Arc::new(cells.decode(ITEM_RECORD + 4, read_scope)?);
                let record = (RecordId(cells.fixed(ITEM_RECORD)?), preimage, scope);
                self.records.insert(key, record.clone());
                record
            }
        };
        let entry = match cells.get::<i64>(1)? {
            LEAF => {
                let (leaf, commit) = leaf(&cells, record)?;
                self.commit_keys.insert(leaf.position, commit);
                FeedEntry::Leaf(leaf)
            }
            GRANT => FeedEntry::Grant(grant(&cells, record)?),
            RESCOPE => {
                let (added, removed) = cells.decode(8, |reader| Ok((read_seats(reader)?, read_seats(reader)?)))?;
                FeedEntry::Rescope { position: cells.u64(0)?, record, added, removed }
            }
            other => return Err(cells.damaged(&format!("entry kind {other}"))),
        };
        Ok(FeedItem { entry, preimage, scope, commit: None })
    }

    /// Reads an entry of a page. One that cannot be read is left out and reported, and the page goes on.
    fn keep(&mut self, position: Position, row: &SqliteRow, item: Result<FeedItem, Fault>) -> Result<(), Fault> {
        match item {
            Ok(item) => self.items.push(item),
            Err(Fault::Store(error @ StoreError::Damaged { .. })) => {
                let record = Cells::new(row, "records", ITEM_RECORD).optional(ITEM_RECORD).ok().flatten().map(RecordId);
                self.damaged.push(DamagedEntry { position, record, detail: error.to_string() });
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    async fn finish(self, connection: &mut SqliteConnection, through: Position) -> Result<FeedPage, Fault> {
        let Assembly { mut items, commit_keys, mut damaged, .. } = self;
        let commits = commits(connection, commit_keys.values().copied()).await?;
        items.retain_mut(|item| {
            let FeedEntry::Leaf(leaf) = &mut item.entry else { return true };
            item.commit = commits.complete(leaf, commit_keys.get(&leaf.position));
            if item.commit.is_none() {
                let detail = format!("feed: row {}: its commit is not here", leaf.position);
                damaged.push(DamagedEntry { position: leaf.position, record: Some(leaf.record), detail });
            }
            item.commit.is_some()
        });
        damaged.sort_unstable_by_key(|entry| entry.position);
        Ok(FeedPage { items, through, damaged })
    }
}

/// Reads a leaf from [`FEED_COLUMNS`]; of its commit only the key is known yet.
fn leaf(cells: &Cells, record: RecordId) -> Result<(LeafRow, i64), Fault> {
    let status = u8::try_from(cells.get::<i64>(5)?).ok().and_then(LeafStatus::from_u8);
    let leaf = LeafRow {
        position: cells.u64(0)?,
        record,
        hash: LeafHash(cells.fixed(6)?),
        commit: CommitId([0; 32]),
        author: NodeId([0; 16]),
        kind_version: cells.u32(4)?,
        status: status.ok_or_else(|| cells.damaged(&"an unknown status"))?,
        origin: cells.optional(7)?.map(NodeId),
        declared: cells.optional(10)?.map(KindDigest),
        change: cells.get::<&[u8]>(9)?.into(),
    };
    Ok((leaf, cells.get(3)?))
}

/// Reads a grant from [`FEED_COLUMNS`].
fn grant(cells: &Cells, record: RecordId) -> Result<GrantRow, Fault> {
    Ok(GrantRow {
        position: cells.u64(0)?,
        record,
        hash: GrantHash(cells.fixed(6)?),
        origin: cells.optional(7)?.map(NodeId),
        grant: cells.get::<&[u8]>(9)?.into(),
    })
}

struct Commits(BTreeMap<i64, (CommitId, NodeId, Arc<[u8]>)>);

async fn commits(connection: &mut SqliteConnection, keys: impl Iterator<Item = i64>) -> Result<Commits, Fault> {
    let keys: BTreeSet<i64> = keys.collect();
    let mut commits = BTreeMap::new();
    if keys.is_empty() {
        return Ok(Commits(commits));
    }
    let query = sqlx::query(
        "SELECT c.key, c.id, c.author, c.encoded FROM json_each(?) j CROSS JOIN commits c ON c.key = j.value",
    );
    let query = query.bind(number_list(keys));
    let mut rows = query.fetch(connection);
    while let Some(row) = rows.try_next().await? {
        let cells = Cells::new(&row, "commits", 0);
        // A commit that cannot be read counts as missing, and its leaves as damaged.
        let (Ok(id), Ok(author), Ok(encoded)) = (cells.fixed(1), cells.fixed(2), cells.get::<&[u8]>(3)) else {
            continue;
        };
        commits.insert(cells.get(0)?, (CommitId(id), NodeId(author), encoded.into()));
    }
    Ok(Commits(commits))
}

impl Commits {
    /// None if its commit is not here.
    fn complete(&self, leaf: &mut LeafRow, key: Option<&i64>) -> Option<Arc<[u8]>> {
        let (id, author, encoded) = self.0.get(key?)?;
        (leaf.commit, leaf.author) = (*id, *author);
        Some(encoded.clone())
    }
}

/// One statement, so that rows and leaves are of one state; two parts, so that a record with a long history does not
/// come with a copy of its view for each leaf.
pub async fn load(connection: &mut SqliteConnection, ids: &[RecordId]) -> Result<Vec<Loaded>, Fault> {
    let sql = format!(
        "SELECT r.key, {RECORD_COLUMNS}, 1 FROM json_each(?1) j CROSS JOIN records r ON r.id = unhex(j.value) \
         UNION ALL \
         SELECT {FEED_COLUMNS}, NULL, NULL, NULL, NULL, NULL, NULL, 0 FROM json_each(?1) j \
         CROSS JOIN records r ON r.id = unhex(j.value) CROSS JOIN feed f ON f.record = r.key AND f.entry < 2"
    );
    let mut found: BTreeMap<RecordId, Parts> = BTreeMap::new();
    let mut by_key: BTreeMap<i64, RecordId> = BTreeMap::new();
    let mut commit_keys = Vec::new();
    let wanted: BTreeSet<RecordId> = ids.iter().copied().collect();
    let query = sqlx::query(AssertSqlSafe(sql)).bind(id_list(wanted.iter().map(|id| &id.0)));
    let mut rows = query.fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        let cells = Cells::new(&row, "records", 0);
        // The last column tells the two parts apart.
        if cells.get::<i64>(RECORD_COLUMN_COUNT + 1)? == 1 {
            let (key, cells) = (cells.get(0)?, Cells::new(&row, "records", 1));
            let (row, spoilt) = match record_row(&cells, 1) {
                Err(Fault::Store(error @ StoreError::Damaged { .. })) => {
                    (spoilt_row(&cells, 1)?, Some(error.to_string()))
                }
                row => (row?, None),
            };
            if !wanted.contains(&row.id) {
                return Err(Fault::Index { table: "records", key: row.id.to_string() });
            }
            by_key.insert(key, row.id);
            found.insert(row.id, Parts { row, spoilt, leaves: Vec::new(), grants: Vec::new() });
            continue;
        }
        let cells = Cells::new(&row, "feed", 0);
        let record = by_key.get(&cells.get(2)?).and_then(|id| found.get_mut(id));
        let parts = record.ok_or_else(|| cells.damaged(&"its record is not here"))?;
        if cells.get::<i64>(1)? == GRANT {
            parts.grants.push(grant(&cells, parts.row.id)?);
            continue;
        }
        let (leaf, commit) = legible(&cells, parts.row.id)?;
        commit_keys.extend(commit);
        parts.leaves.push((leaf, commit));
    }
    drop(rows);
    let commits = commits(connection, commit_keys.into_iter()).await?;
    Ok(ids.iter().filter_map(|id| found.remove(id)).map(|parts| parts.finish(&commits)).collect())
}

/// Leaves of one record after a position, and whether there are more.
pub async fn history(
    connection: &mut SqliteConnection,
    id: RecordId,
    after: Position,
    budget: Budget,
) -> Result<(Vec<LeafRow>, bool), Fault> {
    let sql = format!(
        "SELECT {FEED_COLUMNS} FROM feed f WHERE f.record = (SELECT key FROM records WHERE id = ?) AND f.entry = {LEAF} \
         AND f.position > ? ORDER BY f.position"
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(&id.0[..]).bind(signed(after));
    let mut rows = query.fetch(&mut *connection);
    let mut leaves: Vec<(LeafRow, Option<i64>)> = Vec::new();
    let (mut bytes, mut more) = (0, false);
    while let Some(row) = rows.try_next().await? {
        let (leaf, commit) = legible(&Cells::new(&row, "feed", 0), id)?;
        bytes += leaf.change.len();
        if !leaves.is_empty() && (leaves.len() >= budget.entries || bytes > budget.bytes) {
            more = true;
            break;
        }
        leaves.push((leaf, commit));
    }
    drop(rows);
    let commits = commits(connection, leaves.iter().filter_map(|(_, key)| *key)).await?;
    let complete = |(mut leaf, key): (LeafRow, Option<i64>)| {
        commits.complete(&mut leaf, key.as_ref());
        leaf
    };
    Ok((leaves.into_iter().map(complete).collect(), more))
}

/// As [`leaf`], but one leaf that cannot be read must not take its record with it: what is illegible is left empty. Whoever
/// loads a record checks each leaf by its hash and its commit, and so finds that it is damaged; status and origin are not
/// in the hash, and are judged again or not missed.
fn legible(cells: &Cells, record: RecordId) -> Result<(LeafRow, Option<i64>), Fault> {
    let status = cells.get::<i64>(5).ok().and_then(|status| u8::try_from(status).ok()).and_then(LeafStatus::from_u8);
    let leaf = LeafRow {
        position: cells.u64(0)?,
        record,
        hash: LeafHash(cells.fixed(6).unwrap_or_default()),
        commit: CommitId([0; 32]),
        author: NodeId([0; 16]),
        kind_version: cells.u32(4).unwrap_or(u32::MAX),
        status: status.unwrap_or(LeafStatus::Waiting),
        origin: cells.optional(7).ok().flatten().map(NodeId),
        declared: cells.optional(10).ok().flatten().map(KindDigest),
        change: cells.get::<&[u8]>(9).unwrap_or_default().into(),
    };
    Ok((leaf, cells.get(3).ok()))
}

struct Parts {
    row: RecordRow,
    spoilt: Option<String>,
    /// With the key of its commit, if that can be read.
    leaves: Vec<(LeafRow, Option<i64>)>,
    grants: Vec<GrantRow>,
}

impl Parts {
    fn finish(mut self, commits: &Commits) -> Loaded {
        self.leaves.sort_unstable_by_key(|(leaf, _)| leaf.position);
        self.grants.sort_unstable_by_key(|grant| grant.position);
        let Parts { row, spoilt, leaves, grants } = self;
        let mut loaded = Loaded { row, leaves: Vec::new(), commits: Vec::new(), grants, spoilt };
        for (mut leaf, key) in leaves {
            let commit = commits.complete(&mut leaf, key.as_ref());
            // No bytes are no commit: whoever loads the record finds that the leaf is damaged.
            loaded.commits.push(commit.unwrap_or_else(|| Arc::from(&[][..])));
            loaded.leaves.push(leaf);
        }
        loaded
    }
}
