//! Runs schedules, many, on all cores; stops at the first that breaks a promise and tells its story.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use convergence::schedule::{Options, Outcome, compare_with_right_clocks, has_comparable_clocks, run};
use convergence::seeds;
use convergence::tally::Tally;

#[derive(Parser)]
#[command(about = "Runs simulated schedules against the promises of replication")]
struct Arguments {
    /// How many schedules, besides the kept seeds.
    #[arg(long, default_value_t = 10_000)]
    schedules: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs this one seed alone.
    #[arg(long)]
    only: Option<u64>,
    /// With `--only`: tells everything that happens.
    #[arg(long)]
    trace: bool,
    /// One of so many seeds runs twice, and must give the same trace.
    #[arg(long, default_value_t = 100)]
    twice_every: u64,
    /// One of so many seeds with wrong clocks runs with right ones too, and must take the same course.
    #[arg(long, default_value_t = 20)]
    clocks_every: u64,
    /// Goes on after a failure and counts how many there are.
    #[arg(long)]
    keep_going: bool,
}

/// What all threads share.
struct Hall {
    next: AtomicU64,
    stop: AtomicBool,
    tally: Mutex<Tally>,
    failures: Mutex<BTreeMap<u64, Vec<String>>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.only {
        return tell(seed, arguments.trace);
    }
    let kept: Vec<u64> = seeds::kept().iter().map(|(seed, _)| *seed).collect();
    let total = kept.len() as u64 + arguments.schedules;
    let hall = Hall {
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        tally: Mutex::default(),
        failures: Mutex::default(),
    };
    let begin = Instant::now();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| work(&hall, &kept, total, &arguments, begin));
        }
    });
    let done = hall.next.into_inner().min(total);
    let tally = hall.tally.into_inner().unwrap_or_default();
    report(&tally, done, begin.elapsed().as_secs_f64());
    let failures = hall.failures.into_inner().unwrap_or_default();
    match failures.first_key_value() {
        None => ExitCode::SUCCESS,
        Some((seed, _)) => {
            for (seed, found) in failures.iter().take(20) {
                println!("seed {seed}: {}", found.first().map_or("", String::as_str));
            }
            println!("{} of {done} schedules failed. The first of them:", failures.len());
            tell(*seed, true)
        }
    }
}

fn work(hall: &Hall, kept: &[u64], total: u64, arguments: &Arguments, begin: Instant) {
    while !hall.stop.load(Ordering::Relaxed) {
        let number = hall.next.fetch_add(1, Ordering::Relaxed);
        if number >= total {
            return;
        }
        let seed = usize::try_from(number).ok().and_then(|at| kept.get(at).copied());
        let seed = seed.unwrap_or_else(|| arguments.seed + number - kept.len() as u64);
        let found = one(seed, arguments, hall);
        if !found.is_empty() {
            if let Ok(mut failures) = hall.failures.lock() {
                failures.insert(seed, found);
            }
            if !arguments.keep_going {
                hall.stop.store(true, Ordering::Relaxed);
            }
        }
        if number.is_multiple_of(1_000) && number > 0 {
            let speed = rate(number, begin.elapsed().as_secs_f64());
            println!("{number} schedules, {speed:.0} per second");
        }
    }
}

/// Runs a seed, and where it is due a second time; what went wrong, in words.
fn one(seed: u64, arguments: &Arguments, hall: &Hall) -> Vec<String> {
    let Ok(Outcome { violations, fingerprint, tally, .. }) = std::panic::catch_unwind(|| run(seed, Options::default()))
    else {
        return vec!["the engine panicked".to_owned()];
    };
    let mut found: Vec<String> = violations.iter().map(ToString::to_string).collect();
    if seed.is_multiple_of(arguments.twice_every.max(1)) && run(seed, Options::default()).fingerprint != fingerprint {
        found.push("the same seed gave another trace".to_owned());
    }
    if has_comparable_clocks(&tally) && seed.is_multiple_of(arguments.clocks_every.max(1)) {
        found.extend(compare_with_right_clocks(seed, fingerprint).map(|violation| violation.to_string()));
    }
    if let Ok(mut sum) = hall.tally.lock() {
        sum.add(&tally);
    }
    found
}

fn tell(seed: u64, with_words: bool) -> ExitCode {
    let outcome = run(seed, Options { with_words, ..Options::default() });
    for line in &outcome.words {
        println!("{line}");
    }
    let faults: Vec<&str> = outcome.tally.faults.keys().copied().collect();
    println!("seed {seed}: trace {:016x}, faults: {}", outcome.fingerprint.exact, faults.join(", "));
    println!("quiet {:.1} simulated seconds after the faults stopped", rate(outcome.tally.healing_ms_max, 1_000.0));
    for violation in &outcome.violations {
        println!("{violation}");
    }
    if outcome.violations.is_empty() {
        println!("nothing is wrong");
        return ExitCode::SUCCESS;
    }
    println!("again: cargo run --release -p convergence -- --only {seed} --trace");
    println!("it stays tested once it is in tests/convergence/src/seeds.txt, with the reason");
    ExitCode::FAILURE
}

fn report(tally: &Tally, done: u64, seconds: f64) {
    println!("{done} schedules in {seconds:.1} s: {:.0} per second", rate(done, seconds));
    for (fault, count) in &tally.faults {
        println!("  {:>5.1} %  {fault}", 100.0 * rate(*count, rate(done, 1.0)));
    }
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
    println!("  quiet after at most {:.1} simulated seconds", rate(tally.healing_ms_max, 1_000.0));
    let names: Vec<String> = tally.commands.iter().map(|(name, count)| format!("{name} {count}")).collect();
    println!("  commands: {}", names.join(", "));
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn rate(count: u64, per: f64) -> f64 {
    if per > 0.0 { count as f64 / per } else { 0.0 }
}
