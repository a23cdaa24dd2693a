//! The answers of all services on their way out: an answer has its room before it is made (see `connections::unread`), and is
//! given to its connection in small pieces, so that the node sees whether the other end takes them.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http_body::{Body as _, Frame};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::{Request, Response};
use tower::{Layer, Service};

use super::refusals::busy;
use crate::access::Caller;
use crate::connections::Visitor;
use crate::connections::unread::{Held, Payer, Size, Unread};

/// As much as goes into one frame of HTTP/2.
const PIECE_BYTES: usize = 16 * 1024;

/// Calls that do something and tell little. What is not named here has the room of a page, so that no new call is forgotten.
const SMALL: &[&str] = &[
    "/grpc.health.v1.Health/Check",
    "/heliu.records.v1.RecordsService/Execute",
    "/heliu.operations.v1.OperationsService/GetStatus",
    "/heliu.operations.v1.OperationsService/Verify",
    "/heliu.operations.v1.OperationsService/Requeue",
    "/heliu.operations.v1.OperationsService/Drop",
    "/heliu.operations.v1.OperationsService/Reissue",
    "/heliu.operations.v1.OperationsService/Discard",
    "/heliu.operations.v1.OperationsService/Decline",
    "/heliu.operations.v1.OperationsService/Accept",
    "/heliu.administration.v1.AdministrationService/MintToken",
    "/heliu.administration.v1.AdministrationService/Propose",
    "/heliu.administration.v1.AdministrationService/Append",
    "/heliu.administration.v1.AdministrationService/Erase",
    "/heliu.administration.v1.AdministrationService/VerifyAudit",
    "/heliu.enrolment.v1.EnrolmentService/Join",
];

fn size(path: &str) -> Size {
    match path {
        "/heliu.replication.v1.ReplicationService/Link" => Size::Link,
        "/grpc.health.v1.Health/Watch" => Size::Stream,
        path if SMALL.contains(&path) => Size::Small,
        _ => Size::Page,
    }
}

#[derive(Clone)]
pub(super) struct AnswersLayer(pub Arc<Unread>);

impl<S> Layer<S> for AnswersLayer {
    type Service = Answers<S>;

    fn layer(&self, next: S) -> Answers<S> {
        Answers { unread: Arc::clone(&self.0), next }
    }
}

#[derive(Clone)]
pub(super) struct Answers<S> {
    unread: Arc<Unread>,
    next: S,
}

impl<S, B> Service<Request<B>> for Answers<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.next.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready is taken.
        let next = self.next.clone();
        let mut next = std::mem::replace(&mut self.next, next);
        let size = size(request.uri().path());
        if size == Size::Link {
            return Box::pin(next.call(request));
        }
        let visitor = request.extensions().get::<Visitor>().cloned();
        let payer = Payer::of(request.extensions().get::<Caller>(), visitor.as_ref());
        let unread = Arc::clone(&self.unread);
        Box::pin(async move {
            match unread.admit(size, payer, visitor).await {
                Ok(held) => {
                    let answered = next.call(request).await?;
                    Ok(answered.map(|body| Body::new(Answer::begin(body, held, size))))
                }
                Err(full) => Ok(Status::from(busy(full)).into_http()),
            }
        })
    }
}

/// An answer on its way out.
struct Answer {
    body: Body,
    /// Bytes of the answer that are made and not yet handed to the connection.
    rest: Bytes,
    /// What goes out in place of data: the trailers, or why the answer failed.
    instead: Option<Result<Frame<Bytes>, Status>>,
    held: Arc<Held>,
    size: Size,
}

impl Answer {
    /// Makes the answer at once, unless it is a stream: then its length is known, and nothing it was made of is kept.
    fn begin(body: Body, held: Arc<Held>, size: Size) -> Self {
        let mut answer = Answer { body, rest: Bytes::new(), instead: None, held, size };
        if size != Size::Stream
            && let Poll::Ready(Some(frame)) =
                Pin::new(&mut answer.body).poll_frame(&mut Context::from_waker(std::task::Waker::noop()))
        {
            match frame.map(Frame::into_data) {
                Ok(Ok(bytes)) => answer.made(bytes),
                Ok(Err(trailers)) => answer.instead = Some(Ok(trailers)),
                Err(failed) => answer.instead = Some(Err(failed)),
            }
        }
        answer
    }

    fn made(&mut self, bytes: Bytes) {
        if self.size != Size::Stream {
            self.held.made(bytes.len());
        }
        self.rest = bytes;
    }

    fn piece(&mut self) -> Frame<Bytes> {
        let bytes = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        Frame::data(Bytes::from_owner(Piece { bytes, held: Arc::clone(&self.held) }))
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(instead) = self.instead.take() {
            return Poll::Ready(Some(instead));
        }
        if self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => self.made(bytes),
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        Poll::Ready(Some(Ok(self.piece())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.instead.is_none() && self.body.is_end_stream()
    }
}

/// A piece of an answer. HTTP/2 drops it when the piece has gone out, or never will.
struct Piece {
    bytes: Bytes,
    held: Arc<Held>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.held.taken();
    }
}
