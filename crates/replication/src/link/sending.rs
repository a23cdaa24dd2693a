//! The sending direction of a link: the walk along the feed, and the window of what is not yet acknowledged. What is sent
//! besides the walk is in [`pushing`](super::pushing).
//!
//! The other end's cursor moves only with `through` in a leaves frame, and frames keep their order. So whatever belongs
//! before a position (a whole record for one who joined its audience) is sent before a frame says that position.

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use heliu_record::id::RecordId;
use heliu_storage::{Budget, FeedEntry, FeedItem, FeedPage, Position};
use heliu_trust::commit::SignedCommit;
use heliu_trust::grant::SignedGrant;
use heliu_trust::id::NodeId;

use super::pushing::{Parcel, Push, Pushing};
use super::{Link, Out, Peer, Shared};
use crate::effect::{Effect, Notice};
use crate::frame::limits::{WINDOW_BYTES, WINDOW_FRAMES};
use crate::frame::{DeliveredGrant, DeliveredLeaf, Delivery, Frame, Leaves};

/// How often, in ticks of about a second, a position is told that nobody waits for. Each costs the other end a write.
const TELL_TICKS: u32 = 60;
pub(super) const PAGE: Budget = Budget { entries: 1_024, bytes: 512 * 1024 };

/// What the store has been asked for.
pub(super) enum Reading {
    Walk,
    Bulk,
    Pushes(BTreeMap<RecordId, Push>),
}

#[derive(Default)]
pub(super) struct Sending {
    /// Everything in scope up to here has been sent.
    walked: Position,
    /// The last position that a frame has named, and ticks since.
    told: Position,
    told_ticks: u32,
    /// Since then the walk has passed leaves that came from the other end, which has them: or else another process runs
    /// under its name, and this one has to ask.
    returned: bool,
    pub acked: Position,
    reading: Option<Reading>,
    pub pushing: Pushing,
    sequence: u64,
    unacknowledged: VecDeque<(u64, usize, Option<Position>)>,
    in_flight_bytes: usize,
}

impl Sending {
    pub fn begin(&mut self, from: Position) {
        (self.walked, self.told, self.acked) = (from, from, from);
    }

    pub fn push(&mut self, record: RecordId, push: Push) {
        self.pushing.push(record, push);
    }

    /// Nothing is left to push besides the walk.
    pub fn has_pushed(&self) -> bool {
        self.pushing.is_empty() && !matches!(self.reading, Some(Reading::Bulk | Reading::Pushes(_)))
    }

    /// Everything up to `position` has been sent by other means than the walk.
    pub fn jump_to(&mut self, position: Position) {
        self.walked = self.walked.max(position);
    }

    pub fn is_quiet(&self, head: Position) -> bool {
        self.walked >= head && self.has_pushed() && self.reading.is_none() && self.unacknowledged.is_empty()
    }

    pub fn walked(&self) -> Position {
        self.walked
    }

    /// Whether the other end has been told of everything.
    pub fn has_told(&self) -> bool {
        self.told >= self.walked
    }

    pub fn in_flight_frames(&self) -> usize {
        self.unacknowledged.len()
    }

    pub fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes
    }

    fn is_full(&self) -> bool {
        self.in_flight_bytes >= WINDOW_BYTES || self.unacknowledged.len() >= WINDOW_FRAMES
    }
}

impl Link {
    /// Sends what is at hand and starts the next read, if one is due and the window has room. One read is under way at a
    /// time.
    pub(super) fn pump_sending(&mut self, shared: &Shared<'_>, out: &mut Out) {
        while self.send_next(shared, out) {}
    }

    /// Returns whether something was sent without a read.
    fn send_next(&mut self, shared: &Shared<'_>, out: &mut Out) -> bool {
        let sending = &mut self.sending;
        if sending.is_full() {
            return false;
        }
        if let Some(Parcel { items, withdrawn, given }) = sending.pushing.next_parcel() {
            self.send_leaves(&items, withdrawn, None, out);
            self.note_given(&given, self.sending.sequence);
            return !self.is_closed();
        }
        if sending.reading.is_some() || sending.pushing.has_read_enough() {
            return false;
        }
        if let Some((effect, reading)) = sending.pushing.next_read(self.id) {
            out.effects.push(effect);
            sending.reading = Some(reading);
        } else if self.reconciling.is_going_on() {
            self.finish_reconciling_if_done(shared, out);
        } else if sending.walked < shared.meta.head {
            if let Some((items, through)) = shared.tail.page(sending.walked, shared.meta.head, PAGE) {
                self.walk_page(&items, through, shared, out);
                return true;
            }
            out.effects.push(Effect::ReadFeed { link: self.id, after: sending.walked, budget: PAGE });
            sending.reading = Some(Reading::Walk);
        }
        false
    }

