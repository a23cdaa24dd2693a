//! The part that knows the directory: what it says, by which of its states this node works and speaks, who may enter
//! something into it here, whether it is forked. What its growth means for records, statements and links is said in a
//! [`Growth`], and is for others to do.

mod enrolment;
mod forks;
mod refusals;

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::command::Refusal;
use heliu_record::id::SeatId;
use heliu_record::seats::Seats;
use heliu_trust::directory::{Directory, Grown, Item, Pool, SignedEntry};
use heliu_trust::id::NodeId;
use heliu_trust::signature::{Signer, Verifier};

use crate::durable::Durable;
use crate::effect::Moment;

pub(crate) use enrolment::{Asked, Enrolment, Gathered, JoinAsker, Joins, refused as join_refused};
pub(crate) use forks::{By, Fork, NotGrown};
pub(crate) use refusals::{fenced, forked, not_drawn_up, not_enrolled, outdated, too_many_incarnations};

use refusals::no_issuer;

pub(crate) struct Authority {
    /// As the work under way goes by it.
    directory: Directory,
    /// As it is durable, if the work under way makes it grow: a failing store may take that back.
    before: Option<Directory>,
    /// Enters things into the directory, if this node has the key.
    issuer: Option<Arc<dyn Signer>>,
    /// Two entries for one place, which the root has not decided.
    fork: Option<Fork>,
    /// Nodes that the directory got since this process began.
    learnt: BTreeSet<NodeId>,
    pool: Option<Arc<Pool>>,
}

/// What an entry that was taken means for others.
pub(crate) enum Follows {
    /// The root decided a fork: seats and nodes may have gone, and all is judged again.
    Replaced,
    /// A seat that was not known before.
    Seat(SeatId),
    /// A fence around a node.
    Fence(NodeId),
}

/// What came of entries that were to be taken. Those before one that is not good are taken.
pub(crate) struct Growth {
    pub result: Result<(), NotGrown>,
    /// In the order in which they were taken.
    pub follows: Vec<Follows>,
    /// The entries that are new, encoded. None: the directory is as before.
    pub added: Option<Vec<Vec<u8>>>,
    /// From this entry on they take the place of others.
    pub replaced_from: Option<u64>,
    /// What it says of older entries is something else now.
    pub has_judged: bool,
    /// An entry for a place that has another, noticed now.
    pub forked: Option<SignedEntry>,
}

impl Authority {
    pub fn new(directory: Directory, issuer: Option<Arc<dyn Signer>>, pool: Option<Arc<Pool>>) -> Self {
        Authority { directory, before: None, issuer, fork: None, learnt: BTreeSet::new(), pool }
    }

    /// What the work under way goes by.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn seats(&self) -> &Seats {
        self.directory.seats()
    }

    /// As far as it is durable: what links say and go by, and what people are shown.
    pub fn durable(&self) -> &Directory {
        self.before.as_ref().unwrap_or(&self.directory)
    }

    /// The seats as they were before the work under way.
    pub fn seats_before(&self) -> &Seats {
        self.durable().seats()
    }

    /// Whether the work under way makes it grow.
    pub fn has_grown(&self) -> bool {
        self.before.is_some()
    }

    pub fn fork(&self) -> Option<&Fork> {
        self.fork.as_ref()
    }

    pub fn learnt(&self) -> &BTreeSet<NodeId> {
        &self.learnt
    }

    /// The key that enters things into the directory, if it is here and counts.
    pub fn issuer(&self) -> Option<&Arc<dyn Signer>> {
        self.issuer.as_ref().filter(|key| Some(key.public_key()) == self.directory.issuer())
    }

    /// Takes entries up to the first that is not good.
    pub fn grow(&mut self, entries: &[SignedEntry], verifier: &dyn Verifier, now: Moment) -> Growth {
        let before = self.directory.clone();
        let mut from = before.len();
        let (mut result, mut follows, mut forked) = (Ok(()), Vec::new(), None);
        let pool = self.pool.clone().filter(|_| self.fork.is_none());
        let unverified = match pool.as_ref().and_then(|pool| pool.grown(&before, entries)) {
            Some(verified) => {
                entries.iter().for_each(|entry| self.follow(entry, &mut follows));
                self.directory = verified;
                &[]
            }
            None => entries,
        };
        for entry in unverified {
            match self.append(entry, verifier) {
                Ok(Grown::Nothing) => {}
                Ok(grown) => {
                    if let Grown::Replaced { from: cut } = grown {
                        from = from.min(cut);
                        follows.push(Follows::Replaced);
                    }
                    self.follow(entry, &mut follows);
                }
                Err(error) => {
                    if let NotGrown::Forked { .. } = error {
                        forked = self.note_fork(entry, now);
                    }
                    result = Err(error);
                    break;
                }
            }
        }
        let mut growth = Growth { result, follows, added: None, replaced_from: None, has_judged: false, forked };
        if self.directory.head() != before.head() {
            if let Some(pool) = &pool {
                self.directory = pool.copy_of(self.directory.clone());
            }
            growth.replaced_from = (from < before.len()).then_some(from);
            growth.added = Some(self.directory.entries_from(from).iter().map(|entry| entry.encode()).collect());
            growth.has_judged = self.directory.verdicts() != before.verdicts();
            self.before = Some(before);
        }
        growth
    }

    /// Takes an entry, unless nothing new is taken before the root has decided.
    fn append(&mut self, entry: &SignedEntry, verifier: &dyn Verifier) -> Result<Grown, NotGrown> {
        let is_new = entry.entry.index >= self.directory.len();
        if is_new && self.fork.is_some() && !entry.is_signed_by(self.directory.root()) {
            return Err(NotGrown::Frozen);
        }
        Ok(self.directory.append(entry, verifier)?)
    }

    fn follow(&mut self, entry: &SignedEntry, follows: &mut Vec<Follows>) {
        for item in &entry.entry.items {
            match item {
                Item::Seat(seat) => follows.push(Follows::Seat(seat.id)),
                Item::Node { node, .. } => {
                    self.learnt.insert(*node);
                }
                Item::Fence(fence) => follows.push(Follows::Fence(fence.node)),
                Item::Resolve { .. } => self.fork = None,
                _ => {}
            }
        }
    }

    /// Returns the other entry, if it is news.
    fn note_fork(&mut self, other: &SignedEntry, now: Moment) -> Option<SignedEntry> {
        if self.fork.is_some() {
            return None;
        }
        let (ours, theirs) = self.directory.evidence(other)?;
        self.fork = Some(Fork { ours: ours.version, theirs: theirs.clone(), since_tick: now.tick_ms });
        Some(theirs)
    }

    /// The entry that the administrator wants, and whether one signature is enough for it.
    pub fn draft(&self, items: &[Item], now: Moment) -> Result<(SignedEntry, bool), Refusal> {
        let issuer = self.issuer().ok_or_else(no_issuer)?;
        if self.fork.is_some() {
            return Err(forked());
        }
        let entry = self.directory.draft(items.to_vec(), now.wall_ms, &[&**issuer]).map_err(|e| not_drawn_up(&e))?;
        Ok((entry, !self.directory.needs_second(items)))
    }

    /// Whether an entry was drawn up on an older directory. A person who hands that in has made a slip: it is no evidence of
    /// two hands that hold one key, and must not stop everybody. On a link it would be.
    pub fn is_outdated(&self, signed: &SignedEntry) -> bool {
        signed.entry.index < self.directory.len()
            && self.directory.index_of(signed.version).is_none()
            && !signed.entry.items.iter().any(|item| matches!(item, Item::Resolve { .. }))
    }

    /// What the work under way made of it is durable.
    pub fn applied(&mut self, _: &Durable) {
        self.before = None;
    }
}

