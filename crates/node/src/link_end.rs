//! The engine's end of a link: what the one task that owns the engine holds of a connection, to send and to close. The
//! other ends, and the tasks that have them, are in `links`.

use heliu_replication::frame::{Frame, Refuse};
use heliu_trust::id::NodeId;
use tokio::sync::{mpsc, oneshot};

use crate::trouble::Cause;

/// The engine's end of a link.
pub(crate) struct LinkEnd {
    pub dialer: bool,
    /// The node that the connection has proven to be at the other end; none in development mode.
    pub peer: Option<NodeId>,
    /// The address that was dialled, or from which the other end dialled.
    pub address: String,
    /// The queue `outgoing`. When this sender is dropped, the link ends once what is in the queue has been sent.
    frames: mpsc::Sender<Frame>,
    stop: oneshot::Sender<Closing>,
}

/// Why this end closed a link.
pub(crate) enum Closing {
    /// One end refused the other.
    Refused(Refuse),
    /// The connection failed; the dialling end makes the link again, which may do better.
    GivenUp(Cause),
}

/// The other end does not take what is sent to it.
pub(crate) struct Overflow;

impl LinkEnd {
    /// A link whose node at the other end is not proven yet.
    pub fn new(dialer: bool, address: String, frames: mpsc::Sender<Frame>, stop: oneshot::Sender<Closing>) -> Self {
        LinkEnd { dialer, peer: None, address, frames, stop }
    }

    /// Never waits: the engine's task serves all links.
    pub fn send(&self, frame: Frame) -> Result<(), Overflow> {
        match self.frames.try_send(frame) {
            Err(mpsc::error::TrySendError::Full(_)) => Err(Overflow),
            // The connection is gone already; its reader says so.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Ends the link once everything sent is out.
    pub fn close(self, why: Refuse) {
        let _ = self.stop.send(Closing::Refused(why)); // An error: the connection has ended before.
    }

    /// As [`LinkEnd::close`], for a link that failed and that neither end refuses.
    pub fn give_up(self, why: Cause) {
        let _ = self.stop.send(Closing::GivenUp(why));
    }
}
