//! Statements: those that links bring are taken, those of this node are made, and what a tombstone names is erased.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::Refusal;
use heliu_record::hash::hash;
use heliu_record::id::{Preimage, RecordId};
use heliu_trust::id::NodeId;
use heliu_trust::statement::{Body, SignedStatement, check_erasure};

use super::seal;
use crate::authority::{fenced, not_enrolled};
use crate::effect::{AuditEvent, Done, LinkId, Moment, Notice, Reply, Ticket};
use crate::journal::Delta;
use crate::parts::Parts;
use crate::statements::{Statements, TOMBSTONES_MAX, no_superior, row_of, too_many_tombstones};

/// Statements that a link brought, checked. Tombstones come first: what else is said of an erased record is worth nothing
/// without.
pub(super) fn take(
    link: LinkId,
    mut statements: Vec<Arc<SignedStatement>>,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) {
    statements.sort_by_key(|signed| !matches!(signed.statement.body, Body::Tombstone { .. }));
    for signed in statements {
        take_one(&signed, Some(link), parts, delta, now);
    }
    delta.outcome.links.heard.push(link);
}

/// Says something in this node's name.
pub(super) fn say(body: Body, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    let signed = Statements::sign(body, &parts.own, now.wall_ms);
    take_one(&signed, None, parts, delta, now);
}

/// Something that this node has found: evidence, say.
pub(super) fn state(body: Body, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    if parts.authority.directory().node(parts.own.node).is_some() {
        say(body, parts, delta, now);
    }
}

fn take_one(signed: &Arc<SignedStatement>, from: Option<LinkId>, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    if let Body::Erased { record } = signed.statement.body
        && !parts.statements.is_erased(record)
    {
        return; // It comes again with the tombstone.
    }
    let directory = parts.authority.directory();
    let taken = parts.statements.take(signed, directory);
    let transaction = &mut delta.transaction;
    let has_dropped = !taken.dropped.is_empty();
    for gone in taken.dropped {
        // What came in this transaction is not there yet, and would be added after what goes has gone.
        let before = transaction.statements.len();
        transaction.statements.retain(|row| row.hash != gone);
        if transaction.statements.len() == before {
            transaction.statements_dropped.push(gone);
        }
    }
    if !taken.is_kept {
        return;
    }
    transaction.statements_dropped.extend(parts.statements.take_unreadable());
    transaction.statements.push(row_of(signed, directory));
    delta.outcome.stated.push((from, Arc::clone(signed)));
    let author = signed.statement.author;
    match &signed.statement.body {
        Body::Tombstone { preimage, .. } => erase_here(preimage, author, parts, delta, now),
        Body::AuditHead(head) if taken.accuses => delta.notice(Notice::AuditForked { author, seq: head.seq }),
        Body::Evidence { .. } => parts.health.evidence.heard(&signed.statement),
        Body::Keys(keys) if has_dropped => {
            parts.keys.audiences.forget(keys.audience, parts.statements.keys_of(keys.audience));
        }
        Body::Keys(keys) => parts.keys.audiences.hear(author, keys, from.is_none()),
        Body::AuditHead(_) | Body::Erased { .. } => {}
    }
}

/// Takes away all that is here of a record, and says so. What comes of it later is dropped.
fn erase_here(preimage: &Preimage, by: NodeId, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    let record = preimage.id();
    let lost = parts.health.damage.forget(record);
    if parts.records.erase(preimage, lost.as_ref().map(Option::as_ref), parts.own.catalogue) {
        delta.transaction.erased.push(record);
        parts.leaving.erase(&record);
        parts.keys.waits.note(record, BTreeSet::new());
    }
    if !parts.statements.has_confirmed(record, parts.own.node) {
        state(Body::Erased { record }, parts, delta, now);
    }
    delta.notice(Notice::Erased { record, by });
    if by != parts.own.node {
        let event = AuditEvent {
            who: by.to_string(),
            action: "record.erased".to_owned(),
            subject: record.to_string(),
            ..AuditEvent::default()
        };
        delta.audit(event, now.wall_ms);
    }
}

/// A person of this node takes a record away.
pub(super) fn erase(
    ticket: Ticket,
    record: RecordId,
    event: AuditEvent,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) {
    let reply = match erasable(record, parts) {
        Err(refusal) => Reply::Refused(refusal),
        Ok(preimage) => {
            let reason = &event.detail;
            let reason = (!reason.is_empty()).then(|| hash("heliu erasure reason 1", &[reason.as_bytes()]));
            say(Body::Tombstone { preimage, reason }, parts, delta, now);
            delta.audit(event, now.wall_ms);
            let result = BTreeMap::from([("record".to_owned(), record.to_string())]);
            Reply::Done(Done { result, affected: vec![record], ..Done::default() })
        }
    };
    delta.reply(ticket, reply);
}

/// The superiors are told how far the audit log goes, with what this work has written in it before.
pub(super) fn tell_audit_head(parts: &mut Parts, delta: &mut Delta, now: Moment) {
    seal::log(delta, &mut parts.audit);
    let head = parts.audit.tell();
    state(Body::AuditHead(head), parts, delta, now);
}

/// Whether this node may erase a record that it knows, and what that is.
fn erasable(record: RecordId, parts: &Parts) -> Result<Preimage, Refusal> {
    let (own, directory) = (&parts.own, parts.authority.directory());
    if parts.statements.is_erased(record) {
        return Err(Refusal::erased(record));
    }
    if directory.node(own.node).is_none() {
        return Err(not_enrolled(own.node));
    }
    if directory.is_fenced(own.node) {
        return Err(fenced(own.node));
    }
    let open = parts.records.get(&record).ok_or_else(|| Refusal::not_here(record))?;
    let preimage = &open.row.preimage;
    match check_erasure(own.seat, preimage.birth, directory) {
        Ok(()) if parts.statements.has_room_for_tombstone(own.node) => Ok(preimage.clone()),
        Ok(()) => Err(too_many_tombstones(record, TOMBSTONES_MAX)),
        Err(_) => Err(no_superior(record, preimage.birth, directory.seats())),
    }
}
