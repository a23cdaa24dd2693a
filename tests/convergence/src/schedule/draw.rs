//! What a seed draws: the nodes and their lines, the commands, the faults and their moments.

use crate::dice::Dice;
use crate::world::Habits;
use crate::world::county::TO_COME;
use crate::world::hostile::Behaviour;

const YEAR_MS: i64 = 365 * 86_400_000;

pub struct Node {
    pub name: String,
    pub upstreams: Vec<usize>,
    pub peers: Vec<usize>,
}

/// One thing that happens from outside.
#[derive(Clone, Debug)]
pub enum Step {
    Command {
        machine: usize,
        dice: u64,
    },
    /// The county founds an organisation for a seat.
    Found {
        name: String,
        seat: String,
        code: Option<String>,
    },
    /// A connection breaks.
    Break {
        which: usize,
    },
    /// Two machines cannot reach each other.
    Part {
        a: usize,
        b: usize,
    },
    Mend,
    Crash {
        machine: usize,
    },
    Start {
        machine: usize,
    },
    BackUp {
        machine: usize,
    },
    Restore {
        machine: usize,
    },
    RollBack {
        machine: usize,
    },
    Clone {
        machine: usize,
    },
    Skew {
        machine: usize,
        ms: i64,
    },
    FillDisk {
        machine: usize,
    },
    /// A seat is taken out of a record that this machine holds.
    Release {
        machine: usize,
        dice: u64,
    },
    /// A superior erases a record that this machine holds.
    Erase {
        machine: usize,
        dice: u64,
    },
    /// Somebody takes a machine in hand, or copies its key.
    TurnHostile {
        machine: usize,
        is_thief: bool,
        behaviours: Vec<Behaviour>,
        dice: u64,
    },
    /// One of those does something.
    Mischief {
        hostile: usize,
        dice: u64,
    },
    /// Somebody who has stolen the issuer's key enrols a node beside that of a machine, and tells another.
    StealIssuer {
        beside: usize,
        told: usize,
        dice: u64,
    },
    /// The root replaces the issuer, and fences that node.
    ReplaceIssuer {
        hostile: usize,
    },
    /// New seats are entered into the directory in one entry, and their nodes start.
    Enrol {
        names: &'static [&'static str],
    },
}

pub struct Plan {
    pub seed: u64,
    pub nodes: Vec<Node>,
    pub habits: Habits,
    /// In the order of time.
    pub steps: Vec<(u64, Step)>,
    /// When the faults stop.
    pub end: u64,
    pub faults: Vec<&'static str>,
    /// What becomes of those who are hostile when the faults stop.
    pub afterwards: Afterwards,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// They go on as before.
    GoOn,
    /// Their machines say nothing any more.
    FallSilent,
    /// Their machines are gone.
    Leave,
}

