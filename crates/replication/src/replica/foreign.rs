//! What authors outside of this seat's own line (its superiors and its subordinates) may put here by naming it: so much of
//! each author, for this seat and for each below. What is more is left where it is: it is not taken, its neighbours are told
//! that it is outside (see `link::outside`), and people are told who sends it. Admission knows nothing of this: it is a
//! function of one record's leaves, and this counts over records.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_storage::ScanItem;
use heliu_trust::id::NodeId;

/// Records that are noted as outside; what comes beyond is not taken either, and the neighbours find that the ends differ.
const OUTSIDE_MAX: usize = 65_536;
/// Bytes of a change that count as much as a leaf by itself.
const UNIT_BYTES: usize = 1_024;

/// Whether one of two seats is the other's superior, or both are one.
pub(crate) fn in_line(one: SeatId, other: SeatId, seats: &Seats) -> bool {
    seats.is_at_or_above(one, other) || seats.is_at_or_above(other, one)
}

/// What a leaf counts for.
pub(crate) fn weight(change: &[u8]) -> u64 {
    1 + (change.len() / UNIT_BYTES) as u64
}

/// A record of which this node takes no more.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    /// Where the author sits of whom there is too much.
    pub author: SeatId,
    /// Neighbours that have brought something of it since.
    by: BTreeSet<NodeId>,
    /// Who may know of it, if some of it is here.
    scope: Option<Scope>,
}

impl Outside {
    pub fn new(author: SeatId, by: NodeId, scope: Option<Scope>) -> Self {
        Outside { author, by: [by].into(), scope }
    }

    /// Whether some of it is here.
    pub fn is_here(&self) -> bool {
        self.scope.is_some()
    }

    pub fn came_by(&mut self, node: NodeId) {
        self.by.insert(node);
    }

    /// Whether a neighbour is to be told: it has brought it, or may have what is here of it.
    pub fn concerns(&self, node: NodeId, seat: SeatId, seats: &Seats) -> bool {
        self.by.contains(&node) || self.scope.as_ref().is_some_and(|scope| scope.has_audience(seat, seats))
    }
}

/// Counted from the rows of the store: of each author's seat, the leaves in records that nobody of this line owns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(BTreeMap<SeatId, u64>);

impl Counts {
    pub fn count(&mut self, items: &[ScanItem], own: SeatId, seats: &Seats) {
        for item in items.iter().filter(|item| item.present) {
            if !item.scope.owners.iter().any(|owner| in_line(own, *owner, seats)) {
                for owner in &item.scope.owners {
                    *self.0.entry(*owner).or_default() += u64::from(item.leaves);
                }
            }
        }
    }
}

/// Somebody outside of this line who has put something here, or of whom nothing new is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignAuthor {
    pub seat: SeatId,
    /// What is here of his, and what may be.
    pub leaves: u64,
    pub leaves_max: u64,
    /// Records of which not all was taken.
    pub records_outside: usize,
    pub is_declined: bool,
}

pub(crate) struct Foreign {
    /// What an author may put here for each seat.
    max: u64,
    /// Nothing new is taken of these.
    declined: BTreeSet<SeatId>,
    held: BTreeMap<SeatId, u64>,
    /// What is outside, as it is durable.
    outside: BTreeMap<RecordId, Outside>,
    /// Grows with each change of `outside`.
    version: u64,
    /// Since when an author has more for this seat than may be.
    since: BTreeMap<SeatId, u64>,
    /// Records that are here and of which everything is taken, because they are said to have left this seat.
    let_in: BTreeSet<RecordId>,
}

impl Foreign {
    pub fn new(max: u64, declined: BTreeSet<SeatId>, counts: Counts) -> Self {
        let held = counts.0;
        Foreign {
            max,
            declined,
            held,
            outside: BTreeMap::new(),
            version: 0,
            since: BTreeMap::new(),
            let_in: BTreeSet::new(),
        }
    }

