//! The listening side: one gRPC server with all services, and every limit of it in one place. tonic's own defaults are
//! generous or off, so each is set here.

mod acting;
mod administration;
mod auditing;
mod enrolment;
mod entries;
mod excluded;
mod incoming;
mod operations;
mod operators;
mod records;
pub(crate) mod refusals;
mod replication;
mod scope;
mod sources;
mod words;

use std::sync::Arc;
use std::time::Duration;

use heliu_storage::Read;
use heliu_wire::MESSAGE_BYTES_MAX;
use heliu_wire::administration::administration_service_server::AdministrationServiceServer;
use heliu_wire::enrolment::enrolment_service_server::EnrolmentServiceServer;
use heliu_wire::operations::operations_service_server::OperationsServiceServer;
use heliu_wire::records::records_service_server::RecordsServiceServer;
use heliu_wire::replication::replication_service_server::ReplicationServiceServer;
use tokio::net::TcpListener;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic_health::ServingStatus;

use crate::access::GateLayer;
use crate::handle::NodeHandle;
pub use entries::entry_in_words;
pub(crate) use incoming::Visitor;

/// A connection over which nothing came for so long is asked whether it still lives.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(20);
/// It has so long to say that it does.
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// What may be on its way unread, per stream and per connection: a frame of usual size, and not one for each link of a
/// county at once.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
pub(crate) const CONNECTION_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
pub(crate) const HEADER_BYTES_MAX: u32 = 16 * 1024;

/// The largest request of a client, and the largest answer: a page of 1,000 records with long views.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The largest request of somebody whom nobody knows.
const JOIN_BYTES_MAX: usize = 8 * 1024;
/// No call takes longer, but for links; the longest is a verification.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);
/// Streams that a peer opened and reset at once, before the connection is closed on it.
const RESET_STREAMS_MAX: usize = 64;

/// Serves until the node stops, and then until the last call is answered.
pub(crate) async fn serve<S: Read + 'static>(
    node: NodeHandle,
    store: Arc<S>,
    listener: TcpListener,
) -> Result<(), tonic::transport::Error> {
    let limits = node.0.limits;
    let replication = ReplicationServiceServer::new(replication::Replication::new(node.clone()))
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let records = RecordsServiceServer::new(records::Records::new(node.clone(), Arc::clone(&store)))
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    let operations = OperationsServiceServer::new(operations::Operations::new(node.clone(), Arc::clone(&store)))
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    let administration = AdministrationServiceServer::new(administration::Administration::new(node.clone(), store))
        .max_decoding_message_size(REQUEST_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    let enrolment = EnrolmentServiceServer::new(enrolment::Enrolment::new(node.clone()))
        .max_decoding_message_size(JOIN_BYTES_MAX)
        .max_encoding_message_size(ANSWER_BYTES_MAX);
    let (reporter, health) = tonic_health::server::health_reporter();
    let records_name = <RecordsServiceServer<records::Records<S>> as NamedService>::NAME;
    reporter.set_service_status(records_name, ServingStatus::Serving).await;
    let inner = Arc::clone(&node.0);
    Server::builder()
        .timeout(CALL_TIMEOUT)
        .concurrency_limit_per_connection(limits.requests_per_connection as usize)
        .max_concurrent_streams(limits.requests_per_connection)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(RESET_STREAMS_MAX))
        .accept_http1(false)
        .layer(GateLayer::new(Arc::clone(&inner)))
        .add_service(replication)
        .add_service(records)
        .add_service(operations)
        .add_service(administration)
        .add_service(enrolment)
        .add_service(health)
        .serve_with_incoming_shutdown(incoming::accept(listener, Arc::clone(&inner)), async move {
            inner.stopping().await;
            for service in ["", records_name] {
                reporter.set_service_status(service, ServingStatus::NotServing).await;
            }
        })
        .await
}
