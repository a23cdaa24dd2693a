//! What a batch does with keys: it takes grants, chooses or makes the key that something is sealed with, gives keys to
//! those who lack them, and opens what somebody asked to see.

use std::sync::Arc;

use heliu_record::command::{RecordWrite, Refusal};
use heliu_record::id::{Preimage, RecordId, SeatId};
use heliu_record::sealed::KeyId;
use heliu_trust::audience::{Keys, Purpose};
use heliu_trust::grant::{GrantError, SignedGrant};
use heliu_trust::id::NodeId;
use heliu_trust::seal::{AudienceKey, RecordKey, can_be_held};
use heliu_trust::statement::Body;

use super::statements::say;

use crate::effect::{AuditEvent, Moment, Reply, Ticket};
use crate::frame::RefusedLeaf;
use crate::health;
use crate::journal::{Delta, Work};
use crate::keys::{Locksmith, Todo, nobody_to_read};
use crate::parts::Parts;
use crate::records::{Open, Taken};

/// So many keys of audiences are opened, proven or wrapped with one batch: each takes some multiplications on the curve, and
/// others may have said thousands. The rest follows with the next.
const KEYS_A_TURN: usize = 32;

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
            Taken::New => {}
        }
        parts.records.touch_and_revive(&record);
        file(&signed, Some(from), parts, delta);
    }
    refused
}

/// The key that a write is sealed with, and what its values name: that of an audience which this node is of, or else one that
/// it lends to a subordinate's; else one of the record's own, which is given to its readers when it is folded. Who is none of
/// them forgets it with the process, or with the batch.
pub(super) fn key_for(
    write: &RecordWrite,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) -> Result<(KeyId, RecordKey), Refusal> {
    let record = write.record;
    if let Some(drawn) = parts.keys.drawn(&record) {
        return Ok(drawn.clone());
    }
    let open = parts.records.get(&record);
    let owners = match (open.and_then(|open| open.record.as_ref()), &write.create) {
        (Some(record), _) => record.view.owners.clone(),
        (None, Some(preimage)) => [preimage.birth].into(),
        (None, None) => return Err(Refusal::not_here(record)),
    };
    let mut locksmith = locksmith(parts);
    let reads: Vec<SeatId> = owners.iter().copied().filter(|owner| locksmith.reads(*owner)).collect();
    let below: Vec<SeatId> = owners.iter().copied().filter(|owner| locksmith.is_above(*owner)).collect();
    for owner in reads {
        if let Some((id, key)) = current_key(owner, parts, delta, now) {
            return Ok((id, key.of_record(&owner, &record)));
        }
    }
    for owner in below {
        if let Some(key) = lent_key(owner, parts, delta, now) {
            return Ok((key.id(&owner), key.of_record(&owner, &record)));
        }
    }
    let mut locksmith = self::locksmith(parts);
    let is_readable = owners.iter().any(|owner| locksmith.audience(*owner).readers.values().any(can_be_held));
    let Some(owner) = owners.first().copied().filter(|_| is_readable) else { return Err(nobody_to_read(record)) };
    let key = begin_key(owner, parts);
    let drawn = (key.id(&owner), key.of_record(&owner, &record));
    parts.keys.draw(record, drawn.clone());
    Ok(drawn)
}

/// A new key for an audience, begun by the directory as it is here.
fn begin_key(audience: SeatId, parts: &mut Parts) -> AudienceKey {
    AudienceKey::begin(&parts.journal.random.secret(), &audience, parts.authority.directory().head())
}

fn locksmith(parts: &mut Parts) -> Locksmith<'_> {
    parts.keys.locksmith(&parts.own, parts.authority.directory())
}

/// The key that an audience seals with, of which this node is; it is made, if there is none.
fn current_key(audience: SeatId, parts: &mut Parts, delta: &mut Delta, now: Moment) -> Option<(KeyId, AudienceKey)> {
    if let Some(current) = locksmith(parts).current(audience) {
        return Some(current);
    }
    let key = begin_key(audience, parts);
    if !give_key(audience, &key, Purpose::Sealing, parts, delta, now) {
        return None;
    }
    parts.keys.audiences.made(audience, key.clone());
    Some((key.id(&audience), key))
}

