//! The engine of one node: it routes. Inputs go to the part or the link that they are for, what these ask for goes out as
//! effects, and what a batch has come to goes to whom it concerns once it is durable. It decides nothing but whose turn the
//! store is ([`turns`]).
//!
//! What it does for machines that want to join, and what it tells operators, is in `engine/`.
//!
//! One transaction is in flight at most, and one batch is worked on meanwhile ([`batch`](crate::batch)). Scans go with neither,
//! so what they find is what is durable. Links go on all the time: they read pages, send, and open what arrives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{ScanItem, StoreError};
use heliu_trust::commit::SignedCommit;
use heliu_trust::id::NodeId;

use crate::authority::{By, JoinAsker, Joins};
use crate::batch::{Batch, Flight, Step};
use crate::config::Config;
use crate::durable::Durable;
use crate::effect::{AuditEvent, Effect, Input, LinkId, Moment, Notice, Reply};
use crate::frame::RefuseCode;
use crate::intake::{Came, check_statements, open_leaves};
use crate::journal::{Incoming, Order, Work};
use crate::link::{Arrival, Comparison, Feed, Kinds, Link, Out, Shared};
use crate::parts::Parts;
use crate::start::Start;

mod alarms;
mod ids;
mod joining;
mod publishing;
mod scanning;
mod turns;
mod views;

use turns::{Store, Turns};

/// What the store said of a peer, kept until sums for its seat have been counted.
struct PeerKnown {
    cursor: Option<heliu_storage::Cursor>,
    last_commit: Option<Arc<SignedCommit>>,
    wants: BTreeSet<RecordId>,
}

pub struct Engine {
    config: Config,
    parts: Parts,
    /// Under work. Boxed, for it is large.
    batch: Option<Box<Batch>>,
    /// Its transaction is the store's.
    flight: Option<Box<Flight>>,
    links: BTreeMap<LinkId, Link>,
    turns: Turns,
    uncounted: BTreeMap<LinkId, PeerKnown>,
    /// Who has claimed what it could not show of this node's own commits, and when last.
    false_claims: BTreeMap<NodeId, u64>,
    /// Join requests that others have to enter.
    joins: Joins,
    /// Of the last input.
    now: Moment,
    life: Life,
}

/// Whether the engine takes anything more.
enum Life {
    Well,
    /// It takes nothing more as soon as the store has answered whatever it was asked: nothing is under way there when the next
    /// engine begins.
    Failing(StoreError),
    Failed(StoreError),
}

impl Engine {
    #[must_use]
    pub fn new(config: Config, start: Start) -> Self {
        Engine {
            parts: Parts::new(start, &config),
            config,
            batch: None,
            flight: None,
            links: BTreeMap::new(),
            turns: Turns::default(),
            uncounted: BTreeMap::new(),
            false_claims: BTreeMap::new(),
            joins: Joins::default(),
            now: Moment::default(),
            life: Life::Well,
        }
    }

    pub fn handle(&mut self, input: Input, now: Moment) -> Vec<Effect> {
        let mut out = Out::default();
        self.now = now;
        if let Some(error) = self.failed().cloned() {
            if let Some(ticket) = input.ticket() {
                out.effects.push(Effect::Reply { ticket, reply: Reply::StoreFailed(error) });
            }
            return out.effects;
        }
        self.take(input, now, &mut out);
        self.settle(now, &mut out);
        self.pass_up(now, &mut out);
        out.effects
    }

