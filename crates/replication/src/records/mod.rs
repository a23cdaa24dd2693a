//! The part that holds records: those that are open ([`Open`]) with what the work under way makes of them, and what is counted
//! over all of them ([`kept`], [`recount`], [`sums`], [`foreign`]), those on their way out ([`leaving`]), own edits that lost
//! what they stood on ([`stranded`]), and what this program cannot judge ([`unjudged`]). Which leaves count is admission's to
//! say, in `trust`; what a record shows, `record`'s.

mod foreign;
mod grants;
mod kept;
mod leaving;
mod meeting;
mod open;
mod recount;
mod scopes;
mod stranded;
mod sums;
mod under_way;
mod unjudged;

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::catalogue::Catalogue;
use heliu_record::id::{Actor, LeafHash, Preimage, RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_storage::{FeedEntry, LeafStatus, Position, RecordState, Stub};
use heliu_trust::admission::{Leaf, Status};
use heliu_trust::directory::Directory;
use heliu_trust::grant::SignedGrant;

use crate::durable::Durable;
use crate::effect::LinkId;
use crate::layers::Layers;

pub use foreign::ForeignAuthor;
pub(crate) use foreign::{Counts as ForeignCounts, Foreign, in_line, of_this_line};
pub(crate) use grants::Taken;
pub(crate) use kept::Kept;
pub(crate) use leaving::Leaving;
pub(crate) use meeting::Met;
pub(crate) use open::{Damaged, Forged, Lost, Open};
pub(crate) use recount::{Recount, Recounted};
pub(crate) use scopes::Scopes;
pub(crate) use stranded::{Renamed, Stranded, overwritten, writes};
pub(crate) use sums::{Apart, Counted, ScopeSums};
pub(crate) use under_way::Before;
use under_way::UnderWay;
pub(crate) use unjudged::Unjudged;

/// Open records are weighed each time that so large a part of what may be open has been used.
const WEIGHED_PART: u64 = 16;

pub(crate) struct Records {
    open: BTreeMap<RecordId, Open>,
    /// The seats behind the actors of open records.
    actors: BTreeMap<Actor, SeatId>,
    room: Room,
    work: Layers<UnderWay>,
}

/// How many records may stay open, and which were used last.
struct Room {
    open_max: usize,
    clock: u64,
    /// The clock when it was last looked whether too much is open.
    weighed: u64,
}

impl Room {
    fn use_now(&mut self, open: &mut Open) {
        self.clock += 1;
        open.used = self.clock;
    }
}

impl Records {
    pub fn new(open_max: usize) -> Self {
        let room = Room { open_max, clock: 0, weighed: 0 };
        Records { open: BTreeMap::new(), actors: BTreeMap::new(), room, work: Layers::default() }
    }

    pub fn get(&self, record: &RecordId) -> Option<&Open> {
        self.open.get(record)
    }

    pub fn is_open(&self, record: &RecordId) -> bool {
        self.open.contains_key(record)
    }

    pub fn actors(&self) -> &BTreeMap<Actor, SeatId> {
        &self.actors
    }

    /// Where somebody sits who writes.
    pub fn know_actor(&mut self, actor: Actor, seat: SeatId) {
        self.actors.insert(actor, seat);
    }

    /// The seats of all who wrote in open records, by the directory as it is now.
    pub fn know_actors(&mut self, directory: &Directory) {
        let leaves = self.open.values().flat_map(|open| open.leaves.iter());
        let seat_of = |leaf: &Leaf| Some((leaf.change.actor, directory.node(leaf.author)?.seat));
        self.actors = leaves.filter_map(|(leaf, _)| seat_of(leaf)).collect();
    }

    pub fn is_absent(&self, record: &RecordId) -> bool {
        self.work.absent.contains(record)
    }

    pub fn note_absent(&mut self, records: &BTreeSet<RecordId>) {
        self.work.absent.extend(records);
    }

    /// Keeps a record open that was read, with the seats of those who wrote in it.
    pub fn take_in(&mut self, mut open: Open, directory: &Directory) {
        self.work.absent.remove(&open.id());
        self.room.use_now(&mut open);
        for (leaf, _) in open.leaves.iter() {
            if let Some(author) = directory.node(leaf.author) {
                self.actors.insert(leaf.change.actor, author.seat);
            }
        }
        self.open.insert(open.id(), open);
    }

    /// As [`Records::take_in`], of a record of which the store does not have what it should: it is written anew.
    pub fn mend(&mut self, open: Open, directory: &Directory) {
        self.work.touched.insert(open.id(), Before::spoilt(&open));
        self.work.unfolded.insert(open.id());
        self.take_in(open, directory);
    }

    /// A record is written anew as it is.
    pub fn rewrite(&mut self, record: RecordId) {
        if let Some(open) = self.open.get(&record) {
            self.work.touch(open);
            self.work.unfolded.insert(record);
        }
    }

    /// What is open of these is let go: they are read again.
    pub fn close<'a>(&mut self, records: impl IntoIterator<Item = &'a RecordId>) {
        for record in records {
            self.open.remove(record);
        }
    }

    /// Notes what a record was before the work under way touches it.
    pub fn touch(&mut self, record: &RecordId) {
        if let Some(open) = self.open.get(record) {
            self.work.touch(open);
        }
    }

    pub fn is_touched(&self, record: &RecordId) -> bool {
        self.work.touched.contains_key(record)
    }

    pub fn has_touched(&self) -> bool {
        !self.work.touched.is_empty()
    }

    pub fn touched(&self) -> Vec<RecordId> {
        self.work.touched.keys().copied().collect()
    }

    /// What the records that are touched were before.
    pub fn before(&self) -> &BTreeMap<RecordId, Before> {
        &self.work.touched
    }

    pub fn came_by(&self, record: &RecordId) -> Option<LinkId> {
        self.work.came_by.get(record).copied()
    }

    /// The record that a grant is of, to be filed there. A grant begins no record unless its row is lost: nobody honest sends
    /// one before a leaf, and a row that held nothing else would be somebody's whom it never was for.
    pub fn for_grant(
        &mut self,
        record: RecordId,
        preimage: &Preimage,
        counted: Option<&Counted>,
        catalogue: &Catalogue,
    ) -> Option<&Open> {
        if counted.is_some() {
            self.open.entry(record).or_insert_with(|| Open::begin(preimage, counted, catalogue));
        }
        let open = self.open.get_mut(&record)?;
        self.room.use_now(open);
        Some(open)
    }

    /// Files a grant in a record. Returns whether it was not there.
    pub fn grant(&mut self, signed: &SignedGrant) -> bool {
        let open = self.open.get_mut(&signed.grant.record);
        open.is_some_and(|open| !matches!(open.grants.add(signed), Taken::Known | Taken::Beyond))
    }

    /// Something comes of a record that may have been erased by what does not count any more.
    pub fn touch_and_revive(&mut self, record: &RecordId) {
        if let Some(open) = self.open.get_mut(record) {
            self.work.touch(open);
            open.revive();
        }
    }

    /// Offers records what came for them, all at once, and judges again those with a leaf that was in doubt and is not any more.
    pub fn offer(&mut self, offered: BTreeMap<RecordId, Vec<Leaf>>, directory: &Directory) {
        for (record, leaves) in offered {
            let Some(open) = self.open.get_mut(&record) else { continue };
            let changed = open.leaves.offer_all(leaves, directory);
            open.restated.extend(changed.into_iter().map(|(leaf, _)| leaf));
        }
        for record in std::mem::take(&mut self.work.believed) {
            if let Some(open) = self.open.get_mut(&record) {
                open.judge_again(directory);
            }
        }
    }

    /// A record that is about to be written here. Returns its owner, if it has one.
    pub fn begin(&mut self, record: RecordId, preimage: &Preimage, catalogue: &Catalogue) -> Option<SeatId> {
        let open = self.open.entry(record).or_insert_with(|| Open::new(preimage, catalogue));
        self.room.use_now(open);
        self.work.touch(open);
        self.work.absent.remove(&record);
        open.record.as_ref().and_then(|record| record.view.owners.first().copied())
    }

    /// A leaf that was made here, as [`Records::begin`] began its record.
    pub fn write(&mut self, leaf: Leaf, directory: &Directory) {
        let Some(open) = self.open.get_mut(&leaf.record) else { return };
        self.work.file(&leaf, open);
        let changed = open.leaves.offer(leaf, directory);
        open.restated.extend(changed.into_iter().map(|(leaf, _)| leaf));
    }

    /// Folds the records that leaves came for, so that whoever looks at them sees these.
    pub fn fold_what_is_due(&mut self, seats: &Seats) {
        for record in std::mem::take(&mut self.work.unfolded) {
            if let Some(open) = self.open.get_mut(&record) {
                open.fold(seats);
            }
        }
    }

    /// Judges a record's leaves again because somebody asked for one of them. Returns what that is now.
    pub fn judge_one_again(&mut self, record: RecordId, leaf: &LeafHash, directory: &Directory) -> Option<Status> {
        let open = self.open.get_mut(&record)?;
        open.leaves.get(leaf)?;
        self.work.touch(open);
        open.judge_again(directory);
        open.record = None;
        self.work.unfolded.insert(record);
        open.leaves.get(leaf).map(|(_, status)| *status)
    }

    /// Judges a record by a directory that has grown. `is_fresh`: it was read for this, and so by the new one. What is
    /// touched by it stays open, and what was open.
    pub fn judge_by(
        &mut self,
        record: &RecordId,
        directory: &Directory,
        is_fresh: bool,
        is_due: impl FnOnce(&Open) -> bool,
    ) {
        let Some(open) = self.open.get_mut(record) else { return };
        if !is_fresh {
            open.judge_again(directory);
        }
        if !open.restated.is_empty() || is_due(open) {
            self.work.touch(open);
            if is_fresh && let Some(before) = self.work.touched.get_mut(record) {
                before.refs = None;
            }
            // While nobody shares the history, it grows in place.
            open.record = None;
            self.work.unfolded.insert(*record);
        }
    }

    /// A record has left this seat, and its bytes go; a stub stays. Returns the last seq of this node in it.
    pub fn drop_bytes(&mut self, record: RecordId, actor: Actor, since_ms: i64, catalogue: &Catalogue) -> u64 {
        let Some(open) = self.open.get_mut(&record) else { return 0 };
        self.work.touch(open);
        let history = open.leaves.history();
        let seq = history.seq(actor);
        let reason = history.changes().next_back().map(|c| c.note.reason.clone()).unwrap_or_default();
        let own_last = (seq > 0).then_some((actor, seq));
        let mut stub = Open::new(&open.row.preimage, catalogue);
        stub.row.scope = open.row.scope.clone();
        stub.row.state = RecordState::Stub(Stub { since_ms, reason, own_last });
        stub.is_stored = open.is_stored;
        *open = stub;
        seq
    }

    /// A tombstone takes away all that is here of a record. `lost`: its row could not be read; what it counted for then, if
    /// that is known. Returns whether there was anything.
    pub fn erase(&mut self, preimage: &Preimage, lost: Option<Option<&Counted>>, catalogue: &Catalogue) -> bool {
        let record = preimage.id();
        if let Some(counted) = lost {
            self.open.entry(record).or_insert_with(|| Open::begin(preimage, counted, catalogue));
        }
        let Some(open) = self.open.get_mut(&record).filter(|open| open.row.state != RecordState::Erased) else {
            return false;
        };
        self.work.touch(open);
        *open = Open::erased(preimage, open.is_stored, catalogue);
        self.work.unfolded.remove(&record);
        true
    }

    /// What later leaves of the work made of earlier ones, which are in `feed`, and of those that are stored already, which are
    /// returned.
    pub fn restate(&mut self, feed: &mut [FeedEntry]) -> Vec<(Position, LeafStatus)> {
        for entry in feed {
            if let FeedEntry::Leaf(row) = entry
                && let Some(status) = self.open.get(&row.record).and_then(|open| open.status(&row.hash))
            {
                row.status = status;
            }
        }
        let mut statuses = Vec::new();
        for record in self.work.touched.keys() {
            let Some(open) = self.open.get_mut(record) else { continue };
            for leaf in std::mem::take(&mut open.restated) {
                if let (Some(Some(at)), Some(status)) = (open.positions.get(&leaf), open.status(&leaf)) {
                    statuses.push((*at, status));
                }
            }
        }
        statuses
    }

    /// Folds a touched record, if leaves came for it, and brings its row up to date with it. Returns it with what it was
    /// before.
    pub fn fold(&mut self, record: &RecordId, directory: &Directory) -> Option<(&mut Open, &Before)> {
        let UnderWay { touched, unfolded, .. } = &mut *self.work;
        let (open, before) = (self.open.get_mut(record)?, touched.get(record)?);
        if unfolded.remove(record) {
            open.fold(directory.seats());
        }
        open.derive(directory);
        Some((open, before))
    }

    /// A touched record, and what it was before.
    pub fn folded(&mut self, record: &RecordId) -> Option<(&mut Open, &Before)> {
        Some((self.open.get_mut(record)?, self.work.touched.get(record)?))
    }

    /// A leaf has its place in the feed. It may have gone again meanwhile, with its record.
    pub fn place(&mut self, record: &RecordId, leaf: &LeafHash, at: Position) {
        if let Some(position) = self.open.get_mut(record).and_then(|open| open.positions.get_mut(leaf)) {
            *position = Some(at);
        }
    }

    /// Where in the feed a record was hidden.
    pub fn hidden_at(&mut self, record: &RecordId, since: Position) {
        if let Some(open) = self.open.get_mut(record) {
            open.row.state = RecordState::Hidden { since };
        }
    }

    /// The rows of what was touched are on their way to the store: the next batch finds them there, or fails with this one.
    pub fn seal(&mut self) {
        for record in self.work.touched.keys() {
            if let Some(open) = self.open.get_mut(record) {
                open.is_stored = true;
            }
        }
        self.work.seal();
    }

    /// The rows of what was sealed are stored. Returns which these are.
    pub fn applied(&mut self, durable: &Durable) -> Vec<RecordId> {
        self.work.publish(durable).touched.into_keys().collect()
    }

    /// Closes the records that were not used for longest. All are durable but those of the batch under work and of the one in
    /// flight, which stay: so nobody reads them from the store before it has them.
    pub fn evict(&mut self) {
        let Room { open_max, clock, weighed } = &mut self.room;
        // All of them are weighed: not for each that is used.
        if *clock < *weighed + (*open_max as u64 / WEIGHED_PART).max(1) {
            return;
        }
        *weighed = *clock;
        if self.open.values().map(Open::shares).sum::<usize>() <= *open_max {
            return;
        }
        let mut used: Vec<(u64, usize)> = self.open.values().map(|open| (open.used, open.shares())).collect();
        used.sort_unstable_by(|a, b| b.cmp(a));
        // The one that was used last stays, however long it is: it would be read again for its next edit.
        let last = used.first().map_or(0, |(_, shares)| *shares);
        let mut room = (*open_max / 2).max(last);
        let is_too_much = |(_, shares): &&(u64, usize)| match room.checked_sub(*shares) {
            Some(left) => {
                room = left;
                false
            }
            None => true,
        };
        let limit = used.iter().find(is_too_much).map_or(0, |(used, _)| *used);
        let (touched, in_flight) = (&self.work.touched, &self.work.sealed().touched);
        let is_needed = |record: &RecordId| touched.contains_key(record) || in_flight.contains_key(record);
        self.open.retain(|record, open| open.used > limit || is_needed(record));
    }
}

#[cfg(test)]
mod tests;
