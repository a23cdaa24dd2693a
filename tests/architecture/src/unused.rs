//! What a Cargo.toml names is used: by what runs, or, in `[dev-dependencies]`, by tests. What is not costs everybody who
//! builds, and tells a reader of rooms that are none.

use std::collections::BTreeSet;

use crate::lexer::{code_only, shipped};
use crate::metadata::{Graph, Named};
use crate::{expect_none, repository};

/// Dependencies that no source names, with what they are there for: a feature of another crate, a linked library. An
/// entry that is no longer needed fails the test.
const UNNAMED: &[(&str, &str, &str)] = &[];

/// The sources of one room, without comments and literals.
#[derive(Default)]
pub struct Sources {
    /// What is shipped.
    pub runs: String,
    /// What is not.
    pub tests: String,
}

/// What stands before modules that only tests, simulations and benches have.
const FOR_TESTS: &[&str] = &["#[cfg(test)]\n", "#[cfg(any(test, feature = \"testing\"))]\n"];

impl Sources {
    /// Of a room of this repository.
    pub fn of_room(room: &str, files: &[String]) -> Self {
        let inside =
            |path: &String| Some((path.strip_prefix(room)?.strip_prefix('/')?.to_owned(), repository::read(path)));
        Self::of(&files.iter().filter_map(inside).collect::<Vec<_>>(), room.starts_with("tests/"))
    }

    /// Of files as (path in the room, text). In a room of tests everything runs.
    pub fn of(files: &[(String, String)], is_for_tests: bool) -> Self {
        let modules: Vec<String> = files.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
        let mut sources = Self::default();
        for (path, text) in files {
            let is_test = !(path.starts_with("src/") || path == "build.rs")
                || modules.iter().any(|module| path.strip_prefix(module.as_str()).is_some_and(is_module));
            if is_test && !is_for_tests {
                sources.tests += &code_only(text);
            } else {
                sources.runs += &code_only(if is_for_tests { text } else { shipped(text) });
                sources.tests += &code_only(&text[shipped(text).len()..]);
            }
        }
        sources
    }
}

/// What comes after the path of a module: its own file, or what is below it.
fn is_module(rest: &str) -> bool {
    rest == ".rs" || rest.starts_with('/')
}

/// The paths, without `.rs`, of the modules that a file has for tests alone.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.trim_end_matches(".rs");
    let below = if ["lib", "main", "mod"].contains(&stem) { folder.to_owned() } else { format!("{folder}/{stem}") };
    let declared = FOR_TESTS.iter().flat_map(|gate| text.split(gate).skip(1)).filter_map(|rest| {
        let line = rest.lines().next()?.trim();
        line.rsplit_once("mod ")?.1.strip_suffix(';')
    });
    declared.map(|name| format!("{below}/{name}")).collect()
}

/// Whether code says `name::`, or brings the crate in whole.
fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || "_.".contains(c));
        let is_used_whole = before.ends_with("use ") || before.ends_with("extern crate ");
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        begins && ends && (after.starts_with("::") || is_used_whole)
    })
}

