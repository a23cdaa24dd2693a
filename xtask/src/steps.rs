//! What `cargo xtask test` consists of: the steps in their order, and choosing among them.

use std::fmt::Write as _;

use crate::process::{cargo, program, run, run_watching, works};
use crate::test::Outcome;
use crate::{buf, proto};

/// One thing that must hold before a change goes in.
pub struct Step {
    pub name: &'static str,
    pub checks: &'static str,
    pub run: fn() -> Result<Outcome, String>,
}

/// Cheapest first: a misplaced comma is reported in a second, not after the long convergence run.
pub const STEPS: &[Step] = &[
    Step { name: "fmt", checks: "formatting (repair: `cargo fmt --all`)", run: fmt },
    Step { name: "architecture", checks: "fences between the rooms, licences, tidiness, links", run: architecture },
    Step {
        name: "proto",
        checks: "the committed protobuf code is fresh (repair: `cargo xtask proto`)",
        run: proto_fresh,
    },
    Step { name: "buf", checks: "proto/ builds and lints; fetches buf through npm", run: buf::lint },
    Step { name: "clippy", checks: "no warning anywhere in the workspace", run: clippy },
    Step { name: "test", checks: "every test of the workspace", run: tests },
    Step { name: "convergence", checks: "30,000 simulated schedules converge, in release mode", run: convergence },
];

/// The steps that these arguments ask for: all of them, or each `--only <step>`.
pub fn select(arguments: &[&str]) -> Result<Vec<&'static Step>, String> {
    let mut chosen = Vec::new();
    let mut rest = arguments;
    while let [flag, tail @ ..] = rest {
        let [name, tail @ ..] = tail else {
            return Err(format!("`{flag}`: expected `--only <step>`, where step is one of\n\n{}", table()));
        };
        if *flag != "--only" {
            return Err(format!("`{flag}` is no option of `cargo xtask test`; it knows `--only <step>`"));
        }
        if !STEPS.iter().any(|step| step.name == *name) {
            return Err(format!("`{name}` is no step; the steps are\n\n{}", table()));
        }
        chosen.push(*name);
        rest = tail;
    }
    Ok(STEPS.iter().filter(|step| chosen.is_empty() || chosen.contains(&step.name)).collect())
}

/// One line per step, for the help.
pub fn table() -> String {
    STEPS.iter().fold(String::new(), |mut table, step| {
        let _ = writeln!(table, "  {:<13} {}", step.name, step.checks);
        table
    })
}

fn fmt() -> Result<Outcome, String> {
    component("rustfmt", "fmt")?;
    run(cargo(&["fmt", "--all", "--", "--check"]))?;
    Ok(Outcome::passed())
}

fn architecture() -> Result<Outcome, String> {
    counted(&["test", "--quiet", "-p", "architecture"])
}

fn proto_fresh() -> Result<Outcome, String> {
    proto::check()?;
    Ok(Outcome::passed())
}

fn clippy() -> Result<Outcome, String> {
    component("clippy", "clippy")?;
    run(cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    Ok(Outcome::passed())
}

fn tests() -> Result<Outcome, String> {
    counted(&["test", "--workspace", "--no-fail-fast"])
}

fn convergence() -> Result<Outcome, String> {
    run(cargo(&["run", "--release", "-p", "convergence", "--", "--schedules", "30000"]))?;
    Ok(Outcome::passed())
}

/// Runs `cargo test` and counts, so that an ignored test, or one that this machine could not try, is seen in the summary.
fn counted(arguments: &[&str]) -> Result<Outcome, String> {
    let (mut passed, mut ignored, mut told) = (0, 0, Vec::new());
    run_watching(cargo(arguments), |line| {
        if let Some(counts) = line.strip_prefix("test result: ") {
            passed += count(counts, "passed");
            ignored += count(counts, "ignored");
        }
        told.extend(line.strip_prefix(SKIPPED).map(str::to_owned));
    })?;
    Ok(Outcome { note: format!("{passed} tests"), skipped: skips(ignored, &told) })
}

/// What a test prints on a line of its own that finds that this machine cannot run it.
const SKIPPED: &str = "skipped: ";

fn skips(ignored: u32, told: &[String]) -> Option<String> {
    let marked =
        (ignored > 0).then(|| format!("{ignored} skipped: tests marked #[ignore], see above for their reasons"));
    let lines: Vec<String> = marked.into_iter().chain(told.iter().map(|why| format!("1 skipped: {why}"))).collect();
    (!lines.is_empty()).then(|| lines.join("\n  "))
}

/// The number before `word` in the summary line of one test binary: `ok. 12 passed; 0 failed; 1 ignored; ...`.
fn count(line: &str, word: &str) -> u32 {
    let words: Vec<&str> = line.split([' ', ';']).collect();
    words.windows(2).find(|pair| pair[1] == word).and_then(|pair| pair[0].parse().ok()).unwrap_or(0)
}

/// A toolchain of rustup's minimal profile lacks rustfmt and clippy: fetch them rather than explain them.
fn component(name: &str, subcommand: &str) -> Result<(), String> {
    let there = || works(cargo(&[subcommand, "--version"]));
    if there() || (works(program("rustup", &["component", "add", name])) && there()) {
        return Ok(());
    }
    Err(format!(
        "`cargo {subcommand}` is missing; get it with `rustup component add {name}`, or from your distribution"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(arguments: &[&str]) -> Vec<&'static str> {
        select(arguments).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn without_arguments_every_step_runs() {
        assert_eq!(names(&[]).len(), STEPS.len());
    }

    #[test]
    fn chosen_steps_keep_their_order() {
        assert_eq!(names(&["--only", "clippy", "--only", "fmt"]), ["fmt", "clippy"]);
    }

    #[test]
    fn a_mistyped_step_is_answered_with_the_list_of_steps() {
        let answer = select(&["--only", "clipy"]).err().unwrap();
        assert!(answer.contains("`clipy` is no step") && answer.contains("convergence"), "{answer}");
        assert!(select(&["--only"]).is_err());
        assert!(select(&["--fast", "fmt"]).is_err());
    }

    #[test]
    fn passed_and_ignored_tests_are_counted() {
        let line = "ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!((count(line, "passed"), count(line, "ignored"), count(line, "absent")), (12, 3, 0));
    }
    #[test]
    fn what_a_machine_cannot_try_is_told_beside_what_is_ignored() {
        assert_eq!(skips(0, &[]), None);
        let told = skips(2, &["a full disk: takes root".to_owned()]).unwrap();
        assert!(told.starts_with("2 skipped: ") && told.ends_with("\n  1 skipped: a full disk: takes root"), "{told}");
    }
}
