//! Connections as they are accepted: no more than a limit, secured one beside the other, and none that connects and says
//! nothing.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream as Incoming;
use heliu_tls::{HANDSHAKE_DEADLINE, explain, proven};
use heliu_trust::id::NodeId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Sleep, sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tracing::Instrument as _;

use super::sources::Sources;
use crate::handle::{Inner, Secured};
use crate::tls::stream::Stream;

/// Within this time a connection has begun to speak HTTP/2. From then on keepalive watches over it.
const PREFACE_DEADLINE: Duration = Duration::from_secs(10);
const PREFACE_BYTES: usize = 24;
/// When the system gives no connection (no file handles left), trying again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Connections that are ready and wait for the server to take them.
const READY: usize = 16;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor {
    pub address: SocketAddr,
    /// As proven by a certificate.
    pub node: Option<NodeId>,
}

/// Connections, as long as fewer are open than the limit says; the rest waits in the system's backlog. They end, and with
/// them the listener, when the node stops.
pub(super) fn accept(listener: TcpListener, inner: Arc<Inner>) -> impl Incoming<Item = io::Result<Connection>> {
    let (ready, secured) = mpsc::channel(READY);
    tokio::spawn(listen(listener, inner, ready).in_current_span());
    ReceiverStream::new(secured)
}

type Ready = mpsc::Sender<io::Result<Connection>>;

async fn listen(listener: TcpListener, inner: Arc<Inner>, ready: Ready) {
    let limits = inner.limits;
    let slots = Arc::new(Semaphore::new(limits.connections));
    let handshakes = Arc::new(Semaphore::new(limits.handshakes));
    let sources = Sources::new(limits.handshakes_per_source, limits.unproven_per_source);
    let mut visitors = std::pin::pin!(async {
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let (tcp, address) = next(&listener).await;
            // Small frames must not wait for others. It only fails on a connection that is gone already.
            let _ = tcp.set_nodelay(true);
            let Some(secured) = inner.secured.clone() else {
                if ready.send(Ok(Connection::new(Stream::Plain(tcp), address, None, slot))).await.is_err() {
                    return;
                }
                continue;
            };
            let Some(ticket) = sources.enter(address.ip()) else {
                let why = "too many connections from this address have not been secured yet";
                inner.refused.note(address, "too_many_handshakes", why, None);
                continue;
            };
            let (inner, handshakes, ready) = (Arc::clone(&inner), Arc::clone(&handshakes), ready.clone());
            let securing = async move {
                let under_way = async {
                    let _turn = ticket.turn().await?;
                    let _place = handshakes.acquire().await.ok()?;
                    secure(&inner, &secured, tcp, address).await
                };
                match tokio::time::timeout(HANDSHAKE_DEADLINE, under_way).await {
                    Ok(Some((stream, node))) => {
                        drop(ticket);
                        // An error: the server has stopped meanwhile.
                        let _ = ready.send(Ok(Connection::new(stream, address, node, slot))).await;
                    }
                    Ok(None) => {}
                    Err(_) => {
                        let why = format!("it did not secure the connection within {} s", HANDSHAKE_DEADLINE.as_secs());
                        inner.refused.note(address, "handshake_timeout", &why, None);
                    }
                }
            };
            tokio::spawn(securing.in_current_span());
        }
    });
    tokio::select! {
        () = &mut visitors => {}
        () = inner.stopping() => {}
        () = ready.closed() => {}
    }
}

async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted; if it goes on, raise the limit of open files");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// None: it was refused, which is noted.
async fn secure(
    inner: &Inner,
    secured: &Secured,
    tcp: TcpStream,
    address: SocketAddr,
) -> Option<(Stream, Option<NodeId>)> {
    match secured.certificate.acceptor().accept(tcp).await {
        Ok(stream) => {
            let state = stream.get_ref().1;
            let node = proven(state);
            if state.alpn_protocol().is_none() {
                let why = "it did not say that it speaks HTTP/2, as nodes and their clients do";
                inner.refused.note(address, "not_http2", why, node);
                return None;
            }
            Some((Stream::Secured(Box::new(stream)), node))
        }
        Err(error) => {
            let failed = explain(&error);
            inner.refused.note(address, failed.code, &failed.reason, failed.node);
            None
        }
    }
}

/// One that the server speaks HTTP/2 on.
pub(super) struct Connection {
    stream: Stream,
    visitor: Visitor,
    /// Until so many bytes have come.
    preface: Option<(Pin<Box<Sleep>>, usize)>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: Stream, address: SocketAddr, node: Option<NodeId>, slot: OwnedSemaphorePermit) -> Self {
        let preface = Some((Box::pin(sleep(PREFACE_DEADLINE)), PREFACE_BYTES));
        Connection { stream, visitor: Visitor { address, node }, preface, _slot: slot }
    }
}

impl Connected for Connection {
    type ConnectInfo = Visitor;

    fn connect_info(&self) -> Visitor {
        self.visitor
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
