//! Those who do not keep the rules: insiders, whose enrolled machine lies in the frames that it sends and hands out leaves
//! made by hand; and thieves, who have a copy of an honest node's key and disk and write in its name from elsewhere while
//! it lives on.
//!
//! What they make by hand is in [`acts`], how their machines lie in [`tamper`]. Everything that might be let in is told to
//! the ledger, with who wrote it: the reference model then judges it on its own. What must never be let in is not told, so
//! that a node which holds it holds something that nobody knows.
//!
//! A false node, enrolled with the issuer's stolen key, is a thief who has a name of his own; see [`issuer`].
//!
//! Not here yet, for want of the means against them: forked directories, tombstones, sealed fields. Each is one more
//! [`Behaviour`] with one more act.

mod acts;
mod craft;
mod issuer;
mod tamper;

use std::collections::{BTreeSet, VecDeque};

use heliu_record::id::{Actor, RecordId, SeatId};
use heliu_replication::frame::{Delivery, Frame, RangeContent};
use heliu_storage::StoreId;
use heliu_trust::id::{Incarnation, NodeId, actor};
use heliu_trust::simulated::CheapKey;

use serde::{Deserialize, Serialize};

use super::visit::Visit;
use super::{Event, World};
use crate::dice::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Behaviour {
    /// Commits and leaves in another's name.
    ForgedAuthor,
    /// Fields, entries, owners, audiences and decisions that are not its to write.
    OutOfPath,
    /// Old directory versions, old times.
    BackDating,
    /// Two leaves for one place, shown to different neighbours; one change in two commits.
    Equivocation,
    /// Old frames again, here and elsewhere.
    Replay,
    /// Sends a part, acknowledges and forgets, never acknowledges.
    Withholding,
    /// Leaves whose predecessors never come.
    OrphanFlood,
    /// Bytes that are no change, or one that no record can take.
    Bombs,
    /// Answers out of turn, long lists, lies about sums and positions.
    BadFrames,
    /// What the seat may write, by a node that was enrolled with the issuer's stolen key.
    StolenIssuer,
}

impl Behaviour {
    /// What any insider or thief may do.
    pub const ALL: [Behaviour; 9] = [
        Behaviour::ForgedAuthor,
        Behaviour::OutOfPath,
        Behaviour::BackDating,
        Behaviour::Equivocation,
        Behaviour::Replay,
        Behaviour::Withholding,
        Behaviour::OrphanFlood,
        Behaviour::Bombs,
        Behaviour::BadFrames,
    ];

    /// As the tally of a run lists it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Behaviour::ForgedAuthor => "hostile: forged author",
            Behaviour::OutOfPath => "hostile: out of path",
            Behaviour::BackDating => "hostile: back-dating",
            Behaviour::Equivocation => "hostile: equivocation",
            Behaviour::Replay => "hostile: replay",
            Behaviour::Withholding => "hostile: withholding",
            Behaviour::OrphanFlood => "hostile: orphan flood",
            Behaviour::Bombs => "hostile: bombs",
            Behaviour::BadFrames => "hostile: bad frames",
            Behaviour::StolenIssuer => "hostile: stolen issuer",
        }
    }
}

pub struct Hostile {
    /// An insider's own machine; of a thief the machine whose key and disk he has.
    pub machine: usize,
    pub is_thief: bool,
    pub behaviours: BTreeSet<Behaviour>,
    key: CheapKey,
    seat: SeatId,
    /// How long the directory is at least that its node is in.
    since: u64,
    /// Under which it wrote by hand.
    incarnations: BTreeSet<Incarnation>,
    dice: Dice,
    /// What its machine has sent before.
    sent: VecDeque<Frame>,
    /// It says nothing at all any more.
    pub is_mute: bool,
}

impl Hostile {
    fn node(&self) -> NodeId {
        heliu_trust::signature::Signer::node(&self.key)
    }

    fn does(&self, behaviour: Behaviour) -> bool {
        self.behaviours.contains(&behaviour)
    }
}

impl World {
    /// Somebody takes a machine in hand, or copies its key.
    pub fn turn_hostile(&mut self, machine: usize, is_thief: bool, behaviours: &[Behaviour], dice: Dice) -> usize {
        let at = &mut self.machines[machine];
        at.is_hostile |= !is_thief;
        let (key, seat, name) = (at.key, at.seat, at.name.clone());
        self.trace
            .say(self.now, || format!("{name} {}", if is_thief { "is robbed of its key" } else { "turns hostile" }));
        self.tally.fault("hostile");
        self.tally.fault(if is_thief { "hostile: thief" } else { "hostile: insider" });
        self.hostile.push(Hostile {
            machine,
            is_thief,
            behaviours: behaviours.iter().copied().collect(),
            key,
            seat,
            since: 1,
            incarnations: BTreeSet::new(),
            dice,
            sent: VecDeque::new(),
            is_mute: false,
        });
        self.hostile.len() - 1
    }

