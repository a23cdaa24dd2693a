//! What a batch does with statements: it takes them, makes those of this node, erases what a tombstone names, and writes
//! the audit log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::{Refusal, Request};
use heliu_record::hash::hash;
use heliu_record::id::{Preimage, RecordId};
use heliu_storage::RecordState;
use heliu_trust::id::NodeId;
use heliu_trust::statement::{self, Body, SignedStatement, Statement, check_erasure};

use super::super::Replica;
use super::super::erasure::no_superior;
use super::super::open::Open;
use super::super::statements::row_of;
use super::Batch;
use super::working::{fenced, not_enrolled};
use crate::effect::{AuditEvent, Done, LinkId, Moment, Notice, Reply, Ticket};

impl Batch {
    /// Statements that a link brought, checked. Tombstones come first: what else is said of an erased record is worth
    /// nothing without.
    pub(super) fn take_statements(
        &mut self,
        link: LinkId,
        mut statements: Vec<Arc<SignedStatement>>,
        replica: &mut Replica,
        now: Moment,
    ) {
        statements.sort_by_key(|signed| !matches!(signed.statement.body, Body::Tombstone { .. }));
        for signed in statements {
            self.take_statement(&signed, Some(link), replica, now);
        }
        self.outcome.heard.push(link);
    }

    /// Says something in this node's name.
    pub(super) fn say(&mut self, body: Body, replica: &mut Replica, now: Moment) {
        let (realm, author, time_ms) = (replica.realm, replica.node, now.wall_ms);
        let signed = SignedStatement::sign(Statement { realm, author, time_ms, body }, &*replica.signer);
        self.take_statement(&Arc::new(signed), None, replica, now);
    }

    /// Something that this node has found: evidence, say.
    pub(super) fn state(&mut self, body: Body, replica: &mut Replica, now: Moment) {
        if replica.directory.node(replica.node).is_some() {
            self.say(body, replica, now);
        }
    }

    fn take_statement(
        &mut self,
        signed: &Arc<SignedStatement>,
        from: Option<LinkId>,
        replica: &mut Replica,
        now: Moment,
    ) {
        if let Body::Erased { record } = signed.statement.body
            && !replica.statements.is_erased(record)
        {
            return; // It comes again with the tombstone.
        }
        let taken = replica.statements.take(signed, &replica.directory);
        let has_dropped = !taken.dropped.is_empty();
        for gone in taken.dropped {
            // What came in this transaction is not there yet, and would be added after what goes has gone.
            let before = self.transaction.statements.len();
            self.transaction.statements.retain(|row| row.hash != gone);
            if self.transaction.statements.len() == before {
                self.transaction.statements_dropped.push(gone);
            }
        }
        if !taken.is_kept {
            return;
        }
        self.transaction.statements_dropped.append(&mut replica.statements.unreadable);
        self.transaction.statements.push(row_of(signed, &replica.directory));
        self.outcome.stated.push((from, Arc::clone(signed)));
        let author = signed.statement.author;
        match &signed.statement.body {
            Body::Tombstone { preimage, .. } => self.erase_here(preimage, author, replica, now),
            Body::AuditHead(head) if taken.accuses => {
                self.outcome.notices.push(Notice::AuditForked { author, seq: head.seq });
            }
            Body::Evidence { .. } => replica.evidence.heard(&signed.statement),
            Body::Keys(keys) if has_dropped => {
                replica.audiences.forget(keys.audience, replica.statements.keys_of(keys.audience));
            }
            Body::Keys(keys) => replica.audiences.hear(author, keys, from.is_none()),
            Body::AuditHead(_) | Body::Erased { .. } => {}
        }
    }

    /// Takes away all that is here of a record, and says so. What comes of it later is dropped.
    fn erase_here(&mut self, preimage: &Preimage, by: NodeId, replica: &mut Replica, now: Moment) {
        let record = preimage.id();
        let was_damaged = replica.damage.forget(record);
        let counted = was_damaged.as_ref().and_then(Option::as_ref);
        if was_damaged.is_some() {
            replica.open.entry(record).or_insert_with(|| Open::begin(preimage, counted, replica.catalogue));
        }
        if let Some(open) = replica.open.get_mut(&record).filter(|open| open.row.state != RecordState::Erased) {
            self.touch(open);
            *open = Open::erased(preimage, open.is_stored, replica.catalogue);
            self.unfolded.remove(&record);
            self.transaction.erased.push(record);
            replica.hidden.remove(&record);
            replica.parted.remove(&record);
            replica.waits.note(record, BTreeSet::new());
        }
        if !replica.statements.has_confirmed(record, replica.node) {
            self.state(Body::Erased { record }, replica, now);
        }
        self.outcome.notices.push(Notice::Erased { record, by });
        if by != replica.node {
            let event = AuditEvent {
                who: by.to_string(),
                action: "record.erased".to_owned(),
                subject: record.to_string(),
                ..AuditEvent::default()
            };
            self.audit(event, replica, now);
        }
    }

