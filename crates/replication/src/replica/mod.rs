//! The records of a node as the engine works on them: what is open, what a batch of work changes, what is written.
//!
//! Everything happens in batches, one at a time: load what it needs, do the work on the open records, fold what was
//! touched, derive conflicts, hand one transaction to the store. Only when that is durable does anybody hear of it.

mod audit;
mod batch;
mod damage;
mod desk;
mod enrolment;
mod erasure;
mod evidence;
mod forks;
mod hearing;
mod keyring;
mod open;
mod quarantine;
mod queue;
mod random;
mod reissue;
mod statements;
mod strangers;
mod sums;
mod sweep;
mod tail;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::Request;
use heliu_record::id::{Actor, LeafHash, Preimage, RecordId, SeatId};
use heliu_storage::{Cursor, Meta, Position, QuarantineRow, StrandedRow, Transaction};
use heliu_trust::admission::Leaf;
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::grant::SignedGrant;
use heliu_trust::id::{Incarnation, NodeId, RealmId};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::{Signer, Verifier};
use heliu_trust::statement::SignedStatement;
use heliu_trust::token::JoinRequest;

use crate::effect::{
    AuditEvent, LinkId, LoadReply, LoadRequest, Moment, Notice, QuarantineAction, Reply, StrandedAction, Ticket,
};
use crate::frame::{JoinRefused, RefusedLeaf, Sums};
use crate::start::Start;

use audit::AuditLog;
use batch::Batch;
use damage::Damage;
use desk::Desk;
use evidence::Evidence;
use open::Open;
use quarantine::Quarantine;
use queue::Queue;
use random::Random;
use strangers::Strangers;
use sums::ScopeSums;
use sweep::{Sweep, Unwrapped};
use tail::Growth;
use writer::Writer;

/// One piece of work on the records.
pub(crate) enum Work {
    Leaves(Incoming),
    Execute {
        ticket: Ticket,
        request: Request,
        role: String,
    },
    Erase {
        ticket: Ticket,
        record: RecordId,
        event: AuditEvent,
    },
    Reveal {
        ticket: Ticket,
        record: RecordId,
        event: AuditEvent,
    },
    Audit {
        ticket: Ticket,
        event: AuditEvent,
    },
    /// Statements that a link brought, checked.
    Statements {
        link: LinkId,
        statements: Vec<Arc<SignedStatement>>,
    },
    /// Does somebody lack a key of this record's that this node can wrap?
    LookThrough {
        record: RecordId,
    },
    /// The superiors are told how far the audit log goes.
    TellAuditHead,
    Extend {
        entries: Vec<SignedEntry>,
        by: By,
    },
    /// Another node says that a record is no longer ours. What we hold decides; if it does not say so, leaves are missing.
    Withdrawn {
        link: LinkId,
        record: RecordId,
    },
    /// A record that left this seat, and up to where a superior has our feed: if that is all of it, its bytes go.
    LetGo {
        record: RecordId,
        acked: Position,
    },
    /// A record that was damaged: it is loaded, and what there is of it is folded and written anew.
    Mend {
        record: RecordId,
    },
    /// From here on, write under this incarnation.
    Renew(Incarnation),
    /// A new machine asks to become a node.
    Join {
        asker: JoinAsker,
        request: Box<JoinRequest>,
    },
    /// What this node's administrator wants in the directory.
    Draft {
        ticket: Ticket,
        items: Vec<Item>,
    },
    FenceOf {
        ticket: Ticket,
        node: NodeId,
        nothing: bool,
        excluded: Vec<LeafHash>,
    },
    /// Own edits of the record that were excluded and not tried again yet.
    Reissue {
        record: RecordId,
    },
    Stranded {
        ticket: Ticket,
        leaf: LeafHash,
        action: StrandedAction,
    },
    Quarantine {
        ticket: Ticket,
        id: [u8; 32],
        action: QuarantineAction,
    },
}

impl Work {
    /// Who waits for an answer to it.
    fn ticket(&self) -> Option<Ticket> {
        match self {
            Work::Execute { ticket, .. }
            | Work::Erase { ticket, .. }
            | Work::Reveal { ticket, .. }
            | Work::Audit { ticket, .. }
            | Work::Extend { by: By::Ticket(ticket), .. }
            | Work::Join { asker: JoinAsker::Ticket(ticket), .. }
            | Work::Draft { ticket, .. }
            | Work::FenceOf { ticket, .. }
            | Work::Stranded { ticket, .. }
            | Work::Quarantine { ticket, .. } => Some(*ticket),
            _ => None,
        }
    }
}

