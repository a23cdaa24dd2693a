//! `village`: what the shipped program takes at rest on a village's machine.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use heliu_client::{Access, Client};

use crate::report::Report;
use crate::site::free_address;

/// A large village's.
const MEMBERS: usize = 200;

pub async fn run() -> Report {
    let program = super::built("heliu");
    let binary = std::fs::metadata(&program).expect("the program is there").len() as f64 / 1e6;
    let directory = tempfile::tempdir().expect("a directory");
    let regions = directory.path().join("regions.csv");
    std::fs::write(&regions, crate::place::REGIONS).expect("the region file is written");
    let realm = directory.path().join("realm");
    let address = free_address().to_string();
    let made = Command::new(&program)
        .args(["init", "--regions"])
        .arg(&regions)
        .arg("--dir")
        .arg(&realm)
        .arg("--node")
        .arg(format!("371726001216={address}"))
        .output()
        .expect("heliu starts");
    assert!(made.status.success(), "init: {}", String::from_utf8_lossy(&made.stderr));
    let home = realm.join("nodes/371726001216");
    let mut node = Command::new(&program)
        .args(["node", "--log-json", "--dir"])
        .arg(&home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("heliu starts");
    let mut line = String::new();
    BufReader::new(node.stdout.take().expect("its output is a pipe"))
        .read_line(&mut line)
        .expect("it says that it runs");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let empty = resident_mib(node.id());
    let access = Access::read(&home.join("local.access")).expect("init and node write it");
    let client = Client::open(&access).await.expect("the village answers");
    super::live::register(&client, MEMBERS).await;
    drop(client);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let resident = resident_mib(node.id());
    let _ = node.kill();
    let _ = node.wait();
    let mut report = Report::new("village");
    report
        .figure("members", MEMBERS)
        .figure("resident_mib", resident)
        .figure("binary_mb", binary)
        .floor("resident_without_records_mib", empty)
        .ratio(resident / empty)
        .target("resident <= 40 MiB", resident <= 40.0)
        .target("binary <= 40 MB", binary <= 40.0);
    report
}

fn resident_mib(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1_024.0)
}
