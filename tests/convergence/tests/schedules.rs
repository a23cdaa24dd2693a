//! A few hundred schedules in every run, and all seeds that ever failed.

use convergence::schedule::{Options, compare_with_right_clocks, has_comparable_clocks, run};
use convergence::seeds;

fn must_hold(seed: u64, why: &str) {
    let outcome = run(seed, Options::default());
    if !outcome.violations.is_empty() {
        let told = run(seed, Options { with_words: true, ..Options::default() });
        let found: Vec<String> = told.violations.iter().map(ToString::to_string).collect();
        panic!("seed {seed} ({why}):\n{}\n{}", told.words.join("\n"), found.join("\n"));
    }
}

#[test]
fn seeds_that_failed_once_hold() {
    for (seed, why) in seeds::kept() {
        must_hold(seed, why);
    }
}

#[test]
fn three_hundred_schedules_hold() {
    for seed in 1..=300 {
        must_hold(seed, "one of the first");
    }
}

#[test]
fn a_seed_gives_the_same_trace_twice() {
    for seed in 400..410 {
        let [once, again] = [run(seed, Options::default()), run(seed, Options::default())];
        assert_eq!(once.fingerprint, again.fingerprint, "seed {seed}");
        assert_ne!(once.fingerprint, run(seed + 1, Options::default()).fingerprint);
    }
}

#[test]
fn wrong_clocks_change_no_course() {
    let mut compared = 0;
    for seed in 500..580 {
        let outcome = run(seed, Options::default());
        if has_comparable_clocks(&outcome.tally) {
            compared += 1;
            assert_eq!(compare_with_right_clocks(seed, outcome.fingerprint), None, "seed {seed}");
        }
    }
    assert!(compared >= 10, "only {compared} had wrong clocks");
}
