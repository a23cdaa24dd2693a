//! Checkpoints that somebody asks for, to know now whether both ends of a link hold the same: finds the links that are meant
//! and has the engine ask their other ends. Who waits for the verdicts is in `verifying`.

use std::time::Duration;

use heliu_record::id::SeatId;
use heliu_replication::effect::{Input, LinkId};

use heliu_trust::id::NodeId;
use tokio::time::Instant;

use super::Running;
use super::verifying::Waiter;
use crate::error::AskError;
use crate::inbox::Answer;
use crate::status::{Outcome, Verification};

/// The longest that somebody waits.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

impl Running {
    pub(super) fn verify(&mut self, peer: &str, timeout: Duration, answer: Answer<Vec<Verification>, AskError>) {
        let links = self.links_to(peer);
        if links.is_empty() && !peer.is_empty() {
            drop(answer.send(Err(AskError::NoSuchPeer(peer.to_owned()))));
            return;
        }
        let timeout = if timeout.is_zero() { TIMEOUT_DEFAULT } else { timeout.min(TIMEOUT_MAX) };
        let (until, head) = (Instant::now() + timeout, self.run.engine.meta().head);
        let asked: Vec<LinkId> = links.iter().filter_map(|(link, _)| *link).collect();
        self.verifying.wait(Waiter { until, answer, links, head });
        for link in asked {
            self.feed(Input::Verify { link });
        }
    }

    pub(super) fn time_out_verifying(&mut self) {
        let now = Instant::now();
        if self.verifying.is_late(now) {
            let busy: Vec<LinkId> =
                self.run.engine.links().iter().filter(|l| l.phase != "in step").map(|l| l.link).collect();
            self.verifying.time_out(now, &busy);
        }
    }

    /// The connected links to a peer, and the configured ones to it that are not connected.
    fn links_to(&self, wanted: &str) -> Vec<(Option<LinkId>, Verification)> {
        let routes = self.run.inner.routes.all();
        let mut links = Vec::new();
        for route in routes {
            let state = route.state();
            if self.is_gone(&route, &state) {
                continue;
            }
            let peer_seat = state.peer.and_then(|peer| self.run.engine.directory().node(peer)).map(|info| info.seat);
            if !wanted.is_empty() && !self.is_named(wanted, state.peer, peer_seat) {
                continue;
            }
            let link = state.link.filter(|link| self.ends.contains_key(link));
            let outcome = Outcome::NotConnected;
            let is_misplaced = self.is_misplaced(&route, peer_seat);
            let (address, dialer, peer) = (state.address, route.configured.is_some(), state.peer);
            let are_sums_proven = self.run.engine.are_sums_proven();
            let verification =
                Verification { address, dialer, peer, peer_seat, is_misplaced, are_sums_proven, outcome, cut: None };
            links.push((link, verification));
        }
        links
    }

    fn is_named(&self, wanted: &str, peer: Option<NodeId>, seat: Option<SeatId>) -> bool {
        let by_id = wanted.len() >= 8 && peer.is_some_and(|peer| peer.to_string().starts_with(wanted));
        by_id || seat.and_then(|seat| self.run.engine.directory().seats().get(seat)).is_some_and(|s| s.code == wanted)
    }
}
