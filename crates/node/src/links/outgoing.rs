//! The sending direction of a link: frames from its queue, encoded and compressed in the task of its connection, and
//! only as fast as the other end takes them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use futures::stream::{AbortHandle, Abortable};
use heliu_replication::frame::Frame;
use heliu_wire::replication::{LinkRequest, LinkResponse};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::routes::Route;

pub(crate) struct Outgoing {
    frames: Abortable<ReceiverStream<Frame>>,
    route: Arc<Route>,
}

impl Outgoing {
    pub fn new(queue: mpsc::Receiver<Frame>, route: Arc<Route>) -> (Self, AbortHandle) {
        let (frames, cut) = futures::stream::abortable(ReceiverStream::new(queue));
        (Outgoing { frames, route }, cut)
    }

    /// As the dialling end sends them.
    pub fn requests(self) -> impl Stream<Item = LinkRequest> + Send + 'static {
        self.encoded()
    }

    /// As the answering end sends them.
    pub fn responses(self) -> impl Stream<Item = Result<LinkResponse, tonic::Status>> + Send + 'static {
        futures::StreamExt::map(self.encoded(), Ok)
    }

    fn encoded<M: Message + for<'a> From<&'a Frame>>(self) -> impl Stream<Item = M> + Send + 'static {
        let route = Arc::clone(&self.route);
        futures::StreamExt::map(self, move |frame| {
            let message = M::from(&frame);
            route.meter.sent(message.encoded_len());
            message
        })
    }
}

impl Stream for Outgoing {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        Pin::new(&mut self.frames).poll_next(context)
    }
}
