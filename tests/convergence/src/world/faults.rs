//! What happens to machines: they start, crash, are restored from old copies, cloned, and rolled back memory and all.

use heliu_replication::Input;
use heliu_storage::StoreError;
use heliu_trust::directory::{Directory, SignedEntry};
use heliu_trust::id::{DirectoryVersion, Incarnation};

use super::disk::{Disk, ready};
use super::machine::{Backup, Machine, Role};
use super::{Event, World};
use crate::chance::{Matter, Stream};

impl World {
    /// The process begins under a new incarnation, made durable first.
    pub fn start(&mut self, machine: usize) {
        if self.machines[machine].runs() {
            return;
        }
        let names = Stream::of(Matter::Names, machine);
        let incarnation = Incarnation(self.chance.bytes(names));
        if self.machines[machine].disk.store.reopen(incarnation).is_err() {
            let wait = self.delay(Stream::of(Matter::Restart, machine), (200, 2_000));
            self.due(self.now + wait, Event::Start { machine });
            return;
        }
        let seed = self.chance.bytes(names);
        self.run_process(machine, seed);
    }

    pub fn start_all(&mut self) {
        for machine in 0..self.machines.len() {
            self.start(machine);
        }
    }

    fn run_process(&mut self, machine: usize, seed: [u8; 32]) {
        let habits = (self.habits.open_max, self.habits.foreign_max);
        let directory = self.directory_at(machine).clone();
        let at = &mut self.machines[machine];
        at.begin(directory, seed, habits);
        let (life, name) = (at.life, at.name.clone());
        let peers = at.peers.clone();
        let has_upstream = !at.upstreams.is_empty();
        self.trace.note(self.now, machine, 30, life);
        self.trace.say(self.now, || format!("{name} starts"));
        let begin = Stream::of(Matter::Begin, machine);
        let first = self.chance.between(begin, 1, 1_000);
        self.due(self.now + first, Event::Tick { machine, life });
        if has_upstream {
            let wait = self.chance.between(begin, 0, 300);
            self.due(self.now + wait, Event::Dial { machine, life, role: Role::Up });
        }
        for peer in peers {
            let wait = self.chance.between(begin, 0, 300);
            self.due(self.now + wait, Event::Dial { machine, life, role: Role::Peer(peer) });
        }
        self.ask_again(machine);
        if machine == 0 && self.hands_in_again {
            self.publish(0);
        }
    }

    /// The directory as a disk holds it.
    pub(super) fn directory_at(&self, machine: usize) -> &Directory {
        let entries =
            ready(heliu_storage::ReadDirectory::directory(&self.machines[machine].disk.store)).unwrap_or_default();
        let head = entries.last().and_then(|entry| SignedEntry::decode(entry).ok());
        self.county.directory_of(head.map_or(DirectoryVersion::EMPTY, |entry| entry.version))
    }

    /// The directory as a machine says that it has it, which may lag behind its disk.
    pub(super) fn directory_heard_at(&self, machine: usize) -> &Directory {
        let engine = self.machines[machine].engine.as_ref();
        engine.map_or_else(|| self.directory_at(machine), |engine| engine.directory())
    }

    /// Whoever got no answer asks again, with the same command id.
    fn ask_again(&mut self, machine: usize) {
        for request in std::mem::take(&mut self.machines[machine].unanswered) {
            if self.machines[machine].runs() && self.chance.chance(Stream::of(Matter::AskAgain, machine), 70) {
                self.tally.repeated += 1;
                self.ask(machine, request);
            }
        }
    }

    /// The process ends at once. What is durable stays.
    pub fn crash(&mut self, machine: usize) {
        if !self.machines[machine].runs() {
            return;
        }
        self.break_wires_of(machine);
        let at = &mut self.machines[machine];
        at.end();
        let name = &at.name;
        self.trace.say(self.now, || format!("{name} stops"));
    }

    /// As [`World::crash`], and somebody starts it again.
    pub(super) fn crash_for_a_while(&mut self, machine: usize) {
        self.crash(machine);
        let wait = self.delay(Stream::of(Matter::Restart, machine), (200, 3_000));
        self.due(self.now + wait, Event::Start { machine });
    }

    /// A batch looks something up while the transaction of the one before is in flight, durable or not. Now one of the ways in
    /// which both can come to nothing happens. Returns what the engine hears, if it still runs and hears anything.
    pub(super) fn strike(&mut self, machine: usize) -> Option<Input> {
        self.tally.strikes += 1;
        match self.chance.between(Stream::of(Matter::Strike, machine), 0, 2) {
            0 => self.crash_for_a_while(machine),
            // If that has been written, the next transaction is it.
            1 => self.fill_disk(machine),
            _ => {
                let (what, detail) = ("reading", "a sector of the disk".to_owned());
                return Some(Input::Loaded(Err(StoreError::Io { what, detail })));
            }
        }
        None
    }

