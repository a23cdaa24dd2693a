//! What hostile hands do besides lying: each act makes something and takes it to somebody.

use std::sync::Arc;

use heliu_record::change::{Change, Container, OpId, Scalar};
use heliu_record::id::{Actor, ChangeHash, Preimage};
use heliu_record::scope::{membership, seat_key};
use heliu_replication::frame::{Delivery, Frame, Have, Leaves};
use heliu_trust::commit::SignedCommit;
use heliu_trust::id::actor;

use super::craft::{Manner, delivery};
use super::{Behaviour, World};
use crate::dice::Dice;
use crate::reference::Claim;
use crate::world::visit::Visit;

impl World {
    /// Nothing, of whoever has fallen silent.
    pub fn act(&mut self, hostile: usize, behaviour: Behaviour, dice: &mut Dice) {
        if self.hostile[hostile].is_mute {
            return;
        }
        let done = match behaviour {
            Behaviour::ForgedAuthor => self.forge_author(hostile, dice),
            Behaviour::OutOfPath => self.write_out_of_path(hostile, dice),
            Behaviour::BackDating => self.date_back(hostile, dice),
            Behaviour::Equivocation => self.equivocate(hostile, dice),
            Behaviour::Replay => self.replay(hostile, dice),
            Behaviour::OrphanFlood => self.flood(hostile, dice),
            Behaviour::Bombs => self.bomb(hostile, dice),
            Behaviour::BadFrames => self.talk_nonsense(hostile, dice),
            Behaviour::StolenIssuer => self.write_in_office(hostile, dice),
            // That is how its machine sends; see `tamper`.
            Behaviour::Withholding => None,
        };
        if done.is_some() {
            self.tally.fault(behaviour.name());
            let name = &self.machines[self.hostile[hostile].machine].name;
            self.trace.say(self.now, || format!("{} ({name})", behaviour.name()));
        }
    }

    pub(super) fn deliver_to_somebody(
        &mut self,
        hostile: usize,
        deliveries: Vec<Delivery>,
        dice: &mut Dice,
    ) -> Option<()> {
        let target = self.victim(hostile, dice)?;
        self.call_on(hostile, target, Visit::handing_over(deliveries), dice);
        Some(())
    }

    /// Nothing of this is told to the ledger: nobody may hold it.
    fn forge_author(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let place = self.place(hostile, dice)?;
        let victim = self.victim(hostile, dice)?;
        let (node, manner) = (self.machines[victim].node(), Manner::fresh(dice));
        if node == self.hostile[hostile].node() {
            return None; // A clone of its own machine: in that name it signs well.
        }
        let write = self.any_write(hostile, &place.preimage, dice);
        let theirs = self.machines[victim].incarnations.first().copied().unwrap_or(manner.incarnation);
        let change = Change::encode(self.draw_up(&place, actor(&node, &theirs), vec![write]));
        let (mut signed, _) = self.sign(hostile, place.preimage.id(), change.hash, &manner);
        match dice.below(3) {
            // A leaf by another's actor, in a commit of its own.
            0 => {}
            // A commit in another's name, signed with its own key.
            1 => {
                let commit = heliu_trust::commit::Commit { author: node, incarnation: theirs, ..signed.commit };
                signed = SignedCommit::sign(commit, &self.hostile[hostile].key);
            }
            // That, with a signature that the other gave to something else.
            _ => {
                let commit = heliu_trust::commit::Commit { author: node, incarnation: theirs, ..signed.commit };
                let id = commit.id();
                let old = self.delivered.values().flatten().flat_map(|(_, delivery)| &delivery.commits);
                let signature = old.filter(|c| c.commit.author == node).map(|c| c.signature).next();
                signed = SignedCommit { commit, id, signature: signature.unwrap_or(signed.signature) };
            }
        }
        self.deliver_to_somebody(hostile, vec![delivery(signed, &place.preimage, &change.raw)], dice)
    }

