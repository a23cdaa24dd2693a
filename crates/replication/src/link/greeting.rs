//! From hello to running: who is there, whose directory is shorter, and how far each end has the other's feed.

use std::collections::VecDeque;

use heliu_record::id::RecordId;
use heliu_storage::Cursor;
use heliu_trust::directory::SignedEntry;
use heliu_trust::id::{CommitId, Incarnation};

use super::pushing::Push;
use super::{Arrival, Link, Out, Peer, Phase, Shared};
use crate::effect::Effect;
use crate::frame::{Frame, Hello, RefuseCode, WIRE_VERSIONS, Welcome, cut, limits};

/// Directory entries of the other end that may wait to be taken. A log that is longer by more comes over several
/// connections: what was taken stays.
const ENTRIES_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Frames that may wait behind a directory frame. An honest end's window is smaller.
const BEHIND_MAX: usize = 1_024;

/// What came behind directory frames that are not durable here yet: it is written by a directory that is not here yet.
#[derive(Default)]
pub(super) struct Behind {
    /// The bytes of each directory frame that was handed to the engine and is not yet answered.
    under_way: VecDeque<usize>,
    frames: VecDeque<Frame>,
    /// Of the leaves among them.
    bytes: usize,
}

impl Behind {
    pub fn waits(&self, frame: &Frame) -> bool {
        !self.under_way.is_empty() && !matches!(frame, Frame::Directory(_) | Frame::Refuse(_))
    }
}

pub(super) fn hello(shared: &Shared<'_>) -> Hello {
    Hello {
        realm: shared.realm,
        node: shared.node,
        store: shared.meta.store,
        incarnation: shared.incarnation(),
        versions: (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end()),
        directory_len: shared.directory.len(),
        directory_head: shared.directory.head(),
        program: shared.program.to_owned(),
    }
}

impl Link {
    pub(super) fn on_hello(&mut self, hello: Hello, shared: &Shared<'_>, out: &mut Out) {
        let refusal = if hello.realm != shared.realm {
            let reason =
                format!("this node is of realm {}, the other of {}", shared.realm.short(), hello.realm.short());
            Some((RefuseCode::OtherRealm, reason))
        } else if let Some(proven) = self.proven.filter(|proven| *proven != hello.node) {
            let (says, is) = (hello.node.short(), proven.short());
            Some((
                RefuseCode::WrongIdentity,
                format!("the other end says that it is node {says}, and has proven to be {is}"),
            ))
        } else if hello.store == shared.meta.store && hello.incarnation == shared.incarnation() {
            Some((RefuseCode::Itself, "this address leads back to the same node: check the addresses".to_owned()))
        } else if hello.versions.0 > *WIRE_VERSIONS.end() || hello.versions.1 < *WIRE_VERSIONS.start() {
            let reason = format!(
                "this node speaks wire versions {} to {}, the other {} to {}: upgrade the older of the two",
                WIRE_VERSIONS.start(),
                WIRE_VERSIONS.end(),
                hello.versions.0,
                hello.versions.1
            );
            Some((RefuseCode::NoCommonVersion, reason))
        } else {
            None
        };
        if let Some((code, reason)) = refusal {
            return self.refuse(code, reason, out);
        }
        let seat = shared.directory.node(hello.node).map_or(shared.seat, |n| n.seat);
        let (node, directory_len) = (hello.node, hello.directory_len);
        self.peer = Some(Peer { node, seat, hello, directory_len, welcome: None });
        self.phase = Phase::Directory;
        self.settle_directory(shared, out);
    }

    /// Brings the shorter of the two logs up to date before anything else, so that authority never waits.
    fn settle_directory(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let Some(peer) = &self.peer else { return };
        let (theirs, head) = (peer.hello.directory_len, peer.hello.directory_head);
        if theirs > shared.directory.len() {
            return; // Their entries are on the way; if ours is no prefix of theirs, they refuse.
        }
        let known = if theirs == 0 { Some(0) } else { shared.directory.index_of(head).map(|index| index + 1) };
        if known != Some(theirs) {
            let reason = "the two directories have forked: the root has to decide which one stands".to_owned();
            return self.refuse(RefuseCode::DirectoryForked, reason, out);
        }
        self.send_directory(shared, out);
        let Some(peer) = &mut self.peer else { return };
        let Some(info) = shared.directory.node(peer.node) else {
            let reason = format!("node {} is not in the directory: enrol it first", peer.node.short());
            return self.refuse(RefuseCode::UnknownNode, reason, out);
        };
        peer.seat = info.seat;
        self.phase = Phase::LookingUp;
        out.effects.push(Effect::ReadPeer { link: self.id, store: peer.hello.store, node: peer.node });
    }

