//! The listening side: one gRPC server with all services. Which limits it has, and why, is in `bounds`.

mod acting;
mod administration;
mod answers;
mod auditing;
mod conflicts;
mod cut;
mod enrolment;
mod entries;
mod excluded;
mod gate;
mod ledgers;
mod operations;
mod operators;
mod pages;
mod queries;
mod records;
mod refusals;
mod replication;
pub(crate) mod scope;
mod words;

use std::sync::Arc;

use heliu_api::administration::administration_service_server::AdministrationServiceServer;
use heliu_api::enrolment::enrolment_service_server::EnrolmentServiceServer;
use heliu_api::operations::operations_service_server::OperationsServiceServer;
use heliu_api::records::records_service_server::RecordsServiceServer;
use heliu_storage::Read;
use heliu_wire::replication::replication_service_server::ReplicationServiceServer;
use tokio::net::TcpListener;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic_health::ServingStatus;

use crate::bounds::{CONNECTION_WINDOW_BYTES, HEADER_BYTES_MAX, RESET_STREAMS_MAX, STREAM_WINDOW_BYTES};
use crate::connections::incoming;
use crate::handle::NodeHandle;
pub use entries::entry_in_words;
use gate::GateLayer;

/// Serves until the node stops, and then until the last call is answered.
pub(crate) async fn serve(
    node: NodeHandle,
    store: Arc<dyn Read>,
    listener: TcpListener,
) -> Result<(), tonic::transport::Error> {
    let (limits, bounds) = (node.0.limits, node.0.bounds);
    let replication = ReplicationServiceServer::new(replication::Replication::new(node.clone()))
        .max_decoding_message_size(bounds.message_bytes)
        .max_encoding_message_size(bounds.message_bytes);
    let records = RecordsServiceServer::new(records::Records::new(node.clone(), Arc::clone(&store)))
        .max_decoding_message_size(bounds.request_bytes)
        .max_encoding_message_size(bounds.answer_bytes);
    let operations = OperationsServiceServer::new(operations::Operations::new(node.clone(), Arc::clone(&store)))
        .max_decoding_message_size(bounds.request_bytes)
        .max_encoding_message_size(bounds.answer_bytes);
    let administration = AdministrationServiceServer::new(administration::Administration::new(node.clone(), store))
        .max_decoding_message_size(bounds.request_bytes)
        .max_encoding_message_size(bounds.answer_bytes);
    let enrolment = EnrolmentServiceServer::new(enrolment::Enrolment::new(node.clone()))
        .max_decoding_message_size(bounds.join_bytes)
        .max_encoding_message_size(bounds.answer_bytes);
    let (reporter, health) = tonic_health::server::health_reporter();
    let health = health.max_decoding_message_size(bounds.join_bytes).max_encoding_message_size(bounds.answer_bytes);
    let records_name = <RecordsServiceServer<records::Records> as NamedService>::NAME;
    reporter.set_service_status(records_name, ServingStatus::Serving).await;
    let inner = Arc::clone(&node.0);
    let connections = incoming::accept(listener, Arc::clone(&inner.connections), inner.life.clone());
    Server::builder()
        .concurrency_limit_per_connection(limits.requests_per_connection as usize)
        .max_concurrent_streams(limits.requests_per_connection)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(bounds.keepalive))
        .http2_keepalive_timeout(Some(bounds.keepalive_timeout))
        .http2_max_header_list_size(HEADER_BYTES_MAX)
        .http2_max_pending_accept_reset_streams(Some(RESET_STREAMS_MAX))
        .accept_http1(false)
        .layer(GateLayer::new(Arc::clone(&inner)))
        .layer(answers::AnswersLayer(Arc::clone(&inner.connections.unread)))
        .add_service(replication)
        .add_service(records)
        .add_service(operations)
        .add_service(administration)
        .add_service(enrolment)
        .add_service(health)
        .serve_with_incoming_shutdown(connections, async move {
            inner.life.stopping().await;
            for service in ["", records_name] {
                reporter.set_service_status(service, ServingStatus::NotServing).await;
            }
        })
        .await
}
