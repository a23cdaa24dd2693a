//! What every Rust file owes its reader: a word on what lives here, a size one can read, and nothing left half done.

use crate::lexer::code_only;
use crate::{expect_none, repository};

const LINES_MAX: usize = 500;

/// Files that are long for a good reason, which stands here. An entry that is no longer needed fails the test.
const LONG: &[(&str, &str)] = &[];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc", "shared"];

/// Macros that mark something unfinished, or a look at it.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "dbg!"];

fn untidy(path: &str, source: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let first = source.lines().next().unwrap_or_default();
    if first.strip_prefix("//! ").is_none_or(|doc| doc.split_whitespace().count() < 3) {
        findings
            .push(format!("{path}:1: begin with `//! ` and a sentence: what lives in this file, and what must not"));
    }
    let code = code_only(source);
    for (at, attribute) in attributes(&code) {
        if attribute.split(['(', ',']).any(|word| word == "allow") {
            findings
                .push(format!("{path}:{}: write #[expect(..., reason = \"...\")] instead of allow", line(&code, at)));
        }
    }
    for name in UNFINISHED {
        let whole_word = |at: &usize| !code[..*at].ends_with(|char: char| char.is_alphanumeric() || char == '_');
        for at in code.match_indices(name).map(|(at, _)| at).filter(whole_word) {
            findings.push(format!(
                "{path}:{}: {name} is left over: finish it, or return an error that says what is missing",
                line(&code, at)
            ));
        }
    }
    findings
}

/// Each attribute with its offset: what stands between the brackets, without spaces.
fn attributes(code: &str) -> impl Iterator<Item = (usize, String)> {
    code.match_indices('#').filter_map(|(at, _)| {
        let inside = code[at + 1..].trim_start_matches('!').strip_prefix('[')?;
        let mut depth = 1;
        let end = inside.find(|char| {
            depth += i32::from(char == '[') - i32::from(char == ']');
            depth == 0
        })?;
        Some((at, inside[..end].split_whitespace().collect()))
    })
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn too_long(files: &[(String, usize)], exceptions: &[(&str, &str)]) -> Vec<String> {
    let excepted = |path: &str| exceptions.iter().any(|(exception, _)| *exception == path);
    let long = files.iter().filter(|(_, lines)| *lines > LINES_MAX);
    let mut findings: Vec<String> = long
        .clone()
        .filter(|(path, _)| !excepted(path))
        .map(|(path, lines)| {
            format!("{path} has {lines} lines: split it by what it knows, or give a reason in LONG of {}", file!())
        })
        .collect();
    for (path, _) in exceptions {
        if !long.clone().any(|(long, _)| long == path) {
            findings.push(format!("{path} is not long any more: remove it from LONG of {}", file!()));
        }
    }
    findings
}

fn empty_names(paths: &[String]) -> Vec<String> {
    let says_nothing = |path: &&String| {
        let parts = path.split('/').map(|part| part.trim_end_matches(".rs"));
        let named = if path.ends_with(".rs") { usize::MAX } else { path.matches('/').count() };
        parts.take(named).any(|part| EMPTY_NAMES.contains(&part))
    };
    let finding = |path: &String| {
        format!("{path}: name the file or folder after what it knows; a helper lives with its first user")
    };
    paths.iter().filter(says_nothing).map(finding).collect()
}

fn sources() -> Vec<String> {
    repository::files(".rs").into_iter().filter(|path| !path.contains("/generated/")).collect()
}

#[test]
fn every_rust_file_is_tidy() {
    expect_none(&sources().iter().flat_map(|path| untidy(path, &repository::read(path))).collect::<Vec<_>>());
}

#[test]
fn no_file_is_too_long_to_read() {
    let lines = |path: String| (path.clone(), repository::read(&path).lines().count());
    expect_none(&too_long(&sources().into_iter().map(lines).collect::<Vec<_>>(), LONG));
}

#[test]
fn every_name_says_something() {
    expect_none(&empty_names(&repository::files("")));
}

mod the_checks_can_fail {
    use super::*;

    const DOC: &str = "//! What lives here.\n";

    fn complaints(code: &str) -> Vec<String> {
        untidy("x.rs", &format!("{DOC}{code}"))
    }

    #[test]
    fn a_file_without_a_module_doc_or_with_an_empty_one_is_found() {
        for source in ["", "fn main() {}", "// A comment only, no doc.", "//! .", "//!\n//! Too late for a reader."] {
            assert_eq!(untidy("x.rs", source).len(), 1, "{source}");
        }
        assert_eq!(complaints("fn main() {}"), [""; 0]);
    }

    #[test]
    fn an_allow_is_found_in_every_shape() {
        for code in [
            "#[allow(dead_code)]",
            "#![allow(dead_code)]",
            "#[ allow\n(dead_code)]",
            "#[cfg_attr(test, allow(dead_code))]",
            "#[doc = \"[\"] #[allow(dead_code)]",
        ] {
            assert_eq!(complaints(code).len(), 1, "{code}");
        }
        assert!(complaints("\n\n#[allow(dead_code)]")[0].starts_with("x.rs:4: "));
        for code in ["#[expect(dead_code, reason = \"...\")]", "// #[allow(dead_code)]", "#[derive(Allow)] x.allow(y)"]
        {
            assert_eq!(complaints(code), [""; 0], "{code}");
        }
    }

    #[test]
    fn unfinished_code_is_found_and_talk_about_it_is_not() {
        for code in ["fn f() { todo!() }", "unimplemented!(\"later\")", "let x = dbg!(y);"] {
            assert_eq!(complaints(code).len(), 1, "{code}");
        }
        for code in ["// todo!()", "\"dbg!\"", "my_todo!()"] {
            assert_eq!(complaints(code), [""; 0], "{code}");
        }
    }

    #[test]
    fn a_long_file_is_found_and_so_is_a_needless_exception() {
        let files = [("long.rs".to_owned(), LINES_MAX + 1), ("short.rs".to_owned(), LINES_MAX)];
        assert!(too_long(&files, &[])[0].starts_with("long.rs has 501 lines"));
        assert_eq!(too_long(&files, &[("long.rs", "a table")]), [""; 0]);
        assert_eq!(too_long(&files, &[("long.rs", "a table"), ("short.rs", "was long"), ("gone.rs", "")]).len(), 2);
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        for path in ["crates/utils/src/lib.rs", "crates/node/src/common.rs", "docs/misc/a.md"] {
            assert_eq!(empty_names(&[path.to_owned()]).len(), 1, "{path}");
        }
        for path in ["crates/node/src/commons.rs", "docs/common.md", "utils"] {
            assert_eq!(empty_names(&[path.to_owned()]), [""; 0], "{path}");
        }
    }
}
