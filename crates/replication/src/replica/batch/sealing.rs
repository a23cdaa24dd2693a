//! What a batch does with keys: it takes grants, chooses or makes the key that something is sealed with, gives keys to
//! those who lack them, and opens what somebody asked to see.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use heliu_record::command::{RecordWrite, Refusal};
use heliu_record::id::{Preimage, RecordId, SeatId};
use heliu_record::sealed::KeyId;
use heliu_storage::{FeedEntry, GrantHash, GrantRow, Position};
use heliu_trust::audience::{Keys, Purpose};
use heliu_trust::grant::{GrantError, Recipient, SignedGrant};
use heliu_trust::id::NodeId;
use heliu_trust::seal::{AudienceKey, RecordKey, can_be_held};
use heliu_trust::statement::Body;

use super::super::damage;
use super::super::keyring::{Taken, Todo, nobody_to_read};
use super::super::open::Open;
use super::super::quarantine;
use super::super::{Replica, Work};
use super::Batch;
use crate::effect::{AuditEvent, Moment, Reply, Ticket};
use crate::frame::RefusedLeaf;

impl Batch {
    /// Grants that a link brought, with their signatures checked. Returns those that are not kept.
    pub(super) fn take_grants(
        &mut self,
        grants: Vec<(SignedGrant, Arc<Preimage>)>,
        from: NodeId,
        replica: &mut Replica,
        now: Moment,
    ) -> Vec<RefusedLeaf> {
        let mut refused = Vec::new();
        for (signed, preimage) in grants {
            let record = signed.grant.record;
            if replica.statements.is_erased(record) {
                continue;
            }
            let counted = replica.damage.counted(record);
            // A grant begins no record: nobody honest sends one before a leaf, and a row that held nothing else would be
            // somebody's whom it never was for. It comes again with its record.
            let open = match replica.open.entry(record) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(_) if counted.is_none() => continue,
                Entry::Vacant(vacant) => vacant.insert(Open::begin(&preimage, counted, replica.catalogue)),
            };
            replica.clock += 1;
            open.used = replica.clock;
            match open.grants.judge(&signed) {
                Taken::Known => continue,
                Taken::Beyond => {
                    let (bytes, why) = (signed.encode(), GrantError::TooMany);
                    let facts = why.facts();
                    let why = (why.code(), &facts);
                    let id = quarantine::id_of(&bytes);
                    let (told, row) = quarantine::refused(id, Some(record), from, why, &bytes, now.wall_ms);
                    refused.push(told);
                    if replica.quarantine.takes(&row, now.tick_ms) {
                        self.transaction.quarantined.push(row);
                    }
                    continue;
                }
                // The store lets go of the other one as it is opened again.
                Taken::InsteadOf(_) => replica.queue.push(Work::Check { record }),
                Taken::New => {}
            }
            self.touch(open);
            open.revive();
            file(&signed, Some(from), open, &mut self.head, &mut self.transaction.feed);
        }
        refused
    }

    /// The key that a write is sealed with, and what its values name: that of an audience which this node is of, or else one
    /// that it lends to a subordinate's; else one of the record's own, which is given to its readers when it is folded. Who is
    /// none of them forgets it with the process, or with the batch.
    pub(super) fn key_for(
        &mut self,
        write: &RecordWrite,
        replica: &mut Replica,
        now: Moment,
    ) -> Result<(KeyId, RecordKey), Refusal> {
        let record = write.record;
        if let Some(drawn) = self.drawn.get(&record) {
            return Ok(drawn.clone());
        }
        let open = replica.open.get(&record);
        let owners = match (open.and_then(|open| open.record.as_ref()), &write.create) {
            (Some(record), _) => record.view.owners.clone(),
            (None, Some(preimage)) => [preimage.birth].into(),
            (None, None) => return Err(Refusal::not_here(record)),
        };
        let (_, locksmith) = replica.locksmith(None);
        let reads: Vec<SeatId> = owners.iter().copied().filter(|owner| locksmith.reads(*owner)).collect();
        let below: Vec<SeatId> = owners.iter().copied().filter(|owner| locksmith.is_above(*owner)).collect();
        for owner in reads {
            if let Some((id, key)) = self.current_key(owner, replica, now) {
                return Ok((id, key.of_record(&record)));
            }
        }
        for owner in below {
            if let Some(key) = self.lent_key(owner, replica, now) {
                return Ok((key.id(&owner), key.of_record(&record)));
            }
        }
        let (_, locksmith) = replica.locksmith(None);
        let is_readable = owners.iter().any(|owner| locksmith.readers(*owner).values().any(can_be_held));
        let Some(owner) = owners.first().filter(|_| is_readable) else { return Err(nobody_to_read(record)) };
        let key = AudienceKey::from_seed(replica.random.secret());
        let drawn = (key.id(owner), key.of_record(&record));
        self.drawn.insert(record, drawn.clone());
        Ok(drawn)
    }

    /// The key that an audience seals with, of which this node is; it is made, if there is none.
    fn current_key(&mut self, audience: SeatId, replica: &mut Replica, now: Moment) -> Option<(KeyId, AudienceKey)> {
        if let Some(current) = replica.locksmith(None).1.current(audience) {
            return Some(current);
        }
        let key = AudienceKey::from_seed(replica.random.secret());
        if !self.give_key(audience, &key, Purpose::Sealing, replica, now) {
            return None;
        }
        replica.audiences.made(audience, key.clone());
        Some((key.id(&audience), key))
    }

    /// The key that this process lends to an audience below, of which it is not.
    fn lent_key(&mut self, audience: SeatId, replica: &mut Replica, now: Moment) -> Option<AudienceKey> {
        let readers: BTreeSet<Recipient> = replica.locksmith(None).1.readers(audience).into_keys().collect();
        if let Some(key) = replica.audiences.lent(audience, &readers) {
            return Some(key);
        }
        let key = AudienceKey::from_seed(replica.random.secret());
        if !self.give_key(audience, &key, Purpose::Reading, replica, now) {
            return None;
        }
        replica.audiences.lend(audience, key.clone(), readers);
        Some(key)
    }

    /// Gives a new key to all readers of an audience. Returns whether there are any, and room to say so.
    fn give_key(
        &mut self,
        audience: SeatId,
        key: &AudienceKey,
        purpose: Purpose,
        replica: &mut Replica,
        now: Moment,
    ) -> bool {
        let readers = replica.locksmith(None).1.readers(audience);
        let said = Keys::cut(audience, purpose, Keys::give((&replica.realm, audience), key, &readers));
        let has_room = replica.statements.has_room_for_keys(replica.node, audience, said.len());
        if said.is_empty() || !has_room {
            return false;
        }
        said.into_iter().for_each(|keys| self.say(Body::Keys(keys), replica, now));
        true
    }

    /// Keys of audiences come to those of their readers who lack them, and records are looked at that waited for one.
    pub(super) fn keep_keys(&mut self, replica: &mut Replica, now: Moment) {
        if replica.sealing.is_none() {
            return;
        }
        for audience in replica.audiences.take_due() {
            let mut locksmith = replica.locksmith(None).1;
            if locksmith.begins(audience) && locksmith.current(audience).is_none() {
                self.current_key(audience, replica, now);
            }
            let said = replica.locksmith(None).1.lacking(audience);
            if replica.statements.has_room_for_keys(replica.node, audience, said.len()) {
                said.into_iter().for_each(|keys| self.say(Body::Keys(keys), replica, now));
            }
        }
        if replica.audiences.take_ids_due() {
            for keys in replica.locksmith(None).1.lacking_ids() {
                if replica.statements.has_room_for_keys(replica.node, keys.audience, 1) {
                    self.say(Body::Keys(keys), replica, now);
                }
            }
        }
        for (audience, key) in replica.audiences.take_news() {
            let opens = replica.locksmith(None).1.opener.audience_key(audience, key).is_some();
            for record in replica.waits.hear(audience, key, opens) {
                replica.submit(Work::LookThrough { record });
            }
        }
    }

    /// A record is to be looked at: is there a key that this node can give and somebody lacks?
    pub(super) fn look_through(&mut self, record: RecordId, replica: &mut Replica) {
        let (open, mut locksmith) = replica.locksmith(Some(record));
        let Some(open) = open.filter(|open| open.is_present()) else { return };
        let todo = locksmith.todo(open, None, false);
        if todo.is_something() {
            self.touch(open);
        }
        replica.waits.note(record, todo.waits);
    }

    /// Gives what a touched record's readers lack. It costs records little that have no sealed fields.
    pub(super) fn wrap_keys(&mut self, record: RecordId, replica: &mut Replica, now: Moment) {
        let mut todo = self.todo(record, replica);
        if !todo.to_begin.is_empty() {
            for audience in std::mem::take(&mut todo.to_begin) {
                self.current_key(audience, replica, now);
            }
            todo = self.todo(record, replica);
        }
        if let Some(open) = replica.open.get_mut(&record) {
            for signed in todo.grants {
                file(&signed, None, open, &mut self.head, &mut self.transaction.feed);
            }
        }
        replica.waits.note(record, todo.waits);
    }

    fn todo(&self, record: RecordId, replica: &mut Replica) -> Todo {
        let proves = self.checks.contains(&record);
        let (open, mut locksmith) = replica.locksmith(Some(record));
        let todo = |open: &Open| locksmith.todo(open, self.drawn.get(&record), proves);
        open.filter(|open| open.is_present()).map(todo).unwrap_or_default()
    }

    /// A record that is held against its leaves: is there something to give, also in place of what opens nothing?
    pub(super) fn has_to_give(open: &Open, replica: &mut Replica) -> bool {
        if !open.is_present() {
            return false;
        }
        let todo = replica.locksmith(None).1.todo(open, None, true);
        let is_something = todo.is_something();
        replica.waits.note(open.id(), todo.waits);
        is_something
    }

    /// What is sealed in a record, for somebody who asked. The audit log has it before he has.
    pub(super) fn reveal(
        &mut self,
        ticket: Ticket,
        record: RecordId,
        event: AuditEvent,
        replica: &mut Replica,
        now: Moment,
    ) {
        self.fold_what_is_due(replica);
        let refusal = if replica.statements.is_erased(record) {
            Some(Refusal::erased(record))
        } else if replica.damage.contains(record) {
            Some(damage::refusal(record))
        } else {
            None
        };
        let (open, mut locksmith) = replica.locksmith(Some(record));
        let reply = match (refusal, open.filter(|open| open.is_present())) {
            (Some(refusal), _) => Reply::Refused(refusal),
            (None, None) => Reply::Refused(Refusal::not_here(record)),
            (None, Some(open)) => {
                let revealed = open.record.as_ref().map(|record| open.grants.reveal(record, &mut locksmith.opener));
                self.transaction.audit.push(replica.audit.row(event, now.wall_ms));
                Reply::Revealed(revealed.unwrap_or_default())
            }
        };
        self.outcome.replies.push((ticket, reply));
    }
}

/// Puts a grant into the feed.
fn file(signed: &SignedGrant, origin: Option<NodeId>, open: &mut Open, head: &mut Position, feed: &mut Vec<FeedEntry>) {
    if matches!(open.grants.add(signed), Taken::Known | Taken::Beyond) {
        return;
    }
    *head += 1;
    feed.push(FeedEntry::Grant(GrantRow {
        position: *head,
        record: open.id(),
        hash: GrantHash(signed.hash),
        origin,
        grant: signed.encode().into(),
    }));
}