    fn take(&mut self, input: Input, now: Moment, out: &mut Out) {
        if self.flight.is_some() && self.batch.is_none() {
            // Freeing takes a while: it is done while the store is at work, and before what was read for a batch is used.
            self.parts.records.evict();
        }
        match input {
            Input::LinkUp { link, dialer, peer } => {
                let shared = shared(&self.parts, &self.config, None, None, now);
                let made = Link::new(link, dialer, peer, &shared, out);
                self.links.insert(link, made);
            }
            Input::LinkDown { link } => {
                self.links.remove(&link);
                self.uncounted.remove(&link);
                self.turns.link_down(link);
                self.parts.scopes.sums.forget(link);
                self.joins.link_down(link);
            }
            Input::Frame { link, frame } => {
                self.with(link, now, out, |link, shared, out| link.on_frame(frame, shared, out));
                self.learn_ids(link);
            }
            Input::Execute { ticket, request, is_guessable, trial, role, today, sight } => {
                self.execute(Order { ticket, request, trial, role, today, sight }, is_guessable, out);
            }
            Input::Erase { ticket, record, who, role, reason } => {
                let (action, subject) = ("record.erase".to_owned(), record.to_string());
                let event = AuditEvent { who, role, action, subject, detail: reason };
                self.submit(Work::Erase { ticket, record, event });
            }
            Input::Reveal { ticket, record, who, role, why } => {
                let (action, subject) = ("record.reveal".to_owned(), record.to_string());
                let event = AuditEvent { who, role, action, subject, detail: why };
                self.submit(Work::Reveal { ticket, record, event });
            }
            Input::Audit { ticket, event } => self.submit(Work::Audit { ticket, event }),
            Input::Granted { items } => self.looked_through(&items),
            Input::Looked { records, next } => {
                self.parts.health.patrol.looked(next);
                self.check(records);
            }
            Input::Suspect { records } => self.check(records),
            Input::Recounted(answer) => {
                self.turns.free();
                match answer {
                    Ok(page) => {
                        let differing = self.parts.recounted(&page).filter(|differing| *differing > 0);
                        out.effects.extend(differing.map(|scopes| Effect::Notice(Notice::SumsCorrected { scopes })));
                    }
                    Err(error) => self.fail_soon(error),
                }
            }
            // A store that cannot be read is one that has failed.
            Input::CannotRead(error) => self.fail_soon(error),
            Input::Extend { ticket, entries, event } => {
                self.submit(Work::Extend { entries, by: By::Ticket(ticket, event) });
            }
            Input::Join { ticket, request } => self.join(JoinAsker::Ticket(ticket), Box::new(request), now, out),
            Input::Draft { ticket, items, event } => self.submit(Work::Draft { ticket, items, event }),
            Input::FenceOf { ticket, node, nothing, excluded, event } => {
                self.submit(Work::FenceOf { ticket, node, nothing, excluded, event });
            }
            Input::Stranded { ticket, leaf, action, event } => {
                self.submit(Work::Stranded { ticket, leaf, action, event });
            }
            Input::Quarantine { ticket, id, action, event } => {
                self.submit(Work::Quarantine { ticket, id, action, event });
            }
            Input::Foreign { ticket, seat, action, event } => {
                self.submit(Work::Foreign { ticket, seat, action, event });
            }
            Input::Verify { link } => self.with(link, now, out, Link::verify),
            Input::Page { link, page } => {
                self.with(link, now, out, |link, shared, out| link.on_page(page, shared, out));
            }
            Input::Peer { link, cursor, last_commit, wants } => {
                self.peer_known(link, PeerKnown { cursor, last_commit, wants }, now, out);
            }
            Input::Scanned { link, items } => self.scanned(link, &items, now, out),
            Input::ReadFailed { link, error } => {
                self.turns.scan_failed(link);
                self.with(link, now, out, |link, _, out| link.refuse(RefuseCode::StoreFailed, error.to_string(), out));
            }
            Input::Loaded(answer) => {
                self.turns.free();
                match (answer, &mut self.batch) {
                    (Ok(reply), Some(batch)) => batch.loaded(&mut self.parts, reply, now),
                    (Ok(_), None) => {}
                    // There is no batch without what it needs.
                    (Err(error), _) => self.fail_soon(error),
                }
            }
            Input::Applied(answer) => {
                let flight = self.flight.take();
                match Durable::said(answer) {
                    Ok(durable) => self.applied(flight, &durable, now, out),
                    Err(error) => self.not_applied(flight, error, out),
                }
            }
            // The engine has its turn again.
            Input::GoOn => self.turns.go_on(),
            Input::Tick => {
                self.tick(now, out);
                // Once for each that waits, and not for each word of what is left out.
                self.turns.count_soon(self.parts.scopes.sums.uncounted());
                self.each(now, out, Link::on_tick);
                let said = self.joins.tick(now.tick_ms);
                self.say(said, now, out);
            }
        }
    }

