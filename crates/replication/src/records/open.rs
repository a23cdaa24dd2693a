//! One open record: its row, its leaves, and the folded record if it has been asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::catalogue::Catalogue;
use heliu_record::change::{Change, Container};
use heliu_record::gate::{KindDigest, Stamp};
use heliu_record::hash::Sum;
use heliu_record::history::Past;
use heliu_record::id::{Actor, ChangeHash, LeafHash, Preimage, RecordId, SeatId};
use heliu_record::kind::Kind;
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_record::view::Record;
use heliu_storage::{FeedEntry, GrantRow, LeafRow, LeafStatus, Loaded, Position, RecordRow, RecordState, Unjudged};
use heliu_trust::admission::{self, Leaf, Leaves, Status};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::Directory;
use heliu_trust::grant::SignedGrant;

use super::grants::{Grants, Taken};
use super::sums::Counted;
use crate::frame::short_hash;

/// What a leaf takes in memory besides its bytes, about.
const LEAF_OVERHEAD: usize = 512;
/// A record that takes more is closed sooner than others.
const SHARE_BYTES: usize = 16 * 1024;

pub(crate) struct Open {
    pub row: RecordRow,
    pub leaves: Leaves,
    pub grants: Grants,
    /// Folded from `leaves`. None for a stub, for what has not one admitted leaf, and while leaves are being offered.
    pub record: Option<Record>,
    /// Where each leaf stands in the feed; none before the work under way is sealed that brings it.
    pub positions: BTreeMap<LeafHash, Option<Position>>,
    /// Leaves that go by another declaration of their kind's version than this program's, as far as all say who brought them.
    pub tags: BTreeMap<LeafHash, KindDigest>,
    /// What this program declares.
    stamp: Stamp,
    /// Leaves whose status the store does not have as it is now.
    pub restated: BTreeSet<LeafHash>,
    pub used: u64,
    /// What its leaves take in memory, about.
    pub bytes: usize,
    /// Whether the store has a row of it.
    pub is_stored: bool,
    /// Why its row is to be written anew, if the store does not have it as it was written.
    pub spoilt: Option<String>,
}

/// What a row says that follows from leaves and grants.
struct Derived {
    scope: Scope,
    held: Sum,
    admitted: Sum,
    leaves: u32,
    waiting: bool,
    unjudged: Option<Unjudged>,
    view: Vec<u8>,
    signal: [u8; 8],
}

/// Commits and grants of which what is stored is not what was signed, with the reason, by their ids.
pub(crate) type Forged = BTreeMap<[u8; 32], String>;

/// What of a record cannot be read.
pub(crate) enum Damaged {
    /// Nothing of its row can be believed, and why. What it counted for, if that can be told.
    Row(RecordId, Option<Box<Counted>>, String),
    /// What is found by the first id is the record with the second one: its leaves say so.
    Misnamed(RecordId, RecordId),
    /// The record without them, the entries that are good, and those that are not.
    Entries(Box<Open>, Vec<FeedEntry>, Vec<Lost>),
}

/// An entry that cannot be read.
pub(crate) struct Lost {
    /// None: a grant. It is no part of the history, so nothing has to wait until it comes again.
    pub leaf: Option<LeafHash>,
    pub id: [u8; 32],
    pub bytes: Arc<[u8]>,
    pub why: String,
}

impl Open {
    /// A record that this node has not held before.
    pub fn new(preimage: &Preimage, catalogue: &Catalogue) -> Self {
        Open::of_kind(preimage, catalogue.kind(&preimage.kind), catalogue.digests().stamp())
    }

    fn of_kind(preimage: &Preimage, kind: Option<&'static Kind>, stamp: Stamp) -> Self {
        let row = RecordRow {
            id: preimage.id(),
            preimage: preimage.clone(),
            scope: Scope::default(),
            state: RecordState::Present,
            held: Sum::default(),
            admitted: Sum::default(),
            leaves: 0,
            waiting: false,
            unjudged: None,
            view: Vec::new(),
            signal: [0; 8],
        };
        Open {
            leaves: Leaves::new(preimage.clone(), kind),
            grants: Grants::default(),
            row,
            record: None,
            positions: BTreeMap::new(),
            tags: BTreeMap::new(),
            stamp,
            restated: BTreeSet::new(),
            used: 0,
            bytes: 0,
            is_stored: false,
            spoilt: None,
        }
    }

    /// A record that a link brings: one that this node has not held before, or one whose row is lost, which counted for
    /// something until now.
    pub fn begin(preimage: &Preimage, counted: Option<&Counted>, catalogue: &Catalogue) -> Self {
        let mut open = Open::new(preimage, catalogue);
        if let Some(Counted { scope, tally }) = counted {
            (open.row.held, open.row.admitted, open.row.scope, open.is_stored) =
                (tally.held, tally.admitted, scope.clone(), true);
            open.row.leaves = u32::try_from(tally.leaves).unwrap_or(u32::MAX);
            if tally.records == 0 {
                open.row.state = RecordState::Hidden { since: 0 };
            }
        }
        open
    }

