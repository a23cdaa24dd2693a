//! The promises, one file each, and what they look at: every disk as it is when the world has become quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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
pub mod i12_balanced;
pub mod i12_convergence;
pub mod i12_kept;
pub mod i12_listed;
pub mod i13_insiders;
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

/// A group of honest nodes that rely on each other (see `World::groups`) as it is, and what it should be.
pub struct Scene<'w> {
    pub world: &'w World,
    /// With the county's node: whoever is entitled to everything.
    pub is_main: bool,
    /// By machine.
    pub holdings: BTreeMap<usize, Holding>,
    pub parsed: &'w Parsed,
    /// What those leaves add up to that some machine shows. Others are on their way up; one who has no honest line up has
    /// nobody to give them to.
    pub truths: BTreeMap<RecordId, Rc<Truth>>,
    /// What all leaves add up to that some machine has.
    pub whole: BTreeMap<RecordId, Rc<Truth>>,
    /// Records that are gone on purpose.
    pub erased: BTreeSet<RecordId>,
}

impl<'w> Scene<'w> {
    #[must_use]
    pub fn of(world: &'w World, parsed: &'w Parsed, group: &BTreeSet<usize>) -> Self {
        let holding = |machine: &usize| {
            let disk = &world.machines[*machine].disk;
            let rows = disk.rows();
            let records = rows.iter().filter_map(|row| Some((row.id, disk.load(row.id)?))).collect();
            (*machine, Holding { records, conflicts: disk.conflicts() })
        };
        let holdings: BTreeMap<usize, Holding> = group.iter().map(holding).collect();
        let mut held: BTreeMap<RecordId, BTreeMap<LeafHash, &Known>> = BTreeMap::new();
        let mut shown: BTreeMap<RecordId, BTreeMap<LeafHash, &Known>> = BTreeMap::new();
        for record in holdings.values().flat_map(|h| h.records.values()) {
            for leaf in &record.leaves {
                let Some(known) = world.ledger.leaf(&leaf.hash) else { continue };
                held.entry(known.record).or_default().insert(leaf.hash, known);
                if record.row.state == RecordState::Present {
                    shown.entry(known.record).or_default().insert(leaf.hash, known);
                }
            }
        }
        let is_main = group.contains(&0);
        // Whoever is cut off by hostile nodes may not have heard whom the root has fenced.
        let heard = group.iter().filter_map(|machine| world.machines[*machine].engine.as_ref());
        let heard = heard.map(heliu_replication::Engine::directory).max_by_key(|directory| directory.len());
        let fences = heard.filter(|_| !is_main).unwrap_or(world.county.directory());
        let truth = |record: &RecordId, leaves| Truth::of(*record, leaves, parsed, &world.county, fences);
        let whole: BTreeMap<RecordId, Rc<Truth>> =
            held.iter().map(|(record, leaves)| (*record, Rc::new(truth(record, leaves)))).collect();
        let truths = shown.iter().map(|(record, leaves)| {
            let is_all = leaves.len() == held[record].len();
            (*record, if is_all { Rc::clone(&whole[record]) } else { Rc::new(truth(record, leaves)) })
        });
        let truths = truths.collect();
        let engines = group.iter().filter_map(|machine| world.machines[*machine].engine.as_ref());
        let erased = engines.flat_map(|engine| engine.statements().filter_map(|signed| signed.statement.erases()));
        let erased = erased.collect();
        Scene { world, is_main, holdings, parsed, truths, whole, erased }
    }

    #[must_use]
    pub fn name(&self, machine: usize) -> &str {
        &self.world.machines[machine].name
    }
}

/// Holds a quiet world against every promise that looks at its end.
#[must_use]
pub fn check(world: &World) -> Vec<Violation> {
    let mut found = world.broken.clone();
    let parsed = Parsed::of(&world.ledger);
    for group in world.groups() {
        let scene = Scene::of(world, &parsed, &group);
        i12_convergence::check(&scene, &mut found);
        i12_kept::check(&scene, &mut found);
        i12_listed::check(&scene, &mut found);
        i12_balanced::check(&scene, &mut found);
        i03_nothing_lost::check(&scene, &mut found);
        i02_same_leaves_same_result::check(&scene, &mut found);
        i04_redelivery::check(&scene, &mut found);
        i09_no_reuse::check(&scene, &mut found);
        i10_clones::check(&scene, &mut found);
        i13_insiders::check(&scene, &mut found);
        i14_sealed::check(&scene, &mut found);
        i15_erased::check(&scene, &mut found);
    }
    found
}
