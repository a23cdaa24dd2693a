//! What a batch has to have looked up in the store, and what the store answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{CommandId, ConflictRow, Loaded, QuarantineRow};
use heliu_trust::id::{CommitId, Incarnation, NodeId};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadRequest {
    pub records: BTreeSet<RecordId>,
    /// Who refers to these?
    pub referring: BTreeSet<RecordId>,
    /// Open conflicts with one of these as an anchor.
    pub conflicts_of: BTreeSet<RecordId>,
    pub commands: BTreeSet<CommandId>,
    /// Which records hold a leaf of these?
    pub written_by: BTreeSet<NodeId>,
    /// The ids of all records.
    pub all: bool,
    /// Which records name one of these seats?
    pub naming: BTreeSet<SeatId>,
    /// The last commit of each incarnation of these.
    pub chains_of: BTreeSet<NodeId>,
    pub commits_at: BTreeSet<Place>,
    /// Rows of the quarantine, by id.
    pub quarantined: BTreeSet<[u8; 32]>,
}

/// The last commit of each incarnation of an author, with its seq.
pub type Chains = Vec<(Incarnation, u64, CommitId)>;

/// A place in an author's chain. Two commits for one are evidence.
pub type Place = (NodeId, Incarnation, u64);

#[derive(Debug, Default)]
pub struct LoadReply {
    pub records: Vec<Loaded>,
    /// Of those asked for, what the store holds and cannot read, with the reason.
    pub damaged: Vec<(RecordId, String)>,
    /// (target, source)
    pub referring: Vec<(RecordId, RecordId)>,
    pub conflicts: Vec<ConflictRow>,
    pub commands: Vec<(CommandId, Vec<u8>)>,
    /// Of every author that was asked for: the records, each once.
    pub written: Vec<RecordId>,
    pub all: Vec<RecordId>,
    pub naming: Vec<RecordId>,
    pub chains: Vec<(NodeId, Chains)>,
    /// Signed commits, encoded.
    pub commits: Vec<Arc<[u8]>>,
    pub quarantined: Vec<QuarantineRow>,
}
