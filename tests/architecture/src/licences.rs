//! Every dependency's licence is one that deny.toml allows. The list is kept there, once, for cargo-deny and for us.

use crate::metadata::Graph;
use crate::{expect_none, repository};

/// Crates that state their licence in a file only; the file has been read.
const READ_BY_HAND: &[(&str, &str)] = &[];

/// The strings of `allow = [...]` under `[licenses]`.
fn allowed(deny: &str) -> Vec<&str> {
    let section = deny.split_once("[licenses]").map_or("", |(_, rest)| rest);
    let list = section.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']')).map_or("", |(list, _)| list);
    list.split('"').skip(1).step_by(2).collect()
}

/// Whether an SPDX expression can be satisfied with allowed licences alone. AND binds tighter than OR, and `/` is how
/// old crates write OR.
fn satisfied(expression: &str, allowed: &[&str]) -> Result<bool, String> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, allowed };
    let satisfied = parser.any()?;
    match parser.words {
        [] => Ok(satisfied),
        [word, ..] => Err(format!("unexpected `{word}`")),
    }
}

struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a [&'a str],
}

impl Parser<'_> {
    fn any(&mut self) -> Result<bool, String> {
        let mut satisfied = self.all()?;
        while self.take("OR") {
            satisfied |= self.all()?;
        }
        Ok(satisfied)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Ok(satisfied)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let satisfied = self.any()?;
            return if self.take(")") { Ok(satisfied) } else { Err("unclosed bracket".into()) };
        }
        let [licence, rest @ ..] = self.words else { return Err("a licence is missing at the end".into()) };
        if ["OR", "AND", "WITH", ")"].contains(licence) {
            return Err(format!("unexpected `{licence}`"));
        }
        self.words = rest;
        if !self.take("WITH") {
            return Ok(self.allowed.contains(licence));
        }
        let [exception, rest @ ..] = self.words else { return Err("an exception is missing after WITH".into()) };
        self.words = rest;
        // An exception only ever adds permission.
        Ok(self.allowed.contains(licence) || self.allowed.contains(&format!("{licence} WITH {exception}").as_str()))
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }
}

fn forbidden(graph: &Graph, allowed: &[&str]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in graph.packages.values() {
        let by_hand = READ_BY_HAND.iter().find(|(name, _)| *name == package.name).map(|(_, licence)| *licence);
        let name = format!("{} {}", package.name, package.version);
        match package.licence.as_deref().or(by_hand) {
            None => findings
                .push(format!("{name} states no licence: read its file, then enter it in READ_BY_HAND of {}", file!())),
            Some(licence) => match satisfied(licence, allowed) {
                Ok(true) => {}
                Ok(false) => findings
                    .push(format!("{name} is under `{licence}`, which deny.toml does not allow: use another crate")),
                Err(why) => findings.push(format!("{name} has a licence that cannot be read, `{licence}`: {why}")),
            },
        }
    }
    findings
}

#[test]
fn every_dependency_is_under_an_allowed_licence() {
    expect_none(&forbidden(&Graph::of_this_workspace(), &allowed(&repository::read("deny.toml"))));
}

#[test]
fn the_list_of_deny_toml_is_read() {
    let deny = r#"
        [graph]
        allow = ["no"]
        [licenses]
        # why
        allow = [
            "MIT",
            "Apache-2.0 WITH LLVM-exception",
        ]
        other = ["no"]
    "#;
    assert_eq!(allowed(deny), ["MIT", "Apache-2.0 WITH LLVM-exception"]);
    assert!(allowed(&repository::read("deny.toml")).contains(&"MIT"));
}

#[test]
fn expressions_are_judged_as_spdx_means_them() {
    let allowed = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"];
    let judge = |expression| satisfied(expression, &allowed);
    for good in [
        "MIT",
        "GPL-3.0 OR MIT",
        "GPL-3.0/MIT",
        "(GPL-3.0 OR MIT) AND Zlib",
        "GPL-3.0 AND Zlib OR MIT",
        "Apache-2.0 WITH LLVM-exception",
        "MIT WITH some-exception",
    ] {
        assert_eq!(judge(good), Ok(true), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "MIT AND (GPL-3.0 OR LGPL-3.0)", "Apache-2.0", "Apache-2.0 WITH other"] {
        assert_eq!(judge(bad), Ok(false), "{bad}");
    }
    for unreadable in ["", "MIT OR", "(MIT", "MIT Zlib", "MIT)", "OR MIT", "MIT WITH"] {
        assert!(judge(unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn a_forbidden_and_an_unstated_licence_are_found() {
    let mut graph = Graph::by_hand(&[("", "copyleft", &[]), ("", "silent", &[]), ("", "fine", &[])]);
    graph.packages.get_mut("copyleft").expect("made above").licence = Some("AGPL-3.0".into());
    graph.packages.get_mut("fine").expect("made above").licence = Some("MIT".into());
    let findings = forbidden(&graph, &["MIT"]);
    assert_eq!(findings.len(), 2, "{findings:?}");
}
