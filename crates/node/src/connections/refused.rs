//! Who was not let in: counted, the last ones kept for operators, and logged as [`crate::told`] allows.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heliu_record::reason::Facts;
use heliu_trust::id::NodeId;

use crate::clock::{Clock, Then};
use crate::status::RefusedPeer;
use crate::told::{Source, Told};

const KEPT: usize = 64;

pub(crate) struct RefusedPeers {
    state: Mutex<State>,
    told: Arc<Told>,
}

#[derive(Default)]
struct State {
    count: u64,
    last: VecDeque<(Then, RefusedPeer)>,
}

impl RefusedPeers {
    pub fn new(told: Arc<Told>) -> Self {
        RefusedPeers { state: Mutex::default(), told }
    }

    /// `reason` is for the log.
    pub fn note(&self, address: SocketAddr, (code, facts): (&'static str, Facts), reason: &str, node: Option<NodeId>) {
        let refused = RefusedPeer { at_ms: 0, address, code, facts, node };
        let mut state = self.lock();
        state.count += 1;
        if self.told.claim(Source::at(address.ip()), code) {
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
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use heliu_record::reason::Fact;

    use super::*;

    #[test]
    fn the_last_ones_are_kept_and_all_are_counted() {
        let refused = RefusedPeers::new(Arc::default());
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        for n in 0..1000 {
            refused.note(address, ("expired", Facts::none().and(Fact::Found, n)), "", None);
        }
        let (count, last) = refused.report(&Clock::start());
        assert_eq!((count, last.len(), last[0].facts.to_string().as_str()), (1000, KEPT, "found=999"));
    }
}
