//! The first stage: leaves are offered to their records, commands are planned and written, the directory grows, records
//! that have left go.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::catalogue::Catalogue;
use heliu_record::change::Note;
use heliu_record::command::{Asker, RecordWrite, Refusal, Request, Seal, cannot_seal};
use heliu_record::date;
use heliu_record::hash::Sum;
use heliu_record::id::{LeafHash, Preimage, RecordId};
use heliu_record::sealed::{KeyId, Plaintext};
use heliu_record::sight::Seen;
use heliu_record::world::World as _;
use heliu_storage::{RecordState, StoreError, Stub};
use heliu_trust::admission::{Leaf, Leaves};
use heliu_trust::commit::leaf_hash;
use heliu_trust::id::{CommitId, Incarnation, NodeId};
use heliu_trust::seal::{self, RecordKey};
use zeroize::Zeroizing;

use super::super::damage;
use super::super::open::Open;
use super::super::{Order, Replica, Work};
use super::stating::carried_out;
use super::{Batch, answer};
use crate::effect::{Done, LinkId, LoadRequest, Moment, Reply};

impl Batch {
    /// Does all work that can be done; what is missing to go on is returned.
    pub(super) fn work(&mut self, replica: &mut Replica, now: Moment) -> LoadRequest {
        let missing = self.needed(replica);
        if missing != LoadRequest::default() {
            return missing;
        }
        while let Some(work) = self.works.pop_front() {
            match work {
                Work::Leaves(incoming) => {
                    let mut frames = vec![incoming];
                    while matches!(self.works.front(), Some(Work::Leaves(_)))
                        && let Some(Work::Leaves(incoming)) = self.works.pop_front()
                    {
                        frames.push(incoming);
                    }
                    self.take_leaves(frames, replica, now);
                }
                Work::Statements { link, statements } => self.take_statements(link, statements, replica, now),
                Work::LookThrough { record } => self.look_through(record, replica),
                Work::Erase { ticket, record, event } => self.erase(ticket, record, event, replica, now),
                Work::Reveal { ticket, record, event } => self.reveal(ticket, record, event, replica, now),
                Work::Audit { ticket, event } => {
                    self.audit(event, replica, now);
                    self.outcome.replies.push((ticket, Reply::Done(Done::default())));
                }
                Work::TellAuditHead => self.tell_audit_head(replica, now),
                Work::Extend { entries, by } => self.extend(&entries, by, replica, now),
                Work::Join { asker, request } => self.join(asker, request, replica, now),
                Work::Draft { ticket, items, event } => self.draft(ticket, &items, event, replica, now),
                Work::FenceOf { ticket, node, nothing, excluded, event } => {
                    match self.fence_of(node, nothing, excluded) {
                        Ok(fence) => self.draft(ticket, &[fence], event, replica, now),
                        Err(refusal) => self.outcome.replies.push((ticket, Reply::Refused(refusal))),
                    }
                }
                Work::Reissue { record } => self.reissue(record, replica, now),
                Work::Stranded { ticket, leaf, action, event } => {
                    self.stranded_one(ticket, leaf, action, event, replica, now);
                }
                Work::Quarantine { ticket, id, action, event } => {
                    self.decide_quarantined(ticket, id, action, event, replica, now);
                }
                Work::Foreign { ticket, seat, action, event } => {
                    self.decide_foreign(ticket, seat, action, event, replica, now);
                }
                Work::Withdrawn { link, record } => self.withdrawn(link, record, replica),
                Work::LetGo { record, proven } => self.let_go(record, proven, replica, now),
                Work::Mend { record } => {
                    if let Some(open) = replica.open.get(&record) {
                        self.touch(open);
                        self.unfolded.insert(record);
                    }
                }
                // It was held against its leaves as it was read; keys are given out at the end of each batch.
                Work::Check { .. } | Work::KeepKeys => {}
                Work::Rename { wrong, own } => self.rename(wrong, own, replica),
                Work::Renew(incarnation) => self.renew(incarnation, replica),
                Work::Execute(order) => {
                    let missing = self.execute(&order, replica, now);
                    if missing != LoadRequest::default() {
                        self.works.push_front(Work::Execute(order));
                        return missing;
                    }
                }
            }
        }
        self.enter(replica, now);
        self.judge_again(replica)
    }

