//! tmp
use sqlx::{ConnectOptions as _, Row as _};
#[tokio::main]
async fn main() {
    let mut c = sqlx::sqlite::SqliteConnectOptions::new().filename("/dev/shm/p.db").create_if_missing(true).journal_mode(sqlx::sqlite::SqliteJournalMode::Wal).pragma("cache_size", "-64").pragma("mmap_size","0").pragma("temp_store","MEMORY").connect().await.unwrap();
    for p in ["PRAGMA cache_size","PRAGMA temp_store","PRAGMA synchronous","PRAGMA journal_mode","PRAGMA cache_spill","PRAGMA page_size","PRAGMA mmap_size", "SELECT sqlite_version()"] { let r = sqlx::query(p).fetch_one(&mut c).await.unwrap(); println!("{p} {:?} {:?}", r.try_get::<i64,_>(0), r.try_get::<String,_>(0)); }
    for r in sqlx::query("PRAGMA compile_options").fetch_all(&mut c).await.unwrap() { print!("{} ", r.get::<String,_>(0)); }
}
