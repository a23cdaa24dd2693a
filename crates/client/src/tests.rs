//! A client against a node that says what the test wants it to say, over real connections on loopback.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use heliu_api::records::records_service_server::{RecordsService, RecordsServiceServer};
use heliu_api::records::{
    ExecuteEachRequest, ExecuteEachResponse, ExecuteRequest, ExecuteResponse, GetRequest, GetResponse,
    GetSchemaRequest, GetSchemaResponse, HistoryRequest, HistoryResponse, Kind, LedgerRequest, LedgerResponse,
    ListRequest, ListResponse, ListSeatsRequest, ListSeatsResponse, Outcome, QueryRequest, QueryResponse, Record,
    RevealRequest, RevealResponse, outcome,
};
use heliu_api::status::encode_status;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};

use super::*;
use crate::schema::SCHEMA_BYTES_MAX;

/// Knows records only; no operations, so that it is also a node of another version.
#[derive(Default)]
struct FakeNode {
    /// So many kinds are in its schema, at each call one more.
    kinds: AtomicUsize,
}

#[tonic::async_trait]
impl RecordsService for FakeNode {
    async fn execute(&self, request: Request<ExecuteRequest>) -> Result<Response<ExecuteResponse>, Status> {
        let command = request.into_inner();
        match command.command.as_str() {
            "say.no" => Err(CallRefusal::new(
                Code::InvalidArgument,
                "bad_value",
                "2001-13-01 不是日期。",
                "2001-13-01 is not a date.",
            )
            .field("arguments.joined_on")
            .next("请写成 年-月-日。", "Write it as year-month-day.")
            .into()),
            "say.much" => {
                let much = "长".repeat(10_000);
                let refusal = CallRefusal::new(Code::InvalidArgument, "much", &much, &much);
                Err(refusal.why(&much, &much).next(&much, &much).field(&much).into())
            }
            "fail" => Err(Status::internal("the store is gone")),
            _ => Ok(Response::new(ExecuteResponse { command_id: command.command_id, ..Default::default() })),
        }
    }