/// Who hears what became of directory entries.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Ticket(Ticket),
    Link(LinkId),
}

/// Leaves that came over a link, opened: signatures and shapes are checked, the records have not been looked at.
pub(crate) struct Incoming {
    pub link: LinkId,
    pub from: NodeId,
    pub sequence: u64,
    pub commits: Vec<Arc<SignedCommit>>,
    pub leaves: Vec<(Leaf, Arc<Preimage>)>,
    pub grants: Vec<(SignedGrant, Arc<Preimage>)>,
    pub refused: Vec<RefusedLeaf>,
    pub quarantined: Vec<QuarantineRow>,
    pub cursor: Option<Cursor>,
}

/// What a batch leads to once it is durable.
#[derive(Default)]
pub(crate) struct Outcome {
    pub replies: Vec<(Ticket, Reply)>,
    /// Per link the last frame taken, and what of it was refused.
    pub ingested: Vec<(LinkId, u64, Vec<RefusedLeaf>)>,
    pub wants: BTreeMap<LinkId, BTreeSet<RecordId>>,
    /// Per link the records of which it brought leaves that were known.
    pub came_again: BTreeMap<LinkId, BTreeSet<RecordId>>,
    pub directory_grew: bool,
    /// Statements that are new here, and the link that brought each.
    pub stated: Vec<(Option<LinkId>, Arc<SignedStatement>)>,
    /// Links of which a frame of statements was taken; once for each.
    pub heard: Vec<LinkId>,
    /// The root decided a fork: the entries from this index on are others now.
    pub replaced_from: Option<u64>,
    /// An entry for a place that another has, noticed now.
    pub forked: Option<SignedEntry>,
    /// What became of the directory entries that links brought.
    pub extended: Vec<(LinkId, Result<(), NotGrown>)>,
    pub join_refused: Vec<(JoinAsker, JoinRefused)>,
    /// Join requests that somebody else has to enter.
    pub pass_up: Vec<(JoinAsker, Box<JoinRequest>)>,
    /// A leaf of our own current incarnation came that we do not know.
    pub rolled_back: bool,
    pub notices: Vec<Notice>,
}

/// What the replica needs next.
pub(crate) enum Step {
    /// Nothing to do.
    Idle,
    Load(LoadRequest),
    Apply(Box<Transaction>),
}

pub(crate) struct Replica {
    pub realm: RealmId,
    pub node: NodeId,
    pub seat: SeatId,
    pub directory: Directory,
    /// The feed as far as it is durable.
    pub meta: Meta,
    signer: Arc<dyn Signer>,
    pub verifier: Arc<dyn Verifier>,
    writer: Writer,
    open: BTreeMap<RecordId, Open>,
    open_max: usize,
    clock: u64,
    /// The clock when it was last looked whether too much is open.
    weighed: u64,
    /// The seats behind the actors of open records.
    actors: BTreeMap<Actor, SeatId>,
    sums: ScopeSums,
    pub tail: Tail,
    strangers: Strangers,
    damage: Damage,
    quarantine: Quarantine,
    /// Opens what is sealed for this node; without, nothing is opened here.
    sealing: Option<Arc<SealingSecret>>,
    pub statements: Statements,
    audit: AuditLog,
    sweep: Sweep,
    unwrapped: Unwrapped,
    /// Enters things into the directory, if this node has the key.
    issuer: Option<Arc<dyn Signer>>,
    /// Two entries for one place of the directory, which the root has not decided.
    pub fork: Option<Fork>,
    /// Nodes that the directory got since this process began.
    pub learnt: BTreeSet<NodeId>,
    pub evidence: Evidence,
    /// Own edits that no longer count, and are open.
    stranded: BTreeMap<LeafHash, StrandedRow>,
    /// Records that left this seat, and the position that a superior must have before their bytes go.
    hidden: BTreeMap<RecordId, Position>,
    /// Own last seq, in this incarnation, in records that were let go.
    parted: BTreeMap<RecordId, u64>,
    queue: Queue,
    batch: Option<Batch>,
    /// Random bytes, seeded once by the shell.
    random: Random,
}

