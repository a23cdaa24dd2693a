//! The sending direction of a link: the walk along the feed, what is pushed besides it, and the window of what is not
//! yet acknowledged.
//!
//! The other end's cursor moves only with `through` in a leaves frame, and frames keep their order. So whatever belongs
//! before a position (a whole record for one who joined its audience) is sent before a frame says that position.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use heliu_record::id::RecordId;
use heliu_storage::{Budget, FeedEntry, FeedItem, FeedPage, LeafRow, Position};
use heliu_trust::commit::SignedCommit;

use super::{Link, Out, Peer, Shared};
use crate::effect::{Effect, Notice};
use crate::frame::{DeliveredLeaf, Delivery, Frame, Have, Leaves, limits};
use crate::replica::short_hash;

/// What may be on its way at once. More would only fill buffers; less would idle on a slow line.
const WINDOW_BYTES: usize = 4 * 1024 * 1024;
const WINDOW_FRAMES: usize = 64;
const PAGE: Budget = Budget { entries: 1_024, bytes: 512 * 1024 };
/// Records looked up in one read when they are pushed one by one.
const RECORDS_PER_READ: usize = 256;
/// With more records to push than this, walking the feed is cheaper than looking each up.
const BULK_FROM: usize = 1_024;
/// Bytes that a leaf takes besides its change, about: for the window only.
const LEAF_OVERHEAD: usize = 96;

/// What is to be sent of one record, besides what the walk along the feed brings. Wishes for the same record add up.
#[derive(Clone, Debug, Default)]
pub(super) struct Push {
    leaves: Which,
    /// The other end waits for our list.
    tell: bool,
    /// We wait for the other's list, having sent ours.
    compare: bool,
}

#[derive(Clone, Debug, Default)]
enum Which {
    #[default]
    None,
    /// Those that are not in the other's list: the first eight bytes of each hash.
    Lacking(BTreeSet<[u8; 8]>),
    All,
    /// Whoever may have them: these took the seat of this end out of the audience, and the other missed it.
    These(BTreeSet<[u8; 8]>),
    /// This end left the audience at a position: all up to there that did not come from the other.
    Farewell(Position),
    /// The last that the other is entitled to, then a withdrawal.
    Parting(Last),
}

#[derive(Clone, Debug)]
enum Last {
    /// All up to a position: the record left the other's audience there.
    UpTo(Position),
    These(BTreeSet<[u8; 8]>),
}

/// Who has left the audience of a record, and by which leaves.
pub(crate) enum Parted {
    Us(BTreeSet<[u8; 8]>),
    Them(BTreeSet<[u8; 8]>),
}

impl Push {
    pub fn all() -> Self {
        Push { leaves: Which::All, ..Push::default() }
    }

    pub fn parting(at: Position) -> Self {
        Push { leaves: Which::Parting(Last::UpTo(at)), ..Push::default() }
    }

    pub fn lacking(held: BTreeSet<[u8; 8]>, tell: bool) -> Self {
        Push { leaves: Which::Lacking(held), tell, ..Push::default() }
    }

    /// Our list alone, asking for what we lack.
    pub fn want() -> Self {
        Push { tell: true, ..Push::default() }
    }

    /// Our list, and the other's is to come.
    pub fn compare() -> Self {
        Push { compare: true, ..Push::default() }
    }

    /// Nothing that was wished for is lost: more leaves stand for fewer, and a parting one ends with a withdrawal.
    fn add(&mut self, more: Push) {
        self.tell |= more.tell;
        self.compare |= more.compare;
        let leaves = std::mem::take(&mut self.leaves);
        self.leaves = match (leaves, more.leaves) {
            (Which::Parting(Last::UpTo(a)), Which::Parting(Last::UpTo(b))) => Which::Parting(Last::UpTo(a.max(b))),
            (Which::Parting(last), _) | (_, Which::Parting(last)) => Which::Parting(last),
            (Which::Farewell(at), _) | (_, Which::Farewell(at)) => Which::Farewell(at),
            (Which::These(more), Which::These(leaves)) => Which::These(leaves.union(&more).copied().collect()),
            (Which::These(leaves), _) | (_, Which::These(leaves)) => Which::These(leaves),
            (Which::All, _) | (_, Which::All) => Which::All,
            (_, Which::Lacking(held)) | (Which::Lacking(held), Which::None) => Which::Lacking(held),
            (Which::None, Which::None) => Which::None,
        };
    }
}

