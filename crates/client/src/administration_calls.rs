//! What administrators do: the calls of `heliu.administration.v1`.

use heliu_api::administration::{
    AppendRequest, AppendResponse, EraseRequest, GetReceiptRequest, ListAuditRequest, ListAuditResponse,
    ListDirectoryRequest, ListDirectoryResponse, ListNodesRequest, MintTokenRequest, MintTokenResponse, Node,
    ProposeRequest, ProposeResponse, Receipt, VerifyAuditRequest, VerifyAuditResponse,
};

use crate::{CALL_TIMEOUT, Client, Error, all, within};

impl Client {
    /// Every enrolled node, in the order of the tree of seats.
    pub async fn nodes(&self) -> Result<Vec<Node>, Error> {
        all(async |after| {
            let request = ListNodesRequest { after, limit: 0 };
            let answer = self.administration.clone().list_nodes(within(CALL_TIMEOUT, request)).await;
            let page = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?.into_inner();
            Ok((page.nodes, page.next))
        })
        .await
    }

    /// A page of the directory.
    pub async fn directory(&self, request: ListDirectoryRequest) -> Result<ListDirectoryResponse, Error> {
        let answer = self.administration.clone().list_directory(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// A one-time join token. It is not kept by the node.
    pub async fn mint_token(&self, request: MintTokenRequest) -> Result<MintTokenResponse, Error> {
        let answer = self.administration.clone().mint_token(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Makes the next entry of the directory. If it needs a second signature it is handed out, and not entered.
    pub async fn propose(&self, request: ProposeRequest) -> Result<ProposeResponse, Error> {
        let answer = self.administration.clone().propose(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Enters entries that are signed already.
    pub async fn append(&self, request: AppendRequest) -> Result<AppendResponse, Error> {
        let answer = self.administration.clone().append(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Erases a record everywhere and for good.
    pub async fn erase(&self, request: EraseRequest) -> Result<Receipt, Error> {
        let answer = self.administration.clone().erase(within(CALL_TIMEOUT, request)).await;
        let answer = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?;
        answer.into_inner().receipt.ok_or_else(|| Error::incomplete(&self.address, "receipt"))
    }

    /// Which nodes have confirmed an erasure: by the whole id of the record.
    pub async fn receipt(&self, record: &str) -> Result<Receipt, Error> {
        let request = within(CALL_TIMEOUT, GetReceiptRequest { record: record.to_owned() });
        let answer = self.administration.clone().get_receipt(request).await;
        let answer = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?;
        answer.into_inner().receipt.ok_or_else(|| Error::incomplete(&self.address, "receipt"))
    }

    /// A page of the audit log.
    pub async fn audit(&self, request: ListAuditRequest) -> Result<ListAuditResponse, Error> {
        let answer = self.administration.clone().list_audit(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Has the node walk the whole chain of its audit log.
    pub async fn verify_audit(&self) -> Result<VerifyAuditResponse, Error> {
        let answer = self.administration.clone().verify_audit(within(CALL_TIMEOUT, VerifyAuditRequest {})).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }
}
