//! Own edits that were excluded because of what they stood on. They are written down in the transaction that excludes
//! them; the next batch makes them again as new changes, or says why not and leaves it to people.

use heliu_record::change::Note;
use heliu_record::command::{RecordWrite, Refusal, cannot_seal};
use heliu_record::id::{LeafHash, RecordId};
use heliu_record::reason::{Fact, Reason};
use heliu_storage::{StrandedRow, StrandedState};
use heliu_trust::admission::{ExcludedReason, Status};

use super::super::reissue::{Renamed, is_untried, overwritten, writes};
use super::super::{Replica, Work};
use super::Batch;
use super::working::{draft, is_overtaken};
use crate::effect::{AuditEvent, Done, Moment, Notice, Reply, StrandedAction, Ticket};

/// Why an edit is not made again.
enum Not {
    /// This incarnation has used the next seq: it changes first.
    Overtaken,
    /// It counts after all.
    Counts,
    Because(Reason),
    /// As a command that says the same would be.
    Refused(Box<Refusal>),
}

impl Batch {
    /// Writes down own edits that this batch excludes, and those that count again.
    pub(super) fn strand(&mut self, replica: &mut Replica, now: Moment) {
        const MISLED: Status = Status::Excluded(ExcludedReason::Predecessor);
        if replica.directory.is_fenced(replica.node) {
            return; // Nothing that it writes counts.
        }
        for record in self.touched.keys() {
            let Some(open) = replica.open.get(record) else { continue };
            let mut count = 0;
            for hash in &open.restated {
                let Some((leaf, status)) = open.leaves.get(hash).filter(|(leaf, _)| leaf.author == replica.node) else {
                    continue;
                };
                // What another process wrote in this one's name is for that one to make again.
                let is_own = replica.meta.incarnations.iter().any(|(own, _)| *own == leaf.incarnation);
                if *status == MISLED && is_own && !replica.stranded.contains_key(hash) {
                    let (reason, state) = (String::new(), StrandedState::Open);
                    let row = StrandedRow { leaf: *hash, record: *record, at_ms: now.wall_ms, state, reason };
                    replica.stranded.insert(*hash, row.clone());
                    self.transaction.stranded.push(row);
                    count += 1;
                } else if *status == Status::Admitted
                    && let Some(row) = replica.stranded.remove(hash)
                {
                    self.transaction.stranded.push(StrandedRow { state: StrandedState::Discarded, ..row });
                }
            }
            if count > 0 {
                self.stranded.insert(*record);
                self.outcome.notices.push(Notice::Stranded { record: *record, count });
            }
        }
    }

    /// Makes edits of a record again, each before those that stood on it.
    pub(super) fn reissue(&mut self, record: RecordId, replica: &mut Replica, now: Moment) {
        let untried = replica.stranded.values().filter(|row| row.record == record && is_untried(row));
        let mut rows: Vec<(u64, StrandedRow)> = untried.map(|row| (place_of(row, replica), row.clone())).collect();
        rows.sort_by_key(|(place, row)| (*place, row.leaf));
        let mut renamed = Renamed::new();
        for (_, row) in rows {
            match self.make_again(&row, Some(&mut renamed), replica, now) {
                Ok(again) => self.close(&row, StrandedState::Reissued(again), replica),
                Err(Not::Counts) => self.close(&row, StrandedState::Discarded, replica),
                Err(Not::Because(why)) => self.left(&row, &why, replica),
                Err(Not::Refused(_)) => self.left(&row, &Reason::new("edit.refused"), replica),
                Err(Not::Overtaken) => {
                    self.put_off.push(Work::Reissue { record });
                    return;
                }
            }
        }
    }

    /// What somebody decided about an edit.
    pub(super) fn stranded_one(
        &mut self,
        ticket: Ticket,
        leaf: LeafHash,
        action: StrandedAction,
        event: AuditEvent,
        replica: &mut Replica,
        now: Moment,
    ) {
        let Some(row) = replica.stranded.get(&leaf).cloned() else {
            self.outcome.replies.push((ticket, Reply::Refused(no_stranded(leaf))));
            return;
        };
        let reply = match action {
            StrandedAction::Discard => {
                self.close(&row, StrandedState::Discarded, replica);
                Reply::Done(Done::default())
            }
            StrandedAction::Reissue => match self.make_again(&row, None, replica, now) {
                Ok(again) => {
                    let affected = vec![row.record];
                    self.close(&row, StrandedState::Reissued(again), replica);
                    Reply::Done(Done { leaves: vec![again], affected, ..Done::default() })
                }
                Err(Not::Counts) => {
                    self.close(&row, StrandedState::Discarded, replica);
                    Reply::Done(Done::default())
                }
                Err(Not::Because(why)) => {
                    self.left(&row, &why, replica);
                    Reply::Refused(not_reissued(leaf))
                }
                Err(Not::Refused(refusal)) => Reply::Refused(*refusal),
                Err(Not::Overtaken) => {
                    self.put_off.push(Work::Stranded { ticket, leaf, action, event });
                    return;
                }
            },
        };
        if !matches!(reply, Reply::Refused(_)) {
            self.audit(event, replica, now);
        }
        self.outcome.replies.push((ticket, reply));
    }

