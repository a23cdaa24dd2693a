//! What there is to do: pieces of work, as they wait in the queue.

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

use crate::authority::{By, JoinAsker};
use crate::effect::{AuditEvent, ForeignAction, LinkId, QuarantineAction, StrandedAction, Ticket, Trial};
use crate::frame::RefusedLeaf;

/// A command, and for whom it is carried out; see [`Input::Execute`](crate::effect::Input::Execute).
#[derive(Clone)]
pub(crate) struct Order {
    pub ticket: Ticket,
    pub request: Request,
    pub trial: Trial,
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
    /// A record to be read from the store and held against its signed leaves; see [`Patrol`](crate::health::Patrol).
    Check {
        record: RecordId,
    },
    /// What is kept of records is written, since nothing else is.
    KeepScopes,
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
    /// The record that it holds against its leaves.
    pub fn checks(&self) -> Option<RecordId> {
        if let Work::Check { record } = self { Some(*record) } else { None }
    }

    /// Whether nothing may be in flight when it is done, and nothing worked on until it is durable: what changes who may what,
    /// what takes something away, and what is read from the store to be compared with what is here.
    pub fn is_alone(&self) -> bool {
        match self {
            Work::Leaves(_)
            | Work::Execute(_)
            | Work::Reveal { .. }
            | Work::Audit { .. }
            | Work::LookThrough { .. }
            | Work::KeepKeys => false,
            Work::Statements { statements, .. } => statements.iter().any(|signed| signed.statement.erases().is_some()),
            Work::Erase { .. }
            | Work::TellAuditHead
            | Work::Extend { .. }
            | Work::Withdrawn { .. }
            | Work::LetGo { .. }
            | Work::Mend { .. }
            | Work::Check { .. }
            | Work::KeepScopes
            | Work::Rename { .. }
            | Work::Renew(_)
            | Work::Join { .. }
            | Work::Draft { .. }
            | Work::FenceOf { .. }
            | Work::Reissue { .. }
            | Work::Stranded { .. }
            | Work::Quarantine { .. }
            | Work::Foreign { .. } => true,
        }
    }

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
