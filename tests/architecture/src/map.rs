//! ARCHITECTURE.md is a map of what is there: its table has the rooms of the workspace, its arrows are the dependencies,
//! and every path and name in it (and in CONTRIBUTING.md) is in the sources.

use std::collections::{BTreeMap, BTreeSet};

use crate::dependencies::PURE;
use crate::metadata::Graph;
use crate::{expect_none, repository};

const MAP: &str = "ARCHITECTURE.md";
const RECIPES: &str = "CONTRIBUTING.md";
/// Where the tests of this file name what is not there.
const THIS_FILE: &str = "tests/architecture/src/map.rs";

/// Where paths of this repository begin, even when the folder itself has gone.
const BEGINNINGS: &[&str] = &["crates", "services", "tests", "proto", "deploy", "docs", "xtask", ".ci", ".cargo"];
const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".proto", ".sql", ".yaml", ".json", ".sh"];

/// What stands in backticks outside of code blocks, with the number of its line.
fn quoted(markdown: &str) -> Vec<(usize, &str)> {
    let mut quoted = Vec::new();
    let mut fenced = false;
    for (index, line) in markdown.lines().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        if !fenced {
            quoted.extend(line.split('`').skip(1).step_by(2).map(|text| (index + 1, text)));
        }
    }
    quoted
}

/// The path that a quoted text names, if it looks like one of ours; a pattern such as `proto/heliu/<area>/v1` is held
/// to the part before its first placeholder.
fn path(text: &str) -> Option<&str> {
    let plain = |char: char| char.is_ascii_alphanumeric() || "._-/*<>{},".contains(char);
    let (first, rest) = text.split_once('/').unwrap_or((text, ""));
    let from_root = BEGINNINGS.contains(&first) && text.contains('/');
    let a_file = ENDINGS.iter().any(|ending| text.ends_with(ending)) && !first.is_empty();
    let a_root_document = rest.is_empty() && (text.ends_with(".md") || text.ends_with(".toml"));
    if !text.chars().all(plain) || !(from_root || (a_file && !rest.is_empty()) || a_root_document) {
        return None;
    }
    match text.find(['*', '<', '{']) {
        Some(placeholder) => text[..placeholder].rfind('/').map(|end| &text[..end]),
        None => Some(text.trim_end_matches('/')),
    }
}

fn missing_paths(document: &str, markdown: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let missing = |(line, text): (usize, &str)| {
        let path = path(text)?;
        (!exists(path)).then(|| format!("{document}:{line}: `{text}` is not there: correct the document"))
    };
    quoted(markdown).into_iter().filter_map(missing).collect()
}

/// The rooms of the table: what the first cell of each row names.
fn table(markdown: &str) -> BTreeSet<&str> {
    let rows = markdown.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    rows.map(|(room, _)| room).collect()
}

/// Rooms that are in the workspace and not in the table, and the other way round; a folder of the root that is no
/// package may stand there too.
fn rooms_and_table_differ(markdown: &str, graph: &Graph, is_folder: impl Fn(&str) -> bool) -> Vec<String> {
    let rooms: BTreeSet<&str> = graph.rooms().map(|(room, _)| room).collect();
    let rows = table(markdown);
    let unsaid = rooms
        .difference(&rows)
        .map(|room| format!("{MAP} has no row for {room} in its table: say what lives there, and what must not"));
    let gone = rows.difference(&rooms).filter(|row| row.contains('/') || !is_folder(row));
    unsaid.chain(gone.map(|row| format!("{MAP} has a row for {row}, which is no room of the workspace"))).collect()
}

/// The arrows of the drawing, as (who uses, what is used), by the names of rooms below crates/.
fn arrows(markdown: &str) -> BTreeSet<(&str, &str)> {
    let mut arrows = BTreeSet::new();
    for line in markdown.lines().filter(|line| line.contains(" <- ") && !line.contains('`')) {
        let groups: Vec<Vec<&str>> = line.split("<-").map(|group| group.split(',').map(str::trim).collect()).collect();
        for pair in groups.windows(2) {
            arrows.extend(pair[1].iter().flat_map(|user| pair[0].iter().map(move |used| (*user, *used))));
        }
    }
    arrows
}

