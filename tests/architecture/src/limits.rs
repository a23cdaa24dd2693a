//! No statement is prepared anew for each value of its limit: that took SQLite longer than reading a page of the feed.

use crate::{expect_none, repository};

/// The lines where a limit is a bare parameter.
fn bare(path: &str, source: &str) -> Vec<String> {
    let is_bare = |line: &str| line.contains("LIMIT ?") || line.contains("OFFSET ?");
    let lines = (1..).zip(source.lines()).filter(|(_, line)| is_bare(line));
    lines.map(|(number, _)| format!("{path}:{number}: write `LIMIT +?`; `convert::limit` says why")).collect()
}

#[test]
fn no_limit_of_a_statement_is_a_bare_parameter() {
    let sources = repository::files(".rs").into_iter().filter(|path| path.starts_with("crates/storage-sqlite/src/"));
    let findings = sources.flat_map(|path| bare(&path, &repository::read(&path)));
    expect_none(&findings.collect::<Vec<_>>());
}

#[test]
fn a_bare_limit_is_found() {
    let source = ["SELECT 1 LIMIT +?1", "SELECT 1 LIMIT 2", concat!("SELECT 1 LIMIT", " ?")].join("\n");
    assert_eq!(bare("x.rs", &source).len(), 1);
}
