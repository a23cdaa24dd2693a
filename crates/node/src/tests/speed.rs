//! What one node does in a second, for people who look: `cargo test --release -p heliu-node speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use heliu_storage::Read;

use super::stopping::sqlite;
use super::world::{COUNTY, County, Place, TOWNSHIP, VILLAGE, create};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, in release builds"]
async fn speed_of_commands_at_one_node() {
    let seats = County::new();
    for clerks in [1, 4, 64, 512] {
        let directory = tempfile::tempdir().expect("a directory");
        let village = Place::start(seats.options(VILLAGE, &[]), sqlite(directory.path()).await).await;
        let began = Instant::now();
        let tasks: Vec<_> = (0..clerks).map(|clerk| tokio::spawn(write(village.node.clone(), clerk))).collect();
        let mut done = 0;
        let mut slowest = Duration::ZERO;
        for task in tasks {
            let (count, worst) = task.await.expect("it ends");
            done += count;
            slowest = slowest.max(worst);
        }
        let per_second = f64::from(done) / began.elapsed().as_secs_f64();
        { use crate::runner::reads::*; let g = |x: &std::sync::atomic::AtomicU64| x.swap(0, std::sync::atomic::Ordering::Relaxed);
        println!("apply {} us x {}; load {} us x {}", g(&APPLY), g(&APPLIES), g(&LOAD), g(&LOADS)); }
        println!("{clerks:4} writers: {per_second:8.0} commands/s, slowest {slowest:?}");
        village.stop().await.close().await.expect("it closes");
    }
}

async fn write(node: crate::NodeHandle, clerk: usize) -> (u32, Duration) {
    let (began, mut done, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while began.elapsed() < Duration::from_secs(3) {
        let asked = Instant::now();
        node.execute(create(&format!("支部{clerk}-{done}"))).await.expect("it is carried out");
        slowest = slowest.max(asked.elapsed());
        done += 1;
    }
    (done, slowest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, in release builds"]
async fn speed_of_catching_up_and_of_reconnecting() {
    const RECORDS: u64 = 20_000;
    let seats = County::new();
    let (above, below) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("one"));
    let township = Place::start(seats.options(TOWNSHIP, &[]), sqlite(above.path()).await).await;
    for n in 0..RECORDS / 500 {
        let writes = (0..500).map(|m| township.node.execute(create(&format!("支部{n}-{m}"))));
        assert!(futures::future::join_all(writes).await.iter().all(Result::is_ok));
    }
    let store = sqlite(below.path()).await;
    let began = Instant::now();
    let mut options = seats.options(COUNTY, &[township.address()]);
    options.upstreams.clear();
    let county = Place::start(options, store).await;
    let at = county.address();
    let store = township.stop().await;
    let township = Place::start(seats.options(TOWNSHIP, &[at]), store).await;
    while county.store.counts().await.expect("it reads").records < RECORDS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    let traffic = township.link().await.traffic;
    let (per_second, bytes) = (RECORDS as f64 / seconds, traffic.bytes_out / RECORDS);
    println!("bootstrap: {per_second:.0} records/s, {bytes} bytes per record");
    township.is_live().await;
    let store = township.stop().await;
    let began = Instant::now();
    let township = Place::start(seats.options(TOWNSHIP, &[at]), store).await;
    let started = began.elapsed();
    while township.link().await.verified_ms.is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("start {started:?}, in step and verified after {:?}: {:?}", began.elapsed(), township.link().await.traffic);
}
