//! What this node writes: a write becomes a leaf if it will count, and the leaf gets its place in a commit and in its record.

use std::sync::Arc;

use heliu_record::change::Note;
use heliu_record::command::{RecordWrite, Refusal, Seal};
use heliu_record::id::{LeafHash, Preimage};
use heliu_trust::admission::{Leaf, Leaves};
use heliu_trust::commit::leaf_hash;
use heliu_trust::id::CommitId;

use crate::effect::Moment;
use crate::journal::Delta;
use crate::parts::Parts;
use crate::records::Open;

/// Whether what this incarnation wrote last in the record was excluded: it stood on what another equivocated about. Its
/// next change would have a seq that it has used, so the incarnation changes first.
pub(super) fn is_overtaken(write: &RecordWrite, parts: &Parts) -> bool {
    let actor = parts.journal.writer.actor();
    let is_excluded = |open: &Open| open.leaves.last_of(actor) > open.leaves.history().seq(actor);
    parts.leaving.own_last(&write.record).is_none() && parts.records.get(&write.record).is_some_and(is_excluded)
}

/// Whether more was written here in the record than is here of it: it went, and is on its way back.
pub(super) fn is_returning(write: &RecordWrite, parts: &Parts) -> bool {
    let actor = parts.journal.writer.actor();
    let seq = parts.records.get(&write.record).map_or(0, |open| open.leaves.history().seq(actor));
    parts.leaving.is_returning(&write.record, seq)
}

/// The leaf that a write becomes, if it will count; its commit is not known yet.
pub(super) fn draft(
    write: &RecordWrite,
    note: &Note,
    parts: &Parts,
    now: Moment,
    seal: &mut Seal<'_>,
) -> Result<(Leaf, Preimage), Refusal> {
    let new;
    let leaves = match (parts.records.get(&write.record), &write.create) {
        (Some(open), _) => &open.leaves,
        (None, Some(preimage)) => {
            new = Leaves::new(preimage.clone(), parts.own.catalogue.kind(&preimage.kind));
            &new
        }
        (None, None) => return Err(Refusal::not_here(write.record)),
    };
    let (writer, directory) = (&parts.journal.writer, parts.authority.directory());
    let change = write.change(leaves.history(), writer.actor(), now.wall_ms, note.clone(), seal)?;
    let kind_version = leaves.kind().map_or(0, |kind| kind.version);
    let leaf = Leaf {
        // Known when it gets its place in a commit.
        hash: LeafHash([0; 32]),
        commit_seq: 0,
        record: write.record,
        kind_version,
        // Known when the batch is sealed; the feed entry gets it then.
        commit: CommitId([0; 32]),
        author: parts.own.node,
        incarnation: writer.incarnation(),
        cited: directory.head(),
        directory_index: directory.len().saturating_sub(1),
        change: Arc::new(change),
    };
    match leaves.foresee(&leaf, directory) {
        Ok(()) => Ok((leaf, leaves.preimage().clone())),
        Err(_) => Err(Refusal::not_admitted(write.record)),
    }
}

/// A drafted leaf gets its place in a commit, in the feed and in its record.
pub(super) fn place(mut leaf: Leaf, preimage: &Preimage, parts: &mut Parts, delta: &mut Delta) -> LeafHash {
    let directory = parts.authority.directory();
    let owner = parts.records.begin(leaf.record, preimage, parts.own.catalogue);
    let writer = &mut parts.journal.writer;
    leaf.commit_seq = writer.seq_for(owner.unwrap_or(preimage.birth), directory);
    let versions = directory.versions();
    leaf.hash = leaf_hash(&leaf.record, &leaf.change.hash, leaf.kind_version, leaf.commit_seq, &versions);
    writer.add(leaf.commit_seq, leaf.hash);
    let hash = leaf.hash;
    delta.leaf(&leaf, None, None);
    parts.records.write(leaf, directory);
    hash
}