/// What follows from arrows: who uses a room may use what that room uses.
fn ways<'a>(arrows: &BTreeSet<(&'a str, &'a str)>) -> BTreeSet<(&'a str, &'a str)> {
    let mut ways = arrows.clone();
    loop {
        let longer: Vec<_> = ways
            .iter()
            .flat_map(|(user, via)| arrows.iter().filter(move |(from, _)| from == via).map(move |(_, to)| (*user, *to)))
            .filter(|way| !ways.contains(way))
            .collect();
        if longer.is_empty() {
            return ways;
        }
        ways.extend(longer);
    }
}

/// Dependencies that the drawing does not show, and arrows that are no dependencies.
fn drawing_and_manifests_differ(markdown: &str, graph: &Graph) -> Vec<String> {
    let drawn = arrows(markdown);
    let may = ways(&drawn);
    let crates = || graph.rooms().filter_map(|(room, package)| Some((room.strip_prefix("crates/")?, package)));
    let uses: BTreeSet<(&str, &str)> = crates()
        .flat_map(|(user, package)| {
            let used = graph.uses(package).filter_map(|used| used.room.as_deref()?.strip_prefix("crates/"));
            used.map(move |used| (user, used)).collect::<Vec<_>>()
        })
        .collect();
    let is_drawn = |room: &str| drawn.iter().any(|(user, used)| *user == room || *used == room);
    let new = crates()
        .filter(|(room, _)| !is_drawn(room))
        .map(|(room, _)| format!("crates/{room} is new: draw in {MAP} what it uses"));
    let wrong = uses.difference(&may).map(|(user, used)| {
        format!("crates/{user} uses crates/{used}, against the drawing in {MAP}: move the code, not the arrow")
    });
    let unused = drawn.difference(&uses).map(|(user, used)| {
        format!("{MAP} draws {used} <- {user}, and crates/{user}/Cargo.toml does not name it: correct the drawing")
    });
    new.chain(wrong).chain(unused).collect()
}

/// The invariants "X and Y are dependencies of `a`, `b` alone" that are not so: who uses X is not exactly who is named.
fn false_fences(markdown: &str, graph: &Graph) -> (usize, Vec<String>) {
    let (mut claims, mut findings) = (0, Vec::new());
    let items = markdown.split("\n- ").skip(1).filter_map(|item| item.split("\n\n").next());
    let items = items.filter(|item| item.contains("dependenc") && item.contains(" alone"));
    for clause in items.flat_map(|item| item.split(" alone").flat_map(|part| part.split(';'))) {
        let Some((what, rooms)) = clause.rsplit_once(" of ") else { continue };
        let named: BTreeSet<&str> = rooms.split('`').skip(1).step_by(2).collect();
        let called = |word: &&str| graph.has(word);
        let what = what.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(called);
        for library in what.filter(|_| !named.is_empty()) {
            claims += 1;
            let outside_tests = graph.rooms().filter(|(room, _)| !room.starts_with("tests/") && *room != "xtask");
            let users = outside_tests.filter(|(_, package)| graph.uses(package).any(|used| used.name == library));
            let users: BTreeSet<&str> = users
                .map(|(room, _)| if room.starts_with("services/") { "services" } else { room })
                .map(|room| room.strip_prefix("crates/").unwrap_or(room))
                .collect();
            if users != named {
                findings.push(format!("{MAP} says that {library} is of {named:?} alone, and it is of {users:?}"));
            }
        }
    }
    (claims, findings)
}

/// Words of a text of which a name can consist; the comments of Rust are left out, which may speak of what is gone.
fn words(path: &str, text: &str) -> BTreeSet<String> {
    let is_code = |line: &&str| !path.ends_with(".rs") || !line.trim_start().starts_with("//");
    let lines = text.lines().filter(is_code).chain([path]);
    lines.flat_map(identifiers).map(str::to_owned).collect()
}

fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// Names in backticks that stand nowhere in the sources; `room::name` has to stand in that room, and `begins_so_…` is the
/// beginning of a name.
fn missing_names(document: &str, markdown: &str, sources: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let stands = |below: &str, text: &str, word: &str| {
        let cut = text.contains(&format!("{word}…"));
        let is = |known: &String| if cut { known.starts_with(word) } else { known == word };
        sources.iter().any(|(path, words)| path.starts_with(below) && words.iter().any(is))
    };
    let mut findings = Vec::new();
    for (line, text) in quoted(markdown).into_iter().filter(|(_, text)| path(text).is_none()) {
        let room = text.split_once("::").map(|(room, _)| format!("crates/{room}/"));
        let room = room.filter(|room| sources.keys().any(|path| path.starts_with(room))).unwrap_or_default();
        let written_out = !text.contains('\\') && !text.starts_with('<');
        let names = identifiers(text).skip(usize::from(!room.is_empty())).filter(|name| name.len() > 2 && written_out);
        for name in names.filter(|name| !stands(&room, text, name)) {
            let place = if room.is_empty() { "the sources" } else { &room };
            findings.push(format!("{document}:{line}: `{text}`: {name} is nowhere in {place}: correct the document"));
        }
    }
    findings
}

