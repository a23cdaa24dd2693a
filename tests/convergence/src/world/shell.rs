//! What the shell of a node does with effects: reads and writes on the disk after a delay, sending, answering.

use heliu_record::command::Request;
use heliu_record::id::{LeafHash, RecordId};
use heliu_replication::effect::Done;
use heliu_replication::frame::RefuseCode;
use heliu_replication::serving::carry_out;
use heliu_replication::{Effect, Input, LinkId, Notice, Reply, Ticket};
use heliu_storage::{FeedEntry, RecordState, StoreError, Transaction};
use heliu_trust::directory::SignedEntry;

use super::disk::ready;
use super::{Event, World, words_of, words_of_record};
use crate::chance::{Matter, Stream};
use crate::invariants::Violation;

/// How long it may take until a machine hears that another one was replaced: what that one had proven stands until then.
const WORD_MS: u64 = 3_000;

impl World {
    pub(super) fn effect(&mut self, machine: usize, effect: Effect) {
        self.tally.ground.effect(&effect);
        match effect {
            Effect::Send { link, frame } => self.send(machine, link, frame),
            Effect::Close { link, why } => {
                let name = &self.machines[machine].name;
                self.trace.say(self.now, || format!("{name}: ends a link: {}", why.reason));
                self.close(machine, link);
            }
            Effect::Reply { ticket, reply } => self.reply(machine, ticket, reply),
            Effect::Notice(notice) => self.notice(machine, &notice),
            Effect::Look { .. } if !self.patrols => {}
            Effect::GoOn if !self.habits.pipelined => {}
            Effect::GoOn => {
                let life = self.machines[machine].life;
                self.due(self.now, Event::Answer { machine, life, input: Input::GoOn });
            }
            effect => {
                self.machines[machine].is_applying |= matches!(effect, Effect::Apply(_));
                let life = self.machines[machine].life;
                let wait = self.delay(Stream::of(Matter::Disk, machine), self.habits.store_ms);
                self.due(self.now + wait, Event::Carry { machine, life, effect });
            }
        }
    }

    /// For tests of the checks: as if an engine had wanted this.
    pub fn carries_out(&mut self, machine: usize, effect: Effect) {
        self.carry(machine, effect);
    }

    /// Does on the disk what an effect says; the engine hears of it later, if it still runs then.
    pub(super) fn carry(&mut self, machine: usize, effect: Effect) {
        self.tally.scans += u64::from(matches!(effect, Effect::Scan { .. }));
        let is_load = matches!(effect, Effect::Load(_));
        self.tally.loads += u64::from(is_load);
        let is_beside = is_load && self.machines[machine].is_applying;
        self.tally.beside += u64::from(is_beside);
        let life = self.machines[machine].life;
        let strikes = self.habits.strikes;
        if is_beside && strikes > 0 && self.chance.chance(Stream::of(Matter::Strike, machine), strikes) {
            if let Some(input) = self.strike(machine) {
                self.due(self.now, Event::Answer { machine, life, input });
                return;
            }
            if !self.machines[machine].runs() {
                return;
            }
        }
        let input = match effect {
            Effect::Apply(transaction) => Input::Applied(self.apply(machine, &transaction)),
            effect => match ready(carry_out(&self.machines[machine].disk.store, effect)) {
                Some(input) => input,
                None => return,
            },
        };
        let wait = self.delay(Stream::of(Matter::Disk, machine), self.habits.store_ms);
        self.due(self.now + wait, Event::Answer { machine, life, input });
    }

