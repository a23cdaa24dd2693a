//! The second stage: each touched record is folded once, its row is written anew, and a changed audience becomes a
//! feed entry.

use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_storage::{FeedEntry, RecordState};
use heliu_trust::directory::Directory;

use super::super::Replica;
use super::Batch;

impl Batch {
    pub(super) fn fold(&mut self, replica: &mut Replica) {
        self.update_statuses(replica);
        let touched: Vec<RecordId> = self.touched.keys().copied().collect();
        for record in touched {
            self.fold_record(record, replica);
            self.wrap_keys(record, replica);
            self.write_row(record, replica);
        }
    }

    /// What later leaves of the batch made of earlier ones, and of those that are stored already.
    fn update_statuses(&mut self, replica: &mut Replica) {
        for entry in &mut self.transaction.feed {
            if let FeedEntry::Leaf(row) = entry
                && let Some(status) = replica.open.get(&row.record).and_then(|open| open.status(&row.hash))
            {
                row.status = status;
            }
        }
        let head = replica.meta.head;
        for record in self.touched.keys() {
            let Some(open) = replica.open.get_mut(record) else { continue };
            for leaf in std::mem::take(&mut open.restated) {
                if let (Some(at), Some(status)) = (open.positions.get(&leaf), open.status(&leaf))
                    && *at <= head
                {
                    self.transaction.statuses.push((*at, status));
                }
            }
        }
    }

    fn fold_record(&mut self, record: RecordId, replica: &mut Replica) {
        let (Some(open), Some(before)) = (replica.open.get_mut(&record), self.touched.get(&record)) else { return };
        let seats = replica.directory.seats();
        let seats_before = self.grown_from.as_ref().map_or(seats, Directory::seats);
        if self.unfolded.remove(&record) {
            open.fold(seats);
        }
        let is_gone = open.is_gone();
        open.derive(&replica.directory);
        let has_moved = self.grown_from.is_some() || before.scope != open.row.scope;
        if has_moved || before.counted.is_none() {
            replica.strangers.replace(record, &before.scope, &open.row.scope, seats);
        }
        if has_moved && before.counted.is_some() && !is_gone {
            let (added, removed) = audience_change((&before.scope, seats_before), (&open.row.scope, seats));
            if !added.is_empty() || !removed.is_empty() {
                self.head += 1;
                let position = self.head;
                self.transaction.feed.push(FeedEntry::Rescope { position, record, added, removed });
            }
        }
        if !is_gone {
            open.row.state = if open.row.scope.has_audience(replica.seat, seats) {
                replica.hidden.remove(&record);
                RecordState::Present
            } else {
                replica.hidden.insert(record, self.head);
                RecordState::Hidden { since: self.head }
            };
        }
    }

    /// The row is written as it is now, and counted.
    fn write_row(&mut self, record: RecordId, replica: &mut Replica) {
        let (Some(open), Some(before)) = (replica.open.get_mut(&record), self.touched.get(&record)) else { return };
        let seats = replica.directory.seats();
        let seats_before = self.grown_from.as_ref().map_or(seats, Directory::seats);
        open.row.held = open.held_sum();
        replica.unjudged.note(&open.row, self.tick_ms);
        let refs = open.record.as_ref().map(|r| r.view.refs.clone()).unwrap_or_default();
        if before.refs.as_ref() != Some(&refs) {
            self.transaction.refs.push((record, refs.iter().copied().collect()));
        }
        for target in &refs {
            self.looked.referred.entry(*target).or_default().insert(record);
        }
        self.looked.refs.insert(record, refs);
        if open.row.waiting
            && open.is_present()
            && let Some(link) = self.came_by.get(&record)
        {
            self.outcome.wants.entry(*link).or_default().insert(record);
        }
        let counted = before.counted.as_ref().map(|before| (before, seats_before));
        // What is outside counts for nothing where it is compared.
        let was_outside = replica.foreign.is_outside(&record);
        let is_outside = (was_outside || self.left_out.contains_key(&record)) && !self.taken_in.contains(&record);
        let now = open.counted();
        let (counted, now) = (counted.filter(|_| !was_outside), (!is_outside).then_some((&now, seats)));
        replica.sums.replace(record, counted, now, replica.seat);
        self.transaction.records.push(open.row.clone());
    }
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
