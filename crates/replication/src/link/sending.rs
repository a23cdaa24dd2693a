//! The sending direction of a link: the walk along the feed, and the window of what is not yet acknowledged. What is sent
//! besides the walk is in [`pushing`](super::pushing).
//!
//! The other end's cursor moves only with `through` in a leaves frame, and frames keep their order. So whatever belongs
//! before a position (a whole record for one who joined its audience) is sent before a frame says that position.

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use heliu_record::id::RecordId;
use heliu_storage::{FeedEntry, FeedItem, FeedPage, Position};
use heliu_trust::commit::SignedCommit;

use super::line::{Line, Out, Shared, breach};
use super::pushing::{Parted, Payload, Push, Pushing, Read, Reading, Wishes};
use super::scope::{PAGE, is_in_scope, is_upward, origin, travels};
use crate::effect::{Effect, Notice};
use crate::frame::limits::{WINDOW_BYTES, WINDOW_FRAMES};
use crate::frame::{DeliveredGrant, DeliveredLeaf, Delivery, Frame, Leaves, Refuse};

/// How often, in ticks of about a second, a position is told that nobody waits for. Each costs the other end a write.
const TELL_TICKS: u32 = 60;

/// What the store is reading for this link.
#[derive(Default)]
enum Asked {
    #[default]
    Nothing,
    Walk,
    Pushing(Reading),
}

/// What was sent, or was found on the way.
#[derive(Default)]
pub(super) struct Sent {
    /// Something went out, that the other end does not have yet.
    pub is_news: bool,
    /// Records that left this seat, as the walk found.
    pub left: Vec<RecordId>,
    /// Records of which all that was to be given is out.
    pub given: Vec<RecordId>,
    pub read: Option<Read>,
}

/// What there was to send.
pub(super) enum Next {
    /// Something went out without a read: there may be more.
    Sent(Sent),
    /// The window is full, or something is being read.
    Waits,
    /// Nothing but what the walk brings.
    Nothing,
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
    acked: Position,
    reading: Asked,
    pushing: Pushing,
    sequence: u64,
    unacknowledged: VecDeque<(u64, usize, Option<Position>)>,
    in_flight_bytes: usize,
}

impl Sending {
    pub fn begin(&mut self, from: Position) {
        (self.walked, self.told, self.acked) = (from, from, from);
    }

    pub fn push(&mut self, wishes: Wishes) {
        wishes.into_iter().for_each(|(record, push)| self.pushing.push(record, push));
    }

    /// As [`Sending::push`], of what the other end asks for: it may ask without taking what it is sent.
    pub fn push_asked(&mut self, wishes: Wishes) -> Result<(), Refuse> {
        self.push(wishes);
        if self.pushing.is_overfull() {
            return Err(breach("more was asked for than can wait until it is taken"));
        }
        Ok(())
    }

    /// Whole records, as they are up to a position.
    pub fn push_whole(&mut self, records: Vec<RecordId>, until: Position) {
        self.pushing.push_whole(records, until);
    }

    /// See [`Pushing::part`].
    pub fn part(&mut self, record: RecordId, leaves: Parted) -> bool {
        self.pushing.part(record, leaves)
    }

    /// A reconciliation begins.
    pub fn allow_parting_again(&mut self) {
        self.pushing.allow_parting_again();
    }

    /// Nothing is left to push besides the walk.
    pub fn has_pushed(&self) -> bool {
        self.pushing.is_empty() && !matches!(self.reading, Asked::Pushing(_))
    }

    /// Everything up to `position` has been sent by other means than the walk: that is said.
    pub fn jump_to(&mut self, position: Position, line: &Line, out: &mut Out) {
        self.walked = self.walked.max(position);
        self.say_position(line, out);
    }

    pub fn acked(&self) -> Position {
        self.acked
    }

    /// The number of the last frame that went out.
    pub fn last(&self) -> u64 {
        self.sequence
    }

