//! The part that holds statements: what nodes say outside of records, see [`heliu_trust::statement`]. They are all in memory,
//! so that links compare and exchange them without a read. What a statement means for records (a tombstone takes one away)
//! is for others to do.
//!
//! Which of an author's statements about one thing are kept is decided by what they say alone, never by when they were
//! made or came: so all nodes end with the same, and nobody can fill a disk by saying one thing again and again. Said twice,
//! at two times, it is one statement; a node keeps and shows the one that it took first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::hash::Sum;
use heliu_record::id::{Preimage, RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_storage::StatementRow;
use heliu_trust::audience::{KEYS_PER_AUTHOR_MAX, Keys};
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use heliu_trust::signature::Verifier;
use heliu_trust::statement::{self, Audience, Body, SignedStatement, Statement};

use crate::durable::Durable;
use crate::frame::{limits, short_hash};
use crate::layers::Layers;
use crate::own::Own;

mod receipt;

pub use receipt::Receipt;
pub(crate) use receipt::{no_superior, too_many_tombstones};

/// The first eight bytes of a statement's meaning.
pub(crate) type Short = [u8; 8];

/// How many pieces of evidence are kept of one author.
const EVIDENCE_MAX: usize = 64;
/// Two heads of one length accuse their author; more say nothing more.
const HEADS_MAX: usize = 2;
/// Tombstones that one author may have: of more, those with the lowest hashes are kept, so that all nodes keep the same
/// ones, and the records of the others come back. A county that takes away one record in twenty fills this in ten years.
pub(crate) const TOMBSTONES_MAX: usize = 65_536;
/// Statements that answer one list at most; what is left comes with the next.
const ANSWER_MAX: usize = 4_096;

/// What a statement is about, and who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    kind: u8,
    subject: [u8; 32],
    author: NodeId,
}

const TOMBSTONE: u8 = 1;
const AUDIT_HEAD: u8 = 2;
const ERASED: u8 = 3;
const EVIDENCE: u8 = 4;
const KEYS: u8 = 5;

struct Held {
    signed: Arc<SignedStatement>,
    audience: Audience,
    /// Links may hear of it.
    is_durable: bool,
}

pub(crate) struct Statements {
    /// By what they mean, see [`heliu_trust::statement::Statement::meaning`].
    by_meaning: BTreeMap<[u8; 32], Held>,
    /// What is kept of each, the best first.
    slots: BTreeMap<Slot, BTreeSet<(u64, [u8; 32])>>,
    erased: BTreeSet<RecordId>,
    /// Of each author, by meaning: so many at most.
    tombstones: BTreeMap<NodeId, BTreeSet<[u8; 32]>>,
    tombstones_max: usize,
    /// Of the work under way, by meaning.
    fresh: Layers<Vec<[u8; 32]>>,
    /// Rows of the store that cannot be read. They are dropped when something else is written, and come again.
    unreadable: Vec<[u8; 32]>,
}

impl Default for Statements {
    fn default() -> Self {
        Statements {
            by_meaning: BTreeMap::new(),
            slots: BTreeMap::new(),
            erased: BTreeSet::new(),
            tombstones: BTreeMap::new(),
            tombstones_max: TOMBSTONES_MAX,
            fresh: Layers::default(),
            unreadable: Vec::new(),
        }
    }
}

/// What taking a statement comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub is_kept: bool,
    /// Those that it takes the place of.
    pub dropped: Vec<[u8; 32]>,
    /// It is one of two audit heads of one length.
    pub accuses: bool,
}

impl Statements {
    /// From the store.
    pub fn read(rows: &[StatementRow], directory: &Directory) -> Self {
        let mut statements = Statements::default();
        for row in rows {
            let signed = SignedStatement::decode(&row.bytes).ok().filter(|signed| signed.hash == row.hash);
            // The directory may have grown by a start, without an engine to judge them.
            let holds = |signed: &SignedStatement| {
                signed.statement.erases().is_none() || !directory.is_fenced(signed.statement.author)
            };
            let signed = signed.filter(holds).map(Arc::new);
            let taken = signed.map(|signed| statements.take(&signed, directory)).unwrap_or_default();
            statements.unreadable.extend(taken.dropped);
            if !taken.is_kept {
                statements.unreadable.push(row.hash);
            }
        }
        let orphans = statements.orphans();
        for orphan in orphans {
            statements.remove(&orphan);
            statements.unreadable.push(orphan.hash);
        }
        statements.settle();
        statements
    }