pub(crate) use enrolment::{JoinAsker, Joins, refused as join_refused};
pub use erasure::Receipt;
pub(crate) use forks::{Fork, NotGrown};
pub(crate) use hearing::open_grants;
pub(crate) use open::short_hash;
pub(crate) use quarantine::kept;
pub(crate) use statements::Statements;
pub(crate) use strangers::Strangers as StrangersStart;
pub(crate) use sums::ScopeSums as ScopeSumsStart;
pub(crate) use tail::Tail;

impl Replica {
    pub fn new(start: Start, open_max: usize) -> Self {
        let incarnation = start.meta.incarnations.last().map_or(Incarnation([0; 16]), |(incarnation, _)| *incarnation);
        let head = start.meta.head;
        let statements = Statements::read(&start.statements, &start.directory);
        let mut evidence = Evidence::default();
        statements.iter().for_each(|signed| evidence.heard(&signed.statement));
        let audit = AuditLog::new(start.audit_head, statements.audit_head(start.node));
        let sweep = if start.sealing.is_some() { Sweep::begin(&start.directory) } else { Sweep::default() };
        let mut replica = Replica {
            realm: start.directory.realm(),
            node: start.node,
            seat: start.seat,
            directory: start.directory,
            meta: start.meta,
            signer: start.signer,
            verifier: start.verifier,
            writer: Writer::new(start.node, incarnation, start.last_commit),
            open: BTreeMap::new(),
            open_max,
            clock: 0,
            weighed: 0,
            actors: BTreeMap::new(),
            sums: start.sums.counted(),
            tail: Tail::at(head),
            strangers: start.strangers,
            damage: Damage::default(),
            quarantine: Quarantine::beside(start.quarantined),
            sealing: start.sealing,
            statements,
            audit,
            sweep,
            unwrapped: Unwrapped::default(),
            issuer: start.issuer,
            fork: None,
            learnt: BTreeSet::new(),
            evidence,
            stranded: start.stranded.into_iter().map(|row| (row.leaf, row)).collect(),
            hidden: start.hidden.into_iter().map(|record| (record, head)).collect(),
            parted: BTreeMap::new(),
            queue: Queue::default(),
            batch: None,
            random: Random::new(start.seed),
        };
        replica.actors.insert(replica.writer.actor, replica.seat);
        let untried: BTreeSet<RecordId> =
            replica.stranded.values().filter(|row| reissue::is_untried(row)).map(|row| row.record).collect();
        untried.into_iter().for_each(|record| replica.submit(Work::Reissue { record }));
        replica
    }

    pub fn submit(&mut self, work: Work) {
        self.queue.push(work);
    }

    pub fn has_batch(&self) -> bool {
        self.batch.is_some()
    }

