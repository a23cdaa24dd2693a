//! What a piece of work comes to: what is to be written, in one transaction, and what is to be told once that is durable.
//! The steps of a batch add to it; no part has it in hand, and only the step that seals it takes it apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::Refusal;
use heliu_record::gate::KindDigest;
use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::{FeedEntry, GrantHash, GrantRow, LeafRow, LeafStatus, Transaction};
use heliu_trust::admission::Leaf;
use heliu_trust::directory::SignedEntry;
use heliu_trust::grant::SignedGrant;
use heliu_trust::id::NodeId;
use heliu_trust::statement::SignedStatement;
use heliu_trust::token::JoinRequest;

use super::work::Work;
use crate::authority::{JoinAsker, NotGrown};
use crate::durable::Durable;
use crate::effect::{AuditEvent, LinkId, Notice, Reply, Ticket};
use crate::frame::{JoinRefused, RefusedLeaf};

#[derive(Default)]
pub(crate) struct Delta {
    /// Its feed has no positions before it is sealed.
    pub transaction: Transaction,
    pub outcome: Outcome,
    /// For the audit log, each with the time by the wall clock. They become rows in this order.
    pub audit: Vec<(AuditEvent, i64)>,
    /// What is to be done after this, in another transaction.
    pub later: Vec<Work>,
}

/// What is told once the transaction is durable.
#[derive(Default)]
pub(crate) struct Outcome {
    pub replies: Vec<(Ticket, Reply)>,
    pub notices: Vec<Notice>,
    pub links: ForLinks,
    pub directory: ForDirectory,
    /// Statements that are new here, and the link that brought each.
    pub stated: Vec<(Option<LinkId>, Arc<SignedStatement>)>,
    /// A leaf of our own current incarnation came that we do not know.
    pub rolled_back: bool,
}

/// What the links hear that brought something.
#[derive(Default)]
pub(crate) struct ForLinks {
    /// The last frame taken, and what of it was refused.
    pub ingested: Vec<(LinkId, u64, Vec<RefusedLeaf>)>,
    /// Records of which they are asked for what is missing.
    pub wants: BTreeMap<LinkId, BTreeSet<RecordId>>,
    /// Records of which they brought leaves that were known.
    pub came_again: BTreeMap<LinkId, BTreeSet<RecordId>>,
    /// What became of their directory entries.
    pub extended: Vec<(LinkId, Result<(), NotGrown>)>,
    /// A frame of statements was taken; once for each.
    pub heard: Vec<LinkId>,
}

/// What follows from the directory, and for those who want to be in it.
#[derive(Default)]
pub(crate) struct ForDirectory {
    pub has_grown: bool,
    /// The root decided a fork: the entries from this index on are others now.
    pub replaced_from: Option<u64>,
    /// An entry for a place that another has, noticed now.
    pub forked: Option<SignedEntry>,
    pub join_refused: Vec<(JoinAsker, JoinRefused)>,
    /// Join requests that somebody else has to enter.
    pub pass_up: Vec<(JoinAsker, Box<JoinRequest>)>,
}

/// An outcome that waits until what it tells of is durable.
pub(crate) struct Sealed(Outcome);

impl Sealed {
    pub fn new(outcome: Outcome) -> Self {
        Sealed(outcome)
    }

    pub fn publish(self, _: &Durable) -> Outcome {
        self.0
    }
}

impl Delta {
    pub fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.outcome.replies.push((ticket, reply));
    }

    pub fn refuse(&mut self, ticket: Ticket, refusal: Refusal) {
        self.reply(ticket, Reply::Refused(refusal));
    }

    pub fn notice(&mut self, notice: Notice) {
        self.outcome.notices.push(notice);
    }

    pub fn audit(&mut self, event: AuditEvent, time_ms: i64) {
        self.audit.push((event, time_ms));
    }

    pub fn later(&mut self, work: Work) {
        self.later.push(work);
    }

    /// A leaf that its record is about to be offered comes into the feed.
    pub fn leaf(&mut self, leaf: &Leaf, origin: Option<NodeId>, declared: Option<KindDigest>) {
        self.transaction.feed.push(FeedEntry::Leaf(LeafRow {
            position: 0,
            record: leaf.record,
            hash: leaf.hash,
            commit: leaf.commit,
            author: leaf.author,
            kind_version: leaf.kind_version,
            status: LeafStatus::Waiting,
            origin,
            declared,
            change: Arc::clone(&leaf.change.raw),
        }));
    }

    pub fn grant(&mut self, signed: &SignedGrant, origin: Option<NodeId>) {
        self.transaction.feed.push(FeedEntry::Grant(GrantRow {
            position: 0,
            record: signed.grant.record,
            hash: GrantHash(signed.hash),
            origin,
            grant: signed.encode().into(),
        }));
    }

    /// A leaf of this delta goes by no other declaration any more.
    pub fn untag(&mut self, hash: &LeafHash) {
        let mut leaves = self.transaction.feed.iter_mut();
        let row = leaves.find_map(|entry| {
            if let FeedEntry::Leaf(row) = entry { Some(row) } else { None }.filter(|row| row.hash == *hash)
        });
        if let Some(row) = row {
            row.declared = None;
        }
    }

    /// How many entries the feed gets so far.
    pub fn entries(&self) -> u64 {
        self.transaction.feed.len() as u64
    }
}