    pub(super) fn sent_page(&mut self, page: FeedPage, shared: &Shared<'_>, out: &mut Out) {
        // Whoever lacks what is damaged finds the sums unequal; it is no reason to send nothing else.
        let damaged = page.damaged.iter().filter_map(|entry| Some((entry.record?, entry.detail.clone())));
        out.effects.extend(damaged.map(|(record, why)| Effect::Notice(Notice::Damaged { record, why })));
        match self.sending.reading.take() {
            Some(Reading::Walk) => self.walk_page(&page.items.iter().collect::<Vec<_>>(), page.through, shared, out),
            Some(Reading::Bulk) => self.bulk_page(page, shared, out),
            Some(Reading::Pushes(pushes)) => self.push_page(&pushes, page, shared, out),
            None => {}
        }
        self.pump(shared, out);
    }

    /// Entries that follow one another, and up to where they look.
    fn walk_page(&mut self, page: &[&FeedItem], through: Position, shared: &Shared<'_>, out: &mut Out) {
        let Some(peer) = &self.peer else { return };
        let mut items = Vec::new();
        let mut walked = through;
        let mut pushes: BTreeMap<RecordId, Push> = BTreeMap::new();
        let mut first_push = None;
        let mut left = Vec::new();
        for item in page.iter().copied() {
            match &item.entry {
                entry if origin(entry) == Some(peer.node) => self.sending.returned = true,
                // The whole record is on its way, this entry with it.
                FeedEntry::Leaf(_) | FeedEntry::Grant(_)
                    if pushes.get(&item.entry.record()).is_some_and(Push::is_all) => {}
                FeedEntry::Leaf(_) | FeedEntry::Grant(_) => {
                    if travels(item, peer, shared) {
                        items.push(item);
                    }
                }
                FeedEntry::Rescope { position, record, added, removed } => {
                    let push = if added.contains(&peer.seat) && is_in_scope(item, peer, shared) {
                        Push::all()
                    } else if removed.contains(&peer.seat) {
                        Push::parting(*position)
                    } else {
                        let has_left = removed.contains(&shared.seat) && shared.leaving.contains_key(record);
                        if has_left && is_upward(peer, shared) {
                            left.push(*record);
                        }
                        continue;
                    };
                    if pushes.contains_key(record) {
                        // Who leaves and comes back is told both, one after the other.
                        walked = *position - 1;
                        break;
                    }
                    pushes.insert(*record, push);
                    first_push = first_push.or(Some(*position));
                }
            }
        }
        // With a push, its position itself is told only by a later frame: after what belongs before it.
        let through = first_push.map_or(walked, |position| position - 1);
        self.sending.walked = walked;
        for (record, push) in pushes {
            self.sending.push(record, push);
        }
        left.into_iter().for_each(|record| self.say_farewell(record));
        if !items.is_empty() || through >= self.sending.told + u64::try_from(PAGE.entries).unwrap_or(u64::MAX) {
            self.send_leaves(&items, Vec::new(), Some(through), out);
        }
    }

    pub(super) fn send_leaves<I: Borrow<FeedItem>>(
        &mut self,
        items: &[I],
        withdrawn: Vec<RecordId>,
        through: Option<Position>,
        out: &mut Out,
    ) {
        let (delivery, damaged) = pack(items);
        // Whoever lacks them for that finds the sums unequal; it is no reason to send nothing else.
        out.effects.extend(damaged.into_iter().map(Effect::Notice));
        let sending = &mut self.sending;
        sending.sequence += 1;
        if let Some(through) = through {
            (sending.told, sending.told_ticks, sending.returned) = (through, 0, false);
        }
        let leaves = Leaves { sequence: sending.sequence, delivery, withdrawn, through };
        let bytes = leaves.bytes();
        sending.unacknowledged.push_back((leaves.sequence, bytes, through));
        sending.in_flight_bytes += bytes;
        if !leaves.is_empty() {
            self.verifying.unsettle();
        }
        self.send(Frame::Leaves(leaves), out);
    }

