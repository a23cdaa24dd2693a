//! A link's reconciliation: where there is no valid cursor, or a checkpoint found a difference. The dialling end asks,
//! the other answers; both push what the other lacks. When an end has pushed everything, it says the position at which
//! it began, and the walk along the feed goes on from there.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;
use heliu_storage::{Position, ScanItem};

use super::line::{Line, Out, Shared, breach};
use crate::effect::Effect;
use crate::frame::{Frame, Range, Reconcile, Refuse, Turn};
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

/// What follows from what the other end has said.
#[derive(Default)]
pub(super) struct Found {
    /// Records that it lacks wholly. None: nothing was compared.
    pub lacking: Option<Vec<RecordId>>,
    /// Records that both hold, differently.
    pub differing: Vec<RecordId>,
}

/// What comes of a frame.
pub(super) enum Turned {
    /// Nothing before the store is scanned; whether it is to be, or will be, because of this.
    Begun(bool),
    Found(Found),
}

/// A reconciliation is over: from where the walk goes on, and what it has come to.
pub(super) struct Finished {
    pub at: Position,
    pub pushed: u64,
    pub differing: u64,
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

    /// Begins a reconciliation, or asks the other end to begin one. Returns whether the store is to be scanned, or will be.
    pub fn begin(&mut self, line: &Line, out: &mut Out) -> bool {
        if self.is_going_on() {
            return false;
        }
        if line.dialer {
            self.scan(None, line, out);
        } else {
            self.stage = Stage::Requested;
            say(Turn::Begin, Vec::new(), line, out);
        }
        line.dialer
    }

    fn scan(&mut self, question: Option<Reconcile>, line: &Line, out: &mut Out) {
        if self.scans >= SCANS {
            self.stage = Stage::Waiting(question);
            return;
        }
        self.scans += 1;
        self.stage = Stage::Scanning(question);
        out.effects.push(Effect::Scan { link: line.id });
    }

    /// Once per tick: a scan that had to wait may be due. Returns whether it is.
    pub fn tick(&mut self, line: &Line, out: &mut Out) -> bool {
        self.ticks += 1;
        if self.ticks < SCANS_TICKS {
            return false;
        }
        (self.scans, self.ticks) = (0, 0);
        let Stage::Waiting(question) = &mut self.stage else { return false };
        let question = question.take();
        self.scan(question, line, out);
        true
    }

    /// The store has been scanned. None: that was for somebody else.
    pub fn scanned(
        &mut self,
        items: &[ScanItem],
        line: &Line,
        shared: &Shared<'_>,
        out: &mut Out,
    ) -> Option<Result<Found, Refuse>> {
        let peer = line.peer.as_ref().filter(|_| matches!(self.stage, Stage::Scanning(_)))?;
        let seats = shared.directory.seats();
        let mut in_scope = Vec::new();
        for item in items.iter().filter(|item| !shared.is_left_out(&item.id)) {
            if item.scope.has_audience(peer.seat, seats)
                && item.scope.has_audience(shared.own.seat, seats)
                && item.present
            {
                in_scope.push((item.id, item.held));
            }
        }
        let Stage::Scanning(question) = std::mem::take(&mut self.stage) else { return None };
        let items = Items::new(in_scope);
        let mut asked = 0;
        if line.dialer {
            say(Turn::Question, vec![items.whole()], line, out);
            asked = 1;
        }
        let session = Session { items, at: shared.head(), asked, done: false, pushed: 0, differing: 0 };
        self.stage = Stage::Talking(session);
        Some(question.map_or_else(|| Ok(Found::default()), |question| self.answer(&question, line, out)))
    }

    pub fn hear(&mut self, message: Reconcile, line: &Line, out: &mut Out) -> Result<Turned, Refuse> {
        if !are_in_order(&message.ranges) {
            return Err(breach("ranges came that are not in order"));
        }
        match (message.turn, &mut self.stage) {
            // What has begun already does not have to begin.
            (Turn::Begin, _) if line.dialer => return Ok(Turned::Begun(self.begin(line, out))),
            (Turn::Question, Stage::Idle | Stage::Requested) if !line.dialer => {
                self.scan(Some(message), line, out);
                return Ok(Turned::Begun(true));
            }
            (Turn::Question, Stage::Talking(session)) if !line.dialer && !session.done => {}
            (Turn::Part, Stage::Talking(session)) if line.dialer && session.asked > 0 => {}
            (Turn::Answer, Stage::Talking(session)) if line.dialer && session.asked > 0 => session.asked -= 1,
            (Turn::Done, Stage::Talking(session)) if !line.dialer && !session.done => {
                session.done = true;
                return Ok(Turned::Found(Found::default()));
            }
            _ => return Err(breach("a reconcile frame came out of turn")),
        }
        self.answer(&message, line, out).map(Turned::Found)
    }

    /// Does what follows from ranges of the other end: compares, and answers or asks in turn.
    fn answer(&mut self, message: &Reconcile, line: &Line, out: &mut Out) -> Result<Found, Refuse> {
        let Stage::Talking(session) = &mut self.stage else { return Ok(Found::default()) };
        let (mut reply, mut lacking, mut differing) = (Vec::new(), Vec::new(), Vec::new());
        for range in &message.ranges {
            let answer = session.items.answer(range);
            reply.extend(answer.reply);
            lacking.extend(answer.push);
            differing.extend(answer.differ);
        }
        session.differing += differing.len() as u64;
        session.pushed += lacking.len() as u64;
        self.compared.extend(&differing);
        if session.pushed + session.differing > session.items.len() {
            return Err(breach("records were asked for again and again in one reconciliation"));
        }
        let mut frames = Reconcile::cut(reply);
        if line.dialer {
            session.asked += frames.len();
            frames.into_iter().for_each(|ranges| say(Turn::Question, ranges, line, out));
        } else {
            let last = frames.pop().unwrap_or_default();
            frames.into_iter().for_each(|ranges| say(Turn::Part, ranges, line, out));
            say(Turn::Answer, last, line, out);
        }
        Ok(Found { lacking: Some(lacking), differing })
    }

    /// Called when nothing is left to send but the walk: says `done`, or that it is over.
    pub fn finish(&mut self, has_pushed: bool, line: &Line, out: &mut Out) -> Option<Finished> {
        let Stage::Talking(session) = &mut self.stage else { return None };
        if line.dialer && session.asked == 0 && !session.done {
            session.done = true;
            say(Turn::Done, Vec::new(), line, out);
        }
        if !session.done || !self.compared.is_empty() || !has_pushed {
            return None;
        }
        let (at, pushed, differing) = (session.at, session.pushed, session.differing);
        self.stage = Stage::Idle;
        self.finished += 1;
        Some(Finished { at, pushed, differing })
    }
}

fn say(turn: Turn, ranges: Vec<Range>, line: &Line, out: &mut Out) {
    line.send(Frame::Reconcile(Reconcile { turn, ranges }), out);
}
