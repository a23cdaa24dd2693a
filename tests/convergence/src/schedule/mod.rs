//! A plan becomes the life of a small world: [`draw`] makes one of a seed, [`steps`] lets each step happen; this file lets
//! the world heal, and holds the end against the promises. [`shrink`] makes a plan that failed smaller.

mod draw;
pub mod plan;
pub mod shrink;
mod steps;

use crate::chance::Chance;
use crate::invariants::{Violation, check, i11_wall_clock};
use crate::tally::Tally;
use crate::world::county::County;
use crate::world::trace::Fingerprint;
use crate::world::{World, scribe};
use plan::{Afterwards, Plan, Step};

/// How long a world may take to become quiet once its faults have stopped, in simulated time: redialling waits up to three
/// seconds, a frame needs up to one, and each of three tiers may have to reconcile in turn, a few rounds each.
pub const HEALING_MS_MAX: u64 = 45_000;

#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the story in words.
    pub with_words: bool,
    /// Let every clock be right.
    pub right_clocks: bool,
    /// Keep what steps came to, and what the world left to chance.
    pub records: bool,
    /// Run it twice: it must give the same trace.
    pub twice: bool,
    /// Where clocks were wrong and can be compared, run it with right ones: it must take the same course.
    pub clocks: bool,
}

pub struct Outcome {
    pub violations: Vec<Violation>,
    pub fingerprint: Fingerprint,
    pub tally: Tally,
    pub words: Vec<String>,
    /// The same schedule as it was, whatever the seed draws later.
    pub recorded: Option<Plan>,
}

#[must_use]
pub fn run(seed: u64, options: Options) -> Outcome {
    run_plan(&Plan::draw(seed), options)
}

#[must_use]
pub fn run_plan(plan: &Plan, options: Options) -> Outcome {
    let (mut world, steps) = play(plan, options);
    plan.faults.iter().for_each(|fault| world.tally.fault(fault));
    if plan.patrols {
        world.tally.fault("patrol");
    }
    let healing = world.run_until_quiet(HEALING_MS_MAX);
    let mut violations = Vec::new();
    match healing {
        Ok(ms) => {
            world.tally.healing_ms_max = ms;
            violations = check(&world);
        }
        Err(unrest) => {
            violations.extend(world.broken.clone());
            violations.push(Violation::new("I12", format!("it does not become quiet: {unrest}")));
            violations.extend(check(&world));
        }
    }
    for machine in &world.machines {
        let conflicts = machine.disk.conflicts().len() as u64;
        let stubs = machine.disk.rows().len() - machine.disk.present().len();
        world.tally.conflicts += conflicts;
        world.tally.stubs += stubs as u64;
    }
    let fingerprint = world.trace.fingerprint();
    if options.clocks && has_comparable_clocks(&world.tally) {
        violations.extend(compare_with_right_clocks(plan, fingerprint));
    }
    let words = world.trace.words().to_vec();
    let recorded = options.records.then(|| Plan { steps, chances: world.chance.take_kept(), ..plan.clone() });
    Outcome { violations, fingerprint, tally: world.tally, words, recorded }
}

/// What became of it, and what is wrong, in words: with the comparisons that are asked for.
#[must_use]
pub fn failures_of(plan: &Plan, options: Options) -> (Outcome, Vec<String>) {
    let outcome = run_plan(plan, options);
    let mut found: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
    if options.twice && run_plan(plan, Options::default()).fingerprint != outcome.fingerprint {
        found.push("the same schedule gave another trace".to_owned());
    }
    (outcome, found)
}

/// Clocks were wrong, and nothing else depends on the bytes that they reach: which side of a fork counts does.
#[must_use]
pub fn has_comparable_clocks(tally: &Tally) -> bool {
    let had = |fault: &str| tally.faults.contains_key(fault);
    had("wrong clocks") && !had("roll-back") && !had("hostile")
}

/// The same schedule with right clocks must take the same course.
#[must_use]
pub fn compare_with_right_clocks(plan: &Plan, skewed: Fingerprint) -> Option<Violation> {
    let right = run_plan(plan, Options { right_clocks: true, ..Options::default() });
    i11_wall_clock::compare(skewed, right.fingerprint)
}

/// Everything that the plan says, up to the moment when the faults have stopped. Returns what its steps came to as well.
fn play(plan: &Plan, options: Options) -> (World, Vec<(u64, Step)>) {
    let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut chance = Chance::new(plan.seed);
    chance.replay(&plan.chances);
    if options.records {
        chance.keep();
    }
    let county = County::new(plan.seed, &[&names[..], &[scribe::NAME]].concat());
    let mut world = World::in_county(chance, county, names.len(), plan.habits.clone(), options.with_words);
    world.patrols = plan.patrols;
    for (machine, node) in plan.nodes.iter().enumerate() {
        world.machines[machine].upstreams.clone_from(&node.upstreams);
        world.machines[machine].peers.clone_from(&node.peers);
    }
    world.start_all();
    let mut steps = Vec::new();
    for (at, step) in &plan.steps {
        world.run_until(*at);
        if let Some(step) = steps::settle(&mut world, step) {
            steps::happen(&mut world, &step, options);
            if options.records {
                steps.push((*at, step));
            }
        }
    }
    world.run_until(plan.end);
    world.trace.say(world.now, || "the faults stop".to_owned());
    world.mend();
    // That the network brings again what it brought before is a fault as well: while it lasts, two ends that let go of a
    // record can be made to give it to each other.
    (world.habits.duplicates, world.habits.strikes) = (0, 0);
    for machine in 0..world.machines.len() {
        world.spare_disk(machine);
    }
    world.start_all();
    let is_cut_short = plan.afterwards != Afterwards::GoOn;
    if is_cut_short {
        world.hostile_stop(plan.afterwards == Afterwards::Leave);
    } else {
        world.hostile_go_on();
    }
    // What an administrator entered is entered again, in case the county's node had not made it durable.
    world.publish(0);
    (world.published, world.hands_in_again) = (true, true);
    (world, steps)
}
