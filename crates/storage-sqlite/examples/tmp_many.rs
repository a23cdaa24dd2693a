//! tmp
use heliu_storage::conformance::sample::*;
use heliu_storage::{Read as _, Write as _};
use heliu_storage_sqlite::{Options, SqliteStore};
fn rss() -> String {
    std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .filter(|l| l.starts_with("VmRSS") || l.starts_with("Threads"))
        .collect::<Vec<_>>()
        .join(" ")
}
#[tokio::main]
async fn main() {
    let d = tempfile::tempdir_in("/dev/shm").unwrap();
    println!("{}", rss());
    let mut all = vec![];
    let t = std::time::Instant::now();
    for n in 0..400 {
        all.push(SqliteStore::open(d.path().join(n.to_string()), Options::new(STORE, FIRST)).await.unwrap());
    }
    println!("opened 400: {} {:?}", rss(), t.elapsed());
    let numbers: Vec<u64> = (0..60).collect();
    for (i, s) in all.iter().enumerate() {
        s.apply(&edit(0, &commit(AUTHOR, 1), &numbers)).await.unwrap();
        for k in 0..10 {
            s.apply(&edit(60 + k, &commit(AUTHOR, 2 + k), &[k])).await.unwrap();
        }
        let _ = i;
    }
    println!("written: {}", rss());
    for s in &all {
        contents(s).await;
    }
    println!("read: {}", rss());
    let big: Vec<u64> = (0..1000).collect();
    for s in &all {
        s.apply(&edit(70, &commit(AUTHOR, 100), &big)).await.unwrap();
    }
    println!("1000 rows in each: {}", rss());
    for s in &all {
        contents(s).await;
    }
    println!("read: {}", rss());
    if let Some(p) = std::env::args().nth(2) {
        let s = SqliteStore::open(&p, Options::new(STORE, FIRST)).await.unwrap();
        let mut head = 0;
        let mut seq = 0;
        let e = loop {
            seq += 1;
            match s.apply(&edit(head, &commit(AUTHOR, seq), &numbers)).await {
                Ok(()) => head += 60,
                Err(e) => break e,
            }
        };
        println!("{e:?} at head {head}, meta {:?}", s.meta().await.map(|m| m.head));
        println!("again: {:?}", s.apply(&edit(head, &commit(AUTHOR, seq), &numbers)).await);
        std::fs::remove_file(format!("{p}/ballast")).unwrap();
        println!("space back: {:?}", s.apply(&edit(head, &commit(AUTHOR, seq), &numbers)).await);
        println!("{:?} {:?}", s.verify().await, s.counts().await);
    }
}
