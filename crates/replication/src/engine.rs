//! The engine of one node: it routes. Inputs go to the part or the link that they are for, what these ask for goes out as
//! effects, and what a batch has come to goes to whom it concerns once it is durable. It decides nothing but whose turn the
//! store is ([`turns`]).
//!
//! What it does for machines that want to join, and what it tells operators, is in `engine/`.
//!
//! At most one load, scan or apply is under way at a time, so what a batch sees is what is durable. Links go on
//! meanwhile: they read pages, send, and open what arrives, so signatures are checked while the disk works.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{ScanItem, StoreError};
use heliu_trust::commit::SignedCommit;
use heliu_trust::id::NodeId;

use crate::authority::{By, JoinAsker, Joins};
use crate::batch::{Batch, Step};
use crate::config::Config;
use crate::durable::Durable;
use crate::effect::{AuditEvent, Effect, Input, LinkId, Moment, Notice, Reply};
use crate::frame::RefuseCode;
use crate::intake::{Came, check_statements, open_leaves};
use crate::journal::{Incoming, Order, Work};
use crate::link::{Arrival, Feed, Kinds, Link, Out, Shared};
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
    /// Boxed, for it is large.
    batch: Option<Box<Batch>>,
    links: BTreeMap<LinkId, Link>,
    turns: Turns,
    uncounted: BTreeMap<LinkId, PeerKnown>,
    /// Who has claimed what it could not show of this node's own commits, and when last.
    false_claims: BTreeMap<NodeId, u64>,
    /// Join requests that others have to enter.
    joins: Joins,
    /// Of the last input.
    now: Moment,
    failed: Option<StoreError>,
}

impl Engine {
    #[must_use]
    pub fn new(config: Config, start: Start) -> Self {
        Engine {
            parts: Parts::new(start, &config),
            config,
            batch: None,
            links: BTreeMap::new(),
            turns: Turns::default(),
            uncounted: BTreeMap::new(),
            false_claims: BTreeMap::new(),
            joins: Joins::default(),
            now: Moment::default(),
            failed: None,
        }
    }

    pub fn handle(&mut self, input: Input, now: Moment) -> Vec<Effect> {
        let mut out = Out::default();
        self.now = now;
        if let Some(error) = self.failed.clone() {
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
        if self.turns.is_applying() {
            // Freeing takes a while: it is done while the store is at work.
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
            Input::Execute { ticket, request, is_guessable, role, today, sight } => {
                self.execute(Order { ticket, request, role, today, sight }, is_guessable, out);
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
            Input::Recounted { page } => {
                self.turns.free();
                let differing = self.parts.recounted(&page).filter(|differing| *differing > 0);
                out.effects.extend(differing.map(|scopes| Effect::Notice(Notice::SumsCorrected { scopes })));
            }
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
            Input::Loaded(reply) => {
                self.turns.free();
                if let Some(batch) = &mut self.batch {
                    batch.loaded(&mut self.parts, reply, now);
                }
            }
            Input::Applied(answer) => match Durable::said(answer) {
                Ok(durable) => self.applied(&durable, now, out),
                Err(error) => self.fail(error, out),
            },
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
            self.collect_scans(out);
            if self.drive(now, out) && out.arrivals.is_empty() {
                return;
            }
        }
    }

    /// Starts what is due on the store. Returns whether it has to wait, or has nothing to do.
    fn drive(&mut self, now: Moment, out: &mut Out) -> bool {
        if !self.turns.is_free() || self.failed.is_some() {
            return true;
        }
        self.count(now, out);
        if let Some(link) = self.turns.next_scan(self.batch.is_some(), !self.parts.journal.queue.is_empty()) {
            out.effects.push(Effect::Scan { link });
            return true;
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
        let batch = self.batch.get_or_insert_with(|| Box::new(Batch::begin(&mut self.parts)));
        match batch.run(&mut self.parts, now) {
            Step::Wait => true,
            Step::Load(request) => {
                self.turns.take(Store::Loading);
                out.effects.push(Effect::Load(*request));
                true
            }
            Step::Apply(transaction) => {
                if let Some(durable) = Durable::already(&transaction) {
                    self.applied(&durable, now, out);
                    return false;
                }
                self.turns.take(Store::Applying);
                out.effects.push(Effect::Apply(transaction));
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
        sums: parts.scopes.sums.between(link, peer),
        apart: link.and_then(|link| parts.scopes.sums.apart(link)),
        foreign: &parts.scopes.foreign,
        statements: &parts.statements,
        leaving: parts.leaving.hidden(),
        now,
    }
}
