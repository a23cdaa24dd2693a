//! The handle of a running node: cheap to clone, and all that a program in the same process needs of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use heliu_record::catalogue::Catalogue;
use heliu_record::change::limits;
use heliu_record::command::{Refusal, Request};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::reason::Reason;
use heliu_record::sight::Sight;
use heliu_replication::{LinkId, Trial};
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use heliu_trust::signature::Signer;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};

use crate::access::Attempts;
use crate::bounds::Bounds;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::error::{AskError, ExecuteError, ShutdownError};
use crate::inbox::Ask;
use crate::life::Life;
use crate::options::{Limits, Retry};
use crate::routes::Routes;
use crate::secured::Secured;
use crate::status::{Executed, LinkReport, NodeStatus, Verification};
use crate::told::Told;

/// A running node. It goes on when all handles are dropped; [`NodeHandle::shutdown`] ends it.
#[derive(Clone)]
pub struct NodeHandle(pub(crate) Arc<Inner>);

/// What the node's tasks have in common: everything but the engine and the store.
pub(crate) struct Inner {
    pub catalogue: &'static Catalogue,
    pub node: NodeId,
    pub seat: SeatId,
    pub address: SocketAddr,
    pub clock: Clock,
    pub limits: Limits,
    pub bounds: Bounds,
    /// Connections that came in.
    pub connections: Arc<Connections>,
    pub retry: Retry,
    /// None: development mode.
    pub secured: Option<Secured>,
    /// What others have caused in the log.
    pub told: Arc<Told>,
    /// The queue `inbox`: the one way to the engine.
    pub inbox: mpsc::Sender<Ask>,
    /// One permit for each command under way, kept until it is answered, whether or not its asker still waits: what the
    /// engine has queued is bounded by them.
    pub commands: Arc<Semaphore>,
    /// One permit for each machine that waits to become a node.
    pub joins: Arc<Semaphore>,
    /// Join requests that were refused, by where they came from.
    pub join_attempts: Attempts,
    /// What join tokens are minted with.
    pub minter: Minter,
    pub directory: watch::Receiver<Directory>,
    /// Why the store takes no writes, as people read it.
    pub read_only: watch::Receiver<Option<Reason>>,
    pub life: Life,
    /// Somebody found that not all records are listed.
    pub to_list: Arc<Notify>,
    pub routes: Routes,
    pub links_made: AtomicU64,
}

/// What join tokens are minted with.
pub(crate) struct Minter {
    pub key: Arc<dyn Signer>,
    pub realm_name: String,
}

impl NodeHandle {
    pub(crate) fn catalogue(&self) -> &'static Catalogue {
        self.0.catalogue
    }

    /// How many bytes a page of a list may have.
    pub(crate) fn page_bytes(&self) -> usize {
        self.0.bounds.page_bytes
    }

    /// Where the node listens; with the port that it got.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    #[must_use]
    pub fn node(&self) -> NodeId {
        self.0.node
    }

    #[must_use]
    pub fn seat(&self) -> SeatId {
        self.0.seat
    }

    /// The directory as this node goes by it. An entry that has just come is in it a moment before it is durable.
    #[must_use]
    pub fn directory(&self) -> Directory {
        self.0.directory.borrow().clone()
    }

    /// Carries out a command. It is durable when this returns. Cancelling the call does not cancel the command.
    pub async fn execute(&self, request: Request) -> Result<Executed, ExecuteError> {
        self.execute_by(request, false, Trial::No, String::new(), Sight::WHOLE).await
    }

    /// As [`NodeHandle::execute`], by a right that is written to the audit log, for somebody who is shown so much.
    /// What everybody could reckon of its id, only the county's nodes can afterwards. Of a trial nothing is written.
    pub async fn execute_by(
        &self,
        request: Request,
        is_guessable: bool,
        trial: Trial,
        role: String,
        sight: Sight,
    ) -> Result<Executed, ExecuteError> {
        check_note(&request).map_err(ExecuteError::Refused)?;
        let permit = Arc::clone(&self.0.commands).acquire_owned().await.map_err(|_| ExecuteError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Execute { request, is_guessable, trial, role, sight, answer, permit };
        self.0.inbox.send(ask).await.map_err(|_| ExecuteError::Stopped)?;
        answered.await.unwrap_or(Err(ExecuteError::Stopped))
    }

    pub async fn status(&self) -> Result<NodeStatus, AskError> {
        self.ask(|answer| Ask::Status { answer }).await?
    }

    /// Every configured link, and every accepted one whose other end this node knows.
    pub async fn links(&self) -> Result<Vec<LinkReport>, AskError> {
        self.ask(|answer| Ask::Links { answer }).await?
    }

    /// Runs a checkpoint now and waits for the verdicts: with the peer of a node id (or 8 digits of it or more) or region
    /// code, or with all if that is empty.
    pub async fn verify(&self, peer: &str, timeout: Duration) -> Result<Vec<Verification>, AskError> {
        self.ask(|answer| Ask::Verify { peer: peer.to_owned(), timeout, answer }).await?
    }

    /// Ends the node: no more commands and connections, links are told, what is under way becomes durable and is
    /// answered. The store is let go of, not closed: whoever opened it closes it after this.
    pub async fn shutdown(&self) -> Result<(), ShutdownError> {
        self.0.life.stop();
        self.stopped().await
    }

    /// Returns when the node has stopped, by a shutdown or because it failed.
    pub async fn stopped(&self) -> Result<(), ShutdownError> {
        self.0.life.stopped().await
    }

    /// Not all records are listed: they are to be.
    pub(crate) fn relist(&self) {
        self.0.to_list.notify_one();
    }

    /// Records that could not be shown, because the store does not have them as they were written. Where there is no room to
    /// say so, the engine comes upon them by itself.
    pub(crate) fn suspect(&self, records: Vec<RecordId>) {
        if !records.is_empty() {
            let _ = self.0.inbox.try_send(Ask::Suspect { records });
        }
    }

    pub(crate) async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, AskError> {
        let (answer, answered) = oneshot::channel();
        self.0.inbox.send(make(answer)).await.map_err(|_| AskError::Stopped)?;
        answered.await.map_err(|_| AskError::Stopped)
    }
}

impl Inner {
    pub fn next_link(&self) -> LinkId {
        LinkId(self.links_made.fetch_add(1, Ordering::Relaxed))
    }
}

/// Who asked, by which command and why travels with the change, and has its limit there.
fn check_note(request: &Request) -> Result<(), Refusal> {
    let bytes = request.name.len() + request.who.len() + request.reason.len() + "\n\n".len();
    if bytes <= limits::MESSAGE_BYTES && !request.who.contains('\n') {
        return Ok(());
    }
    Err(Refusal::new(
        "note_too_long",
        ("经办人或理由太长。".to_owned(), "Who asks and why is too long.".to_owned()),
        ("它们随变更一同保存和传送。", "It is kept with the change and travels with it."),
        ("请缩短;合计不超过约 1,000 字节,经办人不换行。", "Shorten it to about 1,000 bytes, and who asks to one line."),
    ))
}
