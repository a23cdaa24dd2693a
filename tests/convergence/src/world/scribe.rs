//! A writer without an engine: a second node of the county's seat that writes changes by hand which no command writes yet,
//! and hands them to one machine over the wire. It can narrow a record's audience, as a release of old records will.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_record::change::{Change, Container, Draft, Note, OpId, Scalar};
use heliu_record::history::History;
use heliu_record::id::{Actor, LeafHash, Preimage, RecordId, SeatId};
use heliu_record::scope::{membership, seat_key};
use heliu_replication::frame::{DeliveredGrant, DeliveredLeaf, Delivery};
use heliu_storage::{LeafStatus, Loaded, StoreId};
use heliu_trust::commit::{Commit, SignedCommit, leaf_hash};
use heliu_trust::grant::SignedGrant;
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, actor};

use super::World;
use super::visit::Visit;
use crate::reference::{Claim, Known};

/// The scribe's name among the enrolled nodes.
pub const NAME: &str = "C~";

/// What the scribe has written so far.
#[derive(Default)]
pub struct Chain {
    seq: u64,
    previous: Option<CommitId>,
    /// Its own last seq per record.
    seqs: BTreeMap<RecordId, u64>,
}

const INCARNATION: Incarnation = Incarnation([0x5c; 16]);

impl World {
    fn scribe(&self) -> &super::county::Enrolled {
        self.county.enrolled.iter().find(|node| node.name == NAME).expect("the scribe is enrolled")
    }

    #[must_use]
    pub fn scribe_actors(&self) -> Vec<(Actor, SeatId)> {
        let scribe = self.scribe();
        vec![(actor(&scribe.node(), &INCARNATION), scribe.seat)]
    }

    /// Takes a seat out of a record's audience, at a machine that holds the record.
    pub fn release(&mut self, machine: usize, record: RecordId, seat: SeatId) {
        self.write_seat(machine, record, seat, false);
    }

    /// Takes a seat into a record's audience again.
    pub fn admit(&mut self, machine: usize, record: RecordId, seat: SeatId) {
        self.write_seat(machine, record, seat, true);
    }

    /// A value of a sealed field at a machine that holds the record, beside those that are there, with grants.
    pub fn forge_sealed(
        &mut self,
        machine: usize,
        record: RecordId,
        (field, value): (&str, Vec<u8>),
        grants: &[SignedGrant],
    ) {
        let Some((loaded, history)) = self.past(machine, record) else { return };
        let put = (Container::Mv, field.to_owned(), Scalar::Bytes(value), Vec::new());
        let change = self.change(&history, "forge", put);
        let preimage = Arc::new(loaded.row.preimage.clone());
        let delivered =
            |grant: &SignedGrant| DeliveredGrant { preimage: Arc::clone(&preimage), grant: Arc::from(grant.encode()) };
        let grants = grants.iter().map(delivered).collect();
        self.hand_over(machine, record, &loaded.row.preimage, &change, grants);
    }

    fn write_seat(&mut self, machine: usize, record: RecordId, seat: SeatId, present: bool) {
        let actor = self.scribe_actors()[0].0;
        let Some((loaded, history)) = self.past(machine, record) else { return };
        let key = seat_key(seat);
        let replaces = history.visible(Container::Scope, &key).iter().map(|v| v.id).collect();
        let value: Scalar = membership(present, OpId { counter: history.max_op() + 1, actor });
        let change = self.change(&history, "release", (Container::Scope, key, value, replaces));
        self.hand_over(machine, record, &loaded.row.preimage, &change, Vec::new());
        let (at, seat) = (&self.machines[machine].name, self.county.name_of(seat));
        let verb = if present { "takes in" } else { "takes out" };
        self.trace.say(self.now, || format!("the scribe {verb} {seat}: {} at {at}", record.short()));
    }

    /// A record at a machine, as far as the scribe can go on from it.
    fn past(&self, machine: usize, record: RecordId) -> Option<(Loaded, History)> {
        let actor = self.scribe_actors()[0].0;
        let loaded = self.machines[machine].disk.load(record)?;
        if !self.machines[machine].runs() || loaded.leaves.iter().any(|leaf| leaf.status != LeafStatus::Admitted) {
            return None;
        }
        let seats = self.directory_at(machine).seats();
        if loaded.row.scope.named().any(|named| seats.get(named).is_none()) {
            return None; // Nobody is above a seat that is not there yet, so nobody may.
        }
        let changes: Vec<Arc<Change>> =
            loaded.leaves.iter().filter_map(|leaf| Change::parse(&leaf.change).ok()).map(Arc::new).collect();
        let history = crate::reference::in_causal_order(changes.iter());
        // If not, its own last change of the record is elsewhere.
        let is_here = history.seq(actor) == self.scribe_chain.seqs.get(&record).copied().unwrap_or(0);
        is_here.then_some((loaded, history))
    }

