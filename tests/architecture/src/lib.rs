//! The rules that no compiler checks, as tests: one file per fence.
//!
//! Each file holds a checker (data in, findings out), the test that runs it over this repository, and tests that show
//! the checker failing, because a fence that cannot fail is paint. Messages say what to do.

#![cfg(test)]

mod asked_of;
mod circles;
mod conformance;
mod dependencies;
mod doors;
mod doubles;
mod fields;
mod lexer;
mod licences;
mod limits;
mod links;
mod lints;
mod map;
mod metadata;
mod modules;
mod names;
mod parts;
mod predicates;
mod repository;
mod threats;
mod tidy;
mod unused;

/// Ends a test: nothing to say, or every finding at once, so that one run shows all there is to repair.
#[track_caller]
fn expect_none(findings: &[String]) {
    assert!(findings.is_empty(), "{} to repair:\n\n  {}\n", findings.len(), findings.join("\n  "));
}
