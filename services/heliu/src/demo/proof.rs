//! The independent comparison: what was acknowledged against what every entitled node holds.
//!
//! Nothing here asks a node or its engine. All stores are read side by side in record order, a page of each at a time, so
//! memory does not grow with the county. Who is entitled follows from the scope in the stores and from the region
//! file's own tree; a leaf's hash is computed from the bytes that are stored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use heliu_record::change::hash_of;
use heliu_record::hash::hash;
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_record::seats::Seat;
use heliu_storage::{LeafStatus, Loaded, ReadRecords, RecordState, StoreError};
use heliu_trust::commit::SignedCommit;
use tokio::task::JoinHandle;

#[cfg(test)]
mod tests;

/// Records of one store in memory at a time.
const PAGE: usize = 64;
/// How many faults are told in words.
const TOLD: usize = 10;

/// Parents by seat, as the region file has them.
pub struct Tree(BTreeMap<SeatId, Option<SeatId>>);

impl Tree {
    pub fn new(seats: &[Seat]) -> Self {
        Tree(seats.iter().map(|seat| (seat.id, seat.parent)).collect())
    }

    /// The seats that are entitled to a record of this scope; none: all of them.
    fn entitled(&self, scope: &Scope) -> Option<BTreeSet<SeatId>> {
        if scope.public {
            return None;
        }
        let mut entitled = BTreeSet::new();
        for named in scope.owners.iter().chain(&scope.seats) {
            let mut at = Some(*named);
            // A seat that is in already has its superiors in too.
            while let Some(seat) = at.filter(|seat| entitled.insert(*seat)) {
                at = self.0.get(&seat).copied().flatten();
            }
        }
        Some(entitled)
    }
}

/// What the comparison found.
#[derive(Debug, Default)]
pub struct Proof {
    /// Records that some store holds, and how many of them are members.
    pub records: u64,
    pub members: u64,
    /// Copies that were compared: (record, node).
    pub copies: u64,
    /// Acknowledged leaves that at least one entitled node does not hold.
    pub lost: u64,
    /// Records that not all entitled nodes hold with the same bytes, leaves and view.
    pub unequal: u64,
    /// Copies at nodes that are not entitled.
    pub strangers: u64,
    /// Stored leaves that are not what their hash says.
    pub damaged: u64,
    /// Leaves that were not taken into their record's view.
    pub unsettled: u64,
    /// The first faults, in words.
    pub told: Vec<String>,
}

impl Proof {
    pub fn is_converged(&self) -> bool {
        self.unequal == 0 && self.strangers == 0 && self.damaged == 0 && self.unsettled == 0
    }

    fn tell(&mut self, words: impl FnOnce() -> String) {
        if self.told.len() < TOLD {
            self.told.push(words());
        }
    }
}

/// A node's store, and the seat that it is for.
pub struct Holder {
    pub seat: SeatId,
    pub name: String,
    pub store: Arc<dyn ReadRecords>,
}

/// Compares everything. `acked` are the leaves that nodes said were durable.
pub async fn compare(holders: Vec<Holder>, tree: &Tree, acked: &BTreeSet<LeafHash>) -> Result<Proof, StoreError> {
    let mut proof = Proof::default();
    let mut found: BTreeSet<LeafHash> = BTreeSet::new();
    let mut missed: BTreeSet<LeafHash> = BTreeSet::new();
    let mut streams: Vec<Stream> = holders.into_iter().map(Stream::new).collect();
    let mut next: BTreeMap<RecordId, Vec<usize>> = BTreeMap::new();
    for (index, stream) in streams.iter_mut().enumerate() {
        if let Some(id) = stream.peek().await? {
            next.entry(id).or_default().push(index);
        }
    }
    while let Some((id, at)) = next.pop_first() {
        let mut copies = Vec::with_capacity(at.len());
        for index in at {
            let stream = &mut streams[index];
            copies.extend(stream.take().map(|copy| (index, copy)));
            if let Some(id) = stream.peek().await? {
                next.entry(id).or_default().push(index);
            }
        }
        judge(id, &copies, &streams, tree, acked, (&mut found, &mut missed), &mut proof);
    }
    for leaf in acked.difference(&found) {
        missed.insert(*leaf);
        proof.tell(|| format!("leaf {} was acknowledged and is in no store", leaf.short()));
    }
    proof.lost = missed.len() as u64;
    Ok(proof)
}

