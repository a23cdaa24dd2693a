//! What a link sends besides the walk along the feed: whole records, what the other end lacks of some, lists of what is
//! held here, and withdrawals. Records are read a few at a time, or, if they are many, in one walk over the whole feed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use heliu_record::gate::Digests;
use heliu_record::id::RecordId;
use heliu_storage::{FeedEntry, FeedItem, FeedPage, LeafRow, Position};

use super::sending::{PAGE, Reading, is_in_scope, travels};
use super::{Link, Out, Peer, Shared};
use crate::effect::{Effect, LinkId};
use crate::frame::{Frame, Have, cut};
use crate::replica::short_hash;

/// Records looked up in one read when they are pushed one by one: at first, and at most. How large they are is known only
/// once they are read.
const RECORDS_PER_READ: usize = 16;
const RECORDS_PER_READ_MAX: usize = 256;
/// With more records to push than this, walking the feed is cheaper than looking each up.
const BULK_FROM: usize = 1_024;
/// Bytes that a leaf takes besides its change, about.
const LEAF_OVERHEAD: usize = 96;
/// What may wait here for records that the other end asks about, in bytes of memory, and what a record and a leaf in a list
/// take of it. The other end may ask without taking what it is sent: then nothing is read, and all of it would wait.
const ASKED_BYTES: usize = 64 * 1024 * 1024;
const ASKED_RECORD: usize = 256;
const ASKED_LEAF: usize = 16;
/// Bytes that may be read in one tick for lists alone, without being sent: to be asked for the list of a long record costs
/// much more than to ask, and a leaf that waits makes this end ask.
const LISTED_BYTES_PER_TICK: usize = 32 * 1024 * 1024;

/// What is to be sent of one record, besides what the walk along the feed brings. Wishes for the same record add up.
#[derive(Clone, Debug, Default)]
pub(super) struct Push {
    leaves: Which,
    /// The other end waits for our list.
    tell: bool,
    /// We wait for the other's list, having sent ours.
    compare: bool,
    /// It has left this seat: the other end is asked whether it has all.
    farewell: bool,
    /// The other end asks whether these are here.
    asked: Option<Asked>,
    /// It has left this seat, and these the other end lacks, whatever else it is to have: once it has acknowledged them, all
    /// is there.
    given: BTreeSet<[u8; 32]>,
}

/// Hashes of leaves and grants that the other end has asked about, and how many it has named.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub hashes: BTreeSet<[u8; 32]>,
    pub covered: u64,
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

    pub fn is_all(&self) -> bool {
        matches!(self.leaves, Which::All)
    }

    pub fn parting(at: Position) -> Self {
        Push { leaves: Which::Parting(Last::UpTo(at)), ..Push::default() }
    }

    pub fn farewell() -> Self {
        Push { farewell: true, ..Push::default() }
    }

    pub fn asked(asked: Asked) -> Self {
        Push { asked: Some(asked), ..Push::default() }
    }

    pub fn given(hashes: BTreeSet<[u8; 32]>) -> Self {
        Push { given: hashes, ..Push::default() }
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

    /// Leaves in the lists that it keeps.
    fn listed(&self) -> usize {
        let leaves = match &self.leaves {
            Which::Lacking(list) | Which::These(list) | Which::Parting(Last::These(list)) => list.len(),
            Which::None | Which::All | Which::Parting(Last::UpTo(_)) => 0,
        };
        // Four times as long as the others.
        leaves + 4 * (self.given.len() + self.asked.as_ref().map_or(0, |asked| asked.hashes.len()))
    }

    /// Nothing that was wished for is lost: more leaves stand for fewer, and a parting one ends with a withdrawal.
    fn add(&mut self, more: Push) {
        self.tell |= more.tell;
        self.compare |= more.compare;
        self.farewell |= more.farewell;
        self.given.extend(more.given);
        if let Some(more) = more.asked {
            let asked = self.asked.get_or_insert_default();
            asked.hashes.extend(more.hashes);
            asked.covered += more.covered;
        }
        let leaves = std::mem::take(&mut self.leaves);
        self.leaves = match (leaves, more.leaves) {
            (Which::Parting(Last::UpTo(a)), Which::Parting(Last::UpTo(b))) => Which::Parting(Last::UpTo(a.max(b))),
            (Which::Parting(last), _) | (_, Which::Parting(last)) => Which::Parting(last),
            (Which::These(more), Which::These(leaves)) => Which::These(leaves.union(&more).copied().collect()),
            (Which::These(leaves), _) | (_, Which::These(leaves)) => Which::These(leaves),
            (Which::All, _) | (_, Which::All) => Which::All,
            (_, Which::Lacking(held)) | (Which::Lacking(held), Which::None) => Which::Lacking(held),
            (Which::None, Which::None) => Which::None,
        };
    }
}

/// A walk over the feed from its beginning for a large set of records.
struct Bulk {
    records: BTreeSet<RecordId>,
    begun: bool,
    at: Position,
    until: Position,
}

