//! The directory on a link: the shorter log is brought up to date before anything else, so that authority never waits;
//! what came behind entries waits until they are durable; a fork is shown to the other end; what the root decided takes
//! the place of what it gave up.

use std::collections::VecDeque;
use std::sync::Arc;

use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::id::DirectoryVersion;

use super::line::{Line, Out, Peer, Shared, breach};
use crate::authority::NotGrown;
use crate::frame::{Frame, Hello, Refuse, RefuseCode, cut, limits};

/// Directory entries of the other end that may wait to be taken. A log that is longer by more comes over several
/// connections: what was taken stays.
const ENTRIES_WAITING_BYTES: usize = 16 * 1024 * 1024;

/// Frames that may wait behind a directory frame. An honest end's window is smaller.
const BEHIND_MAX: usize = 1_024;

/// Directory frames that begin with what is known to be here: decisions of the root, and evidence of forks. Both are rare.
const BACK_MAX: u32 = 64;

pub(super) struct DirectoryExchange {
    /// How much of the directory the other end has, as far as we know.
    theirs: u64,
    /// The first entry that the other end may still send: it knows ours from our hello.
    next_entry: u64,
    /// Frames that began before it.
    back: u32,
    /// The bytes of each directory frame that was handed to the engine and is not yet answered.
    under_way: VecDeque<usize>,
    /// What came behind those: it is written by a directory that is not here yet.
    behind: VecDeque<Frame>,
    /// Of the leaves among that.
    behind_bytes: usize,
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

/// Whether the ends have, or are about to have, one directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Common {
    /// As soon as what is sent has been taken.
    Yes,
    /// What the other end says next tells.
    NotYet,
}

impl DirectoryExchange {
    /// This end has so many entries.
    pub fn beside(entries: u64) -> Self {
        let (under_way, behind) = (VecDeque::new(), VecDeque::new());
        DirectoryExchange { theirs: 0, next_entry: entries, back: 0, under_way, behind, behind_bytes: 0 }
    }

    /// The other end has said how much it has.
    pub fn meet(&mut self, hello: &Hello) {
        self.theirs = hello.directory_len;
    }

    /// Whether a frame has to wait for entries that came before it.
    pub fn holds_up(&self, frame: &Frame) -> bool {
        !self.under_way.is_empty() && !matches!(frame, Frame::Directory(_) | Frame::Refuse(_))
    }

    pub fn settle(&mut self, line: &Line, shared: &Shared<'_>, out: &mut Out) -> Common {
        let Some(peer) = &line.peer else { return Common::NotYet };
        let (len, head) = (peer.hello.directory_len, peer.hello.directory_head);
        match theirs(shared.directory, len, head) {
            Theirs::Prefix => {}
            Theirs::GivenUp(from) => self.theirs = from,
            // Their entries are on the way; if ours is no prefix of theirs, they say so.
            Theirs::Unknown if len > shared.directory.len() => return Common::NotYet,
            // A fork, or they know a decision of the root that has not come here: what they say to our entry tells.
            Theirs::Unknown => {
                show(shared.directory.entries_from(len - 1).first(), line, out);
                return Common::NotYet;
            }
        }
        Common::Yes
    }

    /// Sends what the other end lacks.
    pub fn send(&mut self, line: &Line, shared: &Shared<'_>, out: &mut Out) {
        if line.peer.is_none() {
            return;
        }
        let from = self.theirs;
        self.theirs = from.max(shared.directory.len());
        let entries = shared.directory.entries_from(from).iter().map(|entry| SignedEntry::clone(entry));
        for entries in cut(entries, limits::DIRECTORY_ENTRIES_PER_FRAME, |entry| entry.encode().len()) {
            line.send(Frame::Directory(entries), out);
        }
    }

