//! `heliu.replication.v1`: the answering end of links.

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use heliu_tls::Why;
use heliu_wire::replication::replication_service_server::ReplicationService;
use heliu_wire::replication::{LinkRequest, LinkResponse};
use heliu_wire::status::Refusal;
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status, Streaming};

use super::Visitor;
use super::refusals::{no_certificate, shutting_down};
use crate::handle::NodeHandle;
use crate::links::conversation::{Ended, converse};
use crate::links::link;
use crate::links::route::Route;

pub(super) struct Replication {
    node: NodeHandle,
    /// One permit for each link.
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
        let visitor = request.extensions().get::<Visitor>().copied();
        let peer = visitor.and_then(|visitor| visitor.node);
        if inner.secured.is_some() && peer.is_none() {
            if let Some(visitor) = visitor {
                inner.refused.note(visitor.address, "no_certificate", &Why::NoCertificate.to_string(), None);
            }
            return Err(no_certificate().into());
        }
        let Ok(slot) = Arc::clone(&self.links).try_acquire_owned() else {
            let limit = inner.limits.links;
            let zh = format!("已有 {limit} 条链路,本节点不再接受。");
            let en = format!("{limit} links are open, and this node takes no more.");
            return Err(Refusal::new(Code::ResourceExhausted, "too_many_links", &zh, &en).into());
        };
        let address = visitor.map(|visitor| visitor.address.to_string()).unwrap_or_default();
        let route = Arc::new(Route::accepted(address.clone()));
        let (mut end, tasks, outgoing) = link(&inner, route, false);
        end.peer = peer;
        let id = tasks.id;
        let incoming = request.into_inner();
        tokio::spawn(async move {
            if let Ended::Lost(why) = converse(&inner, end, tasks, incoming).await {
                tracing::info!(link = id.0, %address, %why, "link lost");
            }
            drop(slot);
        });
        Ok(Response::new(Box::pin(outgoing.responses())))
    }
}
