//! One link: the conversation with one other node, from hello to close. It is held in several protocols, each of which has
//! its state, says what it sends, and knows none of the others: [`greeting`], [`directory`], [`sending`] with [`pushing`],
//! [`receiving`], [`reconciling`], [`verifying`], [`statements`], [`custody`], [`outside`]. Here each frame, and whatever
//! else happens, is handed to the one that it is for, and what comes of that to the others.
//!
//! A link never judges a leaf and never writes a record: it asks the engine to take what arrived ([`Arrival`]).

mod comparing;
mod custody;
mod directory;
mod greeting;
mod line;
mod opening;
mod outside;
mod pushing;
mod receiving;
mod reconciling;
mod scope;
mod sending;
mod statements;
mod status;
mod verifying;
mod views;

use std::sync::Arc;

use heliu_record::id::RecordId;
use heliu_storage::{Cursor, FeedPage};
use heliu_trust::id::NodeId;
use heliu_trust::statement::SignedStatement;
use heliu_trust::token::JoinRequest;

use crate::effect::{LinkId, Notice};
use crate::frame::{
    Checkpoint, Frame, Have, Leaves, Outside, Possession, Refuse, RefuseCode, RefusedLeaf, Statements, Verdict,
};

use custody::Custody;
use directory::DirectoryExchange;
pub(crate) use line::{Arrival, Comparison, Feed, Heard, Kinds, Out, Process, Shared};
use line::{Line, Phase, breach};
use outside::Telling;
pub(crate) use pushing::Parted;
use pushing::{Push, Wishes};
use receiving::Receiving;
use reconciling::Reconciling;
pub(crate) use reconciling::Wanted;
use sending::{Next, Sending, Sent};
use statements::StatementExchange;
use status::Refused;
use verifying::Verifying;

/// Whether a protocol goes on; if not, why the link ends.
type Goes = Result<(), Refuse>;

pub(crate) struct Link {
    line: Line,
    directory: DirectoryExchange,
    sending: Sending,
    receiving: Receiving,
    reconciling: Reconciling,
    custody: Custody,
    verifying: Verifying,
    statements: StatementExchange,
    outside: Telling,
    refused: Refused,
}

impl Link {
    pub fn new(id: LinkId, dialer: bool, proven: Option<NodeId>, shared: &Shared<'_>, out: &mut Out) -> Self {
        let line = Line { id, dialer, proven, phase: Phase::Greeting, peer: None };
        let link = Link::on(line, shared.directory.len());
        link.line.send(Frame::Hello(greeting::hello(shared)), out);
        link
    }

    /// Nothing is said yet; the directory here has so many entries.
    fn on(line: Line, entries: u64) -> Self {
        Link {
            line,
            directory: DirectoryExchange::beside(entries),
            sending: Sending::default(),
            receiving: Receiving::default(),
            reconciling: Reconciling::default(),
            custody: Custody::default(),
            verifying: Verifying::default(),
            statements: StatementExchange::default(),
            outside: Telling::default(),
            refused: Refused::default(),
        }
    }

    /// Ends the link from this side, with the reason for both operators.
    pub fn refuse(&mut self, code: RefuseCode, reason: String, out: &mut Out) {
        self.line.refuse(Refuse { code, reason }, out);
    }

    pub fn refuse_fork(&mut self, out: &mut Out) {
        self.line.refuse(directory::forked(), out);
    }

    fn go(&mut self, goes: Goes, out: &mut Out) {
        if let Err(why) = goes {
            self.line.refuse(why, out);
        }
    }

    pub fn on_frame(&mut self, frame: Frame, shared: &Shared<'_>, out: &mut Out) {
        if let Some(peer) = &mut self.line.peer {
            peer.heard.last_tick = shared.now.tick_ms;
        }
        let goes = self.take_frame(frame, shared, out);
        self.go(goes, out);
    }