    /// Something that this node says.
    pub fn sign(body: Body, own: &Own, time_ms: i64) -> Arc<SignedStatement> {
        let (realm, author) = (own.realm, own.node);
        Arc::new(SignedStatement::sign(Statement { realm, author, time_ms, body }, &*own.signer))
    }

    /// Hashes of rows that cannot be read, to be dropped; then they are forgotten.
    pub fn take_unreadable(&mut self) -> Vec<[u8; 32]> {
        std::mem::take(&mut self.unreadable)
    }

    /// The directory fences somebody since then, or its tail was replaced: statements that no longer hold go. What a tombstone
    /// took away that does not count any more may come back from those who have it. Returns the hashes of those that went.
    pub fn judge_again(&mut self, directory: &Directory, verifier: &dyn Verifier) -> Vec<[u8; 32]> {
        let is_fenced = |node: NodeId| directory.is_fenced(node);
        let holds = |signed: &SignedStatement| statement::check(signed, directory, &is_fenced, verifier).is_ok();
        let gone: Vec<_> = self.iter().filter(|signed| !holds(signed)).cloned().collect();
        gone.iter().for_each(|signed| self.remove(signed));
        let orphans = self.orphans();
        orphans.iter().for_each(|signed| self.remove(signed));
        gone.iter().chain(&orphans).map(|signed| signed.hash).collect()
    }

    /// What is said of the erasure of records that are not erased.
    fn orphans(&self) -> Vec<Arc<SignedStatement>> {
        let is_orphan = |signed: &&Arc<SignedStatement>| match signed.statement.body {
            Body::Erased { record } => !self.is_erased(record),
            Body::Tombstone { .. } | Body::AuditHead(_) | Body::Evidence { .. } | Body::Keys(_) => false,
        };
        self.iter().filter(is_orphan).cloned().collect()
    }

    pub fn contains(&self, statement: &SignedStatement) -> bool {
        self.by_meaning.contains_key(&statement.statement.meaning())
    }

    /// Whether a tombstone says so.
    pub fn is_erased(&self, record: RecordId) -> bool {
        self.erased.contains(&record)
    }

    /// Whether a tombstone says so that is durable: what others may be told.
    pub fn is_erased_durably(&self, record: RecordId) -> bool {
        self.is_erased(record) && self.about(TOMBSTONE, record.0).any(|held| held.is_durable)
    }

    /// Takes a checked statement.
    pub fn take(&mut self, signed: &Arc<SignedStatement>, directory: &Directory) -> Taken {
        let meaning = signed.statement.meaning();
        let Some(audience) = signed.statement.audience(directory) else { return Taken::default() };
        if self.by_meaning.contains_key(&meaning) {
            return Taken::default();
        }
        let (slot, rank) = place_of(signed);
        let kept = self.slots.entry(slot).or_default();
        kept.insert((rank, meaning));
        let best = kept.first().map_or(rank, |(best, _)| *best);
        let room = room_of(slot.kind);
        let stay = |at: usize, rank: u64| at < room && (slot.kind != AUDIT_HEAD || rank == best);
        let gone: Vec<_> = (kept.iter().copied().enumerate()).filter(|(at, (rank, _))| !stay(*at, *rank)).collect();
        for (_, entry) in &gone {
            kept.remove(entry);
        }
        let accuses = slot.kind == AUDIT_HEAD && kept.len() > 1;
        let is_kept = kept.contains(&(rank, meaning));
        let gone = gone.iter().filter_map(|(_, (_, gone))| self.by_meaning.remove(gone)).map(|held| held.signed);
        let mut dropped: Vec<Arc<SignedStatement>> = gone.collect();
        if is_kept {
            self.by_meaning.insert(meaning, Held { signed: Arc::clone(signed), audience, is_durable: false });
            self.fresh.push(meaning);
        }
        if let Body::Tombstone { preimage, .. } = &signed.statement.body
            && is_kept
        {
            self.erased.insert(preimage.id());
            let own = self.tombstones.entry(slot.author).or_default();
            for gone in &dropped {
                own.remove(&gone.statement.meaning());
            }
            dropped.extend(self.crowd(slot.author, meaning));
        }
        let is_kept = self.by_meaning.contains_key(&meaning);
        let dropped = dropped.iter().map(|gone| gone.hash).filter(|gone| *gone != signed.hash).collect();
        Taken { is_kept, dropped, accuses: accuses && is_kept }
    }

