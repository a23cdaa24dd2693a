//! Every measured figure of the project, each with its floor in the same run:
//! `cargo run --release -p bench -- all --json`. Nothing is asserted here: machines differ, ratios in one run do not lie.

mod cases;
mod driver;
mod floor;
mod place;
mod report;
mod site;

use std::path::PathBuf;

use clap::Parser;

/// The one that the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CASES: [&str; 7] = ["bootstrap", "reconnect", "catchup", "live", "ingest", "county", "village"];

/// Measures Heliu against floors taken in the same run.
#[derive(Parser)]
struct Arguments {
    /// bootstrap, reconnect, catchup, live, ingest, county, village, or all
    case: String,
    /// Members in the cases that have a county of them.
    #[arg(long, default_value_t = 22_000)]
    records: usize,
    /// Edits in `live`.
    #[arg(long, default_value_t = 20_000)]
    edits: usize,
    /// One JSON object per case and line.
    #[arg(long)]
    json: bool,
    /// What `serve`, which cases start for themselves, runs as and on.
    #[arg(hide = true)]
    rest: Vec<String>,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    if arguments.case == "serve" {
        let mut rest = arguments.rest.into_iter();
        let number = rest.next().and_then(|n| n.parse().ok()).expect("serve NUMBER DIRECTORY [UPSTREAM]");
        let directory = PathBuf::from(rest.next().expect("serve NUMBER DIRECTORY [UPSTREAM]"));
        return cases::live::serve(number, &directory, rest.next()).await;
    }
    if arguments.edits < cases::live::EDITS_MIN || arguments.records == 0 {
        eprintln!("--edits is at least {}, --records at least 1", cases::live::EDITS_MIN);
        std::process::exit(2);
    }
    let chosen: Vec<&str> =
        CASES.into_iter().filter(|case| arguments.case == "all" || arguments.case == *case).collect();
    if chosen.is_empty() {
        eprintln!("there is no case {:?}; there are: all, {}", arguments.case, CASES.join(", "));
        std::process::exit(2);
    }
    for case in chosen {
        let report = match case {
            "bootstrap" => cases::bootstrap::run(arguments.records).await,
            "reconnect" => cases::reconnect::run(arguments.records).await,
            "catchup" => cases::catchup::run(arguments.records).await,
            "live" => cases::live::run(arguments.edits).await,
            "ingest" => cases::ingest::run(arguments.records).await,
            "county" => cases::county::run(),
            _ => cases::village::run().await,
        };
        report.print(arguments.json);
    }
}
