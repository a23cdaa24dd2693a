//! What authors outside of this seat's own line (its superiors and its subordinates) may put here by naming it: so much of
//! each author, for this seat and for each below. What is more is left where it is: it is not taken, its neighbours are told
//! that it is outside (see `link::outside`), and people are told who sends it. Admission knows nothing of this: it is a
//! function of one record's leaves, and this counts over records.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::command::Refusal;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seats;
use heliu_storage::Tally;
use heliu_trust::admission::Leaf;
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;

use super::open::Open;
use crate::durable::Durable;
use crate::effect::Moment;
use crate::layers::Layers;

/// Records that are noted as outside; what comes beyond is not taken either, and the neighbours find that the ends differ.
const OUTSIDE_MAX: usize = 65_536;
/// Bytes of a change that count as much as a leaf by itself.
const UNIT_BYTES: usize = 1_024;

/// Whether one of two seats is the other's superior, or both are one.
pub(crate) fn in_line(one: SeatId, other: SeatId, seats: &Seats) -> bool {
    seats.is_at_or_above(one, other) || seats.is_at_or_above(other, one)
}

/// What a leaf counts for.
fn weight(change: &[u8]) -> u64 {
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
    fn new(author: SeatId, by: NodeId, scope: Option<Scope>) -> Self {
        Outside { author, by: [by].into(), scope }
    }

    /// Whether some of it is here.
    pub fn is_here(&self) -> bool {
        self.scope.is_some()
    }

    fn came_by(&mut self, node: NodeId) {
        self.by.insert(node);
    }

    /// Whether a neighbour is to be told: it has brought it, or may have what is here of it.
    pub fn concerns(&self, node: NodeId, seat: SeatId, seats: &Seats) -> bool {
        self.by.contains(&node) || self.scope.as_ref().is_some_and(|scope| scope.has_audience(seat, seats))
    }
}

/// Counted from what the store has: of each author's seat, the leaves in records that nobody of this line owns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(BTreeMap<SeatId, u64>);

