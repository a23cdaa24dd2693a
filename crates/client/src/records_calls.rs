//! Commands and reads of records: the calls of `heliu.records.v1`.

use std::sync::Arc;

use heliu_api::records::{
    ExecuteEachRequest, ExecuteRequest, ExecuteResponse, GetRequest, GetResponse, GetSchemaRequest, HistoryRequest,
    HistoryResponse, LedgerRequest, LedgerResponse, ListRequest, ListResponse, ListSeatsRequest, Outcome, QueryRequest,
    QueryResponse, Record, RevealRequest, RevealedField, Seat, outcome,
};
use heliu_api::status::decode_status;

use crate::schema::{SCHEMA_BYTES_MAX, Schema};
use crate::{CALL_TIMEOUT, Client, Error, all, within};

impl Client {
    /// Carries out a command; it is durable at the node when this returns. After a lost answer repeat it with the same
    /// `command_id`: it then has no second effect.
    pub async fn execute(&self, command: ExecuteRequest) -> Result<ExecuteResponse, Error> {
        let answer = self.records.clone().execute(within(CALL_TIMEOUT, command)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Carries out many commands, each by itself and in no order: what became of each, in their order. At most 512. After a
    /// lost answer repeat all, as with [`Client::execute`].
    pub async fn execute_each(
        &self,
        commands: Vec<ExecuteRequest>,
    ) -> Result<Vec<Result<ExecuteResponse, Error>>, Error> {
        let count = commands.len();
        let asked = within(CALL_TIMEOUT, ExecuteEachRequest { commands });
        let answer = self.records.clone().execute_each(asked).await;
        let outcomes = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?.into_inner().outcomes;
        let read = |outcome: Outcome| match outcome.outcome? {
            outcome::Outcome::Done(done) => Some(Ok(done)),
            outcome::Outcome::Refused(status) => Some(Err(self.failed(&decode_status(&status)?, CALL_TIMEOUT))),
        };
        let read: Vec<_> = outcomes.into_iter().filter_map(read).collect();
        if read.len() == count { Ok(read) } else { Err(Error::incomplete(&self.address, "outcomes")) }
    }

    /// One record, by its id or a beginning of it (8 digits or more).
    pub async fn get(&self, id: &str) -> Result<Record, Error> {
        let request = within(CALL_TIMEOUT, GetRequest { id: id.to_owned(), ..GetRequest::default() });
        let answer = self.records.clone().get(request).await.map_err(|status| self.failed(&status, CALL_TIMEOUT))?;
        answer.into_inner().record.ok_or_else(|| Error::incomplete(&self.address, "record"))
    }

    /// A page of the elements of a part of a record, which its `cuts` name.
    pub async fn part(&self, request: GetRequest) -> Result<GetResponse, Error> {
        let answer = self.records.clone().get(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// Opens the sealed fields of one record; who, what and why are in the node's audit log.
    pub async fn reveal(&self, request: RevealRequest) -> Result<Vec<RevealedField>, Error> {
        let answer = self.records.clone().reveal(within(CALL_TIMEOUT, request)).await;
        answer.map(|answer| answer.into_inner().fields).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// A page of records. The next one is asked for with `after` set to this one's `next`, until that is empty.
    pub async fn list(&self, request: ListRequest) -> Result<ListResponse, Error> {
        let answer = self.records.clone().list(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// A page of the records that are found by what they say, and how many there are. The next one is asked for as with
    /// [`Client::list`].
    pub async fn query(&self, request: QueryRequest) -> Result<QueryResponse, Error> {
        let answer = self.records.clone().query(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// A page of a ledger. The next one is asked for as with [`Client::list`].
    pub async fn ledger(&self, request: LedgerRequest) -> Result<LedgerResponse, Error> {
        let answer = self.records.clone().ledger(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// A page of a record's history.
    pub async fn history(&self, request: HistoryRequest) -> Result<HistoryResponse, Error> {
        let answer = self.records.clone().history(within(CALL_TIMEOUT, request)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.failed(&status, CALL_TIMEOUT))
    }

    /// What the node knows: kinds, commands, findings. Asked for once by a client and its clones; connect anew to learn of
    /// what a node knows more since it was upgraded.
    pub async fn schema(&self) -> Result<Arc<Schema>, Error> {
        let asked = async {
            let mut records = self.records.clone().max_decoding_message_size(SCHEMA_BYTES_MAX);
            let answer = records.get_schema(within(CALL_TIMEOUT, GetSchemaRequest {})).await;
            let schema = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?.into_inner();
            Ok(Arc::new(Schema::from(schema)))
        };
        self.schema.get_or_try_init(|| asked).await.cloned()
    }

    /// Every seat of the directory as the node has it.
    pub async fn seats(&self) -> Result<Vec<Seat>, Error> {
        all(async |after| {
            let request = ListSeatsRequest { after, limit: 0 };
            let answer = self.records.clone().list_seats(within(CALL_TIMEOUT, request)).await;
            let page = answer.map_err(|status| self.failed(&status, CALL_TIMEOUT))?.into_inner();
            Ok((page.seats, page.next))
        })
        .await
    }
}
