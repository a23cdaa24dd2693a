//! What stands in for the real thing in tests (signatures that anybody can make, a store that forgets) is in no program that
//! is shipped: it is behind the feature `testing` of its crate, and what is shipped neither switches that on nor names it.

use std::process::Command;

use crate::metadata::Graph;
use crate::unused::Sources;
use crate::{expect_none, repository};

const FEATURE: &str = "testing";

/// What others build on or run.
const SHIPPED: &[&str] = &["heliu", "heliu-node"];

/// What the doubles are called. A build of the whole workspace has them at hand, as some room of it always tests; only a
/// build of what is shipped alone would miss them.
const DOUBLES: &[&str] = &["simulated::", "Cheap", "CheapKey", "MemoryStore", "conformance::", "conformance_suite"];

/// Packages of ours and their features, as cargo resolves them for one package alone: lines of `name version|features`.
fn tree_of(package: &str) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--package", package, "--edges", "normal,build", "--prefix", "none", "--format", "{p}|{f}"])
        .current_dir(repository::root())
        .output()
        .expect("cargo runs: it runs this test");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn switched_on(package: &str, tree: &str) -> Vec<String> {
    let lines = tree.lines().filter_map(|line| line.split_once('|'));
    let ours = lines.filter(|(name, _)| name.starts_with("heliu"));
    let with = ours.filter(|(_, features)| features.split(&[',', ' '][..]).any(|feature| feature == FEATURE));
    let mut with: Vec<&str> = with.filter_map(|(name, _)| name.split(' ').next()).collect();
    with.dedup();
    with.into_iter()
        .map(|name| {
            format!("{package} is built with {name}/{FEATURE}: switch it on in [dev-dependencies] and in tests/* alone")
        })
        .collect()
}

fn named(room: &str, code: &str) -> Vec<String> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let names = |double: &str| {
        code.match_indices(double).any(|(at, _)| {
            let is_path = double.ends_with("::");
            !code[..at].ends_with(is_word) && (is_path || !code[at + double.len()..].starts_with(is_word))
        })
    };
    let doubles = DOUBLES.iter().filter(|double| names(double));
    doubles.map(|double| format!("{room} names {double} in what is shipped: it is for tests alone")).collect()
}

#[test]
fn what_is_shipped_is_built_without_test_doubles() {
    let trees = SHIPPED.iter().map(|package| (package, tree_of(package)));
    let mut findings = Vec::new();
    for (package, tree) in trees {
        assert!(tree.contains("heliu-trust"), "the tree of {package} has lost a room that has doubles: {tree}");
        findings.extend(switched_on(package, &tree));
    }
    expect_none(&findings);
}

#[test]
fn what_is_shipped_names_no_test_double() {
    let (graph, files) = (Graph::of_this_workspace(), repository::files(".rs"));
    let rooms = graph.rooms().filter(|(room, _)| room.starts_with("crates/") || room.starts_with("services/"));
    expect_none(&rooms.flat_map(|(room, _)| named(room, &Sources::of_room(room, &files).runs)).collect::<Vec<_>>());
}

#[test]
fn every_double_is_there_to_be_kept_out() {
    let files = repository::files(".rs");
    let all: String = ["crates/trust", "crates/storage"].map(|room| Sources::of_room(room, &files).tests).concat();
    let found = named("they", &all);
    for double in DOUBLES {
        let is_there = found.iter().any(|finding| finding.contains(&format!(" {double} ")));
        assert!(is_there, "{double} is gone: correct DOUBLES of {}", file!());
    }
}

mod the_checks_can_fail {
    use super::*;

    #[test]
    fn a_double_that_is_switched_on_is_found() {
        let tree = "heliu v0.1.0 (/w/services/heliu)|\nheliu-trust v0.1.0 (/w/crates/trust)|default,testing\n\
                    heliu-trust v0.1.0 (/w/crates/trust)|default,testing (*)\nproptest v1.0.0|testing\nheliu-storage v0.1.0|\n";
        let findings = switched_on("heliu", tree);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("heliu is built with heliu-trust/testing"), "{findings:?}");
        assert_eq!(switched_on("heliu", &tree.replace("testing", "synthetic")), [""; 0]);
    }

    #[test]
    fn a_double_that_is_named_is_found() {
        let of = |text: &str| {
            let files = [("src/lib.rs".to_owned(), text.to_owned())];
            named("crates/x", &Sources::of(&files, false).runs)
        };
        for code in ["use heliu_storage::memory::MemoryStore;", "fn f(k: Cheap) {}", "heliu_storage::conformance::f()"]
        {
            assert_eq!(of(code).len(), 1, "{code}");
        }
        for code in [
            "// a MemoryStore",
            "f(\"MemoryStore\")",
            "CheapKeys",
            "pub mod simulated;",
            "#[cfg(test)]\nmod tests {\nuse x::MemoryStore;}",
        ] {
            assert_eq!(of(code), [""; 0], "{code}");
        }
    }
}
