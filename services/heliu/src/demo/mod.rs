//! `heliu demo`: a whole county in one process, each node with its own store and its own gRPC endpoint on loopback. It is
//! filled, cut apart, edited on both sides, joined again, and then compared by code that asks no engine.

mod ask;
mod cast;
mod county;
mod disputes;
mod found;
mod gate;
mod place;
mod proof;
mod register;
mod story;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ask::Fault;
use cast::Cast;
use county::County;
use found::{Founding, allow_files};
use futures::stream::{self, StreamExt as _};
use heliu_disk::small_file;
use heliu_record::conflict::Conflict;
use heliu_record::seats::{Seat, Seats, Tier};
use heliu_trust::id::RealmId;
use place::Place;
use proof::{Holder, Proof, Tree};
use register::Plan;
use serde_json::json;
use story::Story;
use words::Teller;

use crate::cli::DemoArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::node::Signals;
use crate::out::Stream;
use crate::realm::draft::not_empty;
use crate::realm::regions;
use crate::text::{bytes, count, tr};

/// 鄄城县: 1 county, 17 townships, 391 villages.
const JUANCHENG: &[u8] = include_bytes!("../../../../deploy/regions/371726.csv");
/// Nodes that stop at the same time.
const STOPPING: usize = 32;

/// The story, and its end as an exit code: 0 only if nothing is lost and everything is equal.
pub async fn run(args: DemoArgs) -> ExitCode {
    let teller = Teller::new(args.json);
    let failure = match tell(&args, &teller).await {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => return ExitCode::from(Exit::Failed),
        Err(fault) => Failure::from(fault),
    };
    teller.end_line();
    if args.json {
        print_line(&failure.json());
    }
    crate::out::complain(&failure.told());
    ExitCode::from(failure.exit)
}

/// What comes first: the end of the work, or somebody who has seen enough.
async fn unless_interrupted<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::select! {
        done = work => done,
        () = interrupted() => Err(Fault::Interrupted),
    }
}

/// Returns at Ctrl-C, or when the system asks the process to end in another way.
async fn interrupted() {
    match Signals::listen() {
        Ok(mut signals) => drop(signals.next().await),
        Err(failure) => {
            tracing::warn!(why = failure.told(), "cannot wait for Ctrl-C");
            std::future::pending::<()>().await;
        }
    }
}

/// Where the stores are. A temporary directory is removed when this is dropped.
enum Home {
    Kept(PathBuf),
    Temporary(tempfile::TempDir),
}

impl Home {
    fn open(dir: Option<&Path>) -> Result<Self, Failure> {
        let Some(dir) = dir else {
            let made = tempfile::Builder::new().prefix("heliu-demo-").tempdir();
            return made.map(Home::Temporary).map_err(|error| Failure::file(&std::env::temp_dir(), &error));
        };
        heliu_disk::folder(dir).map_err(|error| Failure::file(dir, &error))?;
        let mut entries = std::fs::read_dir(dir).map_err(|error| Failure::file(dir, &error))?;
        if entries.next().is_none() {
            return Ok(Home::Kept(dir.to_owned()));
        }
        Err(not_empty(dir))
    }

    fn path(&self) -> &Path {
        match self {
            Home::Kept(path) => path,
            Home::Temporary(directory) => directory.path(),
        }
    }
}

/// What the demo came to.
struct Outcome {
    proof: Proof,
    links: u64,
    verified: u64,
    conflicts: Vec<Conflict>,
    stranded: u64,
    /// What was settled is so at every node that has it.
    settled: bool,
    commits: u64,
    seconds: f64,
}

/// From nothing to the end. Whether everything was as it should be.
async fn tell(args: &DemoArgs, teller: &Teller) -> Result<bool, Fault> {
    let (path, bytes) = match &args.regions {
        Some(path) => (path.as_path(), regions::read(path)?),
        None => (Path::new("371726.csv"), JUANCHENG.to_vec()),
    };
    let parse = |realm: &RealmId| regions::parse(path, realm, &bytes);
    // Before anything is made: a county needs more open files than a session has as a rule.
    allow_files(parse(&RealmId([0; 16]))?.len())?;
    let home = Home::open(args.dir.as_deref())?;
    let founding = Founding::new(home.path(), &args.time_zone, parse)?;
    let seats = parse(&founding.realm())?;
    let mut tree = Seats::default();
    for seat in &seats {
        tree.add(seat.clone()).map_err(heliu_trust::directory::DirectoryError::from)?;
    }
    let plan = Plan::new(&tree, args.seed, args.members);
    let cast = Cast::choose(&seats, |village| plan.members_of(village));

    let (name, of) = (&seats[0].name, |tier| seats.iter().filter(|seat| seat.tier == tier).count());
    let (townships, villages) = (of(Tier::Township), of(Tier::Village));
    teller.chapter(
        1,
        &tr!(
            "{name}:1 县、{townships} 乡镇、{villages} 村,各有自己的节点",
            "{name}: one county, {townships} townships, {villages} villages, each with a node of its own"
        ),
    );
    let places = unless_interrupted(founding.start(&seats, &cast.cut, teller)).await?;
    let county = County::new(places, args.seed);
    let ended = unless_interrupted(play(&county, &plan, &cast, &seats, teller)).await;
    let good = match ended {
        Ok(result) => {
            let good = conclude(&county, &result, args, teller);
            if !args.once {
                stay(&county, &result, teller).await;
            }
            Ok(good)
        }
        Err(fault) => Err(fault),
    };
    stop(&county, matches!(home, Home::Kept(_)), teller).await;
    good
}

