//! What a batch notices of its authors: that somebody signed two commits for one place, and that somebody else writes in
//! this node's name. And what becomes of rows in quarantine.

use std::sync::Arc;

use heliu_record::command::Refusal;
use heliu_record::id::{LeafHash, to_hex};
use heliu_storage::QuarantineRow;
use heliu_trust::admission::{Leaf, Status};
use heliu_trust::commit::SignedCommit;
use heliu_trust::statement::Body;

use super::super::Replica;
use super::super::evidence::place_of;
use super::Batch;
use super::mending::CODE as DAMAGED;
use crate::effect::{AuditEvent, Done, LoadReply, LoadRequest, Moment, Notice, QuarantineAction, Reply, Ticket};

impl Batch {
    /// What it takes to judge whether these commits are the only ones of their places.
    pub(super) fn ask_for_chains(&self, commits: &[Arc<SignedCommit>], replica: &Replica, needed: &mut LoadRequest) {
        for signed in commits {
            let is_looked_up = |place: &_| self.looked.commits_at.contains_key(place);
            replica.evidence.ask(&signed.commit, is_looked_up, needed);
        }
    }

    pub(super) fn take_commits(&mut self, asked: &LoadRequest, reply: &mut LoadReply, replica: &mut Replica) {
        for (author, chains) in std::mem::take(&mut reply.chains) {
            replica.evidence.know(author, &chains);
            self.looked.chains.insert(author, chains);
        }
        for place in &asked.commits_at {
            self.looked.commits_at.entry(*place).or_default();
        }
        for encoded in std::mem::take(&mut reply.commits) {
            // What cannot be read is reported where its leaves are.
            let Ok(signed) = SignedCommit::decode(&encoded) else { continue };
            self.looked.commits_at.entry(place_of(&signed.commit)).or_default().push(Arc::new(signed));
        }
    }

    /// Commits that came, verified: is another of the same place here?
    pub(super) fn witness(&mut self, commits: &[Arc<SignedCommit>], replica: &mut Replica, now: Moment) {
        for signed in commits {
            let place = place_of(&signed.commit);
            let stored = self.looked.commits_at.get(&place).into_iter().flatten();
            let other = stored.chain(self.brought.get(&place)).find(|other| other.id != signed.id).cloned();
            if let Some(other) = other
                && replica.evidence.accuse(place, now.wall_ms)
            {
                let (author, _, seq) = place;
                self.outcome.notices.push(Notice::Equivocation { author, seq });
                self.state(Body::evidence(signed, &other), replica, now);
            }
            replica.evidence.note(place);
            self.brought.entry(place).or_insert_with(|| Arc::clone(signed));
        }
    }

    /// A leaf that came in this node's own name, by an incarnation that this store never had: another machine has its key,
    /// or this one is an old copy.
    pub(super) fn look_for_a_twin(leaf: &Leaf, replica: &mut Replica, now: Moment) {
        let is_own = || replica.meta.incarnations.iter().any(|(own, _)| *own == leaf.incarnation);
        if leaf.author == replica.node && !is_own() {
            replica.evidence.twin_since.get_or_insert(now.tick_ms);
        }
    }

    /// Somebody has decided about a row in quarantine.
    pub(super) fn decide_quarantined(
        &mut self,
        ticket: Ticket,
        id: [u8; 32],
        action: QuarantineAction,
        event: AuditEvent,
        replica: &mut Replica,
        now: Moment,
    ) {
        let Some(Some(row)) = self.looked.quarantined.get(&id).cloned() else {
            self.outcome.replies.push((ticket, Reply::Refused(not_in_quarantine(&id))));
            return;
        };
        let reply = match action {
            QuarantineAction::Drop => {
                self.transaction.unquarantined.push(id);
                replica.quarantine.let_go(&id);
                Reply::Done(Done::default())
            }
            QuarantineAction::Requeue => Reply::Requeued(self.requeue(&row, replica)),
        };
        self.audit(event, replica, now);
        self.looked.quarantined.insert(id, None);
        self.outcome.replies.push((ticket, reply));
    }

    /// Judges a leaf again; what is none is let go, to be taken when a link brings it again. Returns what it is now.
    fn requeue(&mut self, row: &QuarantineRow, replica: &mut Replica) -> String {
        let leaf = LeafHash(row.id);
        let judged = row.record.filter(|_| row.code != DAMAGED).and_then(|record| {
            let open = replica.open.get_mut(&record)?;
            open.leaves.get(&leaf)?;
            self.touch(open);
            let changed = open.leaves.judge_again(&replica.directory);
            open.restated.extend(changed.into_iter().map(|(leaf, _)| leaf));
            open.record = None;
            self.unfolded.insert(record);
            open.leaves.get(&leaf).map(|(_, status)| *status)
        });
        match judged {
            Some(status @ Status::Refused(_)) => status.code().to_owned(),
            other => {
                self.transaction.unquarantined.push(row.id);
                replica.quarantine.let_go(&row.id);
                other.map_or("awaited", Status::code).to_owned()
            }
        }
    }
}

fn not_in_quarantine(id: &[u8; 32]) -> Refusal {
    let short = &to_hex(id)[..8];
    Refusal::new(
        "not_in_quarantine",
        (format!("隔离区中没有 {short}。"), format!("There is no {short} in the quarantine.")),
        ("它已被处理。", "It has been dealt with."),
        ("请重新列出后再选。", "List them again."),
    )
}
