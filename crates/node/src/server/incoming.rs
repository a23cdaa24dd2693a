//! Connections as they are accepted: no more than a limit, and none that connects and says nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{Stream, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Within this time a connection has begun to speak HTTP/2. From then on keepalive watches over it.
const PREFACE_DEADLINE: Duration = Duration::from_secs(10);
const PREFACE_BYTES: usize = 24;
/// When the system gives no connection (no file handles left), trying again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Connections, as long as fewer than `limit` are open; the rest waits in the system's backlog.
pub(super) fn accept(listener: TcpListener, limit: usize) -> impl Stream<Item = io::Result<Connection>> {
    let slots = Arc::new(Semaphore::new(limit));
    stream::unfold((listener, slots), async |(listener, slots)| {
        let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
        let stream = loop {
            match listener.accept().await {
                Ok((stream, _)) => break stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted; if it goes on, raise the limit of open files");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        // Small frames must not wait for others. It only fails on a connection that is gone already.
        let _ = stream.set_nodelay(true);
        let preface = Some((Box::pin(sleep(PREFACE_DEADLINE)), PREFACE_BYTES));
        Some((Ok(Connection { stream, preface, _slot: slot }), (listener, slots)))
    })
}

/// The seam for TLS: "Nobody gets in" puts the handshake between the TCP stream and this.
pub(super) struct Connection {
    stream: TcpStream,
    /// Until so many bytes have come.
    preface: Option<(Pin<Box<Sleep>>, usize)>,
    _slot: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some((deadline, missing)) = &mut self.preface else { return read };
        if read.is_ready() {
            *missing = missing.saturating_sub(buffer.filled().len() - before);
            if *missing == 0 {
                self.preface = None;
            }
            return read;
        }
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the connection said nothing")))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
