//! What a link sends besides the walk along the feed: whole records, what the other end lacks of some, lists of what is
//! held here, and withdrawals. Records are read a few at a time, or, if they are many, in one walk over the whole feed.
//!
//! What has been read waits here as [`Payload`]s; the window is [`sending`](super::sending)'s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use heliu_record::gate::Digests;
use heliu_record::id::RecordId;
use heliu_storage::{FeedEntry, FeedItem, FeedPage, LeafRow, Position};

use super::line::{Line, Out, Peer, Shared};
use super::scope::{PAGE, is_in_scope, travels};
use crate::effect::{Effect, LinkId};
use crate::frame::{Frame, Have, cut, short_hash};

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
    handing_over: bool,
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

/// What is to be sent of which records.
pub(super) type Wishes = Vec<(RecordId, Push)>;

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

    pub fn handing_over() -> Self {
        Push { handing_over: true, ..Push::default() }
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
        self.handing_over |= more.handing_over;
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
    /// How far it has come; none before it begins.
    at: Option<Position>,
    until: Position,
}

/// What one frame carries that has been read and waits for room in the window.
#[derive(Default)]
pub(super) struct Payload {
    pub items: Vec<FeedItem>,
    pub withdrawn: Vec<RecordId>,
    /// Records of which all that was to be given is in this frame and in those before it.
    pub given: Vec<RecordId>,
}

/// What the store has been asked for.
pub(super) enum Reading {
    Bulk,
    Records(BTreeMap<RecordId, Push>),
}

/// What a read has come to, besides what waits to be sent.
#[derive(Default)]
pub(super) struct Read {
    /// Something is in doubt here that the other end may vouch for.
    pub is_in_doubt: bool,
    /// What the other end asks about, and what is here of it.
    pub asked: Vec<(RecordId, Asked)>,
    pub here: BTreeMap<RecordId, Vec<[u8; 32]>>,
    /// What there is of records that have left this seat.
    pub left: Vec<(RecordId, Vec<[u8; 32]>)>,
}

