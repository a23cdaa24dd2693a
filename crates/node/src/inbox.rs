//! What goes to the engine's task: the entries of the one bounded queue `inbox`.

use std::collections::BTreeMap;
use std::time::Duration;

use heliu_record::command::Request;
use heliu_record::id::RecordId;
use heliu_record::sight::Sight;
use heliu_replication::frame::{Frame, Refuse};
use heliu_replication::{Alarm, ForeignAuthor, Input, LinkId, Receipt, Reply, Ticket, Trial};
use heliu_trust::audit::AuditHead;
use heliu_trust::id::NodeId;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{AskError, ExecuteError, OrderError};
use crate::link_end::LinkEnd;
use crate::status::{Executed, LinkReport, NodeStatus, Verification};

pub(crate) type Answer<T, E> = oneshot::Sender<Result<T, E>>;

/// Makes the input, with the ticket by which it is answered.
pub(crate) type Order = Box<dyn FnOnce(Ticket) -> Input + Send>;

pub(crate) enum Ask {
    Execute {
        request: Request,
        /// Whether its id follows from what it says.
        is_guessable: bool,
        /// Whether it is only asked if it would be carried out.
        trial: Trial,
        /// By which right, for the audit log.
        role: String,
        /// What its asker is shown.
        sight: Sight,
        answer: Answer<Executed, ExecuteError>,
        permit: OwnedSemaphorePermit,
    },
    /// Something else that the engine is to do and answers.
    Order {
        order: Order,
        answer: Answer<Reply, OrderError>,
        permit: OwnedSemaphorePermit,
    },
    Alarms {
        answer: oneshot::Sender<Vec<Alarm>>,
    },
    Foreign {
        answer: oneshot::Sender<Vec<ForeignAuthor>>,
    },
    Receipt {
        record: RecordId,
        answer: oneshot::Sender<Option<Receipt>>,
    },
    /// The newest head of each node's audit log that was told here, and when.
    AuditHeads {
        answer: oneshot::Sender<BTreeMap<NodeId, (AuditHead, i64)>>,
    },
    Status {
        answer: Answer<NodeStatus, AskError>,
    },
    Links {
        answer: Answer<Vec<LinkReport>, AskError>,
    },
    Verify {
        peer: String,
        timeout: Duration,
        answer: Answer<Vec<Verification>, AskError>,
    },
    /// Records that the store does not have as they were written.
    Suspect {
        records: Vec<RecordId>,
    },
    LinkUp {
        link: LinkId,
        end: LinkEnd,
    },
    Frame {
        link: LinkId,
        frame: Frame,
    },
    /// What came is no frame: the other end is told why, and the link ends.
    Broken {
        link: LinkId,
        why: Refuse,
    },
    LinkDown {
        link: LinkId,
    },
}
