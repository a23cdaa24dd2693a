//! What an engine begins with.

use std::sync::Arc;

use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{DamagedRow, Meta, ScanItem, StatementRow, StrandedRow, UnjudgedRow};
use heliu_trust::directory::Directory;
use heliu_trust::id::{CommitId, NodeId};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::{Signer, Verifier};

use crate::records::{ForeignCounts, ScopeSums, UnknownSeats};

/// Read from the store by the shell. Rows are counted one by one, so that a large store
/// does not have to be in memory at once.
pub struct Start {
    pub node: NodeId,
    pub seat: SeatId,
    pub directory: Directory,
    /// After the new incarnation of this start has been made durable.
    pub meta: Meta,
    pub signer: Arc<dyn Signer>,
    pub verifier: Arc<dyn Verifier>,
    /// The last commit of this node's earlier incarnations.
    pub last_commit: Option<CommitId>,
    /// Records on their way out; see [`heliu_storage::ReadRecords::hidden`].
    pub hidden: Vec<RecordId>,
    /// Rows in quarantine.
    pub quarantined: u64,
    /// The node's own key for what is sealed. Without, this process opens nothing that is sealed, and hands on no keys.
    pub sealing: Option<Arc<SealingSecret>>,
    /// All statements of the store.
    pub statements: Vec<StatementRow>,
    /// Seq and hash of the last row of the audit log.
    pub audit_head: Option<(u64, [u8; 32])>,
    /// Edits of this node that no longer count and of which nobody has said what is to become.
    pub stranded: Vec<StrandedRow>,
    /// All records with leaves that a program could not judge.
    pub unjudged: Vec<UnjudgedRow>,
    /// Seats of which nothing new is taken.
    pub declined: Vec<SeatId>,
    /// The key that enters things into the directory, if this node has it.
    pub issuer: Option<Arc<dyn Signer>>,
    /// 32 random bytes that nobody else has.
    pub seed: [u8; 32],
    pub(crate) sums: ScopeSums,
    pub(crate) unknown_seats: UnknownSeats,
    pub(crate) foreign: ForeignCounts,
    /// Records whose rows are not what was written. They count for nothing until they have been made anew.
    pub(crate) set_aside: Vec<RecordId>,
}

impl Start {
    #[must_use]
    pub fn new(
        node: NodeId,
        seat: SeatId,
        directory: Directory,
        meta: Meta,
        keys: (Arc<dyn Signer>, Arc<dyn Verifier>),
        seed: [u8; 32],
    ) -> Self {
        let sums = ScopeSums::for_neighbours(seat, directory.seats());
        let (signer, verifier) = keys;
        Start {
            node,
            seat,
            directory,
            meta,
            signer,
            verifier,
            last_commit: None,
            hidden: Vec::new(),
            quarantined: 0,
            sealing: None,
            statements: Vec::new(),
            audit_head: None,
            stranded: Vec::new(),
            unjudged: Vec::new(),
            declined: Vec::new(),
            issuer: None,
            seed,
            sums,
            unknown_seats: UnknownSeats::default(),
            foreign: ForeignCounts::default(),
            set_aside: Vec::new(),
        }
    }

    /// Counts rows of the store; each exactly once.
    pub fn count(&mut self, items: &[ScanItem]) {
        self.sums.count(items, self.seat, self.directory.seats());
        self.unknown_seats.count(items, self.directory.seats());
        self.foreign.count(items, self.seat, self.directory.seats());
    }

    /// Takes note of rows that were found to be damaged while they were counted.
    pub fn set_aside(&mut self, rows: &[DamagedRow]) {
        self.set_aside.extend(rows.iter().filter_map(|row| row.record));
    }
}
