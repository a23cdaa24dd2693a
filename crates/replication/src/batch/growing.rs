//! How the directory grows in a batch of its own: by entries that came, by what this node's administrator or new machines
//! ask for if the issuer's key is here, and then what follows for the records: fences and decisions of the root have them
//! judged again, a few at a time, and only those that changed stay open.

use std::collections::BTreeSet;

use heliu_record::command::Refusal;
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::reason::Facts;
use heliu_trust::directory::{Fence, Item, SignedEntry, limits};
use heliu_trust::id::NodeId;
use heliu_trust::token::JoinRequest;

use crate::authority::{
    Asked, By, Enrolment, Follows, Gathered, JoinAsker, NotGrown, forked, join_refused, not_drawn_up, outdated,
    too_many_incarnations,
};
use crate::effect::{AuditEvent, Done, LoadReply, LoadRequest, Moment, Notice, Reply, Ticket};
use crate::journal::Delta;
use crate::parts::Parts;
use crate::records::Open;

/// Records that are read at once to be judged again.
const CHUNK: usize = 128;

/// Which records the directory's growth has judged again, or looked at.
#[derive(Default)]
pub(super) struct Again {
    /// Records of these are to be looked up; or all.
    authors: BTreeSet<NodeId>,
    everything: bool,
    /// The root decided a fork: seats may have gone.
    replaced: bool,
    /// Records that name these are to be looked up: nobody knew these seats, so their audience changes.
    introduced: BTreeSet<SeatId>,
    queue: BTreeSet<RecordId>,
    /// Their audience changes, whatever else does.
    forced: BTreeSet<RecordId>,
    /// Read for this alone, and so by the new directory.
    fresh: BTreeSet<RecordId>,
}

pub(super) fn extend(
    entries: &[SignedEntry],
    by: By,
    parts: &mut Parts,
    again: &mut Again,
    delta: &mut Delta,
    now: Moment,
) {
    if let By::Ticket(ticket, _) = &by
        && let Some(entry) = entries.iter().find(|entry| parts.authority.is_outdated(entry))
    {
        return delta.refuse(*ticket, outdated(entry.entry.index));
    }
    let before = parts.authority.directory().head();
    let result = grow(entries, parts, again, delta, now);
    match by {
        By::Link(link) => delta.outcome.links.extended.push((link, result)),
        By::Ticket(ticket, event) => {
            // Entries before one that is not good are taken.
            let has_grown = parts.authority.directory().head() != before;
            if let Some(event) = event.filter(|_| result.is_ok() || has_grown) {
                delta.audit(event, now.wall_ms);
            }
            let done = |()| Reply::Done(Done::default());
            delta.reply(ticket, result.map_or_else(|error| Reply::BadEntries(error.words()), done));
        }
    }
}

/// Takes entries up to the first that is not good.
fn grow(
    entries: &[SignedEntry],
    parts: &mut Parts,
    again: &mut Again,
    delta: &mut Delta,
    now: Moment,
) -> Result<(), NotGrown> {
    let growth = parts.authority.grow(entries, &*parts.own.verifier, now);
    let mut introduced = BTreeSet::new();
    for follows in growth.follows {
        match follows {
            Follows::Replaced => {
                (again.everything, again.replaced) = (true, true);
                parts.records.know_actors(parts.authority.directory());
                parts.records.know_actor(parts.journal.writer.actor(), parts.own.seat);
            }
            Follows::Seat(seat) => {
                introduced.insert(seat);
            }
            Follows::Fence(node) => {
                again.authors.insert(node);
            }
        }
    }
    again.introduced.extend(parts.scopes.kept.named(&introduced));
    if let (Some(other), Err(NotGrown::Forked { index })) = (growth.forked, &growth.result) {
        delta.outcome.directory.forked = Some(other);
        delta.notice(Notice::DirectoryForked { index: *index });
    }
    if let Some(added) = growth.added {
        delta.transaction.directory = added;
        delta.transaction.directory_from = growth.replaced_from;
        delta.outcome.directory.replaced_from = growth.replaced_from;
        delta.outcome.directory.has_grown = true;
        if growth.has_judged {
            let gone = parts.statements.judge_again(parts.authority.directory(), &*parts.own.verifier);
            if !gone.is_empty() {
                parts.keys.audiences.retell(parts.statements.keys());
            }
            parts.keys.audiences.somebody_was_fenced();
            delta.transaction.statements_dropped.extend(gone);
        }
        parts.keys.audiences.look_again();
    }
    growth.result
}

/// The entry that the administrator wants, entered if one signature is enough.
pub(super) fn draft(
    ticket: Ticket,
    items: &[Item],
    event: AuditEvent,
    parts: &mut Parts,
    again: &mut Again,
    delta: &mut Delta,
    now: Moment,
) {
    match drafted(items, parts, again, delta, now) {
        Ok(reply) => {
            delta.audit(event, now.wall_ms);
            delta.reply(ticket, reply);
        }
        Err(refusal) => delta.refuse(ticket, refusal),
    }
}

fn drafted(
    items: &[Item],
    parts: &mut Parts,
    again: &mut Again,
    delta: &mut Delta,
    now: Moment,
) -> Result<Reply, Refusal> {
    let (entry, entered) = parts.authority.draft(items, now)?;
    if entered && let Err(error) = grow(std::slice::from_ref(&entry), parts, again, delta, now) {
        return Err(match error {
            NotGrown::Bad(error) => not_drawn_up(&error),
            _ => forked(),
        });
    }
    Ok(Reply::Drafted { entry: Box::new(entry), entered })
}