    /// Once per tick: says how far the walk has come although nothing was in scope, so that the other's cursor does not
    /// stay behind. At once if it has no cursor yet, if what came from it was passed, or if somebody here wants to verify.
    pub(super) fn tell_position(&mut self, shared: &Shared<'_>, out: &mut Out) {
        self.sending.told_ticks = self.sending.told_ticks.saturating_add(1);
        let has_cursor = self.sending.told > 0;
        let is_waited_for = self.verifying.is_wanted() || self.sending.returned;
        if !has_cursor || is_waited_for || self.sending.told_ticks >= TELL_TICKS {
            self.tell_position_now(shared, out);
        }
    }

    pub(super) fn tell_position_now(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let sending = &self.sending;
        if !sending.has_told() && sending.is_quiet(shared.meta.head) && !self.reconciling.is_going_on() {
            self.send_position(sending.walked, out);
        }
    }

    pub(super) fn send_position(&mut self, position: Position, out: &mut Out) {
        self.send_leaves::<FeedItem>(&[], Vec::new(), Some(position), out);
    }

    pub(super) fn on_ack(&mut self, sequence: u64, shared: &Shared<'_>, out: &mut Out) {
        if sequence > self.sending.sequence {
            return self.protocol_error("an ack for a frame that was not sent", out);
        }
        while let Some((first, bytes, through)) = self.sending.unacknowledged.front().copied()
            && first <= sequence
        {
            self.sending.unacknowledged.pop_front();
            self.sending.in_flight_bytes -= bytes;
            self.sending.acked = self.sending.acked.max(through.unwrap_or(0));
        }
        self.given_is_there(sequence, out);
        self.pump(shared, out);
    }
}

/// Both ends may have the record.
pub(super) fn is_in_scope(item: &FeedItem, peer: &Peer, shared: &Shared<'_>) -> bool {
    let seats = shared.directory.seats();
    item.scope.has_audience(peer.seat, seats) && item.scope.has_audience(shared.seat, seats)
}

/// In scope; or what a seat and its subordinates wrote, which always travels upward, whatever the audience has become.
pub(super) fn travels(item: &FeedItem, peer: &Peer, shared: &Shared<'_>) -> bool {
    let seats = shared.directory.seats();
    let is_below =
        |author| shared.directory.node(author).is_some_and(|author| seats.is_at_or_above(shared.seat, author.seat));
    is_in_scope(item, peer, shared) || (is_upward(peer, shared) && author(&item.entry).is_some_and(is_below))
}

fn author(entry: &FeedEntry) -> Option<NodeId> {
    match entry {
        FeedEntry::Leaf(row) => Some(row.author),
        FeedEntry::Grant(row) => SignedGrant::decode(&row.grant).ok().map(|signed| signed.grant.by),
        FeedEntry::Rescope { .. } => None,
    }
}

/// The node that brought an entry.
pub(super) fn origin(entry: &FeedEntry) -> Option<NodeId> {
    match entry {
        FeedEntry::Leaf(row) => row.origin,
        FeedEntry::Grant(row) => row.origin,
        FeedEntry::Rescope { .. } => None,
    }
}

pub(super) fn is_upward(peer: &Peer, shared: &Shared<'_>) -> bool {
    peer.seat != shared.seat && shared.directory.seats().is_at_or_above(peer.seat, shared.seat)
}

/// Grants, and leaves with their commits, each commit once; and what is damaged, and so is not sent.
fn pack(items: &[impl Borrow<FeedItem>]) -> (Delivery, Vec<Notice>) {
    let (mut delivery, mut damaged) = (Delivery::default(), Vec::new());
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for item in items.iter().map(Borrow::borrow) {
        if let FeedEntry::Grant(row) = &item.entry {
            let (preimage, grant) = (Arc::clone(&item.preimage), Arc::clone(&row.grant));
            delivery.grants.push(DeliveredGrant { preimage, grant });
        }
        let (FeedEntry::Leaf(row), Some(encoded)) = (&item.entry, &item.commit) else { continue };
        let commit = match known.get(&row.commit) {
            Some(index) => *index,
            None => match SignedCommit::decode(encoded) {
                Ok(signed) => {
                    delivery.commits.push(Arc::new(signed));
                    known.insert(row.commit, delivery.commits.len() - 1);
                    delivery.commits.len() - 1
                }
                Err(why) => {
                    let why = format!("commit {} cannot be read: {why}", row.commit.short());
                    damaged.push(Notice::Damaged { record: row.record, why });
                    continue;
                }
            },
        };
        delivery.leaves.push(DeliveredLeaf {
            preimage: Arc::clone(&item.preimage),
            commit,
            kind_version: row.kind_version,
            declared: row.declared,
            change: Arc::clone(&row.change),
        });
    }
    (delivery, damaged)
}
