//! What is known of one configured or accepted link over all its connections: who is there, how it went, how much went
//! over it. For operators; nothing is decided by it but when to dial again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heliu_record::id::SeatId;
use heliu_record::seats::Seats;
use heliu_replication::LinkId;
use heliu_replication::frame::{Hello, Refuse, RefuseCode};
use heliu_storage::StoreId;
use heliu_trust::id::NodeId;

use crate::clock::{OtherClock, Then};
use crate::options::Upstream;
use crate::status::{LinkRole, Traffic};
use crate::trouble::Cause;

pub(crate) struct Route {
    /// What the other end is to this node, if this end dials; the directory says it of those that dial in.
    pub configured: Option<LinkRole>,
    /// The addresses to dial; none if the other end dials.
    pub addresses: Vec<String>,
    /// Nobody else is to answer there.
    pub node: Option<NodeId>,
    pub meter: Meter,
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub address: String,
    /// The connection that there is now.
    pub link: Option<LinkId>,
    pub connecting: bool,
    pub peer: Option<NodeId>,
    pub store: Option<StoreId>,
    pub program: String,
    /// The other end's clock, as of the hello or of the last word that it had been set.
    pub clock: Option<OtherClock>,
    /// The welcome of the other end has come over this connection.
    pub welcomed: bool,
    /// The last connection ended with a refusal that does not get better by itself.
    pub refused: bool,
    pub connects: u64,
    /// What went wrong last on this route, and when; the fault may be over.
    pub last_error: Option<(Cause, Then)>,
    /// When the last connection ended.
    ended: Option<Instant>,
    behind_since: Option<Instant>,
}

impl Route {
    pub fn dialled(role: LinkRole, upstream: Upstream) -> Self {
        let address = upstream.addresses.first().cloned().unwrap_or_default();
        let state = State { address, ..State::default() };
        let Upstream { addresses, node } = upstream;
        Route { configured: Some(role), addresses, node, meter: Meter::default(), state: Mutex::new(state) }
    }

    pub fn accepted(address: String) -> Self {
        let state = State { address, ..State::default() };
        let (addresses, meter) = (Vec::new(), Meter::default());
        Route { configured: None, addresses, node: None, meter, state: Mutex::new(state) }
    }

    pub fn state(&self) -> State {
        self.lock().clone()
    }

    pub fn link(&self) -> Option<LinkId> {
        self.lock().link
    }

    pub fn connecting(&self, address: &str) {
        let mut state = self.lock();
        state.connecting = true;
        address.clone_into(&mut state.address);
    }

    pub fn connected(&self, link: LinkId) {
        let mut state = self.lock();
        (state.connecting, state.welcomed, state.refused, state.link) = (false, false, false, Some(link));
        state.connects += 1;
    }

    pub fn greeted(&self, hello: &Hello) {
        let mut state = self.lock();
        (state.peer, state.store) = (Some(hello.node), Some(hello.store));
        state.program.clone_from(&hello.program);
        state.clock = hello.now_ms.map(OtherClock::says);
    }

    /// The other end's clock has been set.
    pub fn told_clock(&self, now_ms: i64) {
        self.lock().clock = Some(OtherClock::says(now_ms));
    }

    pub fn welcomed(&self) {
        self.lock().welcomed = true;
    }

    pub fn disconnected(&self, link: LinkId) {
        let mut state = self.lock();
        if state.link == Some(link) {
            (state.link, state.connecting, state.ended) = (None, false, Some(Instant::now()));
        }
    }

    pub fn failed(&self, error: Cause) {
        let mut state = self.lock();
        state.connecting = false;
        state.last_error = Some((error, Then::now()));
    }

    pub fn refused(&self, why: &Refuse) {
        let mut state = self.lock();
        state.refused = !matches!(why.code, RefuseCode::ShuttingDown | RefuseCode::StoreFailed);
        state.last_error = Some((Cause::refused(why), Then::now()));
    }

    /// For how long the other end has been behind, told at each look.
    pub fn behind(&self, behind: bool) -> Duration {
        let mut state = self.lock();
        if behind {
            state.behind_since.get_or_insert_with(Instant::now).elapsed()
        } else {
            state.behind_since = None;
            Duration::ZERO
        }
    }

    /// There is a connection.
    pub fn lives(&self) -> bool {
        self.lock().link.is_some()
    }

    pub fn ended(&self) -> Option<Instant> {
        self.lock().ended
    }

    /// Takes over what is counted and remembered of another connection of the same peer, which has ended.
    pub fn inherit(&self, other: &Route) {
        let before = other.state();
        self.meter.add(&other.meter);
        let mut state = self.lock();
        state.connects += before.connects;
        let last = [state.last_error.take(), before.last_error].into_iter().flatten();
        state.last_error = last.max_by_key(|(_, then)| *then);
    }

    /// The peer has been behind since an earlier connection: that goes on.
    pub fn take_over_behind(&self, earlier: &Route) {
        let since = earlier.lock().behind_since;
        let mut state = self.lock();
        state.behind_since = state.behind_since.or(since);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is a few assignments: there is no half-made state to fear.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what is configured as a superior is none.
pub(crate) fn is_misplaced(role: LinkRole, own: SeatId, peer: SeatId, seats: &Seats) -> bool {
    role == LinkRole::Parent && (peer == own || !seats.is_at_or_above(peer, own))
}

/// Counts what goes over a link.
#[derive(Default)]
pub(crate) struct Meter {
    frames_in: AtomicU64,
    frames_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    turns: AtomicU64,
    /// Something went out after something had come in.
    asked: AtomicBool,
    heard: Mutex<Option<Then>>,
}

impl Meter {
    pub fn sent(&self, bytes: usize) {
        self.frames_out.fetch_add(1, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
        self.asked.store(true, Ordering::Relaxed);
    }

    pub fn heard(&self, bytes: usize) {
        self.frames_in.fetch_add(1, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(Then::now());
        if self.asked.swap(false, Ordering::Relaxed) {
            self.turns.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn last_heard(&self) -> Option<Then> {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn traffic(&self) -> Traffic {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            frames_in: read(&self.frames_in),
            frames_out: read(&self.frames_out),
            bytes_in: read(&self.bytes_in),
            bytes_out: read(&self.bytes_out),
            turns: read(&self.turns),
        }
    }

    fn add(&self, earlier: &Meter) {
        let before = earlier.traffic();
        self.frames_in.fetch_add(before.frames_in, Ordering::Relaxed);
        self.frames_out.fetch_add(before.frames_out, Ordering::Relaxed);
        self.bytes_in.fetch_add(before.bytes_in, Ordering::Relaxed);
        self.bytes_out.fetch_add(before.bytes_out, Ordering::Relaxed);
        self.turns.fetch_add(before.turns, Ordering::Relaxed);
    }
}
