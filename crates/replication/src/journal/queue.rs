//! What waits to be done on the records, and which of it makes up the next batch: commands before leaves, because somebody
//! waits for each, and leaves by turns of links, so that one that catches up holds up no other. What comes by one link
//! stays in order.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};

use super::work::{Incoming, Work};
use crate::effect::{LinkId, Ticket};

/// Leaves that one batch takes: enough to share a transaction, few enough that nobody waits long.
const LEAVES_PER_BATCH: usize = 2_048;
/// Bytes of a leaf that count as much as a leaf by itself.
const WEIGHED_BYTES: usize = 1_024;
/// Commands that one batch takes.
const COMMANDS_PER_BATCH: usize = 512;
/// Leaves for which a batch beside another goes to work again before that is durable: a record is judged anew with each time, so
/// not for every frame.
const LEAVES_AT_ONCE: usize = 32;
/// What a command counts for where there is enough.
const COMMAND_LEAVES: usize = 8;

/// What a batch may still take.
pub(crate) struct Room {
    commands: usize,
    leaves: usize,
    /// Until it has enough; see [`Config::leaves_enough`](crate::Config::leaves_enough).
    enough: usize,
}

impl Room {
    pub fn none() -> Self {
        Room { commands: 0, leaves: 0, enough: 0 }
    }

    pub fn whole(enough: usize) -> Self {
        Room { commands: COMMANDS_PER_BATCH, leaves: LEAVES_PER_BATCH, enough }
    }

    /// Whether the batch has enough.
    pub fn is_full(&self) -> bool {
        self.commands == 0 || self.leaves == 0 || self.enough == 0
    }
}

#[derive(Default)]
pub(crate) struct Queue {
    /// Batches of their own, before everything else: one transaction has one incarnation, and goes from one directory to
    /// one other.
    alone: VecDeque<Work>,
    commands: VecDeque<Work>,
    /// By the link that it came by; none: what this node itself has to do. None is empty.
    lanes: BTreeMap<Option<LinkId>, VecDeque<Work>>,
    /// Whose turn was last.
    last: Option<LinkId>,
}

impl Queue {
    pub fn push(&mut self, work: Work) {
        let lane = match &work {
            Work::Renew(_) | Work::Extend { .. } | Work::Join { .. } | Work::Draft { .. } | Work::FenceOf { .. } => {
                return self.alone.push_back(work);
            }
            Work::Execute(_)
            | Work::Erase { .. }
            | Work::Reveal { .. }
            | Work::Audit { .. }
            | Work::Stranded { .. }
            | Work::Quarantine { .. }
            | Work::Foreign { .. } => return self.commands.push_back(work),
            Work::Leaves(incoming) => Some(incoming.link),
            Work::Withdrawn { link, .. } | Work::Statements { link, .. } => Some(*link),
            Work::LetGo { .. }
            | Work::Mend { .. }
            | Work::Check { .. }
            | Work::Rename { .. }
            | Work::LookThrough { .. }
            | Work::Reissue { .. }
            | Work::KeepKeys
            | Work::KeepScopes
            | Work::TellAuditHead => None,
        };
        self.lanes.entry(lane).or_default().push_back(work);
    }

    /// Commands that were taken and have to wait: they are the first again.
    pub fn put_back(&mut self, commands: Vec<Work>) {
        commands.into_iter().rev().for_each(|work| self.commands.push_front(work));
    }

    pub fn is_empty(&self) -> bool {
        self.alone.is_empty() && self.commands.is_empty() && self.lanes.is_empty()
    }

    pub fn is_only_checks(&self) -> bool {
        let mut rest = self.lanes.values().flatten();
        self.alone.is_empty() && self.commands.is_empty() && rest.all(|work| matches!(work, Work::Check { .. }))
    }

    pub fn has_checks(&self) -> bool {
        let own = self.lanes.get(&None).into_iter().flatten();
        own.into_iter().any(|work| matches!(work, Work::Check { .. }))
    }

    /// The work of the next batch.
    pub fn take(&mut self) -> VecDeque<Work> {
        if let Some(work) = self.alone.pop_front() {
            let mut works = VecDeque::from([work]);
            // Those who want to join together are entered together.
            if matches!(works[0], Work::Join { .. }) {
                let joins = self.alone.iter().take_while(|work| matches!(work, Work::Join { .. })).count();
                works.extend(self.alone.drain(..joins));
            }
            return works;
        }
        self.fill(&mut Room::whole(LEAVES_PER_BATCH), |_| true)
    }

    /// More work for a batch while a transaction is in flight. It ends with the first of which nothing may be beside: that is
    /// next once nothing is under way.
    pub fn take_beside(&mut self, room: &mut Room) -> VecDeque<Work> {
        if self.alone.is_empty() { self.fill(room, |work| !work.is_alone()) } else { VecDeque::new() }
    }

    /// Whether a batch that is waiting for another has enough to go to work again.
    pub fn has_enough(&self) -> bool {
        let mut leaves = 0;
        let is_enough = |work| {
            leaves += weight(work);
            leaves >= LEAVES_AT_ONCE
        };
        !self.commands.is_empty() || self.lanes.values().flatten().any(is_enough)
    }

