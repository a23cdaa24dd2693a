//! One link: the conversation with one other node, from hello to close. This file holds what a link is and hands each
//! input to the part that owns it: [`greeting`], [`directing`], [`sending`], [`pushing`], [`receiving`], [`reconciling`],
//! [`verifying`], [`stating`], [`farewell`], [`outside`].
//!
//! A link never judges a leaf and never writes a record: it asks the engine to take what arrived ([`Arrival`]).

mod directing;
mod farewell;
mod greeting;
mod outside;
mod pushing;
mod receiving;
mod reconciling;
mod sending;
mod stating;
mod verifying;

use std::collections::BTreeMap;

use heliu_record::gate::{Digests, KindDigest};
use heliu_record::hash::Sum;
use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{Cursor, FeedPage, Meta, Position, ScanItem, StoreId};
use heliu_trust::directory::{Directory, SignedEntry};
use heliu_trust::id::{CommitId, Incarnation, NodeId, RealmId};
use heliu_trust::signature::Verifier;
use heliu_trust::token::JoinRequest;

use crate::effect::{Effect, LinkId, LinkStatus, Moment, Notice};
use crate::frame::{Delivery, Frame, JoinRefused, Outside, Refuse, RefuseCode, RefusedLeaf, Sums};
use crate::replica::{Apart, Foreign, Fork, Statements, Tail};

pub(crate) use pushing::Parted;

/// What a link may look at.
pub(crate) struct Shared<'a> {
    pub realm: RealmId,
    pub node: NodeId,
    pub seat: SeatId,
    pub program: &'a str,
    /// What decides verdicts in this program.
    pub kinds: &'a Digests,
    /// The durable feed, and its newest end.
    pub meta: &'a Meta,
    pub tail: &'a Tail,
    pub directory: &'a Directory,
    /// The last commit of this node in its current incarnation, if it has written.
    pub last_commit: Option<(u64, CommitId)>,
    pub verifier: &'a dyn Verifier,
    /// Sums of what is durable in the scope of this link.
    pub sums: Sums,
    /// What the other end has left out.
    pub apart: Option<&'a Apart>,
    /// What is left out here.
    pub foreign: &'a Foreign,
    pub statements: &'a Statements,
    /// Two entries for one place of the directory, if that is known here.
    pub fork: Option<&'a Fork>,
    /// Records that have left this seat and are still here, each with the position where it left.
    pub leaving: &'a BTreeMap<RecordId, Position>,
    /// What is admitted here is what this program admits: all has been tried that another one had to hold.
    pub is_judged: bool,
    pub now: Moment,
}

impl Shared<'_> {
    fn incarnation(&self) -> Incarnation {
        self.meta.incarnations.last().map_or(Incarnation([0; 16]), |(incarnation, _)| *incarnation)
    }
}

/// What a link wants of the engine.
pub(crate) enum Arrival {
    /// Judge these and keep them; the answer comes with [`Link::ingested`].
    Leaves { link: LinkId, from: NodeId, sequence: u64, delivery: Delivery, cursor: Option<Cursor> },
    /// Check these, and keep those that hold; the answer comes with [`Link::heard_statements`].
    Statements { link: LinkId, statements: Vec<Vec<u8>> },
    /// Take these; the answer comes with [`Link::extended`].
    Directory { link: LinkId, entries: Vec<SignedEntry> },
    /// The other end has shown commits of ours that we do not know: we were rolled back.
    RolledBack,
    /// It says that there are some, and has not shown our signature.
    FalseClaim { peer: NodeId },
    /// A join request from below.
    Join { link: LinkId, request: Box<JoinRequest> },
    /// The answer to one that went up.
    JoinRefused { link: LinkId, refusal: JoinRefused },
    /// A record that the other end says is no longer ours.
    Withdrawn { link: LinkId, record: RecordId },
    /// Records that the other end does not take, and those that it takes now.
    Outside { link: LinkId, outside: Outside },
    /// A superior has proven that it holds all that this digest is of, of a record that left this seat.
    Proven { record: RecordId, held: Sum },
}

