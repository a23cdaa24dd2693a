//! What the engine and operators see of a link.

use heliu_record::gate::{Digests, KindDigest};
use heliu_record::id::SeatId;
use heliu_storage::Position;
use heliu_trust::id::NodeId;

use super::Link;
use super::line::{Heard, Peer, Phase, Process};
use crate::effect::LinkStatus;

impl Link {
    fn peer(&self) -> Option<&Peer> {
        self.line.peer.as_ref()
    }

    pub fn peer_node(&self) -> Option<NodeId> {
        self.peer().map(|peer| peer.node)
    }

    /// The seat of the other end, once the directory has confirmed it.
    pub fn peer_seat(&self) -> Option<SeatId> {
        self.peer().filter(|_| self.line.is_settled()).map(|peer| peer.seat)
    }

    pub fn is_running(&self) -> bool {
        self.line.is_running()
    }

    /// The process at the other end, and when it was heard.
    pub fn process(&self) -> Option<(NodeId, Process, Heard)> {
        let peer = self.peer().filter(|_| self.line.is_settled() && !self.line.is_closed())?;
        Some((peer.node, (peer.hello.store, peer.hello.incarnation), peer.heard))
    }

    /// If the ends hold the same and judge it differently: the other, and since when.
    pub fn judged_differently(&self) -> Option<(NodeId, u64)> {
        self.peer_node().zip(self.verifying.judged_differently())
    }

    /// While it runs: the other end, since when, and what its program declares.
    pub fn declares(&self) -> Option<(NodeId, u64, &Digests)> {
        let peer = self.peer().filter(|_| self.is_running())?;
        Some((peer.node, peer.heard.since_tick, &peer.hello.kinds))
    }

    /// By which declaration a leaf is to be judged that the other end brings. None: it does not say, for it does not know the
    /// version.
    pub fn vouches(&self, kind: &str, version: u32, tagged: Option<KindDigest>) -> Option<KindDigest> {
        tagged.or_else(|| self.peer()?.hello.kinds.get(kind, version))
    }

    /// Up to where this link has walked the feed; none while it does not.
    pub fn walked(&self) -> Option<Position> {
        self.is_running().then(|| self.sending.walked())
    }

    pub fn status(&self, head: Position) -> LinkStatus {
        LinkStatus {
            link: self.line.id,
            dialer: self.line.dialer,
            peer: self.peer_node(),
            program: self.peer().map(|peer| peer.hello.program.clone()).unwrap_or_default(),
            phase: match self.line.phase {
                Phase::Greeting => "greeting",
                Phase::Directory => "directory",
                Phase::LookingUp | Phase::Welcoming => "welcoming",
                Phase::Running if self.reconciling.is_going_on() => "reconciling",
                Phase::Running if self.sending.is_quiet(head) && self.receiving.is_quiet() => "in step",
                Phase::Running => "catching up",
                Phase::Closed => "closed",
            },
            acked: self.sending.acked(),
            head,
            in_flight_frames: self.sending.in_flight_frames(),
            in_flight_bytes: self.sending.in_flight_bytes(),
            equal_since: self.verifying.equal_since(),
            verified_at: self.verifying.verified_at(),
            held_only: self.verifying.held_only(),
            reconciled: self.reconciling.finished(),
            mismatches: self.verifying.mismatches(),
            refused_here: self.refused.here,
            refused_there: self.refused.there,
            statements_differ: self.statements.differ(),
        }
    }

    /// Whether both ends were found equal in all, and nothing has differed since.
    pub fn is_proven(&self) -> bool {
        self.verifying.verified_at().is_some() && !self.statements.differ()
    }
}
