//! A link's reconciliation: where there is no valid cursor, or a checkpoint found a difference. The dialling end asks,
//! the other answers; both push what the other lacks. When an end has pushed everything, it says the position at which
//! it began, and the walk along the feed goes on from there.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;
use heliu_storage::{Position, ScanItem, Standing};

use super::pushing::Push;
use super::{Link, Out, Shared};
use crate::effect::{Effect, Notice};
use crate::frame::{Frame, Range, Reconcile, Turn};
use crate::reconcile::{Items, are_in_order};

/// Scans of the store that one link may cause in so many ticks. Each reads a row of every record here, and costs the other
/// end one small frame; an honest one waits longer and longer.
const SCANS: u32 = 16;
const SCANS_TICKS: u32 = 16;

#[derive(Default)]
pub(super) struct Reconciling {
    stage: Stage,
    /// Records for which our list is out and theirs is not in.
    compared: BTreeSet<RecordId>,
    finished: u64,
    /// In the current interval, and how much of it is over.
    scans: u32,
    ticks: u32,
}

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    /// The dialling end has been asked to begin.
    Requested,
    /// The store is read. At the answering end the first question waits; there is no second before it is answered.
    Scanning(Option<Reconcile>),
    /// As [`Stage::Scanning`], when there have been too many scans: the next interval begins with it.
    Waiting(Option<Reconcile>),
    Talking(Session),
}

struct Session {
    items: Items,
    /// The head when the items were read.
    at: Position,
    /// Questions of the dialling end that are not answered to the end. With none, it will say so once its lists are out.
    asked: usize,
    /// No more questions: at the dialling end, once it has said so; at the other, once it has heard it.
    done: bool,
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
            self.scan(None, out);
        } else {
            self.reconciling.stage = Stage::Requested;
            self.say(Turn::Begin, Vec::new(), out);
        }
    }

    fn say(&self, turn: Turn, ranges: Vec<Range>, out: &mut Out) {
        self.send(Frame::Reconcile(Reconcile { turn, ranges }), out);
    }

    fn scan(&mut self, question: Option<Reconcile>, out: &mut Out) {
        self.verifying.unsettle();
        if self.reconciling.scans >= SCANS {
            self.reconciling.stage = Stage::Waiting(question);
            return;
        }
        self.reconciling.scans += 1;
        self.reconciling.stage = Stage::Scanning(question);
        out.effects.push(Effect::Scan { link: self.id });
    }

    /// Once per tick: a scan that had to wait may be due.
    pub(super) fn tick_reconciling(&mut self, out: &mut Out) {
        let reconciling = &mut self.reconciling;
        reconciling.ticks += 1;
        if reconciling.ticks < SCANS_TICKS {
            return;
        }
        (reconciling.scans, reconciling.ticks) = (0, 0);
        if let Stage::Waiting(question) = &mut reconciling.stage {
            let question = question.take();
            self.scan(question, out);
        }
    }

    /// Records that came with leaves whose predecessors are missing.
    pub fn want(&mut self, records: Vec<RecordId>, shared: &Shared<'_>, out: &mut Out) {
        for record in records {
            self.sending.push(record, Push::want());
        }
        self.pump(shared, out);
    }

    pub(super) fn reconcile_from(&mut self, items: &[ScanItem], shared: &Shared<'_>, out: &mut Out) {
        // The scan may have been another's.
        let Some(peer) = self.peer.as_ref().filter(|_| matches!(self.reconciling.stage, Stage::Scanning(_))) else {
            return;
        };
        let seats = shared.directory.seats();
        let mut in_scope = Vec::new();
        let is_left_out = |record: &RecordId| {
            shared.apart.is_some_and(|apart| apart.leaves_out(record)) || shared.foreign.is_outside(record)
        };
        for item in items.iter().filter(|item| !is_left_out(&item.id)) {
            if item.scope.has_audience(peer.seat, seats)
                && item.scope.has_audience(shared.seat, seats)
                && item.standing == Standing::Present
            {
                in_scope.push((item.id, item.held));
            }
        }
        let Stage::Scanning(question) = std::mem::take(&mut self.reconciling.stage) else { return };
        let items = Items::new(in_scope);
        self.sending.pushing.allow_parting_again();
        let mut asked = 0;
        if self.dialer {
            self.say(Turn::Question, vec![items.whole()], out);
            asked = 1;
        }
        let session = Session { items, at: shared.meta.head, asked, done: false, pushed: 0, differing: 0 };
        self.reconciling.stage = Stage::Talking(session);
        if let Some(question) = question {
            self.answer(&question, shared, out);
        }
    }

    pub(super) fn on_reconcile(&mut self, message: Reconcile, shared: &Shared<'_>, out: &mut Out) {
        if !are_in_order(&message.ranges) {
            return self.protocol_error("ranges came that are not in order", out);
        }
        match (message.turn, &mut self.reconciling.stage) {
            // What has begun already does not have to begin.
            (Turn::Begin, _) if self.dialer => return self.reconcile_soon(out),
            (Turn::Question, Stage::Idle | Stage::Requested) if !self.dialer => return self.scan(Some(message), out),
            (Turn::Question, Stage::Talking(session)) if !self.dialer && !session.done => {}
            (Turn::Part, Stage::Talking(session)) if self.dialer && session.asked > 0 => {}
            (Turn::Answer, Stage::Talking(session)) if self.dialer && session.asked > 0 => session.asked -= 1,
            (Turn::Done, Stage::Talking(session)) if !self.dialer && !session.done => {
                session.done = true;
                return self.pump(shared, out);
            }
            _ => return self.protocol_error("a reconcile frame came out of turn", out),
        }
        self.answer(&message, shared, out);
        self.pump(shared, out);
    }

    /// Does what follows from ranges of the other end: pushes, compares, and answers or asks in turn.
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
        if session.pushed + session.differing > session.items.len() {
            return self.protocol_error("records were asked for again and again in one reconciliation", out);
        }
        self.sending.pushing.push_whole(push, shared.meta.head);
        let mut frames = Reconcile::cut(reply);
        if self.dialer {
            session.asked += frames.len();
            frames.into_iter().for_each(|ranges| self.say(Turn::Question, ranges, out));
        } else {
            let last = frames.pop().unwrap_or_default();
            frames.into_iter().for_each(|ranges| self.say(Turn::Part, ranges, out));
            self.say(Turn::Answer, last, out);
        }
    }

    /// Called when nothing is left to push: says `done`, or the position from which the walk goes on.
    pub(super) fn finish_reconciling_if_done(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let Stage::Talking(session) = &mut self.reconciling.stage else { return };
        if self.dialer && session.asked == 0 && !session.done {
            session.done = true;
            self.say(Turn::Done, Vec::new(), out);
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