#[derive(Default)]
pub(crate) struct Out {
    pub effects: Vec<Effect>,
    pub arrivals: Vec<Arrival>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Our hello is out, theirs is not in.
    Greeting,
    /// Their directory is longer: nothing else happens until ours has caught up.
    Directory,
    /// Looking up how far we have their feed.
    LookingUp,
    /// Our welcome is out, theirs is not in.
    Welcoming,
    Running,
    Closed,
}

/// A store and its incarnation: one run of a node's program.
pub(crate) type Process = (StoreId, Incarnation);

/// When the other end was heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// That it said hello.
    pub since_tick: u64,
    /// The last frame.
    pub last_tick: u64,
}

struct Peer {
    node: NodeId,
    seat: SeatId,
    hello: crate::frame::Hello,
    /// How much of the directory the other end has, as far as we know.
    directory_len: u64,
    welcome: Option<crate::frame::Welcome>,
    heard: Heard,
}

pub(crate) struct Link {
    id: LinkId,
    dialer: bool,
    /// Who the other end is, as the connection has proven.
    proven: Option<NodeId>,
    phase: Phase,
    peer: Option<Peer>,
    behind: directing::Behind,
    directing: directing::Directing,
    sending: sending::Sending,
    receiving: receiving::Receiving,
    reconciling: reconciling::Reconciling,
    farewell: farewell::Farewell,
    verifying: verifying::Verifying,
    stating: stating::Stating,
    telling: outside::Telling,
    refused_here: u64,
    refused_there: u64,
}

impl Link {
    pub fn new(id: LinkId, dialer: bool, proven: Option<NodeId>, shared: &Shared<'_>, out: &mut Out) -> Self {
        let link = Link {
            id,
            dialer,
            proven,
            phase: Phase::Greeting,
            peer: None,
            behind: directing::Behind::default(),
            directing: directing::Directing::beside(shared.directory.len()),
            sending: sending::Sending::default(),
            receiving: receiving::Receiving::default(),
            reconciling: reconciling::Reconciling::default(),
            farewell: farewell::Farewell::default(),
            verifying: verifying::Verifying::default(),
            stating: stating::Stating::default(),
            telling: outside::Telling::default(),
            refused_here: 0,
            refused_there: 0,
        };
        link.send(Frame::Hello(greeting::hello(shared)), out);
        link
    }

    pub fn peer_node(&self) -> Option<NodeId> {
        self.peer.as_ref().map(|p| p.node)
    }

    /// The seat of the other end, once the directory has confirmed it.
    pub fn peer_seat(&self) -> Option<SeatId> {
        (self.phase != Phase::Greeting && self.phase != Phase::Directory).then(|| self.peer.as_ref().map(|p| p.seat))?
    }

    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// The process at the other end, and when it was heard.
    pub fn process(&self) -> Option<(NodeId, Process, Heard)> {
        let peer = self.peer.as_ref().filter(|_| self.peer_seat().is_some() && !self.is_closed())?;
        Some((peer.node, (peer.hello.store, peer.hello.incarnation), peer.heard))
    }

    /// If the ends hold the same and judge it differently: the other, and since when.
    pub fn judged_differently(&self) -> Option<(NodeId, u64)> {
        self.peer_node().zip(self.verifying.judged_differently())
    }