    /// A tombstone is among its author's. Returns what goes for it, which may be itself, with what is said of that record's
    /// erasure.
    fn crowd(&mut self, author: NodeId, meaning: [u8; 32]) -> Vec<Arc<SignedStatement>> {
        let own = self.tombstones.entry(author).or_default();
        own.insert(meaning);
        let last = if own.len() > self.tombstones_max { own.pop_last() } else { None };
        let Some(stone) = last.and_then(|last| self.by_meaning.get(&last)).map(|held| Arc::clone(&held.signed)) else {
            return Vec::new();
        };
        self.remove(&stone);
        let record = stone.statement.erases().filter(|record| !self.is_erased(*record));
        let said = record.into_iter().flat_map(|record| self.about(ERASED, record.0));
        let mut gone: Vec<Arc<SignedStatement>> = said.map(|held| Arc::clone(&held.signed)).collect();
        gone.iter().for_each(|signed| self.remove(signed));
        gone.push(stone);
        gone
    }

    /// Whether an author may have one more tombstone, and none of his goes for it.
    pub fn has_room_for_tombstone(&self, author: NodeId) -> bool {
        self.tombstones.get(&author).map_or(0, BTreeSet::len) < self.tombstones_max
    }

    /// Forgets one that does not hold any more.
    fn remove(&mut self, signed: &SignedStatement) {
        let meaning = signed.statement.meaning();
        let Some(held) = self.by_meaning.remove(&meaning) else { return };
        let (slot, rank) = place_of(&held.signed);
        if let Some(kept) = self.slots.get_mut(&slot) {
            kept.remove(&(rank, meaning));
        }
        if let Body::Tombstone { preimage, .. } = &held.signed.statement.body {
            if let Some(own) = self.tombstones.get_mut(&slot.author) {
                own.remove(&meaning);
            }
            if self.tombstone(preimage.id()).is_none() {
                self.erased.remove(&preimage.id());
            }
        }
    }

    pub fn seal(&mut self) {
        self.fresh.seal();
    }

    pub fn applied(&mut self, durable: &Durable) {
        let fresh = self.fresh.publish(durable);
        self.let_hear(fresh);
    }

    /// All that was taken is durable.
    fn settle(&mut self) {
        let fresh = std::mem::take(&mut *self.fresh);
        self.let_hear(fresh);
    }

    fn let_hear(&mut self, fresh: Vec<[u8; 32]>) {
        for meaning in fresh {
            if let Some(held) = self.by_meaning.get_mut(&meaning) {
                held.is_durable = true;
            }
        }
    }

    /// All that are durable, by meaning.
    pub fn durable(&self) -> impl Iterator<Item = &SignedStatement> {
        self.by_meaning.values().filter(|held| held.is_durable).map(|held| &*held.signed)
    }

