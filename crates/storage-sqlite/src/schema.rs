//! The format of the file: which version it has, and how it is brought up to this program's.
//!
//! The scripts are run by hand and not by `sqlx::migrate!`: the version stands in the file's header (`user_version`),
//! which can be read before anything is written, and which a copy of the file cannot lose.

use std::path::Path;

use heliu_storage::{StoreError, StoreId};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::fault::Fault;

/// Script n brings version n to version n + 1. A script that has been released never changes.
const SCRIPTS: [&str; 5] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_scopes.sql"),
    include_str!("../migrations/0003_listing.sql"),
    include_str!("../migrations/0004_by_scope.sql"),
    include_str!("../migrations/0005_blocks.sql"),
];

/// The format that this program writes.
pub const VERSION: u32 = SCRIPTS.len() as u32;

/// "HELU": tells `file` and us whose file this is.
const APPLICATION_ID: i64 = 0x4845_4c55;

/// Makes or upgrades the tables. `store` is the identity of a store that is made now.
pub async fn prepare(connection: &mut SqliteConnection, path: &Path, store: StoreId) -> Result<(), Fault> {
    let found = header(connection, "PRAGMA user_version").await?;
    let application = header(connection, "PRAGMA application_id").await?;
    let is_new = found == 0 && application == 0;
    if !is_new && application != APPLICATION_ID {
        let detail = format!("{} is not a heliu store (application id {application:#x})", path.display());
        return Err(StoreError::Damaged { what: "the SQLite file", detail }.into());
    }
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    if found > VERSION {
        return Err(StoreError::TooNew { path: path.display().to_string(), found, known: VERSION }.into());
    }
    if found == VERSION {
        return Ok(());
    }
    // All scripts and the identity in one transaction: a crash leaves either the old version or the new.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for script in &SCRIPTS[found as usize..] {
        sqlx::raw_sql(*script).execute(&mut *transaction).await?;
    }
    if is_new {
        let insert = sqlx::query("INSERT INTO store (one, id, head) VALUES (1, ?, 0)").bind(&store.0[..]);
        insert.execute(&mut *transaction).await?;
    }
    let stamp = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}");
    sqlx::raw_sql(AssertSqlSafe(stamp)).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

async fn header(connection: &mut SqliteConnection, pragma: &'static str) -> Result<i64, Fault> {
    Ok(sqlx::query(pragma).fetch_one(connection).await?.try_get(0)?)
}
