//! Every measured figure of the project, each with its floor in the same run:
//! `cargo run --release -p bench -- all --json`. As in production, everything runs over TLS 1.3, nodes with certificates and
//! programs with access tokens. Nothing is asserted here: machines differ, ratios in one run do not lie.

mod cases;
mod driver;
mod floor;
mod pipeline;
mod place;
mod report;
mod shipped;
mod site;
mod usage;

use std::path::PathBuf;

use clap::Parser;
use place::Wire;

/// The one that the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEALED: &str = "bootstrap_sealed";
const CASES: [&str; 15] = [
    "bootstrap",
    SEALED,
    "reconnect",
    "catchup",
    "live",
    "long",
    "ingest",
    "import",
    "query",
    "ledger",
    "start",
    "city",
    "hostile",
    "county",
    "village",
];

/// Measures Heliu against floors taken in the same run.
#[derive(Parser)]
struct Arguments {
    /// bootstrap, bootstrap_sealed, reconnect, catchup, live, long, ingest, import, query, ledger, start, city, hostile, county, village, or all
    case: String,
    /// Members in the cases that have a county of them. Where it is about growth (bootstrap, ingest, import, start), more
    /// than 22,000 are measured beside 22,000.
    #[arg(long, alias = "members", default_value_t = 22_000)]
    records: usize,
    /// In those cases: with 300,000 members too. In `query` and `ledger`: with 686,000.
    #[arg(long)]
    growth: bool,
    /// In `city`: how much of a city of 28,000 organisations and 658,000 members there is, up to 1.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Edits in `live`.
    #[arg(long, default_value_t = 20_000)]
    edits: usize,
    /// As `bootstrap_sealed`, where each member has a telephone number, which is sealed.
    #[arg(long)]
    sealed: bool,
    /// In development mode, to see what TLS and access tokens cost. Not for import, start, city, county and village, where
    /// the shipped program runs.
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
    if !(arguments.scale > 0.0 && arguments.scale <= 1.0) {
        eprintln!("--scale is above 0 and at most 1");
        std::process::exit(2);
    }
    let wanted = if arguments.sealed && arguments.case == "bootstrap" { SEALED } else { &arguments.case };
    let chosen: Vec<&str> = CASES.into_iter().filter(|case| wanted == "all" || wanted == *case).collect();
    if chosen.is_empty() {
        eprintln!("there is no case {:?}; there are: all, {}", arguments.case, CASES.join(", "));
        std::process::exit(2);
    }
    let (records, growth) = (arguments.records, arguments.growth);
    for case in chosen {
        let report = match case {
            "bootstrap" => cases::bootstrap::run(wire, records, growth).await,
            SEALED => cases::bootstrap::run_sealed(wire, records, growth).await,
            "reconnect" => cases::reconnect::run(wire, records).await,
            "catchup" => cases::catchup::run(wire, records).await,
            "live" => cases::live::run(wire, arguments.edits).await,
            "long" => cases::long::run(),
            "ingest" => cases::ingest::run(wire, records, growth).await,
            "import" => cases::import::run(records, growth).await,
            "query" => cases::query::run(wire, records, growth).await,
            "ledger" => cases::ledger::run(wire, records, growth).await,
            "start" => cases::start::run(records, growth).await,
            "city" => cases::city::run(arguments.scale).await,
            "hostile" => cases::hostile::run(),
            "county" => cases::county::run(),
            _ => cases::village::run().await,
        };
        report.print(arguments.json);
    }
}