    fn execute(&mut self, order: &Order, replica: &mut Replica, now: Moment) -> LoadRequest {
        let Order { ticket, request, role, today, sight } = order;
        let (ticket, id) = (*ticket, request.id);
        let asked = replica.digest_key.digest(request);
        if let Some((before, _)) = self.carried_out.get(&id) {
            if asked.differs_from(before) {
                self.outcome.replies.push((ticket, Reply::Refused(answer::reused(id))));
            } else {
                self.answers.push((ticket, id, true));
            }
            return LoadRequest::default();
        }
        if let Some(Some(answer)) = self.looked.commands.get(&id) {
            let decoded = answer::decode(answer);
            let made = decoded.as_ref().and_then(|(done, _)| made_by(done));
            let reply = match (made.filter(|made| replica.statements.is_erased(*made)), decoded) {
                (Some(erased), _) => Reply::Refused(Refusal::erased(erased)),
                (None, Some((_, before))) if asked.differs_from(&before) => Reply::Refused(answer::reused(id)),
                (None, Some((done, _))) => Reply::Done(done),
                (None, None) => Reply::StoreFailed(StoreError::Damaged { what: "an answer", detail: id.to_string() }),
            };
            self.outcome.replies.push((ticket, reply));
            return LoadRequest::default();
        }
        if replica.directory.node(replica.node).is_none() {
            self.outcome.replies.push((ticket, Reply::Refused(not_enrolled(replica.node))));
            return LoadRequest::default();
        }
        if let Some(erased) = request.subject.filter(|subject| replica.statements.is_erased(*subject)) {
            self.outcome.replies.push((ticket, Reply::Refused(Refusal::erased(erased))));
            return LoadRequest::default();
        }
        if replica.directory.is_fenced(replica.node) {
            self.outcome.replies.push((ticket, Reply::Refused(fenced(replica.node))));
            return LoadRequest::default();
        }
        self.fold_what_is_due(replica);
        let asker = Asker { seat: replica.seat, today: date::text(*today), sight: sight.clone() };
        let desk = replica.desk(&self.looked);
        let planned = replica.catalogue.plan(request, &asker, &desk);
        if desk.is_missing() {
            // What the next commands lack is looked up with it, in one load.
            for work in &self.works {
                if let Work::Execute(Order { request, today, sight, .. }) = work {
                    let asker = Asker { seat: asker.seat, today: date::text(*today), sight: sight.clone() };
                    let _ = replica.catalogue.plan(request, &asker, &desk);
                }
            }
            return desk.missing();
        }
        // Whose a record is that cannot be read at all is not known: for who is not shown everything it is not here.
        let is_shown = |id: &RecordId| sight.is_whole() || Seen::new(&desk, sight).record(*id).is_some();
        if let Some(record) = desk.damaged().into_iter().find(is_shown) {
            self.outcome.replies.push((ticket, Reply::Refused(damage::refusal(record))));
            return LoadRequest::default();
        }
        if planned.as_ref().is_ok_and(|plan| plan.writes.iter().any(|write| is_overtaken(write, replica))) {
            self.put_off.push(Work::Execute(order.clone()));
            return LoadRequest::default();
        }
        let written = planned.and_then(|plan| {
            let leaves = self.write(request, &plan.writes, replica, now)?;
            let affected: BTreeSet<RecordId> = plan.writes.iter().map(|write| write.record).collect();
            let affected = affected.into_iter().collect();
            Ok(Done { result: plan.result, leaves, affected, ..Done::default() })
        });
        match written {
            Err(refusal) => self.outcome.replies.push((ticket, Reply::Refused(refusal))),
            Ok(done) => {
                self.audit(carried_out(request, role, &done), replica, now);
                self.carried_out.insert(id, (asked, done));
                self.answers.push((ticket, id, false));
            }
        }
        LoadRequest::default()
    }

    /// Folds the records that leaves came for, so that a command sees them.
    pub(super) fn fold_what_is_due(&mut self, replica: &mut Replica) {
        for record in std::mem::take(&mut self.unfolded) {
            if let Some(open) = replica.open.get_mut(&record) {
                open.fold(replica.directory.seats());
            }
        }
    }

