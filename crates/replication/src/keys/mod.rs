//! The part that works with keys of what is sealed: which of them this node can open, who lacks one that it can wrap
//! ([`keyring`]), and which records to look through when the directory lets somebody new read ([`sweep`]).

mod keyring;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::{RecordWrite, Refusal};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_storage::ScanItem;
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use heliu_trust::seal::{DataKey, SealingSecret};
use zeroize::Zeroizing;

use crate::durable::Durable;
use crate::own::Own;
use crate::records::Open;

pub use keyring::reveal;
pub(crate) use keyring::{Locksmith, Pending, nobody_to_read};
use sweep::{Sweep, Unwrapped};

pub(crate) struct Keys {
    /// Opens what is sealed for this node; without, nothing is opened here.
    secret: Option<Arc<SealingSecret>>,
    sweep: Sweep,
    pub unwrapped: Unwrapped,
    /// Keys that were drawn for records whose first value is sealed by the work under way.
    drawn: BTreeMap<RecordId, DataKey>,
}

impl Keys {
    pub fn new(secret: Option<Arc<SealingSecret>>, directory: &Directory) -> Self {
        let sweep = if secret.is_some() { Sweep::begin(directory) } else { Sweep::default() };
        Keys { secret, sweep, unwrapped: Unwrapped::default(), drawn: BTreeMap::new() }
    }

    /// A secret of this node's own, for a purpose.
    pub fn derive(&self, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
        self.secret.as_ref().map(|secret| secret.derive(purpose))
    }

    pub fn locksmith<'a>(&'a self, own: &'a Own, directory: &'a Directory) -> Locksmith<'a> {
        let secret = self.secret.as_deref();
        Locksmith { realm: own.realm, node: own.node, secret, signer: &*own.signer, directory }
    }

    /// The key that was drawn for a record by the work under way.
    pub fn drawn(&self, record: &RecordId) -> Option<&DataKey> {
        self.drawn.get(record)
    }

    /// The key that a write is sealed with: one that this node can open, or a new one, which is wrapped to those who may
    /// read when the record is folded. Who is none of them forgets it with the batch.
    pub fn key_for(
        &mut self,
        write: &RecordWrite,
        open: Option<&Open>,
        own: &Own,
        directory: &Directory,
        draw: impl FnOnce() -> [u8; 32],
    ) -> Result<DataKey, Refusal> {
        if let Some(key) = self.drawn.get(&write.record) {
            return Ok(key.clone());
        }
        let owners = match (open.and_then(|open| open.record.as_ref()), &write.create) {
            (Some(record), _) => record.view.owners.clone(),
            (None, Some(preimage)) => [preimage.birth].into(),
            (None, None) => return Err(Refusal::not_here(write.record)),
        };
        let locksmith = self.locksmith(own, directory);
        if let Some(key) = open.and_then(|open| locksmith.known_key(open)) {
            return Ok(key);
        }
        let key = DataKey::from_seed(draw());
        if !locksmith.can_be_read(&key, &owners) {
            return Err(nobody_to_read(write.record));
        }
        self.drawn.insert(write.record, key.clone());
        Ok(key)
    }

    /// Somebody new may read since the directory grew: a node, the escrow.
    pub fn directory_grew(&mut self, directory: &Directory) {
        if self.secret.is_some() {
            self.sweep.directory_grew(directory);
        }
    }

    /// After which record the next page of records is to be looked through, if there is one.
    pub fn next_page(&mut self) -> Option<Option<RecordId>> {
        self.sweep.next()
    }

    /// A page of records with grants. Returns those that this node may be able to do something about.
    pub fn page(&mut self, items: &[ScanItem], own: SeatId, seats: &Seats) -> Vec<RecordId> {
        self.sweep.page(items, own, seats)
    }

    pub fn has_looked_through(&self) -> bool {
        self.sweep.is_over()
    }

    /// Records with the nodes that lack a key; without any, it is the escrow.
    pub fn pending(&self) -> impl Iterator<Item = (RecordId, BTreeSet<NodeId>)> + '_ {
        self.unwrapped.iter()
    }

    /// Data keys live no longer than the work that uses them.
    pub fn applied(&mut self, _: &Durable) {
        self.drawn.clear();
    }
}