    fn fill(&mut self, room: &mut Room, is_taken: impl Fn(&Work) -> bool) -> VecDeque<Work> {
        let mut works = VecDeque::new();
        while room.commands > 0
            && let Some(work) = self.commands.pop_front_if(|work| is_taken(work))
        {
            room.commands -= 1;
            room.enough = room.enough.saturating_sub(COMMAND_LEAVES);
            works.push_back(work);
        }
        if room.commands > 0 && !self.commands.is_empty() {
            return works;
        }
        while room.leaves > 0
            && let Some(work) = self.next_in_turn(&is_taken)
        {
            let weight = weight(&work);
            (room.leaves, room.enough) = (room.leaves.saturating_sub(weight), room.enough.saturating_sub(weight));
            works.push_back(work);
        }
        works
    }

    fn next_in_turn(&mut self, is_taken: impl Fn(&Work) -> bool) -> Option<Work> {
        let next = self.lanes.range((Excluded(self.last), Unbounded)).next();
        let (lane, works) = next.or_else(|| self.lanes.first_key_value())?;
        if !works.front().is_some_and(is_taken) {
            return None;
        }
        self.last = *lane;
        let Entry::Occupied(mut lane) = self.lanes.entry(self.last) else { return None };
        let work = lane.get_mut().pop_front();
        if lane.get().is_empty() {
            lane.remove();
        }
        work
    }

    pub fn joins(&self) -> usize {
        self.alone.iter().filter(|work| matches!(work, Work::Join { .. })).count()
    }

    /// Those who wait for an answer.
    pub fn tickets(&self) -> impl Iterator<Item = Ticket> + '_ {
        self.alone.iter().chain(&self.commands).filter_map(Work::ticket)
    }
}

