//! What operators and the shell see of an engine, besides [`alarms`](super::alarms).

use heliu_record::id::RecordId;
use heliu_storage::{Meta, StoreError};
use heliu_trust::audit::AuditHead;
use heliu_trust::directory::Directory;
use heliu_trust::statement::SignedStatement;

use super::{Busy, Engine};
use crate::effect::LinkStatus;
use crate::replica::Receipt;

impl Engine {
    /// As it is durable.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        self.replica.directory()
    }

    #[must_use]
    pub fn meta(&self) -> &Meta {
        self.replica.meta()
    }

    #[must_use]
    pub fn links(&self) -> Vec<LinkStatus> {
        self.links.values().map(|link| link.status(self.replica.meta().head)).collect()
    }

    /// Records that have left this seat and wait until a superior has proven that it has everything. At the top of the tree
    /// nothing waits: what is for no seat of it stays, and is shown if its seat is entered.
    #[must_use]
    pub fn leaving(&self) -> usize {
        let (seats, own) = (self.directory().seats(), self.replica.seat);
        let is_top = seats.get(own).is_some_and(|seat| seat.parent.is_none());
        if is_top { 0 } else { self.replica.leaving().len() }
    }

    /// Erased records with who has confirmed it and who is silent, by id.
    #[must_use]
    pub fn erasures(&self) -> Vec<Receipt> {
        self.replica.erasures()
    }

    /// The receipt of one erasure.
    #[must_use]
    pub fn receipt(&self, record: RecordId) -> Option<Receipt> {
        self.replica.receipt(record)
    }

    /// Everything that nodes say outside of records and that is for this seat, by hash, as far as it is durable.
    pub fn statements(&self) -> impl Iterator<Item = &SignedStatement> {
        self.replica.statements.durable()
    }

    /// How far the audit log goes.
    #[must_use]
    pub fn audit_head(&self) -> AuditHead {
        self.replica.audit_head()
    }

    /// How many records have sealed values that this node may read and cannot yet, as far as they have been looked at since
    /// the start.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.replica.unread()
    }

    /// Why the engine has stopped taking anything. The shell begins a new one from the store.
    #[must_use]
    pub fn failed(&self) -> Option<&StoreError> {
        self.failed.as_ref()
    }

    /// Whether there is work for a further batch.
    #[must_use]
    pub fn has_queued(&self) -> bool {
        self.replica.has_queued()
    }

    /// Whether nothing is queued or under way on the records.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let is_quiet = self.busy == Busy::No || self.replica.has_batch();
        is_quiet && self.replica.is_idle() && self.replica.has_swept()
    }
}