    /// Goes on until there is nothing more to do without the shell.
    fn settle(&mut self, now: Moment, out: &mut Out) {
        loop {
            for arrival in std::mem::take(&mut out.arrivals) {
                self.arrived(arrival, now, out);
            }
            self.count_peers(now, out);
            if !out.arrivals.is_empty() {
                continue;
            }
            if self.drive(now, out) && out.arrivals.is_empty() {
                return;
            }
        }
    }

    /// Starts what is due on the store. Returns whether it has to wait, or has nothing to do.
    fn drive(&mut self, now: Moment, out: &mut Out) -> bool {
        if !self.turns.is_free() || !matches!(self.life, Life::Well) {
            self.fail_if_due(out);
            return true;
        }
        let Some(flight) = &self.flight else { return self.drive_alone(now, out) };
        if self.batch.is_none() && flight.is_shared() && self.turns.may_overlap() && self.uncounted.is_empty() {
            self.batch = Batch::beside(flight, &mut self.parts, self.config.leaves_enough).map(Box::new);
        }
        self.work(now, out)
    }

    /// As [`Engine::drive`], with nothing in flight.
    fn drive_alone(&mut self, now: Moment, out: &mut Out) -> bool {
        self.count(now, out);
        if let Some(link) = self.turns.next_scan(self.batch.is_some(), !self.parts.journal.queue.is_empty()) {
            return self.look(link, now, out);
        }
        if self.turns.next_recount(self.batch.is_some(), !self.parts.journal.queue.is_empty()) {
            let (after, rows) = self.parts.scopes.recount.begin_page(now);
            out.effects.push(Effect::Recount { after, rows });
            return true;
        }
        if self.batch.is_none() && self.parts.journal.queue.is_empty() {
            out.effects.extend(self.parts.keys.next_page().map(|after| Effect::ReadGranted { after }));
            return true;
        }
        self.batch.get_or_insert_with(|| Box::new(Batch::begin(&mut self.parts)));
        self.work(now, out)
    }

    fn work(&mut self, now: Moment, out: &mut Out) -> bool {
        let is_beside = self.flight.is_some();
        let Some(batch) = &mut self.batch else { return true };
        match batch.run(&mut self.parts, now, is_beside) {
            Step::Wait => true,
            Step::Load(request) => {
                self.turns.take(Store::Loading);
                out.effects.push(Effect::Load(*request));
                true
            }
            Step::Seal if is_beside => true,
            Step::Seal => {
                let Some(batch) = self.batch.take() else { return true };
                let (flight, transaction) = batch.seal(&mut self.parts, now);
                if let Some(durable) = Durable::already(&transaction) {
                    self.applied(Some(Box::new(flight)), &durable, now, out);
                    return false;
                }
                out.effects.push(Effect::Apply(transaction));
                if flight.is_shared() {
                    // The store is at work before the engine is again, which may take as long.
                    out.effects.push(Effect::GoOn);
                }
                self.flight = Some(Box::new(flight));
                true
            }
        }
    }

    /// What is due by the clock.
    fn tick(&mut self, now: Moment, out: &mut Out) {
        let is_enrolled = self.parts.authority.directory().node(self.parts.own.node).is_some();
        if is_enrolled && self.parts.audit.take_turn_to_tell(now) {
            self.submit(Work::TellAuditHead);
        }
        if self.parts.scopes.recount.is_due(now) {
            self.turns.recount_soon();
        }
        self.wait_for_ids();
        // What was looked at before comes first.
        if !self.parts.journal.queue.has_checks() {
            out.effects.extend(self.parts.health.patrol.next(now).map(|after| Effect::Look { after }));
        }
    }

    fn submit(&mut self, work: Work) {
        self.parts.journal.queue.push(work);
    }

    /// Records that are to be held against their leaves, because it is their turn or because somebody found them damaged.
    fn check(&mut self, records: Vec<RecordId>) {
        records.into_iter().for_each(|record| self.submit(Work::Check { record }));
    }

