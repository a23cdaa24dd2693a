//! How much one struct holds. What has many fields is several things, and whoever has it in hand sees all of them: so few
//! structs of the engine may be wide, and each says here why.

use crate::lexer::{code_only, shipped};
use crate::{expect_none, repository};

const FIELDS_MAX: usize = 12;

/// The rooms that are held to it, with those structs of each that are wider and the reason: three at most.
const WIDE: &[(&str, &[(&str, &str)])] = &[(
    "crates/replication",
    &[
        ("Start", "what an engine is told once; it is taken apart where the parts are made"),
        ("LinkStatus", "a row for operators: values that nothing works with"),
    ],
)];
const WIDE_MAX: usize = 3;

/// The structs of a source with their lines and how many fields they name.
fn structs(source: &str) -> Vec<(String, usize, usize)> {
    let code = code_only(shipped(source));
    let mut found = Vec::new();
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    for (at, _) in code.match_indices("struct ").filter(|(at, _)| !code[..*at].ends_with(is_word)) {
        let rest = &code[at + "struct ".len()..];
        let name = rest.split(|char| !is_word(char)).next().unwrap_or_default();
        // A tuple names no fields, nor does a unit.
        let Some(open) = rest.find(['{', ';', '(']).filter(|open| rest[*open..].starts_with('{')) else { continue };
        found.push((name.to_owned(), code[..at].matches('\n').count() + 1, fields(&rest[open + 1..])));
    }
    found
}

/// The fields before the bracket that closes: each has a colon that is none of a path, outside of all inner brackets.
fn fields(body: &str) -> usize {
    let (mut depth, mut fields) = (0_usize, 0);
    let chars: Vec<char> = body.chars().collect();
    for (at, char) in chars.iter().enumerate() {
        let beside = |other: Option<&char>| other == Some(&':');
        match char {
            '{' | '(' | '[' | '<' => depth += 1,
            // Not the arrow of `Fn() -> T`.
            '>' if at > 0 && chars[at - 1] == '-' => {}
            '}' if depth == 0 => break,
            '}' | ')' | ']' | '>' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && !beside(chars.get(at + 1)) && !(at > 0 && beside(chars.get(at - 1))) => fields += 1,
            _ => {}
        }
    }
    fields
}

fn too_wide(sources: &[(String, String)], room: &str, wide: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut met: Vec<String> = Vec::new();
    for (path, source) in sources {
        for (name, line, fields) in structs(source).into_iter().filter(|(.., fields)| *fields > FIELDS_MAX) {
            if !wide.iter().any(|(known, _)| *known == name) {
                findings.push(format!(
                    "{path}:{line}: {name} has {fields} fields: see what belongs together in it, and give that a struct \
                     with a door of its own"
                ));
            }
            met.push(name);
        }
    }
    let gone = wide.iter().filter(|(name, _)| !met.iter().any(|met| met == name));
    findings
        .extend(gone.map(|(name, _)| format!("{room}: {name} is not wide any more: take it off WIDE of {}", file!())));
    if wide.len() > WIDE_MAX {
        findings.push(format!("{room}: {} structs may be wide, and {WIDE_MAX} at most", wide.len()));
    }
    findings
}

#[test]
fn few_structs_of_the_engine_hold_more_than_one_can_keep_in_mind() {
    let mut findings = Vec::new();
    for (room, wide) in WIDE {
        let ours = |path: &String| path.starts_with(&format!("{room}/src/")) && !path.contains("/tests");
        let sources: Vec<(String, String)> = repository::files(".rs")
            .into_iter()
            .filter(ours)
            .map(|path| (path.clone(), repository::read(&path)))
            .collect();
        findings.extend(too_wide(&sources, room, wide));
    }
    expect_none(&findings);
}

mod the_checks_can_fail {
    use super::*;

    fn of(source: &str) -> Vec<(String, String)> {
        vec![("crates/x/src/lib.rs".to_owned(), source.to_owned())]
    }

    fn wide(name: &str, fields: usize) -> String {
        let fields: Vec<String> = (0..fields).map(|n| format!("    pub(crate) field_{n}: a::B<C, D::E>,\n")).collect();
        format!("pub struct {name}<'a> {{\n{}}}\n", fields.concat())
    }

    #[test]
    fn fields_are_counted_and_not_what_is_in_them() {
        let source =
            "struct A { a: std::sync::Arc<B>, b: Box<dyn Fn(x: u8) -> C<D>>, c: [u8; 3] }\nstruct B(u8);\nstruct C;";
        assert_eq!(structs(source), [("A".to_owned(), 1, 3)]);
        let inner = "fn f() {\n    struct Inner { a: u8 }\n    let Inner { a: b } = x;\n}";
        assert_eq!(structs(inner), [("Inner".to_owned(), 2, 1)], "in a function too");
    }

    #[test]
    fn a_wide_struct_is_found_and_so_is_one_that_is_listed_and_gone_and_a_list_that_grows() {
        assert_eq!(too_wide(&of(&wide("A", 12)), "crates/x", &[]), [""; 0]);
        let found = too_wide(&of(&wide("A", 13)), "crates/x", &[]);
        assert!(found[0].starts_with("crates/x/src/lib.rs:1: A has 13 fields"), "{found:?}");
        assert_eq!(too_wide(&of(&wide("A", 13)), "crates/x", &[("A", "why")]), [""; 0]);
        assert!(too_wide(&of(&wide("A", 2)), "crates/x", &[("A", "why")])[0].contains("not wide any more"));
        let four: Vec<String> = ["A", "B", "C", "D"].map(|name| wide(name, 13)).into();
        let listed = [("A", ""), ("B", ""), ("C", ""), ("D", "")];
        assert!(too_wide(&of(&four.concat()), "crates/x", &listed)[0].contains("4 structs may be wide"));
    }
}
