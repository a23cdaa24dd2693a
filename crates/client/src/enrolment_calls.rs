//! How a new machine gets in: the call of `heliu.enrolment.v1`.

use std::time::Duration;

use heliu_api::enrolment::{JoinRequest, JoinResponse};

use crate::{Client, Error, within};

/// A node waits a minute for the county at most, and then says that the request is kept.
const JOIN_TIMEOUT: Duration = Duration::from_secs(80);

impl Client {
    /// Asks to become a node, with a request as `heliu_trust::token` encodes it, of the node that minted its token. The same
    /// request can be repeated until it is answered; the refusal `pending` says that it is kept.
    pub async fn join(&self, request: Vec<u8>) -> Result<JoinResponse, Error> {
        let answer = self.enrolment.clone().join(within(JOIN_TIMEOUT, JoinRequest { request })).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, JOIN_TIMEOUT))
    }
}
