//! Runs schedules, many, on all cores; tells what they have met; stops at the first that breaks a promise and tells its story.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use convergence::coverage::{Coverage, Ground};
use convergence::schedule::plan::Plan;
use convergence::schedule::{Options, Outcome, failures_of, run_plan, shrink};
use convergence::tally::Tally;
use convergence::{kept, long};

/// The simulator makes and frees many small things.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Runs simulated schedules against the promises of replication")]
struct Arguments {
    /// How many schedules, besides those that are kept and the corpus.
    #[arg(long, default_value_t = 10_000)]
    schedules: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs this one seed alone, with every check there is.
    #[arg(long)]
    only: Option<u64>,
    /// Runs this one recorded schedule alone, with every check there is.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// With `--only` or `--file`: tells everything that happens.
    #[arg(long)]
    trace: bool,
    /// With `--only`: writes the schedule, with what its steps came to and made as small as it still fails, to the folder of
    /// kept schedules.
    #[arg(long, value_name = "WHY")]
    keep: Option<String>,
    /// With `--keep`: as it was, not made smaller.
    #[arg(long)]
    whole: bool,
    /// One of so many seeds runs twice, and must give the same trace.
    #[arg(long, default_value_t = 100)]
    twice_every: u64,
    /// One of so many seeds with wrong clocks runs with right ones too, and must take the same course.
    #[arg(long, default_value_t = 20)]
    clocks_every: u64,
    /// Goes on after a failure and counts how many there are.
    #[arg(long)]
    keep_going: bool,
    /// Lives long worlds instead: the one of this name or, without a name, all.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    long: Option<String>,
    /// Writes the seeds that met something which none before them had met to the corpus, in place of what is there.
    #[arg(long)]
    corpus: bool,
}

/// What all threads share.
struct Hall {
    next: AtomicU64,
    stop: AtomicBool,
    tally: Mutex<Tally>,
    met: Mutex<BTreeMap<u64, Ground>>,
    failures: Mutex<BTreeMap<String, (Plan, Vec<String>)>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.only {
        return match arguments.keep {
            Some(why) => keep(seed, why, arguments.whole),
            None => tell(&seed.to_string(), &Plan::draw(seed), arguments.trace),
        };
    }
    if let Some(file) = &arguments.file {
        return match kept::read(file) {
            Ok(plan) => tell(&file.display().to_string(), &plan, arguments.trace),
            Err(why) => fail(&format!("{}: {why}", file.display())),
        };
    }
    if let Some(name) = &arguments.long {
        return live_long(name);
    }
    let kept = kept::all();
    let corpus = if arguments.corpus { Vec::new() } else { kept::corpus() };
    let hall = Hall {
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        tally: Mutex::default(),
        met: Mutex::default(),
        failures: Mutex::default(),
    };
    let begin = Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| work(&hall, &kept, &corpus, &arguments, begin));
        }
    });
    let done = hall.next.into_inner().min(kept.len() as u64 + corpus.len() as u64 + arguments.schedules);
    report(&hall.tally.into_inner().unwrap_or_default(), done, begin.elapsed().as_secs_f64());
    let mut coverage = Coverage::default();
    let met = hall.met.into_inner().unwrap_or_default();
    let new: Vec<u64> = met.iter().filter(|(_, ground)| coverage.add(**ground)).map(|(seed, _)| *seed).collect();
    coverage.told(met.len() as u64).iter().for_each(|line| println!("{line}"));
    println!("  {} schedules met something new, each after those before it", new.len());
    if arguments.corpus
        && let Err(error) = kept::write_corpus(&new)
    {
        return fail(&error.to_string());
    }
    let failures = hall.failures.into_inner().unwrap_or_default();
    let Some((name, (plan, _))) = failures.first_key_value() else { return ExitCode::SUCCESS };
    for (name, (_, found)) in failures.iter().take(20) {
        println!("{name}: {}", found.first().map_or("", String::as_str));
    }
    println!("{} of {done} schedules failed. The first of them:", failures.len());
    tell(name, plan, true)
}

fn live_long(name: &str) -> ExitCode {
    let chosen: Vec<_> = long::ALL.iter().filter(|world| name.is_empty() || world.name == name).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = long::ALL.iter().map(|world| world.name).collect();
        return fail(&format!("`{name}` is no long world; they are {}", names.join(", ")));
    }
    for world in chosen {
        println!("{}", world.live());
    }
    ExitCode::SUCCESS
}

fn fail(why: &str) -> ExitCode {
    println!("{why}");
    ExitCode::FAILURE
}