enum Reading {
    Walk,
    Bulk,
    Pushes(BTreeMap<RecordId, Push>),
}

/// A walk over the feed from its beginning for a large set of records.
struct Bulk {
    records: BTreeSet<RecordId>,
    at: Position,
    until: Position,
}

#[derive(Default)]
pub(super) struct Sending {
    /// Everything in scope up to here has been sent.
    walked: Position,
    /// The last position that a frame has named.
    told: Position,
    pub acked: Position,
    reading: Option<Reading>,
    pushes: BTreeMap<RecordId, Push>,
    bulk: Option<Bulk>,
    /// Records of which it has been said, since the last reconciliation began, that one of the ends has left them.
    parted: BTreeSet<RecordId>,
    sequence: u64,
    unacknowledged: VecDeque<(u64, usize, Option<Position>)>,
    in_flight_bytes: usize,
}

impl Sending {
    pub fn begin(&mut self, from: Position) {
        (self.walked, self.told, self.acked) = (from, from, from);
    }

    pub fn push(&mut self, record: RecordId, push: Push) {
        self.pushes.entry(record).or_default().add(push);
    }

    /// Queues whole records: one by one if they are few, as a walk over the feed if they are many.
    pub fn push_whole(&mut self, records: Vec<RecordId>, until: Position) {
        if records.len() < BULK_FROM && self.bulk.is_none() {
            records.into_iter().for_each(|record| self.push(record, Push::all()));
        } else {
            let bulk = self.bulk.get_or_insert_with(|| Bulk { records: BTreeSet::new(), at: 0, until });
            bulk.records.extend(records);
            (bulk.at, bulk.until) = (0, until);
        }
    }

    /// Nothing is left to push besides the walk.
    pub fn has_pushed(&self) -> bool {
        self.pushes.is_empty()
            && self.bulk.is_none()
            && !matches!(self.reading, Some(Reading::Bulk | Reading::Pushes(_)))
    }

