//! The part through which everything goes that is written: what waits to be done ([`queue`], [`work`]), what a piece of work
//! comes to ([`delta`]), this node's own commits ([`writer`]) and the answers to commands ([`answers`]), and the feed as far
//! as it is durable, of which the newest end stays in memory ([`tail`]).
//!
//! Nothing here knows what is in a record. Positions in the feed are given to a [`Delta`] when it is sealed, and to nothing
//! before.

mod answer;
mod answers;
mod delta;
mod queue;
mod random;
mod tail;
mod work;
mod writer;

use std::collections::BTreeSet;

use heliu_record::id::RecordId;
use heliu_storage::{Meta, Position};
use heliu_trust::id::Incarnation;

use crate::durable::Durable;
use crate::effect::LoadRequest;

pub use answer::written_by;
pub(crate) use answer::{DigestKey, reused};
pub(crate) use answers::{Answers, Before, Given};
pub(crate) use delta::{Delta, Outcome, Sealed};
pub(crate) use queue::{Queue, Room};
pub(crate) use random::Random;
pub(crate) use tail::{Growth, Tail};
pub(crate) use work::{Incoming, Order, Work};
pub(crate) use writer::{Writer, row_of as commit_row};

pub(crate) struct Journal {
    /// The store and its feed, as far as they are durable.
    meta: Meta,
    pub queue: Queue,
    pub writer: Writer,
    pub answers: Answers,
    pub random: Random,
    tail: Tail,
    incarnation: Renewal,
}

/// Whether this process changes its incarnation.
enum Renewal {
    No,
    /// The work that does so waits; another proof that it is due asks for nothing more.
    Asked,
}

impl Journal {
    pub fn new(meta: Meta, writer: Writer, key: DigestKey, random: Random) -> Self {
        let tail = Tail::at(meta.head);
        let (queue, answers) = (Queue::default(), Answers::new(key));
        Journal { meta, queue, writer, answers, random, tail, incarnation: Renewal::No }
    }

    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// Every link has walked past here.
    pub fn trim(&mut self, to: Position) {
        self.tail.trim(to);
    }

    /// Whether this store has written under an incarnation.
    pub fn is_own(&self, incarnation: Incarnation) -> bool {
        self.meta.incarnations.iter().any(|(own, _)| *own == incarnation)
    }

    /// It was shown that this node was rolled back: it goes on under a new incarnation.
    pub fn renew_soon(&mut self) {
        if matches!(std::mem::replace(&mut self.incarnation, Renewal::Asked), Renewal::No) {
            self.renew();
        }
    }

    /// The next batch writes under a new incarnation: one that this store never had, whatever is drawn. A machine that is
    /// put back to an earlier moment, memory and all, draws again what it drew before.
    pub fn renew(&mut self) {
        let incarnation = loop {
            let drawn = Incarnation(self.random.draw());
            if !self.is_own(drawn) {
                break drawn;
            }
        };
        self.queue.push(Work::Renew(incarnation));
    }

    /// The next work, and which records it holds against their leaves.
    pub fn take(&mut self) -> (std::collections::VecDeque<Work>, BTreeSet<RecordId>) {
        let works = self.queue.take();
        let checked = works.iter().filter_map(Work::checks).collect();
        (works, checked)
    }

    /// More work for a batch while the transaction before is in flight; none if what is next has to have nothing beside it.
    pub fn take_beside(&mut self, room: &mut Room) -> std::collections::VecDeque<Work> {
        self.queue.take_beside(room)
    }

    /// What the store answered.
    pub fn loaded(&mut self, asked: &LoadRequest, reply: &mut crate::effect::LoadReply) {
        self.answers.loaded(asked, reply);
    }

    /// The feed has grown by this, and goes up to `head` now.
    pub fn applied(&mut self, growth: Growth, head: Position, durable: &Durable) {
        self.meta.incarnations.extend(self.writer.renewed().map(|incarnation| (incarnation, self.meta.head)));
        self.meta.head = head;
        self.tail.grow(growth, head);
        self.writer.applied(durable);
    }

    /// Whatever was asked for before is under way, or done.
    pub fn renewed(&mut self, _: &Durable) {
        self.incarnation = Renewal::No;
    }
}

#[cfg(test)]
mod tests {
    use heliu_storage::StoreId;
    use heliu_trust::id::NodeId;

    use super::*;

    const OWN: Incarnation = Incarnation([1; 16]);

    fn journal() -> Journal {
        let meta = Meta { store: StoreId([1; 16]), head: 10, incarnations: vec![(OWN, 0)] };
        let (writer, random) = (Writer::new(NodeId([1; 16]), OWN, None), Random::new([7; 32]));
        Journal::new(meta, writer, DigestKey(zeroize::Zeroizing::new([0; 32])), random)
    }

    #[test]
    fn a_rollback_that_is_shown_twice_is_one_new_incarnation_that_the_feed_knows_once_it_is_durable() {
        let mut journal = journal();
        journal.renew_soon();
        journal.renew_soon();
        let (works, _) = journal.take();
        let [Work::Renew(incarnation)] = works.iter().collect::<Vec<_>>()[..] else { panic!("once, and alone") };
        assert!(journal.queue.is_empty());
        journal.writer.renew(*incarnation);
        assert!(!journal.is_own(*incarnation), "not before it is durable");
        let durable = Durable::said(Ok(())).expect("it is");
        journal.applied(Growth::default(), 12, &durable);
        assert!(journal.is_own(*incarnation) && journal.is_own(OWN));
        assert_eq!((journal.meta().head, journal.writer.renewed()), (12, None));
        journal.renewed(&durable);
        journal.renew_soon();
        assert!(!journal.queue.is_empty(), "what is shown after that counts again");
    }
}