    fn apply(&mut self, machine: usize, transaction: &Transaction) -> Result<(), StoreError> {
        let is_kept = |record: &RecordId| transaction.feed.iter().any(|entry| entry.record() == *record);
        for record in transaction.dropped.iter().filter(|record| !is_kept(record)) {
            self.last_copies(machine, *record);
        }
        self.machines[machine].disk.apply(transaction).inspect_err(|error| {
            if !matches!(error, StoreError::Full { .. }) {
                let what = format!("{} handed over what no store takes: {error}", self.machines[machine].name);
                self.broken.push(Violation::new("I6", what));
            }
        })?;
        self.trace.applied(self.now, machine, transaction);
        for entry in &transaction.directory {
            self.county.learn(&SignedEntry::decode(entry).expect("an engine stores what can be read"));
        }
        if !transaction.feed.is_empty() || !transaction.statements.is_empty() || !transaction.erased.is_empty() {
            (self.machines[machine].moved_at, self.machines[machine].has_moved) = (self.now, true);
        }
        self.tally.transactions += 1;
        for entry in &transaction.feed {
            if let FeedEntry::Leaf(row) = entry {
                self.tally.ground.status(row.status);
            }
        }
        self.tally.restated += transaction.statuses.len() as u64;
        self.machines[machine].incarnations.extend(transaction.incarnation);
        self.ledger.durable(machine, &self.machines[machine], &self.county, transaction);
        Ok(())
    }

    /// A machine lets go of a record: another one has all of it. One that said so may have been replaced by an older copy
    /// since, before word of that came here.
    fn last_copies(&mut self, machine: usize, record: RecordId) {
        // By the disks: an engine hears of its own tombstone a little later.
        let mut rows = self.machines.iter().filter_map(|at| at.disk.row(record));
        let is_erased = rows.any(|row| row.state == RecordState::Erased);
        if self.machines[machine].is_hostile || self.has_hostile_superior(machine) || is_erased {
            return;
        }
        let leaves = self.machines[machine].disk.line.get(&record).cloned().unwrap_or_default();
        let others = || self.machines.iter().enumerate().filter(|(other, at)| *other != machine && !at.is_retired);
        let is_elsewhere = |leaf: &LeafHash| others().any(|(_, at)| at.disk.holds(&record, leaf));
        for leaf in leaves.iter().filter(|leaf| !is_elsewhere(leaf)) {
            let Some(known) = self.ledger.leaf(leaf) else { continue };
            let was_just_lost = known.lost_at.is_some_and(|at| at + WORD_MS >= self.now);
            if was_just_lost {
                continue;
            }
            let what = format!(
                "{} lets go of leaf {} of {}, which nobody else has",
                self.machines[machine].name,
                leaf.short(),
                words_of_record(&known.preimage)
            );
            self.broken.push(Violation::new("I3", what));
        }
    }

    fn reply(&mut self, machine: usize, ticket: Ticket, reply: Reply) {
        let Some(request) = self.machines[machine].asked.remove(&ticket) else {
            // No person asked for it, but an administrator or a new machine.
            let name = &self.machines[machine].name;
            self.trace.say(self.now, || format!("{name}: {reply:?}"));
            self.replies.insert(ticket, reply);
            return;
        };
        let name = self.machines[machine].name.clone();
        match &reply {
            Reply::Done(done) => {
                self.trace.say(self.now, || {
                    let again = if done.again { " (again)" } else { "" };
                    let leaves: Vec<String> = done.leaves.iter().map(heliu_record::id::LeafHash::short).collect();
                    format!("{name}: {} is done{again}: leaves {}", request.name, leaves.join(", "))
                });
                self.tally.count_command(&request.name);
                self.acknowledged(machine, &request, done);
            }
            Reply::Refused(refusal) => {
                self.trace.say(self.now, || format!("{name}: {} is refused: {}", request.name, refusal.code));
                self.tally.refused += 1;
                let is_misdated = self.machines[machine].is_believed && refusal.code == "date_out_of_range";
                self.tally.misdated += u64::from(is_misdated);
            }
            Reply::BadEntries(_)
            | Reply::Revealed(_)
            | Reply::Joined
            | Reply::JoinRefused { .. }
            | Reply::Drafted { .. }
            | Reply::Requeued(_) => {
                let what = format!("{name} answered {} with {reply:?}", request.name);
                self.broken.push(Violation::new("I1", what));
            }
            Reply::StoreFailed(error) => {
                self.trace.say(self.now, || format!("{name}: the store failed: {error}"));
                self.machines[machine].unanswered.push(request);
            }
        }
        self.replies.insert(ticket, reply);
    }

