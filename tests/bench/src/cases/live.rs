//! `live`: durable single-record edits at a village, until they can be read through the API at the county two hops up; and
//! at the township, one hop up. Two or three processes on one host: this program starts itself as each of them. Programs reach them over TLS with access tokens.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::{StreamExt as _, stream};
use heliu_api::records::ExecuteRequest;
use heliu_client::{Access, Client};
use tokio::sync::mpsc;

use crate::floor::fsync;
use crate::pipeline;
use crate::place::{Place, Wire};
use crate::report::{Report, percentile};
use crate::site::{Dial, Site, random};
use crate::usage::Processor;

/// Each with a connection of its own.
const WRITERS: usize = 4;
/// Commands that one writer has under way.
const IN_FLIGHT: usize = 64;
pub const LANES: usize = WRITERS * IN_FLIGHT;
/// Members of the branch whose records are edited.
pub const RECORDS: usize = 2_000;
/// The number of the village's node; the township's and the county's are before it.
pub const VILLAGE: u32 = 3;
/// Between two looks for an edit.
const LOOK_AGAIN: Duration = Duration::from_micros(200);
/// At a fast pace one edit in so many is waited for at the county.
const SAMPLE_EVERY: u64 = 5;

fn place(wire: Wire) -> Place {
    Place::new(wire, |place| {
        let village = place.villages[0].clone();
        let township = place.townships.iter().find(|t| Some(t.id) == village.parent).cloned();
        vec![(1, place.top.clone()), (2, township.expect("a village has a township")), (VILLAGE, village)]
    })
}

/// Fewer would not give each of them one.
pub const EDITS_MIN: usize = LANES;

/// One of the three processes: runs until its standard input ends.
pub async fn serve(wire: Wire, number: u32, directory: &Path, upstream: Option<String>) {
    let site = Site::start(&place(wire), number, directory, Dial { upstream, ..Dial::default() }).await;
    println!("{}", site.address());
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().lines().for_each(drop));
    ended.await.expect("standard input is read");
    site.stop().await;
}

struct Process {
    child: Child,
    address: String,
    access: Access,
}

