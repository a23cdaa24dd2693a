//! The room that answers have which are made and not yet taken. Whoever asks costs the node an answer for a request of a few
//! bytes, and HTTP/2 lets it leave that answer lying: so an answer has to have room before it is made, of its connection,
//! of whoever asks (an access token, or an address) and of the node, and gives it back when its last byte has gone out or
//! its connection has ended. Who takes nothing of an answer for long, or never comes to its end, is hung up on.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use heliu_record::reason::Facts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::refused::RefusedPeers;
use super::share::Share;
use super::visitor::Visitor;
use crate::access::Caller;
use crate::bounds::{Bounds, SMALL_BYTES};
use crate::life::Life;

/// How often the node looks for answers of which nothing is taken.
const LOOK: Duration = Duration::from_millis(500);

/// The book of a node.
pub(crate) struct Unread {
    room: Arc<Semaphore>,
    bounds: Bounds,
    /// The length of all answers that are made and not yet gone.
    bytes: AtomicUsize,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    next: u64,
    answers: BTreeMap<u64, Weak<Held>>,
    callers: BTreeMap<Payer, Weak<Share>>,
}

/// On whose account an answer is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Payer {
    Token(String),
    Address(IpAddr),
}

/// How much room an answer needs before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// What is read: up to a whole page.
    Page,
    /// An answer that says that something was done, and how.
    Small,
    /// An answer that goes on for as long as somebody listens, a line at a time; few calls have one.
    Stream,
    /// A link between nodes, which has bounds of its own (see `links`).
    Link,
}

/// There is no room for one more answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full {
    pub whose: Whose,
    /// What is used up is the number of streams, not the bytes.
    pub streams: bool,
}

/// Whose room for answers is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Connection,
    Caller,
    Node,
}

/// The room of one answer, given back when this value is dropped.
pub(crate) struct Held {
    unread: Arc<Unread>,
    payer: Payer,
    visitor: Option<Visitor>,
    state: Mutex<State>,
}

struct State {
    permits: Vec<OwnedSemaphorePermit>,
    _share: Arc<Share>,
    bytes: usize,
    /// When the answer was made; none while it is being made.
    made: Option<Instant>,
    /// When something of the answer was taken last.
    taken: Instant,
}

impl Payer {
    pub fn of(caller: Option<&Caller>, visitor: Option<&Visitor>) -> Self {
        match caller.and_then(Caller::token) {
            Some(token) => Payer::Token(token.to_owned()),
            None => Payer::Address(visitor.map_or(IpAddr::from([0; 4]), |visitor| visitor.pass.source())),
        }
    }
}

impl Unread {
    pub fn new(bounds: Bounds) -> Arc<Self> {
        let room = Arc::new(Semaphore::new(bounds.unread_of_node));
        Arc::new(Unread { room, bounds, bytes: AtomicUsize::new(0), book: Mutex::default() })
    }

    /// Bytes of answers that are made and not yet taken.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Room for one answer. First of the asker's own, so that who has used up that waits for itself alone; whoever waits
    /// for the node's has some of its own left, and takes the place of whoever holds most.
    pub async fn admit(
        self: &Arc<Self>,
        size: Size,
        payer: Payer,
        visitor: Option<Visitor>,
    ) -> Result<Arc<Held>, Full> {
        let share = self.share(&payer);
        let connection = visitor.as_ref().map(|visitor| Arc::clone(&visitor.share));
        let mut permits = Vec::new();
        if size == Size::Stream {
            // Nobody waits for a stream: the others last for days.
            for (share, whose) in [(connection, Whose::Connection), (Some(Arc::clone(&share)), Whose::Caller)] {
                let Some(share) = share else { continue };
                permits
                    .push(Arc::clone(&share.streams).try_acquire_owned().map_err(|_| Full { whose, streams: true })?);
            }
            return Ok(self.enter(payer, visitor, permits, share));
        }
        let bytes = if size == Size::Page { self.bounds.page_bytes } else { SMALL_BYTES };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let deadline = Instant::now() + self.bounds.answer_wait;
        for (share, whose) in [(connection, Whose::Connection), (Some(Arc::clone(&share)), Whose::Caller)] {
            let Some(share) = share else { continue };
            let room = Arc::clone(&share.room).acquire_many_owned(bytes);
            permits.push(
                timeout_at(deadline, room).await.ok().and_then(Result::ok).ok_or(Full { whose, streams: false })?,
            );
        }
        let mut room = pin!(Arc::clone(&self.room).acquire_many_owned(bytes));
        loop {
            if let Ok(Ok(room)) = timeout(LOOK.min(self.bounds.answer_wait), &mut room).await {
                permits.push(room);
                return Ok(self.enter(payer, visitor, permits, share));
            }
            if Instant::now() >= deadline {
                return Err(Full { whose: Whose::Node, streams: false });
            }
            self.make_room(&payer);
        }
    }