    /// The kinds and versions that the program at the other end declares otherwise than this one.
    fn differing<'a>(&'a self, shared: &'a Shared<'_>) -> impl Iterator<Item = (&'a str, u32)> {
        self.peer.iter().flat_map(|peer| shared.kinds.differing(&peer.hello.kinds))
    }

    /// While it runs: the other end, since when, and what its program declares.
    pub fn declares(&self) -> Option<(NodeId, u64, &Digests)> {
        let peer = self.peer.as_ref().filter(|_| self.is_running())?;
        Some((peer.node, peer.heard.since_tick, &peer.hello.kinds))
    }

    /// By which declaration a leaf is to be judged that the other end brings. None: it does not say, for it does not know the
    /// version.
    pub fn vouches(&self, kind: &str, version: u32, tagged: Option<KindDigest>) -> Option<KindDigest> {
        tagged.or_else(|| self.peer.as_ref()?.hello.kinds.get(kind, version))
    }

    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Up to where this link has walked the feed; none while it does not.
    pub fn walked(&self) -> Option<Position> {
        (self.phase == Phase::Running).then(|| self.sending.walked())
    }

    pub fn on_frame(&mut self, frame: Frame, shared: &Shared<'_>, out: &mut Out) {
        let running = self.phase == Phase::Running;
        if let Some(peer) = &mut self.peer {
            peer.heard.last_tick = shared.now.tick_ms;
        }
        match frame {
            _ if self.phase == Phase::Closed => {}
            frame if self.behind.waits(&frame) => self.wait_behind_directory(frame, out),
            Frame::Hello(hello) if self.phase == Phase::Greeting => self.on_hello(hello, shared, out),
            Frame::Refuse(why) => self.end(why, out),
            Frame::Directory(entries) if self.peer.is_some() => self.on_directory(entries, out),
            Frame::Welcome(welcome) if self.peer.is_some() => self.on_welcome(welcome, shared, out),
            Frame::Reconcile(message) if running => self.on_reconcile(message, shared, out),
            Frame::Have(have) if running => self.on_have(have, shared, out),
            Frame::Possession(possession) if running => self.on_possession(possession, shared, out),
            Frame::Leaves(leaves) if running => self.on_leaves(leaves, out),
            Frame::Outside(outside) if running => self.on_outside(outside, shared, out),
            Frame::Ack { sequence } if running => self.on_ack(sequence, shared, out),
            Frame::Refused(leaves) if running => self.on_refused(&leaves, out),
            Frame::Checkpoint(checkpoint) if running => self.on_checkpoint(checkpoint, shared, out),
            Frame::Verdict(verdict) if running => self.on_verdict(verdict, shared, out),
            Frame::Join(encoded) if running => self.on_join(&encoded, out),
            Frame::JoinRefused(refusal) if running => {
                out.arrivals.push(Arrival::JoinRefused { link: self.id, refusal });
            }
            Frame::Statements(statements) if running => self.on_statements(statements, shared, out),
            // As the other end says it before it has heard our welcome: the sums will tell.
            Frame::Statements(_) | Frame::Clock(_) | Frame::Unknown => {}
            other => self.protocol_error(&format!("a {} came out of turn", name_of(&other)), out),
        }
    }

    /// A page that this link asked for.
    pub fn on_page(&mut self, page: FeedPage, shared: &Shared<'_>, out: &mut Out) {
        if self.phase == Phase::Running {
            self.sent_page(page, shared, out);
        }
    }

    pub fn on_scanned(&mut self, items: &[ScanItem], shared: &Shared<'_>, out: &mut Out) {
        if self.phase == Phase::Running {
            self.reconcile_from(items, shared, out);
            self.pump(shared, out);
        }
    }

    /// The durable feed grew, or sums changed.
    pub fn on_appended(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if self.phase == Phase::Running {
            self.verifying.unsettle();
            self.tell_what_is_outside(shared, out);
            self.pump(shared, out);
        }
    }

    pub fn on_tick(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if self.phase == Phase::Running {
            self.verifying.tick();
            self.mend_soon(out);
            self.tick_reconciling(out);
            self.sending.pushing.tick();
            self.tick_farewell(shared);
            self.tick_statements(shared, out);
            self.tell_position(shared, out);
            self.pump(shared, out);
        }
    }

    /// Does whatever is due now. Called after every input that may have changed what is due.
    fn pump(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if self.phase == Phase::Running {
            self.pump_sending(shared, out);
            self.pump_checkpoint(shared, out);
        }
    }

    fn send(&self, frame: Frame, out: &mut Out) {
        out.effects.push(Effect::Send { link: self.id, frame });
    }

    fn notice(&self, make: impl FnOnce(LinkId, NodeId) -> Notice, out: &mut Out) {
        if let Some(peer) = &self.peer {
            out.effects.push(Effect::Notice(make(self.id, peer.node)));
        }
    }

    fn protocol_error(&mut self, what: &str, out: &mut Out) {
        self.refuse(RefuseCode::Protocol, what.to_owned(), out);
    }

    /// Ends the link from this side, with the reason for both operators.
    pub fn refuse(&mut self, code: RefuseCode, reason: String, out: &mut Out) {
        let why = Refuse { code, reason };
        self.send(Frame::Refuse(why.clone()), out);
        self.end(why, out);
    }

    fn end(&mut self, why: Refuse, out: &mut Out) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            let peer = self.peer_node();
            out.effects.push(Effect::Notice(Notice::LinkClosed { link: self.id, peer, why: why.clone() }));
            out.effects.push(Effect::Close { link: self.id, why });
        }
    }

    fn on_refused(&mut self, leaves: &[RefusedLeaf], out: &mut Out) {
        self.refused_there += leaves.len() as u64;
        if let Some(first) = leaves.first() {
            let first = format!("{}: {}", first.code, first.reason);
            out.effects.push(Effect::Notice(Notice::RefusedThere { link: self.id, count: leaves.len(), first }));
        }
    }

    pub fn status(&self, head: Position) -> LinkStatus {
        LinkStatus {
            link: self.id,
            dialer: self.dialer,
            peer: self.peer_node(),
            program: self.peer.as_ref().map(|p| p.hello.program.clone()).unwrap_or_default(),
            phase: match self.phase {
                Phase::Greeting => "greeting",
                Phase::Directory => "directory",
                Phase::LookingUp | Phase::Welcoming => "welcoming",
                Phase::Running if self.reconciling.is_going_on() => "reconciling",
                Phase::Running if self.sending.is_quiet(head) && self.receiving.is_quiet() => "in step",
                Phase::Running => "catching up",
                Phase::Closed => "closed",
            },
            acked: self.sending.acked,
            head,
            in_flight_frames: self.sending.in_flight_frames(),
            in_flight_bytes: self.sending.in_flight_bytes(),
            equal_since: self.verifying.equal_since(),
            verified_at: self.verifying.verified_at(),
            held_only: self.verifying.held_only(),
            reconciled: self.reconciling.finished(),
            mismatches: self.verifying.mismatches(),
            refused_here: self.refused_here,
            refused_there: self.refused_there,
            statements_differ: self.stating.differ(),
        }
    }
}

fn name_of(frame: &Frame) -> &'static str {
    match frame {
        Frame::Hello(_) => "hello",
        Frame::Refuse(_) => "refusal",
        Frame::Directory(_) => "directory frame",
        Frame::Welcome(_) => "welcome",
        Frame::Reconcile(_) => "reconcile frame",
        Frame::Have(_) => "have",
        Frame::Possession(_) => "question of possession",
        Frame::Outside(_) => "word of what is left out",
        Frame::Leaves(_) => "leaves frame",
        Frame::Ack { .. } => "ack",
        Frame::Refused(_) => "report of refused leaves",
        Frame::Checkpoint(_) => "checkpoint",
        Frame::Verdict(_) => "verdict",
        Frame::Statements(_) => "statements frame",
        Frame::Join(_) => "join request",
        Frame::JoinRefused(_) => "refusal of a join request",
        Frame::Clock(_) => "clock",
        Frame::Unknown => "frame of a later version",
    }
}

#[cfg(test)]
mod tests;
