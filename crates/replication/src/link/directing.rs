//! The directory on a link: the shorter log is brought up to date before anything else, so that authority never waits;
//! what came behind entries waits until they are durable; a fork is shown to the other end; what the root decided takes
//! the place of what it gave up. Join requests go up here, and refusals of them down.

use std::collections::VecDeque;

use heliu_record::hash::hash;
use heliu_record::id::RecordId;
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::id::DirectoryVersion;
use heliu_trust::token::JoinRequest;

use super::{Arrival, Link, Out, Phase, Shared};
use crate::effect::Effect;
use crate::frame::{Frame, JoinRefused, RefuseCode, cut, limits};
use crate::replica::NotGrown;

/// Directory entries of the other end that may wait to be taken. A log that is longer by more comes over several
/// connections: what was taken stays.
const ENTRIES_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Frames that may wait behind a directory frame. An honest end's window is smaller.
const BEHIND_MAX: usize = 1_024;

/// Directory frames that begin with what is known to be here: decisions of the root, and evidence of forks. Both are rare.
const BACK_MAX: u32 = 64;

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

pub(super) struct Directing {
    /// The first entry that the other end may still send: it knows ours from our hello.
    next_entry: u64,
    /// Frames that began before it.
    back: u32,
}

impl Directing {
    pub fn beside(entries: u64) -> Self {
        Directing { next_entry: entries, back: 0 }
    }
}

/// What the other end's log is to ours.
enum Theirs {
    /// A first part of it, or the same.
    Prefix,
    /// It ends with what the root gave up: from this entry on, ours stands.
    GivenUp(u64),
    Unknown,
}

fn theirs(directory: &Directory, len: u64, head: DirectoryVersion) -> Theirs {
    if len == 0 {
        return Theirs::Prefix;
    }
    let Some(index) = directory.index_of(head) else { return Theirs::Unknown };
    let stands = directory.entries_from(index).first().is_some_and(|entry| entry.version == head);
    match stands {
        false => Theirs::GivenUp(index + 1),
        true if index + 1 == len => Theirs::Prefix,
        true => Theirs::Unknown,
    }
}

impl Link {
    pub(super) fn settle_directory(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let Some(peer) = &mut self.peer else { return };
        let (len, head) = (peer.hello.directory_len, peer.hello.directory_head);
        match theirs(shared.directory, len, head) {
            Theirs::Prefix => {}
            Theirs::GivenUp(from) => peer.directory_len = from,
            // Their entries are on the way; if ours is no prefix of theirs, they say so.
            Theirs::Unknown if len > shared.directory.len() => return,
            // A fork, or they know a decision of the root that has not come here: what they say to our entry tells.
            Theirs::Unknown => return self.show(shared.directory.entries_from(len - 1).first(), out),
        }
        self.go_on(shared, out);
    }

    /// Both ends have one directory as soon as what is sent here has been taken.
    fn go_on(&mut self, shared: &Shared<'_>, out: &mut Out) {
        self.send_directory(shared, out);
        if self.refuse_by_directory(shared, out) {
            return;
        }
        let Some(peer) = &mut self.peer else { return };
        peer.seat = shared.directory.node(peer.node).map_or(peer.seat, |info| info.seat);
        self.phase = Phase::LookingUp;
        // Each greeting begins elsewhere, so that none of many waits for ever behind others.
        let after = RecordId(hash("heliu wants 1", &[&shared.incarnation().0, &self.id.0.to_le_bytes()]));
        out.effects.push(Effect::ReadPeer { link: self.id, store: peer.hello.store, node: peer.node, after });
        if let Some(fork) = shared.fork {
            self.send(Frame::Directory(vec![fork.theirs.clone()]), out);
        }
    }

