//! The one step that gives numbers: rows of the audit log get their seqs, own commits are signed, entries of the feed get
//! their positions, and records are counted. After it nothing is added to a transaction. It is done when the transaction before
//! is durable, so numbers follow what is.

use std::collections::BTreeMap;

use heliu_record::id::LeafHash;
use heliu_storage::{FeedEntry, Position, RecordState, Transaction};
use heliu_trust::id::CommitId;

use crate::audit::Audit;
use crate::effect::Moment;
use crate::journal::{Delta, Given, Sealed, commit_row};
use crate::parts::Parts;
use crate::records::Counted;

/// The transaction that a delta becomes, what is to be told once it is durable, and where the feed ends then.
pub(super) fn seal(mut delta: Delta, parts: &mut Parts, now: Moment) -> (Transaction, Sealed, Position) {
    log(&mut delta, &mut parts.audit);
    let commit_of = sign(&mut delta, parts, now);
    let Given { rows, replies } = parts.journal.answers.seal(&commit_of);
    delta.transaction.commands.extend(rows);
    delta.outcome.replies.extend(replies);
    count(&delta.transaction, parts);
    let head = number(&mut delta.transaction, parts);
    delta.transaction.scopes = parts.scopes.kept.write(!delta.transaction.feed.is_empty());
    parts.seal();
    (delta.transaction, Sealed::new(delta.outcome), head)
}

/// What is for the audit log so far becomes rows of it.
pub(super) fn log(delta: &mut Delta, audit: &mut Audit) {
    let rows = delta.audit.drain(..).map(|(event, time_ms)| audit.row(event, time_ms));
    delta.transaction.audit.extend(rows);
}

/// Own commits are signed, and their leaves are told which they are in.
fn sign(delta: &mut Delta, parts: &mut Parts, now: Moment) -> BTreeMap<LeafHash, CommitId> {
    let (commits, commit_of) = parts.journal.writer.seal(parts.own.realm, now.wall_ms, &*parts.own.signer);
    for entry in &mut delta.transaction.feed {
        if let FeedEntry::Leaf(row) = entry
            && let Some(commit) = commit_of.get(&row.hash)
        {
            row.commit = *commit;
        }
    }
    commits.iter().for_each(|signed| parts.health.evidence.bring(signed));
    delta.transaction.commits.extend(commits.iter().map(|signed| commit_row(signed)));
    commit_of
}

/// What was touched counts for what it is now, in the place of what it was before.
fn count(transaction: &Transaction, parts: &mut Parts) {
    let (seats, seats_before) = (parts.authority.seats(), parts.authority.seats_before());
    for row in &transaction.records {
        let before = parts.records.before().get(&row.id).and_then(|before| before.counted.as_ref());
        let before = before.map(|before| (before, seats_before));
        parts.scopes.replace(row.id, before, (&Counted::from(row), seats), parts.own.seat);
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use heliu_record::id::{Preimage, SeatId};
    use heliu_storage::{Meta, RecordRow, StoreId};
    use heliu_trust::id::Incarnation;
    use heliu_trust::signature::Signer as _;
    use heliu_trust::simulated::Cheap;

    use super::*;
    use crate::config::Config;
    use crate::effect::{AuditEvent, Done, Reply, Ticket};
    use crate::start::Start;
    use crate::tests::{kinds, world};

    /// The village's parts, on a feed of ten entries.
    fn parts() -> Parts {
        let directory = world::directory();
        let key = world::key(world::VILLAGE);
        let seat = directory.node(key.node()).expect("it is enrolled").seat;
        let meta = Meta { store: StoreId([1; 16]), head: 10, incarnations: vec![(Incarnation([1; 16]), 0)] };
        let config = Config::new(kinds::none());
        let start = Start::new(key.node(), seat, directory, meta, (Arc::new(key), Arc::new(Cheap)), [7; 32], &config);
        Parts::new(start, &config)
    }

    #[test]
    fn entries_follow_the_head_without_a_gap_and_what_is_hidden_says_where_it_left() {
        let mut parts = parts();
        let preimage = Preimage { kind: "org".to_owned(), birth: SeatId([1; 16]), key: vec![1] };
        let record = preimage.id();
        parts.records.begin(record, &preimage, parts.own.catalogue);
        let mut delta = Delta::default();
        for _ in 0..3 {
            let (added, removed) = (Vec::new(), Vec::new());
            delta.transaction.feed.push(FeedEntry::Rescope { position: 0, record, added, removed });
        }
        let row: &RecordRow = &parts.records.get(&record).expect("it is open").row;
        delta.transaction.records.push(RecordRow { state: RecordState::Hidden { since: 2 }, ..row.clone() });
        let (transaction, _, head) = seal(delta, &mut parts, Moment::default());
        assert_eq!(transaction.feed.iter().map(FeedEntry::position).collect::<Vec<_>>(), [11, 12, 13]);
        assert_eq!((transaction.records[0].state.clone(), head), (RecordState::Hidden { since: 12 }, 13));
        assert_eq!(parts.leaving.hidden().get(&record), Some(&12));
        assert_eq!(parts.journal.meta().head, 10, "that is durable later");
    }

    #[test]
    fn what_is_to_be_told_comes_out_when_it_is_durable_and_the_audit_log_is_one_chain() {
        let mut parts = parts();
        let mut delta = Delta::default();
        delta.audit(AuditEvent::default(), 1);
        log(&mut delta, &mut parts.audit);
        delta.audit(AuditEvent::default(), 2);
        delta.reply(Ticket(1), Reply::Done(Done::default()));
        let (transaction, sealed, _) = seal(delta, &mut parts, Moment::default());
        assert_eq!(transaction.audit.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 2]);
        assert!(crate::durable::Durable::already(&transaction).is_none(), "the store has to say so");
        assert_eq!(parts.audit.durable().seq, 0);
        let durable = crate::durable::Durable::said(Ok(())).expect("it is");
        assert_eq!(sealed.publish(&durable).replies.len(), 1);
    }
}
