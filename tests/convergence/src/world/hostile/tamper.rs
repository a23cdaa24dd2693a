//! How a hostile machine lies: a real engine runs there, and its frames are altered, left out and multiplied on their way.

use heliu_record::hash::Sum;
use heliu_record::id::RecordId;
use heliu_replication::frame::{
    Checkpoint, Compared, DeliveredLeaf, Delivery, Frame, Have, Leaves, Range, RangeContent, Reconcile, Sums, Turn,
    Verdict, Welcome,
};
use heliu_replication::{Input, LinkId};

use super::{Behaviour, World};
use crate::dice::Dice;

/// How many frames a hostile machine keeps to send again.
const KEPT: usize = 12;

impl World {
    /// What goes out in place of a frame.
    pub(in crate::world) fn tamper(&mut self, machine: usize, link: LinkId, frame: Frame) -> Vec<Frame> {
        let node = self.machines[machine].node();
        let Some(hostile) = self.hostile.iter().position(|h| !h.is_thief && h.node() == node) else {
            return vec![frame];
        };
        if self.hostile[hostile].is_mute {
            return Vec::new();
        }
        let mut dice = self.hostile[hostile].dice.fork();
        let does = |behaviour| self.hostile[hostile].does(behaviour);
        let (withholds, replays, raves) =
            (does(Behaviour::Withholding), does(Behaviour::Replay), does(Behaviour::BadFrames));
        let mut frames = vec![frame];
        if withholds {
            frames = self.withhold(frames, &mut dice);
        }
        if replays {
            let target = self.other_end(machine, link);
            frames = self.send_again(hostile, target, frames, &mut dice);
        }
        if raves && dice.chance(12) {
            self.tally.fault(Behaviour::BadFrames.name());
            frames = frames.into_iter().map(|frame| lie(frame, &mut dice)).collect();
            if dice.chance(30) {
                frames.extend(self.nonsense(hostile, &mut dice));
            }
        }
        frames
    }

    /// A part of the feed goes out as if it were all; acknowledgements and answers do not.
    fn withhold(&mut self, frames: Vec<Frame>, dice: &mut Dice) -> Vec<Frame> {
        let before = frames.len();
        let mut is_less = false;
        let frames: Vec<Frame> = frames
            .into_iter()
            .filter_map(|frame| match frame {
                Frame::Leaves(mut leaves) if !leaves.delivery.leaves.is_empty() && dice.chance(40) => {
                    leaves.delivery.leaves.retain(|_| dice.chance(50));
                    is_less = true;
                    Some(Frame::Leaves(leaves))
                }
                Frame::Ack { .. } | Frame::Verdict(_) | Frame::Have(_) | Frame::Possession(_) | Frame::Refused(_)
                    if dice.chance(20) =>
                {
                    None
                }
                frame => Some(frame),
            })
            .collect();
        if is_less || frames.len() < before {
            self.tally.fault(Behaviour::Withholding.name());
        }
        frames
    }

    fn send_again(&mut self, hostile: usize, target: Option<usize>, frames: Vec<Frame>, dice: &mut Dice) -> Vec<Frame> {
        let mut out = Vec::new();
        for frame in frames {
            let sent = &self.hostile[hostile].sent;
            let old = sent.get(dice.index(sent.len())).cloned();
            let kept = &mut self.hostile[hostile].sent;
            kept.push_back(frame.clone());
            if kept.len() > KEPT {
                kept.pop_front();
            }
            match (frame, old) {
                (Frame::Leaves(mut leaves), Some(Frame::Leaves(old))) if dice.chance(40) => {
                    append(&mut leaves.delivery, &old.delivery);
                    // It may have been for another end, and this one is not entitled to it.
                    if let Some(target) = target {
                        self.note_handed(target, &old.delivery);
                    }
                    out.push(Frame::Leaves(leaves));
                    self.tally.fault(Behaviour::Replay.name());
                }
                (frame, Some(old)) if dice.chance(4) => {
                    if let (Frame::Leaves(leaves), Some(target)) = (&old, target) {
                        self.note_handed(target, &leaves.delivery);
                    }
                    out.extend([frame, old]);
                    self.tally.fault(Behaviour::Replay.name());
                }
                (frame, _) => out.push(frame),
            }
        }
        out
    }

    /// What a hostile machine is sent: now and then it says that it has it, and forgets it.
    pub(in crate::world) fn hostile_hears(&mut self, machine: usize, link: LinkId, frame: Frame) {
        let (node, seat) = (self.machines[machine].node(), self.machines[machine].seat);
        self.note_disclosed(seat, &frame);
        let insider = self.hostile.iter_mut().find(|h| !h.is_thief && h.node() == node);
        let forgets = insider.is_some_and(|h| h.does(Behaviour::Withholding) && h.dice.chance(15));
        match (&frame, forgets) {
            (Frame::Leaves(leaves), true) if !leaves.delivery.leaves.is_empty() => {
                self.tally.fault(Behaviour::Withholding.name());
                let sequence = leaves.sequence;
                self.send(machine, link, Frame::Ack { sequence });
            }
            _ => self.feed(machine, Input::Frame { link, frame }),
        }
    }

