//! What a batch asks of the store, and what it is answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{CommandId, ConflictRow, Loaded, QuarantineRow};
use heliu_trust::id::{CommitId, Incarnation, NodeId};

/// What a batch has to look up before it can go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadRequest {
    /// With their leaves and grants.
    pub records: BTreeSet<RecordId>,
    /// Who refers to these?
    pub referring: BTreeSet<RecordId>,
    /// Open conflicts with one of these as an anchor.
    pub conflicts_of: BTreeSet<RecordId>,
    /// Answers to these, if they were carried out before.
    pub commands: BTreeSet<CommandId>,
    /// Which records hold a leaf of these?
    pub written_by: BTreeSet<NodeId>,
    /// The ids of all records.
    pub all: bool,
    /// Which records name one of these seats?
    pub naming: BTreeSet<SeatId>,
    /// The last commit of each incarnation of these.
    pub chains_of: BTreeSet<NodeId>,
    /// What stands at these places.
    pub commits_at: BTreeSet<Place>,
    /// Rows of the quarantine, by id.
    pub quarantined: BTreeSet<[u8; 32]>,
}

/// The last commit of each incarnation of an author, with its seq.
pub type Chains = Vec<(Incarnation, u64, CommitId)>;

/// A place in an author's chain. Two commits for one are evidence.
pub type Place = (NodeId, Incarnation, u64);

/// What of it there is.
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
