//! Sequences: what costs little by itself and much one after the other. Each is played against a county, a township and a
//! village, while clerks at all three go on working, and is held to the same limit as every shape of the corpus.

mod attacks;
mod line;
mod site;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::author::{County, STRANGER};
use crate::cost::{self, BYTES_MAX, TIME_MAX};
use line::Line;
use site::{Site, Used, create};

const UNIT: f64 = 65_536.0;
/// Records that are at the township before anybody attacks it.
const RECORDS: u64 = 100;
/// What the nodes use by themselves is looked at for so long, before the attack and after it: what clerks write costs more
/// the more there is.
const USUAL: Duration = Duration::from_millis(2_000);
/// Clerks work so often.
const PAUSE: Duration = Duration::from_millis(20);

/// The number of a clerk's next record.
static FIRST: AtomicU64 = AtomicU64::new(1_000_000);

/// How much of each is done.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub connections: usize,
    pub lists: usize,
    pub values: usize,
    pub entries: usize,
    pub leaves: usize,
    pub records: u64,
    pub frames: usize,
}

impl Size {
    /// As the faults were reported.
    pub const FULL: Size = Size {
        connections: 8,
        lists: 128,
        values: 10_000,
        entries: 4_000,
        leaves: 4_000,
        records: 4_000,
        frames: 20_000,
    };
    /// Enough to see what has no bound.
    pub const QUICK: Size =
        Size { connections: 2, lists: 64, values: 150, entries: 150, leaves: 200, records: 200, frames: 2_000 };
}

/// What a sequence has cost.
#[derive(Clone, Debug)]
pub struct Row {
    pub name: &'static str,
    /// Bytes that the attacker has sent.
    pub sent: u64,
    /// Of the tier that used most, without what it uses when nobody attacks.
    pub cpu: Duration,
    /// The most that all had at once, above what they had before.
    pub memory: usize,
    pub disk: u64,
    pub log: u64,
    /// What a clerk at each tier waited at most, and half of the time: county, township, village.
    pub waited: Vec<(Duration, Duration)>,
}

impl Row {
    fn units(&self) -> f64 {
        (self.sent as f64 / UNIT).max(1.0)
    }

    #[must_use]
    pub fn ms_per_unit(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / self.units()
    }

    #[must_use]
    pub fn mib_per_unit(&self) -> f64 {
        self.memory as f64 / f64::from(1 << 20) / self.units()
    }

    /// How much it uses up of what it may; 1 is the limit.
    #[must_use]
    pub fn share(&self) -> f64 {
        let (time, memory) = (TIME_MAX.as_secs_f64() * 1e3, BYTES_MAX as f64 / f64::from(1 << 20));
        (self.ms_per_unit() / time).max(self.mib_per_unit() / memory)
    }

    fn excuse(&self) -> Option<&'static str> {
        PER_LEAF.iter().find(|(name, _)| *name == self.name).map(|(_, why)| *why)
    }

    /// Above the limit, and not because of what the engine does with each leaf.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.share() > 1.0 && self.excuse().is_none()
    }

    #[must_use]
    pub fn json(&self) -> Value {
        let ms = |time: &Duration| time.as_secs_f64() * 1e3;
        json!({
            "sequence": self.name, "sent": self.sent, "cpu_ms": ms(&self.cpu), "ms_per_64_kib": self.ms_per_unit(),
            "mib": self.memory as f64 / f64::from(1 << 20), "mib_per_64_kib": self.mib_per_unit(), "disk": self.disk,
            "log": self.log, "share_of_limit": self.share(),
            "waited_ms": self.waited.iter().map(|(most, half)| [ms(most), ms(half)]).collect::<Vec<_>>(),
        })
    }
}

/// The names, in the order in which they are played.
pub const NAMES: [&str; 7] = [
    "unread answers",
    "many concurrent values",
    "invented settlements",
    "junk on others' records",
    "records for another seat",
    "records for nobody else",
    "reports that fill the log",
];

/// What stays above the limit for what the engine does with each leaf is shown with its figure, and why, and does not fail; see
/// `README.md`.
const PER_LEAF: [(&str, &str); 5] = [
    ("many concurrent values", FOLDS),
    ("invented settlements", FOLDS),
    ("junk on others' records", FOLDS),
    ("records for another seat", TAKES),
    ("records for nobody else", TAKES),
];
const FOLDS: &str = "the engine folds and writes a long record with each batch";
const TAKES: &str =
    "a leaf in a commit of its own costs so much wherever it has to be taken, and an author's superiors take all";

