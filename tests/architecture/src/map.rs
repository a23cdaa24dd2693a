//! ARCHITECTURE.md is a map of what is there: every path that it names exists, and every room is on it.

use crate::metadata::Graph;
use crate::{expect_none, repository};

const MAP: &str = "ARCHITECTURE.md";

/// Where paths of this repository begin, even when the folder itself has gone.
const BEGINNINGS: &[&str] = &["crates", "services", "tests", "proto", "deploy", "docs", "xtask", ".ci", ".cargo"];
const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".proto", ".sql", ".yaml", ".json", ".sh"];

/// What stands in backticks outside of code blocks, with the number of its line.
fn quoted(markdown: &str) -> Vec<(usize, &str)> {
    let mut quoted = Vec::new();
    let mut fenced = false;
    for (index, line) in markdown.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced {
            quoted.extend(line.split('`').skip(1).step_by(2).map(|text| (index + 1, text)));
        }
    }
    quoted
}

/// The path that a quoted text names, if it looks like one of ours; a pattern such as `proto/heliu/<area>/v1` is held
/// to the part before its first placeholder.
fn path(text: &str) -> Option<&str> {
    let plain = |char: char| char.is_ascii_alphanumeric() || "._-/*<>{},".contains(char);
    let (first, rest) = text.split_once('/').unwrap_or((text, ""));
    let from_root = BEGINNINGS.contains(&first) && text.contains('/');
    let a_file = ENDINGS.iter().any(|ending| text.ends_with(ending)) && !first.is_empty();
    let a_root_document = rest.is_empty() && (text.ends_with(".md") || text.ends_with(".toml"));
    if !text.chars().all(plain) || !(from_root || (a_file && !rest.is_empty()) || a_root_document) {
        return None;
    }
    match text.find(['*', '<', '{']) {
        Some(placeholder) => text[..placeholder].rfind('/').map(|end| &text[..end]),
        None => Some(text.trim_end_matches('/')),
    }
}

fn missing_paths(markdown: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let missing = |(line, text): (usize, &str)| {
        let path = path(text)?;
        (!exists(path))
            .then(|| format!("{MAP}:{line}: `{text}` is not there: correct the map (paths begin at the root)"))
    };
    quoted(markdown).into_iter().filter_map(missing).collect()
}

fn missing_rooms(markdown: &str, graph: &Graph) -> Vec<String> {
    let missing = graph.rooms().filter(|(room, _)| !markdown.contains(room));
    missing.map(|(room, _)| format!("{MAP} does not mention {room}: say what lives there, and what must not")).collect()
}

#[test]
fn every_path_on_the_map_exists() {
    expect_none(&missing_paths(&repository::read(MAP), repository::exists));
}

#[test]
fn every_room_is_on_the_map() {
    expect_none(&missing_rooms(&repository::read(MAP), &Graph::of_this_workspace()));
}

#[test]
fn a_path_that_is_gone_is_found_and_other_words_are_left_alone() {
    let exists = |path: &str| {
        ["crates/record", "crates/record/src/kind.rs", "proto/heliu", "README.md", "crates"].contains(&path)
    };
    let good = "`crates/record/` `crates/record/src/kind.rs` `proto/heliu/<area>/v1/*.proto` `README.md`\n`crates/storage-*` \
                `text/plain` `tonic/prost` `Input -> Effects` `n/a` `heliu node` `lib.rs` crates/prose is no claim\n\
                ```\ncrates/in/code\n`crates/in/code`\n```\n";
    assert_eq!(missing_paths(good, exists), [""; 0]);
    for bad in ["`crates/gone`", "`tests/gone/`", "`record/src/kind.rs`", "`GONE.md`", "`services/*/main.rs`"] {
        assert_eq!(missing_paths(bad, exists).len(), 1, "{bad}");
    }
}

#[test]
fn a_room_that_nobody_described_is_found() {
    let graph =
        Graph::by_hand(&[("crates/record", "heliu-record", &[]), ("crates/new", "heliu-new", &[]), ("", "serde", &[])]);
    let findings = missing_rooms("`crates/record` holds the domain.", &graph);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("crates/new"), "{findings:?}");
}
