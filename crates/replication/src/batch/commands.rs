//! Commands: one is planned on what is here, and what it comes to is written.

use std::collections::BTreeSet;

use heliu_record::catalogue::Catalogue;
use heliu_record::change::Note;
use heliu_record::command::{Asker, Deputy, RecordWrite, Refusal, Request, cannot_seal};
use heliu_record::date::{self, Date};
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::sealed::{KeyId, Plaintext};
use heliu_record::sight::{Seen, Sight};
use heliu_record::world::World as _;
use heliu_trust::seal::{self, RecordKey};
use zeroize::Zeroizing;

use super::lookup::{LookedUp, Lookup};
use super::sealing::key_for;
use super::writing::{draft, is_overtaken, is_returning, place};
use crate::authority::{fenced, not_enrolled};
use crate::effect::{AuditEvent, Done, LoadRequest, Moment, Reply, Trial};
use crate::health;
use crate::journal::{Before, Delta, Order, reused};
use crate::keys::no_secret_of_ids;
use crate::parts::Parts;

/// What became of a command.
pub(super) enum Executed {
    /// Whoever asked is answered, or waits for the answer of another.
    Answered,
    /// It has to wait for a new incarnation.
    Overtaken,
    /// This has to be looked up first.
    Lacks(Box<LoadRequest>),
}

/// `next` are the commands that come after it.
pub(super) fn execute<'o>(
    order: &Order,
    next: impl Iterator<Item = &'o Order>,
    looked_up: &mut LookedUp,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) -> Executed {
    let Order { ticket, request, trial, role, today, sight } = order;
    let asked = match parts.journal.answers.before(*ticket, request) {
        Before::No(asked) => asked,
        Before::Now => return Executed::Answered,
        Before::Answered(reply) => {
            let erased = made_by(&reply).filter(|made| parts.statements.is_erased(*made));
            delta.reply(*ticket, erased.map_or(reply, |made| Reply::Refused(Refusal::erased(made))));
            return Executed::Answered;
        }
    };
    if let Err(refusal) = may_write(request, parts) {
        delta.refuse(*ticket, refusal);
        return Executed::Answered;
    }
    parts.records.fold_what_is_due(parts.authority.seats());
    let secret = secret_of_said(parts, *trial != Trial::No);
    let asker = asker(request, *today, sight, secret.clone(), parts);
    let lookup = Lookup::new(parts, looked_up);
    let planned = parts.own.catalogue.plan(request, &asker, &lookup);
    let told = planned.as_ref().ok().filter(|_| *trial == Trial::Foreseen);
    let preview = told.map(|plan| parts.own.catalogue.preview(plan, &asker, &lookup));
    if lookup.is_missing() {
        // What the next commands lack is looked up with it, in one load.
        for Order { request, today, sight, .. } in next {
            let asker = self::asker(request, *today, sight, secret.clone(), parts);
            let _ = parts.own.catalogue.plan(request, &asker, &lookup);
        }
        return Executed::Lacks(Box::new(lookup.missing()));
    }
    // Whose a record is that cannot be read at all is not known: for who is not shown everything it is not here.
    let is_shown = |id: &RecordId| sight.is_whole() || Seen::new(&lookup, sight).record(*id).is_some();
    if let Some(record) = lookup.damaged().into_iter().find(is_shown) {
        delta.refuse(*ticket, health::damaged(record));
        return Executed::Answered;
    }
    if planned.as_ref().is_ok_and(|plan| plan.writes.iter().any(|write| is_overtaken(write, parts))) {
        return Executed::Overtaken;
    }
    if *trial != Trial::No {
        let tried = planned.and_then(|plan| {
            check(request, &plan.writes, parts)?;
            let affected: BTreeSet<RecordId> = plan.writes.iter().map(|write| write.record).collect();
            let preview = preview.transpose()?.map(Box::new);
            Ok(Done { result: plan.result, affected: affected.into_iter().collect(), preview, ..Done::default() })
        });
        delta.reply(*ticket, tried.map_or_else(Reply::Refused, Reply::Done));
        return Executed::Answered;
    }
    let written = planned.and_then(|plan| {
        let leaves = write(request, &plan.writes, parts, delta, now)?;
        let affected: BTreeSet<RecordId> = plan.writes.iter().map(|write| write.record).collect();
        let affected = affected.into_iter().collect();
        Ok(Done { result: plan.result, leaves, affected, ..Done::default() })
    });
    match written {
        Err(refusal) => delta.refuse(*ticket, refusal),
        Ok(done) => {
            delta.audit(carried_out(request, role, &done), now.wall_ms);
            parts.journal.answers.carried_out(*ticket, request.id, asked, done);
        }
    }
    Executed::Answered
}