    fn send_directory(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let Some(peer) = &mut self.peer else { return };
        let from = peer.directory_len;
        peer.directory_len = from.max(shared.directory.len());
        let entries = shared.directory.entries_from(from).iter().map(|entry| SignedEntry::clone(entry));
        for entries in cut(entries, limits::DIRECTORY_ENTRIES_PER_FRAME, |entry| entry.encode().len()) {
            self.send(Frame::Directory(entries), out);
        }
    }

    pub(super) fn on_directory(&mut self, entries: Vec<SignedEntry>, out: &mut Out) {
        let Some(peer) = self.peer.as_mut().filter(|_| !entries.is_empty()) else { return };
        for SignedEntry { entry, .. } in &entries {
            if entry.index < self.next_entry {
                return self.protocol_error("a directory entry came that is known to be here", out);
            }
            self.next_entry = entry.index.saturating_add(1);
        }
        peer.directory_len = peer.directory_len.max(self.next_entry);
        self.behind.under_way.push_back(entries.iter().map(|entry| entry.encode().len()).sum());
        if self.behind.under_way.iter().sum::<usize>() > ENTRIES_WAITING_BYTES {
            return self.protocol_error("more directory entries came than can wait here", out);
        }
        out.arrivals.push(Arrival::Directory { link: self.id, entries });
    }

    pub(super) fn wait_behind_directory(&mut self, frame: Frame, out: &mut Out) {
        let bytes = if let Frame::Leaves(leaves) = &frame { leaves.bytes() } else { 0 };
        if self.behind.frames.len() >= BEHIND_MAX || self.behind.bytes >= limits::WINDOW_BYTES {
            return self.protocol_error("more came than may wait behind a directory frame", out);
        }
        self.behind.bytes += bytes;
        self.behind.frames.push_back(frame);
    }

    /// What became of the entries of a directory frame. With the last of them, what came behind is taken.
    pub fn extended(&mut self, result: Result<(), String>, shared: &Shared<'_>, out: &mut Out) {
        if let Err(why) = result {
            return self.protocol_error(&format!("its directory entries do not follow ours: {why}"), out);
        }
        self.behind.under_way.pop_front();
        if self.behind.under_way.is_empty() {
            self.behind.bytes = 0;
        }
        while self.behind.under_way.is_empty()
            && let Some(frame) = self.behind.frames.pop_front()
        {
            self.on_frame(frame, shared, out);
        }
    }

    /// The directory here grew, by whatever way.
    pub fn on_directory_grown(&mut self, shared: &Shared<'_>, out: &mut Out) {
        match self.phase {
            Phase::Directory => self.settle_directory(shared, out),
            Phase::Greeting | Phase::Closed => {}
            Phase::LookingUp | Phase::Welcoming | Phase::Running => self.send_directory(shared, out),
        }
    }

    /// What the store knows of the other end.
    pub fn on_peer(
        &mut self,
        cursor: Option<Cursor>,
        last_commit: Option<(Incarnation, u64, CommitId)>,
        wants: Vec<RecordId>,
        shared: &Shared<'_>,
        out: &mut Out,
    ) {
        if self.phase != Phase::LookingUp {
            return;
        }
        self.receiving.begin(cursor.map_or(0, |c| c.position));
        wants.into_iter().for_each(|record| self.sending.push(record, Push::want()));
        self.send(Frame::Welcome(Welcome { cursor, known_of_you: last_commit, statements: self.statements_sum(shared) }), out);
        self.phase = Phase::Welcoming;
        self.run_if_welcomed(shared, out);
    }

    pub(super) fn on_welcome(&mut self, welcome: Welcome, shared: &Shared<'_>, out: &mut Out) {
        if let Some(peer) = &mut self.peer {
            peer.welcome = Some(welcome);
        }
        self.run_if_welcomed(shared, out);
    }

    fn run_if_welcomed(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if self.phase != Phase::Welcoming {
            return; // Theirs may come while ours is still being looked up: it stays.
        }
        let Some(welcome) = self.peer.as_mut().and_then(|p| p.welcome.take()) else { return };
        self.phase = Phase::Running;
        let rolled_back = welcome.known_of_you.is_some_and(|(incarnation, seq, commit)| {
            let ours = shared.last_commit.filter(|_| incarnation == shared.incarnation());
            incarnation == shared.incarnation()
                && ours.is_none_or(|(last, id)| seq > last || (seq == last && commit != id))
        });
        if rolled_back {
            out.arrivals.push(Arrival::RolledBack);
        }
        let from = match welcome.cursor {
            Some(cursor) if shared.meta.honours(&cursor) => Some(cursor.position),
            None if shared.meta.head == 0 => Some(0),
            _ => None,
        };
        self.sending.begin(from.unwrap_or(0));
        if from.is_none() || rolled_back {
            self.reconcile_soon(out);
        }
        self.compare_statements(welcome.statements, self.dialer, shared, out);
        self.pump(shared, out);
    }
}