/// In leaves; a long one counts once more for each KiB. What is refused unread is written too: into quarantine.
fn weight(work: &Work) -> usize {
    match work {
        Work::Leaves(incoming) => {
            let Incoming { leaves, grants, quarantined, .. } = incoming;
            let bytes: usize = leaves.iter().map(|(leaf, ..)| leaf.change.raw.len() / WEIGHED_BYTES).sum();
            let refused: usize = quarantined.iter().map(|row| row.bytes.len() / WEIGHED_BYTES).sum();
            leaves.len() + grants.len() + quarantined.len() + bytes + refused + 1
        }
        // Each may take a record away.
        Work::Statements { statements, .. } => statements.len() + 1,
        // Each is a record to be loaded, and nobody waits for it.
        Work::LookThrough { .. } | Work::Check { .. } => LEAVES_PER_BATCH / 64,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use heliu_record::command::{CommandId, Request};
    use heliu_record::date::Date;
    use heliu_record::sight::Sight;
    use heliu_storage::QuarantineRow;
    use heliu_trust::id::{Incarnation, NodeId};

    use super::super::work::Order;
    use super::*;
    use crate::authority::By;
    use crate::effect::Trial;

    fn frame(link: u64, sequence: u64, junk: usize) -> Work {
        frame_of(link, sequence, vec![Vec::new(); junk])
    }

    /// A frame of which nothing could be read.
    fn frame_of(link: u64, sequence: u64, junk: Vec<Vec<u8>>) -> Work {
        let row = |bytes| QuarantineRow {
            id: [0; 32],
            record: None,
            from: None,
            code: String::new(),
            reason: String::new(),
            at_ms: 0,
            bytes,
        };
        Work::Leaves(Incoming {
            link: LinkId(link),
            from: NodeId([0; 16]),
            sequence,
            commits: Vec::new(),
            leaves: Vec::new(),
            grants: Vec::new(),
            refused: Vec::new(),
            quarantined: junk.into_iter().map(row).collect(),
            cursor: None,
        })
    }

    fn command(ticket: u64) -> Work {
        let request = Request {
            id: CommandId([0; 16]),
            name: String::new(),
            subject: None,
            arguments: BTreeMap::new(),
            who: String::new(),
            reason: String::new(),
            on_behalf: None,
        };
        Work::Execute(Order {
            ticket: Ticket(ticket),
            request,
            trial: Trial::No,
            role: String::new(),
            today: Date::constant(2026, 3, 1),
            sight: Sight::WHOLE,
        })
    }

    /// Links and sequences of frames, and tickets of commands as of link 0.
    fn batch(queue: &mut Queue) -> Vec<(u64, u64)> {
        let name = |work| match work {
            Work::Leaves(incoming) => (incoming.link.0, incoming.sequence),
            other => (0, other.ticket().map_or(0, |ticket| ticket.0)),
        };
        queue.take().into_iter().map(name).collect()
    }

    #[test]
    fn a_command_does_not_wait_behind_the_frames_of_links_that_catch_up() {
        let mut queue = Queue::default();
        for sequence in 0..3 * LEAVES_PER_BATCH as u64 {
            queue.push(frame(1, sequence, 0));
        }
        queue.push(command(7));
        assert_eq!(batch(&mut queue)[..2], [(0, 7), (1, 0)], "and frames go on with it");
        assert_eq!(batch(&mut queue)[0], (1, LEAVES_PER_BATCH as u64));
    }

    #[test]
    fn links_take_turns_and_each_stays_in_order() {
        let mut queue = Queue::default();
        let half = LEAVES_PER_BATCH / 2;
        for (link, sequence) in [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)] {
            queue.push(frame(link, sequence, half));
        }
        assert_eq!(batch(&mut queue), [(1, 1), (2, 1)], "what is refused unread counts as well");
        assert_eq!(batch(&mut queue), [(3, 1), (1, 2)]);
        assert_eq!(batch(&mut queue), [(3, 2), (1, 3)]);
        assert!(queue.is_empty() && batch(&mut queue).is_empty());
    }

    #[test]
    fn a_batch_ends_by_bytes_as_well_as_by_leaves() {
        let mut queue = Queue::default();
        let long = vec![vec![0; 64 * 1024]; LEAVES_PER_BATCH / 64];
        for sequence in 1..=3 {
            queue.push(frame_of(1, sequence, long.clone()));
        }
        assert_eq!([batch(&mut queue), batch(&mut queue)], [[(1, 1)], [(1, 2)]], "two MiB each");
    }

    #[test]
    fn a_directory_and_an_incarnation_are_batches_of_their_own_before_what_waits() {
        let mut queue = Queue::default();
        let extend = |ticket| Work::Extend { entries: Vec::new(), by: By::Ticket(Ticket(ticket), None) };
        queue.push(command(1));
        queue.push(frame(1, 1, 0));
        queue.push(extend(2));
        queue.push(Work::Renew(Incarnation([0; 16])));
        queue.push(extend(3));
        assert_eq!(queue.tickets().collect::<Vec<_>>(), [2, 3, 1].map(Ticket));
        let batches: Vec<_> = (0..4).map(|_| batch(&mut queue)).collect();
        assert_eq!(batches, [vec![(0, 2)], vec![(0, 0)], vec![(0, 3)], vec![(0, 1), (1, 1)]]);
    }

    #[test]
    fn beside_a_transaction_in_flight_goes_what_may_and_nothing_passes_what_may_not() {
        let mut queue = Queue::default();
        let mut room = Room::whole(LEAVES_PER_BATCH);
        let let_go =
            Work::LetGo { record: heliu_record::id::RecordId([1; 32]), proven: heliu_record::hash::Sum::default() };
        for work in [command(1), frame(1, 1, 0), let_go, frame(1, 2, 0)] {
            queue.push(work);
        }
        let names = |works: VecDeque<Work>| works.iter().map(|work| work.ticket().map(|t| t.0)).collect::<Vec<_>>();
        assert_eq!(names(queue.take_beside(&mut room)), [Some(1), None], "what takes a record away is next, alone");
        assert!(queue.take_beside(&mut room).is_empty() && !queue.has_enough());
        assert_eq!(queue.take().len(), 2, "once nothing is in flight, all of it goes");
        queue.push(frame(1, 3, LEAVES_AT_ONCE));
        assert!(queue.has_enough() && !room.is_full());
        queue.push(frame(1, 4, LEAVES_PER_BATCH));
        queue.push(frame(1, 5, 0));
        assert_eq!(queue.take_beside(&mut room).len(), 2);
        assert!(room.is_full() && queue.take_beside(&mut room).is_empty());
        let mut room = Room::whole(LEAVES_PER_BATCH);
        queue.push(Work::Renew(Incarnation([0; 16])));
        assert!(queue.take_beside(&mut room).is_empty(), "a new incarnation is next");
    }

    #[test]
    fn machines_that_ask_to_join_one_after_the_other_share_a_batch() {
        use heliu_record::id::SeatId;
        use heliu_trust::id::TokenId;
        use heliu_trust::signature::{PublicKey, SealingKey, Signature};
        use heliu_trust::token::{JoinRequest, JoinToken};

        use crate::authority::JoinAsker;

        let token = JoinToken {
            realm_name: String::new(),
            root: PublicKey([0; 32]),
            seat: SeatId([0; 16]),
            seat_code: String::new(),
            seat_name: String::new(),
            id: TokenId([0; 16]),
            expires_ms: 0,
            minter: PublicKey([0; 32]),
            addresses: Vec::new(),
            signature: Signature([0; 64]),
        };
        let (key, sealing, signature) = (PublicKey([0; 32]), SealingKey([0; 32]), Signature([0; 64]));
        let request = JoinRequest { token, key, sealing, addresses: Vec::new(), signature };
        let join = |ticket| Work::Join { asker: JoinAsker::Ticket(Ticket(ticket)), request: Box::new(request.clone()) };
        let mut queue = Queue::default();
        for work in [join(1), join(2), Work::Extend { entries: Vec::new(), by: By::Ticket(Ticket(3), None) }, join(4)] {
            queue.push(work);
        }
        assert_eq!(queue.joins(), 3);
        let batches: Vec<_> = (0..3).map(|_| batch(&mut queue)).collect();
        assert_eq!(batches, [vec![(0, 1), (0, 2)], vec![(0, 3)], vec![(0, 4)]]);
    }
}
