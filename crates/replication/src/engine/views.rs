//! What operators and the shell see of an engine, besides [`alarms`](super::alarms).

use heliu_record::id::RecordId;
use heliu_storage::{Meta, StoreError};
use heliu_trust::audit::AuditHead;
use heliu_trust::directory::Directory;
use heliu_trust::statement::SignedStatement;

use super::{Engine, Life};
use crate::effect::LinkStatus;
use crate::statements::Receipt;

impl Engine {
    /// As it is durable.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        self.parts.directory()
    }

    #[must_use]
    pub fn meta(&self) -> &Meta {
        self.parts.journal.meta()
    }

    #[must_use]
    pub fn links(&self) -> Vec<LinkStatus> {
        self.links.values().map(|link| link.status(self.parts.journal.meta().head)).collect()
    }

    /// Records that have left this seat and wait until a superior has proven that it has everything. At the top of the tree
    /// nothing waits: what is for no seat of it stays, and is shown if its seat is entered.
    #[must_use]
    pub fn leaving(&self) -> usize {
        let (seats, own) = (self.directory().seats(), self.parts.own.seat);
        let is_top = seats.get(own).is_some_and(|seat| seat.parent.is_none());
        if is_top { 0 } else { self.parts.leaving.hidden().len() }
    }

    /// Erased records with who has confirmed it and who is silent, by id.
    #[must_use]
    pub fn erasures(&self) -> Vec<Receipt> {
        self.parts.statements.receipts(self.parts.own.seat, self.directory())
    }

    /// The receipt of one erasure.
    #[must_use]
    pub fn receipt(&self, record: RecordId) -> Option<Receipt> {
        self.parts.statements.receipt(record, self.parts.own.seat, self.directory())
    }

    /// Everything that nodes say outside of records and that is for this seat, by hash, as far as it is durable.
    pub fn statements(&self) -> impl Iterator<Item = &SignedStatement> {
        self.parts.statements.durable()
    }

    /// How far the audit log goes.
    #[must_use]
    pub fn audit_head(&self) -> AuditHead {
        self.parts.audit.durable()
    }

    /// How many records have sealed values that this node may read and cannot yet, as far as they have been looked at since
    /// the start.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.parts.keys.waits.unread()
    }

    /// For how many audiences it was worked out who reads, each time that it was.
    #[cfg(test)]
    pub(crate) fn audiences_worked_out(&self) -> usize {
        self.parts.keys.audiences.known.worked_out
    }

    /// Why the engine has stopped taking anything. The shell begins a new one from the store.
    #[must_use]
    pub fn failed(&self) -> Option<&StoreError> {
        if let Life::Failed(error) = &self.life { Some(error) } else { None }
    }

    /// Whether what this node compares links by was held against every row since it began.
    #[must_use]
    pub fn are_sums_proven(&self) -> bool {
        self.parts.scopes.recount.is_proven()
    }

    /// Whether there is work for a further batch.
    #[must_use]
    pub fn has_queued(&self) -> bool {
        !self.parts.journal.queue.is_empty()
    }

    /// Whether nothing is queued or under way on the records.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        // That records are looked at in turn does not count, unless something comes of it.
        let (queue, batch) = (&self.parts.journal.queue, self.batch.as_ref());
        let is_idle = queue.is_only_checks() && batch.is_none_or(|batch| batch.only_checks(&self.parts));
        let is_free = self.flight.is_none() && (self.turns.is_free() || batch.is_some());
        is_free && is_idle && self.parts.keys.has_looked_through()
    }
}