    fn write_out_of_path(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let manner = Manner::fresh(dice);
        let (place, writes) = if dice.chance(15) {
            let birth = self.any_seat(dice);
            self.made_up(birth, dice)
        } else {
            let place = self.place(hostile, dice)?;
            let writes = (0..dice.between(1, 2)).map(|_| self.any_write(hostile, &place.preimage, dice));
            let mut writes: Vec<_> = writes.collect();
            writes.dedup_by(|a, b| a.1 == b.1);
            (place, writes)
        };
        let change = Change::encode(self.draw_up(&place, self.actor_of(hostile, &manner), writes));
        let delivery = self.commit(hostile, &place.preimage, &change, &manner, Claim::ToBeJudged);
        self.deliver_to_somebody(hostile, vec![delivery], dice)
    }

    /// Something that goes by the newest directory, and on top of it something that goes by an older one.
    fn date_back(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let mut place = self.place(hostile, dice)?;
        let manner = Manner { time_ms: 86_400_000, ..Manner::fresh(dice) };
        let old = Manner { back: dice.between(1, 3), seq: manner.seq + 1, ..manner };
        let mut deliveries = Vec::new();
        for manner in [manner, old] {
            let write = self.any_write(hostile, &place.preimage, dice);
            let change = Change::encode(self.draw_up(&place, self.actor_of(hostile, &manner), vec![write]));
            deliveries.push(self.commit(hostile, &place.preimage, &change, &manner, Claim::ToBeJudged));
            place.history.place(Arc::new(change));
        }
        if dice.chance(50) {
            deliveries.remove(0);
        }
        self.deliver_to_somebody(hostile, deliveries, dice)
    }

    /// A thief may do so in the incarnation that the owner of the key writes under.
    fn equivocate(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let own = self.hostile[hostile].machine;
        let mut manner = Manner::fresh(dice);
        if dice.chance(40) {
            let used = self.machines[own].incarnations.last().copied();
            manner.incarnation = used.unwrap_or(manner.incarnation);
        }
        let actor = self.actor_of(hostile, &manner);
        let place = if dice.chance(25) { None } else { self.place(hostile, dice) };
        let (place, writes) = if let Some(place) = place {
            let one = self.any_write(hostile, &place.preimage, dice);
            let other = self.any_write(hostile, &place.preimage, dice);
            (place, [vec![one], vec![other]])
        } else {
            // Two beginnings of one record: one for its own seat and a guest, one that is not its to make.
            let (place, first) = self.made_up(self.hostile[hostile].seat, dice);
            let guest = (Container::Scope, seat_key(self.any_seat(dice)), mark(dice), false);
            (place, [first, vec![guest]])
        };
        let again = if dice.chance(50) { manner.seq } else { manner.seq + 1 };
        let other = Manner { seq: again, ..manner };
        let [one, two] = writes;
        let change = Change::encode(self.draw_up(&place, actor, one));
        let twin = if dice.chance(25) { change.clone() } else { Change::encode(self.draw_up(&place, actor, two)) };
        let manner = Manner { incarnation: other.incarnation, ..manner };
        let first = self.commit(hostile, &place.preimage, &change, &manner, Claim::ToBeJudged);
        let second = self.commit(hostile, &place.preimage, &twin, &other, Claim::ToBeJudged);
        self.deliver_to_somebody(hostile, vec![first], dice)?;
        self.deliver_to_somebody(hostile, vec![second], dice)
    }

    /// What its machine was sent, to whoever it may not be for.
    fn replay(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let kept = self.delivered.get(&self.hostile[hostile].machine)?;
        let old: Vec<Delivery> = kept.iter().filter(|_| dice.chance(50)).map(|(_, old)| old.clone()).collect();
        (!old.is_empty()).then_some(())?;
        self.deliver_to_somebody(hostile, old, dice)
    }

