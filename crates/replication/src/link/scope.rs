//! What of the feed is for the other end of a link.

use heliu_storage::{Budget, FeedEntry, FeedItem};
use heliu_trust::grant::SignedGrant;
use heliu_trust::id::NodeId;

use super::line::{Peer, Shared};

/// What is read at once.
pub(super) const PAGE: Budget = Budget { entries: 1_024, bytes: 512 * 1024 };

/// Both ends may have the record.
pub(super) fn is_in_scope(item: &FeedItem, peer: &Peer, shared: &Shared<'_>) -> bool {
    let seats = shared.directory.seats();
    item.scope.has_audience(peer.seat, seats) && item.scope.has_audience(shared.own.seat, seats)
}

/// In scope; or what a seat and its subordinates wrote, which always travels upward, whatever the audience has become.
pub(super) fn travels(item: &FeedItem, peer: &Peer, shared: &Shared<'_>) -> bool {
    let (own, seats) = (shared.own.seat, shared.directory.seats());
    let is_below = |author| shared.directory.node(author).is_some_and(|author| seats.is_at_or_above(own, author.seat));
    is_in_scope(item, peer, shared) || (is_upward(peer, shared) && author(&item.entry).is_some_and(is_below))
}

fn author(entry: &FeedEntry) -> Option<NodeId> {
    match entry {
        FeedEntry::Leaf(row) => Some(row.author),
        FeedEntry::Grant(row) => SignedGrant::decode(&row.grant).ok().map(|signed| signed.grant.by),
        FeedEntry::Rescope { .. } => None,
    }
}

/// The node that brought an entry.
pub(super) fn origin(entry: &FeedEntry) -> Option<NodeId> {
    match entry {
        FeedEntry::Leaf(row) => row.origin,
        FeedEntry::Grant(row) => row.origin,
        FeedEntry::Rescope { .. } => None,
    }
}

pub(super) fn is_upward(peer: &Peer, shared: &Shared<'_>) -> bool {
    let own = shared.own.seat;
    peer.seat != own && shared.directory.seats().is_at_or_above(peer.seat, own)
}