    fn write(
        &mut self,
        request: &Request,
        writes: &[RecordWrite],
        replica: &mut Replica,
        now: Moment,
    ) -> Result<Vec<LeafHash>, Refusal> {
        for write in writes {
            if replica.statements.is_erased(write.record) {
                return Err(Refusal::erased(write.record));
            }
            let seq = replica.open.get(&write.record).map_or(0, |open| open.leaves.history().seq(replica.writer.actor));
            let is_stored =
                replica.open.get(&write.record).is_some_and(|open| open.is_stored || !open.leaves.is_empty());
            if write.create.is_some() && is_stored {
                let made = replica.open.get(&write.record).and_then(|open| open.leaves.history().changes().first());
                let is_other = made.is_some_and(|made| !write.is_repeated(made, request));
                return Err(if is_other { answer::reused(request.id) } else { Refusal::already_made(write.record) });
            }
            if replica.parted.get(&write.record).is_some_and(|parted| *parted > seq) {
                return Err(Refusal::returning(write.record));
            }
        }
        let note = Note { who: request.who.clone(), command: request.name.clone(), reason: request.reason.clone() };
        // All of it is judged before any of it is offered: what is acknowledged counts at every node that hears of it.
        let mut drafts = Vec::with_capacity(writes.len());
        for write in writes {
            drafts.push(if write.seals() {
                let (named, key) = self.key_for(write, replica, now)?;
                draft(write, &note, replica, now, &mut sealing(named, &key, replica.catalogue))?
            } else {
                draft(write, &note, replica, now, &mut cannot_seal)?
            });
        }
        let mut leaves = Vec::with_capacity(writes.len());
        for (leaf, preimage) in drafts {
            leaves.push(self.place(leaf, &preimage, replica));
        }
        Ok(leaves)
    }

    /// A drafted leaf gets its place in a commit, in the feed and in its record.
    pub(super) fn place(&mut self, mut leaf: Leaf, preimage: &Preimage, replica: &mut Replica) -> LeafHash {
        let open = replica.open.entry(leaf.record).or_insert_with(|| Open::new(preimage, replica.catalogue));
        replica.clock += 1;
        open.used = replica.clock;
        self.touch(open);
        self.looked.absent.remove(&leaf.record);
        let owner = open.record.as_ref().and_then(|r| r.view.owners.first().copied());
        leaf.commit_seq = replica.writer.seq_for(owner.unwrap_or(preimage.birth), &replica.directory);
        let versions = replica.directory.versions();
        leaf.hash = leaf_hash(&leaf.record, &leaf.change.hash, leaf.kind_version, leaf.commit_seq, &versions);
        replica.writer.add(leaf.commit_seq, leaf.hash);
        let hash = leaf.hash;
        self.file(&leaf, None, None, open);
        let changed = open.leaves.offer(leaf, &replica.directory);
        open.restated.extend(changed.into_iter().map(|(leaf, _)| leaf));
        hash
    }

    fn withdrawn(&mut self, link: LinkId, record: RecordId, replica: &mut Replica) {
        let stays = |open: &&Open| {
            open.is_present()
                && open.relay_scope(&replica.directory).has_audience(replica.seat, replica.directory.seats())
        };
        if replica.open.get(&record).filter(stays).is_some() {
            // Why is in what was left out.
            if replica.foreign.is_outside(&record) {
                replica.foreign.let_in(record);
                self.taken_in.insert(record);
                self.ours.insert(record, true);
                if let Some(open) = replica.open.get(&record) {
                    self.touch(open);
                }
            }
            self.outcome.wants.entry(link).or_default().insert(record);
        }
    }

    /// The bytes of a record that left this seat go; a stub stays.
    fn let_go(&mut self, record: RecordId, proven: Sum, replica: &mut Replica, now: Moment) {
        let Some(open) = replica.open.get_mut(&record) else { return };
        let has_left = matches!(open.row.state, RecordState::Hidden { .. });
        if !has_left || proven != open.held_sum() || self.touched.contains_key(&record) {
            return; // It came back meanwhile, or more of it came, which has to be proven first.
        }
        replica.hidden.remove(&record);
        self.touch(open);
        let history = open.leaves.history();
        let seq = history.seq(replica.writer.actor);
        if seq > 0 {
            replica.parted.insert(record, seq);
        }
        let reason = history.changes().last().map(|c| c.note.reason.clone()).unwrap_or_default();
        let own_last = (seq > 0).then_some((replica.writer.actor, seq));
        let mut stub = Open::new(&open.row.preimage, replica.catalogue);
        stub.row.scope = open.row.scope.clone();
        stub.row.state = RecordState::Stub(Stub { since_ms: now.wall_ms, reason, own_last });
        stub.is_stored = open.is_stored;
        *open = stub;
        self.transaction.dropped.push(record);
    }