impl Process {
    fn start(place: &Place, number: u32, directory: &Path, upstream: Option<&str>) -> Process {
        let mut access = place.access(number, directory);
        let program = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(program);
        command.arg("serve").arg(number.to_string()).arg(directory).args(upstream);
        command.args((place.wire == Wire::Plain).then_some("--plain"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program starts again");
        let mut address = String::new();
        let out = child.stdout.take().expect("its output is a pipe");
        BufReader::new(out).read_line(&mut address).expect("it says its address");
        let address = address.trim().to_owned();
        access.addresses = vec![address.clone()];
        Process { child, address, access }
    }

    async fn client(&self) -> Client {
        Client::open(&self.access).await.expect("it answers")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// How edits came from the village to the end of so many hops.
struct Carried {
    rate: f64,
    acknowledged: f64,
    /// Microseconds of the processor for an edit: of all nodes, and of the programs that give and read them.
    nodes: f64,
    programs: f64,
    /// Milliseconds, sorted.
    idle: Vec<f64>,
    half_rate: Vec<f64>,
}

pub async fn run(wire: Wire, edits: usize) -> Report {
    let place = place(wire);
    let two = carry(&place, edits, 2).await;
    let one = carry(&place, edits, 1).await;
    let rows = pipeline::edits(&place, edits);
    let (bare_two, bare_one) = (pipeline::carry(&rows, 2).await, pipeline::carry(&rows, 1).await);
    let sync = fsync(200).as_secs_f64() * 1e3;
    let mut report = Report::new("live");
    report
        .figure("edits", edits)
        .figure("writers", WRITERS)
        .figure("in_flight_per_writer", IN_FLIGHT)
        .figure("half_rate_samples", two.half_rate.len());
    two.figures(&mut report, "");
    one.figures(&mut report, "one_hop_");
    // Each hop makes an edit durable once before the next can; many edits may share one sync.
    report
        .floor("bare_fsync_ms", sync)
        .floor("three_fsyncs_ms", sync * 3.0)
        .floor("bare_pipeline_edits_per_second", bare_two.rate)
        .floor("bare_pipeline_cpu_us_per_edit", bare_two.processor_us)
        .floor("one_hop_two_fsyncs_ms", sync * 2.0)
        .floor("one_hop_bare_pipeline_edits_per_second", bare_one.rate)
        .floor("one_hop_bare_pipeline_cpu_us_per_edit", bare_one.processor_us)
        .figure("ratio_to_the_bare_pipeline", bare_two.rate / two.rate)
        .figure("one_hop_ratio_to_the_bare_pipeline", bare_one.rate / one.rate)
        .ratio(percentile(&two.idle, 0.5) / (sync * 3.0))
        .target(">= 8,000 edits/s", two.rate >= 8_000.0)
        .target("<= 210 us of CPU per edit at all nodes", two.nodes <= 210.0)
        .target("p50 <= 3 ms when idle", percentile(&two.idle, 0.5) <= 3.0)
        .target("p50 <= 10 ms at half the rate", percentile(&two.half_rate, 0.5) <= 10.0)
        .target("p99 <= 60 ms at half the rate", percentile(&two.half_rate, 0.99) <= 60.0);
    report
}

impl Carried {
    fn figures(&self, report: &mut Report, prefix: &str) {
        let mut figure = |name: &str, value: f64| {
            report.figure(&format!("{prefix}{name}"), value);
        };
        figure("edits_per_second", self.rate);
        figure("acknowledged_per_second", self.acknowledged);
        figure("nodes_cpu_us_per_edit", self.nodes);
        figure("programs_cpu_us_per_edit", self.programs);
        figure("idle_p50_ms", percentile(&self.idle, 0.5));
        figure("half_rate_p50_ms", percentile(&self.half_rate, 0.5));
        figure("half_rate_p99_ms", percentile(&self.half_rate, 0.99));
    }
}

/// Over two hops to the county, over one to the township.
async fn carry(place: &Place, edits: usize, hops: usize) -> Carried {
    let directories: Vec<_> = (0..=hops).map(|_| tempfile::tempdir().expect("a directory")).collect();
    let mut nodes: Vec<Process> = Vec::with_capacity(directories.len());
    for (number, directory) in (1..=VILLAGE).skip(2 - hops).zip(&directories) {
        let node = Process::start(place, number, directory.path(), nodes.last().map(|above| above.address.as_str()));
        nodes.push(node);
    }
    let village = nodes.last().expect("there are two at least");
    let mut writers = Vec::with_capacity(WRITERS);
    for _ in 0..WRITERS {
        writers.push(village.client().await);
    }
    let writer = &writers[0];
    let reader = nodes[0].client().await;
    let records = register(writer, RECORDS).await;
    for record in &records {
        see(&reader, record, 0).await;
    }
    let idle = paced(writer, &reader, &records, 200, Duration::from_millis(20)).await;
    let processors: Vec<Processor> = nodes.iter().map(|process| Processor::of(process.child.id())).collect();
    let own = Processor::here();
    let (rate, acknowledged) = sustained(&writers, &reader, &records, edits).await;
    let each = |seconds: f64| seconds * 1e6 / edits as f64;
    let (at_nodes, programs) = (each(processors.iter().map(Processor::seconds).sum()), each(own.seconds()));
    let half = Duration::from_secs_f64(2.0 / rate);
    let half_rate = paced(writer, &reader, &records, (edits / 4) as u64, half).await;
    Carried { rate, acknowledged, nodes: at_nodes, programs, idle, half_rate }
}

fn command(name: &str, subject: &str, arguments: &[(&str, &str)]) -> ExecuteRequest {
    ExecuteRequest {
        command: name.to_owned(),
        subject: subject.to_owned(),
        arguments: arguments.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        command_id: heliu_record::id::to_hex(&random::<16>()),
        who: "bench".to_owned(),
        reason: String::new(),
        ..ExecuteRequest::default()
    }
}

/// A branch with so many members, each edited once.
pub async fn register(writer: &Client, members: usize) -> Vec<String> {
    let made = writer.execute(command("org.create", "", &[("name", "测试支部"), ("level", "branch")])).await;
    let branch = made_record(&made.expect("a branch is made").result);
    let branch = &branch;
    let mut records = Vec::with_capacity(members);
    for start in (0..members).step_by(100) {
        let register = (start..start + 100).map(|n| async move {
            let name = format!("测试甲{n:04}");
            let arguments = [
                ("name", name.as_str()),
                ("branch", branch.as_str()),
                ("joined_on", "2001-07-01"),
                ("stage", "full"),
                ("full_on", "2002-07-01"),
                ("admitted_on", "2001-07-01"),
            ];
            let made =
                writer.execute(command("member.register", "", &arguments)).await.expect("a member is registered");
            let record = made_record(&made.result);
            edit(writer, &record, 0).await;
            record
        });
        records.extend(join_all(register).await);
    }
    records
}

fn made_record(result: &std::collections::HashMap<String, String>) -> String {
    result.get("record").cloned().expect("the command made a record")
}

async fn edit(writer: &Client, record: &str, number: u64) {
    let value = number.to_string();
    let set = command("record.set", record, &[("field", "name"), ("value", &value)]);
    writer.execute(set).await.expect("an edit is carried out");
}

/// Waits until an edit can be read.
async fn see(reader: &Client, record: &str, number: u64) -> Instant {
    loop {
        if let Ok(found) = reader.get(record).await {
            let view: serde_json::Value = serde_json::from_str(&found.view_json).unwrap_or_default();
            let seen = view["name"].as_str().and_then(|n| n.parse::<u64>().ok());
            if seen >= Some(number) {
                return Instant::now();
            }
        }
        // The runtime's own timer counts in milliseconds, which is as long as what is measured here.
        let pause = tokio::task::spawn_blocking(|| std::thread::sleep(LOOK_AGAIN));
        pause.await.expect("a thread sleeps");
    }
}

/// Edits at a fixed pace; the milliseconds from giving a command to reading its effect at the county, sorted. One reader looks
/// for one after the other, as they were acknowledged: if each were looked for by itself, looking would be most of what the
/// county does, and the later an edit comes the more.
async fn paced(writer: &Client, reader: &Client, records: &[String], edits: u64, pace: Duration) -> Vec<f64> {
    static NEXT: AtomicU64 = AtomicU64::new(1_000_000);
    let sampled = if pace < Duration::from_millis(5) { SAMPLE_EVERY } else { 1 };
    let (looked_for, mut to_see) = mpsc::unbounded_channel::<(String, u64, Instant)>();
    let reader = reader.clone();
    let seeing = tokio::spawn(async move {
        let mut delays = Vec::new();
        while let Some((record, number, start)) = to_see.recv().await {
            let seen: Instant = see(&reader, &record, number).await;
            delays.push((seen - start).as_secs_f64() * 1e3);
        }
        delays
    });
    let mut ticks = tokio::time::interval(pace);
    for i in 0..edits {
        ticks.tick().await;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let record = records[usize::try_from(number).unwrap_or(0) % records.len()].clone();
        let (writer, looked_for) = (writer.clone(), looked_for.clone());
        tokio::spawn(async move {
            let start = Instant::now();
            edit(&writer, &record, number).await;
            if i.is_multiple_of(sampled) {
                let _ = looked_for.send((record, number, start)); // It looks until the last of these is gone.
            }
        });
    }
    drop(looked_for);
    let mut delays = seeing.await.expect("edits come");
    delays.sort_by(f64::total_cmp);
    delays
}

/// As many edits as go through: the rate from the first command to the last effect at the county, and the rate at which
/// they were acknowledged at the village.
async fn sustained(writers: &[Client], reader: &Client, records: &[String], edits: usize) -> (f64, f64) {
    let last: Arc<std::sync::Mutex<BTreeMap<String, u64>>> = Arc::default();
    let start = Instant::now();
    let lanes = (0..LANES).map(|lane| {
        let (writer, last) = (writers[lane % WRITERS].clone(), Arc::clone(&last));
        // A record belongs to one lane, so that its edits follow one another.
        let mine: Vec<String> = records.iter().skip(lane).step_by(LANES).cloned().collect();
        tokio::spawn(async move {
            for i in 0..edits / LANES {
                let record = &mine[i % mine.len()];
                let number = 10_000 + i as u64;
                edit(&writer, record, number).await;
                last.lock().expect("nobody panicked").insert(record.clone(), number);
            }
        })
    });
    join_all(lanes.collect::<Vec<_>>()).await;
    let acknowledged = start.elapsed().as_secs_f64();
    let last = last.lock().expect("nobody panicked").clone();
    stream::iter(&last)
        .for_each_concurrent(IN_FLIGHT, |(record, number)| async move {
            see(reader, record, *number).await;
        })
        .await;
    let given = (edits / LANES) * LANES;
    (given as f64 / start.elapsed().as_secs_f64(), given as f64 / acknowledged)
}