pub(super) struct Pushing {
    queue: BTreeMap<RecordId, Push>,
    /// Leaves in the lists of `queue`.
    listed: usize,
    /// One after the other.
    bulks: VecDeque<Bulk>,
    /// Nothing more is read before this is on its way.
    backlog: VecDeque<Payload>,
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
        if let Some(bulk) = self.bulks.back_mut().filter(|bulk| bulk.at.is_none()) {
            bulk.records.extend(records);
            bulk.until = until;
        } else if records.len() < BULK_FROM {
            records.into_iter().for_each(|record| self.push(record, Push::all()));
        } else {
            let records = records.into_iter().collect();
            self.bulks.push_back(Bulk { records, at: None, until });
        }
    }

    pub fn is_overfull(&self) -> bool {
        self.queue.len() * ASKED_RECORD + self.listed * ASKED_LEAF > ASKED_BYTES
    }

    /// Nothing is left to push, to read or to send.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.bulks.is_empty() && self.backlog.is_empty()
    }

    pub fn allow_parting_again(&mut self) {
        self.parted.clear();
    }

    pub fn next_payload(&mut self) -> Option<Payload> {
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
            return Some((Effect::ReadLeaves { link, records }, Reading::Records(now)));
        }
        let bulk = self.bulks.front_mut()?;
        let after = *bulk.at.get_or_insert(0);
        Some((Effect::ReadFeed { link, after, budget: PAGE }, Reading::Bulk))
    }

    /// A read has shown how large records are here.
    fn learn(&mut self, bytes: usize) {
        self.records_per_read = if bytes > PAGE.bytes {
            (self.records_per_read / 2).max(1)
        } else {
            (self.records_per_read * 2).min(RECORDS_PER_READ_MAX)
        };
    }

    /// These leaves took an end of the link out of a record's audience, and the other end has missed them. Said once per
    /// reconciliation, or the two ends would go on telling each other. Returns whether it is said now.
    pub fn part(&mut self, record: RecordId, leaves: Parted) -> bool {
        let is_new = self.parted.insert(record);
        if is_new {
            let leaves = match leaves {
                Parted::Us(leaves) => Which::These(leaves),
                Parted::Them(leaves) => Which::Parting(Last::These(leaves)),
            };
            self.push(record, Push { leaves, ..Push::default() });
        }
        is_new
    }

    /// A page of the walk for a large set of records. Returns what is to be sent of it at once.
    pub fn bulk_page(&mut self, page: FeedPage, line: &Line, shared: &Shared<'_>) -> Vec<FeedItem> {
        let (Some(peer), Some(bulk)) = (&line.peer, self.bulks.front_mut()) else { return Vec::new() };
        let progressed = bulk.at.is_none_or(|at| page.through > at);
        bulk.at = Some(page.through);
        let items: Vec<FeedItem> = page
            .items
            .into_iter()
            .filter(|item| hash_of(&item.entry).is_some() && bulk.records.contains(&item.entry.record()))
            .filter(|item| is_in_scope(item, peer, shared))
            .collect();
        if page.through >= bulk.until || !progressed {
            self.bulks.pop_front();
        }
        items
    }

    /// What was read of records. Lists of it are sent at once, what travels waits for room in the window.
    pub fn page(
        &mut self,
        pushes: &BTreeMap<RecordId, Push>,
        page: FeedPage,
        line: &Line,
        shared: &Shared<'_>,
        out: &mut Out,
    ) -> Read {
        let mut result = Read::default();
        let Some(peer) = &line.peer else { return result };
        let read: usize = page.items.iter().map(item_bytes).sum();
        self.learn(read);
        let mut lists: BTreeMap<RecordId, Vec<[u8; 8]>> = BTreeMap::new();
        let here = &mut result.here;
        let mut items = Vec::new();
        for item in page.items {
            let (Some(hash), Some(push)) = (hash_of(&item.entry), pushes.get(&item.entry.record())) else { continue };
            let short = short_hash(&hash);
            if push.handing_over || push.asked.is_some() {
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
            let may_untag = may_untag(&item, peer, shared);
            result.is_in_doubt |= may_untag;
            if !may_untag && is_in_scope(&item, peer, shared) {
                lists.entry(item.entry.record()).or_default().push(short);
            }
            if goes {
                items.push(item);
            }
        }
        self.only_listed += read - items.iter().map(item_bytes).sum::<usize>();
        self.keep(items, pushes);
        send_lists(pushes, &mut lists, line, out);
        let asked = pushes.iter().filter_map(|(record, push)| Some((*record, push.asked.clone()?)));
        result.asked = asked.collect();
        let left = pushes.iter().filter(|(_, push)| push.handing_over).map(|(record, _)| *record);
        let here = &result.here;
        result.left = left.map(|record| (record, here.get(&record).cloned().unwrap_or_default())).collect();
        result
    }

    /// What has been read to be sent waits, with what is to be said behind it.
    fn keep(&mut self, items: Vec<FeedItem>, pushes: &BTreeMap<RecordId, Push>) {
        let frames = cut(items, PAGE.entries, item_bytes);
        self.backlog.extend(frames.into_iter().map(|items| Payload { items, ..Payload::default() }));
        let those = |wanted: fn(&Push) -> bool| -> Vec<RecordId> {
            pushes.iter().filter(|(_, push)| wanted(push)).map(|(record, _)| *record).collect()
        };
        let withdrawn = those(|push| matches!(push.leaves, Which::Parting(_)));
        let given = those(|push| !push.given.is_empty());
        if !withdrawn.is_empty() || !given.is_empty() {
            self.backlog.push_back(Payload { items: Vec::new(), withdrawn, given });
        }
    }
}

/// Our lists for those records where the other waits for ours, or where we want something ourselves.
fn send_lists(
    pushes: &BTreeMap<RecordId, Push>,
    lists: &mut BTreeMap<RecordId, Vec<[u8; 8]>>,
    line: &Line,
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
            line.send(Frame::Have(Have { records, reply }), out);
        }
    }
}

/// Whether a leaf goes by another declaration than this program's own, and the other end may say something else of it: it
/// declares it in yet another way, or not at all. Of two ends that do not know the kind neither asks the other.
fn may_untag(item: &FeedItem, peer: &Peer, shared: &Shared<'_>) -> bool {
    let FeedEntry::Leaf(LeafRow { declared: Some(tag), kind_version, .. }) = &item.entry else { return false };
    let of = |kinds: &Digests| kinds.get(&item.preimage.kind, *kind_version);
    let (own, theirs) = (of(shared.kinds.digests), of(&peer.hello.kinds));
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
