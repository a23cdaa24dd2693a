//! The network of a world: dialling, sending with latency, connections that break, frames that come twice.

use std::collections::VecDeque;

use heliu_replication::frame::{DeliveredLeaf, Delivery, Frame};
use heliu_replication::{Input, LinkId};
use heliu_trust::id::DirectoryVersion;

use super::machine::{Held, Role};
use super::wire::{End, Side, Wire, WireId};
use super::{Event, World};
use crate::chance::{Matter, Stream};
use crate::invariants::Violation;

/// How many deliveries to a machine are kept for replays.
const KEPT: usize = 12;

impl World {
    /// Connects, or tries again later, at the next of several addresses.
    pub(super) fn dial(&mut self, machine: usize, role: Role) {
        if self.machines[machine].link_for(role).is_some() {
            return;
        }
        let target = match role {
            Role::Up => {
                let at = &mut self.machines[machine];
                let target = at.upstreams[at.next_upstream % at.upstreams.len()];
                at.next_upstream += 1;
                target
            }
            Role::Peer(peer) => peer,
            Role::Down => return,
        };
        if self.is_cut(machine, target) || !self.machines[target].runs() {
            self.redial(machine, role);
        } else {
            self.connect(machine, target, role);
        }
    }

    pub(super) fn redial(&mut self, machine: usize, role: Role) {
        let life = self.machines[machine].life;
        let wait = self.delay(Stream::of(Matter::Redial, machine), self.habits.redial_ms);
        self.due(self.now + wait, Event::Dial { machine, life, role });
    }

    fn connect(&mut self, machine: usize, target: usize, role: Role) {
        let wire = WireId(self.next());
        let ends = [(machine, target), (target, machine)].map(|(machine, other)| {
            let link = LinkId(self.next());
            let line = Stream::between(Matter::Line, other, machine);
            let low = self.chance.between(line, self.habits.frame_ms.0, self.habits.frame_ms.1);
            let latency = (low, low + low / 2);
            let life = self.machines[machine].life;
            End { machine, life, link, last: self.now, under_way: VecDeque::new(), latency }
        });
        let (dialer, dialed) = (ends[0].link, ends[1].link);
        self.wires.insert(wire, Wire { ends, is_broken: false });
        self.machines[machine].links.insert(dialer, Held { wire, side: Side::Dialer, role });
        self.machines[target].links.insert(dialed, Held { wire, side: Side::Dialed, role: Role::Down });
        let (from, to) = (&self.machines[machine].name, &self.machines[target].name);
        self.trace.say(self.now, || format!("{from} connects to {to}"));
        self.tally.connections += 1;
        self.feed(machine, Input::LinkUp { link: dialer, dialer: true, peer: None });
        self.feed(target, Input::LinkUp { link: dialed, dialer: false, peer: None });
    }

    /// A connection to a machine that the simulator itself is the other end of.
    pub(super) fn connect_by_hand(&mut self, target: usize) -> WireId {
        let wire = WireId(self.next());
        let link = LinkId(self.next());
        let end =
            |machine, life, link| End { machine, life, link, last: 0, under_way: VecDeque::new(), latency: (1, 5) };
        let ends = [end(usize::MAX, 0, LinkId(0)), end(target, self.machines[target].life, link)];
        self.wires.insert(wire, Wire { ends, is_broken: false });
        self.machines[target].links.insert(link, Held { wire, side: Side::Dialed, role: Role::Down });
        self.feed(target, Input::LinkUp { link, dialer: false, peer: None });
        wire
    }

    pub(super) fn send(&mut self, machine: usize, link: LinkId, frame: Frame) {
        let Some(held) = self.machines[machine].links.get(&link) else { return };
        let (wire, to) = (held.wire, held.side.other());
        self.trace.frame(self.now, machine, &frame);
        self.shows_what_is_durable(machine, &frame);
        let frames = if self.machines[machine].is_hostile { self.tamper(machine, link, frame) } else { vec![frame] };
        for frame in frames {
            self.put_under_way(wire, to, frame);
        }
    }

    /// The directory that an engine speaks of is on its disk: the one that it greets with and that it judges by.
    fn shows_what_is_durable(&mut self, machine: usize, frame: &Frame) {
        let head = match frame {
            Frame::Hello(hello) => hello.directory_head,
            Frame::Checkpoint(checkpoint) => checkpoint.directory,
            _ => return,
        };
        let at = &self.machines[machine];
        if head != DirectoryVersion::EMPTY && !at.disk.directories.contains(&head) {
            let what = format!("{} speaks of directory {}, which is not durable there", at.name, head.short());
            self.broken.push(Violation::new("I1", what));
        }
    }