/// A fence with what is known here of the node as its frontier, or, with `nothing`, without one.
pub(super) fn fence_of(node: NodeId, nothing: bool, excluded: Vec<LeafHash>, parts: &Parts) -> Result<Item, Refusal> {
    let known = if nothing { None } else { parts.health.evidence.chains_of(&node) };
    let frontier = known.cloned().unwrap_or_default();
    if frontier.len() > limits::FRONTIER {
        return Err(too_many_incarnations(node, frontier.len()));
    }
    Ok(Item::Fence(Fence::new(node, frontier, excluded)))
}

/// A machine asks to become a node.
pub(super) fn join(
    asker: JoinAsker,
    request: Box<JoinRequest>,
    enrolment: &mut Enrolment,
    parts: &Parts,
    delta: &mut Delta,
    now: Moment,
) {
    match enrolment.ask(asker, &request, &parts.authority, &*parts.own.verifier, now) {
        Asked::Joined => joined(asker, delta),
        Asked::Gathered => {}
        Asked::Elsewhere => delta.outcome.directory.pass_up.push((asker, request)),
        Asked::Refused(refusal) => delta.outcome.directory.join_refused.push((asker, refusal)),
    }
}

fn joined(asker: JoinAsker, delta: &mut Delta) {
    // Others hear it by the directory.
    if let JoinAsker::Ticket(ticket) = asker {
        delta.reply(ticket, Reply::Joined);
    }
}

/// Enters whoever asked in this batch, in one entry.
pub(super) fn enter(enrolment: &mut Enrolment, parts: &mut Parts, again: &mut Again, delta: &mut Delta, now: Moment) {
    let Some(Gathered { items, askers }) = enrolment.take() else { return };
    let Some(issuer) = parts.authority.issuer() else { return };
    let drafted = parts.authority.directory().draft(items, now.wall_ms, &[&**issuer]).map_err(NotGrown::from);
    match drafted.and_then(|entry| grow(&[entry], parts, again, delta, now)) {
        Ok(()) => askers.into_iter().for_each(|(asker, _)| joined(asker, delta)),
        Err(error) => {
            let refused = |token| join_refused(token, error.join_code(), &Facts::none());
            let refusals = askers.into_iter().map(|(asker, token)| (asker, refused(token)));
            delta.outcome.directory.join_refused.extend(refusals);
        }
    }
}

impl Again {
    /// What the store answered of who wrote what.
    pub(super) fn loaded(&mut self, asked: &LoadRequest, reply: &mut LoadReply) {
        for author in &asked.written_by {
            self.authors.remove(author);
        }
        self.introduced.retain(|seat| !asked.naming.contains(seat));
        self.everything &= !asked.all;
        self.forced.extend(&reply.naming);
        self.queue.extend(std::mem::take(&mut reply.naming));
        self.queue.extend(std::mem::take(&mut reply.written));
        self.queue.extend(std::mem::take(&mut reply.all));
    }

    /// Judges again what the directory's growth concerns. What is missing to go on is returned.
    pub(super) fn judge(&mut self, parts: &mut Parts) -> LoadRequest {
        if self.everything {
            self.authors.clear();
            return LoadRequest { all: true, ..LoadRequest::default() };
        }
        if !self.authors.is_empty() {
            return LoadRequest { written_by: self.authors.clone(), ..LoadRequest::default() };
        }
        if !self.introduced.is_empty() {
            return LoadRequest { naming: self.introduced.clone(), ..LoadRequest::default() };
        }
        while let Some(record) = self.queue.first().copied() {
            if parts.records.is_open(&record) {
                self.queue.remove(&record);
                self.judge_record(record, parts);
            } else if is_gone(&record, parts) {
                self.queue.remove(&record);
            } else {
                let is_read = |id: &&RecordId| !parts.records.is_open(id) && !is_gone(id, parts);
                let records: BTreeSet<RecordId> = self.queue.iter().filter(is_read).take(CHUNK).copied().collect();
                self.fresh.extend(&records);
                return LoadRequest { records, ..LoadRequest::default() };
            }
        }
        LoadRequest::default()
    }

    fn judge_record(&mut self, record: RecordId, parts: &mut Parts) {
        let is_fresh = self.fresh.remove(&record);
        let (directory, seats, seats_before) =
            (parts.authority.directory(), parts.authority.seats(), parts.authority.seats_before());
        let (replaced, forced) = (self.replaced, self.forced.contains(&record));
        let has_moved = |open: &Open| {
            let now = open.relay_scope(directory);
            now != open.row.scope || now.audience(seats) != open.row.scope.audience(seats_before)
        };
        let is_due = |open: &Open| (replaced && has_moved(open)) || forced;
        parts.records.judge_by(&record, directory, is_fresh, is_due);
        if is_fresh && !parts.records.is_touched(&record) {
            parts.records.close([&record]);
        }
    }
}

/// There is nothing of it that could be read.
fn is_gone(record: &RecordId, parts: &Parts) -> bool {
    parts.records.is_absent(record) || parts.health.damage.has_no_row(*record)
}
