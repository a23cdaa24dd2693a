//! Who is at the other end of a connection that came in, as calls over it find it in their extensions.

use std::net::SocketAddr;
use std::sync::Arc;

use heliu_trust::id::NodeId;

use super::lobby::Pass;
use super::share::Share;

/// Who is at the other end of a connection.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub address: SocketAddr,
    /// The node whose certificate the other end has shown.
    pub node: Option<NodeId>,
    /// The connection's place; see `lobby`.
    pub pass: Pass,
    /// Room for answers that the visitor does not take; see `unread`.
    pub share: Arc<Share>,
}
