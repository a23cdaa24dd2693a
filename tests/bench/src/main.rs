//! Every measured figure of the project, each with its floor in the same run:
//! `cargo run --release -p bench -- all --json`. As in production, everything runs over TLS 1.3, nodes with certificates and
//! programs with access tokens. Nothing is asserted here: machines differ, ratios in one run do not lie.

mod cases;
mod driver;
mod floor;
mod place;
mod report;
mod site;

use std::path::PathBuf;

use clap::Parser;
use place::Wire;

/// The one that the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CASES: [&str; 8] = ["bootstrap", "reconnect", "catchup", "live", "ingest", "hostile", "county", "village"];

/// Measures Heliu against floors taken in the same run.
#[derive(Parser)]
struct Arguments {
    /// bootstrap, reconnect, catchup, live, ingest, hostile, county, village, or all
    case: String,
    /// Members in the cases that have a county of them.
    #[arg(long, default_value_t = 22_000)]
    records: usize,
    /// Edits in `live`.
    #[arg(long, default_value_t = 20_000)]
    edits: usize,
    /// In `bootstrap`: each member has a telephone number, which is sealed.
    #[arg(long)]
    sealed: bool,
    /// In development mode, to see what TLS and access tokens cost. Not for county and village, which are the shipped
    /// program's.
    #[arg(long)]
    plain: bool,
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
    let wire = if arguments.plain { Wire::Plain } else { Wire::Tls };
    if arguments.case == "serve" {
        let mut rest = arguments.rest.into_iter();
        let number = rest.next().and_then(|n| n.parse().ok()).expect("serve NUMBER DIRECTORY [UPSTREAM]");
        let directory = PathBuf::from(rest.next().expect("serve NUMBER DIRECTORY [UPSTREAM]"));
        return cases::live::serve(wire, number, &directory, rest.next()).await;
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
            "bootstrap" => cases::bootstrap::run(wire, arguments.records, arguments.sealed).await,
            "reconnect" => cases::reconnect::run(wire, arguments.records).await,
            "catchup" => cases::catchup::run(wire, arguments.records).await,
            "live" => cases::live::run(wire, arguments.edits).await,
            "ingest" => cases::ingest::run(wire, arguments.records).await,
            "hostile" => cases::hostile::run(),
            "county" => cases::county::run(),
            _ => cases::village::run().await,
        };
        report.print(arguments.json);
    }
}
