//! A link's reconciliation: where there is no valid cursor, or a checkpoint found a difference. The dialling end asks,
//! the other answers. Scopes are compared first, from what is kept of each; then the records of those that differ, which alone
//! are read. Both push what the other lacks. When an end has pushed everything, it says the position at which it began, and
//! the walk along the feed goes on from there.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::hash::Sum;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_storage::{Position, ScanItem, Standing, Tally};

use super::line::{Arrival, Line, Out, Shared, breach};
use crate::frame::{Compared, Frame, Range, RangeContent, Reconcile, Refuse, Turn};
use crate::reconcile::{Items, are_in_order, scope_digest, scope_id};

/// Looks at what is here that one link may cause in so many ticks. Some read rows of the store, and cost the other end one small
/// frame; an honest one waits longer and longer.
const LOOKS: u32 = 16;
const LOOKS_TICKS: u32 = 16;

#[derive(Default)]
pub(super) struct Reconciling {
    stage: Stage,
    /// Records for which our list is out and theirs is not in.
    compared: BTreeSet<RecordId>,
    finished: u64,
    /// The last one compared scopes and found nothing.
    found_nothing: bool,
    /// And the sums of the link differ all the same: in the next all records are compared.
    doubts_scopes: bool,
    /// In the current interval, and how much of it is over.
    looks: u32,
    ticks: u32,
}

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    /// The dialling end has been asked to begin.
    Requested,
    Looking(Look),
    /// As [`Stage::Looking`], when there have been too many looks: the next interval begins with it.
    Waiting(Look),
    Talking(Session),
}

/// What is compared next is looked up.
struct Look {
    wanted: Wanted,
    /// At the answering end the first question about it waits; there is no second before it is answered.
    question: Option<Reconcile>,
    /// The head when the reconciliation began; none if it begins with this.
    since: Option<Position>,
}

/// What a link has to know of all that is here, at a moment when nothing is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What each scope comes to.
    Scopes,
    /// The rows of these scopes; none: all rows.
    Rows(Option<BTreeSet<Scope>>),
}

struct Session {
    about: About,
    items: Items,
    /// The head when the reconciliation began.
    at: Position,
    questions: Questions,
    pushed: u64,
    differing: u64,
}

/// What a session compares.
enum About {
    Scopes(Scopes),
    /// Of scopes that differ, or all.
    Records {
        is_all: bool,
    },
}

/// What is known of scopes.
struct Scopes {
    /// What is here, by what stands for it.
    here: BTreeMap<RecordId, Scope>,
    /// Those that the other end has otherwise, or not.
    differing: BTreeSet<Scope>,
    /// The other end has said that something differs, perhaps nothing that is here.
    is_told: bool,
}

impl About {
    fn compared(&self) -> Compared {
        match self {
            About::Scopes(_) => Compared::Scopes,
            About::Records { .. } => Compared::Records,
        }
    }
}

/// Those of the dialling end.
#[derive(Clone, Copy)]
enum Questions {
    /// So many are not answered to the end, as the dialling end counts them. With none, it will say so once its lists are out.
    Open(usize),
    /// There are no more: the dialling end has said so, and the other has heard it.
    Over,
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
    /// Nothing before this end has looked; whether it looks, or will look, because of this.
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

    /// The sums of the link differ.
    pub fn sums_differ(&mut self) {
        self.doubts_scopes = self.found_nothing;
    }

    /// Begins a reconciliation, or asks the other end to begin one. Returns whether this end looks, or will look.
    pub fn begin(&mut self, line: &Line, out: &mut Out) -> bool {
        if self.is_going_on() {
            return false;
        }
        if line.dialer {
            let wanted = if self.doubts_scopes { Wanted::Rows(None) } else { Wanted::Scopes };
            self.look(Look { wanted, question: None, since: None }, line, out);
        } else {
            self.stage = Stage::Requested;
            say(Turn::Begin, Compared::Scopes, Vec::new(), line, out);
        }
        line.dialer
    }

    fn look(&mut self, look: Look, line: &Line, out: &mut Out) {
        if self.looks >= LOOKS {
            self.stage = Stage::Waiting(look);
            return;
        }
        self.looks += 1;
        self.stage = Stage::Looking(look);
        out.arrivals.push(Arrival::Compare { link: line.id });
    }

    /// Once per tick: a look that had to wait may be due. Returns whether it is.
    pub fn tick(&mut self, line: &Line, out: &mut Out) -> bool {
        self.ticks += 1;
        if self.ticks < LOOKS_TICKS {
            return false;
        }
        (self.looks, self.ticks) = (0, 0);
        match std::mem::take(&mut self.stage) {
            Stage::Waiting(look) => {
                self.look(look, line, out);
                true
            }
            other => {
                self.stage = other;
                false
            }
        }
    }

