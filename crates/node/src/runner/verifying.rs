//! Verifications that somebody waits for: the verdict of a checkpoint is seen as it goes by.

use std::collections::{BTreeMap, BTreeSet};

use heliu_replication::Notice;
use heliu_replication::effect::LinkId;
use heliu_replication::frame::Frame;
use heliu_storage::Position;
use heliu_trust::id::NodeId;
use tokio::time::Instant;

use crate::error::AskError;
use crate::inbox::Answer;
use crate::status::{Cut, Outcome, Verification};

#[derive(Default)]
pub(super) struct Verifying {
    /// The last checkpoint on each link, and whether its sums are this end's.
    cuts: BTreeMap<LinkId, (Cut, bool)>,
    waiters: Vec<Waiter>,
}

pub(super) struct Waiter {
    pub until: Instant,
    pub answer: Answer<Vec<Verification>, AskError>,
    pub links: Vec<(Option<LinkId>, Verification)>,
    /// A verdict counts only if it is about everything that was here when it was asked for.
    pub head: Position,
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
            Notice::LinkVerified { link, held_only: false, .. } => (*link, Outcome::Equal),
            Notice::LinkVerified { link, held_only: true, .. } => (*link, Outcome::HeldEqual),
            Notice::SumsDiffer { link, .. } => (*link, Outcome::Different),
            Notice::JudgedDifferently { link, .. } => (*link, Outcome::JudgedDifferently),
            _ => return,
        };
        let Some((mut cut, own)) = self.cuts.get(&link).copied() else { return };
        let is_equal = matches!(outcome, Outcome::Equal | Outcome::HeldEqual);
        if !own && outcome != Outcome::Equal {
            cut.sums = heliu_replication::frame::Sums::default(); // The other end's are not ours.
        }
        for waiter in &mut self.waiters {
            if is_equal && cut.mine < waiter.head {
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

    /// Somebody waits, and is answered as soon as there is nothing more to wait for.
    pub fn wait(&mut self, waiter: Waiter) {
        self.waiters.push(waiter);
        self.answer();
    }

    /// Whether somebody has waited for as long as he wanted.
    pub fn is_late(&self, now: Instant) -> bool {
        self.waiters.iter().any(|waiter| waiter.until <= now)
    }

    /// Who has waited so long is told what there is. `busy`: links that go on, but do not come to rest.
    pub fn time_out(&mut self, now: Instant, busy: &[LinkId]) {
        for waiter in self.waiters.iter_mut().filter(|waiter| waiter.until <= now) {
            for (link, verification) in &mut waiter.links {
                if let Some(link) = link.take() {
                    let moving = busy.contains(&link);
                    verification.outcome = if moving { Outcome::MovedOn } else { Outcome::TimedOut };
                }
            }
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
