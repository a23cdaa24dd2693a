//! One batch of work, from what it needs to the transaction that makes it durable. The stages are in the order in which
//! they happen: [`working`], [`folding`], [`deriving`]. Each may be entered again after a load; none repeats itself.

mod deriving;
mod folding;
mod working;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use heliu_record::id::RecordId;
use heliu_record::scope::Scope;
use heliu_storage::{CommandId, ConflictRow, FeedEntry, Position, StoreError, Transaction};
use heliu_trust::id::Incarnation;

use super::open::Open;
use super::sums::Counted;
use super::{Growth, Outcome, Replica, Step, Work};
use crate::effect::{LinkId, LoadReply, LoadRequest, Moment, Ticket};

/// Leaves that one batch takes: enough to share a transaction, few enough that nobody waits long.
const LEAVES_PER_BATCH: usize = 2_048;
/// Commands that one batch takes.
const COMMANDS_PER_BATCH: usize = 512;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Working,
    Folding,
    Deriving,
    Handed,
}

/// What has been looked up in the store for this batch, besides open records.
#[derive(Default)]
pub(crate) struct Looked {
    /// Asked for, and not there.
    pub absent: BTreeSet<RecordId>,
    pub referring: BTreeMap<RecordId, Vec<RecordId>>,
    /// What the touched records refer to now.
    pub refs: BTreeMap<RecordId, BTreeSet<RecordId>>,
    /// `refs`, turned round.
    pub referred: BTreeMap<RecordId, BTreeSet<RecordId>>,
    conflicts: BTreeMap<[u8; 32], ConflictRow>,
    conflicts_of: BTreeSet<RecordId>,
    commands: BTreeMap<CommandId, Option<Vec<u8>>>,
}

/// A touched record as it was before the batch.
struct Before {
    /// None: this node had never held it.
    counted: Option<Counted>,
    scope: Scope,
    signal: [u8; 8],
    refs: BTreeSet<RecordId>,
}

pub(crate) struct Batch {
    works: VecDeque<Work>,
    /// What has to wait for a new incarnation.
    put_off: Vec<Work>,
    stage: Stage,
    looked: Looked,
    asked: LoadRequest,
    touched: BTreeMap<RecordId, Before>,
    /// The link that a touched record's leaves came by.
    came_by: BTreeMap<RecordId, LinkId>,
    /// Records of which a link brought leaves that were known.
    came_again: BTreeMap<LinkId, BTreeSet<RecordId>>,
    /// Records with leaves that their fold does not know yet.
    unfolded: BTreeSet<RecordId>,
    head: Position,
    transaction: Transaction,
    growth: Growth,
    outcome: Outcome,
    tickets: Vec<Ticket>,
}

impl Batch {
    pub fn gather(queue: &mut VecDeque<Work>) -> Self {
        let mut works = VecDeque::new();
        let mut tickets = Vec::new();
        let (mut leaves, mut commands) = (0, 0);
        while leaves < LEAVES_PER_BATCH
            && commands < COMMANDS_PER_BATCH
            && let Some(work) = queue.pop_front()
        {
            match &work {
                Work::Leaves(incoming) => leaves += incoming.leaves.len() + 1,
                Work::Execute { ticket, .. } => {
                    tickets.push(*ticket);
                    commands += 1;
                }
                Work::Extend { ticket, .. } => tickets.extend(ticket),
                Work::LetGo { .. } | Work::Withdrawn { .. } => leaves += 1,
                // One transaction has one incarnation, so this is a batch of its own.
                Work::Renew(_) if works.is_empty() => leaves = LEAVES_PER_BATCH,
                Work::Renew(_) => {
                    queue.push_front(work);
                    break;
                }
            }
            works.push_back(work);
        }
        Batch {
            works,
            put_off: Vec::new(),
            stage: Stage::Working,
            looked: Looked::default(),
            asked: LoadRequest::default(),
            touched: BTreeMap::new(),
            came_by: BTreeMap::new(),
            came_again: BTreeMap::new(),
            unfolded: BTreeSet::new(),
            head: 0,
            transaction: Transaction::default(),
            growth: Growth::default(),
            outcome: Outcome::default(),
            tickets,
        }
    }