    pub fn is_quiet(&self, head: Position) -> bool {
        self.walked >= head
            && self.has_pushed()
            && matches!(self.reading, Asked::Nothing)
            && self.unacknowledged.is_empty()
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

    /// Sends what has been read, or starts the next read, if one is due and the window has room. One read is under way at a
    /// time.
    pub fn next(&mut self, line: &Line, out: &mut Out) -> Next {
        if self.is_full() {
            return Next::Waits;
        }
        if let Some(Payload { items, withdrawn, given }) = self.pushing.next_payload() {
            let is_news = self.send(&items, withdrawn, None, line, out);
            return Next::Sent(Sent { is_news, given, ..Sent::default() });
        }
        if !matches!(self.reading, Asked::Nothing) || self.pushing.has_read_enough() {
            return Next::Waits;
        }
        match self.pushing.next_read(line.id) {
            Some((effect, reading)) => {
                out.effects.push(effect);
                self.reading = Asked::Pushing(reading);
                Next::Waits
            }
            None => Next::Nothing,
        }
    }

    /// Walks on, when there is nothing else to send.
    pub fn walk(&mut self, line: &Line, shared: &Shared<'_>, out: &mut Out) -> Next {
        if self.walked >= shared.head() {
            return Next::Nothing;
        }
        if let Some((items, through)) = shared.feed.tail.page(self.walked, shared.head(), PAGE) {
            return Next::Sent(self.walk_page(&items, through, line, shared, out));
        }
        out.effects.push(Effect::ReadFeed { link: line.id, after: self.walked, budget: PAGE });
        self.reading = Asked::Walk;
        Next::Waits
    }

    /// What the store has read.
    pub fn page(&mut self, page: FeedPage, line: &Line, shared: &Shared<'_>, out: &mut Out) -> Sent {
        // Whoever lacks what is damaged finds the sums unequal; it is no reason to send nothing else.
        let damaged = page.damaged.iter().filter_map(|entry| Some((entry.record?, entry.detail.clone())));
        out.effects.extend(damaged.map(|(record, why)| Effect::Notice(Notice::Damaged { record, why })));
        match std::mem::take(&mut self.reading) {
            Asked::Nothing => Sent::default(),
            Asked::Walk => self.walk_page(&page.items.iter().collect::<Vec<_>>(), page.through, line, shared, out),
            Asked::Pushing(Reading::Bulk) => {
                let items = self.pushing.bulk_page(page, line, shared);
                let is_news = !items.is_empty() && self.send(&items, Vec::new(), None, line, out);
                Sent { is_news, ..Sent::default() }
            }
            Asked::Pushing(Reading::Records(pushes)) => {
                let read = Some(self.pushing.page(&pushes, page, line, shared, out));
                Sent { read, ..Sent::default() }
            }
        }
    }

    /// Entries that follow one another, and up to where they look.
    fn walk_page(
        &mut self,
        page: &[&FeedItem],
        through: Position,
        line: &Line,
        shared: &Shared<'_>,
        out: &mut Out,
    ) -> Sent {
        let mut sent = Sent::default();
        let Some(peer) = &line.peer else { return sent };
        let mut items = Vec::new();
        let mut walked = through;
        let mut pushes: BTreeMap<RecordId, Push> = BTreeMap::new();
        let mut first_push = None;
        for item in page.iter().copied() {
            match &item.entry {
                entry if origin(entry) == Some(peer.node) => self.returned = true,
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
                        let has_left = removed.contains(&shared.own.seat) && shared.leaving.contains_key(record);
                        if has_left && is_upward(peer, shared) {
                            sent.left.push(*record);
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
        self.walked = walked;
        self.push(pushes.into_iter().collect());
        if !items.is_empty() || through >= self.told + u64::try_from(PAGE.entries).unwrap_or(u64::MAX) {
            sent.is_news = self.send(&items, Vec::new(), Some(through), line, out);
        }
        sent
    }

    /// Returns whether there is something in it that the other end may not have.
    fn send<I: Borrow<FeedItem>>(
        &mut self,
        items: &[I],
        withdrawn: Vec<RecordId>,
        through: Option<Position>,
        line: &Line,
        out: &mut Out,
    ) -> bool {
        let (delivery, damaged) = pack(items);
        // Whoever lacks them for that finds the sums unequal; it is no reason to send nothing else.
        out.effects.extend(damaged.into_iter().map(Effect::Notice));
        self.sequence += 1;
        if let Some(through) = through {
            (self.told, self.told_ticks, self.returned) = (through, 0, false);
        }
        let leaves = Leaves { sequence: self.sequence, delivery, withdrawn, through };
        let bytes = leaves.bytes();
        self.unacknowledged.push_back((leaves.sequence, bytes, through));
        self.in_flight_bytes += bytes;
        let is_news = !leaves.is_empty();
        line.send(Frame::Leaves(leaves), out);
        is_news
    }

    /// Once per tick. Returns whether the position is to be told: how far the walk has come although nothing was in scope, so
    /// that the other's cursor does not stay behind. At once if it has no cursor yet, if what came from it was passed, or if
    /// somebody here wants to verify.
    pub fn tick(&mut self, is_waited_for: bool) -> bool {
        self.told_ticks = self.told_ticks.saturating_add(1);
        let has_cursor = self.told > 0;
        !has_cursor || is_waited_for || self.returned || self.told_ticks >= TELL_TICKS
    }

    /// A tick has passed, and what may be read in one may be read again.
    pub fn read_again(&mut self) {
        self.pushing.tick();
    }

    /// Tells the position, if it has not been told and everything else is out.
    pub fn tell_position(&mut self, line: &Line, shared: &Shared<'_>, out: &mut Out) {
        if !self.has_told() && self.is_quiet(shared.head()) {
            self.say_position(line, out);
        }
    }

    fn say_position(&mut self, line: &Line, out: &mut Out) {
        self.send::<FeedItem>(&[], Vec::new(), Some(self.walked), line, out);
    }

    /// The other end has everything in frames up to this one durably.
    pub fn acknowledge(&mut self, sequence: u64) -> Result<(), Refuse> {
        if sequence > self.sequence {
            return Err(breach("an ack for a frame that was not sent"));
        }
        while let Some((first, bytes, through)) = self.unacknowledged.front().copied()
            && first <= sequence
        {
            self.unacknowledged.pop_front();
            self.in_flight_bytes -= bytes;
            self.acked = self.acked.max(through.unwrap_or(0));
        }
        Ok(())
    }
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
