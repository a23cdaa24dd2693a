//! Links as connections: dialling them, and carrying frames both ways, whichever end dialled. Who has dialled in is
//! accepted in `server`; what operators see of links is kept in `routes`.
//!
//! What is said on a link is decided by the engine. Each link reads and writes in tasks of its own, where frames are
//! encoded and compressed too, so that a slow line costs nobody else anything.

pub(crate) mod dialer;
mod outgoing;
pub(crate) mod session;

use std::sync::Arc;

use futures::stream::AbortHandle;
use heliu_replication::LinkId;
use heliu_trust::id::NodeId;
use tokio::sync::{mpsc, oneshot};

use crate::connections::LinkPlace;
use crate::handle::Inner;
use crate::link_end::{Closing, LinkEnd};
use crate::routes::Route;
use outgoing::Outgoing;

/// The other ends of a [`LinkEnd`], for the tasks of the link.
pub(crate) struct LinkTasks {
    pub id: LinkId,
    pub route: Arc<Route>,
    /// As in [`LinkEnd`].
    pub peer: Option<NodeId>,
    pub stopped: oneshot::Receiver<Closing>,
    /// The other end's place at this node, if it has dialled.
    pub place: Option<LinkPlace>,
    /// Ends the sending direction at once, whatever waits.
    pub cut: AbortHandle,
}

/// Makes the parts of a new link; `Outgoing` is what its transport sends.
pub(crate) fn link(inner: &Inner, route: Arc<Route>, dialer: bool) -> (LinkEnd, LinkTasks, Outgoing) {
    let id = inner.next_link();
    let (frames, queue) = mpsc::channel(inner.limits.outgoing_frames);
    let (stop, stopped) = oneshot::channel();
    let (outgoing, cut) = Outgoing::new(queue, Arc::clone(&route));
    let address = route.state().address;
    let end = LinkEnd::new(dialer, address, frames, stop);
    (end, LinkTasks { id, route, peer: None, stopped, place: None, cut }, outgoing)
}