    fn change(&self, history: &History, command: &str, put: (Container, String, Scalar, Vec<OpId>)) -> Change {
        let actor = self.scribe_actors()[0].0;
        Change::encode(Draft {
            actor,
            seq: history.seq(actor) + 1,
            deps: history.heads(),
            start_op: history.max_op() + 1,
            time_ms: 0,
            note: Note { who: "scribe".to_owned(), command: command.to_owned(), ..Note::default() },
            puts: vec![put],
        })
    }

    /// Hands over bytes that are no changes of anything, as many different ones as it is told to.
    pub fn hand_over_junk(&mut self, machine: usize, count: u32) {
        let county = self.scribe().seat;
        let commit = self.sign_next(machine, |_, _| LeafHash([1; 32]));
        let preimage = Arc::new(Preimage { kind: "org".to_owned(), birth: county, key: vec![0; 16] });
        let junk = |number: u32| {
            let (preimage, change) = (Arc::clone(&preimage), Arc::from(number.to_le_bytes()));
            DeliveredLeaf { preimage, commit: 0, kind_version: 1, declared: None, change }
        };
        let first = u32::try_from(self.scribe_chain.seq).unwrap_or(0) << 16;
        let leaves = (first..first + count).map(junk).collect();
        self.bring(machine, Delivery { commits: vec![Arc::new(commit)], leaves, ..Delivery::default() });
    }

    /// Hands over the grants of a record that one machine holds to another, without its leaves. Returns how many.
    pub fn hand_over_grants(&mut self, from: usize, to: usize, record: RecordId) -> usize {
        let Some(loaded) = self.machines[from].disk.load(record) else { return 0 };
        let preimage = Arc::new(loaded.row.preimage);
        let grant = |row: &heliu_storage::GrantRow| DeliveredGrant {
            preimage: Arc::clone(&preimage),
            grant: Arc::clone(&row.grant),
        };
        let grants: Vec<DeliveredGrant> = loaded.grants.iter().map(grant).collect();
        let count = grants.len();
        self.bring(to, Delivery { grants, ..Delivery::default() });
        count
    }

    fn bring(&mut self, machine: usize, delivery: Delivery) {
        let (node, seat) = (self.scribe().node(), self.scribe().seat);
        let (store, incarnation) = (StoreId([0x5c; 16]), INCARNATION);
        let frames = Visit::handing_over(vec![delivery]);
        let visit = Visit { node, seat, store, incarnation, frames, is_curious: false, is_hostile: false };
        self.visit(machine, visit);
    }

    /// The scribe's next commit, of one leaf, by the directory at a machine.
    fn sign_next(
        &mut self,
        machine: usize,
        leaf: impl FnOnce(u64, &[(SeatId, DirectoryVersion)]) -> LeafHash,
    ) -> SignedCommit {
        let (key, author, county) = (self.scribe().key, self.scribe().node(), self.scribe().seat);
        self.scribe_chain.seq += 1;
        let seq = self.scribe_chain.seq;
        let head = self.directory_heard_at(machine).head();
        let versions = vec![(county, head)];
        let leaves = vec![leaf(seq, &versions)];
        let (realm, previous) = (self.county.realm, self.scribe_chain.previous);
        let commit = Commit { realm, author, incarnation: INCARNATION, seq, previous, versions, time_ms: 0, leaves };
        let signed = SignedCommit::sign(commit, &key);
        self.scribe_chain.previous = Some(signed.id);
        signed
    }

    fn hand_over(
        &mut self,
        machine: usize,
        record: RecordId,
        preimage: &Preimage,
        change: &Change,
        grants: Vec<DeliveredGrant>,
    ) {
        self.scribe_chain.seqs.insert(record, change.seq);
        let commit = self.sign_next(machine, |seq, versions| leaf_hash(&record, &change.hash, 1, seq, versions));
        let leaf = commit.commit.leaves[0];
        let known = Known {
            record,
            preimage: preimage.clone(),
            machine,
            author: commit.commit.author,
            seat: self.scribe().seat,
            cited: self.county.place_of(&commit),
            incarnation: commit.commit.incarnation,
            commit_seq: commit.commit.seq,
            raw: Arc::clone(&change.raw),
            claim: Claim::JudgedByItsNode,
            is_acknowledged: false,
            lost_at: None,
        };
        self.ledger.note(leaf, known);
        let (preimage, change) = (Arc::new(preimage.clone()), Arc::clone(&change.raw));
        let delivery = Delivery {
            commits: vec![Arc::new(commit)],
            leaves: vec![DeliveredLeaf { preimage, commit: 0, kind_version: 1, declared: None, change }],
            grants,
        };
        self.bring(machine, delivery);
    }
}