impl Counts {
    pub fn count(&mut self, scope: &Scope, tally: &Tally, own: SeatId, seats: &Seats) {
        if tally.records > 0 && !scope.owners.iter().any(|owner| in_line(own, *owner, seats)) {
            for owner in &scope.owners {
                *self.0.entry(*owner).or_default() += tally.leaves;
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
    work: Layers<UnderWay>,
}

/// What the work under way leaves out and takes.
#[derive(Default)]
struct UnderWay {
    /// Records of which leaves were not taken, and those that are outside no more.
    left_out: BTreeMap<RecordId, Outside>,
    taken_in: BTreeSet<RecordId>,
    /// Whether a record is somebody's of this line, of those that were looked at.
    ours: BTreeMap<RecordId, bool>,
    /// Records of others of which it takes what comes.
    taking: BTreeSet<RecordId>,
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
            work: Layers::default(),
        }
    }

    /// Whether as much is here of an author as may be, for this seat and those below.
    fn is_full_of(&self, author: SeatId, own: SeatId, seats: &Seats) -> bool {
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

    /// From now on nothing new of an author is taken.
    pub fn decline(&mut self, author: SeatId) {
        self.declined.insert(author);
        // Nobody has to be told what he has decided.
        self.since.remove(&author);
    }

    /// Something is taken of an author again. Returns what was left out of his: it is asked for, and taken as far as there is
    /// room.
    pub fn accept(&mut self, author: SeatId) -> BTreeSet<RecordId> {
        self.declined.remove(&author);
        let outside = self.outside_of(author).map(|(record, _)| *record);
        let more = self.work.left_out.iter().filter(|(_, outside)| outside.author == author).map(|(record, _)| *record);
        let again: BTreeSet<RecordId> = outside.chain(more).collect();
        self.work.taken_in.extend(&again);
        again
    }

    /// Somebody of this line has written in a record that a link brings: it is this seat's business from now on, whoever began
    /// it, and what was left out of it is asked for.
    pub fn find_ours(&mut self, record: RecordId) {
        self.work.ours.insert(record, true);
        let is_left_out = |work: &UnderWay| work.left_out.contains_key(&record);
        if self.is_outside(&record) || is_left_out(&self.work) || is_left_out(self.work.sealed()) {
            self.work.taken_in.insert(record);
        }
    }

    /// Whether a leaf that is new here is not taken, with what is open of its record. What a subordinate brings always is: it
    /// may let go of what its superior has acknowledged. What is taken is counted. `is_mended`: it was here before.
    pub fn leave_out(
        &mut self,
        leaf: &Leaf,
        from: NodeId,
        open: Option<&Open>,
        is_mended: bool,
        own: SeatId,
        directory: &Directory,
    ) -> bool {
        let (Some(author), seats) = (directory.node(leaf.author).map(|node| node.seat), directory.seats()) else {
            return false;
        };
        let is_from_below =
            directory.node(from).is_some_and(|node| node.seat != own && seats.is_at_or_above(own, node.seat));
        if is_from_below || in_line(own, author, seats) || self.learn_if_ours(leaf.record, open, own, directory) {
            return false;
        }
        // Not half of what comes: who named this seat may have done so with the last leaf.
        if is_mended || self.work.taking.contains(&leaf.record) || !self.is_full_of(author, own, seats) {
            self.work.taking.insert(leaf.record);
            *self.held.entry(author).or_default() += weight(&leaf.change.raw);
            return false;
        }
        let scope = open.filter(|open| open.is_here()).map(|open| open.row.scope.clone());
        match self.work.left_out.get_mut(&leaf.record) {
            Some(known) => known.came_by(from),
            None => drop(self.work.left_out.insert(leaf.record, Outside::new(author, from, scope))),
        }
        true
    }

    /// Whether somebody of this line owns it, or has written in it; remembered for the work under way.
    fn learn_if_ours(&mut self, record: RecordId, open: Option<&Open>, own: SeatId, directory: &Directory) -> bool {
        if let Some(known) = self.work.ours.get(&record) {
            return *known;
        }
        let seats = directory.seats();
        let is_ours = self.let_in.contains(&record)
            || open.is_some_and(|open| {
                let is_ours = |author| directory.node(author).is_some_and(|node| in_line(own, node.seat, seats));
                open.row.scope.owners.iter().any(|owner| in_line(own, *owner, seats))
                    || open.leaves.authors().any(is_ours)
            });
        self.work.ours.insert(record, is_ours);
        is_ours
    }

    /// Whether a record counts for nothing where it is compared, once the work under way is durable.
    pub fn will_be_outside(&self, record: &RecordId) -> bool {
        (self.is_outside(record) || self.work.left_out.contains_key(record)) && !self.work.taken_in.contains(record)
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

    pub fn is_outside(&self, record: &RecordId) -> bool {
        self.outside.contains_key(record)
    }

    /// All of a record is taken, since it is said to have left this seat: why is in what was left out of it.
    pub fn let_in(&mut self, record: RecordId) {
        self.let_in.insert(record);
        self.work.taken_in.insert(record);
        self.work.ours.insert(record, true);
    }

    pub fn outside(&self) -> &BTreeMap<RecordId, Outside> {
        &self.outside
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn seal(&mut self) {
        self.work.seal();
    }

    /// What was left out is outside now, and what was taken in is not.
    pub fn applied(&mut self, now: Moment, durable: &Durable) {
        let UnderWay { left_out, taken_in, .. } = self.work.publish(durable);
        for (record, more) in left_out {
            if !self.declined.contains(&more.author) {
                self.since.entry(more.author).or_insert(now.tick_ms);
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
        for record in &taken_in {
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

/// Those of one line cannot decline each other.
pub(crate) fn of_this_line(name: &str) -> Refusal {
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
