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
use serde_json::{Value, json};

use crate::world::county::County;

/// A leaf as it was when its author made it durable.
pub struct Known {
    pub record: RecordId,
    pub preimage: Preimage,
    /// The machine that wrote it.
    pub machine: usize,
    pub commit_seq: u64,
    pub raw: Arc<[u8]>,
    pub is_acknowledged: bool,
    /// The only disk that held it was replaced by an older copy.
    pub is_lost: bool,
}

#[derive(Default)]
pub struct Ledger {
    leaves: BTreeMap<LeafHash, Known>,
}

impl Ledger {
    /// Notes what a machine wrote itself.
    pub fn durable(&mut self, machine: usize, name: &str, transaction: &Transaction) {
        for entry in &transaction.feed {
            let FeedEntry::Leaf(row) = entry else { continue };
            if row.origin.is_some() {
                continue;
            }
            let commit = transaction.commits.iter().find(|commit| commit.id == row.commit);
            let record = transaction.records.iter().find(|record| record.id == row.record);
            let (Some(commit), Some(record)) = (commit, record) else {
                panic!("{name} made a leaf durable without its commit or record");
            };
            let preimage = record.preimage.clone();
            self.note(row.hash, row.record, preimage, machine, commit.seq, Arc::clone(&row.change));
        }
    }

    pub fn note(
        &mut self,
        leaf: LeafHash,
        record: RecordId,
        preimage: Preimage,
        machine: usize,
        commit_seq: u64,
        raw: Arc<[u8]>,
    ) {
        let (is_acknowledged, is_lost) = (false, false);
        self.leaves.entry(leaf).or_insert(Known {
            record,
            preimage,
            machine,
            commit_seq,
            raw,
            is_acknowledged,
            is_lost,
        });
    }

    pub fn acknowledged(&mut self, leaves: &[LeafHash]) {
        for leaf in leaves {
            if let Some(known) = self.leaves.get_mut(leaf) {
                known.is_acknowledged = true;
            }
        }
    }

