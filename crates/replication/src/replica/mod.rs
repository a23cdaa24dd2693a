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
mod foreign;
mod forks;
mod hearing;
mod keyring;
mod open;
mod patrol;
mod quarantine;
mod queue;
mod random;
mod reissue;
mod statements;
mod strangers;
mod sums;
mod sweep;
mod tail;
mod unjudged;
mod work;
mod writer;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use audit::AuditLog;
use batch::Batch;
use batch::answer::DigestKey;
use damage::Damage;
use desk::Desk;
use evidence::Evidence;
use heliu_record::catalogue::Catalogue;
use heliu_record::id::{Actor, LeafHash, RecordId, SeatId};
use heliu_storage::{Meta, Position, StrandedRow, Transaction};
use heliu_trust::admission::Leaf;
use heliu_trust::directory::Directory;
use heliu_trust::id::{Incarnation, NodeId, RealmId};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::{Signer, Verifier};
use open::Open;
use patrol::Patrol;
use quarantine::Quarantine;
use queue::Queue;
use random::Random;
use strangers::Strangers;
use sums::ScopeSums;
use sweep::{Sweep, Unwrapped};
use tail::Growth;
use unjudged::Unjudged;
use writer::Writer;
use zeroize::Zeroizing;

use crate::effect::{LinkId, LoadReply, LoadRequest, Moment, Ticket};
use crate::engine::Config;
use crate::frame::Sums;
use crate::start::Start;

/// Open records are weighed each time that so large a part of what may be open has been used.
const WEIGHED_PART: u64 = 16;

/// What the replica needs next.
pub(crate) enum Step {
    /// Nothing to do.
    Idle,
    Load(LoadRequest),
    Apply(Box<Transaction>),
}

pub(crate) struct Replica {
    catalogue: &'static Catalogue,
    pub realm: RealmId,
    pub node: NodeId,
    pub seat: SeatId,
    /// As the batch under way has it. What anybody else reads is [`Replica::directory`].
    directory: Directory,
    /// The feed as far as it is durable.
    meta: Meta,
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
    pub sums: ScopeSums,
    pub tail: Tail,
    strangers: Strangers,
    damage: Damage,
    quarantine: Quarantine,
    pub foreign: Foreign,
    /// Opens what is sealed for this node; without, nothing is opened here.
    sealing: Option<Arc<SealingSecret>>,
    /// What remembered answers say of their questions with.
    digest_key: DigestKey,
    pub statements: Statements,
    audit: AuditLog,
    sweep: Sweep,
    unwrapped: Unwrapped,
    patrol: Patrol,
    /// Enters things into the directory, if this node has the key.
    issuer: Option<Arc<dyn Signer>>,
    /// Two entries for one place of the directory, which the root has not decided.
    pub fork: Option<Fork>,
    /// Nodes that the directory got since this process began.
    pub learnt: BTreeSet<NodeId>,
    pub evidence: Evidence,
    pub unjudged: Unjudged,
    /// Own edits that no longer count, and are open.
    stranded: BTreeMap<LeafHash, StrandedRow>,
    /// Records that left this seat, and where in the feed. Their bytes go when a superior has proven that it has them; at the
    /// top of the tree nobody is above, and they stay.
    hidden: BTreeMap<RecordId, Position>,
    /// Own last seq, in this incarnation, in records that were let go.
    parted: BTreeMap<RecordId, u64>,
    queue: Queue,
    /// Boxed, for it is large and handed on at each step.
    batch: Option<Box<Batch>>,
    /// Random bytes, seeded once by the shell.
    random: Random,
}

pub(crate) use enrolment::{JoinAsker, Joins, refused as join_refused};
pub use erasure::Receipt;
pub use foreign::ForeignAuthor;
pub(crate) use foreign::{Counts as ForeignCounts, Foreign};
pub(crate) use forks::{By, Fork, NotGrown};
pub(crate) use hearing::open_grants;
pub use keyring::reveal;
pub(crate) use open::short_hash;
pub(crate) use quarantine::{id_of, refused};
pub(crate) use statements::Statements;
pub(crate) use strangers::Strangers as StrangersStart;
pub(crate) use sums::{Apart, ScopeSums as ScopeSumsStart};
pub(crate) use tail::Tail;
pub(crate) use work::{Incoming, Order, Outcome, Work};

