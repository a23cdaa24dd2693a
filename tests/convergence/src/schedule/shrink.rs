//! Makes a schedule that failed smaller: steps, recorded chances and time are taken away as long as it fails in the same way.
//! What is left is what a person has to read.

use super::plan::{Afterwards, Plan, Step};
use super::{Options, run_plan};

/// What a failure is recognised by: the promises that were not kept.
#[must_use]
pub fn failure(plan: &Plan) -> Vec<&'static str> {
    let checks = Options { clocks: true, ..Options::default() };
    let Ok(outcome) = std::panic::catch_unwind(|| run_plan(plan, checks)) else { return vec!["panic"] };
    let mut promises: Vec<&'static str> = outcome.violations.iter().map(|violation| violation.promise).collect();
    promises.sort_unstable();
    promises.dedup();
    promises
}

/// The smallest plan found that breaks a promise which this one breaks; the plan itself if it breaks none.
#[must_use]
pub fn shrink(plan: Plan) -> Plan {
    let broken = failure(&plan);
    shrink_while(plan, &|plan| failure(plan).iter().any(|promise| broken.contains(promise)))
}

/// The smallest plan found that does something which this one does; the plan itself if it does not.
#[must_use]
pub fn shrink_while(mut plan: Plan, fails: &dyn Fn(&Plan) -> bool) -> Plan {
    if !fails(&plan) {
        return plan;
    }
    loop {
        let before = (plan.steps.len(), plan.chances.0.len(), plan.end);
        plan = without_steps(plan, fails);
        plan = with_less_time(plan, fails);
        plan = with_simpler_habits(plan, fails);
        plan = without_chances(plan, fails);
        if (plan.steps.len(), plan.chances.0.len(), plan.end) == before {
            break;
        }
    }
    let is_hostile = |(_, step): &(u64, Step)| matches!(step, Step::TurnHostile { .. } | Step::StealIssuer { .. });
    if !plan.steps.iter().any(is_hostile) {
        plan.afterwards = Afterwards::GoOn;
    }
    plan
}

/// Takes away runs of steps, long ones first.
fn without_steps(mut plan: Plan, fails: &dyn Fn(&Plan) -> bool) -> Plan {
    let mut size = plan.steps.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < plan.steps.len() {
            let mut less = plan.clone();
            less.steps.drain(at..(at + size).min(plan.steps.len()));
            if fails(&less) {
                plan = less;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    plan
}

/// The faults stop as soon as nothing more happens.
fn with_less_time(plan: Plan, fails: &dyn Fn(&Plan) -> bool) -> Plan {
    let last = plan.steps.last().map_or(0, |(at, _)| *at);
    let less = Plan { end: last + 1, ..plan.clone() };
    if less.end < plan.end && fails(&less) { less } else { plan }
}

fn with_simpler_habits(mut plan: Plan, fails: &dyn Fn(&Plan) -> bool) -> Plan {
    let simpler: [fn(&mut Plan); 5] = [
        |plan| plan.habits.duplicates = 0,
        |plan| plan.habits.repeats = 0,
        |plan| plan.patrols = false,
        |plan| plan.habits.strikes = 0,
        |plan| plan.habits.pipelined = false,
    ];
    for simplify in simpler {
        let mut less = plan.clone();
        simplify(&mut less);
        if fails(&less) {
            plan = less;
        }
    }
    plan
}

/// Recorded chances that the seed's own do as well as.
fn without_chances(mut plan: Plan, fails: &dyn Fn(&Plan) -> bool) -> Plan {
    for name in plan.chances.0.keys().cloned().collect::<Vec<_>>() {
        let mut less = plan.clone();
        less.chances.0.remove(&name);
        if fails(&less) {
            plan = less;
        }
    }
    plan
}