    /// Entries came, to be handed to the engine.
    pub fn take(&mut self, entries: &[SignedEntry]) -> Result<(), Refuse> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
        let (begin, end) = (first.entry.index, last.entry.index.saturating_add(1));
        if !entries.is_sorted_by(|a, b| a.entry.index < b.entry.index) {
            return Err(breach("directory entries came that are not in order"));
        }
        let resolves = is_decision(first);
        let goes_back = begin < self.next_entry;
        if goes_back {
            self.back += 1;
            if self.back > BACK_MAX {
                return Err(breach("directory entries came again and again that are known to be here"));
            }
        }
        if resolves || !goes_back {
            self.next_entry = end;
        }
        self.theirs = match (resolves, goes_back) {
            (true, _) => end,
            (false, false) => self.theirs.max(end),
            (false, true) => self.theirs,
        };
        self.under_way.push_back(entries.iter().map(|entry| entry.encode().len()).sum());
        if self.under_way.iter().sum::<usize>() > ENTRIES_WAITING_BYTES {
            return Err(breach("more directory entries came than can wait here"));
        }
        Ok(())
    }

    /// A frame waits for the entries that came before it.
    pub fn wait(&mut self, frame: Frame) -> Result<(), Refuse> {
        let bytes = if let Frame::Leaves(leaves) = &frame { leaves.bytes() } else { 0 };
        if self.behind.len() >= BEHIND_MAX || self.behind_bytes >= limits::WINDOW_BYTES {
            return Err(breach("more came than may wait behind a directory frame"));
        }
        self.behind_bytes += bytes;
        self.behind.push_back(frame);
        Ok(())
    }

    /// What became of the entries of a directory frame. Whether the ends have one directory by that; none if nothing changes.
    pub fn extended(
        &mut self,
        result: Result<(), NotGrown>,
        line: &Line,
        shared: &Shared<'_>,
        out: &mut Out,
    ) -> Result<Option<Common>, Refuse> {
        match result {
            Ok(()) => Ok(None),
            Err(error @ NotGrown::Bad(_)) => Err(breach(format!("its directory entries do not follow ours: {error}"))),
            // Evidence of what may be a fork elsewhere: this end goes on with whoever has the same directory.
            Err(NotGrown::Forked { index }) if line.is_settled() => {
                if index >= shared.directory.len() {
                    self.theirs = self.theirs.min(index);
                }
                Ok(None)
            }
            Err(NotGrown::Settled { .. }) if line.is_settled() => Ok(None),
            Err(NotGrown::Settled { .. }) => {
                let decision = shared.directory.entries_from(0).iter().rfind(|entry| is_decision(entry));
                self.theirs = decision.ok_or_else(forked)?.entry.index;
                Ok(Some(Common::Yes))
            }
            Err(NotGrown::Forked { index }) => {
                show(shared.directory.entries_from(index).first(), line, out);
                Err(forked())
            }
            Err(NotGrown::Frozen) => {
                if let Some(fork) = shared.fork {
                    line.send(Frame::Directory(vec![fork.theirs.clone()]), out);
                }
                Err(forked())
            }
        }
    }

    /// A directory frame has been answered for.
    pub fn answered(&mut self) {
        self.under_way.pop_front();
        if self.under_way.is_empty() {
            self.behind_bytes = 0;
        }
    }

    /// What waits, once nothing is in front of it.
    pub fn next(&mut self) -> Option<Frame> {
        if self.under_way.is_empty() { self.behind.pop_front() } else { None }
    }

    /// From this entry on, ours is another.
    pub fn replaced(&mut self, from: u64) {
        self.theirs = self.theirs.min(from);
    }
}

/// Whether the directory lets the other end be spoken with; it has heard the one that says so.
pub(super) fn admits(peer: &Peer, is_settled: bool, shared: &Shared<'_>) -> Result<(), Refuse> {
    let (node, seat, short) = (peer.node, peer.seat, peer.node.short());
    let (code, reason) = match shared.directory.node(node) {
        None => (RefuseCode::UnknownNode, format!("node {short} is not in the directory: enrol it first")),
        Some(info) if shared.directory.is_fenced(node) => {
            let name = shared.directory.seats().name(info.seat);
            let reason = format!(
                "the county has fenced node {short} of {name}: nothing is taken from it or given to it; to work \
                 again, the machine joins with a new key"
            );
            (RefuseCode::Fenced, reason)
        }
        Some(info) if is_settled && info.seat != seat => {
            (RefuseCode::DirectoryForked, format!("node {short} is of another seat now: the link begins again"))
        }
        Some(_) => return Ok(()),
    };
    Err(Refuse { code, reason })
}

/// Shows an entry for a place where the other end may have another.
fn show(entry: Option<&Arc<SignedEntry>>, line: &Line, out: &mut Out) {
    if let Some(entry) = entry {
        line.send(Frame::Directory(vec![SignedEntry::clone(entry)]), out);
    }
}

/// Whether it is one of the root's, on which of two entries stands.
fn is_decision(entry: &SignedEntry) -> bool {
    entry.entry.items.iter().any(|item| matches!(item, Item::Resolve { .. }))
}

pub(super) fn forked() -> Refuse {
    let reason = "the two directories have forked: the root has to decide which one stands".to_owned();
    Refuse { code: RefuseCode::DirectoryForked, reason }
}
