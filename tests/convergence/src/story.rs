//! A world for stories that people read: nodes by name, lines that are cut and healed, commands that succeed or not.

mod privacy;

use std::collections::BTreeSet;

use heliu_record::conflict::Conflict;
use heliu_record::id::RecordId;
use heliu_replication::Reply;
use heliu_replication::effect::Done;
use serde_json::Value;

use crate::chance::Chance;
use crate::invariants::{Violation, check};
use crate::schedule::HEALING_MS_MAX;
use crate::world::county::County;
use crate::world::{Habits, World};

pub struct Story {
    pub world: World,
    /// Some lines are cut.
    is_cut: bool,
    /// Commands that were carried out while they were.
    apart: BTreeSet<String>,
}

/// One node of a story.
pub struct At<'s> {
    story: &'s mut Story,
    machine: usize,
}

impl Story {
    /// Nodes by name, all running. Each dials the nodes of the seat above; a mirror (`C'`) dials the node that it mirrors.
    /// The seed decides how long everything takes, and so in which order it arrives.
    #[must_use]
    pub fn of(seed: u64, names: &[&str]) -> Self {
        let habits = Habits { frame_ms: (1, 30 + seed * 23 % 200), duplicates: 30, ..Habits::default() };
        Self::at_rest(World::new(seed, names, habits, true), seed, names)
    }

    /// As [`Story::of`], but the directory takes one of the nodes for a node of another's seat, and only the reference model
    /// knows better: to see that its checks see what comes of that.
    #[must_use]
    pub fn where_one_passes_for_another(seed: u64, names: &[&str], one: &str, another: &str) -> Self {
        let county = County::where_one_passes_for_another(seed, names, one, another);
        let world = World::in_county(Chance::new(seed), county, names.len(), Habits::default(), true);
        let mut story = Self::in_world(world, seed, names);
        // They never rest: the one has to hear what is not for the other, and does not take it.
        story.wait();
        story
    }

    /// As [`Story::of`], with habits of one's own, and without words: for long worlds.
    #[must_use]
    pub fn quietly(seed: u64, names: &[&str], habits: Habits) -> Self {
        Self::at_rest(World::new(seed, names, habits, false), seed, names)
    }

    fn in_world(mut world: World, seed: u64, names: &[&str]) -> Self {
        for machine in 0..names.len() {
            let seat = world.machines[machine].seat;
            let above = world.county.parents[&seat];
            let is_above = |other: &usize| Some(world.machines[*other].seat) == above;
            let mut upstreams: Vec<usize> = (0..names.len()).filter(is_above).collect();
            let turn = usize::try_from(seed).unwrap_or(0) % upstreams.len().max(1);
            upstreams.rotate_left(turn);
            let mirrored = names[machine].strip_suffix('\'').map(|name| world.machine(name));
            world.machines[machine].upstreams = upstreams;
            world.machines[machine].peers.extend(mirrored);
        }
        world.start_all();
        Story { world, is_cut: false, apart: BTreeSet::new() }
    }

    fn at_rest(world: World, seed: u64, names: &[&str]) -> Self {
        let mut story = Self::in_world(world, seed, names);
        story.run_until_quiet();
        story
    }

    /// Nobody of the one group can reach anybody of the other.
    pub fn cut(&mut self, one: &[&str], other: &[&str]) {
        self.is_cut = true;
        for a in one {
            for b in other {
                let (a, b) = (self.world.machine(a), self.world.machine(b));
                self.world.part(a, b);
            }
        }
    }

    pub fn heal(&mut self) {
        self.is_cut = false;
        self.world.mend();
    }

    /// Lets everything that can travel arrive, also while the world is cut.
    pub fn wait(&mut self) {
        self.world.run_for(20_000);
    }

    pub fn run_until_quiet(&mut self) {
        if let Err(unrest) = self.world.run_until_quiet(HEALING_MS_MAX) {
            panic!("{}\nit does not become quiet: {unrest}", self.words());
        }
    }