impl Plan {
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x7363_6865_6475_6c65);
        let nodes = draw_nodes(&mut dice);
        let end = dice.between(6_000, 25_000);
        let habits = draw_habits(&mut dice);
        let mut plan =
            Plan { seed, nodes, habits, steps: Vec::new(), end, faults: Vec::new(), afterwards: Afterwards::GoOn };
        plan.draw_commands(&mut dice);
        plan.draw_faults(&mut dice);
        plan.draw_hostile(&mut Dice::new(seed ^ 0x686f_7374_696c_6521));
        plan.draw_stolen_issuer(&mut Dice::new(seed ^ 0x6973_7375_6572_2121));
        if plan.faults.contains(&"restore") {
            // Open: a superior is restored from a backup while seats below let go of a record that it wrote in since. They
            // hold back what came from it, as it had that before, and nobody has it any more.
            plan.steps.retain(|(_, step)| !matches!(step, Step::Release { .. }));
            plan.faults.retain(|fault| *fault != "release");
        }
        plan.steps.sort_by_key(|(at, _)| *at);
        plan
    }

    fn any_time(&self, dice: &mut Dice) -> u64 {
        dice.between(300, self.end)
    }

    fn any_machine(&self, dice: &mut Dice) -> usize {
        dice.index(self.nodes.len())
    }

    fn add(&mut self, at: u64, step: Step) {
        self.steps.push((at, step));
    }

    fn draw_commands(&mut self, dice: &mut Dice) {
        let seats: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        for (number, seat) in seats.iter().filter(|seat| !seat.ends_with('\'')).enumerate() {
            let code = (number % 3 == 0).then(|| "village".to_owned());
            let name = format!("{seat}支部");
            if dice.chance(80) {
                self.add(10 + number as u64, Step::Found { name, seat: seat.clone(), code });
            }
        }
        for _ in 0..dice.between(12, 40) {
            let at = self.any_time(dice);
            let (machine, dice) = (dice.index(64), dice.below(u64::MAX));
            self.add(at, Step::Command { machine, dice });
        }
    }

    fn draw_faults(&mut self, dice: &mut Dice) {
        if dice.chance(75) {
            self.faults.push("broken lines");
            for _ in 0..dice.between(1, 8) {
                let at = self.any_time(dice);
                let which = dice.index(64);
                self.add(at, Step::Break { which });
            }
        }
        if dice.chance(50) {
            self.faults.push("partition");
            self.draw_partitions(dice);
        }
        if dice.chance(50) {
            self.faults.push("crash");
            for _ in 0..dice.between(1, 4) {
                let (at, machine) = (self.any_time(dice), self.any_machine(dice));
                self.add(at, Step::Crash { machine });
                let back = at + dice.between(50, 6_000);
                self.add(back.min(self.end), Step::Start { machine });
            }
        }
        if dice.chance(10) {
            self.faults.push("full disk");
            let (at, machine) = (self.any_time(dice), self.any_machine(dice));
            self.add(at, Step::FillDisk { machine });
        }
        self.draw_copies(dice);
        if dice.chance(40) {
            self.faults.push("wrong clocks");
            for machine in 0..self.nodes.len() {
                if dice.chance(60) {
                    let ms = skew(dice);
                    self.add(0, Step::Skew { machine, ms });
                }
                if dice.chance(20) {
                    let (at, ms) = (self.any_time(dice), skew(dice));
                    self.add(at, Step::Skew { machine, ms });
                }
            }
        }
        if dice.chance(30) {
            self.faults.push("release");
            for _ in 0..dice.between(1, 6) {
                let at = dice.between(self.end / 3, self.end);
                let (machine, dice) = (self.any_machine(dice), dice.below(u64::MAX));
                self.add(at, Step::Release { machine, dice });
            }
        }
        if dice.chance(40) {
            self.faults.push("enrolment");
            for names in TO_COME {
                if dice.chance(60) {
                    let at = self.any_time(dice);
                    self.add(at, Step::Enrol { names });
                }
            }
        }
        if dice.chance(25) {
            self.faults.push("erasure");
            for _ in 0..dice.between(1, 3) {
                let at = dice.between(self.end / 3, self.end);
                let (machine, dice) = (dice.index(self.nodes.len().min(4)), dice.below(u64::MAX));
                self.add(at, Step::Erase { machine, dice });
            }
        }
    }

    /// In one of four schedules an insider, a thief, or both.
    fn draw_hostile(&mut self, dice: &mut Dice) {
        if !dice.chance(25) {
            return;
        }
        let hands: &[bool] = [&[false][..], &[false], &[true], &[false, true]][dice.index(4)];
        let begin = dice.between(0, self.end / 3);
        let mut hostile = 0;
        for is_thief in hands.iter().copied() {
            let is_village = dice.chance(70);
            let is_fit = |node: &usize| is_thief || self.is_fit_for_hostile(*node, is_village);
            let fit: Vec<usize> = (1..self.nodes.len()).filter(is_fit).collect();
            let Some(machine) = dice.pick(&fit).copied() else { continue };
            let mut behaviours: Vec<Behaviour> = Behaviour::ALL.into_iter().filter(|_| dice.chance(50)).collect();
            if behaviours.is_empty() {
                behaviours.push(Behaviour::OutOfPath);
            }
            self.add(begin, Step::TurnHostile { machine, is_thief, behaviours, dice: dice.below(u64::MAX) });
            for _ in 0..dice.between(3, 10) {
                let at = dice.between(begin + 1, self.end);
                self.add(at, Step::Mischief { hostile, dice: dice.below(u64::MAX) });
            }
            hostile += 1;
        }
        let ways = [Afterwards::GoOn, Afterwards::GoOn, Afterwards::FallSilent, Afterwards::Leave];
        self.afterwards = ways[dice.index(4)];
    }

    /// The theft comes after everybody else has turned hostile, so that the false node is the last of them.
    fn draw_stolen_issuer(&mut self, dice: &mut Dice) {
        if !dice.chance(4) {
            return;
        }
        let hostile = self.steps.iter().filter(|(_, step)| matches!(step, Step::TurnHostile { .. })).count();
        let beside = 1 + dice.index(self.nodes.len() - 1);
        let told = self.any_machine(dice);
        let begin = dice.between(self.end / 3 + 1, self.end * 2 / 3);
        self.add(begin, Step::StealIssuer { beside, told, dice: dice.below(u64::MAX) });
        for _ in 0..dice.between(3, 10) {
            let at = dice.between(begin + 1, self.end);
            self.add(at, Step::Mischief { hostile, dice: dice.below(u64::MAX) });
        }
        let end = if dice.chance(30) { self.end } else { dice.between(begin + 1, self.end) };
        self.add(end, Step::ReplaceIssuer { hostile });
    }

    /// Mostly villages: whoever is above others may keep from them whatever he likes.
    fn is_fit_for_hostile(&self, node: usize, is_village: bool) -> bool {
        let name = &self.nodes[node].name;
        if is_village { name.starts_with('V') } else { !name.starts_with('V') }
    }

    fn draw_partitions(&mut self, dice: &mut Dice) {
        for _ in 0..dice.between(1, 3) {
            let at = self.any_time(dice);
            let island = self.any_machine(dice);
            for other in 0..self.nodes.len() {
                if other != island && dice.chance(70) {
                    self.add(at, Step::Part { a: island, b: other });
                }
            }
        }
        for _ in 0..dice.between(0, 2) {
            let at = self.any_time(dice);
            self.add(at, Step::Mend);
        }
    }

    /// Restored, cloned and rolled-back machines: at most one of these per schedule and machine.
    fn draw_copies(&mut self, dice: &mut Dice) {
        let (early, machine) = (dice.between(500, self.end / 2), self.any_machine(dice));
        let late = dice.between(early + 200, self.end);
        match dice.below(100) {
            0..12 => {
                self.faults.push("restore");
                self.add(early, Step::BackUp { machine });
                self.add(late, Step::Restore { machine });
            }
            12..24 => {
                self.faults.push("clone");
                self.add(late, Step::Clone { machine });
            }
            24..36 => {
                self.faults.push("roll-back");
                self.add(early, Step::BackUp { machine });
                self.add(late, Step::RollBack { machine });
            }
            _ => {}
        }
    }
}

