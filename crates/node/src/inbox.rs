//! What goes to the engine's task: the entries of the one bounded queue `inbox`.

use std::time::Duration;

use heliu_record::command::Request;
use heliu_replication::LinkId;
use heliu_replication::frame::{Frame, Refuse};
use heliu_trust::directory::SignedEntry;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::{AskError, ExecuteError, ExtendError};
use crate::links::LinkEnd;
use crate::status::{Executed, LinkReport, NodeStatus, Verification};

pub(crate) type Answer<T, E> = oneshot::Sender<Result<T, E>>;

pub(crate) enum Ask {
    Execute {
        request: Request,
        answer: Answer<Executed, ExecuteError>,
        permit: OwnedSemaphorePermit,
    },
    Extend {
        entries: Vec<SignedEntry>,
        answer: Answer<(), ExtendError>,
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