    /// Whatever is acknowledged is durable, and the same command is answered the same.
    fn acknowledged(&mut self, machine: usize, request: &Request, done: &Done) {
        let at = &mut self.machines[machine];
        for leaf in &done.leaves {
            let is_erased = |record| at.disk.row(record).is_some_and(|row| row.state == RecordState::Erased);
            let is_here = |record| at.disk.holds(&record, leaf) || is_erased(record);
            let known = self.ledger.leaf(leaf).is_some_and(|known| is_here(known.record));
            if !known && !done.again {
                let what = format!("{} acknowledged leaf {} before it was durable", at.name, leaf.short());
                self.broken.push(Violation::new("I1", what));
            }
        }
        let before = at.answered.insert(request.id, done.clone());
        if before.is_some_and(|before| *done != Done { again: true, ..before }) {
            let what = format!("{} carried out {} twice", at.name, words_of(request));
            self.broken.push(Violation::new("I4", what));
        }
        self.ledger.acknowledged(&done.leaves);
        if self.chance.chance(Stream::of(Matter::Repeat, machine), self.habits.repeats) {
            self.tally.repeated += 1;
            self.ask(machine, request.clone());
        }
    }

    fn notice(&mut self, machine: usize, notice: &Notice) {
        let is_honest = |link: &LinkId| self.is_link_honest(machine, *link);
        let name = &self.machines[machine].name;
        match notice {
            Notice::SumsDiffer { .. } => self.tally.sums_differ += 1,
            Notice::JudgedDifferently { link, .. } if is_honest(link) => {
                let what = format!("{name} holds the same leaves as a peer and judges them differently");
                self.broken.push(Violation::new("I2", what));
            }
            Notice::Reconciled { .. } => self.tally.reconciled += 1,
            Notice::RefusedHere { count, .. } => self.tally.refused_leaves += *count as u64,
            Notice::NewIncarnation(_) => self.tally.renewed += 1,
            Notice::LinkClosed { link, why, .. } => {
                let is_honest = is_honest(link);
                self.tally.closed += 1;
                if why.code == RefuseCode::Protocol && is_honest {
                    let what = format!("{name} ends a link between honest nodes: {}", why.reason);
                    self.broken.push(Violation::new("I12", what));
                }
            }
            Notice::JudgedDifferently { .. }
            | Notice::KindsDiffer { .. }
            | Notice::LinkVerified { .. }
            | Notice::RefusedThere { .. }
            | Notice::StoreFailed(_) => {}
            Notice::Erased { .. } => self.tally.erased += 1,
            Notice::AuditForked { .. } => self.tally.audit_forks += 1,
            Notice::StatementRefused { link, code, reason, .. } if is_honest(link) => {
                let what = format!("{name} refused a statement of an honest node: {code}: {reason}");
                self.broken.push(Violation::new("I12", what));
            }
            Notice::FalseClaim { link, .. } if is_honest(link) => {
                let what = format!("{name} was told by an honest node of commits that nobody can show");
                self.broken.push(Violation::new("I10", what));
            }
            Notice::StatementRefused { .. } | Notice::FalseClaim { .. } => {}
            Notice::DirectoryForked { .. } | Notice::Equivocation { .. } | Notice::Stranded { .. } => {}
            Notice::SumsCorrected { scopes } if !self.is_spoilt => {
                let what = format!("{name} kept of {scopes} scopes what their records do not come to");
                self.broken.push(Violation::new("I12", what));
            }
            Notice::SumsCorrected { .. } => self.tally.corrected += 1,
            Notice::Damaged { record, why } if !self.is_spoilt => {
                let what = format!("{name} tells of damage in {} that nobody did: {why}", record.short());
                self.broken.push(Violation::new("I2", what));
            }
            Notice::Damaged { .. } => self.tally.damaged += 1,
        }
        self.trace.say(self.now, || format!("{name}: {notice:?}"));
    }
}
