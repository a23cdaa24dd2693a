//! Leaves that links brought: they are put into the feed and offered to their records, and what is refused goes to
//! quarantine and is told.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{LeafHash, RecordId};
use heliu_trust::admission::{Leaf, Status};
use heliu_trust::id::{CommitId, NodeId};
use heliu_trust::statement::Body;

use super::{sealing, statements};
use crate::effect::{Moment, Notice};
use crate::health;
use crate::journal::{Delta, Incoming, commit_row};
use crate::parts::Parts;
use crate::records::{Met, in_line};

/// Takes frames of leaves together: each record is offered all that came for it at once, for a leaf that counts in another's
/// place has it judged anew from its beginning, and would with every frame.
pub(super) fn take(mut frames: Vec<Incoming>, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    let mut offered: BTreeMap<RecordId, Vec<Leaf>> = BTreeMap::new();
    let came: Vec<Vec<(RecordId, LeafHash)>> =
        frames.iter_mut().map(|frame| file_frame(frame, &mut offered, parts, delta, now)).collect();
    parts.records.offer(offered, parts.authority.directory());
    for (Incoming { link, from, sequence, grants, mut refused, quarantined, cursor, .. }, came) in
        frames.into_iter().zip(came)
    {
        for (record, hash) in came {
            let Some(open) = parts.records.get(&record) else { continue };
            let Some((leaf, status @ Status::Refused(_))) = open.leaves.get(&hash) else { continue };
            let facts = open.leaves.why(&hash).cloned().unwrap_or_default();
            let why = (status.code(), &facts);
            let (told, row) = health::refused(hash.0, Some(record), from, why, &leaf.change.raw, now.wall_ms);
            refused.push(told);
            if parts.health.quarantine.takes(&row, now.tick_ms) {
                delta.transaction.quarantined.push(row);
            }
        }
        refused.extend(sealing::take_grants(grants, from, parts, delta, now));
        let quarantine = &mut parts.health.quarantine;
        let taken = quarantined.into_iter().filter(|row| quarantine.takes(row, now.tick_ms));
        delta.transaction.quarantined.extend(taken);
        delta.transaction.cursors.extend(cursor);
        delta.outcome.links.ingested.push((link, sequence, refused));
    }
}

/// Puts the leaves of a frame that are new here into the feed and among what is offered. Returns which they are.
fn file_frame(
    frame: &mut Incoming,
    offered: &mut BTreeMap<RecordId, Vec<Leaf>>,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) -> Vec<(RecordId, LeafHash)> {
    let (link, from) = (frame.link, frame.from);
    let mut used: BTreeSet<CommitId> = BTreeSet::new();
    let mut came = Vec::new();
    look_for_two_of_one_place(frame, parts, delta, now);
    find_ours(frame, parts);
    for (leaf, preimage, declared) in std::mem::take(&mut frame.leaves) {
        if parts.statements.is_erased(leaf.record) {
            continue; // It is acknowledged, and forgotten.
        }
        if leaf.author == parts.own.node && !parts.journal.is_own(leaf.incarnation) {
            parts.health.evidence.note_twin(now.tick_ms);
        }
        let is_known = parts.records.get(&leaf.record).is_some_and(|open| open.positions.contains_key(&leaf.hash));
        if !is_known && leave_out(&leaf, from, parts) {
            continue;
        }
        parts.health.damage.came(leaf.record, &leaf.hash);
        let counted = parts.health.damage.counted(leaf.record);
        match parts.records.meet(&leaf, &preimage, counted, declared, parts.own.catalogue) {
            Met::Known => {
                delta.outcome.links.came_again.entry(link).or_default().insert(leaf.record);
            }
            Met::Untagged(at) => {
                came.push((leaf.record, leaf.hash));
                match at {
                    None => delta.untag(&leaf.hash),
                    Some(at) => {
                        delta.transaction.moved.push(at);
                        used.insert(leaf.commit);
                        delta.leaf(&leaf, Some(from), None);
                    }
                }
            }
            Met::New => {
                let writer = &parts.journal.writer;
                if leaf.author == parts.own.node && leaf.incarnation == writer.incarnation() {
                    // What was let go with its record comes back with it.
                    let parted = parts.leaving.own_last(&leaf.record).unwrap_or(0);
                    delta.outcome.rolled_back |= leaf.change.seq > parted;
                }
                let (directory, catalogue) = (parts.authority.directory(), parts.own.catalogue);
                let tag = parts.records.file(&leaf, declared, link, directory, catalogue);
                used.insert(leaf.commit);
                delta.leaf(&leaf, Some(from), tag);
                came.push((leaf.record, leaf.hash));
                offered.entry(leaf.record).or_default().push(leaf);
            }
        }
    }
    let commits = frame.commits.iter().filter(|commit| used.contains(&commit.id));
    delta.transaction.commits.extend(commits.map(|commit| commit_row(commit)));
    came
}

/// Whether one of these commits, which are verified, is the second for its place.
fn look_for_two_of_one_place(frame: &Incoming, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    for accusation in parts.health.evidence.compare(&frame.commits, now.wall_ms) {
        let (author, _, seq) = accusation.place;
        delta.notice(Notice::Equivocation { author, seq });
        statements::state(Body::evidence(&accusation.came, &accusation.other), parts, delta, now);
    }
}

/// Somebody of this line has written in records of a frame: they are this seat's business from now on.
fn find_ours(frame: &Incoming, parts: &mut Parts) {
    let (own, directory) = (parts.own.seat, parts.authority.directory());
    for (leaf, ..) in &frame.leaves {
        let is_ours = |seat| in_line(own, seat, directory.seats());
        if directory.node(leaf.author).is_some_and(|author| is_ours(author.seat)) {
            parts.scopes.foreign.find_ours(leaf.record);
        }
    }
}

/// Whether a leaf that is new here is not taken.
fn leave_out(leaf: &Leaf, from: NodeId, parts: &mut Parts) -> bool {
    let is_mended = parts.health.damage.counted(leaf.record).is_some();
    let open = parts.records.get(&leaf.record);
    let directory = parts.authority.directory();
    let is_out = parts.scopes.foreign.leave_out(leaf, from, open, is_mended, parts.own.seat, directory);
    if is_out && open.is_some_and(crate::records::Open::is_here) {
        parts.records.touch(&leaf.record);
    }
    is_out
}
