//! What a batch does with keys: it takes grants, draws a key for a record whose first value is sealed here, wraps keys for
//! those who lack them, and opens what somebody asked to see.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use heliu_record::command::{RecordWrite, Refusal};
use heliu_record::id::{Preimage, RecordId};
use heliu_storage::{FeedEntry, GrantHash, GrantRow, Position};
use heliu_trust::grant::{GrantError, SignedGrant};
use heliu_trust::id::NodeId;
use heliu_trust::seal::DataKey;

use super::super::damage;
use super::super::keyring::{Pending, Taken, nobody_to_read};
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
                // Perhaps it opens what nothing opened before.
                Taken::New if replica.unwrapped.shut(record).is_some() => replica.queue.push(Work::Check { record }),
                Taken::New => {}
            }
            self.touch(open);
            open.revive();
            file(&signed, Some(from), open, &mut self.head, &mut self.transaction.feed);
        }
        refused
    }

    /// The key that a write is sealed with: one that this node can open, or a new one, which is wrapped to those who may
    /// read when the record is folded. Who is none of them forgets it with the batch.
    pub(super) fn key_for(&mut self, write: &RecordWrite, replica: &mut Replica) -> Result<DataKey, Refusal> {
        if let Some(key) = self.drawn.get(&write.record) {
            return Ok(key.clone());
        }
        let open = replica.open.get(&write.record);
        let owners = match (open.and_then(|open| open.record.as_ref()), &write.create) {
            (Some(record), _) => record.view.owners.clone(),
            (None, Some(preimage)) => [preimage.birth].into(),
            (None, None) => return Err(Refusal::not_here(write.record)),
        };
        if let Some(key) = open.and_then(|open| replica.locksmith().known_key(open)) {
            return Ok(key);
        }
        let key = DataKey::from_seed(replica.random.secret());
        if !replica.locksmith().can_be_read(&key, &owners) {
            return Err(nobody_to_read(write.record));
        }
        self.drawn.insert(write.record, key.clone());
        Ok(key)
    }

    /// A record with grants, to be looked at: is there a key that this node can wrap and somebody lacks?
    pub(super) fn look_through(&mut self, record: RecordId, replica: &mut Replica) {
        let Some(open) = replica.open.get(&record).filter(|open| open.is_present() && !open.grants.is_empty()) else {
            return;
        };
        let locksmith = replica.locksmith();
        let missing = locksmith.missing(open);
        if locksmith.can_make(open, &missing) {
            self.touch(open);
        }
        replica.unwrapped.note(record, missing);
    }

    /// Wraps what a touched record's readers lack. It costs records nothing that have no sealed values.
    pub(super) fn wrap_keys(&mut self, record: RecordId, replica: &mut Replica) {
        let drawn = self.drawn.get(&record);
        let Some(open) = replica.open.get(&record) else { return };
        if !open.is_present() || (open.grants.is_empty() && drawn.is_none()) {
            return;
        }
        let shut = replica.unwrapped.shut(record).cloned();
        let mut missing = replica.locksmith().missing(open);
        missing.extend(shut.iter().flatten());
        if !missing.is_empty() {
            let grants = replica.locksmith().wrap(open, drawn, &mut missing);
            if let Some(open) = replica.open.get_mut(&record) {
                for signed in grants {
                    file(&signed, None, open, &mut self.head, &mut self.transaction.feed);
                }
            }
        }
        if let Some(shut) = shut {
            let (still, missing): (Pending, Pending) = missing.into_iter().partition(|wrap| shut.contains(wrap));
            replica.unwrapped.note_shut(record, still);
            return replica.unwrapped.note(record, missing);
        }
        replica.unwrapped.note(record, missing);
    }

    /// A record that is held against its leaves: are there wraps that open nothing? Whoever has the key makes them anew; the
    /// others wait, and show it. Returns whether there is something to make.
    pub(super) fn look_for_shut(open: &Open, replica: &mut Replica) -> bool {
        let is_sealed = open.is_present() && !open.grants.is_empty();
        if !is_sealed && replica.unwrapped.shut(open.id()).is_none() {
            return false;
        }
        let locksmith = replica.locksmith();
        let shut = if is_sealed { locksmith.shut(open) } else { Pending::new() };
        let can_open_again = locksmith.can_open_again(&shut);
        replica.unwrapped.note_shut(open.id(), shut);
        can_open_again
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
        let reply = match (refusal, replica.open.get(&record).filter(|open| open.is_present())) {
            (Some(refusal), _) => Reply::Refused(refusal),
            (None, None) => Reply::Refused(Refusal::not_here(record)),
            (None, Some(open)) => {
                let revealed = replica.locksmith().reveal(open);
                self.transaction.audit.push(replica.audit.row(event, now.wall_ms));
                Reply::Revealed(revealed)
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
