//! What a batch has come to goes to whom it concerns: to those who asked, to links, to operators. Nothing of it goes out
//! before it is durable. If the store fails, all who wait hear that instead.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;
use heliu_storage::{Position, StoreError};

use super::{Engine, Life};
use crate::batch::Flight;
use crate::durable::Durable;
use crate::effect::{Effect, LinkId, Moment, Notice, Reply};
use crate::frame::RefuseCode;
use crate::journal::Outcome;
use crate::link::{Arrival, Link, Out, Parted};

impl Engine {
    /// The transaction is durable: whoever waits for that hears of it.
    pub(super) fn applied(&mut self, flight: Option<Box<Flight>>, durable: &Durable, now: Moment, out: &mut Out) {
        self.turns.worked();
        let outcome = flight.map_or_else(Outcome::default, |flight| flight.applied(&mut self.parts, durable));
        let Outcome { replies, notices, links, directory, stated, rolled_back } = outcome;
        out.effects.extend(notices.into_iter().map(Effect::Notice));
        out.effects.extend(replies.into_iter().map(|(ticket, reply)| Effect::Reply { ticket, reply }));
        for (link, sequence, refused) in links.ingested {
            self.with(link, now, out, |link, shared, out| link.ingested(sequence, refused, shared, out));
        }
        for (link, records) in links.wants {
            self.with(link, now, out, |link, shared, out| link.want(records.into_iter().collect(), shared, out));
        }
        for (link, records) in links.came_again {
            self.came_again(link, &records, now, out);
        }
        if directory.has_grown {
            self.parts.keys.directory_grew(self.parts.authority.directory());
            let from = directory.replaced_from;
            self.each(now, out, |link, shared, out| link.on_directory_grown(from, shared, out));
            let said = self.joins.settled(self.parts.directory());
            self.say(said, now, out);
        }
        for (link, result) in links.extended {
            self.with(link, now, out, |link, shared, out| link.extended(result, shared, out));
        }
        for link in links.heard {
            self.with(link, now, out, |link, _, _| link.heard_statements());
        }
        if !stated.is_empty() {
            self.each(now, out, |link, shared, out| link.on_stated(&stated, shared, out));
        }
        if let Some(other) = directory.forked {
            self.each(now, out, |link, _, out| link.show_fork(&other, out));
        }
        let refused = directory.join_refused.into_iter().map(|(asker, refusal)| (asker, Some(refusal)));
        self.say(refused.collect(), now, out);
        for (asker, request) in directory.pass_up {
            let node = request.node(self.parts.own.verifier.scheme());
            let said = self.joins.add(asker, &request, node, now.tick_ms);
            self.say(said, now, out);
        }
        self.parts.journal.renewed(durable);
        if rolled_back {
            out.arrivals.push(Arrival::RolledBack);
        }
        self.each(now, out, Link::on_appended);
        let walked = self.links.values().filter_map(Link::walked).min();
        self.parts.journal.trim(walked.unwrap_or(Position::MAX));
    }

    /// A link brought leaves that are known here. If one of its ends is no longer in the audience of their record, the
    /// other end has missed that: it is sent what says so.
    fn came_again(&mut self, link: LinkId, records: &BTreeSet<RecordId>, now: Moment, out: &mut Out) {
        // What the batch under work makes of one is said when that is durable.
        let (later, records): (Vec<_>, Vec<_>) =
            records.iter().partition(|record| self.parts.records.is_touched(record));
        if let Some(batch) = self.batch.as_mut().filter(|_| !later.is_empty()) {
            batch.came_again(link, later);
        }
        let Some(seat) = self.links.get(&link).and_then(Link::peer_seat) else { return };
        let own = self.parts.own.seat;
        for record in records {
            let parts = &self.parts;
            let seats = parts.directory().seats();
            let parted = |of| parts.records.get(&record).and_then(|open| open.what_parted(of, seats));
            let may_hear = || parts.records.get(&record).is_some_and(|open| open.row.scope.has_audience(seat, seats));
            let us = || may_hear().then(|| parted(own)).flatten().map(Parted::Us);
            if let Some(parted) = parted(seat).map(Parted::Them).or_else(us) {
                self.with(link, now, out, |link, shared, out| link.part(record, parted, shared, out));
            }
        }
    }

    /// The store did not take a transaction: whoever waited for it hears that.
    pub(super) fn not_applied(&mut self, flight: Option<Box<Flight>>, error: StoreError, out: &mut Out) {
        for ticket in flight.map(|flight| flight.tickets()).unwrap_or_default() {
            out.effects.push(Effect::Reply { ticket, reply: Reply::StoreFailed(error.clone()) });
        }
        self.fail_soon(error);
    }

    /// Nothing more is asked of the store.
    pub(super) fn fail_soon(&mut self, error: StoreError) {
        if let Life::Well = self.life {
            self.life = Life::Failing(error);
        }
    }

    /// Fails, if it is to, once nothing is under way at the store.
    pub(super) fn fail_if_due(&mut self, out: &mut Out) {
        if let Life::Failing(error) = &self.life
            && self.flight.is_none()
            && self.turns.is_free()
        {
            self.fail(error.clone(), out);
        }
    }

    fn fail(&mut self, error: StoreError, out: &mut Out) {
        let under_way = self.batch.take().map(|batch| batch.tickets()).unwrap_or_default();
        let queue = std::mem::take(&mut self.parts.journal.queue);
        for ticket in under_way.into_iter().chain(queue.tickets()).chain(self.joins.tickets()) {
            out.effects.push(Effect::Reply { ticket, reply: Reply::StoreFailed(error.clone()) });
        }
        for link in self.links.values_mut() {
            link.refuse(RefuseCode::StoreFailed, error.to_string(), out);
        }
        out.effects.push(Effect::Notice(Notice::StoreFailed(error.clone())));
        self.life = Life::Failed(error);
    }
}
