//! The engine of one node: its links and its records, wired together. It decides; the shell carries out.
//!
//! What it does for machines that want to join, and what it tells operators, is in `engine/`.
//!
//! At most one load, scan or apply is under way at a time, so what a batch sees is what is durable. Links go on
//! meanwhile: they read pages, send, and open what arrives, so signatures are checked while the disk works.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::id::{RecordId, SeatId};
use heliu_storage::{Position, ScanItem, StoreError};
use heliu_trust::commit::SignedCommit;
use heliu_trust::id::NodeId;

use crate::effect::{AuditEvent, Effect, Input, LinkId, Moment, Notice, Reply};
use crate::frame::RefuseCode;
use crate::link::{Arrival, Link, Out, Parted, Shared};
use crate::replica::{By, Incoming, JoinAsker, Joins, Order, Outcome, Replica, Step, Work};
use crate::start::Start;

mod alarms;
mod config;
mod joining;
mod opening;
mod views;

pub use config::{Config, FOREIGN_MAX};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Busy {
    No,
    Loading,
    Applying,
    Scanning(LinkId),
}

/// What the store said of a peer, kept until sums for its seat have been counted.
struct PeerKnown {
    cursor: Option<heliu_storage::Cursor>,
    last_commit: Option<Arc<SignedCommit>>,
    wants: BTreeSet<RecordId>,
}