async fn play(county: &County, plan: &Plan, cast: &Cast, seats: &[Seat], teller: &Teller) -> Result<Outcome, Fault> {
    let nodes = county.places.len();
    teller.say(&tr!(
        "{nodes} 个节点凭令牌入域并运行,逐级以 TLS 上的 gRPC 相连。",
        "Nodes running: {nodes}. Each joined with a token; they are linked tier by tier, over gRPC and TLS."
    ));
    let roll = register::register(county, plan, teller).await?;
    let (total, elapsed) = (count(plan.total()), teller.elapsed().as_secs_f64());
    teller.say(&tr!(
        "已登记 {total} 个组织和党员({elapsed:.1} 秒),逐级上报中。",
        "{total} organisations and members are registered ({elapsed:.1} s); they flow upward."
    ));
    let flowing = tr!("已到达县级", "arrived at the county");
    county.quiet(teller, &flowing, plan.total()).await?;
    let story = Story { county, roll: &roll, cast, teller };
    let props = story.prepare().await?;
    county.quiet(teller, &flowing, plan.total()).await?;
    verify(county, teller).await?;

    teller.chapter(2, &tr!("链路中断", "Links are cut"));
    county.set_cut(&cast.cut, true);
    story.tell_cuts();

    teller.chapter(3, &tr!("两边各自办公,互不知情", "Both sides go on, unaware of each other"));
    story.act_apart(&props).await?;
    county.quiet(teller, &flowing, plan.total()).await?;

    teller.chapter(4, &tr!("链路恢复,自动合并", "The links return, and everything merges"));
    county.set_cut(&cast.cut, false);
    county.quiet(teller, &flowing, plan.total()).await?;
    verify(county, teller).await?;

    let open = disputes::open(county).await?;
    let number = open.len();
    teller.chapter(
        5,
        &tr!("{number} 处分歧,两边的值都在", "Open conflicts: {number}. Nothing that anybody wrote is gone"),
    );
    for conflict in &open {
        disputes::tell(county, conflict, teller).await?;
    }
    let mut settled = true;
    if let Some((conflict, value)) = disputes::to_settle(county, &open) {
        disputes::settle(county, conflict, value, teller).await?;
        county.quiet(teller, &flowing, plan.total()).await?;
        settled = disputes::tell_settled(county, conflict, teller).await?;
    }

    teller.chapter(6, &tr!("独立核对:逐个节点的存储,不问引擎", "Proof: every store is read, no engine is asked"));
    let (verified, links) = verify(county, teller).await?;
    let proven = prove(county, seats, (verified, links), teller).await?;
    Ok(Outcome { settled, ..proven })
}

async fn verify(county: &County, teller: &Teller) -> Result<(u64, u64), Fault> {
    let (equal, links) = county.verify(teller).await?;
    teller.say(&tr!("{equal}/{links} 条链路核验一致。", "{equal} of {links} links are verified equal."));
    Ok((equal, links))
}

async fn prove(
    county: &County,
    seats: &[Seat],
    (verified, links): (u64, u64),
    teller: &Teller,
) -> Result<Outcome, Fault> {
    let holders = county.places.iter().map(|place| Holder {
        seat: place.seat.id,
        name: place.seat.name.clone(),
        store: place.store.clone(),
    });
    let acked = county.acked();
    let proof = proof::compare(holders.collect(), &Tree::new(seats), &acked).await?;
    let (leaves, records, copies) = (count(acked.len() as u64), count(proof.records), count(proof.copies));
    teller.say(&tr!(
        "{leaves} 项已确认的变更、{records} 条记录在各节点的 {copies} 份副本,已逐份核对。",
        "{leaves} acknowledged changes and {copies} copies of {records} records were compared."
    ));
    let (lost, unequal, strangers) = (proof.lost, proof.unequal, proof.strangers);
    teller.say(&tr!(
        "丢失 {lost};不一致的记录 {unequal};无权节点上的副本 {strangers}。",
        "Lost: {lost}; records that differ: {unequal}; copies where they should not be: {strangers}."
    ));
    for words in &proof.told {
        teller.warn(words);
    }
    let mut stranded = 0;
    for place in &county.places {
        let counts = place.store.counts().await?;
        stranded += counts.waiting + counts.quarantined + place.store.hidden(u64::MAX >> 1).await?.len() as u64;
    }
    let commits = county.top().store.counts().await?.commits;
    let conflicts = disputes::open(county).await?;
    let seconds = teller.elapsed().as_secs_f64();
    Ok(Outcome { proof, links, verified, conflicts, stranded, settled: true, commits, seconds })
}

