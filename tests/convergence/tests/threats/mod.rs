//! The threat table of the design, as stories: each is one thing that somebody hostile does to a small county, and what
//! must come of it. What is drawn at random, and together with all other faults, is in the schedules.

mod a_flood_for_another_seat;
mod back_dating_into_an_older_directory;
mod bombs_are_kept_out;
mod checks_see_hostile_hands;
mod equivocation_two_faced_node;
mod forged_author;
mod orphan_flood;
mod out_of_path_random_matrix;
mod replay_and_withholding;
mod silent_records;
mod taking_in_the_unknowing;
mod talks_out_of_turn;
mod thief_while_the_village_lives;

use std::collections::BTreeSet;

use convergence::dice::Dice;
use convergence::story::Story;
use convergence::world::hostile::Behaviour;
use heliu_record::id::RecordId;

/// A county of seven nodes in which one machine has turned hostile, or its key was copied.
pub struct Threat {
    pub story: Story,
    pub hostile: usize,
    pub dice: Dice,
    /// Of the village V11, and of the township T2.
    pub records: [RecordId; 2],
}

/// Somebody of a new branch at a seat, whose record is for that seat and those above it.
pub fn member(story: &mut Story, seat: &str, name: &str) -> RecordId {
    let branch = story.at("C").makes("org.create", &[("name", "支部"), ("seat", seat)]).to_string();
    story.at("C").makes("member.register", &[("name", name), ("branch", &branch)])
}

impl Threat {
    pub fn of(seed: u64, name: &str, is_thief: bool, behaviours: &[Behaviour]) -> Self {
        let mut story = Story::of(seed, &["C", "T1", "T2", "V11", "V12", "V21", "V22"]);
        let seats = ["V11", "T2"].map(|name| story.seat(name));
        let records = seats.map(|seat| member(&mut story, &seat, "测试甲0001"));
        story.run_until_quiet();
        let machine = story.world.machine(name);
        let hostile = story.world.turn_hostile(machine, is_thief, behaviours, Dice::new(seed));
        Threat { story, hostile, dice: Dice::new(seed + 1_000), records }
    }

    /// The same thing again and again, with time to travel in between. Returns how often it could be done.
    pub fn does(&mut self, behaviour: Behaviour, times: usize) -> usize {
        let mut done = 0;
        for _ in 0..times {
            self.story.world.tally.faults.remove(behaviour.name());
            self.story.world.act(self.hostile, behaviour, &mut self.dice);
            done += usize::from(self.story.world.tally.faults.contains_key(behaviour.name()));
            self.story.world.run_for(700);
        }
        done
    }

    /// Honest people go on working meanwhile, and all that they did arrives.
    pub fn ends_well(&mut self) {
        let [village, township] = self.records;
        self.story.at("V11").done("record.set", Some(village), &[("field", "name"), ("value", "一支部")]);
        self.story.at("T2").done("record.set", Some(township), &[("field", "name"), ("value", "二支部")]);
        self.story.run_until_quiet();
        assert_eq!(self.story.at("C").view(township)["name"], "二支部");
        self.story.ends_well();
    }

    /// Reason codes of all that honest nodes have refused.
    pub fn refused(&self) -> Vec<String> {
        let machines = self.story.world.machines.iter().filter(|machine| !machine.is_hostile);
        machines.flat_map(|machine| machine.disk.quarantined()).map(|row| row.code).collect()
    }

    /// Different leaves that honest nodes hold, by status.
    pub fn held(&self, status: heliu_storage::LeafStatus) -> usize {
        let machines = self.story.world.machines.iter().filter(|machine| !machine.is_hostile);
        let rows = machines.flat_map(|machine| machine.disk.rows().into_iter().map(move |row| (machine, row.id)));
        let leaves = rows.filter_map(|(machine, record)| machine.disk.load(record)).flat_map(|held| held.leaves);
        leaves.filter(|leaf| leaf.status == status).map(|leaf| leaf.hash).collect::<BTreeSet<_>>().len()
    }
}
