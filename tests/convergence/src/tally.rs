//! What happened in a schedule, counted: so that a run can say what it has tested.

use std::collections::BTreeMap;

use crate::coverage::Ground;

#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub commands: BTreeMap<String, u64>,
    pub refused: u64,
    /// Of these, of days that had not come by a calendar that people went by.
    pub misdated: u64,
    pub repeated: u64,
    pub frames: u64,
    pub leaf_frames: u64,
    pub duplicates: u64,
    pub transactions: u64,
    pub connections: u64,
    pub broken_wires: u64,
    pub closed: u64,
    pub sums_differ: u64,
    pub reconciled: u64,
    pub refused_leaves: u64,
    pub renewed: u64,
    pub store_failures: u64,
    pub damaged: u64,
    /// How often what was kept of records was found not to be what they come to.
    pub corrected: u64,
    /// Tombstones that were carried out, at each machine.
    pub erased: u64,
    pub audit_forks: u64,
    pub conflicts: u64,
    pub stubs: u64,
    /// How often a batch waited for what it needed.
    pub loads: u64,
    /// How often while a transaction was in flight, and how often that was the end of both batches.
    pub beside: u64,
    pub strikes: u64,
    /// How often all rows of a store were read for links.
    pub scans: u64,
    /// Stored statuses of leaves that were written anew.
    pub restated: u64,
    /// What it has met; not added up.
    pub ground: Ground,
    /// Names of the faults that the schedule had.
    pub faults: BTreeMap<String, u64>,
    /// Simulated milliseconds from the end of the faults until everything was quiet.
    pub healing_ms_max: u64,
}

impl Tally {
    pub fn count_command(&mut self, name: &str) {
        *self.commands.entry(name.to_owned()).or_default() += 1;
    }

    /// Notes that a schedule had a fault; each schedule counts once.
    pub fn fault(&mut self, name: &str) {
        self.faults.insert(name.to_owned(), 1);
        self.ground.fault(name);
    }

    pub fn add(&mut self, other: &Tally) {
        for (name, count) in &other.commands {
            *self.commands.entry(name.clone()).or_default() += count;
        }
        for (name, count) in &other.faults {
            *self.faults.entry(name.clone()).or_default() += count;
        }
        let pairs = [
            (&mut self.refused, other.refused),
            (&mut self.misdated, other.misdated),
            (&mut self.repeated, other.repeated),
            (&mut self.frames, other.frames),
            (&mut self.leaf_frames, other.leaf_frames),
            (&mut self.duplicates, other.duplicates),
            (&mut self.transactions, other.transactions),
            (&mut self.connections, other.connections),
            (&mut self.broken_wires, other.broken_wires),
            (&mut self.closed, other.closed),
            (&mut self.sums_differ, other.sums_differ),
            (&mut self.reconciled, other.reconciled),
            (&mut self.refused_leaves, other.refused_leaves),
            (&mut self.renewed, other.renewed),
            (&mut self.store_failures, other.store_failures),
            (&mut self.damaged, other.damaged),
            (&mut self.erased, other.erased),
            (&mut self.audit_forks, other.audit_forks),
            (&mut self.conflicts, other.conflicts),
            (&mut self.stubs, other.stubs),
            (&mut self.restated, other.restated),
            (&mut self.scans, other.scans),
            (&mut self.loads, other.loads),
            (&mut self.beside, other.beside),
            (&mut self.strikes, other.strikes),
        ];
        for (sum, count) in pairs {
            *sum += count;
        }
        self.healing_ms_max = self.healing_ms_max.max(other.healing_ms_max);
    }
}
