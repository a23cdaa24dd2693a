//! Who was not let in: counted, the last ones kept for operators, and logged.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use heliu_trust::id::NodeId;

use crate::clock::{Clock, Then};
use crate::status::RefusedPeer;

const KEPT: usize = 64;
/// Lines in the log per minute; the rest is counted only, so that a flood of connections is none of log lines.
const LOGGED: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(crate) struct RefusedPeers(Mutex<State>);

#[derive(Default)]
struct State {
    count: u64,
    last: VecDeque<(Then, RefusedPeer)>,
    minute: Option<(Instant, u32)>,
}

impl RefusedPeers {
    pub fn note(&self, address: SocketAddr, code: &'static str, reason: &str, node: Option<NodeId>) {
        let refused = RefusedPeer { at_ms: 0, address, code, reason: reason.to_owned(), node };
        let mut state = self.lock();
        state.count += 1;
        if state.may_log() {
            let node = node.map(|node| node.short()).unwrap_or_default();
            tracing::warn!(%address, code, reason, node, "not let in");
        }
        state.last.push_front((Then::now(), refused));
        state.last.truncate(KEPT);
    }

    /// How many since the start, and the last ones, newest first.
    pub fn report(&self, clock: &Clock) -> (u64, Vec<RefusedPeer>) {
        let state = self.lock();
        let told =
            |(then, refused): &(Then, RefusedPeer)| RefusedPeer { at_ms: then.wall_ms(clock), ..refused.clone() };
        (state.count, state.last.iter().map(told).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_log(&mut self) -> bool {
        let (since, lines) = self.minute.get_or_insert_with(|| (Instant::now(), 0));
        if since.elapsed() >= MINUTE {
            (*since, *lines) = (Instant::now(), 0);
        }
        *lines += 1;
        *lines <= LOGGED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_all_are_counted() {
        let refused = RefusedPeers::default();
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        for n in 0..1000 {
            refused.note(address, "expired", &n.to_string(), None);
        }
        let (count, last) = refused.report(&Clock::start());
        assert_eq!((count, last.len(), last[0].reason.as_str()), (1000, KEPT, "999"));
    }
}
