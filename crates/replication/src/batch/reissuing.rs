//! Own edits that were excluded because of what they stood on. They are written down in the transaction that excludes
//! them; the next batch makes them again as new changes, or says why not and leaves it to people.

use heliu_record::change::Note;
use heliu_record::command::{RecordWrite, Refusal, cannot_seal};
use heliu_record::id::{LeafHash, RecordId};
use heliu_record::reason::{Fact, Reason};
use heliu_storage::{StrandedRow, StrandedState};
use heliu_trust::admission::{ExcludedReason, Status};

use super::writing::{draft, is_overtaken, is_returning, place};
use crate::effect::{AuditEvent, Done, Moment, Notice, Reply, StrandedAction, Ticket};
use crate::journal::{Delta, Work};
use crate::parts::Parts;
use crate::records::{Renamed, overwritten, writes};

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

/// Writes down own edits that this batch excludes, and those that count again.
pub(super) fn strand(parts: &mut Parts, delta: &mut Delta, now: Moment) {
    const MISLED: Status = Status::Excluded(ExcludedReason::Predecessor);
    let node = parts.own.node;
    if parts.authority.directory().is_fenced(node) {
        return; // Nothing that it writes counts.
    }
    for record in parts.records.before().keys() {
        let Some(open) = parts.records.get(record) else { continue };
        let mut count = 0;
        for hash in &open.restated {
            let Some((leaf, status)) = open.leaves.get(hash).filter(|(leaf, _)| leaf.author == node) else {
                continue;
            };
            // What another process wrote in this one's name is for that one to make again.
            let is_own = parts.journal.is_own(leaf.incarnation);
            if *status == MISLED && is_own && parts.stranded.get(hash).is_none() {
                let (reason, state) = (String::new(), StrandedState::Open);
                let row = StrandedRow { leaf: *hash, record: *record, at_ms: now.wall_ms, state, reason };
                parts.stranded.find(row.clone());
                delta.transaction.stranded.push(row);
                count += 1;
            } else if *status == Status::Admitted
                && let Some(row) = parts.stranded.close(hash)
            {
                delta.transaction.stranded.push(StrandedRow { state: StrandedState::Discarded, ..row });
            }
        }
        if count > 0 {
            delta.notice(Notice::Stranded { record: *record, count });
        }
    }
}

/// Makes edits of a record again, each before those that stood on it. Returns what has to wait for a new incarnation.
pub(super) fn reissue(record: RecordId, parts: &mut Parts, delta: &mut Delta, now: Moment) -> Option<Work> {
    let untried = parts.stranded.untried_of(record);
    let mut rows: Vec<(u64, StrandedRow)> = untried.map(|row| (place_of(row, parts), row.clone())).collect();
    rows.sort_by_key(|(place, row)| (*place, row.leaf));
    let mut renamed = Renamed::new();
    for (_, row) in rows {
        match make_again(&row, Some(&mut renamed), parts, delta, now) {
            Ok(again) => close(&row, StrandedState::Reissued(again), parts, delta),
            Err(Not::Counts) => close(&row, StrandedState::Discarded, parts, delta),
            Err(Not::Because(why)) => leave(&row, &why, parts, delta),
            Err(Not::Refused(_)) => leave(&row, &Reason::new("edit.refused"), parts, delta),
            Err(Not::Overtaken) => return Some(Work::Reissue { record }),
        }
    }
    None
}

/// What somebody decided about an edit. Returns what has to wait for a new incarnation.
pub(super) fn decide(
    ticket: Ticket,
    leaf: LeafHash,
    action: StrandedAction,
    event: AuditEvent,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) -> Option<Work> {
    let Some(row) = parts.stranded.get(&leaf).cloned() else {
        delta.refuse(ticket, no_stranded(leaf));
        return None;
    };
    let reply = match action {
        StrandedAction::Discard => {
            close(&row, StrandedState::Discarded, parts, delta);
            Reply::Done(Done::default())
        }
        StrandedAction::Reissue => match make_again(&row, None, parts, delta, now) {
            Ok(again) => {
                let affected = vec![row.record];
                close(&row, StrandedState::Reissued(again), parts, delta);
                Reply::Done(Done { leaves: vec![again], affected, ..Done::default() })
            }
            Err(Not::Counts) => {
                close(&row, StrandedState::Discarded, parts, delta);
                Reply::Done(Done::default())
            }
            Err(Not::Because(why)) => {
                leave(&row, &why, parts, delta);
                Reply::Refused(not_reissued(leaf))
            }
            Err(Not::Refused(refusal)) => Reply::Refused(*refusal),
            Err(Not::Overtaken) => return Some(Work::Stranded { ticket, leaf, action, event }),
        },
    };
    if !matches!(reply, Reply::Refused(_)) {
        delta.audit(event, now.wall_ms);
    }
    delta.reply(ticket, reply);
    None
}

fn close(row: &StrandedRow, state: StrandedState, parts: &mut Parts, delta: &mut Delta) {
    parts.stranded.close(&row.leaf);
    delta.transaction.stranded.push(StrandedRow { state, ..row.clone() });
}

/// It stays, and people read why.
fn leave(row: &StrandedRow, why: &Reason, parts: &mut Parts, delta: &mut Delta) {
    let row = StrandedRow { reason: why.to_string(), ..row.clone() };
    parts.stranded.leave(row.clone());
    delta.transaction.stranded.push(row);
}

/// With `renamed`, only where it undoes nothing that somebody has written meanwhile.
fn make_again(
    row: &StrandedRow,
    renamed: Option<&mut Renamed>,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) -> Result<LeafHash, Not> {
    let because = |code: &str| Not::Because(Reason::new(code));
    if parts.health.damage.contains(row.record) {
        return Err(because("edit.damaged"));
    }
    let open = parts.records.get(&row.record).ok_or_else(|| because("edit.no-record"))?;
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
    if is_returning(&write, parts) {
        return Err(because("edit.returning"));
    }
    if let Some(renamed) = &renamed
        && let Some(key) = overwritten(leaf, &open.leaves, renamed)
    {
        return Err(Not::Because(Reason::new("edit.overwritten").and(Fact::Path, key)));
    }
    if is_overtaken(&write, parts) {
        return Err(Not::Overtaken);
    }
    let before = leaf.change.clone();
    let mut note: Note = before.note.clone();
    note.reason = format!("{} ↻ {}", note.reason, row.leaf.short()).trim_start().to_owned();
    let (leaf, preimage) =
        draft(&write, &note, parts, now, &mut cannot_seal).map_err(|refusal| Not::Refused(Box::new(refusal)))?;
    if let Some(renamed) = renamed {
        renamed.extend(before.puts.iter().zip(&leaf.change.puts).map(|(old, new)| (old.id, new.id)));
    }
    Ok(place(leaf, &preimage, parts, delta))
}

/// Edits that stand on others come after them.
fn place_of(row: &StrandedRow, parts: &Parts) -> u64 {
    let leaf = parts.records.get(&row.record).and_then(|open| open.leaves.get(&row.leaf));
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
