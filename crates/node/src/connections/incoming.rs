//! Connections as they are accepted: secured one beside the other, none that connects and says nothing, and each hung up on
//! when the lobby says so.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream as Incoming;
use heliu_record::reason::Facts;
use heliu_tls::{explain, proven};
use heliu_trust::id::NodeId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tracing::Instrument as _;

use super::Connections;
use super::lobby::Ticket;
use super::share::Share;
use super::stream::Stream;
use super::visitor::Visitor;
use crate::bounds::Bounds;
use crate::life::Life;
use crate::secured::Secured;
use crate::told::Source;

const PREFACE_BYTES: usize = 24;
/// When the system gives no connection (no file handles left), trying again at once would only burn time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Connections that are ready and wait for the server to take them.
const READY: usize = 16;

/// Connections, each secured in a task of its own. The listener ends when the node stops.
pub(crate) fn accept(
    listener: TcpListener,
    connections: Arc<Connections>,
    life: Life,
) -> impl Incoming<Item = io::Result<Connection>> {
    let (ready, secured) = mpsc::channel(READY);
    tokio::spawn(listen(listener, connections, life, ready).in_current_span());
    ReceiverStream::new(secured)
}

type Ready = mpsc::Sender<io::Result<Connection>>;

async fn listen(listener: TcpListener, connections: Arc<Connections>, life: Life, ready: Ready) {
    let visitors = async {
        loop {
            let (tcp, address) = next(&listener, &connections).await;
            // Small frames must not wait for others. It only fails on a connection that is gone already.
            let _ = tcp.set_nodelay(true);
            let (ticket, evicted) = connections.lobby.enter(address);
            note_evicted(&connections, evicted);
            tokio::spawn(receive(Arc::clone(&connections), ready.clone(), tcp, address, ticket).in_current_span());
        }
    };
    tokio::select! {
        () = visitors => {}
        () = life.stopping() => {}
        () = ready.closed() => {}
    }
}

async fn next(listener: &TcpListener, connections: &Connections) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // This connection was gone before it was accepted; the others go on.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                if connections.told.claim(Source::Others, "not accepted") {
                    tracing::warn!(%error, "a connection could not be accepted; if it goes on, raise the limit of open files");
                }
                note_evicted(connections, connections.lobby.make_room());
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn note_evicted(connections: &Connections, evicted: Option<SocketAddr>) {
    if let Some(address) = evicted {
        let why = "too many connections have not shown who they are; this was the oldest of the address that has most";
        connections.refused.note(address, ("evicted", Facts::none()), why, None);
    }
}

/// Secures a connection and hands it to the server.
async fn receive(connections: Arc<Connections>, ready: Ready, tcp: TcpStream, address: SocketAddr, mut ticket: Ticket) {
    let secured = match &connections.secured {
        None => Some((Stream::Plain(tcp), None)),
        Some(secured) => {
            // The connection goes with this future, after its end is noted: whoever sees it closed finds out why.
            let mut securing = pin!(secure(&connections, secured, tcp, address));
            tokio::select! {
                _ = &mut ticket.cut => None,
                secured = tokio::time::timeout(connections.bounds.handshake, securing.as_mut()) => {
                    secured.unwrap_or_else(|_| {
                        let limit = connections.bounds.handshake.as_secs();
                        let why = format!("it did not secure the connection within {limit} s");
                        connections.refused.note(address, ("handshake_timeout", Facts::none()), &why, None);
                        None
                    })
                }
            }
        }
    };
    if let Some((stream, node)) = secured {
        // An error: the server has stopped meanwhile.
        let _ = ready.send(Ok(Connection::new(stream, address, node, ticket, &connections.bounds))).await;
    }
}

/// None: it was refused, which is noted.
async fn secure(
    connections: &Connections,
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
                connections.refused.note(address, ("not_http2", Facts::none()), why, node);
                return None;
            }
            Some((Stream::Secured(Box::new(stream)), node))
        }
        Err(error) => {
            let failed = explain(&error);
            connections.refused.note(address, (failed.code, failed.facts), &failed.words.en, failed.node);
            None
        }
    }
}

/// One that the server speaks HTTP/2 on.
pub(crate) struct Connection {
    stream: Stream,
    visitor: Visitor,
    /// Until so many bytes have come.
    preface: Option<(Pin<Box<Sleep>>, usize)>,
    ticket: Ticket,
}

impl Connection {
    fn new(stream: Stream, address: SocketAddr, node: Option<NodeId>, ticket: Ticket, bounds: &Bounds) -> Self {
        let preface = Some((Box::pin(sleep(bounds.preface)), PREFACE_BYTES));
        let visitor = Visitor { address, node, pass: ticket.pass(), share: Share::of_connection(bounds) };
        Connection { stream, visitor, preface, ticket }
    }

    /// An error if it is to be hung up. Else whoever reads or writes is woken when it is.
    fn goes_on(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let cut = &mut self.ticket.cut;
        if !cut.is_terminated() && Pin::new(cut).poll(context).is_pending() {
            return Ok(());
        }
        Err(io::Error::new(ErrorKind::ConnectionAborted, "the connection is cut"))
    }
}

impl Connected for Connection {
    type ConnectInfo = Visitor;

    fn connect_info(&self) -> Visitor {
        self.visitor.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.goes_on(context)?;
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
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the connection said nothing")))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.goes_on(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.goes_on(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.goes_on(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.goes_on(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
