//! Verifications that somebody waits for: a checkpoint is asked of the engine, and its verdict seen as it goes by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use heliu_record::id::SeatId;
use heliu_replication::Notice;
use heliu_replication::effect::{Input, LinkId};
use heliu_replication::frame::Frame;
use heliu_storage::Position;
use heliu_trust::id::NodeId;
use tokio::time::Instant;

use super::Running;
use crate::error::AskError;
use crate::inbox::Answer;
use crate::status::{Cut, Outcome, Verification};

/// The longest that somebody waits.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Verifying {
    /// The last checkpoint on each link, and whether its sums are this end's.
    cuts: BTreeMap<LinkId, (Cut, bool)>,
    waiters: Vec<Waiter>,
}

struct Waiter {
    until: Instant,
    answer: Answer<Vec<Verification>, AskError>,
    links: Vec<(Option<LinkId>, Verification)>,
    /// A verdict counts only if it is about everything that was here when it was asked for.
    head: Position,
}

impl Verifying {
    pub fn sent(&mut self, link: LinkId, frame: &Frame) {
        if let Frame::Checkpoint(cut) = frame {
            let cut = Cut { mine: cut.mine, yours: cut.yours, sums: cut.sums };
            self.cuts.insert(link, (cut, true));
        }
    }

    pub fn received(&mut self, link: LinkId, frame: &Frame) {
        if let Frame::Checkpoint(cut) = frame {
            let cut = Cut { mine: cut.yours, yours: cut.mine, sums: cut.sums };
            self.cuts.insert(link, (cut, false));
        }
    }

    pub fn notice(&mut self, notice: &Notice) {
        let (link, outcome) = match notice {
            Notice::LinkVerified { link, .. } => (*link, Outcome::Equal),
            Notice::SumsDiffer { link, .. } => (*link, Outcome::Different),
            Notice::JudgedDifferently { link, .. } => (*link, Outcome::JudgedDifferently),
            _ => return,
        };
        let Some((mut cut, own)) = self.cuts.get(&link).copied() else { return };
        if !own && outcome != Outcome::Equal {
            cut.sums = heliu_replication::frame::Sums::default(); // The other end's are not ours.
        }
        for waiter in &mut self.waiters {
            if outcome == Outcome::Equal && cut.mine < waiter.head {
                continue;
            }
            waiter.conclude(link, outcome, Some(cut));
        }
        self.answer();
    }

    pub fn gone(&mut self, link: LinkId) {
        self.cuts.remove(&link);
        for waiter in &mut self.waiters {
            waiter.conclude(link, Outcome::NotConnected, None);
        }
        self.answer();
    }

    fn answer(&mut self) {
        for waiter in self.waiters.extract_if(.., |waiter| waiter.links.iter().all(|(link, _)| link.is_none())) {
            let mut verdicts: Vec<_> = waiter.links.into_iter().map(|(_, verification)| verification).collect();
            // With a node that is connected otherwise, whoever asks gets the verdict of that connection.
            let connected = |verdict: &Verification| verdict.peer.filter(|_| verdict.outcome != Outcome::NotConnected);
            let peers: BTreeSet<NodeId> = verdicts.iter().filter_map(connected).collect();
            verdicts.retain(|verdict| {
                verdict.outcome != Outcome::NotConnected || verdict.peer.is_none_or(|peer| !peers.contains(&peer))
            });
            let _ = waiter.answer.send(Ok(verdicts));
        }
    }
}

impl Waiter {
    fn conclude(&mut self, at: LinkId, outcome: Outcome, cut: Option<Cut>) {
        for (link, verification) in &mut self.links {
            if *link == Some(at) {
                *link = None;
                (verification.outcome, verification.cut) = (outcome, cut);
            }
        }
    }
}

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
        self.verifying.waiters.push(Waiter { until, answer, links, head });
        self.verifying.answer();
        for link in asked {
            self.feed(Input::Verify { link });
        }
    }

    pub(super) fn time_out_verifying(&mut self) {
        let now = Instant::now();
        if self.verifying.waiters.iter().all(|waiter| waiter.until > now) {
            return;
        }
        let busy: Vec<LinkId> =
            self.run.engine.links().iter().filter(|l| l.phase != "in step").map(|l| l.link).collect();
        for waiter in self.verifying.waiters.iter_mut().filter(|waiter| waiter.until <= now) {
            for (link, verification) in &mut waiter.links {
                if let Some(link) = link.take() {
                    let moving = busy.contains(&link);
                    verification.outcome = if moving { Outcome::MovedOn } else { Outcome::TimedOut };
                }
            }
        }
        self.verifying.answer();
    }

    /// The connected links to a peer, and the configured ones to it that are not connected.
    fn links_to(&self, wanted: &str) -> Vec<(Option<LinkId>, Verification)> {
        let routes = self.run.inner.board.routes();
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
            let verification = Verification { address, dialer, peer, peer_seat, is_misplaced, outcome, cut: None };
            links.push((link, verification));
        }
        links
    }

    fn is_named(&self, wanted: &str, peer: Option<NodeId>, seat: Option<SeatId>) -> bool {
        let by_id = wanted.len() >= 8 && peer.is_some_and(|peer| peer.to_string().starts_with(wanted));
        by_id || seat.and_then(|seat| self.run.engine.directory().seats().get(seat)).is_some_and(|s| s.code == wanted)
    }
}