impl Replica {
    pub fn new(start: Start, config: &Config) -> Self {
        let incarnation = start.meta.incarnations.last().map_or(Incarnation([0; 16]), |(incarnation, _)| *incarnation);
        let head = start.meta.head;
        let statements = Statements::read(&start.statements, &start.directory);
        let mut evidence = Evidence::default();
        statements.iter().for_each(|signed| evidence.heard(&signed.statement));
        let audit = AuditLog::new(start.audit_head, statements.audit_head(start.node));
        let sweep = if start.sealing.is_some() { Sweep::begin(&start.directory) } else { Sweep::default() };
        let mut random = Random::new(start.seed);
        // A node without a secret of its own knows until its end what it was asked.
        let secret = start.sealing.as_ref().map(|sealing| sealing.derive("answers to commands"));
        let digest_key = DigestKey(secret.unwrap_or_else(|| Zeroizing::new(random.secret())));
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
            catalogue: config.catalogue,
            open_max: config.open_max,
            clock: 0,
            weighed: 0,
            actors: BTreeMap::new(),
            sums: start.sums.counted(),
            tail: Tail::at(head),
            strangers: start.strangers,
            damage: Damage::default(),
            quarantine: Quarantine::beside(start.quarantined),
            foreign: Foreign::new(config.foreign_max, start.declined.into_iter().collect(), start.foreign),
            sealing: start.sealing,
            digest_key,
            statements,
            audit,
            sweep,
            unwrapped: Unwrapped::default(),
            patrol: Patrol::new(config.patrol_round_ms),
            issuer: start.issuer,
            fork: None,
            learnt: BTreeSet::new(),
            evidence,
            unjudged: Unjudged::new(start.unjudged, config.catalogue.digests().stamp()),
            stranded: start.stranded.into_iter().map(|row| (row.leaf, row)).collect(),
            hidden: start.hidden.into_iter().map(|record| (record, head)).collect(),
            parted: BTreeMap::new(),
            queue: Queue::default(),
            batch: None,
            random,
        };
        replica.actors.insert(replica.writer.actor, replica.seat);
        // Not where every start looks first: whoever is restarted often gets round all the same.
        replica.patrol.begin_after(RecordId(replica.random.secret()));
        for record in start.set_aside {
            replica.damage.leave_uncounted(record);
            replica.submit(Work::Check { record });
        }
        replica.check(replica.unjudged.untried().iter().copied().collect());
        let untried: BTreeSet<RecordId> =
            replica.stranded.values().filter(|row| reissue::is_untried(row)).map(|row| row.record).collect();
        untried.into_iter().for_each(|record| replica.submit(Work::Reissue { record }));
        replica
    }

    /// The directory as far as it is durable: what links say and go by, and what people are shown. A batch that makes it grow
    /// works by the new one, which a failing store may take back.
    pub fn directory(&self) -> &Directory {
        self.batch.as_ref().and_then(|batch| batch.directory_before()).unwrap_or(&self.directory)
    }

    /// The store and its feed, as far as they are durable.
    pub fn meta(&self) -> &Meta {
        &self.meta
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

    /// Nothing is to be done. That records are looked through does not count, unless something comes of it.
    pub fn is_idle(&self) -> bool {
        self.queue.is_only_checks() && self.batch.as_ref().is_none_or(|batch| batch.only_checks())
    }

    /// Sums in the scope of a link to `peer`, as far as they are durable.
    pub fn sums_with(&self, link: Option<LinkId>, peer: Option<SeatId>) -> Sums {
        if let Some(apart) = link.and_then(|link| self.sums.apart(link)) {
            return apart.durable();
        }
        peer.map(|peer| self.sums.durable(peer)).unwrap_or_default()
    }

    /// Whether sums for links to this seat are kept; if not, they have to be counted once from a scan.
    pub fn tracks(&self, peer: SeatId) -> bool {
        self.sums.tracks(peer)
    }

    pub fn track(&mut self, peer: SeatId, items: &[heliu_storage::ScanItem]) {
        self.sums.track(peer, self.seat, &self.compared(items), self.directory.seats());
    }

    /// Counts what a link's other end has left out, of what is open: mostly it has just come. Nothing may be under way.
    /// Returns whether all rows of the store have to be looked through for the rest.
    pub fn count_open(&mut self, link: LinkId) -> bool {
        let (open, damage, foreign) = (&self.open, &self.damage, &self.foreign);
        let known = |record: &RecordId| {
            let open = open.get(record).filter(|open| open.is_stored && damage.counted(*record).is_none())?;
            Some((!foreign.is_outside(record)).then(|| open.counted()))
        };
        self.sums.count_known(link, self.seat, self.directory.seats(), known)
    }

    /// As [`Replica::count_open`], all of it, from the rows of the store.
    pub fn count_apart(&mut self, link: LinkId, items: &[heliu_storage::ScanItem]) {
        if self.sums.apart(link).is_some_and(Apart::is_counting) {
            self.sums.count_apart(link, self.seat, &self.compared(items), self.directory.seats());
        }
    }

    /// What is outside here counts for nothing.
    fn compared<'a>(&self, items: &'a [heliu_storage::ScanItem]) -> Cow<'a, [heliu_storage::ScanItem]> {
        if self.foreign.outside().is_empty() {
            return Cow::Borrowed(items);
        }
        Cow::Owned(items.iter().filter(|item| !self.foreign.is_outside(&item.id)).cloned().collect())
    }

    /// Whether an open record is for a seat, as far as this node knows.
    pub fn is_in_audience(&self, record: RecordId, seat: SeatId) -> bool {
        self.open.get(&record).is_some_and(|open| open.row.scope.has_audience(seat, self.directory().seats()))
    }

    /// What a seat that has left the audience of a record needs to learn it; see [`Open::what_parted`].
    pub fn what_parted(&self, record: RecordId, seat: SeatId) -> Option<BTreeSet<[u8; 8]>> {
        self.open.get(&record)?.what_parted(seat, self.directory().seats())
    }

    pub fn last_commit(&self) -> Option<(u64, heliu_trust::id::CommitId)> {
        self.writer.durable()
    }

    /// The next batch writes under a new incarnation: one that this store never had, whatever is drawn. A machine that is
    /// put back to an earlier moment, memory and all, draws again what it drew before.
    pub fn renew_soon(&mut self) {
        let incarnation = loop {
            let drawn = Incarnation(self.random.draw());
            if self.meta.incarnations.iter().all(|(known, _)| *known != drawn) {
                break drawn;
            }
        };
        self.submit(Work::Renew(incarnation));
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

    /// Records that have left this seat and are still here, each with the position where it left.
    pub fn leaving(&self) -> &BTreeMap<RecordId, Position> {
        &self.hidden
    }

    /// Goes on as far as possible without the store.
    pub fn step(&mut self, now: Moment) -> Step {
        if self.batch.is_none() {
            if self.queue.is_empty() {
                return Step::Idle;
            }
            self.batch = Some(Box::new(Batch::new(self.queue.take())));
            self.close_what_is_checked();
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
        self.audit.make_durable();
        self.writer.make_durable();
        outcome
    }

    /// The tickets of everything that waits, for when the store has failed.
    pub fn abandon(&mut self) -> Vec<Ticket> {
        let mut tickets = self.batch.take().map(|batch| batch.tickets()).unwrap_or_default();
        tickets.extend(std::mem::take(&mut self.queue).tickets());
        tickets
    }

    /// Closes the records that were not used for longest. All are durable but those of the batch under way.
    pub fn evict(&mut self) {
        // All of them are weighed: not for each that is used.
        if self.clock < self.weighed + (self.open_max as u64 / WEIGHED_PART).max(1) {
            return;
        }
        self.weighed = self.clock;
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
        let batch = self.batch.as_deref();
        self.open.retain(|record, open| open.used > limit || batch.is_some_and(|batch| batch.touches(record)));
    }

    fn desk<'a>(&'a self, batch: &'a batch::Looked) -> Desk<'a> {
        Desk::new(&self.open, batch, &self.damage, self.directory.seats(), &self.actors)
    }
}