fn sources() -> BTreeMap<String, BTreeSet<String>> {
    let files =
        [".rs", ".proto", ".toml", ".yaml"].into_iter().flat_map(repository::files).filter(|path| path != THIS_FILE);
    files.map(|path| (path.clone(), words(&path, &repository::read(&path)))).collect()
}

/// Libraries of the table of libraries that no Cargo.toml asks for.
fn missing_libraries(markdown: &str, manifest: &str) -> Vec<String> {
    let rows = markdown.lines().skip_while(|line| !line.starts_with("| for | library |")).skip(2);
    let cells = rows.take_while(|line| line.starts_with('|')).filter_map(|row| row.split('|').nth(2));
    let named = cells.flat_map(|cell| cell.split(',')).map(|name| name.split('(').next().unwrap_or(name).trim());
    named
        .filter(|name| !manifest.lines().any(|line| line.starts_with(&format!("{name} = "))))
        .map(|name| format!("{MAP} names the library {name}, which is not in [workspace.dependencies]"))
        .collect()
}

#[test]
fn every_path_on_the_map_exists() {
    expect_none(&missing_paths(MAP, &repository::read(MAP), repository::exists));
}

#[test]
fn every_path_in_the_recipes_exists() {
    let files = repository::files("");
    // A recipe names a file within the room that it speaks of.
    let is_there = |path: &str| {
        let (file, folder) = (format!("/{path}"), format!("/{path}/"));
        repository::exists(path) || files.iter().any(|there| there.ends_with(&file) || there.contains(&folder))
    };
    expect_none(&missing_paths(RECIPES, &repository::read(RECIPES), is_there));
}

#[test]
fn every_name_on_the_map_and_in_the_recipes_is_in_the_sources() {
    let sources = sources();
    let of = |document: &str| missing_names(document, &repository::read(document), &sources);
    expect_none(&[of(MAP), of(RECIPES)].concat());
}

#[test]
fn the_table_of_the_map_has_the_rooms_of_the_workspace_and_no_others() {
    let is_folder = |path: &str| repository::root().join(path).is_dir();
    expect_none(&rooms_and_table_differ(&repository::read(MAP), &Graph::of_this_workspace(), is_folder));
}

#[test]
fn rooms_use_each_other_as_the_map_draws_it() {
    expect_none(&drawing_and_manifests_differ(&repository::read(MAP), &Graph::of_this_workspace()));
}

#[test]
fn what_the_map_says_of_dependencies_is_so() {
    let (map, graph) = (repository::read(MAP), Graph::of_this_workspace());
    let (claims, mut findings) = false_fences(&map, &graph);
    assert!(claims >= 7, "{MAP} has lost its invariants on dependencies: {claims} are read");
    findings.extend(missing_libraries(&map, &repository::read("Cargo.toml")));
    expect_none(&findings);
}

#[test]
fn the_rooms_that_the_map_calls_pure_are_those_that_are_tested_to_be() {
    let map = repository::read(MAP);
    let (before, _) = map.split_once(" build without ").expect("the first invariant says which rooms are pure");
    let sentence = before.rsplit("\n- ").next().unwrap_or_default();
    let named: BTreeSet<String> = sentence.split('`').skip(1).step_by(2).map(|room| format!("crates/{room}")).collect();
    assert_eq!(named, PURE.iter().map(|room| (*room).to_owned()).collect());
}

mod the_checks_can_fail {
    use super::*;