    /// From the store: every leaf is judged again, which gives what it gave before. If some entries cannot be read, the
    /// others are opened without them, and `Err` tells of all. A row that is spoilt is made anew from them.
    pub fn load(
        loaded: Loaded,
        directory: &Directory,
        forged: &Forged,
        catalogue: &Catalogue,
    ) -> Result<Self, Damaged> {
        let Loaded { row, leaves: rows, commits, grants, spoilt } = loaded;
        let own = row.preimage.id();
        if own != row.id {
            let mut leaves = rows.into_iter().zip(&commits);
            let is_of_own = |(leaf, commit): (LeafRow, &Arc<[u8]>)| {
                open_leaf(&LeafRow { record: own, ..leaf }, commit, directory).is_ok()
            };
            if leaves.any(is_of_own) {
                return Err(Damaged::Misnamed(row.id, own));
            }
            let counted = Box::new(Counted::from(&row));
            return Err(Damaged::Row(row.id, Some(counted), "its row is another record's".to_owned()));
        }
        let mut open = Open { is_stored: true, ..Open::new(&row.preimage, catalogue) };
        open.row = row;
        let (mut lost, mut doubles): (Vec<Lost>, BTreeSet<Position>) = (Vec::new(), BTreeSet::new());
        let mut offered = Vec::with_capacity(rows.len());
        for (row, encoded) in rows.iter().zip(&commits) {
            let opened = match forged.get(&row.commit.0) {
                Some(why) => Err(format!("leaf {} cannot be used: {why}", row.hash.short())),
                None => open_leaf(row, encoded, directory),
            };
            match opened {
                // It came again while its record's row could not be read.
                Ok(leaf) if open.positions.contains_key(&leaf.hash) => {
                    doubles.insert(row.position);
                }
                Ok(leaf) => {
                    open.note(&leaf, Some(row.position));
                    let own = catalogue.digests().get(&open.row.preimage.kind, row.kind_version);
                    open.tag(leaf.hash, row.declared, own);
                    offered.push(leaf);
                }
                Err(why) => {
                    doubles.insert(row.position);
                    lost.push(Lost { leaf: Some(row.hash), id: row.hash.0, bytes: Arc::clone(&row.change), why });
                }
            }
        }
        open.leaves.offer_all(offered, directory);
        // A later version of this program may judge what an earlier one had to hold.
        let restated = rows.iter().filter(|row| open.status(&row.hash).is_some_and(|status| status != row.status));
        open.restated = restated.map(|row| row.hash).collect();
        // The lowest first: none then takes the place of another.
        let mut lowest: Vec<&GrantRow> = grants.iter().collect();
        lowest.sort_by_key(|row| row.hash);
        for row in lowest {
            let opened = match forged.get(&row.hash.0) {
                Some(why) => Err(format!("grant {} cannot be used: {why}", row.hash.short())),
                None => open_grant(row),
            };
            match opened.map(|signed| open.grants.add(&signed)) {
                Ok(Taken::New) => {}
                // It came again, or another has taken its place.
                Ok(_) => {
                    doubles.insert(row.position);
                }
                Err(why) => {
                    doubles.insert(row.position);
                    lost.push(Lost { leaf: None, id: row.hash.0, bytes: Arc::clone(&row.grant), why });
                }
            }
        }
        open.fold(directory.seats());
        if let Some(why) = spoilt {
            if open.record.is_some() {
                open.derive(directory);
            } else if !matches!(open.row.state, RecordState::Stub(_)) || !open.is_gone() {
                return Err(Damaged::Row(open.id(), None, why));
            }
            open.spoilt = Some(why);
        }
        if doubles.is_empty() {
            return Ok(open);
        }
        let kept = rows.into_iter().map(FeedEntry::Leaf).chain(grants.into_iter().map(FeedEntry::Grant));
        let mut kept: Vec<FeedEntry> = kept.filter(|entry| !doubles.contains(&entry.position())).collect();
        kept.sort_by_key(FeedEntry::position);
        Err(Damaged::Entries(Box::new(open), kept, lost))
    }

    pub fn id(&self) -> RecordId {
        self.row.id
    }

    /// A leaf stands in the feed.
    pub fn note(&mut self, leaf: &Leaf, position: Option<Position>) {
        self.positions.insert(leaf.hash, position);
        self.bytes += LEAF_OVERHEAD + leaf.change.raw.len();
    }

