//! What a seed draws: the nodes and their lines, the commands, the faults and their moments. Each fault is drawn for itself,
//! so that whatever can happen together happens together.

use super::plan::{Afterwards, Node, Plan, Step};
use crate::chance::Tape;
use crate::dice::Dice;
use crate::world::Habits;
use crate::world::county::TO_COME;
use crate::world::hostile::Behaviour;

const YEAR_MS: i64 = 365 * 86_400_000;

/// How much there is of everything.
struct Size {
    townships: (u64, u64),
    villages: (u64, u64),
    commands: (u64, u64),
    end_ms: (u64, u64),
}

/// Of how many schedules in a hundred. Small worlds find most of what large ones do in a tenth of the time, so most are
/// small; some things take many nodes, or long.
const SIZES: [(u64, Size); 3] = [
    (68, Size { townships: (1, 1), villages: (1, 2), commands: (2, 8), end_ms: (2_000, 5_000) }),
    (26, Size { townships: (1, 2), villages: (1, 3), commands: (4, 14), end_ms: (3_000, 8_000) }),
    (6, Size { townships: (2, 3), villages: (3, 6), commands: (12, 40), end_ms: (6_000, 25_000) }),
];

impl Plan {
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x7363_6865_6475_6c65);
        let size = draw_size(&mut dice);
        let nodes = draw_nodes(size, &mut dice);
        let end = dice.between(size.end_ms.0, size.end_ms.1);
        let habits = draw_habits(&mut dice);
        let mut plan = Plan {
            why: String::new(),
            seed,
            nodes,
            habits,
            patrols: dice.chance(6),
            steps: Vec::new(),
            end,
            faults: Vec::new(),
            afterwards: Afterwards::GoOn,
            chances: Tape::default(),
        };
        plan.draw_commands(size, &mut dice);
        plan.draw_faults(&mut dice);
        plan.draw_copies(&mut dice);
        plan.draw_audiences(&mut dice);
        plan.draw_hostile(&mut dice.fork());
        plan.draw_stolen_issuer(&mut dice.fork());
        plan.draw_pipeline(&mut dice.fork());
        plan.steps.sort_by_key(|(at, _)| *at);
        plan
    }

    /// Most engines work on a batch while another is in flight. For that there has to be work at once, and a disk that takes its
    /// time.
    fn draw_pipeline(&mut self, dice: &mut Dice) {
        self.habits.pipelined = dice.chance(80);
        if dice.chance(40) {
            self.habits.store_ms = *dice.pick(&[(5, 80), (40, 200), (1, 400)]).unwrap_or(&(5, 80));
            self.habits.strikes = *dice.pick(&[0, 0, 2, 10]).unwrap_or(&0);
            for _ in 0..dice.between(1, 3) {
                let (at, machine) = (self.any_time(dice), dice.index(64));
                for _ in 0..dice.between(3, 12) {
                    let (at, dice) = (at + dice.between(0, 60), dice.below(u64::MAX));
                    self.add(at.min(self.end), Step::Somebody { machine, dice });
                }
            }
        }
    }

    fn fault(&mut self, name: &str) {
        self.faults.push(name.to_owned());
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

    fn draw_commands(&mut self, size: &Size, dice: &mut Dice) {
        let seats: Vec<String> = self.nodes.iter().map(|node| node.name.clone()).collect();
        for (number, seat) in seats.iter().filter(|seat| !seat.ends_with('\'')).enumerate() {
            let code = (number % 3 == 0).then(|| "village".to_owned());
            let name = format!("{seat}支部");
            if dice.chance(80) {
                self.add(10 + number as u64, Step::Found { name, seat: seat.clone(), code });
            }
        }
        for _ in 0..dice.between(size.commands.0, size.commands.1) {
            let at = self.any_time(dice);
            let (machine, dice) = (dice.index(64), dice.below(u64::MAX));
            self.add(at, Step::Somebody { machine, dice });
        }
    }

    fn draw_faults(&mut self, dice: &mut Dice) {
        if dice.chance(75) {
            self.fault("broken lines");
            for _ in 0..dice.between(1, 8) {
                let at = self.any_time(dice);
                let which = dice.index(64);
                self.add(at, Step::Break { which });
            }
        }
        if dice.chance(50) {
            self.fault("partition");
            self.draw_partitions(dice);
        }
        if dice.chance(50) {
            self.fault("crash");
            for _ in 0..dice.between(1, 4) {
                let (at, machine) = (self.any_time(dice), self.any_machine(dice));
                self.add(at, Step::Crash { machine });
                let back = at + dice.between(50, 6_000);
                self.add(back.min(self.end), Step::Start { machine });
            }
        }
        if dice.chance(10) {
            self.fault("full disk");
            let (at, machine) = (self.any_time(dice), self.any_machine(dice));
            self.add(at, Step::FillDisk { machine });
        }
        if dice.chance(40) {
            self.fault("wrong clocks");
            for machine in 0..self.nodes.len() {
                if dice.chance(60) {
                    let ms = skew(dice);
                    self.add(0, Step::Skew { machine, ms });
                    // What a seed draws besides stays as it was.
                    if ms.rem_euclid(10) < 3 {
                        self.add(0, Step::Believe { machine });
                    }
                }
                if dice.chance(20) {
                    let (at, ms) = (self.any_time(dice), skew(dice));
                    self.add(at, Step::Skew { machine, ms });
                }
            }
        }
        if dice.chance(25) {
            self.fault("enrolment");
            for names in TO_COME {
                let is_there = |name: &str| self.nodes.iter().any(|node| node.name == name);
                if dice.chance(50) && (names[0] != "V29" || is_there("T2")) {
                    let at = self.any_time(dice);
                    let names = names.iter().map(|name| (*name).to_owned()).collect();
                    self.add(at, Step::Enrol { names });
                }
            }
        }
    }

    /// Who holds what changes: seats are taken out of records, and in again; records are erased.
    fn draw_audiences(&mut self, dice: &mut Dice) {
        let late = |plan: &Plan, dice: &mut Dice| dice.between(plan.end / 3, plan.end);
        if dice.chance(30) {
            self.fault("release");
            for _ in 0..dice.between(1, 6) {
                let at = late(self, dice);
                let (machine, dice) = (self.any_machine(dice), dice.below(u64::MAX));
                self.add(at, Step::Release { machine, dice });
            }
        }
        if dice.chance(15) {
            self.fault("admission");
            for _ in 0..dice.between(1, 3) {
                let at = late(self, dice);
                let (machine, dice) = (self.any_machine(dice), dice.below(u64::MAX));
                self.add(at, Step::Admit { machine, dice });
            }
        }
        if dice.chance(25) {
            self.fault("erasure");
            for _ in 0..dice.between(1, 3) {
                let at = late(self, dice);
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

    /// Machines that are put back to an earlier moment, with or without their memory, that are copied, or whose disk is lost.
    fn draw_copies(&mut self, dice: &mut Dice) {
        let between = |plan: &Plan, dice: &mut Dice| {
            let early = dice.between(500, plan.end / 2);
            (early, dice.between(early + 200, plan.end), plan.any_machine(dice))
        };
        if dice.chance(14) {
            self.fault("restore");
            let (early, late, machine) = between(self, dice);
            self.add(early, Step::BackUp { machine });
            self.add(late, Step::Restore { machine });
        }
        if dice.chance(14) {
            self.fault("clone");
            let (_, at, machine) = between(self, dice);
            self.add(at, Step::Clone { machine });
        }
        if dice.chance(14) {
            self.fault("roll-back");
            let (early, late, machine) = between(self, dice);
            self.add(early, Step::BackUp { machine });
            self.add(late, Step::RollBack { machine });
        }
        if dice.chance(8) {
            self.fault("lost disk");
            let (_, at, machine) = between(self, dice);
            self.add(at, Step::LoseDisk { machine });
        }
    }
}

fn draw_size(dice: &mut Dice) -> &'static Size {
    let mut at = dice.below(100);
    for (share, size) in &SIZES {
        match at.checked_sub(*share) {
            None => return size,
            Some(rest) => at = rest,
        }
    }
    &SIZES[0].1
}

fn skew(dice: &mut Dice) -> i64 {
    let years = i64::try_from(dice.below(21)).unwrap_or(0) - 10;
    years * YEAR_MS + i64::try_from(dice.below(86_400_000)).unwrap_or(0)
}

fn draw_habits(dice: &mut Dice) -> Habits {
    let frame_ms = *dice.pick(&[(1, 5), (5, 60), (40, 300), (1, 600)]).unwrap_or(&(1, 5));
    let store_ms = *dice.pick(&[(0, 1), (0, 10), (5, 80)]).unwrap_or(&(0, 1));
    let redial_ms = *dice.pick(&[(50, 300), (200, 3_000)]).unwrap_or(&(50, 300));
    let open_max = *dice.pick(&[4, 12, 256]).unwrap_or(&12);
    Habits { frame_ms, store_ms, redial_ms, duplicates: 20, repeats: 10, open_max, ..Habits::default() }
}

/// One county, sometimes with a second node; townships, one of them sometimes with a second node; villages, some with a
/// second address upstream.
fn draw_nodes(size: &Size, dice: &mut Dice) -> Vec<Node> {
    let node = |name: &str, upstreams: Vec<usize>| Node { name: name.to_owned(), upstreams, peers: Vec::new() };
    let mut nodes = vec![node("C", Vec::new())];
    let mut counties = vec![0];
    if dice.chance(30) {
        nodes.push(Node { peers: vec![0], ..node("C'", Vec::new()) });
        counties.push(1);
    }
    let mut townships: Vec<Vec<usize>> = Vec::new();
    for number in 1..=dice.between(size.townships.0, size.townships.1) {
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
    for number in 1..=dice.between(size.villages.0, size.villages.1) {
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
