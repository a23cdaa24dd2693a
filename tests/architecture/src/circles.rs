//! Within a crate, use goes one way: between files there are no circles but those that are listed here, and between the
//! modules of the root it goes as the crate's first lines say. Who uses whom is read in `modules`.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::Modules;
use crate::{expect_none, repository};

/// The circles that there still are, by their files below `src`. This list may only shrink: break one by moving what both
/// ends need to the file where it belongs, or by handing in a value or a trait, and take it off the list.
const ALLOWED: &[(&str, &[&[&str]])] = &[];

/// What stands in the first lines of a crate before the modules of its root, each of which uses only earlier ones.
const ORDER: &str = "Bottom up:";

/// (who uses, who is used) and where.
type Uses<'a> = BTreeMap<(&'a str, &'a str), String>;

/// The largest sets each member of which uses, by way of others, all the rest.
fn circles<'a>(uses: &Uses<'a>) -> Vec<BTreeSet<&'a str>> {
    let users: BTreeSet<&str> = uses.keys().map(|(from, _)| *from).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> = users.into_iter().map(|from| (from, reach(uses, from))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|there| there.contains(to));
    let mut circles: Vec<BTreeSet<&str>> = Vec::new();
    for user in reached.keys().filter(|user| reaches(user, user)) {
        if !circles.iter().any(|circle| circle.contains(user)) {
            circles.push(reached[user].iter().copied().filter(|other| reaches(other, user)).collect());
        }
    }
    circles
}

fn reach<'a>(uses: &Uses<'a>, from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(at) = next.pop() {
        let used = uses.range((at, "")..).take_while(|((user, _), _)| *user == at).map(|((_, used), _)| *used);
        next.extend(used.filter(|used| reached.insert(*used)));
    }
    reached
}

/// Every use between two members: one of these has to go.
fn shown(uses: &Uses<'_>, circle: &BTreeSet<&str>) -> String {
    let within = uses.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
    within.map(|((from, to), place)| format!("\n      {from} uses {to} ({place})")).collect()
}

fn list<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> String {
    names.into_iter().copied().collect::<Vec<_>>().join(", ")
}

fn unlisted(room: &str, uses: &Uses<'_>, allowed: &[&[&str]]) -> Vec<String> {
    let found = circles(uses);
    let allowed: Vec<BTreeSet<&str>> = allowed.iter().map(|circle| circle.iter().copied().collect()).collect();
    let new = found.iter().filter(|circle| !allowed.contains(circle)).map(|circle| {
        format!(
            "{room}: {} use each other in a circle: move what both ends need to where it belongs, or hand it in:{}",
            list(circle),
            shown(uses, circle)
        )
    });
    let gone = allowed.iter().filter(|circle| !found.contains(circle)).map(|circle| {
        format!("{room}: no circle is made of just {} any more: correct ALLOWED of {}", list(circle), file!())
    });
    new.chain(gone).collect()
}

/// The module of the root that a file belongs to; none for the root itself.
fn module(file: &str) -> Option<&str> {
    let first = file.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    (!["lib", "main"].contains(&first)).then_some(first)
}

fn between_modules<'a>(uses: &Uses<'a>) -> Uses<'a> {
    let mut between = Uses::new();
    for ((from, to), place) in uses {
        if let (Some(user), Some(used)) = (module(from), module(to))
            && user != used
        {
            between.entry((user, used)).or_insert_with(|| format!("{from}, {place}"));
        }
    }
    between
}

/// A true order: of those that use only what stands before, the first by name comes next.
fn order<'a>(modules: &BTreeSet<&'a str>, uses: &Uses<'a>) -> Vec<&'a str> {
    let mut order: Vec<&str> = Vec::new();
    let is_next = |module: &&&str, order: &[&str]| {
        !order.contains(module) && uses.keys().all(|(user, used)| user != *module || order.contains(used))
    };
    while let Some(next) = modules.iter().find(|module| is_next(module, &order)) {
        order.push(next);
    }
    order
}

