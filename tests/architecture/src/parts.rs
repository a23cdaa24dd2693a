//! The borders between the parts of the engine: none is handed another to change. What a part finds is a value; the steps of
//! a batch and the engine hand it on, and they alone have several parts in hand.

use crate::lexer::{code_only, shipped};
use crate::{expect_none, repository};

const ROOM: &str = "crates/replication/src/";

/// Each part, and where it lives; by folder or by file.
const PARTS: &[(&str, &str)] = &[
    ("Audit", "audit.rs"),
    ("Authority", "authority/"),
    ("Delta", "journal/"),
    ("Foreign", "records/"),
    ("Health", "health/"),
    ("Journal", "journal/"),
    ("Kept", "records/"),
    ("Keys", "keys/"),
    ("Leaving", "records/"),
    ("Link", "link/"),
    ("Queue", "journal/"),
    ("Recount", "records/"),
    ("Records", "records/"),
    ("ScopeSums", "records/"),
    ("Scopes", "records/"),
    ("Statements", "statements/"),
    ("Stranded", "records/"),
    ("Unjudged", "records/"),
    ("Writer", "journal/"),
];

/// Who has all of them, and who may have that.
const ALL: &str = "Parts";
const STEPS: &[&str] = &["batch/", "engine.rs", "engine/", "parts.rs"];

/// Where a source takes something of another part to change it. `file` is its path below the room.
fn reaching_over(file: &str, source: &str) -> Vec<String> {
    if STEPS.iter().any(|step| file.starts_with(step)) {
        return Vec::new();
    }
    let code = code_only(shipped(source));
    let mut findings = Vec::new();
    for (at, _) in code.match_indices("&mut ").chain(code.match_indices(" mut ")) {
        let taken = &code[at + "&mut ".len()..];
        let end = taken.find(|char: char| !(char.is_alphanumeric() || "_:".contains(char))).unwrap_or(taken.len());
        let name = taken[..end].rsplit("::").next().unwrap_or_default();
        let is_others = PARTS.iter().any(|(part, home)| *part == name && !file.starts_with(home));
        if is_others || name == ALL {
            let line = code[..at].matches('\n').count() + 1;
            findings.push(format!(
                "{ROOM}{file}:{line}: takes {name} to change it: return what is to be changed, and let a step of a batch do it"
            ));
        }
    }
    findings
}

fn sources() -> Vec<(String, String)> {
    let paths = repository::files(".rs").into_iter();
    paths.filter_map(|path| Some((path.strip_prefix(ROOM)?.to_owned(), repository::read(&path)))).collect()
}

#[test]
fn no_part_of_the_engine_is_handed_another_to_change() {
    let sources = sources();
    let mut findings: Vec<String> = sources.iter().flat_map(|(file, source)| reaching_over(file, source)).collect();
    for (part, home) in PARTS {
        let is_there = |(file, source): &(String, String)| {
            file.starts_with(home) && code_only(source).contains(&format!("struct {part} {{"))
        };
        if !sources.iter().any(is_there) {
            findings.push(format!("{part} is not in {ROOM}{home}: correct PARTS of {}", file!()));
        }
    }
    expect_none(&findings);
}

mod the_checks_can_fail {
    use super::*;

    #[test]
    fn a_part_that_takes_another_is_found_and_one_that_looks_at_it_or_changes_itself_is_not() {
        let found =
            reaching_over("keys/mod.rs", "fn f(a: &mut Keys) {}\nfn g(records: &'a mut crate::records::Records) {}");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/replication/src/keys/mod.rs:2: takes Records"), "{found:?}");
        assert_eq!(reaching_over("keys/mod.rs", "fn f(records: &Records, open: &mut Open) {}"), [""; 0]);
        assert!(!reaching_over("link/mod.rs", "fn f(parts: &mut Parts) {}").is_empty());
        assert_eq!(reaching_over("batch/leaves.rs", "fn f(parts: &mut Parts, delta: &mut Delta) {}"), [""; 0]);
    }
}