    /// A person of this node takes a record away.
    pub(super) fn erase(
        &mut self,
        ticket: Ticket,
        record: RecordId,
        event: AuditEvent,
        replica: &mut Replica,
        now: Moment,
    ) {
        let reply = match erasable(record, replica) {
            Err(refusal) => Reply::Refused(refusal),
            Ok(preimage) => {
                let reason = &event.detail;
                let reason = (!reason.is_empty()).then(|| hash("heliu erasure reason 1", &[reason.as_bytes()]));
                self.say(Body::Tombstone { preimage, reason }, replica, now);
                self.audit(event, replica, now);
                let result = BTreeMap::from([("record".to_owned(), record.to_string())]);
                Reply::Done(Done { result, affected: vec![record], ..Done::default() })
            }
        };
        self.outcome.replies.push((ticket, reply));
    }

    /// Appends a row to the audit log.
    pub(super) fn audit(&mut self, event: AuditEvent, replica: &mut Replica, now: Moment) {
        self.transaction.audit.push(replica.audit.row(event, now.wall_ms));
    }

    pub(super) fn tell_audit_head(&mut self, replica: &mut Replica, now: Moment) {
        let head = replica.audit.tell();
        self.state(Body::AuditHead(head), replica, now);
    }

    /// The directory fences somebody since then, or its tail was replaced: statements that no longer hold go. What a
    /// tombstone took away that does not count any more may come back from those who have it.
    pub(super) fn judge_statements(&mut self, replica: &mut Replica) {
        let (directory, verifier) = (&replica.directory, &*replica.verifier);
        let is_fenced = |node: NodeId| directory.is_fenced(node);
        let holds = |signed: &SignedStatement| statement::check(signed, directory, &is_fenced, verifier).is_ok();
        let gone: Vec<_> = replica.statements.iter().filter(|signed| !holds(signed)).cloned().collect();
        gone.iter().for_each(|signed| replica.statements.remove(signed));
        let orphans = replica.statements.orphans();
        orphans.iter().for_each(|signed| replica.statements.remove(signed));
        self.transaction.statements_dropped.extend(gone.iter().chain(&orphans).map(|signed| signed.hash));
        for signed in gone {
            if let Body::Keys(keys) = &signed.statement.body {
                replica.audiences.forget(keys.audience, replica.statements.keys_of(keys.audience));
            }
        }
    }
}

/// The row of the audit log for a command: what was asked for, and about what; never what was written.
pub(super) fn carried_out(request: &Request, role: &str, done: &Done) -> AuditEvent {
    let subject = request.subject.map(|subject| subject.to_string());
    let subject = subject.or_else(|| done.result.get("record").cloned()).unwrap_or_default();
    AuditEvent {
        who: request.who.clone(),
        role: role.to_owned(),
        action: request.name.clone(),
        subject,
        detail: request.id.to_string(),
    }
}

/// Whether this node may erase a record that it knows, and what that is.
fn erasable(record: RecordId, replica: &Replica) -> Result<Preimage, Refusal> {
    if replica.statements.is_erased(record) {
        return Err(Refusal::erased(record));
    }
    if replica.directory.node(replica.node).is_none() {
        return Err(not_enrolled(replica.node));
    }
    if replica.directory.is_fenced(replica.node) {
        return Err(fenced(replica.node));
    }
    let open = replica.open.get(&record).ok_or_else(|| Refusal::not_here(record))?;
    let preimage = &open.row.preimage;
    match check_erasure(replica.seat, preimage.birth, &replica.directory) {
        Ok(()) => Ok(preimage.clone()),
        Err(_) => Err(no_superior(record, preimage.birth, replica.directory.seats())),
    }
}
