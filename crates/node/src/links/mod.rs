//! Links as connections: dialling and accepting them, carrying frames both ways, and what operators see of them.
//!
//! What is said on a link is decided by the engine. Each link reads and writes in tasks of its own, where frames are
//! encoded and compressed too, so that a slow line costs nobody else anything.

pub(crate) mod board;
pub(crate) mod conversation;
pub(crate) mod dialer;
mod outgoing;
pub(crate) mod route;
pub(crate) mod trouble;

use std::sync::Arc;

use futures::stream::AbortHandle;
use heliu_replication::LinkId;
use heliu_replication::frame::{Frame, Refuse};
use heliu_trust::id::NodeId;
use tokio::sync::{mpsc, oneshot};

use crate::handle::Inner;
use crate::server::Guest;
use outgoing::Outgoing;
use route::Route;
use trouble::Cause;

/// The engine's end of a link.
pub(crate) struct LinkEnd {
    pub dialer: bool,
    /// The node that the connection has proven to be at the other end; none in development mode.
    pub peer: Option<NodeId>,
    /// Where it goes, or comes from.
    pub address: String,
    /// The queue `outgoing`. When this is dropped, the link ends once what is in it has been sent.
    frames: mpsc::Sender<Frame>,
    stop: oneshot::Sender<Closing>,
}

/// Why this end closed a link.
pub(crate) enum Closing {
    /// One end refused the other.
    Refused(Refuse),
    /// It is made again, and may do better then.
    GivenUp(Cause),
}

/// The other ends of a [`LinkEnd`], for the tasks of the link.
pub(crate) struct LinkTasks {
    pub id: LinkId,
    pub route: Arc<Route>,
    /// As in [`LinkEnd`].
    pub peer: Option<NodeId>,
    pub stopped: oneshot::Receiver<Closing>,
    /// The other end's place at this node, if it has dialled.
    pub guest: Option<Guest>,
    /// Ends the sending direction at once, whatever waits.
    pub cut: AbortHandle,
}

/// The other end does not take what is sent to it.
pub(crate) struct Overflow;

impl LinkEnd {
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

    /// As [`LinkEnd::close`], for a link that is not refused: it just did not work this time.
    pub fn give_up(self, why: Cause) {
        let _ = self.stop.send(Closing::GivenUp(why));
    }
}

/// Makes the parts of a new link; `Outgoing` is what its transport sends.
pub(crate) fn link(inner: &Inner, route: Arc<Route>, dialer: bool) -> (LinkEnd, LinkTasks, Outgoing) {
    let id = inner.next_link();
    let (frames, queue) = mpsc::channel(inner.limits.outgoing_frames);
    let (stop, stopped) = oneshot::channel();
    let (outgoing, cut) = Outgoing::new(queue, Arc::clone(&route));
    let address = route.state().address;
    let end = LinkEnd { dialer, peer: None, address, frames, stop };
    (end, LinkTasks { id, route, peer: None, stopped, guest: None, cut }, outgoing)
}