fn work(hall: &Hall, kept: &[(String, Plan)], corpus: &[u64], arguments: &Arguments, begin: Instant) {
    let (kept_len, corpus_len) = (kept.len() as u64, corpus.len() as u64);
    while !hall.stop.load(Ordering::Relaxed) {
        let number = hall.next.fetch_add(1, Ordering::Relaxed);
        if number >= kept_len + corpus_len + arguments.schedules {
            return;
        }
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let (name, plan, seed) = match (kept.get(at), at.checked_sub(kept.len()).and_then(|at| corpus.get(at))) {
            (Some((name, plan)), _) => (name.clone(), plan.clone(), None),
            (None, Some(seed)) => (seed.to_string(), Plan::draw(*seed), Some(*seed)),
            (None, None) => {
                let seed = arguments.seed + number - kept_len - corpus_len;
                (seed.to_string(), Plan::draw(seed), Some(seed))
            }
        };
        let is_due = |every: u64| seed.is_none_or(|seed| seed.is_multiple_of(every.max(1)));
        let checks = Options {
            twice: is_due(arguments.twice_every),
            clocks: is_due(arguments.clocks_every),
            ..Options::default()
        };
        let Ok((outcome, found)) = std::panic::catch_unwind(|| failures_of(&plan, checks)) else {
            note_failure(hall, name, plan, vec!["it panicked".to_owned()], arguments.keep_going);
            continue;
        };
        if let (Ok(mut tally), Ok(mut met)) = (hall.tally.lock(), hall.met.lock()) {
            tally.add(&outcome.tally);
            met.extend(seed.map(|seed| (seed, outcome.tally.ground)));
        }
        if !found.is_empty() {
            note_failure(hall, name, plan, found, arguments.keep_going);
        }
        if number.is_multiple_of(10_000) && number > 0 {
            println!("{number} schedules, {:.0} per second", rate(number, begin.elapsed().as_secs_f64()));
        }
    }
}

fn note_failure(hall: &Hall, name: String, plan: Plan, found: Vec<String>, keep_going: bool) {
    if let Ok(mut failures) = hall.failures.lock() {
        failures.insert(name, (plan, found));
    }
    hall.stop.fetch_or(!keep_going, Ordering::Relaxed);
}

fn keep(seed: u64, why: String, is_whole: bool) -> ExitCode {
    let recorded = run_plan(&Plan::draw(seed), Options { records: true, ..Options::default() }).recorded;
    let Some(plan) = recorded.map(|plan| Plan { why, ..plan }) else { return ExitCode::FAILURE };
    let plan = if is_whole { plan } else { shrink::shrink(plan) };
    let path = kept::folder().join(format!("{seed}.json"));
    println!("{}: {} steps, breaks {:?}", path.display(), plan.steps.len(), shrink::failure(&plan));
    match std::fs::write(&path, kept::written(&plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn tell(name: &str, plan: &Plan, with_words: bool) -> ExitCode {
    let checks = Options { with_words, twice: true, clocks: true, ..Options::default() };
    let (Outcome { words, tally, fingerprint, .. }, found) = failures_of(plan, checks);
    for line in &words {
        println!("{line}");
    }
    let faults: Vec<&str> = tally.faults.keys().map(String::as_str).collect();
    println!("{name}: trace {:016x}, faults: {}", fingerprint.exact, faults.join(", "));
    println!("quiet {:.1} simulated seconds after the faults stopped", rate(tally.healing_ms_max, 1_000.0));
    if found.is_empty() {
        println!("nothing is wrong");
        return ExitCode::SUCCESS;
    }
    found.iter().for_each(|what| println!("{what}"));
    println!("with all that happens: cargo run --release -p convergence -- --only SEED --trace (or --file FILE)");
    println!("it stays tested, as small as it still fails: ... --only SEED --keep WHY");
    ExitCode::FAILURE
}

fn report(tally: &Tally, done: u64, seconds: f64) {
    println!("{done} schedules in {seconds:.1} s: {:.0} per second", rate(done, seconds));
    let commands: u64 = tally.commands.values().sum();
    let per = |count: u64| rate(count, rate(done, 1.0));
    println!(
        "  per schedule: {:.1} commands done, {:.1} refused, {:.1} repeated",
        per(commands),
        per(tally.refused),
        per(tally.repeated)
    );
    println!(
        "  {:.1} connections, {:.0} frames, {:.1} with leaves, {:.0} % of these with something sent before",
        per(tally.connections),
        per(tally.frames),
        per(tally.leaf_frames),
        100.0 * rate(tally.duplicates, rate(tally.leaf_frames, 1.0))
    );
    println!(
        "  {:.2} reconciliations, {:.2} unequal sums, {:.2} renewed incarnations, {:.2} open conflicts, {:.2} stubs",
        per(tally.reconciled),
        per(tally.sums_differ),
        per(tally.renewed),
        per(tally.conflicts),
        per(tally.stubs)
    );
    println!(
        "  {:.2} look-ups beside a transaction in flight, {:.3} of them the end of it",
        per(tally.beside),
        per(tally.strikes)
    );
    println!("  quiet after at most {:.1} simulated seconds", rate(tally.healing_ms_max, 1_000.0));
    let names: Vec<String> = tally.commands.iter().map(|(name, count)| format!("{name} {count}")).collect();
    println!("  commands: {}", names.join(", "));
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn rate(count: u64, per: f64) -> f64 {
    if per > 0.0 { count as f64 / per } else { 0.0 }
}
