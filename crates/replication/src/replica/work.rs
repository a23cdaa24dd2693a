//! What there is to do on the records, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::Request;
use heliu_record::date::Date;
use heliu_record::gate::KindDigest;
use heliu_record::hash::Sum;
use heliu_record::id::{LeafHash, Preimage, RecordId, SeatId};
use heliu_record::sight::Sight;
use heliu_storage::{Cursor, QuarantineRow};
use heliu_trust::admission::Leaf;
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::{Item, SignedEntry};
use heliu_trust::grant::SignedGrant;
use heliu_trust::id::{Incarnation, NodeId};
use heliu_trust::statement::SignedStatement;
use heliu_trust::token::JoinRequest;

use super::enrolment::JoinAsker;
use super::forks::{By, NotGrown};
use crate::effect::{AuditEvent, ForeignAction, LinkId, Notice, QuarantineAction, Reply, StrandedAction, Ticket};
use crate::frame::{JoinRefused, RefusedLeaf};

/// A command, and for whom it is carried out; see [`Input::Execute`](crate::effect::Input::Execute).
#[derive(Clone)]
pub(crate) struct Order {
    pub ticket: Ticket,
    pub request: Request,
    pub role: String,
    pub today: Date,
    pub sight: Sight,
}

/// One piece of work on the records.
pub(crate) enum Work {
    Leaves(Incoming),
    Execute(Order),
    Erase {
        ticket: Ticket,
        record: RecordId,
        event: AuditEvent,
    },
    Reveal {
        ticket: Ticket,
        record: RecordId,
        event: AuditEvent,
    },
    Audit {
        ticket: Ticket,
        event: AuditEvent,
    },
    /// Statements that a link brought, checked.
    Statements {
        link: LinkId,
        statements: Vec<Arc<SignedStatement>>,
    },
    /// Does somebody lack a key of this record's that this node can wrap?
    LookThrough {
        record: RecordId,
    },
    /// Do readers of audiences lack keys that this node can give them?
    KeepKeys,
    /// The superiors are told how far the audit log goes.
    TellAuditHead,
    Extend {
        entries: Vec<SignedEntry>,
        by: By,
    },
    /// Another node says that a record is no longer ours. What we hold decides; if it does not say so, leaves are missing.
    Withdrawn {
        link: LinkId,
        record: RecordId,
    },
    /// A record that left this seat, and the digest of what a superior has proven to have of it: if that is all of it, its
    /// bytes go.
    LetGo {
        record: RecordId,
        proven: Sum,
    },
    /// A record that was damaged: it is loaded, and what there is of it is folded and written anew.
    Mend {
        record: RecordId,
    },
    /// A record to be read from the store and held against its signed leaves; see [`patrol`](super::patrol).
    Check {
        record: RecordId,
    },
    /// What is kept under one id is the record with the other.
    Rename {
        wrong: RecordId,
        own: RecordId,
    },
    /// From here on, write under this incarnation.
    Renew(Incarnation),
    /// A new machine asks to become a node.
    Join {
        asker: JoinAsker,
        request: Box<JoinRequest>,
    },
    /// What this node's administrator wants in the directory.
    Draft {
        ticket: Ticket,
        items: Vec<Item>,
        event: AuditEvent,
    },
    FenceOf {
        ticket: Ticket,
        node: NodeId,
        nothing: bool,
        excluded: Vec<LeafHash>,
        event: AuditEvent,
    },
    /// Own edits of the record that were excluded and not tried again yet.
    Reissue {
        record: RecordId,
    },
    Stranded {
        ticket: Ticket,
        leaf: LeafHash,
        action: StrandedAction,
        event: AuditEvent,
    },
    Quarantine {
        ticket: Ticket,
        id: [u8; 32],
        action: QuarantineAction,
        event: AuditEvent,
    },
    Foreign {
        ticket: Ticket,
        seat: SeatId,
        action: ForeignAction,
        event: AuditEvent,
    },
}

impl Work {
    /// Who waits for an answer to it.
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Work::Execute(Order { ticket, .. })
            | Work::Erase { ticket, .. }
            | Work::Reveal { ticket, .. }
            | Work::Audit { ticket, .. }
            | Work::Extend { by: By::Ticket(ticket, _), .. }
            | Work::Join { asker: JoinAsker::Ticket(ticket), .. }
            | Work::Draft { ticket, .. }
            | Work::FenceOf { ticket, .. }
            | Work::Stranded { ticket, .. }
            | Work::Quarantine { ticket, .. }
            | Work::Foreign { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }
}

/// Leaves that came over a link, opened: signatures and shapes are checked, the records have not been looked at.
pub(crate) struct Incoming {
    pub link: LinkId,
    pub from: NodeId,
    pub sequence: u64,
    pub commits: Vec<Arc<SignedCommit>>,
    /// Each with the declaration of its kind by which it is to be judged, as far as the link says.
    pub leaves: Vec<(Leaf, Arc<Preimage>, Option<KindDigest>)>,
    pub grants: Vec<(SignedGrant, Arc<Preimage>)>,
    pub refused: Vec<RefusedLeaf>,
    pub quarantined: Vec<QuarantineRow>,
    pub cursor: Option<Cursor>,
}

/// What a batch leads to once it is durable.
#[derive(Default)]
pub(crate) struct Outcome {
    pub replies: Vec<(Ticket, Reply)>,
    /// Per link the last frame taken, and what of it was refused.
    pub ingested: Vec<(LinkId, u64, Vec<RefusedLeaf>)>,
    pub wants: BTreeMap<LinkId, BTreeSet<RecordId>>,
    /// Per link the records of which it brought leaves that were known.
    pub came_again: BTreeMap<LinkId, BTreeSet<RecordId>>,
    pub directory_grew: bool,
    /// Statements that are new here, and the link that brought each.
    pub stated: Vec<(Option<LinkId>, Arc<SignedStatement>)>,
    /// Links of which a frame of statements was taken; once for each.
    pub heard: Vec<LinkId>,
    /// The root decided a fork: the entries from this index on are others now.
    pub replaced_from: Option<u64>,
    /// An entry for a place that another has, noticed now.
    pub forked: Option<SignedEntry>,
    /// What became of the directory entries that links brought.
    pub extended: Vec<(LinkId, Result<(), NotGrown>)>,
    pub join_refused: Vec<(JoinAsker, JoinRefused)>,
    /// Join requests that somebody else has to enter.
    pub pass_up: Vec<(JoinAsker, Box<JoinRequest>)>,
    /// A leaf of our own current incarnation came that we do not know.
    pub rolled_back: bool,
    pub notices: Vec<Notice>,
}
