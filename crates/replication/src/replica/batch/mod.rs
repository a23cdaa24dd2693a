//! One batch of work, from what it needs to the transaction that makes it durable. The stages are in the order in which
//! they happen: [`working`] (with [`needing`], [`taking`], [`growing`], [`reissuing`] and [`witness`]), [`folding`], [`deriving`]. Each
//! may be entered again after a load; none repeats itself.

pub(crate) mod answer;
mod checking;
mod deriving;
mod folding;
mod growing;
mod limiting;
mod mending;
mod needing;
mod reissuing;
mod sealing;
mod stating;
mod taking;
mod witness;
mod working;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use heliu_record::id::RecordId;
use heliu_record::scope::Scope;
use heliu_storage::{CommandId, ConflictRow, FeedEntry, Position, QuarantineRow, RecordState, Transaction};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::Directory;
use heliu_trust::id::{Incarnation, NodeId};
use heliu_trust::seal::DataKey;

use super::foreign::Outside;
use super::open::{Damaged, Open};
use super::sums::Counted;
use super::{Growth, Outcome, Replica, Step, Work};
use crate::effect::{Chains, Done, LinkId, LoadReply, LoadRequest, Moment, Place, Reply, Ticket};

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
    /// The last commit of each incarnation of an author.
    pub chains: BTreeMap<NodeId, Chains>,
    commits_at: BTreeMap<Place, Vec<Arc<SignedCommit>>>,
    quarantined: BTreeMap<[u8; 32], Option<QuarantineRow>>,
}

/// A touched record as it was before the batch.
struct Before {
    /// None: this node had never held it.
    counted: Option<Counted>,
    scope: Scope,
    signal: [u8; 8],
    /// None: not known, so they are written.
    refs: Option<BTreeSet<RecordId>>,
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
    /// Records with a leaf that was in doubt and is for this program to judge after all, until they are judged again.
    believed: BTreeSet<RecordId>,
    /// Keys that were drawn for records whose first value is sealed here.
    drawn: BTreeMap<RecordId, DataKey>,
    /// The directory before this batch, if the batch makes it grow.
    grown_from: Option<Directory>,
    /// The incarnation that this batch begins.
    renewed: Option<Incarnation>,
    head: Position,
    transaction: Transaction,
    growth: Growth,
    outcome: Outcome,
    /// What commands of this batch did, and who is told of it: once more, if it was asked for again meanwhile. Their
    /// commits are known when the batch is sealed.
    carried_out: BTreeMap<CommandId, (answer::Asked, Done)>,
    answers: Vec<(Ticket, CommandId, bool)>,
    tickets: Vec<Ticket>,
    again: growing::Again,
    entering: growing::Entering,
    /// Commits that this batch brought, by their place.
    brought: BTreeMap<Place, Arc<SignedCommit>>,
    /// Records of which own edits lost what they stood on.
    stranded: BTreeSet<RecordId>,
    /// Records that are read to be held against their leaves.
    checks: BTreeSet<RecordId>,
    is_only_checks: bool,
    /// Records of which leaves were not taken, and those that are outside no more; see [`super::foreign`].
    left_out: BTreeMap<RecordId, Outside>,
    taken_in: BTreeSet<RecordId>,
    /// Whether a record is somebody's of this line, of those that were looked at.
    ours: BTreeMap<RecordId, bool>,
    /// Records of others of which this batch takes what comes.
    taking: BTreeSet<RecordId>,
    tick_ms: u64,
}

impl Batch {
    pub fn new(works: VecDeque<Work>) -> Self {
        let tickets = works.iter().filter_map(Work::ticket).collect();
        let checked = |work: &Work| if let Work::Check { record } = work { Some(*record) } else { None };
        let checks: BTreeSet<RecordId> = works.iter().filter_map(checked).collect();
        Batch {
            is_only_checks: works.iter().all(|work| checked(work).is_some()),
            checks,
            works,
            put_off: Vec::new(),
            stage: Stage::Working,
            looked: Looked::default(),
            asked: LoadRequest::default(),
            touched: BTreeMap::new(),
            came_by: BTreeMap::new(),
            came_again: BTreeMap::new(),
            unfolded: BTreeSet::new(),
            believed: BTreeSet::new(),
            drawn: BTreeMap::new(),
            grown_from: None,
            renewed: None,
            head: 0,
            transaction: Transaction::default(),
            growth: Growth::default(),
            outcome: Outcome::default(),
            carried_out: BTreeMap::new(),
            answers: Vec::new(),
            tickets,
            again: growing::Again::default(),
            entering: growing::Entering::default(),
            brought: BTreeMap::new(),
            stranded: BTreeSet::new(),
            left_out: BTreeMap::new(),
            taken_in: BTreeSet::new(),
            ours: BTreeMap::new(),
            taking: BTreeSet::new(),
            tick_ms: 0,
        }
    }

    pub fn tickets(self) -> Vec<Ticket> {
        self.tickets
    }