    pub fn may_part_again(&mut self) {
        self.parted.clear();
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
        if sending.reading.is_some() || sending.is_full() {
            return false;
        }
        if !sending.pushes.is_empty() {
            let rest = match sending.pushes.keys().nth(RECORDS_PER_READ).copied() {
                Some(record) => sending.pushes.split_off(&record),
                None => BTreeMap::new(),
            };
            let now = std::mem::replace(&mut sending.pushes, rest);
            out.effects.push(Effect::ReadLeaves { link: self.id, records: now.keys().copied().collect() });
            sending.reading = Some(Reading::Pushes(now));
        } else if let Some(bulk) = &sending.bulk {
            out.effects.push(Effect::ReadFeed { link: self.id, after: bulk.at, budget: PAGE });
            sending.reading = Some(Reading::Bulk);
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
        let mut push = None;
        for item in page.iter().copied() {
            match &item.entry {
                FeedEntry::Leaf(row) if row.origin == Some(peer.node) => {}
                FeedEntry::Leaf(row) if travels(row, item, peer, shared) => items.push(item),
                FeedEntry::Leaf(_) => {}
                FeedEntry::Rescope { position, record, added, removed } => {
                    if added.contains(&peer.seat) && is_in_scope(item, peer, shared) {
                        push = Some((*record, Push::all()));
                    } else if removed.contains(&peer.seat) {
                        push = Some((*record, Push::parting(*position)));
                    } else if removed.contains(&shared.seat) && is_upward(peer, shared) {
                        push = Some((*record, Push { leaves: Which::Farewell(*position), ..Push::default() }));
                    }
                    if push.is_some() {
                        walked = *position;
                        break;
                    }
                }
            }
        }
        // With a push, the position itself is told only by a later frame: after what belongs before it.
        let through = if push.is_some() { walked - 1 } else { walked };
        self.sending.walked = walked;
        if let Some((record, push)) = push {
            self.sending.push(record, push);
        }
        if !items.is_empty() || through >= self.sending.told + u64::try_from(PAGE.entries).unwrap_or(u64::MAX) {
            self.send_leaves(&items, Some(through), out);
        }
    }

    fn bulk_page(&mut self, page: FeedPage, shared: &Shared<'_>, out: &mut Out) {
        let (Some(peer), Some(bulk)) = (&self.peer, &mut self.sending.bulk) else { return };
        let progressed = page.through > bulk.at;
        bulk.at = page.through;
        let items: Vec<FeedItem> = page
            .items
            .into_iter()
            .filter(|item| matches!(&item.entry, FeedEntry::Leaf(row) if bulk.records.contains(&row.record)))
            .filter(|item| is_in_scope(item, peer, shared))
            .collect();
        if bulk.at >= bulk.until || !progressed {
            self.sending.bulk = None;
        }
        if !items.is_empty() {
            self.send_leaves(&items, None, out);
        }
    }

    fn push_page(&mut self, pushes: &BTreeMap<RecordId, Push>, page: FeedPage, shared: &Shared<'_>, out: &mut Out) {
        let Some(peer) = &self.peer else { return };
        let mut lists: BTreeMap<RecordId, Vec<[u8; 8]>> = BTreeMap::new();
        let mut items = Vec::new();
        for item in page.items {
            let (FeedEntry::Leaf(row), Some(push)) = (&item.entry, pushes.get(&item.entry.record())) else { continue };
            let short = short_hash(&row.hash);
            let goes = match &push.leaves {
                Which::None => false,
                Which::Lacking(held) => !held.contains(&short) && travels(row, &item, peer, shared),
                Which::All => travels(row, &item, peer, shared),
                Which::These(leaves) | Which::Parting(Last::These(leaves)) => leaves.contains(&short),
                Which::Farewell(at) => row.position <= *at && row.origin != Some(peer.node),
                Which::Parting(Last::UpTo(limit)) => row.position <= *limit,
            };
            if is_in_scope(&item, peer, shared) {
                lists.entry(row.record).or_default().push(short);
            }
            if goes {
                items.push(item);
            }
        }
        for page in chunk_by_bytes(items) {
            self.send_leaves(&page, None, out);
        }
        self.send_lists(pushes, &mut lists, out);
        for (record, push) in pushes {
            if matches!(push.leaves, Which::Parting(_)) {
                self.send(Frame::Withdraw { record: *record }, out);
            }
        }
    }

    /// Our lists for those records where the other waits for ours, or where we want something ourselves.
    fn send_lists(
        &mut self,
        pushes: &BTreeMap<RecordId, Push>,
        lists: &mut BTreeMap<RecordId, Vec<[u8; 8]>>,
        out: &mut Out,
    ) {
        let mut take = |wanted: &dyn Fn(&Push) -> bool| -> Vec<(RecordId, Vec<[u8; 8]>)> {
            let records = pushes.iter().filter(|(_, push)| wanted(push)).map(|(record, _)| *record);
            records.map(|record| (record, lists.remove(&record).unwrap_or_default())).collect()
        };
        let compared = take(&|push| push.compare);
        let told = take(&|push| push.tell && !push.compare);
        for (records, reply) in [(compared, true), (told, false)] {
            for chunk in chunk_lists(records) {
                self.send(Frame::Have(Have { records: chunk, reply }), out);
            }
        }
    }

    fn send_leaves<I: Borrow<FeedItem>>(&mut self, items: &[I], through: Option<Position>, out: &mut Out) {
        let bytes = items.iter().map(|item| item_bytes(item.borrow())).sum::<usize>() + LEAF_OVERHEAD;
        let (delivery, damaged) = pack(items);
        // Whoever lacks them for that finds the sums unequal; it is no reason to send nothing else.
        out.effects.extend(damaged.into_iter().map(Effect::Notice));
        let sending = &mut self.sending;
        sending.sequence += 1;
        sending.told = through.unwrap_or(sending.told);
        sending.unacknowledged.push_back((sending.sequence, bytes, through));
        sending.in_flight_bytes += bytes;
        let sequence = sending.sequence;
        self.verifying.unsettle();
        self.send(Frame::Leaves(Leaves { sequence, delivery, through }), out);
    }

    /// Says how far the walk has come although nothing was in scope, so that the other's cursor does not stay behind.
    pub(super) fn tell_position(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let sending = &self.sending;
        if sending.told < sending.walked && sending.is_quiet(shared.meta.head) && !self.reconciling.is_going_on() {
            self.send_position(sending.walked, out);
        }
    }

    pub(super) fn send_position(&mut self, position: Position, out: &mut Out) {
        self.send_leaves::<FeedItem>(&[], Some(position), out);
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
        self.pump(shared, out);
    }

    /// These leaves took an end of this link out of a record's audience, and the other end has missed them. Said once
    /// per reconciliation, or the two ends would go on telling each other.
    pub fn part(&mut self, record: RecordId, leaves: Parted, shared: &Shared<'_>, out: &mut Out) {
        if !self.sending.parted.insert(record) {
            return;
        }
        let leaves = match leaves {
            Parted::Us(leaves) => Which::These(leaves),
            Parted::Them(leaves) => Which::Parting(Last::These(leaves)),
        };
        self.sending.push(record, Push { leaves, ..Push::default() });
        self.pump(shared, out);
    }

    pub(super) fn on_have(&mut self, have: Have, shared: &Shared<'_>, out: &mut Out) {
        // A list that asks for ours answers ours as well, if that is on its way.
        self.reconciling.answered(have.records.iter().map(|(record, _)| record));
        for (record, held) in have.records {
            self.sending.push(record, Push::lacking(held.into_iter().collect(), have.reply));
        }
        self.pump(shared, out);
    }
}

/// Both ends may have the record.
pub(super) fn is_in_scope(item: &FeedItem, peer: &Peer, shared: &Shared<'_>) -> bool {
    let seats = shared.directory.seats();
    item.scope.has_audience(peer.seat, seats) && item.scope.has_audience(shared.seat, seats)
}

/// In scope; or what a seat and its subordinates wrote, which always travels upward, whatever the audience has become.
fn travels(row: &LeafRow, item: &FeedItem, peer: &Peer, shared: &Shared<'_>) -> bool {
    let seats = shared.directory.seats();
    let is_from_here =
        || shared.directory.node(row.author).is_some_and(|author| seats.is_at_or_above(shared.seat, author.seat));
    is_in_scope(item, peer, shared) || (is_upward(peer, shared) && is_from_here())
}

fn is_upward(peer: &Peer, shared: &Shared<'_>) -> bool {
    peer.seat != shared.seat && shared.directory.seats().is_at_or_above(peer.seat, shared.seat)
}

fn item_bytes(item: &FeedItem) -> usize {
    let FeedEntry::Leaf(row) = &item.entry else { return 0 };
    row.change.len() + LEAF_OVERHEAD
}

/// Cuts a page of whole records so that no frame is too large.
fn chunk_by_bytes(items: Vec<FeedItem>) -> Vec<Vec<FeedItem>> {
    let mut chunks: Vec<Vec<FeedItem>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        bytes += item_bytes(&item);
        match chunks.last_mut() {
            Some(chunk) if bytes <= PAGE.bytes && chunk.len() < PAGE.entries => chunk.push(item),
            _ => {
                bytes = item_bytes(&item);
                chunks.push(vec![item]);
            }
        }
    }
    chunks
}

fn chunk_lists(records: Vec<(RecordId, Vec<[u8; 8]>)>) -> Vec<Vec<(RecordId, Vec<[u8; 8]>)>> {
    let mut chunks: Vec<Vec<_>> = Vec::new();
    let mut leaves = 0;
    for record in records {
        leaves += record.1.len();
        match chunks.last_mut() {
            Some(chunk) if leaves <= limits::LEAVES_PER_HAVE && chunk.len() < limits::RECORDS_PER_HAVE => {
                chunk.push(record);
            }
            _ => {
                leaves = record.1.len();
                chunks.push(vec![record]);
            }
        }
    }
    chunks
}

/// Leaves with their commits, each commit once; and what is damaged, and so is not sent.
fn pack(items: &[impl Borrow<FeedItem>]) -> (Delivery, Vec<Notice>) {
    let (mut delivery, mut damaged) = (Delivery::default(), Vec::new());
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for item in items.iter().map(Borrow::borrow) {
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
            change: Arc::clone(&row.change),
        });
    }
    (delivery, damaged)
}
