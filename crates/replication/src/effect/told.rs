//! What people are told: answers to those who asked, and what operators should see.

use std::collections::BTreeMap;

use heliu_record::command::Refusal;
use heliu_record::conflict::Explanation;
use heliu_record::id::{LeafHash, RecordId};
use heliu_record::preview::Preview;
use heliu_storage::{Position, StoreError};
use heliu_trust::directory::SignedEntry;
use heliu_trust::id::{CommitId, Incarnation, NodeId};

use super::ids::LinkId;
use crate::frame::Refuse;

/// What a sealed field says, in the clear.
#[derive(Clone, PartialEq, Eq)]
pub struct Revealed {
    pub field: String,
    /// Each value that can be opened here; the one that the view shows last.
    pub values: Vec<String>,
    /// How many others cannot.
    pub locked: u32,
}

impl std::fmt::Debug for Revealed {
    /// Without the values: logs must not hold them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (values, locked) = (self.values.len(), self.locked);
        write!(f, "Revealed({}: {values} opened, {locked} locked)", self.field)
    }
}

/// The answer to a command, given when it is durable.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is done, and durable.
    Done(Done),
    /// What is sealed, as far as this node can open it.
    Revealed(Vec<Revealed>),
    /// Nothing of it happened, and why.
    Refused(Refusal),
    /// The directory entries do not follow.
    BadEntries(Explanation),
    /// The machine that asked is a node now.
    Joined,
    /// It is not, or not yet; the codes are those of [`heliu_trust::token::JoinError`], and `join.pending`, `join.busy`,
    /// `join.asked-again`, `join.forked`, `join.store-failed`. What is particular about it is a `heliu_record::reason::Facts`
    /// as a text.
    JoinRefused { code: String, reason: String },
    /// The entry that was drawn up, and whether it is in the directory. It is not if it needs a second signature: then
    /// it has to be signed by a cosigner and handed in with [`Input::Extend`](super::Input::Extend).
    Drafted { entry: Box<SignedEntry>, entered: bool },
    /// What a row of the quarantine is now: the code of the leaf's status, or `awaited` if it has to come again.
    Requeued(String),
    /// The store could not take it; nothing of it happened.
    StoreFailed(StoreError),
}

/// What a command has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Ids that the command made, by what they are: `record`, `entry`.
    pub result: BTreeMap<String, String>,
    pub leaves: Vec<LeafHash>,
    /// The commits that these are part of, in order.
    pub commits: Vec<CommitId>,
    /// Every record that the command changed, in order.
    pub affected: Vec<RecordId>,
    /// The same command id was carried out before; this is the answer of that time.
    pub again: bool,
    /// Of a trial: what would change. Never stored.
    pub preview: Option<Box<Preview>>,
}

/// Something that operators should see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The ends of a link hold the same.
    LinkVerified {
        link: LinkId,
        peer: NodeId,
        /// They hold the same, and what they make of it is not compared: they declare kinds otherwise, or others.
        held_only: bool,
    },
    /// The ends hold different leaves at one cut. They reconcile.
    SumsDiffer { link: LinkId, peer: NodeId },
    /// The ends hold the same leaves and judge them differently.
    JudgedDifferently { link: LinkId, peer: NodeId },
    /// The program at the other end decides otherwise about some kind, under a version that both know: what comes from there of
    /// it is held.
    KindsDiffer { link: LinkId, peer: NodeId },
    /// A reconciliation is over; how many records this end sent whole, and of how many the ends held different leaves.
    Reconciled { link: LinkId, peer: NodeId, pushed: u64, differing: u64 },
    /// This node refused leaves that it was sent.
    RefusedHere { link: LinkId, count: usize, first: String },
    /// Another node refused leaves that this one sent.
    RefusedThere { link: LinkId, count: usize, first: String },
    /// A link ends, by whichever end.
    LinkClosed { link: LinkId, peer: Option<NodeId>, why: Refuse },
    /// Two signed entries for one place of the directory: it grows no more here until the root has decided.
    DirectoryForked { index: u64 },
    /// A node signed two commits for one place of its chain.
    Equivocation { author: NodeId, seq: u64 },
    /// Edits of this node no longer count, because what they stood on was excluded.
    Stranded { record: RecordId, count: usize },
    /// The other end says that this node has written what it has not, and cannot show its signature.
    FalseClaim { link: LinkId, peer: NodeId },
    /// This node found that it had been rolled back or copied, and writes under a new incarnation.
    NewIncarnation(Incarnation),
    /// The engine takes nothing more: the shell begins a new one from the store.
    StoreFailed(StoreError),
    /// A record was erased here, because a statement of this node says so.
    Erased { record: RecordId, by: NodeId },
    /// Two heads of one length of a node's audit log: it was written anew, or its store was copied.
    AuditForked { author: NodeId, seq: u64 },
    /// Statements that came in one frame do not hold, and were not kept.
    StatementRefused {
        link: LinkId,
        count: usize,
        /// Of the first of them.
        code: &'static str,
        reason: String,
    },
    /// What was kept of records was not what their rows say, in so many scopes. It is now.
    SumsCorrected { scopes: usize },
    /// Something that the store holds of this record cannot be read. It is set aside until a link brings it again.
    Damaged { record: RecordId, why: String },
}

/// What operators see of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    pub link: LinkId,
    pub dialer: bool,
    pub peer: Option<NodeId>,
    pub program: String,
    pub phase: &'static str,
    /// Our feed position that the other has durably, and our head.
    pub acked: Position,
    pub head: Position,
    /// Leaves and bytes sent and not yet acknowledged.
    pub in_flight_frames: usize,
    pub in_flight_bytes: usize,
    /// `tick_ms` of the first of the equal checkpoints that no other came between.
    pub equal_since: Option<u64>,
    /// `tick_ms` of the last equal checkpoint, if nothing was found different since.
    pub verified_at: Option<u64>,
    /// What was found equal is what they hold, and not what they make of it.
    pub held_only: bool,
    pub reconciled: u64,
    pub mismatches: u64,
    pub refused_here: u64,
    pub refused_there: u64,
    /// The ends were last found to hold different statements, and exchange them.
    pub statements_differ: bool,
}
