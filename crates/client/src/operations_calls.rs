//! What operators ask: the calls of `heliu.operations.v1`.

use std::time::Duration;

use heliu_wire::operations::{
    AcceptRequest, Alarm, Conflict, DeclineRequest, DiscardRequest, DropRequest, ForeignAuthor, GetConflictRequest,
    GetConflictResponse, GetQuarantinedRequest, GetQuarantinedResponse, GetStatusRequest, GetStatusResponse, Link,
    ListAlarmsRequest, ListConflictsRequest, ListConflictsResponse, ListForeignRequest, ListLinksRequest,
    ListQuarantineRequest, ListQuarantineResponse, ListStrandedRequest, ListStrandedResponse, ReissueRequest,
    RequeueRequest, Verification, VerifyRequest,
};

use crate::{CALL_TIMEOUT, Client, Error, all, within};

/// The longest that a node waits for verdicts, and how long it waits if it is not told.
const VERIFY_TIMEOUT_MAX: Duration = Duration::from_secs(60);
const VERIFY_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

impl Client {
    /// Who the node is and how it is.
    pub async fn status(&self) -> Result<GetStatusResponse, Error> {
        let answer = self.operations.clone().get_status(within(CALL_TIMEOUT, GetStatusRequest {})).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Every configured or connected link.
    pub async fn links(&self) -> Result<Vec<Link>, Error> {
        all(async |after| {
            let request = ListLinksRequest { after, limit: 0 };
            let answer = self.operations.clone().list_links(within(CALL_TIMEOUT, request)).await;
            let page = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?.into_inner();
            Ok((page.links, page.next))
        })
        .await
    }

    /// Runs a checkpoint now and waits for the verdicts: with one peer (node id, a beginning of it, or region code), or
    /// with all if `peer` is empty. A timeout of zero is the node's own.
    pub async fn verify(&self, peer: &str, timeout: Duration) -> Result<Vec<Verification>, Error> {
        let wait = if timeout.is_zero() { VERIFY_TIMEOUT_DEFAULT } else { timeout.min(VERIFY_TIMEOUT_MAX) };
        let timeout_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        let request = VerifyRequest { peer: peer.to_owned(), timeout_ms };
        let answer = self.operations.clone().verify(within(CALL_TIMEOUT + wait, request)).await;
        answer
            .map(|answer| answer.into_inner().verifications)
            .map_err(|status| self.failed(&status, CALL_TIMEOUT + wait))
    }

    /// A page of open conflicts, without their bodies.
    pub async fn conflicts(&self, request: ListConflictsRequest) -> Result<ListConflictsResponse, Error> {
        let answer = self.operations.clone().list_conflicts(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// One open conflict with its body and the first of its values, by its id or a beginning of it.
    pub async fn conflict(&self, id: &str) -> Result<Conflict, Error> {
        let request = GetConflictRequest { id: id.to_owned(), ..GetConflictRequest::default() };
        let answer = self.conflict_page(request).await?;
        answer.conflict.ok_or_else(|| Error::incomplete(&self.address, "conflict"))
    }

    /// One open conflict with a page of its values.
    pub async fn conflict_page(&self, request: GetConflictRequest) -> Result<GetConflictResponse, Error> {
        let answer = self.operations.clone().get_conflict(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// A page of what the node refused.
    pub async fn quarantine(&self, request: ListQuarantineRequest) -> Result<ListQuarantineResponse, Error> {
        let answer = self.operations.clone().list_quarantine(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// A page of records that cannot leave or be read as they should.
    pub async fn stranded(&self, request: ListStrandedRequest) -> Result<ListStrandedResponse, Error> {
        let answer = self.operations.clone().list_stranded(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// One thing that the node refused, with its bytes: by its id or a beginning of it.
    pub async fn quarantined(&self, id: &str) -> Result<GetQuarantinedResponse, Error> {
        let request = within(CALL_TIMEOUT, GetQuarantinedRequest { id: id.to_owned() });
        let answer = self.operations.clone().get_quarantined(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Has one thing judged again that the node refused. The answer says what became of it.
    pub async fn requeue(&self, id: &str, reason: &str) -> Result<String, Error> {
        let request = within(CALL_TIMEOUT, RequeueRequest { id: id.to_owned(), reason: reason.to_owned() });
        let answer = self.operations.clone().requeue(request).await;
        answer.map(|answer| answer.into_inner().outcome).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Takes one thing off the list of what the node refused.
    pub async fn drop_quarantined(&self, id: &str, reason: &str) -> Result<(), Error> {
        let request = within(CALL_TIMEOUT, DropRequest { id: id.to_owned(), reason: reason.to_owned() });
        let answer = self.operations.clone().drop(request).await;
        answer.map(|_| ()).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Writes a stranded edit anew. The answer is the new leaf.
    pub async fn reissue(&self, edit: &str, reason: &str) -> Result<String, Error> {
        let request = within(CALL_TIMEOUT, ReissueRequest { edit: edit.to_owned(), reason: reason.to_owned() });
        let answer = self.operations.clone().reissue(request).await;
        answer.map(|answer| answer.into_inner().leaf).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Gives a stranded edit up.
    pub async fn discard(&self, edit: &str, reason: &str) -> Result<(), Error> {
        let request = within(CALL_TIMEOUT, DiscardRequest { edit: edit.to_owned(), reason: reason.to_owned() });
        let answer = self.operations.clone().discard(request).await;
        answer.map(|_| ()).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Seats outside of the node's line that have put something there, or are declined.
    pub async fn foreign(&self) -> Result<Vec<ForeignAuthor>, Error> {
        all(async |after| {
            let request = ListForeignRequest { after, limit: 0 };
            let answer = self.operations.clone().list_foreign(within(CALL_TIMEOUT, request)).await;
            let page = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?.into_inner();
            Ok((page.authors, page.next))
        })
        .await
    }

    /// The node takes nothing new of a seat outside of its line, by region code or id.
    pub async fn decline(&self, seat: &str, reason: &str) -> Result<(), Error> {
        let request = within(CALL_TIMEOUT, DeclineRequest { seat: seat.to_owned(), reason: reason.to_owned() });
        let answer = self.operations.clone().decline(request).await;
        answer.map(|_| ()).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// It takes it again.
    pub async fn accept(&self, seat: &str, reason: &str) -> Result<(), Error> {
        let request = within(CALL_TIMEOUT, AcceptRequest { seat: seat.to_owned(), reason: reason.to_owned() });
        let answer = self.operations.clone().accept(request).await;
        answer.map(|_| ()).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// What an administrator should look at, the gravest first.
    pub async fn alarms(&self) -> Result<Vec<Alarm>, Error> {
        all(async |after| {
            let request = ListAlarmsRequest { after, limit: 0 };
            let answer = self.operations.clone().list_alarms(within(CALL_TIMEOUT, request)).await;
            let page = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?.into_inner();
            Ok((page.alarms, page.next))
        })
        .await
    }
}