    #[test]
    fn a_path_that_is_gone_is_found_and_other_words_are_left_alone() {
        let exists = |path: &str| {
            ["crates/record", "crates/record/src/kind.rs", "proto/heliu", "README.md", "crates"].contains(&path)
        };
        let good = "`crates/record/` `crates/record/src/kind.rs` `proto/heliu/<area>/v1/*.proto` `README.md`\n`crates/storage-*` \
                    `text/plain` `tonic/prost` `Input -> Effects` `n/a` `heliu node` `lib.rs` crates/prose is no claim\n\
                    ```\ncrates/in/code\n`crates/in/code`\n```\n";
        assert_eq!(missing_paths(MAP, good, exists), [""; 0]);
        for bad in ["`crates/gone`", "`tests/gone/`", "`record/src/kind.rs`", "`GONE.md`", "`services/*/main.rs`"] {
            assert_eq!(missing_paths(MAP, bad, exists).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_room_without_a_row_and_a_row_without_a_room_are_found() {
        let graph = Graph::by_hand(&[
            ("crates/record", "heliu-record", &[]),
            ("crates/new", "heliu-new", &[]),
            ("", "serde", &[]),
        ]);
        let map = "`crates/new` in prose is no row\n| `crates/record` | the domain |\n| `crates/gone` | x |\n| `deploy` | y |";
        let findings = rooms_and_table_differ(map, &graph, |path| path == "deploy");
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].contains("crates/new") && findings[1].contains("crates/gone"), "{findings:?}");
    }

    #[test]
    fn use_against_an_arrow_a_room_that_is_not_drawn_and_an_arrow_without_use_are_found() {
        let graph = |record: &'static [&'static str]| {
            Graph::by_hand(&[
                ("crates/words", "heliu-words", &[]),
                ("crates/record", "heliu-record", record),
                ("crates/trust", "heliu-trust", &["heliu-record", "heliu-words"]),
            ])
        };
        let map = "```text\nwords <- record <- trust\n```\n";
        assert_eq!(drawing_and_manifests_differ(map, &graph(&["heliu-words"])), [""; 0]);
        let findings = drawing_and_manifests_differ(map, &graph(&["heliu-words", "heliu-trust"]));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("crates/record uses crates/trust"), "{findings:?}");
        let findings = drawing_and_manifests_differ(map, &graph(&[]));
        assert!(findings.iter().any(|finding| finding.contains("draws words <- record")), "{findings:?}");
        let findings = drawing_and_manifests_differ("```\nwords <- record\n```", &graph(&["heliu-words"]));
        assert!(findings.iter().any(|finding| finding.starts_with("crates/trust is new")), "{findings:?}");
    }

    #[test]
    fn a_dependency_that_others_have_too_is_found() {
        let graph = Graph::by_hand(&[
            ("crates/tls", "heliu-tls", &["rustls", "rcgen"]),
            ("crates/node", "heliu-node", &["rustls"]),
            ("tests/x", "x", &["rcgen"]),
            ("", "rustls", &[]),
            ("", "rcgen", &[]),
        ]);
        let (claims, findings) =
            false_fences("x\n- rustls and rcgen\n  are dependencies of `tls` alone: one judgement\n- `b`", &graph);
        assert_eq!((claims, findings.len()), (2, 1), "{findings:?}");
        assert!(findings[0].contains("rustls"), "{findings:?}");
    }

    #[test]
    fn a_name_that_is_gone_is_found_and_a_comment_does_not_keep_it() {
        let source = "// Gone was here\npub struct Kept;\nfn f(_: &dyn Kept) {}\nfn the_whole_name_of_a_test() {}\nf(\"too_busy\")\n";
        let at = |path: &str| (path.to_owned(), words(path, source));
        let sources =
            BTreeMap::from([at("crates/record/src/gate.rs"), ("crates/trust/src/a.rs".into(), BTreeSet::new())]);
        let good = "`&dyn Kept` `record::gate` `record::Kept` `too_busy` `the_whole_name_…` `-9` Gone `<gone>-<name>`";
        assert_eq!(missing_names(MAP, good, &sources), [""; 0]);
        for bad in ["`Gone`", "`trust::Kept`", "`record::gone`", "`the_whole_name`", "`&dyn Gone`", "`too_late`"] {
            assert_eq!(missing_names(MAP, bad, &sources).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_library_that_is_not_used_any_more_is_found() {
        let table = "| for | library | why |\n|---|---|---|\n| a | kept (with x), gone | y |\n\n| other | table |";
        let findings = missing_libraries(table, "[workspace.dependencies]\nkept = \"1\"\n");
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains("gone"), "{findings:?}");
    }
}
