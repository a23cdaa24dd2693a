//! The place at this node of who has opened a link, until the link ends. One whom the directory does not know may be new: it
//! stays in the lobby, with one link, until the directory has it, which may have come over this very link.

use std::sync::Arc;

use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::lobby::Pass;

pub(crate) struct LinkPlace {
    /// None: nobody proves anything, in development mode.
    peer: Option<NodeId>,
    pass: Option<Pass>,
    directory: watch::Receiver<Directory>,
    /// One permit for each link of an enrolled node.
    links: Arc<Semaphore>,
    slot: Option<OwnedSemaphorePermit>,
}

/// Why a link has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// Whom the directory does not know has one link in a connection.
    OneOnly,
    /// No more links of enrolled nodes may be open.
    Links,
    /// No more connections may be admitted.
    Connections,
}

impl LinkPlace {
    pub fn take(
        peer: Option<NodeId>,
        pass: Option<Pass>,
        directory: watch::Receiver<Directory>,
        links: Arc<Semaphore>,
    ) -> Result<Self, NoPlace> {
        let mut place = LinkPlace { peer, pass, directory, links, slot: None };
        if !place.is_known() {
            let may = place.pass.as_ref().is_none_or(Pass::open_link);
            return if may { Ok(place) } else { Err(NoPlace::OneOnly) };
        }
        let slot = Arc::clone(&place.links).try_acquire_owned().map_err(|_| NoPlace::Links)?;
        if !place.pass.as_ref().is_none_or(Pass::admit) {
            return Err(NoPlace::Connections);
        }
        place.slot = Some(slot);
        Ok(place)
    }

    /// Something came over the link: the directory may know its node by now. If there is room, the link leaves the lobby.
    pub fn look(&mut self) {
        if self.slot.is_none() && self.is_known() {
            let slot = Arc::clone(&self.links).try_acquire_owned().ok();
            self.slot = slot.filter(|_| self.pass.as_ref().is_none_or(Pass::admit));
        }
    }

    fn is_known(&self) -> bool {
        let directory = self.directory.borrow();
        self.peer.is_none_or(|peer| directory.node(peer).is_some() && !directory.is_fenced(peer))
    }
}

impl Drop for LinkPlace {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.as_ref().filter(|_| self.slot.is_some()) {
            pass.dismiss();
        }
    }
}
