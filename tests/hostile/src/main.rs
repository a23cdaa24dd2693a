//! What hostile input costs, and fuzzing for as long as one likes.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use heliu_trust::ed25519::Ed25519;
use hostile::author::{County, VILLAGE};
use hostile::corpus::{self, code_of, read_frame};
use hostile::cost::{self, Cost};
use hostile::fuzz::{self, TARGETS, Target, Until};
use hostile::gate::judge;
use hostile::{profile, sequences};
use serde_json::{Value, json};

/// Beyond so many times the limit no noise of the machine explains it.
const SLACK: f64 = 4.0;
/// The best of so many runs counts: what the machine does besides is not the input's doing.
const RUNS: usize = 5;
/// The same for sequences, each of which takes some seconds.
const PLAYS: usize = 3;

#[derive(Parser)]
#[command(about = "Holds the gate to hostile input")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Time and memory of every shape of the corpus. Fails beyond four times 50 ms and 32 MiB for each 64 KiB.
    Corpus {
        /// One line of JSON for each shape, and one for the worst.
        #[arg(long)]
        json: bool,
    },
    /// Sequences against a county, a township and a village that go on working. Fails beyond 50 ms and 32 MiB for each
    /// 64 KiB that the attacker sends, unless it is what the engine costs for each leaf of a long record.
    Sequences {
        /// By its name; all if left out.
        name: Option<String>,
        /// One line of JSON for each.
        #[arg(long)]
        json: bool,
        /// Less of each.
        #[arg(long)]
        quick: bool,
        /// Writes what was measured, and what stays above, into this file.
        #[arg(long)]
        write: Option<std::path::PathBuf>,
    },
    /// What each check costs for an honest change.
    Profile,
    /// Runs fuzzing targets, or all of them in turn.
    Fuzz {
        /// By its name; all if left out.
        target: Option<String>,
        /// For each target.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Corpus { json } => measure(json),
        Command::Sequences { name, json, quick, write } => play(name.as_deref(), json, quick, write.as_deref()),
        Command::Profile => {
            profile::measure().iter().for_each(|(check, micros)| println!("{micros:>8.1} us  {check}"));
            ExitCode::SUCCESS
        }
        Command::Fuzz { target, seconds, seed } => {
            // The gate catches what automerge's writer makes of nonsense; a line for each would be all one sees.
            std::panic::set_hook(Box::new(|_| {}));
            let chosen: Vec<&Target> = match target.as_deref() {
                None => TARGETS.iter().collect(),
                Some(name) => fuzz::target(name).into_iter().collect(),
            };
            if chosen.is_empty() {
                eprintln!("no such target; there are {}", names());
                return ExitCode::from(2);
            }
            let fine = chosen.into_iter().filter(|target| !fuzz_one(target, seconds, seed)).count() == 0;
            if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

fn names() -> String {
    TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ")
}

struct Row {
    name: &'static str,
    code: &'static str,
    len: usize,
    cost: Cost,
}

impl Row {
    fn share(&self) -> f64 {
        self.cost.share(self.len)
    }

    fn json(&self, what: &str) -> Value {
        json!({
            what: self.name, "code": self.code, "bytes": self.len, "ms": self.cost.ms(), "mib": self.cost.mib(),
            "share_of_limit": self.share(),
        })
    }
}

fn measure(json: bool) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let county = County::new();
    let author = county.author(VILLAGE, 1);
    let mut rows: Vec<Row> = corpus::all(&author)
        .iter()
        .map(|hostile| {
            let work = || judge(&hostile.delivery, &county.directory, &Ed25519).codes.last().copied().unwrap_or("");
            row(hostile.name, hostile.len(), work)
        })
        .collect();
    rows.extend(
        corpus::frames(&author)
            .iter()
            .map(|hostile| row(hostile.name, hostile.bytes.len(), || code_of(&read_frame(&hostile.bytes)))),
    );
    rows.sort_by(|a, b| b.share().total_cmp(&a.share()));
    let Some(worst) = rows.first() else { return ExitCode::FAILURE };
    if json {
        rows.iter().for_each(|row| println!("{}", row.json("shape")));
        println!("{}", worst.json("worst"));
    } else {
        println!("{:>8}  {:>8}  {:>8}  {:>6}  {:<28}  shape", "bytes", "ms", "MiB", "share", "verdict");
        for row in &rows {
            let (ms, mib, share) = (row.cost.ms(), row.cost.mib(), row.share());
            println!("{:>8}  {ms:>8.3}  {mib:>8.3}  {share:>6.3}  {:<28}  {}", row.len, row.code, row.name);
        }
        println!("{} shapes; the worst takes {:.3} of what 64 KiB may: {}", rows.len(), worst.share(), worst.name);
    }
    if worst.share() > SLACK { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn play(name: Option<&str>, json: bool, quick: bool, write: Option<&Path>) -> ExitCode {
    let size = if quick { sequences::Size::QUICK } else { sequences::Size::FULL };
    let chosen: Vec<&'static str> =
        sequences::NAMES.into_iter().filter(|known| name.is_none_or(|name| name == *known)).collect();
    if chosen.is_empty() {
        eprintln!("no such sequence; there are {}", sequences::NAMES.join(", "));
        return ExitCode::from(2);
    }
    let mut rows = Vec::new();
    for name in chosen {
        // As for single shapes; a quick look is one.
        let runs = (0..if quick { 1 } else { PLAYS }).map(|_| sequences::play(name, size));
        let Some(row) = runs.min_by(|a, b| a.share().total_cmp(&b.share())) else { continue };
        if json {
            println!("{}", row.json());
        }
        rows.push(row);
    }
    let told = sequences::told(&rows);
    if !json {
        print!("{told}");
    }
    if let Some(Err(error)) = write.map(|file| std::fs::write(file, format!("{}{told}```\n", sequences::HEAD))) {
        eprintln!("not written: {error}");
        return ExitCode::from(2);
    }
    if rows.iter().any(sequences::Row::fails) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn row(name: &'static str, len: usize, work: impl Fn() -> &'static str) -> Row {
    let (code, mut least) = cost::of(&work);
    for _ in 1..RUNS {
        let (_, cost) = cost::of(&work);
        least = Cost { time: least.time.min(cost.time), bytes: least.bytes.min(cost.bytes) };
    }
    Row { name, code, len, cost: least }
}

/// Whether nothing was found.
fn fuzz_one(target: &Target, seconds: u64, seed: u64) -> bool {
    match fuzz::run(target, seed, Until::Passed(Duration::from_secs(seconds))) {
        Ok(tally) => {
            let (ms, mib, len) = (tally.worst.ms(), tally.worst.mib(), tally.worst_len);
            println!(
                "{}: {} inputs, {} of them taken, nothing found; the worst took {ms:.2} ms and {mib:.2} MiB for {len} bytes",
                target.name, tally.inputs, tally.taken
            );
            true
        }
        Err(found) => {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
            let file = folder.join(format!("{}-{seed}.bin", target.name));
            println!("{} with seed {seed}: {} on {} bytes", target.name, found.why, found.input.len());
            match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, &found.input)) {
                Ok(()) => println!("saved as {}", file.display()),
                Err(error) => println!("not saved, {error}: {:02x?}", found.input),
            }
            false
        }
    }
}
