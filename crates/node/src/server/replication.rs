//! `heliu.replication.v1`: the answering end of links.

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use heliu_record::reason::Facts;
use heliu_tls::Why;
use heliu_wire::replication::replication_service_server::ReplicationService;
use heliu_wire::replication::{LinkRequest, LinkResponse};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use super::refusals::{no_certificate, shutting_down, stranger_has_a_link, too_many};
use crate::connections::{LinkPlace, NoPlace, Visitor};
use crate::handle::NodeHandle;
use crate::links::link;
use crate::links::session::{self, Ended};
use crate::options::Limits;
use crate::routes::Route;
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
        if !inner.life.is_running() {
            return Err(shutting_down().into());
        }
        let visitor = request.extensions().get::<Visitor>().cloned();
        let peer = visitor.as_ref().and_then(|visitor| visitor.node);
        if inner.secured.is_some() && peer.is_none() {
            if let Some(visitor) = visitor {
                let why = Why::NoCertificate.to_string();
                inner.connections.refused.note(visitor.address, ("no_certificate", Facts::none()), &why, None);
            }
            return Err(no_certificate().into());
        }
        let pass = visitor.as_ref().map(|visitor| visitor.pass.clone());
        let place = LinkPlace::take(peer, pass, inner.directory.clone(), Arc::clone(&self.links));
        let place = place.map_err(|why| refused(why, &inner.limits))?;
        let address = visitor.map(|visitor| visitor.address.to_string()).unwrap_or_default();
        let route = Arc::new(Route::accepted(address.clone()));
        let (mut end, mut tasks, outgoing) = link(&inner, route, false);
        (end.peer, tasks.peer, tasks.place) = (peer, peer, Some(place));
        let id = tasks.id;
        let incoming = request.into_inner();
        tokio::spawn(async move {
            let source = Source::of_link(peer, &address);
            if let Ended::Lost(why) = session::run(&inner, end, tasks, incoming).await
                && inner.told.claim(source, "link lost")
            {
                tracing::info!(link = id.0, %address, %why, "link lost");
            }
        });
        Ok(Response::new(Box::pin(outgoing.responses())))
    }
}

fn refused(why: NoPlace, limits: &Limits) -> Status {
    let refusal = match why {
        NoPlace::OneOnly => stranger_has_a_link(),
        NoPlace::Links => too_many("too_many_links", limits.links),
        NoPlace::Connections => too_many("too_many_connections", limits.connections),
    };
    refusal.into()
}