/// The figures, for people or for programs. Whether everything is as it should be.
fn conclude(county: &County, result: &Outcome, args: &DemoArgs, teller: &Teller) -> bool {
    let proof = &result.proof;
    let good = proof.lost == 0 && proof.is_converged() && result.verified == result.links && result.settled;
    let peak = peak_rss();
    if args.json {
        let line = json!({
            "nodes": county.places.len(),
            "members": proof.members,
            "records": proof.records,
            "commits": result.commits,
            "conflicts_open": result.conflicts.len(),
            "stranded": result.stranded,
            "lost": proof.lost,
            "converged": proof.is_converged(),
            "verified_links": result.verified,
            "links": result.links,
            "seconds": (result.seconds * 10.0).round() / 10.0,
            "peak_rss_mb": peak.map(|peak| peak.div_ceil(1024 * 1024)),
        });
        print_line(&line);
    }
    let (seconds, peak) = (result.seconds, peak.map_or_else(|| "?".to_owned(), bytes));
    let words = if good {
        tr!("全部一致,无一丢失。", "Everything is equal, and nothing is lost.")
    } else {
        tr!("结果不符合预期,见上。", "Something is not as it should be: see above.")
    };
    teller.say(&tr!(
        "{words} 用时 {seconds:.1} 秒,内存峰值 {peak}。",
        "{words} It took {seconds:.1} s, and {peak} of memory at most."
    ));
    good
}

/// A closed pipe is no reason to end otherwise.
fn print_line(line: &serde_json::Value) {
    if let Err(error) = Stream::Out.write_json(line) {
        tracing::debug!(%error, "nobody reads the result");
    }
}

/// Addresses and commands, until somebody has seen enough.
async fn stay(county: &County, result: &Outcome, teller: &Teller) {
    let top = county.top();
    teller.chapter(7, &tr!("请自己试试;Ctrl-C 结束", "Try it yourself; Ctrl-C ends it"));
    // The county, who may settle the first conflict, and a village below.
    let resolver = result.conflicts.first().and_then(|conflict| conflict.resolver);
    let below = |above: &Place| county.places.iter().find(|place| place.seat.parent == Some(above.seat.id));
    let second = resolver.map(|seat| county.at(seat)).filter(|place| place.seat.id != top.seat.id).or(below(top));
    for place in [Some(top), second, second.and_then(below)].into_iter().flatten() {
        teller.item(&format!("{}  {}  {}", place.address(), place.seat.name, place.folder.display()));
    }
    let dir = top.folder.display();
    for verb in ["status", "peers", "verify", "conflicts list", "list org --limit 20"] {
        teller.item(&format!("heliu {verb} --dir {dir}"));
    }
    if let Some(conflict) = result.conflicts.first() {
        let (id, subject) = (conflict.id, conflict.subject);
        teller.item(&format!("heliu conflicts show {} --dir {dir}", id.short()));
        teller.item(&format!("heliu history {subject} --dir {dir}"));
        teller.item(&format!("heliu do conflict.settle {subject} conflict={id} choice=1 --dir {dir}"));
    }
    interrupted().await;
}

/// Ends all nodes. Stores that are kept are closed, so that they are one file each.
async fn stop(county: &County, keep: bool, teller: &Teller) {
    let stopping = county.places.iter().map(|place| async move {
        if let Err(error) = place.handle.shutdown().await {
            tracing::warn!(place = place.seat.name, %error, "a node did not stop cleanly");
        }
        if keep && let Err(error) = place.store.close().await {
            tracing::warn!(place = place.seat.name, %error, "a store was not closed cleanly");
        }
    });
    if keep {
        teller.say(&tr!("正在停止各节点,关闭存储。", "Stopping the nodes and closing their stores."));
    }
    let mut stopped = stream::iter(stopping).buffer_unordered(STOPPING);
    let mut done = 0;
    while stopped.next().await.is_some() {
        done += 1;
        teller.progress(&tr!("已停止节点", "nodes stopped"), done, county.places.len() as u64);
    }
    teller.end_line();
}

/// The most memory that this process has had, in bytes, where the system tells.
fn peak_rss() -> Option<u64> {
    const STATUS_BYTES_MAX: u64 = 64 * 1024;
    let status = small_file::read_text(Path::new("/proc/self/status"), STATUS_BYTES_MAX).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}