    fn take_frame(&mut self, frame: Frame, shared: &Shared<'_>, out: &mut Out) -> Goes {
        let (running, is_met) = (self.line.is_running(), self.line.peer.is_some());
        match frame {
            _ if self.line.is_closed() => Ok(()),
            frame if self.directory.holds_up(&frame) => self.directory.wait(frame),
            Frame::Hello(hello) if self.line.phase == Phase::Greeting => self.on_hello(hello, shared, out),
            Frame::Refuse(why) => {
                self.line.end(why, out);
                Ok(())
            }
            Frame::Directory(entries) if is_met => self.on_directory(entries, out),
            Frame::Welcome(welcome) if is_met => {
                if let Some(peer) = &mut self.line.peer {
                    peer.welcome = Some(welcome);
                }
                self.run_if_welcomed(shared, out);
                Ok(())
            }
            Frame::Reconcile(message) if running => self.on_reconcile(message, shared, out),
            Frame::Have(have) if running => self.on_have(have, shared, out),
            Frame::Possession(possession) if running => self.on_possession(possession, shared, out),
            Frame::Leaves(leaves) if running => self.on_leaves(leaves, out),
            Frame::Outside(outside) if running => self.on_outside(outside, shared, out),
            Frame::Ack { sequence } if running => self.on_ack(sequence, shared, out),
            Frame::Refused(leaves) if running => {
                self.refused.note_there(&leaves, self.line.id, out);
                Ok(())
            }
            Frame::Checkpoint(checkpoint) if running => {
                self.on_checkpoint(&checkpoint, shared, out);
                Ok(())
            }
            Frame::Verdict(verdict) if running => {
                self.on_verdict(verdict, shared, out);
                Ok(())
            }
            Frame::Join(encoded) if running => {
                let request = JoinRequest::decode(&encoded);
                let request = request.map_err(|error| breach(format!("a join request cannot be read: {error}")))?;
                out.arrivals.push(Arrival::Join { link: self.line.id, request: Box::new(request) });
                Ok(())
            }
            Frame::JoinRefused(refusal) if running => {
                out.arrivals.push(Arrival::JoinRefused { link: self.line.id, refusal });
                Ok(())
            }
            Frame::Statements(statements) if running => self.on_statements(statements, shared, out),
            // As the other end says it before it has heard our welcome: the sums will tell.
            Frame::Statements(_) | Frame::Clock(_) | Frame::Unknown => Ok(()),
            other => Err(breach(format!("a {} came out of turn", status::name_of(&other)))),
        }
    }

    fn on_leaves(&mut self, leaves: Leaves, out: &mut Out) -> Goes {
        let Some(peer) = &self.line.peer else { return Ok(()) };
        self.receiving.take(&leaves)?;
        self.verifying.unsettle();
        let (link, from, store, incarnation) = (self.line.id, peer.node, peer.hello.store, peer.hello.incarnation);
        let Leaves { sequence, delivery, withdrawn, through } = leaves;
        let cursor = through.map(|position| Cursor { store, incarnation, position });
        out.arrivals.push(Arrival::Leaves { link, from, sequence, delivery, cursor });
        out.arrivals.extend(withdrawn.into_iter().map(|record| Arrival::Withdrawn { link, record }));
        Ok(())
    }

    /// A frame of this link is durable, but for what was refused. Only now may it be acknowledged.
    pub fn ingested(&mut self, sequence: u64, refused: Vec<RefusedLeaf>, shared: &Shared<'_>, out: &mut Out) {
        let acknowledge = self.receiving.ingested(sequence);
        if self.line.is_closed() {
            return;
        }
        // Before the acknowledgement of the frames that brought it, so that nobody compares with it in between.
        self.tell_what_is_outside(shared, out);
        if !refused.is_empty() {
            self.refused.note_here(&refused, self.line.id, out);
            self.line.send(Frame::Refused(refused), out);
        }
        if let Some(sequence) = acknowledge {
            self.line.send(Frame::Ack { sequence }, out);
        }
        self.pump(shared, out);
    }

    /// Records of which something is missing.
    pub fn want(&mut self, records: Vec<RecordId>, shared: &Shared<'_>, out: &mut Out) {
        self.sending.push(asking_for(records));
        self.pump(shared, out);
    }

    fn on_have(&mut self, have: Have, shared: &Shared<'_>, out: &mut Out) -> Goes {
        // A list that asks for ours answers ours as well, if that is on its way.
        self.reconciling.answered(have.records.iter().map(|(record, _)| record));
        let lacking =
            |(record, held): (RecordId, Vec<[u8; 8]>)| (record, Push::lacking(held.into_iter().collect(), have.reply));
        self.sending.push_asked(have.records.into_iter().map(lacking).collect())?;
        self.pump(shared, out);
        Ok(())
    }

    fn on_possession(&mut self, possession: Possession, shared: &Shared<'_>, out: &mut Out) -> Goes {
        let wishes = self.custody.hear(possession, shared, out);
        self.sending.push_asked(wishes)?;
        self.pump(shared, out);
        Ok(())
    }

