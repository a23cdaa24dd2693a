//! Relative links between Markdown files lead somewhere.

use crate::{expect_none, repository};

/// The targets of links and images outside of code, with the number of their line.
fn targets(markdown: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    let mut fenced = false;
    for (index, line) in markdown.lines().enumerate() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        let definition = prose.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
        let inline = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        let target = |text: &str| {
            text.split_whitespace().next().map(|target| (index + 1, target.trim_matches(['<', '>']).to_owned()))
        };
        targets.extend(definition.into_iter().chain(inline).filter_map(target));
    }
    targets
}

fn broken(path: &str, markdown: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for (line, target) in targets(markdown) {
        let file = target.split(['#', '?']).next().unwrap_or_default().replace("%20", " ");
        if file.is_empty() || target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        match resolve(path, &file) {
            Some(resolved) if exists(&resolved) => {}
            _ => findings.push(format!("{path}:{line}: the link to {target} leads nowhere: correct it or remove it")),
        }
    }
    findings
}

/// The path from the root that a link in the file `from` means; none if it leaves the repository.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = if link.starts_with('/') { vec![] } else { from.split('/').collect() };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn links_between_documents_resolve() {
    let documents = repository::files(".md");
    let findings = documents.iter().flat_map(|path| broken(path, &repository::read(path), repository::exists));
    expect_none(&findings.collect::<Vec<_>>());
}

#[test]
fn a_broken_link_is_found_and_code_is_left_alone() {
    let markdown = "See [a](../README.md), ![b](gone.png \"title\") and [c](https://example.org/x).\n\
                    ```\n[d](in-code.md)\n```\n`[e](in-code.md)` [f](#here) [g](sub/x.md#there)\n\
                    [h]: gone.md\n[i](../../out.md)";
    let exists = |path: &str| ["README.md", "docs/sub/x.md"].contains(&path);
    let findings = broken("docs/page.md", markdown, exists);
    assert_eq!(findings.len(), 3, "{findings:?}");
    for (finding, start) in
        findings.iter().zip(["docs/page.md:1: the link to gone.png", "docs/page.md:6:", "docs/page.md:7:"])
    {
        assert!(finding.starts_with(start), "{finding}");
    }
}