    pub(super) fn put_under_way(&mut self, id: WireId, to: Side, frame: Frame) {
        let Some(wire) = self.wires.get(&id).filter(|wire| !wire.is_broken) else { return };
        let (receiver, latency, last) = (wire.end(to).machine, wire.end(to).latency, wire.end(to).last);
        let sender = wire.end(to.other()).machine;
        let is_honest = self.is_sent_in_honesty(id, to);
        let frame = if is_honest { self.perhaps_with_a_replay(sender, receiver, frame) } else { frame };
        self.tally.frames += 1;
        let wait = self.delay(Stream::between(Matter::Frame, sender, receiver), latency);
        let at = last.max(self.now + wait);
        let due = self.due(at, Event::Deliver { wire: id, to, frame });
        if let Some(wire) = self.wires.get_mut(&id) {
            let end = wire.end_mut(to);
            end.last = at;
            end.under_way.push_back(due);
        }
    }

    /// What hostile hands send they alone repeat: the replays of the network itself come from whoever is honest.
    fn is_sent_in_honesty(&self, id: WireId, to: Side) -> bool {
        let sender = self.wires.get(&id).map_or(usize::MAX, |wire| wire.end(to.other()).machine);
        let is_by_hand = self.visits.get(&id).is_some_and(|visit| visit.is_hostile);
        self.machines.get(sender).map_or(!is_by_hand, |machine| !machine.is_hostile)
    }

    /// Some frames bring again what this sender sent this receiver before, on this or on another connection. Nobody honest
    /// brings what only others had: who brings a leaf has it, and is told what became of it.
    fn perhaps_with_a_replay(&mut self, sender: usize, receiver: usize, frame: Frame) -> Frame {
        let Frame::Leaves(mut leaves) = frame else { return frame };
        self.tally.leaf_frames += 1;
        let kept: Vec<&Delivery> = self.delivered.get(&receiver).map_or_else(Vec::new, |kept| {
            kept.iter().filter(|(from, _)| *from == sender).map(|(_, delivery)| delivery).collect()
        });
        let fresh = leaves.delivery.clone();
        let replay = Stream::between(Matter::Replay, sender, receiver);
        if self.chance.chance(replay, self.habits.duplicates)
            && let Some(old) = kept.get(self.chance.index(replay, kept.len())).map(|old| (*old).clone())
            && self.has_directory_of(receiver, &old)
        {
            self.tally.duplicates += 1;
            let offset = leaves.delivery.commits.len();
            leaves.delivery.commits.extend(old.commits.iter().cloned());
            let moved = |leaf: &DeliveredLeaf| DeliveredLeaf { commit: leaf.commit + offset, ..leaf.clone() };
            leaves.delivery.leaves.extend(old.leaves.iter().map(moved));
        }
        if !fresh.leaves.is_empty() {
            let kept = self.delivered.entry(receiver).or_default();
            kept.push_back((sender, fresh));
            if kept.len() > KEPT {
                kept.pop_front();
            }
        }
        Frame::Leaves(leaves)
    }

    /// Whether a machine can read a delivery: nobody honest sends it anything before the directory that it was written by.
    fn has_directory_of(&self, receiver: usize, delivery: &Delivery) -> bool {
        let mut cited = delivery.commits.iter().flat_map(|signed| &signed.commit.versions);
        receiver < self.machines.len()
            && cited.all(|(_, version)| self.directory_heard_at(receiver).index_of(*version).is_some())
    }

    pub(super) fn deliver(&mut self, id: WireId, to: Side, frame: Frame) {
        let Some(wire) = self.wires.get_mut(&id) else { return };
        let end = wire.end_mut(to);
        end.under_way.pop_front();
        let (machine, life, link) = (end.machine, end.life, end.link);
        if self.visits.contains_key(&id) && to == Side::Dialer {
            self.visitor_hears(id, &frame);
        } else if self.machines[machine].is_hostile && self.machines[machine].life == life {
            self.hostile_hears(machine, link, frame);
        } else if self.machines[machine].life == life {
            self.feed(machine, Input::Frame { link, frame });
        }
    }