/// The names in the sentence that begins with [`ORDER`].
fn told(root: &str) -> Option<Vec<&str>> {
    let first_lines = root.lines().map_while(|line| line.strip_prefix("//!"));
    let mut sentence = first_lines.skip_while(|line| !line.trim_start().starts_with(ORDER)).peekable();
    sentence.peek()?;
    let mut names = Vec::new();
    for line in sentence {
        names.extend(line.split('`').skip(1).step_by(2));
        if line.ends_with('.') || line.is_empty() {
            break;
        }
    }
    Some(names)
}

fn untold(room: &str, root: &str, files: &[&str], uses: &Uses<'_>) -> Vec<String> {
    let modules: BTreeSet<&str> = files.iter().filter_map(|file| module(file)).collect();
    let between = between_modules(uses);
    let circles = circles(&between);
    if !circles.is_empty() {
        let finding = |circle| format!("{room}: modules of the root use each other:{}", shown(&between, circle));
        return circles.iter().map(finding).collect();
    }
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let right = || format!("`//! {ORDER} {}.`", quoted(&order(&modules, &between)));
    let Some(told) = told(root) else {
        return if modules.len() < 2 {
            Vec::new()
        } else {
            vec![format!("{room}: say in its first lines {}", right())]
        };
    };
    let mut findings = Vec::new();
    if told.iter().copied().collect::<BTreeSet<_>>() != modules || told.len() != modules.len() {
        findings.push(format!("{room}: {ORDER} is not followed by its modules: {}", right()));
    }
    let place = |name: &str| told.iter().position(|told| *told == name);
    let wrong = between.iter().filter(|((user, used), _)| place(user) < place(used));
    findings.extend(
        wrong.map(|((user, used), at)| format!("{room}: {user} is said to be below {used}, and uses it ({at})")),
    );
    findings
}

/// The sources of each crate of `crates` and `services`, as (path below `src`, text).
fn crates() -> BTreeMap<String, Vec<(String, String)>> {
    let mut crates: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let ours = |path: &String| {
        // What is generated is part of the file that includes it.
        let generated = path.contains("/generated/") && !path.ends_with("/mod.rs");
        (path.starts_with("crates/") || path.starts_with("services/")) && !generated
    };
    for path in repository::files(".rs").into_iter().filter(ours) {
        if let Some((room, below)) = path.split_once("/src/") {
            crates.entry(room.to_owned()).or_default().push((below.to_owned(), repository::read(&path)));
        }
    }
    crates
}

#[test]
fn within_a_crate_use_goes_one_way_and_its_first_lines_say_which() {
    let crates = crates();
    let mut findings = Vec::new();
    for (room, sources) in &crates {
        let modules = Modules::read(sources);
        let uses = modules.uses();
        let allowed = ALLOWED.iter().find(|(name, _)| name == room).map_or(&[][..], |(_, circles)| *circles);
        findings.extend(unlisted(room, &uses, allowed));
        let root = sources.iter().find(|(path, _)| ["lib.rs", "main.rs"].contains(&path.as_str()));
        if let Some((_, root)) = root
            && allowed.is_empty()
        {
            findings.extend(untold(room, root, &modules.files(), &uses));
        }
    }
    for (room, _) in ALLOWED.iter().filter(|(room, _)| !crates.contains_key(*room)) {
        findings.push(format!("{room} is gone: correct ALLOWED of {}", file!()));
    }
    expect_none(&findings);
}

mod the_checks_can_fail {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Modules {
        Modules::read(&files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect::<Vec<_>>())
    }

    /// `b` asks `a`, which asks `c`, where something of `b` is named: in the signature of a function.
    const ROUND: &[(&str, &str)] = &[
        ("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::A;\n#[cfg(test)]\nmod tests;"),
        ("a.rs", "use crate::c::{C, D as E};\npub struct A(C, E);"),
        ("b.rs", "pub struct B(crate::A);\nimpl B {}"),
        ("c/mod.rs", "mod inner;\npub use inner::*;\npub struct D;"),
        ("c/inner.rs", "pub struct C;\nfn f(_: &super::super::b::B) {}"),
        ("tests.rs", "use crate::{a::A, b::B, c::C};"),
    ];

