//! One batch of work, from what it needs to the transaction that makes it durable, in stages: what can be done is done
//! ([`needs`] says what has to be looked up first), what was touched is folded ([`folding`]), conflicts are derived
//! ([`deriving`]), and all of it gets its numbers and signatures ([`seal`]). Each stage may be entered again after a load;
//! none repeats itself.
//!
//! A batch may be worked on while the transaction of the one before is in flight ([`Flight`]): it sees what that one has made of
//! the parts and of what is looked up ([`lookup::Ahead`]), takes more work as it comes, and is sealed when that is durable.
//!
//! A step is a function of the parts that adds to the [`Delta`] what comes of it. Steps hand one part what another returned:
//! so no part has to know another.

mod checking;
mod commands;
mod deriving;
mod folding;
mod foreign;
mod growing;
mod leaves;
mod leaving;
mod lookup;
mod mending;
mod needs;
mod quarantine;
mod reissuing;
mod reporting;
mod seal;
mod sealing;
mod statements;
mod writing;

use std::collections::VecDeque;

use heliu_record::id::RecordId;
use heliu_storage::{Position, Transaction};

use crate::authority::Enrolment;
use crate::durable::Durable;
use crate::effect::{Done, LinkId, LoadReply, LoadRequest, Moment, Reply, Ticket};
use crate::journal::{Delta, Growth, Outcome, Room, Sealed, Work};
use crate::parts::Parts;
use crate::records::Open;

use commands::Executed;
use deriving::Conflicts;
use growing::Again;
use lookup::{Ahead, LookedUp};

/// What a batch needs next.
pub(crate) enum Step {
    /// Nothing, until the transaction in flight is durable or more work has come.
    Wait,
    Load(Box<LoadRequest>),
    /// It is done, and can be sealed.
    Seal,
}

enum Stage {
    Working,
    Folding,
    Deriving,
    Done,
}

/// What may be under way beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Nothing: see [`Work::is_alone`].
    Alone,
    /// As [`Sort::Alone`], and nothing but records that are held against their leaves.
    Checks,
    /// Another batch.
    Shared,
}

/// A batch whose transaction is the store's, and what is to happen when that is durable.
pub(crate) struct Flight {
    tickets: Vec<Ticket>,
    put_off: Vec<Work>,
    outcome: Sealed,
    growth: Growth,
    /// Where the feed ends then.
    head: Position,
    at: Moment,
    /// For the batch that is worked on meanwhile; none: there may be no such.
    ahead: Option<Ahead>,
}

pub(crate) struct Batch {
    works: VecDeque<Work>,
    /// What has to wait for a new incarnation.
    put_off: Vec<Work>,
    /// Who waits for an answer.
    tickets: Vec<Ticket>,
    sort: Sort,
    /// For more work while a transaction is in flight.
    room: Room,
    stage: Stage,
    /// What the store is looking up.
    asked: LoadRequest,
    looked_up: LookedUp,
    conflicts: Conflicts,
    again: Again,
    enrolment: Enrolment,
    delta: Delta,
}

impl Batch {
    /// Takes the next work out of the queue. Nothing is in flight.
    pub fn begin(parts: &mut Parts) -> Self {
        let (works, checked) = parts.journal.take();
        // What is checked is read from the store, whether or not it is open: what is open is what is stored, since nobody has
        // worked on it yet.
        parts.records.close(&checked);
        parts.health.patrol.check(checked);
        let is_alone = works.iter().any(Work::is_alone);
        let is_only_checks = works.iter().all(|work| work.checks().is_some());
        let sort = if is_only_checks {
            Sort::Checks
        } else if is_alone {
            Sort::Alone
        } else {
            Sort::Shared
        };
        Batch::of(works, sort, Room::none(), LookedUp::default(), Conflicts::default())
    }

    /// Takes work that may be done while this transaction is in flight, if that is next.
    pub fn beside(flight: &Flight, parts: &mut Parts) -> Option<Self> {
        let ahead = flight.ahead.as_ref()?;
        let mut room = Room::whole();
        let works = parts.journal.take_beside(&mut room);
        let (looked_up, conflicts) = (LookedUp::behind(ahead), Conflicts::behind(ahead));
        (!works.is_empty()).then(|| Batch::of(works, Sort::Shared, room, looked_up, conflicts))
    }

    fn of(works: VecDeque<Work>, sort: Sort, room: Room, looked_up: LookedUp, conflicts: Conflicts) -> Self {
        Batch {
            tickets: works.iter().filter_map(Work::ticket).collect(),
            sort,
            room,
            works,
            put_off: Vec::new(),
            stage: Stage::Working,
            asked: LoadRequest::default(),
            looked_up,
            conflicts,
            again: Again::default(),
            enrolment: Enrolment::default(),
            delta: Delta::default(),
        }
    }

    pub fn tickets(self) -> Vec<Ticket> {
        self.tickets
    }

