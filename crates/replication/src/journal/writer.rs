//! Own commits: leaves made here are packed by the owner of their records, at most 64 to a commit, and signed when the
//! batch is sealed. Under load, then, many commands share one signature.
//!
//! A leaf's hash says the seq of its commit, so a commit has its seq as it begins. Nothing but this file counts them, and it
//! works on one batch at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_record::id::{Actor, LeafHash, SeatId};
use heliu_storage::row::CommitRow;
use heliu_trust::commit::{Commit, LEAVES_MAX, SignedCommit};
use heliu_trust::directory::Directory;
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, NodeId, RealmId, actor};
use heliu_trust::signature::Signer;

use crate::durable::Durable;

pub(crate) struct Writer {
    node: NodeId,
    incarnation: Incarnation,
    actor: Actor,
    /// Of the last commit handed out, sealed or not.
    seq: u64,
    previous: Option<CommitId>,
    last: Option<(u64, CommitId)>,
    /// The last that is durable, of the incarnation that is: what links go by.
    durable: Option<(u64, CommitId)>,
    /// Not yet sealed, by seq.
    unsealed: BTreeMap<u64, Unsealed>,
    /// The commit with room for leaves of records of an owner.
    room: BTreeMap<SeatId, u64>,
    /// The incarnation that the work under way begins.
    renewed: Option<Incarnation>,
}

/// A commit that leaves are gathered for. It cites the directory as it was when the first of them was made: their hashes
/// say so.
struct Unsealed {
    versions: Vec<(SeatId, DirectoryVersion)>,
    leaves: Vec<LeafHash>,
}

impl Writer {
    pub fn new(node: NodeId, incarnation: Incarnation, previous: Option<CommitId>) -> Self {
        Writer {
            node,
            incarnation,
            actor: actor(&node, &incarnation),
            seq: 0,
            previous,
            last: None,
            durable: None,
            unsealed: BTreeMap::new(),
            room: BTreeMap::new(),
            renewed: None,
        }
    }

    pub fn renew(&mut self, incarnation: Incarnation) {
        let (durable, renewed) = (self.durable, Some(incarnation));
        *self = Writer { durable, renewed, ..Writer::new(self.node, incarnation, self.previous) };
    }

    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The incarnation that the work under way begins.
    pub fn renewed(&self) -> Option<Incarnation> {
        self.renewed
    }

    /// The seq of the commit that the next leaf of a record of `owner` goes into, made under this directory.
    pub fn seq_for(&mut self, owner: SeatId, directory: &Directory) -> u64 {
        let fits = |commit: &Unsealed| commit.leaves.len() < LEAVES_MAX && commit.versions == directory.versions();
        let has_room = |seq: &u64| self.unsealed.get(seq).is_some_and(fits);
        match self.room.get(&owner).copied().filter(has_room) {
            Some(seq) => seq,
            None => {
                self.seq += 1;
                self.unsealed.insert(self.seq, Unsealed { versions: directory.versions(), leaves: Vec::new() });
                self.room.insert(owner, self.seq);
                self.seq
            }
        }
    }

    pub fn add(&mut self, seq: u64, leaf: LeafHash) {
        if let Some(commit) = self.unsealed.get_mut(&seq) {
            commit.leaves.push(leaf);
        }
    }

    /// Signs what was gathered, in the order of seq. Returns the commits, and which one each leaf is in.
    pub fn seal(
        &mut self,
        realm: RealmId,
        time_ms: i64,
        signer: &dyn Signer,
    ) -> (Vec<Arc<SignedCommit>>, BTreeMap<LeafHash, CommitId>) {
        let mut signed_all = Vec::new();
        let mut commit_of = BTreeMap::new();
        self.room.clear();
        for (seq, Unsealed { versions, leaves }) in std::mem::take(&mut self.unsealed) {
            let commit = Commit {
                realm,
                author: self.node,
                incarnation: self.incarnation,
                seq,
                previous: self.previous,
                versions,
                time_ms,
                leaves,
            };
            let signed = SignedCommit::sign(commit, signer);
            commit_of.extend(signed.commit.leaves.iter().map(|leaf| (*leaf, signed.id)));
            self.previous = Some(signed.id);
            self.last = Some((seq, signed.id));
            signed_all.push(Arc::new(signed));
        }
        (signed_all, commit_of)
    }

    pub fn applied(&mut self, _: &Durable) {
        self.durable = self.last;
        self.renewed = None;
    }

    pub fn durable(&self) -> Option<(u64, CommitId)> {
        self.durable
    }
}

pub(crate) fn row_of(signed: &SignedCommit) -> CommitRow {
    CommitRow {
        id: signed.id,
        author: signed.commit.author,
        incarnation: signed.commit.incarnation,
        seq: signed.commit.seq,
        encoded: Arc::from(signed.encode()),
    }
}
