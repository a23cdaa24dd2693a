//! `heliu.replication.v1`: the answering end of links.

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use heliu_record::reason::Facts;
use heliu_tls::Why;
use heliu_trust::id::NodeId;
use heliu_wire::replication::replication_service_server::ReplicationService;
use heliu_wire::replication::{LinkRequest, LinkResponse};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status, Streaming};

use super::Visitor;
use super::lobby::Pass;
use super::refusals::{no_certificate, shutting_down, stranger_has_a_link, too_many};
use crate::handle::{Inner, NodeHandle};
use crate::links::conversation::{Ended, converse};
use crate::links::link;
use crate::links::route::Route;
use crate::told::Source;

pub(super) struct Replication {
    node: NodeHandle,
    /// One permit for each link of an enrolled node.
    links: Arc<Semaphore>,
}

impl Replication {
    pub fn new(node: NodeHandle) -> Self {
        let links = Arc::new(Semaphore::new(node.0.limits.links));
        Replication { node, links }
    }
}

#[tonic::async_trait]
impl ReplicationService for Replication {
    type LinkStream = Pin<Box<dyn Stream<Item = Result<LinkResponse, Status>> + Send>>;

    /// Which node the certificate proves goes to the engine, which compares it with the hello.
    async fn link(&self, request: Request<Streaming<LinkRequest>>) -> Result<Response<Self::LinkStream>, Status> {
        let inner = Arc::clone(&self.node.0);
        if !inner.is_running() {
            return Err(shutting_down().into());
        }
        let visitor = request.extensions().get::<Visitor>().cloned();
        let peer = visitor.as_ref().and_then(|visitor| visitor.node);
        if inner.secured.is_some() && peer.is_none() {
            if let Some(visitor) = visitor {
                let why = Why::NoCertificate.to_string();
                inner.refused.note(visitor.address, ("no_certificate", Facts::none()), &why, None);
            }
            return Err(no_certificate().into());
        }
        let pass = visitor.as_ref().map(|visitor| visitor.pass.clone());
        let mut guest = Guest { peer, pass, links: Arc::clone(&self.links), slot: None };
        guest.begin(&inner)?;
        let address = visitor.map(|visitor| visitor.address.to_string()).unwrap_or_default();
        let route = Arc::new(Route::accepted(address.clone()));
        let (mut end, mut tasks, outgoing) = link(&inner, route, false);
        (end.peer, tasks.peer, tasks.guest) = (peer, peer, Some(guest));
        let id = tasks.id;
        let incoming = request.into_inner();
        tokio::spawn(async move {
            let source = Source::of_link(peer, &address);
            if let Ended::Lost(why) = converse(&inner, end, tasks, incoming).await
                && inner.told.may(source, "link lost")
            {
                tracing::info!(link = id.0, %address, %why, "link lost");
            }
        });
        Ok(Response::new(Box::pin(outgoing.responses())))
    }
}

/// Who has opened a link, and its place at this node until the link ends. One whom the directory does not know may be new:
/// it stays in the lobby, with one link, until the directory has it, which may have come over this very link.
pub(crate) struct Guest {
    /// None: nobody proves anything, in development mode.
    peer: Option<NodeId>,
    pass: Option<Pass>,
    links: Arc<Semaphore>,
    slot: Option<OwnedSemaphorePermit>,
}

impl Guest {
    fn begin(&mut self, inner: &Inner) -> Result<(), Status> {
        if !self.is_known(inner) {
            let may = self.pass.as_ref().is_none_or(Pass::open_link);
            return if may { Ok(()) } else { Err(stranger_has_a_link().into()) };
        }
        let Ok(slot) = Arc::clone(&self.links).try_acquire_owned() else {
            return Err(too_many("too_many_links", inner.limits.links).into());
        };
        if !self.pass.as_ref().is_none_or(Pass::admit) {
            return Err(too_many("too_many_connections", inner.limits.connections).into());
        }
        self.slot = Some(slot);
        Ok(())
    }

    /// Something came from it: the directory may know it by now. Where there is no room for one more, it stays where it is.
    pub fn look(&mut self, inner: &Inner) {
        if self.slot.is_none() && self.is_known(inner) {
            let slot = Arc::clone(&self.links).try_acquire_owned().ok();
            self.slot = slot.filter(|_| self.pass.as_ref().is_none_or(Pass::admit));
        }
    }

    fn is_known(&self, inner: &Inner) -> bool {
        let directory = inner.directory.borrow();
        self.peer.is_none_or(|peer| directory.node(peer).is_some() && !directory.is_fenced(peer))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.as_ref().filter(|_| self.slot.is_some()) {
            pass.dismiss();
        }
    }
}