    pub fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.batch.is_none()
    }

    /// Sums in the scope of a link to `peer`, as far as they are durable.
    pub fn sums_with(&self, peer: Option<SeatId>) -> Sums {
        peer.map(|peer| self.sums.durable(peer)).unwrap_or_default()
    }

    /// Whether sums for links to this seat are kept; if not, they have to be counted once from a scan.
    pub fn tracks(&self, peer: SeatId) -> bool {
        self.sums.tracks(peer)
    }

    pub fn track(&mut self, peer: SeatId, items: &[heliu_storage::ScanItem]) {
        self.sums.track(peer, self.seat, items, self.directory.seats());
    }

    /// Whether an open record is for a seat, as far as this node knows.
    pub fn is_in_audience(&self, record: RecordId, seat: SeatId) -> bool {
        self.open.get(&record).is_some_and(|open| open.row.scope.has_audience(seat, self.directory.seats()))
    }

    /// What a seat that has left the audience of a record needs to learn it; see [`Open::what_parted`].
    pub fn what_parted(&self, record: RecordId, seat: SeatId) -> Option<BTreeSet<[u8; 8]>> {
        self.open.get(&record)?.what_parted(seat, self.directory.seats())
    }

    pub fn last_commit(&self) -> Option<(u64, heliu_trust::id::CommitId)> {
        self.writer.last()
    }

    pub fn draw(&mut self) -> [u8; 16] {
        self.random.draw()
    }

    /// Records whose exit is complete once a superior has our feed up to `acked`.
    pub fn let_go_up_to(&mut self, acked: Position) {
        let gone: Vec<RecordId> = self.hidden.iter().filter(|(_, since)| **since <= acked).map(|(id, _)| *id).collect();
        for record in gone {
            self.hidden.remove(&record);
            self.submit(Work::LetGo { record, acked });
        }
    }

    /// The key that enters things into the directory, if it is here and counts.
    fn issuer(&self) -> Option<Arc<dyn Signer>> {
        self.issuer.clone().filter(|key| Some(key.public_key()) == self.directory.issuer())
    }

    /// Open edits that were tried again in vain, and since when the oldest is.
    pub fn stranded(&self) -> (usize, i64) {
        let tried = || self.stranded.values().filter(|row| !reissue::is_untried(row));
        (tried().count(), tried().map(|row| row.at_ms).min().unwrap_or(0))
    }

    /// Join requests that wait for their batch.
    pub fn joins_queued(&self) -> usize {
        self.queue.joins()
    }

    pub fn hidden(&self) -> usize {
        self.hidden.len()
    }

    /// Goes on as far as possible without the store.
    pub fn step(&mut self, now: Moment) -> Step {
        if self.batch.is_none() {
            if self.queue.is_empty() {
                return Step::Idle;
            }
            self.batch = Some(Batch::new(self.queue.take()));
        }
        let Some(mut batch) = self.batch.take() else { return Step::Idle };
        let step = batch.run(self, now);
        self.batch = Some(batch);
        step
    }

    /// What the store answered to a load. It is opened for the batch under way.
    pub fn loaded(&mut self, reply: LoadReply, now: Moment) {
        if let Some(mut batch) = self.batch.take() {
            batch.take_loaded(self, reply, now);
            self.batch = Some(batch);
        }
    }

    /// Keeps a record open, with the seats of those who wrote in it.
    fn take_in(&mut self, mut open: Open) {
        self.clock += 1;
        open.used = self.clock;
        for (leaf, _) in open.leaves.iter() {
            if let Some(author) = self.directory.node(leaf.author) {
                self.actors.insert(leaf.change.actor, author.seat);
            }
        }
        self.open.insert(open.id(), open);
    }

    /// The seats of all who wrote in open records, by the directory as it is now.
    fn know_actors(&mut self) {
        let leaves = self.open.values().flat_map(|open| open.leaves.iter());
        let seat_of = |leaf: &Leaf| Some((leaf.change.actor, self.directory.node(leaf.author)?.seat));
        self.actors = leaves.filter_map(|(leaf, _)| seat_of(leaf)).collect();
        self.actors.insert(self.writer.actor, self.seat);
    }

    /// The transaction of the batch is durable.
    pub fn applied(&mut self) -> Outcome {
        let Some(batch) = self.batch.take() else { return Outcome::default() };
        let outcome = batch.conclude(self);
        self.sums.make_durable();
        outcome
    }

    /// The tickets of everything that waits, for when the store has failed.
    pub fn abandon(&mut self) -> Vec<Ticket> {
        let mut tickets = self.batch.take().map(batch::Batch::tickets).unwrap_or_default();
        tickets.extend(std::mem::take(&mut self.queue).tickets());
        tickets
    }

    /// Closes the records that were not used for longest. All are durable but those of the batch under way.
    pub fn evict(&mut self) {
        if std::mem::replace(&mut self.weighed, self.clock) == self.clock {
            return;
        }
        if self.open.values().map(Open::shares).sum::<usize>() <= self.open_max {
            return;
        }
        let mut used: Vec<(u64, usize)> = self.open.values().map(|open| (open.used, open.shares())).collect();
        used.sort_unstable_by(|a, b| b.cmp(a));
        let mut room = self.open_max / 2;
        let is_too_much = |(_, shares): &&(u64, usize)| match room.checked_sub(*shares) {
            Some(left) => {
                room = left;
                false
            }
            None => true,
        };
        let limit = used.iter().find(is_too_much).map_or(0, |(used, _)| *used);
        let batch = self.batch.as_ref();
        self.open.retain(|record, open| open.used > limit || batch.is_some_and(|batch| batch.touches(record)));
    }

    fn desk<'a>(&'a self, batch: &'a batch::Looked) -> Desk<'a> {
        Desk::new(&self.open, batch, &self.damage, self.directory.seats(), &self.actors)
    }
}