    fn renew(&mut self, incarnation: Incarnation, replica: &mut Replica) {
        replica.writer.renew(incarnation);
        // What the old one wrote in records that were let go is no longer in the way.
        replica.parted.clear();
        replica.actors.insert(replica.writer.actor, replica.seat);
        self.transaction.incarnation = Some(incarnation);
        self.renewed = Some(incarnation);
        self.outcome.notices.push(crate::effect::Notice::NewIncarnation(incarnation));
    }
}

/// The record that a command made.
fn made_by(done: &Done) -> Option<RecordId> {
    done.result.get("record")?.parse().ok()
}

/// Whether what this incarnation wrote last in the record was excluded: it stood on what another equivocated about. Its
/// next change would have a seq that it has used, so the incarnation changes first.
pub(super) fn is_overtaken(write: &RecordWrite, replica: &Replica) -> bool {
    let actor = replica.writer.actor;
    let is_excluded = |open: &Open| open.leaves.last_of(actor) > open.leaves.history().seq(actor);
    !replica.parted.contains_key(&write.record) && replica.open.get(&write.record).is_some_and(is_excluded)
}

/// The leaf that a write becomes, if it will count; its commit is not known yet.
pub(super) fn draft(
    write: &RecordWrite,
    note: &Note,
    replica: &Replica,
    now: Moment,
    seal: &mut Seal<'_>,
) -> Result<(Leaf, Preimage), Refusal> {
    let new;
    let leaves = match (replica.open.get(&write.record), &write.create) {
        (Some(open), _) => &open.leaves,
        (None, Some(preimage)) => {
            new = Leaves::new(preimage.clone(), replica.catalogue.kind(&preimage.kind));
            &new
        }
        (None, None) => return Err(Refusal::not_here(write.record)),
    };
    let change = write.change(leaves.history(), replica.writer.actor, now.wall_ms, note.clone(), seal)?;
    let kind_version = leaves.kind().map_or(0, |kind| kind.version);
    let leaf = Leaf {
        // Known when it gets its place in a commit.
        hash: LeafHash([0; 32]),
        commit_seq: 0,
        record: write.record,
        kind_version,
        // Known when the batch is sealed; the feed entry gets it then.
        commit: CommitId([0; 32]),
        author: replica.node,
        incarnation: replica.writer.incarnation,
        cited: replica.directory.head(),
        directory_index: replica.directory.len().saturating_sub(1),
        change: Arc::new(change),
    };
    match leaves.foresee(&leaf, &replica.directory) {
        Ok(()) => Ok((leaf, leaves.preimage().clone())),
        Err(_) => Err(Refusal::not_admitted(write.record)),
    }
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

/// A node writes only once its own directory enrols it: what it signed before, everybody would refuse.
pub(super) fn not_enrolled(node: NodeId) -> Refusal {
    Refusal::new(
        "not_enrolled",
        (
            format!("本节点 {} 尚未列入名录。", node.short()),
            format!("This node, {}, is not in its directory yet.", node.short()),
        ),
        ("其他节点会拒绝它签署的记录。", "Other nodes would refuse what it signs."),
        ("请等待与上级连通,或由县级登记本节点。", "Wait for a link to a superior, or have the county enrol it."),
    )
}

/// What a fenced node writes counts nowhere.
pub(super) fn fenced(node: NodeId) -> Refusal {
    Refusal::new(
        "fenced",
        (
            format!("本节点 {} 已被县级隔离。", node.short()),
            format!("This node, {}, has been fenced by the county.", node.short()),
        ),
        ("它写的内容不再生效。", "What it writes does not count any more, anywhere."),
        (
            "如系误判请联系县级;要恢复工作须以新密钥重新加入。",
            "Ask the county; to work again, the machine joins with a new key.",
        ),
    )
}
