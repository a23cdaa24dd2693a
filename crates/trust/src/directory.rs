//! A county's directory: the linear, signed log of its seats and nodes, and what it adds up to. Authority depends on
//! this and the record, and on nothing else. The encoding of entries is in `directory/entry.rs`.
//!
//! What an author may do is judged at the version that its commit cites, never at the newest that the judging node
//! happens to hold: so `node_at_index` and `seats_at` answer for any version in the log.
//!
//! Yet to come here, each as an item of its own: a node's frontier (fencing), delegation of enrolment to townships,
//! merge, split and recode of seats, consumed join tokens, and the realm's root above the issuer.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_record::codec::DecodeError;
use heliu_record::id::SeatId;
use heliu_record::seats::{BadSeat, Seats};

use crate::id::{DirectoryVersion, NodeId, RealmId, node_id};
use crate::signature::{PublicKey, Signer, Verifier};

mod entry;
#[cfg(test)]
mod tests;

pub use entry::{Entry, Item, SignedEntry, limits};

/// An enrolled node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    pub node: NodeId,
    pub seat: SeatId,
    pub key: PublicKey,
    /// Where it can be reached, as of the newest entry.
    pub addresses: Vec<String>,
    /// Index of the entry that enrolled it.
    pub since: u64,
}

/// Why an entry does not become part of the log. Nothing of it is applied then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("the entry is of another realm")]
    WrongRealm,
    #[error("the entry is of another county")]
    WrongCounty,
    #[error("the entry is not signed by this county's issuer")]
    ForeignIssuer,
    #[error("the entry's signature does not match")]
    BadSignature,
    /// Not a fault: earlier entries have to come first.
    #[error("entry {found} came, where {expected} was due")]
    Gap { expected: u64, found: u64 },
    /// The issuer signed two entries for one place: the directory must not grow until the root has decided.
    #[error("a second, different entry {index} is signed by the issuer: the directory is forked")]
    Forked { index: u64 },
    #[error("the entry keeps no bounds: {0}")]
    Bounds(#[from] DecodeError),
    #[error(transparent)]
    Seat(#[from] BadSeat),
    #[error("the county's own seat comes first, and no other seat is without a parent")]
    Root,
    #[error("seat {0} would not be below its parent's tier")]
    Tier(String),
    #[error("node {} is already enrolled", .0.short())]
    NodeTwice(NodeId),
    #[error("node {} is enrolled for a seat that does not exist", .0.short())]
    NodeSeat(NodeId),
    #[error("the id of node {} is not that of its key", .0.short())]
    NodeKey(NodeId),
    #[error("node {} is not enrolled", .0.short())]
    NoNode(NodeId),
}

/// Cheap to clone: hundreds of nodes in one process share one copy of what they have in common.
#[derive(Clone, Debug)]
pub struct Directory {
    realm: RealmId,
    issuer: PublicKey,
    log: Arc<Log>,
    /// The tree from each entry on that changed it, oldest first. It seldom changes, and is small.
    trees: Arc<Vec<(u64, Arc<Seats>)>>,
    nodes: Arc<Nodes>,
}

#[derive(Clone, Debug, Default)]
struct Log {
    entries: Vec<Arc<SignedEntry>>,
    by_version: BTreeMap<DirectoryVersion, u64>,
}

#[derive(Clone, Debug, Default)]
struct Nodes {
    by_id: BTreeMap<NodeId, Arc<NodeInfo>>,
    by_seat: BTreeMap<SeatId, Vec<NodeId>>,
}

/// What an entry would make of the directory.
struct Applied {
    seats: Option<Seats>,
    nodes: Option<Nodes>,
}

impl Directory {
    /// An empty log. The anchor of trust is the county issuer's key; see [`crate::id::realm_id`].
    #[must_use]
    pub fn new(realm: RealmId, issuer: PublicKey) -> Self {
        let trees = Arc::new(vec![(0, Arc::default())]);
        Directory { realm, issuer, log: Arc::default(), trees, nodes: Arc::default() }
    }

    /// Takes the next entry, or leaves everything as it is. An entry that is already in the log is taken again in peace.
    pub fn append(&mut self, signed: &SignedEntry, verifier: &dyn Verifier) -> Result<(), DirectoryError> {
        let entry = &signed.entry;
        if entry.realm != self.realm {
            return Err(DirectoryError::WrongRealm);
        }
        if entry.issuer != self.issuer {
            return Err(DirectoryError::ForeignIssuer);
        }
        if self.log.entries.get(usize_of(entry.index)).is_some_and(|known| **known == *signed) {
            return Ok(());
        }
        // The version is a public field: only a signature over what the entry itself hashes to counts.
        let version = entry.version();
        if version != signed.version
            || !verifier.verify(&self.issuer, &entry::signed_message(&version), &signed.signature)
        {
            return Err(DirectoryError::BadSignature);
        }
        if self.county().is_some_and(|county| county != entry.county) {
            return Err(DirectoryError::WrongCounty);
        }
        if entry.index > self.len() {
            return Err(DirectoryError::Gap { expected: self.len(), found: entry.index });
        }
        if entry.index < self.len() || entry.previous != self.head() {
            return Err(DirectoryError::Forked { index: entry.index });
        }
        let applied = self.apply(entry, verifier.scheme())?;
        self.take(signed, applied);
        Ok(())
    }

    /// The next entry with these items, signed; it has not been appended.
    pub fn draft(&self, items: Vec<Item>, time_ms: i64, issuer: &dyn Signer) -> Result<SignedEntry, DirectoryError> {
        if issuer.public_key() != self.issuer {
            return Err(DirectoryError::ForeignIssuer);
        }
        let first = match items.first() {
            Some(Item::Seat(seat)) => Some(seat.id),
            _ => None,
        };
        let entry = Entry {
            realm: self.realm,
            county: self.county().or(first).ok_or(DirectoryError::Root)?,
            index: self.len(),
            previous: self.head(),
            time_ms,
            items,
            issuer: self.issuer,
        };
        self.apply(&entry, issuer.scheme())?;
        Ok(SignedEntry::sign(entry, issuer))
    }

    fn apply(&self, entry: &Entry, scheme: &str) -> Result<Applied, DirectoryError> {
        entry.check()?;
        let mut applied = Applied { seats: None, nodes: None };
        for (place, item) in entry.items.iter().enumerate() {
            self.apply_item(&mut applied, entry, place, item, scheme)?;
        }
        Ok(applied)
    }

    fn apply_item(
        &self,
        applied: &mut Applied,
        entry: &Entry,
        place: usize,
        item: &Item,
        scheme: &str,
    ) -> Result<(), DirectoryError> {
        match item {
            Item::Seat(seat) => {
                let is_first = entry.index == 0 && place == 0;
                if is_first != seat.parent.is_none() || (is_first && seat.id != entry.county) {
                    return Err(DirectoryError::Root);
                }
                let seats = applied.seats.get_or_insert_with(|| self.seats().clone());
                if let Some(parent) = seat.parent.and_then(|parent| seats.get(parent))
                    && parent.tier >= seat.tier
                {
                    return Err(DirectoryError::Tier(seat.code.clone()));
                }
                seats.add(seat.clone())?;
            }
            Item::Node { node, seat, key, addresses } => {
                if *node != node_id(scheme, key) {
                    return Err(DirectoryError::NodeKey(*node));
                }
                if applied.seats.as_ref().unwrap_or(self.seats()).get(*seat).is_none() {
                    return Err(DirectoryError::NodeSeat(*node));
                }
                let nodes = applied.nodes.get_or_insert_with(|| Nodes::clone(&self.nodes));
                let (seat, addresses) = (*seat, addresses.clone());
                let info = NodeInfo { node: *node, seat, key: *key, addresses, since: entry.index };
                if nodes.by_id.insert(*node, Arc::new(info)).is_some() {
                    return Err(DirectoryError::NodeTwice(*node));
                }
                nodes.by_seat.entry(seat).or_default().push(*node);
            }
            Item::Addresses { node, addresses } => {
                let nodes = applied.nodes.get_or_insert_with(|| Nodes::clone(&self.nodes));
                let known = nodes.by_id.get_mut(node).ok_or(DirectoryError::NoNode(*node))?;
                Arc::make_mut(known).addresses.clone_from(addresses);
            }
        }
        Ok(())
    }

    fn take(&mut self, signed: &SignedEntry, applied: Applied) {
        let index = self.len();
        if let Some(seats) = applied.seats {
            Arc::make_mut(&mut self.trees).push((index, Arc::new(seats)));
        }
        if let Some(nodes) = applied.nodes {
            self.nodes = Arc::new(nodes);
        }
        let log = Arc::make_mut(&mut self.log);
        log.by_version.insert(signed.version, index);
        log.entries.push(Arc::new(signed.clone()));
    }

    #[must_use]
    pub fn realm(&self) -> RealmId {
        self.realm
    }

    #[must_use]
    pub fn issuer(&self) -> PublicKey {
        self.issuer
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

    /// The index of the entry that made this version.
    #[must_use]
    pub fn index_of(&self, version: DirectoryVersion) -> Option<u64> {
        self.log.by_version.get(&version).copied()
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

    /// The nodes of a seat, in the order of enrolment.
    pub fn nodes_of(&self, seat: SeatId) -> impl Iterator<Item = &NodeInfo> {
        self.nodes.by_seat.get(&seat).into_iter().flatten().filter_map(|node| self.node(*node))
    }

    /// A node, if it was enrolled at the version that the entry at `index` made. Its addresses are today's.
    #[must_use]
    pub fn node_at_index(&self, node: NodeId, index: u64) -> Option<&NodeInfo> {
        self.node(node).filter(|info| info.since <= index && index < self.len())
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