/// Of a trial nothing is written that anybody could reckon.
fn secret_of_said(parts: &mut Parts, is_trial: bool) -> Result<[u8; 16], Refusal> {
    let Parts { keys, own, authority, .. } = parts;
    let secret = keys.secret_of_said(own, authority.durable()).or(is_trial.then_some([0; 16]));
    secret.ok_or_else(no_secret_of_ids)
}

/// The place of this node among those of its seat.
fn place_of(parts: &Parts) -> u32 {
    let own = parts.authority.directory().nodes_of(parts.own.seat).position(|info| info.node == parts.own.node);
    own.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
}

/// For whom a command is carried out.
fn asker(request: &Request, today: Date, sight: &Sight, secret: Result<[u8; 16], Refusal>, parts: &Parts) -> Asker {
    let (own, directory) = (parts.own.seat, parts.authority.directory());
    let seat = request.on_behalf.unwrap_or(own);
    let has_node = |seat: &SeatId| directory.live_nodes_of(*seat).next().is_some();
    let keeper = || directory.seats().upward(seat).find(has_node).unwrap_or(seat);
    let deputy = (seat != own).then(|| Deputy { seat: own, keeper: keeper() });
    Asker { seat, deputy, place: place_of(parts), today: date::text(today), sight: sight.clone(), secret }
}

/// The record that a command made, by its answer.
fn made_by(reply: &Reply) -> Option<RecordId> {
    let Reply::Done(done) = reply else { return None };
    done.result.get("record")?.parse().ok()
}

/// Whether this node may write now what a command asks for.
fn may_write(request: &Request, parts: &Parts) -> Result<(), Refusal> {
    let (node, directory) = (parts.own.node, parts.authority.directory());
    if directory.node(node).is_none() {
        return Err(not_enrolled(node));
    }
    if let Some(erased) = request.subject.filter(|subject| parts.statements.is_erased(*subject)) {
        return Err(Refusal::erased(erased));
    }
    if directory.is_fenced(node) {
        return Err(fenced(node));
    }
    Ok(())
}

/// Whether what a plan makes is not there yet, and what it changes is there to be changed.
fn check(request: &Request, writes: &[RecordWrite], parts: &Parts) -> Result<(), Refusal> {
    for write in writes {
        if parts.statements.is_erased(write.record) {
            return Err(Refusal::erased(write.record));
        }
        let open = parts.records.get(&write.record);
        if write.create.is_some() && open.is_some_and(crate::records::Open::is_here) {
            let made = open.and_then(|open| open.leaves.history().changes().next());
            let is_other = made.is_some_and(|made| !write.is_repeated(made, request));
            return Err(if is_other { reused(request.id) } else { Refusal::already_made(write.record) });
        }
        if is_returning(write, parts) {
            return Err(Refusal::returning(write.record));
        }
    }
    Ok(())
}

fn write(
    request: &Request,
    writes: &[RecordWrite],
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) -> Result<Vec<LeafHash>, Refusal> {
    check(request, writes, parts)?;
    let Request { name: command, who, reason, on_behalf, .. } = request.clone();
    let note = Note { who, command, reason, on_behalf: on_behalf.filter(|seat| *seat != parts.own.seat) };
    // All of it is judged before any of it is offered: what is acknowledged counts at every node that hears of it.
    let mut drafts = Vec::with_capacity(writes.len());
    for write in writes {
        drafts.push(if write.seals() {
            let (named, key) = key_for(write, parts, delta, now)?;
            draft(write, &note, parts, now, &mut sealing(named, &key, parts.own.catalogue))?
        } else {
            draft(write, &note, parts, now, &mut cannot_seal)?
        });
    }
    let mut leaves = Vec::with_capacity(writes.len());
    for (leaf, preimage) in drafts {
        leaves.push(place(leaf, &preimage, parts, delta));
    }
    Ok(leaves)
}

/// Makes ciphertext of what is to be sealed with a key.
fn sealing(
    named: KeyId,
    key: &RecordKey,
    catalogue: &Catalogue,
) -> impl FnMut(&RecordId, &str, &Plaintext) -> Result<Vec<u8>, Refusal> {
    move |record, path, plaintext| {
        let bytes = Zeroizing::new(plaintext.encode());
        let said = || catalogue.say_path(path).map_or_else(|| path.into(), |said| said.zh);
        seal::seal(key, named, record, path, &bytes).ok_or_else(|| Refusal::cannot_seal(path, &said()))
    }
}

/// The row of the audit log for a command: what was asked for, and about what; never what was written.
fn carried_out(request: &Request, role: &str, done: &Done) -> AuditEvent {
    let subject = request.subject.map(|subject| subject.to_string());
    let subject = subject.or_else(|| done.result.get("record").cloned()).unwrap_or_default();
    AuditEvent {
        who: request.who.clone(),
        role: role.to_owned(),
        action: request.name.clone(),
        subject,
        detail: request.id.to_string(),
    }
}