    /// Whether there is nothing but records that are held against their leaves, and nothing has come of it.
    pub fn only_checks(&self, parts: &Parts) -> bool {
        self.sort == Sort::Checks && !parts.records.has_touched()
    }

    /// Links brought leaves of these that were known, and what they are now is not durable.
    pub fn came_again(&mut self, link: LinkId, records: Vec<RecordId>) {
        self.delta.outcome.links.came_again.entry(link).or_default().extend(records);
    }

    /// Goes on as far as possible without the store. `is_beside`: a transaction is in flight.
    pub fn run(&mut self, parts: &mut Parts, now: Moment, is_beside: bool) -> Step {
        loop {
            let missing = match self.stage {
                Stage::Working => self.work(parts, now),
                Stage::Folding => {
                    reissuing::strand(parts, &mut self.delta, now);
                    folding::fold(parts, &mut self.looked_up, &mut self.delta, now);
                    LoadRequest::default()
                }
                Stage::Deriving => deriving::derive(parts, &self.looked_up, &mut self.conflicts, &mut self.delta),
                Stage::Done => return Step::Seal,
            };
            self.queue_what_follows(parts);
            if missing != LoadRequest::default() {
                self.asked = missing.clone();
                return Step::Load(Box::new(missing));
            }
            if matches!(self.stage, Stage::Working) && self.takes_more(parts, is_beside) {
                continue;
            }
            self.stage = match self.stage {
                // What has come by then shares the transaction.
                Stage::Working if is_beside && !self.room.is_full() => return Step::Wait,
                Stage::Working => Stage::Folding,
                Stage::Folding => Stage::Deriving,
                Stage::Deriving | Stage::Done => Stage::Done,
            };
        }
    }

    /// While a transaction is in flight, and once more when it is durable, a batch takes what has come meanwhile.
    fn takes_more(&mut self, parts: &mut Parts, is_beside: bool) -> bool {
        if self.room.is_full() || (is_beside && !parts.journal.queue.has_enough()) {
            return false;
        }
        let more = parts.journal.take_beside(&mut self.room);
        if !is_beside {
            self.room = Room::none();
        }
        self.tickets.extend(more.iter().filter_map(Work::ticket));
        self.works.extend(more);
        !self.works.is_empty()
    }

    /// It is done, and nothing is in flight: it gets its numbers, and its transaction is the store's.
    pub fn seal(self, parts: &mut Parts, now: Moment) -> (Flight, Box<Transaction>) {
        let Batch { tickets, put_off, sort, delta, .. } = self;
        let is_odd =
            |record: &RecordId| parts.health.damage.contains(*record) || parts.health.damage.is_uncounted(*record);
        let is_shared = sort == Sort::Shared
            && put_off.is_empty()
            && !delta.outcome.rolled_back
            && delta.transaction.dropped.is_empty()
            && !parts.records.before().keys().any(is_odd);
        let (transaction, outcome, head) = seal::seal(delta, parts, now);
        let growth = Growth::of(&transaction);
        let ahead = is_shared.then(|| Ahead::of(&transaction));
        (Flight { tickets, put_off, outcome, growth, head, at: now, ahead }, Box::new(transaction))
    }

    /// What the store answered to a load.
    pub fn loaded(&mut self, parts: &mut Parts, mut reply: LoadReply, now: Moment) {
        let asked = std::mem::take(&mut self.asked);
        self.again.loaded(&asked, &mut reply);
        parts.health.evidence.loaded(&asked, &mut reply);
        parts.health.quarantine.loaded(&asked, &mut reply);
        parts.journal.loaded(&asked, &mut reply);
        parts.records.note_absent(&asked.records);
        let is_settled = !matches!(self.stage, Stage::Working);
        for loaded in std::mem::take(&mut reply.records) {
            mending::read(loaded, is_settled, parts, &mut self.delta, now);
        }
        for (record, why) in std::mem::take(&mut reply.damaged) {
            mending::lose_row(record, None, &why, parts, &mut self.delta, now);
        }
        self.looked_up.loaded(&asked, &mut reply);
        self.conflicts.loaded(&asked, &mut reply);
        self.queue_what_follows(parts);
    }

    /// What is to be done after this batch waits with all else.
    fn queue_what_follows(&mut self, parts: &mut Parts) {
        self.delta.later.drain(..).for_each(|work| parts.journal.queue.push(work));
    }