    fn share(&self, payer: &Payer) -> Arc<Share> {
        let callers = &mut self.lock().callers;
        if let Some(share) = callers.get(payer).and_then(Weak::upgrade) {
            return share;
        }
        callers.retain(|_, share| share.strong_count() > 0);
        let share = Share::of_caller(&self.bounds);
        callers.insert(payer.clone(), Arc::downgrade(&share));
        share
    }

    fn enter(
        self: &Arc<Self>,
        payer: Payer,
        visitor: Option<Visitor>,
        permits: Vec<OwnedSemaphorePermit>,
        share: Arc<Share>,
    ) -> Arc<Held> {
        let state = State { permits, _share: share, bytes: 0, made: None, taken: Instant::now() };
        let held = Arc::new(Held { unread: Arc::clone(self), payer, visitor, state: Mutex::new(state) });
        let mut book = self.lock();
        book.next += 1;
        let number = book.next;
        book.answers.insert(number, Arc::downgrade(&held));
        held
    }

    /// Of whoever holds most, the answer of which nothing was taken for longest goes, with its connection.
    fn make_room(&self, newcomer: &Payer) {
        let answers = self.answers();
        let mut by_payer: BTreeMap<&Payer, usize> = BTreeMap::new();
        for answer in &answers {
            *by_payer.entry(&answer.payer).or_default() += answer.lock().bytes;
        }
        let own = by_payer.get(newcomer).copied().unwrap_or(0);
        let most = by_payer.into_iter().max_by_key(|(_, bytes)| *bytes).filter(|(_, bytes)| *bytes > own);
        let Some((payer, _)) = most else { return };
        let made = answers.iter().filter(|answer| answer.payer == *payer && answer.lock().made.is_some());
        if let Some(oldest) = made.min_by_key(|answer| answer.lock().taken) {
            oldest.hang_up();
        }
    }

    /// Those of which something is still held; the others are struck from the book.
    fn answers(&self) -> Vec<Arc<Held>> {
        let mut found = Vec::new();
        self.lock().answers.retain(|_, answer| match answer.upgrade() {
            Some(answer) => {
                found.push(answer);
                true
            }
            None => false,
        });
        found
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// It is made, and so long. Only what cannot be cut is longer than its room: it counts as far as there is any.
    pub fn made(&self, bytes: usize) {
        let mut state = self.lock();
        let now = Instant::now();
        (state.bytes, state.made, state.taken) = (state.bytes + bytes, Some(now), now);
        let State { permits, bytes: all, .. } = &mut *state;
        for permit in permits {
            let more = u32::try_from(all.saturating_sub(permit.num_permits())).unwrap_or(u32::MAX);
            let more = Arc::clone(permit.semaphore()).try_acquire_many_owned(more);
            more.into_iter().for_each(|more| permit.merge(more));
        }
        self.unread.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Some of it has gone out. With the first of it, the room that it does not need is given back: for who takes nothing,
    /// few answers are made, however short they are.
    pub fn taken(&self) {
        let mut state = self.lock();
        state.taken = Instant::now();
        // A stream has no length, and its place until it ends.
        let State { permits, bytes, made: Some(_), .. } = &mut *state else { return };
        for permit in permits {
            let spare = permit.num_permits().saturating_sub(*bytes);
            drop(permit.split(spare));
        }
    }

    fn is_late(&self, bounds: &Bounds) -> bool {
        let state = self.lock();
        state.made.is_some_and(|made| {
            state.bytes > 0 && (state.taken.elapsed() > bounds.unread || made.elapsed() > bounds.unread_whole)
        })
    }

    fn hang_up(&self) {
        if let Some(visitor) = &self.visitor {
            visitor.pass.hang_up();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let bytes = self.lock().bytes;
        self.unread.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Hangs up on whoever does not take its answers. A stream alone cannot be given up from here: what HTTP/2 has in hand of
/// it goes with the connection only.
pub(crate) async fn watch(unread: Arc<Unread>, refused: Arc<RefusedPeers>, life: Life) {
    let look = async {
        loop {
            sleep(LOOK.min(unread.bounds.unread)).await;
            for answer in unread.answers().into_iter().filter(|answer| answer.is_late(&unread.bounds)) {
                answer.hang_up();
                if let Some(visitor) = &answer.visitor {
                    let why = "it asked, and did not take the answer";
                    refused.note(visitor.address, ("answers_not_taken", Facts::none()), why, visitor.node);
                }
            }
        }
    };
    tokio::select! {
        () = look => {}
        () = life.stopping() => {}
    }
}
