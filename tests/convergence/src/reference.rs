//! The reference model. The ledger notes every leaf that was ever made durable where it was written, and which of them
//! were acknowledged. From the raw changes alone, through automerge's own document and without the engine's history, it
//! says which of a record's leaves count, what its scope is, and which values are visible.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use automerge::{Automerge, ObjId, ReadDoc};
use heliu_record::change::{Change, genesis, genesis_change};
use heliu_record::history::History;
use heliu_record::id::{LeafHash, Preimage, RecordId, SeatId, to_hex};
use heliu_record::sealed::key_of;
use heliu_storage::{FeedEntry, Transaction};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::Directory;
use heliu_trust::id::{Incarnation, NodeId};
use serde_json::{Value, json};

use crate::world::county::County;
use crate::world::machine::Machine;

pub mod authority;
pub mod judging;

use judging::{Fate, Judge};

/// Whose word it is that a leaf counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// An engine wrote it, and had it judged before anybody heard of it.
    JudgedByItsNode,
    /// Made by hand: the reference model judges it.
    ToBeJudged,
    /// Made by hand so that no record can take it.
    NeverCounts,
}

/// A leaf as it was when its author made it durable.
pub struct Known {
    pub record: RecordId,
    pub preimage: Preimage,
    /// The machine that wrote it, or from whose disk a hostile hand took what it builds on.
    pub machine: usize,
    pub author: NodeId,
    /// Of its author.
    pub seat: SeatId,
    /// Place in the directory's log of the version that its commit cites.
    pub cited: u64,
    pub incarnation: Incarnation,
    pub commit_seq: u64,
    pub raw: Arc<[u8]>,
    pub claim: Claim,
    pub is_acknowledged: bool,
    /// When a disk that held it was last replaced by an older copy, or went for good.
    pub lost_at: Option<u64>,
}

#[derive(Default)]
pub struct Ledger {
    leaves: BTreeMap<LeafHash, Known>,
}

impl Ledger {
    /// Notes what a machine wrote itself.
    pub fn durable(&mut self, machine: usize, at: &Machine, county: &County, transaction: &Transaction) {
        for entry in &transaction.feed {
            let FeedEntry::Leaf(row) = entry else { continue };
            if row.origin.is_some() {
                continue;
            }
            let commit = transaction.commits.iter().find(|commit| commit.id == row.commit);
            let record = transaction.records.iter().find(|record| record.id == row.record);
            let (Some(commit), Some(record)) = (commit, record) else {
                panic!("{} made a leaf durable without its commit or record", at.name);
            };
            let signed = SignedCommit::decode(&commit.encoded).expect("an engine's commit can be read");
            self.note(
                row.hash,
                Known {
                    record: row.record,
                    preimage: record.preimage.clone(),
                    machine,
                    author: at.node(),
                    seat: at.seat,
                    cited: county.place_of(&signed),
                    incarnation: commit.incarnation,
                    commit_seq: commit.seq,
                    raw: Arc::clone(&row.change),
                    claim: Claim::JudgedByItsNode,
                    is_acknowledged: false,
                    lost_at: None,
                },
            );
        }
    }

    /// The first to tell of a leaf is believed.
    pub fn note(&mut self, leaf: LeafHash, known: Known) {
        self.leaves.entry(leaf).or_insert(known);
    }

    pub fn acknowledged(&mut self, leaves: &[LeafHash]) {
        for leaf in leaves {
            if let Some(known) = self.leaves.get_mut(leaf) {
                known.is_acknowledged = true;
            }
        }
    }

    /// A disk that held it is gone.
    pub fn lost_with_a_disk(&mut self, leaf: LeafHash, now: u64) {
        if let Some(known) = self.leaves.get_mut(&leaf) {
            known.lost_at = Some(now);
        }
    }

    #[must_use]
    pub fn leaf(&self, leaf: &LeafHash) -> Option<&Known> {
        self.leaves.get(leaf)
    }