pub struct Engine {
    config: Config,
    replica: Replica,
    links: BTreeMap<LinkId, Link>,
    busy: Busy,
    /// Links that wait for a scan.
    scans: BTreeSet<LinkId>,
    /// Links whose other end has left something out that is not counted yet.
    counts: BTreeSet<LinkId>,
    /// A scan was the last thing done: work on the records comes first now.
    has_scanned: bool,
    uncounted: BTreeMap<LinkId, PeerKnown>,
    renewing: bool,
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
        let replica = Replica::new(start, &config);
        Engine {
            config,
            replica,
            links: BTreeMap::new(),
            busy: Busy::No,
            scans: BTreeSet::new(),
            counts: BTreeSet::new(),
            has_scanned: false,
            uncounted: BTreeMap::new(),
            renewing: false,
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
        if self.busy == Busy::Applying {
            // Freeing takes a while: it is done while the store is at work.
            self.replica.evict();
        }
        match input {
            Input::LinkUp { link, dialer, peer } => {
                let shared = shared(&self.replica, &self.config, None, None, now);
                let made = Link::new(link, dialer, peer, &shared, out);
                self.links.insert(link, made);
            }
            Input::LinkDown { link } => {
                self.links.remove(&link);
                self.uncounted.remove(&link);
                self.scans.remove(&link);
                self.counts.remove(&link);
                self.replica.sums.forget(link);
                self.joins.link_down(link);
            }
            Input::Frame { link, frame } => {
                self.with(link, now, out, |link, shared, out| link.on_frame(frame, shared, out));
            }
            Input::Execute { ticket, request, role, today, sight } => {
                self.replica.submit(Work::Execute(Order { ticket, request, role, today, sight }));
            }
            Input::Erase { ticket, record, who, role, reason } => {
                let (action, subject) = ("record.erase".to_owned(), record.to_string());
                let event = AuditEvent { who, role, action, subject, detail: reason };
                self.replica.submit(Work::Erase { ticket, record, event });
            }
            Input::Reveal { ticket, record, who, role, why } => {
                let (action, subject) = ("record.reveal".to_owned(), record.to_string());
                let event = AuditEvent { who, role, action, subject, detail: why };
                self.replica.submit(Work::Reveal { ticket, record, event });
            }
            Input::Audit { ticket, event } => self.replica.submit(Work::Audit { ticket, event }),
            Input::Swept { items } => self.replica.swept(&items),
            Input::Looked { records, next } => self.replica.looked(records, next),
            Input::Suspect { records } => self.replica.check(records),
            Input::Extend { ticket, entries, event } => {
                self.replica.submit(Work::Extend { entries, by: By::Ticket(ticket, event) });
            }
            Input::Join { ticket, request } => self.join(JoinAsker::Ticket(ticket), Box::new(request), now, out),
            Input::Draft { ticket, items, event } => self.replica.submit(Work::Draft { ticket, items, event }),
            Input::FenceOf { ticket, node, nothing, excluded, event } => {
                self.replica.submit(Work::FenceOf { ticket, node, nothing, excluded, event });
            }
            Input::Stranded { ticket, leaf, action, event } => {
                self.replica.submit(Work::Stranded { ticket, leaf, action, event });
            }
            Input::Quarantine { ticket, id, action, event } => {
                self.replica.submit(Work::Quarantine { ticket, id, action, event });
            }
            Input::Foreign { ticket, seat, action, event } => {
                self.replica.submit(Work::Foreign { ticket, seat, action, event });
            }
            Input::Verify { link } => self.with(link, now, out, super::link::Link::verify),
            Input::Page { link, page } => {
                self.with(link, now, out, |link, shared, out| link.on_page(page, shared, out));
            }
            Input::Peer { link, cursor, last_commit, wants } => {
                self.peer_known(link, PeerKnown { cursor, last_commit, wants }, now, out);
            }
            Input::Scanned { link, items } => self.scanned(link, &items, now, out),
            Input::ReadFailed { link, error } => {
                if self.busy == Busy::Scanning(link) {
                    self.busy = Busy::No;
                }
                self.with(link, now, out, |link, _, out| link.refuse(RefuseCode::StoreFailed, error.to_string(), out));
            }
            Input::Loaded(reply) => {
                self.busy = Busy::No;
                self.replica.loaded(reply, now);
            }
            Input::Applied(Ok(())) => self.applied(now, out),
            Input::Applied(Err(error)) => self.fail(error, out),
            Input::Tick => {
                self.replica.tick(now);
                out.effects.extend(self.replica.next_look(now));
                // Once for each that waits, and not for each word of what is left out.
                self.counts.extend(self.replica.sums.uncounted());
                self.each(now, out, super::link::Link::on_tick);
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
            self.collect_scans(out);
            if self.drive(now, out) && out.arrivals.is_empty() {
                return;
            }
        }
    }

    /// Starts what is due on the store. Returns whether it has to wait, or has nothing to do.
    fn drive(&mut self, now: Moment, out: &mut Out) -> bool {
        if self.busy != Busy::No || self.failed.is_some() {
            return true;
        }
        self.count(now, out);
        let is_its_turn = !self.has_scanned || !self.replica.has_queued();
        if is_its_turn
            && !self.replica.has_batch()
            && let Some(link) = self.scans.pop_first()
        {
            self.busy = Busy::Scanning(link);
            self.has_scanned = true;
            out.effects.push(Effect::Scan { link });
            return true;
        }
        match self.replica.step(now) {
            Step::Idle => {
                out.effects.extend(self.replica.next_sweep());
                true
            }
            Step::Load(request) => {
                self.busy = Busy::Loading;
                out.effects.push(Effect::Load(request));
                true
            }
            Step::Apply(transaction) if transaction.is_empty() => {
                self.applied(now, out);
                false
            }
            Step::Apply(transaction) => {
                self.busy = Busy::Applying;
                out.effects.push(Effect::Apply(transaction));
                true
            }
        }
    }

    /// Counts what the other ends of links have left out, and lets those wait for a scan of which that does not count all.
    fn count(&mut self, now: Moment, out: &mut Out) {
        if self.replica.has_batch() {
            return;
        }
        while let Some(link) = self.counts.pop_first() {
            if self.replica.count_open(link) {
                self.scans.insert(link);
            } else {
                self.with(link, now, out, super::link::Link::on_appended);
            }
        }
    }

    fn applied(&mut self, now: Moment, out: &mut Out) {
        self.busy = Busy::No;
        self.has_scanned = false;
        let Outcome {
            replies,
            ingested,
            wants,
            came_again,
            directory_grew,
            replaced_from,
            forked,
            extended,
            join_refused,
            pass_up,
            stated,
            heard,
            rolled_back,
            notices,
        } = self.replica.applied();
        out.effects.extend(notices.into_iter().map(Effect::Notice));
        out.effects.extend(replies.into_iter().map(|(ticket, reply)| Effect::Reply { ticket, reply }));
        for (link, sequence, refused) in ingested {
            self.with(link, now, out, |link, shared, out| link.ingested(sequence, refused, shared, out));
        }
        for (link, records) in wants {
            self.with(link, now, out, |link, shared, out| link.want(records.into_iter().collect(), shared, out));
        }
        for (link, records) in came_again {
            self.came_again(link, &records, now, out);
        }
        if directory_grew {
            self.replica.directory_grew();
            self.each(now, out, |link, shared, out| link.on_directory_grown(replaced_from, shared, out));
            let said = self.joins.settled(self.replica.directory());
            self.say(said, now, out);
        }
        for (link, result) in extended {
            self.with(link, now, out, |link, shared, out| link.extended(result, shared, out));
        }
        for link in heard {
            self.with(link, now, out, |link, _, _| link.heard_statements());
        }
        if !stated.is_empty() {
            self.each(now, out, |link, shared, out| link.on_stated(&stated, shared, out));
        }
        if let Some(other) = forked {
            self.each(now, out, |link, _, out| link.show_fork(&other, out));
        }
        self.say(join_refused.into_iter().map(|(asker, refusal)| (asker, Some(refusal))).collect(), now, out);
        for (asker, request) in pass_up {
            let node = request.node(self.replica.verifier.scheme());
            let said = self.joins.add(asker, &request, node, now.tick_ms);
            self.say(said, now, out);
        }
        self.renewing = false;
        if rolled_back {
            out.arrivals.push(Arrival::RolledBack);
        }
        self.each(now, out, super::link::Link::on_appended);
        let walked = self.links.values().filter_map(Link::walked).min();
        self.replica.tail.trim(walked.unwrap_or(Position::MAX));
    }

    /// A link brought leaves that are known here. If one of its ends is no longer in the audience of their record, the
    /// other end has missed that: it is sent what says so.
    fn came_again(&mut self, link: LinkId, records: &BTreeSet<RecordId>, now: Moment, out: &mut Out) {
        let Some(seat) = self.links.get(&link).and_then(Link::peer_seat) else { return };
        for record in records {
            let replica = &self.replica;
            let them = || replica.what_parted(*record, seat).map(Parted::Them);
            let may_hear = || replica.is_in_audience(*record, seat).then_some(());
            let us = || may_hear().and_then(|()| replica.what_parted(*record, replica.seat)).map(Parted::Us);
            if let Some(parted) = them().or_else(us) {
                self.with(link, now, out, |link, shared, out| link.part(*record, parted, shared, out));
            }
        }
    }

    fn fail(&mut self, error: StoreError, out: &mut Out) {
        self.busy = Busy::No;
        let waiting: Vec<_> = self.joins.tickets().collect();
        for ticket in self.replica.abandon().into_iter().chain(waiting) {
            out.effects.push(Effect::Reply { ticket, reply: Reply::StoreFailed(error.clone()) });
        }
        for link in self.links.values_mut() {
            link.refuse(RefuseCode::StoreFailed, error.to_string(), out);
        }
        out.effects.push(Effect::Notice(Notice::StoreFailed(error.clone())));
        self.failed = Some(error);
    }

    fn arrived(&mut self, arrival: Arrival, now: Moment, out: &mut Out) {
        match arrival {
            Arrival::Directory { link, entries } => {
                self.replica.submit(Work::Extend { entries, by: By::Link(link) });
            }
            Arrival::Join { link, request } => self.join(JoinAsker::Link(link), request, now, out),
            Arrival::JoinRefused { link, refusal } => {
                let said = self.joins.refused(link, &refusal);
                self.say(said, now, out);
            }
            Arrival::Withdrawn { link, record } => self.replica.submit(Work::Withdrawn { link, record }),
            Arrival::Proven { record, held } => self.replica.submit(Work::LetGo { record, proven: held }),
            Arrival::RolledBack => {
                if !std::mem::replace(&mut self.renewing, true) {
                    self.replica.renew_soon();
                }
            }
            Arrival::Outside { link, outside } => {
                if let Some(seat) = self.links.get(&link).and_then(Link::peer_seat) {
                    self.replica.sums.change_apart(link, seat, outside);
                }
            }
            Arrival::FalseClaim { peer } => {
                self.false_claims.insert(peer, now.tick_ms);
            }
            Arrival::Statements { link, statements } => {
                let statements = self.replica.check_statements(link, &statements, out);
                self.replica.submit(Work::Statements { link, statements });
            }
            Arrival::Leaves { link, from, sequence, delivery, cursor } => {
                match self.open(link, from, sequence, &delivery, now) {
                    Some(incoming) => self.replica.submit(Work::Leaves(Incoming { cursor, ..incoming })),
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

    fn peer_known(&mut self, id: LinkId, known: PeerKnown, now: Moment, out: &mut Out) {
        match self.links.get(&id).and_then(Link::peer_seat) {
            Some(seat) if !self.replica.tracks(seat) => {
                self.uncounted.insert(id, known);
                self.scans.insert(id);
            }
            _ => self.with(id, now, out, |link, shared, out| {
                link.on_peer(known.cursor, known.last_commit, known.wants, shared, out);
            }),
        }
    }

    /// Nothing was applied since the scan began, so it is as good for every link that waits for one by now.
    fn scanned(&mut self, first: LinkId, items: &[ScanItem], now: Moment, out: &mut Out) {
        self.busy = Busy::No;
        let waiting = std::mem::take(&mut self.scans);
        for link in [first].into_iter().chain(waiting) {
            self.scanned_for(link, items, now, out);
        }
    }

    fn scanned_for(&mut self, id: LinkId, items: &[ScanItem], now: Moment, out: &mut Out) {
        self.replica.count_apart(id, items);
        match self.uncounted.remove(&id) {
            Some(known) => {
                if let Some(seat) = self.links.get(&id).and_then(Link::peer_seat) {
                    self.replica.track(seat, items);
                }
                self.peer_known(id, known, now, out);
            }
            None => self.with(id, now, out, |link, shared, out| link.on_scanned(items, shared, out)),
        }
    }

    /// Links ask for scans like for other reads; the engine lets them wait until no batch is under way.
    fn collect_scans(&mut self, out: &mut Out) {
        let scans = &mut self.scans;
        out.effects.retain(|effect| match effect {
            Effect::Scan { link } => {
                scans.insert(*link);
                false
            }
            _ => true,
        });
    }

    fn with(&mut self, id: LinkId, now: Moment, out: &mut Out, act: impl FnOnce(&mut Link, &Shared<'_>, &mut Out)) {
        if let Some(link) = self.links.get_mut(&id) {
            let shared = shared(&self.replica, &self.config, Some(id), link.peer_seat(), now);
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
    replica: &'a Replica,
    config: &'a Config,
    link: Option<LinkId>,
    peer: Option<SeatId>,
    now: Moment,
) -> Shared<'a> {
    Shared {
        realm: replica.realm,
        node: replica.node,
        seat: replica.seat,
        program: &config.program,
        kinds: config.catalogue.digests(),
        meta: replica.meta(),
        tail: &replica.tail,
        directory: replica.directory(),
        last_commit: replica.last_commit(),
        verifier: &*replica.verifier,
        sums: replica.sums_with(link, peer),
        apart: link.and_then(|link| replica.sums.apart(link)),
        foreign: &replica.foreign,
        statements: &replica.statements,
        leaving: replica.leaving(),
        is_judged: replica.unjudged.untried().is_empty(),
        fork: replica.fork.as_ref(),
        now,
    }
}
