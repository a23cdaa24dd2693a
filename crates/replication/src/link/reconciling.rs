//! A link's reconciliation: where there is no valid cursor, or a checkpoint found a difference. The dialling end asks,
//! the other answers; both push what the other lacks. When an end has pushed everything, it says the position at which
//! it began, and the walk along the feed goes on from there.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;
use heliu_storage::{Position, ScanItem};

use super::sending::Push;
use super::{Link, Out, Shared};
use crate::effect::{Effect, Notice};
use crate::frame::{Frame, RangeContent, Reconcile, limits};
use crate::reconcile::Items;

#[derive(Default)]
pub(super) struct Reconciling {
    stage: Stage,
    /// Records for which our list is out and theirs is not in.
    compared: BTreeSet<RecordId>,
    finished: u64,
}

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    /// The dialling end has been asked to begin.
    Requested,
    /// The store is read; frames that came meanwhile wait.
    Scanning(Vec<Reconcile>),
    Talking(Session),
}

struct Session {
    items: Items,
    /// The head when the items were read.
    at: Position,
    /// No more questions: from the dialling end, once it has said so; at the other, once it has heard it.
    done: bool,
    /// The dialling end has nothing to ask any more and will say so once its lists are out.
    saying_done: bool,
    pushed: u64,
    differing: u64,
}

impl Reconciling {
    pub fn is_going_on(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    pub fn finished(&self) -> u64 {
        self.finished
    }

    pub fn answered<'a>(&mut self, records: impl Iterator<Item = &'a RecordId>) {
        records.for_each(|record| {
            self.compared.remove(record);
        });
    }
}

impl Link {
    /// Begins a reconciliation, or asks the other end to begin one.
    pub(super) fn reconcile_soon(&mut self, out: &mut Out) {
        if self.reconciling.is_going_on() {
            return;
        }
        if self.dialer {
            self.scan(out);
        } else {
            self.reconciling.stage = Stage::Requested;
            self.send(Frame::Reconcile(Reconcile { ranges: Vec::new(), done: false }), out);
        }
    }

    fn scan(&mut self, out: &mut Out) {
        self.verifying.unsettle();
        self.reconciling.stage = Stage::Scanning(Vec::new());
        out.effects.push(Effect::Scan { link: self.id });
    }

    /// Records that came with leaves whose predecessors are missing.
    pub fn want(&mut self, records: Vec<RecordId>, shared: &Shared<'_>, out: &mut Out) {
        for record in records {
            self.sending.push(record, Push::want());
        }
        self.pump(shared, out);
    }

    pub(super) fn reconcile_from(&mut self, items: &[ScanItem], shared: &Shared<'_>, out: &mut Out) {
        let Some(peer) = &self.peer else { return };
        let seats = shared.directory.seats();
        let upward = peer.seat != shared.seat && seats.is_at_or_above(peer.seat, shared.seat);
        let mut in_scope = Vec::new();
        for item in items {
            if item.scope.has_audience(peer.seat, seats) && item.scope.has_audience(shared.seat, seats) && item.present
            {
                in_scope.push((item.id, item.held));
            } else if upward && !item.present {
                // On its way out here: our own last edits of it still travel upward.
                self.sending.push(item.id, Push::all());
            }
        }
        let Stage::Scanning(waiting) = std::mem::take(&mut self.reconciling.stage) else { return };
        let items = Items::new(in_scope);
        self.sending.may_part_again();
        if self.dialer {
            self.send(Frame::Reconcile(Reconcile { ranges: vec![items.whole()], done: false }), out);
        }
        let at = shared.meta.head;
        let session = Session { items, at, done: false, saying_done: false, pushed: 0, differing: 0 };
        self.reconciling.stage = Stage::Talking(session);
        for message in waiting {
            self.on_reconcile(message, shared, out);
        }
    }

    pub(super) fn on_reconcile(&mut self, message: Reconcile, shared: &Shared<'_>, out: &mut Out) {
        match &mut self.reconciling.stage {
            Stage::Idle if self.dialer => {
                // The other end asks for a reconciliation. Answers to one that is over do not come: it waits for our `done`.
                return self.reconcile_soon(out);
            }
            Stage::Idle | Stage::Requested => {
                self.scan(out);
                if let Stage::Scanning(waiting) = &mut self.reconciling.stage {
                    waiting.push(message);
                }
                return;
            }
            Stage::Scanning(_) if self.dialer => return, // It asked for what has begun already.
            Stage::Scanning(waiting) => return waiting.push(message),
            Stage::Talking(_) => {}
        }
        self.answer(&message, shared, out);
        self.pump(shared, out);
    }

    fn answer(&mut self, message: &Reconcile, shared: &Shared<'_>, out: &mut Out) {
        let Stage::Talking(session) = &mut self.reconciling.stage else { return };
        let mut reply = Vec::new();
        let mut push = Vec::new();
        for range in &message.ranges {
            let answer = session.items.answer(range);
            reply.extend(answer.reply);
            push.extend(answer.push);
            session.differing += answer.differ.len() as u64;
            for record in answer.differ {
                self.reconciling.compared.insert(record);
                self.sending.push(record, Push::compare());
            }
        }
        session.pushed += push.len() as u64;
        self.sending.push_whole(push, shared.meta.head);
        if message.done {
            session.done = true;
        } else if self.dialer && reply.is_empty() {
            session.saying_done = true;
        } else {
            let mut frames = chunk(reply);
            // Every question has exactly one answer; only the last frame of an answer may be empty.
            if frames.is_empty() {
                frames.push(Vec::new());
            }
            for ranges in frames {
                self.send(Frame::Reconcile(Reconcile { ranges, done: false }), out);
            }
        }
    }

    /// Called when nothing is left to push: says `done`, or the position from which the walk goes on.
    pub(super) fn finish_reconciling_if_done(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let Stage::Talking(session) = &mut self.reconciling.stage else { return };
        if session.saying_done && !session.done {
            session.done = true;
            self.send(Frame::Reconcile(Reconcile { ranges: Vec::new(), done: true }), out);
        }
        let Stage::Talking(session) = &self.reconciling.stage else { return };
        if !session.done || !self.reconciling.compared.is_empty() || !self.sending.has_pushed() {
            return;
        }
        let (at, pushed, differing) = (session.at, session.pushed, session.differing);
        self.reconciling.stage = Stage::Idle;
        self.reconciling.finished += 1;
        self.sending.jump_to(at);
        let walked = self.sending.walked();
        self.send_position(walked, out);
        self.notice(|link, peer| Notice::Reconciled { link, peer, pushed, differing }, out);
        self.pump(shared, out);
    }
}

/// Cuts ranges so that no frame holds too many ranges or items.
fn chunk(ranges: Vec<crate::frame::Range>) -> Vec<Vec<crate::frame::Range>> {
    let mut frames: Vec<Vec<_>> = Vec::new();
    let mut items = 0;
    for range in ranges {
        items += match &range.content {
            RangeContent::Fingerprint { .. } => 1,
            RangeContent::Items(list) => list.len(),
            RangeContent::Missing(list) => list.len(),
        };
        match frames.last_mut() {
            Some(frame) if frame.len() < limits::RANGES_PER_FRAME && items <= limits::ITEMS_PER_FRAME => {
                frame.push(range);
            }
            _ => {
                items = 0;
                frames.push(vec![range]);
            }
        }
    }
    frames
}