fn skew(dice: &mut Dice) -> i64 {
    let years = i64::try_from(dice.below(21)).unwrap_or(0) - 10;
    years * YEAR_MS + i64::try_from(dice.below(86_400_000)).unwrap_or(0)
}

fn draw_habits(dice: &mut Dice) -> Habits {
    let frame_ms = *dice.pick(&[(1, 5), (5, 60), (40, 300), (1, 600)]).unwrap_or(&(1, 5));
    let store_ms = *dice.pick(&[(0, 1), (0, 10), (5, 80)]).unwrap_or(&(0, 1));
    let redial_ms = *dice.pick(&[(50, 300), (200, 3_000)]).unwrap_or(&(50, 300));
    Habits { frame_ms, store_ms, redial_ms, duplicates: 20, repeats: 10 }
}

/// One county, sometimes with a second node; two or three townships, one of them sometimes with a second node; three to
/// six villages, some with a second address upstream.
fn draw_nodes(dice: &mut Dice) -> Vec<Node> {
    let node = |name: &str, upstreams: Vec<usize>| Node { name: name.to_owned(), upstreams, peers: Vec::new() };
    let mut nodes = vec![node("C", Vec::new())];
    let mut counties = vec![0];
    if dice.chance(30) {
        nodes.push(Node { peers: vec![0], ..node("C'", Vec::new()) });
        counties.push(1);
    }
    let mut townships: Vec<Vec<usize>> = Vec::new();
    for number in 1..=dice.between(2, 3) {
        let name = format!("T{number}");
        nodes.push(node(&name, shuffled(&counties, dice)));
        let mut of_seat = vec![nodes.len() - 1];
        if number == 1 && dice.chance(15) {
            let first = nodes.len() - 1;
            nodes.push(Node { peers: vec![first], ..node("T1'", shuffled(&counties, dice)) });
            of_seat.push(first + 1);
        }
        townships.push(of_seat);
    }
    for number in 1..=dice.between(3, 6) {
        let township = dice.index(townships.len());
        let mut upstreams = shuffled(&townships[township], dice);
        if dice.chance(25) {
            upstreams.push(counties[dice.index(counties.len())]);
        }
        nodes.push(node(&format!("V{}{number}", township + 1), upstreams));
    }
    nodes
}

fn shuffled(of: &[usize], dice: &mut Dice) -> Vec<usize> {
    let mut list = of.to_vec();
    let begin = dice.index(list.len());
    list.rotate_left(begin);
    list
}