    pub fn lost_with_its_disk(&mut self, leaf: LeafHash) {
        if let Some(known) = self.leaves.get_mut(&leaf) {
            known.is_lost = true;
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
    pub named: BTreeSet<SeatId>,
    pub is_public: bool,
    document: Automerge,
}

impl Truth {
    /// Reads leaves of one record, each with its parsed change.
    #[must_use]
    pub fn of(record: RecordId, leaves: &BTreeMap<LeafHash, &Known>, parsed: &Parsed) -> Self {
        let preimage = leaves.values().next().map(|known| known.preimage.clone()).expect("a record has a leaf");
        let (admitted, waiting) = sort_out(leaves, parsed);
        let mut document = Automerge::new();
        let changes = admitted.iter().map(|leaf| parsed.0[leaf].clone());
        document.apply_changes(std::iter::once(genesis_change()).chain(changes)).expect("automerge takes the changes");
        let mut truth = Truth {
            record,
            preimage,
            leaves: leaves.keys().copied().collect(),
            admitted,
            waiting,
            named: BTreeSet::new(),
            is_public: false,
            document,
        };
        let makers =
            truth.admitted.iter().map(|leaf| &parsed.0[leaf]).filter(|c| c.deps() == [genesis_change().hash()]);
        let makers: Vec<&automerge::Change> = makers.collect();
        truth.read_scope(&makers);
        truth
    }

    /// `makers` are the changes that say that they make the record. Whose it is they say only until it is handed on.
    fn read_scope(&mut self, makers: &[&automerge::Change]) {
        let scope = self.container("_scope");
        self.is_public = scope.get("class").is_some_and(|values| values.iter().any(|v| v == "public"));
        let owners = self.owners();
        let is_made = |op: &ObjId| {
            let ObjId::Id(counter, actor, _) = op else { return false };
            makers.iter().any(|c| c.actor_id() == actor && (c.start_op().get()..=c.max_op()).contains(counter))
        };
        let handed_on: Vec<_> = owners.iter().filter(|(_, op)| !is_made(op)).collect();
        let owners = if handed_on.is_empty() { owners.iter().collect() } else { handed_on };
        self.named = owners.into_iter().filter_map(|(owner, _)| owner.as_str()?.parse().ok()).collect();
        if self.named.is_empty() {
            self.named.insert(self.preimage.birth);
        }
        for (key, values) in &scope {
            if let Some(seat) = key.strip_prefix("seat/").and_then(|seat| seat.parse().ok())
                && values.iter().any(|v| v.as_str().is_some_and(|v| v.starts_with('i')))
            {
                self.named.insert(seat);
            }
        }
    }

    fn owners(&self) -> Vec<(Value, ObjId)> {
        let Ok(Some((_, map))) = self.document.get(automerge::ROOT, "_scope") else { return Vec::new() };
        let all = self.document.get_all(&map, "owner").unwrap_or_default();
        all.into_iter().map(|(value, op)| (plain(&value), op)).collect()
    }

    /// Every key of a container with all its visible values.
    #[must_use]
    pub fn container(&self, name: &str) -> BTreeMap<String, Vec<Value>> {
        let Ok(Some((_, map))) = self.document.get(automerge::ROOT, name) else { return BTreeMap::new() };
        let values = |key: &str| -> Vec<Value> {
            let all = self.document.get_all(&map, key).unwrap_or_default();
            all.into_iter().map(|(value, _)| plain(&value)).collect()
        };
        self.document.keys(&map).map(|key| (key.clone(), values(&key))).collect()
    }

    #[must_use]
    pub fn entitles(&self, seat: SeatId, county: &County) -> bool {
        self.is_public || self.named.iter().any(|named| county.upward(*named).any(|at| at == seat))
    }
}

/// The changes of leaves, as automerge reads them.
pub struct Parsed(pub BTreeMap<LeafHash, automerge::Change>);

impl Parsed {
    #[must_use]
    pub fn of(ledger: &Ledger) -> Self {
        let parse = |raw: &[u8]| automerge::Change::from_bytes(raw.to_vec()).expect("automerge reads what was written");
        Parsed(ledger.leaves().map(|(leaf, known)| (*leaf, parse(&known.raw))).collect())
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

/// Which leaves count and which wait. Of two with one actor and seq the one with the lower (commit seq, hash) counts; the
/// rest follows from predecessors.
fn sort_out(leaves: &BTreeMap<LeafHash, &Known>, parsed: &Parsed) -> (BTreeSet<LeafHash>, BTreeSet<LeafHash>) {
    let mut winners: BTreeMap<(Vec<u8>, u64), (u64, LeafHash)> = BTreeMap::new();
    for (leaf, known) in leaves {
        let change = &parsed.0[leaf];
        let place = (change.actor_id().to_bytes().to_vec(), change.seq());
        let order = (known.commit_seq, *leaf);
        let best = winners.entry(place).or_insert(order);
        *best = order.min(*best);
    }
    let of_change: BTreeMap<_, LeafHash> = leaves.keys().map(|leaf| (parsed.0[leaf].hash(), *leaf)).collect();
    let counts: BTreeSet<LeafHash> = winners.values().map(|(_, leaf)| *leaf).collect();
    let genesis = genesis_change().hash();
    let mut admitted: BTreeSet<LeafHash> = BTreeSet::new();
    loop {
        let before = admitted.len();
        for leaf in &counts {
            let is_in = |dep| dep == genesis || of_change.get(&dep).is_some_and(|leaf| admitted.contains(leaf));
            if !admitted.contains(leaf) && parsed.0[leaf].deps().iter().copied().all(is_in) {
                admitted.insert(*leaf);
            }
        }
        if admitted.len() == before {
            break;
        }
    }
    let is_missing = |dep: &automerge::ChangeHash| *dep != genesis && !of_change.contains_key(dep);
    let mut waiting: BTreeSet<LeafHash> =
        counts.iter().filter(|leaf| parsed.0[*leaf].deps().iter().any(is_missing)).copied().collect();
    loop {
        let before = waiting.len();
        for leaf in &counts {
            let on_waiting =
                |dep: &automerge::ChangeHash| of_change.get(dep).is_some_and(|leaf| waiting.contains(leaf));
            if parsed.0[leaf].deps().iter().any(on_waiting) {
                waiting.insert(*leaf);
            }
        }
        if waiting.len() == before {
            break;
        }
    }
    (admitted, waiting)
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
