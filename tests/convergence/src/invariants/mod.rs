//! The promises, one file each, and what they look at: every disk as it is when the world has become quiet.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::{ConflictRow, Loaded, RecordState};

use crate::reference::{Known, Parsed, Truth};
use crate::world::World;

pub mod i02_same_leaves_same_result;
pub mod i03_nothing_lost;
pub mod i04_redelivery;
pub mod i09_no_reuse;
pub mod i10_clones;
pub mod i11_wall_clock;
pub mod i12_convergence;
pub mod i13_nothing_disclosed;
pub mod i14_sealed;
pub mod i15_erased;

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// As in the list of promises: `I3`.
    pub promise: &'static str,
    pub what: String,
}

impl Violation {
    #[must_use]
    pub fn new(promise: &'static str, what: String) -> Self {
        Violation { promise, what }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.promise, self.what)
    }
}

/// What a machine's disk holds.
pub struct Holding {
    pub records: BTreeMap<RecordId, Loaded>,
    pub conflicts: Vec<ConflictRow>,
}

impl Holding {
    #[must_use]
    pub fn is_present(&self, record: RecordId) -> bool {
        self.records.get(&record).is_some_and(|held| held.row.state == RecordState::Present)
    }

    #[must_use]
    pub fn leaves(&self, record: RecordId) -> BTreeSet<LeafHash> {
        self.records.get(&record).into_iter().flat_map(|held| held.leaves.iter().map(|leaf| leaf.hash)).collect()
    }
}

/// The whole world as it is, and what it should be.
pub struct Scene<'w> {
    pub world: &'w World,
    pub holdings: Vec<Holding>,
    pub parsed: Parsed,
    pub truths: BTreeMap<RecordId, Truth>,
    /// Records that are gone on purpose.
    pub erased: BTreeSet<RecordId>,
}

impl<'w> Scene<'w> {
    #[must_use]
    pub fn of(world: &'w World) -> Self {
        let holdings: Vec<Holding> = world
            .machines
            .iter()
            .map(|machine| {
                let rows = machine.disk.rows();
                let records = rows.iter().filter_map(|row| Some((row.id, machine.disk.load(row.id)?))).collect();
                Holding { records, conflicts: machine.disk.conflicts() }
            })
            .collect();
        let parsed = Parsed::of(&world.ledger);
        let mut held: BTreeMap<RecordId, BTreeMap<LeafHash, &Known>> = BTreeMap::new();
        for leaf in holdings.iter().flat_map(|h| h.records.values()).flat_map(|record| &record.leaves) {
            if let Some(known) = world.ledger.leaf(&leaf.hash) {
                held.entry(known.record).or_default().insert(leaf.hash, known);
            }
        }
        let truths = held.iter().map(|(record, leaves)| (*record, Truth::of(*record, leaves, &parsed))).collect();
        let engines = world.machines.iter().filter_map(|machine| machine.engine.as_ref());
        let erased = engines.flat_map(|engine| engine.statements().filter_map(|signed| signed.statement.erases()));
        let erased = erased.collect();
        Scene { world, holdings, parsed, truths, erased }
    }

    #[must_use]
    pub fn name(&self, machine: usize) -> &str {
        &self.world.machines[machine].name
    }
}

/// Holds a quiet world against every promise that looks at its end.
#[must_use]
pub fn check(world: &World) -> Vec<Violation> {
    let scene = Scene::of(world);
    let mut found = world.broken.clone();
    i12_convergence::check(&scene, &mut found);
    i03_nothing_lost::check(&scene, &mut found);
    i02_same_leaves_same_result::check(&scene, &mut found);
    i04_redelivery::check(&scene, &mut found);
    i09_no_reuse::check(&scene, &mut found);
    i10_clones::check(&scene, &mut found);
    i13_nothing_disclosed::check(&scene, &mut found);
    i14_sealed::check(&scene, &mut found);
    i15_erased::check(&scene, &mut found);
    found
}
