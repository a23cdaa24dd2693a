//! What somebody decides about a row in quarantine.

use heliu_record::id::LeafHash;
use heliu_storage::QuarantineRow;
use heliu_trust::admission::Status;

use super::reporting::CODE as DAMAGED;
use crate::effect::{AuditEvent, Done, Moment, QuarantineAction, Reply, Ticket};
use crate::health::not_in_quarantine;
use crate::journal::Delta;
use crate::parts::Parts;

pub(super) fn decide(
    ticket: Ticket,
    id: [u8; 32],
    action: QuarantineAction,
    event: AuditEvent,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) {
    let Some(row) = parts.health.quarantine.take(&id) else {
        return delta.refuse(ticket, not_in_quarantine(&id));
    };
    let reply = match action {
        QuarantineAction::Drop => {
            delta.transaction.unquarantined.push(id);
            parts.health.quarantine.let_go(&id);
            Reply::Done(Done::default())
        }
        QuarantineAction::Requeue => Reply::Requeued(requeue(&row, parts, delta)),
    };
    delta.audit(event, now.wall_ms);
    delta.reply(ticket, reply);
}

/// Judges a leaf again; what is none is let go, to be taken when a link brings it again. Returns what it is now.
fn requeue(row: &QuarantineRow, parts: &mut Parts, delta: &mut Delta) -> String {
    let directory = parts.authority.directory();
    let judged = row.record.filter(|_| row.code != DAMAGED);
    let judged = judged.and_then(|record| parts.records.judge_one_again(record, &LeafHash(row.id), directory));
    match judged {
        Some(status @ Status::Refused(_)) => status.code().to_owned(),
        other => {
            delta.transaction.unquarantined.push(row.id);
            parts.health.quarantine.let_go(&row.id);
            other.map_or("awaited", Status::code).to_owned()
        }
    }
}
