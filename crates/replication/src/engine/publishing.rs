//! What a batch has come to goes to whom it concerns: to those who asked, to links, to operators. Nothing of it goes out
//! before it is durable. If the store fails, all who wait hear that instead.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;
use heliu_storage::{Position, StoreError};

use super::Engine;
use crate::durable::Durable;
use crate::effect::{Effect, LinkId, Moment, Notice, Reply};
use crate::frame::RefuseCode;
use crate::journal::Outcome;
use crate::link::{Arrival, Link, Out, Parted};

impl Engine {
    /// The transaction is durable: whoever waits for that hears of it.
    pub(super) fn applied(&mut self, durable: &Durable, now: Moment, out: &mut Out) {
        self.turns.worked();
        let batch = self.batch.take();
        let outcome = batch.map_or_else(Outcome::default, |batch| batch.applied(&mut self.parts, durable));
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
        let Some(seat) = self.links.get(&link).and_then(Link::peer_seat) else { return };
        let own = self.parts.own.seat;
        for record in records {
            let parts = &self.parts;
            let seats = parts.directory().seats();
            let parted = |of| parts.records.get(record).and_then(|open| open.what_parted(of, seats));
            let may_hear = || parts.records.get(record).is_some_and(|open| open.row.scope.has_audience(seat, seats));
            let us = || may_hear().then(|| parted(own)).flatten().map(Parted::Us);
            if let Some(parted) = parted(seat).map(Parted::Them).or_else(us) {
                self.with(link, now, out, |link, shared, out| link.part(*record, parted, shared, out));
            }
        }
    }

    pub(super) fn fail(&mut self, error: StoreError, out: &mut Out) {
        self.turns.free();
        let under_way = self.batch.take().map(|batch| batch.tickets()).unwrap_or_default();
        let queue = std::mem::take(&mut self.parts.journal.queue);
        for ticket in under_way.into_iter().chain(queue.tickets()).chain(self.joins.tickets()) {
            out.effects.push(Effect::Reply { ticket, reply: Reply::StoreFailed(error.clone()) });
        }
        for link in self.links.values_mut() {
            link.refuse(RefuseCode::StoreFailed, error.to_string(), out);
        }
        out.effects.push(Effect::Notice(Notice::StoreFailed(error.clone())));
        self.failed = Some(error);
    }
}
