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
    /// As proven by a certificate.
    pub node: Option<NodeId>,
    /// Its place.
    pub pass: Pass,
    /// What it may have of answers that it does not take.
    pub share: Arc<Share>,
}