    pub fn tickets(self) -> Vec<Ticket> {
        self.tickets
    }

    pub fn run(&mut self, replica: &mut Replica, now: Moment) -> Step {
        loop {
            let missing = match self.stage {
                Stage::Working => {
                    self.head = self.head.max(replica.meta.head);
                    self.work(replica, now)
                }
                Stage::Folding => {
                    self.fold(replica);
                    LoadRequest::default()
                }
                Stage::Deriving => self.derive(replica),
                Stage::Handed => return Step::Idle,
            };
            if missing != LoadRequest::default() {
                self.asked = missing.clone();
                return Step::Load(missing);
            }
            self.stage = match self.stage {
                Stage::Working => Stage::Folding,
                Stage::Folding => Stage::Deriving,
                Stage::Deriving | Stage::Handed => {
                    self.stage = Stage::Handed;
                    self.seal(replica, now);
                    self.growth = Growth::of(&self.transaction);
                    return Step::Apply(Box::new(std::mem::take(&mut self.transaction)));
                }
            };
        }
    }

    pub fn take_loaded(&mut self, replica: &mut Replica, reply: LoadReply) -> Result<(), StoreError> {
        let asked = std::mem::take(&mut self.asked);
        self.looked.absent.extend(asked.records);
        for loaded in reply.records {
            let mut open = Open::load(loaded, &replica.directory)?;
            replica.clock += 1;
            open.used = replica.clock;
            self.looked.absent.remove(&open.id());
            for (leaf, _) in open.leaves.iter() {
                if let Some(author) = replica.directory.node(leaf.author) {
                    replica.actors.insert(leaf.change.actor, author.seat);
                }
            }
            replica.open.insert(open.id(), open);
        }
        self.looked.referring.extend(asked.referring.into_iter().map(|target| (target, Vec::new())));
        for (target, source) in reply.referring {
            self.looked.referring.entry(target).or_default().push(source);
        }
        self.looked.conflicts_of.extend(asked.conflicts_of);
        self.looked.conflicts.extend(reply.conflicts.into_iter().map(|row| (row.id, row)));
        self.looked.commands.extend(asked.commands.into_iter().map(|id| (id, None)));
        self.looked.commands.extend(reply.commands.into_iter().map(|(id, answer)| (id, Some(answer))));
        Ok(())
    }

    /// Records what a record was before the batch touches it.
    fn touch(&mut self, open: &Open) {
        self.touched.entry(open.id()).or_insert_with(|| Before {
            counted: open.is_stored.then(|| open.counted()),
            scope: open.row.scope.clone(),
            signal: open.row.signal,
            refs: open.record.as_ref().map(|r| r.view.refs.clone()).unwrap_or_default(),
        });
    }

    fn next_position(&mut self) -> Position {
        self.head += 1;
        self.head
    }

    /// Signs own commits and writes their ids into the feed entries.
    fn seal(&mut self, replica: &mut Replica, now: Moment) {
        let (rows, commit_of) = replica.writer.seal(replica.realm, now.wall_ms, &*replica.signer);
        for entry in &mut self.transaction.feed {
            if let FeedEntry::Leaf(row) = entry
                && let Some(commit) = commit_of.get(&row.hash)
            {
                row.commit = *commit;
            }
        }
        self.transaction.commits.extend(rows);
    }

    /// The transaction is durable.
    pub fn conclude(self, replica: &mut Replica) -> Outcome {
        if !self.put_off.is_empty() {
            self.put_off.into_iter().rev().for_each(|work| replica.queue.push_front(work));
            let incarnation = Incarnation(replica.draw());
            replica.queue.push_front(Work::Renew(incarnation));
        }
        replica.meta.head = self.head;
        replica.tail.grow(self.growth, self.head);
        for record in self.touched.keys() {
            if let Some(open) = replica.open.get_mut(record) {
                open.is_stored = true;
            }
        }
        Outcome { came_again: self.came_again, ..self.outcome }
    }
}