    /// Ends the link with a node that the directory does not have, or has fenced: it has heard the directory that says so.
    fn refuse_by_directory(&mut self, shared: &Shared<'_>, out: &mut Out) -> bool {
        let Some(peer) = &self.peer else { return false };
        let (node, seat, short) = (peer.node, peer.seat, peer.node.short());
        let is_settled = self.peer_seat().is_some();
        match shared.directory.node(node) {
            None => {
                let reason = format!("node {short} is not in the directory: enrol it first");
                self.refuse(RefuseCode::UnknownNode, reason, out);
            }
            Some(info) if shared.directory.is_fenced(node) => {
                let name = shared.directory.seats().name(info.seat);
                let reason = format!(
                    "the county has fenced node {short} of {name}: nothing is taken from it or given to it; to work \
                     again, the machine joins with a new key"
                );
                self.refuse(RefuseCode::Fenced, reason, out);
            }
            Some(info) if is_settled && info.seat != seat => {
                let reason = format!("node {short} is of another seat now: the link begins again");
                self.refuse(RefuseCode::DirectoryForked, reason, out);
            }
            Some(_) => return false,
        }
        true
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

    /// Shows an entry for a place where the other end may have another.
    fn show(&self, entry: Option<&std::sync::Arc<SignedEntry>>, out: &mut Out) {
        if let Some(entry) = entry {
            self.send(Frame::Directory(vec![SignedEntry::clone(entry)]), out);
        }
    }

    /// A fork was noticed here: whoever has the same directory is to know of it.
    pub fn show_fork(&mut self, other: &SignedEntry, out: &mut Out) {
        if self.peer_seat().is_some() && !self.is_closed() {
            self.send(Frame::Directory(vec![other.clone()]), out);
        }
    }

    pub(super) fn on_directory(&mut self, entries: Vec<SignedEntry>, out: &mut Out) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return };
        let (begin, end) = (first.entry.index, last.entry.index.saturating_add(1));
        if !entries.is_sorted_by(|a, b| a.entry.index < b.entry.index) {
            return self.protocol_error("directory entries came that are not in order", out);
        }
        let resolves = first.entry.items.iter().any(|item| matches!(item, Item::Resolve { .. }));
        let goes_back = begin < self.directing.next_entry;
        if goes_back {
            self.directing.back += 1;
            if self.directing.back > BACK_MAX {
                return self.protocol_error("directory entries came again and again that are known to be here", out);
            }
        }
        if resolves || !goes_back {
            self.directing.next_entry = end;
        }
        if let Some(peer) = &mut self.peer {
            peer.directory_len = match (resolves, goes_back) {
                (true, _) => end,
                (false, false) => peer.directory_len.max(end),
                (false, true) => peer.directory_len,
            };
        }
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
    pub fn extended(&mut self, result: Result<(), NotGrown>, shared: &Shared<'_>, out: &mut Out) {
        if self.is_closed() {
            return;
        }
        let is_settled = self.peer_seat().is_some();
        match result {
            Ok(()) => {}
            Err(error @ NotGrown::Bad(_)) => {
                return self.protocol_error(&format!("its directory entries do not follow ours: {error}"), out);
            }
            // Evidence of what may be a fork elsewhere: this end goes on with whoever has the same directory.
            Err(NotGrown::Forked { index }) if is_settled => {
                if let Some(peer) = self.peer.as_mut().filter(|_| index >= shared.directory.len()) {
                    peer.directory_len = peer.directory_len.min(index);
                }
            }
            Err(NotGrown::Settled { .. }) if is_settled => {}
            Err(NotGrown::Settled { .. }) => {
                let is_decision = |entry: &&std::sync::Arc<SignedEntry>| {
                    entry.entry.items.iter().any(|item| matches!(item, Item::Resolve { .. }))
                };
                let decision = shared.directory.entries_from(0).iter().rfind(is_decision);
                let Some(decision) = decision else { return self.refuse_fork(out) };
                let from = decision.entry.index;
                if let Some(peer) = &mut self.peer {
                    peer.directory_len = from;
                }
                self.go_on(shared, out);
            }
            Err(NotGrown::Forked { index }) => {
                self.show(shared.directory.entries_from(index).first(), out);
                return self.refuse_fork(out);
            }
            Err(NotGrown::Frozen) => {
                if let Some(fork) = shared.fork {
                    self.send(Frame::Directory(vec![fork.theirs.clone()]), out);
                }
                return self.refuse_fork(out);
            }
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

    pub fn refuse_fork(&mut self, out: &mut Out) {
        let reason = "the two directories have forked: the root has to decide which one stands".to_owned();
        self.refuse(RefuseCode::DirectoryForked, reason, out);
    }

    /// The directory here grew, by whatever way; or from this entry on it is another.
    pub fn on_directory_grown(&mut self, replaced_from: Option<u64>, shared: &Shared<'_>, out: &mut Out) {
        if let (Some(from), Some(peer)) = (replaced_from, &mut self.peer) {
            peer.directory_len = peer.directory_len.min(from);
        }
        self.verifying.unsettle();
        match self.phase {
            Phase::Directory => self.settle_directory(shared, out),
            Phase::Greeting | Phase::Closed => {}
            Phase::LookingUp | Phase::Welcoming | Phase::Running => {
                self.send_directory(shared, out);
                self.refuse_by_directory(shared, out);
            }
        }
    }

    pub(super) fn on_join(&mut self, encoded: &[u8], out: &mut Out) {
        match JoinRequest::decode(encoded) {
            Ok(request) => out.arrivals.push(Arrival::Join { link: self.id, request: Box::new(request) }),
            Err(error) => self.protocol_error(&format!("a join request cannot be read: {error}"), out),
        }
    }

    pub fn pass_join(&self, encoded: Vec<u8>, out: &mut Out) {
        self.send(Frame::Join(encoded), out);
    }

    pub fn refuse_join(&self, refusal: JoinRefused, out: &mut Out) {
        if self.is_running() {
            self.send(Frame::JoinRefused(refusal), out);
        }
    }
}
