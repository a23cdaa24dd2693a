//! Each threat has a test, and the table of them names tests that are there.

use crate::{expect_none, repository};

const TABLE: &str = "tests/THREATS.md";

/// The tests that a table names, as (line, file, function), and rows that name none.
fn named(table: &str) -> (Vec<(usize, &str, &str)>, Vec<usize>) {
    let (mut tests, mut without) = (Vec::new(), Vec::new());
    let rows = table.lines().enumerate().skip_while(|(_, line)| !line.starts_with("|---")).skip(1);
    for (index, row) in rows.filter(|(_, line)| line.starts_with('|')) {
        let before = tests.len();
        tests.extend(
            row.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).map(|(f, t)| (index + 1, f, t)),
        );
        if tests.len() == before {
            without.push(index + 1);
        }
    }
    (tests, without)
}

fn findings(table: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let (tests, without) = named(table);
    let missing = tests.into_iter().filter_map(|(line, file, test)| match read(file) {
        None => Some(format!("{TABLE}:{line}: there is no file {file}")),
        Some(text) if !text.contains(&format!("fn {test}(")) => {
            Some(format!("{TABLE}:{line}: {file} has no fn {test}: name the test that shows the defence"))
        }
        Some(_) => None,
    });
    let without = without.into_iter().map(|line| format!("{TABLE}:{line}: this threat has no test: write one"));
    missing.chain(without).collect()
}

#[test]
fn every_threat_has_a_test_that_is_there() {
    let table = repository::read(TABLE);
    assert!(named(&table).0.len() >= 12, "{TABLE} has lost its rows");
    expect_none(&findings(&table, |file| repository::exists(file).then(|| repository::read(file))));
}

#[test]
fn a_row_without_a_test_and_a_test_that_is_gone_are_found() {
    let table = "| threat | test |\n|---|---|\n| a | `x.rs::there` |\n| b | `x.rs::gone` |\n| c | none |\n| d | `y.rs::there` |\n";
    let found = findings(table, |file| (file == "x.rs").then(|| "fn there() {}".to_owned()));
    assert_eq!(found.len(), 3, "{found:?}");
}
