//! Leaves that links brought: they are put into the feed and offered to their records, and what is refused goes to
//! quarantine and is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::gate::KindDigest;
use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::{FeedEntry, LeafRow, LeafStatus, Position};
use heliu_trust::admission::{Leaf, Status};
use heliu_trust::id::{CommitId, NodeId};

use super::super::open::Open;
use super::super::quarantine;
use super::super::writer::row_of;
use super::super::{Incoming, Replica};
use super::Batch;
use crate::effect::Moment;

impl Batch {
    /// Takes frames of leaves together: each record is offered all that came for it at once, for a fork may have it folded
    /// anew from its beginning, and would with every frame.
    pub(super) fn take_leaves(&mut self, mut frames: Vec<Incoming>, replica: &mut Replica, now: Moment) {
        let mut offered: BTreeMap<RecordId, Vec<Leaf>> = BTreeMap::new();
        let came: Vec<Vec<(RecordId, LeafHash)>> =
            frames.iter_mut().map(|frame| self.file_frame(frame, &mut offered, replica, now)).collect();
        for (record, leaves) in offered {
            let Some(open) = replica.open.get_mut(&record) else { continue };
            let changed = open.leaves.offer_all(leaves, &replica.directory);
            open.restated.extend(changed.into_iter().map(|(leaf, _)| leaf));
        }
        for record in std::mem::take(&mut self.believed) {
            let Some(open) = replica.open.get_mut(&record) else { continue };
            let changed = open.leaves.judge_again(&replica.directory);
            open.restated.extend(changed.into_iter().map(|(leaf, _)| leaf));
        }
        for (Incoming { link, from, sequence, grants, mut refused, quarantined, cursor, .. }, came) in
            frames.into_iter().zip(came)
        {
            for (record, hash) in came {
                let Some(open) = replica.open.get(&record) else { continue };
                let Some((leaf, status @ Status::Refused(_))) = open.leaves.get(&hash) else { continue };
                let facts = open.leaves.why(&hash).cloned().unwrap_or_default();
                let why = (status.code(), &facts);
                let (told, row) = quarantine::refused(hash.0, Some(record), from, why, &leaf.change.raw, now.wall_ms);
                refused.push(told);
                if replica.quarantine.takes(&row, now.tick_ms) {
                    self.transaction.quarantined.push(row);
                }
            }
            refused.extend(self.take_grants(grants, from, replica, now));
            let taken = quarantined.into_iter().filter(|row| replica.quarantine.takes(row, now.tick_ms));
            self.transaction.quarantined.extend(taken);
            self.transaction.cursors.extend(cursor);
            self.outcome.ingested.push((link, sequence, refused));
        }
    }

    /// Puts the leaves of a frame that are new here into the feed and among what is offered. Returns which they are.
    fn file_frame(
        &mut self,
        frame: &mut Incoming,
        offered: &mut BTreeMap<RecordId, Vec<Leaf>>,
        replica: &mut Replica,
        now: Moment,
    ) -> Vec<(RecordId, LeafHash)> {
        let (link, from) = (frame.link, frame.from);
        let mut used: BTreeSet<CommitId> = BTreeSet::new();
        let mut came = Vec::new();
        self.witness(&frame.commits, replica, now);
        self.find_ours(frame, replica);
        for (leaf, preimage, declared) in std::mem::take(&mut frame.leaves) {
            if replica.statements.is_erased(leaf.record) {
                continue; // It is acknowledged, and forgotten.
            }
            Self::look_for_a_twin(&leaf, replica, now);
            let is_known = replica.open.get(&leaf.record).is_some_and(|open| open.positions.contains_key(&leaf.hash));
            if !is_known && self.leave_out(&leaf, from, replica) {
                continue;
            }
            replica.damage.came(leaf.record, &leaf.hash);
            let counted = replica.damage.counted(leaf.record);
            let open =
                replica.open.entry(leaf.record).or_insert_with(|| Open::begin(&preimage, counted, replica.catalogue));
            replica.clock += 1;
            open.used = replica.clock;
            let own = replica.catalogue.digests().get(&preimage.kind, leaf.kind_version);
            if let Some(at) = open.positions.get(&leaf.hash).copied() {
                if open.tags.get(&leaf.hash).is_some_and(|tag| declared != Some(*tag)) {
                    // Not all say the same of it: each program judges it by its own, and it is told on as that. For good, or two
                    // words could chase each other round a circle of nodes.
                    open.tags.remove(&leaf.hash);
                    self.touch(open);
                    if open.leaves.believe(&leaf.hash) {
                        self.believed.insert(leaf.record);
                    }
                    came.push((leaf.record, leaf.hash));
                    if at > replica.meta.head {
                        self.untag(at);
                    } else {
                        self.transaction.moved.push(at);
                        used.insert(leaf.commit);
                        self.file(&leaf, Some(from), None, open);
                    }
                } else {
                    self.came_again.entry(link).or_default().insert(leaf.record);
                }
                continue;
            }
            if leaf.author == replica.node && leaf.incarnation == replica.writer.incarnation {
                // What was let go with its record comes back with it.
                let parted = replica.parted.get(&leaf.record).copied().unwrap_or(0);
                self.outcome.rolled_back |= leaf.change.seq > parted;
            }
            if let Some(author) = replica.directory.node(leaf.author) {
                replica.actors.insert(leaf.change.actor, author.seat);
            }
            self.touch(open);
            open.revive();
            self.came_by.insert(leaf.record, link);
            used.insert(leaf.commit);
            let tag = open.tag(leaf.hash, declared, own);
            self.file(&leaf, Some(from), tag, open);
            came.push((leaf.record, leaf.hash));
            offered.entry(leaf.record).or_default().push(leaf);
        }
        self.transaction.commits.extend(frame.commits.iter().filter(|c| used.contains(&c.id)).map(|c| row_of(c)));
        came
    }

    /// Of a leaf that this batch has put into the feed.
    fn untag(&mut self, at: Position) {
        let in_doubt = self.transaction.feed.iter_mut().find(|entry| entry.position() == at);
        if let Some(FeedEntry::Leaf(row)) = in_doubt {
            row.declared = None;
        }
    }

    /// Puts a leaf that its record is about to be offered into the feed.
    pub(super) fn file(&mut self, leaf: &Leaf, origin: Option<NodeId>, declared: Option<KindDigest>, open: &mut Open) {
        let position = self.next_position();
        let row = LeafRow {
            position,
            record: leaf.record,
            hash: leaf.hash,
            commit: leaf.commit,
            author: leaf.author,
            kind_version: leaf.kind_version,
            status: LeafStatus::Waiting,
            origin,
            declared,
            change: Arc::clone(&leaf.change.raw),
        };
        open.note(leaf, position);
        // While nobody shares the history, it grows in place.
        open.record = None;
        self.unfolded.insert(open.id());
        self.transaction.feed.push(FeedEntry::Leaf(row));
    }
}
