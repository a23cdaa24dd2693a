//! One open record: its row, its leaves, and the folded record if it has been asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::change::{Change, Container};
use heliu_record::history::History;
use heliu_record::id::{LeafHash, Preimage, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_record::view::Record;
use heliu_storage::{Loaded, Position, RecordRow, RecordState, StoreError};
use heliu_trust::admission::{Leaf, Leaves};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::Directory;

use super::sums::Counted;

pub(crate) struct Open {
    pub row: RecordRow,
    pub leaves: Leaves,
    /// Folded from `leaves`. None for a stub, for what has not one admitted leaf, and while leaves are being offered.
    pub record: Option<Record>,
    /// Where each leaf stands in the feed.
    pub positions: BTreeMap<LeafHash, Position>,
    pub used: u64,
    /// Whether the store has a row of it.
    pub is_stored: bool,
}

impl Open {
    /// A record that this node has not held before.
    pub fn new(preimage: &Preimage) -> Self {
        let row = RecordRow {
            id: preimage.id(),
            preimage: preimage.clone(),
            scope: Scope::default(),
            state: RecordState::Present,
            held: heliu_record::hash::Sum::default(),
            admitted: heliu_record::hash::Sum::default(),
            leaves: 0,
            waiting: false,
            view: Vec::new(),
            signal: [0; 8],
        };
        Open {
            leaves: Leaves::new(preimage.clone()),
            row,
            record: None,
            positions: BTreeMap::new(),
            used: 0,
            is_stored: false,
        }
    }

    /// From the store: every leaf is judged again, which gives what it gave before.
    pub fn load(loaded: Loaded, directory: &Directory) -> Result<Self, StoreError> {
        let damaged = |detail: String| StoreError::Damaged { what: "a record's leaves", detail };
        let mut leaves = Leaves::new(loaded.row.preimage.clone());
        let mut positions = BTreeMap::new();
        let mut offered = Vec::with_capacity(loaded.leaves.len());
        for (row, encoded) in loaded.leaves.iter().zip(&loaded.commits) {
            let commit = SignedCommit::decode(encoded).map_err(|e| damaged(format!("{}: {e}", row.commit)))?;
            let leaf = Leaf::open(&commit, &row.record, row.kind_version, &row.change, directory)
                .map_err(|e| damaged(format!("{}: {e}", row.hash)))?;
            positions.insert(leaf.hash, row.position);
            offered.push(leaf);
        }
        leaves.offer_all(offered, directory);
        let mut open = Open { row: loaded.row, leaves, record: None, positions, used: 0, is_stored: true };
        open.fold(directory.seats());
        Ok(open)
    }

    pub fn id(&self) -> RecordId {
        self.row.id
    }

    /// Brings the folded record up to date with the leaves.
    pub fn fold(&mut self, seats: &Seats) {
        let history = self.leaves.shared_history();
        self.record = (!history.is_empty()).then(|| Record::fold(self.row.preimage.clone(), history, seats));
    }

    /// What relaying goes by: the scope of what is admitted, or the last known one, widened by what cannot be judged.
    pub fn relay_scope(&self, directory: &Directory) -> Scope {
        let history = self.leaves.history();
        let mut scope = if history.is_empty() { self.row.scope.clone() } else { Scope::of(history) };
        self.leaves.widen(&mut scope, directory);
        scope
    }

    /// The leaves by which a seat left the audience, with all before them, by the first eight bytes of their hashes: what
    /// it was still entitled to. None if it is in the audience, or never was.
    pub fn what_parted(&self, seat: SeatId, seats: &Seats) -> Option<BTreeSet<[u8; 8]>> {
        let history = self.leaves.history();
        let has = |history: &History| Scope::of(history).has_audience(seat, seats);
        if history.is_empty() || self.row.scope.has_audience(seat, seats) {
            return None;
        }
        let of_scope: Vec<&Change> = (history.changes().iter().map(Arc::as_ref))
            .filter(|change| change.puts.iter().any(|put| put.container == Container::Scope))
            .collect();
        let after = |change: &Change| history.at(&[change.hash]).ok();
        let removes = |change: &&&Change| {
            let before = history.at(&change.deps).is_ok_and(|before| has(&before));
            before && after(change).is_some_and(|after| !has(&after))
        };
        let mut parted: Vec<&Change> = of_scope.iter().filter(removes).copied().collect();
        if parted.is_empty() && of_scope.iter().any(|change| after(change).is_some_and(|after| has(&after))) {
            // Nobody took it out alone, but several who did not know of each other.
            parted = of_scope;
        }
        let past = parted.iter().filter_map(|change| after(change)).collect::<Vec<_>>();
        let is_before = |leaf: &&Leaf| past.iter().any(|past| past.get(&leaf.change.hash).is_some());
        let leaves: BTreeSet<[u8; 8]> =
            self.leaves.iter().map(|(leaf, _)| leaf).filter(is_before).map(|leaf| short_hash(&leaf.hash)).collect();
        (!leaves.is_empty()).then_some(leaves)
    }

    pub fn is_present(&self) -> bool {
        self.row.state == RecordState::Present
    }

    pub fn counted(&self) -> Counted {
        Counted {
            scope: self.row.scope.clone(),
            present: self.is_present(),
            held: self.row.held,
            admitted: self.row.admitted,
        }
    }
}

/// What lists of leaves are made of.
pub(crate) fn short_hash(leaf: &LeafHash) -> [u8; 8] {
    let mut short = [0; 8];
    short.copy_from_slice(&leaf.0[..8]);
    short
}