    /// What it has to know next, if it waits for that.
    pub fn wanted(&self) -> Option<&Wanted> {
        if let Stage::Looking(look) = &self.stage { Some(&look.wanted) } else { None }
    }

    /// Whether a reconciliation begins with what is looked up now.
    pub fn is_beginning(&self) -> bool {
        matches!(&self.stage, Stage::Looking(Look { since: None, .. }))
    }

    /// What each scope comes to here. None: that was for somebody else.
    pub fn scopes<'a>(
        &mut self,
        all: impl Iterator<Item = (&'a Scope, &'a Tally)>,
        line: &Line,
        shared: &Shared<'_>,
        out: &mut Out,
    ) -> Option<Result<Found, Refuse>> {
        let peer = line.peer.as_ref().filter(|_| self.wanted() == Some(&Wanted::Scopes))?.seat;
        let (own, seats) = (shared.own.seat, shared.directory.seats());
        let is_shared = |scope: &Scope, tally: &Tally| tally.records > 0 && is_between(scope, peer, own, seats);
        let mut of = BTreeMap::new();
        let mut here = BTreeMap::new();
        for (scope, tally) in all.filter(|(scope, tally)| is_shared(scope, tally)) {
            of.insert(scope_id(scope), scope_digest(tally));
            here.insert(scope_id(scope), scope.clone());
        }
        let about = About::Scopes(Scopes { here, differing: BTreeSet::new(), is_told: false });
        self.talk(about, of.into_iter().collect(), line, shared, out)
    }

    /// Rows of the store, among them all that are wanted. None: that was for somebody else.
    pub fn scanned(
        &mut self,
        items: &[ScanItem],
        line: &Line,
        shared: &Shared<'_>,
        out: &mut Out,
    ) -> Option<Result<Found, Refuse>> {
        let peer = line.peer.as_ref()?.seat;
        let (own, seats) = (shared.own.seat, shared.directory.seats());
        let items = items.iter().filter(|item| item.standing == Standing::Present && !shared.is_left_out(&item.id));
        let scopes = match self.wanted()? {
            Wanted::Scopes => {
                let mut all: BTreeMap<&Scope, Tally> = BTreeMap::new();
                items.for_each(|item| all.entry(&item.scope).or_default().add(&item.into()));
                return self.scopes(all.iter().map(|(scope, tally)| (*scope, tally)), line, shared, out);
            }
            Wanted::Rows(scopes) => scopes,
        };
        let is_wanted = |scope: &Scope| scopes.as_ref().is_none_or(|scopes| scopes.contains(scope));
        let items = items.filter(|item| is_wanted(&item.scope) && is_between(&item.scope, peer, own, seats));
        let items = items.map(|item| (item.id, item.held)).collect();
        let about = About::Records { is_all: scopes.is_none() };
        self.talk(about, items, line, shared, out)
    }

    /// The session about what was looked up: with its first question, or with the answer to the one that waits.
    fn talk(
        &mut self,
        about: About,
        items: Vec<(RecordId, Sum)>,
        line: &Line,
        shared: &Shared<'_>,
        out: &mut Out,
    ) -> Option<Result<Found, Refuse>> {
        let Stage::Looking(Look { question, since, .. }) = std::mem::take(&mut self.stage) else { return None };
        let items = Items::new(items);
        if line.dialer {
            say(Turn::Question, about.compared(), vec![items.whole()], line, out);
        }
        let (at, questions) = (since.unwrap_or(shared.head()), Questions::Open(usize::from(line.dialer)));
        self.stage = Stage::Talking(Session { about, items, at, questions, pushed: 0, differing: 0 });
        Some(question.map_or_else(|| Ok(Found::default()), |question| self.answer(&question, line, out)))
    }

    pub fn hear(&mut self, message: Reconcile, line: &Line, out: &mut Out) -> Result<Turned, Refuse> {
        if !are_in_order(&message.ranges) {
            return Err(breach("ranges came that are not in order"));
        }
        let out_of_turn = || Err(breach("a reconcile frame came out of turn"));
        let compared = message.compared;
        match (message.turn, &mut self.stage) {
            // What has begun already does not have to begin.
            (Turn::Begin, _) if line.dialer => return Ok(Turned::Begun(self.begin(line, out))),
            (Turn::Question, Stage::Idle | Stage::Requested) if !line.dialer => {
                let wanted = match compared {
                    Compared::Scopes => Wanted::Scopes,
                    Compared::Records => Wanted::Rows(None),
                };
                self.look(Look { wanted, question: Some(message), since: None }, line, out);
                return Ok(Turned::Begun(true));
            }
            (Turn::Question, Stage::Talking(session)) if !line.dialer && !session.is_over() => {
                match (&mut session.about, compared) {
                    (About::Scopes(scopes), Compared::Records) => {
                        let wanted = Wanted::Rows(Some(std::mem::take(&mut scopes.differing)));
                        let look = Look { wanted, question: Some(message), since: Some(session.at) };
                        self.look(look, line, out);
                        return Ok(Turned::Begun(true));
                    }
                    (about, compared) if about.compared() != compared => return out_of_turn(),
                    _ => {}
                }
            }
            (turn @ (Turn::Part | Turn::Answer), Stage::Talking(session)) if line.dialer => {
                match &mut session.questions {
                    Questions::Open(open @ 1..) if session.about.compared() == compared => {
                        *open -= usize::from(turn == Turn::Answer);
                    }
                    _ => return out_of_turn(),
                }
            }
            (Turn::Done, Stage::Talking(session)) if !line.dialer && !session.is_over() => {
                session.questions = Questions::Over;
                return Ok(Turned::Found(Found::default()));
            }
            _ => return out_of_turn(),
        }
        self.answer(&message, line, out).map(Turned::Found)
    }

    /// Does what follows from ranges of the other end: compares, and answers or asks in turn.
    fn answer(&mut self, message: &Reconcile, line: &Line, out: &mut Out) -> Result<Found, Refuse> {
        let Stage::Talking(session) = &mut self.stage else { return Ok(Found::default()) };
        let (mut reply, mut found) = (Vec::new(), Found::default());
        match &mut session.about {
            About::Scopes(scopes) => {
                for range in &message.ranges {
                    reply.extend(scopes.compare(&session.items, range));
                }
            }
            About::Records { .. } => {
                let mut lacking = Vec::new();
                for range in &message.ranges {
                    let answer = session.items.answer(range);
                    reply.extend(answer.reply);
                    lacking.extend(answer.push);
                    found.differing.extend(answer.differ);
                }
                session.differing += found.differing.len() as u64;
                session.pushed += lacking.len() as u64;
                self.compared.extend(&found.differing);
                if session.pushed + session.differing > session.items.len() {
                    return Err(breach("records were asked for again and again in one reconciliation"));
                }
                found.lacking = Some(lacking);
            }
        }
        let compared = session.about.compared();
        let mut frames = Reconcile::cut(reply);
        if let (true, Questions::Open(open)) = (line.dialer, &mut session.questions) {
            *open += frames.len();
            frames.into_iter().for_each(|ranges| say(Turn::Question, compared, ranges, line, out));
        } else {
            let last = frames.pop().unwrap_or_default();
            frames.into_iter().for_each(|ranges| say(Turn::Part, compared, ranges, line, out));
            say(Turn::Answer, compared, last, line, out);
        }
        Ok(found)
    }

    /// Called when nothing is left to send but the walk: goes on with the records of scopes that differ, says `done`, or that it
    /// is over.
    pub fn finish(&mut self, has_pushed: bool, line: &Line, out: &mut Out) -> Option<Finished> {
        let Stage::Talking(session) = &mut self.stage else { return None };
        if let (true, Questions::Open(0)) = (line.dialer, session.questions) {
            if let About::Scopes(Scopes { differing, is_told: true, .. }) = &mut session.about {
                let wanted = Wanted::Rows(Some(std::mem::take(differing)));
                let look = Look { wanted, question: None, since: Some(session.at) };
                self.look(look, line, out);
                return None;
            }
            session.questions = Questions::Over;
            say(Turn::Done, session.about.compared(), Vec::new(), line, out);
        }
        if !session.is_over() || !self.compared.is_empty() || !has_pushed {
            return None;
        }
        let (at, pushed, differing) = (session.at, session.pushed, session.differing);
        let was_all = matches!(session.about, About::Records { is_all: true });
        (self.found_nothing, self.doubts_scopes) = (pushed + differing == 0 && !was_all, false);
        self.stage = Stage::Idle;
        self.finished += 1;
        Some(Finished { at, pushed, differing })
    }
}

impl Session {
    fn is_over(&self) -> bool {
        matches!(self.questions, Questions::Over)
    }
}

impl Scopes {
    /// What is to be said to a range of the other end.
    fn compare(&mut self, items: &Items, range: &Range) -> Vec<Range> {
        let answer = items.answer_of_scopes(range);
        // The other end lists what it has where the sums differ, and nowhere else.
        self.is_told |= !matches!(range.content, RangeContent::Fingerprint { .. });
        let differing = answer.push.iter().chain(&answer.differ);
        self.differing.extend(differing.filter_map(|id| self.here.get(id)).cloned());
        answer.reply
    }
}

/// Whether records of a scope are for both ends.
fn is_between(scope: &Scope, peer: SeatId, own: SeatId, seats: &Seats) -> bool {
    scope.has_audience(peer, seats) && scope.has_audience(own, seats)
}

fn say(turn: Turn, compared: Compared, ranges: Vec<Range>, line: &Line, out: &mut Out) {
    line.send(Frame::Reconcile(Reconcile { turn, compared, ranges }), out);
}