    /// A leaf goes by a declaration, as it is said. Returns it, if it is another than this program's own.
    pub fn tag(&mut self, leaf: LeafHash, declared: Option<KindDigest>, own: Option<KindDigest>) -> Option<KindDigest> {
        let tag = declared.filter(|declared| own != Some(*declared))?;
        self.tags.insert(leaf, tag);
        if own.is_some() {
            self.leaves.doubt(leaf);
        }
        Some(tag)
    }

    /// Whether its row was written by a program that declared something else, and could not judge all of it.
    pub fn is_outdated(&self) -> bool {
        self.row.unjudged.is_some_and(|unjudged| unjudged.by != self.stamp)
    }

    /// Judges its leaves again, by this directory.
    pub fn judge_again(&mut self, directory: &Directory) {
        let changed = self.leaves.judge_again(directory);
        self.restated.extend(changed.into_iter().map(|(leaf, _)| leaf));
    }

    /// How many records it counts for, of those that may stay open: a long one for several.
    pub fn shares(&self) -> usize {
        1 + self.bytes / SHARE_BYTES
    }

    /// What became of a leaf, as it is stored.
    pub fn status(&self, leaf: &LeafHash) -> Option<LeafStatus> {
        self.leaves.get(leaf).map(|(_, status)| match status {
            Status::Admitted => LeafStatus::Admitted,
            Status::Waiting => LeafStatus::Waiting,
            Status::Held(_) => LeafStatus::Held,
            Status::Excluded(_) => LeafStatus::Excluded,
            Status::Refused(_) => LeafStatus::Refused,
        })
    }

    /// Brings the folded record up to date with the leaves.
    pub fn fold(&mut self, seats: &Seats) {
        let history = self.leaves.shared_history();
        self.record =
            (!history.is_empty()).then(|| Record::fold(self.leaves.kind(), self.row.preimage.clone(), history, seats));
    }

    fn derived(&self, directory: &Directory) -> Derived {
        // Without an admitted leaf it says nothing, whatever it said before.
        let (view, signal) = match &self.record {
            Some(record) => (serde_json::to_vec(&record.view.json).unwrap_or_default(), record.view.signal),
            None => (Vec::new(), [0; 8]),
        };
        Derived {
            scope: self.relay_scope(directory),
            held: self.held_sum(),
            admitted: self.leaves.admitted_sum(),
            leaves: u32::try_from(self.leaves.len()).unwrap_or(u32::MAX),
            waiting: self.leaves.missing(),
            unjudged: (self.leaves.unjudged())
                .map(|why| Unjudged { by: self.stamp, differing: why == admission::Unjudged::Differing }),
            view,
            signal,
        }
    }

    /// Brings the row up to date with what is held and folded.
    pub fn derive(&mut self, directory: &Directory) {
        let Derived { scope, held, admitted, leaves, waiting, unjudged, view, signal } = self.derived(directory);
        let row = &mut self.row;
        (row.scope, row.held, row.admitted, row.leaves, row.waiting) = (scope, held, admitted, leaves, waiting);
        (row.unjudged, row.view, row.signal) = (unjudged, view, signal);
    }

