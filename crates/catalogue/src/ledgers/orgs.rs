//! The organisations that a ledger is about, as a tree: who is under whom, and of which not everything is held.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::ledger::{At, Books, Cell};
use heliu_record::prelude::*;
use heliu_record::view::View;

use crate::homes::{Organisation, Organisations, Parents};
use crate::org::projected_parent;
use crate::words::ORGANISATION;

pub(super) struct Orgs<'b> {
    pub views: BTreeMap<RecordId, &'b View>,
    pub held: BTreeMap<RecordId, Organisation>,
    above: BTreeMap<RecordId, Option<RecordId>>,
    below: BTreeMap<Option<RecordId>, Vec<RecordId>>,
}

impl Organisations for Orgs<'_> {
    fn organisation(&self, id: RecordId) -> Option<Organisation> {
        self.held.get(&id).cloned()
    }
}

impl<'b> Orgs<'b> {
    /// As of the day that is asked for.
    pub fn of(books: &Books<'b>) -> Self {
        let views: BTreeMap<RecordId, &View> =
            books.rows(ORGANISATION, Vec::new()).iter().map(|view| (view.record, view)).collect();
        let mut held: BTreeMap<RecordId, Organisation> =
            views.iter().filter_map(|(id, view)| Some((*id, Organisation::of(view)?))).collect();
        if let Some(day) = &books.asked.on {
            held.values_mut().for_each(|org| org.ended &= org.since.is_empty() || org.since <= *day);
        }
        let above: BTreeMap<RecordId, Option<RecordId>> = {
            let tree = Parents(&held);
            held.keys().map(|id| (*id, projected_parent(*id, &tree))).collect()
        };
        let mut below: BTreeMap<Option<RecordId>, Vec<RecordId>> = BTreeMap::new();
        for (id, parent) in &above {
            let parent = parent.filter(|parent| held.contains_key(parent));
            below.entry(parent).or_default().push(*id);
        }
        // As people find them: by the code of their seat, then by name.
        let order = |id: &RecordId| {
            let seat = held.get(id).and_then(|org| books.seats.get(org.seat)).map(|seat| seat.code.clone());
            (seat, views.get(id).map(|view| view.title()), *id)
        };
        below.values_mut().for_each(|orgs| orgs.sort_by_cached_key(order));
        Orgs { views, held, above, below }
    }

    /// The organisation above one, for adding up.
    pub fn parent(&self, org: RecordId) -> Option<RecordId> {
        self.above.get(&org).copied().flatten()
    }

    /// An organisation and those above it.
    pub fn upward(&self, org: RecordId) -> impl Iterator<Item = RecordId> {
        std::iter::successors(Some(org), |at| self.parent(*at)).take(64)
    }

    pub fn cell(&self, org: RecordId) -> Cell {
        Cell::Record(org, self.title(org))
    }

    pub fn title(&self, org: RecordId) -> String {
        self.views.get(&org).map_or_else(|| org.short(), |view| view.title())
    }

    pub fn has_ended(&self, org: RecordId) -> bool {
        self.held.get(&org).is_some_and(|org| org.ended)
    }

    /// Those of the place that is asked for and those that are under them, each after the one above it, with its depth.
    pub fn in_order(&self, books: &Books<'_>) -> Vec<(RecordId, u32)> {
        let roots = match books.asked.at {
            Some(At::Record(org)) => vec![org],
            Some(At::Seat(_)) | None => self.below.get(&None).cloned().unwrap_or_default(),
        };
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        let mut next: Vec<(RecordId, u32)> = roots.into_iter().rev().map(|org| (org, 0)).collect();
        while let Some((org, depth)) = next.pop() {
            if !seen.insert(org) {
                continue;
            }
            let is_in = self.is_in(org, books);
            if is_in {
                found.push((org, depth));
            }
            let below = self.below.get(&Some(org)).into_iter().flatten().rev();
            next.extend(below.map(|org| (*org, depth + u32::from(is_in))));
        }
        found
    }

    /// Whether an organisation belongs to what is asked for: to a seat, or under an organisation.
    pub fn is_in(&self, org: RecordId, books: &Books<'_>) -> bool {
        match books.asked.at {
            Some(At::Record(root)) => self.upward(org).any(|at| at == root),
            Some(At::Seat(_)) | None => self.held.get(&org).is_some_and(|org| books.has_seat(org.seat)),
        }
    }

    /// The organisations under which there is something that is not held here, or not shown: what they come to is not all.
    pub fn partial(&self, books: &Books<'_>) -> BTreeSet<RecordId> {
        let covers =
            |seat: SeatId| books.sight.covers(seat, books.seats) && books.seats.is_at_or_above(books.own, seat);
        let is_own = |org: &Organisation| {
            let is_asked = !matches!(books.asked.at, Some(At::Seat(_))) || books.has_seat(org.seat);
            covers(org.seat) && is_asked
        };
        let outside = self.held.iter().filter(|(_, org)| !is_own(org)).map(|(id, _)| *id);
        outside.flat_map(|org| self.upward(org)).collect()
    }
}