/// A frame that has been read and waits for room in the window.
#[derive(Default)]
pub(super) struct Parcel {
    pub items: Vec<FeedItem>,
    pub withdrawn: Vec<RecordId>,
    /// Records of which all that was to be given is in this frame and in those before it.
    pub given: Vec<RecordId>,
}

pub(super) struct Pushing {
    queue: BTreeMap<RecordId, Push>,
    /// Leaves in the lists of `queue`.
    listed: usize,
    /// One after the other.
    bulks: VecDeque<Bulk>,
    /// Nothing more is read before this is on its way.
    backlog: VecDeque<Parcel>,
    records_per_read: usize,
    /// Bytes read since the last tick that were not sent.
    only_listed: usize,
    /// Records of which it has been said, since the last reconciliation began, that one of the ends has left them.
    parted: BTreeSet<RecordId>,
}

impl Default for Pushing {
    fn default() -> Self {
        Pushing {
            queue: BTreeMap::new(),
            listed: 0,
            bulks: VecDeque::new(),
            backlog: VecDeque::new(),
            records_per_read: RECORDS_PER_READ,
            only_listed: 0,
            parted: BTreeSet::new(),
        }
    }
}

impl Pushing {
    pub fn push(&mut self, record: RecordId, push: Push) {
        let queued = self.queue.entry(record).or_default();
        self.listed -= queued.listed();
        queued.add(push);
        self.listed += queued.listed();
    }

    /// Queues whole records: one by one if they are few, as a walk over the feed if they are many.
    pub fn push_whole(&mut self, records: Vec<RecordId>, until: Position) {
        // A walk that has begun may be past what these need.
        if let Some(bulk) = self.bulks.back_mut().filter(|bulk| !bulk.begun) {
            bulk.records.extend(records);
            bulk.until = until;
        } else if records.len() < BULK_FROM {
            records.into_iter().for_each(|record| self.push(record, Push::all()));
        } else {
            let records = records.into_iter().collect();
            self.bulks.push_back(Bulk { records, begun: false, at: 0, until });
        }
    }

    pub fn is_overfull(&self) -> bool {
        self.queue.len() * ASKED_RECORD + self.listed * ASKED_LEAF > ASKED_BYTES
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.bulks.is_empty() && self.backlog.is_empty()
    }

    pub fn allow_parting_again(&mut self) {
        self.parted.clear();
    }

    pub fn next_parcel(&mut self) -> Option<Parcel> {
        self.backlog.pop_front()
    }

    pub fn tick(&mut self) {
        self.only_listed = 0;
    }

    /// Whether nothing more is read in this tick.
    pub fn has_read_enough(&self) -> bool {
        self.only_listed > LISTED_BYTES_PER_TICK
    }

    /// What is to be read next, if anything is left to push.
    pub fn next_read(&mut self, link: LinkId) -> Option<(Effect, Reading)> {
        if !self.queue.is_empty() {
            let rest = match self.queue.keys().nth(self.records_per_read).copied() {
                Some(record) => self.queue.split_off(&record),
                None => BTreeMap::new(),
            };
            let now = std::mem::replace(&mut self.queue, rest);
            self.listed -= now.values().map(Push::listed).sum::<usize>();
            let records = now.keys().copied().collect();
            return Some((Effect::ReadLeaves { link, records }, Reading::Pushes(now)));
        }
        let bulk = self.bulks.front_mut()?;
        bulk.begun = true;
        Some((Effect::ReadFeed { link, after: bulk.at, budget: PAGE }, Reading::Bulk))
    }

    /// A read has shown how large records are here.
    fn learn(&mut self, bytes: usize) {
        self.records_per_read = if bytes > PAGE.bytes {
            (self.records_per_read / 2).max(1)
        } else {
            (self.records_per_read * 2).min(RECORDS_PER_READ_MAX)
        };
    }
}

impl Link {
    pub(super) fn bulk_page(&mut self, page: FeedPage, shared: &Shared<'_>, out: &mut Out) {
        let (Some(peer), Some(bulk)) = (&self.peer, self.sending.pushing.bulks.front_mut()) else { return };
        let progressed = page.through > bulk.at;
        bulk.at = page.through;
        let items: Vec<FeedItem> = page
            .items
            .into_iter()
            .filter(|item| hash_of(&item.entry).is_some() && bulk.records.contains(&item.entry.record()))
            .filter(|item| is_in_scope(item, peer, shared))
            .collect();
        if bulk.at >= bulk.until || !progressed {
            self.sending.pushing.bulks.pop_front();
        }
        if !items.is_empty() {
            self.send_leaves(&items, Vec::new(), None, out);
        }
    }