    /// What the row, as it is stored, says that its leaves do not.
    pub fn contradicts(&self, own: SeatId, directory: &Directory) -> Option<&'static str> {
        if self.is_gone() {
            return None;
        }
        let (row, derived) = (&self.row, self.derived(directory));
        let is_for_us = derived.scope.has_audience(own, directory.seats());
        [
            (derived.view != row.view, "view"),
            (derived.signal != row.signal, "signal"),
            (derived.scope != row.scope, "scope"),
            (is_for_us != self.is_present(), "state"),
            (derived.held != row.held || derived.admitted != row.admitted, "sums"),
            (derived.leaves != row.leaves || derived.waiting != row.waiting, "count"),
            (derived.unjudged != row.unjudged, "count"),
        ]
        .into_iter()
        .find_map(|(differs, what)| differs.then_some(what))
    }

    /// What a tombstone leaves: the row that says so.
    pub fn erased(preimage: &Preimage, is_stored: bool, catalogue: &Catalogue) -> Self {
        let mut open = Open { is_stored, ..Open::new(preimage, catalogue) };
        open.row.state = RecordState::Erased;
        open
    }

    /// Something came of a record whose tombstone does not count any more: it begins anew.
    pub fn revive(&mut self) {
        if self.row.state == RecordState::Erased {
            let preimage = self.row.preimage.clone();
            let new = Open::of_kind(&preimage, self.leaves.kind(), self.stamp);
            *self = Open { is_stored: self.is_stored, used: self.used, ..new };
        }
    }

    /// Whether the store has it, or will have it.
    pub fn is_here(&self) -> bool {
        self.is_stored || !self.leaves.is_empty()
    }

    /// Whether nothing of it is here, and nothing has come since it went.
    pub fn is_gone(&self) -> bool {
        let has_gone = matches!(self.row.state, RecordState::Stub(_) | RecordState::Erased);
        has_gone && self.leaves.is_empty() && self.grants.is_empty()
    }

    /// The digest of all that is held of it.
    pub fn held_sum(&self) -> Sum {
        let mut sum = self.leaves.held_sum();
        sum.add(&self.grants.sum().0);
        sum
    }

    /// What relaying goes by: the scope of what is admitted, widened by what is held. What waits names nobody, not even the
    /// seat that the record is of by birth, which may have lost it since: whoever knows better may not show it why. If nothing
    /// but that is here of a record that was here before, its past went with the seat's leave or with damage, and the last
    /// known scope stands until it is back.
    pub fn relay_scope(&self, directory: &Directory) -> Scope {
        if self.leaves.only_wait() {
            return self.row.scope.clone();
        }
        let mut scope = Scope::of(self.leaves.history());
        self.leaves.widen(&mut scope, directory);
        scope
    }

    /// The leaves by which a seat left the audience, with all before them, by the first eight bytes of their hashes: what
    /// it was still entitled to. None if it is in the audience, or never was.
    pub fn what_parted(&self, seat: SeatId, seats: &Seats) -> Option<BTreeSet<[u8; 8]>> {
        let history = self.leaves.history();
        let has = |at: &Past<'_>| Scope::of(at).has_audience(seat, seats);
        if self.row.scope.has_audience(seat, seats) {
            return None;
        }
        let of_scope: Vec<&Change> = (history.changes().map(Arc::as_ref))
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
        // It may have come in again by the side of a fork that lost.
        let won = self.forks_won_against(seat, seats);
        parted.extend(history.changes().map(Arc::as_ref).filter(|change| won.contains(&change.hash)));
        let past = parted.iter().filter_map(|change| after(change)).collect::<Vec<_>>();
        let is_before =
            |leaf: &&Leaf| won.contains(&leaf.change.hash) || past.iter().any(|past| past.contains(&leaf.change.hash));
        let leaves: BTreeSet<[u8; 8]> =
            self.leaves.iter().map(|(leaf, _)| leaf).filter(is_before).map(|leaf| short_hash(&leaf.hash.0)).collect();
        (!leaves.is_empty()).then_some(leaves)
    }

    /// A seat may have come in by a leaf that does not count any more, because its author wrote another with the same
    /// number: those others, which the seat has to see to learn it. They count in its place, even if they are refused.
    fn forks_won_against(&self, seat: SeatId, seats: &Seats) -> BTreeSet<ChangeHash> {
        let excluded = || self.leaves.iter().filter(|(_, status)| matches!(status, Status::Excluded(_)));
        let lets_in = |leaf: &Leaf| {
            let mut named = Scope::default();
            named.widen_by(&leaf.change);
            named.has_audience(seat, seats)
        };
        if !excluded().any(|(leaf, _)| lets_in(leaf)) {
            return BTreeSet::new();
        }
        let lost: BTreeSet<(Actor, u64)> = excluded().map(|(leaf, _)| (leaf.change.actor, leaf.change.seq)).collect();
        let others = self.leaves.iter().filter(|(_, status)| !matches!(status, Status::Excluded(_)));
        let won = others.filter(|(leaf, _)| lost.contains(&(leaf.change.actor, leaf.change.seq)));
        won.map(|(leaf, _)| leaf.change.hash).collect()
    }

    pub fn is_present(&self) -> bool {
        self.row.state == RecordState::Present
    }

    pub fn counted(&self) -> Counted {
        Counted::from(&self.row)
    }
}

/// A leaf as it was stored, or why it is another one.
fn open_leaf(row: &LeafRow, commit: &[u8], directory: &Directory) -> Result<Leaf, String> {
    let damaged = |why: &dyn std::fmt::Display| format!("leaf {} cannot be read: {why}", row.hash.short());
    let commit = SignedCommit::decode(commit).map_err(|why| damaged(&why))?;
    let leaf = Leaf::open(&commit, &row.record, row.kind_version, &row.change, directory);
    let leaf = leaf.map_err(|why| damaged(&why))?;
    if leaf.hash == row.hash { Ok(leaf) } else { Err(damaged(&"it is another leaf")) }
}

fn open_grant(row: &GrantRow) -> Result<SignedGrant, String> {
    let damaged = |why: &dyn std::fmt::Display| format!("grant {} cannot be read: {why}", row.hash.short());
    let signed = SignedGrant::decode(&row.grant).map_err(|why| damaged(&why))?;
    let is_it = signed.hash == row.hash.0 && signed.grant.record == row.record;
    if is_it { Ok(signed) } else { Err(damaged(&"it is another grant")) }
}
