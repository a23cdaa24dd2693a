//! A session is one connection of a link, from its first message to its last; here is its receiving direction: messages come in, are decoded here, and wait for room in the engine's inbox, which
//! is what holds back a peer that sends too fast.

use std::time::Duration;

use heliu_replication::frame::{Frame, Refuse, RefuseCode};
use heliu_wire::FrameError;
use prost::Message;
use tonic::{Status, Streaming};

use super::LinkTasks;
use crate::handle::Inner;
use crate::inbox::Ask;
use crate::link_end::{Closing, LinkEnd};
use crate::routes::is_misplaced;
use crate::trouble::{Cause, Trouble};

/// How long the other end may take to see that the link has ended, before it is cut.
const FAREWELL: Duration = Duration::from_secs(3);

/// How a session ended.
pub(crate) enum Ended {
    /// This end's engine closed it; the route knows why.
    Closed,
    /// The other end closed it, or the connection is gone.
    Lost(Cause),
    /// The node has stopped.
    Stopped,
}

enum Heard<M> {
    Message(M),
    Nothing(Cause),
}

/// Carries frames to the engine until the link ends, and tells the engine of both.
pub(crate) async fn run<M>(inner: &Inner, end: LinkEnd, mut tasks: LinkTasks, mut incoming: Streaming<M>) -> Ended
where
    M: Message + Default + 'static,
    Frame: TryFrom<M, Error = FrameError>,
{
    let link = tasks.id;
    tasks.route.connected(link);
    if inner.inbox.send(Ask::LinkUp { link, end }).await.is_err() {
        return Ended::Stopped;
    }
    let ended = carry(inner, &mut tasks, &mut incoming).await;
    // The connection is over: frames that have not been sent by now are dropped.
    tasks.cut.abort();
    if let Ended::Lost(why) = &ended {
        tasks.route.failed(why.clone());
    }
    tasks.route.disconnected(link);
    match inner.inbox.send(Ask::LinkDown { link }).await {
        Ok(()) => ended,
        Err(_) => Ended::Stopped,
    }
}

async fn carry<M>(inner: &Inner, tasks: &mut LinkTasks, incoming: &mut Streaming<M>) -> Ended
where
    M: Message + Default + 'static,
    Frame: TryFrom<M, Error = FrameError>,
{
    let link = tasks.id;
    let mut greeted = false;
    loop {
        let heard = tokio::select! {
            why = &mut tasks.stopped => {
                match why {
                    Ok(Closing::Refused(why)) => tasks.route.refused(&why),
                    Ok(Closing::GivenUp(why)) => tasks.route.failed(why),
                    Err(_) => {}
                }
                farewell(incoming).await;
                return Ended::Closed;
            }
            heard = hear(incoming, greeted, inner.bounds.hello) => heard,
        };
        let message = match heard {
            Heard::Message(message) => message,
            Heard::Nothing(why) => return Ended::Lost(why),
        };
        tasks.route.meter.heard(message.encoded_len());
        let ask = match Frame::try_from(message) {
            Ok(frame) => {
                note(inner, tasks, &frame);
                if let Some(place) = &mut tasks.place {
                    place.look();
                }
                greeted = true;
                Ask::Frame { link, frame }
            }
            Err(error) => Ask::Broken { link, why: Refuse { code: RefuseCode::Protocol, reason: error.to_string() } },
        };
        if inner.inbox.send(ask).await.is_err() {
            return Ended::Stopped;
        }
    }
}

/// Keepalive notices a dead connection; only the first message has a deadline of its own.
async fn hear<M>(incoming: &mut Streaming<M>, greeted: bool, deadline: Duration) -> Heard<M> {
    let next = incoming.message();
    let heard = if greeted {
        next.await
    } else {
        let late = || Err(Status::deadline_exceeded(format!("no hello within {} s", deadline.as_secs())));
        tokio::time::timeout(deadline, next).await.unwrap_or_else(|_| late())
    };
    match heard {
        Ok(Some(message)) => Heard::Message(message),
        Ok(None) => Heard::Nothing(Cause::new(Trouble::Closed, "the other end closed the connection")),
        Err(status) => Heard::Nothing(Cause::of_status(&status)),
    }
}

/// For operators: who is there, and that it goes well.
fn note(inner: &Inner, tasks: &LinkTasks, frame: &Frame) {
    match frame {
        // Whom the connection has not proven is not taken for whom he says he is, nor shown in his place.
        Frame::Hello(hello) if tasks.peer.is_none_or(|proven| proven == hello.node) => {
            tasks.route.greeted(hello);
            let directory = inner.directory.borrow();
            let Some(info) = directory.node(hello.node) else { return };
            // Anybody can say hello. Only who is enrolled is remembered, or the list would grow without end.
            match tasks.route.configured {
                None => inner.routes.identify(hello.node, &tasks.route),
                Some(role) if is_misplaced(role, inner.seat, info.seat, directory.seats()) => tracing::error!(
                    address = tasks.route.state().address,
                    node = hello.node.short(),
                    seat = directory.seats().name(info.seat),
                    "what is configured as a parent is not above this seat: what is written here does not go up by this link. \
                     Correct links.parents in heliu.toml"
                ),
                Some(_) => {}
            }
        }
        Frame::Welcome(_) => tasks.route.welcomed(),
        Frame::Clock(now_ms) => tasks.route.told_clock(*now_ms),
        _ => {}
    }
}

/// The last words are on their way out; the other end closes when it has them.
async fn farewell<M>(incoming: &mut Streaming<M>) {
    let closed = async { while let Ok(Some(_)) = incoming.message().await {} };
    let _ = tokio::time::timeout(FAREWELL, closed).await;
}
