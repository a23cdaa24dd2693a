//! `heliu.enrolment.v1`: letting a new machine in.

use heliu_wire::enrolment as pb;
use heliu_wire::enrolment::enrolment_service_server::EnrolmentService;
use tonic::{Request, Response, Status};

use super::refusals::not_yet;
use crate::handle::NodeHandle;

pub(super) struct Enrolment {
    _node: NodeHandle,
}

impl Enrolment {
    pub fn new(node: NodeHandle) -> Self {
        Enrolment { _node: node }
    }
}

#[tonic::async_trait]
impl EnrolmentService for Enrolment {
    async fn join(&self, _: Request<pb::JoinRequest>) -> Result<Response<pb::JoinResponse>, Status> {
        Err(not_yet())
    }
}
