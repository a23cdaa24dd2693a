//! From hello to running, and whatever the directory's growth means for a link: what is handed from one protocol to the next
//! until the ends know each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::hash::hash;
use heliu_record::id::RecordId;
use heliu_storage::Cursor;
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::SignedEntry;

use super::directory::{self, Common};
use super::greeting::{self, Claim};
use super::line::{Arrival, Heard, Out, Peer, Phase, Shared};
use super::pushing::Push;
use super::statements;
use super::{Goes, Link};
use crate::authority::NotGrown;
use crate::effect::{Effect, Notice};
use crate::frame::{Frame, Hello, JoinRefused, Welcome};

impl Link {
    pub(super) fn on_hello(&mut self, hello: Hello, shared: &Shared<'_>, out: &mut Out) -> Goes {
        greeting::check(&hello, self.line.proven, shared)?;
        let (node, tick_ms) = (hello.node, shared.now.tick_ms);
        let seat = shared.directory.node(node).map_or(shared.own.seat, |info| info.seat);
        let heard = Heard { since_tick: tick_ms, last_tick: tick_ms };
        self.directory.meet(&hello);
        self.line.peer = Some(Peer { node, seat, hello, welcome: None, heard });
        self.line.phase = Phase::Directory;
        self.settle(shared, out)
    }

    fn settle(&mut self, shared: &Shared<'_>, out: &mut Out) -> Goes {
        match self.directory.settle(&self.line, shared, out) {
            Common::Yes => self.look_up(shared, out),
            Common::NotYet => Ok(()),
        }
    }

    /// Both ends have one directory as soon as what is sent here has been taken.
    fn look_up(&mut self, shared: &Shared<'_>, out: &mut Out) -> Goes {
        self.directory.send(&self.line, shared, out);
        let is_settled = self.line.is_settled();
        let Some(peer) = &mut self.line.peer else { return Ok(()) };
        directory::admits(peer, is_settled, shared)?;
        peer.seat = shared.directory.node(peer.node).map_or(peer.seat, |info| info.seat);
        self.line.phase = Phase::LookingUp;
        // Each greeting begins elsewhere, so that none of many waits for ever behind others.
        let after = RecordId(hash("heliu wants 1", &[&shared.incarnation().0, &self.line.id.0.to_le_bytes()]));
        out.effects.push(Effect::ReadPeer { link: self.line.id, store: peer.hello.store, node: peer.node, after });
        if let Some(fork) = shared.fork {
            self.line.send(Frame::Directory(vec![fork.theirs.clone()]), out);
        }
        Ok(())
    }

    /// What the store knows of the other end.
    pub fn on_peer(
        &mut self,
        cursor: Option<Cursor>,
        last_commit: Option<Arc<SignedCommit>>,
        wants: BTreeSet<RecordId>,
        shared: &Shared<'_>,
        out: &mut Out,
    ) {
        if self.line.phase != Phase::LookingUp {
            return;
        }
        self.receiving.begin(cursor.map_or(0, |c| c.position));
        self.sending.push(wants.into_iter().map(|record| (record, Push::want())).collect());
        let statements = statements::sum(&self.line, shared);
        self.line.send(Frame::Welcome(Welcome { cursor, known_of_you: last_commit, statements }), out);
        self.line.phase = Phase::Welcoming;
        self.run_if_welcomed(shared, out);
    }

    pub(super) fn run_if_welcomed(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if self.line.phase != Phase::Welcoming {
            return; // Theirs may come while ours is still being looked up: it stays.
        }
        let Some(peer) = &mut self.line.peer else { return };
        let Some(welcome) = peer.welcome.take() else { return };
        let (node, differs) = (peer.node, shared.kinds.digests.differing(&peer.hello.kinds).next().is_some());
        self.line.phase = Phase::Running;
        if differs {
            self.line.notice(|link, peer| Notice::KindsDiffer { link, peer }, out);
        }
        let claim = greeting::claim(welcome.known_of_you.as_deref(), shared);
        match claim {
            Claim::Nothing => {}
            Claim::Proven => out.arrivals.push(Arrival::RolledBack),
            Claim::False => {
                out.arrivals.push(Arrival::FalseClaim { peer: node });
                self.line.notice(|link, peer| Notice::FalseClaim { link, peer }, out);
            }
        }
        let from = greeting::from(welcome.cursor, shared.feed.meta);
        self.sending.begin(from.unwrap_or(0));
        if from.is_none() || claim == Claim::Proven {
            self.reconcile(out);
        }
        self.tell_what_is_outside(shared, out);
        let asks = self.line.dialer;
        let differ = self.statements.compare(welcome.statements, asks, &self.line, shared, out);
        self.verifying.unsettle_if(differ);
        self.pump(shared, out);
    }

    pub(super) fn on_directory(&mut self, entries: Vec<SignedEntry>, out: &mut Out) -> Goes {
        self.directory.take(&entries)?;
        if !entries.is_empty() {
            out.arrivals.push(Arrival::Directory { link: self.line.id, entries });
        }
        Ok(())
    }

    /// What became of the entries of a directory frame. With the last of them, what came behind is taken.
    pub fn extended(&mut self, result: Result<(), NotGrown>, shared: &Shared<'_>, out: &mut Out) {
        if self.line.is_closed() {
            return;
        }
        match self.directory.extended(result, &self.line, shared, out) {
            Err(why) => return self.line.refuse(why, out),
            Ok(Some(Common::Yes)) => {
                let goes = self.look_up(shared, out);
                self.go(goes, out);
            }
            Ok(Some(Common::NotYet) | None) => {}
        }
        self.directory.answered();
        while let Some(frame) = self.directory.next() {
            self.on_frame(frame, shared, out);
        }
    }

    /// The directory here grew, by whatever way; or from this entry on it is another.
    pub fn on_directory_grown(&mut self, replaced_from: Option<u64>, shared: &Shared<'_>, out: &mut Out) {
        if let Some(from) = replaced_from {
            self.directory.replaced(from);
        }
        self.verifying.unsettle();
        let goes = match self.line.phase {
            Phase::Directory => self.settle(shared, out),
            Phase::Greeting | Phase::Closed => Ok(()),
            Phase::LookingUp | Phase::Welcoming | Phase::Running => {
                self.directory.send(&self.line, shared, out);
                let is_settled = self.line.is_settled();
                self.line.peer.as_ref().map_or(Ok(()), |peer| directory::admits(peer, is_settled, shared))
            }
        };
        self.go(goes, out);
    }

    /// A fork was noticed here: whoever has the same directory is to know of it.
    pub fn show_fork(&self, other: &SignedEntry, out: &mut Out) {
        if self.line.is_settled() && !self.line.is_closed() {
            self.line.send(Frame::Directory(vec![other.clone()]), out);
        }
    }

    pub fn pass_join(&self, encoded: Vec<u8>, out: &mut Out) {
        self.line.send(Frame::Join(encoded), out);
    }

    pub fn refuse_join(&self, refusal: JoinRefused, out: &mut Out) {
        if self.line.is_running() {
            self.line.send(Frame::JoinRefused(refusal), out);
        }
    }
}