    /// Whether as much is here of an author as may be, for this seat and those below.
    pub fn is_full_of(&self, author: SeatId, own: SeatId, seats: &Seats) -> bool {
        if self.declined.contains(&author) {
            return true;
        }
        let held = self.held.get(&author).copied().unwrap_or(0);
        // Few are over the limit of one seat; only then all are looked at.
        held >= self.max && held >= self.most(own, seats)
    }

    /// What an author may put here for this seat and those below.
    fn most(&self, own: SeatId, seats: &Seats) -> u64 {
        let recipients = seats.iter().filter(|seat| seats.is_at_or_above(own, seat.id)).count() as u64;
        self.max.saturating_mul(recipients.max(1))
    }

    /// From now on nothing new of an author is taken, or (false) it is again.
    pub fn decline(&mut self, author: SeatId, is_declined: bool) {
        if is_declined {
            self.declined.insert(author);
            // Nobody has to be told what he has decided.
            self.since.remove(&author);
        } else {
            self.declined.remove(&author);
        }
    }

    /// What is outside of an author's.
    pub fn outside_of(&self, author: SeatId) -> impl Iterator<Item = (&RecordId, &Outside)> + '_ {
        self.outside.iter().filter(move |(_, outside)| outside.author == author)
    }

    /// By seat.
    pub fn authors(&self, own: SeatId, seats: &Seats) -> Vec<ForeignAuthor> {
        let mut outside: BTreeMap<SeatId, usize> = BTreeMap::new();
        for record in self.outside.values() {
            *outside.entry(record.author).or_default() += 1;
        }
        let all: BTreeSet<SeatId> = self.held.keys().chain(&self.declined).chain(outside.keys()).copied().collect();
        let leaves_max = self.most(own, seats);
        let author = |seat| ForeignAuthor {
            seat,
            leaves: self.held.get(&seat).copied().unwrap_or(0),
            leaves_max,
            records_outside: outside.get(&seat).copied().unwrap_or(0),
            is_declined: self.declined.contains(&seat),
        };
        all.into_iter().map(author).collect()
    }

    pub fn took(&mut self, author: SeatId, weight: u64) {
        *self.held.entry(author).or_default() += weight;
    }

    pub fn is_outside(&self, record: &RecordId) -> bool {
        self.outside.contains_key(record)
    }

    pub fn let_in(&mut self, record: RecordId) {
        self.let_in.insert(record);
    }

    pub fn is_let_in(&self, record: &RecordId) -> bool {
        self.let_in.contains(record)
    }

    pub fn outside(&self) -> &BTreeMap<RecordId, Outside> {
        &self.outside
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// A batch is durable that left these out, and took others in again.
    pub fn conclude(&mut self, left_out: BTreeMap<RecordId, Outside>, taken_in: &BTreeSet<RecordId>, tick_ms: u64) {
        for (record, more) in left_out {
            if !self.declined.contains(&more.author) {
                self.since.entry(more.author).or_insert(tick_ms);
            }
            let is_full = self.outside.len() >= OUTSIDE_MAX;
            let is_news = match self.outside.get_mut(&record) {
                Some(known) => {
                    let is_news = !more.by.is_subset(&known.by);
                    known.by.extend(more.by);
                    is_news
                }
                None if is_full => false,
                None => self.outside.insert(record, more).is_none(),
            };
            self.version += u64::from(is_news);
        }
        for record in taken_in {
            self.version += u64::from(self.outside.remove(record).is_some());
        }
    }

    /// Authors of whom there is too much, since which tick, and how many records of each are outside.
    pub fn floods(&self) -> impl Iterator<Item = (SeatId, u64, usize)> + '_ {
        let records = |author: SeatId| self.outside.values().filter(|outside| outside.author == author).count();
        let told = self.since.iter().map(move |(author, since)| (*author, *since, records(*author)));
        told.filter(|(.., records)| *records > 0)
    }
}
