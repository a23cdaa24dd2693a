//! What goes into the engine and what comes out. The shell carries every effect out and answers those that ask.

mod acts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::Request;
use heliu_record::conflict::Explanation;
use heliu_record::date::Date;
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::sight::Sight;
use heliu_storage::{
    Budget, CommandId, ConflictRow, Cursor, FeedPage, Loaded, Position, QuarantineRow, ScanItem, StoreError, StoreId,
    Transaction,
};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::{Item, SignedEntry};
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use heliu_trust::token::JoinRequest;

use crate::frame::{Frame, Refuse};

pub use acts::{AuditEvent, ForeignAction, QuarantineAction, StrandedAction};

/// A connection of this process. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// Ties an answer to its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// When something happens. `tick_ms` only ever grows and decides intervals; `wall_ms` is for display and decides nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    pub tick_ms: u64,
    pub wall_ms: i64,
}

impl Moment {
    /// What the wall clock, as it is set now, says of an earlier tick of the same life. A clock may be put right while a node
    /// runs: what it said before is not kept, or it would be shown for ever.
    #[must_use]
    pub fn wall_of(&self, tick_ms: u64) -> i64 {
        self.wall_ms.saturating_sub(i64::try_from(self.tick_ms.saturating_sub(tick_ms)).unwrap_or(i64::MAX))
    }
}

#[derive(Debug)]
pub enum Input {
    /// A connection is there. The dialling end is the one that asks when ranges are reconciled.
    LinkUp {
        link: LinkId,
        dialer: bool,
        /// The node that the connection itself has proven to be at the other end, where connections prove one.
        peer: Option<NodeId>,
    },
    LinkDown {
        link: LinkId,
    },
    Frame {
        link: LinkId,
        frame: Frame,
    },
    /// A command from a person or a program at this node.
    Execute {
        ticket: Ticket,
        request: Request,
        /// By which right, for the audit log; empty if nobody asked for one.
        role: String,
        /// The civil day where the realm is, by the clock of whoever asks: what is written where no date is given.
        today: Date,
        /// What its asker is shown: all else is not here for the command.
        sight: Sight,
    },
    /// A superior takes a record away, everywhere and for good.
    Erase {
        ticket: Ticket,
        record: RecordId,
        who: String,
        role: String,
        reason: String,
    },
    /// What is sealed in a record, in the clear, if this node may read it. That somebody asked is in the audit log before he
    /// is answered.
    Reveal {
        ticket: Ticket,
        record: RecordId,
        who: String,
        role: String,
        why: String,
    },
    /// Something that the shell did, for the audit log.
    Audit {
        ticket: Ticket,
        event: AuditEvent,
    },
    /// Directory entries from this node's own administrator. As with all acts of administrators below, the audit log has it
    /// in the transaction in which it happens.
    Extend {
        ticket: Ticket,
        entries: Vec<SignedEntry>,
        /// None: nobody does it, they are what the node is started with.
        event: Option<AuditEvent>,
    },
    /// A new machine asks to become a node. Answered when the directory has it, or when it is refused; if nobody who can
    /// enter it is in reach for a while, with the code `join.pending`: the request stays and goes up as soon as it can, and
    /// whoever asks again with the same token and key hears what became of it.
    Join {
        ticket: Ticket,
        request: JoinRequest,
    },
    /// Items that this node's administrator wants in the directory. It takes the issuer's key.
    Draft {
        ticket: Ticket,
        items: Vec<Item>,
        event: AuditEvent,
    },
    /// As [`Input::Draft`], of a fence around a node: with the last commits that are known here as its frontier, or, with
    /// `nothing`, without one. `excluded` are leaves below it that are not good either.
    FenceOf {
        ticket: Ticket,
        node: NodeId,
        nothing: bool,
        excluded: Vec<LeafHash>,
        event: AuditEvent,
    },
    /// What is to become of an edit of this node that no longer counts; see [`heliu_storage::StrandedRow`].
    Stranded {
        ticket: Ticket,
        leaf: LeafHash,
        action: StrandedAction,
        event: AuditEvent,
    },
    /// What is to become of a row in quarantine.
    Quarantine {
        ticket: Ticket,
        id: [u8; 32],
        action: QuarantineAction,
        event: AuditEvent,
    },
    /// Whether something new is taken of a seat outside of this line.
    Foreign {
        ticket: Ticket,
        seat: SeatId,
        action: ForeignAction,
        event: AuditEvent,
    },
    /// Compare with the other end as soon as both are quiet.
    Verify {
        link: LinkId,
    },
    /// Answers [`Effect::Load`].
    Loaded(LoadReply),
    /// Answers [`Effect::Apply`]: what was handed over is durable, or nothing of it is.
    Applied(Result<(), StoreError>),
    /// Answers [`Effect::ReadFeed`] and [`Effect::ReadLeaves`].
    Page {
        link: LinkId,
        page: FeedPage,
    },
    /// Answers [`Effect::ReadPeer`].
    Peer {
        link: LinkId,
        cursor: Option<Cursor>,
        /// The last commit of the other node that the store has.
        last_commit: Option<Arc<SignedCommit>>,
        /// Some records with waiting leaves, and some with leaves that could not be judged, each after the one that was named and
        /// round again.
        wants: BTreeSet<RecordId>,
    },
    /// Answers [`Effect::Scan`]: every row of the store, in id order.
    Scanned {
        link: LinkId,
        items: Vec<ScanItem>,
    },
    /// Answers [`Effect::Sweep`]; empty if it failed: the next occasion comes.
    Swept {
        items: Vec<ScanItem>,
    },
    /// Answers [`Effect::Look`]; empty if it failed: it begins again.
    Looked {
        records: Vec<RecordId>,
        next: Option<RecordId>,
    },
    /// Records that somebody could not be shown as they were written: they are made anew.
    Suspect {
        records: Vec<RecordId>,
    },
    /// A read for a link failed; the link closes and is dialled again.
    ReadFailed {
        link: LinkId,
        error: StoreError,
    },
    /// Time has passed. Due about every second.
    Tick,
}

