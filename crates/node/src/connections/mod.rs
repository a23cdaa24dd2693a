//! The connections that come in: accepted, secured, given a place and room for their answers, and hung up on. What calls and
//! links do over them is in `server` and `links`, which both stand on this; neither is known here.

pub(crate) mod incoming;
mod link_place;
mod lobby;
mod refused;
mod share;
mod stream;
pub(crate) mod unread;
mod visitor;

use std::sync::Arc;

use crate::bounds::Bounds;
use crate::options::Limits;
use crate::secured::Secured;
use crate::told::Told;
pub(crate) use link_place::{LinkPlace, NoPlace};
use lobby::Lobby;
use refused::RefusedPeers;
use unread::Unread;
pub(crate) use unread::{Full, Whose};
pub(crate) use visitor::Visitor;

/// What a node's connections have in common.
pub(crate) struct Connections {
    pub lobby: Arc<Lobby>,
    /// The answers that wait to be taken.
    pub unread: Arc<Unread>,
    pub refused: Arc<RefusedPeers>,
    told: Arc<Told>,
    secured: Option<Secured>,
    bounds: Bounds,
}

impl Connections {
    pub fn new(limits: &Limits, bounds: Bounds, secured: Option<Secured>, told: Arc<Told>) -> Arc<Self> {
        Arc::new(Connections {
            lobby: Lobby::new(limits.unproven, limits.connections),
            unread: Unread::new(bounds),
            refused: Arc::new(RefusedPeers::new(Arc::clone(&told))),
            told,
            secured,
            bounds,
        })
    }
}