/// Plays one against a new site.
///
/// # Panics
/// If no node can be started on this machine, or the attack was cut short: what it would have cost is not known then.
#[must_use]
pub fn play(name: &'static str, size: Size) -> Row {
    let site = Site::start();
    let county = &site.county;
    let delivery = match name {
        "many concurrent values" => attacks::concurrent_values(county, size.values),
        "invented settlements" => attacks::invented_settlements(county, size.entries),
        "junk on others' records" => attacks::junk_on_others(county, size.leaves),
        "records for another seat" => attacks::records(county, size.records, Some(STRANGER)),
        "records for nobody else" => attacks::records(county, size.records, None),
        _ => heliu_replication::frame::Delivery::default(),
    };
    let township = site.tier("township");
    for number in 0..RECORDS {
        let _ = township.runtime.block_on(township.node.execute(create(number))); // The attack shows if there are none.
    }
    let attacker = Builder::new_multi_thread().worker_threads(1).thread_name("attacker").enable_all().build();
    let attacker = attacker.expect("threads can be made");
    let line = attacker.block_on(Line::to(township.node.address()));

    let usual_per_second = || {
        let before = site.used();
        let _ = watch(&site, || std::thread::sleep(USUAL)); // What they wait then is not compared.
        let after = site.used();
        after.cpu_since(&before).as_secs_f64() / after.seconds_since(&before)
    };
    let first = usual_per_second();
    let before = site.used();
    let (is_whole, waited, memory) = watch(&site, || attacker.block_on(attack(name, size, &line, county, delivery)));
    assert!(is_whole, "the node took only a part of {name}");
    let after = site.used();
    let per_second = f64::midpoint(first, usual_per_second());
    let own = Duration::from_secs_f64(per_second * after.seconds_since(&before));
    let row = row(name, line.sent(), (&before, &after), own, memory, waited);
    attacker.shutdown_timeout(Duration::from_secs(2));
    site.stop();
    row
}

fn row(
    name: &'static str,
    sent: u64,
    (before, after): (&Used, &Used),
    own: Duration,
    memory: usize,
    waited: Vec<(Duration, Duration)>,
) -> Row {
    let cpu = after.cpu_since(before).saturating_sub(own);
    let (disk, log) = (after.disk_since(before), after.log_since(before));
    Row { name, sent, cpu, memory, disk, log, waited }
}

/// Returns whether all of it was taken.
async fn attack(
    name: &'static str,
    size: Size,
    line: &Line,
    county: &County,
    delivery: heliu_replication::frame::Delivery,
) -> bool {
    match name {
        "unread answers" => {
            attacks::unread_answers(line, size.connections, size.lists).await;
            true
        }
        "reports that fill the log" => attacks::log_flood(line, county, size.frames).await,
        _ => attacks::deliver(line, county, delivery).await,
    }
}

/// While something goes on, clerks at every tier work: what came of it, how long they waited, and the most memory that all
/// took.
fn watch<T>(site: &Site, during: impl FnOnce() -> T) -> (T, Vec<(Duration, Duration)>, usize) {
    let over = Arc::new(AtomicBool::new(false));
    let clerks: Vec<_> = site
        .tiers
        .iter()
        .map(|tier| {
            let (over, node) = (Arc::clone(&over), tier.node.clone());
            tier.runtime.spawn(async move {
                let mut waited = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    // Numbers that nobody else has given. One that is refused was answered as well.
                    let _ = node.execute(create(FIRST.fetch_add(1, Ordering::Relaxed))).await;
                    waited.push(began.elapsed());
                    tokio::time::sleep(PAUSE).await;
                }
                waited
            })
        })
        .collect();
    let (told, cost) = cost::of(during);
    over.store(true, Ordering::Relaxed);
    let waited = site.tiers.iter().zip(clerks).map(|(tier, clerk)| {
        let mut waited = tier.runtime.block_on(clerk).unwrap_or_default();
        waited.sort_unstable();
        (waited.last().copied().unwrap_or_default(), waited.get(waited.len() / 2).copied().unwrap_or_default())
    });
    (told, waited.collect(), cost.bytes)
}

/// Before the table in a file.
pub const HEAD: &str = "# What sequences cost\n\nWritten by `cargo run --release -p hostile -- sequences --write tests/hostile/SEQUENCES.md`; \
                        `tests/hostile/README.md` says what each column is.\n\n```\n";

/// The table, and which sequences stay above the limit, and why.
#[must_use]
pub fn told(rows: &[Row]) -> String {
    let mut told = table(rows);
    for row in rows.iter().filter(|row| row.share() > 1.0) {
        let why = row.excuse().unwrap_or("it is a fault");
        let _ = writeln!(told, "above the limit: {} by {:.2}: {why}", row.name, row.share());
    }
    told
}

/// One line for each, with what each tier's clerk waited at most.
fn table(rows: &[Row]) -> String {
    let mut table = format!(
        "{:>9}  {:>9}  {:>8}  {:>8}  {:>8}  {:>9}  {:>8}  {:>6}  {:<23}  sequence\n",
        "sent", "cpu ms", "ms/64K", "MiB", "MiB/64K", "disk", "log", "share", "waited ms at C, T, V"
    );
    for row in rows {
        let waited: Vec<String> =
            row.waited.iter().map(|(most, _)| format!("{:.0}", most.as_secs_f64() * 1e3)).collect();
        let _ = writeln!(
            table,
            "{:>9}  {:>9.0}  {:>8.1}  {:>8.1}  {:>8.2}  {:>9}  {:>8}  {:>6.2}  {:<23}  {}",
            row.sent,
            row.cpu.as_secs_f64() * 1e3,
            row.ms_per_unit(),
            row.memory as f64 / f64::from(1 << 20),
            row.mib_per_unit(),
            row.disk,
            row.log,
            row.share(),
            waited.join(", "),
            row.name
        );
    }
    table
}
