//! The one task that owns the engine: it takes from the inbox, lets the engine decide, and carries out what it decided.
//! It never waits for a store, a link or a caller; those answer when they can.
//!
//! Commands share transactions: while one is being made durable, those that come are queued in the engine and are the
//! next batch. So everything that waits in the inbox is taken before the engine hears that the store is done.

mod alarms;
mod answers;
mod checkpoints;
mod health;
mod notices;
mod recovery;
mod reports;
mod verifying;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use answers::Waiting;
use health::Health;
use heliu_record::reason::Reason;
use heliu_replication::effect::{Effect, Input, LinkId};
use heliu_replication::frame::{Frame, Refuse, RefuseCode};
use heliu_replication::{Engine, serving};
use heliu_storage::{Store, StoreError};
use heliu_trust::directory::Directory;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};
use verifying::Verifying;

use crate::backoff::Backoff;
use crate::begin::Beginner;
use crate::clock::Setting;
use crate::error::{ExecuteError, OrderError, ShutdownError, StartError};
use crate::handle::Inner;
use crate::inbox::Ask;
use crate::link_end::{LinkEnd, Overflow};
use crate::told::Source;
use crate::trouble::{Cause, Trouble};
use crate::zone;

pub(crate) struct Runner {
    pub inner: Arc<Inner>,
    pub store: Arc<dyn Store>,
    pub beginner: Beginner,
    pub engine: Engine,
    pub inbox: mpsc::Receiver<Ask>,
    pub directory: watch::Sender<Directory>,
    pub read_only: watch::Sender<Option<Reason>>,
    pub program: String,
    pub tick: Duration,
    pub shutdown_deadline: Duration,
}

/// Something that was started and answers when it is done.
enum Done {
    Store(Option<Box<Input>>),
    Begun(Result<Box<Engine>, StartError>),
}

struct Running {
    run: Runner,
    ends: BTreeMap<LinkId, LinkEnd>,
    jobs: JoinSet<Done>,
    waiting: Waiting,
    verifying: Verifying,
    health: Health,
    backoff: Backoff,
    /// When a shutdown that was asked for is over at the latest.
    stop_at: Option<Instant>,
    /// A job for the store has been spawned and may not have begun.
    asked_store: bool,
    setting: Setting,
}

impl Runner {
    pub async fn run(self) -> Result<(), ShutdownError> {
        let (backoff, setting) = (Backoff::new(self.inner.retry), Setting::of(self.inner.clock.now()));
        let running = Running {
            run: self,
            ends: BTreeMap::new(),
            jobs: JoinSet::new(),
            waiting: Waiting::default(),
            verifying: Verifying::default(),
            health: Health::Well { since: Instant::now() },
            backoff,
            stop_at: None,
            asked_store: false,
            setting,
        };
        running.go_on().await
    }
}

impl Running {
    async fn go_on(mut self) -> Result<(), ShutdownError> {
        let inner = Arc::clone(&self.run.inner);
        let mut tick = tokio::time::interval(self.run.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (retry_at, stop_at) = (self.retry_at(), self.stop_at);
            tokio::select! {
                Some(ask) = self.run.inbox.recv() => self.take(ask),
                Some(done) = self.jobs.join_next() => {
                    if !self.run.engine.has_queued() {
                        self.take_what_waits();
                    }
                    self.done(done);
                }
                _ = tick.tick() => self.ticked(),
                () = until(retry_at) => self.begin_again(),
                () = inner.life.stopping(), if stop_at.is_none() => self.stop(),
                () = until(stop_at) => return Err(self.cut_off()),
            }
            if self.stop_at.is_some() && self.is_done() {
                return Ok(());
            }
            if std::mem::take(&mut self.asked_store) {
                // A task that was just spawned waits for this one to give up its thread; what is next here may be long.
                tokio::task::yield_now().await;
            }
        }
    }

