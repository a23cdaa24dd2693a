//! What asks changes nothing: a function with the name of a question takes nothing that it could change. What only tests
//! have is left alone: there, names tell stories.

use crate::lexer::{code_only, shipped};
use crate::{expect_none, repository};

const QUESTIONS: &[&str] = &["is_", "has_", "may_", "can_"];

/// Functions of a file that ask by their names, and take their receiver or an argument to change it.
fn changing(path: &str, source: &str) -> Vec<String> {
    let code = code_only(source);
    let mut findings = Vec::new();
    for (at, _) in
        code.match_indices("fn ").filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    {
        let rest = code[at + 3..].trim_start();
        let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let Some(takes) = rest[name.len()..].strip_prefix('<').map_or(Some(&rest[name.len()..]), behind_generics)
        else {
            continue;
        };
        let Some(takes) = in_brackets(takes) else { continue };
        // `&'a mut self` too; a `mut self` of its own is nobody else's.
        let changes = takes.split(',').any(|argument| {
            argument.contains('&') && argument.split(|c: char| !c.is_alphanumeric()).any(|word| word == "mut")
        });
        if changes && QUESTIONS.iter().any(|question| name.starts_with(question)) {
            let line = code[..at].matches('\n').count() + 1;
            findings.push(format!("{path}:{line}: {name} asks by its name and takes `&mut`: name it by what it does"));
        }
    }
    findings
}

/// What follows on generics whose first `<` has been read.
fn behind_generics(text: &str) -> Option<&str> {
    let mut depth = 1;
    let end = text.char_indices().find(|(at, char)| {
        // Not the arrow of `Fn() -> T`.
        let closes = *char == '>' && !text[..*at].ends_with('-');
        depth += i32::from(*char == '<') - i32::from(closes);
        depth == 0
    })?;
    text.get(end.0 + 1..)
}

/// What stands between the bracket that `text` begins with and its end.
fn in_brackets(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('(')?;
    let mut depth = 1;
    let end = inside.find(|char| {
        depth += i32::from(char == '(') - i32::from(char == ')');
        depth == 0
    })?;
    Some(&inside[..end])
}

#[test]
fn what_asks_changes_nothing() {
    let sources = repository::files(".rs").into_iter().filter(|path| !path.contains("/generated/"));
    let runs = |path: &String| !["tests/", "/tests/", "/tests.rs"].iter().any(|part| path.contains(part));
    let sources = sources.filter(runs);
    expect_none(&sources.flat_map(|path| changing(&path, shipped(&repository::read(&path)))).collect::<Vec<_>>());
}

#[test]
fn a_question_that_changes_something_is_found() {
    for code in [
        "fn is_counted_again(&mut self, record: RecordId) {}",
        "pub fn may_part<'a, T: Fn(u8)>(\n    &'a mut self,\n) -> bool {}",
        "async fn has_row(rows: &mut Vec<(u8, u8)>) {}",
        "\n\nfn can_go(a: (u8, u8), b: &mut u8) {}",
    ] {
        assert_eq!(changing("x.rs", code).len(), 1, "{code}");
    }
    for code in [
        "fn is_it(&self) -> bool { f(&mut x) }",
        "fn has(&mut self) {}",
        "fn island(&mut self) {}",
        "fn may_go(mut self, mutable: &str) {}",
        "// fn is_it(&mut self)",
        "let this_fn is_it(&mut x)",
    ] {
        assert_eq!(changing("x.rs", code), [""; 0], "{code}");
    }
}
