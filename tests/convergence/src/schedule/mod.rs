//! A seed becomes the life of a small world: [`draw`] says what is commanded, what breaks and when; this file lets it
//! happen, lets it heal, and holds the end against the promises.

pub mod draw;

use crate::dice::Dice;
use crate::invariants::{Violation, check, i11_wall_clock};
use crate::tally::Tally;
use crate::world::World;
use crate::world::trace::Fingerprint;
use draw::{Afterwards, Plan, Step};

/// How long a world may take to become quiet once its faults have stopped, in simulated time: redialling waits up to three
/// seconds, a frame needs up to one, and each of three tiers may have to reconcile in turn, a few rounds each.
pub const HEALING_MS_MAX: u64 = 45_000;

#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the story in words.
    pub with_words: bool,
    /// Let every clock be right.
    pub right_clocks: bool,
}

pub struct Outcome {
    pub violations: Vec<Violation>,
    pub fingerprint: Fingerprint,
    pub tally: Tally,
    pub words: Vec<String>,
}

#[must_use]
pub fn run(seed: u64, options: Options) -> Outcome {
    let plan = Plan::draw(seed);
    let mut world = play(&plan, options);
    world.tally.faults.extend(plan.faults.iter().map(|fault| (*fault, 1)));
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
    let words = world.trace.words().to_vec();
    Outcome { violations, fingerprint: world.trace.fingerprint(), tally: world.tally, words }
}

/// Clocks were wrong, and nothing else depends on the bytes that they reach: which side of a fork counts does.
#[must_use]
pub fn has_comparable_clocks(tally: &Tally) -> bool {
    let had = |fault: &str| tally.faults.contains_key(fault);
    had("wrong clocks") && !had("roll-back") && !had("hostile")
}

/// The same seed with right clocks must take the same course.
#[must_use]
pub fn compare_with_right_clocks(seed: u64, skewed: Fingerprint) -> Option<Violation> {
    let right = run(seed, Options { right_clocks: true, ..Options::default() });
    i11_wall_clock::compare(skewed, right.fingerprint)
}

/// Everything that the plan says, up to the moment when the faults have stopped.
fn play(plan: &Plan, options: Options) -> World {
    let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
    let mut world = World::new(plan.seed, &names, plan.habits.clone(), options.with_words);
    for (machine, node) in plan.nodes.iter().enumerate() {
        world.machines[machine].upstreams.clone_from(&node.upstreams);
        world.machines[machine].peers.clone_from(&node.peers);
    }
    world.start_all();
    for (at, step) in &plan.steps {
        world.run_until(*at);
        happen(&mut world, step, options);
    }
    world.run_until(plan.end);
    world.trace.say(world.now, || "the faults stop".to_owned());
    world.mend();
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
    world.published = true;
    world
}

fn happen(world: &mut World, step: &Step, options: Options) {
    match step {
        Step::Command { machine, dice } => {
            let machine = machine % world.machines.len();
            world.somebody_asks(machine, &mut Dice::new(*dice));
        }
        Step::Found { name, seat, code } => {
            let mut request = world.request("org.create", None);
            let seat = world.county.seat(seat).to_string();
            request.arguments = [("name", name.clone()), ("seat", seat)]
                .into_iter()
                .chain(code.clone().map(|kind| ("org_kind", kind)))
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            world.ask(0, request);
        }
        Step::Break { which } => {
            let wires = world.wires();
            if let Some(wire) = wires.get(which % wires.len().max(1)) {
                world.break_wire(*wire);
            }
        }
        Step::Part { a, b } => world.part(*a, *b),
        Step::Mend => world.mend(),
        Step::Crash { machine } => world.crash(*machine),
        Step::Start { machine } => world.start(*machine),
        Step::BackUp { machine } => world.back_up(*machine),
        Step::Restore { machine } => {
            world.restore(*machine);
        }
        Step::RollBack { machine } => {
            world.roll_back(*machine);
        }
        Step::Clone { machine } => {
            let clone = world.clone_machine(*machine);
            if world.machines[clone].upstreams.is_empty() && world.machines[clone].peers.is_empty() {
                world.machines[clone].peers.push(*machine);
                world.crash(clone);
                world.start(clone);
            }
        }
        Step::Skew { machine, ms } => world.skew(*machine, if options.right_clocks { 0 } else { *ms }),
        Step::FillDisk { machine } => world.fill_disk(*machine),
        Step::Release { machine, dice } => release(world, *machine, &mut Dice::new(*dice)),
        Step::Erase { machine, dice } => world.somebody_erases(*machine, &mut Dice::new(*dice)),
        Step::Enrol { names } => enrol(world, names),
        Step::TurnHostile { machine, is_thief, behaviours, dice } => {
            world.turn_hostile(*machine, *is_thief, behaviours, Dice::new(*dice));
        }
        Step::StealIssuer { beside, told, dice } => {
            world.steal_issuer(*beside, *told, Dice::new(*dice));
        }
        Step::ReplaceIssuer { hostile } => world.replace_issuer(*hostile),
        Step::Mischief { hostile, dice } => world.mischief(*hostile, &mut Dice::new(*dice)),
    }
}

/// The county's administrator enters new seats; their nodes start with what their installer gave them: the first entry.
fn enrol(world: &mut World, names: &[&str]) {
    world.county.grow(names);
    world.published = false;
    if !world.machines[0].runs() {
        world.start(0);
    }
    world.publish(0);
    let enrolled = world.county.enrolled.len();
    for node in enrolled - names.len()..enrolled {
        let machine = world.install(node, 1);
        let above = world.county.parents[&world.machines[machine].seat];
        world.machines[machine].upstreams =
            world.machines.iter().position(|other| Some(other.seat) == above).into_iter().collect();
        world.start(machine);
    }
}

/// A seat that takes part in a record at this machine is taken out again.
fn release(world: &mut World, machine: usize, dice: &mut Dice) {
    let rows = world.machines[machine].disk.present();
    let shared: Vec<_> = rows.iter().filter(|row| !row.scope.seats.is_empty()).collect();
    if let Some(row) = dice.pick(&shared) {
        let seats: Vec<_> = row.scope.seats.iter().copied().collect();
        let (record, seat) = (row.id, seats[dice.index(seats.len())]);
        world.release(machine, record, seat);
    }
}
