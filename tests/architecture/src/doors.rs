//! What there is one way to do: print, make files, and read small ones. Text from elsewhere reaches terminals and logs escaped, and what a
//! node keeps is for its owner alone, because each goes through one door.

use crate::lexer::code_only;
use crate::{expect_none, repository};

/// Words in code, the one place that may have them, and what to use instead.
const DOORS: &[(&[&str], &str, &str)] = &[
    (
        &["println!", "eprintln!", "print!", "eprint!", "stdout()", "stderr()", "io::stdout", "io::stderr"],
        "services/heliu/src/out.rs",
        "print through services/heliu/src/out.rs, which shows what is hidden in others' words",
    ),
    (
        &[
            "fs::write",
            "fs::copy",
            "File::create",
            "create_dir",
            "OpenOptions",
            "DirBuilder",
            "set_permissions",
            "NamedTempFile",
            "from_mode",
        ],
        "crates/disk/src/lib.rs",
        "make files and folders with crates/disk: they are for their owner alone, whatever the umask",
    ),
    (
        &["fs::read(", "fs::read_to_string"],
        "crates/disk/src/small_file.rs",
        "read files with crates/disk: never more than such a file may have, and what is wrong is told as what it is",
    ),
];

/// What runs: not what only tests have.
pub fn shipped(source: &str) -> &str {
    source.find("#[cfg(test)]\nmod tests {").map_or(source, |end| &source[..end])
}

fn past_a_door(path: &str, source: &str) -> Vec<String> {
    let code = code_only(shipped(source));
    let mut findings = Vec::new();
    for (words, door, instead) in DOORS.iter().filter(|(_, door, _)| *door != path) {
        for (line, text) in (1..).zip(code.lines()) {
            let begins = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if words.iter().any(|word| text.match_indices(word).any(|(at, _)| begins(at))) {
                findings.push(format!("{path}:{line}: {instead} (the door is {door})"));
            }
        }
    }
    findings
}

#[test]
fn what_runs_prints_and_makes_files_through_the_doors_alone() {
    let runs = |path: &String| {
        (path.starts_with("crates/") || path.starts_with("services/"))
            && !["/tests/", "/tests.rs", "/examples/", "/generated/"].iter().any(|part| path.contains(part))
    };
    let sources = repository::files(".rs").into_iter().filter(runs);
    expect_none(&sources.flat_map(|path| past_a_door(&path, &repository::read(&path))).collect::<Vec<_>>());
}

#[test]
fn whatever_goes_past_a_door_is_found() {
    for code in [
        "fn f() { println!(\"{name}\"); }",
        "let mut out = std::io::stderr().lock();",
        "let writer = std::io::stderr;",
        "std::fs::write(path, text)?;",
        "let file = OpenOptions::new();",
        "std::fs::create_dir_all(folder)?;",
        "let text = std::fs::read_to_string(path)?;",
    ] {
        assert_eq!(past_a_door("services/heliu/src/x.rs", code).len(), 1, "{code}");
    }
    for code in
        ["// println! is not for us", "let x = \"fs::write\";", "#[cfg(test)]\nmod tests {\n std::fs::write(a, b); }"]
    {
        assert_eq!(past_a_door("services/heliu/src/x.rs", code), [""; 0], "{code}");
    }
    assert_eq!(past_a_door("services/heliu/src/out.rs", "io::stdout().lock()"), [""; 0]);
}
