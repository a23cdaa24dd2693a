//! The compiler's and clippy's rules reach every crate, and the pure core's stricter ones reach all of the core.

use crate::metadata::Graph;
use crate::{expect_none, repository};

/// The rooms whose clippy.toml bans clocks, randomness and unordered maps. Clippy merges no files, so each has a copy.
const STRICT: &[&str] = &["crates/record", "crates/catalogue", "crates/trust", "crates/storage", "crates/replication"];

/// What those copies must ban, whatever else they do.
const BANNED: &[&str] = &[
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "jiff::Zoned::now",
    "jiff::tz::TimeZone::system",
    "getrandom::fill",
    "rand::random",
    "std::collections::HashMap",
    "std::collections::HashSet",
];

fn without_workspace_lints(room: &str, manifest: &str) -> Option<String> {
    let lines: Vec<&str> = manifest.lines().map(str::trim).collect();
    let inherits = lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"]);
    (!inherits).then(|| format!("{room}/Cargo.toml: add the two lines `[lints]` and `workspace = true`"))
}

fn lax(copies: &[(&str, String)]) -> Vec<String> {
    let mut findings = Vec::new();
    let (model, strict) = &copies[0];
    for (room, copy) in copies {
        if copy != strict {
            findings.push(format!("{room}/clippy.toml differs from {model}/clippy.toml: make the copies alike again"));
        }
        for banned in BANNED.iter().filter(|banned| !copy.contains(&format!("\"{banned}\""))) {
            findings.push(format!("{room}/clippy.toml must ban {banned}: the core is pure, and iterates in order"));
        }
    }
    findings
}

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() {
    let graph = Graph::of_this_workspace();
    let findings = graph
        .rooms()
        .filter_map(|(room, _)| without_workspace_lints(room, &repository::read(&format!("{room}/Cargo.toml"))));
    expect_none(&findings.collect::<Vec<_>>());
}

#[test]
fn the_core_reads_no_clock_no_randomness_and_no_unordered_map() {
    let copies: Vec<_> = STRICT.iter().map(|room| (*room, repository::read(&format!("{room}/clippy.toml")))).collect();
    expect_none(&lax(&copies));
}

#[test]
fn a_crate_without_the_lints_is_found() {
    assert_eq!(without_workspace_lints("x", "[package]\n\n[lints]\nworkspace = true\n"), None);
    for manifest in ["[package]\nname = \"x\"", "[lints]\n", "[lints.rust]\nunsafe_code = \"allow\"\n"] {
        assert!(without_workspace_lints("x", manifest).is_some(), "{manifest}");
    }
}

#[test]
fn a_softened_copy_is_found() {
    let strict = repository::read("crates/record/clippy.toml");
    let softened = strict.replace("std::time::Instant::now", "std::time::Instant::nothing");
    let findings = lax(&[("a", strict.clone()), ("b", softened)]);
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!(lax(&[("a", strict.clone()), ("b", strict)]), [""; 0]);
}
