//! The one step that gives numbers: rows of the audit log get their seqs, own commits are signed, entries of the feed get
//! their positions. After it nothing is added to a transaction.

use std::collections::BTreeMap;

use heliu_record::id::LeafHash;
use heliu_storage::{FeedEntry, Position, RecordState, Transaction};
use heliu_trust::id::CommitId;

use crate::audit::Audit;
use crate::effect::Moment;
use crate::journal::{Delta, Given, Sealed};
use crate::parts::Parts;

/// The transaction that a delta becomes, what is to be told once it is durable, and where the feed ends then.
pub(super) fn seal(mut delta: Delta, parts: &mut Parts, now: Moment) -> (Transaction, Sealed, Position) {
    log(&mut delta, &mut parts.audit);
    let commit_of = sign(&mut delta, parts, now);
    let Given { rows, replies } = parts.journal.answers.seal(&commit_of);
    delta.transaction.commands.extend(rows);
    delta.outcome.replies.extend(replies);
    let head = number(&mut delta.transaction, parts);
    (delta.transaction, Sealed::new(delta.outcome), head)
}

/// What is for the audit log so far becomes rows of it.
pub(super) fn log(delta: &mut Delta, audit: &mut Audit) {
    let rows = delta.audit.drain(..).map(|(event, time_ms)| audit.row(event, time_ms));
    delta.transaction.audit.extend(rows);
}

/// Own commits are signed, and their leaves are told which they are in.
fn sign(delta: &mut Delta, parts: &mut Parts, now: Moment) -> BTreeMap<LeafHash, CommitId> {
    let (rows, commit_of) = parts.journal.writer.seal(parts.own.realm, now.wall_ms, &*parts.own.signer);
    for entry in &mut delta.transaction.feed {
        if let FeedEntry::Leaf(row) = entry
            && let Some(commit) = commit_of.get(&row.hash)
        {
            row.commit = *commit;
        }
    }
    rows.iter().for_each(|row| parts.health.evidence.note((row.author, row.incarnation, row.seq)));
    delta.transaction.commits.extend(rows);
    commit_of
}

/// Entries follow the head of the feed. What was hidden says how many entries of this transaction stood before it.
fn number(transaction: &mut Transaction, parts: &mut Parts) -> Position {
    let head = parts.journal.meta().head;
    let mut last = head;
    for entry in &mut transaction.feed {
        last += 1;
        match entry {
            FeedEntry::Leaf(row) => {
                row.position = last;
                parts.records.place(&row.record, &row.hash, last);
            }
            FeedEntry::Grant(row) => row.position = last,
            FeedEntry::Rescope { position, .. } => *position = last,
        }
    }
    for row in &mut transaction.records {
        if let RecordState::Hidden { since } = &mut row.state {
            *since += head;
            parts.records.hidden_at(&row.id, *since);
            parts.leaving.hide(row.id, *since);
        }
    }
    last
}