/// The key that this process lends to an audience below, of which it is not.
fn lent_key(audience: SeatId, parts: &mut Parts, delta: &mut Delta, now: Moment) -> Option<AudienceKey> {
    let of = locksmith(parts).audience(audience);
    if let Some(key) = parts.keys.audiences.lent(audience, &of.readers) {
        return Some(key);
    }
    let key = begin_key(audience, parts);
    if !give_key(audience, &key, Purpose::Reading, parts, delta, now) {
        return None;
    }
    parts.keys.audiences.lend(audience, key.clone(), &of.readers);
    Some(key)
}

/// Gives a new key to all readers of an audience. Returns whether there are any, and room to say so.
fn give_key(
    audience: SeatId,
    key: &AudienceKey,
    purpose: Purpose,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) -> bool {
    let of = locksmith(parts).audience(audience);
    let given = Keys::give((&parts.own.realm, audience), &parts.own.node, key, &of.readers);
    let said = Keys::cut(audience, purpose, given);
    let has_room = said.len() <= parts.statements.room_for_keys(parts.own.node, audience);
    if has_room {
        said.iter().for_each(|keys| say(Body::Keys(keys.clone()), parts, delta, now));
    }
    has_room && !said.is_empty()
}

/// Keys of audiences come to those of their readers who lack them, the secret of all nodes to those below, and records are
/// looked at that waited for a key.
pub(super) fn keep_keys(parts: &mut Parts, delta: &mut Delta, now: Moment) {
    if !parts.keys.has_secret() {
        return;
    }
    let mut turn = KEYS_A_TURN;
    for audience in parts.keys.audiences.take_due() {
        if turn == 0 {
            parts.keys.audiences.look_at(audience);
            continue;
        }
        let mut locksmith = locksmith(parts);
        if locksmith.begins(audience) && locksmith.current(audience).is_none() {
            current_key(audience, parts, delta, now);
        }
        let room = parts.statements.room_for_keys(parts.own.node, audience);
        let said = self::locksmith(parts).lacking(audience, room, &mut turn);
        said.into_iter().for_each(|keys| say(Body::Keys(keys), parts, delta, now));
    }
    if parts.keys.audiences.take_ids_due() {
        for keys in locksmith(parts).lacking_ids() {
            if parts.statements.room_for_keys(parts.own.node, keys.audience) > 0 {
                say(Body::Keys(keys), parts, delta, now);
            }
        }
    }
    if parts.keys.audiences.has_due() {
        delta.later(Work::KeepKeys);
    }
    let news = parts.keys.audiences.take_news();
    for (audience, key) in news.into_iter().filter(|(_, key)| parts.keys.waits.are_for(*key)).collect::<Vec<_>>() {
        let opens = locksmith(parts).opener.audience_key(audience, key).is_some();
        for record in parts.keys.waits.hear(audience, key, opens) {
            delta.later(Work::LookThrough { record });
        }
    }
}

/// A record is to be looked at: is there a key that this node can give and somebody lacks?
pub(super) fn look_through(record: RecordId, parts: &mut Parts) {
    let open = parts.records.get(&record);
    let Some(open) = open.filter(|open| open.is_present()) else { return };
    let todo = parts.keys.locksmith(&parts.own, parts.authority.directory()).todo(open, None, false);
    if todo.is_something() {
        parts.records.touch(&record);
    }
    parts.keys.waits.note(record, todo.waits);
}

/// Gives what a touched record's readers lack. It costs records little that have no sealed fields.
pub(super) fn give_keys(record: RecordId, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    let mut todo = todo_of(record, parts);
    if !todo.to_begin.is_empty() {
        for audience in std::mem::take(&mut todo.to_begin) {
            current_key(audience, parts, delta, now);
        }
        todo = todo_of(record, parts);
    }
    for signed in todo.grants {
        file(&signed, None, parts, delta);
    }
    parts.keys.waits.note(record, todo.waits);
}

fn todo_of(record: RecordId, parts: &mut Parts) -> Todo {
    let proves = parts.health.patrol.checks(&record);
    let drawn = parts.keys.drawn(&record).cloned();
    let open = parts.records.get(&record).filter(|open| open.is_present());
    let mut locksmith = parts.keys.locksmith(&parts.own, parts.authority.directory());
    open.map(|open| locksmith.todo(open, drawn.as_ref(), proves)).unwrap_or_default()
}

/// A record that is held against its leaves: is there something to give, also in place of what opens nothing?
pub(super) fn prove(open: &Open, parts: &mut Parts) -> bool {
    if !open.is_present() {
        return false;
    }
    let todo = locksmith(parts).todo(open, None, true);
    let is_something = todo.is_something();
    parts.keys.waits.note(open.id(), todo.waits);
    is_something
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