    /// A page of records with grants.
    fn looked_through(&mut self, items: &[ScanItem]) {
        let Parts { keys, own, authority, .. } = &mut self.parts;
        let found = keys.page(items, own.seat, authority.seats());
        found.into_iter().for_each(|record| self.submit(Work::LookThrough { record }));
    }

    fn arrived(&mut self, arrival: Arrival, now: Moment, out: &mut Out) {
        match arrival {
            Arrival::Directory { link, entries } => {
                self.submit(Work::Extend { entries, by: By::Link(link) });
            }
            Arrival::Join { link, request } => self.join(JoinAsker::Link(link), request, now, out),
            Arrival::JoinRefused { link, refusal } => {
                let said = self.joins.refused(link, &refusal);
                self.say(said, now, out);
            }
            Arrival::Compare { link } => self.turns.scan_soon(link),
            Arrival::Withdrawn { link, record } => self.submit(Work::Withdrawn { link, record }),
            Arrival::Proven { record, held } => self.submit(Work::LetGo { record, proven: held }),
            Arrival::RolledBack => self.parts.journal.renew_soon(),
            Arrival::Outside { link, outside } => {
                if let Some(seat) = self.links.get(&link).and_then(Link::peer_seat) {
                    self.parts.scopes.sums.change_apart(link, seat, outside);
                }
            }
            Arrival::FalseClaim { peer } => {
                self.false_claims.insert(peer, now.tick_ms);
            }
            Arrival::Statements { link, statements } => {
                let (here, directory) = (&self.parts.statements, self.parts.directory());
                let (statements, notice) =
                    check_statements(link, &statements, here, directory, &*self.parts.own.verifier);
                out.effects.extend(notice.map(Effect::Notice));
                self.submit(Work::Statements { link, statements });
            }
            Arrival::Leaves { link, from, sequence, delivery, cursor } => {
                let brings = self.links.get(&link);
                let vouches = |kind: &str, version, tagged| brings.and_then(|link| link.vouches(kind, version, tagged));
                let came = Came { link, from, sequence, delivery: &delivery };
                match open_leaves(&came, vouches, self.parts.directory(), &*self.parts.own.verifier, now) {
                    Some(incoming) => self.submit(Work::Leaves(Incoming { cursor, ..incoming })),
                    None => self.with(link, now, out, |link, shared, out| {
                        if shared.fork.is_some() {
                            return link.refuse_fork(out);
                        }
                        let reason = "a commit cites a directory version that is not here yet: directory first";
                        link.refuse(RefuseCode::Protocol, reason.to_owned(), out);
                    }),
                }
            }
        }
    }

    fn with(&mut self, id: LinkId, now: Moment, out: &mut Out, act: impl FnOnce(&mut Link, &Shared<'_>, &mut Out)) {
        if let Some(link) = self.links.get_mut(&id) {
            let shared = shared(&self.parts, &self.config, Some(id), link.peer_seat(), now);
            act(link, &shared, out);
        }
    }

    fn each(&mut self, now: Moment, out: &mut Out, mut act: impl FnMut(&mut Link, &Shared<'_>, &mut Out)) {
        let links: BTreeSet<LinkId> = self.links.keys().copied().collect();
        for link in links {
            self.with(link, now, out, &mut act);
        }
    }
}

fn shared<'a>(
    parts: &'a Parts,
    config: &'a Config,
    link: Option<LinkId>,
    peer: Option<SeatId>,
    now: Moment,
) -> Shared<'a> {
    let meta = parts.journal.meta();
    let feed = Feed { meta, tail: parts.journal.tail(), last_commit: parts.journal.writer.durable() };
    Shared {
        own: &parts.own,
        program: &config.program,
        kinds: Kinds { digests: config.catalogue.digests(), is_judged: parts.unjudged.untried().is_empty() },
        feed,
        directory: parts.directory(),
        fork: parts.authority.fork(),
        compared: Comparison {
            sums: parts.scopes.sums.between(link, peer),
            apart: link.and_then(|link| parts.scopes.sums.apart(link)),
            kept: &parts.scopes.kept,
        },
        foreign: &parts.scopes.foreign,
        statements: &parts.statements,
        leaving: parts.leaving.hidden(),
        now,
    }
}
