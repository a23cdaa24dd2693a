//! A county's directory: the linear, signed log of its seats and nodes, and what it adds up to. Authority depends on
//! this and the record, and on nothing else. Here is what it answers; how it grows is in `directory/append.rs`, what each
//! item does in `directory/apply.rs`, and the encoding in `directory/entry.rs` and `directory/item.rs`.
//!
//! What an author may do is judged at the version that its commit cites, never at the newest that the judging node
//! happens to hold: so `node_at_index` and `seats_at` answer for any version in the log. Only fences are judged by the
//! newest version: they say whose signatures count, whatever they sign.
//!
//! Trust begins with the realm's offline root. It names the issuer, who does the daily work, and can replace the issuer.
//!
//! Yet to come here, each as an item of its own: merge, split and recode of seats.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::id::SeatId;
use heliu_record::seats::Seats;

use crate::id::{DirectoryVersion, NodeId, RealmId, TokenId};
use crate::signature::{PublicKey, SealingKey};

mod append;
mod apply;
mod approval;
mod entry;
mod error;
mod fence;
pub(crate) mod item;
pub mod limits;
mod pool;
#[cfg(test)]
mod tests;
mod words;

pub use append::{Appended, Grown};
pub use approval::Approval;
pub use entry::{Entry, SignedEntry};
pub use error::DirectoryError;
pub use fence::Fence;
pub use item::Item;
pub use pool::Pool;

/// The realm's time zone while the directory names none: all of China is in this one.
pub const DEFAULT_TIME_ZONE: &str = "Asia/Shanghai";

/// An enrolled node; a fenced one too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    pub node: NodeId,
    pub seat: SeatId,
    pub key: PublicKey,
    /// What is for this node is sealed to this key.
    pub sealing: SealingKey,
    /// Where the node can be reached, as of the newest entry.
    pub addresses: Vec<String>,
    /// Who let the node in, if it came with a join token.
    pub approval: Option<Box<Approval>>,
    /// Index of the entry that enrolled it.
    pub since: u64,
}

/// What became of a join token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The node that joined with the token; none if the token was revoked.
    pub node: Option<NodeId>,
    /// Index of the entry that says so.
    pub index: u64,
}

/// Cheap to clone: hundreds of nodes in one process share one copy of what they have in common ([`Pool`]).
#[derive(Clone, Debug)]
pub struct Directory {
    realm: RealmId,
    root: PublicKey,
    log: Arc<Log>,
    /// The tree from each entry on that changed it, oldest first. It seldom changes, and is small.
    trees: Arc<Vec<(u64, Arc<Seats>)>>,
    powers: Arc<Powers>,
    nodes: Arc<Nodes>,
}

#[derive(Clone, Debug, Default)]
struct Log {
    entries: Vec<Arc<SignedEntry>>,
    by_version: BTreeMap<DirectoryVersion, u64>,
    /// Versions that the root gave up, and the index of the entry that stands for each.
    abandoned: BTreeMap<DirectoryVersion, u64>,
    /// The newest entry that the root signed.
    root_at: Option<u64>,
}

/// Who may write the directory, and who is fenced, as of the newest entry. Small; changes rarely.
#[derive(Clone, Debug, Default)]
struct Powers {
    /// Since which entry whose signature counts for the following ones; oldest first.
    issuers: Vec<(u64, PublicKey)>,
    cosigners: BTreeSet<PublicKey>,
    two_signatures: bool,
    escrow: Option<SealingKey>,
    delegates: BTreeSet<SeatId>,
    time_zone: Option<String>,
    fences: BTreeMap<NodeId, Arc<Fence>>,
    /// Index of the entry that first fenced each.
    fenced_at: BTreeMap<NodeId, u64>,
    /// Index of the entry that named the escrow.
    escrow_at: u64,
    /// The newest version that says something new about what older versions admitted.
    verdicts: DirectoryVersion,
}

#[derive(Clone, Debug, Default)]
struct Nodes {
    by_id: BTreeMap<NodeId, Arc<NodeInfo>>,
    by_seat: BTreeMap<SeatId, Vec<NodeId>>,
    tokens: BTreeMap<TokenId, Used>,
}

impl Directory {
    /// An empty log. The anchor of trust is the realm's root key; see [`crate::id::realm_id`].
    #[must_use]
    pub fn new(realm: RealmId, root: PublicKey) -> Self {
        let trees = Arc::new(vec![(0, Arc::default())]);
        Directory { realm, root, log: Arc::default(), trees, powers: Arc::default(), nodes: Arc::default() }
    }

    #[must_use]
    pub fn realm(&self) -> RealmId {
        self.realm
    }

    #[must_use]
    pub fn root(&self) -> PublicKey {
        self.root
    }

    /// Whose signature the next entry needs; none before the first entry.
    #[must_use]
    pub fn issuer(&self) -> Option<PublicKey> {
        self.powers.issuers.last().map(|(_, key)| *key)
    }

    /// The issuer whose signature an entry at `index` needed.
    fn issuer_before(&self, index: u64) -> Option<PublicKey> {
        self.powers.issuers.iter().rev().find(|(since, _)| *since < index).map(|(_, key)| *key)
    }

