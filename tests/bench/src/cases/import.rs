//! `import`: the shipped program's `heliu import members FILE` into a county's new node, with a contact that is sealed and
//! without: from the start of the program to its end.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Load, sizes};
use crate::driver::{Driver, memory};
use crate::floor::{make_durable, seal_each};
use crate::place::{Place, Region, Wire};
use crate::report::Report;
use crate::shipped::{Shipped, found};
use crate::usage::{Processor, peak_mib};

const COUNTY: &str = "371726000000";
const SEALED_ROWS_PER_SECOND: f64 = 8_000.0;

pub async fn run(members: usize, growth: bool) -> Report {
    let (members, large) = sizes(members, growth);
    let program = super::built("heliu");
    let place = Place::mirrored(Region::County, Wire::Tls);
    let [plain, sealed] = [false, true].map(|sealed| import(&program, &place, Load { members, sealed }));
    let floor = Floor::measure(&place, members).await;
    let (bare, bare_sealed) = (floor.parse + floor.rows, floor.parse + floor.rows + floor.aead);
    let mut report = Report::new("import");
    report.figure("rows", members);
    plain.figures(&mut report, "");
    sealed.figures(&mut report, "sealed_");
    report
        .figure("sealed_rate_to_plain", sealed.rate() / plain.rate())
        .floor("parse_csv_seconds", floor.parse.as_secs_f64())
        .floor("durable_rows_seconds", floor.rows.as_secs_f64())
        .floor("aead_seconds", floor.aead.as_secs_f64())
        .floor("rows_per_second", members as f64 / bare.as_secs_f64())
        .floor("sealed_rows_per_second", members as f64 / bare_sealed.as_secs_f64())
        .figure("ratio_plain_to_the_floor", plain.seconds / bare.as_secs_f64())
        .ratio(sealed.seconds / bare_sealed.as_secs_f64())
        .target("sealed >= 8,000 rows/s", sealed.rate() >= SEALED_ROWS_PER_SECOND);
    if let Some(large) = large {
        let grown = import(&program, &place, Load { members: large, sealed: true });
        report.figure("large_rows", large);
        grown.figures(&mut report, "large_sealed_");
        report.figure("growth_of_sealed_rate", grown.rate() / sealed.rate());
    }
    report
}

struct Imported {
    rows: usize,
    seconds: f64,
    /// Looking at all rows, and writing them, as the program says.
    preview: f64,
    write: f64,
    /// Of the processor.
    node: f64,
    program: f64,
    peak: f64,
}

impl Imported {
    fn rate(&self) -> f64 {
        self.rows as f64 / self.seconds
    }

    fn figures(&self, report: &mut Report, prefix: &str) {
        let mut figure = |name: &str, value: f64| {
            report.figure(&format!("{prefix}{name}"), value);
        };
        let each = |seconds: f64| seconds * 1e6 / self.rows as f64;
        figure("rows_per_second", self.rate());
        figure("preview_rows_per_second", self.rows as f64 / self.preview);
        figure("write_rows_per_second", self.rows as f64 / self.write);
        figure("cpu_us_per_row_node", each(self.node));
        figure("cpu_us_per_row_program", each(self.program));
        figure("node_peak_mib", self.peak);
    }
}

fn import(program: &Path, place: &Place, load: Load) -> Imported {
    let directory = tempfile::tempdir().expect("a directory");
    let home = found(program, directory.path(), COUNTY);
    let node = Shipped::start(program, &home);
    give(program, &home, "orgs", &directory.path().join("regions.csv"));
    let file = directory.path().join("members.csv");
    std::fs::write(&file, table(place, load)).expect("the file is written");
    let (start, at_node, own) = (Instant::now(), Processor::of(node.process()), Processor::of_children());
    let result = give(program, &home, "members", &file);
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(result["created"], load.members, "all rows are in: {result}");
    let peak = peak_mib(node.process());
    let took = |part: &str| result["took_ms"][part].as_f64().expect("it says how long it took") / 1e3;
    let (preview, write) = (took("preview"), took("write"));
    Imported { rows: load.members, seconds, preview, write, node: at_node.seconds(), program: own.seconds(), peak }
}

/// What the program says of it.
fn give(program: &Path, home: &Path, kind: &str, file: &Path) -> Value {
    let mut command = Command::new(program);
    command.args(["import", kind]).arg(file).arg("--dir").arg(home).arg("--json");
    let out = command.output().expect("heliu starts");
    assert!(out.status.success(), "import {kind}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("it says what it did")
}

/// As a county's office would hand it in: branches are named by the codes of their villages.
fn table(place: &Place, load: Load) -> Vec<u8> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let mut columns = vec!["name", "branch", "member_no", "joined_on", "admitted_on", "full_on", "stage"];
    columns.extend(load.sealed.then_some("contact"));
    out.write_record(columns).expect("memory takes it");
    for member in place.members(load.members).members() {
        let (code, contact) = (code_of(place, &member), member.contact());
        let full_on = member.full_on.as_deref().unwrap_or_default();
        let (joined_on, name) = (member.joined_on.as_str(), member.name.as_str());
        let mut row = vec![name, &code, &member.member_no, joined_on, joined_on, full_on, member.stage];
        row.extend(load.sealed.then_some(contact.as_str()));
        out.write_record(row).expect("memory takes it");
    }
    out.into_inner().expect("memory takes it")
}

fn code_of(place: &Place, member: &heliu_catalogue::synthetic::SyntheticMember) -> String {
    place.directory.seats().get(member.seat).expect("the county has it").code.clone()
}

/// To read the table, to make the same rows durable as a node that is given the plain ones writes them, and to seal each
/// contact with a key of its own.
struct Floor {
    parse: Duration,
    rows: Duration,
    aead: Duration,
}

impl Floor {
    async fn measure(place: &Place, members: usize) -> Floor {
        let bytes = table(place, Load { members, sealed: true });
        let start = Instant::now();
        let rows = csv::Reader::from_reader(&*bytes).byte_records().filter(Result::is_ok).count();
        let parse = start.elapsed();
        assert_eq!(rows, members, "the table reads");
        let (orgs, registered) = Load { members, sealed: false }.commands(place);
        let mut node = Driver::new(memory(1), place.directory.clone(), 1, true);
        // Organisations have to be there. They are few.
        node.execute(orgs);
        node.execute(registered);
        let rows = make_durable(&node.transactions).await;
        let contacts: Vec<String> = place.members(members).members().map(|member| member.contact()).collect();
        Floor { parse, rows, aead: seal_each(&contacts) }
    }
}