    pub fn at(&mut self, name: &str) -> At<'_> {
        let machine = self.world.machine(name);
        At { story: self, machine }
    }

    /// The id of a seat, as arguments name it.
    #[must_use]
    pub fn seat(&self, name: &str) -> String {
        self.world.county.seat(name).to_string()
    }

    /// How many edits of a node are stranded.
    #[must_use]
    pub fn stranded(&self, name: &str) -> usize {
        self.world.stranded(self.world.machine(name)).len()
    }

    /// The codes of a node's alarms, with what each is about, in order.
    #[must_use]
    pub fn alarms(&self, name: &str) -> Vec<(&'static str, String)> {
        let alarms = self.world.alarms(self.world.machine(name));
        alarms.into_iter().map(|alarm| (alarm.code, alarm.subject)).collect()
    }

    /// What every node shows that holds a record; there must be some.
    #[must_use]
    pub fn everywhere(&self, record: RecordId) -> Vec<(String, Value)> {
        let of = |machine: &crate::world::machine::Machine| {
            let row = machine.disk.present().into_iter().find(|row| row.id == record)?;
            Some((machine.name.clone(), serde_json::from_slice(&row.view).ok()?))
        };
        let shown: Vec<_> = self.world.machines.iter().filter(|machine| !machine.is_retired).filter_map(of).collect();
        assert!(!shown.is_empty(), "nobody shows {}", record.short());
        shown
    }

    /// The end of a story: all promises are kept. Returns the commands that were carried out while lines were cut.
    pub fn ends_well(&self) -> BTreeSet<String> {
        let found: Vec<String> = check(&self.world).iter().map(Violation::to_string).collect();
        assert!(found.is_empty(), "{}\n{}", self.words(), found.join("\n"));
        self.apart.clone()
    }

    #[must_use]
    pub fn words(&self) -> String {
        self.world.trace.words().join("\n")
    }
}

impl At<'_> {
    fn ask(&mut self, command: &str, subject: Option<RecordId>, arguments: &[(&str, &str)]) -> Reply {
        let world = &mut self.story.world;
        let mut request = world.request(command, subject);
        request.arguments = arguments.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let ticket = world.ask(self.machine, request);
        for _ in 0..1_000 {
            if let Some(reply) = world.replies.get(&ticket) {
                return reply.clone();
            }
            world.run_for(5);
        }
        panic!("{}\n{command} was not answered", self.story.words());
    }

    /// A command that must be carried out.
    pub fn done(&mut self, command: &str, subject: Option<RecordId>, arguments: &[(&str, &str)]) -> Done {
        match self.ask(command, subject, arguments) {
            Reply::Done(done) => {
                let is_apart = self.story.is_cut;
                self.story.apart.extend(is_apart.then(|| command.to_owned()));
                done
            }
            other => panic!("{}\n{command}: {other:?}", self.story.words()),
        }
    }

    /// As [`At::done`]; the record that it made.
    pub fn makes(&mut self, command: &str, arguments: &[(&str, &str)]) -> RecordId {
        let done = self.done(command, None, arguments);
        done.result.get("record").and_then(|id| id.parse().ok()).expect("it makes a record")
    }

    /// A command that must be refused, with this code.
    pub fn refuses(&mut self, code: &str, command: &str, subject: Option<RecordId>, arguments: &[(&str, &str)]) {
        match self.ask(command, subject, arguments) {
            Reply::Refused(refusal) => assert_eq!(refusal.code, code, "{refusal}"),
            other => panic!("{command} should be refused as {code}: {other:?}"),
        }
    }

    #[must_use]
    pub fn view(&self, record: RecordId) -> Value {
        let row = self.story.world.machines[self.machine].disk.row(record).expect("the record is here");
        serde_json::from_slice(&row.view).unwrap_or_default()
    }

    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let rows = self.story.world.machines[self.machine].disk.conflicts();
        rows.iter().map(|row| serde_json::from_slice(&row.body).expect("a conflict is readable")).collect()
    }

    /// The one open conflict of a kind.
    #[must_use]
    pub fn conflict(&self, kind: &str) -> Conflict {
        let mut found: Vec<Conflict> = self.conflicts().into_iter().filter(|c| c.kind == kind).collect();
        assert_eq!(found.len(), 1, "{kind} at {}: {found:?}", self.story.world.machines[self.machine].name);
        found.remove(0)
    }

    pub fn settles(&mut self, conflict: &Conflict, choice: &str) {
        let id = conflict.id.to_string();
        self.done("conflict.settle", Some(conflict.subject), &[("conflict", &id), ("choice", choice)]);
    }
}