    pub fn leaves(&self) -> impl Iterator<Item = (&LeafHash, &Known)> {
        self.leaves.iter()
    }
}

/// What the leaves of one record add up to.
pub struct Truth {
    pub record: RecordId,
    pub preimage: Preimage,
    /// All leaves that are held anywhere.
    pub leaves: BTreeSet<LeafHash>,
    /// Those that count: not the losing side of a fork, nor what builds on one, nor what waits for a lost leaf.
    pub admitted: BTreeSet<LeafHash>,
    pub waiting: BTreeSet<LeafHash>,
    /// Whose it is and who may hold it, by what counts alone.
    pub reach: Reach,
    /// Every key of these containers with all its visible values.
    pub mv: BTreeMap<String, Vec<Value>>,
    pub lww: BTreeMap<String, Vec<Value>>,
}

/// Whom a record names.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    pub owners: BTreeSet<SeatId>,
    pub seats: BTreeSet<SeatId>,
    pub public: bool,
}

impl Reach {
    /// As a document says that was made by these leaves. Whose it is, those that made the record say only until it is
    /// handed on.
    #[must_use]
    pub fn of(document: &Automerge, leaves: &BTreeSet<LeafHash>, parsed: &Parsed) -> Self {
        let genesis = [genesis_change().hash()];
        let makers: Vec<&automerge::Change> =
            leaves.iter().map(|leaf| &parsed.0[leaf]).filter(|change| change.deps() == genesis).collect();
        let is_made = |op: &ObjId| {
            let ObjId::Id(counter, actor, _) = op else { return false };
            makers.iter().any(|c| c.actor_id() == actor && (c.start_op().get()..=c.max_op()).contains(counter))
        };
        let owners = owners(document);
        let handed_on: Vec<_> = owners.iter().filter(|(_, op)| !is_made(op)).collect();
        let owners: Vec<_> = if handed_on.is_empty() { owners.iter().collect() } else { handed_on };
        let mut reach = Reach::default();
        reach.owners.extend(owners.into_iter().filter_map(|(owner, _)| owner.as_str()?.parse::<SeatId>().ok()));
        for (key, values) in container(document, "_scope") {
            let says = |fits: &dyn Fn(&str) -> bool| values.iter().any(|v| v.as_str().is_some_and(fits));
            if let Some(seat) = key.strip_prefix("seat/").and_then(|seat| seat.parse().ok())
                && says(&|text| text.starts_with('i'))
            {
                reach.seats.insert(seat);
            }
            reach.public |= key == "class" && says(&|text| text == "public");
        }
        reach
    }

    #[must_use]
    pub fn entitles(&self, seat: SeatId, county: &County) -> bool {
        self.public || self.owners.union(&self.seats).any(|named| county.upward(*named).any(|at| at == seat))
    }
}

fn owners(document: &Automerge) -> Vec<(Value, ObjId)> {
    let Ok(Some((_, map))) = document.get(automerge::ROOT, "_scope") else { return Vec::new() };
    let all = document.get_all(&map, "owner").unwrap_or_default();
    all.into_iter().map(|(value, op)| (plain(&value), op)).collect()
}

fn container(document: &Automerge, name: &str) -> BTreeMap<String, Vec<Value>> {
    let Ok(Some((_, map))) = document.get(automerge::ROOT, name) else { return BTreeMap::new() };
    let values = |key: &str| -> Vec<Value> {
        let all = document.get_all(&map, key).unwrap_or_default();
        all.into_iter().map(|(value, _)| plain(&value)).collect()
    };
    document.keys(&map).map(|key| (key.clone(), values(&key))).collect()
}