    fn on_ack(&mut self, sequence: u64, shared: &Shared<'_>, out: &mut Out) -> Goes {
        self.sending.acknowledge(sequence)?;
        self.custody.acknowledged(sequence, out);
        self.pump(shared, out);
        Ok(())
    }

    /// These leaves took an end of this link out of a record's audience, and the other end has missed them.
    pub fn part(&mut self, record: RecordId, leaves: Parted, shared: &Shared<'_>, out: &mut Out) {
        if self.sending.part(record, leaves) {
            self.pump(shared, out);
        }
    }

    fn on_outside(&mut self, outside: Outside, shared: &Shared<'_>, out: &mut Out) -> Goes {
        outside::check(&outside, shared)?;
        self.verifying.unsettle();
        out.arrivals.push(Arrival::Outside { link: self.line.id, outside });
        Ok(())
    }

    fn tell_what_is_outside(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if let Some(again) = self.outside.tell(&self.line, shared, out) {
            self.sending.push(asking_for(again));
            self.verifying.unsettle();
        }
    }

    fn on_statements(&mut self, frame: Statements, shared: &Shared<'_>, out: &mut Out) -> Goes {
        match self.statements.hear(frame, &self.line, shared, out)? {
            Some(statements) => out.arrivals.push(Arrival::Statements { link: self.line.id, statements }),
            None => self.verifying.unsettle(),
        }
        Ok(())
    }

    /// A frame of statements of this link is durable, as far as it was taken.
    pub fn heard_statements(&mut self) {
        self.statements.taken();
        self.verifying.unsettle();
    }

    /// These are durable here since now, and the link that brought each.
    pub fn on_stated(&self, stated: &[(Option<LinkId>, Arc<SignedStatement>)], shared: &Shared<'_>, out: &mut Out) {
        statements::pass_on(stated, &self.line, shared, out);
    }

    /// A page that this link asked for.
    pub fn on_page(&mut self, page: FeedPage, shared: &Shared<'_>, out: &mut Out) {
        if self.line.is_running() {
            let sent = self.sending.page(page, &self.line, shared, out);
            self.note_sent(sent, out);
            self.pump(shared, out);
        }
    }

    /// The durable feed grew, or sums changed.
    pub fn on_appended(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if self.line.is_running() {
            self.verifying.unsettle();
            self.tell_what_is_outside(shared, out);
            self.pump(shared, out);
        }
    }

    pub fn on_tick(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if !self.line.is_running() {
            return;
        }
        self.verifying.tick();
        self.mend_soon(out);
        let scans = self.reconciling.tick(&self.line, out);
        self.verifying.unsettle_if(scans);
        self.sending.read_again();
        let wishes = self.custody.tick(&self.line, shared);
        self.sending.push(wishes);
        self.statements.tick(&self.line, shared, out);
        if self.sending.tick(self.verifying.is_wanted()) {
            self.tell_position(shared, out);
        }
        self.pump(shared, out);
    }

    fn tell_position(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if !self.reconciling.is_going_on() {
            self.sending.tell_position(&self.line, shared, out);
        }
    }

    /// Does whatever is due now. Called after every input that may have changed what is due.
    fn pump(&mut self, shared: &Shared<'_>, out: &mut Out) {
        while self.line.is_running() && self.send_next(shared, out) {}
        if self.line.is_running() {
            self.say_checkpoint(shared, out);
        }
    }

    /// Sends what is at hand. Returns whether there may be more.
    fn send_next(&mut self, shared: &Shared<'_>, out: &mut Out) -> bool {
        let next = match self.sending.next(&self.line, out) {
            Next::Nothing if self.reconciling.is_going_on() => {
                self.finish_reconciling(shared, out);
                return false;
            }
            Next::Nothing => self.sending.walk(&self.line, shared, out),
            next => next,
        };
        let Next::Sent(sent) = next else { return false };
        self.note_sent(sent, out);
        true
    }

    fn note_sent(&mut self, sent: Sent, out: &mut Out) {
        let Sent { is_news, left, given, read } = sent;
        self.verifying.unsettle_if(is_news);
        self.custody.given(&given, self.sending.last());
        let wishes = self.custody.hand_over(left);
        self.sending.push(wishes);
        if let Some(read) = read {
            if read.is_in_doubt {
                self.verifying.doubt();
            }
            custody::answer(read.asked, &read.here, &self.line, out);
            self.custody.ask(read.left, &self.line, out);
        }
    }

