//! A county, its township and a village as three real nodes on real stores, each on threads of its own; and what they use:
//! processor time by thread, memory by the allocator, bytes in their folders and in their log.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use heliu_catalogue::catalogue;
use heliu_node::{Anchor, Node, NodeHandle, Options, Retry, Upstream};
use heliu_record::command::{CommandId, Request};
use heliu_record::hash::hash16;
use heliu_storage::StoreId;
use heliu_storage_sqlite::SqliteStore;
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::Incarnation;
use tokio::runtime::{Builder, Runtime};

use crate::author::{COUNTY, County, STRANGER, TOWNSHIP, key};

/// Bytes that all nodes of this process have written into their log.
static LOGGED: AtomicU64 = AtomicU64::new(0);

struct Counting;

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A tier, by the name of its threads.
pub struct Tier {
    pub name: &'static str,
    pub node: NodeHandle,
    folder: PathBuf,
    pub runtime: Runtime,
    /// Threads of its store, by their ids: all stores name theirs alike.
    store: BTreeSet<OsString>,
}

pub struct Site {
    pub county: County,
    /// The county, the township, and the village that is not the attacker's.
    pub tiers: Vec<Tier>,
    folder: tempfile::TempDir,
}

/// What a site has used up to a moment.
#[derive(Clone, Debug)]
pub struct Used {
    at: Instant,
    /// Of each tier with its store, and of threads of stores that were made later.
    cpu: Vec<Duration>,
    disk: u64,
    log: u64,
}

impl Site {
    /// # Panics
    /// If no node can be started on this machine.
    #[must_use]
    pub fn start() -> Self {
        let log = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::INFO);
        let _ = log.with_ansi(false).with_writer(|| Counting).try_init(); // It is there already for a second site.
        let (county, folder) = (County::new(), tempfile::tempdir().expect("a temporary directory"));
        let mut tiers: Vec<Tier> = Vec::new();
        for (name, code, seed) in [("county", COUNTY, 1), ("township", TOWNSHIP, 2), ("village", STRANGER, 3)] {
            let above = tiers.last().map(|tier| tier.node.address());
            tiers.push(start(&county, folder.path(), name, code, seed, above));
        }
        Site { county, tiers, folder }
    }

    #[must_use]
    pub fn tier(&self, name: &str) -> &Tier {
        self.tiers.iter().find(|tier| tier.name == name).unwrap_or(&self.tiers[0])
    }

    #[must_use]
    pub fn used(&self) -> Used {
        let threads = threads();
        let of = |is_its: &dyn Fn(&Thread) -> bool| {
            threads.iter().filter(|thread| is_its(thread)).map(|thread| thread.cpu).sum()
        };
        let its = |tier: &Tier, thread: &Thread| thread.name.starts_with(tier.name) || tier.store.contains(&thread.id);
        let mut cpu: Vec<Duration> = self.tiers.iter().map(|tier| of(&|thread| its(tier, thread))).collect();
        cpu.push(of(&|thread| thread.name.starts_with(STORE) && !self.tiers.iter().any(|tier| its(tier, thread))));
        let disk = self.tiers.iter().map(|tier| bytes_in(&tier.folder)).sum();
        Used { at: Instant::now(), cpu, disk, log: LOGGED.load(Ordering::Relaxed) }
    }

    /// Ends all nodes, the lowest first.
    pub fn stop(mut self) {
        while let Some(tier) = self.tiers.pop() {
            let _ = tier.runtime.block_on(tier.node.shutdown()); // It is over either way.
            tier.runtime.shutdown_timeout(Duration::from_secs(5));
        }
        drop(self.folder);
    }
}

impl Used {
    #[must_use]
    pub fn seconds_since(&self, before: &Used) -> f64 {
        self.at.duration_since(before.at).as_secs_f64()
    }

    /// Of the tier that used most, with all that is of no tier for certain.
    #[must_use]
    pub fn cpu_since(&self, before: &Used) -> Duration {
        let since: Vec<Duration> = self.cpu.iter().zip(&before.cpu).map(|(a, b)| a.saturating_sub(*b)).collect();
        let (stores, tiers) = since.split_last().expect("the stores are the last");
        tiers.iter().max().copied().unwrap_or_default() + *stores
    }

    #[must_use]
    pub fn disk_since(&self, before: &Used) -> u64 {
        self.disk.saturating_sub(before.disk)
    }

    #[must_use]
    pub fn log_since(&self, before: &Used) -> u64 {
        self.log - before.log
    }
}

fn start(county: &County, folder: &Path, name: &'static str, code: &str, seed: u8, above: Option<SocketAddr>) -> Tier {
    let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build();
    let runtime = runtime.expect("threads can be made");
    let folder = folder.join(name);
    let others = threads_of_stores();
    let node = runtime.block_on(async {
        let ids = (StoreId([seed; 16]), Incarnation([seed; 16]));
        let store = SqliteStore::open(&folder, heliu_storage_sqlite::Options::new(ids.0, ids.1)).await;
        let store = Arc::new(store.expect("the folder is ours"));
        let anchor = Anchor { realm: county.realm, root: county.directory.root() };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut options = Options::new(catalogue(), Arc::new(key(code)), Arc::new(Ed25519), anchor, listen);
        options.directory = county.directory.entries_from(0).iter().map(|entry| (**entry).clone()).collect();
        options.upstreams = above.map(|at| Upstream::at([at.to_string()])).into_iter().collect();
        options.retry = Retry { first: Duration::from_millis(50), max: Duration::from_millis(500) };
        Node::start(options, store).await.expect("it starts")
    });
    let store = threads_of_stores().difference(&others).cloned().collect();
    Tier { name, node, folder, runtime, store }
}

/// A command that makes an organisation.
#[must_use]
pub fn create(number: u64) -> Request {
    Request {
        id: CommandId(hash16("hostile command", &[&number.to_le_bytes(), &std::process::id().to_le_bytes()])),
        name: "org.create".to_owned(),
        subject: None,
        arguments: [("name".to_owned(), format!("本地组织{number}"))].into(),
        who: "clerk".to_owned(),
        reason: String::new(),
        on_behalf: None,
    }
}

/// A thread of this process.
struct Thread {
    id: OsString,
    name: String,
    /// As the scheduler counts it, since ticks of 10 ms are as long as some sequences take in all.
    cpu: Duration,
}

/// How the names of all stores' threads begin.
const STORE: &str = "sqlx";

fn threads() -> Vec<Thread> {
    let all = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let told = all.filter_map(|thread| {
        let name = std::fs::read_to_string(thread.path().join("comm")).ok()?;
        let told = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let cpu = Duration::from_nanos(told.split_whitespace().next()?.parse().ok()?);
        Some(Thread { id: thread.file_name(), name, cpu })
    });
    told.collect()
}

fn threads_of_stores() -> BTreeSet<OsString> {
    threads().into_iter().filter(|thread| thread.name.starts_with(STORE)).map(|thread| thread.id).collect()
}

fn bytes_in(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}