    async fn execute_each(
        &self,
        request: Request<ExecuteEachRequest>,
    ) -> Result<Response<ExecuteEachResponse>, Status> {
        let mut outcomes = Vec::new();
        for command in request.into_inner().commands {
            if command.command == "forget" {
                continue;
            }
            let outcome = match self.execute(Request::new(command)).await {
                Ok(done) => outcome::Outcome::Done(done.into_inner()),
                Err(status) => outcome::Outcome::Refused(encode_status(&status)),
            };
            outcomes.push(Outcome { outcome: Some(outcome) });
        }
        Ok(Response::new(ExecuteEachResponse { outcomes }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let id = request.into_inner().id;
        let record = (!id.is_empty()).then(|| Record { id, ..Default::default() });
        Ok(Response::new(GetResponse { record, ..GetResponse::default() }))
    }

    async fn reveal(&self, _: Request<RevealRequest>) -> Result<Response<RevealResponse>, Status> {
        Ok(Response::new(RevealResponse::default()))
    }

    async fn list(&self, _: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        // More than tonic's own limit of 4 MiB.
        let view_json = "x".repeat(10 * 1024);
        Ok(Response::new(ListResponse {
            records: vec![Record { view_json, ..Default::default() }; 1_000],
            ..ListResponse::default()
        }))
    }

    async fn ledger(&self, _: Request<LedgerRequest>) -> Result<Response<LedgerResponse>, Status> {
        Err(Status::unimplemented("no records here"))
    }

    async fn query(&self, _: Request<QueryRequest>) -> Result<Response<QueryResponse>, Status> {
        Err(Status::unimplemented("no records here"))
    }

    async fn history(&self, _: Request<HistoryRequest>) -> Result<Response<HistoryResponse>, Status> {
        std::future::pending().await
    }

    async fn get_schema(&self, _: Request<GetSchemaRequest>) -> Result<Response<GetSchemaResponse>, Status> {
        let kinds = self.kinds.fetch_add(1, Ordering::Relaxed);
        let kind = Kind { name: "x".repeat(100), ..Kind::default() };
        Ok(Response::new(GetSchemaResponse { kinds: vec![kind; kinds], ..GetSchemaResponse::default() }))
    }

    async fn list_seats(&self, _: Request<ListSeatsRequest>) -> Result<Response<ListSeatsResponse>, Status> {
        Ok(Response::new(ListSeatsResponse::default()))
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

async fn connected() -> Client {
    connected_to(FakeNode::default()).await
}

async fn connected_to(node: FakeNode) -> Client {
    let (listener, address) = listen().await;
    let service = RecordsServiceServer::new(node).max_encoding_message_size(ANSWER_BYTES_MAX);
    let server = Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    Client::connect(&address.to_string()).await.expect("it listens")
}

fn command(name: &str) -> ExecuteRequest {
    ExecuteRequest { command: name.to_owned(), command_id: "ab".repeat(16), ..Default::default() }
}

#[tokio::test]
async fn a_command_is_answered() {
    let client = connected().await;
    let done = client.execute(command("member.register")).await.expect("it takes it");
    assert_eq!(done.command_id, "ab".repeat(16));
    assert_eq!(client.get("12345678").await.expect("it has it").id, "12345678");
    assert!(client.schema().await.is_ok());
}

#[tokio::test]
async fn a_refusal_says_which_field_why_and_what_to_do() {
    let error = connected().await.execute(command("say.no")).await.expect_err("it says no");
    assert_eq!((error.reason(), error.code()), ("bad_value", Code::InvalidArgument));
    assert_eq!(error.field(), Some("arguments.joined_on"));
    assert_eq!(error.to_string(), "2001-13-01 is not a date. Write it as year-month-day.");
    assert_eq!(&*error.explain().zh, "2001-13-01 不是日期。请写成 年-月-日。");
}

#[tokio::test]
async fn of_many_commands_each_has_its_outcome_as_if_it_had_been_alone_or_nothing_is_believed() {
    let client = connected().await;
    let outcomes =
        client.execute_each(["do", "say.no", "fail", "say.much"].map(command).into()).await.expect("an answer");
    let [done, refused, failed, much] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(done.is_ok());
    assert_eq!(refused, &client.execute(command("say.no")).await);
    assert_eq!(failed, &client.execute(command("fail")).await);
    assert_eq!(much, &client.execute(command("say.much")).await);
    let short = client.execute_each(["do", "forget"].map(command).into()).await.expect_err("one has no outcome");
    assert_eq!(short.reason(), "foreign", "{short:?}");
}

#[tokio::test]
async fn a_refusal_without_end_still_arrives() {
    let error = connected().await.execute(command("say.much")).await.expect_err("it says no");
    assert_eq!(error.reason(), "much", "{error:?}");
}

#[tokio::test]
async fn nobody_there_is_said_with_the_address_the_cause_and_what_to_do() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = Client::connect(&address.to_string()).await.expect_err("nobody listens");
    assert_eq!(error.reason(), "unreachable");
    let said = error.to_string();
    assert!(said.starts_with(&format!("Cannot reach a node at {address}: ")), "{said}");
    assert!(said.contains("refused") && said.contains("heliu node"), "{said}");
}

#[tokio::test]
async fn a_node_that_goes_away_is_unreachable() {
    let (listener, address) = listen().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let service = RecordsServiceServer::new(FakeNode::default());
    let server =
        Server::builder().add_service(service).serve_with_incoming_shutdown(TcpListenerStream::new(listener), async {
            let _ = stopped.await;
        });
    let server = tokio::spawn(server);
    let client = Client::connect(&address.to_string()).await.expect("it listens");
    assert!(client.get("12345678").await.is_ok());
    drop(stop);
    server.await.expect("it ends").expect("it ends well");
    let error = client.get("12345678").await.expect_err("it is gone");
    assert_eq!(error.reason(), "unreachable", "{error:?}");
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn no_answer_is_said_after_the_deadline() {
    let client = connected().await;
    let timeout = Duration::from_millis(100);
    let status = client.records.clone().history(within(timeout, HistoryRequest::default())).await.expect_err("never");
    assert_eq!(client.failed(&status, timeout).reason(), "timed_out", "{status:?}");
}

#[tokio::test]
async fn a_node_of_another_version_is_named_as_such() {
    let client = connected().await;
    assert_eq!(client.status().await.expect_err("it knows no operations").reason(), "foreign");
    assert_eq!(client.get("").await.expect_err("its answer is empty").reason(), "foreign");
}

#[tokio::test]
async fn a_failure_without_a_reason_is_told_verbatim() {
    let error = connected().await.execute(command("fail")).await.expect_err("it fails");
    assert_eq!((error.reason(), error.code()), ("failed", Code::Internal));
    assert!(error.to_string().contains("the store is gone"), "{error}");
}

#[tokio::test]
async fn a_long_page_arrives() {
    let page = connected().await.list(ListRequest::default()).await.expect("it is within the limit");
    assert_eq!(page.records.len(), 1_000);
}

#[tokio::test]
async fn a_node_is_asked_once_what_it_knows() {
    let client = connected().await;
    for _ in 0..3 {
        assert_eq!(client.clone().schema().await.expect("it says so").kinds.len(), 0);
    }
    assert_eq!(
        connected_to(FakeNode { kinds: AtomicUsize::new(7) }).await.schema().await.expect("it says so").kinds.len(),
        7
    );
}

#[tokio::test]
async fn a_schema_without_end_is_not_taken() {
    let endless = SCHEMA_BYTES_MAX / 100;
    let client = connected_to(FakeNode { kinds: AtomicUsize::new(endless) }).await;
    let error = client.schema().await.expect_err("it is longer than any");
    assert!(error.to_string().contains("too large"), "{error}");
}

#[tokio::test]
async fn what_is_no_address_is_refused_before_anything_is_sent() {
    for address in ["", "here", "ftp://a:1", "https://a:1", "http://", "a b:1", "127.0.0.1", ":80"] {
        let error = Client::connect(address).await.expect_err("no address");
        assert_eq!(error.reason(), "bad_address", "{address}: {error}");
    }
}
