//! A few hundred schedules in every run, and all that ever failed.

use std::collections::BTreeSet;

use convergence::coverage::Coverage;
use convergence::kept;
use convergence::schedule::plan::{Plan, Step};
use convergence::schedule::{
    Options, compare_with_right_clocks, failures_of, has_comparable_clocks, run, run_plan, shrink,
};
use heliu_catalogue::catalogue;

fn must_hold(name: &str, plan: &Plan) {
    let checks = Options { clocks: true, ..Options::default() };
    if !failures_of(plan, checks).1.is_empty() {
        let (told, found) = failures_of(plan, Options { with_words: true, ..checks });
        panic!("schedule {name} ({}):\n{}\n{}", plan.why, told.words.join("\n"), found.join("\n"));
    }
}

#[test]
fn schedules_that_failed_once_hold() {
    let kept = kept::all();
    assert!(kept.len() >= 30, "only {} are kept", kept.len());
    kept.iter().for_each(|(name, plan)| must_hold(name, plan));
}

#[test]
fn three_hundred_schedules_hold() {
    for seed in 1..=300 {
        must_hold(&seed.to_string(), &Plan::draw(seed));
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

/// Whatever a seed draws later, a recorded schedule is what it was: its steps say what they came to.
#[test]
fn a_recorded_schedule_takes_the_same_course_and_is_read_as_it_was_written() {
    for seed in 420..440 {
        let once = run(seed, Options { records: true, ..Options::default() });
        let recorded = once.recorded.expect("it was recorded");
        let read: Plan = serde_json::from_str(&kept::written(&recorded)).expect("it is read");
        assert_eq!(run_plan(&read, Options::default()).fingerprint, once.fingerprint, "seed {seed}");
    }
}

#[test]
fn a_schedule_is_made_smaller_to_the_steps_that_it_takes() {
    let mut plan = Plan::draw(7);
    let middle = plan.steps.len() / 2;
    plan.steps.insert(middle, (plan.steps[middle].0, Step::Crash { machine: 99 }));
    plan.steps.push((plan.end, Step::Restore { machine: 99 }));
    let has = |plan: &Plan, wanted: &Step| plan.steps.iter().any(|(_, step)| step == wanted);
    let fails = |plan: &Plan| {
        has(plan, &Step::Crash { machine: 99 }) && has(plan, &Step::Restore { machine: 99 }) && plan.habits.repeats > 0
    };
    let small = shrink::shrink_while(plan.clone(), &fails);
    assert_eq!((small.steps.len(), small.habits.duplicates, small.habits.repeats), (2, 0, plan.habits.repeats));
    let other = Plan::draw(8);
    assert_eq!(shrink::shrink_while(other.clone(), &fails).steps, other.steps, "what does not fail stays as it is");
}

#[test]
fn every_fault_and_every_pair_of_faults_is_drawn() {
    let mut coverage = Coverage::default();
    kept::corpus().iter().for_each(|seed| {
        coverage.add(run(*seed, Options::default()).tally.ground);
    });
    let apart = coverage.faults_apart();
    let repair = "after a change of what seeds draw, write the corpus anew: see CONTRIBUTING.md";
    assert!(apart.is_empty(), "{apart:?} are never together in the corpus; {repair}");
}

/// Who goes by a calendar that is years behind is refused the days of today, at that machine and by nobody else; whatever is
/// taken there is taken everywhere.
#[test]
fn where_people_go_by_a_wrong_day_they_are_refused_what_has_not_come_and_everything_else_holds() {
    let mut misdated = 0;
    for seed in 620..680 {
        let plan = Plan::draw(seed);
        if plan.steps.iter().any(|(_, step)| matches!(step, Step::Believe { .. })) {
            let (told, found) = failures_of(&plan, Options { clocks: true, ..Options::default() });
            assert_eq!(found, [""; 0], "seed {seed}");
            misdated += told.tally.misdated;
        }
    }
    assert!(misdated > 0, "nobody was refused a day");
}

/// Every command that the product declares is asked for by somebody, whatever its name.
#[test]
fn clerks_draw_every_command_that_is_declared() {
    let declared: Vec<&str> = catalogue().commands().map(|command| command.name).collect();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    // Of so many commands each is rare: as many schedules as it takes, up to a bound that is never near.
    for seed in 1..=2_000 {
        if declared.iter().all(|name| asked.contains(*name)) {
            break;
        }
        let recorded = run(seed, Options { records: true, ..Options::default() }).recorded.expect("it was recorded");
        asked.extend(recorded.steps.into_iter().filter_map(|(_, step)| match step {
            Step::Ask { request, .. } => Some(request.name),
            _ => None,
        }));
    }
    let missing: Vec<&str> = declared.into_iter().filter(|name| !asked.contains(*name)).collect();
    assert_eq!(missing, [""; 0], "nobody has asked for them");
}

#[test]
fn wrong_clocks_change_no_course() {
    let mut compared = 0;
    for seed in 500..620 {
        let outcome = run(seed, Options::default());
        if has_comparable_clocks(&outcome.tally) {
            compared += 1;
            let found = compare_with_right_clocks(&Plan::draw(seed), outcome.fingerprint);
            assert_eq!(found, None, "seed {seed}");
        }
    }
    assert!(compared >= 10, "only {compared} had wrong clocks");
}