    pub(super) fn push_page(
        &mut self,
        pushes: &BTreeMap<RecordId, Push>,
        page: FeedPage,
        shared: &Shared<'_>,
        out: &mut Out,
    ) {
        let Some(peer) = &self.peer else { return };
        let read: usize = page.items.iter().map(item_bytes).sum();
        self.sending.pushing.learn(read);
        let mut lists: BTreeMap<RecordId, Vec<[u8; 8]>> = BTreeMap::new();
        let mut here: BTreeMap<RecordId, Vec<[u8; 32]>> = BTreeMap::new();
        let mut items = Vec::new();
        for item in page.items {
            let (Some(hash), Some(push)) = (hash_of(&item.entry), pushes.get(&item.entry.record())) else { continue };
            let short = short_hash(&hash);
            if push.farewell || push.asked.is_some() {
                here.entry(item.entry.record()).or_default().push(hash);
            }
            let position = item.entry.position();
            let goes = match &push.leaves {
                Which::None => false,
                Which::Lacking(held) => !held.contains(&short) && travels(&item, peer, shared),
                Which::All => travels(&item, peer, shared),
                Which::These(leaves) | Which::Parting(Last::These(leaves)) => leaves.contains(&short),
                Which::Parting(Last::UpTo(limit)) => position <= *limit,
            };
            let goes = goes || push.given.contains(&hash);
            // What goes by another declaration here is welcome again from whoever may say something else of it.
            if may_untag(&item, peer, shared) {
                self.verifying.doubt();
            } else if is_in_scope(&item, peer, shared) {
                lists.entry(item.entry.record()).or_default().push(short);
            }
            if goes {
                items.push(item);
            }
        }
        self.sending.pushing.only_listed += read - items.iter().map(item_bytes).sum::<usize>();
        let parting = pushes.iter().filter(|(_, push)| matches!(push.leaves, Which::Parting(_)));
        let withdrawn: Vec<RecordId> = parting.map(|(record, _)| *record).collect();
        let backlog = &mut self.sending.pushing.backlog;
        let frames = cut(items, PAGE.entries, item_bytes);
        backlog.extend(frames.into_iter().map(|items| Parcel { items, ..Parcel::default() }));
        let given = pushes.iter().filter(|(_, push)| !push.given.is_empty());
        let given: Vec<RecordId> = given.map(|(record, _)| *record).collect();
        if !withdrawn.is_empty() || !given.is_empty() {
            backlog.push_back(Parcel { items: Vec::new(), withdrawn, given });
        }
        self.send_lists(pushes, &mut lists, out);
        let asked = pushes.iter().filter_map(|(record, push)| Some((*record, push.asked.clone()?)));
        self.answer_possession(asked.collect(), &here, out);
        let left = pushes.iter().filter(|(_, push)| push.farewell).map(|(record, _)| *record);
        self.ask_possession(left.map(|record| (record, here.remove(&record).unwrap_or_default())).collect(), out);
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
            for records in Have::cut(records) {
                self.send(Frame::Have(Have { records, reply }), out);
            }
        }
    }

    /// These leaves took an end of this link out of a record's audience, and the other end has missed them. Said once
    /// per reconciliation, or the two ends would go on telling each other.
    pub fn part(&mut self, record: RecordId, leaves: Parted, shared: &Shared<'_>, out: &mut Out) {
        let pushing = &mut self.sending.pushing;
        if !pushing.parted.insert(record) {
            return;
        }
        let leaves = match leaves {
            Parted::Us(leaves) => Which::These(leaves),
            Parted::Them(leaves) => Which::Parting(Last::These(leaves)),
        };
        pushing.push(record, Push { leaves, ..Push::default() });
        self.pump(shared, out);
    }

    pub(super) fn on_have(&mut self, have: Have, shared: &Shared<'_>, out: &mut Out) {
        // A list that asks for ours answers ours as well, if that is on its way.
        self.reconciling.answered(have.records.iter().map(|(record, _)| record));
        for (record, held) in have.records {
            self.sending.push(record, Push::lacking(held.into_iter().collect(), have.reply));
        }
        if self.sending.pushing.is_overfull() {
            return self.protocol_error("more was asked for than can wait until it is taken", out);
        }
        self.pump(shared, out);
    }
}

/// Whether a leaf goes by another declaration than this program's own, and the other end may say something else of it: it
/// declares it in yet another way, or not at all. Of two ends that do not know the kind neither asks the other.
fn may_untag(item: &FeedItem, peer: &Peer, shared: &Shared<'_>) -> bool {
    let FeedEntry::Leaf(LeafRow { declared: Some(tag), kind_version, .. }) = &item.entry else { return false };
    let of = |kinds: &Digests| kinds.get(&item.preimage.kind, *kind_version);
    let (own, theirs) = (of(shared.kinds), of(&peer.hello.kinds));
    own != Some(*tag) && theirs != Some(*tag) && (own.is_some() || theirs.is_some())
}

fn hash_of(entry: &FeedEntry) -> Option<[u8; 32]> {
    match entry {
        FeedEntry::Leaf(row) => Some(row.hash.0),
        FeedEntry::Grant(row) => Some(row.hash.0),
        FeedEntry::Rescope { .. } => None,
    }
}

fn item_bytes(item: &FeedItem) -> usize {
    LEAF_OVERHEAD + item.entry.change_len()
}