    /// Frames that nobody waits for.
    pub(super) fn nonsense(&mut self, hostile: usize, dice: &mut Dice) -> Vec<Frame> {
        let rows = self.machines[self.hostile[hostile].machine].disk.rows();
        let known = |dice: &mut Dice| dice.pick(&rows).map_or(RecordId([3; 32]), |row| row.id);
        let frame = match dice.below(9) {
            0 => Frame::Ack { sequence: dice.below(1 << 20) },
            1 => Frame::Verdict(Verdict::JudgedDifferently),
            2 => Frame::Checkpoint(Checkpoint {
                mine: dice.below(99),
                yours: dice.below(99),
                sums: sums(dice),
                statements: Sum::default(),
                directory: self.county.directory().head(),
            }),
            3 => Frame::Welcome(Welcome::default()),
            4 => Frame::Reconcile(Reconcile {
                turn: Turn::Answer,
                compared: compared(dice),
                ranges: ranges(dice, 2_000),
            }),
            5 => Frame::Reconcile(Reconcile { turn: Turn::Begin, compared: compared(dice), ranges: Vec::new() }),
            6 => {
                let records = (0..500).map(|_| (RecordId(dice.bytes()), vec![dice.bytes()])).collect();
                Frame::Have(Have { records, reply: true })
            }
            7 => {
                let withdrawn = (0..5).map(|_| known(dice)).collect();
                let sequence = dice.between(1, 5);
                Frame::Leaves(Leaves {
                    sequence,
                    delivery: Delivery::default(),
                    withdrawn,
                    through: Some(dice.below(500)),
                })
            }
            _ => {
                let entries = self.county.directory().entries_from(0);
                let mut entry = (**entries.last().unwrap_or(&entries[0])).clone();
                entry.entry.index += dice.below(3);
                Frame::Directory(vec![entry])
            }
        };
        vec![frame, Frame::Unknown]
    }
}

fn append(delivery: &mut Delivery, old: &Delivery) {
    let offset = delivery.commits.len();
    delivery.commits.extend(old.commits.iter().cloned());
    delivery
        .leaves
        .extend(old.leaves.iter().map(|leaf| DeliveredLeaf { commit: leaf.commit + offset, ..leaf.clone() }));
}

fn sums(dice: &mut Dice) -> Sums {
    let mut some = || {
        let mut sum = Sum::default();
        sum.add(&dice.bytes::<32>());
        sum
    };
    Sums { records: 3, held: some(), admitted: some() }
}

/// In order, and none over another, as they have to be.
fn compared(dice: &mut Dice) -> Compared {
    if dice.chance(50) { Compared::Scopes } else { Compared::Records }
}

fn ranges(dice: &mut Dice, count: usize) -> Vec<Range> {
    let mut from = [0; 32];
    let at = |number: usize| {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&u32::try_from(number * 1_000_003).unwrap_or(u32::MAX).to_be_bytes());
        id
    };
    let mut ranges = Vec::new();
    for number in 1..=count {
        let to = at(number);
        let content = RangeContent::Fingerprint { count: dice.below(9), sum: sums(dice).held };
        ranges.push(Range { from: RecordId(from), to: Some(RecordId(to)), content });
        from = to;
    }
    ranges
}

/// The same kind of frame, with something else in it.
fn lie(frame: Frame, dice: &mut Dice) -> Frame {
    match frame {
        Frame::Checkpoint(checkpoint) => Frame::Checkpoint(Checkpoint { sums: sums(dice), ..checkpoint }),
        Frame::Verdict(_) => {
            let verdicts = [Verdict::Equal, Verdict::Different, Verdict::JudgedDifferently, Verdict::MovedOn];
            Frame::Verdict(verdicts[dice.index(4)])
        }
        Frame::Reconcile(message) => {
            Frame::Reconcile(Reconcile { ranges: ranges(dice, 20), compared: compared(dice), ..message })
        }
        Frame::Have(mut have) => {
            have.records.iter_mut().for_each(|(_, leaves)| leaves.clear());
            Frame::Have(have)
        }
        // Whoever asks is told that all is there.
        Frame::Possession(mut of) => {
            of.records.iter_mut().for_each(|of| of.hashes.clear());
            Frame::Possession(of)
        }
        Frame::Ack { sequence } => Frame::Ack { sequence: sequence + dice.below(3) },
        Frame::Leaves(leaves) => {
            let through = leaves.through.map(|through| through + dice.below(40));
            Frame::Leaves(Leaves { through, ..leaves })
        }
        Frame::Welcome(welcome) => {
            let cursor = welcome.cursor.map(|mut cursor| {
                cursor.position += dice.below(40);
                cursor
            });
            Frame::Welcome(Welcome { cursor, ..welcome })
        }
        frame => frame,
    }
}