fn unused(room: &str, named: &[Named], sources: &Sources, unnamed: &[(&str, &str, &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    let also_for_what_runs = |name: &str| named.iter().any(|one| one.name == name && !one.for_tests);
    for one in named {
        let Named { name, called, .. } = one;
        let (by_what_runs, by_tests) = (names(&sources.runs, called), names(&sources.tests, called));
        let is_excepted = unnamed.iter().any(|(at, dependency, _)| *at == room && dependency == name);
        // What stands in both sections adds features for tests.
        let is_used = by_what_runs || (one.for_tests && (by_tests || also_for_what_runs(name)));
        match (is_used, is_excepted) {
            (true, false) | (false, true) => {}
            (true, true) => {
                findings.push(format!("{room} names {name} in its code: remove it from UNNAMED of {}", file!()));
            }
            (false, false) if by_tests => {
                findings.push(format!("{room}/Cargo.toml: only tests use {name}: move it to [dev-dependencies]"));
            }
            (false, false) => findings.push(format!(
                "{room}/Cargo.toml: nothing uses {name}: remove it, or say in UNNAMED of {} what it is there for",
                file!()
            )),
        }
    }
    for (_, name, _) in unnamed.iter().filter(|(at, name, _)| *at == room && named.iter().all(|one| one.name != *name))
    {
        findings.push(format!("{room} has no dependency {name} any more: remove it from UNNAMED of {}", file!()));
    }
    findings
}

/// The names under `[workspace.dependencies]`.
fn of_workspace(manifest: &str) -> Vec<&str> {
    let section = manifest.split_once("[workspace.dependencies]\n").map_or("", |(_, rest)| rest);
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with('#'))
        .collect()
}

fn nobodys(manifest: &str, named: &BTreeSet<&str>) -> Vec<String> {
    let nobodys = of_workspace(manifest).into_iter().filter(|name| !named.contains(name));
    nobodys.map(|name| format!("Cargo.toml: no room names {name}: remove it from [workspace.dependencies]")).collect()
}

#[test]
fn every_dependency_is_used_where_it_is_named() {
    let graph = Graph::of_this_workspace();
    let files = repository::files(".rs");
    let mut findings = Vec::new();
    for (room, package) in graph.rooms() {
        let sources = Sources::of_room(room, &files);
        findings.extend(unused(room, &package.named, &sources, UNNAMED));
    }
    expect_none(&findings);
}

#[test]
fn every_dependency_of_the_workspace_has_a_room() {
    let graph = Graph::of_this_workspace();
    let named = graph.rooms().flat_map(|(_, package)| &package.named).map(|named| named.name.as_str()).collect();
    expect_none(&nobodys(&repository::read("Cargo.toml"), &named));
}

mod the_checks_can_fail {
    use super::*;

    fn named(name: &str, for_tests: bool) -> Named {
        Named { name: name.to_owned(), called: name.replace('-', "_"), for_tests, ..Named::default() }
    }

    fn sources(files: &[(&str, &str)]) -> Sources {
        let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Sources::of(&files, false)
    }

    #[test]
    fn what_nothing_names_is_found_and_talk_about_it_is_no_use() {
        let of = |text: &str| unused("x", &[named("serde-json", false)], &sources(&[("src/lib.rs", text)]), &[]);
        for code in [
            "",
            "// serde_json::to_string",
            "\"serde_json::x\"",
            "my_serde_json::x()",
            "serde_jsons::x",
            "f(serde_json)",
        ] {
            assert_eq!(of(code).len(), 1, "{code}");
            assert!(of(code)[0].contains("nothing uses serde-json"), "{code}");
        }
        for code in [
            "use serde_json::Value;",
            "use serde_json as json;",
            "#[derive(serde_json::X)]",
            "let x = serde_json::json!(1);",
        ] {
            assert_eq!(of(code), [""; 0], "{code}");
        }
    }

    #[test]
    fn what_only_tests_use_belongs_to_them() {
        let at_its_end = sources(&[("src/lib.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n use csv::Reader; }")]);
        let beside = sources(&[
            ("src/room.rs", "#[cfg(test)]\nmod story;\n"),
            ("src/room/story.rs", "use csv::Reader;"),
            ("src/room/storyteller.rs", ""),
        ]);
        let gated = sources(&[
            ("src/lib.rs", "#[cfg(any(test, feature = \"testing\"))]\npub mod memory;\n"),
            ("src/memory/state.rs", "use csv::Reader;"),
        ]);
        let outside = sources(&[("src/lib.rs", ""), ("tests/all.rs", "use csv::Reader;")]);
        for sources in [at_its_end, beside, gated, outside] {
            assert!(unused("x", &[named("csv", false)], &sources, &[])[0].contains("only tests use csv"));
            assert_eq!(unused("x", &[named("csv", true)], &sources, &[]), [""; 0]);
        }
        let in_code = sources(&[("src/lib.rs", "use csv::Reader;")]);
        assert_eq!(
            unused("x", &[named("csv", false), named("csv", true)], &in_code, &[]),
            [""; 0],
            "more features for tests"
        );
        assert_eq!(unused("x", &[named("csv", true)], &sources(&[("src/lib.rs", "")]), &[]).len(), 1);
    }

    #[test]
    fn an_exception_is_heard_until_it_is_not_needed() {
        let exception = [("x", "csv", "for its feature")];
        assert_eq!(unused("x", &[named("csv", false)], &sources(&[]), &exception), [""; 0]);
        assert_eq!(unused("y", &[named("csv", false)], &sources(&[]), &exception).len(), 1);
        assert_eq!(unused("x", &[named("csv", false)], &sources(&[("src/lib.rs", "csv::x")]), &exception).len(), 1);
        assert_eq!(unused("x", &[], &sources(&[]), &exception).len(), 1);
    }

    #[test]
    fn a_dependency_of_the_workspace_that_no_room_takes_is_found() {
        let manifest = "[workspace.dependencies]\n# why = x\ncsv = \"1\"\ntoml = { version = \"1\" }\n\n[profile.dev]\ndebug = 1\n";
        assert_eq!(of_workspace(manifest), ["csv", "toml"]);
        assert_eq!(nobodys(manifest, &BTreeSet::from(["csv"])).len(), 1);
    }
}