fn judge(
    id: RecordId,
    copies: &[(usize, Held)],
    streams: &[Stream],
    tree: &Tree,
    acked: &BTreeSet<LeafHash>,
    (found, missed): (&mut BTreeSet<LeafHash>, &mut BTreeSet<LeafHash>),
    proof: &mut Proof,
) {
    let name = |index: usize| streams[index].holder.name.as_str();
    let mut scope = Scope::default();
    copies.iter().filter(|(_, copy)| copy.holds()).for_each(|(_, copy)| scope.widen(&copy.scope));
    let entitled = tree.entitled(&scope);
    let may = |seat: SeatId| entitled.as_ref().is_none_or(|entitled| entitled.contains(&seat));
    let mut held: BTreeMap<SeatId, &Held> = BTreeMap::new();
    for (index, copy) in copies.iter().filter(|(_, copy)| copy.holds()) {
        proof.copies += 1;
        proof.damaged += copy.damaged;
        proof.unsettled += copy.unsettled;
        if copy.damaged + copy.unsettled > 0 {
            proof.tell(|| {
                format!(
                    "record {} at {}: {} damaged, {} unsettled leaves",
                    id.short(),
                    name(*index),
                    copy.damaged,
                    copy.unsettled
                )
            });
        }
        let seat = streams[*index].holder.seat;
        if !may(seat) {
            proof.strangers += 1;
            proof.tell(|| format!("record {} is at {}, which is not entitled to it", id.short(), name(*index)));
        } else if copy.present {
            held.insert(seat, copy);
        }
    }
    let Some(first) = held.values().next() else {
        if copies.iter().any(|(_, copy)| copy.holds()) {
            proof.unequal += 1;
            proof.tell(|| format!("record {} is at no entitled node", id.short()));
        }
        return;
    };
    proof.records += 1;
    proof.members += u64::from(first.is_member);
    let expected = streams.iter().map(|stream| stream.holder.seat).filter(|seat| may(*seat)).count();
    if held.len() != expected {
        proof.tell(|| format!("record {} is at {} of {expected} entitled nodes", id.short(), held.len()));
    }
    let equal = held.values().all(|copy| copy.digest == first.digest);
    if !equal {
        proof.tell(|| format!("record {} is not the same at its {} nodes", id.short(), held.len()));
    }
    proof.unequal += u64::from(held.len() != expected || !equal);
    for leaf in held.values().flat_map(|copy| &copy.leaves).filter(|leaf| acked.contains(*leaf)) {
        found.insert(*leaf);
        let everywhere = held.len() == expected && (equal || held.values().all(|copy| copy.leaves.contains(leaf)));
        if !everywhere && missed.insert(*leaf) {
            proof.tell(|| format!("leaf {} of record {} is not at all entitled nodes", leaf.short(), id.short()));
        }
    }
}

/// One record as one store holds it.
struct Held {
    id: RecordId,
    scope: Scope,
    present: bool,
    is_member: bool,
    leaves: Vec<LeafHash>,
    /// A hash of the record's scope, its leaves with their bytes, and its view.
    digest: [u8; 32],
    damaged: u64,
    unsettled: u64,
    view_bytes: usize,
}

impl Held {
    fn of(loaded: Loaded) -> Self {
        let Loaded { row, mut leaves, commits, .. } = loaded;
        let is_right = |(leaf, commit): &(&heliu_storage::LeafRow, &Arc<[u8]>)| {
            let hash = |commit: SignedCommit| {
                let change = hash_of(&leaf.change)?;
                Some(commit.commit.leaf_hash(&row.id, &change, leaf.kind_version))
            };
            SignedCommit::decode(commit).ok().and_then(hash) == Some(leaf.hash)
        };
        let damaged = leaves.len() as u64 - leaves.iter().zip(&commits).filter(is_right).count() as u64;
        leaves.sort_unstable_by_key(|leaf| leaf.hash);
        let settled = |status| matches!(status, LeafStatus::Admitted | LeafStatus::Excluded);
        let unsettled = leaves.iter().filter(|leaf| !settled(leaf.status)).count() as u64;
        let public = [u8::from(row.scope.public)];
        let mut parts: Vec<&[u8]> = vec![row.preimage.kind.as_bytes(), &row.view, &public];
        for seats in [&row.scope.owners, &row.scope.seats] {
            parts.push(&[]);
            parts.extend(seats.iter().map(|seat| &seat.0[..]));
        }
        for leaf in &leaves {
            parts.extend([&leaf.hash.0[..], &leaf.change]);
        }
        Held {
            digest: hash("heliu demo copy 1", &parts),
            leaves: leaves.iter().map(|leaf| leaf.hash).collect(),
            id: row.id,
            present: row.state == RecordState::Present,
            is_member: row.preimage.kind == "member",
            damaged,
            unsettled,
            view_bytes: row.view.len(),
            scope: row.scope,
        }
    }

    /// Whether anything of the record is here: a stub is not.
    fn holds(&self) -> bool {
        self.present || !self.leaves.is_empty() || self.view_bytes > 0
    }
}

/// Some records, and the id to go on after; none: these are the last.
type Page = (VecDeque<Held>, Option<RecordId>);

/// The records of one store in id order; the next page is read while this one is used.
struct Stream {
    holder: Holder,
    page: VecDeque<Held>,
    ahead: Option<JoinHandle<Result<Page, StoreError>>>,
}

impl Stream {
    fn new(holder: Holder) -> Self {
        let mut stream = Stream { holder, page: VecDeque::new(), ahead: None };
        stream.read_ahead(None);
        stream
    }

    fn read_ahead(&mut self, after: Option<RecordId>) {
        let store = self.holder.store.clone();
        self.ahead = Some(tokio::spawn(async move { read_page(&*store, after).await }));
    }

    async fn peek(&mut self) -> Result<Option<RecordId>, StoreError> {
        while self.page.is_empty() {
            let Some(ahead) = self.ahead.take() else { return Ok(None) };
            let (page, last) =
                ahead.await.map_err(|error| StoreError::Io { what: "comparing", detail: error.to_string() })??;
            self.page = page;
            if let Some(last) = last {
                self.read_ahead(Some(last));
            }
        }
        Ok(self.page.front().map(|copy| copy.id))
    }

    fn take(&mut self) -> Option<Held> {
        self.page.pop_front()
    }
}

async fn read_page(store: &dyn ReadRecords, after: Option<RecordId>) -> Result<Page, StoreError> {
    let page = store.scan(after, PAGE).await?;
    if let Some(row) = page.damaged.into_iter().next() {
        return Err(StoreError::Damaged { what: "a record's row", detail: row.detail });
    }
    let ids: Vec<RecordId> = page.items.iter().map(|item| item.id).collect();
    let mut copies: Vec<Held> = store.load(&ids).await?.into_iter().map(Held::of).collect();
    copies.sort_unstable_by_key(|copy| copy.id);
    Ok((copies.into(), page.next))
}