#[cfg(test)]
mod tests {
    use heliu_record::seats::{Seat, Tier};
    use heliu_trust::id::seat_id;
    use heliu_trust::simulated::{Cheap, CheapKey};

    use super::*;
    use crate::tests::world::{COUNTY, directory, key};

    const ISSUER: CheapKey = CheapKey([1; 32]);
    const NOW: Moment = Moment { tick_ms: 5, wall_ms: 7 };

    fn authority() -> Authority {
        Authority::new(directory(), Some(Arc::new(ISSUER)), None)
    }

    /// An entry on top of a directory, by which a village gets its seat.
    fn village(directory: &Directory, code: &str) -> SignedEntry {
        let county = directory.node(key(COUNTY).node()).expect("it is enrolled").seat;
        let (id, code) = (seat_id(&directory.realm(), code), code.to_owned());
        let seat = Seat { id, name: code.clone(), code, tier: Tier::Township, parent: Some(county) };
        directory.draft(vec![Item::Seat(seat)], 1, &[&ISSUER]).expect("it is drawn up well")
    }

    #[test]
    fn what_an_entry_says_is_worked_by_at_once_and_said_to_others_once_it_is_durable() {
        let mut authority = authority();
        let entry = village(authority.directory(), "371726102000");
        let growth = authority.grow(&[entry], &Cheap, NOW);
        assert!(growth.result.is_ok() && growth.added.is_some_and(|added| added.len() == 1));
        assert!(matches!(growth.follows[..], [Follows::Seat(_)]));
        assert_eq!((authority.directory().len(), authority.durable().len()), (2, 1));
        assert!(authority.has_grown());
        authority.applied(&Durable::said(Ok(())).expect("it is"));
        assert_eq!(authority.durable().len(), 2);
        assert!(!authority.has_grown());
    }

    #[test]
    fn a_second_entry_for_a_place_is_told_once_and_then_nothing_new_is_taken_but_the_roots() {
        let mut authority = authority();
        let entries = ["371726102000", "371726103000"].map(|code| village(authority.directory(), code));
        assert!(authority.grow(&entries[..1], &Cheap, NOW).forked.is_none());
        let growth = authority.grow(&entries[1..], &Cheap, NOW);
        assert_eq!(growth.result, Err(NotGrown::Forked { index: 1 }));
        assert!(growth.forked.is_some() && growth.added.is_none());
        assert!(authority.grow(&entries[1..], &Cheap, NOW).forked.is_none(), "no news");
        assert!(authority.fork().is_some_and(|fork| fork.since_tick == 5));
        assert_eq!(authority.draft(&[], NOW).map(|_| ()).map_err(|refusal| refusal.code), Err("directory_forked"));
    }

    #[test]
    fn who_has_no_key_or_one_that_the_root_has_replaced_draws_up_nothing() {
        for key in [None, Some(CheapKey([9; 32]))] {
            let authority = Authority::new(directory(), key.map(|key| Arc::new(key) as Arc<dyn Signer>), None);
            assert!(authority.issuer().is_none());
            assert_eq!(authority.draft(&[], NOW).map(|_| ()).map_err(|refusal| refusal.code), Err("no_issuer"));
        }
    }
}