impl Truth {
    /// Reads leaves of one record, each with its parsed change, by the fences of the directory that their holders have.
    #[must_use]
    pub fn of(
        record: RecordId,
        leaves: &BTreeMap<LeafHash, &Known>,
        parsed: &Parsed,
        county: &County,
        fences: &Directory,
    ) -> Self {
        let preimage = leaves.values().next().map(|known| known.preimage.clone()).expect("a record has a leaf");
        let fates = Judge::new(leaves, parsed, county, fences).fates();
        let with = |fate: Fate| -> BTreeSet<LeafHash> {
            fates.iter().filter(|(_, is)| **is == fate).map(|(leaf, _)| *leaf).collect()
        };
        let (admitted, waiting) = (with(Fate::Counts), with(Fate::Waits));
        let mut document = Automerge::new();
        let changes = admitted.iter().map(|leaf| parsed.0[leaf].clone());
        document.apply_changes(std::iter::once(genesis_change()).chain(changes)).expect("automerge takes the changes");
        let mut reach = Reach::of(&document, &admitted, parsed);
        if reach.owners.is_empty() {
            reach.owners.insert(preimage.birth);
        }
        let (mv, lww) = (container(&document, "mv"), container(&document, "lww"));
        Truth { record, preimage, leaves: leaves.keys().copied().collect(), admitted, waiting, reach, mv, lww }
    }

    #[must_use]
    pub fn entitles(&self, seat: SeatId, county: &County) -> bool {
        self.reach.entitles(seat, county)
    }
}

/// The changes of leaves, as automerge reads them, and as the engine does.
pub struct Parsed(pub BTreeMap<LeafHash, automerge::Change>, pub BTreeMap<LeafHash, Arc<Change>>);

impl Parsed {
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let parse = |raw: &[u8]| automerge::Change::from_bytes(raw.to_vec()).expect("automerge reads what was written");
        let read = |raw: &[u8]| Change::parse(raw).ok().map(Arc::new);
        Parsed(
            ledger.leaves().map(|(leaf, known)| (*leaf, parse(&known.raw))).collect(),
            ledger.leaves().filter_map(|(leaf, known)| Some((*leaf, read(&known.raw)?))).collect(),
        )
    }

    /// Which leaves were written for each record, actor and seq.
    #[must_use]
    pub fn by_seq(&self, ledger: &Ledger) -> BTreeMap<(RecordId, Vec<u8>, u64), BTreeSet<LeafHash>> {
        let mut places: BTreeMap<_, BTreeSet<LeafHash>> = BTreeMap::new();
        for (leaf, known) in ledger.leaves() {
            let change = &self.0[leaf];
            let place = (known.record, change.actor_id().to_bytes().to_vec(), change.seq());
            places.entry(place).or_default().insert(*leaf);
        }
        places
    }
}

/// A scalar as views show it: text, numbers, bytes as hex.
fn plain(value: &automerge::Value<'_>) -> Value {
    let automerge::Value::Scalar(scalar) = value else { return Value::Null };
    match &**scalar {
        automerge::ScalarValue::Str(text) => Value::from(text.as_str()),
        automerge::ScalarValue::Int(int) => Value::from(*int),
        automerge::ScalarValue::Boolean(flag) => Value::from(*flag),
        automerge::ScalarValue::Bytes(bytes) => match key_of(bytes) {
            Some(key) => json!({ "sealed": key.to_string() }),
            None => Value::from(to_hex(bytes)),
        },
        _ => Value::Null,
    }
}

/// Changes as the engine's own history, each after its predecessors; a store keeps them in the order in which they came.
pub fn in_causal_order<'c>(changes: impl Iterator<Item = &'c Arc<Change>>) -> History {
    let mut waiting: Vec<&Arc<Change>> = changes.collect();
    let mut history = History::new();
    loop {
        let before = waiting.len();
        waiting.retain(|change| {
            let is_ready = change.deps.iter().all(|dep| dep == genesis() || history.get(dep).is_some());
            if is_ready {
                history.place(Arc::clone(change));
            }
            !is_ready
        });
        if waiting.len() == before {
            return history;
        }
    }
}
