//! The issuer's key is stolen. Whoever has it enrols a node of his own on a seat that has one already, and that node writes
//! what the seat may write. Then the root replaces the issuer and fences the false node, with nothing left good.

use std::collections::{BTreeSet, VecDeque};

use heliu_record::change::{Change, Container, Scalar};
use heliu_record::hash::hash;
use heliu_replication::{Input, Ticket};
use heliu_trust::directory::{Fence, Item};
use heliu_trust::signature::Signer;
use heliu_trust::simulated::CheapKey;

use super::craft::Manner;
use super::{Behaviour, Hostile, World};
use crate::dice::Dice;
use crate::reference::Claim;
use crate::world::county::sealing_of;

impl World {
    /// A machine is given all of the directory that administrators have signed so far. All of it, as what it was given
    /// before it may have lost: only so does nobody build on an older state, which would be a fork.
    pub fn publish(&mut self, machine: usize) {
        let entries = self.county.directory().entries_from(1).iter().map(|entry| (**entry).clone()).collect();
        let ticket = Ticket(self.next_ticket());
        self.feed_input(machine, Input::Extend { ticket, entries, event: None });
    }

    /// The thief enrols his node beside that of a machine, and gives the entry to another machine, or to the county's if
    /// that one does not run. Returns the false node's place among the hostile.
    pub fn steal_issuer(&mut self, beside: usize, told: usize, mut dice: Dice) -> usize {
        let (key, seat) = (CheapKey(dice.bytes()), self.machines[beside].seat);
        let enrol = Item::enrol(&key, seat, sealing_of("a false node").public(), Vec::new());
        let entry = self.county.directory().draft(vec![enrol], 0, &[&self.county.issuer]);
        self.county.learn(&entry.expect("the stolen key is the issuer's"));
        self.published = false;
        let told = if self.machines[told].runs() { told } else { 0 };
        self.start(told);
        self.publish(told);
        let (name, to) = (&self.machines[beside].name, &self.machines[told].name);
        self.trace
            .say(self.now, || format!("with the issuer's key a false node is enrolled beside {name}, told to {to}"));
        self.tally.fault("hostile");
        self.tally.fault(Behaviour::StolenIssuer.name());
        self.hostile.push(Hostile {
            machine: beside,
            is_thief: true,
            behaviours: BTreeSet::from([Behaviour::StolenIssuer]),
            key,
            seat,
            since: self.county.directory().len(),
            incarnations: BTreeSet::new(),
            dice,
            sent: VecDeque::new(),
            is_mute: false,
        });
        self.hostile.len() - 1
    }

    /// The root takes the stolen key out of use, and fences the node that was enrolled with it. The county's administrator
    /// has the new key from now on.
    pub fn replace_issuer(&mut self, hostile: usize) {
        let issuer = CheapKey(hash("simulated issuer again", &[&self.county.issuer.0]));
        let fence = Fence::new(self.hostile[hostile].node(), Vec::new(), Vec::new());
        let items = vec![Item::Issuer { key: issuer.public_key() }, Item::Fence(fence)];
        let entry = self.county.directory().draft(items, 0, &[&self.county.root]).expect("the root may");
        self.county.learn(&entry);
        self.county.issuer = issuer;
        self.machines[0].issuer = Some(issuer);
        self.trace.say(self.now, || "the root replaces the issuer and fences the false node".to_owned());
        self.tally.fault("hostile: issuer replaced");
        self.published = false;
        self.start(0);
        self.publish(0);
    }

    /// Something that the seat may write: in a record that it has, or a record of its own.
    pub(super) fn write_in_office(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let at = &self.hostile[hostile];
        let (seat, manner) = (at.seat, Manner::fresh(dice));
        let text = |text: &str| Scalar::Text(text.to_owned());
        let rows = self.machines[at.machine].disk.present();
        let is_below = |owner| self.county.upward(owner).any(|above| above == seat);
        let owned: Vec<_> = rows.iter().filter(|row| row.scope.owners.iter().any(|owner| is_below(*owner))).collect();
        let place = dice.pick(&owned).filter(|_| dice.chance(85)).and_then(|row| self.place_of(at.machine, row.id));
        let place = place.filter(|place| super::craft::has_name(&place.preimage.kind));
        let (place, writes) = match place {
            None => self.made_up(seat, dice),
            Some(place) => {
                let mark = heliu_record::id::to_hex(&dice.bytes::<3>());
                let kind = (Container::Mv, "org_kind".to_owned(), text("temporary"), true);
                let name = (Container::Mv, "name".to_owned(), text(&format!("假{mark}")), true);
                let is_kind = place.preimage.kind == "org" && dice.chance(30);
                (place, vec![if is_kind { kind } else { name }])
            }
        };
        let change = Change::encode(self.draw_up(&place, self.actor_of(hostile, &manner), writes));
        let delivery = self.commit(hostile, &place.preimage, &change, &manner, Claim::ToBeJudged);
        self.deliver_to_somebody(hostile, vec![delivery], dice)
    }
}