    fn flood(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let manner = Manner::fresh(dice);
        let place = if dice.chance(60) { self.place(hostile, dice) } else { None };
        let seat = if dice.chance(50) { self.hostile[hostile].seat } else { self.any_seat(dice) };
        let preimage = place.map_or_else(|| self.made_up(seat, dice).0.preimage, |place| place.preimage);
        let empty = super::craft::Place { preimage, history: heliu_record::history::History::new() };
        let mut deliveries = Vec::new();
        for number in 0..dice.between(3, 20) {
            let write = self.any_write(hostile, &empty.preimage, dice);
            let mut draft = self.draw_up(&empty, self.actor_of(hostile, &manner), vec![write]);
            (draft.seq, draft.start_op, draft.deps) = (1_000 + number, 5_000, vec![ChangeHash(dice.bytes())]);
            let manner = Manner { seq: manner.seq + number, ..manner };
            let change = Change::encode(draft);
            deliveries.push(self.commit(hostile, &empty.preimage, &change, &manner, Claim::ToBeJudged));
        }
        self.deliver_to_somebody(hostile, deliveries, dice)
    }

    /// Small ones; those that take time and memory are tried on the gate itself.
    fn bomb(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let place = self.place(hostile, dice)?;
        let manner = Manner::fresh(dice);
        let actor = self.actor_of(hostile, &manner);
        let write = self.any_write(hostile, &place.preimage, dice);
        let mut draft = self.draw_up(&place, actor, vec![write]);
        if dice.chance(40) {
            // It can be read, and follows from nothing.
            match dice.below(3) {
                0 => draft.seq += dice.between(1, 9),
                1 => draft.start_op = [1, u64::from(u32::MAX) - 1][dice.index(2)],
                _ => {
                    let id = OpId { counter: 7, actor: Actor(dice.bytes()) };
                    draft.puts.iter_mut().for_each(|(.., replaces)| replaces.push(id));
                }
            }
            let change = Change::encode(draft);
            let delivery = self.commit(hostile, &place.preimage, &change, &manner, Claim::NeverCounts);
            return self.deliver_to_somebody(hostile, vec![delivery], dice);
        }
        let change = Change::encode(draft);
        let raw: Arc<[u8]> = malformed(&change.raw, dice).into();
        let (signed, _) = self.sign(hostile, place.preimage.id(), change.hash, &manner);
        let mut preimage = place.preimage;
        if dice.chance(20) {
            preimage.key = vec![0; Preimage::KEY_MAX + 1];
        }
        self.deliver_to_somebody(hostile, vec![delivery(signed, &preimage, &raw)], dice)
    }

    /// Asks for what it is not to have, and says what nobody asked for.
    fn talk_nonsense(&mut self, hostile: usize, dice: &mut Dice) -> Option<()> {
        let target = self.victim(hostile, dice)?;
        let mut frames = Vec::new();
        let rows = self.machines[target].disk.rows();
        let records = rows.iter().map(|row| (row.id, Vec::new())).collect();
        frames.push(Frame::Have(Have { records, reply: true }));
        if dice.chance(30) {
            let withdrawn = rows.iter().map(|row| row.id).collect();
            let through = dice.chance(50).then(|| dice.below(1 << 40));
            frames.push(Frame::Leaves(Leaves { sequence: 1, delivery: Delivery::default(), withdrawn, through }));
        }
        let last = u64::try_from(frames.len()).unwrap_or(1);
        if dice.chance(70) {
            frames.extend(self.nonsense(hostile, dice));
        }
        let empty = Leaves { sequence: last, delivery: Delivery::default(), withdrawn: Vec::new(), through: None };
        frames.push(Frame::Leaves(empty));
        self.call_on(hostile, target, frames, dice);
        Some(())
    }
}

fn mark(dice: &mut Dice) -> Scalar {
    membership(true, OpId { counter: dice.below(1 << 30), actor: Actor(dice.bytes()) })
}

/// Bytes that are not a change any more.
fn malformed(raw: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = raw.to_vec();
    match dice.below(6) {
        0 => bytes = dice.bytes::<40>().to_vec(),
        1 => bytes.truncate(dice.index(bytes.len())),
        2 => {
            let at = dice.index(bytes.len());
            bytes[at] ^= 1 << dice.below(8);
        }
        // A compressed change, a document.
        3 => bytes[8] = [0, 2][dice.index(2)],
        4 => bytes.extend_from_slice(&[0; 9]),
        _ => bytes.resize(70_000, 0x7f),
    }
    bytes
}