    #[test]
    fn a_circle_is_found_through_re_exports_and_shown_with_its_lines() {
        let tree = tree(ROUND);
        let uses = tree.uses();
        let findings = unlisted("crates/x", &uses, &[]);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let expected = [
            "crates/x: a.rs, b.rs, c/inner.rs use each other",
            "a.rs uses c/inner.rs (line 1: crate::c::C)",
            "b.rs uses a.rs (line 1: crate::A)",
            "c/inner.rs uses b.rs (line 2: super::super::b::B)",
        ];
        assert!(expected.iter().all(|part| findings[0].contains(part)), "{}", findings[0]);
        assert!(!findings[0].contains("lib.rs uses") && !findings[0].contains("tests.rs"), "{}", findings[0]);
    }

    #[test]
    fn a_listed_circle_is_let_pass_until_it_changes() {
        let tree = tree(ROUND);
        let uses = tree.uses();
        assert_eq!(unlisted("crates/x", &uses, &[&["c/inner.rs", "a.rs", "b.rs"]]), [""; 0]);
        for listed in [&["a.rs", "b.rs"][..], &["a.rs", "b.rs", "c/inner.rs", "d.rs"]] {
            let findings = unlisted("crates/x", &uses, &[listed]);
            assert_eq!(findings.len(), 2, "it is another one: {findings:?}");
        }
        assert!(unlisted("crates/x", &Uses::new(), &[&["a.rs", "b.rs"]])[0].contains("correct ALLOWED"));
    }

    #[test]
    fn an_order_that_is_missing_wrong_or_not_whole_is_found() {
        let tree = tree(&[
            ("lib.rs", ""),
            ("low.rs", "pub fn f() {}"),
            ("mid/mod.rs", "pub mod part;"),
            ("mid/part.rs", "use crate::low;\npub fn g() { low::f() }"),
            ("top.rs", "use crate::mid::part::g;"),
        ]);
        let (files, uses) = (tree.files(), tree.uses());
        let complaints = |root: &str| untold("crates/x", root, &files, &uses);
        assert_eq!(complaints("//! Says.\n//!\n//! Bottom up: `low`, `mid`,\n//! `top`.\n//! Not `this`.\n"), [""; 0]);
        assert!(complaints("//! Says nothing.")[0].contains("//! Bottom up: `low`, `mid`, `top`."));
        let wrong = complaints("//! Bottom up: `mid`, `low`, `top`.");
        assert_eq!(wrong, ["crates/x: mid is said to be below low, and uses it (mid/part.rs, line 2: low::f)"]);
        for list in ["`low`, `top`", "`low`, `mid`, `top`, `more`", "`low`, `low`, `mid`, `top`"] {
            assert!(!complaints(&format!("//! Bottom up: {list}.")).is_empty(), "{list}");
        }
    }

    #[test]
    fn folders_that_use_each_other_are_found_where_their_files_do_not() {
        let tree = tree(&[
            ("lib.rs", "//! Bottom up: `a`, `b`."),
            ("a/mod.rs", "mod one;\npub mod two;"),
            ("a/one.rs", "use crate::b::two::f;"),
            ("a/two.rs", "pub fn f() {}"),
            ("b/mod.rs", "mod one;\npub mod two;"),
            ("b/one.rs", "use crate::a::two::f;"),
            ("b/two.rs", "pub fn f() {}"),
        ]);
        let uses = tree.uses();
        assert_eq!(unlisted("crates/x", &uses, &[]), [""; 0]);
        let findings = untold("crates/x", "//! Bottom up: `a`, `b`.", &tree.files(), &uses);
        assert!(findings[0].contains("b uses a (b/one.rs, line 1: crate::a::two::f)"), "{findings:?}");
    }
}
