//! What operators see of a link: where it stands, and how much was refused on it.

use crate::effect::{Effect, LinkId, Notice};
use crate::frame::{Frame, RefusedLeaf};

use super::line::Out;

/// Leaves that were refused on a link.
#[derive(Default)]
pub(super) struct Refused {
    pub here: u64,
    pub there: u64,
}

impl Refused {
    /// This end refused some that it was sent.
    pub fn note_here(&mut self, leaves: &[RefusedLeaf], link: LinkId, out: &mut Out) {
        self.here += leaves.len() as u64;
        let notice = told(leaves).map(|first| Notice::RefusedHere { link, count: leaves.len(), first });
        out.effects.extend(notice.map(Effect::Notice));
    }

    /// The other end did.
    pub fn note_there(&mut self, leaves: &[RefusedLeaf], link: LinkId, out: &mut Out) {
        self.there += leaves.len() as u64;
        let notice = told(leaves).map(|first| Notice::RefusedThere { link, count: leaves.len(), first });
        out.effects.extend(notice.map(Effect::Notice));
    }
}

fn told(leaves: &[RefusedLeaf]) -> Option<String> {
    leaves.first().map(|first| format!("{}: {}", first.code, first.reason))
}

/// For the other end, if one came out of turn.
pub(super) fn name_of(frame: &Frame) -> &'static str {
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
