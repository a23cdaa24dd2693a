//! What each step of a plan does to a world.

use heliu_record::command::Request;

use super::Options;
use super::plan::Step;
use crate::dice::Dice;
use crate::world::World;

/// What a step comes to in this world at this moment, if anything: who picks something has picked it then.
pub(super) fn settle(world: &mut World, step: &Step) -> Option<Step> {
    let settled = match step {
        Step::Somebody { machine, dice } => {
            let machine = machine % world.machines.len();
            let request = world.something_to_ask(machine, &mut Dice::new(*dice))?;
            Step::Ask { machine, request: (&request).into() }
        }
        Step::Found { name, seat, code } => {
            let mut request = world.request("org.create", None);
            let seat = world.county.seat(seat).to_string();
            request.arguments = [("name", name.clone()), ("seat", seat)]
                .into_iter()
                .chain(code.clone().map(|kind| ("org_kind", kind)))
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            Step::Ask { machine: 0, request: (&request).into() }
        }
        Step::Break { which } => {
            let wires = world.wires();
            let wire = wires.get(which % wires.len().max(1))?;
            let (a, b) = world.ends(*wire)?;
            Step::BreakBetween { a, b }
        }
        Step::Release { machine, dice } => release(world, *machine, &mut Dice::new(*dice))?,
        Step::Admit { machine, dice } => admit(world, *machine, &mut Dice::new(*dice))?,
        Step::Erase { machine, dice } => {
            let machine = *machine;
            Step::EraseRecord { machine, record: world.something_to_erase(machine, &mut Dice::new(*dice))? }
        }
        Step::Mischief { hostile, dice } => {
            let mut dice = Dice::new(*dice);
            let behaviour = world.something_hostile(*hostile, &mut dice)?;
            Step::Act { hostile: *hostile, behaviour, dice: dice.state() }
        }
        step => step.clone(),
    };
    is_possible(world, &settled).then_some(settled)
}

/// A step may be about somebody who is not there: what brought him has been taken out of the plan.
fn is_possible(world: &World, step: &Step) -> bool {
    let has = |machine: usize| machine < world.machines.len();
    match step {
        Step::Ask { machine, .. }
        | Step::Crash { machine }
        | Step::Start { machine }
        | Step::BackUp { machine }
        | Step::Restore { machine }
        | Step::RollBack { machine }
        | Step::LoseDisk { machine }
        | Step::Clone { machine }
        | Step::Skew { machine, .. }
        | Step::Believe { machine }
        | Step::FillDisk { machine }
        | Step::ReleaseSeat { machine, .. }
        | Step::AdmitSeat { machine, .. }
        | Step::EraseRecord { machine, .. }
        | Step::TurnHostile { machine, .. } => has(*machine),
        Step::BreakBetween { a, b } | Step::Part { a, b } | Step::StealIssuer { beside: a, told: b, .. } => {
            has(*a) && has(*b)
        }
        Step::Act { hostile, .. } | Step::ReplaceIssuer { hostile } => *hostile < world.hostile.len(),
        _ => true,
    }
}

pub(super) fn happen(world: &mut World, step: &Step, options: Options) {
    match step {
        Step::Ask { machine, request } => {
            if world.machines[*machine].runs() || *machine == 0 {
                world.ask(*machine, Request::from(request.clone()));
            }
        }
        Step::BreakBetween { a, b } => world.break_between(*a, *b),
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
        Step::LoseDisk { machine } => world.lose_disk(*machine),
        Step::Clone { machine } => {
            let clone = world.clone_machine(*machine);
            if world.machines[clone].upstreams.is_empty() && world.machines[clone].peers.is_empty() {
                world.machines[clone].peers.push(*machine);
                world.crash(clone);
                world.start(clone);
            }
        }
        Step::Skew { machine, ms } => world.skew(*machine, *ms, options.right_clocks),
        Step::Believe { machine } => world.believe(*machine),
        Step::FillDisk { machine } => world.fill_disk(*machine),
        Step::ReleaseSeat { machine, record, seat } => world.release(*machine, *record, *seat),
        Step::AdmitSeat { machine, record, seat } => world.admit(*machine, *record, *seat),
        Step::EraseRecord { machine, record } => {
            if world.machines[*machine].runs() {
                world.somebody_erases(*machine, *record);
            }
        }
        Step::Enrol { names } => enrol(world, names),
        Step::TurnHostile { machine, is_thief, behaviours, dice } => {
            world.turn_hostile(*machine, *is_thief, behaviours, Dice::new(*dice));
        }
        Step::StealIssuer { beside, told, dice } => {
            world.steal_issuer(*beside, *told, Dice::new(*dice));
        }
        Step::ReplaceIssuer { hostile } => world.replace_issuer(*hostile),
        Step::Act { hostile, behaviour, dice } => world.act(*hostile, *behaviour, &mut Dice::going_on(*dice)),
        Step::Somebody { .. }
        | Step::Found { .. }
        | Step::Break { .. }
        | Step::Release { .. }
        | Step::Admit { .. }
        | Step::Erase { .. }
        | Step::Mischief { .. } => unreachable!("it has been settled what it comes to"),
    }
}

/// The county's administrator enters new seats; their nodes start with what their installer gave them: the first entry.
fn enrol(world: &mut World, names: &[String]) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.county.grow(&names);
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
fn release(world: &World, machine: usize, dice: &mut Dice) -> Option<Step> {
    let rows = world.machines[machine].disk.present();
    let shared: Vec<_> = rows.iter().filter(|row| !row.scope.seats.is_empty()).collect();
    let row = dice.pick(&shared)?;
    let seats: Vec<_> = row.scope.seats.iter().copied().collect();
    Some(Step::ReleaseSeat { machine, record: row.id, seat: seats[dice.index(seats.len())] })
}

/// A seat that the county has is taken into a record at this machine.
fn admit(world: &World, machine: usize, dice: &mut Dice) -> Option<Step> {
    let rows = world.machines[machine].disk.present();
    let record = dice.pick(&rows)?.id;
    let seats: Vec<_> = world.county.parents.keys().copied().collect();
    Some(Step::AdmitSeat { machine, record, seat: *dice.pick(&seats)? })
}
