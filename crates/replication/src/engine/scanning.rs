//! What links have to know of all that is here, or of much of it: sums with a seat that nobody has counted for, what the other end
//! leaves out, reconciliations. What is kept of records tells most of it; for the rest the store is scanned, or a part of it. One
//! scan of all is for all who wait for one.

use heliu_storage::ScanItem;

use super::{Engine, Life, PeerKnown};
use crate::effect::{Effect, LinkId, Moment};
use crate::link::{Link, Out, Wanted};
use crate::parts::Parts;
use crate::records::Apart;

impl Engine {
    pub(super) fn peer_known(&mut self, id: LinkId, known: PeerKnown, now: Moment, out: &mut Out) {
        match self.links.get(&id).and_then(Link::peer_seat) {
            // Once nothing is under way; see [`Engine::count_peers`].
            Some(seat) if !self.parts.scopes.sums.tracks(seat) => {
                self.uncounted.insert(id, known);
            }
            _ => self.with(id, now, out, |link, shared, out| {
                link.on_peer(known.cursor, known.last_commit, known.wants, shared, out);
            }),
        }
    }

    /// Counts the seats at the other ends of links that wait for it, and lets those wait for a scan of which what is kept does
    /// not tell all.
    pub(super) fn count_peers(&mut self, now: Moment, out: &mut Out) {
        let is_quiet = self.batch.is_none() && self.flight.is_none() && self.turns.is_free();
        if !is_quiet || !matches!(self.life, Life::Well) {
            return;
        }
        let waiting: Vec<LinkId> = self.uncounted.keys().copied().collect();
        for link in waiting {
            let Some(seat) = self.links.get(&link).and_then(Link::peer_seat) else { continue };
            let (own, seats) = (self.parts.own.seat, self.parts.authority.directory().seats());
            if !self.parts.scopes.track_by_kept(seat, own, seats) {
                self.turns.scan_soon(link);
            } else if let Some(known) = self.uncounted.remove(&link) {
                self.peer_known(link, known, now, out);
            }
        }
    }

    /// What a link waits for, when nothing is under way. Returns whether it has to wait for the store.
    pub(super) fn look(&mut self, link: LinkId, now: Moment, out: &mut Out) -> bool {
        let Parts { scopes, .. } = &self.parts;
        let needs_all = self.uncounted.contains_key(&link) || scopes.sums.apart(link).is_some_and(Apart::is_counting);
        let wanted = self.links.get(&link).and_then(Link::wanted).filter(|_| !needs_all && scopes.kept.is_whole());
        let scopes = match wanted {
            Some(Wanted::Scopes) => {
                self.turns.free();
                self.with(link, now, out, Link::on_scopes);
                return false;
            }
            Some(Wanted::Rows(Some(wanted))) if scopes.kept.is_few(wanted) => Some(wanted.clone()),
            Some(Wanted::Rows(_)) | None => None,
        };
        self.turns.scans(link, scopes.is_none());
        out.effects.push(Effect::Scan { link, scopes });
        true
    }

    /// Nothing was applied since the scan began, so one of all is as good for every link that waits for one by now.
    pub(super) fn scanned(&mut self, first: LinkId, items: &[ScanItem], now: Moment, out: &mut Out) {
        for link in [first].into_iter().chain(self.turns.scanned()) {
            self.scanned_for(link, items, now, out);
        }
    }

    fn scanned_for(&mut self, id: LinkId, items: &[ScanItem], now: Moment, out: &mut Out) {
        let (own, directory) = (self.parts.own.seat, self.parts.authority.directory());
        self.parts.scopes.count_apart(id, items, own, directory.seats());
        match self.uncounted.remove(&id) {
            Some(known) => {
                if let Some(seat) = self.links.get(&id).and_then(Link::peer_seat) {
                    self.parts.scopes.track(seat, items, own, directory.seats());
                }
                self.peer_known(id, known, now, out);
            }
            None => self.with(id, now, out, |link, shared, out| link.on_scanned(items, shared, out)),
        }
    }

    /// Counts what the other ends of links have left out, and lets those wait for a scan of which that does not count all.
    pub(super) fn count(&mut self, now: Moment, out: &mut Out) {
        if self.batch.is_some() {
            return;
        }
        while let Some(link) = self.turns.next_count() {
            if self.parts.count_open(link) {
                self.turns.scan_soon(link);
            } else {
                self.with(link, now, out, Link::on_appended);
            }
        }
    }
}