    /// One end learns that the connection is over.
    pub(super) fn hung_up(&mut self, id: WireId, to: Side) {
        let Some(wire) = self.wires.get(&id) else { return };
        let (machine, life, link) = (wire.end(to).machine, wire.end(to).life, wire.end(to).link);
        if machine == usize::MAX || self.machines[machine].life != life {
            return;
        }
        let Some(held) = self.machines[machine].links.remove(&link) else { return };
        self.feed(machine, Input::LinkDown { link });
        if held.role != Role::Down && self.machines[machine].life == life {
            self.redial(machine, held.role);
        }
    }

    /// An engine ends a link: what it sent before still goes out, what was on its way to it does not matter any more.
    pub(super) fn close(&mut self, machine: usize, link: LinkId) {
        let Some(held) = self.machines[machine].links.get(&link) else { return };
        let (id, side) = (held.wire, held.side);
        self.hang_up(id, |_, other| if other == side { Cut::All } else { Cut::None });
    }

    /// A connection breaks at this moment: in each direction some first part of what is under way still arrives.
    pub fn break_wire(&mut self, id: WireId) {
        self.tally.broken_wires += 1;
        self.hang_up(id, |_, _| Cut::Somewhere);
    }

    /// The machines that a connection joins, if both ends are machines.
    #[must_use]
    pub fn ends(&self, id: WireId) -> Option<(usize, usize)> {
        let [a, b] = self.wires.get(&id)?.ends.each_ref().map(|end| end.machine);
        (a < self.machines.len() && b < self.machines.len()).then_some((a, b))
    }

    /// The first connection of two machines breaks, if there is one.
    pub fn break_between(&mut self, a: usize, b: usize) {
        let first = self.wires_where(|wire| wire.joins(a, b)).first().copied();
        first.into_iter().for_each(|wire| self.break_wire(wire));
    }

    /// A machine is gone: nothing arrives there, and what it sent arrives up to some point.
    pub(super) fn break_wires_of(&mut self, machine: usize) {
        for id in self.wires_where(|wire| wire.ends.iter().any(|end| end.machine == machine)) {
            self.hang_up(id, |wire, side| if wire.end(side).machine == machine { Cut::All } else { Cut::Somewhere });
        }
    }

    pub(super) fn hang_up_by_hand(&mut self, id: WireId) {
        self.hang_up(id, |_, _| Cut::None);
    }

    pub(super) fn wires_where(&self, fits: impl Fn(&Wire) -> bool) -> Vec<WireId> {
        self.wires.iter().filter(|(_, wire)| !wire.is_broken && fits(wire)).map(|(id, _)| *id).collect()
    }

    /// Connections that stand.
    #[must_use]
    pub fn wires(&self) -> Vec<WireId> {
        self.wires_where(|_| true)
    }

    fn hang_up(&mut self, id: WireId, how: impl Fn(&Wire, Side) -> Cut) {
        let Some(mut wire) = self.wires.remove(&id) else { return };
        if !wire.is_broken {
            wire.is_broken = true;
            for side in Side::BOTH {
                let under_way = wire.end(side).under_way.len();
                let arrive = match how(&wire, side) {
                    Cut::All => 0,
                    Cut::None => under_way,
                    Cut::Somewhere => self.chance.index(Stream::of(Matter::Cut, wire.end(side).machine), under_way + 1),
                };
                let end = wire.end_mut(side);
                for lost in end.under_way.split_off(arrive) {
                    self.queue.remove(&lost);
                }
                let last = end.under_way.back().map_or(self.now, |(at, _)| *at);
                self.due(last + 1, Event::Down { wire: id, to: side });
            }
        }
        self.wires.insert(id, wire);
    }

    #[must_use]
    pub fn is_cut(&self, a: usize, b: usize) -> bool {
        self.cut.contains(&(a.min(b), a.max(b)))
    }

    /// Two machines cannot reach each other until [`World::mend`].
    pub fn part(&mut self, a: usize, b: usize) {
        self.cut.insert((a.min(b), a.max(b)));
        for id in self.wires_where(|wire| wire.joins(a, b)) {
            self.break_wire(id);
        }
    }

    pub fn mend(&mut self) {
        self.cut.clear();
    }
}

/// What is lost of what is under way in one direction.
enum Cut {
    All,
    None,
    Somewhere,
}
