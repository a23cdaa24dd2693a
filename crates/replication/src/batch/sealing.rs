//! What a batch does with keys: it takes grants, wraps keys for those who lack them, and opens what somebody asked to see.

use std::sync::Arc;

use heliu_record::command::Refusal;
use heliu_record::id::{Preimage, RecordId};
use heliu_trust::grant::{GrantError, SignedGrant};
use heliu_trust::id::NodeId;

use crate::effect::{AuditEvent, Moment, Reply, Ticket};
use crate::frame::RefusedLeaf;
use crate::health;
use crate::journal::{Delta, Work};
use crate::keys::Pending;
use crate::parts::Parts;
use crate::records::{Open, Taken};

/// Grants that a link brought, with their signatures checked. Returns those that are not kept.
pub(super) fn take_grants(
    grants: Vec<(SignedGrant, Arc<Preimage>)>,
    from: NodeId,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) -> Vec<RefusedLeaf> {
    let mut refused = Vec::new();
    for (signed, preimage) in grants {
        let record = signed.grant.record;
        if parts.statements.is_erased(record) {
            continue;
        }
        let counted = parts.health.damage.counted(record);
        // It comes again with its record.
        let Some(open) = parts.records.for_grant(record, &preimage, counted, parts.own.catalogue) else { continue };
        match open.grants.judge(&signed) {
            Taken::Known => continue,
            Taken::Beyond => {
                let (bytes, why) = (signed.encode(), GrantError::TooMany);
                let facts = why.facts();
                let why = (why.code(), &facts);
                let id = health::id_of(&bytes);
                let (told, row) = health::refused(id, Some(record), from, why, &bytes, now.wall_ms);
                refused.push(told);
                if parts.health.quarantine.takes(&row, now.tick_ms) {
                    delta.transaction.quarantined.push(row);
                }
                continue;
            }
            // The store lets go of the other one as it is opened again.
            Taken::InsteadOf(_) => delta.later(Work::Check { record }),
            // Perhaps it opens what nothing opened before.
            Taken::New if parts.keys.unwrapped.shut(record).is_some() => delta.later(Work::Check { record }),
            Taken::New => {}
        }
        parts.records.touch_and_revive(&record);
        file(&signed, Some(from), parts, delta);
    }
    refused
}

/// A record with grants, to be looked at: is there a key that this node can wrap and somebody lacks?
pub(super) fn look_through(record: RecordId, parts: &mut Parts) {
    let open = parts.records.get(&record);
    let Some(open) = open.filter(|open| open.is_present() && !open.grants.is_empty()) else { return };
    let locksmith = parts.keys.locksmith(&parts.own, parts.authority.directory());
    let missing = locksmith.missing(open);
    if locksmith.can_make(open, &missing) {
        parts.records.touch(&record);
    }
    parts.keys.unwrapped.note(record, missing);
}

/// Wraps what a touched record's readers lack. It costs records nothing that have no sealed values.
pub(super) fn wrap_keys(record: RecordId, parts: &mut Parts, delta: &mut Delta) {
    let drawn = parts.keys.drawn(&record);
    let Some(open) = parts.records.get(&record) else { return };
    if !open.is_present() || (open.grants.is_empty() && drawn.is_none()) {
        return;
    }
    let shut = parts.keys.unwrapped.shut(record).cloned();
    let locksmith = parts.keys.locksmith(&parts.own, parts.authority.directory());
    let mut missing = locksmith.missing(open);
    missing.extend(shut.iter().flatten());
    if !missing.is_empty() {
        let grants = locksmith.wrap(open, drawn, &mut missing);
        for signed in grants {
            file(&signed, None, parts, delta);
        }
    }
    if let Some(shut) = shut {
        let (still, missing): (Pending, Pending) = missing.into_iter().partition(|wrap| shut.contains(wrap));
        parts.keys.unwrapped.note_shut(record, still);
        return parts.keys.unwrapped.note(record, missing);
    }
    parts.keys.unwrapped.note(record, missing);
}

/// A record that is held against its leaves: are there wraps that open nothing? Whoever has the key makes them anew; the
/// others wait, and show it. Returns whether there is something to make.
pub(super) fn look_for_shut(open: &Open, parts: &mut Parts) -> bool {
    let is_sealed = open.is_present() && !open.grants.is_empty();
    if !is_sealed && parts.keys.unwrapped.shut(open.id()).is_none() {
        return false;
    }
    let locksmith = parts.keys.locksmith(&parts.own, parts.authority.directory());
    let shut = if is_sealed { locksmith.shut(open) } else { Pending::new() };
    let can_open_again = locksmith.can_open_again(&shut);
    parts.keys.unwrapped.note_shut(open.id(), shut);
    can_open_again
}

/// What is sealed in a record, for somebody who asked. The audit log has it before he has.
pub(super) fn reveal(
    ticket: Ticket,
    record: RecordId,
    event: AuditEvent,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) {
    parts.records.fold_what_is_due(parts.authority.seats());
    let refusal = if parts.statements.is_erased(record) {
        Some(Refusal::erased(record))
    } else if parts.health.damage.contains(record) {
        Some(health::damaged(record))
    } else {
        None
    };
    let reply = match (refusal, parts.records.get(&record).filter(|open| open.is_present())) {
        (Some(refusal), _) => Reply::Refused(refusal),
        (None, None) => Reply::Refused(Refusal::not_here(record)),
        (None, Some(open)) => {
            let revealed = parts.keys.locksmith(&parts.own, parts.authority.directory()).reveal(open);
            delta.audit(event, now.wall_ms);
            Reply::Revealed(revealed)
        }
    };
    delta.reply(ticket, reply);
}

/// Puts a grant into its record and into the feed.
fn file(signed: &SignedGrant, origin: Option<NodeId>, parts: &mut Parts, delta: &mut Delta) {
    if parts.records.grant(signed) {
        delta.grant(signed, origin);
    }
}