impl Input {
    /// Who waits for an answer to it.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self {
            Input::Execute { ticket, .. }
            | Input::Erase { ticket, .. }
            | Input::Reveal { ticket, .. }
            | Input::Audit { ticket, .. }
            | Input::Extend { ticket, .. }
            | Input::Join { ticket, .. }
            | Input::Draft { ticket, .. }
            | Input::FenceOf { ticket, .. }
            | Input::Stranded { ticket, .. }
            | Input::Quarantine { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub enum Effect {
    Send {
        link: LinkId,
        frame: Frame,
    },
    /// Let the connection end once what was sent before is out.
    Close {
        link: LinkId,
        why: Refuse,
    },
    /// At most one at a time.
    Load(LoadRequest),
    /// At most one at a time. Nobody is told anything that depends on it before it is durable.
    Apply(Box<Transaction>),
    ReadFeed {
        link: LinkId,
        after: Position,
        budget: Budget,
    },
    ReadLeaves {
        link: LinkId,
        records: BTreeSet<RecordId>,
    },
    ReadPeer {
        link: LinkId,
        store: StoreId,
        node: NodeId,
        /// After which record wants begin, of which not all may be read: another one each time.
        after: RecordId,
    },
    Scan {
        link: LinkId,
    },
    /// Some rows with grants after this one, see [`heliu_storage::ReadRecords::granted`]: [`SWEEP_ROWS`] of them, if there are so
    /// many.
    Sweep {
        after: Option<RecordId>,
    },
    /// The ids of the next [`LOOK_ROWS`] records after this one, those whose rows are damaged too.
    Look {
        after: Option<RecordId>,
    },
    Reply {
        ticket: Ticket,
        reply: Reply,
    },
    /// Something that operators should see.
    Notice(Notice),
}

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
    pub chains: Vec<(NodeId, Chains)>,
    /// Signed commits, encoded.
    pub commits: Vec<std::sync::Arc<[u8]>>,
    pub quarantined: Vec<QuarantineRow>,
}

/// How many rows answer one [`Effect::Sweep`] at most.
pub const SWEEP_ROWS: usize = 1_024;

/// How many records answer one [`Effect::Look`]: each is read with its history, and its signatures are verified.
pub const LOOK_ROWS: usize = 8;

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
    Done(Done),
    Revealed(Vec<Revealed>),
    Refused(heliu_record::command::Refusal),
    /// The directory entries do not follow.
    BadEntries(Explanation),
    /// The machine that asked is a node now.
    Joined,
    /// It is not, or not yet; the codes are those of [`heliu_trust::token::JoinError`], and `join.pending`, `join.busy`,
    /// `join.asked-again`, `join.forked`, `join.store-failed`. What is particular about it is a `heliu_record::reason::Facts`
    /// as a text.
    JoinRefused {
        code: String,
        reason: String,
    },
    /// The entry that was drawn up, and whether it is in the directory. It is not if it needs a second signature: then
    /// it has to be signed by a cosigner and handed in with [`Input::Extend`].
    Drafted {
        entry: Box<SignedEntry>,
        entered: bool,
    },
    /// What a row of the quarantine is now: the code of the leaf's status, or `awaited` if it has to come again.
    Requeued(String),
    /// The store could not take it; nothing of it happened.
    StoreFailed(StoreError),
}

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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    LinkVerified {
        link: LinkId,
        peer: NodeId,
        /// They hold the same, and what they make of it is not compared: they declare kinds otherwise, or others.
        held_only: bool,
    },
    /// The ends hold different leaves at one cut. They reconcile.
    SumsDiffer {
        link: LinkId,
        peer: NodeId,
    },
    /// The ends hold the same leaves and judge them differently.
    JudgedDifferently {
        link: LinkId,
        peer: NodeId,
    },
    /// The program at the other end decides otherwise about some kind, under a version that both know: what comes from there of
    /// it is held.
    KindsDiffer {
        link: LinkId,
        peer: NodeId,
    },
    Reconciled {
        link: LinkId,
        peer: NodeId,
        pushed: u64,
        differing: u64,
    },
    /// This node refused leaves that it was sent.
    RefusedHere {
        link: LinkId,
        count: usize,
        first: String,
    },
    /// Another node refused leaves that this one sent.
    RefusedThere {
        link: LinkId,
        count: usize,
        first: String,
    },
    LinkClosed {
        link: LinkId,
        peer: Option<NodeId>,
        why: Refuse,
    },
    /// Two signed entries for one place of the directory: it grows no more here until the root has decided.
    DirectoryForked {
        index: u64,
    },
    /// A node signed two commits for one place of its chain.
    Equivocation {
        author: NodeId,
        seq: u64,
    },
    /// Edits of this node no longer count, because what they stood on was excluded.
    Stranded {
        record: RecordId,
        count: usize,
    },
    /// The other end says that this node has written what it has not, and cannot show its signature.
    FalseClaim {
        link: LinkId,
        peer: NodeId,
    },
    /// This node found that it had been rolled back or copied, and writes under a new incarnation.
    NewIncarnation(Incarnation),
    StoreFailed(StoreError),
    /// A record was erased here, because a statement of this node says so.
    Erased {
        record: RecordId,
        by: NodeId,
    },
    /// Two heads of one length of a node's audit log: it was written anew, or its store was copied.
    AuditForked {
        author: NodeId,
        seq: u64,
    },
    /// Statements that came in one frame do not hold, and were not kept.
    StatementRefused {
        link: LinkId,
        count: usize,
        /// Of the first of them.
        code: &'static str,
        reason: String,
    },
    /// Something that the store holds of this record cannot be read. It is set aside until a link brings it again.
    Damaged {
        record: RecordId,
        why: String,
    },
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
