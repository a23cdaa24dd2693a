//! `heliu.administration.v1`: what administrators ask and order.

use std::sync::Arc;

use heliu_storage::Read;
use heliu_wire::administration as pb;
use heliu_wire::administration::administration_service_server::AdministrationService;
use tonic::{Request, Response, Status};

use super::refusals::not_yet;
use crate::handle::NodeHandle;

type Answer<T> = Result<Response<T>, Status>;

pub(super) struct Administration<S> {
    _node: NodeHandle,
    _store: Arc<S>,
}

impl<S: Read> Administration<S> {
    pub fn new(node: NodeHandle, store: Arc<S>) -> Self {
        Administration { _node: node, _store: store }
    }
}

#[tonic::async_trait]
impl<S: Read + 'static> AdministrationService for Administration<S> {
    async fn list_nodes(&self, _: Request<pb::ListNodesRequest>) -> Answer<pb::ListNodesResponse> {
        Err(not_yet())
    }

    async fn list_directory(&self, _: Request<pb::ListDirectoryRequest>) -> Answer<pb::ListDirectoryResponse> {
        Err(not_yet())
    }

    async fn mint_token(&self, _: Request<pb::MintTokenRequest>) -> Answer<pb::MintTokenResponse> {
        Err(not_yet())
    }

    async fn propose(&self, _: Request<pb::ProposeRequest>) -> Answer<pb::ProposeResponse> {
        Err(not_yet())
    }

    async fn append(&self, _: Request<pb::AppendRequest>) -> Answer<pb::AppendResponse> {
        Err(not_yet())
    }

    async fn erase(&self, _: Request<pb::EraseRequest>) -> Answer<pb::EraseResponse> {
        Err(not_yet())
    }

    async fn get_receipt(&self, _: Request<pb::GetReceiptRequest>) -> Answer<pb::GetReceiptResponse> {
        Err(not_yet())
    }

    async fn list_audit(&self, _: Request<pb::ListAuditRequest>) -> Answer<pb::ListAuditResponse> {
        Err(not_yet())
    }

    async fn verify_audit(&self, _: Request<pb::VerifyAuditRequest>) -> Answer<pb::VerifyAuditResponse> {
        Err(not_yet())
    }
}