    fn close(&mut self, row: &StrandedRow, state: StrandedState, replica: &mut Replica) {
        replica.stranded.remove(&row.leaf);
        self.transaction.stranded.push(StrandedRow { state, ..row.clone() });
    }

    /// It stays, and people read why.
    fn left(&mut self, row: &StrandedRow, why: &Reason, replica: &mut Replica) {
        let row = StrandedRow { reason: why.to_string(), ..row.clone() };
        replica.stranded.insert(row.leaf, row.clone());
        self.transaction.stranded.push(row);
    }

    /// With `renamed`, only where it undoes nothing that somebody has written meanwhile.
    fn make_again(
        &mut self,
        row: &StrandedRow,
        renamed: Option<&mut Renamed>,
        replica: &mut Replica,
        now: Moment,
    ) -> Result<LeafHash, Not> {
        let because = |code: &str| Not::Because(Reason::new(code));
        if replica.damage.contains(row.record) {
            return Err(because("edit.damaged"));
        }
        let open = replica.open.get(&row.record).ok_or_else(|| because("edit.no-record"))?;
        if !open.is_present() {
            return Err(because("edit.record-left"));
        }
        let (leaf, status) = open.leaves.get(&row.leaf).ok_or_else(|| because("edit.not-here"))?;
        match status {
            Status::Excluded(_) => {}
            Status::Admitted => return Err(Not::Counts),
            other => return Err(because(other.code())),
        }
        let write = RecordWrite { record: row.record, create: None, writes: writes(&leaf.change) };
        if replica
            .parted
            .get(&row.record)
            .is_some_and(|parted| *parted > open.leaves.history().seq(replica.writer.actor))
        {
            return Err(because("edit.returning"));
        }
        if let Some(renamed) = &renamed
            && let Some(key) = overwritten(leaf, &open.leaves, renamed)
        {
            return Err(Not::Because(Reason::new("edit.overwritten").and(Fact::Path, key)));
        }
        if is_overtaken(&write, replica) {
            return Err(Not::Overtaken);
        }
        let before = leaf.change.clone();
        let mut note: Note = before.note.clone();
        note.reason = format!("{} ↻ {}", note.reason, row.leaf.short()).trim_start().to_owned();
        let (leaf, preimage) =
            draft(&write, &note, replica, now, &mut cannot_seal).map_err(|refusal| Not::Refused(Box::new(refusal)))?;
        if let Some(renamed) = renamed {
            renamed.extend(before.puts.iter().zip(&leaf.change.puts).map(|(old, new)| (old.id, new.id)));
        }
        Ok(self.place(leaf, &preimage, replica))
    }
}

/// Edits that stand on others come after them.
fn place_of(row: &StrandedRow, replica: &Replica) -> u64 {
    let leaf = replica.open.get(&row.record).and_then(|open| open.leaves.get(&row.leaf));
    leaf.map_or(u64::MAX, |(leaf, _)| leaf.change.start_op)
}

fn no_stranded(leaf: LeafHash) -> Refusal {
    let short = leaf.short();
    Refusal::new(
        "no_stranded",
        (format!("没有待处理的失效改动 {short}。"), format!("There is no open stranded edit {short}.")),
        ("它已被处理,或不在本节点。", "It has been dealt with, or it is not this node's."),
        ("请重新列出后再选。", "List them again."),
    )
}

fn not_reissued(leaf: LeafHash) -> Refusal {
    let short = leaf.short();
    Refusal::new(
        "not_reissued",
        (format!("改动 {short} 不能重写。"), format!("The edit {short} cannot be made again.")),
        ("以现有内容为依据时它不成立。", "It does not hold on top of what is there now."),
        (
            "heliu stranded list 列出原因;请放弃它,并按现状重新办理。",
            "heliu stranded list says why. Discard it, and do what it was for anew.",
        ),
    )
}