    /// Somebody wants to know whether both ends hold the same.
    pub fn verify(&mut self, shared: &Shared<'_>, out: &mut Out) {
        self.verifying.want();
        if self.line.dialer {
            self.pump(shared, out);
        } else if self.line.is_running() {
            // The dialling end asks; this tells it to, and what to ask about. It asks of itself as soon as the link runs.
            self.tell_position(shared, out);
            self.line.send(Frame::Verdict(Verdict::MovedOn), out);
        }
    }

    /// Everything that was sent is acknowledged, everything that came is durable, and nothing is in doubt.
    fn is_quiet(&self, shared: &Shared<'_>) -> bool {
        !shared.compared.apart.is_some_and(crate::records::Apart::is_counting)
            && shared.kinds.is_judged
            && !self.verifying.is_in_doubt()
            && !self.reconciling.is_going_on()
            && self.sending.is_quiet(shared.head())
            && self.receiving.is_quiet()
    }

    fn say_checkpoint(&mut self, shared: &Shared<'_>, out: &mut Out) {
        self.verifying.compare_with(shared.compared.sums);
        if self.line.dialer && self.verifying.is_due() && self.is_quiet(shared) {
            self.verifying.ask(shared.compared.sums, shared.now);
            self.statements.ask();
            let (mine, yours) = (self.sending.walked(), self.receiving.through());
            let (sums, statements) = (shared.compared.sums, statements::sum(&self.line, shared));
            let directory = shared.directory.head();
            self.line.send(Frame::Checkpoint(Checkpoint { mine, yours, sums, statements, directory }), out);
        }
    }

    fn on_checkpoint(&mut self, checkpoint: &Checkpoint, shared: &Shared<'_>, out: &mut Out) {
        if !self.verifying.take_checkpoint() {
            return self.line.send(Frame::Verdict(Verdict::MovedOn), out);
        }
        let verdict = if !self.is_quiet(shared) || checkpoint.directory != shared.directory.head() {
            // Who judges by another directory may judge differently: it is asked again behind that.
            Verdict::MovedOn
        } else if checkpoint.sums == shared.compared.sums {
            Verdict::Equal
        } else if checkpoint.sums.held == shared.compared.sums.held
            && checkpoint.sums.records == shared.compared.sums.records
        {
            if self.judges_as(shared) { Verdict::JudgedDifferently } else { Verdict::HeldEqual }
        } else {
            Verdict::Different
        };
        let differ = self.statements.compare(checkpoint.statements, true, &self.line, shared, out);
        self.verifying.unsettle_if(differ);
        self.line.send(Frame::Verdict(verdict), out);
        self.verifying.compared(verdict, self.sending.has_told(), shared.now);
        self.tell_verdict(verdict, out);
    }

    /// Who declares kinds otherwise, or others, judges otherwise, and says so in its hello.
    fn judges_as(&self, shared: &Shared<'_>) -> bool {
        self.line.peer.as_ref().is_some_and(|peer| peer.hello.kinds == *shared.kinds.digests)
    }

    fn on_verdict(&mut self, verdict: Verdict, shared: &Shared<'_>, out: &mut Out) {
        let is_excuse = verdict == Verdict::HeldEqual && self.judges_as(shared);
        let verdict = if is_excuse { Verdict::JudgedDifferently } else { verdict };
        if !self.verifying.hear(verdict) {
            return;
        }
        self.statements.hear_verdict();
        // What moved while the verdict was on its way is asked about again.
        self.verifying.note(verdict, shared.now);
        self.tell_verdict(verdict, out);
        self.verifying.mend_after(verdict, self.line.dialer);
        self.mend_soon(out);
        self.pump(shared, out);
    }

    fn tell_verdict(&self, verdict: Verdict, out: &mut Out) {
        match verdict {
            Verdict::Equal | Verdict::HeldEqual => {
                let held_only = verdict == Verdict::HeldEqual;
                self.line.notice(|link, peer| Notice::LinkVerified { link, peer, held_only }, out);
            }
            Verdict::Different => self.line.notice(|link, peer| Notice::SumsDiffer { link, peer }, out),
            Verdict::JudgedDifferently => {
                self.line.notice(|link, peer| Notice::JudgedDifferently { link, peer }, out);
            }
            Verdict::MovedOn => {}
        }
    }
}

fn asking_for(records: Vec<RecordId>) -> Wishes {
    records.into_iter().map(|record| (record, Push::want())).collect()
}

#[cfg(test)]
mod tests;