    /// Something that one of them can do, if there is such a one.
    pub fn something_hostile(&self, hostile: usize, dice: &mut Dice) -> Option<Behaviour> {
        let behaviours: Vec<Behaviour> = self.hostile.get(hostile)?.behaviours.iter().copied().collect();
        dice.pick(&behaviours).copied()
    }

    pub fn mischief(&mut self, hostile: usize, dice: &mut Dice) {
        if let Some(behaviour) = self.something_hostile(hostile, dice) {
            self.act(hostile, behaviour, dice);
        }
    }

    /// They say nothing any more; or their machines are gone.
    pub fn hostile_stop(&mut self, for_good: bool) {
        self.hostile.iter_mut().for_each(|hostile| hostile.is_mute = true);
        for machine in (0..self.machines.len()).filter(|_| for_good) {
            if self.machines[machine].is_hostile {
                self.crash(machine);
            }
        }
    }

    /// They do some more while all others heal, and their machines lie for ever.
    pub fn hostile_go_on(&mut self) {
        for hostile in 0..self.hostile.len() {
            for _ in 0..4 {
                let (wait, dice) =
                    (self.hostile[hostile].dice.between(0, 8_000), self.hostile[hostile].dice.below(u64::MAX));
                self.due(self.now + wait, Event::Mischief { hostile, dice });
            }
        }
    }

    /// Every actor that hostile hands wrote as, with the seat that their key has.
    #[must_use]
    pub fn hostile_actors(&self) -> Vec<(Actor, SeatId)> {
        let of = |hostile: &Hostile| -> Vec<(Actor, SeatId)> {
            hostile.incarnations.iter().map(|incarnation| (actor(&hostile.node(), incarnation), hostile.seat)).collect()
        };
        self.hostile.iter().flat_map(of).collect()
    }

    /// Whether hostile hands hold this node's key.
    #[must_use]
    pub fn is_in_hostile_hands(&self, node: NodeId) -> bool {
        self.hostile.iter().any(|hostile| hostile.node() == node)
    }

    /// What a frame tells the seat of a hostile hand of.
    pub(super) fn note_disclosed(&mut self, seat: SeatId, frame: &Frame) {
        let told = self.disclosed.entry(seat).or_default();
        match frame {
            Frame::Leaves(leaves) => {
                told.extend(records_of(&leaves.delivery));
                told.extend(&leaves.withdrawn);
            }
            // Whose list is empty has told nothing: it was asked.
            Frame::Have(have) => {
                told.extend(have.records.iter().filter(|(_, leaves)| !leaves.is_empty()).map(|(record, _)| *record));
            }
            Frame::Possession(of) => {
                told.extend(of.records.iter().filter(|of| !of.hashes.is_empty()).map(|of| of.record));
            }
            Frame::Reconcile(message) => {
                for range in &message.ranges {
                    if let RangeContent::Items(items) = &range.content {
                        told.extend(items.iter().map(|(record, _)| *record));
                    }
                }
            }
            _ => {}
        }
    }

    /// A hostile hand goes to a machine under its own name, and hands these over.
    fn call_on(&mut self, hostile: usize, target: usize, frames: Vec<Frame>, dice: &mut Dice) {
        let Hostile { seat, .. } = self.hostile[hostile];
        let node = self.hostile[hostile].node();
        // Who says that he is somebody's store is asked to go on where that one was.
        let store = if dice.chance(15) {
            self.machines[dice.index(self.machines.len())].disk.meta().store
        } else {
            StoreId(dice.bytes())
        };
        if self.machines[target].disk.meta().store == store {
            return;
        }
        for frame in &frames {
            if let Frame::Leaves(leaves) = frame {
                self.note_handed(target, &leaves.delivery);
            }
        }
        let (is_curious, incarnation) = (dice.chance(30), Incarnation(dice.bytes()));
        self.visit(target, Visit { node, seat, store, incarnation, frames, is_curious, is_hostile: true });
    }

    pub(super) fn note_handed(&mut self, target: usize, delivery: &Delivery) {
        self.handed.entry(target).or_default().extend(records_of(delivery));
    }

    /// Machines that run and keep the rules, but for the one whose key is stolen; neighbours are more likely.
    fn victim(&self, hostile: usize, dice: &mut Dice) -> Option<usize> {
        let own = self.hostile[hostile].machine;
        let is_fit = |other: &usize| *other != own && self.machines[*other].runs() && !self.machines[*other].is_hostile;
        let near: Vec<usize> = self.machines[own].upstreams.iter().copied().filter(is_fit).collect();
        let all: Vec<usize> = (0..self.machines.len()).filter(is_fit).collect();
        let near = dice.pick(&near).copied().filter(|_| dice.chance(50));
        near.or_else(|| dice.pick(&all).copied())
    }
}

/// Of which records a delivery brings something.
fn records_of(delivery: &Delivery) -> impl Iterator<Item = RecordId> + '_ {
    let leaves = delivery.leaves.iter().map(|leaf| leaf.preimage.id());
    leaves.chain(delivery.grants.iter().map(|grant| grant.preimage.id()))
}