    /// The keys that can give a second signature.
    pub fn cosigners(&self) -> impl Iterator<Item = PublicKey> + '_ {
        self.powers.cosigners.iter().copied()
    }

    /// Whether some items need two signatures; see [`Directory::needs_second`].
    #[must_use]
    pub fn two_signatures(&self) -> bool {
        self.powers.two_signatures
    }

    /// The offline key that everything sealed is sealed to as well.
    #[must_use]
    pub fn escrow(&self) -> Option<SealingKey> {
        self.powers.escrow
    }

    /// Where the realm's days begin, by its name in the tz database; [`DEFAULT_TIME_ZONE`] if nobody has said.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        self.powers.time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE)
    }

    /// The seat whose log this is; none before the first entry.
    #[must_use]
    pub fn county(&self) -> Option<SeatId> {
        self.log.entries.first().map(|first| first.entry.county)
    }

    #[must_use]
    pub fn head(&self) -> DirectoryVersion {
        self.log.entries.last().map_or(DirectoryVersion::EMPTY, |last| last.version)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.log.entries.len() as u64
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.log.entries.is_empty()
    }

    /// The entries from `index` on; none if there are not so many.
    #[must_use]
    pub fn entries_from(&self, index: u64) -> &[Arc<SignedEntry>] {
        self.log.entries.get(usize_of(index)..).unwrap_or_default()
    }

    /// The index of the entry that made this version; for a version that the root gave up, of the one that it was built
    /// on.
    #[must_use]
    pub fn index_of(&self, version: DirectoryVersion) -> Option<u64> {
        self.log.by_version.get(&version).or_else(|| self.log.abandoned.get(&version)).copied()
    }

    /// Changes when what older versions admitted has to be judged again: with a fence, or when the root decided a fork.
    #[must_use]
    pub fn verdicts(&self) -> DirectoryVersion {
        self.powers.verdicts
    }

    /// The tree as of the newest entry.
    #[must_use]
    pub fn seats(&self) -> &Seats {
        self.seats_at(u64::MAX)
    }

    /// The tree as of an entry.
    #[must_use]
    pub fn seats_at(&self, index: u64) -> &Seats {
        let newest = self.trees.iter().rev().find(|(since, _)| *since <= index);
        // The empty tree before the first entry is always there.
        newest.map_or(&self.trees[0].1, |(_, seats)| seats)
    }

    #[must_use]
    pub fn node(&self, node: NodeId) -> Option<&NodeInfo> {
        self.nodes.by_id.get(&node).map(Arc::as_ref)
    }

    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.nodes.by_id.values().map(Arc::as_ref)
    }

    /// The nodes of a seat, in the order of enrolment; fenced ones too.
    pub fn nodes_of(&self, seat: SeatId) -> impl Iterator<Item = &NodeInfo> {
        self.nodes.by_seat.get(&seat).into_iter().flatten().filter_map(|node| self.node(*node))
    }

    /// The nodes of a seat that are not fenced.
    pub fn live_nodes_of(&self, seat: SeatId) -> impl Iterator<Item = &NodeInfo> {
        self.nodes_of(seat).filter(|info| !self.is_fenced(info.node))
    }

    /// A node, if it was enrolled at the version that the entry at `index` made. Its addresses are today's.
    #[must_use]
    pub fn node_at_index(&self, node: NodeId, index: u64) -> Option<&NodeInfo> {
        self.node(node).filter(|info| info.since <= index && index < self.len())
    }

    #[must_use]
    pub fn fence(&self, node: NodeId) -> Option<&Fence> {
        self.powers.fences.get(&node).map(Arc::as_ref)
    }

    #[must_use]
    pub fn is_fenced(&self, node: NodeId) -> bool {
        self.powers.fences.contains_key(&node)
    }

    /// Index of the newest entry that took a reader away from what is read in these seats: a node of one of them was fenced,
    /// or the realm took another escrow. What was begun by an older directory, somebody may have who may read no more.
    #[must_use]
    pub fn readers_left_at(&self, seats: &BTreeSet<SeatId>) -> u64 {
        let nodes = seats.iter().flat_map(|seat| self.nodes_of(*seat));
        let fenced = nodes.filter_map(|info| self.powers.fenced_at.get(&info.node).copied());
        fenced.chain([self.powers.escrow_at]).max().unwrap_or(0)
    }

    /// Fenced nodes, by id.
    pub fn fences(&self) -> impl Iterator<Item = &Fence> {
        self.powers.fences.values().map(Arc::as_ref)
    }

    /// Seats whose nodes may enrol others below, besides the county's own.
    pub fn delegates(&self) -> impl Iterator<Item = SeatId> + '_ {
        self.powers.delegates.iter().copied()
    }

    #[must_use]
    pub fn token_used(&self, token: TokenId) -> Option<Used> {
        self.nodes.tokens.get(&token).copied()
    }

    /// What a new commit cites; empty before the first entry, when nobody may commit.
    #[must_use]
    pub fn versions(&self) -> Vec<(SeatId, DirectoryVersion)> {
        self.county().map(|county| (county, self.head())).into_iter().collect()
    }
}

/// An index from outside that this machine cannot address is one that no list has.
fn usize_of(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
