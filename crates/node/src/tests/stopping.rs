//! Shutting down: nothing acknowledged is lost, everybody is told, and it ends in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use heliu_replication::frame::{Frame, RefuseCode};
use heliu_storage::{Store, StoreId};
use heliu_storage_sqlite::{Options as StoreOptions, SqliteStore};
use heliu_trust::id::Incarnation;

use super::world::{COUNTY, County, Place, TOWNSHIP, VILLAGE, connect_as, create, until};
use crate::ExecuteError;
use crate::begin::random;

/// A shutdown that something holds up takes its whole deadline, which is twice this; a slow machine is not that slow.
const IN_TIME: Duration = Duration::from_secs(30);

async fn sqlite(path: &std::path::Path) -> Arc<dyn Store> {
    let drawn = || random().expect("random bytes");
    let options = StoreOptions::new(StoreId(drawn()), Incarnation(drawn()));
    Arc::new(SqliteStore::open(path, options).await.expect("it opens"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_under_load_loses_nothing_that_was_acknowledged() {
    let seats = County::new();
    let directory = tempfile::tempdir().expect("a directory");
    let township = seats.start(TOWNSHIP, &[]).await;
    let village = Place::start(seats.options(VILLAGE, &[township.address()]), sqlite(directory.path()).await).await;
    let done = Arc::new(AtomicUsize::new(0));
    let clerks: Vec<_> = (0..8)
        .map(|clerk| {
            let (node, done) = (village.node.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                loop {
                    let request = create(&format!("支部{clerk}-{}", acknowledged.len()));
                    let id = request.id;
                    match node.execute(request).await {
                        Ok(_) => {
                            acknowledged.push(id);
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => return (acknowledged, error),
                    }
                }
            })
        })
        .collect();
    until("there is load", async || done.load(Ordering::Relaxed) > 20).await;
    let began = Instant::now();
    let store = village.stop().await;
    assert!(began.elapsed() < IN_TIME, "it took {:?}", began.elapsed());
    store.close().await.expect("it closes");
    let mut acknowledged = Vec::new();
    for clerk in clerks {
        let (ids, error) = clerk.await.expect("it ends");
        assert!(matches!(error, ExecuteError::ShuttingDown | ExecuteError::Stopped), "{error}");
        acknowledged.extend(ids);
    }
    let store = sqlite(directory.path()).await;
    for id in &acknowledged {
        assert!(!store.commands(&[*id]).await.expect("it reads").is_empty(), "{id} was acknowledged and is gone");
    }
    assert!(store.counts().await.expect("it reads").records >= acknowledged.len() as u64);
    // And it goes on where it was.
    let village = Place::start(seats.options(VILLAGE, &[township.address()]), store).await;
    let record = village.found("重启之后").await;
    township.has(record).await;
    until("everything is at the township", async || {
        let counts = township.store.counts().await.expect("it reads");
        counts.records > acknowledged.len() as u64
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_tells_its_links_and_its_address_is_free() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    township.is_live().await;
    let at = county.address();
    // A program that is connected and idle does not hold it up.
    let client = seats.client(COUNTY, &county).await;
    client.status().await.expect("it answers");
    // A node that dials again at once would soon say that nobody listens; this one keeps what it was told.
    let (said, mut says) = connect_as(&seats, "mirror", at).await;
    let told = tokio::spawn(async move {
        let _said = said;
        loop {
            let message = says.message().await.ok()??;
            if let Ok(Frame::Refuse(why)) = Frame::try_from(message) {
                return Some(why.code);
            }
        }
    });
    let began = Instant::now();
    let (handle, store) = (county.node.clone(), county.stop().await);
    assert!(began.elapsed() < IN_TIME, "it took {:?}", began.elapsed());
    assert_eq!(client.status().await.expect_err("it is gone").reason(), "unreachable");
    assert_eq!(told.await.expect("it ends"), Some(RefuseCode::ShuttingDown));
    assert!(matches!(handle.execute(create("太晚")).await, Err(ExecuteError::ShuttingDown | ExecuteError::Stopped)));
    assert!(handle.status().await.is_err());
    handle.shutdown().await.expect("twice is as good as once");
    let mut options = seats.options(COUNTY, &[]);
    options.listen = at;
    let _county = Place::start(options, store).await;
    township.is_live().await;
}