    /// All, by meaning.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SignedStatement>> {
        self.by_meaning.values().map(|held| &held.signed)
    }

    /// Receipts of all that is erased durably, by id.
    pub fn receipts(&self, seat: SeatId, directory: &Directory) -> Vec<Receipt> {
        self.erased.iter().filter_map(|record| self.receipt(*record, seat, directory)).collect()
    }

    /// The first that says that a record is erased, and whose it was.
    fn tombstone(&self, record: RecordId) -> Option<(&SignedStatement, &Preimage)> {
        let all = self.about(TOMBSTONE, record.0).map(|held| &*held.signed);
        let earliest = all.min_by_key(|signed| (signed.statement.time_ms, signed.hash))?;
        match &earliest.statement.body {
            Body::Tombstone { preimage, .. } => Some((earliest, preimage)),
            _ => None,
        }
    }

    /// The nodes that say that they have erased a record, and when, as far as it is durable here.
    fn confirmations(&self, record: RecordId) -> impl Iterator<Item = (NodeId, i64)> + '_ {
        let durable = self.about(ERASED, record.0).filter(|held| held.is_durable);
        durable.map(|held| (held.signed.statement.author, held.signed.statement.time_ms))
    }

    /// Who has confirmed that a record is erased, of the nodes at and below a seat.
    pub fn receipt(&self, record: RecordId, seat: SeatId, directory: &Directory) -> Option<Receipt> {
        let (tombstone, preimage) = self.tombstone(record).filter(|_| self.is_erased_durably(record))?;
        let confirmed: Vec<(NodeId, i64)> = self.confirmations(record).collect();
        let live = directory.nodes().filter(|info| !directory.is_fenced(info.node));
        let is_below = |of: SeatId| directory.seats().is_at_or_above(seat, of);
        let (below, elsewhere): (Vec<_>, Vec<_>) = live.partition(|info| is_below(info.seat));
        let is_silent = |node: &NodeId| !confirmed.iter().any(|(other, _)| other == node);
        let silent = below.iter().map(|info| info.node).filter(is_silent).collect();
        Some(Receipt {
            record,
            preimage: preimage.clone(),
            by: tombstone.statement.author,
            time_ms: tombstone.statement.time_ms,
            confirmed,
            silent,
            elsewhere: elsewhere.len(),
        })
    }

    pub fn has_confirmed(&self, record: RecordId, node: NodeId) -> bool {
        let slot = Slot { kind: ERASED, subject: record.0, author: node };
        self.slots.get(&slot).is_some_and(|kept| !kept.is_empty())
    }

    /// What is said of the keys of audiences, and by whom.
    pub fn keys(&self) -> impl Iterator<Item = (NodeId, &Keys)> {
        self.by_meaning.values().filter_map(keys_in)
    }

    /// What is said of the keys of one.
    pub fn keys_of(&self, audience: SeatId) -> impl Iterator<Item = (NodeId, &Keys)> {
        self.about(KEYS, of_audience(audience)).filter_map(keys_in)
    }

    /// How much more an author can say of the keys of an audience, and nothing is lost.
    pub fn room_for_keys(&self, author: NodeId, audience: SeatId) -> usize {
        let slot = Slot { kind: KEYS, subject: of_audience(audience), author };
        KEYS_PER_AUTHOR_MAX.saturating_sub(self.slots.get(&slot).map_or(0, BTreeSet::len))
    }

    /// How far a node's audit log goes, by what it said last; 0 if it said nothing.
    pub fn audit_head(&self, author: NodeId) -> u64 {
        let slot = Slot { kind: AUDIT_HEAD, subject: [0; 32], author };
        self.slots.get(&slot).and_then(BTreeSet::first).map_or(0, |(rank, _)| u64::MAX - rank)
    }

    /// Nodes that have reported two audit logs of one length, and when they said so by their clocks.
    pub fn forked_logs(&self) -> impl Iterator<Item = (NodeId, i64)> + '_ {
        let at = |kind, author| Slot { kind, subject: [0; 32], author };
        let heads = self.slots.range(at(AUDIT_HEAD, NodeId([0; 16]))..=at(AUDIT_HEAD, NodeId([0xff; 16])));
        let time =
            |(_, meaning): &(u64, [u8; 32])| self.by_meaning.get(meaning).map(|held| held.signed.statement.time_ms);
        let forked = heads.filter(|(_, kept)| kept.len() > 1);
        forked.map(move |(slot, kept)| (slot.author, kept.iter().filter_map(time).max().unwrap_or(0)))
    }

    fn about(&self, kind: u8, subject: [u8; 32]) -> impl Iterator<Item = &Held> {
        let at = |author| Slot { kind, subject, author };
        let slots = self.slots.range(at(NodeId([0; 16]))..=at(NodeId([0xff; 16])));
        let meanings = slots.flat_map(|(_, kept)| kept.iter().map(|(_, meaning)| meaning));
        meanings.filter_map(|meaning| self.by_meaning.get(meaning))
    }

    /// Over those that two seats are both to have, as far as they are durable.
    pub fn sum(&self, own: SeatId, peer: SeatId, seats: &Seats) -> Sum {
        self.shared(own, peer, seats).map(|(hash, _)| hash).collect()
    }

    /// A list of those, see [`crate::frame::Statements::have`].
    pub fn list(&self, from: Short, own: SeatId, peer: SeatId, seats: &Seats) -> Vec<Short> {
        let shorts = self.shared(own, peer, seats).map(|(hash, _)| short_hash(hash)).filter(|short| *short >= from);
        [from].into_iter().chain(shorts).take(limits::STATEMENTS_PER_HAVE).collect()
    }

    /// Those that a list does not have, encoded; tombstones first, for what else is said of an erased record follows them.
    pub fn lacking(&self, have: &[Short], own: SeatId, peer: SeatId, seats: &Seats) -> Vec<Vec<u8>> {
        let from = have.first().copied().unwrap_or_default();
        let to = have.last().filter(|_| have.len() >= limits::STATEMENTS_PER_HAVE);
        let listed: BTreeSet<&Short> = have.iter().skip(1).collect();
        let lacks = |hash: &[u8; 32]| {
            let short = short_hash(hash);
            short >= from && to.is_none_or(|to| short <= *to) && !listed.contains(&short)
        };
        let mut lacking: Vec<&Held> =
            self.shared(own, peer, seats).filter(|(hash, _)| lacks(hash)).map(|(_, held)| held).collect();
        lacking.sort_by_key(|held| kind_of(&held.signed));
        lacking.into_iter().take(ANSWER_MAX).map(|held| held.signed.encode()).collect()
    }

    fn shared<'s>(
        &'s self,
        own: SeatId,
        peer: SeatId,
        seats: &'s Seats,
    ) -> impl Iterator<Item = (&'s [u8; 32], &'s Held)> {
        let is_shared = move |held: &Held| held.audience.includes(own, seats) && held.audience.includes(peer, seats);
        self.by_meaning.iter().filter(move |(_, held)| held.is_durable && is_shared(held))
    }
}

