//! What goes into the engine and what comes out. The shell carries every effect out and answers those that ask.

mod acts;
mod ids;
mod load;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::command::Request;
use heliu_record::date::Date;
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::sight::Sight;
use heliu_storage::{Budget, Cursor, FeedPage, Position, ScanItem, ScanPage, StoreError, StoreId, Transaction};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::{Item, SignedEntry};
use heliu_trust::id::NodeId;
use heliu_trust::token::JoinRequest;

use crate::frame::{Frame, Refuse};

pub use acts::{AuditEvent, ForeignAction, QuarantineAction, StrandedAction, Trial};
pub use ids::{LinkId, Moment, Ticket};
pub use load::{Chains, LoadReply, LoadRequest, Place};
pub use told::{Done, LinkStatus, Notice, Reply, Revealed};

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
        /// Its id follows from what it says, as that of a row of a file: the secret of all nodes is mixed into it.
        is_guessable: bool,
        trial: Trial,
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
    Loaded(Result<LoadReply, StoreError>),
    /// Answers [`Effect::Apply`]: what was handed over is durable, or nothing of it is.
    Applied(Result<(), StoreError>),
    /// Answers [`Effect::GoOn`].
    GoOn,
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
    /// Answers [`Effect::Scan`]: the rows that were asked for, in id order.
    Scanned {
        link: LinkId,
        items: Vec<ScanItem>,
    },
    /// Answers [`Effect::ReadGranted`].
    Granted {
        items: Vec<ScanItem>,
    },
    /// Answers [`Effect::Look`].
    Looked {
        records: Vec<RecordId>,
        next: Option<RecordId>,
    },
    /// Answers [`Effect::Recount`].
    Recounted(Result<ScanPage, StoreError>),
    /// Answers [`Effect::ReadGranted`] or [`Effect::Look`], where that failed.
    CannotRead(StoreError),
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

/// What the shell is to do. What asks something of the store is answered by the input that is named; see
/// [`serving`](crate::serving) for all of it.
#[derive(Debug)]
pub enum Effect {
    /// Send this on a link, behind what was sent there before.
    Send { link: LinkId, frame: Frame },
    /// Let the connection end once what was sent before is out. Nothing more is sent on it.
    Close { link: LinkId, why: Refuse },
    /// Look all of this up for the batch under work: [`Input::Loaded`]. At most one at a time. While a transaction is in flight,
    /// each part of it may be as before or as after that.
    Load(LoadRequest),
    /// Write all of it or nothing, and answer when it is durable: [`Input::Applied`]. At most one at a time, beside a load at most
    /// and no scan. Nobody is told anything that depends on it before.
    Apply(Box<Transaction>),
    /// Hand back [`Input::GoOn`] as soon as the transaction that was handed over before is on its way: the engine works on its
    /// next batch meanwhile. Without that answer it has one batch at a time.
    GoOn,
    /// Read entries of the feed that follow a position, within a budget: [`Input::Page`].
    ReadFeed { link: LinkId, after: Position, budget: Budget },
    /// Read all leaves and grants of some records, as entries of the feed: [`Input::Page`]. As [`Effect::ReadFeed`], at most one
    /// of both at a time for each link.
    ReadLeaves { link: LinkId, records: BTreeSet<RecordId> },
    /// Look up what the store knows of the node at the other end, and of that end's store: [`Input::Peer`].
    ReadPeer {
        link: LinkId,
        store: StoreId,
        node: NodeId,
        /// After which record wants begin, of which not all may be read: another one each time.
        after: RecordId,
    },
    /// Read the rows of these scopes, or every row (none), in one state of the store: [`Input::Scanned`]. At most one at a time,
    /// and none beside a load or an apply, so what it finds is what is durable.
    Scan { link: LinkId, scopes: Option<BTreeSet<Scope>> },
    /// Read some rows with grants after this one, see [`heliu_storage::ReadRecords::granted`]: [`GRANTED_ROWS`] of them, if there
    /// are so many. [`Input::Granted`] or [`Input::CannotRead`]; at most one at a time, when there is nothing else to do.
    ReadGranted { after: Option<RecordId> },
    /// Read the ids of the next [`LOOK_ROWS`] records after this one, those whose rows are damaged too: [`Input::Looked`] or
    /// [`Input::CannotRead`]. At most one at a time, for the patrol.
    Look { after: Option<RecordId> },
    /// Read so many rows after this one, to prove what is kept of them: [`Input::Recounted`]. At most one at a time, and none
    /// beside a load, an apply or a scan.
    Recount { after: Option<RecordId>, rows: usize },
    /// Answer whoever waits for this ticket. Each is answered once.
    Reply { ticket: Ticket, reply: Reply },
    /// Something that operators should see.
    Notice(Notice),
}

/// How many rows answer one [`Effect::ReadGranted`] at most.
pub const GRANTED_ROWS: usize = 1_024;

/// How many records answer one [`Effect::Look`]: each is read with its history, and its signatures are verified.
pub const LOOK_ROWS: usize = 8;
