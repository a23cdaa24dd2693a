//! What an engine begins with.

use std::sync::Arc;

use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_storage::{DamagedRow, Meta, ScanItem, ScopeRow, StatementRow, StrandedRow, Tally, UnjudgedRow};
use heliu_trust::directory::Directory;
use heliu_trust::id::{CommitId, NodeId};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::{Signer, Verifier};

use crate::config::Config;
use crate::records::{ForeignCounts, Kept, ScopeSums};

/// Read from the store by the shell. What the store holds of records is told by what is kept of them, or counted row by row,
/// so that a large store does not have to be in memory at once: see [`count`](crate::serving::count).
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
    scopes_max: usize,
    pub(crate) kept: Kept,
    pub(crate) sums: ScopeSums,
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
        config: &Config,
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
            scopes_max: config.scopes_max,
            kept: Kept::new(config.scopes_max),
            sums,
            foreign: ForeignCounts::default(),
            set_aside: Vec::new(),
        }
    }

    /// Takes what is kept of records for what they come to, if that tells all. Else they have to be counted.
    pub fn keep(&mut self, rows: &[ScopeRow]) -> bool {
        let kept = Kept::read(self.scopes_max, rows);
        let is_whole = kept.is_whole();
        if is_whole {
            kept.rows().for_each(|(scope, tally)| self.tell(scope, tally));
            self.kept = kept;
        }
        is_whole
    }

    /// Counts rows of the store; each exactly once.
    pub fn count(&mut self, items: &[ScanItem]) {
        for item in items {
            let tally = Tally::from(item);
            self.kept.add(&item.scope, &tally);
            self.tell(&item.scope, &tally);
        }
    }

    /// There are such records of this scope.
    fn tell(&mut self, scope: &Scope, tally: &Tally) {
        self.sums.count(scope, tally, self.seat, self.directory.seats());
        self.foreign.count(scope, tally, self.seat, self.directory.seats());
    }

    /// Takes note of rows that were found to be damaged while they were counted.
    pub fn set_aside(&mut self, rows: &[DamagedRow]) {
        self.set_aside.extend(rows.iter().filter_map(|row| row.record));
    }
}