    pub fn run(&mut self, replica: &mut Replica, now: Moment) -> Step {
        self.tick_ms = now.tick_ms;
        loop {
            let missing = match self.stage {
                Stage::Working => {
                    self.head = self.head.max(replica.meta.head);
                    self.work(replica, now)
                }
                Stage::Folding => {
                    self.strand(replica, now);
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

    pub fn take_loaded(&mut self, replica: &mut Replica, mut reply: LoadReply, now: Moment) {
        let asked = std::mem::take(&mut self.asked);
        self.take_authors(&asked, &mut reply);
        self.take_commits(&asked, &mut reply, replica);
        self.looked.absent.extend(asked.records);
        for loaded in reply.records {
            let row = &loaded.row;
            let is_legible = loaded.spoilt.is_none();
            if is_legible && row.state == RecordState::Erased && !replica.statements.is_erased(row.id) {
                // No such word of its own: only a tombstone erases.
                let counted =
                    Counted { scope: row.scope.clone(), present: false, held: row.held, admitted: row.admitted };
                self.lose_row(row.id, Some(counted), "it says to be erased, and nothing erased it", replica, now);
                continue;
            }
            let forged = self.forged(&loaded, replica, now);
            match Open::load(loaded, &replica.directory, &forged, replica.catalogue) {
                Ok(open) => self.opened(open, replica, now),
                Err(Damaged::Entries(open, kept, lost)) => self.lose_entries(*open, kept, &lost, replica, now),
                Err(Damaged::Misnamed(wrong, own)) => self.misnamed(wrong, own, replica, now),
                Err(Damaged::Row(record, counted, why)) => {
                    self.lose_row(record, counted.map(|counted| *counted), &why, replica, now);
                }
            }
        }
        for (record, why) in reply.damaged {
            self.lose_row(record, None, &why, replica, now);
        }
        self.looked.referring.extend(asked.referring.into_iter().map(|target| (target, Vec::new())));
        for (target, source) in reply.referring {
            self.looked.referring.entry(target).or_default().push(source);
        }
        self.looked.conflicts_of.extend(asked.conflicts_of);
        self.looked.conflicts.extend(reply.conflicts.into_iter().map(|row| (row.id, row)));
        self.looked.commands.extend(asked.commands.into_iter().map(|id| (id, None)));
        self.looked.commands.extend(reply.commands.into_iter().map(|(id, answer)| (id, Some(answer))));
        self.looked.quarantined.extend(asked.quarantined.into_iter().map(|id| (id, None)));
        self.looked.quarantined.extend(reply.quarantined.into_iter().map(|row| (row.id, Some(row))));
    }

    /// Records what a record was before the batch touches it.
    fn touch(&mut self, open: &Open) {
        self.touched.entry(open.id()).or_insert_with(|| Before {
            counted: open.is_stored.then(|| open.counted()),
            scope: open.row.scope.clone(),
            signal: open.row.signal,
            refs: Some(open.record.as_ref().map(|r| r.view.refs.clone()).unwrap_or_default()),
        });
    }

    /// Records that are to be held against their leaves.
    pub fn checks(&self) -> impl Iterator<Item = &RecordId> + '_ {
        self.checks.iter()
    }

    /// Whether there is nothing else, and nothing has come of it.
    pub fn only_checks(&self) -> bool {
        self.is_only_checks && self.touched.is_empty() && self.stage != Stage::Handed
    }

    /// The directory as it was, if this batch makes it grow.
    pub fn directory_before(&self) -> Option<&Directory> {
        self.grown_from.as_ref()
    }

    pub fn touches(&self, record: &RecordId) -> bool {
        self.touched.contains_key(record)
    }

    fn next_position(&mut self) -> Position {
        self.head += 1;
        self.head
    }

    /// Signs own commits and writes their ids into the feed entries and the answers.
    fn seal(&mut self, replica: &mut Replica, now: Moment) {
        let (rows, commit_of) = replica.writer.seal(replica.realm, now.wall_ms, &*replica.signer);
        for entry in &mut self.transaction.feed {
            if let FeedEntry::Leaf(row) = entry
                && let Some(commit) = commit_of.get(&row.hash)
            {
                row.commit = *commit;
            }
        }
        for (id, (asked, done)) in &mut self.carried_out {
            done.commits = done.leaves.iter().filter_map(|leaf| commit_of.get(leaf).copied()).collect();
            let mut seen = BTreeSet::new();
            done.commits.retain(|commit| seen.insert(*commit));
            self.transaction.commands.push((*id, answer::encode(done, asked)));
        }
        for (ticket, id, again) in std::mem::take(&mut self.answers) {
            if let Some((_, done)) = self.carried_out.get(&id) {
                let reply = Reply::Done(Done { again, ..done.clone() });
                self.outcome.replies.push((ticket, reply));
            }
        }
        rows.iter().for_each(|row| replica.evidence.note((row.author, row.incarnation, row.seq)));
        self.transaction.commits.extend(rows);
    }

    /// The transaction is durable.
    pub fn conclude(self, replica: &mut Replica) -> Outcome {
        if !self.put_off.is_empty() {
            replica.renew_soon();
            replica.queue.put_back(self.put_off);
        }
        replica.statements.make_durable();
        self.checks.iter().for_each(|record| replica.unjudged.tried(record));
        replica.foreign.conclude(self.left_out, &self.taken_in, self.tick_ms);
        self.stranded.iter().for_each(|record| replica.submit(Work::Reissue { record: *record }));
        replica.meta.incarnations.extend(self.renewed.map(|incarnation| (incarnation, replica.meta.head)));
        replica.meta.head = self.head;
        replica.tail.grow(self.growth, self.head);
        for record in self.touched.keys() {
            replica.damage.count_again(*record);
            if replica.damage.regain_row(*record) {
                // What else the store holds of it can be read now, with the row that it has.
                replica.open.remove(record);
                replica.submit(Work::Mend { record: *record });
            } else if let Some(open) = replica.open.get_mut(record) {
                open.is_stored = true;
            }
        }
        Outcome { came_again: self.came_again, ..self.outcome }
    }
}
