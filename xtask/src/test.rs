//! `cargo xtask test`: runs the chosen steps, stops at the first that fails, and ends with one table.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::steps::Step;

/// What a step that did not fail has to say.
pub struct Outcome {
    /// A few words for the table; may be empty.
    pub note: String,
    /// What did not run, why, and how to get it to run. Nothing is skipped silently.
    pub skipped: Option<String>,
}

impl Outcome {
    pub fn passed() -> Self {
        Self { note: String::new(), skipped: None }
    }

    pub fn skipped(what_and_why: impl Into<String>) -> Self {
        Self { note: String::new(), skipped: Some(what_and_why.into()) }
    }
}

/// A step that ran: how long it took and how it ended. One without an entry never ran.
struct Finished {
    duration: Duration,
    result: Result<Outcome, String>,
}

/// Runs the steps in order; the error is what to tell the person who has to repair it.
pub fn run(steps: &[&Step]) -> Result<(), String> {
    let start = Instant::now();
    let mut finished = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n== {}/{} {}: {}", index + 1, steps.len(), step.name, step.checks);
        let begin = Instant::now();
        let result = (step.run)();
        let duration = begin.elapsed();
        println!("== {} {} after {}", step.name, verdict(&result), seconds(duration));
        let failed = result.is_err();
        finished.push(Finished { duration, result });
        if failed {
            break;
        }
    }

    print!("\n{}", summary(steps, &finished, start.elapsed()));
    match (steps.get(finished.len().wrapping_sub(1)), finished.last()) {
        (Some(step), Some(Finished { result: Err(reason), .. })) => {
            Err(format!("{}: {reason}\n       run it alone with `cargo xtask test --only {}`", step.name, step.name))
        }
        _ => Ok(()),
    }
}

fn summary(steps: &[&Step], finished: &[Finished], total: Duration) -> String {
    let mut table = String::new();
    let mut skips = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let (verdict, duration, note) = match finished.get(index) {
            Some(Finished { duration, result }) => {
                let note = result.as_ref().map_or("", |outcome| outcome.note.as_str());
                skips.extend(result.as_ref().ok().and_then(|outcome| outcome.skipped.as_deref()));
                (verdict(result), seconds(*duration), note)
            }
            None => ("not run", String::new(), ""),
        };
        let line = format!("  {:<13} {verdict:<8} {duration:>9}  {note}", step.name);
        let _ = writeln!(table, "{}", line.trim_end());
    }
    let _ = writeln!(table, "  {:<13} {:<8} {:>9}", "total", "", seconds(total));
    for skip in skips {
        let _ = writeln!(table, "  {skip}");
    }
    table
}

fn verdict(result: &Result<Outcome, String>) -> &'static str {
    match result {
        Ok(Outcome { skipped: None, .. }) => "passed",
        Ok(Outcome { note, .. }) if note.is_empty() => "skipped",
        Ok(_) => "passed",
        Err(_) => "FAILED",
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Step = Step { name: "good", checks: "nothing", run: || Ok(Outcome::passed()) };
    const BAD: Step = Step { name: "bad", checks: "nothing", run: || Err("it broke".into()) };
    const NEVER: Step = Step { name: "never", checks: "nothing", run: || panic!("ran after a failure") };

    #[test]
    fn the_first_failure_ends_the_run_and_says_how_to_repeat_it() {
        let reason = run(&[&GOOD, &BAD, &NEVER]).unwrap_err();
        assert!(reason.contains("it broke") && reason.contains("--only bad"), "{reason}");
    }

    #[test]
    fn the_summary_shows_what_failed_what_never_ran_and_what_was_skipped() {
        let skipped = Outcome::skipped("1 skipped: no tool");
        let finished = [Ok(skipped), Err(String::new())];
        let finished = finished.map(|result| Finished { duration: Duration::from_millis(1500), result });
        let table = summary(&[&GOOD, &BAD, &NEVER], &finished, Duration::from_secs(3));
        assert_eq!(
            table,
            "  good          skipped      1.5 s\n  \
               bad           FAILED       1.5 s\n  \
               never         not run\n  \
               total                      3.0 s\n  \
               1 skipped: no tool\n"
        );
    }
}
