//! What leaves that are held say together, kept as they come: whoever asks does not look through them.

use std::collections::BTreeMap;

use heliu_record::id::SeatId;
use heliu_record::scope::Scope;

use super::{Leaf, Status, Unjudged};
use crate::directory::Directory;
use crate::id::NodeId;

#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// What the leaves of each author would widen a scope by.
    named: BTreeMap<NodeId, Scope>,
    unjudged: Option<Unjudged>,
}

impl Held {
    pub fn add(&mut self, leaf: &Leaf, status: Status) {
        self.named.entry(leaf.author).or_default().widen_by(&leaf.change);
        self.unjudged = self.unjudged.max(status.unjudged());
    }

    /// The worst reason for which this software cannot judge one of them.
    pub fn unjudged(&self) -> Option<Unjudged> {
        self.unjudged
    }

    /// See [`super::Leaves::widen`].
    pub fn widen(&self, scope: &mut Scope, directory: &Directory) {
        let mut unheard: Vec<(Option<SeatId>, &Scope)> =
            self.named.iter().map(|(author, named)| (directory.node(*author).map(|node| node.seat), named)).collect();
        let mut before = usize::MAX;
        while unheard.len() < before {
            before = unheard.len();
            unheard.retain(|(seat, named)| {
                let owns = |owner| seat.is_some_and(|seat| directory.seats().is_at_or_above(seat, owner));
                let is_heard = scope.owners.iter().copied().any(owns);
                if is_heard {
                    scope.widen(named);
                }
                !is_heard
            });
        }
    }
}
