//! What was read from the store. What of it is not as it was written is reported and set aside, and the batch goes on without
//! it, or writes it anew.

use std::collections::BTreeSet;

use heliu_record::id::{RecordId, to_hex};
use heliu_record::reason::Fact;
use heliu_storage::{FeedEntry, Loaded, RecordState};

use super::reporting::{part, report, tell};
use super::{checking, sealing};
use crate::effect::Moment;
use crate::health::Lost;
use crate::journal::{Delta, Work};
use crate::parts::Parts;
use crate::records::{Counted, Damaged, Lost as LostEntry, Open};

/// A record that the store had. `is_settled`: what the batch changes is decided, so that nothing is mended in it.
pub(super) fn read(loaded: Loaded, is_settled: bool, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    let row = &loaded.row;
    if loaded.spoilt.is_none() && row.state == RecordState::Erased && !parts.statements.is_erased(row.id) {
        // No such word of its own: only a tombstone erases.
        let counted = Counted::from(row);
        return lose_row(row.id, Some(counted), "it says to be erased, and nothing erased it", parts, delta, now);
    }
    let forged = checking::forged(&loaded, parts, delta, now);
    match Open::load(loaded, parts.authority.directory(), &forged, parts.own.catalogue) {
        Ok(open) => opened(open, is_settled, parts, delta, now),
        Err(Damaged::Entries(open, kept, lost)) => lose_entries(*open, kept, &lost, is_settled, parts, delta, now),
        Err(Damaged::Misnamed(wrong, own)) => misnamed(wrong, own, parts, delta, now),
        Err(Damaged::Row(record, counted, why)) => {
            lose_row(record, counted.map(|counted| *counted), &why, parts, delta, now);
        }
    }
}

/// What a record counted for cannot be told, unless that is nothing.
fn doubt(record: RecordId, parts: &mut Parts) {
    if !parts.health.damage.is_uncounted(record) {
        parts.scopes.recount.doubt(&record);
    }
}

/// Nothing of this record can be used but, perhaps, what it counted for.
pub(super) fn lose_row(
    record: RecordId,
    counted: Option<Counted>,
    why: &str,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) {
    tell(record, why, &part("row"), delta, now);
    doubt(record, parts);
    let counted = counted.filter(|_| !parts.health.damage.is_uncounted(record));
    parts.health.damage.found(record, Lost::Row(counted));
}

/// What is found by one id is another record: the row's id has rotted, or somebody changed it.
fn misnamed(wrong: RecordId, own: RecordId, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    doubt(own, parts);
    let facts = part("id").and(Fact::Found, wrong.short()).and(Fact::Expected, own.short());
    tell(own, &format!("its row has the id {}", wrong.short()), &facts, delta, now);
    delta.later(Work::Rename { wrong, own });
}

/// The row of a record gets its own id again. Perhaps a link has brought the record meanwhile: then there are two, and
/// they become one.
pub(super) fn rename(wrong: RecordId, own: RecordId, parts: &mut Parts, delta: &mut Delta) {
    if parts.health.damage.is_uncounted(wrong) && !parts.records.is_open(&own) {
        parts.health.damage.leave_uncounted(own);
    }
    parts.health.damage.count_again(wrong);
    delta.transaction.renamed.push((wrong, own));
    // Its row stands elsewhere from now on: counting has perhaps been there, or has not.
    parts.scopes.recount.begin_again();
    // When that is done.
    delta.later(Work::Check { record: own });
}

/// A record was read from the store. If its row is not what was written, or does not follow from its leaves, it is
/// written anew.
fn opened(mut open: Open, is_settled: bool, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    let record = open.id();
    open.is_stored = !parts.health.damage.is_uncounted(record);
    let spoilt = open.spoilt.take();
    let directory = parts.authority.directory();
    if is_settled || parts.authority.has_grown() {
        // What this batch changes is settled, or judged by another directory than the row.
        if spoilt.is_some() {
            delta.later(Work::Check { record });
        }
        return parts.records.take_in(open, directory);
    }
    // What is judged in another way now, by a later version of this program, is no damage.
    let is_restated = !open.restated.is_empty() || open.is_outdated();
    let contradiction = || open.contradicts(parts.own.seat, directory).filter(|_| !is_restated);
    let contradicted = |what| (format!("its {what} is not what its leaves say"), part(what));
    let why = spoilt.map(|why| (why, part("row"))).or_else(|| contradiction().map(contradicted));
    if let Some((why, facts)) = &why {
        tell(record, why, facts, delta, now);
        doubt(record, parts);
    }
    let is_checked = parts.health.patrol.checks(&record);
    let is_to_wrap = is_checked && sealing::prove(&open, parts);
    let directory = parts.authority.directory();
    if why.is_some() || is_to_wrap || (is_restated && is_checked) {
        parts.records.mend(open, directory);
    } else {
        parts.records.take_in(open, directory);
    }
}

/// Some entries of this record cannot be read, the rest is open. The store is told to drop all and to keep the rest
/// at the end of the feed: it no longer claims to hold the lost ones, so links find them missing and bring them.
fn lose_entries(
    mut open: Open,
    kept: Vec<FeedEntry>,
    lost: &[LostEntry],
    is_settled: bool,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) {
    let record = open.id();
    open.is_stored = !parts.health.damage.is_uncounted(record);
    if let Some(why) = open.spoilt.take() {
        tell(record, &why, &part("row"), delta, now);
        doubt(record, parts);
    }
    for LostEntry { leaf, id, bytes, why } in lost {
        let what = if leaf.is_some() { "leaf" } else { "grant" };
        let facts = part(what).and(Fact::Id, to_hex(&id[..4]));
        report(*id, record, (why, &facts), bytes, delta, now);
    }
    let leaves: BTreeSet<_> = lost.iter().filter_map(|lost| lost.leaf).collect();
    if !leaves.is_empty() {
        parts.health.damage.found(record, Lost::Leaves(leaves));
    }
    if is_settled {
        // It is read no more in this batch, and the next one mends it.
        return delta.later(Work::Mend { record });
    }
    delta.transaction.dropped.push(record);
    for entry in kept {
        if let FeedEntry::Leaf(row) = &entry {
            open.positions.insert(row.hash, None);
        }
        delta.transaction.feed.push(entry);
    }
    parts.records.mend(open, parts.authority.directory());
}