    /// So that the next batch is not one of the first that comes. At most as many as fit in the inbox at once, so that what
    /// the store has done is not kept waiting for ever.
    fn take_what_waits(&mut self) {
        for _ in 0..self.run.inner.limits.inbox {
            match self.run.inbox.try_recv() {
                Ok(ask) => self.take(ask),
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, ask: Ask) {
        match ask {
            Ask::Execute { request, is_guessable, trial, role, sight, answer, permit } => match self.refusal() {
                Some(why) => drop(answer.send(Err(why))),
                None => {
                    let ticket = self.waiting.execute(answer, permit);
                    let inner = &self.run.inner;
                    let today = zone::today(self.run.engine.directory(), inner.clock.wall_ms());
                    self.feed(Input::Execute { ticket, request, is_guessable, trial, role, today, sight });
                }
            },
            Ask::Order { order, answer, permit } => match self.refusal() {
                Some(ExecuteError::StoreFailed(error)) => drop(answer.send(Err(OrderError::StoreFailed(error)))),
                Some(_) => drop(answer.send(Err(OrderError::ShuttingDown))),
                None => {
                    let ticket = self.waiting.order(answer, permit);
                    self.feed(order(ticket));
                }
            },
            Ask::Alarms { answer } => drop(answer.send(self.alarms())),
            Ask::Foreign { answer } => drop(answer.send(self.run.engine.foreign())),
            Ask::Receipt { record, answer } => drop(answer.send(self.run.engine.receipt(record))),
            Ask::AuditHeads { answer } => drop(answer.send(self.audit_heads())),
            Ask::Status { answer } => self.report_status(answer),
            Ask::Links { answer } => self.report_links(answer),
            Ask::Verify { peer, timeout, answer } => self.verify(&peer, timeout, answer),
            Ask::Suspect { records } => self.feed(Input::Suspect { records }),
            Ask::LinkUp { link, end } => self.link_up(link, end),
            Ask::Frame { link, frame } => {
                if self.ends.contains_key(&link) {
                    self.verifying.received(link, &frame);
                    self.feed(Input::Frame { link, frame });
                }
            }
            Ask::Broken { link, why } => {
                if self.claim_line(link, None, "not of this protocol") {
                    let reason = &why.reason;
                    tracing::warn!(link = link.0, reason, "what came is not of this protocol; the link is closed");
                }
                self.refuse(link, why);
                self.feed(Input::LinkDown { link });
            }
            Ask::LinkDown { link } => {
                self.ends.remove(&link);
                self.verifying.gone(link);
                self.feed(Input::LinkDown { link });
            }
        }
    }

    /// Why nothing can be written now.
    fn refusal(&self) -> Option<ExecuteError> {
        match &self.health {
            Health::Failed { error, .. } => Some(ExecuteError::StoreFailed(error.clone())),
            Health::Well { .. } if self.stop_at.is_some() => Some(ExecuteError::ShuttingDown),
            Health::Well { .. } => None,
        }
    }

    fn link_up(&mut self, link: LinkId, end: LinkEnd) {
        let (dialer, peer) = (end.dialer, end.peer);
        self.ends.insert(link, end);
        if self.stop_at.is_some() {
            self.refuse(link, shutting_down());
        } else if let Health::Failed { error, .. } = &self.health {
            let why = Refuse { code: RefuseCode::StoreFailed, reason: error.to_string() };
            self.refuse(link, why);
        } else {
            self.feed(Input::LinkUp { link, dialer, peer });
        }
    }

    /// Says why, and ends the link, without asking the engine.
    fn refuse(&mut self, link: LinkId, why: Refuse) {
        if let Some(end) = self.ends.remove(&link) {
            let _ = end.send(Frame::Refuse(why.clone())); // If there is no room for it, the link just ends.
            end.close(why);
        }
    }

    fn done(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(Done::Store(Some(input))) => self.feed(*input),
            Ok(Done::Store(None)) => {}
            Ok(Done::Begun(begun)) => self.begun(begun),
            Err(error) => {
                // A store or a fold that panics is a defect; which answer is missing now cannot be known: no more are waited for.
                let error = StoreError::Io { what: "carrying out a step of the engine", detail: error.to_string() };
                self.feed(Input::Loaded(Err(error.clone())));
                self.feed(Input::Applied(Err(error)));
            }
        }
    }

    fn ticked(&mut self) {
        self.feed(Input::Tick);
        self.tell_of_a_set_clock();
        self.time_out_verifying();
        self.note_who_is_behind();
        self.run.inner.told.tell_what_was_left_out();
    }

    /// Neighbours compare it with theirs; they heard it when they connected, which may be weeks ago.
    fn tell_of_a_set_clock(&mut self) {
        let now = self.run.inner.clock.now();
        let Some(by_ms) = self.setting.changed(now) else { return };
        tracing::warn!(by_ms, "this machine's clock has been set; the neighbours are told");
        for end in self.ends.values() {
            let _ = end.send(Frame::Clock(now.wall_ms)); // Who takes nothing more hears it when the link is made again.
        }
    }

    /// Lets the engine decide, and carries that out.
    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            if matches!(self.health, Health::Failed { .. }) {
                return;
            }
            let now = self.run.inner.clock.now();
            for effect in self.run.engine.handle(input, now) {
                inputs.extend(self.carry_out(effect));
            }
            self.publish_directory();
            if let Some(error) = self.run.engine.failed().cloned() {
                self.failed(error);
            }
        }
    }

    /// What follows at once, if anything does.
    fn carry_out(&mut self, effect: Effect) -> Option<Input> {
        if serving::is_for_store(&effect) {
            let store = Arc::clone(&self.run.store);
            self.jobs.spawn(async move { Done::Store(serving::carry_out(&*store, effect).await.map(Box::new)) });
            self.asked_store = true;
            return None;
        }
        match effect {
            Effect::Send { link, frame } => {
                self.verifying.sent(link, &frame);
                match self.ends.get(&link)?.send(frame) {
                    Ok(()) => None,
                    Err(Overflow) => Some(self.overflowed(link)),
                }
            }
            Effect::Close { link, why } => {
                if let Some(end) = self.ends.remove(&link) {
                    end.close(why);
                }
                self.verifying.gone(link);
                Some(Input::LinkDown { link })
            }
            Effect::Reply { ticket, reply } => {
                self.waiting.reply(ticket, reply);
                None
            }
            Effect::Notice(notice) => {
                self.notice(&notice);
                None
            }
            _ => None,
        }
    }

    fn overflowed(&mut self, link: LinkId) -> Input {
        if let Some(end) = self.ends.remove(&link) {
            let reason = format!(
                "{} frames wait to be sent and the other end does not take them: its line or its disk is too slow; the \
                 link is made again and goes on where it was",
                self.run.inner.limits.outgoing_frames
            );
            if self.run.inner.told.claim(Source::of_link(end.peer, &end.address), "link overflowed") {
                tracing::warn!(link = link.0, %reason, "link closed");
            }
            end.give_up(Cause::new(Trouble::TooSlow, reason));
        }
        self.verifying.gone(link);
        Input::LinkDown { link }
    }

    fn publish_directory(&mut self) {
        let directory = self.run.engine.directory();
        if directory.head() != self.run.directory.borrow().head() {
            self.run.directory.send_replace(directory.clone());
        }
    }

    fn stop(&mut self) {
        tracing::info!(links = self.ends.len(), commands = self.waiting.len(), "shutting down");
        self.stop_at = Some(Instant::now() + self.run.shutdown_deadline);
        let links: Vec<LinkId> = self.ends.keys().copied().collect();
        for link in links {
            self.refuse(link, shutting_down());
            self.feed(Input::LinkDown { link });
        }
    }

    /// Everything that was asked for is durable or refused, and answered.
    fn is_done(&self) -> bool {
        let idle = matches!(self.health, Health::Failed { .. }) || self.run.engine.is_idle();
        idle && self.waiting.len() == 0 && self.jobs.is_empty() && self.run.inbox.is_empty()
    }

    fn cut_off(&mut self) -> ShutdownError {
        let (after, unanswered) = (self.run.shutdown_deadline, self.waiting.len());
        ShutdownError::Deadline { after, unanswered }
    }
}

fn shutting_down() -> Refuse {
    Refuse { code: RefuseCode::ShuttingDown, reason: "this node is shutting down; it will be back".to_owned() }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
