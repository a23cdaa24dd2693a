//! Which leaves that links bring are not taken, because there is too much here of their author, or nothing of him is wanted;
//! see [`super::super::foreign`].

use std::collections::BTreeSet;

use heliu_record::command::Refusal;
use heliu_record::id::{RecordId, SeatId};
use heliu_trust::admission::Leaf;
use heliu_trust::id::NodeId;

use super::super::foreign::{Outside, in_line, weight};
use super::super::{Incoming, Replica};
use super::Batch;
use crate::effect::{AuditEvent, Done, ForeignAction, Moment, Reply, Ticket};

impl Batch {
    /// Somebody of this line has written in records of a frame: they are this seat's business from now on, whoever began
    /// them, and what was left out of them is asked for.
    pub(super) fn find_ours(&mut self, frame: &Incoming, replica: &Replica) {
        let (own, directory) = (replica.seat, &replica.directory);
        for (leaf, ..) in &frame.leaves {
            let is_ours = |seat| in_line(own, seat, directory.seats());
            if directory.node(leaf.author).is_some_and(|author| is_ours(author.seat)) {
                self.ours.insert(leaf.record, true);
                if replica.foreign.is_outside(&leaf.record) || self.left_out.contains_key(&leaf.record) {
                    self.taken_in.insert(leaf.record);
                }
            }
        }
    }

    /// Somebody has decided about an author outside of this line.
    pub(super) fn decide_foreign(
        &mut self,
        ticket: Ticket,
        seat: SeatId,
        action: ForeignAction,
        event: AuditEvent,
        replica: &mut Replica,
        now: Moment,
    ) {
        let seats = replica.directory.seats();
        if in_line(replica.seat, seat, seats) {
            self.outcome.replies.push((ticket, Reply::Refused(of_this_line(&seats.name(seat)))));
            return;
        }
        let is_declined = action == ForeignAction::Decline;
        self.transaction.declined.push((seat, is_declined));
        replica.foreign.decline(seat, is_declined);
        if !is_declined {
            // It is asked for again, and taken as far as there is room.
            let outside = replica.foreign.outside_of(seat).map(|(record, _)| *record);
            let more = self.left_out.iter().filter(|(_, outside)| outside.author == seat).map(|(record, _)| *record);
            let again: BTreeSet<RecordId> = outside.chain(more).collect();
            for open in again.iter().filter_map(|record| replica.open.get(record)) {
                self.touch(open);
            }
            self.taken_in.extend(again);
        }
        self.audit(event, replica, now);
        self.outcome.replies.push((ticket, Reply::Done(Done::default())));
    }

    /// Whether a leaf that is new here is not taken. What a subordinate brings always is: it may let go of what its superior
    /// has acknowledged. What is taken is counted.
    pub(super) fn leave_out(&mut self, leaf: &Leaf, from: NodeId, replica: &mut Replica) -> bool {
        let (own, directory) = (replica.seat, &replica.directory);
        let (Some(author), seats) = (directory.node(leaf.author).map(|node| node.seat), directory.seats()) else {
            return false;
        };
        let is_from_below =
            directory.node(from).is_some_and(|node| node.seat != own && seats.is_at_or_above(own, node.seat));
        if is_from_below || in_line(own, author, seats) || self.learn_if_ours(leaf.record, replica) {
            return false;
        }
        // What is mended was here before.
        let is_mended = replica.damage.counted(leaf.record).is_some();
        // Not half of what comes: who named this seat may have done so with the last leaf.
        if is_mended || self.taking.contains(&leaf.record) || !replica.foreign.is_full_of(author, own, seats) {
            self.taking.insert(leaf.record);
            replica.foreign.took(author, weight(&leaf.change.raw));
            return false;
        }
        let open = replica.open.get(&leaf.record).filter(|open| open.is_stored || !open.leaves.is_empty());
        if let Some(open) = open {
            self.touch(open);
        }
        let scope = open.map(|open| open.row.scope.clone());
        match self.left_out.get_mut(&leaf.record) {
            Some(known) => known.came_by(from),
            None => drop(self.left_out.insert(leaf.record, Outside::new(author, from, scope))),
        }
        true
    }

    /// Whether somebody of this line owns it, or has written in it; remembered for this batch.
    fn learn_if_ours(&mut self, record: RecordId, replica: &Replica) -> bool {
        if let Some(known) = self.ours.get(&record) {
            return *known;
        }
        let (own, directory) = (replica.seat, &replica.directory);
        let seats = directory.seats();
        let is_ours = replica.foreign.is_let_in(&record)
            || replica.open.get(&record).is_some_and(|open| {
                let is_author =
                    |leaf: &Leaf| directory.node(leaf.author).is_some_and(|node| in_line(own, node.seat, seats));
                open.row.scope.owners.iter().any(|owner| in_line(own, *owner, seats))
                    || open.leaves.iter().any(|(leaf, _)| is_author(leaf))
            });
        self.ours.insert(record, is_ours);
        is_ours
    }
}

fn of_this_line(name: &str) -> Refusal {
    Refusal::new(
        "of_this_line",
        (
            format!("{name} 是本席位的上级、下级或本席位。"),
            format!("{name} is a superior or a subordinate of this seat, or the same."),
        ),
        (
            "上下级之间必须互通,不能拒收;能拒收的是其他席位。",
            "Those of one line always take what the others of it write; what others send can be declined.",
        ),
        ("可拒收的席位见 heliu foreign list。", "heliu foreign list shows who can be declined."),
    )
}
