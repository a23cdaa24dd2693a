//! What all protocols of a link stand on: which link it is and who is at its other end ([`Line`]), what they may look at
//! ([`Shared`]), and what they want of the engine ([`Out`]). A protocol that finds that the other end keeps no rules
//! returns why the link ends.

use std::collections::BTreeMap;

use heliu_record::gate::Digests;
use heliu_record::hash::Sum;
use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{Cursor, Meta, Position, StoreId};
use heliu_trust::directory::{Directory, SignedEntry};
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use heliu_trust::token::JoinRequest;

use crate::authority::Fork;
use crate::effect::{Effect, LinkId, Moment, Notice};
use crate::frame::{Delivery, Frame, Hello, JoinRefused, Outside, Refuse, RefuseCode, Sums, Welcome};
use crate::journal::Tail;
use crate::own::Own;
use crate::records::{Apart, Foreign, Kept};
use crate::statements::Statements;

/// What a link may look at. All of it is durable.
pub(crate) struct Shared<'a> {
    pub own: &'a Own,
    pub program: &'a str,
    pub kinds: Kinds<'a>,
    pub feed: Feed<'a>,
    pub directory: &'a Directory,
    /// Two entries for one place of the directory, if that is known here.
    pub fork: Option<&'a Fork>,
    pub compared: Comparison<'a>,
    /// What is left out here.
    pub foreign: &'a Foreign,
    pub statements: &'a Statements,
    /// Records that have left this seat and are still here, each with the position where it left.
    pub leaving: &'a BTreeMap<RecordId, Position>,
    pub now: Moment,
}

/// What is here of the scope of a link, as it is compared with the other end.
#[derive(Clone, Copy)]
pub(crate) struct Comparison<'a> {
    pub sums: Sums,
    /// What the other end has left out.
    pub apart: Option<&'a Apart>,
    /// What each scope comes to, with what is under way.
    pub kept: &'a Kept,
}

/// What decides verdicts in this program.
#[derive(Clone, Copy)]
pub(crate) struct Kinds<'a> {
    pub digests: &'a Digests,
    /// What is admitted here is what this program admits: all has been tried that another one had to hold.
    pub is_judged: bool,
}

/// The feed, its newest end, and the last commit of this node in its current incarnation, if it has written.
#[derive(Clone, Copy)]
pub(crate) struct Feed<'a> {
    pub meta: &'a Meta,
    pub tail: &'a Tail,
    pub last_commit: Option<(u64, CommitId)>,
}

impl Shared<'_> {
    pub fn incarnation(&self) -> Incarnation {
        self.feed.meta.incarnations.last().map_or(Incarnation([0; 16]), |(incarnation, _)| *incarnation)
    }

    /// The end of the feed.
    pub fn head(&self) -> Position {
        self.feed.meta.head
    }

    /// Whether a record counts for nothing between the ends, since one of them does not take it.
    pub fn is_left_out(&self, record: &RecordId) -> bool {
        self.compared.apart.is_some_and(|apart| apart.leaves_out(record)) || self.foreign.is_outside(record)
    }
}

/// What a link wants of the engine.
pub(crate) enum Arrival {
    /// Judge these and keep them; the answer comes with [`Link::ingested`](super::Link::ingested).
    Leaves { link: LinkId, from: NodeId, sequence: u64, delivery: Delivery, cursor: Option<Cursor> },
    /// Check these, and keep those that hold; the answer comes with [`Link::heard_statements`](super::Link::heard_statements).
    Statements { link: LinkId, statements: Vec<Vec<u8>> },
    /// Take these; the answer comes with [`Link::extended`](super::Link::extended).
    Directory { link: LinkId, entries: Vec<SignedEntry> },
    /// The other end has shown commits of ours that we do not know: we were rolled back.
    RolledBack,
    /// It says that there are some, and has not shown our signature.
    FalseClaim { peer: NodeId },
    /// A join request from below.
    Join { link: LinkId, request: Box<JoinRequest> },
    /// The answer to one that went up.
    JoinRefused { link: LinkId, refusal: JoinRefused },
    /// It has to know something of all that is here, see [`Link::wanted`](super::Link::wanted), when nothing is under way.
    Compare { link: LinkId },
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
pub(super) enum Phase {
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

pub(super) struct Peer {
    pub node: NodeId,
    pub seat: SeatId,
    pub hello: Hello,
    /// It may come before ours is out.
    pub welcome: Option<Welcome>,
    pub heard: Heard,
}

pub(super) struct Line {
    pub id: LinkId,
    pub dialer: bool,
    /// Who the other end is, as the connection has proven.
    pub proven: Option<NodeId>,
    pub phase: Phase,
    pub peer: Option<Peer>,
}

impl Line {
    /// Whether the directory has confirmed the other end.
    pub fn is_settled(&self) -> bool {
        self.peer.is_some() && self.phase != Phase::Greeting && self.phase != Phase::Directory
    }

    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    pub fn send(&self, frame: Frame, out: &mut Out) {
        out.effects.push(Effect::Send { link: self.id, frame });
    }

    pub fn notice(&self, make: impl FnOnce(LinkId, NodeId) -> Notice, out: &mut Out) {
        if let Some(peer) = &self.peer {
            out.effects.push(Effect::Notice(make(self.id, peer.node)));
        }
    }

    /// Ends the link from this side, with the reason for both operators.
    pub fn refuse(&mut self, why: Refuse, out: &mut Out) {
        self.send(Frame::Refuse(why.clone()), out);
        self.end(why, out);
    }

    pub fn end(&mut self, why: Refuse, out: &mut Out) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            let peer = self.peer.as_ref().map(|peer| peer.node);
            out.effects.push(Effect::Notice(Notice::LinkClosed { link: self.id, peer, why: why.clone() }));
            out.effects.push(Effect::Close { link: self.id, why });
        }
    }
}

/// The other end does not keep to the protocol.
pub(super) fn breach(what: impl Into<String>) -> Refuse {
    Refuse { code: RefuseCode::Protocol, reason: what.into() }
}