    /// Does all work that can be done; what is missing to go on is returned.
    fn work(&mut self, parts: &mut Parts, now: Moment) -> LoadRequest {
        let missing = needs::needs(&self.works, &self.conflicts, parts);
        if missing != LoadRequest::default() {
            return missing;
        }
        while let Some(work) = self.works.pop_front() {
            let delta = &mut self.delta;
            match work {
                Work::Leaves(incoming) => {
                    let mut frames = vec![incoming];
                    while matches!(self.works.front(), Some(Work::Leaves(_)))
                        && let Some(Work::Leaves(incoming)) = self.works.pop_front()
                    {
                        frames.push(incoming);
                    }
                    leaves::take(frames, parts, delta, now);
                }
                Work::Statements { link, statements } => statements::take(link, statements, parts, delta, now),
                Work::LookThrough { record } => sealing::look_through(record, parts),
                Work::Erase { ticket, record, event } => statements::erase(ticket, record, event, parts, delta, now),
                Work::Reveal { ticket, record, event } => sealing::reveal(ticket, record, event, parts, delta, now),
                Work::Audit { ticket, event } => {
                    delta.audit(event, now.wall_ms);
                    delta.reply(ticket, Reply::Done(Done::default()));
                }
                Work::TellAuditHead => statements::tell_audit_head(parts, delta, now),
                Work::Extend { entries, by } => growing::extend(&entries, by, parts, &mut self.again, delta, now),
                Work::Join { asker, request } => growing::join(asker, request, &mut self.enrolment, parts, delta, now),
                Work::Draft { ticket, items, event } => {
                    growing::draft(ticket, &items, event, parts, &mut self.again, delta, now);
                }
                Work::FenceOf { ticket, node, nothing, excluded, event } => {
                    match growing::fence_of(node, nothing, excluded, parts) {
                        Ok(fence) => growing::draft(ticket, &[fence], event, parts, &mut self.again, delta, now),
                        Err(refusal) => delta.refuse(ticket, refusal),
                    }
                }
                Work::Reissue { record } => self.put_off.extend(reissuing::reissue(record, parts, delta, now)),
                Work::Stranded { ticket, leaf, action, event } => {
                    self.put_off.extend(reissuing::decide(ticket, leaf, action, event, parts, delta, now));
                }
                Work::Quarantine { ticket, id, action, event } => {
                    quarantine::decide(ticket, id, action, event, parts, delta, now);
                }
                Work::Foreign { ticket, seat, action, event } => {
                    foreign::decide(ticket, seat, action, event, parts, delta, now);
                }
                Work::Withdrawn { link, record } => leaving::withdrawn(link, record, parts, delta),
                Work::LetGo { record, proven } => leaving::let_go(record, proven, parts, delta, now),
                Work::Mend { record } => parts.records.rewrite(record),
                // It was held against its leaves as it was read; keys are given out at the end of each batch, and what is kept of
                // records is written with each.
                Work::Check { .. } | Work::KeepKeys | Work::KeepScopes => {}
                Work::Rename { wrong, own } => mending::rename(wrong, own, parts, delta),
                Work::Renew(incarnation) => leaving::renew(incarnation, parts, delta),
                Work::Execute(order) => {
                    let next = self.works.iter();
                    let next = next.filter_map(|work| if let Work::Execute(order) = work { Some(order) } else { None });
                    match commands::execute(&order, next, &mut self.looked_up, parts, delta, now) {
                        Executed::Answered => {}
                        Executed::Overtaken => self.put_off.push(Work::Execute(order)),
                        Executed::Lacks(missing) => {
                            self.works.push_front(Work::Execute(order));
                            return *missing;
                        }
                    }
                }
            }
        }
        growing::enter(&mut self.enrolment, parts, &mut self.again, &mut self.delta, now);
        self.again.judge(parts)
    }
}

impl Flight {
    pub fn tickets(self) -> Vec<Ticket> {
        self.tickets
    }

    /// Whether another batch may be worked on meanwhile.
    pub fn is_shared(&self) -> bool {
        self.ahead.is_some()
    }

    /// The transaction is durable: each part makes of it what it has to, and what there is to tell is handed out.
    pub fn applied(self, parts: &mut Parts, durable: &Durable) -> Outcome {
        let Flight { put_off, outcome, growth, head, at, .. } = self;
        if !put_off.is_empty() {
            parts.journal.renew();
            parts.journal.queue.put_back(put_off);
        }
        let stranded = parts.stranded.applied(durable);
        stranded.into_iter().for_each(|record| parts.journal.queue.push(Work::Reissue { record }));
        parts.journal.applied(growth, head, durable);
        for record in parts.health.patrol.checked() {
            if parts.records.get(record).is_some_and(Open::is_outdated) {
                // It was read when all was decided that this batch writes.
                parts.journal.queue.push(Work::Check { record: *record });
            } else {
                parts.unjudged.tried(record);
            }
        }
        for record in parts.applied(at, durable) {
            parts.health.damage.count_again(record);
            if parts.health.damage.regain_row(record) {
                // What else the store holds of it can be read now, with the row that it has.
                parts.records.close([&record]);
                parts.journal.queue.push(Work::Mend { record });
                // What the lost row counted for was perhaps never known.
                parts.scopes.recount.begin_again();
            }
        }
        outcome.publish(durable)
    }
}