    /// The next write finds the disk full.
    pub fn fill_disk(&mut self, machine: usize) {
        self.machines[machine].disk.store.fail_next(StoreError::Full { path: "disk".to_owned() });
    }

    /// There is space again, if there was none.
    pub fn spare_disk(&mut self, machine: usize) {
        // A failure that was announced and did not happen yet is spent on a transaction that changes nothing.
        let nothing = heliu_storage::Transaction::default();
        let _ = self.machines[machine].disk.apply(&nothing);
    }

    /// Copies the machine as it is, for later.
    pub fn back_up(&mut self, machine: usize) {
        let at = &mut self.machines[machine];
        at.backup = Some(Backup { disk: at.disk.copy(), seed: at.seed });
        let name = &at.name;
        self.trace.say(self.now, || format!("{name} is backed up"));
    }

    /// The disk is replaced by the backup, and the process begins anew.
    pub fn restore(&mut self, machine: usize) -> bool {
        let Some(backup) = self.take_back(machine) else { return false };
        let name = &self.machines[machine].name;
        self.trace.say(self.now, || format!("{name} is restored from its backup"));
        drop(backup);
        self.start(machine);
        true
    }

    /// The whole machine is put back, memory too: it goes on under the incarnation that it had.
    pub fn roll_back(&mut self, machine: usize) -> bool {
        let Some(backup) = self.take_back(machine) else { return false };
        self.machines[machine].was_rolled_back = true;
        let name = &self.machines[machine].name;
        self.trace.say(self.now, || format!("{name} is rolled back, memory too"));
        self.run_process(machine, backup.seed);
        true
    }

    /// The disk is lost, and the machine begins anew with an empty one: with its key, and what its installer gave it of the
    /// directory.
    pub fn lose_disk(&mut self, machine: usize) {
        let name = &self.machines[machine].name;
        self.trace.say(self.now, || format!("{name} loses its disk"));
        let disk = self.empty_disk(machine, 1);
        self.replace_disk(machine, disk);
        self.start(machine);
    }

    fn take_back(&mut self, machine: usize) -> Option<Backup> {
        let backup = self.machines[machine].backup.take()?;
        self.replace_disk(machine, backup.disk.copy());
        Some(backup)
    }

    fn replace_disk(&mut self, machine: usize, disk: Disk) {
        self.crash(machine);
        let at = &mut self.machines[machine];
        let lost = std::mem::replace(&mut at.disk, disk);
        at.answered.clear();
        at.unanswered.clear();
        for (record, leaves) in &lost.line {
            for leaf in leaves.iter().filter(|leaf| !at.disk.holds(record, leaf)) {
                self.ledger.lost_with_a_disk(*leaf, self.now);
            }
        }
    }

    /// A copy of the disk is started as a second process with the same key.
    pub fn clone_machine(&mut self, machine: usize) -> usize {
        let original = &self.machines[machine];
        let mut clone = Machine::new(format!("{}*", original.name), original.seat, original.key, original.disk.copy());
        clone.upstreams.clone_from(&original.upstreams);
        clone.peers.clone_from(&original.peers);
        (clone.skew_ms, clone.calendar_ms) = (original.skew_ms, original.calendar_ms);
        clone.is_believed = original.is_believed;
        clone.is_hostile = original.is_hostile;
        self.trace.say(self.now, || format!("{} is cloned", original.name));
        self.machines.push(clone);
        let clone = self.machines.len() - 1;
        self.start(clone);
        clone
    }

    /// The machine is gone for good, with what only its disk held.
    pub fn retire(&mut self, machine: usize) {
        self.crash(machine);
        let at = &mut self.machines[machine];
        at.is_retired = true;
        for leaf in std::mem::take(&mut at.disk.line).into_values().flatten() {
            self.ledger.lost_with_a_disk(leaf, self.now);
        }
        let name = &self.machines[machine].name;
        self.trace.say(self.now, || format!("{name} is gone for good"));
    }

    /// From now on people at a machine take its day for today's, also where it is years behind.
    pub fn believe(&mut self, machine: usize) {
        self.machines[machine].is_believed = true;
        let name = &self.machines[machine].name;
        self.trace.say(self.now, || format!("{name}: people go by its day"));
    }

    /// The clock of a machine is put somewhere else; `is_right`: but for the day that people see.
    pub fn skew(&mut self, machine: usize, skew_ms: i64, is_right: bool) {
        let at = &mut self.machines[machine];
        (at.skew_ms, at.calendar_ms) = (if is_right { 0 } else { skew_ms }, skew_ms);
        let name = &self.machines[machine].name;
        self.trace.say(self.now, || format!("{name}: its clock is wrong by {} days", skew_ms / 86_400_000));
    }
}
