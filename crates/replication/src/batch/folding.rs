//! The second stage: each touched record is folded once, its row is written anew, and a changed audience becomes a
//! feed entry.

use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_storage::{FeedEntry, Listed, Position, RecordState};

use super::lookup::LookedUp;
use super::sealing;
use crate::effect::Moment;
use crate::journal::Delta;
use crate::parts::Parts;
use crate::records::{Before, Open};

pub(super) fn fold(parts: &mut Parts, looked_up: &mut LookedUp, delta: &mut Delta, now: Moment) {
    let statuses = parts.records.restate(&mut delta.transaction.feed);
    delta.transaction.statuses.extend(statuses);
    for record in parts.records.touched() {
        fold_record(record, parts, delta);
        sealing::give_keys(record, parts, delta, now);
        write_row(record, parts, looked_up, delta, now);
    }
    sealing::keep_keys(parts, delta, now);
}

fn fold_record(record: RecordId, parts: &mut Parts, delta: &mut Delta) {
    let authority = &parts.authority;
    let (seats, seats_before) = (authority.seats(), authority.seats_before());
    let Some((open, before)) = parts.records.fold(&record, authority.directory()) else { return };
    let is_gone = open.is_gone();
    let has_moved = authority.has_grown() || before.scope != open.row.scope;
    if is_gone {
        return;
    }
    if has_moved && before.counted.is_some() {
        let (added, removed) = audience_change((&before.scope, seats_before), (&open.row.scope, seats));
        if !added.is_empty() || !removed.is_empty() {
            delta.transaction.feed.push(FeedEntry::Rescope { position: 0, record, added, removed });
        }
    }
    open.row.state = if open.row.scope.has_audience(parts.own.seat, seats) {
        parts.leaving.show(&record);
        RecordState::Present
    } else {
        // Where in the feed that is, is known when it is sealed.
        parts.leaving.hide(record, Position::MAX);
        RecordState::Hidden { since: delta.entries() }
    };
}

/// The row is written as it is now.
fn write_row(record: RecordId, parts: &mut Parts, looked_up: &mut LookedUp, delta: &mut Delta, now: Moment) {
    let came_by = parts.records.came_by(&record);
    let Some((open, before)) = parts.records.folded(&record) else { return };
    open.row.held = open.held_sum();
    parts.unjudged.note(&open.row, now.tick_ms);
    let refs = open.record.as_ref().map(|r| r.view.refs.clone()).unwrap_or_default();
    if before.refs.as_ref() != Some(&refs) {
        delta.transaction.refs.push((record, refs.iter().copied().collect()));
    }
    looked_up.refers(record, refs);
    delta.transaction.listed.extend(listed(open, before));
    if open.row.waiting
        && open.is_present()
        && let Some(link) = came_by
    {
        delta.outcome.links.wants.entry(link).or_default().insert(record);
    }
    delta.transaction.records.push(open.row.clone());
}

/// What is listed of a record, if that is not as it was.
fn listed(open: &Open, before: &Before) -> Option<Listed> {
    let kind = open.leaves.kind();
    let owners = Listed::owners(&open.row);
    let (is_nowhere, is_where_it_was) = (owners.is_empty(), before.listed.as_ref() == Some(&owners));
    if is_where_it_was && (is_nowhere || before.view == open.row.view) {
        return None;
    }
    // The row's view is the folded one, which need not be read once more.
    let folded = open.record.as_ref().filter(|_| !is_nowhere).map(|record| &record.view.json);
    let cells = kind.zip(folded).map(|(kind, view)| kind.cells(view)).unwrap_or_default();
    if is_where_it_was && kind.map(|kind| kind.cells_stored(&before.view)).unwrap_or_default() == cells {
        return None;
    }
    Some(Listed::of(&open.row, before.listed.clone(), cells))
}

/// Seats that joined and that left an audience, each side with the tree that it is read by. A record that became public
/// is news to everybody who did not have it.
fn audience_change(before: (&Scope, &Seats), after: (&Scope, &Seats)) -> (Vec<SeatId>, Vec<SeatId>) {
    if before.0.public != after.0.public {
        let others = |(scope, seats): (&Scope, &Seats)| {
            seats.iter().map(|s| s.id).filter(|s| !scope.has_audience(*s, seats)).collect()
        };
        return if after.0.public { (others(before), Vec::new()) } else { (Vec::new(), others(after)) };
    }
    let (old, new) = (before.0.audience(before.1), after.0.audience(after.1));
    (new.difference(&old).copied().collect(), old.difference(&new).copied().collect())
}