/// A statement as it is stored.
pub(crate) fn row_of(signed: &SignedStatement, directory: &Directory) -> StatementRow {
    let author = signed.statement.author;
    let seat = directory.node(author).map_or(SeatId([0; 16]), |info| info.seat);
    let (Slot { kind, subject, .. }, _) = place_of(signed);
    StatementRow { hash: signed.hash, kind, author, seat, subject, bytes: signed.encode() }
}

fn kind_of(signed: &SignedStatement) -> u8 {
    match &signed.statement.body {
        Body::Tombstone { .. } => TOMBSTONE,
        Body::AuditHead(_) => AUDIT_HEAD,
        Body::Erased { .. } => ERASED,
        Body::Evidence { .. } => EVIDENCE,
        Body::Keys(_) => KEYS,
    }
}

/// Which place a statement takes, and its rank there: the lower stays.
fn place_of(signed: &SignedStatement) -> (Slot, u64) {
    let statement = &signed.statement;
    let (subject, rank) = match &statement.body {
        Body::Tombstone { preimage, .. } => (preimage.id().0, 0),
        Body::AuditHead(head) => ([0; 32], u64::MAX - head.seq),
        Body::Erased { record } => (record.0, 0),
        Body::Evidence { .. } => ([0; 32], 0),
        Body::Keys(keys) => (of_audience(keys.audience), 0),
    };
    (Slot { kind: kind_of(signed), subject, author: statement.author }, rank)
}

fn keys_in(held: &Held) -> Option<(NodeId, &Keys)> {
    match &held.signed.statement.body {
        Body::Keys(keys) => Some((held.signed.statement.author, keys)),
        _ => None,
    }
}

fn of_audience(audience: SeatId) -> [u8; 32] {
    let mut subject = [0; 32];
    subject[..SeatId::LEN].copy_from_slice(&audience.0);
    subject
}

fn room_of(kind: u8) -> usize {
    match kind {
        AUDIT_HEAD => HEADS_MAX,
        EVIDENCE => EVIDENCE_MAX,
        KEYS => KEYS_PER_AUTHOR_MAX,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
